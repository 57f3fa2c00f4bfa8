"""`omokage analyze` and `omokage demo`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import passed_over_text
from omokage.cli.words import line
from omokage.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omokage.cli.reporting import ReportPages
    from omokage.media.journal import Counts
    from omokage.media.sources import Inputs, Source
    from omokage.media.table import Reading
    from omokage.pipeline import Analyzer
    from omokage.pipeline.run import RunOptions
    from omokage.results import FaceAnalysis, RelevanceMap


def analyze(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Pictures, folders, patterns, videos; - reads a list.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the faces table here.")] = None,
    format: Annotated[
        str | None, typer.Option(help="parquet, csv, jsonl or openface; default: the ending of --out.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write one self-contained HTML file with the pictures.")] = None,
    review: Annotated[
        Path | None, typer.Option(help="Write what a person should look at: a .csv file, or a folder with crops.")
    ] = None,
    annotated: Annotated[
        Path | None,
        typer.Option(metavar="VIDEO.mp4", help="Of one video: write it with boxes, tracks and answers drawn in."),
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    features_only: Annotated[
        bool, typer.Option("--features-only", help="Keep no pixels anywhere: numbers only.")
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Of videos, read every N-th frame.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces that go through the network at once.")] = 32,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, ...; default: CUDA where there is one.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="A shipped set's name (see: omokage models list) or a folder.")
    ] = None,
    finder: Annotated[str | None, typer.Option(help="A finder's name or a model file of your own.")] = None,
    given: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What is known already, e.g. age=70.")
    ] = None,
    why: Annotated[
        list[str] | None,
        typer.Option("--explain", metavar="TARGET", help="In the report, explain this answer, e.g. attr.smiling."),
    ] = None,
    lang: Lang = "en",
) -> None:
    """Read age, expression, pose, landmarks and attributes off every face, each with its uncertainty."""
    _check(out, format, resume, features_only, report, review, annotated)
    if why and report is None:
        raise InputError("--explain adds cards to a report: add --report, or use  omokage explain")
    from omokage.media.sources import expand

    _check_places(out, report, review)
    found = expand(inputs)
    _check_apart(out, report, review, annotated, found)
    if found.passed_over:
        typer.echo(passed_over_text(found.passed_over, lang), err=True)
    from omokage.pipeline import Analyzer
    from omokage.pipeline.run import RunOptions, begun

    if report is not None and resume and out is not None and begun(out, format):
        # A page of what this run adds would take the place of a page of everything.
        key = "report_stays" if report.exists() else "report_unwritten"
        typer.echo(line(key, lang, report=report, out=out), err=True)
        report = None
    known = dict(_pair(text) for text in given or [])
    analyzer = Analyzer(weights, finder, device, batch_size, given=known or None)
    options = RunOptions(every, crops, features_only, known)
    pages = _pages(report, lang, analyzer, why or [])
    failed = _work(analyzer, list(found.sources), out, format, options, resume, pages, review, lang, annotated)
    raise typer.Exit(1 if failed else 0)


def demo(
    lang: Lang = "en",
    report: Annotated[Path | None, typer.Option(help="Also write the HTML report here.")] = None,
) -> None:
    """Analyse the photograph of an astronaut that comes with scikit-image."""
    _check(None, None, False, False, report, None)
    try:
        import skimage
    except ImportError as error:
        raise MissingExtraError("the demonstration picture", "demo", error) from error
    from omokage.media.sources import Source
    from omokage.pipeline import Analyzer
    from omokage.pipeline.run import RunOptions

    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    if not path.is_file():
        raise InputError(f"scikit-image's picture {path} is missing: reinstall scikit-image")
    analyzer = Analyzer()
    pages = _pages(report, lang, analyzer, [])
    failed = _work(analyzer, [Source(str(path))], None, None, RunOptions(), False, pages, None, lang)
    raise typer.Exit(1 if failed else 0)


def _check(
    out: Path | None,
    format: str | None,
    resume: bool,
    features_only: bool,
    report: Path | None,
    review: Path | None,
    annotated: Path | None = None,
) -> None:
    """Options that contradict each other. Raises InputError."""
    if out is None and (resume or format):
        raise InputError(f"{'--resume' if resume else '--format'} needs --out: name the file to write")
    if review is not None and format == "openface":
        raise InputError("OpenFace's columns hold no reasons for review: use another format together with --review")
    if annotated is not None and (resume or features_only):
        raise InputError(
            "an annotated video shows every frame, so it is made in one go and with pixels: leave --annotated, or "
            f"{'--resume' if resume else '--features-only'}, away"
        )
    if features_only and report is not None:
        raise InputError("a report shows pictures: leave --report or --features-only away")
    if features_only and review is not None and review.suffix.lower() != ".csv":
        raise InputError("a review folder holds pictures: with --features-only give --review a .csv file")


def _check_places(out: Path | None, report: Path | None, review: Path | None) -> None:
    """Raises PlaceError for what could never be written."""
    from omokage.media.files import check_writable

    for place in (out, report):
        if place is not None:
            check_writable(place)
    if review is not None:
        from omokage.pipeline.cases import check_place

        check_place(review)


def _check_apart(
    out: Path | None, report: Path | None, review: Path | None, annotated: Path | None, found: Inputs
) -> None:
    """Raises PlaceError for an output that is an input, or another output."""
    from omokage.media.outputs import check_apart

    outputs = {"--out": out, "--report": report, "--annotated": annotated}
    folders: dict[str, Path | None] = {}
    if review is not None:
        from omokage.pipeline.cases import table_of

        outputs["--review"] = table_of(review)
        folders["--review"] = review
    check_apart(outputs, (source.path for source in found.sources), folders)


def _pair(text: str) -> tuple[str, float | str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise InputError(f"--given {text!r} is not NAME=VALUE, for example --given age=70")
    try:
        return name.strip(), float(value)
    except ValueError:
        return name.strip(), value.strip()


def _work(
    analyzer: Analyzer, sources: list[Source], out: Path | None, kind: str | None, options: RunOptions, resume: bool,
    pages: ReportPages | None, review: Path | None, lang: str, annotated: Path | None = None,
) -> bool:  # fmt: skip
    """Analyse, print, and write what was asked for; returns whether an input failed."""
    from omokage.cli.annotating import Annotation
    from omokage.cli.progress import Counter, Readings
    from omokage.cli.show import print_counts, print_readings
    from omokage.pipeline.run import analyze_to_table
    from omokage.pipeline.tracking import tracked

    kept: list[Reading] = []
    pixels = pages is not None or annotated is not None  # whether somebody behind the tracker wants them

    def see(reading: Reading) -> None:
        progress.step(reading)
        if pages is not None:
            pages.add(reading)
        film.add(reading)
        if out is None and not reading.silent:
            kept.append(replace(reading, pixels=None))

    counts: Counts | None = None
    stopped = False
    with Annotation(annotated, sources, every=options.every) as film, Counter(line("done_read", lang)) as counter:
        progress = Readings(counter, len(sources), lang)
        try:
            if out is not None:
                counts = analyze_to_table(analyzer, sources, out, kind, options, resume, see, pixels)
            else:
                readings = analyzer.read_sources(sources, every=options.every, crops=options.crops, keep_pixels=True)
                for reading in tracked(readings):
                    see(reading if pixels else replace(reading, pixels=None))
        except KeyboardInterrupt:
            stopped = True
    if out is not None:
        print_counts(out, counts, stopped, lang)
    else:
        print_readings(kept, lang)
    if annotated is not None:
        typer.echo(film.said(lang), err=True)
    if pages is not None:
        shown = pages.write({k: str(v) for k, v in analyzer.describe(options.crops).items()})
        key = "report_part" if pages.left_out else "report"
        typer.echo(line(key, lang, n=shown, left=pages.left_out, out=pages.path), err=True)
    if review is not None and (out is None or out.is_file()):
        _write_review(review, out, kind, kept, sources, options, lang)
    return stopped or (counts.unreadable > 0 if counts is not None else any(r.problem for r in kept))


def _pages(report: Path | None, lang: str, analyzer: Analyzer, targets: list[str]) -> ReportPages | None:
    """What collects the report's faces, with the explanations of `targets`. Raises InputError for unknown targets."""
    if report is None:
        return None
    from omokage.cli.reporting import ReportPages

    if not targets:
        return ReportPages(report, lang)
    from omokage.pipeline.explain import asked, explain_analysed

    wanted = [asked(analyzer, name, "occlusion") for name in targets]

    def why(face: FaceAnalysis, pixels: NDArray[np.uint8]) -> list[RelevanceMap]:
        return [explain_analysed(network, pixels, face, one) for network, one in wanted]

    return ReportPages(report, lang, why)


def _write_review(
    review: Path, out: Path | None, kind: str | None, kept: list[Reading], sources: list[Source], options: RunOptions,
    lang: str,
) -> None:  # fmt: skip
    """The cases that a person should look at, from the whole table (also what an earlier, resumed run wrote)."""
    from omokage.media.sinks import format_of, read_rows
    from omokage.pipeline.cases import write_cases

    table = read_rows(out, format_of(out, kind)) if out is not None else [row for r in kept for row in r.rows()]
    number = write_cases(review, table, pictures=not options.features_only, paths={s.name: s.path for s in sources})
    typer.echo(line("cases", lang, n=number, out=review), err=True)
