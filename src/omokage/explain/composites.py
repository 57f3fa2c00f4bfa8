"""Which rule a layer gets, as named maps: what the papers of the time used, and what is advised today.

A map covers layers by their class, in order, with a rule of its own for the layer that sees the picture. A layer that
no entry covers has no rule, and propagation refuses to start (`lrp.propagate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from omokage.errors import InputError
from omokage.explain.joining import Join, Split
from omokage.explain.rules import AlphaBeta, Epsilon, Flat, Gamma, Meet, Pass, Pool, Rule, ZBox
from omokage.nn.blocks import Add

Entry = tuple[type[nn.Module], Rule]
_QUIET: tuple[Entry, ...] = (
    (nn.ReLU, Pass()), (nn.LeakyReLU, Pass()), (nn.Dropout, Pass()), (nn.Dropout2d, Pass()), (nn.Flatten, Pass()),
    (nn.Unflatten, Pass()), (nn.MaxPool2d, Pool()), (nn.AvgPool2d, Pool()), (nn.AdaptiveAvgPool2d, Pool()),
    (Add, Meet()), (Join, Split()),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Composite:
    """A named layer-to-rule map; `first` is for layers that see the picture, `source` says where it comes from."""

    name: str
    source: str
    entries: tuple[Entry, ...]
    first: Rule | None = None

    def rule_for(self, layer: nn.Module, first: bool) -> Rule | None:
        """The rule of a layer, None where the map does not cover it. `first`: it sees the picture itself."""
        for kind, rule in self.entries:
            if isinstance(layer, kind):
                return self.first if first and self.first and isinstance(layer, nn.Conv2d | nn.Linear) else rule
        return None

    @property
    def conserves(self) -> bool:
        """Whether every rule of the map does."""
        rules = [rule for _, rule in self.entries] + ([self.first] if self.first else [])
        return all(rule.conserves for rule in rules)


def _map(name: str, source: str, conv: Rule, dense: Rule, first: Rule | None = None) -> Composite:
    return Composite(name, source, ((nn.Conv2d, conv), (nn.Linear, dense), *_QUIET), first)


COMPOSITES: Mapping[str, Composite] = {
    c.name: c
    for c in (
        _map(
            "alpha2-beta1",
            "the set-up of Lapuschkin et al. (ICCV-W 2017) for networks of age and gender: epsilon 0.1 in dense "
            "layers, alpha 2 beta 1 in convolutions",
            AlphaBeta(2.0, 1.0), Epsilon(0.1),
        ),
        _map(
            "alpha2-beta1-flat",
            "the same with the flat rule at the picture, their smoother variant",
            AlphaBeta(2.0, 1.0), Epsilon(0.1), Flat(),
        ),
        _map(
            "gamma-box",
            "epsilon in dense layers, gamma in convolutions, box rule at the picture (Montavon et al., 2019)",
            Gamma(0.25), Epsilon(1e-6), ZBox(-1.0, 1.0),
        ),
        _map(
            "plus-flat",
            "epsilon in dense layers, z+ in convolutions, flat at the picture (Kohlbrenner et al., IJCNN 2020)",
            AlphaBeta(1.0, 0.0), Epsilon(1e-6), Flat(),
        ),
        _map("epsilon", "epsilon 1e-6 everywhere: the basic rule; unstable in deep networks", Epsilon(), Epsilon()),
    )
}  # fmt: skip
MODERN = "plus-flat"


def composite(name: str) -> Composite:
    """A composite by name. Raises InputError."""
    if name not in COMPOSITES:
        raise InputError(f"no rule set called {name!r}; choose among {', '.join(COMPOSITES)}")
    return COMPOSITES[name]
