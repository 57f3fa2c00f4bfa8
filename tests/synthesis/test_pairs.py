"""Pairs differ in what they say and in nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omokage.errors import InputError
from omokage.synthesis.pairs import FACTORS, PairSampler, change, differences, stepped
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Person, Scene
from omokage.synthesis.visits import Visits, controlled

# The fields that each factor may touch; eye-look units follow the head so that the gaze stays consistent.
ALLOWED = {
    "age": ("person.age", "person.wrinkles", "person.sagging", "person.grey", "person.recession"),
    "fatness": ("person.fatness", "person.female_perceived"),
    "expression": ("expression.",),
    "units": ("expression.",),
    "eyes_closed": ("expression.units.eyeBlink", "expression.units.eyeWide"),
    "pose": ("pose.", "expression.units.eyeLook"),
    "light": ("light.",),
    "camera": ("camera.",),
    "glasses": ("person.glasses", "person.female_perceived"),
    "hair": ("person.hair", "person.hat", "person.female_perceived"),
    "beard": ("person.beard", "person.female_perceived"),
    "makeup": ("person.makeup", "person.female_perceived"),
    "nuisance": ("light.", "camera.", "pose.", "expression.units.eyeLook"),
}


def test_every_factor_has_a_rule() -> None:
    assert set(ALLOWED) == set(FACTORS)


@pytest.mark.parametrize("factor", sorted(FACTORS))
def test_one_factor_changes_nothing_else(factor: str) -> None:
    rng = np.random.default_rng(1)
    sampler = PairSampler(factors=((factor, 1.0),))
    for _ in range(25):
        pair = sampler.draw(rng)
        assert pair.factors == (factor,)
        assert pair.changes, "nothing changed"
        for path in pair.changes:
            assert path.startswith(ALLOWED[factor]), path
        assert pair.before.person.seed == pair.after.person.seed


def test_changes_are_after_minus_before() -> None:
    scene = SceneSampler().draw(np.random.default_rng(2))
    person: Person = replace(
        scene.person, age=scene.person.age + 5, hair="buzz" if scene.person.hair != "buzz" else "bob"
    )
    after: Scene = replace(scene, person=person)
    changes = differences(scene, after)
    assert changes["person.age"] == pytest.approx(5)
    assert changes["person.hair"] == f"{scene.person.hair} > {person.hair}"
    assert set(changes) == {"person.age", "person.hair"}
    assert differences(after, scene)["person.age"] == pytest.approx(-5)
    assert differences(scene, scene) == {}


def test_several_factors_and_nuisance() -> None:
    rng = np.random.default_rng(3)
    pair = PairSampler(several=1.0, also=("light",)).draw(rng)
    assert len(pair.factors) >= 3
    assert pair.factors[-1] == "light" or "light" in pair.factors
    assert any(path.startswith("light.") for path in pair.changes)


def test_both_directions_occur() -> None:
    rng, sampler = np.random.default_rng(4), PairSampler(factors=(("age", 1.0), ("fatness", 1.0)))
    signs = {"person.age": set[bool](), "person.fatness": set[bool]()}
    for _ in range(60):
        for path, value in sampler.draw(rng).changes.items():
            if path in signs:
                signs[path].add(float(value) > 0)
    assert signs == {"person.age": {True, False}, "person.fatness": {True, False}}


def test_draws_repeat_and_unknown_factors_are_refused() -> None:
    assert PairSampler().draw(np.random.default_rng(5)) == PairSampler().draw(np.random.default_rng(5))
    with pytest.raises(InputError, match="height"):
        PairSampler(factors=(("height", 1.0),))
    with pytest.raises(InputError, match="height"):
        change(np.random.default_rng(0), SceneSampler().draw(np.random.default_rng(0)), ("height",))


@pytest.mark.parametrize(("factor", "size"), [("age", 8.0), ("fatness", 0.5), ("units", 0.2)])
def test_a_step_has_exactly_the_size(factor: str, size: float) -> None:
    rng = np.random.default_rng(5)
    sampler = PairSampler(factors=((factor, 1.0),), size=size, also=("nuisance",))
    place = {"age": "person.age", "fatness": "person.fatness", "units": "expression.units."}[factor]
    found = []
    for _ in range(20):
        moved = {k: v for k, v in sampler.draw(rng).changes.items() if k.startswith(place) and "eyeLook" not in k}
        assert len(moved) == 1
        found.append(float(next(iter(moved.values()))))
    assert np.abs(found) == pytest.approx(size, abs=2e-4)
    assert min(found) < 0 < max(found)


def test_a_step_that_fits_nowhere_is_refused() -> None:
    rng = np.random.default_rng(6)
    scene = SceneSampler().draw(rng)
    with pytest.raises(InputError, match="stay within"):
        stepped(rng, scene, "fatness", 3.0)
    with pytest.raises(InputError, match="no step size"):
        stepped(rng, scene, "light", 1.0)
    with pytest.raises(InputError, match="have a size"):
        PairSampler(factors=(("light", 1.0),), size=1.0)


def test_visits_are_of_one_person_and_say_what_changed() -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        shots = Visits().draw(rng)
        assert len(shots) == 4
        first = shots[0].scene
        for shot in shots[1:]:
            moved = differences(first, shot.scene)
            assert shot.scene.person.seed == first.person.seed
            assert ("person.age" in moved) == ("age" in shot.groups["factors"])
            assert ("person.fatness" in moved) == ("fatness" in shot.groups["factors"])
            if not shot.groups["factors"]:
                assert not [path for path in moved if path.startswith("person.")]


def test_controlled_visits_are_held_and_lit_alike() -> None:
    rng = np.random.default_rng(8)
    cameras = 0
    for _ in range(12):
        first, *later = controlled().draw(rng)
        for shot in later:
            assert shot.scene.light == first.scene.light
            turned = np.subtract(
                [shot.scene.pose.yaw, shot.scene.pose.pitch], [first.scene.pose.yaw, first.scene.pose.pitch]
            )
            assert np.abs(turned).max() < 12.5  # five standard deviations
            cameras += shot.scene.camera != first.scene.camera
    assert cameras > 20
