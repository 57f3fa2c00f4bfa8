"""`omokage search` and `omokage purpose`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import problem_text
from omokage.cli.words import line
from omokage.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from omokage.embeddings.gallery import Hit
    from omokage.governance.purpose import Entry

purpose_app = typer.Typer(
    help="The local log of who embedded or searched faces, when and for what.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Log = Annotated[Path | None, typer.Option("--log", help="The purpose log; default: the user's own.")]


def search(
    gallery: Annotated[Path, typer.Argument(metavar="GALLERY", help="A faces table that `omokage embed` wrote.")],
    query: Annotated[Path, typer.Argument(metavar="QUERY", help="A picture; its largest face is the query.")],
    purpose: Annotated[str, typer.Option(help="What this is for, in words; kept in the purpose log.")],
    top: Annotated[int, typer.Option(min=1, help="How many faces to give.")] = 10,
    per_source: Annotated[int, typer.Option(min=0, help="At most so many of one picture or video; 0: any number.")] = 1,
    report: Annotated[Path, typer.Option(help="The grid of pictures is written here.")] = Path("search.html"),
    numbers_only: Annotated[bool, typer.Option("--numbers-only", help="Print the answers, write no pictures.")] = False,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Search a graph (usearch): for galleries far beyond a million faces.")
    ] = False,
    crops: Annotated[bool, typer.Option("--crops", help="The query is one face already: skip finding.")] = False,
    encoder: Annotated[
        str | None, typer.Option(help="The encoder that made the gallery, if not the shipped one.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    weights: Annotated[str | None, typer.Option(help="The set that finds and aligns faces, or a folder.")] = None,
    log: Log = None,
    lang: Lang = "en",
) -> None:
    """Find other people's faces in the same pose and expression as a query; the answer is a grid of pictures."""
    from omokage.governance.purpose import PurposeLog, default_log, stated
    from omokage.media.files import check_writable
    from omokage.media.outputs import check_apart

    stated(purpose)
    if not numbers_only:
        check_apart({"--report": report}, [query, gallery])
        check_writable(report)
    from omokage.cli.embed import open_embedder
    from omokage.embeddings.gallery import open_gallery
    from omokage.embeddings.retrieve import search as nearest
    from omokage.media.controls import plain
    from omokage.pipeline import Analyzer
    from omokage.pipeline.embedding import own_sources, query_code

    network = open_embedder(encoder, device)
    found = query_code(Analyzer(weights, None, device), network, query, crops)
    opened = open_gallery(gallery)
    if opened.encoder and opened.encoder != network.name:
        raise InputError(
            f"the gallery was made with the encoder {opened.encoder}, the query with {network.name}: name the same one "
            "with --encoder"
        )
    # Written before the answer is computed: what cannot be accounted for is not done.
    facts = {"top": top, "faces": len(opened), "encoder": network.name, "approximate": approximate}
    entry = PurposeLog(log or default_log()).append("search", str(gallery.resolve()), purpose, str(query), facts)
    hits = nearest(
        opened,
        found.code,
        top,
        own_sources(opened.sources, query, gallery),
        per_source,
        "approximate" if approximate else "exact",
        copies=False,
    )
    _print(hits, lang)
    if not numbers_only:
        from omokage.report.embeddings import Tile, search_section, write_page

        tiles = [Tile(picture, words) for picture, words in _pictures(hits, gallery, lang)]
        section = search_section(Tile(found.picture, str(query)), tiles, lang, per_source)
        about = _about(str(gallery), len(opened), network.name, purpose, entry, lang)
        write_page(report, line("grid_title", lang), line("grid_lead", lang), [section], about, lang)
        typer.echo(line("grid", lang, n=len(hits), out=report), err=True)
        if blank := [hit.source for hit, tile in zip(hits, tiles, strict=True) if tile.picture is None]:
            typer.echo(line("grid_blank", lang, blank=len(blank), n=len(hits), first=plain(blank[0])), err=True)
    typer.echo(line("entry", lang, n=entry.number, hash=entry.hash[:12]), err=True)


def _about(gallery: str, faces: int, encoder: str, purpose: str, entry: Entry, lang: str) -> dict[str, str]:
    """How the grid was made."""
    facts = {
        "grid_gallery": line("grid_faces", lang, gallery=gallery, n=faces),
        "grid_encoder": encoder,
        "grid_purpose": purpose,
        "grid_entry": line("grid_entry_is", lang, n=entry.number, hash=entry.hash),
        "grid_when": entry.when,
    }
    return {line(key, lang): value for key, value in facts.items()}


def _print(hits: list[Hit], lang: str) -> None:
    from rich.table import Table

    from omokage.cli.console import console
    from omokage.media.controls import plain

    table = Table()
    for key in ("likeness", "source", "frame", "face"):
        table.add_column(line(key, lang), overflow="fold")
    for hit in hits:
        table.add_row(f"{hit.likeness:z.3f}", plain(hit.source), str(hit.frame), str(hit.face + 1))
    console().print(table)


def _pictures(hits: list[Hit], gallery: Path, lang: str) -> list[tuple[NDArray[np.uint8] | None, str]]:
    """The surroundings of each hit, None where its source cannot be read, and the words under it."""
    from collections import Counter

    from omokage.cli.reporting import short_names
    from omokage.pipeline.embedding import picture_of, place_of

    names = short_names(hit.source for hit in hits)
    faces = Counter((hit.source, hit.frame) for hit in hits)
    found = []
    for hit in hits:
        place = place_of(hit.source, gallery)
        picture = None if place is None else picture_of(replace(hit, source=str(place)))
        frame = line("of_frame", lang, n=hit.frame) if hit.frame else ""
        face = f" · {line('face', lang)} {hit.face + 1}" if faces[hit.source, hit.frame] > 1 else ""
        found.append((picture, f"{hit.likeness:z.2f} · {names[hit.source]}{frame}{face}"))
    return found


@purpose_app.command("verify")
def verify(
    log: Log = None,
    known: Annotated[
        str | None, typer.Option(help="A hash that was noted elsewhere and must still be in the log.")
    ] = None,
    lang: Lang = "en",
) -> None:
    """Check that no line of the log was changed, moved or taken out; status 1 when one was."""
    from omokage.governance.purpose import PurposeLog, default_log

    found = PurposeLog(log or default_log()).verify(known)
    if found.sound:
        typer.echo(line("log_sound", lang, n=found.entries, hash=found.head[:12]))
    else:
        typer.echo(line("log_broken", lang, problem=problem_text(found.problem, lang)))
    raise typer.Exit(0 if found.sound else 1)


@purpose_app.command("list")
def list_entries(log: Log = None, lang: Lang = "en") -> None:
    """Print the log: when, who, what, of which gallery, for what purpose."""
    from rich.table import Table

    from omokage.cli.console import console
    from omokage.governance.purpose import PurposeLog, default_log
    from omokage.media.controls import plain

    table = Table()
    for key in ("when", "who", "action", "gallery", "asked", "purpose"):
        table.add_column(line(key, lang), overflow="fold")
    for entry in PurposeLog(log or default_log()).entries():
        row = (entry.when, entry.who, entry.action, entry.gallery, entry.asked, entry.purpose)
        table.add_row(*map(plain, row))
    console().print(table)
