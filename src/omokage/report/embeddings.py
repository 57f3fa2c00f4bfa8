"""Pages about codes: what they carry by probes, how much of a person, what their directions mean, and search answers.

Each page is one self-contained HTML file without script, like the face report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from omokage.language import text
from omokage.media.files import whole_file
from omokage.report.drawing import data_uri
from omokage.report.embedding_words import TEXT
from omokage.report.plots import CSS as PLOTS
from omokage.report.plots import Curve, curves_svg
from omokage.report.score_words import encoder_name, measure_name, thing_name
from omokage.report.shell import END, fact_rows, head, plain

if TYPE_CHECKING:
    from omokage.embeddings.evaluate import ProbeScore
    from omokage.embeddings.leakage import Removal
    from omokage.embeddings.reading import FactorChange, Sweep

_OWN = """
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:.4rem 0 1rem}
.tile{width:8.2rem;font-size:.8rem;color:var(--soft);overflow-wrap:anywhere}
.tile img{width:100%;border-radius:6px;display:block}.tile.first img{outline:3px solid var(--accent)}
.tile .blank{width:100%;aspect-ratio:1;border-radius:6px;background:var(--line);padding:.5rem;box-sizing:border-box}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}
.plots>*{min-width:0}.about td{overflow-wrap:anywhere}
.scores td,.scores th{border-bottom:1px solid var(--line);padding:.25rem .7rem .25rem 0;
font-variant-numeric:tabular-nums}
""".strip()
_DEGREES = ("yaw", "pitch", "light")  # sweeps by angles; the others are shares or the renderer's own scale


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A picture (h, w, 3) RGB uint8, or None where it cannot be shown, with the words under it; `alt` stands for the
    picture where those are not enough."""

    picture: NDArray[np.uint8] | None
    words: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of a page: a heading, sentences, plots as SVG, a table (its first row are heads) and rows of tiles."""

    heading: str
    words: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    rows: tuple[tuple[str, tuple[Tile, ...]], ...] = field(default=())  # name of the row and its tiles


def write_page(
    path: Path, title: str, lead: str, sections: Sequence[Section], about: Mapping[str, str] | None = None,
    language: str = "en",
) -> None:  # fmt: skip
    """Write a page whole or not at all; `language` is that of the words given. Raises OutputError."""
    with whole_file(path) as file:
        file.write(
            f"{head(title, language, _OWN, PLOTS)}<header><h1>{plain(title)}</h1><p>{plain(lead)}</p></header><main>"
        )
        for section in sections:
            file.write(_section(section, language))
        if about:
            made = plain(text(TEXT, "about", language))
            rows = fact_rows(about.items())
            file.write(f'<section><h2>{made}</h2><table class="about">{rows}</table></section>')
        file.write(END)


def _section(section: Section, language: str) -> str:
    parts = [f"<section><h2>{plain(section.heading)}</h2>", *(f"<p>{plain(words)}</p>" for words in section.words)]
    if plots := [plot for plot in section.plots if plot]:
        parts.append(f'<div class="plots">{"".join(map(_drawing, plots))}</div>')
    if section.table:
        heads = "".join(f'<th scope="col">{plain(cell)}</th>' for cell in section.table[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{plain(cell)}</td>" for cell in row) + "</tr>" for row in section.table[1:]
        )
        parts.append(_drawing(f'<table class="scores"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'))
    for name, tiles in section.rows:
        shown = "".join(_tile(tile, language) for tile in tiles)
        parts.append((f"<h3>{plain(name)}</h3>" if name else "") + f'<div class="tiles">{shown}</div>')
    return "".join([*parts, "</section>"])


def _drawing(inner: str) -> str:
    """What is wider than a phone and moves sideways by itself there."""
    return f'<div class="drawing">{inner}</div>'


def _tile(tile: Tile, language: str) -> str:
    shown = f'<div class="blank">{plain(text(TEXT, "unread", language))}</div>'
    if tile.picture is not None:
        shown = f'<img alt="{plain(tile.alt or tile.words)}" src="{data_uri(tile.picture, 200)}">'
    return f'<div class="tile">{shown}{plain(tile.words)}</div>'


def _heads(keys: Sequence[str], language: str) -> tuple[str, ...]:
    return tuple(text(TEXT, key, language) for key in keys)


def probe_table(scores: Sequence[ProbeScore], language: str = "en") -> tuple[tuple[str, ...], ...]:
    """Every score as a row, behind the heads."""
    keys = ("task", "measure", "encoder", "labels", "value", "interval", "trivial", "pictures")
    rows = (
        (
            *(thing_name(s.task, language), measure_name(s.measure, language), encoder_name(s.encoder, language)),
            *(str(s.labels), f"{s.value:.3g}", text(TEXT, "span", language, low=f"{s.low:.3g}", high=f"{s.high:.3g}")),
            *(f"{s.trivial:.3g}", str(s.n)),
        )
        for s in scores
    )
    return (_heads(keys, language), *rows)


def probe_section(scores: Sequence[ProbeScore], heading: str = "", language: str = "en") -> Section:
    """A plot for each task's main measure over the number of labels, and every score in a table. Without a `heading`:
    what linear probes read."""
    main: dict[str, str] = {}
    for score in scores:
        main.setdefault(score.task, score.measure)
    plots = [
        _probe_plot([s for s in scores if (s.task, s.measure) == (task, measure)], language)
        for task, measure in main.items()
    ]
    heading = heading or text(TEXT, "probes", language)
    return Section(heading, (text(TEXT, "probes_how", language),), tuple(plots), probe_table(scores, language))


def _probe_plot(own: Sequence[ProbeScore], language: str) -> str:
    """A curve for each encoder over the number of labels; all scores are of one task and measure."""
    curves = [
        Curve(
            encoder_name(name, language),
            tuple(
                (float(s.labels), s.value, s.low, s.high)
                for s in sorted(own, key=lambda s: s.labels)
                if s.encoder == name
            ),
        )
        for name in dict.fromkeys(s.encoder for s in own)
    ]
    better = text(TEXT, "higher" if own[0].higher_is_better else "lower", language)
    parts = {"task": thing_name(own[0].task, language), "measure": measure_name(own[0].measure, language)}
    title = text(TEXT, "plot_title", language, **parts)
    up = text(TEXT, "plot_up", language, better=better, **parts)
    return curves_svg(curves, title, text(TEXT, "labels", language), up, base=_level(own))


def _level(scores: Sequence[ProbeScore]) -> float | None:
    last = max(scores, key=lambda s: s.labels).trivial
    return last if np.isfinite(last) else None


def search_section(query: Tile, hits: Sequence[Tile], language: str = "en", per_source: int = 1) -> Section:
    """The query and its answers as a grid, at most `per_source` of each picture or video (0: any number)."""
    heading, own, others = _heads(("answers", "query", "alike"), language)
    many = ("any_of_each", "one_of_each", "some_of_each")[min(per_source, 2)]
    words = text(TEXT, "answers_how", language, many=text(TEXT, many, language, n=per_source))
    return Section(heading, (words,), rows=((own, (query,)), (others, tuple(hits))))


def identity_section(name: str, removals: Sequence[Removal], language: str = "en") -> Section:
    """How well people are named from codes, over the number of directions that were taken out."""
    points = tuple((float(r.removed), r.leakage.accuracy, r.leakage.low, r.leakage.high) for r in removals)
    chance = removals[-1].leakage.chance
    title, across, up = _heads(("named_by", "directions", "named"), language)
    plot = curves_svg([Curve(encoder_name(name, language), points)], title, across, up, False, chance)
    heads = _heads(("taken", "named", "interval", "chance", "same", "people"), language)
    rows = [
        (
            *(str(r.removed), f"{r.leakage.accuracy:.3f}"),
            text(TEXT, "span", language, low=f"{r.leakage.low:.3f}", high=f"{r.leakage.high:.3f}"),
            *(f"{r.leakage.chance:.3f}", f"{r.leakage.verification:.3f}", str(r.leakage.people)),
        )
        for r in removals
    ]
    heading, words = _heads(("identity", "identity_how"), language)
    return Section(heading, (words,), (plot,), (heads, *rows))


def changes_section(changes: Sequence[FactorChange], language: str = "en") -> Section:
    """How far codes move when one thing changes."""
    rows = [
        (
            *(thing_name(c.factor, language), f"{c.share:.2f}"),
            *(text(TEXT, "span", language, low=f"{c.low:.2f}", high=f"{c.high:.2f}"), str(c.scenes)),
        )
        for c in changes
    ]
    heading, words = _heads(("changes", "changes_how"), language)
    return Section(heading, (words,), table=(_heads(("only", "moves", "interval", "scenes"), language), *rows))


def sweeps_section(sweeps: Sequence[Sweep], language: str = "en") -> Section:
    """Rows of rendered heads in which one thing grows."""
    rows = tuple(_sweep_row(sweep, language) for sweep in sweeps)
    heading, words = _heads(("sweeps", "sweeps_how"), language)
    return Section(heading, (words,), rows=rows)


def _sweep_row(sweep: Sweep, language: str) -> tuple[str, tuple[Tile, ...]]:
    name = thing_name(sweep.name, language)
    shown = [f"{value:g}{'°' if sweep.name in _DEGREES else ''}" for value in sweep.values]
    tiles = (Tile(crop, words, f"{name} {words}") for crop, words in zip(sweep.crops, shown, strict=True))
    return text(TEXT, "straight", language, name=name, share=f"{sweep.straightness():.0%}"), tuple(tiles)
