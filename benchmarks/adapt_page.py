"""The dated page of `benchmarks/adapt.py`, from the parts that lie in its work folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from omokage.pipeline.adapt_unlabelled import GAIN, HARM

Row = Mapping[str, Any]
ORDER = ("shipped", "landmarks", "from scratch", "probe", "fine-tuned")
SAID = {
    "shipped": "shipped answer", "landmarks": "linear on landmarks", "from scratch": "from scratch",
    "probe": "`adapt`, linear probe", "fine-tuned": "`adapt`, dense layers fine-tuned",
}  # fmt: skip


def write_page(work: Path, root: Path, command: str, today: date, machine: str) -> Path:
    """Write docs/benchmarks/DATE-adapt.md of the parts that are there; returns its path."""
    parts = {p.stem: json.loads(p.read_text()) for p in sorted(work.glob("*.json"))}
    lines = [f"# Few labels, and pictures without labels, {today.isoformat()}\n"]
    made = "; ".join(f"{n}: commit {p['commit']}, {p['seconds']:.0f} s of one core" for n, p in parts.items())
    weights = next(iter(parts.values()))["weights"]
    lines.append(f"`{command}` on {machine}. Base: {weights}. {made}. In brackets: 95 % interval over people.\n")
    curve = [*parts.get("labels", {}).get("rows", []), *parts.get("scratch", {}).get("rows", [])]
    if curve:
        lines += _curve(curve)
    if "unlabelled" in parts:
        lines += _unlabelled(parts["unlabelled"]["rows"])
    out = root / "docs" / "benchmarks" / f"{today.isoformat()}-adapt.md"
    out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return out


def _curve(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## What few labels are worth\n",
        "Perceived gender, smile and glasses: 80 px web photographs (a random 2,000 of 4,000; MTFL). Expression: six "
        "loosely labelled classes of mostly grey pictures (muxspace). 45 % of the people judge, the rest teach; with "
        "fewer labels than there are, the mean over 3 random draws (fine-tuned and from scratch: the first one). "
        "Measured only: nothing fitted here ships, and `shipped` has seen none of these photographs.\n",
        "**From scratch** is a residual network of half the width, 64 px crops (the faces are about 45 px wide), 150, "
        "200 and 400 steps of 16, without any search for a better recipe: take it as what a quick try gives. Answers "
        "are taken at probability one half, at which a probe that knows how rare glasses are seldom says yes: there "
        "the area under the curve is the fairer figure.\n",
    ]  # fmt: skip
    for task in dict.fromkeys(r["task"] for r in rows):
        own = [r for r in rows if r["task"] == task]
        sizes = sorted({r["labels"] for r in own if r["labels"]})
        classes, n = own[0]["classes"], own[0]["n"]
        lines.append(f"### {task.capitalize()} ({classes} classes, {n} pictures judge)\n")
        for title, keys, constant in (
            ("accuracy, mean over the classes", ("value", "low", "high"), 1 / classes),
            ("area under the curve", ("curve", "curve_low", "curve_high"), 0.5),
        ):
            if keys[0] not in own[0]:
                continue
            lines.append(f"| {title} | " + " | ".join(f"{size:,} labels" for size in sizes) + " |")
            lines.append("|---|" + "---|" * len(sizes))
            lines.append(f"| a constant answer | {' | '.join([f'{constant:.3f}'] * len(sizes))} |")
            for method in ORDER:
                cells = [_cell(own, method, size, keys) for size in sizes]
                if any(cells):
                    lines.append(f"| {SAID[method]} | {' | '.join(cells)} |")
            lines.append("")
    return lines


def _cell(rows: Sequence[Row], method: str, size: int, keys: tuple[str, str, str]) -> str:
    """The value of a method at a size; the shipped answer has no size."""
    for r in rows:
        if r["method"] == method and r["labels"] in (size, 0) and keys[0] in r:
            return f"{r[keys[0]]:.3f} [{r[keys[1]]:.3f}, {r[keys[2]]:.3f}]"
    return ""


def _unlabelled(rows: Sequence[Row]) -> list[str]:
    judged = max((r["n"] for r in rows if "answer" in r), default=0)
    lines = [
        "## Getting used to pictures without labels\n",
        "The same crops, changed: grey and low resolution (28 px, JPEG 40), and side light (0.12 to 1.5 of the light "
        f"across the face). 400 of them without labels for statistics, teaching, choice and check; {judged} others of "
        "other people judge with labels that the procedure never saw. *statistics*: moved as far as the check's own "
        "choosing part liked best; *student*: from there, trained on the network's own answers as well. Crops were cut "
        "on the unchanged pictures.\n",
        "| pictures | way (how far) | answer, area under the curve | as shipped | after | change | accepted |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in rows:
        if "answer" in r:
            lines.append(
                f"| {r['shift']} | {r['way']} ({r['share']:.0%}) | {r['answer']} | {r['before']:.4f} | "
                f"{r['after']:.4f} | [{r['low']:+.4f}, {r['high']:+.4f}] | {'yes' if r['accepted'] else 'no'} |"
            )
    lines += [
        "\nWhat the check said, without labels (a set is written only when all pass: the first must fall by "
        f"{100 * GAIN:.0f} % at least, errors on rendered heads may grow by {100 * HARM:.0f} % at most, both at the "
        "end of the interval):\n",
        "| pictures | way | check | before | after | change | passed |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in rows:
        if "check" in r:
            lines.append(
                f"| {r['shift']} | {r['way']} | {r['check']} | {r['before']:.4g} | {r['after']:.4g} | "
                f"[{r['low']:+.3g}, {r['high']:+.3g}] | {'yes' if r['passed'] else 'no'} |"
            )
    return [*lines, ""]
