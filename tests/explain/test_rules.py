"""Each rule of relevance propagation against a slow textbook version, and what all of them promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import slow_rules as slow
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.explain.rules import AlphaBeta, Epsilon, Flat, Gamma, Meet, Pass, Pool, Rule, ZBox
from omokage.nn.blocks import Add

Array = NDArray[np.float64]
Slow = Callable[[Array, Array, Array, Array, Array], Array]  # inputs, weights, connections, relevance, outputs
RULES: list[tuple[Rule, Slow]] = [
    (Epsilon(0.1), lambda x, w, t, r, o: slow.epsilon(x, w, r, 0.1)),
    (Epsilon(1e-6), lambda x, w, t, r, o: slow.epsilon(x, w, r, 1e-6)),
    (Epsilon(0.0), lambda x, w, t, r, o: slow.epsilon(x, w, r, 0.0)),
    (AlphaBeta(1.0, 0.0), lambda x, w, t, r, o: slow.alpha_beta(x, w, t, r, 1.0, 0.0)),
    (AlphaBeta(2.0, 1.0), lambda x, w, t, r, o: slow.alpha_beta(x, w, t, r, 2.0, 1.0)),
    (Gamma(0.25), lambda x, w, t, r, o: slow.gamma(x, w, t, r, o, 0.25)),
    (Gamma(2.0), lambda x, w, t, r, o: slow.gamma(x, w, t, r, o, 2.0)),
    (Flat(), lambda x, w, t, r, o: slow.flat(t, r)),
    (ZBox(-1.0, 1.0), lambda x, w, t, r, o: slow.z_box(x, w, t, r, -1.0, 1.0)),
]
LAYERS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Linear(7, 5), (7,)),
    (nn.Conv2d(2, 3, 3, padding=1), (2, 5, 5)),
    (nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), (2, 6, 6)),
    (nn.Conv2d(4, 4, 1, groups=2), (4, 3, 3)),
]


def drawn(shape: tuple[int, ...], seed: int, batch: int = 1) -> Tensor:
    return torch.randn((batch, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("case", range(len(LAYERS)))
@pytest.mark.parametrize("index", range(len(RULES)))
@pytest.mark.parametrize("seed", [0, 1])
def test_rule_is_the_textbooks(index: int, case: int, seed: int) -> None:
    (rule, textbook), (layer, shape) = RULES[index], LAYERS[case]
    layer = layer.double()
    x = drawn(shape, seed).clamp(-1, 1)
    out = layer(x).detach()
    relevance = drawn(tuple(out.shape[1:]), seed + 10)
    with torch.no_grad():
        (found,) = rule(layer, (x,), out, relevance)
    w, touch = slow.matrix(layer, shape), slow.connected(layer, shape)
    wanted = textbook(x.numpy().ravel(), w, touch, relevance.numpy().ravel(), out.numpy().ravel())
    np.testing.assert_allclose(found.numpy().ravel(), wanted, rtol=1e-7, atol=1e-9)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_conserving_rules_conserve(seed: int, positive: bool) -> None:
    layer, shape = LAYERS[seed % len(LAYERS)]
    layer = layer.double()
    x = drawn(shape, seed, 2)
    x = x.clamp(min=0) if positive else x.clamp(-1, 1)
    with torch.no_grad():
        out = layer(x)
        relevance = drawn(tuple(out.shape[1:]), seed + 1, 2)
        for rule, _ in RULES:
            if rule.conserves and not isinstance(rule, Epsilon):
                (found,) = rule(layer, (x,), out, relevance)
                torch.testing.assert_close(found.flatten(1).sum(1), relevance.flatten(1).sum(1))


@pytest.mark.parametrize("rule", [r for r, _ in RULES if r.conserves], ids=str)
def test_relevance_of_a_blank_input_is_spread_evenly(rule: Rule) -> None:
    """Nothing to share by: every connected input gets the same, and nothing is lost."""
    layer = nn.Linear(4, 2).double()
    x = torch.zeros(1, 4, dtype=torch.float64)
    with torch.no_grad():
        (found,) = rule(layer, (x,), layer(x), torch.ones(1, 2, dtype=torch.float64))
    assert float(found.sum()) == pytest.approx(2.0)


def test_one_sign_alone_carries_everything() -> None:
    layer = nn.Linear(2, 1, bias=False).double()
    x = torch.ones(1, 2, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    with torch.no_grad():
        for weights, wanted in (([3.0, 1.0], [0.75, 0.25]), ([-3.0, -1.0], [0.75, 0.25])):
            layer.weight.copy_(torch.tensor([weights]))
            (found,) = AlphaBeta(2.0, 1.0)(layer, (x,), layer(x), one)
            assert found[0].tolist() == pytest.approx(wanted)


def test_alpha_minus_beta_must_be_one() -> None:
    with pytest.raises(ValueError, match="alpha - beta"):
        AlphaBeta(1.0, 1.0)


def test_max_pooling_gives_all_to_the_winner() -> None:
    x = drawn((2, 4, 4), 3)
    layer = nn.MaxPool2d(2)
    out, places = nn.functional.max_pool2d(x, 2, return_indices=True)
    relevance = drawn((2, 2, 2), 4)
    (found,) = Pool()(layer, (x,), out, relevance)
    wanted = torch.zeros_like(x).flatten(2).scatter(2, places.flatten(2), relevance.flatten(2)).reshape(x.shape)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("layer", [nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)], ids=str)
def test_average_pooling_shares_by_value(layer: nn.Module) -> None:
    x = drawn((2, 4, 4), 5)
    x[:, 0] = 0  # nothing to share by: evenly
    out = layer(x.clamp(min=0))
    relevance = drawn(tuple(out.shape[1:]), 6)
    (found,) = Pool()(layer, (x,), out, relevance)
    torch.testing.assert_close(found.sum((2, 3)), relevance.sum((2, 3)))
    assert float(found[:, 0].std((1, 2)).max()) < (1e-9 if isinstance(layer, nn.AdaptiveAvgPool2d) else 10)
    assert bool((found[x < 0] == 0).all())


def test_where_branches_meet_positive_parts_share() -> None:
    left, right = torch.tensor([[3.0, -1.0, -1.0, 0.0]]), torch.tensor([[1.0, 2.0, -3.0, 0.0]])
    relevance = torch.tensor([[4.0, 4.0, 4.0, 4.0]])
    a, b = Meet()(Add(), (left, right), left + right, relevance)
    assert a.tolist() == [[3.0, 0.0, 1.0, 2.0]]
    assert b.tolist() == [[1.0, 4.0, 3.0, 2.0]]


def test_pass_keeps_the_shape_of_the_input() -> None:
    x = drawn((2, 3, 3), 1)
    (found,) = Pass()(nn.Flatten(), (x,), x.flatten(1), x.flatten(1) * 2)
    torch.testing.assert_close(found, x * 2)
