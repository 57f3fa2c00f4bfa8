"""Things on the head: lenses before the eyes, hats over the scalp, masks over mouth and nose; sound geometry."""

from dataclasses import replace

import numpy as np
import pytest

from omokage.data.records import SEGMENTATION
from omokage.synthesis.accessories import Part, build_parts
from omokage.synthesis.geometry import Mesh, build_mesh, head_model
from omokage.synthesis.hairline import hat_line
from omokage.synthesis.scene import GLASSES, HATS, OCCLUDERS, Expression, Person, Surroundings
from omokage.synthesis.solids import ball, box, capsule, join, sheet, tube


def someone(seed: int = 1, **changes: object) -> Person:
    base = Person(seed, 35.0, 0.5, 0.5, 0.0, 0.5, (0.4, 0.3, 0.3), (), 0.25, 0.45, 0.3, 0.2, 0.2)
    return replace(base, **changes)  # type: ignore[arg-type]


def parts_of(person: Person, occluder: str = "none", seed: int = 0) -> tuple[list[Part], Mesh]:
    mesh = build_mesh(person, Expression())
    return build_parts(person, Surroundings(seed, occluder=occluder), mesh, np.random.default_rng(seed)), mesh


def check(part: Part) -> None:
    n = len(part.vertices)
    assert part.normals.shape == part.vertices.shape == part.colour.shape == (n, 3)
    assert np.isfinite(part.vertices).all()
    assert np.abs(np.linalg.norm(part.normals, axis=1) - 1).max() < 1e-3
    assert part.triangles.min() >= 0
    assert part.triangles.max() < n
    assert part.colour.min() > 0
    assert part.colour.max() <= 1
    assert part.segmentation in SEGMENTATION
    assert 0 <= part.opacity <= 1


def facing(part_or_shape: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Share of triangles that turn the way their normals say."""
    vertices, normals, triangles = part_or_shape
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return float((np.einsum("ij,ij->i", np.cross(b - a, c - a), normals[triangles].mean(1)) >= -1e-9).mean())


@pytest.mark.parametrize("kind", GLASSES)
def test_glasses_have_a_frame_and_two_lenses_before_the_eyes(kind: str) -> None:
    for seed in range(4):
        parts, mesh = parts_of(someone(seed, glasses=kind))
        if kind == "none":
            assert parts == []
            continue
        frame, lens = parts
        check(frame)
        check(lens)
        assert (frame.segmentation, lens.segmentation) == ("glasses", "lens")
        assert (lens.opacity > 0.5) == (kind == "sunglasses")
        for eye in (mesh.left_eye, mesh.right_eye):
            near = np.hypot(lens.vertices[:, 0] - eye[0], lens.vertices[:, 1] - eye[1]) < 0.12
            assert near.any()
            assert lens.vertices[near, 2].min() > eye[2] + 0.1
        skin = np.unique(head_model().triangles[head_model().group == 0])
        face = mesh.vertices[skin]
        behind = (np.abs(face[:, :2] - mesh.left_eye[:2]) < 0.15).all(1) & (face[:, 2] > 0.6)
        assert lens.vertices[:, 2].max() > face[behind, 2].max()


@pytest.mark.parametrize("hat", HATS)
def test_hats_cover_the_scalp(hat: str) -> None:
    for seed in range(3):
        parts, mesh = parts_of(someone(seed, hat=hat))
        if hat == "none":
            assert parts == []
            continue
        for part in parts:
            check(part)
            assert part.segmentation == "hat"
        base = head_model().base
        theta = np.arctan2(base[:, 0], base[:, 2] - 0.5)
        under = (base[:, 1] > np.maximum(hat_line(someone(seed, hat=hat), theta), 7.6) + 0.12) & (base[:, 1] < 8.4)
        crown = mesh.vertices[under]
        shell = np.concatenate([p.vertices for p in parts])
        middle = np.array([0.0, 0.35, 0.1])
        ways = (crown - middle) / np.linalg.norm(crown - middle, axis=1, keepdims=True)
        rays = (shell - middle) / np.linalg.norm(shell - middle, axis=1, keepdims=True)
        close = (ways[::7] @ rays.T).argmax(1)
        outside = np.linalg.norm(shell[close] - middle, axis=1) > np.linalg.norm(crown[::7] - middle, axis=1) - 0.03
        assert outside.mean() > 0.97


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_occluders_are_sound_and_stand_before_the_face(kind: str) -> None:
    for seed in range(6):
        parts, mesh = parts_of(someone(seed), kind, seed)
        assert (parts == []) == (kind == "none")
        for part in parts:
            check(part)
            assert part.segmentation == ("mask" if kind == "surgical_mask" else "occluder")
        if parts:
            assert max(p.vertices[:, 2].max() for p in parts) > mesh.left_eye[2] + 0.2


def test_a_mask_covers_mouth_and_chin_also_when_the_jaw_drops() -> None:
    for jaw in (0.0, 0.8):
        person = someone(2)
        mesh = build_mesh(person, Expression((("jawOpen", jaw),), None, 0.0))
        cloth, loops = build_parts(person, Surroundings(0, occluder="surgical_mask"), mesh, np.random.default_rng(3))
        base = head_model().base
        skin = np.zeros(len(base), bool)
        skin[np.unique(head_model().triangles[head_model().group == 0])] = True
        lower = skin & (np.abs(base[:, 0]) < 0.3) & (base[:, 1] > 6.25) & (base[:, 1] < 6.75) & (base[:, 2] > 1.35)
        front = cloth.vertices[: len(cloth.vertices) // 2]
        for p in mesh.vertices[lower][::5]:
            near = np.hypot(front[:, 0] - p[0], front[:, 1] - p[1]).argmin()
            assert front[near, 2] > p[2] - 0.02
        assert loops.vertices[:, 2].min() < 0.3


def test_a_persons_glasses_and_hat_stay_the_same_from_picture_to_picture() -> None:
    person = someone(8, glasses="frame", hat="cap")
    first, _ = parts_of(person, seed=1)
    second, _ = parts_of(person, seed=2)
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.vertices, b.vertices)
        assert np.array_equal(a.colour, b.colour)


def test_occluders_differ_with_the_surroundings() -> None:
    shapes = {parts_of(someone(), "hand", seed)[0][0].vertices.tobytes() for seed in range(4)}
    assert len(shapes) == 4


def test_solids_turn_their_faces_outwards() -> None:
    rod = tube([[0, 0, 0], [1, 0, 0], [2, 0.5, 0]], 0.1)
    shapes = [rod, capsule([0, 0, 0], [0, 1, 0], 0.2, 0.1), ball([0, 0, 0], (1, 2, 1)), box([0, 0, 0], (1, 2, 3))]
    for shape in shapes:
        assert facing(shape) == 1.0
    round_ = capsule([0, 0, 0], [0, 1, 0], 0.2)
    reach = np.linalg.norm(round_[0] - np.clip(round_[0], [0, 0, 0], [0, 1, 0]), axis=1)
    assert reach.max() < 0.201
    assert len(join(shapes)[0]) == sum(len(s[0]) for s in shapes)
    x, y = np.meshgrid(np.linspace(0, 1, 4), np.linspace(1, 0, 3))
    flat = sheet(np.stack([x, y, 0 * x], axis=-1))
    assert facing(flat) == 1.0
    assert np.allclose(flat[1], [0, 0, 1])
