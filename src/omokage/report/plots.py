"""Small plots as inline SVG: curves with their intervals over a logarithmic or plain axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import takewhile

from omokage.report.charts import ticks
from omokage.report.shell import plain

CSS = """
svg.plot{width:100%;min-width:30rem;max-width:36rem;height:auto}
svg.plot text{font-size:11px;fill:var(--soft)}svg.plot .name{font-size:11px;font-weight:600}
svg.plot .grid{stroke:var(--line)}svg.plot .ground{stroke:var(--soft)}
svg.plot .curve{fill:none;stroke-width:2}svg.plot .band{stroke:none;fill-opacity:.13}
svg.plot .base{stroke:var(--soft);stroke-dasharray:4 4}
svg.plot .trend{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:8 4}
svg.plot .mark{stroke:var(--warn);stroke-width:1.6;stroke-dasharray:2 3}
""".strip()
# Told apart by people who see colours differently, too (after Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#7f7f7f")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 572, 270, 46, 150, 14, 36
_LETTERS = 18  # of a curve's name, which stands in the right margin


@dataclass(frozen=True, slots=True)
class Curve:
    """One named line: points (x, y, low, high) in the order of x; low and high are the interval of y."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]


def curves_svg(
    curves: Sequence[Curve], title: str, across: str, up: str, logarithmic: bool = True, base: float | None = None,
    trend: tuple[float, float] | None = None, marks: Sequence[float] = (),
) -> str:  # fmt: skip
    """Curves with shaded intervals; `base` is a dashed level, e.g. a constant answer. Axis words are `across` and `up`.
    On a plain axis `trend` is a straight line (its value at x = 0, slope), and `marks` are upright lines at some x.

    Points that are no finite number are left out; where none is left, there is no plot (""). Raises ValueError without
    points or with a logarithmic axis from 0.
    """
    if not any(curve.points for curve in curves):
        raise ValueError("a plot needs points")
    curves = [Curve(curve.name, tuple(p for p in curve.points if all(map(math.isfinite, p[:2])))) for curve in curves]
    points = [p for curve in curves for p in curve.points]
    if not points:
        return ""
    xs = sorted({p[0] for p in points})
    if logarithmic and xs[0] <= 0:
        raise ValueError("a logarithmic axis has no 0")
    known = [v for p in points for v in p[1:] if math.isfinite(v)] + ([base] if base is not None else [])
    levels = ticks(min(known), max(known))
    ends = (math.log(xs[0]), math.log(xs[-1])) if logarithmic else (xs[0], xs[-1])
    place = _Place(*ends, levels[0], levels[-1])
    parts = [f'<svg class="plot" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}"><title>{plain(title)}</title>']
    parts += _axes(place, levels, xs, logarithmic, across, up)
    if base is not None:
        y = place.y(base)
        parts.append(f'<line class="base" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
    parts += _upright(place, trend, marks, (xs[0], xs[-1]))
    for colour, curve in zip(COLOURS * (len(curves) // len(COLOURS) + 1), curves, strict=False):
        parts += _line(curve, place, logarithmic, colour)
    parts += _names(curves, place)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Place:
    """From values to pixels."""

    left: float
    right: float
    low: float
    high: float

    def x(self, value: float, logarithmic: bool) -> float:
        at = math.log(value) if logarithmic else value
        share = (at - self.left) / (self.right - self.left) if self.right > self.left else 0.5
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return _TOP + (self.high - inside) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def _axes(
    place: _Place, levels: Sequence[float], xs: Sequence[float], logarithmic: bool, across: str, up: str
) -> list[str]:
    bottom, parts = _HEIGHT - _BOTTOM, []
    for value in levels:
        y = place.y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    parts.append(f'<line class="ground" x1="{_LEFT}" y1="{bottom}" x2="{_WIDTH - _RIGHT}" y2="{bottom}"/>')
    last = -math.inf
    for value in xs:
        at = place.x(value, logarithmic)
        if at - last >= 30:  # labels must not run into each other
            parts.append(f'<text x="{at:.1f}" y="{bottom + 15}" text-anchor="middle">{round(value, 2):g}</text>')
            last = at
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 5}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_TOP - 3}" text-anchor="start">{plain(up)}</text>')
    return parts


def _upright(
    place: _Place, trend: tuple[float, float] | None, marks: Sequence[float], ends: tuple[float, float]
) -> list[str]:
    parts = []
    for x in (place.x(mark, False) for mark in marks):
        parts.append(f'<line class="mark" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}"/>')
    if trend is not None:
        (x1, y1), (x2, y2) = ((place.x(x, False), place.y(trend[0] + trend[1] * x)) for x in ends)
        parts.append(f'<line class="trend" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    return parts


def _line(curve: Curve, place: _Place, logarithmic: bool, colour: str) -> list[str]:
    if not curve.points:
        return []
    along = [place.x(p[0], logarithmic) for p in curve.points]
    middle = " ".join(f"{x:.1f},{place.y(p[1]):.1f}" for x, p in zip(along, curve.points, strict=True))
    banded = [(x, p) for x, p in zip(along, curve.points, strict=True) if math.isfinite(p[2]) and math.isfinite(p[3])]
    edge = [f"{x:.1f},{place.y(p[2]):.1f}" for x, p in banded] + [
        f"{x:.1f},{place.y(p[3]):.1f}" for x, p in banded[::-1]
    ]
    dots = (
        f'<circle cx="{x:.1f}" cy="{place.y(p[1]):.1f}" r="2.6" fill="{colour}"/>'
        for x, p in zip(along, curve.points, strict=True)
    )
    return [
        f'<polygon class="band" fill="{colour}" points="{" ".join(edge)}"/>',
        f'<polyline class="curve" stroke="{colour}" points="{middle}"/>',
        *dots,
    ]


def _names(curves: Sequence[Curve], place: _Place) -> list[str]:
    """The curves' names at their right ends, moved apart where they would overlap."""
    ends = sorted((place.y(c.points[-1][1]), k) for k, c in enumerate(curves) if c.points)
    names = shortened([curve.name for curve in curves])
    parts, last = [], -math.inf
    for y, k in ends:
        last = max(y, last + 13)
        colour = COLOURS[k % len(COLOURS)]
        at = f'x="{_WIDTH - _RIGHT + 6}" y="{last + 4:.1f}"'
        parts.append(f'<text class="name" {at} style="fill:{colour}">{plain(names[k])}</text>')
    return parts


def shortened(names: Sequence[str]) -> list[str]:
    """Names of at most `_LETTERS` letters: the ends of long ones, which tell files apart, or of those that end alike
    the part before."""
    ends = [_cut(name, len(name)) for name in names]
    found = []
    for name, end in zip(names, ends, strict=True):
        alike = [other for other, its in zip(names, ends, strict=True) if its == end and other != name]
        common = max((_common_end(name, other) for other in alike), default=0)
        found.append(_cut(name, len(name) - common + _LETTERS // 2 - 1) if common else end)
    return found


def _common_end(one: str, other: str) -> int:
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _cut(name: str, stop: int) -> str:
    """The letters before `stop` as far as there is room, dots where others are left out."""
    if len(name) <= _LETTERS:
        return name
    start = max(stop - _LETTERS + (1 if stop == len(name) else 2), 0)
    return ("…" if start else "") + name[start:stop] + ("…" if stop < len(name) else "")
