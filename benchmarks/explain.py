"""Whether explanations point at the cause: rendered pairs with one changed region, photographs, cost.

    python benchmarks/explain.py [--pairs N] [--photographs FOLDER...] [--sample N] [--weights SET] [--write]

**Pairs.** Two renderings of one person differ in one thing only: expression units, glasses, or beard. The picture that
shows the thing is explained for the answer about it, where the network noticed it; `--pairs` such cases of each kind.
Right: the top region (of occlusion by what hiding it takes away, of the others by its share of what the heat map shows
as speaking for the answer) is one that changed: its sum of changed pixels is at least a third of the largest one's. By
chance: the share of the regions for which that is so. The same network with shuffled weights is the control.

**Photographs** (folders with a ``labels.csv``): regions of equal area are hidden in faces that are answered "yes";
pixel flipping against random orders for every attribute in default output.

**Batch** (`--batch N`): time and memory of a table of N faces.

`--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import platform
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.photographs import labels_of  # noqa: E402

from omokage.attributes.predict import AttributePredictor  # noqa: E402
from omokage.data.transforms import warp  # noqa: E402
from omokage.explain.composites import MODERN  # noqa: E402
from omokage.explain.evidence import maps, region_support  # noqa: E402
from omokage.explain.faithfulness import flipped, randomised  # noqa: E402
from omokage.explain.occlusion import hide_each, scores  # noqa: E402
from omokage.explain.regions import REGIONS, equal_areas, region_map, region_masks  # noqa: E402
from omokage.explain.target import Target, View  # noqa: E402
from omokage.faces.align import crop_landmarks  # noqa: E402
from omokage.media.image import read_image  # noqa: E402
from omokage.media.sources import Source  # noqa: E402
from omokage.metrics.bootstrap import interval  # noqa: E402
from omokage.pipeline import Analyzer  # noqa: E402
from omokage.pipeline.explain import explain, target_of, targets  # noqa: E402
from omokage.pipeline.explain_table import explain_table  # noqa: E402
from omokage.pipeline.explain_views import views_of  # noqa: E402
from omokage.synthesis.people import perceived_female  # noqa: E402
from omokage.synthesis.render import Rendering, render  # noqa: E402
from omokage.synthesis.sampling import SceneSampler  # noqa: E402
from omokage.synthesis.scene import Camera, Expression, Light, Pose, Scene, Surroundings  # noqa: E402
from omokage.synthesis.skin import paint  # noqa: E402
from omokage.training.run import commit_of  # noqa: E402
from omokage.weights.registry import DEFAULT_SET  # noqa: E402

Image = NDArray[np.uint8]
SEED = 930_000_000  # of people that no training uses
FIRST = 1_000  # with the 60 people from 0 on, regions and fills were chosen
METHODS = ("occlusion", "gradients", "lrp plus-flat")
CONTROLS = 40  # cases of each kind for which the shuffled network is asked as well
KINDS = ("expression units", "eyeglasses", "beard")
NOTICED = {"log odds": 1.0, "intensity": 0.5}  # what the change must add to the score
MOUTH = ("mouthSmileLeft", "mouthSmileRight")
# What is changed -> the answer that is explained.
UNITS: Mapping[str, tuple[str, ...]] = {
    "au.AU12": MOUTH,
    "au.AU26": ("jawOpen",),
    "au.AU18": ("mouthPucker",),
    "au.AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "au.AU01": ("browInnerUp",),
    "au.AU04": ("browDownLeft", "browDownRight"),
    "au.AU43": ("eyeBlinkLeft", "eyeBlinkRight"),
    "au.AU05": ("eyeWideLeft", "eyeWideRight"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture that shows a thing, the answer about it, and the regions in the order of how much they changed."""

    kind: str
    target: str
    view: View
    before: Image
    changed: tuple[str, ...]


def base_scene(k: int) -> Scene:
    """A person at rest, nearly frontal, evenly lit, without anything on or in front of the face."""
    rng = np.random.default_rng((SEED, k))
    drawn = SceneSampler().draw(rng)
    person = replace(drawn.person, glasses="none", beard="none", hat="none", makeup=0.0)
    return replace(
        drawn, person=person, expression=Expression(), camera=Camera(k, size=192, frame=1.5),
        pose=Pose(float(rng.uniform(-12, 12)), float(rng.uniform(-6, 6)), float(rng.uniform(-6, 6))),
        light=Light(k, azimuth=float(rng.uniform(-25, 25)), key=0.8, ambient=0.6),
        surroundings=Surroundings(drawn.surroundings.seed, drawn.surroundings.style),
    )  # fmt: skip


def changes(k: int, wanted: Sequence[str] = KINDS) -> Iterator[tuple[str, str, Scene, Scene]]:
    """(kind, target, without, with) of one person: two units, glasses, a beard where one can grow."""
    rng = np.random.default_rng((SEED, 1, k))
    plain = base_scene(k)
    for turn in (0, len(UNITS) // 2) if KINDS[0] in wanted else ():
        target = list(UNITS)[(k + turn) % len(UNITS)]
        units = tuple((name, float(rng.uniform(0.7, 1.0))) for name in UNITS[target])
        yield KINDS[0], target, plain, replace(plain, expression=Expression(units, None, 1.0))
    if KINDS[1] in wanted:
        person = replace(plain.person, glasses=str(rng.choice(["frame", "rimless", "sunglasses"])))
        yield KINDS[1], "attr.eyeglasses", plain, replace(plain, person=person)
    if KINDS[2] in wanted and plain.person.age >= 18 and plain.person.male > 0.5:
        person = replace(plain.person, beard=str(rng.choice(["goatee", "full"])))
        person = replace(person, female_perceived=perceived_female(person))
        yield KINDS[2], "attr.beard", plain, replace(plain, person=person)


def cases(predictor: AttributePredictor, k: int, wanted: Sequence[str] = KINDS) -> Iterator[Case]:
    """The cases of one person."""
    shown: dict[str, Rendering] = {}
    for kind, target, without, having in changes(k, wanted):
        if "plain" not in shown:
            shown["plain"] = render(without, paint(without.person))
        after = render(having, paint(having.person))
        crop = crop_landmarks(after.image, after.landmarks, predictor.size, predictor.margin)
        (view,) = views_of(crop, after.image, after.landmarks, predictor.margin, after.segmentation, shifts=())
        before = warp(shown["plain"].image, crop.affine, predictor.size)
        yield Case(kind, target, view, before, ranked(view, before))


def ranked(view: View, before: Image) -> tuple[str, ...]:
    """Regions by the sum of what changed in them, most first; those with less than a third of the first left out."""
    change = np.abs(view.image.astype(float) - before.astype(float)).sum(2)
    where = region_map(view.points, view.image.shape[0], view.segmentation)
    total = {name: float(change[where == i].sum()) for i, name in enumerate(REGIONS)}
    order = sorted(total, key=lambda name: -total[name])
    return tuple(name for name in order if total[name] >= total[order[0]] / 3)


def top_region(target: Target, view: View, method: str) -> str:
    """The region that a method puts first: by what hiding takes away, or by its share of the map's red."""
    where = region_map(view.points, view.image.shape[0], view.segmentation)
    if method == "occlusion":
        score, _, _ = hide_each(target, view.image, region_masks(where))
        return min(score, key=lambda name: float(np.mean(list(score[name].values()))))
    name, _, rules = method.partition(" ")
    found = maps(target, [view.image], name, rules or MODERN)
    shares = region_support(found.relevance[0], where)
    return max(shares, key=lambda region: shares[region])


@dataclass(frozen=True, slots=True)
class Pointed:
    """One decision: how often the top region was the most changed one, or among the much changed ones."""

    kind: str
    target: str
    method: str
    random: bool
    first: bool
    among: bool
    chance: float


def pointing(predictor: AttributePredictor, count: int, minutes: float) -> list[Pointed]:
    """`count` cases of each kind in which the network itself noticed the change; the others have no answer whose cause
    could be pointed at, and are only counted (method ""). Fewer cases when the minutes are over."""
    until = time.monotonic() + 60 * minutes
    found: list[Pointed] = []
    opened: dict[str, Target] = {}
    left = dict.fromkeys(KINDS, count)
    for k in range(FIRST, FIRST + 4 * count):
        for case in cases(predictor, k, [kind for kind in KINDS if left[kind] > 0]):
            target = opened.setdefault(case.target, target_of(predictor, case.target))
            now, before = scores(target, [case.view.image, case.before]).score
            if now - before < NOTICED[target.score_unit] or (target.score_unit == "log odds" and now < 0):
                found.append(Pointed(case.kind, case.target, "", False, False, False, 0.0))
            elif left[case.kind] > 0:
                found += judged(case, target, k, controlled=count - left[case.kind] < CONTROLS)
                left[case.kind] -= 1
        if not any(left.values()) or time.monotonic() > until:
            break
    return found


def judged(case: Case, target: Target, seed: int, controlled: bool) -> Iterator[Pointed]:
    """What every method points at, on the network and, where wanted, on the same with shuffled weights."""
    there = np.unique(region_map(case.view.points, case.view.image.shape[0], case.view.segmentation)).size
    for control in (False, True)[: 1 + controlled]:
        network = randomised(target, seed) if control else target
        for method in METHODS:
            top = top_region(network, case.view, method)
            right = (top == case.changed[0], top in case.changed)
            yield Pointed(case.kind, case.target, method, control, *right, len(case.changed) / there)


def share(values: Sequence[float]) -> str:
    """Mean with its 95 % interval."""
    low, high = interval(lambda v: float(v.mean()), np.asarray(values, float))
    return f"{np.mean(values):.2f} ({low:.2f} to {high:.2f})"


def pointing_table(found: Sequence[Pointed]) -> list[str]:
    lines = [
        "| changed | method | top region changed | by chance | with shuffled weights | changed most | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(p.kind for p in found):
        for method in METHODS:
            rows = [p for p in found if p.kind == kind and p.method == method]
            real, control = [p for p in rows if not p.random], [p for p in rows if p.random]
            if real:
                lines.append(
                    f"| {kind} | {method} | {share([p.among for p in real])} | "
                    f"{np.mean([p.chance for p in real]):.2f} | {share([p.among for p in control])} | "
                    f"{share([p.first for p in real])} | {len(real)} |"
                )
        unseen = Counter(p.target for p in found if p.kind == kind and not p.method)
        which = ", ".join(f"{target} {n}" for target, n in unseen.most_common())
        lines.append(f"| {kind} | the network did not notice the change ({which}) | | | | | {unseen.total()} |")
    return lines


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
        score, _, _ = hide_each(target, face.view.image, masks)
        mean = {region: before - float(np.mean(list(by.values()))) for region, by in score.items()}
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
                f = flipped(target, face.view.image, maps(target, [face.view.image], method).relevance[0])
                rows.append((f.relevance, float(np.mean(f.random)), f.edges))
            ours, random, edges = (np.array(v) for v in zip(*rows, strict=True))
            lines.append(
                f"| {name} | {method} | {share(ours)} | {random.mean():.2f} | {edges.mean():.2f} | "
                f"{share(ours > random)} | {len(rows)} |"
            )
    return lines


def conservation(predictor: AttributePredictor, views: Sequence[View]) -> list[str]:
    """Sum of relevance over its start on the shipped network, and the cost beside a forward and backward pass."""
    lines = ["| rules | worst departure from 1 | CPU ms | times a forward and backward pass |", "|---|---|---|---|"]
    target = target_of(predictor, "attr.smiling")
    images = [v.image for v in views]
    x = target.prepare(np.stack(images))

    def passes() -> None:
        at = x.clone().requires_grad_(True)
        target.score(target.raw(at)).sum().backward()

    plain = cpu(passes)
    for rules in ("gamma-box", "plus-flat", "alpha2-beta1", "alpha2-beta1-flat", "epsilon"):
        kept = [maps(target_of(predictor, t), images, "lrp", rules).kept for t in ("attr.smiling", "age", "au.AU12")]
        worst = max(float(np.abs(k - 1).max()) for k in kept if k is not None)
        spent = cpu(lambda rules=rules: maps(target, images, "lrp", rules))
        lines.append(f"| {rules} | {worst:.2g} | {1000 * spent / len(images):.1f} | {spent / plain:.1f} |")
    return lines


def cpu(work: object, runs: int = 3) -> float:
    """The least CPU seconds of some runs."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        work()  # type: ignore[operator]
        spent.append(time.process_time() - began)
    return min(spent)


def cost(analyzer: Analyzer, image: Image) -> list[str]:
    lines = ["| method | CPU s for everything about one face |", "|---|---|"]
    face = analyzer(image)[0]
    for method in ("occlusion", "gradients", "smoothgrad", "lrp"):
        spent = cpu(lambda method=method: explain(face, "attr.smiling", method, image=image, analyzer=analyzer), 2)
        lines.append(f"| {method} | {spent:.2f} |")
    return lines


def batch(analyzer: Analyzer, image: Image, count: int, method: str = "lrp") -> list[str]:
    """CPU seconds a face and resident memory while `count` faces become a table."""
    lines = ["| faces explained | CPU s a face | resident memory, MiB |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "0.png"
        cv2.imwrite(str(first), image[..., ::-1])
        for k in range(1, count):
            shutil.copy(first, first.with_name(f"{k}.png"))
        marks = {1, count // 10, count // 2, count}
        done, began = 0, time.process_time()

        def see(reading: object, found: Sequence[object]) -> None:
            nonlocal done
            done += len(found)
            if done in marks:
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
                memory = pages * resource.getpagesize() / 2**20
                lines.append(f"| {done} | {(time.process_time() - began) / done:.2f} | {memory:.0f} |")

        explain_table(
            analyzer, [Source(str(Path(folder) / f"{k}.png")) for k in range(count)], "attr.smiling",
            Path(folder) / "why.csv", method, on_found=see,
        )  # fmt: skip
    return lines


def page(analyzer: Analyzer, given: argparse.Namespace) -> str:
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    began = time.process_time()
    parts: list[str] = []
    if given.pairs:
        parts += ["## Rendered pairs: does the top region lie where the pixels changed?", ""]
        parts += pointing_table(pointing(predictor, given.pairs, given.minutes))
    if given.cost:
        views = [case.view for case in cases(predictor, FIRST)]
        parts += ["", "## Propagation on the shipped network", "", *conservation(predictor, views)]
        shown = render(base_scene(0), paint(base_scene(0).person)).image
        parts += ["", "## Cost", "", *cost(analyzer, shown)]
    if given.batch:
        shown = render(base_scene(0), paint(base_scene(0).person)).image
        parts += ["", f"## A table of {given.batch} faces, method lrp", "", *batch(analyzer, shown, given.batch)]
    everybody: list[Face] = []
    for folder in given.photographs:
        listed = faces(analyzer, folder, given.sample, given.where)
        parts += ["", f"## {folder.name}: regions of equal area hidden", ""]
        for name in given.hide:
            parts += [*hiding(predictor, listed, name, 0.07, given.most), ""]
        everybody += listed
    if everybody and given.flips:
        lines = flipping(predictor, everybody, given.flips, given.flip_methods)
        parts += [f"## Pixel flipping, the {given.flips} faces with the highest score", "", *lines]
    photographs = ", ".join(f"{folder.name} ({given.sample})" for folder in given.photographs) or "none"
    head = (
        f"# Explanations, {date.today().isoformat()}\n\n`python benchmarks/explain.py {' '.join(shown_arguments())}`, "
        f"commit {commit_of(ROOT)}, "
        f"weights {', '.join(analyzer.describe().values())}, {platform.machine()}, one thread, "
        f"{(time.process_time() - began) / 60:.1f} CPU minutes. At most {given.pairs} rendered cases of each kind, "
        f"people that no training uses; photographs: {photographs}, nothing was fitted on them. In brackets 95 % "
        "bootstrap intervals."
    )
    return "\n".join([head, "", *parts]) + "\n"


def shown_arguments() -> list[str]:
    """The command's arguments without the folders that only this machine has."""
    return [Path(a).name if "/" in a else a for a in sys.argv[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", nargs="*", type=Path, default=[])
    parser.add_argument("--pairs", type=int, default=100, help="noticed cases of each kind")
    parser.add_argument("--minutes", type=float, default=120, help="after which no further pairs are made")
    parser.add_argument("--cost", action="store_true", help="also propagation's sums, and what explanations cost")
    parser.add_argument("--batch", type=int, default=0, help="faces of a table whose time and memory are measured")
    parser.add_argument("--sample", type=int, default=200, help="photographs of each folder")
    parser.add_argument("--most", type=int, default=80, help="faces of each folder in which regions are hidden")
    parser.add_argument("--where", nargs="*", default=[], help="only photographs with this label: folder:column=value")
    parser.add_argument("--hide", nargs="*", default=["smiling", "eyeglasses"], help="answers for which regions hide")
    parser.add_argument("--flips", type=int, default=10, help="faces for pixel flipping of each answer")
    parser.add_argument("--flip-methods", nargs="*", default=["occlusion"], help="whose maps are flipped")
    parser.add_argument("--weights", default=DEFAULT_SET)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    text = page(Analyzer(weights=given.weights, device="cpu"), given)
    print(text)
    if given.write:
        part = "" if given.pairs else "-photographs" if given.photographs else "-cost"
        name = f"{date.today().isoformat()}-explain{part}-{Path(given.weights).name}.md"
        (ROOT / "docs" / "benchmarks" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
