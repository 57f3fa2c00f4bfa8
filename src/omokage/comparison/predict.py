"""From pairs of crops to changes: batched, calibrated, in the factors' own units; and where in the face they are.

comparer = Comparer()
looks = comparer.see([crop.image for crop in crops])     # once a picture
found = comparer.compare(looks, [(0, 1), (0, 2)])        # any pairs of them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.comparison import calibration
from omokage.comparison.config import COMPARED_UNITS, FACTORS
from omokage.comparison.data import MIRRORED_FACTORS
from omokage.comparison.model import ComparisonNetwork, rebuilt, scales
from omokage.comparison.verification.predict import Verifier
from omokage.errors import WeightsError
from omokage.faces.align import stacked
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening, undisturbed
from omokage.results import Change, FaceChange
from omokage.training.device import pick_device
from omokage.weights import registry

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is kept of `n` crops: states of the crop and of its mirror image (2, n, s), identity codes (n, d)."""

    states: Tensor
    codes: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def join(cls, parts: Sequence[Seen]) -> Seen:
        """All crops of several batches."""
        return cls(torch.cat([p.states for p in parts], 1), torch.cat([p.codes for p in parts]))

    def parted(self) -> list[Seen]:
        """Each crop by itself."""
        return [Seen(self.states[:, k : k + 1], self.codes[k : k + 1]) for k in range(len(self))]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Pairs (m): signed changes with 5 and 95 percent ends and no-change p-values (m, factors) in the order of
    `config.FACTORS`, probability of one person (m,)."""

    value: Floats
    low: Floats
    high: Floats
    no_change: Floats
    same_person: Floats

    def __len__(self) -> int:
        return len(self.value)


class Comparer:
    """The comparison network of a weight set, and its verification network, which says whether it is one person; a set
    without one is asked its comparison network's own identity code. Raises WeightsError for unknown or damaged weights,
    and for two networks that see crops of different margins.

    `size` and `margin` say how to cut crops (``faces.align.crop_landmarks``). Every answer is the mean over the two
    crops and their mirror images, with left and right exchanged.
    """

    @opening()
    def __init__(self, weights: str | Path = registry.DEFAULT_SET, device: str = "auto") -> None:
        tensors, self.card = registry.load(weights, "comparison")
        model = rebuilt(self.card.architecture)
        model.load_state_dict(tensors)
        self.device = pick_device(device)
        self._fast = folded(model).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.calibration: Mapping[str, Any] = self.card.calibration
        self.size, self.margin = int(self.card.preprocessing["size"]), float(self.card.preprocessing["margin"])
        checked = registry.has_model(weights, "verification")
        self.verifier = Verifier(weights, device, self.card.sha256) if checked else None
        if self.verifier is not None and self.verifier.margin != self.margin:
            raise WeightsError(
                f"the verification network of {str(weights)!r} sees crops of margin {self.verifier.margin:g}, its "
                f"comparison network of {self.margin:g}: train one of them again with the other's margin"
            )

    def describe(self) -> dict[str, str]:
        """Ids of the weights in use by their task."""
        found = {"comparison": self.card.id}
        return found if self.verifier is None else {**found, "verification": self.verifier.card.id}

    @property
    def network(self) -> ComparisonNetwork:
        """The network itself, in evaluation mode, its norms folded."""
        network: ComparisonNetwork = self._fast
        return network

    @property
    def same_limit(self) -> float:
        """The probability of one person below which a comparison is declined."""
        if self.verifier is not None:
            return self.verifier.limit
        return float(self.calibration.get("same", {}).get("limit", 0.5))

    @undisturbed()
    @torch.inference_mode()
    def see(self, crops: Sequence[Image], batch: int = 32) -> Seen:
        """Read crops (size, size, 3) RGB uint8, one by one or many; other sizes are resized."""
        parts = []
        for first in range(0, len(crops), batch):
            inputs = self._prepared(crops[first : first + batch])
            there, back = self._fast.see(inputs), self._fast.see(inputs.flip(3))
            code = torch.nn.functional.normalize(there.code + back.code, dim=1).cpu()
            if self.verifier is not None:
                code = self.verifier.joined(self.verifier.codes(crops[first : first + batch]), code)
            parts.append(Seen(torch.stack([there.state, back.state]).cpu(), code))
        if not parts:
            raise ValueError("no crops to see")
        return Seen.join(parts)

    def _prepared(self, crops: Sequence[Image]) -> Tensor:
        return normalise(torch.from_numpy(stacked(crops, self.size)).to(self.device))

    @undisturbed()
    def compare(self, seen: Seen, pairs: Pairs, controlled: Sequence[bool] = (), batch: int = 256) -> Compared:
        """What changed from the first to the second crop of each pair of places in `seen`. `controlled`: which
        pairs show the head held and lit alike, so that smaller changes can be told; without it none counts as such."""
        parts = [self._some(seen, np.array(pairs[k : k + batch], np.int64)) for k in range(0, len(pairs), batch)]
        value, sigma, cosine = (np.concatenate(v) for v in zip(*parts, strict=True))
        taken = np.array(controlled, bool) if len(controlled) else np.zeros(len(value), bool)
        low, high, no_change = calibration.told(value, sigma, self.calibration, taken)
        if self.verifier is not None:
            return Compared(value, low, high, no_change, self.verifier.same_person(cosine))
        return Compared(value, low, high, no_change, calibration.same_person(cosine, self.calibration))

    @torch.inference_mode()
    def _some(self, seen: Seen, rows: NDArray[np.int64]) -> list[Floats]:
        a, b = torch.from_numpy(rows[:, 0]), torch.from_numpy(rows[:, 1])
        found = [self._fast.compare(states[a].to(self.device), states[b].to(self.device)) for states in seen.states]
        value = (found[0].value + found[1].value[:, MIRRORED_FACTORS]) / 2
        sigma = [torch.exp(f.log_sigma.clamp(-6, 3)) for f in found]
        spread = sigma[0] + sigma[1][:, MIRRORED_FACTORS]
        size = scales().to(value)
        cosine = (seen.codes[a] * seen.codes[b]).sum(1)
        return [t.double().cpu().numpy() for t in (value * size, spread / 2 * size, cosine)]

    @undisturbed()
    @torch.inference_mode()
    def where(self, before: Image, after: Image, factors: Sequence[str]) -> Floats:
        """Which parts of the face the answer rests on: (cells, cells), summing to 1 where anything does.

        Each cell of the network's map of `after` is exchanged for that of `before`, and what the answers about
        `factors` (in units of their spread) lose is noted; cells without which the change would look larger count as 0.
        """
        index = [FACTORS.index(name) for name in factors]
        a, b = self._fast.maps(self._prepared([before])), self._fast.maps(self._prepared([after]))
        cells = b.shape[2] * b.shape[3]
        swapped = b.repeat(cells + 1, 1, 1, 1).flatten(2)
        for k in range(cells):
            swapped[k + 1, :, k] = a.flatten(2)[0, :, k]
        found = self._fast.compare(
            self._fast.read(a).state.expand(cells + 1, -1), self._fast.read(swapped.view(-1, *b.shape[1:])).state
        )
        weight = torch.exp(-found.log_sigma[0].clamp(-6, 3)) * torch.sign(found.value[0])
        size = (found.value * weight)[:, index].sum(1)
        lost = (size[0] - size[1:]).clamp(min=0).view(b.shape[2], b.shape[3]).double().cpu().numpy()
        return np.asarray(lost / total if (total := float(lost.sum())) > 0 else lost)


def face_change(found: Compared, k: int, before: str = "", after: str = "") -> FaceChange:
    """Pair `k` as a result; status, warnings, named differences and what the day did are the pipeline's to add."""
    rows = zip(found.value[k], found.low[k], found.high[k], found.no_change[k], strict=True)
    each = dict(zip(FACTORS, (Change(*(float(v) for v in row)) for row in rows), strict=True))
    return FaceChange(
        before, after, same_person=float(found.same_person[k]),
        units={name: each[name] for name in COMPARED_UNITS}, fatness=each["fatness"], age=each["age"],
    )  # fmt: skip
