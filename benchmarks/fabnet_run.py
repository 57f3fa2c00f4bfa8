"""What a finished FAb-Net run did: reconstruction against copying, and how fast it went.

    python benchmarks/fabnet_run.py RUN... [--write]

Reads the run folders' logs and cards; nothing is trained or measured again. A row is one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from omokage.weights import registry

ROOT = Path(__file__).resolve().parents[1]


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def reconstruction(run: Path) -> str:
    """The card's error on held-out people beside that of copying."""
    card = registry.read_card(run / "weights", "encoder")
    first, second = card.scores[:2]
    low, high = first["interval"]
    steps = [r for r in rows_of(run) if "last_loss" in r]
    return (
        f"| {run.name} | {card.trained_on} | {steps[-1]['step']} | {steps[-1]['seconds'] / 60:.0f} | "
        f"**{first['value']:.4f}** | {low:.4f} to {high:.4f} | {first['baseline']:.4f} | {second['baseline']:.4f} | "
        f"{first['n']} |"
    )


def course(run: Path) -> list[str]:
    """The looks at held-out people during the run."""
    looks = [(r["step"], r["held_out"]) for r in rows_of(run) if "held_out" in r]
    return [
        f"| {run.name} | {step} | {held['error']:.4f} | {held['best_source']:.4f} | {held['mean_source']:.4f} | "
        f"{held['none']:.1%} |"
        for step, held in looks
    ]


def pace(run: Path) -> str:
    """Frames a second and the share of the time without a batch: median and range over the log's lines."""
    steps = [r for r in rows_of(run) if "images_per_second" in r]
    rates = np.array([r["images_per_second"] for r in steps])
    waits = np.array([r["waited"] for r in steps])
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]
    frames = config["batch"] * (config["data"]["sources"] + 1)
    return (
        f"| {run.name} | {config['encoder']['size']} px, {frames} frames | {config['device']}, {config['precision']} | "
        f"{np.median(rates):.0f} ({rates.min():.0f} .. {rates.max():.0f}) | {np.median(waits):.1%} "
        f"(at most {waits.max():.1%}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    newline = "\n"
    text = f"""# FAb-Net runs: reconstruction and speed, {date.today().isoformat()}

`python benchmarks/fabnet_run.py {" ".join(map(str, asked.runs))}`, {platform.machine()} with {os.cpu_count()} cores
that other work shared. Mean absolute error in 0..1 of a held-out person's frame rebuilt from three others of its track,
exact crops, 95 % interval over people; beside it that of copying the best of the three sources (chosen knowing the
target) and their mean.

| run | learnt from | steps | minutes | error | 95 % interval | best source | mean of sources | items |
|---|---|---|---|---|---|---|---|---|
{newline.join(map(reconstruction, asked.runs))}

On the way, on fewer items; `none` is the share of the picture that no source explains:

| run | step | error | best source | mean of sources | none |
|---|---|---|---|---|---|
{newline.join(line for run in asked.runs for line in course(run))}

Frames a second of wall time through one step (encoder, decoder, warps and back), median and range over the log, and the
share of the time in which the step waited for its crops:

| run | a step | device, precision | frames a second | waiting |
|---|---|---|---|---|
{newline.join(map(pace, asked.runs))}
"""
    print(text)
    if asked.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-fabnet-run.md"
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
