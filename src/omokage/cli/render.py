"""`omokage render`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang, given
from omokage.cli.words import line
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.synthesis.pairs import PairSampler
    from omokage.synthesis.tracks import TrackSampler


def render(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The folder of records; what it already holds is kept.")],
    count: Annotated[
        int, typer.Option(min=1, max=10**8, help="Pictures, or pairs or tracks where these are asked for.")
    ],
    seed: Annotated[int, typer.Option(help="The same seed gives the same pictures.")] = 0,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of a picture in pixels.")] = 128,
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FACTOR",
            help="Pairs of one person that differ in weight, age, expression, ...; age=8: by exactly so much, on "
            "another day; visits: four pictures a person, for learning to compare; controlled: visits with the head "
            "held and lit alike.",
        ),
    ] = None,
    tracks: Annotated[bool, typer.Option("--tracks", help="Heads that move, speak and change over time.")] = False,
    frames: Annotated[int, typer.Option(min=2, max=10**5, help="Pictures of a track.")] = 50,
    fps: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="Pictures a second of a track; 2 for training embeddings.")
    ] = 25.0,
    sway: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="How far the heads of tracks turn, times the usual.")
    ] = 1.0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    lang: Lang = "en",
) -> None:
    """Render heads with exact labels into a folder of records, with a contact sheet; run again to go on after a
    stop."""
    if pairs is not None and tracks:
        raise InputError("--pairs and --tracks are two kinds of records: choose one, or two folders")
    _fitting(context, tracks)
    for name, value in (("fps", fps), ("sway", sway)):
        if not math.isfinite(value):
            raise InputError(f"--{name} {value} is no number to count with: give a finite one")
    if seed < 0:
        raise InputError(f"the seed {seed} is negative: give 0 or more")
    from omokage.cli.progress import Counter
    from omokage.synthesis import write
    from omokage.synthesis.visits import Visits, controlled

    with Counter(line("done_rendered", lang)) as counter:
        if tracks:
            moving = _tracks(frames, fps, sway)
            held = write.write_tracks(out, count, seed, moving, size=size, workers=workers, progress=counter.update)
        elif pairs in ("visits", "controlled"):
            plan = controlled() if pairs == "controlled" else Visits()
            held = write.write_visits(out, count, seed, plan, size=size, workers=workers, progress=counter.update)
        elif pairs is not None:
            held = write.write_pairs(
                out, count, seed, _sampler(pairs), size=size, workers=workers, progress=counter.update
            )
        else:
            held = write.write_records(out, count, seed, size=size, workers=workers, progress=counter.update)
    typer.echo(line("rendered", lang, n=held, out=out, sheet=out / write.SHEET), err=True)


def _fitting(context: typer.Context, tracks: bool) -> None:
    """Raises InputError for options of tracks where none are rendered."""
    for name in ("frames", "fps", "sway"):
        if not tracks and given(context, name):
            raise InputError(f"--{name} is about tracks: add --tracks, or leave it away")


def _sampler(factor: str) -> PairSampler:
    """Pairs of one factor; with ``=SIZE`` by exactly so much and with another light, camera and pose."""
    from omokage.synthesis.pairs import PairSampler
    from omokage.synthesis.sampling import SceneSampler
    from omokage.synthesis.visits import comparable

    name, exact, text = factor.partition("=")
    # The command line speaks of weight; the renderer's own name for what it morphs is fatness.
    factors = (("fatness" if name == "weight" else name, 1.0),)
    if not exact:
        return PairSampler(factors=factors, sampler=comparable() if name == "nuisance" else SceneSampler())
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if size <= 0:
        raise InputError(f"--pairs {factor}: a step is a number above 0, for example age=8")
    return PairSampler(factors=factors, size=size, also=("nuisance",), sampler=comparable())


def _tracks(frames: int, fps: float, sway: float) -> TrackSampler:
    from omokage.synthesis.tracks import TrackSampler

    usual = TrackSampler()
    yaw, pitch, roll = (sway * angle for angle in usual.sway)
    return TrackSampler(frames=frames, fps=fps, sway=(yaw, pitch, roll))
