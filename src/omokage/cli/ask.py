"""`omokage ask` and `omokage describe`: questions about a face in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import counts_text
from omokage.cli.words import line as line_of
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
    asked, options = _asked(questions, option or ()), option or []
    if out is not None:
        _apart({"--out": True, "--json": as_json, "--free": free})
        raise typer.Exit(_table(image, asked, options, face, out, resume, crops, model, device, weights, lang))
    _apart({"--free": free, "--json": as_json})
    _apart({"--free": free, "--option": bool(options)})
    talk = _talk(image, face=face, crops=crops, model=model, weights=weights, device=device, lang=lang)
    if free:
        good = [_spoken(talk, question) for question in asked]
    elif as_json:
        good = _as_json([talk.ask(question, options) for question in asked])
    else:
        good = [_answered(talk.ask(question, options), lang) for question in asked]
    raise typer.Exit(0 if all(good) else 1)


def describe(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture.")],
    face: Face = None,
    free: Free = False,
    crops: Crops = False,
    model: Model = None,
    device: Device = None,
    weights: Weights = None,
    as_json: Json = False,
    lang: Lang = "en",
) -> None:
    """Describe a face in sentences that two models stand behind; what they dispute is left out."""
    _apart({"--free": free, "--json": as_json})
    talk = _talk(image, face=face, crops=crops, model=model, weights=weights, device=device, lang=lang)
    if free:
        raise typer.Exit(0 if _spoken(talk, "Describe the face.") else 1)
    from omokage.pipeline.description import described

    found = described(talk.look, talk.model, talk.rules, lang)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        if found.disputed:
            from omokage.dialogue.review_words import disputed_words, line

            typer.echo(line("review", lang, why=disputed_words(found.disputed, lang)), err=True)
        typer.echo(found.text)
    raise typer.Exit(0 if found.status == "answered" else 1)


def _asked(questions: Sequence[str], options: Sequence[str]) -> list[str]:
    """The questions, those from standard input included. Raises InputError for what cannot be asked."""
    from omokage.dialogue.answers import checked_question

    given = [line for q in questions for line in (sys.stdin if q == "-" else [q]) if q != "-" or line.strip()]
    if not given:
        raise InputError("standard input holds no question: give one a line")
    return [checked_question(question, options)[0] for question in given]


def _apart(given: dict[str, bool]) -> None:
    """Raises InputError when more than one of these options was given."""
    names = [name for name, there in given.items() if there]
    if len(names) > 1:
        raise InputError(f"{' and '.join(names)} cannot be used together: leave one out")


def _talk(image: str, **settings: Any) -> Talk:
    if Path(image).is_dir():
        raise InputError(
            f"{image} is a folder: name one picture, or ask about all of them with  omokage ask --out FILE"
        )
    if not Path(image).exists():
        raise InputError(f"no such file: {image}")
    from omokage.pipeline.dialogue import Talk

    return Talk(image, **settings)


def _spoken(talk: Talk, prompt: str) -> bool:
    """Print the model's words as they come, if it has any; that they are unchecked goes to standard error."""
    spoken = not talk.no_words(prompt)
    if spoken:
        from omokage.dialogue.review_words import line

        typer.echo(line("unchecked", talk.lang), err=True)
    for piece in talk.words(prompt):
        typer.echo(piece, nl=False)
        sys.stdout.flush()
    typer.echo()
    return spoken


def _as_json(answers: Sequence[Answer]) -> list[bool]:
    """Print one answer as an object, several as one array; whether each is an answer."""
    data = [answer.to_dict() for answer in answers]
    typer.echo(json.dumps(data[0] if len(data) == 1 else data, indent=1, ensure_ascii=False))
    return [answer.status == "answered" for answer in answers]


def _answered(answer: Answer, lang: str) -> bool:
    """Print one answer; whether it is one."""
    for line in _lines(answer, lang):
        typer.echo(line)
    return answer.status == "answered"


def _lines(answer: Answer, lang: str) -> list[str]:
    """An answer in words: probabilities, what the attributes network says, why to look at it; the answer last."""
    from omokage.dialogue.review_words import agreement_word, fact_name, line, review_words

    lines = []
    if answer.probabilities:
        shares = zip(answer.options, answer.probabilities, strict=True)
        lines.append("  ".join(f"{option} {p:.2f}" for option, p in sorted(shares, key=lambda s: -s[1])))
    for name, field in answer.fields.items():
        p = "" if field.probability is None else f" {field.probability:.2f}"
        second = line("field", lang, agreement=agreement_word(field.agreement, lang))
        lines.append(f"{fact_name(name, lang)}: {field.value}{p} {second}")
    if answer.specialist is not None:
        agreement = agreement_word(answer.agreement, lang)
        lines.append(line("second", lang, p=answer.specialist, agreement=agreement))
    elif answer.status == "answered" and answer.options:
        lines.append(line("unread", lang))
    if answer.needs_review:
        lines.append(line("review", lang, why=review_words(answer.needs_review, lang)))
    return [*lines, answer.text]


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
    with Counter(line_of("done_read", lang)) as counter:
        counts = ask_table(
            analyzer, opened, list(found.sources), questions, out, options=options, face=face, crops=crops,
            resume=resume, lang=lang, progress=counter.update,
        )  # fmt: skip
    videos = sum(source.video for source in found.sources)
    more = line_of("and_passed_videos", lang, n=videos) if videos else ""
    each = counts_text(sorted(counts.items()), lang)
    typer.echo(line_of("answers", lang, n=sum(counts.values()), counts=each, out=out) + more, err=True)
    return 0 if set(counts) == {"answered"} else 1
