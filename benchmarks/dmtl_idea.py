"""Is it worth learning attributes together? Arrangements and losses of the attributes room at equal budget.

    python benchmarks/dmtl_idea.py --data out/records [--steps 600] [--seeds 3] [--only together,shared] [--write]

Every arrangement of `recipes.attributes.ablations` is trained for each seed with the same number of steps in sum and
scored on the same held-out people. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from omokage.attributes.train import train
from omokage.pipeline.recipes import find_recipe
from omokage.training.run import commit_of

ROOT = Path(__file__).resolve().parents[1]

MEASURES = (  # name in the card, smaller is better
    ("landmarks error, % of box size", True),
    ("yaw error, degrees", True),
    ("units error", True),
    ("expression accuracy", False),
    ("age error, years", True),
    ("age correlation", False),
    ("perceived_gender AUC", False),
    ("fatness correlation", False),
    ("skin_tone correlation", False),
    ("smiling AUC", False),
    ("eyeglasses AUC", False),
)
Scores = dict[str, float]


def scored(data: Sequence[str], name: str, seed: int, steps: int, folder: Path) -> tuple[Scores, int]:
    """Train one arrangement and return its scores by measure, and how many people's pictures they stand on."""
    scores: Scores = {}
    pictures = 0
    for config in find_recipe("attributes.ablations")(data, str(folder), steps, seed)[name]:
        card = json.loads((train(config) / "weights" / "attributes.json").read_text(encoding="utf-8"))
        rows = [row for row in card["scores"] if row["measure"] in dict(MEASURES)]
        scores.update({row["measure"]: row["value"] for row in rows})
        pictures = max([pictures, *(row["n"] for row in rows)])
    return scores, pictures


def table(results: dict[str, list[Scores]]) -> str:
    """Mean and range over seeds, one row per measure; the best mean in bold."""
    names = list(results)
    lines = ["| measure | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for measure, small in MEASURES:
        values = {n: np.array([s[measure] for s in results[n] if measure in s]) for n in names}
        means = {n: float(v.mean()) for n, v in values.items() if len(v)}
        if not means:
            continue
        best = (min if small else max)(means, key=lambda n: means[n])
        cells = []
        for n in names:
            text = f"{means[n]:.3f} ({values[n].min():.3f} .. {values[n].max():.3f})" if n in means else "-"
            cells.append(f"**{text}**" if n == best else text)
        lines.append(f"| {measure} ({'lower' if small else 'higher'} is better) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results: dict[str, list[Scores]], command: str, steps: int, pictures: int, minutes: float) -> str:
    """The dated page."""
    seeds = max(len(rows) for rows in results.values())
    return f"""# Learning attributes together, apart, and with other losses

{date.today().isoformat()}, commit {commit_of()}, {platform.machine()} with {os.cpu_count()} cores (shared with other
work), {minutes:.0f} minutes. Command:

    {command}

{steps} steps of 32 crops of 64 px in sum for every arrangement, {seeds} seeds, a small trunk, at most 4,000 pictures;
scores on {pictures} pictures of held-out rendered people (fewer where a label is missing). Mean over seeds, with the
smallest and the largest. `together` = one sub-network per category, `shared` = one head for all kinds, `separate` = one
network per task, each with its part of the steps. `squared`, `coral` and `learned` are `together` with squared error
for ordinal attributes (the paper's), cumulative links, and learned balancing.

{table(results)}

How to read it: the budget is short and the pictures are rendered. With few steps a shared trunk has an advantage, as
each of the separate networks sees only its part of the steps; the ranges over seeds say which differences are chance.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    began = time.monotonic()
    names = asked.only.split(",") if asked.only else list(find_recipe("attributes.ablations")(asked.data))
    results: dict[str, list[Scores]] = {name: [] for name in names}
    pictures = 0
    for seed in range(asked.seeds):
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                scores, count = scored(asked.data, name, seed, asked.steps, Path(folder))
            results[name].append(scores)
            pictures = max(pictures, count)
            print(f"seed {seed} {name}: {json.dumps(scores)}", file=sys.stderr, flush=True)
    command = "python benchmarks/dmtl_idea.py " + " ".join(sys.argv[1:])
    text = page(results, command, asked.steps, pictures, (time.monotonic() - began) / 60)
    if asked.write:
        (ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-dmtl-idea.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
