"""The rasteriser against a slow one in float64, and against its own invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.synthesis.raster import BODY, FAR, HAIR, PART, GBuffer, crispness, fill, fill_depth, project, strand_alpha

N = 24


def soup(seed, triangles=12, kind=PART):
    rng = np.random.default_rng(seed)
    screen = np.empty((triangles * 3, 4), np.float32)
    screen[:, :2] = rng.uniform(-4, N + 4, (triangles * 3, 2))
    screen[:, 2] = rng.uniform(-0.9, 0.9, triangles * 3)
    screen[:, 3] = 1.0
    corners = np.arange(triangles * 3, dtype=np.int32).reshape(-1, 3)
    return screen, corners, np.full(triangles, kind, np.uint8)


def draw(screen, corners, kinds, detail=None):
    buffer = GBuffer.empty(N)
    detail = np.zeros((len(screen), 2), np.float32) if detail is None else detail
    fill(screen, corners, kinds, detail, buffer.triangle, buffer.weights, buffer.depth)
    return buffer


def slow(screen, corners):
    """Depth and triangle per pixel in float64, and how clear the answer is (nearest edge or rival depth)."""
    ids, depth, clear = np.full((N, N), -1), np.full((N, N), float(FAR)), np.full((N, N), np.inf)
    points = screen.astype(np.float64)
    for y in range(N):
        for x in range(N):
            hits = []
            for t, (a, b, c) in enumerate(corners):
                m = np.array([[points[v, 0], points[v, 1], 1.0] for v in (a, b, c)]).T
                w = np.linalg.solve(m, [x + 0.5, y + 0.5, 1.0])
                clear[y, x] = min(clear[y, x], abs(w.min()))
                if w.min() >= 0:
                    hits.append((float(w @ points[[a, b, c], 2]), t))
            hits.sort()
            if hits:
                depth[y, x], ids[y, x] = hits[0]
            if len(hits) > 1:
                clear[y, x] = min(clear[y, x], hits[1][0] - hits[0][0])
    return ids, depth, clear


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_slow_float64_rasteriser(seed):
    screen, corners, kinds = soup(seed)
    buffer, (ids, depth, clear) = draw(screen, corners, kinds), slow(screen, corners)
    sure = clear > 1e-4
    assert sure.mean() > 0.95
    assert np.array_equal(buffer.triangle[sure], ids[sure])
    assert np.allclose(buffer.depth[sure], depth[sure], atol=2e-4)


def test_weights_give_the_pixel_centre_back():
    screen, corners, kinds = soup(7)
    buffer = draw(screen, corners, kinds)
    rows, columns = np.nonzero(buffer.triangle >= 0)
    w1, w2 = buffer.weights[rows, columns].T.astype(np.float64)
    corner = screen[corners[buffer.triangle[rows, columns]], :2].astype(np.float64)
    place = (1 - w1 - w2)[:, None] * corner[:, 0] + w1[:, None] * corner[:, 1] + w2[:, None] * corner[:, 2]
    assert len(rows) > 100
    assert np.allclose(place, np.stack([columns, rows], 1) + 0.5, atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_triangles_does_not_matter(seed, shuffler):
    screen, corners, kinds = soup(seed)
    order = list(range(len(corners)))
    shuffler.shuffle(order)
    assert np.array_equal(draw(screen, corners, kinds).depth, draw(screen, corners[order], kinds).depth)


def test_depth_only_pass_equals_the_full_pass():
    screen, corners, kinds = soup(3, triangles=30)
    depth = np.full((N, N), FAR, np.float32)
    fill_depth(screen, corners, depth)
    full = draw(screen, corners, kinds).depth
    assert (np.abs(depth - full) < 1e-5).mean() > 0.99  # pixels on an edge may go either way


def test_two_triangles_of_a_square_leave_no_gap():
    screen = np.array([(3, 3, 0, 1), (19, 3, 0, 1), (19, 19, 0, 1), (3, 19, 0, 1)], np.float32)
    buffer = draw(screen, np.array([(0, 1, 2), (0, 2, 3)], np.int32), np.full(2, PART, np.uint8))
    inside = np.zeros((N, N), bool)
    inside[3:19, 3:19] = True
    assert np.array_equal(buffer.triangle >= 0, inside)


def test_closed_surfaces_drop_their_backs_and_nothing_is_drawn_behind_the_camera():
    screen = np.array([(2, 2, 0, 1), (20, 2, 0, 1), (2, 20, 0, 1)], np.float32)
    one_way, other = np.array([(0, 1, 2)], np.int32), np.array([(0, 2, 1)], np.int32)
    seen = [
        (draw(screen, t, np.array([k], np.uint8)).triangle >= 0).any() for k in (BODY, PART) for t in (one_way, other)
    ]
    assert seen == [False, True, True, True]
    screen[1, 3] = 0.0
    assert not (draw(screen, one_way, np.array([PART], np.uint8)).triangle >= 0).any()


@pytest.mark.parametrize("crisp", [0.0, 0.5, 1.0])
def test_ribbons_thin_out_towards_the_tip(crisp):
    across = np.linspace(0, 1, 101)
    cover = [np.mean([strand_alpha(float(a), along, 5.0, crisp) >= 0.22 for a in across]) for along in (0.0, 0.5, 1.0)]
    assert cover[0] > 0.8
    assert cover[0] >= cover[1] > cover[2]
    screen = np.array([(2, 2, 0, 1), (20, 2, 0, 1), (2, 20, 0, 1)], np.float32)
    corners, kinds = np.array([(0, 1, 2)], np.int32), np.array([HAIR], np.uint8)
    roots, tips = (draw(screen, corners, kinds, np.array([(5.5, v)] * 3, np.float32)).triangle for v in (0.0, 1.0))
    assert (roots >= 0).sum() > (tips >= 0).sum() == 0


def test_larger_pictures_show_more_of_a_ribbon():
    assert [crispness(n) for n in (64, 160)] == [0.0, 0.0]
    assert 0 < crispness(300) < crispness(500) < crispness(2000) == 1.0


def test_projection_is_the_textbook_one():
    rng = np.random.default_rng(0)
    points, matrix = rng.normal(size=(50, 3)).astype(np.float32), rng.normal(size=(4, 4)).astype(np.float32)
    matrix[3] = [0.1, 0.05, -0.2, 6.0]
    clip = np.concatenate([points, np.ones((50, 1))], 1).astype(np.float64) @ matrix.T.astype(np.float64)
    ndc = clip[:, :3] / clip[:, 3:]
    expected = np.stack([(ndc[:, 0] + 1) / 2 * 100, (1 - ndc[:, 1]) / 2 * 100, ndc[:, 2], 1 / clip[:, 3]], 1)
    assert np.allclose(project(points, matrix, 100), expected, atol=1e-3)
