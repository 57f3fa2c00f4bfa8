"""What benchmarks/footage.py keeps of every encoder, and the page and plot that it makes of them."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from omokage.embeddings.evaluate import ProbeScore
from omokage.embeddings.footage import FootageScore, minutes_needed
from omokage.report.charts import Curve, Panel, figure
from omokage.training.run import commit_of

ROOT = Path(__file__).resolve().parents[1]
MEASURES = (("points", "landmark error"), ("yaw side", "accuracy"), ("smiling", "AUC"))


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


def rows_of(path: Path) -> list[Found]:
    return (
        [Found(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def curve_of(rows: Sequence[Found], steps: int, task: str, measure: str) -> list[FootageScore]:
    """Mean over seeds by minutes, with the lowest and the highest end of the intervals; 0 minutes is the untrained."""
    mine = [r for r in rows if r.steps == steps or r.name == "untrained"]
    found = []
    for minutes in sorted({r.minutes for r in mine}):
        own = [s for r in mine if r.minutes == minutes and (s := r.score(task, measure)) is not None]
        if own:
            mean = float(np.mean([s.value for s in own]))
            low, high = min(s.low for s in own), max(s.high for s in own)
            found.append(FootageScore(minutes, replace(own[0], value=mean, low=low, high=high)))
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


def command_of(asked: argparse.Namespace, budgets: Sequence[int], seeds: int) -> str:
    """The command that measures all of it."""
    return (
        f"python benchmarks/footage.py --data {' '.join(p.name for p in asked.data)} --probe {asked.probe.name} "
        f"--minutes {','.join(f'{m:g}' for m in asked.minutes)} --steps {','.join(map(str, budgets))} --seeds {seeds} "
        f'--row "{asked.row}" --part {asked.part}'
    )


def page(asked: argparse.Namespace, rows: Sequence[Found], pictures: str, frames: int) -> str:
    """The dated page: `pictures` says on what was probed, a step reads `frames`."""
    budgets = sorted({r.steps for r in rows if r.steps})
    kept = " Crops of the photographs were kept from an earlier run of benchmarks/probes.py." if asked.cache else ""
    read = ", ".join(f"{frames * n / 120:,.0f} minutes' worth in {n:,} steps" for n in budgets)
    cpu = sum(r.seconds for r in rows) / 60
    newline = "\n"
    return f"""# How much footage is enough, {date.today().isoformat()}

`{command_of(asked, budgets, 1 + max(r.seed for r in rows))}`,
commit {commit_of(ROOT)}, {platform.machine()} with {os.cpu_count()} cores that other work kept busy, one thread;
{cpu:.0f} processor minutes of training. The table has what was measured; the command adds the points that it lacks.

The row `{asked.row}` of `recipes.embeddings.ablations` (64 px, a small network) learnt from random weights on rendered
tracks that cover so many minutes of video, people in a fixed order, fewer minutes being a part of more; a step reads
{frames} frames. The frozen codes were probed linearly with all labels on {pictures} that
nothing was fitted on (five folds, other people), 95 % interval over people.{kept}
The last column is the error of rebuilding held-out people, the same ones for every encoder.

![probe scores over minutes of video](../images/footage.svg)

Mean over seeds; the band reaches from the lowest to the highest end of their intervals; 0 minutes is the same network
untrained, batch norm settled on the photographs.

{newline.join(table(rows))}

From where on more footage no longer gains 2 % of the value (of the mean over seeds):

{newline.join(answers(rows, budgets))}

How to read it: the number of steps is the same for all points of a curve, so few minutes are seen over and over and
many hardly once; at two frames a second the steps read {read}.
A curve that is flat early says that steps, not footage, are short: with more steps the right end gains more than the
left. The minutes are of rendered tracks of five seconds, each of another person; an hour of one person's talk holds
less.
"""
