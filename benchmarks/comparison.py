"""What the comparison room can tell, on rendered people whose change is known and on photographs whose kind is.

    omokage render --out out/steps/still --count 300 --seed 901 --pairs nuisance
    omokage render --out out/steps/age --count 200 --seed 902 --pairs age=8
    omokage render --out out/steps/fatness --count 200 --seed 903 --pairs fatness=0.5
    omokage render --out out/steps/units --count 600 --seed 904 --pairs units=0.2
    omokage render --out out/steps/visits --count 150 --seed 905 --pairs visits
    python benchmarks/comparison.py rendered out/steps --weights runs/comparison/weights --json rendered.json
    python benchmarks/comparison.py photographs DEVSET --weights runs/comparison/weights --json photographs.json
    python benchmarks/comparison.py speed DEVSET/expression_pairs --weights runs/comparison/weights

`DEVSET` is a folder with `expression_pairs` (pairs.csv: file_a, file_b, expression_a, expression_b), `identity_pairs`
(file_a, file_b, same_person) and `orl` (labels.csv: file, person). Nothing is fitted on photographs.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable, Mapping, Sequence
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
from omokage.comparison.predict import Compared, Comparer
from omokage.media.sources import Source
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve
from omokage.pipeline import Analyzer
from omokage.pipeline.compare import Photo, photographs
from omokage.results import FaceAnalysis, FaceCrop

Floats = NDArray[np.float64]
ALARMS = 0.05
SETS = {"age": ("age",), "fatness": ("fatness",), "units": COMPARED_UNITS}
# What an expression must do to the face, by name of unit (both sides together) and sign.
SIGNS = {
    "happiness": (("mouthSmile", 1),), "surprise": (("browInnerUp", 1), ("jawOpen", 1)), "anger": (("browDown", 1),),
    "sadness": (("mouthFrown", 1),), "disgust": (("noseSneer", 1),), "fear": (("eyeWide", 1),),
}  # fmt: skip


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
    state = np.array([_state(face) for face in faces])
    value = state[pairs[:, 1]] - state[pairs[:, 0]]
    return Answers(value, np.abs(value))


def _state(face: FaceAnalysis) -> list[float]:
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
    out["shipped threshold, false alarms on pairs without a change"] = {
        "units": float((found.no_change[:, :-2] < 0.05).mean()), "fatness": float((found.no_change[:, -2] < 0.05).mean()),
        "age": float((found.no_change[:, -1] < 0.05).mean()),
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
        "pairs": len(rows), "called": float(called.mean()), "sign of called": float(right[called].mean()) if called.any() else None,
        "called, interval": list(interval(np.mean, called)), "sign of all": float(right.mean()),
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
        out[name] = {"moved": int(moved.sum()), "Spearman, small": spearman(v[near], t[near]),
                     "Spearman, all": spearman(v[moved], t[moved]), "error": float(np.abs(v - t)[moved].mean())}  # fmt: skip
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
    return _errors(comparer, crops, pairs, others)


def _errors(
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
    ]  # noqa: E501
    return np.concatenate(cells) / (n * n)


def photographs_report(args: argparse.Namespace) -> dict[str, Any]:
    """Expression pairs, the same photograph changed, and the same-person check on photographs."""
    comparer = Comparer(args.weights)
    analyzer = Analyzer(args.attributes)
    out: dict[str, Any] = {"expressions": _expressions(args.folder / "expression_pairs", analyzer, comparer)}
    out["same photograph"] = _same(args.folder / "expression_pairs", analyzer, comparer, args.count)
    out["identity_pairs"] = _people(args.folder / "identity_pairs", analyzer, comparer)
    out["orl"] = _orl(args.folder / "orl", analyzer, comparer)
    return out


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _photos(analyzer: Analyzer, comparer: Comparer, folder: Path, names: Sequence[str]) -> dict[str, Photo]:
    unique = list(dict.fromkeys(names))
    found = photographs(analyzer, comparer, [Source(str(folder / name)) for name in unique])
    return dict(zip(unique, found, strict=True))


def _expressions(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, Any]:
    """Right signs from neutral to another expression, and how well such pairs stand out from the same twice."""
    rows = _read(folder / "pairs.csv")
    photos = _photos(analyzer, comparer, folder, [row[k] for row in rows for k in ("file_a", "file_b")])
    rows = [row for row in rows if photos[row["file_a"]].crop is not None and photos[row["file_b"]].crop is not None]
    names = [name for name, photo in photos.items() if photo.crop is not None]
    crops = [photos[name].crop.image for name in names]  # type: ignore[union-attr]
    pairs = np.array([(names.index(row["file_a"]), names.index(row["file_b"])) for row in rows])
    state = np.array([_state(photos[name].face) for name in names])  # type: ignore[arg-type]
    ours = by_comparer(comparer, crops, pairs).value
    methods = {"comparison": ours, "difference of attribute answers": state[pairs[:, 1]] - state[pairs[:, 0]]}
    out: dict[str, Any] = {"pairs": len(rows)}
    for method, value in methods.items():
        moved = [row["expression_a"] != row["expression_b"] for row in rows]
        size = np.abs(value[:, :-2]).sum(1)
        out[method] = {"AUC of any change": area_under_curve(size, moved), "signs": _signs(rows, value)}
    return out


def _signs(rows: Sequence[Mapping[str, str]], value: Floats) -> dict[str, Any]:
    """Share of pairs neutral -> expression in which the unit moves the right way, and its area under the curve."""
    out: dict[str, Any] = {}
    still = np.array([row["expression_a"] == row["expression_b"] for row in rows])
    for expression, wants in SIGNS.items():
        from_neutral = np.array([(r["expression_a"], r["expression_b"]) == ("neutral", expression) for r in rows])
        back = np.array([(r["expression_b"], r["expression_a"]) == ("neutral", expression) for r in rows])
        for unit, sign in wants:
            ks = [k for k, name in enumerate(FACTORS) if name in (unit, f"{unit}Left", f"{unit}Right")]
            moved = value[:, ks].mean(1) * sign * np.where(back, -1, 1)
            at = from_neutral | back
            if at.sum():
                curve = area_under_curve(moved[at | still], at[at | still])
                out[f"{expression}: {unit}"] = {
                    "n": int(at.sum()),
                    "right sign": float((moved[at] > 0).mean()),
                    "AUC": curve,
                }
    return out


def _same(folder: Path, analyzer: Analyzer, comparer: Comparer, count: int) -> dict[str, Any]:
    """How often something is called between a photograph and itself under another light, cut, blur, ..."""
    from omokage.media.image import read_image

    names = list(dict.fromkeys(row["file_a"] for row in _read(folder / "pairs.csv")))[:count]
    pictures = [read_image(folder / name) for name in names]
    plain = [_photo(analyzer, comparer, picture) for picture in pictures]
    out: dict[str, Any] = {}
    for change, how in CHANGES.items():
        kept = [
            (p, q)
            for p, q in zip(plain, (_photo(analyzer, comparer, how(v)) for v in pictures), strict=True)
            if p and q
        ]
        crops = [photo.crop.image for pair in kept for photo in pair]  # type: ignore[union-attr]
        found = comparer.compare(comparer.see(crops), [(2 * k, 2 * k + 1) for k in range(len(kept))])
        out[change] = {"n": len(kept), **_called(found)}
    return out


def _called(found: Compared) -> dict[str, float]:
    from omokage.comparison.predict import face_change

    p = found.no_change < 0.05
    some = np.mean([bool(face_change(found, k).called()) for k in range(len(found))])
    return {"units": float(p[:, :-2].mean()), "fatness": float(p[:, -2].mean()), "age": float(p[:, -1].mean()),
            "pairs with anything called": float(some)}  # fmt: skip


def _photo(analyzer: Analyzer, comparer: Comparer, picture: NDArray[np.uint8]) -> Photo | None:
    from omokage.media.table import Reading
    from omokage.pipeline.compare import photo_of

    photo = photo_of(Reading("", faces=tuple(analyzer(picture)), pixels=picture), comparer)
    return photo if photo.crop is not None else None


def _lit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    ramp = np.linspace(0.55, 1.35, picture.shape[1])[None, :, None]
    return np.clip(picture * ramp, 0, 255).astype(np.uint8)


def _turned(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    h, w = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), 7, 1)
    return np.asarray(cv2.warpAffine(picture, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


CHANGES: Mapping[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "light from one side": _lit,
    "darker": lambda p: np.clip(255 * (p / 255) ** 1.6, 0, 255).astype(np.uint8),
    "cut by 10 %": lambda p: np.ascontiguousarray(p[p.shape[0] // 20 :, p.shape[1] // 10 :]),
    "blurred": lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 1.6), np.uint8),
    "JPEG 30": _jpeg,
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "turned by 7 degrees": _turned,
}


def _people(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, float]:
    rows = _read(folder / "pairs.csv")
    photos = _photos(analyzer, comparer, folder, [row[k] for row in rows for k in ("file_a", "file_b")])
    return _checked(photos, [(r["file_a"], r["file_b"], r["same_person"] == "1") for r in rows], comparer)


def _orl(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, float]:
    rows = _read(folder / "labels.csv")
    photos = _photos(analyzer, comparer, folder, [row["file"] for row in rows])
    own = [(a["file"], b["file"], True) for i, a in enumerate(rows) for b in rows[:i] if a["person"] == b["person"]]
    rng = np.random.default_rng(0)
    others: list[tuple[str, str, bool]] = []
    while len(others) < len(own):
        a, b = (rows[int(k)] for k in rng.integers(0, len(rows), 2))
        if a["person"] != b["person"]:
            others.append((a["file"], b["file"], False))
    return _checked(photos, [*own, *others], comparer)


def _checked(
    photos: Mapping[str, Photo], pairs: Sequence[tuple[str, str, bool]], comparer: Comparer
) -> dict[str, float]:
    names = [name for name, photo in photos.items() if photo.crop is not None]
    crops = [photos[name].crop.image for name in names]  # type: ignore[union-attr]
    place = {name: k for k, name in enumerate(names)}
    known = [(place[a], place[b], same) for a, b, same in pairs if a in place and b in place]
    sides = [np.array([(a, b) for a, b, same in known if same == wanted], np.int64) for wanted in (True, False)]
    return {**_errors(comparer, crops, *sides), "photographs": len(photos), "with a face": len(names)}


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
    parser.add_argument("what", choices=("rendered", "photographs", "speed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="synthetic", help="a set or folder with a comparison network")
    parser.add_argument("--attributes", default="synthetic", help="the set that finds, aligns and is compared with")
    parser.add_argument("--against", action="append", default=[], metavar="NAME=FOLDER", help="further networks")
    parser.add_argument("--probe", help="visits on which the linear baseline is learnt")
    parser.add_argument("--count", type=int, default=120, help="photographs to change, or pairs to time")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    run = {"rendered": rendered, "photographs": photographs_report, "speed": speed}[args.what]
    text = json.dumps(run(args), indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
