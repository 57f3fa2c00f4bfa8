"""The blocks are modules through and through, and folding changes nothing but the number of operations."""

import torch
from torch import nn

from omokage.nn.blocks import Add, ConvUnit, DenseUnit, ResidualUnit
from omokage.nn.folding import folded
from omokage.nn.trunk import ResidualTrunk


def _with_statistics(model: nn.Module, *shape: int) -> nn.Module:
    """Run a few training batches so that the norms have something to fold."""
    torch.manual_seed(0)
    for _ in range(3):
        model(torch.randn(8, *shape) * 2 + 1)
    return model.eval()


def test_add_adds() -> None:
    assert torch.equal(Add()(torch.ones(2, 3), torch.full((2, 3), 2.0)), torch.full((2, 3), 3.0))


def test_trunk_shape_follows_its_stride() -> None:
    trunk = ResidualTrunk(8, (8, 16), (1, 2)).eval()
    assert trunk(torch.zeros(2, 3, 64, 64)).shape == (2, trunk.width_out, 64 // trunk.stride, 64 // trunk.stride)


def test_folded_units_give_the_same_answers() -> None:
    units = ((ConvUnit(3, 4), (3, 8, 8)), (ResidualUnit(3, 4, 2), (3, 8, 8)), (DenseUnit(5, 4, 0.5), (5,)))
    for unit, shape in units:
        model = _with_statistics(unit, *shape)
        x = torch.randn(4, *shape)
        torch.testing.assert_close(folded(model)(x), model(x), rtol=1e-4, atol=1e-5)


def test_folding_leaves_the_original_alone_and_no_norm_in_the_copy() -> None:
    model = _with_statistics(ResidualTrunk(8, (8,), (1,)), 3, 16, 16)
    copy = folded(model)
    assert any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in copy.modules())


def test_skips_meet_in_an_explicit_add() -> None:
    assert sum(isinstance(m, Add) for m in ResidualTrunk(8, (8, 16), (2, 1)).modules()) == 3
