"""What the comparison room can tell on rendered people whose change is known, beside baselines; and how fast.

omokage render --size 256 --out out/steps/still --count 500 --seed 9301 --pairs nuisance
omokage render --size 256 --out out/steps/age --count 300 --seed 9302 --pairs age=8
omokage render --size 256 --out out/steps/fatness --count 400 --seed 9303 --pairs fatness=0.5
omokage render --size 256 --out out/steps/units --count 400 --seed 904 --pairs units=0.2
omokage render --size 256 --out out/steps/visits --count 100 --seed 905 --pairs visits
omokage render --size 256 --out out/steps/age-far --count 60 --seed 912 --pairs age=40
omokage render --size 256 --out out/steps/fatness-far --count 60 --seed 913 --pairs fatness=1.8
python benchmarks/comparison.py rendered out/steps --probe out/visits --write
python benchmarks/comparison.py ablated out/steps --against nothing=runs/a/weights --against curriculum=runs/b/weights
python benchmarks/comparison.py speed PHOTOGRAPHS --count 10000 --write

`ablated` measures only the networks that --against names (`omokage train comparison.ablated --set without=...`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from comparison_methods import Answers, by_attributes, by_comparer, check_errors, exact_crops, linear_probe
from omokage.attributes.predict import AttributePredictor
from omokage.comparison.album import read_album
from omokage.comparison.config import COMPARED_UNITS, FACTORS
from omokage.comparison.data import all_pairs, labels_of, strangers
from omokage.comparison.predict import Comparer
from omokage.data.transforms import Jitter, crop_affine
from omokage.metrics.bootstrap import interval
from omokage.metrics.ranks import rank_correlation
from omokage.pipeline import Analyzer
from omokage.synthesis.geometry import build_mesh, head_model
from omokage.synthesis.landmarks import landmarks
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Expression
from omokage.training.run import commit_of
from omokage.weights.registry import BASE_SET, has_model, read_card

ROOT = Path(__file__).resolve().parents[1]
Floats = NDArray[np.float64]
ALARMS = 0.05
Image = NDArray[np.uint8]


class PairSet(NamedTuple):
    """Crops, pairs (m, 2) of them, true changes (m, factors), and how old the person of each pair was before."""

    crops: list[Image]
    pairs: NDArray[np.int64]
    change: Floats
    years: Floats


Sets = dict[str, PairSet]
SETS = {"age": ("age",), "fatness": ("fatness",), "units": COMPARED_UNITS}
SIZES = {"age": (3, 6, 10, 15, 22, 30, 60), "fatness": (0.1, 0.3, 0.5, 0.75, 1.0, 2.0)}  # steps of the visits
FAR = {"age-far": ("age",), "fatness-far": ("fatness",)}  # extreme changes, of which visits hold next to none


def rendered(args: argparse.Namespace) -> dict[str, Any]:
    """The fixed steps, each method at its own thresholds with 5 percent false alarms on pairs without a change."""
    comparer, reader = Comparer(args.weights), AttributePredictor(args.attributes)
    sets = _sets(args.folder, comparer)
    out: dict[str, Any] = {"pairs": {name: len(of.pairs) for name, of in sets.items()}}
    out["comparison"] = _measured(lambda c, p: by_comparer(comparer, c, p), sets)
    out["difference of attribute answers"] = _measured(lambda c, p: by_attributes(reader, c, p), sets)
    if args.probe:
        probe = linear_probe(reader, read_album(args.probe, 1500), comparer)
        out["features with a linear probe"] = _measured(probe, sets)
    out |= _against(args, sets)
    still = sets["still"]
    found = comparer.compare(comparer.see(still.crops), [tuple(row) for row in still.pairs.tolist()])
    false = found.no_change < ALARMS
    out["shipped threshold, false alarms on pairs without a change"] = {
        "units": float(false[:, :-2].mean()), "fatness": float(false[:, -2].mean()), "age": float(false[:, -1].mean())
    }  # fmt: skip
    out["swapped"] = _swapped(comparer, sets["visits"])
    out["same person"] = _identity(comparer, args.folder / "visits", 0.5)
    out["same person, strangers alike in sex, skin and age"] = _identity(comparer, args.folder / "visits", 1.0)
    out["largest movement of the skin in the network's crop by 0.2 of a unit, pixels"] = movements()
    return out


def ablated(args: argparse.Namespace) -> dict[str, Any]:
    """The same measures of the networks of --against alone."""
    folders = dict(pair.split("=", 1) for pair in args.against)
    found = _against(args, _sets(args.folder, Comparer(next(iter(folders.values())))))
    return {name: {"recipe": read_card(folders[name], "comparison").recipe, **rows} for name, rows in found.items()}


def _against(args: argparse.Namespace, sets: Sets) -> dict[str, Any]:
    out = {}
    for name, folder in (pair.split("=", 1) for pair in args.against):
        other = Comparer(folder)
        out[name] = _measured(lambda c, p, other=other: by_comparer(other, c, p), sets)
        same = _identity(other, args.folder / "visits", 0.5)
        out[name]["same person"] = {"equal error": same["equal error"]}
    return out


def _measured(method: Callable[..., Answers], sets: Sets) -> dict[str, Any]:
    answers = {key: method(of.crops, of.pairs) for key, of in sets.items()}
    limits = np.quantile(answers["still"].strength, 1 - ALARMS, axis=0)
    there = {key: names for key, names in {**SETS, **FAR}.items() if key in sets}
    out: dict[str, Any] = {key: _stepped(answers[key], sets[key], names, limits) for key, names in there.items()}
    visits = _ranges(answers["visits"], sets["visits"].change)
    for name, sizes in SIZES.items():
        visits[name]["called by size"] = _by_size(answers["visits"], sets["visits"].change, limits, name, sizes)
    return {**out, "visits": visits}


def _sets(folder: Path, comparer: Comparer) -> Sets:
    far = [name for name in FAR if (folder / name).is_dir()]
    return {name: pair_set(folder / name, comparer) for name in ("still", "visits", *SETS, *far)}


def movements() -> dict[str, float]:
    """How far 0.2 of each unit moves the skin at most (99.9th percentile of its points) in a frontal crop of 112 px:
    mean over three rendered people. Movements in depth do not count."""
    sampler, rng = SceneSampler(), np.random.default_rng(0)
    model = head_model()
    skin = np.unique(model.triangles[model.group == 0])
    people = [person for _ in range(20) if (person := sampler.people.draw(rng)).age > 20][:3]
    found: dict[str, list[float]] = {}
    for person in people:
        rest = build_mesh(person, Expression((), None)).vertices
        flat = (100 * rest[:, :2] * np.array([1, -1])).astype(np.float32)
        outline = landmarks(flat).astype(np.float64)
        scale = 100 * float(np.linalg.norm(crop_affine(outline, 112, 1.3, 0.0, Jitter())[:, 0]))
        for unit in COMPARED_UNITS:
            moved = build_mesh(person, Expression(((unit, 0.2),), None)).vertices
            way = np.linalg.norm((moved - rest)[skin, :2], axis=1) * scale
            found.setdefault(unit, []).append(float(np.quantile(way, 0.999)))
    return dict(sorted(((unit, float(np.mean(v))) for unit, v in found.items()), key=lambda item: -item[1]))


def pair_set(folder: Path, comparer: Comparer) -> PairSet:
    """The pairs of a record folder, its crops cut as the pipeline cuts them."""
    album = read_album(folder)
    crops = exact_crops(album, comparer)
    pairs = all_pairs(album)
    years = album.factors[pairs[:, 0], FACTORS.index("age")].astype(np.float64)
    return PairSet(crops, pairs, labels_of(album, pairs)[0].astype(np.float64), years)


def _by_size(
    answers: Answers, truth: Floats, limits: Floats, name: str, sizes: Sequence[float]
) -> dict[str, dict[str, float]]:
    """How many changes of one factor are called, by their size."""
    k = FACTORS.index(name)
    size, called = np.abs(truth[:, k]), answers.strength[:, k] > limits[k]
    parts = {f"{a:g} to {b:g}": (size >= a) & (size < b) for a, b in itertools.pairwise(sizes)}
    return {part: _called(called, at) for part, at in parts.items() if at.any()}


def _called(called: NDArray[np.bool_], at: NDArray[np.bool_]) -> dict[str, float]:
    """How many pairs a part (m,) of them has, and the share of these that is called."""
    return {"pairs": int(at.sum()), "called": float(called[at].mean())}


class Steps(NamedTuple):
    """The changes (n) of some factors in a set: pair, factor, whether it is called and whether its sign is right."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    called: NDArray[np.bool_]
    right: NDArray[np.bool_]

    @property
    def right_of_called(self) -> float | None:
        """The share of the called changes whose sign is right; None where none is called."""
        return float(self.right[self.called].mean()) if self.called.any() else None


def steps_of(answers: Answers, of: PairSet, names: Sequence[str], limits: Floats) -> Steps:
    """The changes of the factors `names`, called where the strength is above the factor's limit (factors,)."""
    rows, columns = np.nonzero(np.abs(np.nan_to_num(of.change)) > 1e-3)
    wanted = np.isin(columns, [FACTORS.index(name) for name in names])
    rows, columns = rows[wanted], columns[wanted]
    right = np.sign(answers.value[rows, columns]) == np.sign(of.change[rows, columns])
    return Steps(rows, columns, answers.strength[rows, columns] > limits[columns], right)


def _stepped(answers: Answers, of: PairSet, names: Sequence[str], limits: Floats) -> dict[str, Any]:
    """Called, right sign of the called, inside the interval: over the pairs of one fixed step."""
    truth, steps = of.change, steps_of(answers, of, names, limits)
    rows, columns, called, right = steps
    out: dict[str, Any] = {
        "pairs": len(rows), "called": float(called.mean()), "called, interval": list(interval(np.mean, called)),
        "sign of called": steps.right_of_called, "sign of all": float(right.mean()),
        "mean size": float(np.abs(truth[rows, columns]).mean()),
        "error": float(np.abs(answers.value - truth)[rows, columns].mean()),
    }  # fmt: skip
    if answers.low is not None and answers.high is not None:
        inside = (answers.low <= truth) & (truth <= answers.high)
        out["inside the interval"] = float(inside[rows, columns].mean())
    if len(names) == 1:
        years = of.years[rows]
        for low, high in ((0, 18), (18, 35), (35, 50), (50, 100)):
            there = (years >= low) & (years < high)
            if there.any():
                out[f"people of {low} to {high} years"] = _called(called, there)
    if len(names) > 2:
        way = movements()
        far = np.array([way[FACTORS[k]] for k in columns])
        for least, most in ((2.0, np.inf), (1.0, 2.0), (0.5, 1.0), (0.0, 0.5)):
            there = (far >= least) & (far < most)
            reach = f"{least:g} px or more" if most == np.inf else f"{least:g} to {most:g} px"
            kind = f"units that move by {reach} of a crop of 112"
            out[kind] = {**_called(called, there), "sign of all": float(right[there].mean())}
    return out


def _ranges(answers: Answers, truth: Floats) -> dict[str, Any]:
    """Rank correlation within twice the fixed steps and over the whole range; coverage."""
    out: dict[str, Any] = {}
    for name, ks, step in (("units", range(len(COMPARED_UNITS)), 0.2), ("fatness", [-2], 0.5), ("age", [-1], 8.0)):
        t, v = truth[:, ks].ravel(), answers.value[:, ks].ravel()
        moved = np.isfinite(t) & (np.abs(t) > 1e-3)
        near, far = moved & (np.abs(t) <= 2 * step), moved & (np.abs(t) > 4 * step)
        out[name] = {
            "moved": int(moved.sum()), "Spearman, small": rank_correlation(v[near], t[near]),
            "Spearman, all": rank_correlation(v[moved], t[moved]), "error": float(np.abs(v - t)[moved].mean()),
            "mean change": float(np.abs(t)[moved].mean()), "extremes (over four steps)": int(far.sum()),
            "extremes, right sign": float((np.sign(v) == np.sign(t))[far].mean()) if far.any() else None,
            "extremes, error": float(np.abs(v - t)[far].mean()) if far.any() else None,
        }  # fmt: skip
        if answers.low is not None and answers.high is not None:
            inside = (answers.low[:, ks].ravel() <= t) & (t <= answers.high[:, ks].ravel())
            out[name]["inside the interval"] = float(inside[np.isfinite(t)].mean())
            out[name]["inside, moved"] = float(inside[moved].mean())
            out[name]["width of the interval, median"] = float(np.median((answers.high - answers.low)[:, ks]))
    return out


def _swapped(comparer: Comparer, of: PairSet) -> float:
    """The largest |f(a, b) + f(b, a)| in units of the factor."""
    seen = comparer.see(of.crops)
    ways = of.pairs, of.pairs[:, ::-1]
    one, other = (comparer.compare(seen, [tuple(r) for r in p.tolist()]).value for p in ways)
    return float(np.abs(one + other).max())


def _identity(comparer: Comparer, folder: Path, hard: float) -> dict[str, float]:
    album = read_album(folder)
    pairs = all_pairs(album)
    return check_errors(comparer, exact_crops(album, comparer), pairs, strangers(album, len(pairs), hard=hard))


def speed(args: argparse.Namespace) -> dict[str, Any]:
    """A table of `--count` pairs drawn from a folder of photographs, and one in which every photograph is in one pair
    alone; everything included."""
    files = sorted(str(p) for p in args.folder.rglob("*") if p.suffix.lower() in (".jpg", ".png", ".pgm"))
    rng = np.random.default_rng(0)
    drawn = [tuple(files[int(k)] for k in rng.choice(len(files), 2, replace=False)) for _ in range(args.count)]
    order = [files[int(k)] for k in rng.permutation(len(files))][: 2 * (min(len(files), 400) // 2)]
    analyzer, comparer = Analyzer(args.attributes), Comparer(args.weights)
    out = {"each photograph in one pair": _timed(analyzer, comparer, list(zip(order[::2], order[1::2], strict=True)))}
    out[f"{len(files)} photographs"] = _timed(analyzer, comparer, drawn)
    return out


def _timed(analyzer: Analyzer, comparer: Comparer, pairs: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    from omokage.pipeline.pair_table import compare_table

    with tempfile.TemporaryDirectory() as folder:
        began, used = time.perf_counter(), time.process_time()
        out = Path(folder) / "out.parquet"
        counts = compare_table(analyzer, comparer, pairs, out, assume_same=True)  # type: ignore[arg-type]
        seconds, busy = time.perf_counter() - began, time.process_time() - used
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pairs": len(pairs), "seconds": seconds, "processor seconds": busy, "pairs a processor second":
            len(pairs) / busy, "largest memory so far, MiB": most, "statuses": counts}  # fmt: skip


def asked(text: str | None, *whats: str) -> argparse.ArgumentParser:
    """The options that every benchmark of comparisons has; `whats` are what the first word may be, if there is one."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    if whats:
        parser.add_argument("what", choices=whats)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="synthetic", help="a set or folder with a comparison network")
    parser.add_argument("--attributes", help="the set that finds, aligns and is compared with; default: the network's")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="write a dated page under docs/benchmarks")
    return parser


def measured(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], dict[str, Any]], name: str) -> None:
    """Run on one thread and tell the results; ``{what}`` in `name` stands for the first word. Pages about other weights
    than the synthetic set's have the set's name at the end of theirs."""
    args = parser.parse_args()
    of = read_card(args.weights, "comparison").set
    args.attributes = args.attributes or of
    name = name if of == BASE_SET else f"{name}-{of}"
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    told(run(args), args, name.format(**vars(args)))


def main() -> None:
    runs = {"rendered": rendered, "ablated": ablated, "speed": speed}
    parser = asked(__doc__, *runs)
    parser.add_argument("--against", action="append", default=[], metavar="NAME=FOLDER", help="further networks")
    parser.add_argument("--probe", help="visits on which the linear baseline is learnt")
    parser.add_argument("--count", type=int, default=120, help="photographs to change, or pairs to time")
    measured(parser, lambda args: runs[args.what](args), "comparison-{what}")


def told(results: dict[str, Any], args: argparse.Namespace, name: str) -> None:
    """Print the results as JSON, and write them to a file or a dated page where asked."""
    text = json.dumps(results, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    if args.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-{name}.md"
        used = [args.weights] if name != "comparison-ablated" else []
        used += [pair.split("=", 1)[1] for pair in getattr(args, "against", [])]
        page.write_text("\n".join(_page(results, used, args.attributes, name)) + "\n", encoding="utf-8")


def _page(results: dict[str, Any], weights: Sequence[str], attributes: str, name: str) -> list[str]:
    """The results as Markdown: a heading for each method, a row for each figure (shares and errors, not percent)."""
    models = [(folder, m) for folder in weights for m in ("comparison", "verification") if has_model(folder, m)]
    ids = [read_card(folder, model).id for folder, model in models]
    lines = [f"# {name.replace('-', ', ').capitalize()}, {date.today().isoformat()}", "",
             f"`python benchmarks/{Path(sys.argv[0]).name}`, commit {commit_of()}, weights {', '.join(ids)}, "
             f"attributes {read_card(attributes, 'attributes').id}, "
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
