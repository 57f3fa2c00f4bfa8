"""All evidence for one answer in one call: map, table of regions with intervals, warnings, faithfulness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.errors import InputError
from omokage.explain import faithfulness as judging
from omokage.explain.canonizers import canonized
from omokage.explain.composites import MODERN, Composite, composite
from omokage.explain.gradients import Attributed, integrated, smoothed
from omokage.explain.lrp import NOTICE, propagate
from omokage.explain.occlusion import FILLS, fills_for, hide_each, patch_map, scores
from omokage.explain.ordinary import ordinary
from omokage.explain.regions import OUTSIDE, REGIONS, region_map, region_masks, shown
from omokage.explain.target import Image, Target, View
from omokage.metrics.ranks import rank_correlation
from omokage.nn.surroundings import opening
from omokage.results import FaceCrop, Faithfulness, RegionEvidence, RelevanceMap

METHODS = ("occlusion", "gradients", "smoothgrad", "lrp")
_OUTSIDE_SHARE = 0.5  # of all relevance, from which on what is not face decides

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Relevance (b, n, n) of pictures, its sum over what it should sum to for each (b,), and how exact that should
    be."""

    relevance: Floats
    kept: Floats | None = None
    allowed: float | None = None


def maps(
    target: Target,
    images: Sequence[Image],
    method: str,
    rules: str = MODERN,
    before: Sequence[Image] | None = None,
    others: Sequence[Image] | None = None,
) -> Maps:
    """Relevance maps of crops by one of `METHODS`. `rules` names a rule set of `composites`, for propagation only.
    Gradient methods start from `others`, ordinary faces of the same size (`others_of`), or else from the blurred crops.

    With `before`, as many crops of the photographs that these are compared with, maps explain the change between the
    two: patches and paths start from there, and propagation takes the difference of both pictures' relevance. Raises
    InputError for unknown words, and where propagation does not fit the network.
    """
    if method not in METHODS:
        raise InputError(f"no method called {method!r}; choose among {', '.join(METHODS)}")
    if method == "occlusion":
        starts = [None] * len(images) if before is None else before
        found = [patch_map(target, image, before=start) for image, start in zip(images, starts, strict=True)]
        return Maps(np.stack(found).astype(np.float64))
    if method == "lrp":
        return _propagated(target, images, composite(rules), before)
    rivals = others if before is None else before
    start = None if rivals is None else np.stack(rivals)
    if method == "gradients":
        return _summed(integrated(target, np.stack(images), before=start))
    return _summed(smoothed(target, np.stack(images), before=start))


def others_of(views: Sequence[View]) -> list[Image]:
    """What ordinary faces would look like in the place of these."""
    return [ordinary(view.image, view.points, np.zeros(view.image.shape[:2], bool)) for view in views]


def _summed(found: Attributed) -> Maps:
    relevance = found.relevance.double().cpu().numpy()
    if found.total is None:
        return Maps(relevance)
    total = found.total.double().cpu().numpy()
    return Maps(relevance, _ratio(relevance.sum((1, 2)), total), judging.COMPLETE)


def _propagated(
    target: Target, images: Sequence[Image], rules: Composite, before: Sequence[Image] | None = None
) -> Maps:
    """Propagation of the score's local contrast: how the raw numbers would move it."""
    pictures = target.prepare(np.stack([*images, *(before or ())]))

    def contrast(raw: Tensor) -> Tensor:
        with torch.enable_grad():
            at = raw.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(target.score(at).sum(), at)
        return slope

    found = propagate(canonized(target.body), target.readout, contrast, pictures, rules)
    relevance, start = (t.double().cpu().numpy() for t in (found.relevance.sum(1), found.start))
    if before is not None:
        relevance, start = (v[: len(images)] - v[len(images) :] for v in (relevance, start))
    kept = _ratio(relevance.sum((1, 2)), start)
    return Maps(relevance, kept, judging.CONSERVED if rules.conserves else None)


def _ratio(found: Floats, wanted: Floats) -> Floats:
    return np.asarray(found / np.where(wanted == 0, 1e-12, wanted))


@opening()
def explained(
    target: Target, views: Sequence[View], crop: FaceCrop, method: str = "occlusion", rules: str = MODERN
) -> RelevanceMap:
    """Everything about one answer. `views[0]` is the crop itself, the others are the same face cut a little off.

    Raises InputError for unknown words, ValueError without views.
    """
    if not views:
        raise ValueError("at least one view is needed")
    images = [view.image for view in views]
    found = maps(target, images, method, rules, _before(views), others_of(views))
    places = [region_map(v.points, v.image.shape[0], v.segmentation) for v in views]
    shares = _shares(found.relevance, places)
    effects, answers, pictures, by_fill = _hidden(target, views, places)
    got = scores(target, images[:1])
    support = region_support(found.relevance[0], places[0])
    regions = _table(places[0], shares, support, effects, answers, by_fill, pictures)
    conservation = None if found.kept is None else float(found.kept[0])
    checks = _faithful(target, views[0], places[0], found, method, rules, regions, conservation)
    return RelevanceMap(
        target=target.name,
        method=f"lrp ({rules})" if method == "lrp" else method,
        answer=float(got.answer[0]),
        answer_unit=target.answer_unit,
        score=float(got.score[0]),
        score_unit=target.score_unit,
        relevance=found.relevance[0].astype(np.float32),
        crop=crop,
        region_map=places[0],
        regions=regions,
        faithfulness=checks,
        warnings=warnings(regions, target.about),
        notice=NOTICE if method == "lrp" else "",
    )


def _before(views: Sequence[View]) -> list[Image] | None:
    """The crops that these are compared with, or None where one has none."""
    found = [view.before for view in views if view.before is not None]
    return found if len(found) == len(views) else None


def region_shares(relevance: Floats, places: NDArray[np.uint8]) -> dict[str, float]:
    """Each region's sum of relevance over the sum of all absolute relevance (n, n): -1..1."""
    total = float(np.abs(relevance).sum()) or 1.0
    return {name: float(relevance[places == i].sum()) / total for i, name in enumerate(REGIONS)}


def region_support(relevance: Floats, places: NDArray[np.uint8]) -> dict[str, float]:
    """Each region's share (0..1) of what the heat map of (n, n) shows as speaking for the target."""
    red = shown(relevance).clip(min=0)
    total = float(red.sum()) or 1.0
    return {name: float(red[places == i].sum()) / total for i, name in enumerate(REGIONS)}


def _shares(relevance: Floats, places: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
    return [region_shares(one, where) for one, where in zip(relevance, places, strict=True)]


Effects = dict[str, list[float]]


def _hidden(
    target: Target, views: Sequence[View], places: Sequence[NDArray[np.uint8]]
) -> tuple[Effects, Mapping[str, float], Mapping[str, Image], Mapping[str, Mapping[str, float]]]:
    """What hiding each region takes from the score in every view, by the fill that counts; of the first view also
    answers and pictures, and the effect of every fill."""
    effects: Effects = {}
    answers: dict[str, float] = {}
    pictures: dict[str, Image] = {}
    by_fill: dict[str, dict[str, float]] = {}
    before = scores(target, [view.image for view in views]).score
    for k, (view, where) in enumerate(zip(views, places, strict=True)):
        fills = fills_for(view)
        counts = next(iter(fills))
        tried = fills if k == 0 else {counts: fills[counts]}
        score, answer, drawn = hide_each(target, view.image, region_masks(where), tried)
        for name, values in score.items():
            drops = {fill: float(before[k]) - value for fill, value in values.items()}
            effects.setdefault(name, []).append(drops[counts])
            if k == 0:
                by_fill[name] = drops
                answers[name] = answer[name][counts]
        if k == 0:
            pictures = drawn
    return {n: v for n, v in effects.items() if n in by_fill}, answers, pictures, by_fill


def _table(
    places: NDArray[np.uint8],
    shares: Sequence[Mapping[str, float]],
    support: Mapping[str, float],
    effects: Effects,
    answers: Mapping[str, float],
    by_fill: Mapping[str, Mapping[str, float]],
    pictures: Mapping[str, Image],
) -> tuple[RegionEvidence, ...]:
    """Regions that are in the crop, the one whose hiding takes most first."""
    rows = []
    for name, values in effects.items():
        relevance = [share[name] for share in shares]
        rows.append(
            RegionEvidence(
                name=name,
                area=float((places == REGIONS.index(name)).mean()),
                relevance=relevance[0],
                relevance_low=min(relevance),
                relevance_high=max(relevance),
                effect=values[0],
                effect_low=min(values),
                effect_high=max(values),
                effect_by_fill=by_fill[name],
                answer_hidden=answers[name],
                hidden=pictures[name],
                support=support[name],
            )
        )
    return tuple(sorted(rows, key=lambda r: -r.effect))


def _faithful(
    target: Target,
    view: View,
    places: NDArray[np.uint8],
    found: Maps,
    method: str,
    rules: str,
    regions: Sequence[RegionEvidence],
    conservation: float | None,
) -> Faithfulness:
    """The checks; occlusion is compared with gradients, every other method with hiding the regions."""
    image, before, others = [view.image], _before([view]), others_of([view])
    flipping = judging.flipped(target, view.image, found.relevance[0], before=view.before)
    ours = {r.name: r.effect if method == "occlusion" else r.relevance for r in regions}
    if method == "occlusion":
        rival = region_shares(maps(target, image, "gradients", before=before, others=others).relevance[0], places)
        name = "gradients"
    else:
        rival, name = {r.name: r.effect for r in regions}, "occlusion"
    agreement = rank_correlation([ours[n] for n in ours], [rival[n] for n in ours])
    other = maps(judging.randomised(target), image, method, rules, before, others).relevance[0]
    random_map = rank_correlation(judging.blocks_of(found.relevance[0]), judging.blocks_of(other))
    return judging.judged(flipping, agreement, name, random_map, conservation, found.allowed)


def warnings(regions: Sequence[RegionEvidence], about: Sequence[str] = ()) -> tuple[str, ...]:
    """Sentences for the reader: something other than the face decides, or the fill does. `about` names regions that
    the answer is meant to come from."""
    outside = [r for r in regions if r.name in OUTSIDE and r.name not in about]
    said = []
    strongest = max(regions, key=lambda r: abs(r.effect), default=None)
    if strongest is not None and strongest in outside:
        said.append(f"hiding the {strongest.name} changes the answer more than hiding any part of the face")
    share = sum(abs(r.relevance) for r in outside)
    if share > _OUTSIDE_SHARE * sum(abs(r.relevance) for r in regions) > 0:
        said.append(f"most relevance lies outside the face ({', '.join(r.name for r in outside)})")
    if strongest is not None:
        values = list(strongest.effect_by_fill.values())
        if min(values) < 0 < max(values) and min(-min(values), max(values)) > 0.25 * abs(strongest.effect):
            said.append(f"what hiding the {strongest.name} does depends on what it is filled with: judge with care")
    return tuple(said)


def without_pictures(found: RelevanceMap) -> RelevanceMap:
    """The same without the pictures of hidden regions: a tenth of the memory, for many faces."""
    return replace(found, regions=tuple(replace(r, hidden=None) for r in found.regions))


__all__ = [
    "FILLS", "METHODS", "Maps", "explained", "maps", "others_of", "region_shares", "region_support", "warnings",
    "without_pictures",
]  # fmt: skip
