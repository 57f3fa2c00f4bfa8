"""`omokage embed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import passed_over_text
from omokage.cli.words import line

if TYPE_CHECKING:
    from omokage.embeddings.predict import Embedder


def embed(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Pictures, folders, patterns, videos; - reads a list.")
    ],
    out: Annotated[Path, typer.Option(help="Write the faces table with the column embedding here.")],
    purpose: Annotated[str, typer.Option(help="What this is for, in words; kept in the purpose log.")],
    encoder: Annotated[
        str | None, typer.Option(help="A shipped set's name or a folder of a run; default: the shipped encoder.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="parquet, csv or jsonl; default: the ending of --out.")] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Of videos, read every N-th frame.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces that go through the network at once.")] = 32,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    weights: Annotated[str | None, typer.Option(help="The set that finds and aligns faces, or a folder.")] = None,
    log: Annotated[Path | None, typer.Option(help="The purpose log; default: the user's own.")] = None,
    lang: Lang = "en",
) -> None:
    """Read faces and keep 256 numbers of each, its pose and expression, for probes and for `omokage search`."""
    from omokage.governance.purpose import PurposeLog, default_log, stated
    from omokage.media.files import check_writable
    from omokage.media.outputs import check_apart
    from omokage.media.sources import expand

    stated(purpose)
    check_writable(out)
    found = expand(inputs)
    check_apart({"--out": out}, (source.path for source in found.sources))
    if found.passed_over:
        typer.echo(passed_over_text(found.passed_over, lang), err=True)
    network = open_embedder(encoder, device, batch_size)
    from omokage.cli.progress import Counter, Readings
    from omokage.cli.show import print_counts
    from omokage.pipeline import Analyzer
    from omokage.pipeline.embedding import embed_to_table
    from omokage.pipeline.run import RunOptions

    analyzer = Analyzer(weights, None, device, batch_size)
    facts = {"inputs": len(found.sources), "encoder": network.name}
    asked = ", ".join(inputs[:5]) + (f" and {len(inputs) - 5} more" if len(inputs) > 5 else "")
    entry = PurposeLog(log or default_log()).append("embed", str(out.resolve()), purpose, asked, facts)
    counts, stopped = None, False
    with Counter(line("done_read", lang)) as counter:
        progress = Readings(counter, len(found.sources), lang)
        try:
            options = RunOptions(every, crops)
            counts = embed_to_table(analyzer, network, list(found.sources), out, format, options, resume, progress.step)
        except KeyboardInterrupt:
            stopped = True
    print_counts(out, counts, stopped, lang)
    typer.echo(line("entry", lang, n=entry.number, hash=entry.hash[:12]), err=True)
    raise typer.Exit(1 if stopped or (counts is not None and counts.unreadable) else 0)


def open_embedder(encoder: str | None, device: str | None, batch_size: int = 64) -> Embedder:
    """The encoder of a set or folder, else the shipped one. Raises WeightsError."""
    from omokage.embeddings.predict import Embedder
    from omokage.weights.registry import DEFAULT_SET

    return Embedder(encoder or DEFAULT_SET, device or "auto", batch_size)
