"""From crops to codes and from codes to the probability that two show one person.

verifier = Verifier()
codes = verifier.codes([crop.image for crop in crops])
verifier.same_person((codes[:1] * codes[1:]).sum(1).double().numpy())  # the first against all others
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.comparison import calibration
from omokage.comparison.verification.model import rebuilt
from omokage.faces.align import stacked
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening, undisturbed
from omokage.training.device import pick_device
from omokage.weights import registry

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Verifier:
    """The verification network of a weight set. Raises WeightsError for unknown or damaged weights.

    `beside` is the hash of a comparison network whose own codes are there as well: where the two were calibrated
    together, `share` of the likeness is that of these codes (`joined`), else 0. `size` and `margin` say how crops are
    cut; those of another size are resized.
    """

    @opening()
    def __init__(self, weights: str | Path = registry.DEFAULT_SET, device: str = "auto", beside: str = "") -> None:
        tensors, self.card = registry.load(weights, "verification")
        model = rebuilt(self.card.architecture)
        model.load_state_dict(tensors)
        self.device = pick_device(device)
        self._fast = folded(model).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.size, self.margin = int(self.card.preprocessing["size"]), float(self.card.preprocessing["margin"])
        both = self.card.calibration.get("beside", {})
        self._fitted = both if both and both["of"] == beside else self.card.calibration
        self.share = float(self._fitted.get("share", 0.0))

    @property
    def limit(self) -> float:
        """The probability below which two photographs are taken for two people's."""
        return float(self._fitted["same"]["limit"])

    def codes(self, crops: Sequence[Image]) -> Tensor:
        """Codes (n, d) of length 1 of square RGB uint8 crops and their mirror images together."""
        return codes_of(self._fast, crops, self.size, self.device)

    def same_person(self, cosine: Floats) -> Floats:
        """Probability (m,) that both show one person, when either answer is as likely beforehand."""
        return calibration.same_person(cosine, self._fitted)

    def joined(self, codes: Tensor, others: Tensor) -> Tensor:
        """Codes of length 1 whose cosines are those of `codes` and, by their share, of a comparison network's."""
        if not self.share:
            return codes
        return torch.cat([(1 - self.share) ** 0.5 * codes, self.share**0.5 * others], 1)


@undisturbed()
@torch.inference_mode()
def codes_of(
    code: Callable[[Tensor], Tensor], crops: Iterable[Image], size: int, device: torch.device | None = None,
    batch: int = 64,
) -> Tensor:  # fmt: skip
    """Codes (n, d) of length 1 by a function of prepared pictures: of crops and their mirror images together."""
    found, rest = [], iter(crops)
    while some := list(islice(rest, batch)):
        inputs = normalise(torch.from_numpy(stacked(some, size)).to(device))
        found.append(nn.functional.normalize(code(inputs) + code(inputs.flip(3)), dim=1).cpu())
    if not found:
        raise ValueError("no crops to see")
    return torch.cat(found)
