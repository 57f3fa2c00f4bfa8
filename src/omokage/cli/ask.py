"""`omokage ask` and `omokage describe`: questions about a face in words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.dialogue.answers import Answer
    from omokage.pipeline.dialogue import Talk

Crops = Annotated[bool, typer.Option("--crops", help="The picture is one face already: skip finding.")]
Face = Annotated[int | None, typer.Option(min=0, help="Which face, counted from 0, the largest.")]
Model = Annotated[
    str | None, typer.Option(help="Weights folder, or a Hugging Face folder or id; default: the shipped model.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")]
Weights = Annotated[str | None, typer.Option(help="The set that finds faces and checks answers, or a folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
Lang = Annotated[str, typer.Option(help="Language of refusals and reasons: en or ja.")]
Free = Annotated[bool, typer.Option("--free", help="The model's own words as they come: unchecked text.")]


def ask(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture; with --out a folder or a pattern.")],
    questions: Annotated[
        list[str], typer.Argument(metavar="QUESTION...", help="What to ask; several are one talk. - reads lines.")
    ],
    option: Annotated[list[str] | None, typer.Option(help="An allowed answer; give it twice or more.")] = None,
    face: Face = None,
    out: Annotated[Path | None, typer.Option(help="Answers about many pictures (.parquet, .csv, .jsonl).")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    free: Free = False,
    crops: Crops = False,
    model: Model = None,
    device: Device = None,
    weights: Weights = None,
    as_json: Json = False,
    lang: Lang = "en",
) -> None:
    """Ask about a face in words. The answer is the last line; status 1 when there is none."""
    from omokage.dialogue.answers import checked_question

    asked = [line.strip() for q in questions for line in (sys.stdin if q == "-" else [q]) if q != "-" or line.strip()]
    for question in asked:
        checked_question(question, option or ())
    if lang not in ("en", "ja"):
        raise InputError(f"no texts in the language {lang!r}: choose en or ja")
    if out is not None:
        raise typer.Exit(_table(image, asked, option or [], face, out, resume, crops, model, device, weights, lang))
    if Path(image).is_dir():
        raise InputError(f"{image} is a folder: name a file for the answers with --out, or one picture")
    if not Path(image).exists():
        raise InputError(f"no such file: {image}")
    from omokage.pipeline.dialogue import Talk

    talk = Talk(image, face=face, crops=crops, model=model, weights=weights, device=device, lang=lang)
    good = True
    for question in asked:
        if free:
            _stream(talk, question)
        else:
            answer = talk.ask(question, option or ())
            _print(answer, as_json)
            good = good and answer.status == "answered"
    raise typer.Exit(0 if good and not talk.look.status else 1)


def describe(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture.")],
    face: Face = None,
    free: Free = False,
    crops: Crops = False,
    model: Model = None,
    device: Device = None,
    weights: Weights = None,
    as_json: Json = False,
) -> None:
    """Describe a face in sentences that two models stand behind; what they dispute is left out."""
    if not image.is_file():
        raise InputError(f"no such file: {image}")
    from omokage.pipeline.dialogue import Talk, described

    talk = Talk(str(image), face=face, crops=crops, model=model, weights=weights, device=device)
    if free:
        _stream(talk, "Describe the face.")
        raise typer.Exit(1 if talk.look.status else 0)
    found = described(talk.look, talk.model, talk.rules)
    if as_json:
        import json

        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        if found.needs_review:
            typer.echo(f"needs review: {found.needs_review}", err=True)
        typer.echo(found.text)
    raise typer.Exit(0 if found.status == "answered" else 1)


def _stream(talk: Talk, prompt: str) -> None:
    """Print the model's words as they come; that they are unchecked goes to standard error."""
    typer.echo("unchecked text, the model's own words:", err=True)
    for piece in talk.words(prompt):
        typer.echo(piece, nl=False)
        sys.stdout.flush()
    typer.echo()


def _print(answer: Answer, as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(answer.to_dict(), indent=1, ensure_ascii=False))
        return
    if answer.probabilities:
        shares = zip(answer.options, answer.probabilities, strict=True)
        typer.echo("  ".join(f"{option} {p:.2f}" for option, p in sorted(shares, key=lambda s: -s[1])))
    if answer.specialist is not None:
        typer.echo(f"attributes network: {answer.specialist:.2f} for the same ({answer.agreement})")
    elif answer.status == "answered" and answer.options:
        typer.echo("attributes network: does not read this (unchecked)")
    if answer.needs_review:
        typer.echo(f"needs review: {answer.needs_review}")
    typer.echo(answer.text)


def _table(
    image: str, questions: list[str], options: list[str], face: int | None, out: Path, resume: bool, crops: bool,
    model: str | None, device: str | None, weights: str | None, lang: str,
) -> int:  # fmt: skip
    """Ask about many pictures; 1 when some questions have no answer."""
    from omokage.cli.progress import Counter
    from omokage.media.files import check_writable
    from omokage.media.sources import expand
    from omokage.pipeline import Analyzer
    from omokage.pipeline.dialogue import open_model
    from omokage.pipeline.dialogue_batch import ask_table

    check_writable(out)
    found = expand([image])
    opened, analyzer = open_model(model, device), Analyzer(weights, None, device)
    with Counter("read") as counter:
        counts = ask_table(
            analyzer, opened, list(found.sources), questions, out, options=options, face=face, crops=crops,
            resume=resume, lang=lang, progress=counter.update,
        )  # fmt: skip
    videos = sum(source.video for source in found.sources)
    more = f"; {videos} videos were passed over" if videos else ""
    text = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    typer.echo(f"{sum(counts.values())} answers ({text}): {out}{more}", err=True)
    return 0 if set(counts) == {"answered"} else 1
