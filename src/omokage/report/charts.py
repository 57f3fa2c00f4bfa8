"""Small line charts as SVG files that need nothing around them: panels beside each other, curves with their intervals.

Every curve is drawn over named steps at equal distances, as a robustness curve has them; colours are told apart by the
colour-blind as well (after Okabe and Ito, 2008), and each curve has a mark of its own for print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_WIDTH, _HEIGHT = 300, 210  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 30, 44
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:12px}.axis{stroke:#888}"
    ".grid{stroke:#e4e4e4}"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: a value at some of the panel's steps (index, value, low, high), in rising order of the index."""

    name: str
    points: tuple[tuple[int, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its title, the names of its steps, and its curves. Raises ValueError for points beside the steps."""

    title: str
    steps: tuple[str, ...]
    curves: tuple[Curve, ...]
    x_label: str = ""

    def __post_init__(self) -> None:
        if any(not 0 <= point[0] < len(self.steps) for curve in self.curves for point in curve.points):
            raise ValueError(f"{self.title}: a point lies beside the {len(self.steps)} steps")


def figure(panels: Sequence[Panel], columns: int = 3) -> str:
    """An SVG document of all panels with one legend below. A name keeps its colour in every panel."""
    names = list(dict.fromkeys(curve.name for panel in panels for curve in panel.curves))
    rows = max(1, math.ceil(len(panels) / columns))
    width, height = columns * _WIDTH, rows * _HEIGHT + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for k, panel in enumerate(panels):
        at = f"translate({k % columns * _WIDTH},{k // columns * _HEIGHT})"
        parts.append(f'<g transform="{at}">{_panel(panel, names)}</g>')
    left = 20.0
    for name in names:
        colour = COLOURS[names.index(name) % len(COLOURS)]
        y = height - 12
        parts.append(f'<line x1="{left:.0f}" x2="{left + 18:.0f}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}"/>')
        parts.append(_mark(left + 9, y - 4, names.index(name)))
        parts.append(f'<text x="{left + 24:.0f}" y="{y}">{escape(name)}</text>')
        left += 44 + 6.5 * len(name)
    return "".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from at most `low` to at least `high`, `about` as many steps as asked for."""
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        high = low + (abs(low) or 1.0)
    raw = (high - low) / about
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{k * step:.15g}") for k in range(first, last + 1)]


def _panel(panel: Panel, names: Sequence[str]) -> str:
    values = [v for curve in panel.curves for _, *rest in curve.points for v in rest if math.isfinite(v)]
    marks = ticks(min(values), max(values)) if values else [0.0, 1.0]
    low, high = marks[0], marks[-1]

    def across(index: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (index + 0.5) / len(panel.steps)

    def up(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts = [f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>']
    for value in marks:
        y = up(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    base = _HEIGHT - _BOTTOM
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>')
    for k, step in enumerate(panel.steps):
        parts.append(f'<text x="{across(k):.1f}" y="{base + 15}" text-anchor="middle">{escape(step)}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{base + 30}" text-anchor="middle">{escape(panel.x_label)}</text>')
    for curve in panel.curves:
        parts.append(_curve(curve, names.index(curve.name), across, up))
    return "".join(parts)


def _curve(curve: Curve, number: int, across: Callable[[int], float], up: Callable[[float], float]) -> str:
    """The interval as a pale band, the line, and a mark at each step."""
    colour = COLOURS[number % len(COLOURS)]
    points = [p for p in curve.points if all(math.isfinite(v) for v in p)]
    edge = [f"{across(k):.1f},{up(high):.1f}" for k, _, _, high in points]
    edge += [f"{across(k):.1f},{up(low):.1f}" for k, _, low, _ in reversed(points)]
    line = " ".join(f"{across(k):.1f},{up(v):.1f}" for k, v, _, _ in points)
    marks = "".join(_mark(across(k), up(v), number) for k, v, _, _ in points)
    return (
        f'<polygon points="{" ".join(edge)}" fill="{colour}" fill-opacity="0.15"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>{marks}'
    )


def _mark(x: float, y: float, number: int) -> str:
    """A disc, a square or a diamond."""
    colour = COLOURS[number % len(COLOURS)]
    if number % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if number % 3 == 2 else ""
    return f'<rect x="{x - 2.6:.1f}" y="{y - 2.6:.1f}" width="5.2" height="5.2" fill="{colour}"{turn}/>'
