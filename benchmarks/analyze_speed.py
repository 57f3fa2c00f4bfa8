"""How many photographs `analyze` reads per CPU second, finding and all attributes together, and whether memory stays
flat.

    python benchmarks/analyze_speed.py [--count 1000] [--weights SET] [--finder NAME] [--write]

The photographs are made here: 640 x 480 JPEGs with one to three rendered heads on procedural clutter. One PyTorch
thread and one decoding thread; CPU seconds are those of the whole process, so "on two cores" means two processes like
this one side by side. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.data.clutter import clutter
from omokage.media import ahead
from omokage.media.image import encode_jpeg
from omokage.media.sinks import read_rows
from omokage.media.sources import expand
from omokage.pipeline import Analyzer, reader
from omokage.pipeline.run import analyze_to_table
from omokage.synthesis.render import Rendering, render
from omokage.synthesis.sampling import CameraSampler, SceneSampler

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 640, 480
HEADS, BACKGROUNDS = 40, 24
TARGET = 40.0  # photographs a second on two cores that the project set itself
SINGLE = 40  # photographs whose latency is taken one by one


@dataclass
class Speed:
    """What was measured over `count` photographs."""

    count: int
    heads: int
    cpu_s: float = 0.0
    wall_s: float = 0.0
    found: int = 0
    memory: list[tuple[int, float]] = field(default_factory=list)  # photographs read, MiB of resident memory
    steps: dict[str, float] = field(default_factory=dict)  # CPU seconds of the calling thread
    latency_ms: float = 0.0

    @property
    def two_cores(self) -> float:
        return 2 * self.count / self.cpu_s


def make_photographs(folder: Path, count: int, seed: int = 0) -> int:
    """Write `count` photographs; returns how many heads they show."""
    rng = np.random.default_rng(seed)
    sampler = replace(SceneSampler(), cameras=CameraSampler(size=224, frame=(1.7, 2.2)))
    heads = [render(sampler.draw(rng)) for _ in range(HEADS)]
    backs = [clutter(rng, WIDTH) for _ in range(BACKGROUNDS)]
    shown = 0
    for i in range(count):
        picture = backs[rng.integers(BACKGROUNDS)][:HEIGHT].copy()
        picture = np.ascontiguousarray(picture[:, :: int(rng.choice([-1, 1]))])
        many = int(rng.choice([1, 1, 1, 2, 3]))
        for k in range(many):
            paste(picture, heads[rng.integers(HEADS)], rng, k * WIDTH // many, WIDTH // many)
        shown += many
        (folder / f"{i:04d}.jpg").write_bytes(encode_jpeg(picture, 90))
    return shown


def paste(picture: NDArray[np.uint8], head: Rendering, rng: np.random.Generator, left: int, width: int) -> None:
    """One head at a random size into a column of the picture."""
    side = int(rng.uniform(0.45, 0.95) * min(width, HEIGHT))
    image = cv2.resize(head.image, (side, side), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(head.alpha, (side, side), interpolation=cv2.INTER_AREA)[..., None]
    x, y = left + int(rng.integers(0, width - side + 1)), int(rng.integers(0, HEIGHT - side + 1))
    part = picture[y : y + side, x : x + side]
    part[:] = np.rint(alpha * image + (1 - alpha) * part).astype(np.uint8)


def timed(steps: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the CPU time of its thread added up under a name."""

    def call(*arguments: Any, **options: Any) -> Any:
        since = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            steps[name] = steps.get(name, 0.0) + time.thread_time() - since

    return call


def resident_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def measure(folder: Path, analyzer: Analyzer, speed: Speed) -> None:
    """Fill `speed`: one warm-up call, then the whole folder to a table, then single calls."""
    sources = list(expand([str(folder)]).sources)
    analyzer(sources[0].path)
    steps = speed.steps
    finder, predictor = analyzer.finder, analyzer.predictor
    timings: tuple[tuple[Any, str, str], ...] = (
        (ahead, "read_picture", "decoding"), (reader, "crop_box", "cropping"), (reader, "crop_landmarks", "cropping"),
        (finder, "find_batch", "finding"), (predictor, "predict", "attributes, two passes"),
        (predictor, "predict_outlines", "attributes, two passes"),
    )  # fmt: skip
    seen = 0

    def step(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen % max(speed.count // 10, 1) == 0:
            speed.memory.append((seen, resident_mib()))

    with ExitStack() as patched:
        for place, name, said in timings:
            patched.enter_context(patch.object(place, name, timed(steps, said, getattr(place, name))))
        cpu, wall = time.process_time(), time.perf_counter()
        counts = analyze_to_table(analyzer, sources, folder / "faces.parquet", on_reading=step)
        speed.cpu_s, speed.wall_s = time.process_time() - cpu, time.perf_counter() - wall
    assert counts is not None
    speed.found = counts.faces
    assert len({row["source"] for row in read_rows(folder / "faces.parquet")}) == speed.count
    steps["rest (grouping, table, writing)"] = max(speed.cpu_s - sum(steps.values()), 0.0)
    single = []
    for source in sources[:SINGLE]:
        since = time.process_time()
        analyzer(source.path)
        single.append(time.process_time() - since)
    speed.latency_ms = 1000 * float(np.median(single))


def page(speed: Speed, ids: dict[str, str], command: Sequence[str]) -> str:
    """The measurement as a page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    first, last = speed.memory[0][1], speed.memory[-1][1]
    rows = "\n".join(
        f"| {n} | {s:.1f} | {100 * s / speed.cpu_s:.0f} % |"
        for n, s in sorted(speed.steps.items(), key=lambda p: -p[1])
    )
    memory = ", ".join(f"{n}: {m:.0f}" for n, m in speed.memory)
    met = "met" if speed.two_cores >= TARGET else "missed"
    return f"""# Speed of `analyze`, {date.today().isoformat()}

`{" ".join(command)}` at commit {commit}, {cpu_name()}, Python {platform.python_version()},
PyTorch {torch.__version__} with one thread,
weights {", ".join(ids.values())}. {speed.count} JPEG photographs of {WIDTH} x {HEIGHT} pixels with
{speed.heads} rendered heads on clutter; {speed.found} faces were reported.

| measure | value |
|---|---|
| photographs a second on two cores, 2 x count / CPU seconds | **{speed.two_cores:.1f}** (goal {TARGET:.0f}: {met}) |
| CPU seconds in all | {speed.cpu_s:.1f} (wall {speed.wall_s:.1f}, other work on the machine included) |
| one photograph at a time, median CPU time | {speed.latency_ms:.0f} ms |
| resident memory after a tenth and at the end | {first:.0f} and {last:.0f} MiB ({last - first:+.0f}) |

| step | CPU seconds | share |
|---|---|---|
{rows}

Resident MiB after so many photographs: {memory}.
"""


def cpu_name() -> str:
    """The processor's own name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> None:
    """Parse, make the photographs, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--weights")
    parser.add_argument("--finder")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    analyzer = Analyzer(options.weights, options.finder, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        speed = Speed(options.count, make_photographs(Path(folder), options.count))
        measure(Path(folder), analyzer, speed)
    command = ["python", "benchmarks/analyze_speed.py", *sys.argv[1:]]
    text = page(speed, analyzer.describe(), command)
    print(text)
    if options.write:
        out = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-analyze.md"
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
