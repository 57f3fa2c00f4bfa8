"""The timeline of a series of photographs: the pictures with their dates, a curve for each factor with its interval,
trend and change points, the numbers, and what was left out and why. One HTML file without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.report.change_words import name_of_factor
from omokage.report.comparison import status_text, words_of, write_page
from omokage.report.drawing import data_uri
from omokage.report.plots import CSS as PLOTS
from omokage.report.plots import Curve, curves_svg
from omokage.report.shell import plain

Floats = NDArray[np.float64]
_OWN = """
.strip{display:flex;flex-wrap:wrap;gap:.6rem}.strip figure{margin:0;width:6rem}
.strip img{width:6rem;height:6rem;border-radius:6px;display:block}
.strip figcaption{font-size:.72rem;overflow-wrap:anywhere;color:var(--soft)}
""".strip()
_CURVES = """
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr));gap:0 1.5rem}
.curves>*{min-width:0}
""".strip()
_SIDE = 144  # pixels of a picture of the strip


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One factor over the series: `values` and `spread` (standard deviations) (n,), the trend with its interval, and
    the places from which on the level is another one."""

    values: Floats
    spread: Floats
    slope: float
    low: float
    high: float
    jumps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """`names` as shown, `times` and `pictures` (or none) of the photographs (n) in order; `dated`: times are years; the
    courses to draw by factor; `left_out`: photographs with the status that says why."""

    names: Sequence[str]
    times: Sequence[float]
    dated: bool
    courses: Mapping[str, Course]
    left_out: Sequence[tuple[str, str]] = ()
    pictures: Sequence[NDArray[np.uint8] | None] = ()


def write_timeline(path: Path, series: Series, language: str = "en", about: Mapping[str, str] | None = None) -> None:
    """Write the timeline whole or not at all. Raises InputError for an unknown language, and OutputError."""
    words = words_of(language)
    lines = lines_of(series, language)
    parts = [_strip(series, words), f'<p class="soft">{escape(words["curves"])}</p>', _table(lines)]
    parts.append(f'<p class="soft">{escape(words["chance"])}</p>')
    if not series.dated:
        parts.append(f'<p class="review">{escape(words["by_name"])}</p>')
    if series.left_out:
        rows = "".join(f"<li>{plain(name)}: {plain(status_text(why, language))}</li>" for name, why in series.left_out)
        parts.append(f"<h3>{escape(words['left_out'])}</h3><ul>{rows}</ul>")
    curves = "".join(f"<div>{_curve(series, name, language)}</div>" for name in series.courses)
    body = f'{"".join(parts)}<div class="curves">{curves}</div>'
    write_page(path, words["timeline"], words["lead"], body, language, about or {}, f"{_OWN}\n{_CURVES}\n{PLOTS}")


def lines_of(series: Series, language: str) -> list[tuple[str, ...]]:
    """Rows of words and numbers, the heads first: factor, trend, its interval, where the level changes."""
    words = words_of(language)
    rows: list[tuple[str, ...]] = [
        (words["factor"], words["trend"] if series.dated else words["trend_place"], "5-95 %", words["jumps"])
    ]
    for name, c in series.courses.items():
        jumps = ", ".join(series.names[k] for k in c.jumps) or "–"
        rows.append((name_of_factor(name, language), f"{c.slope:+z.2f}", f"{c.low:+z.2f} … {c.high:+z.2f}", jumps))
    return rows


def _strip(series: Series, words: Mapping[str, str]) -> str:
    figures = []
    for k, picture in enumerate(series.pictures):
        if picture is not None:
            when = f" ({series.times[k]:.2f})" if series.dated else ""
            name = plain(series.names[k])
            figures.append(f'<figure><img alt="{name}" src="{data_uri(picture, _SIDE)}">'
                           f"<figcaption>{k + 1}. {name}{when}</figcaption></figure>")  # fmt: skip
    said = f'<p class="soft">{escape(words["strip"])}</p>' if series.dated and figures else ""
    return f'<div class="strip">{"".join(figures)}</div>{said}'


def _curve(series: Series, name: str, language: str) -> str:
    """Places count from 1 on the axis, as in the strip; years from 0."""
    words, c, title = words_of(language), series.courses[name], name_of_factor(name, language)
    along = np.asarray(series.times, np.float64) + (0.0 if series.dated else 1.0)
    reach = 1.645 * c.spread
    points = tuple(
        (float(t), float(v), float(v - r), float(v + r)) for t, v, r in zip(along, c.values, reach, strict=True)
    )
    trend = float(np.median(c.values - c.slope * along)), c.slope
    across = words["years"] if series.dated else words["place"]
    marks = [float(along[k]) for k in c.jumps]
    svg = curves_svg([Curve("", points)], title, across, words["value"], False, 0.0, trend, marks)
    return f'<h3>{plain(title)}</h3><div class="drawing">{svg}</div>'


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in lines[0])
    rows = "".join(f"<tr>{''.join(f'<td>{plain(cell)}</td>' for cell in line)}</tr>" for line in lines[1:])
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
