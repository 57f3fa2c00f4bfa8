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

from omokage.media.files import whole_file
from omokage.report.drawing import data_uri
from omokage.report.plots import CSS as PLOTS
from omokage.report.plots import Curve, curves_svg
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
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem}
.scores td,.scores th{border-bottom:1px solid var(--line);padding:.25rem .7rem .25rem 0;
font-variant-numeric:tabular-nums}
""".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A picture (h, w, 3) RGB uint8, or None where it cannot be shown, with the words under it."""

    picture: NDArray[np.uint8] | None
    words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of a page: a heading, sentences, plots as SVG, a table (its first row are heads) and rows of tiles."""

    heading: str
    words: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    rows: tuple[tuple[str, tuple[Tile, ...]], ...] = field(default=())  # name of the row and its tiles


def write_page(
    path: Path, title: str, lead: str, sections: Sequence[Section], about: Mapping[str, str] | None = None
) -> None:
    """Write a page whole or not at all. Raises OutputError."""
    with whole_file(path) as file:
        file.write(
            f"{head(title, 'en', _OWN, PLOTS)}<header><h1>{plain(title)}</h1><p>{plain(lead)}</p></header><main>"
        )
        for section in sections:
            file.write(_section(section))
        if about:
            file.write(f"<section><h2>How this page was made</h2><table>{fact_rows(about.items())}</table></section>")
        file.write(END)


def _section(section: Section) -> str:
    parts = [f"<section><h2>{plain(section.heading)}</h2>", *(f"<p>{plain(words)}</p>" for words in section.words)]
    if plots := [plot for plot in section.plots if plot]:
        parts.append(f'<div class="plots">{"".join(f"<div>{plot}</div>" for plot in plots)}</div>')
    if section.table:
        heads = "".join(f'<th scope="col">{plain(cell)}</th>' for cell in section.table[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{plain(cell)}</td>" for cell in row) + "</tr>" for row in section.table[1:]
        )
        parts.append(f'<table class="scores"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>')
    for name, tiles in section.rows:
        parts.append(
            (f"<h3>{plain(name)}</h3>" if name else "") + f'<div class="tiles">{"".join(map(_tile, tiles))}</div>'
        )
    return "".join([*parts, "</section>"])


def _tile(tile: Tile) -> str:
    shown = '<div class="blank">the picture could not be read</div>'
    if tile.picture is not None:
        shown = f'<img alt="{plain(tile.words)}" src="{data_uri(tile.picture, 200)}">'
    return f'<div class="tile">{shown}{plain(tile.words)}</div>'


def probe_section(scores: Sequence[ProbeScore], heading: str = "What linear probes read off the codes") -> Section:
    """A plot for each task's main measure over the number of labels, and every score in a table."""
    main: dict[str, str] = {}
    for score in scores:
        main.setdefault(score.task, score.measure)
    plots = []
    for task, measure in main.items():
        own = [s for s in scores if (s.task, s.measure) == (task, measure)]
        curves = [
            Curve(
                name,
                tuple(
                    (float(s.labels), s.value, s.low, s.high)
                    for s in sorted(own, key=lambda s: s.labels)
                    if s.encoder == name
                ),
            )
            for name in dict.fromkeys(s.encoder for s in own)
        ]
        better = "higher is better" if own[0].higher_is_better else "lower is better"
        plots.append(
            curves_svg(curves, f"{task}, {measure}", "labels", f"{task}: {measure} ({better})", base=_level(own))
        )
    heads = ("task", "measure", "encoder", "labels", "value", "95 % interval", "a constant answer", "pictures")
    rows = [
        (
            *(s.task, s.measure, s.encoder, str(s.labels), f"{s.value:.3g}", f"{s.low:.3g} to {s.high:.3g}"),
            *(f"{s.trivial:.3g}", str(s.n)),
        )
        for s in scores
    ]
    words = (
        "The encoder stays as it is; one linear layer on its codes is fitted to a few labels and judged on people whom "
        "it has not seen. Dashed: what a constant answer gets. Bands are 95 % intervals, bootstrapped over people.",
    )
    return Section(heading, words, tuple(plots), (heads, *rows))


def _level(scores: Sequence[ProbeScore]) -> float | None:
    last = max(scores, key=lambda s: s.labels).trivial
    return last if np.isfinite(last) else None


def search_section(query: Tile, hits: Sequence[Tile]) -> Section:
    """The query and its answers as a grid."""
    words = (
        "Faces whose pose and expression are most like the query's, at most one of each picture or video and none of "
        "the query's own. The likeness is of the picture's state, not of the person; codes carry traces of identity "
        "all the same.",
    )
    return Section("Answers", words, rows=(("Query", (query,)), ("Most alike first", tuple(hits))))


def identity_section(name: str, removals: Sequence[Removal]) -> Section:
    """How well people are named from codes, over the number of directions that were taken out."""
    points = tuple((float(r.removed), r.leakage.accuracy, r.leakage.low, r.leakage.high) for r in removals)
    chance = removals[-1].leakage.chance
    title = "named right, by directions taken out"
    plot = curves_svg([Curve(name, points)], title, "directions taken out", "named right", False, chance)
    heads = ("taken out", "named right", "95 % interval", "chance", "same or different person (area)", "people")
    rows = [
        (
            *(str(r.removed), f"{r.leakage.accuracy:.3f}", f"{r.leakage.low:.3f} to {r.leakage.high:.3f}"),
            *(f"{r.leakage.chance:.3f}", f"{r.leakage.verification:.3f}", str(r.leakage.people)),
        )
        for r in removals
    ]
    words = (
        "How often one linear layer, fitted to half of each person's pictures, names the right person on the other "
        "half. Codes that name people are personal data. Projections were fitted to other people than these.",
    )
    return Section("What the codes keep of a person", words, (plot,), (heads, *rows))


def changes_section(changes: Sequence[FactorChange]) -> Section:
    """How far codes move when one thing changes."""
    heads = ("only this changes", "the code moves by", "95 % interval", "scenes")
    rows = [(c.factor, f"{c.share:.2f}", f"{c.low:.2f} to {c.high:.2f}", str(c.scenes)) for c in changes]
    words = (
        "Rendered heads in which one thing is changed and all else stays, in shares of how far the code moves when "
        "everything changes.",
    )
    return Section("What moves a code", words, table=(heads, *rows))


def sweeps_section(sweeps: Sequence[Sweep]) -> Section:
    """Rows of rendered heads in which one thing grows."""
    rows = tuple(
        (
            f"{s.name}: {s.straightness():.0%} of the code's movement lies on one line",
            tuple(Tile(crop, f"{value:g}") for crop, value in zip(s.crops, s.values, strict=True)),
        )
        for s in sweeps
    )
    return Section("One thing at a time", ("The crops that the encoder saw.",), rows=rows)
