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
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from apart import apart
from footage_page import MEASURES, Found, page, plot, rows_of
from omokage.data.records import read_shard, shards
from omokage.data.splits import held_out, position
from omokage.embeddings.config import EmbeddingConfig
from omokage.embeddings.evaluate import ALL, ProbeConfig, evaluate
from omokage.embeddings.labelled import LabelledFaces
from omokage.embeddings.predict import Embedder, Encoder, Pixels, untrained
from omokage.embeddings.store import track_of
from omokage.embeddings.train import train
from omokage.pipeline.recipes import find_recipe
from omokage.weights import registry
from probes import MARGIN, load, part_of

ROOT = Path(__file__).resolve().parents[1]

HELD_OUT = 0.05  # of the people, rebuilt by every encoder
Key = tuple[str, str]  # person, track


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
    rows = find_recipe("embeddings.ablations")((str(data),), str(out), steps, seed, str(cache))
    config: EmbeddingConfig = rows[row][-1]
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


def known(path: Path, name: str, minutes: float, steps: int, seed: int) -> bool:
    return any((r.name, round(r.minutes, 3), r.steps, r.seed) == (name, round(minutes, 3), steps, seed)
               for r in rows_of(path))  # fmt: skip


def keep(path: Path, found: Found) -> None:
    line = json.dumps(asdict(found))
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, file=sys.stderr, flush=True)


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
    config = configured(asked.row, Path("none"), asked.work, 1, 0, asked.work)
    pictures = f"{len(faces)} photographs of {faces.name}"
    text = page(asked, rows, pictures, config.batch * (config.data.sources + 1))
    print(text)
    if asked.write:
        (ROOT / "docs" / "images" / "footage.svg").write_text(plot(rows, sorted({r.steps for r in rows if r.steps})),
                                                              encoding="utf-8")  # fmt: skip
        target = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-footage.md"
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
