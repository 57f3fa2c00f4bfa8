"""`omokage compare`: two photographs, a series of one person, or a table of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import counts_text
from omokage.cli.words import line as line_of
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.comparison.predict import Comparer
    from omokage.pipeline import Analyzer
    from omokage.pipeline.own_changes import ChangeReader
    from omokage.pipeline.series import Timeline
    from omokage.report.timeline import Series
    from omokage.results import FaceChange


def compare(
    photographs: Annotated[
        list[Path] | None, typer.Argument(metavar="[BEFORE AFTER]", help="Two photographs of one person.")
    ] = None,
    series: Annotated[Path | None, typer.Option(help="A folder of photographs of one person over time.")] = None,
    table: Annotated[Path | None, typer.Option(help="A CSV with the columns before and after: many pairs.")] = None,
    out: Annotated[Path | None, typer.Option(help="Of --table: the answers (.csv, .jsonl, .parquet).")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the change card or the timeline as one HTML file.")] = None,
    assume_same: Annotated[bool, typer.Option("--assume-same", help="Skip the same-person check.")] = False,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    weights: Annotated[str | None, typer.Option(help="A shipped set's name or a folder.")] = None,
    lang: Lang = "en",
) -> None:
    """Say what changed between two photographs of one person: expression, face fatness, apparent age, and what only
    the day changed. A visual estimate, never a diagnosis."""
    given = photographs or []
    if (len(given) == 2) + (series is not None) + (table is not None) != 1 or len(given) not in (0, 2):
        raise InputError("give two photographs (BEFORE AFTER), or --series FOLDER, or --table PAIRS.csv")
    if (table is None) != (out is None):
        raise InputError("--table and --out belong together: name the table of pairs and the file for the answers")
    _fitting(series, table, report, resume, json_)
    from omokage.media.files import check_writable

    if report is not None:
        check_writable(report)
    pairs = _pairs(table)
    named = [*given, *(() if table is None else (table,)), *(name for pair in pairs for name in pair)]
    _check_apart(named, series, out, report)
    from omokage.pipeline.opened import open_analyzer, open_comparer
    from omokage.pipeline.own_changes import open_reader

    analyzer, comparer, own = open_analyzer(weights, device), open_comparer(weights, device), open_reader(weights)
    if table is not None and out is not None:
        raise typer.Exit(_table(analyzer, comparer, pairs, out, assume_same, crops, resume, own, lang))
    if series is not None:
        raise typer.Exit(_series(analyzer, comparer, series, assume_same, crops, report, json_, lang, own))
    raise typer.Exit(_two(analyzer, comparer, given, assume_same, crops, report, json_, lang, own))


def _fitting(series: Path | None, table: Path | None, report: Path | None, resume: bool, as_json: bool) -> None:
    """Raises InputError for options that would do nothing."""
    if table is None and resume:
        raise InputError("--resume belongs to --table: two photographs and series are done in one go")
    if table is not None and (report is not None or as_json):
        raise InputError("--report and --json do not go with --table, whose answers go to --out: leave them away")
    if series is not None and not series.is_dir():
        raise InputError(f"{series} is not a folder: --series needs one with photographs of one person")


def _pairs(table: Path | None) -> list[tuple[str, str]]:
    """The pairs of --table; none without it."""
    if table is None:
        return []
    from omokage.pipeline.pair_table import read_pairs

    return read_pairs(table)


def _check_apart(named: Sequence[str | Path], series: Path | None, out: Path | None, report: Path | None) -> None:
    """Raises PlaceError for an output that is an input."""
    from omokage.media.outputs import check_apart
    from omokage.media.sources import expand

    inputs = [*named]
    if series is not None and report is not None:
        inputs += [source.path for source in expand([str(series)]).sources]
    check_apart({"--out": out, "--report": report}, inputs)


def _two(
    analyzer: Analyzer, comparer: Comparer, paths: list[Path], assume_same: bool, crops: bool, report: Path | None,
    as_json: bool, lang: str, own: ChangeReader | None,
) -> int:  # fmt: skip
    """Compare two photographs and print; 1 when there is no answer."""
    from omokage.media.sources import Source
    from omokage.pipeline.compare import compare_photos, photographs
    from omokage.pipeline.pair_table import row_of

    sources = [Source(str(path)) for path in paths]
    before, after = photographs(analyzer, comparer, sources, crops, shown=report is not None)
    change = compare_photos(before, after, comparer, assume_same, own)
    if as_json:
        import json

        typer.echo(json.dumps(row_of(change), indent=1))
    else:
        show(change, lang, comparer.same_limit)
    if report is not None:
        from omokage.cli.reporting import short_names
        from omokage.report.comparison import ChangeCard, ranked, write_card

        where = None
        if change.status == "ok" and before.crop is not None and after.crop is not None:
            factors = list(change.called()) or [name for name, _ in ranked(change)[:3]]
            where = comparer.where(before.crop.image, after.crop.image, factors)
        about = {**comparer.describe(), **analyzer.describe(crops)}
        short = short_names([change.before, change.after])  # whom a page is passed on to need not know the folders
        change = replace(change, before=short[change.before], after=short[change.after])
        write_card(report, ChangeCard(change, before.shown, after.shown, where, comparer.same_limit), lang, about)
        typer.echo(line_of("change_card", lang, out=report), err=True)
    return 0 if change.status == "ok" else 1


def show(change: FaceChange, lang: str, limit: float) -> None:
    """Print a change in words; `limit` is the probability of one person below which nothing is compared."""
    from rich.table import Table

    from omokage.cli.console import console, say
    from omokage.report.change_words import TEXT, WARNINGS, name_of_factor, name_of_look
    from omokage.report.comparison import change_text, factor_text, ranked, same_text, status_text

    words, place = TEXT[lang], console()
    if change.same_person is not None:
        say(place, same_text(change, limit, lang))
    if change.status != "ok":
        say(place, status_text(change.status, lang))
        return
    for name in change.warnings:
        say(place, WARNINGS[lang][name])
    if change.controlled:
        say(place, words["controlled"])
    for name, c in change.own.items():
        say(place, f"{name}: {change_text(c)}")
    shown = Table(title=words["changes"], title_justify="left")
    for key in ("factor", "value", "no_change", "verdict"):
        shown.add_column(words[key], overflow="fold")
    called = change.called()
    for name, c in ranked(change):
        verdict = words["called"] if name in called else words["not_called"]
        shown.add_row(name_of_factor(name, lang), factor_text(name, c), f"{c.no_change:.3f}", verdict)
    place.print(shown)
    for title, values in (("looks", change.looks), ("nuisance", change.nuisance)):
        text = ", ".join(f"{name_of_look(n, lang)} {p:.2f}" for n, p in sorted(values.items(), key=lambda i: -i[1]))
        say(place, f"{words[title]}: {text}")


def _table(
    analyzer: Analyzer, comparer: Comparer, pairs: list[tuple[str, str]], out: Path, assume_same: bool, crops: bool,
    resume: bool, own: ChangeReader | None, lang: str,
) -> int:  # fmt: skip
    """Compare every pair of a table; 1 when some could not be compared."""
    from omokage.cli.progress import Counter
    from omokage.pipeline.pair_table import compare_table

    with Counter(line_of("done_compared", lang)) as counter:
        counts = compare_table(
            analyzer, comparer, pairs, out, assume_same=assume_same, crops=crops, resume=resume,
            progress=counter.update, own=own,
        )  # fmt: skip
    each = counts_text(sorted(counts.items()), lang)
    typer.echo(line_of("pairs", lang, n=sum(counts.values()), counts=each, out=out), err=True)
    return 0 if set(counts) == {"ok"} else 1


def _series(
    analyzer: Analyzer, comparer: Comparer, folder: Path, assume_same: bool, crops: bool, report: Path | None,
    as_json: bool, lang: str, own: ChangeReader | None,
) -> int:  # fmt: skip
    """Print the trends of a series; 1 when a photograph was left out."""
    from omokage.pipeline.series import compare_series
    from omokage.report.change_words import TEXT
    from omokage.report.comparison import status_text
    from omokage.report.timeline import write_timeline

    line = compare_series(
        analyzer, comparer, str(folder), assume_same=assume_same, crops=crops, shown=report is not None, own=own
    )
    drawn = _drawn(line)
    if as_json:
        import json

        typer.echo(json.dumps(line.as_dict(), indent=1))
    else:
        _print_lines(drawn, lang)
    if not line.dated:
        typer.echo(TEXT[lang]["by_name"], err=True)
    for name, why in line.left_out:
        typer.echo(f"{name}: {status_text(why, lang)}", err=True)
    if report is not None:
        write_timeline(report, drawn, lang, {**comparer.describe(), **analyzer.describe(crops)})
        typer.echo(line_of("timeline", lang, out=report), err=True)
    return 1 if line.left_out else 0


def _print_lines(drawn: Series, lang: str) -> None:
    from rich.table import Table

    from omokage.cli.console import console
    from omokage.report.timeline import lines_of

    lines, shown = lines_of(drawn, lang), Table()
    for title in lines[0]:
        shown.add_column(title, overflow="fold")
    for row in lines[1:]:
        shown.add_row(*row)
    console().print(shown)


def _drawn(line: Timeline) -> Series:
    """The courses that are told, in the report's terms."""
    from omokage.cli.reporting import short_names
    from omokage.report.timeline import Course, Series

    courses = {}
    for name in _most_moved(line):
        t = line.trends[name]
        courses[name] = Course(line.values[name], line.spread[name], t.slope, t.low, t.high, line.jumps[name])
    names = short_names(line.names)
    return Series([names[n] for n in line.names], line.times, line.dated, courses, line.left_out, line.pictures)


def _most_moved(line: Timeline, units: int = 6) -> list[str]:
    """What the user's labels taught, fatness, age, and the units whose range is largest against their spread."""
    import numpy as np

    from omokage.comparison.config import COMPARED_UNITS, FACTORS

    own = [name for name in line.values if name not in FACTORS]
    reach = {n: float(np.ptp(line.values[n])) / float(line.spread[n].mean()) for n in COMPARED_UNITS}
    return [*own, "fatness", "age", *sorted(reach, key=lambda n: -reach[n])[:units]]
