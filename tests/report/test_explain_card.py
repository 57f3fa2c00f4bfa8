"""The explanation card and what raters see."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.errors import InputError, OutputError
from omokage.explain.evidence import METHODS, warnings
from omokage.explain.faithfulness import MEANING, Flipping, judged
from omokage.explain.lrp import NOTICE
from omokage.explain.occlusion import FILLS
from omokage.explain.regions import REGIONS
from omokage.report.explain import (
    WORDS,
    explanation_card,
    heat_map,
    overlay,
    write_explanations,
)  # fmt: skip
from omokage.report.explain_words import JAPANESE_REGIONS, explained, target_name
from omokage.report.pairs import beside, write_png
from omokage.results import Box, FaceCrop, Faithfulness, RegionEvidence, RelevanceMap
from omokage.schema import SHIPPED


def evidence() -> RelevanceMap:
    image = np.random.default_rng(0).integers(0, 256, (56, 56, 3)).astype(np.uint8)
    relevance = np.zeros((56, 56), np.float32)
    relevance[30:40, 20:36], relevance[:8] = 1.0, -0.5
    regions = tuple(
        RegionEvidence(name, 0.1, 0.3, 0.2, 0.4, effect, effect - 0.1, effect + 0.1, {"blur": effect}, 0.25, image // 2)
        for name, effect in (("mouth", 2.0), ("eyes", -1.0))
    )
    checks = {"flipping beats the edges": True, "relevance sums to the answer": False}
    faith = Faithfulness(0.9, 2.0, (0.5, 1.0), 0.2, 0.7, "occlusion", 0.1, checks, "B", "one check failed")
    crop = FaceCrop(image, np.eye(2, 3), Box(0, 0, 56, 56), 1.0)
    return RelevanceMap("attr.smiling", "gradients", 0.9, "probability", 2.2, "log odds", relevance, crop,
                        np.zeros((56, 56), np.uint8), regions, faith, ("look <twice>",), "a notice")  # fmt: skip


def test_the_choice_works_without_script_and_shows_every_recomputed_answer() -> None:
    card = explanation_card(evidence(), "en", "3")
    assert "<script" not in card
    buttons = re.findall(r'<input type="radio" name="x3" id="(x3-\d)"', card)
    assert len(buttons) == 4  # heat map, crop, and one for each region
    for mark in buttons:
        assert f"#{mark}:checked~.{mark}{{display:block}}" in card
        assert f'<figure class="{mark}">' in card
    assert "without mouth: 0.25 probability" in card
    assert "look &lt;twice&gt;" in card
    assert "a notice" in card
    assert card.count("failed") >= 1
    assert 'role="radiogroup" aria-label="Hide a region: the answer is computed again"' in card


def test_regions_without_kept_pictures_offer_no_button() -> None:
    found = evidence()
    bare = replace(found, regions=tuple(replace(r, hidden=None) for r in found.regions))
    assert explanation_card(bare).count("<input") == 2


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_whole_and_loads_nothing(language: str, tmp_path: Path) -> None:
    path = tmp_path / "why.html"
    write_explanations(path, [evidence(), evidence()], language, {"weights": "w<1>"})
    text = path.read_text(encoding="utf-8")
    assert text.count("<article") == 2
    assert "w&lt;1&gt;" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert len(set(re.findall(r' id="([^"]+)"', text))) == 8


def test_a_change_shows_the_earlier_photograph_and_says_what_hiding_means() -> None:
    found = evidence()
    card = explanation_card(replace(found, before=found.crop), "en", "0", "a.jpg → b.jpg")
    assert card.count("<input") == 5
    assert "as before: mouth: 0.25" in card
    assert "a.jpg → b.jpg" in card


def test_both_languages_say_everything() -> None:
    assert WORDS["en"].keys() == WORDS["ja"].keys()
    assert set(JAPANESE_REGIONS) == set(REGIONS)


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="en or ja"):
        write_explanations(tmp_path / "x.html", [], "fr")
    with pytest.raises(OutputError):
        write_explanations(tmp_path / "no" / "x.html", [])


def test_heat_map_is_red_for_and_blue_against() -> None:
    shown = heat_map(evidence()).astype(int)
    assert shown[35, 28, 0] > shown[35, 28, 2] + 40
    assert shown[3, 28, 2] > shown[3, 28, 0] + 10
    blank = overlay(np.zeros((56, 56, 3), np.uint8), np.zeros((56, 56)))
    assert int(np.ptp(blank)) == 0


def test_pairs_beside_each_other(tmp_path: Path) -> None:
    image = np.full((40, 40, 3), (255, 0, 0), np.uint8)
    row = beside([("", image), ("A", image), ("B", image)])
    assert row.shape[1] > 2.9 * row.shape[0] * 0.9
    write_png(tmp_path / "pair.png", row)
    again = cv2.imread(str(tmp_path / "pair.png"))[..., ::-1]
    assert (again == row).all()


def test_a_japanese_card_has_no_english_sentence() -> None:
    found = evidence()
    mouth = replace(found.regions[0], effect_by_fill={"ordinary": 2.0, "blur": -1.9, "mean": 0.1, "inpaint": 0.2})
    ground = replace(mouth, name="background", effect=3.0, relevance=0.9)
    regions = (ground, mouth)
    checks = judged(Flipping(1.0, 2.0, (3.0,)), 0.1, "gradients", 0.9, 0.5, 0.1)
    said = warnings(regions)
    assert len(said) == 3
    card = explanation_card(
        replace(found, regions=regions, faithfulness=checks, warnings=said, notice=NOTICE, method="lrp (plus-flat)"),
        "ja",
    )
    texts = " ".join([*re.findall(r">([^<]+)<", card), *re.findall(r'(?:alt|title)="([^"]+)"', card)])
    texts = re.sub(r"#x0.*?block}|LRP|plus-flat|omokage|US", "", texts)
    assert re.findall(r"[A-Za-z]{2,}", texts) == []


def test_every_word_of_an_explanation_has_japanese() -> None:
    words = [*MEANING.values(), *METHODS[:3], *FILLS, "ordinary", "before", "log odds", "probability", "intensity"]
    words += [a.unit for a in SHIPPED if a.kind == "ordinal"]
    for text in words:
        assert not re.search(r"[a-z]{2,}(?!.*SmoothGrad)", explained(text, "ja").replace("SmoothGrad", "")), text
        assert explained(text, "en") == text
    assert explained("something else", "ja") == "something else"
    assert target_name("expression.happiness", "ja") == "表情 · 喜び"
    assert target_name("attr.smiling", "ja") == "見た目の属性 · ほほえみ"
    assert target_name("unit.mouthSmileLeft", "ja") == "表情の単位 · 左の口角上げ"
    assert target_name("unit.eyeLookUpLeft", "ja") == "表情の単位 · 左目の上向き"
    assert target_name("attr.smiling", "en") == "visible attribute · smiling"
    assert target_name("unit.eyeLookUpLeft", "en") == "expression unit · eye look up left"
    assert target_name("au.AU12", "en") == "action unit · AU12 lip corner puller"


@pytest.mark.parametrize(
    ("language", "heads"),
    [
        ("en", ("Hiding it takes away (log odds)", "Answer then (probability)")),
        ("ja", ("隠すと減る量(対数オッズ)", "そのときの答え(確率)")),
    ],
)
def test_columns_of_numbers_say_their_unit(language: str, heads: tuple[str, ...]) -> None:
    found = evidence()
    still = replace(found.regions[0], effect=-0.001, relevance=-0.001)
    card = explanation_card(replace(found, regions=(still,)), language)
    for head in heads:
        assert f">{head}</th>" in card
    assert "+0.00 (" in card
    assert "+0 % (" in card
