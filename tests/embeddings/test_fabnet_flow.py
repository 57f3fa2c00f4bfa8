"""Sampling against a slow textbook version, and the sizes of the published network."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.embeddings.config import DecoderConfig, EncoderConfig
from omokage.embeddings.decoder import LightDecoder, PublishedDecoder
from omokage.embeddings.flow import GlobalFlow, identity_grid, sample, to_size
from omokage.embeddings.model import FaceEncoder
from omokage.errors import TrainingError


def textbook(picture: np.ndarray, x: float, y: float, align_corners: bool) -> np.ndarray:
    """The value of a picture (c, h, w) at a place in -1..1: the four pixels around it, weighted by nearness."""
    _, height, width = picture.shape

    def pixels(place: float, count: int) -> float:
        at = (place + 1) / 2 * (count - 1) if align_corners else ((place + 1) * count - 1) / 2
        return min(max(at, 0.0), count - 1.0)

    column, row = pixels(x, width), pixels(y, height)
    left, top = math.floor(column), math.floor(row)
    total = np.zeros(picture.shape[0])
    for j in (top, top + 1):
        for i in (left, left + 1):
            weight = max(0.0, 1 - abs(column - i)) * max(0.0, 1 - abs(row - j))
            total += weight * picture[:, min(j, height - 1), min(i, width - 1)]
    return total


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 6), st.integers(2, 6), st.booleans(),
    st.lists(st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)), min_size=1, max_size=5), st.integers(0, 99),
)  # fmt: skip
def test_sampling_is_bilinear_with_the_corners_that_were_asked_for(
    height: int, width: int, aligned: bool, places: list[tuple[float, float]], seed: int
) -> None:
    picture = np.random.default_rng(seed).random((2, height, width))
    grid = torch.tensor(places, dtype=torch.float64)[None, None]
    found = sample(torch.from_numpy(picture)[None], grid, aligned)[0, :, 0].T.numpy()
    assert np.allclose(found, [textbook(picture, x, y, aligned) for x, y in places], atol=1e-9)


@pytest.mark.parametrize("aligned", [True, False])
def test_the_identity_changes_nothing_and_a_step_of_it_is_one_pixel(aligned: bool) -> None:
    pictures = torch.rand(1, 3, 6, 9)
    grid = identity_grid(6, 9, aligned)[None]
    assert torch.allclose(sample(pictures, grid, aligned), pictures, atol=1e-6)
    moved = grid + torch.tensor([2 / 8 if aligned else 2 / 9, 0.0])
    assert torch.allclose(sample(pictures, moved, aligned)[..., :-1], pictures[..., 1:], atol=1e-5)


def test_one_pixel_has_no_corners_to_align() -> None:
    with pytest.raises(ValueError, match="two pixels"):
        identity_grid(1, 4, True)


def test_maps_of_the_right_size_stay_as_they_are() -> None:
    maps = torch.rand(1, 2, 8, 8)
    assert to_size(maps, 8) is maps
    assert to_size(maps, 16).shape == (1, 2, 16, 16)


def test_a_global_flow_is_nothing_at_first_and_then_quadratic_in_place() -> None:
    flow = GlobalFlow(part=3, size=9)
    source, target = torch.rand(2, 3), torch.rand(2, 3)
    assert torch.equal(flow(source, target), torch.zeros(2, 9, 9, 2))
    torch.nn.init.normal_(flow.last.weight)
    made = flow(source, target)
    for third in (made.diff(n=3, dim=1), made.diff(n=3, dim=2)):  # third differences of a quadratic vanish
        assert third.abs().max() < 1e-4
    assert made.diff(n=2, dim=1).abs().max() > 1e-3


def test_the_published_network_has_the_published_size() -> None:
    encoder = FaceEncoder(EncoderConfig(size=256, trunk="published"))
    decoder = PublishedDecoder(DecoderConfig("published", "bounded", pose=0, align_corners=True), 256, 256)
    count = [sum(p.numel() for p in m.parameters()) / 1e6 for m in (encoder, decoder.flow, decoder.mask)]
    assert count == pytest.approx([4.89, 3.34, 3.34], abs=0.01)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in encoder.modules()) == 6
    assert decoder.flow_parameters() == list(decoder.flow.parameters())


@pytest.mark.parametrize("size", [32, 64])
def test_decoders_give_places_and_logits_for_every_pixel(size: int) -> None:
    codes = torch.randn(3, 256), torch.randn(3, 256)
    light = LightDecoder(DecoderConfig(widths=(8, 8)), size, 256)
    published = PublishedDecoder(DecoderConfig("published", "bounded", pose=0), size, 256)
    for decoder in (light, published):
        out = decoder(*codes)
        assert out.grid.shape == (3, size, size, 2)
        assert out.logits.shape == (3, 1, size, size)
    out = published(*codes)
    assert out.grid.abs().max() <= 1
    assert out.logits.abs().max() <= 1
    assert light(*codes).grid.sub(light.grid).abs().max() < 0.05  # starts as the identity
    assert light.flow_parameters() == []


@pytest.mark.parametrize("kind", [LightDecoder, PublishedDecoder])
def test_bounded_masks_are_bounded_in_every_decoder(kind: type[LightDecoder] | type[PublishedDecoder]) -> None:
    codes = torch.randn(2, 16), torch.randn(2, 16)
    found = {}
    for masks in ("bounded", "open", "reject"):
        torch.manual_seed(0)
        decoder = kind(DecoderConfig(masks=masks, widths=(8, 8), pose=0, base=4), 32, 16)  # type: ignore[arg-type]
        for weight in decoder.parameters():
            weight.data *= 1000 if weight.shape[0] in (1, 3) else 1
        found[masks] = decoder(*codes).logits
    assert found["open"].abs().max() > 1
    torch.testing.assert_close(found["bounded"], torch.tanh(found["open"]))
    assert torch.equal(found["reject"], found["open"])


def test_the_pose_part_drives_the_global_flow_and_nothing_else_does() -> None:
    decoder = LightDecoder(DecoderConfig(widths=(8, 8), pose=64), 32, 256).eval()
    assert decoder.whole is not None
    torch.nn.init.normal_(decoder.whole.last.weight)
    source, target = torch.randn(1, 256), torch.randn(1, 256)
    before = decoder(source, target)
    turned = torch.cat([torch.randn(1, 64), source[:, 64:]], 1)
    after = decoder(turned, target)
    assert torch.equal(before.logits, after.logits)
    change = after.grid - before.grid
    assert change.abs().max() > 1e-2
    assert change.diff(n=3, dim=2).abs().max() < 1e-3  # only its smooth part changed


@pytest.mark.parametrize(("settings_", "text"), [({"size": 100}, "multiple of 16"), ({"trunk": "published"}, "16, 32")])
def test_crop_sides_that_do_not_fit_are_refused(settings_: dict, text: str) -> None:
    with pytest.raises(TrainingError, match=text):
        EncoderConfig(**{"size": 112, **settings_})
