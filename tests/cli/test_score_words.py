"""Every measure that can be printed has a Japanese name: what is there is found by scoring made-up answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from japanese import japanese

from omokage.embeddings.evaluate import ALL, ProbeConfig, task_scores
from omokage.embeddings.labelled import Measure, targets_of
from omokage.embeddings.reading import FACTORS, SWEEPS
from omokage.explain.labels import Label
from omokage.explain.ratings import ceiling
from omokage.explain.scores import measures_of
from omokage.metrics import labels as known_labels
from omokage.metrics.table import score_table
from omokage.report.rephrase import rephrased
from omokage.report.score_words import encoder_name, measure_name, probe_name, thing_name
from omokage.results import EXPRESSIONS
from omokage.schema import SHIPPED, UNITS

FACES = 28
OWN = ("nice", "size", "kind")  # labels of the user's own: yes/no, a number, classes


def label_of(column: str, k: int) -> str:
    """A label of any column that is measured; a new column must be given one here."""
    if column in known_labels._POINT_COLUMNS:
        return str(sorted(known_labels._POINT_COLUMNS).index(column) * 37 % 101)  # all over the face
    words = {
        "file": f"{k}.png", "person": f"p{k}", "age": str(5 + 2 * k), "age_bin": ("0-2", "20-29")[k % 2],
        "pose_class": ("left", "right")[k % 2], "gender": ("female", "male")[k // 2 % 2],
        "emotion": EXPRESSIONS[k % len(EXPRESSIONS)], "nice": "01"[k % 2], "size": str(k), "kind": "ab"[k % 2],
    }  # fmt: skip
    words |= dict.fromkeys(known_labels.YES_NO_COLUMNS, "01"[k % 2])
    words |= dict.fromkeys(known_labels._ANGLE_COLUMNS, str(k))
    return words[column]


def face_of(k: int) -> dict[str, Any]:
    """An answer to every label."""
    return {
        "source": f"{k}.png", "box_x0": 0.0, "box_y0": 0.0, "box_x1": 100.0, "box_y1": 100.0, "age_years": 30.0,
        "age_q05": 20.0, "age_q95": 40.0, "gender_female_p": 0.6, "attr_smiling_p": 0.6, "attr_eyeglasses_p": 0.3,
        "expression": "neutral", "landmarks": [50.0] * 136, "landmarks_sigma": [3.0] * 68, "attr_nice_p": 0.7,
        "size": 3.0, "size_sigma": 1.0, "kind": "a", "kind_a_p": 0.9,
    } | {f"{angle}_{end}": 5.0 for angle in ("yaw", "pitch", "roll") for end in ("deg", "sigma")}  # fmt: skip


def table_measures() -> Iterator[str]:
    columns = [*sorted(known_labels._MEASURED), *OWN]
    rows = [{column: label_of(column, k) for column in columns} for k in range(FACES)]
    five = [{c: t for c, t in row.items() if c[:1] not in "xy" or not c[1:].isdigit()} for row in rows]
    for labelled in (rows, five):
        yield from (score.measure for score in score_table(labelled, [face_of(k) for k in range(FACES)]))


def probe_rows(classes: tuple[str, ...]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {"landmarks": rng.normal(size=136), "points": rng.normal(size=10), "pose": rng.normal(size=3) * 40,
         "units": rng.uniform(size=len(UNITS)), "expression": classes[k % len(classes)], "smiling": float(k % 2),
         "age": float(k), "valence": k / 9, "arousal": -k / 9, "action unit au12": float(k % 2)}
        for k in range(40)
    ]  # fmt: skip


def probe_measures() -> Iterator[str]:
    codes, people = np.random.default_rng(1).normal(size=(40, 3)), [f"p{k // 2}" for k in range(40)]
    config = ProbeConfig((ALL,), folds=2, draws=2)
    seen = set()
    for classes in (("anger", "fear"), ("anger", "fear", "neutral")):
        for task, target in targets_of(probe_rows(classes)).items():
            seen.add(target.measure)
            yield from (score.measure for score in task_scores(codes, people, task, target, "e", config))
    assert seen == set(get_args(Measure)), "a kind of target is not in the made-up rows"


def adapted_measures() -> Iterator[str]:
    rows = np.arange(12)
    yield from measures_of(Label("a", "ordinal", rows, rows.astype(float)))
    yield from measures_of(Label("a", "nominal", rows, np.array(["a", "b"] * 6), ("a", "b")))
    yield from measures_of(Label("a", "nominal", rows, np.array(["a", "b", "c"] * 4), ("a", "b", "c")))
    for nominal in (True, False):
        best = ceiling(np.random.default_rng(2).integers(0, 2, (30, 3)).astype(float), nominal)
        assert best is not None
        yield best.measure


@pytest.mark.parametrize("measures", [table_measures, probe_measures, adapted_measures])
def test_every_measure_has_a_japanese_name(measures: Any) -> None:
    names = dict.fromkeys(measures())
    assert len(names) > 3
    for name in names:
        told = measure_name(name, "ja")
        assert japanese(told), name
        assert set(re.findall(r"[A-Za-z]{2,}", told)) <= {*OWN, "AUC"}, name
        assert measure_name(name, "en") == name
    assert len({measure_name(name, "ja") for name in names}) == len(names), "two measures of one name"


def test_the_made_up_labels_reach_every_kind_of_measure() -> None:
    found = set(table_measures())
    for name in ("perceived gender of adults, mean over both", "landmarks, errors below sigma (0.68 is right)",
                 "age interval, median width in years", "nice, accuracy", "size, mean absolute error",
                 "kind, mean over the classes", "side to which the face turns"):  # fmt: skip
        assert name in found


def test_whatever_is_measured_or_changed_has_a_japanese_name() -> None:
    tasks = targets_of(probe_rows(("anger", "fear")))
    for name in (*tasks, *(attribute.name for attribute in SHIPPED), *FACTORS, *SWEEPS):
        assert japanese(thing_name(name, "ja"), ("AU12",)), name
    assert thing_name("action unit AU99", "ja") == "アクションユニット AU99"
    assert thing_name("my_own", "ja") == "my_own"
    assert (encoder_name("untrained", "ja"), encoder_name("open/x", "ja")) == ("未学習", "open/x")
    assert probe_name("pixels: age", "ja") == "画素: 見かけの年齢"
    assert probe_name("pixels: age", "en") == "pixels: age"


def test_parts_go_into_the_phrase_and_unknown_text_stays() -> None:
    phrases = (("{a} of {b} (all)", "{b} の {a}"), ("{a}", "{a}!"))
    assert rephrased("1 of {x}\n (all)", phrases) == "{x}\n の 1"
    assert rephrased("else", phrases, lambda name, value: name + value) == "aelse!"
    assert rephrased("else", phrases[:1]) == "else"
