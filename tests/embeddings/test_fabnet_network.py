"""Encoder, blend and loss: shapes, masks that reject and masks that cannot, the saved encoder."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fabnet_runs import DECODER, ENCODER, tiny

from omokage.embeddings.config import DecoderConfig, EncoderConfig, LossConfig
from omokage.embeddings.loss import absolute_error, item_losses
from omokage.embeddings.model import FaceEncoder, load_encoder, rebuilt, save_encoder
from omokage.embeddings.network import Blend, FabNet, as_pictures
from omokage.errors import WeightsError
from omokage.nn.blocks import Add
from omokage.weights import registry


def parts(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(2, count, 3, 8, 8), torch.randn(2, count, 8, 8)


def test_bounded_masks_cannot_reject_and_open_ones_can() -> None:
    warped, _ = parts()
    far = torch.stack([torch.full((2, 8, 8), 30.0), torch.full((2, 8, 8), -30.0)], 1)
    for masks, most in (("bounded", torch.e**2), ("open", torch.inf)):
        logits = torch.tanh(far) if masks == "bounded" else far  # the decoder's tanh
        _, weights, none = Blend(DecoderConfig(masks=masks))(warped, logits, warped)
        assert torch.allclose(weights.sum(1), torch.ones(2, 8, 8))
        assert (weights[:, 0] / weights[:, 1]).max() <= most * 1.001
        assert none.abs().max() == 0
    assert torch.equal(Blend(DecoderConfig(masks="none"))(warped, far, warped)[0], warped.mean(1))


def test_rejecting_every_source_leaves_their_mean_colour_and_the_learnt_picture() -> None:
    warped, logits = parts()
    sources = torch.rand(2, 2, 3, 8, 8)
    blend = Blend(DecoderConfig(masks="reject"))
    picture, weights, none = blend(warped, torch.full_like(logits, -50.0), sources)
    assert torch.allclose(none, torch.ones(2))
    assert weights.shape == (2, 3, 8, 8)
    assert torch.allclose(picture, sources.mean((1, 3, 4))[:, :, None, None].expand(2, 3, 8, 8), atol=1e-5)
    with torch.no_grad():
        blend.painted.fill_(0.1)
    assert torch.allclose(blend(warped, torch.full_like(logits, -50.0), sources)[0], (picture + 0.1).clamp(max=1))


def test_one_source_gives_published_masks_nothing_to_do() -> None:
    warped, logits = parts(1)
    logits.requires_grad_()
    picture, _, _ = Blend(DecoderConfig(masks="bounded"))(warped, logits, warped)
    assert torch.equal(picture, warped[:, 0])
    picture.sum().backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


@pytest.mark.parametrize("targets", [1, 3])
def test_each_target_is_rebuilt_from_the_other_frames(targets: int, tmp_path: Path) -> None:
    model = FabNet(tiny(tmp_path, tmp_path)).eval()
    with torch.no_grad():
        crops = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8)
        made = model(crops, crops, targets)
        assert made.pictures.shape == (2, targets, 3, 32, 32)
        assert made.weights.shape == (2, targets, 3, 32, 32)  # two sources and none
        alone = model(crops[:, [1, 0, 2]], crops[:, [1, 0, 2]], 1)
        if targets > 1:
            assert torch.allclose(made.pictures[:, 1], alone.pictures[:, 0], atol=1e-5)


def test_the_target_itself_is_never_copied(tmp_path: Path) -> None:
    """Only its code may tell about it: a clean target of other pixels gives the same picture."""
    model = FabNet(tiny(tmp_path, tmp_path)).eval()
    crops = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8)
    other = crops.clone()
    other[:, 0] = 0
    with torch.no_grad():
        assert torch.equal(model(crops, crops, 1).pictures, model(crops, other, 1).pictures)


def test_errors_at_several_scales_and_the_price_of_none(tmp_path: Path) -> None:
    a, b = torch.rand(2, 4, 3, 8, 8), torch.rand(2, 4, 3, 8, 8)
    assert torch.allclose(absolute_error(a, b), (a - b).abs().mean((2, 3, 4)))
    coarse = torch.nn.functional.avg_pool2d((a - b).flatten(0, 1), 2).abs().mean((1, 2, 3)).view(2, 4)
    assert torch.allclose(absolute_error(a, b, 2), (absolute_error(a, b) + coarse) / 2, atol=1e-6)
    made = FabNet(tiny(tmp_path, tmp_path))(*[torch.zeros(2, 3, 32, 32, 3, dtype=torch.uint8)] * 2, 1)
    target = torch.zeros(2, 1, 3, 32, 32)
    cheap, dear = (item_losses(made, target, LossConfig(1, price)) for price in (0.0, 1.0))
    assert torch.allclose(dear - cheap, made.none, atol=1e-6)


def test_crops_become_pictures_between_0_and_1() -> None:
    crops = torch.randint(0, 256, (2, 16, 16, 3), dtype=torch.uint8)
    assert torch.equal(as_pictures(crops), crops.permute(0, 3, 1, 2).float() / 255)


def test_every_operation_of_the_encoder_is_a_module() -> None:
    encoder = FaceEncoder(ENCODER).eval()
    kinds = {type(m) for m in encoder.modules() if not list(m.children())}
    known = {torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.ReLU, torch.nn.Identity, torch.nn.Linear, torch.nn.Flatten}
    assert kinds <= known | {Add}
    assert encoder(torch.zeros(3, 3, 32, 32)).shape == (3, 256)


@pytest.mark.parametrize("config", [ENCODER, EncoderConfig(size=32, trunk="published", base=4)])
def test_a_saved_encoder_comes_back(config: EncoderConfig, tmp_path: Path) -> None:
    encoder = FaceEncoder(config).eval()
    card = save_encoder(tmp_path, encoder, set="mine", made="2026-01-01")
    assert card.preprocessing == {"size": 32, "margin": 1.3, "mean": 127.5, "std": 127.5}
    again = load_encoder(tmp_path)
    assert again.config == config
    assert not again.training
    crops = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.allclose(again(crops), encoder(crops), atol=0.02)  # weights are kept as fp16


def test_weights_that_do_not_fit_their_card_are_refused(tmp_path: Path) -> None:
    card = save_encoder(tmp_path, FaceEncoder(ENCODER), set="mine")
    tensors, _ = registry.load(tmp_path, "encoder")
    for architecture in ({**card.architecture, "stem": 8}, {**card.architecture, "colour": 1}):
        with pytest.raises(WeightsError, match="do not fit its card"):
            rebuilt(architecture, tensors)


def test_reduced_precision_holds_while_training_only(tmp_path: Path) -> None:
    model = FabNet(replace(tiny(tmp_path, tmp_path), decoder=replace(DECODER, pose=0)))
    model.set_precision(torch.bfloat16)
    crops = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8)
    assert model.train()(crops, crops, 1).pictures.dtype == torch.float32
    model.eval()
    exact = model(crops, crops, 1).pictures
    model.set_precision(None)
    assert torch.equal(exact, model(crops, crops, 1).pictures)
