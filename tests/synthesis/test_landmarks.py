"""The 68 points: symmetry, order, equivariance, and jaw points that stay on the visible contour."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_places import LANDMARK_VERTICES

from omokage.synthesis.geometry import build_mesh, head_model, pose_mesh
from omokage.synthesis.landmarks import MIRROR, landmark_points, landmarks, locate
from omokage.synthesis.people import PersonSampler
from omokage.synthesis.scene import Expression, Person, Pose

PERSON = Person(1, 30.0, 0.5, 0.5, 0.0, 0.5, (1 / 3, 1 / 3, 1 / 3), (), 0.3, 0.4, 0.1, 0.0, 0.1)


def picture(pose: Pose, *units: tuple[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Orthographic pixels (y down) and posed vertices of the average person."""
    posed = pose_mesh(build_mesh(PERSON, Expression(units)), pose).vertices
    return np.ascontiguousarray(posed[:, :2] * np.float32([100, -100]) + 128, np.float32), posed


def test_mirror_is_an_involution_and_the_points_are_symmetric() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    pixels, posed = picture(Pose())
    points = landmark_points(pixels, posed)
    assert np.abs(points[MIRROR] * [-1, 1, 1] - points).max() < 0.03
    base = head_model().base[LANDMARK_VERTICES]
    assert np.abs(base[MIRROR] * [-1, 1, 1] - base).max() < 1e-3


def test_order_of_a_frontal_face() -> None:
    points = landmarks(picture(Pose())[0])
    assert (np.diff(points[:17, 0]) > 0).all()  # jaw from the image's left to its right
    assert points[8, 1] == points[:, 1].max()
    assert (np.diff(points[27:31, 1]) > 0).all()  # bridge downwards
    assert (points[17:27, 1] < points[36:48, 1].min()).all()  # brows above eyes
    eyes = np.linalg.norm(points[36] - points[45])
    nasion = points[27, 1]
    assert points[17:27, 1].mean() < nasion < points[36:48, 1].mean()  # between brows and eyes
    assert np.linalg.norm(points[48] - points[54]) / eyes == pytest.approx(0.57, abs=0.06)
    assert np.linalg.norm(points[0] - points[16]) / eyes == pytest.approx(1.6, abs=0.15)


def test_scale_and_shift_of_the_picture_carry_over() -> None:
    pixels, _ = picture(Pose(25, -10, 15))
    moved = landmarks(pixels * 2 + np.float32([7, -3]))
    assert np.allclose(moved, landmarks(pixels) * 2 + [7, -3], atol=1e-2)


def test_brows_at_rest_stand_as_high_as_on_the_mean_face_and_differ_in_their_gap() -> None:
    people = [person for k in range(120) if (person := PersonSampler().draw(np.random.default_rng(k))).age > 16]
    found = []
    for person in people:
        vertices = build_mesh(person, Expression()).vertices
        points = landmark_points(vertices[:, :2] * np.float32([1, -1]), vertices, person.brow_gap)[:, :2]
        eyes = points[36:42].mean(0), points[42:48].mean(0)
        high = points[17:27, 1] - (eyes[0][1] + eyes[1][1]) / 2
        gap = points[22, 0] - points[21, 0]
        found.append([high[[4, 5]].mean(), high[[2, 7]].mean(), high[[0, 9]].mean(), gap] / (eyes[1][0] - eyes[0][0]))
    # The mean face of 300-W: inner end, arch and outer end over the eyes' centres, and the space between the brows.
    assert np.median(found, 0) == pytest.approx([0.262, 0.373, 0.208, 0.366], abs=0.025)
    assert 0.04 < np.std(found, 0)[3] < 0.09


def test_a_brow_that_begins_further_out_moves_its_inner_points_only() -> None:
    pixels, _ = picture(Pose())
    moved = landmarks(pixels, 0.05) - landmarks(pixels)
    assert moved[22, 0] == pytest.approx(5.0, abs=0.3)  # 100 pixels a decimetre
    assert moved[21, 0] == pytest.approx(-5.0, abs=0.3)
    assert moved[23, 0] == pytest.approx(2.5, abs=0.3)
    assert np.abs(np.delete(moved, [20, 21, 22, 23], 0)).max() < 1e-3


@pytest.mark.parametrize("yaw", [25, 45])
def test_far_jaw_lies_on_the_contour(yaw: float) -> None:
    pixels, posed = picture(Pose(yaw))
    model = head_model()
    points, body = landmarks(pixels), np.unique(model.triangles[model.group == 0])
    face = body[(model.masks[body, 1] < 0.1) & (posed[body, 2] > 0)]
    for k in range(11, 16):  # turned to the image's right, the far side is the one with x > 0
        near = np.abs(pixels[face, 1] - points[k, 1]) < 3
        contour = pixels[face][near, 0].max()
        assert points[k, 0] > contour - 5, f"point {k} lies inside the contour"


def test_open_mouth_parts_the_inner_lips_and_blinks_close_the_lids() -> None:
    def gap(a: int, b: int, *units: tuple[str, float]) -> float:
        points = landmarks(picture(Pose(), *units)[0])
        return float(points[b, 1] - points[a, 1])

    assert gap(62, 66) < 3
    assert gap(62, 66, ("jawOpen", 0.8)) > 20
    assert gap(61, 67, ("jawOpen", 0.8)) > 10
    closed = gap(37, 41, ("eyeBlinkLeft", 1.0), ("eyeBlinkRight", 1.0))
    assert closed < 0.5 * gap(37, 41)


def test_weights_are_mixes() -> None:
    corners, weights = locate(picture(Pose(40, 10, 0))[0])
    assert corners.shape == weights.shape == (68, 6)
    assert np.allclose(weights.sum(1), 1, atol=1e-4)
    assert weights.min() > -1e-4


@pytest.mark.parametrize("pose", [Pose(), Pose(20, 5, 0), Pose(-40, -10, 15)])
def test_jaw_is_cut_evenly_on_either_side_of_the_chin(pose: Pose) -> None:
    points = landmarks(picture(pose)[0])
    steps = np.linalg.norm(np.diff(points[:17], axis=0), axis=1)
    for side in (steps[:8], steps[8:]):
        assert side.min() > 0.9 * side.mean()  # chords of a bent outline are a little shorter than it
        assert side.max() < 1.1 * side.mean()


@pytest.mark.parametrize("yaw", [0, 20, 40])
def test_chin_stays_on_the_face_line(yaw: float) -> None:
    """Point 8 lies near the line from the bridge of the nose through the mouth, not under the chin."""
    points = landmarks(picture(Pose(yaw))[0])
    mouth, eyes = (points[51] + points[57]) / 2, np.linalg.norm(points[36] - points[45])
    down = (mouth - points[27]) / np.linalg.norm(mouth - points[27])
    off = points[8] - mouth
    assert abs(off[0] * down[1] - off[1] * down[0]) < 0.22 * eyes


def test_jaw_begins_level_with_the_eye_corners() -> None:
    points = landmarks(picture(Pose())[0])
    eyes = np.linalg.norm(points[36] - points[45])
    assert float(points[[0, 16], 1].mean()) == pytest.approx(float(points[[36, 45], 1].mean()), abs=0.08 * float(eyes))


def test_eye_points_lie_at_the_edge_of_the_opening() -> None:
    """Seen from the front, a small step from a lid point into the eye meets the eyeball, not skin."""
    pixels, _ = picture(Pose())
    model, points = head_model(), landmarks(pixels)
    ball = pixels[np.unique(model.triangles[model.group == 1])]
    low, high = ball.min(0) - 1, ball.max(0) + 1
    for k in range(42, 48):
        inwards = points[42:48].mean(0) - points[k]
        step = points[k] + 3 * inwards / np.linalg.norm(inwards)
        assert (step > low).all()
        assert (step < high).all()


def test_the_chin_turns_with_the_head() -> None:
    still = build_mesh(PERSON, Expression())
    turned = pose_mesh(still, Pose(30))
    chin, tip = LANDMARK_VERTICES[8], LANDMARK_VERTICES[30]

    def azimuth(mesh_points: np.ndarray, k: int) -> float:
        x, z = mesh_points[k, 0], mesh_points[k, 2] + 0.35  # about the neck
        return float(np.degrees(np.arctan2(x, z)))

    assert azimuth(turned.vertices, chin) == pytest.approx(azimuth(turned.vertices, tip), abs=1.0)
