"""Relevance rules as the textbook writes them: float64, one number at a time, no cleverness. Convolutions are made into
plain matrices first, so nothing is shared with the code under test."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[np.float64]


def matrix(layer: nn.Module, shape: tuple[int, ...]) -> Array:
    """The layer without bias as a matrix (inputs, outputs), found by feeding it unit vectors."""
    size = int(np.prod(shape))
    basis = torch.eye(size, dtype=torch.float64).reshape(size, *shape)
    with torch.no_grad():
        out = layer.double()(basis) - layer.double()(torch.zeros(1, *shape, dtype=torch.float64))
    return out.reshape(size, -1).numpy()


def connected(layer: nn.Module, shape: tuple[int, ...]) -> Array:
    """Which input touches which output (inputs, outputs), 0 or 1."""
    import copy

    ones = copy.deepcopy(layer)
    with torch.no_grad():
        ones.weight.fill_(1.0)
    return (matrix(ones, shape) != 0).astype(np.float64)


def shared(weights: Array, relevance: Array) -> Array:
    """R_j = sum_k share_jk R_k with shares (inputs, outputs)."""
    out = np.zeros(weights.shape[0])
    for j in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            out[j] += weights[j, k] * relevance[k]
    return out


def epsilon(x: Array, w: Array, relevance: Array, eps: float) -> Array:
    share = np.zeros_like(w)
    for k in range(w.shape[1]):
        z = sum(x[j] * w[j, k] for j in range(len(x)))
        z += eps if z >= 0 else -eps
        for j in range(len(x)):
            share[j, k] = x[j] * w[j, k] / z
    return shared(share, relevance)


def alpha_beta(x: Array, w: Array, touch: Array, relevance: Array, alpha: float, beta: float) -> Array:
    share = np.zeros_like(w)
    for k in range(w.shape[1]):
        c = x * w[:, k]
        plus, minus = np.maximum(c, 0), np.minimum(c, 0)
        if plus.sum() > 0 and (minus.sum() < 0 or beta == 0):
            share[:, k] = alpha * plus / plus.sum()
            if beta:
                share[:, k] -= beta * minus / minus.sum()
        elif plus.sum() > 0:
            share[:, k] = plus / plus.sum()
        elif minus.sum() < 0 and beta:
            share[:, k] = minus / minus.sum()
        else:
            share[:, k] = touch[:, k] / touch[:, k].sum()
    return shared(share, relevance)


def gamma(x: Array, w: Array, touch: Array, relevance: Array, output: Array, g: float) -> Array:
    share = np.zeros_like(w)
    for k in range(w.shape[1]):
        c = x * w[:, k]
        own = np.maximum(c, 0) if output[k] >= 0 else np.minimum(c, 0)
        if c.sum() * (1 if output[k] >= 0 else -1) > 0:
            share[:, k] = (c + g * own) / (c + g * own).sum()
        elif own.sum() != 0:
            share[:, k] = own / own.sum()
        else:
            share[:, k] = touch[:, k] / touch[:, k].sum()
    return shared(share, relevance)


def flat(touch: Array, relevance: Array) -> Array:
    return shared(touch / touch.sum(0), relevance)


def z_box(x: Array, w: Array, touch: Array, relevance: Array, low: float, high: float) -> Array:
    c = x[:, None] * w - low * np.maximum(w, 0) - high * np.minimum(w, 0)
    c = np.where(c.sum(0) == 0, touch, c)  # every input at its bound: nothing to share by
    return shared(c / c.sum(0), relevance)
