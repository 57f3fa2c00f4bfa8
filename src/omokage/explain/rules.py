"""The rules of layer-wise relevance propagation, each as one frozen object.

A rule shares the relevance of a layer's outputs among its inputs (Bach et al., PLoS ONE 2015; Montavon et al., 2019).

**Biases take no relevance**: denominators are sums over inputs alone, so that what enters a layer leaves it. An output
without anything to share by (all contributions zero, or none of the wanted sign) spreads its relevance evenly over the
inputs that it is connected to. With both, every rule but `Epsilon` conserves relevance up to rounding; `Epsilon` takes
the share epsilon / (|z| + epsilon) of each output away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

_NOTHING = 1e-9  # a denominator below this times the largest one of its picture counts as zero


class Rule(Protocol):
    """Shares `relevance` (shape of `output`) among `inputs`; `conserves` says that nothing gets lost on the way."""

    @property
    def conserves(self) -> bool: ...

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]: ...


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A layer as a linear map without bias: `forward(x, w)` and its transpose `backward(s, w)`."""

    weight: Tensor
    forward: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


def linear_map(layer: nn.Module, x: Tensor) -> LinearMap:
    """The map of a `Conv2d` (zero padding) or `Linear` layer at inputs of the shape of `x`. Raises TypeError for
    others."""
    if isinstance(layer, nn.Linear):
        return LinearMap(layer.weight, F.linear, lambda s, w: s @ w)
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        how = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return LinearMap(
            layer.weight,
            lambda v, w: F.conv2d(v, w, None, *how),
            lambda s, w: conv2d_input((len(s), *x.shape[1:]), w, s, *how),  # type: ignore[no-untyped-call]
        )
    raise TypeError(f"no linear map is known for {type(layer).__name__}")


def _divided(relevance: Tensor, z: Tensor, by: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """`relevance / by` (z itself, if None) where z is not (next to) nothing, and the relevance that found nothing to
    divide by, or None."""
    by = z if by is None else by
    sizes = z.abs()
    empty = sizes <= _NOTHING * sizes.flatten(1).amax(1).reshape(-1, *[1] * (z.dim() - 1))
    if not bool(empty.any()):
        return relevance / by, None
    shares = relevance / torch.where(empty, torch.inf, by)
    lost = torch.where(empty, relevance, 0.0)
    return shares, lost if bool(lost.any()) else None


def _spread(at: LinearMap, lost: Tensor | None, x: Tensor) -> Tensor | float:
    """Relevance spread evenly over the inputs that each output is connected to."""
    if lost is None:
        return 0.0
    ones = torch.ones_like(at.weight)
    count = at.forward(torch.ones_like(x[:1]), ones)
    return at.backward(lost / count, ones)


@dataclass(frozen=True, slots=True)
class Epsilon:
    """R_j = sum_k x_j w_jk / (z_k + eps sign z_k) R_k. With `epsilon` 0 it is the basic rule (LRP-0)."""

    epsilon: float = 1e-6

    @property
    def conserves(self) -> bool:
        return self.epsilon <= 1e-6

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        at = linear_map(layer, x)
        z = at.forward(x, at.weight)
        steady = z + torch.copysign(torch.full_like(z, self.epsilon), z)
        shares, lost = _divided(relevance, z if self.conserves else steady, steady)
        return (x * at.backward(shares, at.weight) + _spread(at, lost, x),)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Contributions that have the output's sign count 1 + gamma times (Montavon et al., 2019; Andeol et al., 2021, for
    inputs of either sign): sums of next to nothing no longer blow relevance up.

    Where the output owes its sign to the bias, against the sum of the contributions, those that have its sign share
    alone: the rule's limit for a large gamma, which unlike the rule itself has no denominator near zero there.
    """

    gamma: float = 0.25
    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        at = linear_map(layer, x)
        z = at.forward(x, at.weight)
        up = output >= 0
        down = bool((~up & (relevance != 0)).any())  # behind a ReLU never: half of the work is saved
        own = _signed_sum(at, x, True)
        if down:
            own = torch.where(up, own, _signed_sum(at, x, False))
        usual = torch.where(up, z > 0, z < 0) if down else z > 0
        shares, lost = _divided(relevance, torch.where(usual, z + self.gamma * own, own))
        plain = shares * usual
        extra = shares - (1 - self.gamma) * plain  # gamma times the share, the whole share where it is all there is
        back = x * at.backward(plain, at.weight) + _signed_back(at, x, extra * up if down else extra, True)
        if down:
            back = back + _signed_back(at, x, extra * ~up, False)
        return (back + _spread(at, lost, x),)


@dataclass(frozen=True, slots=True)
class AlphaBeta:
    """R_j = sum_k (alpha c_jk^+ / z_k^+ - beta c_jk^- / z_k^-) R_k with alpha - beta = 1.

    With a beta, an output that has contributions of one sign only shares all by those. `AlphaBeta(1, 0)` is the z+
    rule. Raises ValueError for other sums.
    """

    alpha: float = 2.0
    beta: float = 1.0
    conserves: bool = True

    def __post_init__(self) -> None:
        if abs(self.alpha - self.beta - 1) > 1e-9 or self.beta < 0:
            raise ValueError(f"alpha - beta must be 1 and beta not negative, not {self.alpha} and {self.beta}")

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        at = linear_map(layer, x)
        by_plus, no_plus = _divided(relevance, _signed_sum(at, x, True))
        if not self.beta:
            return (_signed_back(at, x, by_plus, True) + _spread(at, no_plus, x),)
        by_minus, no_minus = _divided(relevance, _signed_sum(at, x, False))
        has_plus, has_minus = by_plus != 0, by_minus != 0
        plus = torch.where(has_minus, self.alpha, 1.0) * by_plus
        minus = torch.where(has_plus, -self.beta, 1.0) * by_minus
        neither = None
        if no_plus is not None and no_minus is not None:
            neither = torch.where((no_plus != 0) & (no_minus != 0), relevance, 0.0)
        return (_signed_back(at, x, plus, True) + _signed_back(at, x, minus, False) + _spread(at, neither, x),)


@dataclass(frozen=True, slots=True)
class Flat:
    """Every connected input gets the same share: for first layers, where single pixels mean little."""

    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        spread = _spread(linear_map(layer, x), relevance, x)
        assert isinstance(spread, Tensor)
        return (spread,)


@dataclass(frozen=True, slots=True)
class ZBox:
    """For pixels that lie in `low`..`high`: x w - low w^+ - high w^- (Montavon et al., Pattern Recognition 2017)."""

    low: float = -1.0
    high: float = 1.0
    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        at = linear_map(layer, x)
        plus, minus = at.weight.clamp(min=0), at.weight.clamp(max=0)
        low, high = torch.full_like(x[:1], self.low), torch.full_like(x[:1], self.high)
        z = at.forward(x, at.weight) - at.forward(low, plus) - at.forward(high, minus)
        shares, lost = _divided(relevance, z)
        back = x * at.backward(shares, at.weight) - low * at.backward(shares, plus) - high * at.backward(shares, minus)
        return (back + _spread(at, lost, x),)


@dataclass(frozen=True, slots=True)
class Pass:
    """Relevance goes through as it is, in the input's shape: activations, dropout at rest, flattening."""

    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        return (relevance.reshape(x.shape),)


@dataclass(frozen=True, slots=True)
class Pool:
    """Max pooling: the winner takes all. Average pooling: shares by value, evenly where values cancel."""

    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        (x,) = inputs
        if isinstance(layer, nn.MaxPool2d):
            return (_back(layer, x, relevance),)
        shares, lost = _divided(relevance, layer(x.clamp(min=0)))
        found = x.clamp(min=0) * _back(layer, x, shares)
        if lost is not None:
            ones = torch.ones_like(x)
            found = found + _back(layer, ones, lost / layer(ones))
        return (found,)


@dataclass(frozen=True, slots=True)
class Meet:
    """Where a skip connection meets its block: shares by the positive parts of the two, by size where neither has
    one."""

    conserves: bool = True

    def __call__(
        self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, relevance: Tensor
    ) -> tuple[Tensor, ...]:
        left, right = inputs
        sizes = (left.clamp(min=0), right.clamp(min=0))
        none = (sizes[0] + sizes[1]) <= 0
        a, b = (torch.where(none, v.abs(), s) for v, s in zip(inputs, sizes, strict=True))
        total = a + b
        share = torch.where(total > 0, a / torch.where(total > 0, total, 1.0), 0.5)
        return relevance * share, relevance * (1 - share)


def _signed_sum(at: LinearMap, x: Tensor, positive: bool) -> Tensor:
    """The sum of the positive, or of the negative, contributions x_j w_jk."""
    plus, minus = at.weight.clamp(min=0), at.weight.clamp(max=0)
    same, other = (plus, minus) if positive else (minus, plus)
    total = at.forward(x.clamp(min=0), same)
    return total + at.forward(x.clamp(max=0), other) if bool((x < 0).any()) else total


def _signed_back(at: LinearMap, x: Tensor, shares: Tensor, positive: bool) -> Tensor:
    """Each share times the contributions of one sign, summed for each input."""
    plus, minus = at.weight.clamp(min=0), at.weight.clamp(max=0)
    same, other = (plus, minus) if positive else (minus, plus)
    found = x.clamp(min=0) * at.backward(shares, same)
    if bool((x < 0).any()):
        found = found + x.clamp(max=0) * at.backward(shares, other)
    return found


def _back(layer: nn.Module, x: Tensor, relevance: Tensor) -> Tensor:
    """The layer's derivative at x, transposed, applied to `relevance`."""
    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        (found,) = torch.autograd.grad(layer(at), at, relevance)
    return found
