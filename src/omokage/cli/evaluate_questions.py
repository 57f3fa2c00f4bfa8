"""`omokage evaluate questions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.evaluate_words import SKIPPED, WORDS
from omokage.cli.options import Lang
from omokage.language import text

if TYPE_CHECKING:
    from omokage.pipeline.dialogue_bench import BenchScore


def evaluate_questions(
    bench: Annotated[Path, typer.Argument(metavar="BENCH", help="FaceXBench's folder, or FaceBench's .jsonl.")],
    pictures: Annotated[Path | None, typer.Option(help="Of FaceBench: the folder of its pictures.")] = None,
    model: Annotated[str | None, typer.Option(help="Weights folder, or a Hugging Face folder or id.")] = None,
    trained_on: Annotated[
        Path | None, typer.Option(help="Records: questions about these pictures are left out.")
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Show whole pictures: skip finding.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    lang: Lang = "en",
) -> None:
    """Ask a published benchmark's questions with options; what is refused or needs several pictures is counted."""
    import json
    from dataclasses import asdict

    from omokage.cli.progress import Counter
    from omokage.pipeline import Analyzer
    from omokage.pipeline.dialogue import open_model
    from omokage.pipeline.dialogue_bench import answered, read_bench

    questions = read_bench(bench, pictures)
    opened = open_model(model, device)
    with Counter(text(WORDS, "asking", lang)) as counter:
        found = answered(questions, opened, None if crops else Analyzer(None, None, device), trained_on, counter.update)
    if json_:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    _show_answers(found, lang)


def _show_answers(found: BenchScore, lang: str) -> None:
    for name, s in {text(WORDS, "asked", lang): found.asked, **found.categories}.items():
        parts = {"accuracy": f"{s.accuracy:.3f}", "error": f"{s.calibration_error:.3f}", "n": s.count}
        typer.echo(text(WORDS, "answered", lang, name=name, **parts))
    skipped = [text(WORDS, "skipped", lang, n=n, why=text(SKIPPED, why, lang)) for why, n in found.skipped.items()]
    left = text(WORDS, "join", lang).join(skipped) or text(WORDS, "none", lang)
    typer.echo(text(WORDS, "not_asked", lang, left=left, n=found.trained_on))
    typer.echo(text(WORDS, "over_all", lang, accuracy=f"{found.accuracy_of_all:.3f}"))
