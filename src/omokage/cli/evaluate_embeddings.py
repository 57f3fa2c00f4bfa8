"""`omokage evaluate embeddings`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omokage.cli.evaluate_words import WORDS
from omokage.cli.options import Lang
from omokage.errors import InputError
from omokage.language import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from omokage.embeddings.evaluate import ProbeScore
    from omokage.embeddings.labelled import Cut, LabelledFaces
    from omokage.embeddings.leakage import Removal
    from omokage.embeddings.predict import Encoder
    from omokage.report.embeddings import Section

    Geometry = tuple[int, float]  # side and margin of the crops that an encoder takes


def embeddings(
    labelled: Annotated[
        Path, typer.Argument(metavar="LABELLED", help="A folder of records, or of a data set in its own layout.")
    ],
    dataset: Annotated[
        str | None, typer.Option(help="The set's name (300w, affectnet, folder, ...); default: a folder of records.")
    ] = None,
    split: Annotated[str, typer.Option(help="The set's split.")] = "all",
    encoder: Annotated[
        list[str] | None, typer.Option(help="Shipped set or folder of a run; give it again to compare several.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; default: every one with labels.")] = None,
    labels: Annotated[str, typer.Option(help="Numbers of labels, with commas; 0: all.")] = "10,50,100,1000,0",
    protocol: Annotated[str, typer.Option(help="ridge (strength by cross-validation) or published.")] = "ridge",
    crops: Annotated[
        str, typer.Option(help="found: as analyze cuts; boxes: by the set's own labels; whole: each picture is one.")
    ] = "found",
    limit: Annotated[int, typer.Option(min=0, help="At most so many pictures; 0: all.")] = 0,
    baselines: Annotated[
        bool, typer.Option(help="Also untrained network, and pixels with principal components.")
    ] = True,
    report: Annotated[Path | None, typer.Option(help="Write one page with the plots.")] = None,
    rendered: Annotated[
        int, typer.Option(min=0, help="For the page, render so many pairs of heads: what moves a code. 0: none.")
    ] = 0,
    weights: Annotated[str | None, typer.Option(help="The set that finds and aligns faces, or a folder.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    lang: Lang = "en",
) -> None:
    """Fit linear probes to a frozen encoder's codes and say how well they read each label, by how many labels."""
    from omokage.cli.progress import Counter
    from omokage.embeddings.evaluate import ProbeConfig, evaluate
    from omokage.media.files import check_writable
    from omokage.report.score_words import probe_name

    if protocol not in ("ridge", "published"):
        raise InputError(f"no protocol called {protocol!r}: choose ridge or published")
    if report is not None:
        check_writable(report)
    elif rendered:
        raise InputError("--rendered draws on a page: name it with --report")
    config = ProbeConfig(_numbers(labels), protocol="published" if protocol == "published" else "ridge")
    encoders = _encoders(encoder or [], device)
    with Counter(text(WORDS, "reading", lang)) as counter:
        cut = _cutter(crops, weights, device)
        read: dict[Geometry, LabelledFaces] = {}
        for one in encoders:  # each is judged on crops that show as much as those that it learnt from
            if _geometry(one) not in read:
                read[_geometry(one)] = _faces(labelled, dataset, split, one, cut(one), limit, counter)
    faces = read[_geometry(encoders[0])]
    if task:
        read = {geometry: of.only(task) for geometry, of in read.items()}
    if baselines:
        encoders += _baselines(faces, encoders[0], device)
    with Counter(text(WORDS, "probing", lang)) as counter:
        total = sum(len(read[_geometry(one)].targets) for one in encoders)
        steps = iter(range(total))
        step = lambda what: counter.update(next(steps, total), total, probe_name(what, lang))  # noqa: E731
        scores = [s for one in encoders for s in evaluate([one], read[_geometry(one)], config, step)]
    _show_scores(scores, json_, lang)
    if not faces.found.all():
        typer.echo(text(WORDS, "cut_by_label", lang, n=int((~faces.found).sum()), all=len(faces)), err=True)
    if report is not None:
        _write_scores(report, scores, faces, encoders, rendered, lang)


def _numbers(listed: str) -> tuple[int, ...]:
    try:
        found = tuple(int(word) for word in listed.split(","))
    except ValueError:
        found = (-1,)
    if min(found) < 0:
        raise InputError(f"--labels {listed!r} is not a list of numbers such as 10,100,0")
    return found


def _encoders(names: list[str], device: str | None) -> list[Encoder]:
    from omokage.cli.embed import open_embedder

    return [open_embedder(name, device) for name in names or [None]]  # type: ignore[list-item]


def _baselines(faces: LabelledFaces, like: Any, device: str | None) -> list[Encoder]:
    """The same network untrained, and pixels; both have seen the pictures, no label."""
    from omokage.embeddings.predict import Pixels, untrained

    made: list[Encoder] = [untrained(like.config, device=device or "auto", crops=faces.crops)]
    return [*made, Pixels.fitted(faces.crops, like.margin)]


def _geometry(encoder: Encoder) -> Geometry:
    return encoder.size, encoder.margin


def _cutter(crops: str, weights: str | None, device: str | None) -> Callable[[Encoder], Cut]:
    """What cuts faces as an encoder wants them."""
    from omokage.embeddings.labelled import box_cut, whole_cut

    if crops == "found":
        from omokage.pipeline import Analyzer
        from omokage.pipeline.embedding import found_cut

        analyzer = Analyzer(weights, None, device)
        return lambda encoder: found_cut(analyzer, encoder.size, encoder.margin)
    if crops not in ("boxes", "whole"):
        raise InputError(f"--crops {crops!r}: choose found, boxes or whole")
    by = box_cut if crops == "boxes" else whole_cut
    return lambda encoder: by(encoder.size, encoder.margin)


def _faces(
    folder: Path, dataset: str | None, split: str, encoder: Encoder, cut: Cut, limit: int, counter: Any
) -> LabelledFaces:
    from omokage.data.datasets import read_dataset
    from omokage.data.records import read_records
    from omokage.embeddings.labelled import read_labelled

    records = read_records(folder) if dataset is None else read_dataset(dataset, folder, split)
    name = f"{dataset}, {split}" if dataset else folder.name
    return read_labelled(
        records, encoder.size, encoder.margin, cut, name, limit, lambda done: counter.update(done, limit or done)
    )


def _show_scores(scores: list[ProbeScore], json_: bool, lang: str) -> None:
    from dataclasses import asdict

    if json_:
        import json

        typer.echo(json.dumps([asdict(s) for s in scores], indent=1))
        return
    from rich.table import Table

    from omokage.cli.console import console
    from omokage.report.embeddings import probe_table

    heads, *rows = probe_table(scores, lang)
    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _write_scores(
    report: Path, scores: list[ProbeScore], faces: LabelledFaces, encoders: list[Encoder], rendered: int, lang: str
) -> None:
    from omokage.report.embeddings import identity_section, probe_section, write_page
    from omokage.report.score_words import encoder_name

    labelled = text(WORDS, "about_set", lang, name=faces.name, n=len(faces), people=len(set(faces.people)))
    names = text(WORDS, "join", lang).join(encoder_name(e.name, lang) for e in encoders)
    about = {text(WORDS, "about_pictures", lang): labelled, text(WORDS, "about_encoders", lang): names}
    sections = [probe_section(scores, language=lang)]
    if (removals := _removals(faces, encoders[0])) is not None:
        sections.append(identity_section(encoders[0].name, removals, lang))
    if rendered:
        sections += _rendered(encoders[0], rendered, lang)
    write_page(report, text(WORDS, "page_title", lang), text(WORDS, "page_lead", lang), sections, about, lang)
    typer.echo(text(WORDS, "page", lang, path=report), err=True)


def _removals(faces: LabelledFaces, encoder: Encoder) -> list[Removal] | None:
    """What codes keep of the set's people, where enough of them have several pictures."""
    from collections import Counter as Tally

    from omokage.embeddings.leakage import removal_curve

    if sum(count > 1 for count in Tally(faces.people).values()) < 8:
        return None
    return removal_curve(encoder.encode(faces.crops), faces.people)


def _rendered(encoder: Encoder, scenes: int, lang: str) -> list[Section]:
    from omokage.cli.progress import Counter
    from omokage.embeddings.reading import SWEEPS, factor_changes, sweep
    from omokage.report.embeddings import changes_section, sweeps_section

    with Counter(text(WORDS, "rendering", lang)) as counter:
        changes = factor_changes(encoder, scenes, progress=counter.update)
    return [changes_section(changes, lang), sweeps_section([sweep(encoder, name) for name in SWEEPS], lang)]
