"""`omokage annotate`: captions and labels for pictures from several sources, with who said what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import counts_text, left_out_text
from omokage.cli.words import line
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.dialogue.exporting import Form
    from omokage.dialogue.teachers import Teacher

NAMED = 5  # pictures without an annotation that are named


def annotate(
    images: Annotated[
        str, typer.Argument(metavar="IMAGES", help="Pictures, a folder, a folder of records, or a set's folder.")
    ],
    out: Annotated[Path, typer.Option(help="Where to (.jsonl, .parquet, .json).")],
    format: Annotated[str | None, typer.Option(help="jsonl, parquet, llava or sharegpt; default: the ending.")] = None,
    dataset: Annotated[str, typer.Option("--set", help="The folder is this published set: celeba, raf_db, ...")] = "",
    split: Annotated[str, typer.Option(help="Which part of the set; default: its first.")] = "",
    teacher: Annotated[
        str | None, typer.Option(help="A vision-language model: Hugging Face folder or id; with --endpoint its name.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible address: face crops are sent there, nothing else is.")
    ] = None,
    key_from: Annotated[str, typer.Option(help="The environment variable that holds the endpoint's key.")] = "",
    specialists: Annotated[bool, typer.Option(help="Let the attributes network speak.")] = True,
    review: Annotated[Path | None, typer.Option(help="Write a CSV in which people accept or correct.")] = None,
    apply: Annotated[Path | None, typer.Option(help="IMAGES is an annotated .jsonl: apply this filled CSV.")] = None,
    person: Annotated[str, typer.Option(help="With --apply: who reviewed, for the provenance.")] = "reviewer",
    pictures: Annotated[Path | None, typer.Option(help="Write the pictures here, named by hash, without EXIF.")] = None,
    questions: Annotated[int, typer.Option(min=0, help="Closed questions per picture in the export.")] = 4,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many pictures; 0 = all.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    weights: Annotated[str | None, typer.Option(help="The set that finds and reads faces, or a folder.")] = None,
    lang: Lang = "en",
) -> None:
    """Caption and label pictures, with provenance for every sentence; disagreement between sources is kept, names and
    camera data are not."""
    from omokage.dialogue.exporting import form_of
    from omokage.media.files import check_writable

    form = form_of(out, format)
    check_writable(out)
    if apply is not None:
        if review is not None:
            raise InputError("--apply takes verdicts in and --review asks for them: leave one away")
        _apply(Path(images), apply, out, form, person, questions, lang)
        return
    _check_places(images, out, review, pictures, bool(dataset))
    if form in ("llava", "sharegpt") and pictures is None:
        raise InputError(f"the format {form} names pictures by their hash: say with --pictures where to write these")
    from omokage.cli.progress import Counter
    from omokage.pipeline import Analyzer
    from omokage.pipeline.annotate import Plan, counted, videos_in
    from omokage.pipeline.annotate import annotate as run

    plan = Plan(dataset, split, specialists, crops, questions, pictures, limit)
    speaker = _teacher(teacher, endpoint, key_from, device)
    needed = specialists or (speaker is not None and not crops)
    analyzer = Analyzer(weights, None, device) if needed else None
    without: list[str] = []
    with Counter(line("done_annotated", lang)) as counter:
        found = run(
            images, out, form, plan, analyzer, speaker, review=review, resume=resume, progress=counter.update,
            left_out=lambda name, why: without.append(f"{name}: {left_out_text(why, lang)}"),
        )  # fmt: skip
    counts = counts_text(counted(found).items(), lang, answered="注釈あり")
    typer.echo(line("pictures", lang, n=len(found), counts=counts, out=out), err=True)
    _tell(without, lang)
    failures, videos = getattr(speaker, "failures", 0), videos_in(images, plan)
    if failures:
        typer.echo(line("unfitting", lang, n=failures), err=True)
    if videos:
        typer.echo(line("passed_videos", lang, n=videos), err=True)
    if review is not None:
        typer.echo(line("for_people", lang, out=review), err=True)
    raise typer.Exit(0 if all(a.status == "answered" for a in found) else 1)


def _check_places(images: str, out: Path, review: Path | None, pictures: Path | None, dataset: bool) -> None:
    """Raises InputError when there is no input, PlaceError for an output that cannot be or would cost something."""
    from omokage.dialogue.exporting import check_review
    from omokage.media.files import check_folder, check_writable
    from omokage.media.outputs import check_apart
    from omokage.media.sources import expand
    from omokage.pipeline.annotate import is_records

    if review is not None:
        check_writable(review)
        check_review(review)
    if pictures is not None:
        check_folder(pictures)
    if dataset or is_records(images):  # an earlier output may lie in a set's folder and be written anew
        kept = (path for path in Path(images).rglob("*") if path.suffix not in (".json", ".jsonl"))
        inputs = [str(path) for path in kept if path.is_file()] if out.exists() else []
    else:
        inputs = [source.path for source in expand([images]).sources]
    check_apart({"--out": out, "--review": review}, inputs, {"--pictures": pictures})


def _tell(without: list[str], lang: str) -> None:
    """Name the first pictures that have no annotation."""
    for picture in without[:NAMED]:
        typer.echo(f"  {picture}", err=True)
    if len(without) > NAMED:
        typer.echo(line("more", lang, n=len(without) - NAMED), err=True)


def _teacher(name: str | None, endpoint: str | None, key_from: str, device: str | None) -> Teacher | None:
    """The teacher that was asked for, or None. Raises InputError."""
    from omokage.dialogue.teachers import LocalTeacher, RemoteTeacher

    if endpoint is not None:
        if not name:
            raise InputError("--endpoint needs the model's name there: give it with --teacher")
        if key_from and key_from not in os.environ:
            raise InputError(f"the environment has no variable {key_from!r} with the endpoint's key: set it first")
        return RemoteTeacher(endpoint, name, os.environ.get(key_from, "") if key_from else "")
    if name is None:
        return None
    from omokage.pipeline.dialogue import limited, open_model

    model = open_model(name, device)
    return LocalTeacher(model, sentences=not limited(model))


def _apply(annotations: Path, review: Path, out: Path, form: Form, person: str, questions: int, lang: str) -> None:
    """Write annotations after a person's verdicts."""
    from datetime import date

    from omokage.dialogue.exporting import apply_review, read_annotations, write_annotations
    from omokage.media.outputs import check_apart

    check_apart({"--out": out}, [annotations, review])
    changed, count = apply_review(read_annotations(annotations), review, person, date.today().isoformat())
    write_annotations(out, form, changed, questions)
    typer.echo(line("applied", lang, verdicts=count, n=len(changed), out=out), err=True)
