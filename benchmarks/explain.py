"""Explanations measured: rendered pairs, photographs, cost. One page a run.

    python benchmarks/explain.py [--pairs N] [--photographs FOLDER...] [--cost] [--batch N] [--weights SET] [--write]

- `--pairs N`: N noticed cases of each kind whose cause is known (`explain_pairs.py`, `explain_pointing.py`);
- `--photographs`: folders with a ``labels.csv``, measured only (`explain_photographs.py`);
- `--cost`, `--batch N`: propagation's sums, one face with each method, a table of N faces (`explain_cost.py`).

`--write` writes docs/benchmarks/DATE-explain[-photographs|-cost]-SET.md.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from datetime import date
from pathlib import Path

import cv2
import torch

from explain_cost import batch, conservation, cost
from explain_pairs import base_scene, cases
from explain_photographs import photographs
from explain_pointing import __doc__ as POINTING
from explain_pointing import pointing, pointing_table
from omokage.attributes.predict import AttributePredictor
from omokage.pipeline import Analyzer
from omokage.synthesis.render import render
from omokage.synthesis.skin import paint
from omokage.training.run import commit_of
from omokage.weights.registry import DEFAULT_SET

ROOT = Path(__file__).resolve().parents[1]

FIRST = 10_000  # people before this number were looked at while methods were chosen


def body(analyzer: Analyzer, predictor: AttributePredictor, given: argparse.Namespace) -> list[str]:
    """The sections that were asked for."""
    parts: list[str] = []
    if given.pairs:
        found, unseen = pointing(predictor, given.pairs, given.first, given.minutes, given.controls)
        said = (POINTING or "").partition("\n\n")[2].strip()
        parts += ["## Rendered pairs: does the top region lie where the cause is?", "", said, ""]
        parts += pointing_table(found, unseen)
    if given.cost:
        views = [case.view for case in cases(predictor, given.first)]
        parts += ["", "## Propagation on the shipped network", "", *conservation(predictor, views)]
    if given.cost or given.batch:
        shown = render(base_scene(0), paint(base_scene(0).person)).image
        if given.cost:
            parts += ["", "## Cost", "", *cost(analyzer, shown)]
        if given.batch:
            title = f"## A table of {given.batch} faces, method {given.batch_method}"
            parts += ["", title, "", *batch(analyzer, shown, given.batch, given.batch_method)]
    if given.photographs:
        parts += photographs(analyzer, given)
    return parts


def page(analyzer: Analyzer, given: argparse.Namespace) -> str:
    """The whole page."""
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    began = time.process_time()
    parts = body(analyzer, predictor, given)
    folders = ", ".join(f"{folder.name} ({given.sample})" for folder in given.photographs)
    cases_of = f" At most {given.pairs} rendered cases of each kind, people from number {given.first:,} on, of whom no "
    cases_of += "training and no choice knew."
    head = (
        f"# Explanations, {date.today().isoformat()}\n\n`python benchmarks/explain.py {' '.join(shown_arguments())}`, "
        f"commit {commit_of(ROOT)}, weights {', '.join(analyzer.describe().values())}, {platform.machine()}, one "
        f"thread, {(time.process_time() - began) / 60:.1f} CPU minutes.{cases_of if given.pairs else ''}"
        f"{f' Photographs: {folders}; nothing was fitted on them.' if folders else ''} In brackets 95 % bootstrap "
        "intervals."
    )
    return "\n".join([head, "", *parts]) + "\n"


def shown_arguments() -> list[str]:
    """The command's arguments without the folders that only this machine has."""
    return [Path(a).name if "/" in a else a for a in sys.argv[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", nargs="*", type=Path, default=[])
    parser.add_argument("--pairs", type=int, default=0, help="noticed cases of each kind")
    parser.add_argument("--first", type=int, default=FIRST, help="number of the first person")
    parser.add_argument("--minutes", type=float, default=120, help="after which no further pairs are made")
    parser.add_argument("--controls", type=int, default=40, help="cases of each kind asked on shuffled weights as well")
    parser.add_argument("--cost", action="store_true", help="propagation's sums, and what explanations cost")
    parser.add_argument("--batch", type=int, default=0, help="faces of a table whose time and memory are measured")
    parser.add_argument("--batch-method", default="lrp", help="its method")
    parser.add_argument("--sample", type=int, default=200, help="photographs of each folder")
    parser.add_argument("--most", type=int, default=80, help="faces of each folder in which regions are hidden")
    parser.add_argument("--where", nargs="*", default=[], help="only photographs with this label: folder:column=value")
    parser.add_argument("--hide", nargs="*", default=["smiling", "eyeglasses"], help="answers for which regions hide")
    parser.add_argument("--flips", type=int, default=10, help="faces for pixel flipping of each answer")
    parser.add_argument("--flip-methods", nargs="*", default=["occlusion"], help="whose maps are flipped")
    parser.add_argument("--weights", default=DEFAULT_SET)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    text = page(Analyzer(weights=given.weights, device="cpu"), given)
    print(text)
    if given.write:
        part = "" if given.pairs else "-photographs" if given.photographs else "-cost"
        name = f"{date.today().isoformat()}-explain{part}-{Path(given.weights).name}.md"
        (ROOT / "docs" / "benchmarks" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
