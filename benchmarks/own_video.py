"""An encoder of your own video: tracks, training, probes, as a user would run them on a folder of clips.

    python benchmarks/own_video.py CLIPS --probe FOLDER... [--steps 300] [--fps 5] [--part 1200] [--work runs/own-video]
        [--cache DIR] [--write]

Runs `omokage tracks` on the clips, then `omokage train` twice on these tracks for the same number of steps: the shipped
encoder goes on learning, and the same network starts from random weights. Linear probes on labelled photographs (see
benchmarks/probes.py) then compare both with the shipped encoder as it is and with the network untrained. What is
finished under `--work` is not made again; weights of real clips stay there. `--write` adds today's page under
docs/benchmarks.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omokage.data.records import people_of
from omokage.data.splits import position
from omokage.embeddings.evaluate import ALL, ProbeConfig, ProbeScore, evaluate
from omokage.embeddings.labelled import LabelledFaces
from omokage.embeddings.predict import Embedder, Encoder, untrained
from omokage.training.run import RunFolder, commit_of
from omokage.weights import registry
from probes import load, part_of

ROOT = Path(__file__).resolve().parents[1]

RUNS = {  # name on the page: recipe, its own settings
    "shipped, then own video": ("embeddings.shipped", ("init=synthetic",)),
    "own video from scratch": ("embeddings.fabnet", ()),
}
SHIPPED = "shipped as it is"
TASKS = (("points", "landmark error"), ("yaw side", "accuracy"), ("smiling", "AUC"), ("expression", "accuracy"))

COLUMNS = (
    "run", "frames of tracks", "steps", "error", "best source copied", "mean of sources copied", "tracks held out",
    "CPU minutes", "images a second, median (range)", "images a CPU second", "peak MiB",
)  # fmt: skip
Scores = dict[str, list[ProbeScore]]  # of each labelled set


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: processor seconds with its workers, and the largest memory of one process."""

    cpu: float
    peak_mib: float


def command(arguments: Sequence[str], kept: Path) -> Spent:
    """Run `omokage` with these arguments; what it took is kept, and not run again where it is. Exits on failure."""
    if kept.is_file():
        facts = json.loads(kept.read_text(encoding="utf-8"))
        return Spent(facts["cpu"], facts["peak_mib"])
    print("omokage", *arguments, flush=True)
    child = subprocess.Popen([sys.executable, "-m", "omokage.cli.main", *arguments])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"omokage {arguments[0]} ended with {child.returncode}")
    spent = Spent(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    kept.write_text(json.dumps(asdict(spent)), encoding="utf-8")
    return spent


def held_out_share(people: Sequence[str], least: int = 2, seed: int = 0) -> float:
    """The recipes' one tenth, or the smallest larger share, in thousandths, that holds out at least `least` people.

    Of a handful a tenth often holds out nobody. Raises ValueError where fewer than `least` would be left to learn from.
    """
    places = sorted(position(person, seed) for person in people)
    share = max(0.1, math.floor(1000 * places[least - 1] + 1) / 1000) if len(places) >= least else 1.0
    if sum(place >= share for place in places) < least:
        raise ValueError(f"{len(people)} tracks leave no {least} on both sides of a split: give more video")
    return share


def warmup(steps: int) -> int:
    """Steps in which the rate rises: fewer than the recipes', whose runs are longer."""
    return min(50, steps // 4)


def run_names(work: Path) -> dict[str, Path]:
    return {name: work / recipe.partition(".")[2] for name, (recipe, _) in RUNS.items()}


def run_all(asked: argparse.Namespace) -> tuple[dict[str, Spent], float]:
    """Tracks and both trainings; what each took, and the held-out share."""
    work: Path = asked.work
    work.mkdir(parents=True, exist_ok=True)
    tracks = work / "tracks"
    spent = {
        "tracks": command(
            ["tracks", str(asked.clips), "--out", str(tracks), "--fps", f"{asked.fps:g}"], work / "tracks.json"
        )
    }
    share = held_out_share(sorted(set(people_of(tracks))))  # of video without names each track is one
    for name, out in run_names(work).items():
        recipe, own = RUNS[name]
        settings = (
            *own, f"out={out}", "minutes=0", f"steps={asked.steps}", f"warmup={warmup(asked.steps)}",
            f"data.held_out={share:g}", "check_items=64", f"log_every={min(50, asked.steps)}", "device=cpu",
            "trained_on=face tracks of own video", "data_licence=as the video's", "set=own",
        )  # fmt: skip
        arguments = [part for setting in settings for part in ("--set", setting)]
        spent[name] = command(["train", recipe, "--data", str(tracks), *arguments], work / f"{out.name}.json")
    return spent, share


def encoder_of(name: str, work: Path, faces: LabelledFaces) -> Encoder:
    """The shipped encoder, one that learnt from the clips, or the same network untrained."""
    if name in RUNS:
        return Embedder(run_names(work)[name] / "weights", "cpu", name=name)
    shipped = Embedder("synthetic", "cpu", name=SHIPPED)
    return shipped if name == SHIPPED else untrained(shipped.config, device="cpu", crops=faces.crops)


def probed(asked: argparse.Namespace, names: Sequence[str] = (SHIPPED, *RUNS, "untrained")) -> Scores:
    """Scores on each labelled folder, of the tasks that it has; those that are kept are not measured again."""
    found: Scores = {}
    for folder in asked.probe:
        faces = part_of(load(folder, "found", asked.cache), asked.part)
        faces = faces.only([task for task, _ in TASKS if task in faces.targets])
        own = found[f"{faces.name}, {len(faces)} pictures"] = []
        for name in names:
            kept = asked.work / f"probes-{faces.name}-{len(faces)}-{name.replace(', ', '-').replace(' ', '-')}.json"
            if not kept.is_file():
                scores = evaluate([encoder_of(name, asked.work, faces)], faces, ProbeConfig((100, ALL), draws=200))
                kept.write_text(json.dumps([asdict(s) for s in scores]), encoding="utf-8")
            rows = [ProbeScore(**row) for row in json.loads(kept.read_text(encoding="utf-8"))]
            own += [s for s in rows if (s.task, s.measure) in TASKS]
    return found


def training_row(name: str, run: Path, spent: Spent) -> str:
    """A run's reconstruction of held-out tracks against copying, its pace and memory."""
    first, second = registry.read_card(run / "weights", "encoder").scores[:2]
    rows = RunFolder(run).rows()
    data = next(r for r in rows if r.get("event") == "data")
    steps = [r for r in rows if "images_per_second" in r]
    rates = np.array([r["images_per_second"] for r in steps])
    config = config_of(run)
    frames = steps[-1]["step"] * config["batch"] * (config["data"]["sources"] + 1)
    return (
        f"| {name} | {data['frames'][0]:,} of {data['people'][0]} | {steps[-1]['step']} | **{first['value']:.4f}** | "
        f"{first['baseline']:.4f} | {second['baseline']:.4f} | {data['people'][1]} | "
        f"{spent.cpu / 60:.1f} | {np.median(rates):.0f} ({rates.min():.0f} .. {rates.max():.0f}) | "
        f"{frames / spent.cpu:.0f} | {spent.peak_mib:.0f} |"
    )


def config_of(run: Path) -> dict[str, Any]:
    """The configuration of a run, as its folder holds it."""
    config: dict[str, Any] = json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]
    return config


def probe_table(scores: Sequence[ProbeScore]) -> list[str]:
    """One line a task and number of labels, one column an encoder."""
    names = list(dict.fromkeys(s.encoder for s in scores))
    lines = ["| probe | labels | " + " | ".join(names) + " | a constant answer |", "|---" * (len(names) + 3) + "|"]
    for task, measure in TASKS:
        for labels in dict.fromkeys(s.labels for s in scores if s.task == task):
            own = [s for s in scores if (s.task, s.measure, s.labels) == (task, measure, labels)]
            better = "higher" if own[0].higher_is_better else "lower"
            cells = [f"{s.value:.3g} ({s.low:.3g} to {s.high:.3g})" for s in own]
            lines.append(f"| {task}: {measure} ({better} is better) | {labels} | " + " | ".join(cells)
                         + f" | {own[0].trivial:.3g} |")  # fmt: skip
    return lines


def verdict(scores: Scores) -> str:
    """Where the encoders of own video read better, worse or within the intervals of others, with all labels."""
    mine, scratch = RUNS
    pairs = ((mine, SHIPPED), (scratch, SHIPPED), (scratch, "untrained"))
    return "\n".join(against(name, other, [s for own in scores.values() for s in own if s.every])
                     for name, other in pairs)  # fmt: skip


def against(name: str, other: str, scores: Sequence[ProbeScore]) -> str:
    """One encoder beside another; better and worse where their intervals lie apart."""
    said: dict[str, list[str]] = {"better": [], "worse": [], "even": []}
    known = {(s.encoder, s.task): s for s in scores}
    for task in dict.fromkeys(s.task for s in scores):
        s, base = known[name, task], known[other, task]
        apart = s.low > base.high or s.high < base.low
        gained = (s.value > base.value) == s.higher_is_better
        said["even" if not apart else "better" if gained else "worse"].append(task)
    return (
        f"- `{name}` against `{other}`, all labels: better in {listed(said['better'])}; "
        f"worse in {listed(said['worse'])}; intervals overlap in {listed(said['even'])}."
    )


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def tracks_part(work: Path, fps: float, spent: Spent) -> str:
    """What became of every clip."""
    with (work / "tracks" / "videos.csv").open(encoding="utf-8", newline="") as stream:
        videos = list(csv.DictReader(stream))
    total = {k: sum(float(v[k]) for v in videos) for k in ("seconds", "frames", "faces", "tracks", "kept")}
    counts = ("frames", "faces", "tracks", "kept", "tiny", "blurred", "short")
    statuses = "\n".join(
        f"| {Path(v['video']).name} | {v['status']} | {float(v['seconds']):.1f} | "
        + " | ".join(v[k] for k in counts) + " |"
        for v in videos
    )  # fmt: skip
    return f"""{len(videos)} clips, {total["seconds"] / 60:.1f} minutes of video, {total["frames"]:.0f} frames read at
{fps:g} a second at most, {total["tracks"]:.0f} tracks, {total["kept"]:.0f} crops kept of {total["faces"]:.0f} faces
found. `omokage tracks CLIPS --out tracks --fps {fps:g}` took {spent.cpu:.0f} seconds of processor time and at most
{spent.peak_mib:.0f} MiB.

| clip | status | seconds | {" | ".join(counts)} |
|---|---|---{"|---" * len(counts)}|
{statuses}
"""


def training_part(work: Path, spent: dict[str, Spent], steps: int, share: float) -> str:
    """What the two runs did."""
    commands = "\n".join(
        f"- `{name}`: `omokage train {recipe} --data tracks{''.join(f' --set {s}' for s in own)}`"
        for name, (recipe, own) in RUNS.items()
    )
    rows = "\n".join(training_row(name, out, spent[name]) for name, out in run_names(work).items())
    return f"""{commands}

each with `--set steps={steps} --set warmup={warmup(steps)} --set data.held_out={share:g}`
(of so few tracks the usual tenth may hold out nobody).
Errors are of held-out tracks, mean absolute in 0..1, a frame rebuilt from three others of its track; copying the best
of the three knows the target. So few held-out tracks allow no interval.

| {" | ".join(COLUMNS)} |
{"|---" * len(COLUMNS)}|
{rows}

Images a second of wall time are what other work on the machine left; images a CPU second count the start, the cutting
of crops and the last look, too.
"""


def page(asked: argparse.Namespace, spent: dict[str, Spent], share: float, scores: Scores) -> str:
    """The dated page."""
    probes = "\n".join("\n".join([f"\n### {where}\n", *probe_table(found)]) for where, found in scores.items())
    kept = " Crops of the photographs were kept from an earlier run of benchmarks/probes.py." if asked.cache else ""
    return f"""# Tracks, training and probes on own video, {date.today().isoformat()}

`python benchmarks/own_video.py CLIPS --probe FOLDER... --steps {asked.steps} --fps {asked.fps:g} --part {asked.part}`,
commit {commit_of(ROOT)}, {platform.machine()} with {os.cpu_count()} cores that other work kept busy, one thread. The
clips are demonstrations of open-source projects, one person each; the weights learnt from them do not ship.

## Which way it goes

{verdict(scores)}

## Tracks

{tracks_part(asked.work, asked.fps, spent["tracks"])}
## Training

{training_part(asked.work, spent, asked.steps, share)}
## Linear probes on photographs

Development photographs that no encoder has seen; frozen encoders, probes fitted to some pictures and judged on others
(five folds, other people), 95 % interval over people.{kept}
{probes}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--probe", nargs="+", type=Path, required=True, help="folders of pictures with labels.csv")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--fps", type=float, default=5.0, help="frames a second that are read at most")
    parser.add_argument("--part", type=int, default=1200, help="at most so many pictures of a folder, at random")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "own-video")
    parser.add_argument("--cache", type=Path, help="crops of the photographs, kept for the next run")
    parser.add_argument("--write", action="store_true", help="write today's page")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    spent, share = run_all(asked)
    text = page(asked, spent, share, probed(asked))
    print(text)
    if asked.write:
        target = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-own-video.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
