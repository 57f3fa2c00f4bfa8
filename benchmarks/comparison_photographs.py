"""The comparison room on photographs: signs of known expressions, false calls on one photograph changed, same person.

    python benchmarks/comparison_photographs.py FOLDER --weights runs/comparison/weights --json photographs.json

FOLDER holds `expression_pairs` (pairs.csv: file_a, file_b, expression_a, expression_b), `identity_pairs` (file_a,
file_b, same_person) and `orl` (labels.csv: file, person). Nothing is fitted on photographs.
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
from omokage.pipeline.compare import Photo, mirrored, photo_of, photographs

Floats = NDArray[np.float64]
# What an expression must do to the face, by name of unit (both sides together) and sign.
SIGNS = {
    "happiness": (("mouthSmile", 1),), "surprise": (("browInnerUp", 1), ("jawOpen", 1)), "anger": (("browDown", 1),),
    "sadness": (("mouthFrown", 1),), "disgust": (("noseSneer", 1),), "fear": (("eyeWide", 1),),
}  # fmt: skip


def report(args: argparse.Namespace) -> dict[str, Any]:
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
    state = np.array([state_of(photos[name].face) for name in names])  # type: ignore[arg-type]
    ours = by_comparer(comparer, crops, pairs).value
    methods = {"comparison": ours, "difference of attribute answers": state[pairs[:, 1]] - state[pairs[:, 0]]}
    turned = [mirrored(crops[a], crops[b]) for a, b in pairs]
    out: dict[str, Any] = {"pairs": len(rows), "taken for mirror images": float(np.mean(turned))}
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
        out[change] = {"n": len(kept), **_called(found), "taken for a mirror image": _mirror_share(kept)}
    return out


def _called(found: Compared) -> dict[str, float]:
    p = found.no_change < 0.05
    some = np.mean([bool(face_change(found, k).called()) for k in range(len(found))])
    return {"units": float(p[:, :-2].mean()), "fatness": float(p[:, -2].mean()), "age": float(p[:, -1].mean()),
            "pairs with anything called": float(some)}  # fmt: skip


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
    return {**check_errors(comparer, crops, *sides), "photographs": len(photos), "with a face": len(names)}


def main() -> None:
    parser = asked(__doc__)
    parser.add_argument("--count", type=int, default=120, help="photographs to change")
    measured(parser, report, "comparison-photographs")


if __name__ == "__main__":
    main()
