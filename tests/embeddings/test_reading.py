"""Reading codes on rendered heads: one thing changes at a time, and what is read follows it."""

from __future__ import annotations

import numpy as np
import pytest

from omokage.embeddings.predict import FunctionEncoder
from omokage.embeddings.reading import (
    FACTORS,
    SWEEPS,
    changed,
    crossing,
    factor_changes,
    neighbours,
    resting_scene,
    sweep,
)
from omokage.nn.probe import fit_probe
from omokage.synthesis.sampling import SceneSampler


def thumbnails(crops: np.ndarray) -> np.ndarray:
    return crops[:, ::8, ::8].reshape(len(crops), -1).astype(np.float64)


ENCODER = FunctionEncoder("thumbnails", 64, 1.3, thumbnails)


def test_one_factor_is_changed_and_no_other() -> None:
    rng = np.random.default_rng(0)
    scene, other = (SceneSampler().draw(rng) for _ in range(2))
    own = {
        "identity": "person",
        "expression": "expression",
        "pose": "pose",
        "light": "light",
        "surroundings": "surroundings",
    }
    for factor in FACTORS:
        made = changed(scene, other, factor)
        differing = {p for p in own.values() if getattr(made, p) != getattr(scene, p)}
        assert differing <= {own[factor]}
        assert differing or factor == "surroundings"
    with pytest.raises(ValueError, match="no factor"):
        changed(scene, other, "age")


def test_changes_are_shares_of_a_whole_change() -> None:
    found = factor_changes(ENCODER, 2, factors=("identity", "light"))
    assert [f.factor for f in found] == ["identity", "light"]
    assert all(0 < f.share < 3 and f.low <= f.share <= f.high for f in found)


def test_a_sweep_moves_what_it_names() -> None:
    start = resting_scene(size=96)
    values, step = SWEEPS["smile"]
    smiles = [step(start, v).expression.unit("mouthSmileLeft") for v in values]
    assert smiles == pytest.approx(list(values), abs=0.01)
    assert step(start, 1.0).person == start.person
    assert SWEEPS["yaw"][1](start, 20.0).pose.yaw == 20.0
    assert SWEEPS["light"][1](start, 20.0).light.azimuth == 20.0
    assert SWEEPS["fatness"][1](start, 1.0).person.fatness == 1.0
    drawn = sweep(ENCODER, "yaw", start)
    assert drawn.crops.shape == (7, 64, 64, 3)
    assert 0 < drawn.straightness() <= 1
    probe = fit_probe(drawn.codes, np.array(drawn.values), "continuous", strengths=(0.1,))
    assert (np.diff(drawn.answers(probe)[:, 0]) > 0).all()
    with pytest.raises(ValueError, match="no sweep"):
        sweep(ENCODER, "ears")


def test_directions_of_different_things_are_told_apart() -> None:
    x = np.random.default_rng(0).normal(size=(200, 6))
    probes = {
        "a": fit_probe(x, x[:, 0], "continuous", strengths=(1e-3,)),
        "b": fit_probe(x, x[:, 1], "continuous", strengths=(1e-3,)),
        "c": fit_probe(x, x[:, 0] + x[:, 1], "continuous", strengths=(1e-3,)),
    }
    names, cosines = crossing(probes)
    assert names == ("a", "b", "c")
    assert abs(cosines[0, 1]) < 0.05
    assert cosines[0, 2] == pytest.approx(0.5**0.5, abs=0.05)


def test_neighbours_are_other_people() -> None:
    x = np.random.default_rng(0).normal(size=(12, 4))
    found = neighbours(x, [f"p{k // 3}" for k in range(12)], [0, 5], top=20)
    assert all(k // 3 != 0 for k in found[0])
    assert all(k // 3 != 1 for k in found[1])
    assert len(found[0]) == 9
