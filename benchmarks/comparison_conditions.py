"""What the comparison room calls when two photographs were taken more or less alike: rendered, the change known.

    python benchmarks/comparison_conditions.py OUT --workers 2 --write

Renders pairs into OUT (kept for the next run) whose day differs in the camera alone, or in the light, the pose or both
as well, and tells which share of exact steps is called: at the shipped threshold, and at the one that calls 5 percent
of pairs without a change under the same conditions.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from comparison import ALARMS, SETS, PairSet, asked, measured, pair_set
from comparison_methods import by_comparer
from omokage.comparison.config import FACTORS
from omokage.comparison.predict import Comparer
from omokage.synthesis.pairs import PairSampler
from omokage.synthesis.visits import comparable
from omokage.synthesis.write import write_pairs

CONDITIONS = {
    "another camera": ("camera",),
    "another camera and light": ("camera", "light"),
    "another camera and pose": ("camera", "pose"),
    "another camera, light and pose": ("camera", "light", "pose"),
}
STEPS = {"age": 8.0, "fatness": 0.5, "units": 0.2}
PAIRS = {"still": 200, "age": 150, "fatness": 150, "units": 200}
SEED = 9400


def conditions(args: argparse.Namespace) -> dict[str, Any]:
    """For each condition and step: called at the shipped threshold, and at the condition's own."""
    comparer = Comparer(args.weights)
    out: dict[str, Any] = {}
    for number, (name, also) in enumerate(CONDITIONS.items()):
        sets = {kind: _pairs(args, comparer, number, kind, also) for kind in PAIRS}
        out[name] = _called(comparer, sets)
    return out


def _pairs(args: argparse.Namespace, comparer: Comparer, number: int, kind: str, also: tuple[str, ...]) -> PairSet:
    """Pairs of one kind under one condition, rendered unless they are there."""
    folder = args.folder / "-".join((*also, kind))
    if not (folder / "records.json").is_file():
        sampler = PairSampler(((also[0], 1.0),), also=also[1:], sampler=comparable())
        if kind in STEPS:
            sampler = PairSampler(((kind, 1.0),), size=STEPS[kind], also=also, sampler=comparable())
        seed = SEED + 10 * number + list(PAIRS).index(kind)
        write_pairs(folder, PAIRS[kind], seed, sampler, size=256, workers=args.workers)
    return pair_set(folder, comparer)


def _called(comparer: Comparer, sets: dict[str, PairSet]) -> dict[str, Any]:
    still = by_comparer(comparer, sets["still"].crops, sets["still"].pairs)
    limits = np.quantile(still.strength, 1 - ALARMS, axis=0)
    out: dict[str, Any] = {}
    for kind, names in SETS.items():
        found, truth = by_comparer(comparer, sets[kind].crops, sets[kind].pairs), np.nan_to_num(sets[kind].change)
        ks = [FACTORS.index(name) for name in names]
        there = np.zeros_like(truth, bool)
        there[:, ks] = np.abs(truth[:, ks]) > 1e-3
        called = found.strength > 1 - ALARMS
        right = np.sign(found.value) == np.sign(truth)
        out[kind] = {
            "pairs": int(there.sum()),
            "called at the shipped threshold": float(called[there].mean()),
            "right sign of these": float(right[there & called].mean()) if (there & called).any() else None,
            "false alarms at it": float((still.strength[:, ks] > 1 - ALARMS).mean()),
            "called at 5 % false alarms": float((found.strength > limits)[there].mean()),
        }
    return out


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    measured(parser, conditions, "comparison-conditions")


if __name__ == "__main__":
    main()
