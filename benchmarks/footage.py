"""How much footage is enough: linear probes on photographs over the minutes of video that an encoder learnt from.

    python benchmarks/footage.py --data out/tracks --probe FOLDER [--minutes 2,8,30,100,200] [--steps 600,2400]
        [--seeds 2] [--row "no curriculum"] [--part 1200] [--work runs/footage] [--cache DIR] [--write]

One small network of 64 px (a row of `recipes.embeddings.ablations`) learns from random weights, for so many steps, on
tracks that cover so many minutes; more minutes hold all of the fewer ones. A twentieth of the people is held out from
every point and rebuilt by all. Then the frozen codes are probed on labelled photographs (see benchmarks/probes.py) with
all labels. With several `--steps` the first has every point, the others the fewest minutes, the middle and the most.
Results are kept in ``WORK/results.jsonl``: a run that is stopped goes on where it was; `--write` makes the dated page
and plot of what is there (with `--seeds 0`, of what is there already).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.apart import apart  # noqa: E402
from benchmarks.probes import MARGIN, load, part_of  # noqa: E402
from recipes.embeddings import ablations  # noqa: E402

from omokage.data.records import read_shard, shards  # noqa: E402
from omokage.data.splits import held_out, position  # noqa: E402
from omokage.embeddings.config import EmbeddingConfig  # noqa: E402
from omokage.embeddings.evaluate import ALL, ProbeConfig, ProbeScore, evaluate  # noqa: E402
from omokage.embeddings.footage import FootageScore, minutes_needed  # noqa: E402
from omokage.embeddings.labelled import LabelledFaces  # noqa: E402
from omokage.embeddings.predict import Embedder, Encoder, Pixels, untrained  # noqa: E402
from omokage.embeddings.store import track_of  # noqa: E402
from omokage.embeddings.train import train  # noqa: E402
from omokage.report.charts import Curve, Panel, figure  # noqa: E402
from omokage.training.run import commit_of  # noqa: E402
from omokage.weights import registry  # noqa: E402

HELD_OUT = 0.05  # of the people, rebuilt by every encoder
MEASURES = (("points", "landmark error"), ("yaw side", "accuracy"), ("smiling", "AUC"))
Key = tuple[str, str]  # person, track


@dataclass(frozen=True, slots=True)
class Found:
    """Scores of one encoder: `minutes` of video in `tracks` tracks, 0 for those that learnt from none."""

    name: str
    minutes: float
    tracks: int
    steps: int
    seed: int
    rebuilt: float | None  # error on held-out people over that of copying the best source
    seconds: float  # of processor time
    scores: list[dict[str, Any]]

    def score(self, task: str, measure: str) -> ProbeScore | None:
        return next((ProbeScore(**s) for s in self.scores if (s["task"], s["measure"]) == (task, measure)), None)


def seconds_of(times: Sequence[float]) -> float:
    """The seconds of video that a track covers: from its first to its last frame, and one step more for the last."""
    if len(times) < 2:
        return 0.0
    whole = max(times) - min(times)
    return whole * len(times) / (len(times) - 1)


def tracks_of(folders: Iterable[Path]) -> dict[Key, float]:
    """Every track of the folders with the seconds that it covers."""
    times: dict[Key, list[float]] = {}
    for path in (path for folder in folders for path in shards(folder)):
        for row in read_shard(path, ("id", "person", "groups")).to_pylist():
            key, when = track_of(row)
            times.setdefault(key, []).append(when)
    return {key: seconds_of(found) for key, found in times.items()}


def chosen(tracks: Mapping[Key, float], minutes: float, share: float = HELD_OUT) -> tuple[set[Key], set[Key]]:
    """Tracks to learn from that cover `minutes` (as many as there are where that is less), and those held out.

    People come in an order fixed by their names, so that fewer minutes are a part of more; the last track may reach
    over the minutes.
    """
    keys = sorted(tracks, key=lambda key: (position(key[0], 1), key))
    mask = held_out([person for person, _ in keys], share)
    learnt: set[Key] = set()
    covered = 0.0
    for key in (key for key, out in zip(keys, mask, strict=True) if not out):
        if covered >= 60 * minutes - 1e-6:
            break
        learnt.add(key)
        covered += tracks[key]
    return learnt, {key for key, out in zip(keys, mask, strict=True) if out}


def write_part(folders: Iterable[Path], keys: set[Key], out: Path) -> Path:
    """The records of some tracks as a folder of their own; one that is there already is taken."""
    if out.is_dir():
        return out
    partial = out.with_name(out.name + ".tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for number, path in enumerate(path for folder in folders for path in shards(folder)):
        table = read_shard(path)
        rows = table.select(("id", "person", "groups")).to_pylist()
        kept = table.filter(pa.array([track_of(row)[0] in keys for row in rows]))
        if len(kept):
            pq.write_table(kept, partial / f"shard-{number:05d}.parquet")
    partial.rename(out)
    return out


def configured(row: str, data: Path, out: Path, steps: int, seed: int, cache: Path) -> EmbeddingConfig:
    """The run of a point."""
    config = ablations((str(data),), str(out), steps, seed, str(cache))[row][-1]
    return replace(config, data=replace(config.data, held_out=HELD_OUT))


def points(minutes: Sequence[float], steps: Sequence[int], seeds: int) -> Iterator[tuple[int, float, int]]:
    """Seed, minutes and steps of every run; the first seed is complete, at the first number of steps, before others."""
    few = sorted({minutes[0], minutes[len(minutes) // 2], minutes[-1]})
    for seed in range(seeds):
        for budget in steps:
            for some in minutes if budget == steps[0] else few:
                yield seed, some, budget


def probe(encoder: Encoder, faces: LabelledFaces) -> list[dict[str, Any]]:
    """Scores with all labels, as plain values."""
    return [asdict(s) for s in evaluate([encoder], faces, ProbeConfig((ALL,), draws=200))
            if (s.task, s.measure) in MEASURES]  # fmt: skip


def learnt_cpu(config: EmbeddingConfig) -> float:
    """Train; the processor seconds that it took."""
    began = time.process_time()
    train(config)
    return time.process_time() - began


def run(asked: argparse.Namespace, faces: LabelledFaces, path: Path) -> None:
    """Train and probe what is missing."""
    tracks = tracks_of(asked.data)
    config = configured(asked.row, Path("none"), asked.work, 1, 0, asked.work).encoder
    for seed in range(asked.seeds):
        if not known(path, "untrained", 0.0, 0, seed):
            blank = untrained(config, seed, "cpu", faces.crops)
            keep(path, Found("untrained", 0.0, 0, 0, seed, None, 0.0, probe(blank, faces)))
    if asked.seeds and not known(path, "pixels", 0.0, 0, 0):
        keep(path, Found("pixels", 0.0, 0, 0, 0, None, 0.0, probe(Pixels.fitted(faces.crops, MARGIN), faces)))
    for seed, minutes, steps in points(asked.minutes, asked.steps, asked.seeds):
        learnt, out = chosen(tracks, minutes)
        covered = sum(tracks[key] for key in learnt) / 60
        if known(path, asked.row, covered, steps, seed):
            continue
        data = write_part(asked.data, learnt | out, asked.work / f"tracks-{minutes:g}")
        folder = asked.work / f"run-{minutes:g}-{steps}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        made = configured(asked.row, data, folder, steps, seed, asked.work / "crops")
        spent = apart(learnt_cpu, replace(made, out=str(folder)))
        first = registry.read_card(folder / "weights", "encoder").scores[0]
        scores = probe(Embedder(folder / "weights", "cpu", name=asked.row), faces)
        keep(path, Found(asked.row, covered, len(learnt), steps, seed, first["value"] / first["baseline"], spent,
                         scores))  # fmt: skip


def rows_of(path: Path) -> list[Found]:
    return (
        [Found(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def known(path: Path, name: str, minutes: float, steps: int, seed: int) -> bool:
    return any((r.name, round(r.minutes, 3), r.steps, r.seed) == (name, round(minutes, 3), steps, seed)
               for r in rows_of(path))  # fmt: skip


def keep(path: Path, found: Found) -> None:
    line = json.dumps(asdict(found))
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, file=sys.stderr, flush=True)


def curve_of(rows: Sequence[Found], steps: int, task: str, measure: str) -> list[FootageScore]:
    """Mean over seeds by minutes, with the lowest and the highest end of the intervals; 0 minutes is the untrained."""
    mine = [r for r in rows if r.steps == steps or r.name == "untrained"]
    found = []
    for minutes in sorted({r.minutes for r in mine}):
        own = [s for r in mine if r.minutes == minutes and (s := r.score(task, measure)) is not None]
        if own:
            mean = float(np.mean([s.value for s in own]))
            ends = {"low": min(s.low for s in own), "high": max(s.high for s in own)}
            found.append(FootageScore(minutes, replace(own[0], value=mean, **ends)))
    return found


def plot(rows: Sequence[Found], budgets: Sequence[int]) -> str:
    """One panel a measure, one curve a budget."""
    minutes = sorted({r.minutes for r in rows if r.name != "pixels"})
    panels = []
    for task, measure in MEASURES:
        curves = []
        for steps in budgets:
            spots = [
                (minutes.index(f.minutes), f.score.value, f.score.low, f.score.high)
                for f in curve_of(rows, steps, task, measure)
            ]
            curves.append(Curve(f"{steps:,} steps", tuple(spots)))
        panels.append(
            Panel(f"{task}: {measure}", tuple(f"{m:.0f}" for m in minutes), tuple(curves), "minutes of video")
        )
    return figure(panels)


def cell(score: ProbeScore | None) -> str:
    return f"{score.value:.3g} ({score.low:.3g} to {score.high:.3g})" if score else "-"


def table(rows: Sequence[Found]) -> list[str]:
    """A line for every encoder."""
    titles = [
        f"{task}: {measure} ({'lower' if task == 'points' else 'higher'} is better)" for task, measure in MEASURES
    ]
    lines = ["| encoder | minutes of video | tracks | steps | seed | " + " | ".join(titles) + " | held-out error over "
             "copying the best source |", "|---" * (len(titles) + 6) + "|"]  # fmt: skip
    for r in sorted(rows, key=lambda r: (r.steps, r.minutes, r.name, r.seed)):
        cells = " | ".join(cell(r.score(task, measure)) for task, measure in MEASURES)
        rebuilt = f"{r.rebuilt:.3f}" if r.rebuilt is not None else "-"
        lines.append(f"| {r.name} | {r.minutes:.1f} | {r.tracks} | {r.steps} | {r.seed} | {cells} | {rebuilt} |")
    constant = [s.trivial if (s := rows[0].score(*m)) else float("nan") for m in MEASURES]
    return [*lines, "| a constant answer | - | - | - | - | " + " | ".join(f"{v:.3g}" for v in constant) + " | - |"]


def answers(rows: Sequence[Found], budgets: Sequence[int]) -> list[str]:
    """From where on more footage no longer helps, by budget and measure."""
    lines = []
    for steps in budgets:
        found = []
        for task, measure in MEASURES:
            curve = [f for f in curve_of(rows, steps, task, measure) if f.minutes > 0]
            enough = minutes_needed(curve, task, measure)
            found.append(f"{task} " + (f"from {enough:.0f} minutes on" if enough is not None else
                                       "not within these minutes"))  # fmt: skip
        lines.append(f"- {steps:,} steps: {', '.join(found)}.")
    return lines


def page(asked: argparse.Namespace, rows: Sequence[Found], faces: LabelledFaces) -> str:
    """The dated page."""
    budgets = sorted({r.steps for r in rows if r.steps})
    config = configured(asked.row, Path("none"), asked.work, 1, 0, asked.work)
    frames = config.batch * (config.data.sources + 1)
    kept = " Crops of the photographs were kept from an earlier run of benchmarks/probes.py." if asked.cache else ""
    cpu = sum(r.seconds for r in rows) / 60
    newline = "\n"
    reads = f"{frames * budgets[0] / 120:,.0f} minutes' worth (at two a second) in {budgets[0]:,} steps"
    command = (
        f"python benchmarks/footage.py --data {' '.join(p.name for p in asked.data)} "
        f"--minutes {','.join(f'{m:g}' for m in asked.minutes)} --steps {','.join(map(str, budgets))} "
        f'--row "{asked.row}" --part {asked.part}'
    )
    return f"""# How much footage is enough, {date.today().isoformat()}

`{command}`,
commit {commit_of(ROOT)}, {platform.machine()} with {os.cpu_count()} cores that other work kept busy, one thread;
{cpu:.0f} processor minutes of training.

The row `{asked.row}` of `recipes.embeddings.ablations` (64 px, a small network) learnt from random weights on rendered
tracks that cover so many minutes of video, people in a fixed order, fewer minutes being a part of more; a step reads
{frames} frames. The frozen codes were probed linearly with all labels on {len(faces)} photographs of {faces.name} that
nothing was fitted on (five folds, other people), 95 % interval over people.{kept} The last column is the error
of rebuilding held-out people, the same ones for every encoder.

![probe scores over minutes of video](../images/footage.svg)

Mean over seeds; the band reaches from the lowest to the highest end of their intervals; 0 minutes is the same network
untrained, batch norm settled on the photographs.

{newline.join(table(rows))}

More footage no longer gains 2 % of the value (of the mean over seeds):

{newline.join(answers(rows, budgets))}

How to read it: the number of steps is the same for all points of a curve, so few minutes are seen over and over and
many hardly once: frames are read {reads}. A curve that is flat early says that steps, not
footage, are short: with more steps the right end gains more than the left. The minutes are of rendered tracks of five
seconds, each of another person, at two frames a second; an hour of one person's talk holds less.
"""


def asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="folders of track records")
    parser.add_argument("--probe", type=Path, required=True, help="a folder of pictures with labels.csv")
    parser.add_argument("--minutes", type=lambda s: [float(m) for m in s.split(",")], default=[2, 8, 30, 100, 200])
    parser.add_argument("--steps", type=lambda s: [int(n) for n in s.split(",")], default=[600])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--row", default="no curriculum", help="of recipes.embeddings.ablations")
    parser.add_argument("--part", type=int, default=1200, help="at most so many pictures, at random")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "footage")
    parser.add_argument("--cache", type=Path, help="crops of the photographs, kept for the next run")
    parser.add_argument("--write", action="store_true", help="write today's page and the plot")
    return parser.parse_args()


def main() -> None:
    asked = asked_for()
    torch.set_num_threads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    faces = part_of(load(asked.probe, "found", asked.cache), asked.part)
    faces = faces.only([task for task, _ in MEASURES if task in faces.targets])
    results = asked.work / "results.jsonl"
    run(asked, faces, results)
    rows = rows_of(results)
    if not rows:
        sys.exit("nothing is measured yet: give --seeds 1 or more")
    text = page(asked, rows, faces)
    print(text)
    if asked.write:
        (ROOT / "docs" / "images" / "footage.svg").write_text(plot(rows, sorted({r.steps for r in rows if r.steps})),
                                                              encoding="utf-8")  # fmt: skip
        target = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-footage.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
