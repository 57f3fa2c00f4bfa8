"""The comparison room on photographs: signs of known expressions, false calls on one photograph changed and on one
person's photographs, same person, and how far differences of age are seen.

    python benchmarks/comparison_photographs.py FOLDER --weights runs/comparison/weights --json photographs.json

FOLDER holds `expression_pairs` (pairs.csv: file_a, file_b, expression_a, expression_b; both files are called after the
person), `identity_pairs` (file_a, file_b, same_person), `orl` (labels.csv: file, person) and `fairface_train`
(labels.csv: file, age_bin). Nothing is fitted on photographs.

Nobody knows how the same person's age changed between two of these photographs. How far age is seen is therefore
measured on strangers whose bins of age are known: the share of pairs one or two bins apart that are further apart, in
the right direction, than 95 percent of pairs that show one person.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comparison import asked, measured
from comparison_methods import by_comparer, check_errors, state_of
from omokage.comparison.config import FACTORS
from omokage.comparison.predict import Compared, Comparer, face_change
from omokage.media.image import read_image
from omokage.media.sources import Source
from omokage.media.table import Reading
from omokage.metrics.classification import area_under_curve
from omokage.pipeline import Analyzer
from omokage.pipeline.compare import Photo, mirrored, photo_of, photographs, taken_alike

Floats = NDArray[np.float64]
# What an expression must do to the face, by name of unit (both sides together) and sign.
SIGNS = {
    "happiness": (("mouthSmile", 1),), "surprise": (("browInnerUp", 1), ("jawOpen", 1)), "anger": (("browDown", 1),),
    "sadness": (("mouthFrown", 1),), "disgust": (("noseSneer", 1),), "fear": (("eyeWide", 1),),
}  # fmt: skip

BINS = ("20-29", "30-39", "40-49", "50-59", "60-69")  # of ten years each
AGED = 1000  # photographs whose bin is known


def report(args: argparse.Namespace) -> dict[str, Any]:
    """Expression pairs, the same photograph changed, and the same-person check on photographs."""
    comparer = Comparer(args.weights)
    analyzer = Analyzer(args.attributes)
    out: dict[str, Any] = {"expressions": _expressions(args.folder / "expression_pairs", analyzer, comparer)}
    out["same photograph"] = _same(args.folder / "expression_pairs", analyzer, comparer, args.count)
    out["identity_pairs"] = _people(args.folder / "identity_pairs", analyzer, comparer)
    out["orl"] = _orl(args.folder / "orl", analyzer, comparer)
    out["age of strangers"] = _ages(args.folder, analyzer, comparer)
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
    owners = [Path(name).stem.rpartition("_")[0] for name in names]  # Name_0001.jpg
    state = np.array([state_of(photos[name].face) for name in names])  # type: ignore[arg-type]
    ours = by_comparer(comparer, crops, pairs).value
    methods = {"comparison": ours, "difference of attribute answers": state[pairs[:, 1]] - state[pairs[:, 0]]}
    turned = [mirrored(crops[a], crops[b]) for a, b in pairs]
    out: dict[str, Any] = {"pairs": len(rows), "taken for mirror images": float(np.mean(turned)),
                           "one person": _kept(comparer, [photos[n] for n in names], pairs),
                           "check": check_errors(comparer, crops, pairs, _others(owners, len(pairs)))}  # fmt: skip
    for method, value in methods.items():
        moved = [row["expression_a"] != row["expression_b"] for row in rows]
        size = np.abs(value[:, :-2]).sum(1)
        out[method] = {"AUC of any change": area_under_curve(size, moved), "signs": _signs(rows, value)}
    return out


def _others(owners: Sequence[str], count: int) -> NDArray[np.int64]:
    """Pairs (count, 2) of places of different people; `owners` tells whose each place is."""
    drawn = np.random.default_rng(0).integers(0, len(owners), (4 * count, 2))
    return np.array([(a, b) for a, b in drawn if owners[a] != owners[b]][:count], np.int64)


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
        ends = [(2 * k, 2 * k + 1) for k in range(len(kept))]
        found = comparer.compare(comparer.see(crops), ends, [taken_alike(p, q) for p, q in kept])
        out[change] = {"n": len(kept), **_called(found), "taken for a mirror image": _mirror_share(kept)}
    return out


def _called(found: Compared) -> dict[str, float]:
    p = found.no_change < 0.05
    some = np.mean([bool(face_change(found, k).called()) for k in range(len(found))])
    return {"units": float(p[:, :-2].mean()), "fatness": float(p[:, -2].mean()), "age": float(p[:, -1].mean()),
            "pairs with anything called": float(some)}  # fmt: skip


def _kept(comparer: Comparer, photos: Sequence[Photo], pairs: NDArray[np.int64]) -> dict[str, Any]:
    """Fatness and age between photographs of one person: how often they are called (mostly falsely, as far as anybody
    knows), alone and among all factors, and the size that 95 percent of the answers stay below; and the same of pairs
    with the head held and lit alike."""
    seen = comparer.see([photo.crop.image for photo in photos if photo.crop is not None])
    alike = np.array([taken_alike(photos[a], photos[b]) for a, b in pairs])
    found = comparer.compare(seen, [tuple(row) for row in pairs.tolist()], alike.tolist())
    called = [set(face_change(found, k).called()) for k in range(len(found))]
    out: dict[str, Any] = {}
    for part, there in (("all", np.ones(len(pairs), bool)), ("held and lit alike", alike)):
        rows: dict[str, float] = {"pairs": int(there.sum())}
        out[part] = rows
        for name, k in (("fatness", -2), ("age", -1)) if there.any() else ():
            rows[f"{name}, p below 0.05"] = float((found.no_change[there, k] < 0.05).mean())
            rows[f"{name}, called"] = float(np.mean([name in called[i] for i in np.flatnonzero(there)]))
            rows[f"{name}, 95 % of answers within"] = float(np.quantile(np.abs(found.value[there, k]), 0.95))
    return out


def _mirror_share(pairs: Sequence[tuple[Photo, Photo]]) -> float:
    return float(np.mean([mirrored(a.crop.image, b.crop.image) for a, b in pairs if a.crop and b.crop]))


def _photo(analyzer: Analyzer, comparer: Comparer, picture: NDArray[np.uint8]) -> Photo | None:
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


def _people(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, Any]:
    rows = _read(folder / "pairs.csv")
    photos = _photos(analyzer, comparer, folder, [row[k] for row in rows for k in ("file_a", "file_b")])
    return _checked(photos, [(r["file_a"], r["file_b"], r["same_person"] == "1") for r in rows], comparer)


def _orl(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, Any]:
    rows = _read(folder / "labels.csv")
    photos = _photos(analyzer, comparer, folder, [row["file"] for row in rows])
    own = [(a, b, True) for a, b in _own(rows)]
    pairs = _others([row["person"] for row in rows], len(own))
    others = [(rows[a]["file"], rows[b]["file"], False) for a, b in pairs]
    return _checked(photos, [*own, *others], comparer)


def _own(rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """All pairs of files of one person."""
    return [(a["file"], b["file"]) for i, a in enumerate(rows) for b in rows[:i] if a["person"] == b["person"]]


def _ages(folder: Path, analyzer: Analyzer, comparer: Comparer) -> dict[str, Any]:
    """How far differences of age are seen, by the network and as a difference of two analyses."""
    known = [row for row in _read(folder / "fairface_train" / "labels.csv") if row["age_bin"] in BINS][:AGED]
    still = _read(folder / "orl" / "labels.csv")
    known_photos = _photos(analyzer, comparer, folder / "fairface_train", [row["file"] for row in known])
    still_photos = _photos(analyzer, comparer, folder / "orl", [row["file"] for row in still])
    aged = [row for row in known if known_photos[row["file"]].crop is not None]
    place = np.array([BINS.index(row["age_bin"]) for row in aged])
    pairs = np.random.default_rng(0).integers(0, len(aged), (40 * AGED, 2))
    apart = place[pairs[:, 1]] - place[pairs[:, 0]]
    ways = {
        "comparison": lambda photos, ends: _by_network(comparer, photos, ends),
        "difference of attribute answers": _by_analyses,
    }
    names = [row["file"] for row in still if still_photos[row["file"]].crop is not None]
    own = np.array([(names.index(a), names.index(b)) for a, b in _own(still) if a in names and b in names])
    out: dict[str, Any] = {"photographs": len(aged)}
    for name, answer in ways.items():
        value = answer([known_photos[row["file"]] for row in aged], pairs)
        limit = float(np.quantile(np.abs(answer([still_photos[n] for n in names], own)), 0.95))
        out[name] = {"95 % of one person's pairs within": limit}
        for bins in (1, 2, 3):
            there = np.abs(apart) == bins
            right = np.sign(value[there]) == np.sign(apart[there])
            out[name][f"{bins} bins apart, pairs"] = int(there.sum())
            out[name][f"{bins} bins apart, right sign"] = float(right.mean())
            out[name][f"{bins} bins apart, beyond that and right"] = float(
                (right & (np.abs(value[there]) > limit)).mean()
            )
    return out


def _by_network(comparer: Comparer, photos: Sequence[Photo], pairs: NDArray[np.int64]) -> Floats:
    seen = comparer.see([photo.crop.image for photo in photos if photo.crop is not None])
    return comparer.compare(seen, [tuple(row) for row in pairs.tolist()]).value[:, FACTORS.index("age")]


def _by_analyses(photos: Sequence[Photo], pairs: NDArray[np.int64]) -> Floats:
    years = np.array([state_of(photo.face)[-1] for photo in photos if photo.face is not None])
    return np.asarray(years[pairs[:, 1]] - years[pairs[:, 0]])


def _checked(photos: Mapping[str, Photo], pairs: Sequence[tuple[str, str, bool]], comparer: Comparer) -> dict[str, Any]:
    names = [name for name, photo in photos.items() if photo.crop is not None]
    crops = [photos[name].crop.image for name in names]  # type: ignore[union-attr]
    place = {name: k for k, name in enumerate(names)}
    known = [(place[a], place[b], same) for a, b, same in pairs if a in place and b in place]
    sides = [np.array([(a, b) for a, b, same in known if same == wanted], np.int64) for wanted in (True, False)]
    return {**check_errors(comparer, crops, *sides), "photographs": len(photos), "with a face": len(names),
            "one person": _kept(comparer, [photos[name] for name in names], sides[0])}  # fmt: skip


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("--count", type=int, default=120, help="photographs to change")
    measured(parser, report, "comparison-photographs")


if __name__ == "__main__":
    main()
