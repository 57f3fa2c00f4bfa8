"""From a face and the name of an answer to its evidence, with the shipped weights and with tiny ones."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import omokage
from omokage import Analyzer, InputError
from omokage.attributes.predict import AttributePredictor
from omokage.explain.canonizers import canonized
from omokage.explain.composites import COMPOSITES, Composite
from omokage.explain.evidence import maps
from omokage.explain.lrp import _missing, _path, recorded
from omokage.pipeline.explain import explain, target_of, targets
from omokage.results import FaceAnalysis
from omokage.weights import registry
from stand_ins import SquareFinder, SquarePredictor, picture

needs_weights = pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(device="cpu")


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture(scope="module")
def face(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> FaceAnalysis:
    return analyzer(astronaut)[0]


def test_the_function_stays_the_function_when_its_room_is_imported() -> None:
    import_module("omokage.explain.rules")
    assert omokage.explain is explain


@needs_weights
@pytest.mark.parametrize("method", ["occlusion", "lrp"])
def test_a_smile_is_in_the_mouth(
    method: str, analyzer: Analyzer, astronaut: NDArray[np.uint8], face: FaceAnalysis
) -> None:
    found = explain(face, "attr.smiling", method, image=astronaut, analyzer=analyzer)
    assert found.top == "mouth"
    assert found.answer == pytest.approx(face.attributes["smiling"], abs=0.05)
    assert found.faithfulness.flipping > max(found.faithfulness.flipping_random)
    assert all(r.effect_low <= r.effect <= r.effect_high for r in found.regions)
    assert all(r.relevance_low <= r.relevance <= r.relevance_high for r in found.regions)
    if method == "lrp":
        assert found.faithfulness.conservation == pytest.approx(1, abs=0.01)


@needs_weights
@pytest.mark.parametrize("rules", ["gamma-box", "plus-flat"])
def test_propagation_conserves_on_the_shipped_network(
    rules: str, analyzer: Analyzer, astronaut: NDArray[np.uint8]
) -> None:
    """Every attribute that is not a landmark: no layer without a rule, nothing lost."""
    assert COMPOSITES[rules].conserves
    rng = np.random.default_rng(0)
    crops = [astronaut[60:172, 170:282], rng.integers(0, 256, (112, 112, 3)).astype(np.uint8)]
    for name in ("age", "gender", "attr.smiling", "expression.anger", "au.AU12", "pose.yaw", "gaze.up", "skin_tone"):
        kept = maps(target_of(analyzer.predictor, name), crops, "lrp", rules).kept
        assert kept is not None
        np.testing.assert_allclose(kept, 1, atol=0.01, err_msg=name)


@torch.no_grad()
def unmatched(body: torch.nn.Module, pictures: torch.Tensor, composite: Composite) -> list[str]:
    """The layers of a canonized body that a rule set has no rule for."""
    with recorded(body) as calls:
        features = body(pictures)
    return _missing(_path(calls, pictures, features), pictures, composite)


@needs_weights
@pytest.mark.parametrize("name", registry.set_names())
def test_no_layer_of_a_shipped_network_is_without_a_rule(name: str) -> None:
    if not registry.has_model(name, "attributes"):
        pytest.skip(f"{name} reads no attributes")
    predictor = AttributePredictor(name, device="cpu")
    image = np.full((1, predictor.size, predictor.size, 3), 90, np.uint8)
    for rules in COMPOSITES.values():
        for answer in ("age", "attr.smiling", "au.AU12", "pose.yaw"):
            target = target_of(predictor, answer)
            assert unmatched(target.body, target.prepare(image), rules) == []


@needs_weights
def test_every_target_gives_what_the_analyzer_says(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    """The target's own small network is the shipped one: the same numbers, without the mirrored second look."""
    predictor = analyzer.predictor
    crop = astronaut[60:172, 170:282]
    raw = predictor.model(target_of(predictor, "age").prepare(crop[None]))
    names = {"attr.smiling": "smiling", "age": "age", "gender": "perceived_gender", "expression.fear": "expression"}
    for name, attribute in names.items():
        target = target_of(predictor, name)
        with torch.no_grad():
            mine = target.raw(target.prepare(crop[None]))
            again = target.readout(canonized(target.body)(target.prepare(crop[None])))
        torch.testing.assert_close(mine, raw[attribute], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(again, mine, rtol=1e-3, atol=1e-3)
    assert len(targets(predictor)) > 100


@needs_weights
def test_words_that_nobody_knows_get_near_ones(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=r"attr\.smiling"):
        explain(astronaut, "attr.smilling", analyzer=analyzer)
    with pytest.raises(InputError, match="occlusion"):
        explain(astronaut, "age", "magic", analyzer=analyzer)


@needs_weights
def test_pictures_without_that_face(analyzer: Analyzer, face: FaceAnalysis, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no face was found"):
        explain(np.zeros((80, 80, 3), np.uint8), "age", analyzer=analyzer)
    with pytest.raises(InputError, match="image="):
        explain(face, "age", analyzer=analyzer)
    with pytest.raises(InputError, match="image="):
        explain(replace(face, source=str(tmp_path / "gone.jpg")), "age", analyzer=analyzer)


def test_only_the_own_network_can_be_explained() -> None:
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    with pytest.raises(InputError, match="own attribute network"):
        explain(picture([(20, 20, 40, 30)]), "age", analyzer=analyzer)
