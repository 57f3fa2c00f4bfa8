"""Whether a relevance map can be believed: four checks on the same crop and network, and a grade.

Pixel flipping after Samek et al. (TNNLS 2017), with random orders and the picture's own edges as rivals; weight
randomisation after Adebayo et al. (NeurIPS 2018).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.explain.occlusion import FILLS, scores
from omokage.explain.target import Image, Target
from omokage.results import Faithfulness

BLOCKS = 14  # a side; of 8 px in a crop of 112
_STEPS = (0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)  # shares of the blocks that are hidden
RANDOM_ORDERS = 8
CONSERVED, COMPLETE = 0.01, 0.1  # allowed distance of the sum from what it should be: propagation, integrated gradients
AGREES, DIFFERS = 0.4, 0.5  # rank correlations

Floats = NDArray[np.floating]

MEANING: Mapping[str, str] = {
    "A": "every check passed: hiding what the map marks changes the answer most, and the map hangs on what was learnt",
    "B": "one check failed: use the map together with the table of regions",
    "C": "two checks failed: take the map as a hint only and rely on what hiding regions does",
    "D": "the map does not show what the network uses: do not use it",
}


@dataclass(frozen=True, slots=True)
class Flipping:
    """Mean drop of the score over the steps, by order of hiding."""

    relevance: float
    edges: float
    random: tuple[float, ...]


def blocks_of(values: Floats) -> NDArray[np.float64]:
    """A map (n, n) as means over `BLOCKS` x `BLOCKS` blocks."""
    size = (BLOCKS, BLOCKS)
    return np.asarray(cv2.resize(np.asarray(values, np.float64), size, interpolation=cv2.INTER_AREA))


def edge_map(image: Image) -> NDArray[np.float64]:
    """Strength of the edges of a crop (n, n): what a map that merely traces the picture would show."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.asarray(np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1)))


def flipped(target: Target, image: Image, relevance: Floats, seed: int = 0, before: Image | None = None) -> Flipping:
    """Hide blocks by blurring, or by what was there in `before`, the most relevant first, up to a third of the crop;
    the same by edges and at random."""
    count = BLOCKS * BLOCKS
    rng = np.random.default_rng(seed)
    orders = [np.argsort(-blocks_of(m), axis=None, kind="stable") for m in (relevance, edge_map(image))]
    orders += [rng.permutation(count) for _ in range(RANDOM_ORDERS)]
    everywhere, n = np.ones(image.shape[:2], bool), image.shape[0]
    blur = FILLS["blur"](image, everywhere) if before is None else before
    pictures = [image]
    for order in orders:
        for step in _STEPS:
            mask = np.zeros(count, np.uint8)
            mask[order[: round(step * count)]] = 1
            large = cv2.resize(mask.reshape(BLOCKS, BLOCKS), (n, n), interpolation=cv2.INTER_NEAREST)
            pictures.append(np.where(large[..., None] > 0, blur, image))
    got = scores(target, pictures).score
    drops = (got[0] - got[1:]).reshape(len(orders), len(_STEPS)).mean(1)
    return Flipping(float(drops[0]), float(drops[1]), tuple(float(v) for v in drops[2:]))


def randomised(target: Target, seed: int = 0) -> Target:
    """The same target read by the same network with every tensor of weights shuffled within itself."""
    generator = torch.Generator().manual_seed(seed)
    body, readout = copy.deepcopy(target.body), copy.deepcopy(target.readout)
    with torch.no_grad():
        for part in (body, readout):
            for weights in part.parameters():
                order = torch.randperm(weights.numel(), generator=generator).to(weights.device)
                weights.copy_(weights.reshape(-1)[order].reshape(weights.shape))
    return replace(target, body=body, readout=readout)


def judged(
    flipping: Flipping,
    agreement: float,
    agreement_with: str,
    random_map: float,
    conservation: float | None,
    allowed: float | None,
) -> Faithfulness:
    """All numbers with the checks that they pass, and the grade. `allowed` is the distance of `conservation` from 1
    that counts as kept; None: the method promises nothing."""
    checks = {
        "flipping beats every random order": flipping.relevance > max(flipping.random),
        "flipping beats the edges": flipping.relevance > flipping.edges,
        f"regions rank as by {agreement_with}": agreement >= AGREES,
        "random weights give another map": abs(random_map) < DIFFERS,
    }
    if conservation is not None and allowed is not None:
        checks["relevance sums to the answer"] = abs(conservation - 1) <= allowed
    failed = sum(not ok for ok in checks.values())
    grade = "ABCD"[min(failed, 3)]
    return Faithfulness(
        conservation=conservation,
        flipping=flipping.relevance,
        flipping_random=flipping.random,
        flipping_edges=flipping.edges,
        agreement=agreement,
        agreement_with=agreement_with,
        randomised=random_map,
        checks=checks,
        grade=grade,
        meaning=MEANING[grade],
    )
