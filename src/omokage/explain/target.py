"""What is explained, and on which picture: all that this room needs to know about a network and a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One number that a network gives. `readout(body(x))` are raw numbers (b, k); modules do everything in `body`.

    `score` turns them into the number that is explained (b,), differentiable: log odds for probabilities, years,
    degrees, intensities. `answer` (b,) is what the user reads. `prepare` makes the input (b, 3, n, n) of RGB uint8
    crops (b, n, n, 3).
    """

    name: str
    body: nn.Module
    readout: nn.Linear
    score: Callable[[Tensor], Tensor]
    answer: Callable[[Tensor], Tensor]
    prepare: Callable[[Image], Tensor]
    score_unit: str = "log odds"
    answer_unit: str = "probability"
    about: tuple[str, ...] = ()  # regions that the answer is about: no warning when these decide

    def raw(self, pictures: Tensor) -> Tensor:
        """The raw numbers (b, k) of prepared pictures."""
        out: Tensor = self.readout(self.body(pictures))
        return out


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A crop RGB uint8 (n, n, 3) with 68 landmarks (68, 2) in its pixels, and its segmentation where that is known
    ((n, n) index into `data.records.SEGMENTATION`).

    `before` (n, n, 3) is the same face, cut the same way, in the photograph that this one is compared with, where the
    target is a change: what is hidden then becomes what it was before."""

    image: Image
    points: NDArray[np.floating]
    segmentation: Image | None = None
    before: Image | None = None
