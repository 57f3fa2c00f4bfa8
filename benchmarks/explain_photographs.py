"""Explanations on photographs: what hiding regions of equal area takes from an answer, and pixel flipping.

Folders with a ``labels.csv`` (see `benchmarks/photographs.py`); nothing is fitted on them. Regions are hidden in faces
that are answered "yes"; pixels are flipped in the faces with the highest score, for every attribute in default output.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explain_pointing import share
from omokage.attributes.predict import AttributePredictor
from omokage.explain.evidence import maps, others_of
from omokage.explain.faithfulness import flipped
from omokage.explain.occlusion import fills_for, hide_each, scores
from omokage.explain.regions import equal_areas, region_map
from omokage.explain.target import View
from omokage.faces.align import crop_landmarks
from omokage.media.image import read_image
from omokage.pipeline import Analyzer
from omokage.pipeline.explain import target_of, targets
from omokage.pipeline.explain_views import views_of
from photographs import labels_of

AREA = 0.07  # of the crop, hidden in each region


def photographs(analyzer: Analyzer, given: argparse.Namespace) -> list[str]:
    """The sections about all folders, as `benchmarks/explain.py` asks for them."""
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    parts: list[str] = []
    everybody: list[Face] = []
    for folder in given.photographs:
        listed = faces(analyzer, folder, given.sample, given.where)
        parts += ["", f"## {folder.name}: regions of equal area hidden", ""]
        for name in given.hide:
            parts += [*hiding(predictor, listed, name, AREA, given.most), ""]
        everybody += listed
    if everybody and given.flips:
        lines = flipping(predictor, everybody, given.flips, given.flip_methods)
        parts += [f"## Pixel flipping, the {given.flips} faces with the highest score", "", *lines]
    return parts


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face of a photograph as the network sees it."""

    view: View
    attributes: Mapping[str, float]


def faces(analyzer: Analyzer, folder: Path, sample: int, where: Sequence[str]) -> list[Face]:
    """The faces of `sample` pictures at random, of those whose label is as `where` ("folder:column=value") says."""
    found = []
    predictor = analyzer.predictor
    asked = next((rest for name, _, rest in (w.partition(":") for w in where) if name == folder.name), "")
    column, _, value = asked.partition("=")
    chosen = [row for row in labels_of(folder) if not asked or row.get(column) == value]
    random.Random(0).shuffle(chosen)
    for label in list({row["file"]: row for row in chosen}.values())[:sample]:
        image = read_image(folder / label["file"])
        for face in analyzer(image)[:1]:
            if face.outline is not None:
                crop = crop_landmarks(image, face.outline, predictor.size, predictor.margin)
                (view,) = views_of(crop, image, face.outline, predictor.margin, shifts=())
                found.append(Face(view, face.attributes))
    return found


def hiding(predictor: AttributePredictor, listed: Sequence[Face], name: str, area: float, most: int) -> list[str]:
    """The mean drop of the log odds of `name` when regions of equal area are hidden, in faces answered "yes"."""
    target = target_of(predictor, f"attr.{name}")
    drops: dict[str, list[float]] = {}
    first = []
    for face in [f for f in listed if f.attributes[name] >= 0.5][:most]:
        masks = equal_areas(region_map(face.view.points, face.view.image.shape[0]), area)
        before = float(scores(target, [face.view.image]).score[0])
        fills = fills_for(face.view)
        counts = next(iter(fills))
        score, _, _ = hide_each(target, face.view.image, masks, {counts: fills[counts]})
        mean = {region: before - by[counts] for region, by in score.items()}
        for region, drop in mean.items():
            drops.setdefault(region, []).append(drop)
        first.append(max(mean, key=lambda r: mean[r]))
    if not drops:
        return [f"No face was answered {name}."]
    order = sorted(drops, key=lambda r: -float(np.mean(drops[r])))
    lines = [f"**{name}**, {len(first)} faces answered yes, {100 * area:.0f} % of the crop hidden:", "",
             "| region | mean drop, log odds | has the largest drop |", "|---|---|---|"]  # fmt: skip
    return lines + [f"| {r} | {share(drops[r])} | {share([f == r for f in first])} |" for r in order]


def default_targets(predictor: AttributePredictor) -> list[str]:
    """Every answer of default output but landmarks; of the many units, two of each part of the face."""
    units = {f"au.AU{n}" for n in ("01", "04", "06", "12", "26", "43")}
    shown = {a.name for a in predictor.schema if a.default_output} | {"gender"}
    found = []
    for name in targets(predictor):
        group, _, part = name.rpartition(".")
        if name in units or (group not in ("au", "unit") and (part if group in ("", "attr") else group) in shown):
            found.append(name)
    return found


def flipping(
    predictor: AttributePredictor, listed: Sequence[Face], most: int, methods: Sequence[str] = ("occlusion",)
) -> list[str]:
    """Pixel flipping of every default answer: how often, and by how much, the map's order beats the random ones."""
    lines = ["| answer | method | drop by relevance | random | edges | beats the mean random order | n |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    images = [face.view.image for face in listed]
    for name in default_targets(predictor):
        target = target_of(predictor, name)
        order = np.argsort(-scores(target, images).score)[:most]
        sure = [listed[k] for k in order]
        for method in methods:
            rows = []
            for face in sure:
                others = others_of([face.view])
                found = maps(target, [face.view.image], method, others=others).relevance[0]
                f = flipped(target, face.view.image, found)
                rows.append((f.relevance, float(np.mean(f.random)), f.edges))
            ours, random, edges = (np.array(v) for v in zip(*rows, strict=True))
            lines.append(
                f"| {name} | {method} | {share(ours)} | {random.mean():.2f} | {edges.mean():.2f} | "
                f"{share(ours > random)} | {len(rows)} |"
            )
    return lines
