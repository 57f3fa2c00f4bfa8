"""How many labelled pictures the renderer makes per CPU second, and where the time goes.

    python benchmarks/render_speed.py [--count 200] [--sizes 128 256] [--write]

One process, one thread, `time.process_time`; kernels are compiled before the clock starts. Scenes come from the default
sampler; every person's skin is painted once for four pictures. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from omokage.synthesis import render as renderer
from omokage.synthesis.sampling import CameraSampler, SceneSampler
from omokage.synthesis.skin import paint

ROOT = Path(__file__).resolve().parents[1]
PICTURES_PER_SKIN = 4
TARGET = 25.0  # pictures per CPU second at 128 pixels that the project set itself
STEPS = {
    "skin paint (a quarter of one per picture)": (),
    "shading of head, hair and things": ("_shade",),
    "depth maps for shadows": ("_lights",),
    "rasterising": ("_draw",),
    "lenses and lashes": ("_veil_pass",),
    "hair and beard strands": ("_ribbons",),
    "glasses, hats, occluders": ("build_parts",),
    "head shape, pose, joining": ("build_mesh", "pose_mesh", "assemble", "lashes", "lenses"),
    "backdrop and ambient light": ("paint_backdrop", "lighting"),
    "camera and JPEG": ("_develop",),
    "labels": ("landmarks", "landmark_points", "_visibility", "_shrunk"),
}


@dataclass
class Speed:
    """CPU seconds of one run."""

    size: int
    count: int
    total: float
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.count / self.total


def timed(clock: dict[str, float], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, adding its CPU seconds to `clock`."""

    @wraps(call)
    def run(*args: Any, **options: Any) -> Any:
        if clock["inside"]:  # a step within a step belongs to the outer one
            return call(*args, **options)
        clock["inside"] = 1.0
        start = time.process_time()
        result = call(*args, **options)
        clock[name] += time.process_time() - start
        clock["inside"] = 0.0
        return result

    return run


def measure(size: int, count: int) -> Speed:
    """Render `count` pictures of `count` / 4 people and time every step."""
    sampler, rng = SceneSampler(cameras=CameraSampler(size=size)), np.random.default_rng(2024)
    scenes = []
    for _ in range(max(count // PICTURES_PER_SKIN, 1)):
        person = sampler.people.draw(rng)
        scenes.append([sampler.picture(rng, person) for _ in range(PICTURES_PER_SKIN)])
    clock: dict[str, float] = defaultdict(float)
    original = {name: getattr(renderer, name) for names in STEPS.values() for name in names}
    for name, call in original.items():
        setattr(renderer, name, timed(clock, name, call))
    start = time.process_time()
    for pictures in scenes:
        painted = time.process_time()
        skin = paint(pictures[0].person)
        clock["paint"] += time.process_time() - painted
        for scene in pictures:
            renderer.render(scene, skin)
    total = time.process_time() - start
    for name, call in original.items():
        setattr(renderer, name, call)
    steps = {label: sum(clock[n] for n in names) if names else clock["paint"] for label, names in STEPS.items()}
    return Speed(size, len(scenes) * PICTURES_PER_SKIN, total, steps)


def machine() -> str:
    """Processor, cores and versions."""
    model = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    parts = (names[0] if names else model, f"{len(names) or '?'} cores", f"Python {platform.python_version()}")
    return ", ".join((*parts, f"numpy {np.__version__}"))


def commit() -> str:
    """The commit that was measured."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def page(speeds: list[Speed], memory: float) -> str:
    """The benchmark as Markdown."""
    lines = [f"# Rendering speed, {date.today().isoformat()}", ""]
    lines += [f"Measured with `python benchmarks/render_speed.py --count {speeds[0].count}` at commit {commit()}", ""]
    lines += [f"Machine: {machine()}. One process, one thread, CPU time (the machine may run other jobs).", ""]
    lines += ["| picture | pictures | CPU ms per picture | pictures per CPU second |", "|---|---|---|---|"]
    for s in speeds:
        lines.append(f"| {s.size} px | {s.count} | {1000 * s.total / s.count:.1f} | {s.per_second:.1f} |")
    lines += ["", "All labels included; drawn at 1.5 times the size; one painted skin for four pictures."]
    lines += [f"Target at 128 px: {TARGET:.0f} per CPU second. Peak memory of the process: {memory:.0f} MB.", ""]
    lines += ["| step | " + " | ".join(f"{s.size} px: ms | share" for s in speeds) + " |"]
    lines += ["|---|" + "---|---|" * len(speeds)]
    for label in STEPS:
        cells = [f"{1000 * s.steps[label] / s.count:.2f} | {100 * s.steps[label] / s.total:.0f} %" for s in speeds]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    rest = [s.total - sum(s.steps.values()) for s in speeds]
    cells = [f"{1000 * r / s.count:.2f} | {100 * r / s.total:.0f} %" for r, s in zip(rest, speeds, strict=True)]
    return "\n".join([*lines, "| everything else | " + " | ".join(cells) + " |", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="pictures per size (default 200)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="picture sides (default 128 256)")
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks/<date>-render.md")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    renderer.warm_up()
    speeds = [measure(size, options.count) for size in options.sizes]
    text = page(speeds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(text)
    if options.write:
        target = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-render.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        print(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
