"""Whether explanations point at the cause, where the cause is known: see `benchmarks/explain_pairs.py`.

A case counts when the network noticed the change: it moved the score by at least `NOTICED` (half a step of 0..5 of an
action unit, 1 in log odds), and the answer is yes. The other cases have no answer whose cause could be pointed at; they
are counted.

- **made the change**: the regions that, given back their pixels of the picture without the thing, take at least a third
  of what the most important one takes from the score. This is the truth that the table is about: it is measured with
  the other picture of the pair, which no method sees.
- **differs**: the regions whose sum of changed pixels is at least a third of the largest one's. This was the truth of
  earlier pages; it is stricter where hair lies over the forehead, whose strands move with the brows and outweigh them.

By chance: the share of the regions, and of the pixels, that made the change. The same network with shuffled weights is
the control.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from explain_pairs import KINDS, Case, cases
from omokage.attributes.predict import AttributePredictor
from omokage.explain.composites import MODERN
from omokage.explain.evidence import maps, others_of, region_support
from omokage.explain.faithfulness import randomised
from omokage.explain.occlusion import blended, fills_for, hide_each, scores
from omokage.explain.regions import REGIONS, region_masks
from omokage.explain.target import Target
from omokage.metrics.bootstrap import interval
from omokage.pipeline.explain import target_of

METHODS = ("occlusion", "gradients", "lrp plus-flat")
NOTICED = {"log odds": 1.0, "intensity": 0.5}  # what the change must add to the score


@dataclass(frozen=True, slots=True)
class Pointed:
    """One decision: whether the top region made the change, and whether it differs; and how likely the first was."""

    kind: str
    target: str
    method: str
    shuffled: bool
    made: bool
    differs: bool
    by_count: float
    by_area: float


def pointing(
    predictor: AttributePredictor, count: int, first: int, minutes: float, controls: int
) -> tuple[list[Pointed], Counter[tuple[str, str]]]:
    """Decisions about `count` noticed cases of each kind, `controls` of them on shuffled weights as well, of people
    from number `first` on; and how many were not noticed, by (kind, target). Fewer when the minutes are over."""
    until = time.monotonic() + 60 * minutes
    found: list[Pointed] = []
    unseen: Counter[tuple[str, str]] = Counter()
    opened: dict[str, Target] = {}
    left = dict.fromkeys(KINDS, count)
    for k in range(first, first + 4 * count):
        for case in cases(predictor, k, [kind for kind in KINDS if left[kind] > 0]):
            target = opened.setdefault(case.target, target_of(predictor, case.target))
            if not noticed(case, target):
                unseen[case.kind, case.target] += 1
            elif left[case.kind] > 0:
                found += judged(case, target, k, controlled=count - left[case.kind] < controls)
                left[case.kind] -= 1
        if not any(left.values()) or time.monotonic() > until:
            break
    return found, unseen


def noticed(case: Case, target: Target) -> bool:
    """Whether the change moved the score enough, and to a yes."""
    now, before = scores(target, [case.view.image, case.before]).score
    return bool(now - before >= NOTICED[target.score_unit] and (target.score_unit != "log odds" or now >= 0))


def makers(case: Case, target: Target) -> tuple[str, ...]:
    """The regions whose return to their pixels without the thing lowers the score most, down to a third of the
    first."""
    where = case.regions()
    names = [name for i, name in enumerate(REGIONS) if (where == i).any()]
    back = [blended(case.view.image, case.before, where == REGIONS.index(name)) for name in names]
    got = scores(target, [case.view.image, *back]).score
    drops = got[0] - got[1:]
    return tuple(name for name, drop in zip(names, drops, strict=True) if drop >= drops.max() / 3)


def judged(case: Case, target: Target, seed: int, controlled: bool) -> Iterator[Pointed]:
    """What every method points at, on the network and, where wanted, on the same with shuffled weights."""
    made, differs, where = makers(case, target), case.changed(), case.regions()
    by_count = len(made) / np.unique(where).size
    by_area = float(np.isin(where, [REGIONS.index(name) for name in made]).mean())
    for control in (False, True)[: 1 + controlled]:
        network = randomised(target, seed) if control else target
        for method in METHODS:
            top = top_region(network, case, method)
            yield Pointed(case.kind, case.target, method, control, top in made, top in differs, by_count, by_area)


def top_region(target: Target, case: Case, method: str) -> str:
    """The region that a method puts first: by what hiding takes away, or by its share of the map's red."""
    view, where = case.view, case.regions()
    if method == "occlusion":
        fills = fills_for(view)
        counts = next(iter(fills))
        score, _, _ = hide_each(target, view.image, region_masks(where), {counts: fills[counts]})
        return min(score, key=lambda name: score[name][counts])
    name, _, rules = method.partition(" ")
    found = maps(target, [view.image], name, rules or MODERN, others=others_of([view]))
    shares = region_support(found.relevance[0], where)
    return max(shares, key=lambda region: shares[region])


def share(values: ArrayLike) -> str:
    """Mean with its 95 % interval."""
    each = np.asarray(values, float)
    low, high = interval(lambda v: float(v.mean()), each)
    return f"{each.mean():.2f} ({low:.2f} to {high:.2f})"


def pointing_table(found: Sequence[Pointed], unseen: Counter[tuple[str, str]]) -> list[str]:
    """The table, and a sentence on what was not noticed."""
    lines = [
        "| thing | method | top region made the change | chance: count, area | shuffled weights (n) | it differs | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for method in METHODS:
            rows = [p for p in found if p.kind == kind and p.method == method]
            real, control = [p for p in rows if not p.shuffled], [p for p in rows if p.shuffled]
            if real:
                chance = f"{np.mean([p.by_count for p in real]):.2f}, {np.mean([p.by_area for p in real]):.2f}"
                shuffled = f"{share([p.made for p in control])} ({len(control)})" if control else ""
                lines.append(
                    f"| {kind} | {method} | {share([p.made for p in real])} | {chance} | {shuffled} | "
                    f"{share([p.differs for p in real])} | {len(real)} |"
                )
    which = ", ".join(f"{target} {n}" for (_, target), n in unseen.most_common())
    return [*lines, "", f"Not noticed by the network, and so not counted: {which or 'none'}."]
