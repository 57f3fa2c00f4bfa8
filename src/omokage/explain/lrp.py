"""Layer-wise relevance propagation over a recorded forward pass.

Every leaf module that runs is written down with the very tensors that went in and came out. Relevance then walks the
record backwards. What the record does not explain is an error, not a silent gap: a layer without a rule, or something
computed between two layers outside any module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from omokage.errors import InputError
from omokage.explain.composites import Composite
from omokage.explain.rules import Rule

NOTICE = (
    "Layer-wise relevance propagation is covered by patents in some countries (among them US 10,878,320 and related "
    "ones). Check whether you may use it, commercial use above all. Nothing else in omokage depends on it."
)


Contrast = Tensor | Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One run of one leaf module."""

    name: str
    layer: nn.Module
    inputs: tuple[Tensor, ...]
    output: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Propagated:
    """Relevance of the picture (b, 3, n, n), what it started from (b,), and what each layer passed on (name, sum over
    the batch)."""

    relevance: Tensor
    start: Tensor
    layers: tuple[tuple[str, float], ...]

    @property
    def conservation(self) -> Tensor:
        """(b,): sum of the relevance over its start; 1 where nothing was lost."""
        return self.relevance.flatten(1).sum(1) / self.start


@contextmanager
def recorded(network: nn.Module) -> Iterator[list[Call]]:
    """The calls of the leaf modules while the block runs; leaves no hook behind, whatever happens."""
    calls: list[Call] = []

    def note(name: str) -> object:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if not any(output is x for x in inputs):  # an identity passes the tensor itself on: nothing to propagate
                calls.append(Call(name, layer, inputs, output))

        return hook

    leaves = [(name, layer) for name, layer in network.named_modules() if not any(True for _ in layer.children())]
    hooks = [layer.register_forward_hook(note(name)) for name, layer in leaves]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def propagate(
    body: nn.Module, readout: nn.Linear, contrast: Contrast, pictures: Tensor, composite: Composite
) -> Propagated:
    """Relevance of `pictures` (b, 3, n, n) for the numbers ``contrast . readout(body(pictures))``, contrast (b, k) or
    made from the raw numbers (b, k).

    The start is that number without the readout's biases: what the picture itself adds to them. Contrast and readout
    are merged into one row of weights first, so that classes which cancel do so before anything is shared. `body` must
    be canonized (`canonizers.canonized`). Raises InputError that names every layer without a rule, and every tensor
    that no module has made.
    """
    given = pictures.detach()
    with recorded(body) as calls:
        features = body(given)
    path = _path(calls, given, features)
    if missing := _missing(path, given, composite):
        raise InputError(_without_rule(composite, missing))
    weights = (contrast if isinstance(contrast, Tensor) else contrast(readout(features))) @ readout.weight
    start = (weights * features).sum(1)
    rule = composite.rule_for(readout, first=features is given)
    if rule is None:
        raise InputError(_without_rule(composite, ["readout (Linear)"]))
    last = [_row(rule, weights[i : i + 1], features[i : i + 1], start[i]) for i in range(len(given))]
    relevance = {id(features): torch.cat(last)}
    sums = [("readout", float(relevance[id(features)].sum()))]
    for call in reversed(path):
        r = relevance.pop(id(call.output))
        shared = composite.rule_for(call.layer, _sees(call, given))
        assert shared is not None
        for x, part in zip(call.inputs, shared(call.layer, call.inputs, call.output, r), strict=True):
            relevance[id(x)] = relevance[id(x)] + part if id(x) in relevance else part
        sums.append((call.name, float(sum(r.sum() for r in relevance.values()))))
    return Propagated(relevance[id(given)], start, tuple(sums))


def _row(rule: Rule, weight: Tensor, feature: Tensor, start: Tensor) -> Tensor:
    """The relevance (1, m) of one picture's features for one row of weights."""
    row = nn.Linear(weight.shape[1], 1, bias=False).to(weight)
    row.weight = nn.Parameter(weight, requires_grad=False)
    found: Tensor = rule(row, (feature,), row(feature), start.reshape(1, 1))[0]
    return found


def _sees(call: Call, picture: Tensor) -> bool:
    return any(x is picture for x in call.inputs)


def _path(calls: list[Call], picture: Tensor, features: Tensor) -> list[Call]:
    """The calls that lead from the picture to the features, in order. Raises InputError where the chain breaks."""
    makers = {id(call.output): call for call in calls}
    wanted, broken, on_path = [features], [], set()
    while wanted:
        tensor = wanted.pop()
        if tensor is picture:
            continue
        call = makers.get(id(tensor))
        if call is None:
            broken.append(_user_of(calls, tensor))
        elif id(call) not in on_path:
            on_path.add(id(call))
            wanted += call.inputs
    if broken:
        raise InputError(
            f"relevance cannot pass through what is computed outside of modules before {', '.join(sorted(set(broken)))}"
            ": make that operation a module of its own (as omokage.nn.blocks.Add is) and give it a rule"
        )
    return [call for call in calls if id(call) in on_path]


def _user_of(calls: list[Call], tensor: Tensor) -> str:
    return next((call.name for call in calls if any(x is tensor for x in call.inputs)), "the network's output")


def _missing(path: list[Call], picture: Tensor, composite: Composite) -> list[str]:
    return [
        f"{call.name or 'the network'} ({type(call.layer).__name__})"
        for call in path
        if composite.rule_for(call.layer, _sees(call, picture)) is None
    ]


def _without_rule(composite: Composite, missing: list[str]) -> str:
    return (
        f"the rule set {composite.name!r} has no rule for {', '.join(dict.fromkeys(missing))}: give these layers a "
        "rule, or fold them away (omokage.explain.canonizers)"
    )
