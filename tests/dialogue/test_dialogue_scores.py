"""Scores against slow ones, and published benchmarks in their own layouts."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

from omokage.dialogue.published import (
    Question,
    Trained,
    contaminated,
    fingerprint,
    read_facebench,
    read_facexbench,
)
from omokage.dialogue.scoring import Given, by_task, score
from omokage.errors import InputError
from omokage.media.image import encode_jpeg


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=60))
def test_scores_of_one_attribute_are_the_textbooks(pairs: list[tuple[bool, bool]]) -> None:
    given_ = [Given("a", "yes" if t else "No", "true" if s else "no", 0.9) for t, s in pairs]
    found = score(given_, draws=2)
    true, said = [t for t, _ in pairs], [s for _, s in pairs]
    if len(set(true)) == 2:
        assert found.balanced == pytest.approx(balanced_accuracy_score(true, said))
        assert found.f1 == pytest.approx(f1_score(true, said, average="macro"))
    assert found.accuracy == pytest.approx(np.mean([t == s for t, s in pairs]))


def test_failures_and_abstentions_count_as_wrong_and_are_stated() -> None:
    given_ = [
        Given("a", "yes", "yes", 0.9, task="t"), Given("a", "no", None, task="t"),
        Given("a", "no", "no", 0.5, abstained=True, task="u"), Given("a", "no", "no", 0.7, task="u"),
    ]  # fmt: skip
    found = score(given_, draws=5)
    assert (found.accuracy, found.parse_failures, found.abstentions, found.chance) == (0.5, 0.25, 0.25, 0.5)
    assert found.balanced == pytest.approx((1 + 1 / 3) / 2)
    assert set(by_task(given_)) == {"t", "u"}
    with pytest.raises(ValueError, match="no answers"):
        score([])


def test_a_model_that_says_how_sure_it_is_has_no_calibration_error() -> None:
    given_ = [Given("a", "yes" if k % 10 < 8 else "no", "yes", 0.8) for k in range(100)]
    assert score(given_, draws=2).calibration_error == pytest.approx(0.0, abs=1e-9)


def facexbench(folder: Path) -> Path:
    told = {
        "category": "attributes_expression", "sub-category": "attributes", "dataset": "celeba", "num_images": "single",
        "questions": {
            "1": {"image_paths": ["images/q1.png"], "question_text": "Which attribute is present?",
                  "options": ["Bangs", "Bald", 8, "Hat"], "correct_answer_option": "C", "answer": "8"},
            "2": {"image_paths": ["images/q1.png", "images/q2.png"], "question_text": "Which is older?",
                  "options": ["first", "second"], "correct_answer_option": "A", "answer": "first"},
            "3": {"image_paths": ["images/q2.png"], "question_text": "Which race is it?",
                  "options": ["a", "b"], "correct_answer_option": "A", "answer": "a"},
        },
    }  # fmt: skip
    (folder / "benchmark" / "images").mkdir(parents=True)
    (folder / "benchmark" / "celeba_single_mcq.json").write_text(json.dumps(told))
    return folder


def test_facexbench_is_read_in_its_own_layout(tmp_path: Path) -> None:
    found = list(read_facexbench(facexbench(tmp_path)))
    assert [q.skipped for q in found] == ["", "several pictures", "refused"]
    assert (found[0].answers, found[0].category, found[0].source) == (
        ("8",), "attributes_expression/attributes", "celeba",
    )  # fmt: skip
    with pytest.raises(InputError, match="holds no FaceXBench"):
        list(read_facexbench(tmp_path / "none"))
    (tmp_path / "benchmark" / "bad.json").write_text("{")
    with pytest.raises(InputError, match="as JSON"):
        list(read_facexbench(tmp_path))


def test_facebench_is_read_in_its_own_layout(tmp_path: Path) -> None:
    row = {"question_id": "beard_q0", "question_type": "TFQ", "image_id": "t.jpg", "text": "Is there a beard?",
           "options": ["Yes", "No", "Information not visible"], "gt_answer": "Yes",
           "metadata": {"image_source": "CelebA-HQ", "view": "Appearance", "attribute_level": "level 1"}}  # fmt: skip
    rows = [row, {**row, "options": [], "gt_answer": "Black"}, {**row, "gt_answer": ["Yes", "No"]}]
    table = tmp_path / "test.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)) + "\n")
    found = list(read_facebench(table, tmp_path))
    assert [q.skipped for q in found] == ["", "open", "several answers"]
    assert found[0].images == (tmp_path / "t.jpg",)
    table.write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="line 1"):
        list(read_facebench(table, tmp_path))


def scene(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 255, (9, 9, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_pictures_that_were_trained_on_are_found_though_recompressed(tmp_path: Path) -> None:
    trained = Trained(encode_jpeg(scene(k), 95) for k in range(5))
    assert len(trained) == 5
    near = cv2.resize(scene(3), (80, 80), interpolation=cv2.INTER_AREA)
    assert trained.holds(near)
    assert not trained.holds(scene(77))
    assert fingerprint(scene(1)).shape == (32,)
    for name, picture in (("old.png", scene(2)), ("new.png", scene(50))):
        cv2.imwrite(str(tmp_path / name), picture[..., ::-1])
    questions = [Question(n, (tmp_path / n,), "?", ("a", "b"), ("a",), "", "") for n in ("old.png", "new.png")]
    assert contaminated(questions, trained) == ["old.png"]
    assert not Trained([]).holds(scene(1))
