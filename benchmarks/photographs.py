"""How well the shipped weights read labelled photographs: found rate, landmarks, pose, age, expression and the rest.

    python benchmarks/photographs.py FOLDER... [--weights SET] [--by COLUMN]... [--write]

A folder holds pictures and a `labels.csv` as `omokage evaluate` takes it. A labelled face that was not found counts as
wrong. `--by` (several times, if wished) adds each group and the worst one beside the groups' mean; ``skin_tone`` is
what the network itself says, in fifths. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import math
import platform
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from omokage.media.sinks import read_rows
from omokage.media.sources import expand
from omokage.metrics.groups import FEWEST, TONE, grouped, worst_groups
from omokage.metrics.labels import read_labels
from omokage.metrics.table import TableScore, match, score_pairs
from omokage.pipeline import Analyzer
from omokage.pipeline.run import analyze_to_table
from omokage.training.run import commit_of
from omokage.weights.registry import DEFAULT_SET

ROOT = Path(__file__).resolve().parents[1]
WORST_HEAD = (
    "| measure | mean over groups | worst group | value | 95 % interval | labelled faces |\n|---|---|---|---|---|---|"
)
HEAD = "| measure | value | 95 % interval | a constant answer | labelled faces |\n|---|---|---|---|---|"


def faces_of(analyzer: Analyzer, inputs: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of the faces table of pictures and folders."""
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "faces.parquet"
        analyze_to_table(analyzer, list(expand(inputs).sources), table)
        return read_rows(table)


def labels_of(folder: Path, sample: int = 0, seed: int = 0) -> list[dict[str, str]]:
    """The labels of a folder, or of `sample` pictures of it at random, the same ones for the same seed."""
    labels = read_labels(folder / "labels.csv")
    files = sorted({row["file"] for row in labels})
    if not 0 < sample < len(files):
        return labels
    chosen = set(random.Random(seed).sample(files, sample))
    return [row for row in labels if row["file"] in chosen]


def scores(analyzer: Analyzer, folder: Path, by: Sequence[str] = (), sample: int = 0) -> dict[str, list[TableScore]]:
    """Scores of a folder, or of `sample` pictures of it: ``all``, and each group as ``column: value``, for the columns
    that its labels have and for the skin tone of the answers."""
    labels = labels_of(folder, sample)
    inputs = list(dict.fromkeys(str(folder / row["file"]) for row in labels)) if sample else [str(folder)]
    rows = faces_of(analyzer, inputs)
    pairs = match(labels, rows)
    found = {"all": score_pairs(pairs)}
    for column in by:
        if column in labels[0] or column == TONE:
            groups = grouped(pairs, column)
            found |= {f"{column}: {value}": score_pairs(part, pairs) for value, part in groups.items()}
    return found


def show(folder: Path, found: dict[str, list[TableScore]], seconds: float, say: Callable[[str], None]) -> None:
    """One folder as Markdown."""
    for name, rows in found.items():
        say(f"\n## {folder.name}" + ("" if name == "all" else f", {name}") + "\n")
        say(HEAD)
        for s in rows:
            trivial = "" if s.trivial is None else f"{s.trivial:.3g}"
            span = "none" if math.isnan(s.low) else f"{s.low:.3g} to {s.high:.3g}"
            say(f"| {s.measure} | {s.value:.3g} | {span} | {trivial} | {s.n} |")
    for column in dict.fromkeys(name.partition(": ")[0] for name in found if name != "all"):
        groups = {
            value: rows for name, rows in found.items() for of, _, value in [name.partition(": ")] if of == column
        }
        say(f"\n## {folder.name}, the worst by {column}\n")
        if column == TONE:
            say("Skin tone as the network estimates it, 0 lightest to 1 darkest, in fifths.\n")
        worst = worst_groups(groups)
        say(WORST_HEAD if worst else f"No measure has two groups of {FEWEST} labelled faces or more.")
        for w in worst:
            say(f"| {w.measure} | {w.mean:.3g} | {w.group} | {w.value:.3g} | {w.low:.3g} to {w.high:.3g} | {w.n} |")
    say(f"\n{seconds:.0f} CPU seconds.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--weights", default=DEFAULT_SET)
    parser.add_argument("--by", action="append", default=[], help="also score each value of this column of the labels")
    parser.add_argument("--write", action="store_true", help="write today's page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    analyzer = Analyzer(weights=arguments.weights)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    say(f"# Photographs, {date.today().isoformat()}\n")
    used = ", ".join(analyzer.describe().values())
    say(f"`python benchmarks/photographs.py`, commit {commit_of()}, weights {used}, {platform.machine()}, one thread. "
        "Development photographs: they entered no training, threshold or calibration; they may have chosen between "
        "finished configurations, as the cards say. A labelled face that was not found counts as wrong; intervals are "
        "bootstrapped over the labelled faces.")  # fmt: skip
    for folder in arguments.folders:
        began = time.process_time()
        found = scores(analyzer, folder, arguments.by)
        show(folder, found, time.process_time() - began, say)
    if arguments.write:
        name = f"{date.today().isoformat()}-photographs-{Path(arguments.weights).name}.md"
        page = ROOT / "docs" / "benchmarks" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
