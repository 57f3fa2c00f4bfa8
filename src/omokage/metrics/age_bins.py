"""Age bins as a scale: neighbours lie one step apart, whichever of the bins the labels happen to name.

A bin is a span of years, the last one exclusive. Without a bin for the years between two others, these would count as
neighbours: an age 50 years off would be within one bin.
"""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[float, float]
OLDEST = 200.0
# The nine of FairFace, which most labels use.
USUAL: tuple[Span, ...] = ((0.0, 3.0), (3.0, 10.0), *((10.0 * k, 10.0 * k + 10) for k in range(1, 7)), (70.0, OLDEST))


def scale(named: Iterable[Span]) -> list[Span]:
    """The bins on which answers are counted: the nine usual ones where all that are named are among these, else the
    named ones with one bin for all years of each gap, before the first and after the last too."""
    spans = set(named)
    if spans <= set(USUAL):
        return list(USUAL)
    return sorted({*spans, *_gaps([(0.0, 0.0), *spans, (OLDEST, OLDEST)])})


def gaps(named: Iterable[Span]) -> list[Span]:
    """The years between bins that `scale` can count as one bin only, as it does not know how they are cut."""
    spans = set(named)
    return [] if spans <= set(USUAL) else _gaps(spans)


def place(years: float | None, bins: list[Span]) -> int:
    """The number of the bin in which an age lies; without an age far from every bin."""
    if years is None:
        return -9
    return next((i for i, (_, high) in enumerate(bins) if max(years, 0.0) < high), len(bins) - 1)


def _gaps(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    reached: float | None = None
    for low, high in sorted(spans):
        if reached is not None and low > reached:
            found.append((reached, low))
        reached = high if reached is None else max(reached, high)
    return found
