"""Light and surfaces: harmonics against integration, highlights that conserve energy, soft shadows, clothes."""

import math

import numpy as np
import pytest

from omokage.synthesis.light import _basis, _gather, lighting
from omokage.synthesis.raster import FAR
from omokage.synthesis.reflectance import Lights, ambient, facets, lit, smooth
from omokage.synthesis.scene import Light, Person
from omokage.synthesis.surfaces import CLOTH_TOP, ClothLook, cloth_look, neckline


def lights(shadow, harmonics=None):
    flat = np.diag([0.5, 0.5, -0.25, 1.0]).astype(np.float32)
    sky = np.zeros((9, 3), np.float32) if harmonics is None else harmonics
    up = np.array([0.0, 0.0, 1.0], np.float32)
    eye = np.array([0.0, 0.0, 9.0], np.float32)
    return Lights(up, np.ones(3, np.float32), sky, eye, shadow, flat, shadow, flat, 0.02)


def harmonics_at(harmonics, normal):
    """Ambient light (3,) that a white surface with unit `normal` (3,) sends on."""
    return _basis(np.asarray(normal, np.float32)[None])[0] @ harmonics


def person(seed=1):
    return Person(seed, 40.0, 0.5, 0.5, 0.0, 0.5, (1.0, 0.0, 0.0), (), 0.3, 0.4, 0.3, 0.2, 0.1)


def test_an_even_sky_lights_every_side_alike():
    world = np.ones((len(_gather()[0]), 3), np.float32)
    h = _gather()[1] @ world
    assert np.allclose(h[0], 1.0, atol=1e-4)
    assert np.abs(h[1:]).max() < 0.02


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (0.6, 0.0, 0.8), (-0.48, -0.6, -0.64)])
def test_harmonics_match_cosine_weighted_integration(normal):
    rng = np.random.default_rng(2)
    d = rng.normal(size=(200_000, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    radiance = 1.0 + 0.5 * d[:, 0] - 0.4 * d[:, 1] * d[:, 2] + 0.3 * d[:, 1]
    expected = 4.0 * np.mean(radiance * np.clip(d @ np.array(normal), 0, None))  # (1 / pi) * integral over the sphere
    there = _gather()[0]
    world = 1.0 + 0.5 * there[:, 0] - 0.4 * there[:, 1] * there[:, 2] + 0.3 * there[:, 1]
    h = (_gather()[1] @ np.repeat(world[:, None], 3, 1)).astype(np.float32)
    assert harmonics_at(h, np.array(normal, np.float32))[0] == pytest.approx(expected, abs=0.03)
    assert ambient(h, 1, *map(float, normal)) == pytest.approx(expected, abs=0.03)


def test_basis_and_kernel_share_their_order():
    rng = np.random.default_rng(3)
    h = rng.uniform(0, 0.1, (9, 3)).astype(np.float32)
    h[0] = 3.0
    n = np.array([[0.36, 0.48, 0.8]], np.float32)
    assert ambient(h, 2, *map(float, n[0])) == pytest.approx(float((_basis(n) @ h)[0, 2]), abs=1e-5)


@pytest.mark.parametrize("roughness", [0.3, 0.5, 0.8])
def test_facets_cover_the_surface_exactly_once(roughness):
    c = (np.arange(20_000) + 0.5) / 20_000  # cosines
    total = np.mean([facets(float(x), roughness) * x for x in c]) * 2 * math.pi
    assert total == pytest.approx(1.0, abs=0.02)


def test_shadow_map_hides_what_lies_behind():
    open_, wall = np.full((32, 32), FAR, np.float32), np.full((32, 32), 0.0, np.float32)
    assert lit(lights(open_), 0.1, 0.2, -1.0, 3, 5) == 1.0
    assert lit(lights(wall), 0.1, 0.2, -1.0, 3, 5) == 0.0
    assert lit(lights(wall), 0.1, 0.2, 1.0, 3, 5) == 1.0
    half = wall.copy()
    half[:, 16:] = FAR
    shares = {lit(lights(half), 0.0, 0.2, -1.0, column, 5) for column in range(8)}
    assert min(shares) < 1.0
    assert max(shares) > 0.0


def test_ambient_strength_and_colour_reach_the_harmonics():
    backdrop = np.full((16, 16, 3), 0.4, np.float32)
    weak, strong = (lighting(Light(5, ambient=a), backdrop).harmonics for a in (0.2, 0.6))
    assert np.allclose(strong, 3 * weak, rtol=1e-4)
    blue = lighting(Light(5, ambient_colour=(0.5, 0.5, 1.5)), backdrop).harmonics[0]
    assert blue[2] > 2 * blue[0]


def test_light_from_a_bright_side_of_the_backdrop_comes_from_that_side():
    backdrop = np.full((16, 16, 3), 0.1, np.float32)
    backdrop[:, 12:] = 2.0
    h = np.mean([lighting(Light(seed), backdrop).harmonics for seed in range(12)], axis=0)
    right, left = (harmonics_at(h, np.array([x, 0, -0.6], np.float32))[1] for x in (0.8, -0.8))
    assert right > 1.15 * left


def test_key_light_points_where_azimuth_and_elevation_say():
    backdrop = np.ones((4, 4, 3), np.float32)
    d = lighting(Light(1, azimuth=90, elevation=0), backdrop).direction
    assert np.allclose(d, [1, 0, 0], atol=1e-6)  # + = from the image's right
    assert lighting(Light(1, azimuth=0, elevation=80), backdrop).direction[1] > 0.98


def test_clothes_come_from_the_seed_and_stay_below_the_neck():
    first = cloth_look(person(4))
    assert all(np.array_equal(a, b) for a, b in zip(first, cloth_look(person(4)), strict=True))
    assert len({cloth_look(person(seed)).cut for seed in range(60)}) == 5
    for seed in range(40):
        look = cloth_look(person(seed))
        assert isinstance(look, ClothLook)
        assert all(neckline(look, theta, CLOTH_TOP + 0.01) > 0 for theta in np.linspace(-3, 3, 13))
        assert all(neckline(look, theta, 4.5) < 0 for theta in np.linspace(-3, 3, 13))


def test_smooth_goes_both_ways():
    assert (smooth(0.0, 1.0, -1.0), smooth(0.0, 1.0, 0.5), smooth(1.0, 0.0, -1.0)) == (0.0, 0.5, 1.0)
