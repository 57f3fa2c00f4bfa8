"""What is each repair of FAb-Net worth? Every one taken back alone, at equal steps, on rendered tracks.

    python benchmarks/fabnet_ablation.py --data out/tracks [--steps 500] [--seeds 3] [--only "repaired;no masks"]
                                         [--out runs/fabnet-ablation] [--write]

Each row of `recipes.embeddings.ablations` is trained for each seed, then measured on held-out people: reconstruction,
linear probes of the frozen codes, and how often the nearest other code is the same person's. Results are kept in
``OUT/results.jsonl``: a run that is stopped goes on where it was, and `--write` makes the dated page of what is there
(with `--seeds 0`, of what is there already).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from omokage.data.records import Record, read_records
from omokage.data.splits import held_out
from omokage.embeddings.config import EmbeddingConfig
from omokage.embeddings.evaluate import ALL, ProbeConfig, task_scores
from omokage.embeddings.labelled import LabelledFaces, read_labelled
from omokage.embeddings.predict import Embedder, untrained
from omokage.embeddings.train import train
from omokage.faces.align import crop_landmarks
from omokage.pipeline.recipes import find_recipe
from omokage.results import FaceCrop
from omokage.training.run import commit_of
from omokage.weights import registry

ROOT = Path(__file__).resolve().parents[1]

TASKS = ("landmarks", "pose", "units")  # those with an exact fit: a second, not minutes
MEASURES = (  # measure, smaller is better, its name on the page
    ("reconstruction", True, "reconstruction error / copying the best source"),
    ("landmark error", True, "landmarks, error in % of the eyes' distance"),
    ("degrees of yaw", True, "yaw, degrees"),
    ("correlation", False, "expression units, mean correlation"),
    ("same person", True, "nearest other code is of the same person"),
)
Scores = dict[str, float]


def held_out_faces(config: EmbeddingConfig) -> LabelledFaces:
    """The labelled crops of the people that no row trains on."""
    size, margin = config.encoder.size, config.encoder.margin
    records = [r for folder in config.data.folders for r in read_records(Path(folder))]
    mask = held_out([r.person for r in records], config.data.held_out, config.data.split_seed)

    def cut(image: np.ndarray, record: Record) -> FaceCrop:
        return crop_landmarks(image, np.reshape(record.labels["landmarks"], (68, 2)), size, margin)

    return read_labelled((r for r, out in zip(records, mask, strict=True) if out), size, margin, cut)


def probed(encoder: Embedder, faces: LabelledFaces) -> Scores:
    """Scores of linear probes with all labels, people apart, and the share of nearest neighbours of one person."""
    codes = encoder.encode(faces.crops)
    config = ProbeConfig(labels=(ALL,), draws=2)
    scores: Scores = {}
    for task in (t for t in TASKS if t in faces.targets):
        for score in task_scores(codes, faces.people, task, faces.targets[task], encoder.name, config):
            scores[score.measure] = score.value
    spread = (codes - codes.mean(0)) / (codes.std(0) + 1e-6)
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    near = spread @ spread.T
    np.fill_diagonal(near, -2)
    people = np.array(faces.people)
    scores["same person"] = float((people[near.argmax(1)] == people).mean())
    return scores


def one_row(runs: Sequence[EmbeddingConfig], faces: LabelledFaces) -> dict[str, Any]:
    """Train the runs of a row; the scores of the last one."""
    began, used = time.monotonic(), time.process_time()
    for config in runs:
        folder = train(config)
    rows = registry.read_card(folder / "weights", "encoder").scores
    scores = probed(Embedder(folder / "weights", "cpu"), faces)
    scores["reconstruction"] = rows[0]["value"] / rows[0]["baseline"]
    mean = rows[1]["baseline"] / rows[0]["baseline"]
    for config in runs:
        shutil.rmtree(config.out)
    spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - used}
    return {"scores": scores, "mean_source": mean, **spent}


def known(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table(results: list[dict[str, Any]], names: Sequence[str]) -> str:
    """One line a row, one column a measure: the mean over seeds and the range."""
    present = [m for m in MEASURES if any(m[0] in r["scores"] for r in results)]
    titles = [f"{title} ({'lower' if small else 'higher'} is better)" for _, small, title in present]
    lines = ["| row | seeds | " + " | ".join(titles) + " |", "|---" * (len(present) + 2) + "|"]
    for name in names:
        rows = [r["scores"] for r in results if r["row"] == name]
        cells = []
        for measure, _, _ in present:
            values = [row[measure] for row in rows if measure in row]
            cells.append(f"{np.mean(values):.3f} ({min(values):.3f} .. {max(values):.3f})" if values else "-")
        if rows:
            lines.append(f"| {name} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results: list[dict[str, Any]], names: Sequence[str], steps: int, command: str, size: str) -> str:
    """The dated page."""
    cpu = sum(r.get("cpu", 0.0) for r in results) / 60
    means = [r["mean_source"] for r in results if r["row"] == "repaired"]
    copied = f"Copying the mean of three sources would be {np.mean(means):.2f} on the first column." if means else ""
    return f"""# FAb-Net and its repairs, one taken back at a time

{date.today().isoformat()}, commit {commit_of()}, {platform.machine()} with {os.cpu_count()} cores (shared with other
work), {cpu:.0f} CPU minutes in all. Command:

    {command}

{steps} steps of 32 frames of 64 px for every row and seed, a small network; {size}. Mean over seeds with the smallest
and the largest. {copied} Probes are linear, fitted and judged on the held-out people's frames,
five folds by person. `untrained` is the repaired network with random weights and batch norm settled on the same crops.

{table(results, names)}

Rows: `repaired` is `recipes.embeddings.fabnet` with a small network, each `no ...` is it with one choice as published.
`no rejection`: bounded masks. `no masks`: plain mean of the warped sources. `no falling rate`: the rate stays up.
`no running difficulty`: ranks within the batch. `no divided code`: no separate pose part. `no coarse scales`: error at
full size only. `published` is the published first stage (one source), `published, masks` both stages at half the steps.
Reconstruction with one source has less to copy from, so its ratio is to the one source.

How to read it: the budget is a small part of what any of them needs, so rows that learn fast look best, and nothing
here says where each would end. Differences smaller than the ranges over seeds are chance.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, default=Path("runs/fabnet-ablation"))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "results.jsonl"
    ablations = find_recipe("embeddings.ablations")
    rows = ablations(asked.data)
    names = [n for n in rows if not asked.only or n in asked.only.split(";")]
    faces = held_out_faces(rows["repaired"][0])
    cache = str(asked.out / "crops")
    for seed in range(asked.seeds):
        for name in ("untrained", *names):
            if any((r["row"], r["seed"], r["steps"]) == (name, seed, asked.steps) for r in known(path)):
                continue
            if name == "untrained":
                network = untrained(rows["repaired"][0].encoder, seed, "cpu", faces.crops)
                found: dict[str, Any] = {"scores": probed(network, faces)}
            else:
                found = one_row(ablations(asked.data, str(asked.out), asked.steps, seed, cache)[name], faces)
            line = json.dumps({"row": name, "seed": seed, "steps": asked.steps, **found})
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            print(line, file=sys.stderr, flush=True)
    done = [r for r in known(path) if r["steps"] == asked.steps]
    size = f"{len(faces)} frames of {len(set(faces.people))} held-out people"
    command = "python benchmarks/fabnet_ablation.py " + " ".join(sys.argv[1:])
    text = page(done, ["untrained", *names], asked.steps, command, size)
    if asked.write:
        target = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-fabnet-ablation.md"
        target.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
