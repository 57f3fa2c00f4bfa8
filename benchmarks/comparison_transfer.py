"""Changes in a user's own units: `omokage adapt PAIRS.csv` on rendered people that play the user, beside plain answers.

    omokage render --out out/steps/visits --count 150 --seed 905 --pairs visits
    python benchmarks/comparison_transfer.py out/steps/visits --write

The user is a clinic with a cheap camera (grey, soft, pictures of 108 pixels, strongly compressed, lit from one side)
whose people were never trained on. Its labels are kilograms (made up: 14 for each 1 of fatness that is gained, 11 for
each lost, read off scales that err by 1 kg) and years. Pairs of two fifths of the people are kept for measuring.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comparison import asked, measured
from comparison_methods import state_of
from omokage.comparison.album import Album, read_album
from omokage.comparison.config import FACTORS
from omokage.comparison.data import all_pairs
from omokage.comparison.predict import Comparer
from omokage.explain.adapt import Plan
from omokage.media.sources import Source
from omokage.metrics.bootstrap import interval
from omokage.metrics.ranks import rank_correlation
from omokage.pipeline import Analyzer
from omokage.pipeline.adapt_pairs import adapt_pairs
from omokage.pipeline.compare import Photo, photographs
from omokage.pipeline.own_changes import ChangeReader

Floats = NDArray[np.float64]
LABELS = {"kilograms": "fatness", "years": "age"}
SIZES = (10, 50, 200)


def transfer(args: argparse.Namespace) -> dict[str, Any]:
    """Error and order on the kept people for each number of labelled pairs, beside answers that know no labels."""
    comparer, analyzer = Comparer(args.weights), Analyzer(args.attributes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        album = read_album(args.folder)
        pairs = all_pairs(album)
        labels = _labels(album, pairs)
        _pictures(album, folder)
        photos = photographs(analyzer, comparer, [Source(str(folder / f"{k}.jpg")) for k in range(len(album))])
        usable = np.array([photos[a].crop is not None and photos[b].crop is not None and not photos[a].problem
                           and not photos[b].problem for a, b in pairs])  # fmt: skip
        people = np.array(album.people)[pairs[:, 0]]
        names = np.unique(people)
        kept = np.isin(people, np.random.default_rng(1).permutation(names)[: 2 * len(names) // 5])
        test, own = np.flatnonzero(usable & kept), np.random.default_rng(2).permutation(np.flatnonzero(usable & ~kept))
        clear = sum(not photo.problem for photo in photos)
        out: dict[str, Any] = {
            "pairs": {"pictures": len(album), "with one clear face": clear, "kept for measuring": len(test)}
        }
        plain = _plain(photos, pairs, comparer)
        for label, factor in LABELS.items():
            out[label] = _curve(label, factor, labels[label], own, test, plain)
        for size in SIZES:
            table = _table(folder, size, own[:size], pairs, people, labels)
            found = folder / f"learnt-{size}"
            plan = Plan(sizes=())  # the curve is drawn here, on the kept people
            learnt, _ = adapt_pairs(
                table, folder, found, weights=args.weights, analyzer=analyzer, comparer=comparer, plan=plan
            )
            reads = {one.name: "a fine-tuned head" if one.tuned else " + ".join(one.learnt.fit.reads) for one in learnt}
            answers = _read(found, comparer, photos, pairs[test])
            for label in LABELS:
                scored = _scored(answers[label], labels[label][test])
                out[label][f"adapt, {size} pairs"] = {**scored, "reads": reads[label]}
    return out


def _labels(album: Album, pairs: NDArray[np.int64]) -> dict[str, Floats]:
    change = (album.factors[pairs[:, 1]] - album.factors[pairs[:, 0]]).astype(np.float64)
    rng = np.random.default_rng(0)
    heavier = change[:, FACTORS.index("fatness")]
    scales = np.where(heavier > 0, 14.0, 11.0) * heavier + rng.normal(0, 1, len(pairs))
    return {"kilograms": scales, "years": change[:, FACTORS.index("age")]}


def _pictures(album: Album, folder: Path) -> None:
    """The pictures as the clinic's camera takes them."""
    for k in range(len(album)):
        image = album.picture(k)
        height, width = image.shape[:2]
        ramp = np.linspace(1.25, 0.6, width)[None, :, None]
        grey = np.repeat(image.mean(2, keepdims=True), 3, 2) * ramp
        small = cv2.resize(
            np.clip(grey, 0, 255).astype(np.uint8), (108, 108 * height // width), interpolation=cv2.INTER_AREA
        )
        soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), 0.6), (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        if not cv2.imwrite(str(folder / f"{k}.jpg"), soft, [cv2.IMWRITE_JPEG_QUALITY, 55]):
            raise OSError(f"{folder / f'{k}.jpg'} cannot be written")


def _plain(photos: Sequence[Photo], pairs: NDArray[np.int64], comparer: Comparer) -> dict[str, Floats]:
    """Changes (m, factors) by the difference of two attribute answers and by the network unadapted."""
    blank = np.zeros(len(FACTORS))
    state = np.array([state_of(p.face) if p.face is not None else blank for p in photos])
    there = [k for k, p in enumerate(photos) if p.crop is not None]
    place = {k: i for i, k in enumerate(there)}
    seen = comparer.see([crop.image for k in there if (crop := photos[k].crop) is not None])
    ends = [(place.get(int(a), 0), place.get(int(b), 0)) for a, b in pairs]
    return {"difference of attribute answers": state[pairs[:, 1]] - state[pairs[:, 0]],
            "comparison": comparer.compare(seen, ends).value}  # fmt: skip


def _curve(
    label: str, factor: str, truth: Floats, own: NDArray[np.int64], test: NDArray[np.int64], plain: dict[str, Floats]
) -> dict[str, Any]:
    """What answers without adaptation are worth, scaled to the user's units by least squares on the same labels."""
    out: dict[str, Any] = {"no change, always": _scored(np.zeros(len(test)), truth[test])}
    for name, values in plain.items():
        value = values[:, FACTORS.index(factor)]
        for size in SIZES:
            x = value[own[:size]]
            slope = float((x * truth[own[:size]]).sum() / max(float((x * x).sum()), 1e-9))
            out[f"{name}, scaled by {size} pairs"] = _scored(slope * value[test], truth[test])
    return out


def _scored(answers: Floats, truth: Floats) -> dict[str, Any]:
    errors = np.abs(answers - truth)
    return {"mean absolute error": float(errors.mean()), "interval": list(interval(np.mean, errors)),
            "Spearman": rank_correlation(answers, truth)}  # fmt: skip


def _table(
    folder: Path, size: int, rows: NDArray[np.int64], pairs: NDArray[np.int64], people: NDArray[Any],
    labels: dict[str, Floats],
) -> Path:  # fmt: skip
    path = folder / f"pairs-{size}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["before", "after", "person", *labels])
        for k in rows:
            a, b = pairs[k]
            writer.writerow([f"{a}.jpg", f"{b}.jpg", people[k], *(round(float(v[k]), 3) for v in labels.values())])
    return path


def _read(learnt: Path, comparer: Comparer, photos: Sequence[Photo], pairs: NDArray[np.int64]) -> dict[str, Floats]:
    used = sorted({int(k) for k in pairs.ravel()})
    seen = comparer.see([crop.image for k in used if (crop := photos[k].crop) is not None])
    found = ChangeReader(learnt).read(comparer, seen, [(used.index(int(a)), used.index(int(b))) for a, b in pairs])
    return {label: np.array([one[label].value for one in found]) for label in LABELS}


def main() -> None:
    measured(asked(__doc__), transfer, "comparison-transfer")


if __name__ == "__main__":
    main()
