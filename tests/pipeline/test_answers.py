"""The whole answer beside the one that is explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omokage import Analyzer, InputError
from omokage.attributes.predict import AttributePredictor
from omokage.pipeline.answers import MOVED, answer_of, change_of, with_full
from omokage.pipeline.explain import explain, targets
from omokage.report.explain import explanation_card
from omokage.report.explain_words import explained
from omokage.results import AgeEstimate, Box, Categorical, Change, FaceAnalysis, FaceChange, RelevanceMap, Scalar
from omokage.weights import registry

needs_weights = pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)
FACE = FaceAnalysis(
    "a.jpg", Box(0, 0, 9, 9), 1.0, age=AgeEstimate(40, 30, 50), gender_female=0.7, quality=0.9,
    expression=Categorical(("neutral", "fear"), (0.8, 0.2)), units={"jawOpen": 0.3}, action_units={"au12": 2.5},
    attributes={"smiling": 0.6}, scalars={"fatness": Scalar(0.4, 0.1)},
    classes={"mood": Categorical(("calm", "tense"), (0.3, 0.7)), "hat": Categorical(("a", "b", "c"), (0.1, 0.2, 0.7))},
)  # fmt: skip


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("age", 40), ("gender", 0.7), ("quality", 0.9), ("expression.fear", 0.2), ("unit.jawOpen", 0.3),
        ("au.AU12", 2.5), ("attr.smiling", 0.6), ("fatness", 0.4), ("mood", 0.7), ("hat.b", 0.2), ("pose.yaw", None),
        ("attr.bald", None), ("hat.d", None), ("skin_tone", None),
    ],
)  # fmt: skip
def test_the_answer_of_an_analysis_by_the_name_of_a_target(target: str, answer: float | None) -> None:
    assert answer_of(FACE, target) == answer


def test_the_answer_of_a_comparison() -> None:
    change = FaceChange("a", "b", age=Change(3, 1, 5, 0.01))
    assert change_of(change, "age") == 3
    assert change_of(change, "fatness") is None


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer("synthetic", device="cpu")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.asarray(pytest.importorskip("skimage.data").astronaut(), np.uint8)


@pytest.fixture(scope="module")
def face(analyzer: Analyzer, astronaut: np.ndarray) -> FaceAnalysis:
    return analyzer(astronaut)[0]


@pytest.fixture(scope="module")
def why(face: FaceAnalysis, astronaut: np.ndarray) -> RelevanceMap:
    return explain(face, "attr.smiling", image=astronaut)


@needs_weights
def test_a_face_is_explained_by_the_set_that_read_it(
    face: FaceAnalysis,
    why: RelevanceMap,
    analyzer: Analyzer,
    astronaut: np.ndarray,
) -> None:
    assert face.network == registry.read_card("synthetic", "attributes").id
    assert why.full_answer == face.attributes["smiling"]
    assert why.answer == pytest.approx(explain(face, "attr.smiling", image=astronaut, analyzer=analyzer).answer)


@needs_weights
def test_a_face_is_not_explained_by_another_network(face: FaceAnalysis, astronaut: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"read by synthetic/.* cannot be explained by open/"):
        explain(face, "age", image=astronaut, weights="open")
    foreign = replace(face, network="mine/attributes@00000000")
    with pytest.raises(InputError, match="give weights= or analyzer="):
        explain(foreign, "age", image=astronaut)


@needs_weights
def test_an_answer_that_a_second_look_moves_comes_with_a_warning(why: RelevanceMap) -> None:
    reach = max(abs(region.answer_hidden - why.answer) for region in why.regions)
    near, far = with_full(why, why.answer + 0.9 * reach), with_full(why, why.answer + 1.1 * reach)
    assert MOVED not in near.warnings
    assert far.warnings == (*near.warnings, MOVED)
    assert explained(MOVED, "ja") != MOVED
    assert "Answer of all looks together" in explanation_card(far)
    alone = replace(far, full_answer=None)
    assert "Answer of all looks together" not in explanation_card(alone)
    assert with_full(alone, None) is alone


@needs_weights
def test_every_target_has_its_answer(analyzer: Analyzer, face: FaceAnalysis) -> None:
    assert isinstance(analyzer.predictor, AttributePredictor)
    without = {name for name in targets(analyzer.predictor) if answer_of(face, name) is None}
    assert without == {"pose.yaw", "pose.pitch", "pose.roll", "gaze.right", "gaze.up"}
