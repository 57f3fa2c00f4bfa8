"""Morph blending against a dense oracle, normals, rotation conventions, and what stays still when a head turns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_places import LANDMARK_VERTICES

from omokage.schema import UNITS
from omokage.synthesis.geometry import (
    NASION_TO_CHIN,
    NECK,
    blend,
    build_mesh,
    head_model,
    neck_weights,
    pose_mesh,
    pose_points,
    rotation,
    vertex_normals,
)
from omokage.synthesis.morphs import age_weights, expression_morphs, person_morphs
from omokage.synthesis.people import PersonSampler
from omokage.synthesis.scene import Expression, Person, Pose

PERSON = Person(1, 30.0, 0.5, 0.5, 0.0, 0.5, (1 / 3, 1 / 3, 1 / 3), (), 0.3, 0.4, 0.1, 0.0, 0.1)
REST = Expression()
NOSE_TIP, CHIN, EAR_LEFT, EAR_RIGHT = (int(LANDMARK_VERTICES[k]) for k in (30, 8, 16, 0))


def test_model_is_consistent() -> None:
    model = head_model()
    assert model.base.shape == (len(model.source), 3)
    assert model.triangles.max() < len(model.base)
    assert set(np.unique(model.group)) == set(range(10))
    assert {f"faceunits/{name}" for name in UNITS} <= set(model.names)
    assert model.masks.min() >= 0
    assert model.masks.max() <= 1
    assert np.allclose(np.linalg.norm(model.normals, axis=1), 1, atol=1e-3)
    body = np.unique(model.triangles[model.group == 0])
    mirrored = model.base[body] * [-1, 1, 1]
    distance = np.linalg.norm(mirrored[:200, None] - model.base[body][None], axis=2).min(1)
    assert distance.max() < 1e-3


def test_blend_equals_a_dense_sum() -> None:
    model = head_model()
    rng = np.random.default_rng(0)
    morphs = {model.names[int(k)]: float(rng.normal()) for k in rng.choice(len(model.names), 12, replace=False)}
    slow = model.base.astype(np.float64)
    for name, weight in morphs.items():
        slow += weight * model.delta(name).astype(np.float64)
    assert np.abs(blend(model.base, morphs) - slow).max() < 1e-4


def test_normals_of_a_known_solid() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    normals = vertex_normals(corners, faces)
    outward = corners - corners.mean(0)
    assert ((normals * outward).sum(1) > 0).all()
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(-90, 90), st.floats(-60, 60), st.floats(-60, 60))
def test_rotation_is_rigid_and_points_where_it_says(yaw: float, pitch: float, roll: float) -> None:
    turn = rotation(Pose(yaw, pitch, roll)).astype(np.float64)
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(turn) == pytest.approx(1, abs=1e-5)
    x, y, z = turn @ [0, 0, 1]
    assert np.degrees(np.arctan2(x, z)) == pytest.approx(yaw, abs=0.05)
    assert np.degrees(np.arcsin(np.clip(y, -1, 1))) == pytest.approx(pitch, abs=0.05)


def test_pose_signs() -> None:
    mesh = build_mesh(PERSON, REST)

    def at(vertex: int, **angles: float) -> np.ndarray:
        return pose_mesh(mesh, Pose(**angles)).vertices[vertex]

    middle = (mesh.vertices[EAR_LEFT] + mesh.vertices[EAR_RIGHT]) / 2
    assert abs(at(NOSE_TIP)[0] - middle[0]) < 1e-3
    turned = pose_mesh(mesh, Pose(yaw=20)).vertices
    assert turned[NOSE_TIP][0] > (turned[EAR_LEFT] + turned[EAR_RIGHT])[0] / 2 + 0.1  # to the image's right
    assert at(NOSE_TIP, pitch=20)[1] > at(NOSE_TIP)[1] + 0.2  # chin up
    rolled = pose_mesh(mesh, Pose(roll=20)).vertices
    assert rolled[EAR_LEFT][1] < rolled[EAR_RIGHT][1]  # clockwise in the image: its right side goes down


def test_shoulders_stay_and_the_head_moves_rigidly() -> None:
    mesh, pose = build_mesh(PERSON, REST), Pose(35, 10, -12)
    posed, weight = pose_mesh(mesh, pose), neck_weights()[:, 0]
    assert np.array_equal(posed.vertices[weight == 0], mesh.vertices[weight == 0])
    head = weight == 1
    assert np.allclose(posed.vertices[head], pose_points(mesh.vertices[head], rotation(pose)), atol=1e-5)
    assert np.allclose(pose_points(NECK[None], rotation(pose)), NECK, atol=1e-6)


def test_units_of_length_and_the_opening_jaw() -> None:
    rest, shouting = (build_mesh(PERSON, Expression(u)) for u in ((), (("jawOpen", 1.0),)))
    model = head_model()
    nasion, chin = model.vertex(133), model.vertex(5225)
    length = np.linalg.norm(rest.vertices[nasion] - rest.vertices[chin])
    assert length == pytest.approx(NASION_TO_CHIN, abs=1e-4)
    assert np.linalg.norm(shouting.vertices[nasion] - shouting.vertices[chin]) > length + 0.1
    assert np.allclose(rest.left_eye, shouting.left_eye, atol=1e-4)
    assert rest.left_eye[0] > 0 > rest.right_eye[0]


def test_every_drawn_person_can_be_built() -> None:
    rng, sampler = np.random.default_rng(4), PersonSampler()
    for _ in range(60):
        mesh = build_mesh(sampler.draw(rng), REST)
        assert np.isfinite(mesh.vertices).all()
        assert np.isfinite(mesh.normals).all()


@given(st.floats(0, 110))
def test_age_weights_sum_to_one(age: float) -> None:
    weights = age_weights(age)
    assert sum(weights.values()) == pytest.approx(1)
    assert all(0 <= w <= 1 for w in weights.values())


def test_fatness_widens_the_face_and_bare_features_move_both_sides() -> None:
    def width(person: Person) -> float:
        vertices = build_mesh(person, REST).vertices
        return float(np.ptp(vertices[LANDMARK_VERTICES[[4, 12]], 0]))

    assert width(replace(PERSON, fatness=1.0)) > width(PERSON) + 0.05 > width(replace(PERSON, fatness=-0.8)) + 0.05
    morphs = person_morphs(replace(PERSON, features=(("eyes/eye-scale-incr", 0.5),)))
    assert morphs["eyes/l-eye-scale-incr"] == morphs["eyes/r-eye-scale-incr"] == 0.5


def test_unknown_units_and_morphs_are_refused() -> None:
    with pytest.raises(KeyError, match="grin"):
        expression_morphs(Expression((("grin", 1.0),)))
    with pytest.raises(KeyError):
        build_mesh(replace(PERSON, features=(("nose/no-such-morph", 1.0),)), REST)
