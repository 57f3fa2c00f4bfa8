"""Fine-tuning the part of the comparison network in which two photographs meet, on the user's labelled pairs.

What the probe says stays, and a copy of that part learns what is left: v = probe + h(a, b) - h(b, a), with h beginning
at zero. Swapping the photographs flips the sign of what was learnt, whatever the weights are.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.comparison.model import ComparisonNetwork
from omokage.comparison.predict import Seen
from omokage.explain.adapt import Answer, Fit, Rows
from omokage.explain.labels import Label
from omokage.explain.tuning import Tuning, fine_tuned, read_views

Floats = NDArray[np.float64]
GENTLE = Tuning(rate=2e-4, decay=0.05, passes=10, fewest=40, most=300)


class PairHead(nn.Module):
    """Rows (n, 2 * state + 1) of both states and of what the probe says -> values (n, 1); in units of the labels'
    spread."""

    def __init__(self, network: ComparisonNetwork) -> None:
        super().__init__()
        self.first, self.second = copy.deepcopy(network.first), copy.deepcopy(network.second)
        self.bend, self.hidden = nn.ReLU(), copy.deepcopy(network.hidden)
        self.line = nn.Linear(network.network.hidden, 1, bias=False)
        nn.init.zeros_(self.line.weight)

    def forward(self, rows: Tensor) -> Tensor:
        state = self.first.in_features
        a, b, start = torch.split(rows, [state, state, 1], 1)
        out: Tensor = start + self._met(a, b) - self._met(b, a)
        return out

    def _met(self, one: Tensor, other: Tensor) -> Tensor:
        out: Tensor = self.line(self.hidden(self.bend(self.first(one) + self.second(other))))
        return out


def rows_of(seen: Seen, pairs: Sequence[tuple[int, int]], start: Floats) -> Tensor:
    """What a `PairHead` reads of pairs (m): (m, 2 views, 2 * state + 1); `start` (m,) is what the probe says."""
    a, b = (torch.tensor([pair[k] for pair in pairs]) for k in (0, 1))
    said = torch.from_numpy(start).float()[None, :, None].expand(len(seen.states), -1, -1)
    return torch.cat([seen.states[:, a].float(), seen.states[:, b].float(), said], 2).transpose(0, 1)


def said_by(network: ComparisonNetwork, tensors: Mapping[str, Tensor], rows: Tensor) -> Floats:
    """What a head that was kept as tensors says of rows (m, views, ...): (m,)."""
    head = PairHead(network).cpu()
    known = head.state_dict()
    head.load_state_dict({name: t.to(known[name].dtype) for name, t in tensors.items()})
    return np.asarray(read_views(head.eval(), rows)[:, 0].double().numpy())


class PairTuner:
    """Competes with the probe (see `explain.adapt.learn`): `pairs` are places in `seen` of every row that a label may
    have, `features` what probes read of them."""

    def __init__(
        self, network: ComparisonNetwork, seen: Seen, pairs: list[tuple[int, int]], features: dict[str, Floats],
        label: Label, tuning: Tuning = GENTLE,
    ) -> None:  # fmt: skip
        self.network, self.seen, self.pairs, self.features = network, seen, pairs, features
        self.label, self.tuning = label, tuning
        self.spread = max(float(label.values.astype(float).std()), 1e-9)

    def __call__(self, rows: Rows, fit: Fit) -> Answer:
        """Answers of the network that has learnt the labels `rows`."""
        learnt, inputs = self.tuned(rows, fit), self._inputs(fit)
        return lambda wanted: self.spread * read_views(learnt, inputs[torch.from_numpy(wanted)]).double().numpy()

    def tuned(self, rows: Rows, fit: Fit) -> PairHead:
        """The network itself."""
        where = torch.from_numpy(self.label.rows[rows])
        values = torch.from_numpy(self.label.values[rows].astype(float) / self.spread).float()[:, None]
        return fine_tuned(PairHead(self.network).cpu(), self._inputs(fit)[where], values, self.tuning)

    def _inputs(self, fit: Fit) -> Tensor:
        said = fit.answer(self.features, np.arange(len(self.pairs)))[:, 0]
        return rows_of(self.seen, self.pairs, said / self.spread)
