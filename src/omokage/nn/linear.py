"""The two linear fits under every probe, in float64 and exact: ridge regression and penalised multinomial logistic.

Both take features (n, d) that are centred already and minimise  mean loss + strength / 2 * |weights|^2  (the bias is
free), so that a strength means the same for 10 labels and for 10,000. Fits for many strengths share one singular value
decomposition; where there are fewer pictures than features the work is done in their span, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FLOOR = 1e-6  # no class is held to be less likely than this when a prediction is scored


def ridge_path(features: Floats, targets: Floats, strengths: Sequence[float]) -> list[tuple[Floats, Floats]]:
    """Weights (d, k) and bias (k,) of ridge regression on targets (n, k), one pair for each strength."""
    count = len(features)
    left, size, right = np.linalg.svd(features, full_matrices=False)
    bias = targets.mean(0)
    aims = left.T @ (targets - bias)
    return [(right.T @ ((size / (size**2 + s * count))[:, None] * aims), bias) for s in strengths]


def softmax_path(
    features: Floats, codes: NDArray[np.int64], classes: int, strengths: Sequence[float], tolerance: float = 1e-6
) -> list[tuple[Floats, Floats]]:
    """Weights (d, classes) and bias (classes,) of logistic regression on class numbers `codes` (n,).

    With two classes one weight vector tells them apart (the other is zero); with more each has its own. A class that
    does not occur gets no weight and a bias that makes it impossible. Raises ValueError when fewer than two occur.
    """
    present = np.unique(codes)
    if len(present) < 2:
        raise ValueError("at least two classes must occur")
    left, size, right = np.linalg.svd(features, full_matrices=False)
    kept = size > size.max(initial=0.0) * 1e-10
    inner, back = left[:, kept] * size[kept], right[kept].T
    local = np.searchsorted(present, codes)
    found: dict[float, tuple[Floats, Floats]] = {}
    start: Floats | None = None
    for strength in sorted(set(strengths), reverse=True):  # the strongest pull first: each fit starts the next one
        start = _softmax(inner, local, len(present), strength, start, tolerance)
        weight, bias = np.zeros((features.shape[1], classes)), np.full(classes, -np.inf)
        weight[:, present], bias[present] = back @ start[:-1], start[-1]
        found[strength] = weight, bias
    return [found[strength] for strength in strengths]


def _softmax(
    inner: Floats, codes: NDArray[np.int64], classes: int, strength: float, start: Floats | None, tolerance: float
) -> Floats:
    """Weights and, in the last row, biases (r + 1, classes), by L-BFGS (Liu and Nocedal, 1989).

    The columns of `inner` are orthogonal: dividing each by the root of its curvature leaves a problem that is nearly
    round, which takes a tenth of the steps.
    """
    import torch

    curve = np.sqrt((inner**2).mean(0) / (2 * classes) + strength)
    round_, stretch = np.append(1 / curve, 1.0)[:, None], torch.from_numpy(1 / curve**2)[:, None]
    z, y = torch.from_numpy(inner * round_[:-1, 0]), torch.from_numpy(codes)
    free = 1 if classes == 2 else 0  # the first of two classes stays at zero
    begin = np.zeros((inner.shape[1] + 1, classes)) if start is None else start / round_
    w = torch.tensor(begin[:, free:], requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [w],
        max_iter=500,
        history_size=20,
        tolerance_grad=tolerance,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    truth = torch.nn.functional.one_hot(y, classes).double()[:, free:]

    def loss() -> float:  # with the slope written out, which takes half of the time that autograd would
        at = w.detach()
        odds = torch.nn.functional.pad(z @ at[:-1] + at[-1], (free, 0))
        logs = torch.log_softmax(odds, 1)
        over = (logs[:, free:].exp() - truth) / len(y)
        w.grad = torch.cat([z.T @ over + strength * stretch * at[:-1], over.sum(0, keepdim=True)])
        mean = -logs.gather(1, y[:, None]).mean()
        return float(mean + 0.5 * strength * (stretch * at[:-1] ** 2).sum())

    with _one_thread():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    out = np.zeros((inner.shape[1] + 1, classes))
    out[:, free:] = w.detach().numpy() * round_
    if not free:  # only differences of biases matter: fix the free constant
        out[-1] -= out[-1].mean()
    return out


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch on one thread: between thousands of steps this small, threads wait for each other for longer than they
    work, on busy machines many times as long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def softmax(odds: Floats) -> Floats:
    """Probabilities (..., k) of log odds (..., k); minus infinity is impossible."""
    raised = np.exp(odds - odds.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def log_loss(probabilities: Floats, codes: NDArray[np.int64]) -> float:
    """Mean of -log p of the true class, p held above `FLOOR`."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(codes)), codes], FLOOR)).mean())
