"""`omokage tracks`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import Lang
from omokage.cli.status_words import video_status
from omokage.cli.words import line
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.data.track_shards import VideoStatus
    from omokage.faces.track import TrackedFace
    from omokage.media.video import TimedFrame

LISTED = 40  # videos in the printed table; all are in videos.csv


def tracks(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Videos, folders, patterns; - reads a list.")],
    out: Annotated[Path, typer.Option(help="The folder of records.")],
    size: Annotated[int, typer.Option(help="Side of a crop in pixels.")] = 128,
    margin: Annotated[float, typer.Option(help="What a crop shows, in sides of the face's box.")] = 1.7,
    fps: Annotated[float, typer.Option(help="Frames a second that are read at most; 0: all.")] = 5.0,
    min_side: Annotated[float, typer.Option(help="Drop faces below this many pixels of the video.")] = 32.0,
    min_sharpness: Annotated[float, typer.Option(help="Drop faces less sharp than this, 0 to 1.")] = 0.25,
    min_seconds: Annotated[float, typer.Option(help="Drop tracks that last less.")] = 1.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished --out.")] = False,
    annotated: Annotated[
        Path | None, typer.Option(metavar="VIDEO.mp4", help="Of one video: write it with boxes and tracks drawn in.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    weights: Annotated[str | None, typer.Option(help="A shipped set's name or a folder.")] = None,
    finder: Annotated[str | None, typer.Option(help="A finder's name or a model file of your own.")] = None,
    lang: Lang = "en",
) -> None:
    """Cut face tracks out of videos into a folder of records, for training on your own footage."""
    if annotated is not None and resume:
        raise InputError("an annotated video is made in one go: leave --annotated or --resume away")
    for name, value in (("fps", fps), ("min-side", min_side), ("min-seconds", min_seconds)):
        if not math.isfinite(value):
            raise InputError(f"--{name} {value} is no number to count with: give a finite one")
    from omokage.media.outputs import check_apart
    from omokage.media.sources import expand
    from omokage.pipeline.tracks import TrackOptions

    options = TrackOptions(size, margin, fps or None, min_side, min_sharpness, min_seconds)
    listed = expand(inputs)
    sources = [s for s in listed.sources if s.video]
    if not sources:
        raise InputError(f"no video in {', '.join(inputs[:3])}: name videos (mp4, mov, avi, mkv, ...) or their folders")
    check_apart({"--annotated": annotated}, (source.path for source in sources))
    if others := listed.ignored + len(listed.sources) - len(sources):
        typer.echo(line("passed_no_videos", lang, n=others), err=True)
    from omokage.cli.annotating import Annotation, frame_marks
    from omokage.cli.progress import Counter
    from omokage.pipeline import Analyzer
    from omokage.pipeline.tracks import finding, write_tracks

    analyzer = Analyzer(weights, finder, device)
    done = frames = 0

    def see(_: str, frame: TimedFrame | None, faces: Sequence[TrackedFace]) -> None:
        nonlocal done, frames
        if frame is None:
            done += 1
        else:
            frames += 1
            film.draw(frame, frame_marks(faces))
        counter.update(done, len(sources), line("frames", lang, n=frames))

    found_by = " ".join(analyzer.describe().values())
    try:
        verb = line("done_videos", lang)
        with Annotation(annotated, sources, options.fps) as film, Counter(verb) as counter:
            found = write_tracks(sources, out, finding(analyzer), options, found_by=found_by, resume=resume, see=see)
    except KeyboardInterrupt:
        typer.echo(line("tracks_stopped", lang, out=out), err=True)
        raise typer.Exit(1) from None
    if annotated is not None:
        typer.echo(film.said(lang), err=True)
    _print(found, out, lang)
    raise typer.Exit(1 if any(video.damaged for video in found) else 0)


def _print(found: Sequence[VideoStatus], out: Path, lang: str) -> None:
    from rich.table import Table

    from omokage.cli.console import console

    table = Table()
    for key, least in (("video", 12), ("status", 20)):
        table.add_column(line(key, lang), overflow="fold", min_width=least)
    for key in ("seconds", "faces", "tracks", "kept"):
        table.add_column(line(key, lang), justify="right", no_wrap=True)
    table.add_column(line("dropped", lang))
    shown = sorted(found, key=lambda v: not v.damaged)[:LISTED]  # problems first
    for v in shown:
        dropped = {"dropped_tiny": v.tiny, "dropped_blurred": v.blurred, "dropped_short": v.short}
        why = ", ".join(line(key, lang, n=number) for key, number in dropped.items() if number)
        numbers = (f"{v.seconds:.1f}", str(v.faces), str(v.tracks), str(v.kept))
        table.add_row(Path(v.video).name, video_status(v.status, lang), *numbers, why)
    console().print(table)
    unlisted = len(found) - len(shown)
    more = line("tracks_more", lang, n=unlisted, file=out / "videos.csv") if unlisted else ""
    kept, many = sum(v.kept for v in found), sum(v.tracks for v in found)
    typer.echo(line("tracks_crops", lang, kept=kept, n=many, out=out) + more, err=True)
