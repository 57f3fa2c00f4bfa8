"""The HTML report on made-up analyses: well-formed, closed to the outside, escaped, complete in both languages."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from rich.table import Table

from omokage.cli import reporting, show
from omokage.errors import InputError, OutputError
from omokage.language import LANGUAGES
from omokage.media.table import Reading
from omokage.pipeline.config import ReviewRules
from omokage.pipeline.review import reasons
from omokage.report import panels
from omokage.report.drawing import age_svg, face_svg, pose_axes, view_of
from omokage.report.html import ReportFace, write_report
from omokage.report.panels import verdict
from omokage.report.words import ACTION_UNIT_NAMES, JAPANESE, MEANING, MODELS, TEXT, name_of, remark
from omokage.results import EXPRESSIONS, AgeEstimate, Box, Categorical, FaceAnalysis, Pose, Scalar
from omokage.schema import ACTION_UNITS, SHIPPED

VOID = {"meta", "img", "br", "hr", "link", "input"}
NASTY = "<script>alert('x')</script>&\"写真\".jpg"


class Page(HTMLParser):
    """Checks nesting, and collects texts and every attribute that could fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.fetched += [found[k] or "" for k in ("src", "href", "action", "data", "poster", "srcset") if k in found]
        if found.get("id"):
            self.ids.append(found["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def analysis(**changes: object) -> FaceAnalysis:
    t = np.linspace(0, 2 * np.pi, 68)
    years = np.exp(-((np.arange(101) - 34) ** 2) / 100)
    full = FaceAnalysis(
        source="a.jpg",
        box=Box(40, 30, 120, 130),
        score=0.98,
        landmarks=np.stack([80 + 35 * np.cos(t), 80 + 45 * np.sin(t)], 1).astype(np.float32),
        landmark_sigma=np.full(68, 1.5, np.float32),
        pose=Pose(20, -10, 5, (3, 4, 2)),
        gaze=(Scalar(3.0, 2.0), Scalar(-4.0, 2.0)),
        age=AgeEstimate(34.2, 26.0, 43.4, tuple(years / years.sum())),
        gender_female=0.25,
        expression=Categorical(EXPRESSIONS, (0.1, 0.7, 0.05, 0.05, 0.04, 0.03, 0.03)),
        units={"jawOpen": 0.6, "browInnerUp": 0.001},
        action_units=dict.fromkeys(ACTION_UNITS, 2.5),
        attributes={"eyeglasses": 0.9, "smiling": 0.5, "bald": 0.02},
        scalars={"fatness": Scalar(0.3, 0.2)},
        quality=0.8,
        needs_review="wide age interval",
    )
    return replace(full, **changes)  # type: ignore[arg-type]


def picture(height: int = 160, width: int = 200) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def parsed(path: Path) -> tuple[str, Page]:
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, f"left open: {page.open}"
    return text, page


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_well_formed_closed_and_escaped(language: str, tmp_path: Path) -> None:
    faces = [ReportFace(analysis(), picture(), NASTY), ReportFace(analysis(face=1), None, "b.jpg")]
    out = tmp_path / "report.html"
    write_report(out, faces, language, without=[(NASTY, "no_face")], about={"weights": NASTY})
    text, page = parsed(out)
    assert f'<html lang="{language}">' in text
    assert "script" not in page.tags
    assert all(link.startswith(("data:image/jpeg;base64,", "#")) for link in page.fetched)
    assert {link[1:] for link in page.fetched if link.startswith("#")} <= set(page.ids)
    assert sum(NASTY in piece for piece in page.texts) >= 4
    assert "url(" not in text
    assert not list(tmp_path.glob("*.tmp"))
    assert TEXT[language]["no_picture"] in text
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ElementTree.fromstring(svg)  # SVG must be well-formed XML too


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_result_is_named_and_explained(language: str, tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [ReportFace(analysis(), picture(), "a.jpg")], language)
    _, page = parsed(tmp_path / "r.html")
    visible = "".join(page.texts)
    keys = ("age", "expression", "gender", "pose", "attributes", "action_units", "scalars", "quality", "review")
    for key in (*keys, "units", "gaze"):
        assert TEXT[language][key] in visible
    for _, meaning, never in MEANING[language]:
        assert meaning in visible
        assert never in visible
    assert "26–43" in visible
    assert "+20° ± 3°" in visible
    assert "-10° ± 4°" in visible
    assert {"en": "jaw open", "ja": "あごの開き"}[language] in visible
    assert {"en": "brow inner up", "ja": "眉の内側上げ"}[language] not in visible, "a unit at rest is not listed"
    assert TEXT[language]["show_units"].format(least=0.02) in visible
    assert not re.search("jawOpen|browInnerUp", visible)
    assert "None" not in visible
    assert "nan" not in visible


@pytest.mark.parametrize("language", LANGUAGES)
def test_classes_of_the_users_own_are_shown(language: str, tmp_path: Path) -> None:
    own = {
        "room_light": Categorical(("dim", "<bright>"), (0.2, 0.8)),
        "mood": Categorical(("a", "b", "c"), (0.4, 0.3, 0.3)),
    }
    bare = FaceAnalysis(source="a.jpg", box=Box(0, 0, 10, 10), score=0.5, classes=own)
    write_report(tmp_path / "r.html", [ReportFace(bare, picture(), "a.jpg")], language)
    _, page = parsed(tmp_path / "r.html")
    for text in (TEXT[language]["classes"], "room light", "<bright>", "80 %", "mood", TEXT[language]["unsure"]):
        assert text in page.texts
    assert TEXT[language]["missing"] not in page.texts
    lines = dict(show.lines(bare, language))
    assert lines["room light"].startswith("<bright> 0.80")
    assert lines["mood"].splitlines()[0] == TEXT[language]["unsure"]
    assert len(lines["mood"].splitlines()) == 4


def test_what_was_not_estimated_is_absent(tmp_path: Path) -> None:
    bare = FaceAnalysis(source="a.jpg", box=Box(0, 0, 10, 10), score=0.5)
    write_report(tmp_path / "r.html", [ReportFace(bare, picture(), "a.jpg")])
    text, page = parsed(tmp_path / "r.html")
    assert TEXT["en"]["missing"] in page.texts
    assert 'class="bars"' not in text
    assert "polyline" not in page.tags


def test_no_face_at_all_still_gives_a_page(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [], "ja", without=[("空.jpg", "no_face")])
    _, page = parsed(tmp_path / "r.html")
    assert "空.jpg" in page.texts


def test_both_languages_say_the_same_things() -> None:
    assert set(TEXT) == set(MEANING) == set(LANGUAGES)
    assert TEXT["en"].keys() == TEXT["ja"].keys()
    assert [row[0] for row in MEANING["en"]] == [row[0] for row in MEANING["ja"]]
    assert all(TEXT[lang][row[0]] for lang in LANGUAGES for row in MEANING[lang])
    assert set(ACTION_UNIT_NAMES) == set(ACTION_UNITS)
    shown = {a.name for a in SHIPPED if a.classes == ("no", "yes")} | {"fatness", "skin_tone", "hair_length"}
    assert shown | set(EXPRESSIONS) <= set(JAPANESE)
    assert name_of("wearing_hat", "en") == "wearing hat"
    assert name_of("5_o_clock_shadow", "en") == "5 o'clock shadow"
    assert name_of("au12", "en") == "AU12 lip corner puller"


def test_thumbnails_are_bounded(tmp_path: Path) -> None:
    big = picture(2400, 3000)
    wide = analysis(box=Box(300, 300, 2600, 2300), landmarks=None)
    view = view_of(big, wide.box, 240)
    image = Image.open(io.BytesIO(base64.b64decode(view.uri.split(",")[1])))
    assert max(image.size) == 240
    small = picture(64, 64)
    faces = [ReportFace(analysis(box=Box(10, 10, 50, 50), landmarks=None), small, f"{i}.jpg") for i in range(120)]
    write_report(tmp_path / "r.html", faces)
    assert (tmp_path / "r.html").stat().st_size < 120 * 30_000
    _, page = parsed(tmp_path / "r.html")
    assert page.tags.count("article") == 120


@pytest.mark.parametrize("box", [Box(-30, -20, 60, 50), Box(150, 100, 260, 220), Box(500, 500, 600, 600)])
def test_boxes_over_the_edge_and_outside(box: Box) -> None:
    view = view_of(picture(), box, 100)
    assert view.width > 0
    assert view.height > 0
    assert bool(view.uri) == (box.x0 < 200)
    ElementTree.fromstring(face_svg(analysis(box=box, landmarks=None), view, "title"))


@pytest.mark.parametrize(
    ("pose", "axis", "expected"),
    [
        (Pose(90, 0, 0), "z", (1, 0)),  # looks to the image's right
        (Pose(0, 90, 0), "z", (0, 1)),  # looks up
        (Pose(0, 0, 90), "y", (1, 0)),  # a quarter turn clockwise: the top of the head points right
        (Pose(0, 0, 0), "x", (1, 0)),
    ],
)
def test_pose_axes_keep_the_sign_conventions(pose: Pose, axis: str, expected: tuple[float, float]) -> None:
    assert pose_axes(pose)[axis] == pytest.approx(expected, abs=1e-9)


def test_landmarks_are_drawn_where_they_are_with_their_spread() -> None:
    face = analysis()
    root = ElementTree.fromstring(face_svg(face, view_of(picture(), face.box, 100), "title"))
    dots, discs = ([c for c in root.iter("circle") if c.get("class") == kind] for kind in ("dot", "spread"))
    assert face.outline is not None
    for found in (dots, discs):
        places = np.array([[float(c.get("cx", "nan")), float(c.get("cy", "nan"))] for c in found])
        assert np.allclose(places, face.outline, atol=0.06)
    assert {c.get("r") for c in discs} == {"1.50"}
    lines = [*root.iter("polyline"), *root.iter("polygon")]
    assert sum(len((line.get("points") or "").split()) for line in lines) == 68


def test_age_curve_without_density_and_beyond_the_scale() -> None:
    for age in (AgeEstimate(30, 20, 40), AgeEstimate(103, 95, 110, tuple(np.full(101, 1 / 101)))):
        root = ElementTree.fromstring(age_svg(age, "a < b"))
        assert all(0 <= float(line.get("x1", "0")) <= 320 for line in root.iter("line"))


def test_verdict_has_a_band_of_not_knowing() -> None:
    assert [verdict(p, "en") for p in (0.1, 0.5, 0.9)] == ["no", "unsure", "yes"]


def test_user_errors_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="language"):
        write_report(tmp_path / "r.html", [], "fr")
    with pytest.raises(OutputError, match="cannot write the report"):
        write_report(tmp_path / "nowhere" / "r.html", [])


def test_remarks_of_the_pipeline_are_translated() -> None:
    rules = ReviewRules(
        score_below=1.1, quality_below=1.1, age_wider_than=1, yaw_beyond=1, side_below=999, faces_above=0
    )
    text = "; ".join(reasons(analysis(), 3, rules))
    assert text.count(";") == 5
    left = re.sub("px", "", remark(text, "ja"))
    assert not re.search("[A-Za-z]", left), f"still English: {left}"
    assert remark("no_face", "en") == "no face found"
    assert remark("unreadable: truncated JPEG, quality lost", "ja") == "読み取れません: truncated JPEG, quality lost"
    assert remark("no_face (first of 3 frames)", "ja") == "顔が見つかりません (3 フレーム中の最初の 1 枚)"


anything = st.text(st.characters(codec=None), max_size=20)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=anything,
    why=anything,
    facts=st.dictionaries(anything, anything, max_size=2),
    language=st.sampled_from(LANGUAGES),
)
def test_no_name_breaks_the_page(name: str, why: str, facts: dict[str, str], language: str, tmp_path: Path) -> None:
    faces = [ReportFace(analysis(needs_review=why, landmarks=None), None, name)] * 2
    write_report(tmp_path / "r.html", faces, language, [(name, why)], facts)
    _, page = parsed(tmp_path / "r.html")
    assert page.tags.count("article") == 2
    assert "script" not in page.tags
    assert all(link.startswith("#") for link in page.fetched)


@pytest.mark.parametrize("language", LANGUAGES)
def test_weak_answers_are_not_named(language: str) -> None:
    word = TEXT[language]["unsure"]
    weak = Categorical(EXPRESSIONS, (0.3, 0.4, 0.1, 0.05, 0.05, 0.05, 0.05))
    vague, clear = analysis(gender_female=0.6, expression=weak), analysis()
    assert word in panels.gender(vague, language)
    assert word in panels.expression(vague, language)
    assert word not in panels.gender(clear, language) + panels.expression(clear, language)
    assert panels.expression_word(weak, language) == show.top_expression(weak, language).partition(" (")[0] == word
    assert clear.expression is not None
    assert panels.expression_word(clear.expression, language) in show.top_expression(clear.expression, language)
    assert show.expression(weak, language).startswith(word)
    assert show.gender(vague, language).startswith(word)
    assert not show.gender(clear, language).startswith(word)


@pytest.mark.parametrize(("language", "said"), [("en", "2 of 5 faces shown"), ("ja", "5 個の顔のうち 2 個を表示")])
def test_a_page_says_how_many_faces_it_leaves_out(
    language: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "FACES", 2)
    for count, readings in ((2, 1), (5, 2)):
        pages = reporting.ReportPages(tmp_path / "r.html", language)
        faces = (analysis(landmarks=None, landmark_sigma=None),) * count
        for k in range(readings):  # the second reading brings three of the five
            part = faces[:2] if k == 0 else faces[2:]
            pages.add(Reading(f"{k}.jpg", faces=part, pixels=picture()))
        assert pages.write({}) == 2
        _, page = parsed(tmp_path / "r.html")
        assert any(said in text for text in page.texts) == (count > 2)


def test_files_of_one_name_are_told_apart_on_the_page(tmp_path: Path) -> None:
    pages = reporting.ReportPages(tmp_path / "r.html", "en")
    for source in ("/home/album/a/1.jpg", "/home/album/b/1.jpg", "/home/album/b/2.jpg"):
        pages.add(Reading(source, faces=(analysis(landmarks=None, landmark_sigma=None),), pixels=picture()))
    pages.write({})
    _, page = parsed(tmp_path / "r.html")
    names = {text.partition(" · ")[0] for text in page.texts if " · Face 1" in text}
    assert names == {"a/1.jpg", "b/1.jpg", "2.jpg"}
    assert reporting.short_names(["1.jpg", "a/1.jpg"]) == {"1.jpg": "1.jpg", "a/1.jpg": "a/1.jpg"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_cannot_turn_the_words_around_them(language: str, tmp_path: Path) -> None:
    name = "a\u202egpj.exe"
    own = {"\u2066mood": Categorical(("a", "b"), (0.2, 0.8))}
    faces = [ReportFace(analysis(classes=own, needs_review=name), picture(), name)] * 2
    write_report(tmp_path / "r.html", faces, language, without=[(name, f"unreadable: {name}")], about={"x": name})
    _, page = parsed(tmp_path / "r.html")
    visible = "".join(page.texts)
    assert not set(visible) & set("\u202e\u2066")
    assert visible.count("a\\u202egpj.exe") >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_networks_are_named_by_what_they_do(language: str, tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [], language, about=dict.fromkeys(MODELS, "set/model"))
    _, page = parsed(tmp_path / "r.html")
    assert {names[language] for names in MODELS.values()} <= set(page.texts)
    assert not set(MODELS) & set(page.texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_units_at_rest_are_spoken_of(language: str) -> None:
    assert TEXT[language]["units_at_rest"].format(least=0.02) in panels.units(
        analysis(units={"jawOpen": 0.01}), language
    )
    assert panels.units(analysis(units={}), language) == ""


def printed(width: int, *tables: Table) -> str:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(*tables)
    return screen.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_is_a_negative_zero(language: str) -> None:
    small = Scalar(-0.001, 0.1)
    still = analysis(
        pose=Pose(-0.2, -0.2, -0.2, (1, 1, 1)), gaze=(small, small), scalars={"fatness": small},
        box=Box(-0.2, 30, 120, 130),
    )  # fmt: skip
    tables = show.card(still, language), show.overview([still], language)
    shown = panels.pose(still, language) + panels.scalars(still, language) + printed(150, *tables)
    assert "+0°" in shown
    assert not re.search(r"-0(?![.\d])|-0\.0+(?!\d)", shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terminal_calls_unsure_what_the_page_does(language: str) -> None:
    face = analysis(attributes={"eyeglasses": 0.9, "bangs": 0.69, "smiling": 0.31, "bald": 0.2})
    unsure = TEXT[language]["unsure"]
    there, between, rather_not = show.attributes(face, language, absent=True).splitlines()
    assert there == f"{name_of('eyeglasses', language)} 0.90"
    assert between == f"{unsure} ({name_of('bangs', language)} 0.69, {name_of('smiling', language)} 0.31)"
    assert rather_not == f"{name_of('bald', language)} 0.20"
    assert show.attributes(face, language) == f"{there}, {between}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_narrow_terminal_keeps_room_for_values(language: str) -> None:
    shown = printed(40, show.card(analysis(), language))
    assert "34 (26-43)" in shown
    assert shown.rstrip().endswith("┘")
    assert "…" not in shown


def test_ends_of_a_box_below_zero_are_told_from_the_dash() -> None:
    face = analysis(box=Box(-6, 32, 180, 233))
    for language, said in (("en", "(x -6 to 180, y 32 to 233 px)"), ("ja", "(x -6～180, y 32～233 px)")):
        assert said in printed(150, show.card(face, language))
