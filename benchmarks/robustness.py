"""How answers fade: rendered heads with known truth, and photographs, made worse step by step.

    python benchmarks/robustness.py [--photographs FOLDER...] [--heads N] [--sample N] [--weights SET] [--write]
        [--out FOLDER]

Rendered heads vary in yaw, side light, brightness, size, blur, JPEG quality and occlusion, everything else being as it
was; the people are drawn by a seed that no training uses. Photographs (folders with a ``labels.csv``) are degraded in
the same steps, but for yaw and side light. A face that is not found counts as wrong in every measure. `--write` adds a
dated page with plots and a CSV under docs/benchmarks (`--out`).
"""

from __future__ import annotations

import argparse
import csv
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.media.image import read_image
from omokage.media.table import Reading
from omokage.metrics.table import TableScore, points_of, score_table
from omokage.pipeline import Analyzer
from omokage.report.charts import Curve, Panel, figure
from omokage.results import PIXEL_MIDDLE, Box
from omokage.synthesis.render import render
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Camera, Light, Pose, Scene, Surroundings
from omokage.synthesis.skin import paint
from omokage.training.run import commit_of
from photographs import labels_of

ROOT = Path(__file__).resolve().parents[1]

Image = NDArray[np.uint8]
Label = dict[str, str]
SEED = 910_000_000  # of people that no training uses
RENDERED = "rendered heads"
SIDE = 256  # of a rendered picture
MEASURES = (
    ("found", "found, share"),
    ("landmark error, % of the eye distance", "landmark error, % of eye distance"),
    ("yaw, mean absolute error in degrees", "yaw error, degrees"),
    ("age, mean absolute error in years", "age error, years"),
    ("age within one bin, mean over the bins", "age within one bin"),
    ("age inside the 90 % interval", "age in its 90 % interval"),
    ("age interval reaches the bin", "age interval reaches the bin"),
    ("perceived gender, mean over both", "perceived gender"),
    ("smiling, area under the curve", "smiling, AUC"),
    ("expression, accuracy", "expression, accuracy"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture with its label row, and the box of its face where that is known beforehand."""

    image: Image
    label: Label
    box: Box


Change = Callable[[Sample, float, np.random.Generator], tuple[Image, float]]


def brightness(sample: Sample, stops: float, rng: np.random.Generator) -> tuple[Image, float]:
    """Light in stops: linear light doubled or halved, then shot noise as a camera has it in the dark, clipped."""
    light = (sample.image / 255.0) ** 2.2 * 2.0**stops
    if stops < 0:
        light = light + rng.normal(0, 1, light.shape) * 0.004 * np.sqrt(light.clip(0) + 0.002)
    return np.asarray(np.round(255 * light.clip(0, 1) ** (1 / 2.2)), np.uint8), 1.0


def size(sample: Sample, side: float, _: np.random.Generator) -> tuple[Image, float]:
    """The larger side of the face's box in pixels; a face that is smaller already stays."""
    scale = min(side / max(sample.box.width, sample.box.height), 1.0)
    wide, high = (max(round(n * scale), 1) for n in (sample.image.shape[1], sample.image.shape[0]))
    return np.asarray(cv2.resize(sample.image, (wide, high), interpolation=cv2.INTER_AREA), np.uint8), scale


def blur(sample: Sample, percent: float, _: np.random.Generator) -> tuple[Image, float]:
    """Gaussian, its standard deviation in percent of the box's larger side."""
    sigma = percent / 100 * max(sample.box.width, sample.box.height)
    return (np.asarray(cv2.GaussianBlur(sample.image, (0, 0), sigma), np.uint8) if sigma > 0 else sample.image), 1.0


def jpeg(sample: Sample, quality: float, _: np.random.Generator) -> tuple[Image, float]:
    """Stored once more at this quality; 100 leaves the picture as it is."""
    if quality >= 100:
        return sample.image, 1.0
    code = cv2.imencode(".jpg", sample.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    back = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(back[..., ::-1]), 1.0


def occlusion(sample: Sample, percent: float, rng: np.random.Generator) -> tuple[Image, float]:
    """A patch of one colour over so much of the box, from one of its four sides at random."""
    if percent <= 0:
        return sample.image, 1.0
    box, part, image = sample.box, percent / 100, sample.image.copy()
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    side = int(rng.integers(4))
    if side == 0:
        x1 = x0 + part * box.width
    elif side == 1:
        x0 = x1 - part * box.width
    elif side == 2:
        y1 = y0 + part * box.height
    else:
        y0 = y1 - part * box.height
    low = np.clip(np.round([x0, y0]), 0, None).astype(int)
    high = np.clip(np.round([x1, y1]), 0, None).astype(int)
    image[low[1] : high[1], low[0] : high[0]] = rng.integers(0, 256, 3)
    return image, 1.0


PIXELS: Mapping[str, tuple[str, Change, tuple[float, ...]]] = {
    "light": ("brightness in stops", brightness, (-5, -4, -3, -2, -1, 0, 1, 2, 3)),
    "size": ("larger side of the face's box, pixels", size, (200, 96, 64, 48, 32, 24, 16, 12)),
    "blur": ("standard deviation, % of the box", blur, (0, 1, 2, 3, 4, 6, 8)),
    "jpeg": ("JPEG quality", jpeg, (100, 50, 30, 20, 10, 5, 3)),
    "occlusion": ("% of the box covered from one side", occlusion, (0, 10, 20, 30, 40, 50, 60)),
}
YAW = ("yaw, degrees to either side", (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0))
SIDE_LIGHT = ("key light from the side, degrees", (0.0, 30.0, 60.0, 90.0, 120.0, 150.0))


def scenes(count: int) -> list[Scene]:
    """Plain pictures of `count` people: nearly frontal, evenly lit, sharp, nothing in front of the face."""
    sampler, found = SceneSampler(), []
    for k in range(count):
        rng = np.random.default_rng((SEED, k))
        drawn = sampler.draw(rng)
        pose = Pose(float(rng.uniform(-8, 8)), float(rng.uniform(-6, 6)), float(rng.uniform(-6, 6)))
        style = drawn.surroundings
        found.append(
            replace(
                drawn, pose=pose, light=Light(k, azimuth=float(rng.uniform(-25, 25)), key=0.8, ambient=0.6),
                camera=Camera(k, size=SIDE, frame=1.7), surroundings=Surroundings(style.seed, style.style),
            )
        )  # fmt: skip
    return found


def turned(scene: Scene, degrees: float) -> Scene:
    """The head turned to one of its sides, the gaze going with it."""
    side = 1 if scene.camera.seed % 2 else -1
    return replace(scene, pose=replace(scene.pose, yaw=side * degrees, gaze_right=side * degrees))


def lit(scene: Scene, degrees: float) -> Scene:
    """A strong key light from the side, little around it."""
    side = 1 if scene.camera.seed % 2 else -1
    return replace(scene, light=replace(scene.light, azimuth=side * degrees, key=1.6, ambient=0.2, softness=0.02))


def pictured(listed: Sequence[Scene]) -> Iterator[Sample]:
    """Rendered pictures with their truth as a label row."""
    for scene in listed:
        shown = render(scene, paint(scene.person))
        label = {"file": f"{scene.camera.seed}.png", "age": f"{scene.person.age}"}
        for name, value in (("yaw", scene.pose.yaw), ("pitch", scene.pose.pitch), ("roll", scene.pose.roll)):
            label[name] = f"{value}"
        sure = scene.person.female_perceived < 0.2 or scene.person.female_perceived > 0.8
        label["gender"] = ("female" if scene.person.female_perceived > 0.5 else "male") if sure else ""
        smile = (scene.expression.unit("mouthSmileLeft") + scene.expression.unit("mouthSmileRight")) / 2
        label["smile"] = "1" if smile > 0.3 else "0" if smile < 0.12 else ""
        clear = scene.expression.label == "neutral" or scene.expression.intensity >= 0.5
        label["emotion"] = (scene.expression.label or "") if clear else ""
        label |= {
            f"{a}{i}": f"{v:.3f}"
            for i, point in enumerate(shown.landmarks - PIXEL_MIDDLE)
            for a, v in zip("xy", point, strict=True)
        }
        yield Sample(shown.image, label, Box.around(shown.landmarks))


def photographs(analyzer: Analyzer, folder: Path, count: int) -> list[Sample]:
    """Labelled photographs in which a face is found as they are: the curve says what degrading takes away from them."""
    found = []
    for label in labels_of(folder, count):
        image = read_image(folder / label["file"])
        points = points_of(label)
        faces = [] if points is not None else analyzer(image)
        if points is not None and len(points) == 68:
            found.append(Sample(image, label, Box.around(points)))
        elif points is not None:  # five points span the inner face: widened to brows and chin, ear to ear
            low, high = points.min(0), points.max(0)
            pad = 0.6 * float(max(high - low))
            found.append(Sample(image, label, Box(*(low - pad).tolist(), *(high + pad).tolist())))
        elif faces:
            found.append(Sample(image, label, faces[0].box))
    return found


def moved(label: Label, scale: float) -> Label:
    """The label of a picture that was made smaller."""
    if scale == 1.0:
        return label
    names = [f"{a}{i}" for i in range(68) for a in "xy"]
    names += [f"{n}_{a}" for n in ("leye", "reye", "nose", "lmouth", "rmouth") for a in "xy"]
    return label | {n: f"{float(label[n]) * scale}" for n in names if label.get(n)}


def measured(analyzer: Analyzer, pairs: Sequence[tuple[Image, Label]]) -> dict[str, TableScore]:
    """The scores of pictures in memory, by the measures that the page shows."""
    answers = []
    for image, label in pairs:
        answers += Reading(label["file"], faces=tuple(analyzer(image))).rows()
    known = dict(MEASURES)
    return {s.measure: s for s in score_table([label for _, label in pairs], answers) if s.measure in known}


def degraded(analyzer: Analyzer, samples: Sequence[Sample], change: Change, step: float) -> dict[str, TableScore]:
    pairs = []
    for k, sample in enumerate(samples):
        image, scale = change(sample, step, np.random.default_rng((SEED, 1, k)))
        pairs.append((image, moved(sample.label, scale)))
    return measured(analyzer, pairs)


Found = dict[tuple[str, str], list[dict[str, TableScore]]]  # (factor, whose pictures) -> scores of each step


def run(analyzer: Analyzer, heads: int, folders: Sequence[Path], sample: int) -> Found:
    """Every factor on every kind of picture."""
    found: Found = {}
    plain = scenes(heads)
    turns: tuple[tuple[str, Callable[[Scene, float], Scene], tuple[float, ...]], ...] = (
        ("yaw", turned, YAW[1]), ("side light", lit, SIDE_LIGHT[1]),
    )  # fmt: skip
    for factor, change, steps in turns:
        found[factor, RENDERED] = [
            measured(analyzer, [(s.image, s.label) for s in pictured([change(scene, step) for scene in plain])])
            for step in steps
        ]
    groups = {RENDERED: list(pictured(plain))} | {f.name: photographs(analyzer, f, sample) for f in folders}
    for name, samples in groups.items():
        for factor, (_, alter, steps) in PIXELS.items():
            found[factor, name] = [degraded(analyzer, samples, alter, step) for step in steps]
            print(f"{name}: {factor}", file=sys.stderr, flush=True)
    return found


def axis(factor: str) -> tuple[str, tuple[float, ...]]:
    """What a factor's steps mean, and the steps."""
    known = {"yaw": YAW, "side light": SIDE_LIGHT}
    return known[factor] if factor in known else (PIXELS[factor][0], PIXELS[factor][2])


def panels(found: Found, factor: str) -> list[Panel]:
    """A chart for each measure that some kind of picture has."""
    label, steps = axis(factor)
    names = tuple(f"{step:g}" for step in steps)
    drawn = []
    for measure, title in MEASURES:
        curves = []
        for (of, name), scores in found.items():
            points = tuple(
                (k, s[measure].value, s[measure].low, s[measure].high) for k, s in enumerate(scores) if measure in s
            )
            if of == factor and points:
                curves.append(Curve(name, points))
        if curves:
            drawn.append(Panel(title, names, tuple(curves), label))
    return drawn


def write(found: Found, head: str, folder: Path) -> Path:
    """The page, its plots and the numbers behind them."""
    day = date.today().isoformat()
    lines = [head]
    for factor in dict.fromkeys(of for of, _ in found):
        name = f"robustness-{factor.replace(' ', '-')}.svg"
        (folder.parent / "images").mkdir(exist_ok=True)
        (folder.parent / "images" / name).write_text(figure(panels(found, factor)), encoding="utf-8")
        lines += ["", f"## {factor.capitalize()}", "", f"![{factor}](../images/{name})"]
    with (folder / f"{day}-robustness.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["factor", "pictures", "step", "measure", "value", "low", "high", "n", "constant answer"])
        for (factor, name), scores in found.items():
            for step, rows_ in zip(axis(factor)[1], scores, strict=True):
                for s in rows_.values():
                    out.writerow([factor, name, f"{step:g}", s.measure, *(f"{v:.4g}" for v in (s.value, s.low, s.high)),
                                  s.n, "" if s.trivial is None else f"{s.trivial:.4g}"])  # fmt: skip
    page = folder / f"{day}-robustness.md"
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def intro(analyzer: Analyzer, given: argparse.Namespace, minutes: float) -> str:
    """The page's first paragraph: command, commit, machine, samples, how to read it."""
    day = date.today().isoformat()
    sets = ", ".join(f"{folder.name} ({given.sample})" for folder in given.photographs) or "none"
    return (
        f"# Robustness, {day}\n\n`python benchmarks/robustness.py`, commit {commit_of(ROOT)}, weights "
        f"{', '.join(analyzer.describe().values())}, {platform.machine()}, one thread, {minutes:.1f} CPU minutes. "
        f"{given.heads} rendered heads of people that no training uses, with known truth; development photographs that "
        f"nothing was fitted on: {sets}; where labels do not say where the face is, only those in which it is found as "
        "they are. One thing is changed at a time. A face that is not found counts as wrong; bands are 95 % bootstrap "
        f"intervals. Numbers, with what a constant answer gets: [{day}-robustness.csv]({day}-robustness.csv)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", nargs="*", type=Path, default=[])
    parser.add_argument("--heads", type=int, default=80)
    parser.add_argument("--sample", type=int, default=100, help="photographs of each folder")
    parser.add_argument("--weights", default="synthetic")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks", help="where the page goes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    analyzer = Analyzer(weights=given.weights, device="cpu")
    began = time.process_time()
    found = run(analyzer, given.heads, given.photographs, given.sample)
    head = intro(analyzer, given, (time.process_time() - began) / 60)
    print(head)
    for (factor, name), scores in found.items():
        for step, each in zip(axis(factor)[1], scores, strict=True):
            print(factor, name, f"{step:g}", {m: round(s.value, 3) for m, s in each.items()})
    if given.write:
        given.out.mkdir(parents=True, exist_ok=True)
        print(write(found, head, given.out))


if __name__ == "__main__":
    main()
