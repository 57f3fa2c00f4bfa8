"""A network with a finer and wider stem begins as the one whose weights it carries."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from omokage.comparison.config import NetworkConfig
from omokage.comparison.model import ComparisonNetwork, adopt
from omokage.nn.trunk import ResidualTrunk
from omokage.nn.widening import finer, widened


def test_the_finer_kernel_is_averaging_and_then_the_old_one() -> None:
    torch.manual_seed(0)
    kernel, picture = torch.randn(5, 3, 3, 3, dtype=torch.float64), torch.rand(2, 3, 48, 48, dtype=torch.float64)
    slow = F.conv2d(F.avg_pool2d(picture, 2), kernel, stride=2, padding=1)
    assert torch.allclose(F.conv2d(picture, finer(kernel), stride=4, padding=3), slow, atol=1e-12)


@pytest.mark.parametrize("stem", [6, 10])
def test_a_wider_and_finer_network_answers_as_the_old_one_did(stem: int) -> None:
    torch.manual_seed(1)
    small = {"widths": (8, 12), "blocks": (1, 1), "squeeze": 4, "whole_squeeze": 3, "whole": 8, "view": 8, "hidden": 8,
             "identity_squeeze": 3, "identity": 6}  # fmt: skip
    old = ComparisonNetwork(NetworkConfig(size=32, stem=6, **small))  # type: ignore[arg-type]
    new = ComparisonNetwork(NetworkConfig(size=64, stem=stem, detail=2, **small))  # type: ignore[arg-type]
    for model in (old, new):
        model.train()
        with torch.no_grad():
            model.see(torch.rand(16, 3, model.network.size, model.network.size))  # gives the norms something to hold
            model.heads.weight.normal_()
        model.eval()
    assert set(adopt(new, old.state_dict())) == set(old.state_dict())
    pictures = torch.rand(4, 3, 64, 64)
    fine, plain = new.see(pictures), old.see(F.avg_pool2d(pictures, 2))
    assert torch.allclose(fine.state, plain.state, atol=1e-4)
    assert torch.allclose(fine.code, plain.code, atol=1e-4)
    both = new.compare(fine.state[:2], fine.state[2:]), old.compare(plain.state[:2], plain.state[2:])
    assert torch.allclose(both[0].value, both[1].value, atol=1e-3)


def test_what_does_not_fit_is_not_carried() -> None:
    assert widened(torch.zeros(4, 3, 3, 3), torch.zeros(3, 3, 3, 3)) is None
    assert widened(torch.zeros(4, 3, 3, 3), torch.zeros(4, 3, 5, 5)) is None
    assert widened(torch.zeros(4), torch.zeros(4, 2)) is None
    kept = widened(torch.ones(2, 1), torch.full((3, 2), 7.0))
    assert kept is not None
    assert kept.tolist() == [[1, 0], [1, 0], [7, 7]]


def test_detail_is_one_or_two() -> None:
    assert ResidualTrunk(4, (6,), (1,), detail=2).stride == 8
    with pytest.raises(ValueError, match="detail"):
        ResidualTrunk(4, (6,), (1,), detail=3)
