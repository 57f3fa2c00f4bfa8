"""Glasses, hair, beard, make-up, closed eyes, headwear, light, pose and camera: does a comparison know which differ?

    python benchmarks/comparison_differences.py out/steps/visits --fit out/visits --write

What the pipeline does (two analyses and the two crops), on pairs of rendered people. `--fit` prints the lines of
`pipeline.named_differences`, fitted on the first 150 people of another folder, both answers weighing the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison import asked, measured
from comparison_methods import exact_crops
from omokage.attributes.predict import AttributePredictor
from omokage.comparison.album import Album, read_album
from omokage.comparison.config import LOOKS, NUISANCE
from omokage.comparison.data import all_pairs, labels_of
from omokage.comparison.predict import Comparer
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve
from omokage.metrics.logistic import fit_logistic
from omokage.pipeline.named_differences import LINES, day_between, distances, looks_between, picture_of
from omokage.results import FaceAnalysis, FaceCrop
from omokage.weights.registry import read_card

Floats = NDArray[np.float64]
NAMES = (*LOOKS, *NUISANCE)
FITTED_ON = 150  # people


def differences(args: argparse.Namespace) -> dict[str, Any]:
    """The area under the curve of each answer, and what is found and falsely found at a probability of 0.5."""
    comparer, reader = Comparer(args.weights), AttributePredictor(args.attributes)
    out: dict[str, Any] = {"analyses": {"weights": read_card(args.attributes, "attributes").id}}
    if args.fit:
        out["lines fitted (slope, offset)"] = _lines(read_album(args.fit, FITTED_ON), comparer, reader)
    album = read_album(args.folder)
    crops, faces = _read(album, comparer, reader)
    pairs = all_pairs(album)
    truth = np.concatenate(labels_of(album, pairs)[1:], 1).astype(np.float64)
    ours: dict[str, list[float]] = {name: [] for name in NAMES}
    taken = [picture_of(crop) for crop in crops]
    for a, b in pairs:
        found = looks_between(faces[a], faces[b]) | day_between(faces[a], faces[b], taken[a], taken[b])
        for name in NAMES:
            ours[name].append(found.get(name, np.nan))
    whose = [album.people[int(a)] for a in pairs[:, 0]]
    out["two analyses and the crops"] = _scored({k: np.array(v) for k, v in ours.items()}, truth, whose)
    return out


def _read(album: Album, comparer: Comparer, reader: AttributePredictor) -> tuple[list[Any], list[FaceAnalysis]]:
    crops = exact_crops(album, comparer)
    return crops, reader.predict([FaceCrop(c, np.eye(2, 3), None, 1.0) for c in crops])  # type: ignore[arg-type]


def _scored(answers: Mapping[str, Floats], truth: Floats, whose: Sequence[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for k, name in enumerate(NAMES):
        known = np.isfinite(truth[:, k]) & np.isfinite(answers[name])
        said, true = answers[name][known], truth[known, k] > 0.5
        if not 0 < true.mean() < 1:
            continue
        ends = interval(
            area_under_curve, said, true, groups=[who for who, there in zip(whose, known, strict=True) if there]
        )
        out[name] = {
            "pairs": len(true), "differ": int(true.sum()), "AUC": area_under_curve(said, true), "AUC, interval":
            list(ends), "found": float((said[true] >= 0.5).mean()), "falsely found": float((said[~true] >= 0.5).mean()),
        }  # fmt: skip
    return out


def _lines(album: Album, comparer: Comparer, reader: AttributePredictor) -> dict[str, list[float]]:
    crops, faces = _read(album, comparer, reader)
    pairs = all_pairs(album)
    truth = np.concatenate(labels_of(album, pairs)[1:], 1)
    taken = [picture_of(crop) for crop in crops]
    found = [distances(faces[a], faces[b], taken[a], taken[b]) for a, b in pairs]
    out = {}
    for name in LINES:
        gap = np.array([one.get(name, np.nan) for one in found])
        true = truth[:, NAMES.index(name)]
        known = np.isfinite(gap) & np.isfinite(true)
        rng, sides = np.random.default_rng(0), [np.flatnonzero(known & (true == side)) for side in (0, 1)]
        rows = np.concatenate([rng.choice(side, max(map(len, sides))) for side in sides])
        scale = float(gap[rows].std())  # distances of any unit are fitted alike
        inputs = np.column_stack([gap[rows] / scale, np.ones(len(rows))])
        slope, offset = fit_logistic(inputs, true[rows] > 0.5, [0.0, 0.0], [1e-3, 1e-3], 60, stride=2)
        out[name] = [float(slope / scale), float(offset)]
    return out


def main() -> None:
    parser = asked(__doc__)
    parser.set_defaults(attributes="open")
    parser.add_argument("--fit", help="visits of other people, to fit the lines on")
    measured(parser, differences, "comparison-differences")


if __name__ == "__main__":
    main()
