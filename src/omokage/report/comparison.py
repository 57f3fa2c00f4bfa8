"""The change card: both photographs aligned, signed bars with error bars, a map of where.

One self-contained HTML file without script: the first photograph lies over the second in a box that can be drawn
wider at its corner, or set in five steps by keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.language import check_language
from omokage.media.files import whole_file
from omokage.report.change_words import STATUS, TEXT, WARNINGS, name_of_factor, name_of_look
from omokage.report.drawing import data_uri
from omokage.report.shell import END, fact_rows, head, made_by, plain
from omokage.results import Change, FaceChange

_OWN = """
.over{position:relative;width:20rem;height:20rem;border-radius:8px;overflow:hidden;background:var(--line)}
.over img{position:absolute;left:0;top:0;width:20rem;height:20rem;display:block}
.over .upper{position:absolute;left:0;top:0;width:50%;height:100%;max-width:100%;min-width:2px;overflow:hidden;
resize:horizontal;border-right:3px solid #fff}
.cut{display:flex;gap:.6rem;border:0;margin:.3rem 0;padding:0}
.where{width:20rem;height:20rem;border-radius:8px;display:block}
.pair{display:flex;flex-wrap:wrap;gap:1.2rem;margin-top:.6rem}.pair>div{max-width:20rem}
p.review{display:table;margin:.35rem 0}
svg.changes{width:100%;min-width:36rem;max-width:46rem;height:auto}
svg.changes text{font-size:12px;fill:var(--ink)}svg.changes .soft{fill:var(--soft);font-size:11px}
svg.changes .zero{stroke:var(--soft)}svg.changes .bar{fill:var(--accent)}svg.changes .bar.faint{fill:var(--line)}
svg.changes .error{stroke:var(--ink);stroke-width:1.4}svg.changes .beyond{fill:var(--ink)}
""".strip()
_STEPS = tuple(range(0, 101, 25))  # percent of the first photograph that are seen
# Dragging the edge leaves a width on the box itself, which only an important rule is above; where it always held,
# nothing could be dragged after a step.
_CUTS = "".join(
    f".pair>div:has(.s{k}:checked) .upper{{width:{width}%}}"
    f".pair>div:has(.s{k}:checked:focus) .upper{{width:{width}%!important}}"
    for k, width in enumerate(_STEPS)
)
_RANGE = {"age": 20.0, "fatness": 1.0}  # what fills half of a bar's axis; 1 for units
_SHOWN = 14  # rows of the table of bars
_WIDE = 640  # of the drawing: names, bars, and numbers of at most 30 characters


@dataclass(frozen=True, slots=True, eq=False)
class ChangeCard:
    """What a card shows: the answer, both aligned crops (n, n, 3) or None, where (cells, cells) or None, and the
    probability of one person below which nothing is compared."""

    change: FaceChange
    before: NDArray[np.uint8] | None = None
    after: NDArray[np.uint8] | None = None
    where: NDArray[np.float64] | None = None
    limit: float | None = None


def write_card(path: Path, card: ChangeCard, language: str = "en", about: Mapping[str, str] | None = None) -> None:
    """Write the change card whole or not at all. Raises InputError for an unknown language, and OutputError."""
    words = words_of(language)
    change = card.change
    parts = [f"<h2>{plain(change.before)} → {plain(change.after)}</h2>"]
    if change.status != "ok":
        parts.append(f'<p class="review">{plain(status_text(change.status, language))}</p>')
    if change.same_person is not None:
        parts.append(f"<p>{escape(same_text(change, card.limit, language))}</p>")
    parts += [f'<p class="review">{escape(WARNINGS[language][name])}</p>' for name in change.warnings]
    if change.controlled:
        parts.append(f"<p>{escape(words['controlled'])}</p>")
    parts.append(_pictures(card, language))
    if change.own:
        parts.append(_own_table(change, language))
    if change.factors:
        parts += [f"<h3>{words['changes']}</h3>", f'<p class="soft">{escape(words["bars"])}</p>']
        parts.append(f'<div class="drawing">{changes_svg(change, language)}</div>')
        parts += [_table(change, language), _others(change, language)]
    write_page(path, words["title"], words["lead"], "".join(parts), language, about or {}, f"{_OWN}\n{_CUTS}")


def words_of(language: str) -> Mapping[str, str]:
    """The words of the pages. Raises InputError for an unknown language."""
    check_language(language)
    return TEXT[language]


def same_text(change: FaceChange, limit: float | None, language: str) -> str:
    """How likely it is one person; where that is too little, how much is needed."""
    words = TEXT[language]
    short = change.status == "different_people" and limit is not None
    needed = f" ({words['needed']}: {limit:.2f})" if short else ""
    return f"{words['same']}: {change.same_person:.2f}{needed}"


def status_text(status: str, language: str) -> str:
    """A status as a sentence."""
    kind, _, why = status.partition(": ")
    text = STATUS[language].get(kind, kind)
    return f"{text} ({why})" if why else text


def _pictures(card: ChangeCard, language: str) -> str:
    words = TEXT[language]
    if card.before is None or card.after is None:
        return ""
    one, two = data_uri(card.before, 320), data_uri(card.after, 320)
    found = [
        f'<div><div class="over"><img alt="{escape(words["after"])}" src="{two}"><div class="upper">'
        f'<img alt="{escape(words["before"])}" src="{one}"></div></div>{_steps(words)}'
        f'<p class="soft">{escape(words["slide"])}</p></div>'
    ]
    if card.where is not None and float(card.where.max(initial=0)) > 0:
        found.append(
            f'<div>{_where(two, card.where, words["where"])}<p class="soft">{escape(words["where"])}</p></div>'
        )
    return f'<div class="pair">{"".join(found)}</div>'


def _steps(words: Mapping[str, str]) -> str:
    """Five places of the edge between the photographs, for keys: a group of choices, which arrow keys walk through."""
    choices = "".join(
        f'<input type="radio" name="cut" class="s{k}" aria-label="{width} %"{" checked" if k == 2 else ""}>'
        for k, width in enumerate(_STEPS)
    )
    return f'<fieldset class="cut" aria-label="{escape(words["edge"])}">{choices}</fieldset>'


def _where(uri: str, where: NDArray[np.float64], title: str) -> str:
    """The second photograph under a grid whose opacity says where the answer rests."""
    cells, top = len(where), float(where.max())
    rects = (
        f'<rect x="{c}" y="{r}" width="1.01" height="1.01" fill="#ff3d2e" '
        f'fill-opacity="{0.6 * where[r, c] / top:.3f}"/>'
        for r in range(cells)
        for c in range(cells)
        if where[r, c] > 0.08 * top
    )
    return (
        f'<svg class="where" role="img" viewBox="0 0 {cells} {cells}"><title>{escape(title)}</title>'
        f'<image href="{uri}" width="{cells}" height="{cells}"/>{"".join(rects)}</svg>'
    )


def ranked(change: FaceChange) -> list[tuple[str, Change]]:
    """Fatness and age first, then the units with the most evidence."""
    first = [(name, c) for name, c in (("fatness", change.fatness), ("age", change.age)) if c is not None]
    rest = sorted(change.units.items(), key=lambda item: (item[1].no_change, -abs(item[1].value)))
    return [*first, *rest[: _SHOWN - len(first)]]


def changes_svg(change: FaceChange, language: str) -> str:
    """Signed bars with error bars; those that may be nothing are pale."""
    rows, called = ranked(change), change.called()
    height, middle, half = 24 * len(rows) + 10, 330, 110
    title = escape(TEXT[language]["changes"])
    parts = [f'<svg class="changes" role="img" viewBox="0 0 {_WIDE} {height}"><title>{title}</title>']
    parts.append(f'<line class="zero" x1="{middle}" y1="2" x2="{middle}" y2="{height - 4}"/>')
    for k, (name, c) in enumerate(rows):
        y, scale = 24 * k + 8, half / _RANGE.get(name, 1.0)
        x, low, high = (middle + float(np.clip(v * scale, -half, half)) for v in (c.value, c.low, c.high))
        left, kind = min(x, middle), "" if name in called else " faint"
        parts.append(f'<text x="0" y="{y + 11}">{escape(name_of_factor(name, language))}</text>')
        parts.append(f'<rect class="bar{kind}" x="{left:.1f}" y="{y}" width="{abs(x - middle):.1f}" height="13"/>')
        parts.append(f'<line class="error" x1="{low:.1f}" y1="{y + 6.5}" x2="{high:.1f}" y2="{y + 6.5}"/>')
        parts += [f'<path class="beyond" d="M{end:.1f} {y + 3}l{way * 5} 3.5l{-way * 5} 3.5z"/>'
                  for end, way, v in ((low, -1, c.low), (high, 1, c.high)) if abs(v * scale) > half]  # fmt: skip
        parts.append(f'<text class="soft" x="{middle + half + 12}" y="{y + 11}">{factor_text(name, c)}</text>')
    return "".join([*parts, "</svg>"])


def change_text(c: Change, form: str = ".3g") -> str:
    """A signed change with the ends of its interval; `form` is Python's for each of the three numbers."""
    return f"{c.value:+z{form}} ({c.low:+z{form}} … {c.high:+z{form}})"


def factor_text(name: str, c: Change) -> str:
    """The change of a factor: whole years, hundredths of everything else."""
    return change_text(c, ".0f" if name == "age" else ".2f")


def _table(change: FaceChange, language: str) -> str:
    words = TEXT[language]
    heads = "".join(f'<th scope="col">{escape(words[k])}</th>' for k in ("factor", "value", "no_change", "verdict"))
    called, rows = change.called(), []
    for name, c in ranked(change):
        verdict = words["called"] if name in called else words["not_called"]
        cells = (factor_text(name, c), f"{c.no_change:.3f}", verdict)
        rows.append(f'<tr><th scope="row">{escape(name_of_factor(name, language))}</th>'
                    f"{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")  # fmt: skip
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<details><summary>{escape(words['numbers'])}</summary>{table}</details>"


def _own_table(change: FaceChange, language: str) -> str:
    """What the user's labels taught, in the labels' own units."""
    rows = "".join(
        f'<tr><th scope="row">{plain(name)}</th><td>{change_text(c)}</td></tr>' for name, c in change.own.items()
    )
    return f"<h3>{escape(TEXT[language]['own'])}</h3><table>{rows}</table>"


def _others(change: FaceChange, language: str) -> str:
    """Named other differences, and what only the day changed, as tables of probabilities."""
    words, found = TEXT[language], []
    for title, values in (("looks", change.looks), ("nuisance", change.nuisance)):
        rows = "".join(
            f'<tr><th scope="row">{escape(name_of_look(name, language))}</th><td>{100 * p:.0f} %</td></tr>'
            for name, p in sorted(values.items(), key=lambda item: -item[1])
        )
        found.append(f"<div><h3>{escape(words[title])}</h3><table>{rows}</table></div>")
    return f'<div class="halves">{"".join(found)}</div>'


def write_page(
    path: Path, title: str, lead: str, body: str, language: str, about: Mapping[str, str], style: str
) -> None:
    """A page about photographs with its duty and how it was made, whole or not at all. Raises OutputError."""
    words = TEXT[language]
    rows = fact_rows(made_by(about, language).items())
    foot = f"<section><h2>{escape(words['about'])}</h2><table>{rows}</table></section>" if rows else ""
    with whole_file(path) as file:
        file.write(
            f"{head(title, language, style)}"
            f"<header><h1>{escape(title)}</h1><p>{escape(lead)}</p>"
            f'<p class="duty"><strong>{escape(words["duty"])}</strong></p></header>'
            f"<main>{body}{foot}{END}"
        )
