"""Who is read worse: labelled faces by group, and the worst group beside the mean of the groups.

A group is a value of a column of the labels. Nobody labels skin tone, so `skin_tone` may also be what the network
itself says of each face, cut into fifths of its scale: melanin from 0 (lightest) to 1 (darkest), as the renderer has
it. That measure is learnt from rendered skin under many lights; it is no dermatological scale, and a face without an
answer has none, so that found rates cannot be told apart by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omokage.errors import InputError
from omokage.metrics.labels import Face
from omokage.metrics.table import FEWEST_DRAWN, FOUND, Pair, TableScore

TONE = "skin_tone"
NO_ANSWER = "no answer"  # the group of faces whose skin tone is not known
FIFTHS = ("0.0-0.2", "0.2-0.4", "0.4-0.6", "0.6-0.8", "0.8-1.0")
FEWEST = 20  # labelled faces below which a group is not called the worst: chance would name it


@dataclass(frozen=True, slots=True)
class Worst:
    """The group in which a measure is worst: its value with interval and count, the mean over `groups` groups."""

    measure: str
    group: str
    value: float
    low: float
    high: float
    n: int
    mean: float
    groups: int


def grouped(pairs: Sequence[Pair], by: str) -> dict[str, list[Pair]]:
    """The labels of each group with their faces, in order of the groups' names; rows that leave the column empty are in
    none.

    Raises InputError when `by` is neither a column of the labels nor `skin_tone` in answers that have it.
    """
    columns = pairs[0][0]
    if by not in columns and by != TONE:
        raise InputError(
            f"the labels have no column {by!r}; they have {', '.join(columns)}; {TONE} can be read off the answers"
        )
    if by not in columns and all(face is None or face.get(TONE) is None for _, face in pairs):
        raise InputError(f"neither the labels nor the answers have {TONE!r}: analyze with weights that estimate it")
    out: dict[str, list[Pair]] = {}
    for row, face in pairs:
        if name := row[by] if by in columns else _tone(face):
            out.setdefault(name, []).append((row, face))
    return dict(sorted(out.items()))


def _tone(face: Face | None) -> str:
    value = None if face is None else face.get(TONE)
    return NO_ANSWER if value is None else fifth(float(value))


def less_is_better(measure: str) -> bool:
    """Whether a measure of `metrics.table` is an error or a width."""
    return ("error" in measure and "below sigma" not in measure) or "median width" in measure


def fifth(value: float) -> str:
    """The name of the fifth of 0..1 in which a skin tone lies."""
    return FIFTHS[min(max(int(value * 5), 0), 4)]


def worst_groups(scored: Mapping[str, Sequence[TableScore]], fewest: int = FEWEST) -> list[Worst]:
    """For every measure that two or more groups of at least `fewest` labelled faces have: the worst of them, and their
    mean, each group counting the same. `scored` holds the groups' scores by name.

    A value without an interval (too few people) is not compared, nor any but the found rate of a group in which no
    face was found: its errors are those of guesses, which chance can make the smallest of all.
    """
    by_measure: dict[str, dict[str, TableScore]] = {}
    blind = _blind(scored)
    for group, rows in scored.items():
        for s in rows:
            seen = s.measure == FOUND or group not in blind
            if group != NO_ANSWER and s.n >= fewest and math.isfinite(s.low) and seen:
                by_measure.setdefault(s.measure, {})[group] = s
    found = []
    for measure, groups in by_measure.items():
        if len(groups) > 1:
            sign = -1 if less_is_better(measure) else 1
            name, s = min(groups.items(), key=lambda item: sign * item[1].value)
            mean = sum(g.value for g in groups.values()) / len(groups)
            found.append(Worst(measure, name, s.value, s.low, s.high, s.n, mean, len(groups)))
    return found


def left_out(scored: Mapping[str, Sequence[TableScore]]) -> list[str]:
    """Sentences about the groups that `worst_groups` does not compare, other than those with few labelled faces."""
    said = []
    if blind := _blind(scored):
        said.append(
            f"no face was found in {_some(blind)}: only the found rate is compared there, all other values are guesses"
        )
    if few := [group for group, rows in scored.items() if any(s.measure == FOUND and math.isnan(s.low) for s in rows)]:
        said.append(
            f"fewer than {FEWEST_DRAWN} people (faces, where column person is not filled) are in {_some(few)}: there "
            "is no interval, and no such group is called the worst"
        )
    return said


def _blind(scored: Mapping[str, Sequence[TableScore]]) -> list[str]:
    """The groups in which no face was found; among faces without a skin tone this is no news."""
    return [
        group
        for group, rows in scored.items()
        if group != NO_ANSWER and any(s.measure == FOUND and s.value == 0 for s in rows)
    ]


def _some(groups: Sequence[str]) -> str:
    """The first few of them in words."""
    more = f" and {len(groups) - 5} more" if len(groups) > 5 else ""
    return f"{'group' if len(groups) == 1 else 'groups'} {', '.join(repr(g) for g in groups[:5])}{more}"
