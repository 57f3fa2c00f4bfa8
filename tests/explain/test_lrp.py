"""Propagation over whole networks: against a layer-by-layer textbook walk, conserving, loud about gaps."""

from __future__ import annotations

import numpy as np
import pytest
import slow_rules as slow
import torch
from torch import Tensor, nn

from omokage.errors import InputError
from omokage.explain.canonizers import canonized
from omokage.explain.composites import COMPOSITES, composite
from omokage.explain.lrp import propagate, recorded
from omokage.nn.blocks import ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk

SIZE = 16


def used(network: nn.Module, seed: int = 0) -> nn.Module:
    """A network whose batch norms have seen something."""
    torch.manual_seed(seed)
    network.train()
    for _ in range(3):
        network(torch.randn(8, 3, SIZE, SIZE) * 0.5)
    return network.eval()


def residual(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    trunk = ResidualTrunk(4, (6, 8), (2, 1))
    return used(nn.Sequential(trunk, ConvUnit(8, 5, 1), nn.Flatten(), DenseUnit(20, 7, 0.1)), seed)


def pictures(count: int = 3) -> Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(5)).clamp(-1, 1)


@pytest.mark.parametrize("name", [n for n, c in COMPOSITES.items() if c.conserves and n != "epsilon"])
def test_residual_network_conserves(name: str) -> None:
    body, readout = canonized(residual()), nn.Linear(7, 4)
    contrast = torch.tensor([[1.0, -1.0, 0, 0], [0, 1, 0, 0], [0.2, 0.3, -0.5, 0.1]])
    found = propagate(body, readout, contrast, pictures(), composite(name))
    np.testing.assert_allclose(found.conservation.numpy(), 1, atol=0.01)
    assert found.relevance.shape == (3, 3, SIZE, SIZE)
    with torch.no_grad():
        raw = readout(body(pictures())) - readout.bias
    torch.testing.assert_close(found.start, (contrast * raw).sum(1), rtol=1e-4, atol=1e-5)


def test_plain_network_is_the_textbook_walk() -> None:
    torch.manual_seed(3)
    convolution, dense, readout = nn.Conv2d(1, 2, 3, 2, 1), nn.Linear(18, 6), nn.Linear(6, 3)
    body = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), dense, nn.ReLU()).double()
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64).clamp(-1, 1)
    contrast = torch.tensor([[0.0, 1.0, -1.0]], dtype=torch.float64)
    found = propagate(body, readout.double(), contrast, x, composite("gamma-box"))

    first, second = slow.matrix(convolution, (1, 6, 6)), slow.matrix(dense, (18,))
    with torch.no_grad():
        middle = body[:3](x).numpy().ravel()
        last = body(x).numpy().ravel()
    row = (contrast @ readout.weight).detach().numpy().T
    r = slow.epsilon(last, row, np.array([float(found.start)]), 1e-6)
    r = slow.epsilon(middle, second, r, 1e-6)
    r = slow.z_box(x.numpy().ravel(), first, slow.connected(convolution, (1, 6, 6)), r, -1.0, 1.0)
    np.testing.assert_allclose(found.relevance.numpy().ravel(), r, rtol=1e-6, atol=1e-9)


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    body, readout = canonized(residual(1)), nn.Linear(7, 2)
    contrast = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    x = pictures(2)
    both = propagate(body, readout, contrast, x, composite("plus-flat")).relevance
    alone = propagate(body, readout, contrast[:1], x[:1], composite("plus-flat")).relevance
    torch.testing.assert_close(both[:1], alone, rtol=1e-3, atol=1e-5)


def test_a_layer_without_a_rule_is_named() -> None:
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.BatchNorm2d(4), nn.Flatten()).eval()
    with pytest.raises(InputError, match=r"1 \(GELU\), 2 \(BatchNorm2d\)"):
        propagate(body, nn.Linear(4 * 14 * 14, 1), torch.ones(1, 1), pictures(1), composite("gamma-box"))


def test_an_operation_outside_of_modules_is_an_error() -> None:
    class Gap(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 2, 3), nn.Flatten()

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.two(torch.relu(self.one(x)))
            return out

    with pytest.raises(InputError, match="outside of modules before two"):
        propagate(Gap(), nn.Linear(2 * 14 * 14, 1), torch.ones(1, 1), pictures(1), composite("gamma-box"))


def test_layers_beside_the_path_need_no_rule() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.odd = nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Softmax(1)

        def forward(self, x: Tensor) -> Tensor:
            features = self.one(x)
            self.odd(features)
            out: Tensor = self.two(features)
            return out

    torch.manual_seed(0)
    body, readout = Beside(), nn.Linear(2 * 14 * 14, 1)
    plain = nn.Sequential(body.one, body.two)
    beside, without = (
        propagate(network, readout, torch.ones(1, 1), pictures(1), composite("gamma-box")).relevance
        for network in (body, plain)
    )
    assert without.abs().sum() > 0
    torch.testing.assert_close(beside, without)


def test_no_hook_stays_behind_even_after_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with pytest.raises(RuntimeError), recorded(network):
        network(torch.zeros(1, 5, 8, 8))
    assert not any(m._forward_hooks for m in network.modules())


def test_canonized_networks_answer_the_same_and_the_original_stays() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(True), nn.Flatten(),
                            nn.Linear(4 * 14 * 14, 5), nn.BatchNorm1d(5, affine=False))  # fmt: skip
    network = used(network)
    ready = canonized(network)
    torch.testing.assert_close(ready(pictures()), network(pictures()), rtol=1e-4, atol=1e-4)
    assert isinstance(network[1], nn.BatchNorm2d)
    assert canonized(ready) is ready
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in ready.modules())
    assert not any(getattr(m, "inplace", False) for m in ready.modules())


def test_unknown_rule_set_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="gamma-box"):
        composite("magic")
