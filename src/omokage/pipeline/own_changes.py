"""Changes that a user's own labels taught (`adapt_pairs`), read off pairs beside those of the comparison network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.comparison.config import FACTORS, SCALES
from omokage.comparison.predict import Compared, Comparer, Seen
from omokage.nn.probe import Probe
from omokage.pipeline.adapt_pair_tuning import rows_of, said_by
from omokage.results import Change
from omokage.weights import registry

Floats = NDArray[np.float64]
MODEL = "changes"
EARLIER = "earlier"  # what the set that one starts from says of the same label
TUNED = "tuned."


def open_reader(weights: str | Path | None) -> ChangeReader | None:
    """What a set's labels taught; None for a set without such labels. Raises WeightsError for a damaged one."""
    return ChangeReader(weights) if weights is not None and registry.has_model(weights, MODEL) else None


def features_of(seen: Seen, pairs: Sequence[tuple[int, int]], found: Compared) -> dict[str, Floats]:
    """Signed numbers of each pair, of which the comparison network said `found`: its changes in units of their scales,
    all (`factors`) and the two of the whole face alone, and the difference of its states."""
    a, b = (torch.tensor([pair[k] for pair in pairs]) for k in (0, 1))
    states = (seen.states[:, b] - seen.states[:, a]).mean(0).double().numpy()
    changes = found.value / np.array([SCALES[n] for n in FACTORS])
    alone = {name: changes[:, [FACTORS.index(name)]] for name in ("fatness", "age")}
    return {**alone, "factors": changes, "states": states}


class ChangeReader:
    """The changes that a set's labels taught; `names` are those of the labels. Raises WeightsError where it has
    none."""

    def __init__(self, weights: str | Path) -> None:
        tensors, self.card = registry.load(weights, MODEL)
        self.answers = _Answers(tensors, self.card.schema, self.card.architecture)
        self.names = tuple(str(row["name"]) for row in self.card.schema)

    def read(
        self, comparer: Comparer, seen: Seen, pairs: Sequence[tuple[int, int]], compared: Compared | None = None
    ) -> list[dict[str, Change]]:
        """The changes of each pair with their 5 to 95 percent intervals, in the labels' own units. `compared` is what
        the comparison network said of the pairs, where that is known already."""
        compared = comparer.compare(seen, pairs) if compared is None else compared
        found: list[dict[str, Change]] = [{} for _ in pairs]
        for name, values in self.answers.of(comparer, seen, pairs, features_of(seen, pairs, compared)).items():
            errors = np.array(self.card.calibration["errors"][name])
            reach = float(np.interp(0.9, np.linspace(0, 1, len(errors)), errors))
            for k, value in enumerate(values.tolist()):
                # How often the error alone is as large: the labels need not hold pairs without a change.
                chance = float((errors >= abs(value)).mean())
                found[k][name] = Change(value, value - reach, value + reach, max(chance, 1 / len(errors)))
        return found


class _Answers:
    """Probes and fine-tuned heads of a set by label; with them the set that it began with, where one of them reads
    that. A label that reads nothing was not taught anew: its answer is that of the set before."""

    def __init__(
        self, tensors: Mapping[str, Tensor], schema: Sequence[Mapping[str, Any]], architecture: Mapping[str, Any]
    ) -> None:
        self.tensors, self.schema, self.architecture = tensors, schema, architecture
        self.probes: dict[str, tuple[tuple[str, ...], Probe]] = {}
        self.heads: dict[str, tuple[float, dict[str, Tensor]]] = {}  # fine-tuned ones
        self.carried = [str(row["name"]) for row in schema if not row["reads"]]
        for row in schema:
            name = str(row["name"])
            if name in self.carried:
                continue
            own = _under(tensors, f"{name}.")
            probe = {k: t.numpy() for k, t in own.items() if not k.startswith(TUNED)}
            self.probes[name] = tuple(row["reads"]), Probe.from_arrays(probe)
            if spread := float(row.get("spread", 0.0)):
                self.heads[name] = spread, _under(own, TUNED)
        start = architecture.get(EARLIER)
        self.first = _Answers(_under(tensors, f"{EARLIER}/"), **start) if start else None

    def of(
        self, comparer: Comparer, seen: Seen, pairs: Sequence[tuple[int, int]], features: Mapping[str, Floats]
    ) -> dict[str, Floats]:
        """The values (m,) of each label for pairs (m)."""
        before = self.first.of(comparer, seen, pairs, features) if self.first is not None else {}
        found = {name: before[name] for name in self.carried}
        for name, (reads, probe) in self.probes.items():
            known = {**features, EARLIER: before[name][:, None]} if name in before else features
            values = probe.predict(np.concatenate([known[key] for key in reads], 1))[:, 0]
            if name in self.heads:
                spread, tensors = self.heads[name]
                values = said_by(comparer.network, tensors, rows_of(seen, pairs, values / spread)) * spread
            found[name] = values
        return found


def _under(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without that beginning."""
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
