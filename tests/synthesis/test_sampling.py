"""Drawn people and scenes: documented shares, JSON round trips, traits that are drawn apart, aging."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.synthesis.geometry import head_model
from omokage.synthesis.people import PersonSampler, aged, perceived_female, shape_axes
from omokage.synthesis.sampling import CameraSampler, PoseSampler, SceneSampler, SurroundingsSampler
from omokage.synthesis.scene import BACKGROUNDS, BEARDS, GLASSES, HAIR_STYLES, HATS, OCCLUDERS, Person, Scene


@lru_cache(maxsize=1)
def scenes() -> tuple[Scene, ...]:
    rng, sampler = np.random.default_rng(0), SceneSampler()
    return tuple(sampler.draw(rng) for _ in range(1500))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_scenes_survive_json_and_seeds_decide(seed: int) -> None:
    scene = SceneSampler().draw(np.random.default_rng(seed))
    assert Scene.from_json(scene.to_json()) == scene
    assert SceneSampler().draw(np.random.default_rng(seed)) == scene


def test_fields_stay_in_their_ranges() -> None:
    names = set(head_model().names) | {axis for axis, _, _ in shape_axes()}
    names |= {minus for _, minus, _ in shape_axes() if minus}
    for scene in scenes():
        p = scene.person
        assert 1 <= p.age <= 95
        for value in (p.male, p.female_perceived, p.melanin, p.blood, p.wrinkles, p.sagging, p.spots, p.grey, p.makeup):
            assert 0 <= value <= 1
        assert -1 <= p.fatness <= 1.5
        assert sum(p.shape) == pytest.approx(1)
        assert p.hair in HAIR_STYLES
        assert p.beard in BEARDS
        assert p.glasses in GLASSES
        assert p.hat in HATS
        assert {n for n, _ in p.features} <= names | {"eyes/eye-height2-incr", "eyes/eye-height2-decr"}
        assert scene.surroundings.style in BACKGROUNDS
        assert scene.surroundings.occluder in OCCLUDERS
        assert abs(scene.pose.yaw) <= 80
        assert abs(scene.pose.pitch) <= 40
        assert abs(scene.pose.roll) <= 35
        assert p.age >= 16 or (p.beard == "none" and p.makeup == 0)


def test_documented_shares_hold() -> None:
    people = [s.person for s in scenes()]

    def share(found: list[bool]) -> float:
        return sum(found) / len(found)

    assert share([p.hat != "none" for p in people]) == pytest.approx(0.10, abs=0.03)
    assert share([p.glasses == "sunglasses" for p in people]) == pytest.approx(0.05, abs=0.02)
    assert share([p.glasses != "none" for p in people]) == pytest.approx(0.26, abs=0.06)
    assert share([s.surroundings.occluder != "none" for s in scenes()]) == pytest.approx(0.12, abs=0.03)
    assert share([abs(s.pose.yaw) < 34 for s in scenes()]) > 0.65
    assert all(share([low <= p.age < low + 10 for p in people]) > 0.03 for low in range(0, 90, 10))


def test_traits_are_drawn_apart() -> None:
    people = [s.person for s in scenes()]
    melanin, shape = np.array([p.melanin for p in people]), np.array([p.shape for p in people])
    assert abs(np.corrcoef(melanin, shape[:, 1])[0, 1]) < 0.5
    grown = [p for p in people if p.age > 40]
    wear = np.corrcoef([p.age for p in grown], [p.wrinkles for p in grown])[0, 1]
    assert 0.3 < wear < 0.95  # wrinkles follow age, loosely
    unsure = [p for p in people if 0.2 < p.female_perceived < 0.8]
    assert 0.05 < len(unsure) / len(people) < 0.4


def test_faces_are_not_symmetric_and_spread_can_be_changed() -> None:
    person = PersonSampler().draw(np.random.default_rng(0))
    assert any(name.split("/")[1].startswith("l-") for name, _ in person.features)
    calm = replace(PersonSampler(), spread=0.0, asymmetry=0.0).draw(np.random.default_rng(0))
    assert sum(abs(v) for _, v in calm.features) < 0.3 * sum(abs(v) for _, v in person.features)


def test_dressing_changes_clothes_only() -> None:
    rng, sampler = np.random.default_rng(3), PersonSampler()
    person = sampler.draw(rng)
    other = sampler.dress(rng, person)
    assert replace(other, glasses=person.glasses, hat=person.hat, cloth=person.cloth) == person


def test_perceived_gender_follows_the_looks() -> None:
    base = PersonSampler().draw(np.random.default_rng(8))
    base = replace(base, age=30.0, male=0.5, beard="none", makeup=0.0, hair="short", hair_length=0.2)

    def looks(**changes: object) -> float:
        return perceived_female(replace(base, **changes))  # type: ignore[arg-type]

    assert looks(male=0.1) > looks() > looks(male=0.9)
    assert looks(hair="long", hair_length=0.9) > looks() > looks(beard="full")
    assert looks(makeup=0.9) > looks()
    assert abs(looks(male=0.9, age=5.0) - 0.5) < abs(looks(male=0.9) - 0.5)


def test_aging_moves_wear_the_right_way_and_nothing_else() -> None:
    person: Person = replace(
        PersonSampler().draw(np.random.default_rng(9)), age=30.0, wrinkles=0.1, sagging=0.1, grey=0.0
    )
    old = aged(person, 75.0)
    assert old.wrinkles > person.wrinkles
    assert old.sagging > person.sagging
    assert old.grey > 0.5
    same = replace(
        old, age=30.0, wrinkles=person.wrinkles, sagging=person.sagging, grey=0.0, recession=person.recession
    )
    assert same == person


def test_samplers_can_be_narrowed() -> None:
    rng = np.random.default_rng(0)
    narrow = SceneSampler(
        poses=PoseSampler(near_frontal=1.0, yaw_sigma=0.0),
        cameras=CameraSampler(size=64, clean=1.0),
        surroundings=SurroundingsSampler(styles=(("plain", 1.0),), occluders=(("none", 1.0),)),
    )
    for scene in (narrow.draw(rng) for _ in range(20)):
        assert scene.pose.yaw == 0
        assert (scene.camera.size, scene.camera.jpeg) == (64, 0)
        assert (scene.surroundings.style, scene.surroundings.occluder) == ("plain", "none")
