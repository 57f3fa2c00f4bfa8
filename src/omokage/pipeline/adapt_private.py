"""A probe that is differentially private towards the people in the labels (Abadi et al., CCS 2016); extra ``private``.

Noisy gradient descent on a linear layer over all of the network's hidden numbers, one picture of each person. Nothing
that is fitted to the labels goes into the weight file beside it: no choice of features, no calibration, no score. The
budget is counted by opacus.
"""

from __future__ import annotations

import importlib.util
import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from omokage.errors import InputError, MissingExtraError
from omokage.explain.adapt import Fit, codes_of
from omokage.explain.labels import Label
from omokage.nn.probe import Probe
from omokage.pipeline.adapt_set import Part
from omokage.schema import Attribute

Floats = NDArray[np.float64]
FEWEST = 20  # people


@dataclass(frozen=True, slots=True)
class Noise:
    """Noisy descent: passes over the people, share of them in a step, largest gradient of one of them."""

    passes: int = 30
    share: float = 0.1
    clip: float = 1.0
    rate: float = 1.0


def private_part(
    attribute: Attribute, hidden: Mapping[str, Floats], label: Label, people: Sequence[str], epsilon: float,
    noise: Noise | None = None, seed: int | None = None, of: int = 1,
) -> Part:  # fmt: skip
    """A probe whose training spent at most `epsilon` at delta = 1 / (10 people), or the equal share of both that one
    label `of` several about the same people has: what each of them tells adds up. Raises MissingExtraError without
    opacus, InputError with fewer than `FEWEST` people."""
    if importlib.util.find_spec("opacus") is None:
        raise MissingExtraError("differential privacy", "private")
    rows = one_each([people[k] for k in label.rows], 0)
    if len(rows) < FEWEST:
        raise InputError(f"differential privacy needs at least {FEWEST} people; {label.name!r} has {len(rows)}")
    reads = tuple(hidden)
    x = np.concatenate([hidden[name][label.rows[rows]] for name in reads], 1)
    scale = np.sqrt(x.shape[1])  # known without looking at the pictures
    low, high = (0.0, 1.0) if label.kind == "nominal" else (label.low, label.high)
    if label.kind == "nominal":
        targets = torch.from_numpy(codes_of(label)[rows])
    else:
        targets = torch.from_numpy((label.values[rows].astype(float) - low) / (high - low)).float()[:, None]
    delta = 1 / (10 * len(rows) * of)
    width = len(label.classes) or 1
    layer, spent = _descend(
        torch.from_numpy(x / scale).float(), targets, width, epsilon / of, delta, noise or Noise(), seed
    )
    weight = layer.weight.detach().double().numpy().T * (high - low)
    bias = layer.bias.detach().double().numpy() * (high - low) + low
    ends = np.full(width, low), np.full(width, high)
    probe = Probe(
        "nominal" if label.kind == "nominal" else "ordinal", "softmax" if label.kind == "nominal" else "values",
        np.zeros(len(weight)), np.full(len(weight), scale), weight, bias, *ends, np.full(width, np.nan),
        label.classes, labels=len(rows),
    )  # fmt: skip
    # A fixed spread for ordinal answers: an error fitted to the labels would not be private.
    sigma = 1.0 if label.kind == "nominal" else (high - low) / 4
    return Part(Fit(reads, probe, np.zeros(width)), None, sigma, {}, spent, delta)


def one_each(people: Sequence[str], seed: int) -> NDArray[np.int64]:
    """One random row of each person, so that a person's whole contribution is one gradient a step."""
    order = np.random.default_rng(seed).permutation(len(people))
    first: dict[str, int] = {}
    for row in order.tolist():
        first.setdefault(people[row], row)
    return np.array(sorted(first.values()), np.int64)


def _descend(
    x: torch.Tensor, y: torch.Tensor, width: int, epsilon: float, delta: float, noise: Noise, seed: int | None
) -> tuple[nn.Linear, float]:
    """The layer and the epsilon that was spent, with Poisson sampling and noise by opacus' accountant."""
    with warnings.catch_warnings():  # opacus speaks of its random generator and of its own dependencies
        warnings.simplefilter("ignore")
        from opacus.accountants import RDPAccountant
        from opacus.accountants.utils import get_noise_multiplier

        steps = max(round(noise.passes / noise.share), 1)
        sigma = get_noise_multiplier(
            target_epsilon=epsilon, target_delta=delta, sample_rate=noise.share, steps=steps, accountant="rdp"
        )
        accountant = RDPAccountant()
        # Noise that could be drawn again would protect nobody: a seed is for tests only.
        generator = torch.Generator().manual_seed(secrets.randbits(62) if seed is None else seed)
        layer = nn.Linear(x.shape[1], width)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        for step in range(steps):
            chosen = torch.rand(len(x), generator=generator) < noise.share
            _noisy_step(layer, x[chosen], y[chosen], sigma, noise, noise.share * len(x), 1 - step / steps, generator)
            accountant.step(noise_multiplier=sigma, sample_rate=noise.share)
        return layer, float(accountant.get_epsilon(delta=delta))


@torch.no_grad()
def _noisy_step(
    layer: nn.Linear, x: torch.Tensor, y: torch.Tensor, sigma: float, noise: Noise, expected: float, pace: float,
    generator: torch.Generator,
) -> None:  # fmt: skip
    """Every person's gradient cut to `clip`, summed, and normal noise of `sigma` times that added."""
    said = layer(x)
    if y.dim() == 2:
        over = said - y
    else:
        over = torch.softmax(said, 1) - nn.functional.one_hot(y, layer.out_features)
    size = over.norm(dim=1) * torch.sqrt((x**2).sum(1) + 1)  # of the gradient of weight and bias together
    over = over * (noise.clip / size.clamp(min=noise.clip))[:, None]
    for parameter, gradient in ((layer.weight, over.T @ x), (layer.bias, over.sum(0))):
        random = torch.normal(0.0, sigma * noise.clip, gradient.shape, generator=generator)
        parameter -= noise.rate * pace * (gradient + random) / expected
