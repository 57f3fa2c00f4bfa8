"""Why two photographs of one person are said to differ: the evidence for one `change.<factor>` of a comparison.

The earlier photograph is held fixed, so that the comparison becomes a network of the later one alone; parts are hidden
by showing them as they were before. What is explained is the answer about the two crops alone; `full_answer` is that of
the `Comparer`, which looks at their mirror images too.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from omokage.comparison.config import FACTORS, SCALES
from omokage.comparison.model import ComparisonNetwork
from omokage.comparison.predict import Comparer
from omokage.errors import InputError
from omokage.explain.canonizers import canonized
from omokage.explain.composites import MODERN
from omokage.explain.evidence import METHODS, explained
from omokage.explain.joining import Join
from omokage.explain.target import Image, Target
from omokage.faces.align import crop_landmarks
from omokage.media.image import PictureLike, name_of
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.answers import change_of, with_full
from omokage.pipeline.compare import compare_photos, in_memory, photo_of
from omokage.pipeline.explain_views import views_of
from omokage.pipeline.opened import open_both
from omokage.results import RelevanceMap

PREFIX = "change."
_UNITS: Mapping[str, str] = {"age": "years", "fatness": "fatness"}


def change_targets() -> list[str]:
    """The names of every change that can be explained."""
    return [f"{PREFIX}{name}" for name in FACTORS]


def explain_change(
    before: PictureLike,
    after: PictureLike,
    target: str,
    method: str = "occlusion",
    *,
    rules: str = MODERN,
    crops: bool = False,
    assume_same: bool = False,
    weights: str | Path | None = None,
    device: str | None = None,
    analyzer: Analyzer | None = None,
    comparer: Comparer | None = None,
) -> RelevanceMap:
    """The evidence in the photograph `after` for what has changed since `before`.

    `target` is ``change.fatness``, ``change.age`` or ``change.<ARKit name>``; methods, `rules` and `crops` are those of
    `explain`, photographs and `weights` those of `compare`. Relevance is what a place adds to the change (occlusion:
    what is lost when the place looks as it did before; gradients: along the way from one picture to the other; lrp: the
    difference of both pictures' relevance).

    Raises InputError for unknown words and for photographs that cannot be compared (no face, several, two people unless
    `assume_same`), UnreadableError where one cannot be decoded, WeightsError without a comparison network.
    """
    if method not in METHODS:
        raise InputError(f"no method called {method!r}; choose among {', '.join(METHODS)}")
    name = factor_of(target)
    analyzer, comparer = open_both(weights, device, analyzer, comparer)
    earlier, later = (_reading(analyzer, image, crops) for image in (before, after))
    change = compare_photos(photo_of(earlier, comparer), photo_of(later, comparer), comparer, assume_same)
    if change.status != "ok":
        known = ", or add --assume-same where you know that they do" if change.status == "different_people" else ""
        raise InputError(
            f"{_named(before)} and {_named(after)} cannot be compared ({change.status.replace('_', ' ')}), so there is "
            f"no change to explain: give two photographs that each show the same one person{known}"
        )
    why = _explained(earlier, later, name, method, rules, comparer)
    return with_full(why, change_of(change, name))


def factor_of(target: str) -> str:
    """The factor that a target names. Raises InputError that lists near names."""
    known = {name.lower(): name for name in change_targets()}
    if target.lower() not in known:
        near = difflib.get_close_matches(target.lower(), known, 3, 0.4) or [f"{PREFIX}fatness", f"{PREFIX}age"]
        said = ", ".join(known.get(n, n) for n in near)
        raise InputError(f"a comparison has no answer called {target!r} to explain; try {said}")
    return known[target.lower()].removeprefix(PREFIX)


def _named(image: PictureLike) -> str:
    return name_of(image) or "a picture in memory"


def _reading(analyzer: Analyzer, image: PictureLike, crops: bool) -> Reading:
    if path := name_of(image):
        found = next(iter(analyzer.analyze_many([Source(path)], crops=crops, keep_pixels=True)))
    else:
        found = in_memory(image, analyzer, crops)
    if found.faces and found.faces[0].outline is None:
        raise InputError(f"the face in {_named(image)} has no landmarks: its regions are unknown")
    return found


def _explained(
    earlier: Reading, later: Reading, factor: str, method: str, rules: str, comparer: Comparer
) -> RelevanceMap:
    """Both faces cut alike, at rest and a little off, and the evidence over these."""
    cut = []
    for reading in (earlier, later):
        pixels, points = reading.pixels, reading.faces[0].outline
        assert pixels is not None
        assert points is not None
        crop = crop_landmarks(pixels, points, comparer.size, comparer.margin, score=reading.faces[0].score)
        cut.append((crop, list(views_of(crop, pixels, points, comparer.margin))))
    (first, past), (crop, present) = cut
    views = [replace(now, before=then.image) for now, then in zip(present, past, strict=True)]
    target = change_target(comparer, first.image, factor)
    return replace(explained(target, views, crop, method, rules), before=first)


@opening()
def change_target(comparer: Comparer, before: Image, factor: str) -> Target:
    """How a later crop moves the answer about one of `FACTORS`, the crop `before` (n, n, 3) held fixed."""
    network = comparer.network
    size = SCALES[factor]

    def prepare(images: Image) -> Tensor:
        return normalise(torch.from_numpy(images.copy()).to(comparer.device))

    with torch.inference_mode():
        state = network.see(prepare(before[None])).state
    body = Since(network, state)
    return Target(
        name=f"{PREFIX}{factor}",
        body=canonized(body.eval().requires_grad_(False)),
        readout=_readout(network, state, FACTORS.index(factor)),
        score=lambda raw: raw[:, 0] * size,
        answer=lambda raw: raw[:, 0] * size,
        prepare=prepare,
        score_unit=_UNITS.get(factor, "intensity"),
        answer_unit=_UNITS.get(factor, "intensity"),
        about=("neck",) if factor == "fatness" else (),
    )


class Since(nn.Module):
    """A `ComparisonNetwork` whose earlier photograph is fixed to its state (1, s): later pictures (b, 3, n, n) ->
    their state and what both directions of the comparison make of it, side by side."""

    def __init__(self, network: ComparisonNetwork, state: Tensor) -> None:
        super().__init__()
        self.trunk, self.squeeze, self.flatten = network.trunk, network.squeeze, network.flatten
        self.whole_squeeze, self.whole = network.whole_squeeze, network.whole
        self.state, self.join = Join(), Join()
        # What the earlier state adds to each view is a constant: the bias of the layer that reads the later one.
        self.there = _shifted(network.second, network.first(state)[0])
        self.back = _shifted(network.first, network.second(state)[0])
        self.bend, self.hidden = network.bend, network.hidden

    def forward(self, pictures: Tensor) -> Tensor:
        found = self.trunk(pictures)
        whole = self.whole(self.flatten(self.whole_squeeze(found)))
        state = self.state(self.flatten(self.squeeze(found)), whole)
        ways = [self.hidden(self.bend(layer(state))) for layer in (self.there, self.back)]
        out: Tensor = self.join(state, *ways)
        return out


def _shifted(layer: nn.Linear, by: Tensor) -> nn.Linear:
    """A copy of a layer with `by` (k,) added to its bias."""
    new = nn.Linear(layer.in_features, layer.out_features).to(layer.weight)
    new.weight = nn.Parameter(layer.weight.detach().clone())
    new.bias = nn.Parameter(by.clone() + (0 if layer.bias is None else layer.bias.detach()))
    return new


def _readout(network: ComparisonNetwork, state: Tensor, row: int) -> nn.Linear:
    """The row of a factor over what `Since` gives; its bias is what the earlier photograph counts by itself."""
    crossed = network.heads.weight[row]
    sided = network.network.intra == "antisymmetric"
    straight = network.direct.weight[row]
    parts = [straight, crossed, -crossed] if sided else [straight, 2 * crossed, torch.zeros_like(crossed)]
    weight = torch.cat(parts).detach()
    new = nn.Linear(len(weight), 1).to(weight)
    new.weight = nn.Parameter(weight[None].clone())
    offset = -(state[0] @ straight) + (0 if sided else 2 * network.heads.bias[row])
    new.bias = nn.Parameter(offset.detach().clone()[None])
    return new.requires_grad_(False)


__all__ = ["change_target", "change_targets", "explain_change", "factor_of"]
