"""What the comparison room calls when two photographs were taken more or less alike: rendered, the change known.

    python benchmarks/comparison_conditions.py OUT --workers 2 --write

Renders pairs into OUT (kept for the next run) whose day differs in the camera alone, or in the light, the pose or both
as well, and tells which share of exact steps is called: at the shipped threshold (that of controlled conditions where
the camera alone differs), and at the one that calls 5 percent of pairs without a change under the same conditions.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from comparison import ALARMS, SETS, PairSet, asked, measured, pair_set, steps_of
from comparison_methods import by_comparer
from omokage.comparison.calibration import STEPS
from omokage.comparison.config import FACTORS
from omokage.comparison.predict import Comparer
from omokage.synthesis.pairs import PairSampler
from omokage.synthesis.visits import comparable
from omokage.synthesis.write import write_pairs

CONTROLLED = "another camera"
CONDITIONS = {
    CONTROLLED: ("camera",),
    "another camera and light": ("camera", "light"),
    "another camera and pose": ("camera", "pose"),
    "another camera, light and pose": ("camera", "light", "pose"),
}
PAIRS = {"still": 200, "age": 150, "fatness": 150, "units": 200}
SEED = 9400


def conditions(args: argparse.Namespace) -> dict[str, Any]:
    """For each condition and step: called at the shipped threshold, and at the condition's own."""
    comparer = Comparer(args.weights)
    out: dict[str, Any] = {}
    for number, (name, also) in enumerate(CONDITIONS.items()):
        sets = {kind: _pairs(args, comparer, number, kind, also) for kind in PAIRS}
        out[name] = _called(comparer, sets, name == CONTROLLED)
    return out


def _pairs(args: argparse.Namespace, comparer: Comparer, number: int, kind: str, also: tuple[str, ...]) -> PairSet:
    """Pairs of one kind under one condition, rendered unless they are there."""
    folder = args.folder / "-".join((*also, kind))
    if not (folder / "records.json").is_file():
        sampler = PairSampler(((also[0], 1.0),), also=also[1:], sampler=comparable())
        if kind in SETS:
            sampler = PairSampler(((kind, 1.0),), size=STEPS[SETS[kind][0]], also=also, sampler=comparable())
        seed = SEED + 10 * number + list(PAIRS).index(kind)
        write_pairs(folder, PAIRS[kind], seed, sampler, size=256, workers=args.workers)
    return pair_set(folder, comparer)


def _called(comparer: Comparer, sets: dict[str, PairSet], controlled: bool) -> dict[str, Any]:
    still = by_comparer(comparer, sets["still"].crops, sets["still"].pairs, controlled)
    limits = np.quantile(still.strength, 1 - ALARMS, axis=0)
    shipped = np.full(len(FACTORS), 1 - ALARMS)
    out: dict[str, Any] = {}
    for kind, names in SETS.items():
        found = by_comparer(comparer, sets[kind].crops, sets[kind].pairs, controlled)
        there = steps_of(found, sets[kind], names, shipped)
        out[kind] = {
            "pairs": len(there.rows),
            "called at the shipped threshold": float(there.called.mean()),
            "right sign of these": there.right_of_called,
            "false alarms at it": float((still.strength > shipped)[:, [FACTORS.index(name) for name in names]].mean()),
            "called at 5 % false alarms": float(steps_of(found, sets[kind], names, limits).called.mean()),
        }
    return out


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    measured(parser, conditions, "comparison-conditions")


if __name__ == "__main__":
    main()
