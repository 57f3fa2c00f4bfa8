"""What the comparison room can tell on rendered people whose change is known, beside baselines; and how fast.

omokage render --out out/steps/still --count 300 --seed 901 --pairs nuisance
omokage render --out out/steps/age --count 200 --seed 902 --pairs age=8
omokage render --out out/steps/fatness --count 200 --seed 903 --pairs fatness=0.5
omokage render --out out/steps/units --count 600 --seed 904 --pairs units=0.2
omokage render --out out/steps/visits --count 150 --seed 905 --pairs visits
python benchmarks/comparison.py rendered out/steps --weights runs/comparison/weights --json rendered.json
python benchmarks/comparison.py speed PHOTOGRAPHS --weights runs/comparison/weights
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.comparison.album import Album, read_album
from omokage.comparison.config import COMPARED_UNITS, FACTORS, DataConfig
from omokage.comparison.data import Crops, all_pairs, labels_of, strangers
from omokage.comparison.evaluate import equal_error, spearman
from omokage.comparison.predict import Comparer
from omokage.metrics.bootstrap import interval
from omokage.pipeline import Analyzer
from omokage.results import FaceAnalysis, FaceCrop
from omokage.training.run import commit_of
from omokage.weights.registry import read_card

ROOT = Path(__file__).resolve().parents[1]
Floats = NDArray[np.float64]
ALARMS = 0.05
SETS = {"age": ("age",), "fatness": ("fatness",), "units": COMPARED_UNITS}


class Answers:
    """Values and strengths of evidence (m, factors) of one method on the pairs of an album."""

    def __init__(self, value: Floats, strength: Floats, low: Floats | None = None, high: Floats | None = None) -> None:
        self.value, self.strength, self.low, self.high = value, strength, low, high


def by_comparer(comparer: Comparer, crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> Answers:
    found = comparer.compare(comparer.see(crops), [tuple(row) for row in pairs.tolist()])
    spread = np.maximum((found.high - found.low) / 2, 1e-9)
    return Answers(found.value, np.abs(found.value) / spread, found.low, found.high)


def by_attributes(reader: AttributePredictor, crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> Answers:
    """The difference of two answers of the attributes room."""
    faces = reader.predict([FaceCrop(c, np.eye(2, 3), None, 1.0) for c in crops])  # type: ignore[arg-type]
    state = np.array([state_of(face) for face in faces])
    value = state[pairs[:, 1]] - state[pairs[:, 0]]
    return Answers(value, np.abs(value))


def state_of(face: FaceAnalysis) -> list[float]:
    age = face.age.years if face.age is not None else np.nan
    return [*(face.units[name] for name in COMPARED_UNITS), face.scalars["fatness"].value, age]


def rendered(args: argparse.Namespace) -> dict[str, Any]:
    """The fixed steps, each method at its own thresholds with 5 percent false alarms on pairs without a change."""
    comparer, reader = Comparer(args.weights), AttributePredictor(args.attributes)
    methods: dict[str, Callable[..., Answers]] = {
        "comparison": lambda c, p: by_comparer(comparer, c, p),
        "difference of attribute answers": lambda c, p: by_attributes(reader, c, p),
    }
    for name, folder in (pair.split("=", 1) for pair in args.against):
        other = Comparer(folder)
        methods[name] = lambda c, p, other=other: by_comparer(other, c, p)
    if args.probe:
        methods["features with a linear probe"] = linear_probe(reader, read_album(args.probe, 1500), comparer)
    sets = {name: _set(args.folder / name, comparer) for name in ("still", "visits", *SETS)}
    out: dict[str, Any] = {"pairs": {name: len(pairs) for name, (_, pairs, _) in sets.items()}}
    for name, method in methods.items():
        answers = {key: method(crops, pairs) for key, (crops, pairs, _) in sets.items()}
        limits = np.quantile(answers["still"].strength, 1 - ALARMS, axis=0)
        out[name] = {key: _stepped(answers[key], sets[key][2], names, limits) for key, names in SETS.items()}
        out[name]["visits"] = _ranges(answers["visits"], sets["visits"][2])
    found = comparer.compare(comparer.see(sets["still"][0]), [tuple(row) for row in sets["still"][1].tolist()])
    false = found.no_change < ALARMS
    out["shipped threshold, false alarms on pairs without a change"] = {
        "units": float(false[:, :-2].mean()), "fatness": float(false[:, -2].mean()), "age": float(false[:, -1].mean())
    }  # fmt: skip
    out["swapped"] = _swapped(comparer, *sets["visits"][:2])
    out["same person"] = _identity(comparer, args.folder / "visits")
    return out


def _set(folder: Path, comparer: Comparer) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64], Floats]:
    """Exact crops, pairs and true changes of a record folder."""
    album = read_album(folder)
    crops = _crops(album, comparer)
    pairs = all_pairs(album)
    return crops, pairs, labels_of(album, pairs)[0].astype(np.float64)


def _crops(album: Album, comparer: Comparer) -> list[NDArray[np.uint8]]:
    from omokage.comparison.config import NetworkConfig

    cutter = Crops(album, NetworkConfig(size=comparer.size, margin=comparer.margin), DataConfig())
    return [cutter.exact(i) for i in range(len(album))]


def linear_probe(reader: AttributePredictor, album: Album, comparer: Comparer) -> Callable[..., Answers]:
    """Ridge regression from differences of the attribute trunk's pooled features (192 numbers), learnt on an album."""

    @torch.inference_mode()
    def features(crops: Sequence[NDArray[np.uint8]]) -> Floats:
        rows = []
        for k in range(0, len(crops), 64):
            inputs = reader.prepare([FaceCrop(c, np.eye(2, 3), None, 1.0) for c in crops[k : k + 64]])  # type: ignore[arg-type]
            rows.append(reader.model.trunk(inputs).mean((2, 3)).double().cpu().numpy())
        return np.concatenate(rows)

    x, pairs = features(_crops(album, comparer)), all_pairs(album)
    truth = np.nan_to_num(labels_of(album, pairs)[0].astype(np.float64))
    gap = x[pairs[:, 1]] - x[pairs[:, 0]]
    weight = np.linalg.solve(gap.T @ gap + 1e-2 * len(gap) * np.eye(gap.shape[1]), gap.T @ truth)

    def answer(crops: Sequence[NDArray[np.uint8]], ends: NDArray[np.int64]) -> Answers:
        found = features(crops)
        value = (found[ends[:, 1]] - found[ends[:, 0]]) @ weight
        return Answers(value, np.abs(value))

    return answer


def _stepped(answers: Answers, truth: Floats, names: Sequence[str], limits: Floats) -> dict[str, Any]:
    """Called, right sign of the called, inside the interval: over the pairs of one fixed step."""
    rows, columns = np.nonzero(np.abs(np.nan_to_num(truth)) > 1e-3)
    wanted = np.isin(columns, [FACTORS.index(name) for name in names])
    rows, columns = rows[wanted], columns[wanted]
    called = answers.strength[rows, columns] > limits[columns]
    right = np.sign(answers.value[rows, columns]) == np.sign(truth[rows, columns])
    out: dict[str, Any] = {
        "pairs": len(rows), "called": float(called.mean()), "called, interval": list(interval(np.mean, called)),
        "sign of called": float(right[called].mean()) if called.any() else None, "sign of all": float(right.mean()),
    }  # fmt: skip
    if answers.low is not None and answers.high is not None:
        inside = (answers.low <= truth) & (truth <= answers.high)
        out["inside the interval"] = float(inside[rows, columns].mean())
    if len(names) > 2:
        each = {FACTORS[k]: float(called[columns == k].mean()) for k in np.unique(columns)}
        out["called by unit"] = dict(sorted(each.items(), key=lambda item: -item[1]))
    return out


def _ranges(answers: Answers, truth: Floats) -> dict[str, Any]:
    """Rank correlation within twice the fixed steps and over the whole range; coverage."""
    out: dict[str, Any] = {}
    for name, ks, step in (("units", range(len(COMPARED_UNITS)), 0.2), ("fatness", [-2], 0.5), ("age", [-1], 8.0)):
        t, v = truth[:, ks].ravel(), answers.value[:, ks].ravel()
        moved = np.isfinite(t) & (np.abs(t) > 1e-3)
        near = moved & (np.abs(t) <= 2 * step)
        out[name] = {
            "moved": int(moved.sum()), "Spearman, small": spearman(v[near], t[near]),
            "Spearman, all": spearman(v[moved], t[moved]), "error": float(np.abs(v - t)[moved].mean()),
        }  # fmt: skip
        if answers.low is not None and answers.high is not None:
            inside = (answers.low[:, ks].ravel() <= t) & (t <= answers.high[:, ks].ravel())
            out[name]["inside the interval"] = float(inside[np.isfinite(t)].mean())
            out[name]["inside, moved"] = float(inside[moved].mean())
    return out


def _swapped(comparer: Comparer, crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> float:
    """The largest |f(a, b) + f(b, a)| in units of the factor."""
    seen = comparer.see(crops)
    one, other = (comparer.compare(seen, [tuple(r) for r in p.tolist()]).value for p in (pairs, pairs[:, ::-1]))
    return float(np.abs(one + other).max())


def _identity(comparer: Comparer, folder: Path) -> dict[str, float]:
    album = read_album(folder)
    crops = _crops(album, comparer)
    pairs = all_pairs(album)
    others = strangers(album, len(pairs))
    return check_errors(comparer, crops, pairs, others)


def check_errors(
    comparer: Comparer, crops: Sequence[NDArray[np.uint8]], alike: NDArray[np.int64], apart: NDArray[np.int64]
) -> dict[str, float]:
    """Equal error rates of the check and of a classical one, and what the shipped limit does."""
    seen = comparer.see(crops)
    a, b = (comparer.compare(seen, [tuple(r) for r in p.tolist()]).same_person for p in (alike, apart))
    old = [classical(crops, p) for p in (alike, apart)]
    return {
        "equal error": equal_error(a, b), "classical equal error": equal_error(*old), "pairs": len(a) + len(b),
        "kept at the limit": float((a >= comparer.same_limit).mean()),
        "strangers let through at the limit": float((b >= comparer.same_limit).mean()),
    }  # fmt: skip


def classical(crops: Sequence[NDArray[np.uint8]], pairs: NDArray[np.int64]) -> Floats:
    """Likeness of histograms of local binary patterns over 7 x 7 cells (Ahonen et al., PAMI 2006), chi squared."""
    codes = np.array([_patterns(c) for c in crops])
    a, b = codes[pairs[:, 0]], codes[pairs[:, 1]]
    return -np.asarray(((a - b) ** 2 / (a + b + 1e-9)).sum(1))


def _patterns(crop: NDArray[np.uint8]) -> Floats:
    from skimage.feature import local_binary_pattern

    grey = cv2.equalizeHist(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))
    found = local_binary_pattern(grey, 8, 2, "nri_uniform").astype(np.int64)
    n = found.shape[0] // 7
    cells = [
        np.bincount(found[r * n : (r + 1) * n, c * n : (c + 1) * n].ravel(), minlength=59)
        for r in range(7)
        for c in range(7)
    ]
    return np.concatenate(cells) / (n * n)


def speed(args: argparse.Namespace) -> dict[str, Any]:
    """Pairs a second of a table of `--count` pairs drawn from a folder of photographs, everything included."""
    import tempfile

    from omokage.pipeline.pair_table import compare_table

    files = sorted(p for p in args.folder.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    rng = np.random.default_rng(0)
    pairs = [tuple(str(files[int(k)]) for k in rng.choice(len(files), 2, replace=False)) for _ in range(args.count)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        counts = compare_table(
            Analyzer(args.attributes), Comparer(args.weights), pairs, Path(folder) / "out.parquet",  # type: ignore[arg-type]
            assume_same=True,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    return {"pairs": len(pairs), "seconds": seconds, "pairs a second": len(pairs) / seconds, "counts": counts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rendered", "speed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="synthetic", help="a set or folder with a comparison network")
    parser.add_argument("--attributes", default="synthetic", help="the set that finds, aligns and is compared with")
    parser.add_argument("--against", action="append", default=[], metavar="NAME=FOLDER", help="further networks")
    parser.add_argument("--probe", help="visits on which the linear baseline is learnt")
    parser.add_argument("--count", type=int, default=120, help="photographs to change, or pairs to time")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="write a dated page under docs/benchmarks")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    run = {"rendered": rendered, "speed": speed}[args.what]
    told(run(args), args, f"comparison-{args.what}")


def told(results: dict[str, Any], args: argparse.Namespace, name: str) -> None:
    """Print the results as JSON, and write them to a file or a dated page where asked."""
    text = json.dumps(results, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    if args.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-{name}.md"
        page.write_text("\n".join(_page(results, args.weights, name)) + "\n", encoding="utf-8")


def _page(results: dict[str, Any], weights: str, name: str) -> list[str]:
    """The results as Markdown: a heading for each method, a row for each figure (shares and errors, not percent)."""
    ids = [read_card(weights, "comparison").id]
    lines = [f"# {name.replace('-', ', ').capitalize()}, {date.today().isoformat()}", "",
             f"`python benchmarks/{Path(sys.argv[0]).name}`, commit {commit_of()}, weights {', '.join(ids)}, "
             f"{platform.machine()}, one thread. Nothing was fitted on what is measured."]  # fmt: skip
    for heading, found in results.items():
        lines += ["", f"## {heading}", "", "| figure | value |", "|---|---|"]
        lines += [f"| {path} | {value} |" for path, value in _figures(found)]
    return lines


def _figures(found: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(found, dict):
        parts = ((f"{path}, {key}" if path else str(key), value) for key, value in found.items())
        return [row for inner, value in parts for row in _figures(value, inner)]
    values = found if isinstance(found, list | tuple) else [found]
    shown = " to ".join(f"{v:.3g}" if isinstance(v, float) else str(v) for v in values)
    return [(path or "value", shown)]


if __name__ == "__main__":
    main()
