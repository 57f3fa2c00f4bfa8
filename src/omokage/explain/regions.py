"""Named regions of a face crop: every pixel belongs to exactly one.

From the 68 landmarks alone they are geometry: bands around the feature, what lies inside the outline of the face, and
what is left of the crop. Where a segmentation is known it decides outside the face and wherever hair or clothes are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION

REGIONS = (
    "background", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "forehead", "hair", "ears", "neck", "clothing",
)  # fmt: skip
OUTSIDE = ("background", "hair", "neck", "clothing")  # an answer about a face should not hang on these
_OF_CLASS = {"background": "background", "hair": "hair", "hat": "hair", "cloth": "clothing", "ear": "ears",
             "neck": "neck"}  # fmt: skip
_ON_EYES = ("glasses", "lens")
_FEATURES = ("brows", "eyes", "nose", "mouth")
_SMALL = 0.004  # share of the crop below which a region is not there
_HIDES = ("hair", "hat", "cloth")  # classes that count as what they are, also inside the outline of the face

Map = NDArray[np.uint8]
Points = NDArray[np.float64]


def region_map(points: NDArray[np.floating], size: int, segmentation: Map | None = None) -> Map:
    """(size, size) uint8 index into `REGIONS` from 68 landmarks (68, 2) in pixels of an upright crop.

    `segmentation` (size, size) indexes `data.records.SEGMENTATION`. Raises ValueError for other shapes.
    """
    p = np.asarray(points, np.float64)
    if p.shape != (68, 2) or (segmentation is not None and segmentation.shape != (size, size)):
        raise ValueError(f"68 landmarks and a segmentation of the crop's size are needed, not {p.shape}")
    side = float(np.ptp(p, axis=0).max())
    found = np.full((size, size), REGIONS.index("background"), np.uint8)

    def put(name: str, mask: Map) -> None:
        found[mask > 0] = REGIONS.index(name)

    outline = np.concatenate([p[:17], _hairline(p)])
    put("hair", _above(p, size) & _grown(_filled(outline, size), 0.14 * side))
    put("neck", _below(p, size))
    for line in (p[0:3], p[14:17]):
        put("ears", _grown(_lines([line], size, 0.03 * side), 0.08 * side))
    put("cheeks", _filled(outline, size))
    put("forehead", _filled(np.concatenate([p[[0]], p[17:27], p[[16]], _hairline(p)]), size))
    put("chin", _filled(np.concatenate([p[5:12], p[[54, 57, 48]]]), size))
    put("nose", _grown(_filled(p[28:36], size), 0.03 * side))
    put("eyes", _lines([p[[39, 27, 42]]], size, 0.13 * side))  # the bridge between them, where glasses rest
    for eye, brow in ((p[36:42], p[17:22]), (p[42:48], p[22:27])):
        put("eyes", _filled(np.concatenate([eye, brow]), size))  # the lid up to the brow
        put("eyes", _grown(_filled(eye, size), 0.105 * side))
    put("brows", _lines([p[17:22], p[22:27]], size, 0.075 * side))
    put("mouth", _grown(_filled(p[48:60], size), 0.045 * side))
    if segmentation is None:
        return found
    hanging = p[6:11] + np.array([0.0, 0.35 * side])  # as far down as a beard reaches
    jaw = _grown(_filled(np.concatenate([p[2:15], hanging]), size), 0.06 * side) & _below_level(float(p[30, 1]), size)
    return _with_classes(found, segmentation, jaw > 0)


def _with_classes(found: Map, segmentation: Map, jaw: NDArray[np.bool_]) -> Map:
    """Classes decide outside the face, and inside it where hair or clothes lie over the skin; glasses belong to the
    eyes. Hair on and below the jaw (n, n) is a beard: it stays the part of the face that it grows on, or
    belongs to the chin."""
    out = found.copy()
    beard = jaw & (segmentation == SEGMENTATION.index("hair"))
    outside = np.isin(found, [REGIONS.index(n) for n in (*OUTSIDE, "ears")])
    rest = np.isin(found, [REGIONS.index(n) for n in ("cheeks", "forehead", "chin")])
    for name, region in _OF_CLASS.items():
        here = segmentation == SEGMENTATION.index(name)
        out[here & (outside | rest if name in (*_HIDES, "background", "ear") else outside)] = REGIONS.index(region)
    out[beard] = np.where(outside, REGIONS.index("chin"), found)[beard]
    out[np.isin(segmentation, [SEGMENTATION.index(n) for n in _ON_EYES])] = REGIONS.index("eyes")
    skin = np.isin(segmentation, [SEGMENTATION.index(n) for n in ("skin", "brow", "eye", "lips")])
    bare = outside & skin
    out[bare] = REGIONS.index("cheeks")
    upper = np.nonzero((found == REGIONS.index("brows")).any(1))[0]
    if len(upper):
        out[: upper[0]][bare[: upper[0]]] = REGIONS.index("forehead")
    return out


def region_masks(regions: Map) -> dict[str, NDArray[np.bool_]]:
    """What to hide for each region that is there: a 37th of the crop's side more than itself, so that no outline of
    what it holds stays to be seen; but skin, hair and what is outside take no part of a feature along."""
    reach = len(regions) / 37
    feature = np.isin(regions, [REGIONS.index(n) for n in _FEATURES])
    masks = {}
    for i, name in enumerate(REGIONS):
        own = regions == i
        if own.mean() >= _SMALL:
            around = _grown(own.astype(np.uint8), reach) > 0
            masks[name] = around if name in _FEATURES else around & ~feature
    return masks


def shown(relevance: NDArray[np.floating]) -> NDArray[np.float64]:
    """A relevance map (n, n) as a heat map shows it: single pixels mean nothing, so it is smoothed over a 28th of its
    side."""
    return np.asarray(cv2.GaussianBlur(np.asarray(relevance, np.float64), (0, 0), len(relevance) / 28))


def equal_areas(regions: Map, share: float) -> dict[str, NDArray[np.bool_]]:
    """A mask of the same area (`share` of the crop) for each region that is there: the pixels deepest inside it, then
    those nearest to it. So regions can be hidden without the larger one having the larger effect for its size."""
    count = round(share * regions.size)
    masks: dict[str, NDArray[np.bool_]] = {}
    for index, name in enumerate(REGIONS):
        inside = (regions == index).astype(np.uint8)
        if not inside.any():
            continue
        padded = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - padded, cv2.DIST_L2, 3)
        order = np.argsort(-depth[1:-1, 1:-1], axis=None, kind="stable")
        mask = np.zeros(regions.size, bool)
        mask[order[:count]] = True
        masks[name] = mask.reshape(regions.shape)
    return masks


def _hairline(p: Points) -> Points:
    """Ten points from the image's right to its left, where the forehead ends: a third of the face above the brows."""
    up = p[36:48].mean(0) - p[48:68].mean(0)
    up /= max(float(np.linalg.norm(up)), 1e-6)
    third = float(np.linalg.norm(p[33] - p[27])) * 1.15
    rise = third * (0.55 + 0.45 * np.sin(np.linspace(0, np.pi, 10)))
    return np.asarray(p[26:16:-1] + up * rise[:, None])


def _above(p: Points, size: int) -> Map:
    """What lies higher than the eyes."""
    return np.asarray(255 - _below_level(float(p[36:48, 1].mean()), size), np.uint8)


def _below_level(y: float, size: int) -> Map:
    """What lies lower than `y` pixels."""
    mask = np.zeros((size, size), np.uint8)
    mask[int(np.clip(round(y), 0, size)) :] = 255
    return mask


def _below(p: Points, size: int) -> Map:
    """Neck and shoulders: below the jaw, between its corners."""
    low = float(size + 1)
    return _filled(np.concatenate([p[4:13], [[p[12, 0], low], [p[4, 0], low]]]), size)


def _filled(outline: Points, size: int) -> Map:
    """The convex hull of points, filled."""
    mask = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.round(outline - 0.5).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255)
    return mask


def _lines(lines: list[Points], size: int, width: float) -> Map:
    mask = np.zeros((size, size), np.uint8)
    drawn = [np.round(line - 0.5).astype(np.int32) for line in lines]
    cv2.polylines(mask, drawn, False, 255, max(round(width), 1))
    return mask


def _grown(mask: Map, by: float) -> Map:
    """A mask with a border of `by` pixels around it."""
    reach = max(round(by), 0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)
