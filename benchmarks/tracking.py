"""Do tracks match truth on a rendered film of three people with cuts, exits and re-entries, and does memory stay flat?

    python benchmarks/tracking.py [--seconds 120] [--fps 12.5] [--seed 0] [--hours 2] [--write]

The film is rendered, written as H.264 and read back as a user's video would be; every frame is found, linked and
stored as `omokage tracks` does it with the shipped weights. Truth is a `Visit`: one unbroken appearance in one camera
shot. For the memory part the same film is repeated without re-encoding up to `--hours` and read with a finder that
knows where the faces are (the networks' memory does not depend on the length). `--write` adds a dated page under
docs/benchmarks. Needs the extra `video`.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from omokage.faces.track import TrackedFace
from omokage.media.annotated import AnnotatedVideo
from omokage.media.sources import Source
from omokage.media.video import TimedFrame
from omokage.pipeline import Analyzer
from omokage.pipeline.tracks import Find, TrackOptions, finding, write_tracks
from omokage.results import Box, FaceAnalysis
from omokage.synthesis.clip import ClipSampler, TrueFace

ROOT = Path(__file__).resolve().parents[1]
WHOLE = 0.9  # share of a face that must be shown for it to count as missed when it is not found
SOME = 0.1  # share from which a find there is no false one
OVERLAP = 0.35
Truth = list[tuple[float, int, tuple[TrueFace, ...]]]  # seconds, take, faces


@dataclass
class Scores:
    """Counts over one film."""

    frames: int = 0
    shown: int = 0
    matched: int = 0
    false: int = 0
    visits: int = 0
    tracks: int = 0
    switches_cut: int = 0
    switches_shot: int = 0
    splits: int = 0
    longest_miss: dict[int, float] = field(default_factory=dict)

    @property
    def missed(self) -> int:
        """Visits that went without a track for more than a second while wholly shown."""
        return sum(gap > 1.0 for gap in self.longest_miss.values())


def render_film(sampler: ClipSampler, seed: int, out: Path) -> Truth:
    """Render and encode; returns what every frame shows."""
    truth: Truth = []
    with AnnotatedVideo(out, sampler.fps) as film:
        for frame in sampler.film(np.random.default_rng(seed)):
            film.write(frame.pixels, frame.timestamp_s)
            truth.append((frame.timestamp_s, frame.take, frame.faces))
    return truth


def score(truth: Truth, found: Sequence[Sequence[TrackedFace]]) -> Scores:
    """Compare frame by frame; a find belongs to the true face that it overlaps most."""
    scores = Scores(frames=len(found))
    owner: dict[int, tuple[int, int]] = {}  # track -> visit, take of its last match
    tracks_of: dict[int, set[int]] = defaultdict(set)
    seen: dict[int, float] = {}  # visit -> time until which it is accounted for
    tracks: set[int] = set()
    for (when, take, faces), answers in zip(truth, found, strict=True):
        matches = match(faces, answers)
        tracks |= {a.track for a in answers}
        scores.false += len(answers) - len({id(a) for a in matches.values()})
        for true in faces:
            answer = matches.get(true.visit)
            if true.shown >= WHOLE:
                scores.shown += 1
                scores.matched += answer is not None
                since = seen.setdefault(true.visit, when)
                gap = when - since
                scores.longest_miss[true.visit] = max(scores.longest_miss.get(true.visit, 0.0), gap)
            if answer is not None or true.shown < WHOLE:
                seen[true.visit] = when
            if answer is None:
                continue
            before = owner.get(answer.track)
            if before is not None and before[0] != true.visit:
                scores.switches_cut += before[1] != take
                scores.switches_shot += before[1] == take
            owner[answer.track] = (true.visit, take)
            tracks_of[true.visit].add(answer.track)
    scores.visits, scores.tracks = len(scores.longest_miss), len(tracks)
    scores.splits = sum(len(t) - 1 for t in tracks_of.values())
    return scores


def match(faces: Sequence[TrueFace], answers: Sequence[TrackedFace]) -> dict[int, TrackedFace]:
    """Answer of each visit, the best overlap first, each used once."""
    pairs = sorted(
        ((true.box.iou(a.box), true.visit, k) for true in faces if true.shown >= SOME for k, a in enumerate(answers)),
        reverse=True,
    )
    result: dict[int, TrackedFace] = {}
    used: set[int] = set()
    for overlap, visit, k in pairs:
        if overlap >= OVERLAP and visit not in result and k not in used:
            result[visit] = answers[k]
            used.add(k)
    return result


def run_tracks(film: Path, out: Path, find: Find, options: TrackOptions) -> tuple[list[list[TrackedFace]], Any, float]:
    """`omokage tracks` on one file; returns the tracked faces of every frame, the status and the CPU seconds."""
    found: list[list[TrackedFace]] = []

    def see(_: str, frame: TimedFrame | None, faces: Sequence[TrackedFace]) -> None:
        if frame is not None:
            found.append(list(faces))

    since = time.process_time()
    status = write_tracks([Source(str(film), True)], out, find, options, see=see)[0]
    return found, status, time.process_time() - since


def repeat(film: Path, out: Path, times: int) -> None:
    """The film `times` times over, packets copied."""
    import av

    with av.open(str(out), "w") as target:
        stream: Any = None
        shift = 0
        for _ in range(times):
            with av.open(str(film)) as source:
                video = source.streams.video[0]
                if stream is None:
                    stream = target.add_stream_from_template(video)
                last = 0
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    last = max(last, packet.pts + (packet.duration or 0))
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = stream
                    target.mux(packet)
            shift += last


def resident_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure_memory(film: Path, folder: Path, truth: Truth, hours: float) -> tuple[list[tuple[float, float]], int, int]:
    """Hours read and resident MiB ten times; then crops kept and bytes of the records."""
    length = truth[-1][0] + truth[1][0]
    times = max(2, round(hours * 3600 / length))
    repeat(film, folder / "long.mp4", times)
    memory: list[tuple[float, float]] = []
    clock = [0]

    def find(images: Sequence[Any]) -> list[list[FaceAnalysis]]:
        answers = []
        for _ in images:
            faces = truth[clock[0] % len(truth)][2]
            answers.append([FaceAnalysis("", _plain(f.box), 0.9) for f in faces if f.shown > 0.6])
            clock[0] += 1
        return answers

    def see(_: str, frame: TimedFrame | None, faces: Sequence[TrackedFace]) -> None:
        if frame is not None and clock[0] * 10 // (len(truth) * times) > len(memory):
            memory.append((frame.timestamp_s / 3600, resident_mib()))

    every_frame = TrackOptions(fps=None)
    status = write_tracks([Source(str(folder / "long.mp4"), True)], folder / "long", find, every_frame, see=see)[0]
    memory.append((status.seconds / 3600, resident_mib()))
    return memory, status.kept, sum(p.stat().st_size for p in (folder / "long").glob("*.parquet"))


def _plain(box: Box) -> Box:
    return Box(*(float(v) for v in (box.x0, box.y0, box.x1, box.y1)))


def page(s: Scores, status: Any, cpu: float, memory: list[tuple[float, float]], kept: tuple[int, int], ids: str) -> str:
    """The measurement as a page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    long = "not measured"
    if memory:
        points = ", ".join(f"{h:.1f} h: {m:.0f}" for h, m in memory)
        long = f"{points} MiB ({kept[0]} crops, {kept[1] / 2**20:.0f} MiB of records)"
    return f"""# Face tracks, {date.today().isoformat()}

`python benchmarks/tracking.py {" ".join(sys.argv[1:])}` at commit {commit.stdout.strip()}, {platform.machine()}, Python
{platform.python_version()}, PyTorch {torch.__version__} with one thread, weights {ids}. One rendered film of
{status.seconds:.0f} s, {s.frames} frames of 640 x 360 in H.264, three people, {s.visits} visits (unbroken appearances
in one shot), every frame found and linked.

| measure | value |
|---|---|
| identity switches across cuts | **{s.switches_cut}** |
| identity switches within a shot | {s.switches_shot} |
| visits without a track for more than 1 s while wholly shown | **{s.missed}** of {s.visits} |
| longest time without a track, wholly shown | {max(s.longest_miss.values()):.2f} s |
| visits cut into several tracks: extra tracks | {s.splits} |
| wholly shown faces that were found and linked | {s.matched} of {s.shown} ({100 * s.matched / s.shown:.1f} %) |
| found faces where there is none | {s.false} in {s.frames} frames |
| tracks in all (before short ones are dropped) | {s.tracks} |
| crops kept, tiny, blurred, in short tracks | {status.kept}, {status.tiny}, {status.blurred}, {status.short} |
| frames a CPU second, decoding to records, one thread | {s.frames / cpu:.1f} |
| peak memory of the process, rendering included | {peak:.0f} MiB |
| resident memory along a long video, finder replaced | {long} |
"""


def main() -> None:
    """Parse, render, track, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--fps", type=float, default=12.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hours", type=float, default=2.0, help="length of the memory test; 0 leaves it out")
    parser.add_argument("--keep", type=Path, help="leave the film in this folder")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    analyzer = Analyzer(device="cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = (options.keep or folder) / "film.mp4"
        truth = render_film(ClipSampler(options.seconds, options.fps), options.seed, film)
        found, status, cpu = run_tracks(film, folder / "tracks", finding(analyzer), TrackOptions(fps=None))
        scores = score(truth, found)
        memory, *kept = measure_memory(film, folder, truth, options.hours) if options.hours else ([], 0, 0)
    text = page(scores, status, cpu, memory, (kept[0], kept[1]), ", ".join(analyzer.describe().values()))
    print(text)
    if options.write:
        out = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-tracking.md"
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
