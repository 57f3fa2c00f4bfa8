"""`omokage explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.explain_words import line
from omokage.cli.options import Lang, given
from omokage.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from omokage.media.sources import Source
    from omokage.media.table import Reading
    from omokage.pipeline import Analyzer
    from omokage.results import RelevanceMap

    Page = tuple[str, RelevanceMap]

_BAR = 16
_CARDS = 50  # explanations that a page shows


def explain(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Pictures, of each the largest face; of a change: BEFORE AFTER; "
                       "with --out also folders, patterns, videos, or - for a list."),
    ],
    target: Annotated[
        str, typer.Option(help="age, gender, expression.happiness, attr.smiling, au.AU12, change.fatness, ...")
    ],
    method: Annotated[str, typer.Option(help="occlusion, gradients, smoothgrad or lrp.")] = "occlusion",
    rules: Annotated[
        str, typer.Option(help="The rule set of lrp: plus-flat, gamma-box, alpha2-beta1, ...")
    ] = "plus-flat",
    out: Annotated[
        Path | None, typer.Option(help="Explain every face and write a table here (.csv, .jsonl, .parquet).")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with the explanation.")] = None,
    rate: Annotated[
        Path | None, typer.Option(help="A folder: put pairs of heat maps there and collect blind verdicts on them.")
    ] = None,
    rater: Annotated[str, typer.Option(help="Who judges, with --rate.")] = "rater",
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    assume_same: Annotated[bool, typer.Option("--assume-same", help="Of a change: do not check who it is.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Of videos, with --out, explain every N-th frame.")] = 1,
    language: Lang = "en",
    weights: Annotated[str | None, typer.Option(help="A shipped set's name or a folder.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
) -> None:  # fmt: skip
    """Show why an answer came about: which regions of the face decide, and whether that can be believed."""
    from omokage.media.files import check_writable
    from omokage.media.outputs import check_apart

    if resume and out is None:
        raise InputError("--resume needs --out: name the file to write")
    if rate is not None and out is not None:
        raise InputError("--rate shows pairs of maps to a person and writes no table: leave --out or --rate away")
    if rate is not None and report is not None:
        raise InputError("--rate shows pairs of maps to a person and writes no page: leave --report or --rate away")
    if rate is None and given(context, "rater"):
        raise InputError("--rater says who judges pairs of maps: add --rate FOLDER, or leave it away")
    if every > 1 and out is None:
        raise InputError(
            "--every is about the frames of videos, which are read with --out FILE: add it, or leave --every away"
        )
    if assume_same and not target.lower().startswith("change."):
        raise InputError(f"--assume-same is about a change between two photographs, not about {target}: leave it away")
    if method != "lrp" and given(context, "rules"):
        raise InputError(f"--rules are those of lrp and do nothing with {method}: add --method lrp, or leave them away")
    for place in (out, report):
        if place is not None:
            check_writable(place)
    sources = _sources(inputs, out, language)
    check_apart({"--out": out, "--report": report}, (one.path for one in sources), {"--rate": rate})
    if target.lower().startswith("change."):
        if rate is not None or out is not None:
            raise InputError("changes are explained one at a time: leave --rate and --out away")
        page, about = _change(inputs, target, method, rules, crops, assume_same, weights, device, language)
        raise typer.Exit(_finish([page], report, language, about))
    from omokage.pipeline import Analyzer

    analyzer = Analyzer(weights, None, device)
    if rate is not None:
        from omokage.cli.explain_rating import rate as judge

        judge(rate, rater, [Path(i) for i in inputs], target, method, rules, crops, analyzer, language)
        return
    question = Question(target, method, rules, crops, every, language)
    if out is not None:
        pages, failed = _table(analyzer, sources, question, out, resume, report)
    else:
        pages, failed = _each(analyzer, inputs, question), 0
    _finish(pages, report, language, analyzer.describe(crops))
    raise typer.Exit(1 if failed else 0)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every face."""

    target: str
    method: str
    rules: str
    crops: bool
    every: int = 1
    language: str = "en"  # of what is printed


def _sources(inputs: list[str], out: Path | None, language: str) -> list[Source]:
    """What is read: for a table whatever `analyze` takes, else pictures by name. Raises InputError for others."""
    from omokage.cli.status_words import passed_over_text
    from omokage.media.sources import Source, expand, is_video

    if out is not None:
        found = expand(inputs)
        if found.passed_over:
            typer.echo(passed_over_text(found.passed_over, language), err=True)
        return list(found.sources)
    for name in inputs:
        path = Path(name)
        many = "a folder" if name and path.is_dir() else "a video" if is_video(name) else ""
        if many:
            raise InputError(f"{name} is {many}: name one picture, or explain every face in it with --out FILE")
        if not name or not path.exists():
            raise InputError(f"no such file: {name!r}; patterns and lists are read with --out FILE")
    return [Source(name) for name in inputs]


def _each(analyzer: Analyzer, inputs: list[str], asked: Question) -> list[Page]:
    """Explain and print the largest face of each picture."""
    from omokage.cli.reporting import short_names
    from omokage.pipeline.explain import explain as why

    found, names = [], short_names(inputs)
    for name in inputs:
        one = why(Path(name), asked.target, asked.method, crops=asked.crops, analyzer=analyzer, rules=asked.rules)
        _print(one, name, asked.language)
        found.append((names[name], one))
    return found


def _change(
    inputs: list[str], target: str, method: str, rules: str, crops: bool, assume_same: bool, weights: str | None,
    device: str | None, language: str,
) -> tuple[Page, dict[str, str]]:  # fmt: skip
    """Explain and print what changed between two photographs; gives also the networks that told it."""
    from omokage.cli.reporting import short_names
    from omokage.pipeline.explain_change import explain_change
    from omokage.pipeline.opened import open_analyzer, open_comparer

    if len(inputs) != 2:
        raise InputError(f"{target} is about two photographs: give BEFORE and AFTER, not {len(inputs)} inputs")
    analyzer, comparer = open_analyzer(weights, device), open_comparer(weights, device)
    found = explain_change(
        inputs[0],
        inputs[1],
        target,
        method,
        rules=rules,
        crops=crops,
        assume_same=assume_same,
        analyzer=analyzer,
        comparer=comparer,
    )
    names = short_names(inputs)
    name = " → ".join(names[i] for i in inputs)
    _print(found, name, language)
    return (name, found), {**comparer.describe(), **analyzer.describe(crops)}


def _table(
    analyzer: Analyzer, sources: list[Source], asked: Question, out: Path, resume: bool, report: Path | None
) -> tuple[list[Page], int]:
    """Write the table of all faces; gives the first explanations for a page, and how many inputs failed."""
    from omokage.cli import words
    from omokage.cli.progress import Counter, Readings
    from omokage.cli.reporting import short_names
    from omokage.pipeline.explain_table import explain_table
    from omokage.results import RelevanceMap

    pages: list[Page] = []
    names = short_names(source.name for source in sources)
    count = 0
    with Counter(words.line("done_explained", asked.language)) as counter:
        progress = Readings(counter, len(sources), asked.language)

        def see(reading: Reading, found: Sequence[object]) -> None:
            nonlocal count
            progress.step(reading)
            count += len(found)
            for number, one in enumerate(found):
                if report is not None and len(pages) < _CARDS and isinstance(one, RelevanceMap):
                    pages.append((f"{names[reading.source]} · {number + 1}", one))

        failed = explain_table(
            analyzer, sources, asked.target, out, asked.method, rules=asked.rules, crops=asked.crops,
            every=asked.every, resume=resume, on_found=see,
        )  # fmt: skip
    typer.echo(line("faces", asked.language, n=count, out=out), err=True)
    if report is not None and count > len(pages):
        typer.echo(line("first", asked.language, n=len(pages)), err=True)
    return pages, failed


def _finish(pages: list[Page], report: Path | None, language: str, weights: Mapping[str, str]) -> int:
    """Write the page where one is wanted."""
    if report is not None:
        from omokage import __version__
        from omokage.report.explain import write_explanations

        names, found = [name for name, _ in pages], [one for _, one in pages]
        write_explanations(report, found, language, {"omokage": __version__, **weights}, names)
        typer.echo(line("report", language, out=report), err=True)
    return 0


def _print(found: RelevanceMap, name: str, language: str) -> None:
    """The table of regions, the grade and what to be careful about."""
    from omokage.cli.console import console as opened
    from omokage.cli.console import say
    from omokage.report.explain_words import explained

    console = opened()
    console.print(_regions(found, _about(found, name, language), console, language))
    meaning = explained(found.faithfulness.meaning, language)
    say(console, line("grade", language, grade=found.faithfulness.grade, meaning=meaning))
    for check, passed in found.faithfulness.checks.items():
        say(console, line("passed" if passed else "failed", language, check=explained(check, language)))
    for note in found.warnings:
        say(console, line("note", language, note=explained(note, language)))
    if found.notice:
        say(opened(stderr=True), explained(found.notice, language))


def _about(found: RelevanceMap, name: str, language: str) -> str:
    """What is explained, of which picture, with the answer and the method."""
    from omokage.report.explain_words import explained, target_name

    target = found.target if language == "en" else target_name(found.target, language)
    full = "" if found.full_answer is None else line("full", language, answer=f"{found.full_answer:.3g}")
    return line(
        "about", language, name=name, target=target, answer=f"{found.answer:.3g}", full=full,
        unit=explained(found.answer_unit, language), method=explained(found.method, language),
    )  # fmt: skip


def _regions(found: RelevanceMap, about: str, console: Console, language: str) -> Table:
    """A row for each region: its share of the map, and what hiding it does."""
    from rich.table import Table

    from omokage.cli.console import title
    from omokage.report.explain_words import bare_unit, region_name

    def span(low: str, high: str) -> str:
        return line("span", language, low=low, high=high)

    table = Table(title=title(console, about), title_justify="left")
    effect = line("effect", language, unit=bare_unit(found.score_unit, language))
    for head in (line("region", language), line("share", language), effect, "", line("then", language)):
        table.add_column(head, overflow="fold")
    widest = max((abs(r.effect) for r in found.regions), default=1.0) or 1.0
    for r in found.regions:
        table.add_row(
            region_name(r.name, language),
            f"{100 * r.relevance:+z4.0f} % {span(f'{100 * r.relevance_low:+z.0f}', f'{100 * r.relevance_high:+z.0f}')}",
            f"{r.effect:+z.2f} {span(f'{r.effect_low:+z.2f}', f'{r.effect_high:+z.2f}')}",
            ("█" if r.effect > 0 else "░") * round(_BAR * abs(r.effect) / widest),
            f"{r.answer_hidden:.3g}",
        )
    return table
