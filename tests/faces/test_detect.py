"""Views, suppression and the finder's answers, with a network whose answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.errors import InputError, WeightsError
from omokage.faces.detect import Limits, NetworkFinder, detections, suppress, views
from omokage.faces.finders import open_finder
from omokage.faces.haar import HaarFinder
from omokage.faces.network import FinderNet
from omokage.faces.publish import fit_line
from omokage.weights import registry


class BrightSpot(FinderNet):
    """A stand-in for the network: a face of 40 pixels wherever a cell of stride 8 is bright on average."""

    def forward(self, x):
        maps = []
        for stride in (8, 16, 32, 64):
            light = torch.nn.functional.avg_pool2d(x, stride).mean(1, keepdim=True)
            score = (light - 0.9) * 100 if stride == 8 else light * 0 - 20
            maps.append(torch.cat([score, torch.full_like(score.expand(-1, 4, -1, -1), float(np.log(20 / stride)))], 1))
        return maps


@pytest.fixture(scope="module")
def spotter():
    return NetworkFinder.of(BrightSpot(), Limits(0.5, 0.5))


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((80, 80), [(192, 192)]),
        ((160, 100), [(192, 192)]),
        ((224, 224), [(192, 192), (256, 256)]),
        ((480, 640), [(192, 192), (512, 640)]),
        ((900, 700), [(192, 192), (640, 512)]),
        ((1080, 1920), [(128, 192), (384, 640), (768, 1280)]),
        ((4, 500), [(64, 192), (64, 512)]),
    ],
)
def test_which_views_a_picture_gets(shape, sizes):
    assert [view.canvas.shape[:2] for view in views(np.zeros((*shape, 3), np.uint8))] == sizes


@given(width=st.integers(1, 1100), height=st.integers(1, 1100))
@settings(max_examples=25, deadline=None)
def test_every_view_leads_back(width, height):
    picture = np.zeros((height, width, 3), np.uint8)
    for view in views(picture):
        corner = np.array([width, height]) * view.scale + view.offset
        assert (corner <= np.array(view.canvas.shape[1::-1]) + 1e-6).all()
        assert view.canvas.shape[0] % 64 == view.canvas.shape[1] % 64 == 0
        back = (corner - view.offset) / view.scale
        np.testing.assert_allclose(back, [width, height], rtol=1e-9)


@pytest.mark.parametrize("shape", [(480, 640), (224, 224), (1000, 1400)])
def test_boxes_come_back_in_picture_pixels(spotter, shape):
    picture = np.zeros((*shape, 3), np.uint8)
    y, x = shape[0] // 2, shape[1] // 3
    reach = max(shape) // 20
    picture[y - reach : y + reach, x - reach : x + reach] = 255
    faces = spotter.find(picture)
    assert faces
    for face in faces:
        assert np.hypot(face.box.centre[0] - x, face.box.centre[1] - y) < 3 * reach


def test_a_batch_answers_as_single_pictures_do(spotter):
    rng = np.random.default_rng(0)
    pictures = [np.kron(rng.integers(0, 2, (h, w, 1)) * 255, np.ones((40, 40, 3))).astype(np.uint8)
                for h, w in ((3, 4), (12, 16), (12, 16), (2, 2))]  # fmt: skip
    for alone, together in zip([spotter.find(p) for p in pictures], spotter.find_batch(pictures), strict=True):
        np.testing.assert_allclose([d.score for d in alone], [d.score for d in together], atol=1e-5)
        assert len(alone) == len(together)


def test_nothing_bright_no_face(spotter):
    assert spotter.find(np.zeros((300, 300, 3), np.uint8)) == []
    assert spotter.find_batch([]) == []


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_wrong_pictures_are_refused(bad):
    with pytest.raises(ValueError, match="RGB uint8"):
        views(bad)


def boxes_of(values):
    corner, side = np.array(values)[:, :2], np.array(values)[:, 2:]
    return np.concatenate([corner, corner + side], 1)


@given(
    st.lists(
        st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(4, 60), st.floats(4, 60)), min_size=1, max_size=25
    ),
    st.integers(0, 99),
)
@settings(deadline=None)
def test_suppression_keeps_the_best_and_nothing_that_overlaps(values, seed):
    boxes = boxes_of(values)
    scores = np.random.default_rng(seed).random(len(boxes))
    kept = suppress(boxes, scores, 0.4, 0.65)
    assert kept[0] == int(np.argmax(scores))
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)

    def overlap(a, b):
        reach = np.clip(np.minimum(boxes[a, 2:], boxes[b, 2:]) - np.maximum(boxes[a, :2], boxes[b, :2]), 0, None).prod()
        areas = [(boxes[i, 2:] - boxes[i, :2]).prod() for i in (a, b)]
        return reach / (sum(areas) - reach) > 0.4 or reach > 0.65 * min(areas)

    for i in range(len(boxes)):
        rivals = [k for k in kept if k != i and scores[k] >= scores[i] and overlap(k, i)]
        assert bool(rivals) == (i not in kept)


def test_detections_are_largest_first_and_centred_in_the_picture():
    rows = np.array([[0.9, 0, 0, 10, 10], [0.6, 20, 20, 60, 60], [0.8, 95, 10, 130, 40]], np.float32)
    faces = detections(rows, (100, 100, 3))
    assert [round(face.score, 1) for face in faces] == [0.6, 0.9]


def test_scores_are_turned_into_shares():
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 2, 20_000)
    right = rng.random(20_000) < 1 / (1 + np.exp(-(1.7 * truth - 0.4)))
    slope, shift = fit_line(1 / (1 + np.exp(-truth)), right)
    assert (slope, shift) == (pytest.approx(1.7, abs=0.1), pytest.approx(-0.4, abs=0.1))
    assert fit_line(np.array([0.2, 0.9]), np.array([True, True])) == (1.0, 0.0)


def test_saved_weights_find_the_same(tmp_path):
    torch.manual_seed(0)
    net = FinderNet((8, 8, 8, 8), 8).eval()
    torch.nn.init.constant_(net.heads[0].score.bias, 0.0)
    net.half().float()  # weight files hold half precision
    card = registry.Card(
        "finder", "mine", {"widths": [8, 8, 8, 8], "pyramid": 8}, {},
        calibration={"filling": 0.3, "other": 0.3, "slope": 1.0, "shift": 0.0},
    )  # fmt: skip
    registry.save(tmp_path, net.state_dict(), card)
    picture = np.random.default_rng(0).integers(0, 255, (200, 240, 3), np.uint8)
    expected = NetworkFinder.of(net, Limits(0.3, 0.3)).find(picture)
    got = open_finder(tmp_path).find(picture)
    assert len(expected) > 0
    np.testing.assert_allclose([d.score for d in got], [d.score for d in expected], atol=1e-5)
    other = registry.Card("finder", "mine", {"widths": [8, 8, 8, 16], "pyramid": 8}, {}, calibration=card.calibration)
    registry.save(tmp_path, net.state_dict(), other)
    with pytest.raises(WeightsError, match="do not fit"):
        open_finder(tmp_path)


def test_doors():
    assert isinstance(open_finder("haar"), HaarFinder)
    with pytest.raises(InputError, match="does not exist"):
        open_finder("nowhere.onnx")
    with pytest.raises(InputError, match="no finder called"):
        open_finder("nonesuch")


def test_each_kind_of_box_has_its_limit():
    """The stand-in's boxes of 40 canvas pixels are `filling` in the coarse view, the only one of a small picture."""
    small, large = (np.full((side, side, 3), 255, np.uint8) for side in (100, 300))
    for limits, in_small, in_large in (((0.5, 0.5), True, True), ((2.0, 0.5), False, True), ((0.5, 2.0), True, True)):
        finder = NetworkFinder.of(BrightSpot(), Limits(*limits))
        assert (len(finder.find(small)) > 0, len(finder.find(large)) > 0) == (in_small, in_large)
    assert max(face.box.width for face in finder.find(large)) > 60  # only the coarse view's boxes are left


def test_small_boxes_of_the_coarse_view_are_left_to_the_fine_one():
    coarse, fine = views(np.zeros((400, 400, 3), np.uint8))
    assert (coarse.coarse, fine.coarse) == (True, False)
    assert coarse.least == 32
    assert fine.least == views(np.zeros((100, 100, 3), np.uint8))[0].least == 8
