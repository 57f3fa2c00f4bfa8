"""The camera: projection against the pinhole formula in float64, and each step of the sensor."""

import numpy as np
import pytest

from omokage.errors import InputError
from omokage.synthesis.background import paint_backdrop
from omokage.synthesis.camera import HEAD, direction, expose, look_from, view
from omokage.synthesis.raster import project
from omokage.synthesis.scene import BACKGROUNDS, Camera, Surroundings

N = 32


def grey_card(level=0.3):
    return np.full((N, N, 3), level, np.float32), np.ones((N, N), np.float32)


@pytest.mark.parametrize(
    ("distance", "frame", "shift"), [(3.0, 1.1, (0.0, 0.0)), (10.0, 1.6, (0.1, -0.2)), (40.0, 2.4, (0.0, 0.3))]
)
def test_projection_is_a_pinhole(distance, frame, shift):
    camera = Camera(0, 128, frame, distance, shift)
    target = np.array([0.2, -0.1, 0.4])
    points = np.random.default_rng(1).uniform(-1, 1, (40, 3))
    depth = target[2] + distance - points[:, 2]
    scale = 128 * distance / (frame * HEAD) / depth
    x = 64 + (points[:, 0] - target[0]) * scale + shift[0] * 128
    y = 64 - (points[:, 1] - target[1]) * scale + shift[1] * 128
    screen = project(points.astype(np.float32), view(camera, target.astype(np.float32)).matrix, 128)
    assert np.allclose(screen[:, :2], np.stack([x, y], 1), atol=5e-3)
    assert np.abs(screen[:, 2]).max() < 1.0
    assert np.array_equal(np.argsort(screen[:, 2]), np.argsort(depth))


def test_near_cameras_make_near_things_larger():
    points = np.array([(-0.3, 0, 1.0), (0.3, 0, 1.0), (-0.3, 0, 0.0), (0.3, 0, 0.0)], np.float32)

    def ratio(distance):
        x = project(points, view(Camera(0, 128, 1.4, distance), np.zeros(3, np.float32)).matrix, 128)[:, 0]
        return (x[1] - x[0]) / (x[3] - x[2])

    assert ratio(3.0) == pytest.approx(1.5, abs=1e-3)
    assert 1.0 < ratio(40.0) < 1.03


def test_a_light_sees_its_surroundings_in_order():
    toward = direction(35.0, 25.0)
    matrix = look_from(toward, np.zeros(3, np.float32), 2.0)
    near, far = project(np.stack([toward, -toward]).astype(np.float32), matrix, 64)
    assert near[2] < far[2]
    assert np.allclose(near[:2], 32, atol=1e-3)
    assert np.allclose(far[:2], 32, atol=1e-3)
    assert np.linalg.norm(toward) == pytest.approx(1.0, abs=1e-6)


def test_exposure_white_balance_and_grey():
    light, cover = grey_card()
    dark, normal, bright = (expose(light, cover, Camera(1, N, exposure=e)).mean() for e in (0.5, 1.0, 2.0))
    assert dark < normal < bright
    warm = expose(light, cover, Camera(1, N, white_balance=(1.2, 1.0, 0.8))).reshape(-1, 3).mean(0)
    assert warm[0] > warm[1] > warm[2]
    grey = expose(light * np.array([1.0, 0.5, 0.2], np.float32), cover, Camera(1, N, grey=True, noise=0.05))
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_the_meter_keeps_dark_skin_darker_and_yields_to_a_bright_window():
    _, cover = grey_card()
    light, dark = (expose(grey_card(v)[0], cover, Camera(1, N)).mean() for v in (0.4, 0.05))
    assert light > dark + 15
    half = np.zeros((N, N), np.float32)
    half[8:24, 8:24] = 1
    scene = np.full((N, N, 3), 0.2, np.float32)
    window = np.where(half[..., None] > 0, scene, np.float32(3.0))
    inside = half > 0
    assert expose(window, half, Camera(1, N))[inside].mean() < expose(scene, half, Camera(1, N))[inside].mean() - 20


def test_noise_blur_contrast_and_jpeg_do_what_they_say():
    light, cover = grey_card()
    assert expose(light, cover, Camera(1, N)).std() == 0
    weak, strong = (expose(light, cover, Camera(1, N, noise=s)).std() for s in (0.01, 0.05))
    assert 0 < weak < strong
    edge = light.copy()
    edge[:, N // 2 :] *= 2.5
    plain, soft, hard = (
        expose(edge, cover, Camera(1, N, blur=b, contrast=c)).astype(int) for b, c in ((0, 1), (3, 1), (0, 1.2))
    )
    assert np.abs(np.diff(soft[..., 0], axis=1)).max() < np.abs(np.diff(plain[..., 0], axis=1)).max()
    assert np.ptp(hard) > np.ptp(plain)
    assert np.abs(expose(edge, cover, Camera(1, N, jpeg=30)).astype(int) - plain).max() > 0


def test_same_camera_same_bytes_and_input_untouched():
    light, cover = grey_card()
    camera = Camera(9, N, noise=0.03, jpeg=60, blur=0.6)
    before = light.copy()
    assert np.array_equal(expose(light, cover, camera), expose(light, cover, camera))
    assert np.array_equal(light, before)
    assert not np.array_equal(
        expose(light, cover, camera), expose(light, cover, Camera(10, N, noise=0.03, jpeg=60, blur=0.6))
    )


@pytest.mark.parametrize("style", BACKGROUNDS)
def test_backdrops_are_light_and_come_from_their_seed(style):
    for seed in range(6):
        picture = paint_backdrop(Surroundings(seed, style), 48)
        assert picture.shape == (48, 48, 3)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() > 0
        assert picture.max() < 20
    assert np.array_equal(paint_backdrop(Surroundings(3, style), 48), paint_backdrop(Surroundings(3, style), 48))
    assert not np.array_equal(paint_backdrop(Surroundings(3, style), 48), paint_backdrop(Surroundings(4, style), 48))


def test_unknown_background_style_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"'moon' is unknown; choose one of room, outdoor"):
        paint_backdrop(Surroundings(1, "moon"), 16)
