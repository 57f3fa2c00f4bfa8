"""What an encoder's codes carry of labelled photographs, against the same network untrained, the attribute network's
trunk, and pixels: linear probes, retrieval and identity.

    python benchmarks/probes.py FOLDER... [--encoder WEIGHTS]... [--crops found|boxes] [--labels 100,1000,0]
        [--cache DIR] [--grid PAGE.html] [--write]

A folder holds pictures and a `labels.csv`: five points, smile, glasses, emotion, yaw, pitch, roll, pose_class, person.
Probes are fitted to some of these photographs and judged on others, of other people; encoders have seen none. `--cache`
keeps the crops of a folder, which are photographs, for the next run; `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.data.records import Record
from omokage.embeddings.evaluate import ProbeConfig, evaluate
from omokage.embeddings.labelled import LabelledFaces, Target, read_labelled
from omokage.embeddings.leakage import Projected, fit_identity_projection, identity_leakage, removal_curve
from omokage.embeddings.predict import Embedder, Encoder, FunctionEncoder, Pixels, untrained
from omokage.embeddings.reading import neighbours
from omokage.embeddings.retrieve import precision_at
from omokage.media.image import read_image
from omokage.metrics.labels import read_labels
from omokage.metrics.table import points_of
from omokage.nn.pictures import normalise
from omokage.pipeline import Analyzer
from omokage.pipeline.embedding import found_cut
from omokage.report.embeddings import Section, Tile, probe_section, write_page
from omokage.training.run import commit_of

ROOT = Path(__file__).resolve().parents[1]
SIZE, MARGIN = 112, 1.3
SIDES = {"left": "left", "left_profile": "left", "right": "right", "right_profile": "right"}
IDENTITY = (
    "\n| identity | people | named right | 95 % interval | chance | same or different |\n|---|---|---|---|---|---|"
)
SCORES = (
    "\n| task | measure | encoder | labels | value | 95 % interval | a constant answer | pictures |\n"
    "|---|---|---|---|---|---|---|---|"
)
ANGLES = (("yaw_right_deg", "yaw"), ("pitch_up_deg", "pitch"), ("roll_cw_deg", "roll"))


def person_of(row: Mapping[str, str]) -> str:
    """The person's name, else the file's without its last number: pictures of one person are named so."""
    return row.get("person") or re.sub(r"_\d+$", "", Path(row["file"]).stem)


def records(folder: Path, rows: list[dict[str, str]]) -> Iterator[Record]:
    """The labelled pictures in the record format."""
    for row in rows:
        labels: dict[str, Any] = {}
        for column, name in (("smile", "attr_smiling"), ("glasses", "attr_eyeglasses")):
            if row.get(column):
                labels[name] = float(row[column])
        if row.get("emotion"):
            labels["expression"] = row["emotion"]
        points = points_of(row)
        if points is not None:
            labels["points" if len(points) == 5 else "landmarks"] = points.ravel().tolist()
        angles = [row.get(long) or row.get(short) for long, short in ANGLES]
        if all(angles):
            labels["pose"] = [float(str(a)) for a in angles]
        path = folder / row["file"]
        height, width = read_image(path).shape[:2]
        yield Record(row["file"], person_of(row), folder.name, path.read_bytes(), width, height, labels)


def load(folder: Path, crops: str, cache: Path | None, limit: int = 0) -> LabelledFaces:
    """Crops and targets of a folder; a face that the finder misses is cut by its label or from the middle."""
    rows = read_labels(folder / "labels.csv")[: limit or None]
    kept = cache / f"{folder.name}-{crops}-{len(rows)}.npz" if cache else None
    cut = None
    if crops == "found" and not (kept and kept.is_file()):
        cut = found_cut(Analyzer(), SIZE, MARGIN)
    if kept and kept.is_file():
        with np.load(kept) as file:  # an archive reads a whole array at every look into it
            stored = {name: file[name] for name in ("crops", "affine", "found")}
        pending = iter(range(len(rows)))

        def again(picture: NDArray[np.uint8], record: Record) -> Any:
            from omokage.results import Box, FaceCrop

            k = next(pending)
            return (
                FaceCrop(stored["crops"][k], stored["affine"][k], Box(0, 0, 1, 1), 1.0) if stored["found"][k] else None
            )

        cut = again
    affines: list[NDArray[np.float64]] = []

    def noting(picture: NDArray[np.uint8], record: Record) -> Any:
        crop = cut(picture, record) if cut is not None else None
        affines.append(crop.affine if crop is not None else np.zeros((2, 3)))
        return crop

    faces = read_labelled(records(folder, rows), SIZE, MARGIN, noting if cut is not None else None, folder.name)
    if kept and not kept.is_file() and cut is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, crops=faces.crops, affine=np.stack(affines), found=faces.found)
    sides = [(k, SIDES[row["pose_class"]]) for k, row in enumerate(rows) if row.get("pose_class") in SIDES]
    if sides:
        at, names = np.array([k for k, _ in sides]), np.array([name for _, name in sides])
        targets = {**faces.targets, "yaw side": Target("nominal", "accuracy", at, names)}
        faces = LabelledFaces(faces.name, faces.crops, faces.people, faces.found, targets)
    return faces


def trunk(cells: int) -> Encoder:
    """The attribute network's trunk, its map averaged in cells x cells fields."""
    predictor = AttributePredictor(device="cpu")
    body: Any = predictor._fast.trunk

    @torch.inference_mode()
    def encode(crops: NDArray[np.uint8]) -> NDArray:
        map_ = body(normalise(torch.from_numpy(crops)))
        return np.asarray(torch.nn.functional.adaptive_avg_pool2d(map_, cells).flatten(1).numpy())

    return FunctionEncoder(f"trunk {cells}x{cells}", predictor.size, predictor.margin, encode)


@dataclass(frozen=True, slots=True)
class Kept:
    """An encoder of one folder's pictures whose codes were made once."""

    name: str
    size: int
    margin: float
    codes: NDArray[np.float32]

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(crops) != len(self.codes):
            raise ValueError("these are not the pictures that were encoded")
        return self.codes


def shown(weights: Path) -> str:
    """A run's name for the weights in its folder, else the set's or folder's own."""
    return weights.parent.name if weights.name == "weights" else weights.name


def part_of(faces: LabelledFaces, count: int) -> LabelledFaces:
    """`count` pictures at random (0 = all), with their targets."""
    if not count or count >= len(faces):
        return faces
    kept = np.sort(np.random.default_rng(0).choice(len(faces), count, replace=False))
    place = {int(row): k for k, row in enumerate(kept)}
    targets = {}
    for name, target in faces.targets.items():
        own = np.isin(target.rows, kept)
        rows = np.array([place[int(row)] for row in target.rows[own]], np.int64)
        targets[name] = Target(target.kind, target.measure, rows, target.values[own], target.parts)
    people = tuple(faces.people[k] for k in kept)
    return LabelledFaces(faces.name, faces.crops[kept], people, faces.found[kept], targets)


def encoders_for(names: list[str], faces: LabelledFaces) -> list[Encoder]:
    """The encoders asked for, then the baselines."""
    asked: list[Encoder] = [Embedder(name, "cpu", name=shown(Path(name))) for name in names]
    config = asked[0].config if asked and isinstance(asked[0], Embedder) else None
    blank = untrained(config, device="cpu", crops=faces.crops)
    every = [*asked, blank, trunk(1), trunk(2), Pixels.fitted(faces.crops, MARGIN)]
    return [Kept(e.name, e.size, e.margin, e.encode(faces.crops)) for e in every]


def retrieval(faces: LabelledFaces, encoders: list[Encoder], say: Callable[[str], None]) -> None:
    """Precision at 5 across people for each nominal task."""
    tasks = {name: t for name, t in faces.targets.items() if t.kind == "nominal"}
    if not tasks:
        return
    say("\n| retrieval | encoder | precision at 5 | 95 % interval | base rate |\n|---|---|---|---|---|")
    for name, target in tasks.items():
        people = [faces.people[k] for k in target.rows]
        for encoder in encoders:
            codes = encoder.encode(faces.crops)[target.rows]
            value, low, high, base = precision_at(codes, target.values.tolist(), people)
            say(f"| {name} | {encoder.name} | {value:.3f} | {low:.3f} to {high:.3f} | {base:.3f} |")


def identity(faces: LabelledFaces, encoders: list[Encoder], config: ProbeConfig, say: Callable[[str], None]) -> None:
    """How well people are named, how little is left after projections, and what a projection costs the probes."""
    counts = np.unique(np.array(faces.people), return_counts=True)[1]
    if (counts >= 4).sum() < 8:
        return
    say(IDENTITY)
    for encoder in encoders:
        codes = encoder.encode(faces.crops)
        found = identity_leakage(codes, faces.people)
        say(f"| {encoder.name} | {found.people} | {found.accuracy:.3f} | {found.low:.3f} to {found.high:.3f} "
            f"| {found.chance:.3f} | {found.verification:.3f} |")  # fmt: skip
        for step in removal_curve(codes, faces.people, remove=(0, 8, 16, 32)):
            left = step.leakage
            say(f"| {encoder.name} less {step.removed}, other people | {left.people} | {left.accuracy:.3f} | "
                f"{left.low:.3f} to {left.high:.3f} | {left.chance:.3f} | {left.verification:.3f} |")  # fmt: skip


def cost(
    faces: LabelledFaces,
    people: LabelledFaces,
    encoder: Encoder,
    codes: NDArray,
    config: ProbeConfig,
    say: Callable[[str], None],
) -> None:
    """Probes after projections that were fitted to the people of another folder."""
    own = [Projected(encoder, fit_identity_projection(codes, people.people, remove)) for remove in (8, 16, 32)]
    table(evaluate([encoder, *own], faces, ProbeConfig((0,), draws=config.draws)), say)


def table(scores: list[Any], say: Callable[[str], None]) -> None:
    say(SCORES)
    for s in scores:
        say(f"| {s.task} | {s.measure} | {s.encoder} | {s.labels}{' (all)' if s.every else ''} | {s.value:.3g} | "
            f"{s.low:.3g} to {s.high:.3g} | {s.trivial:.3g} | {s.n} |")  # fmt: skip


def grid(faces: LabelledFaces, encoder: Encoder) -> Section:
    """Some pictures with their nearest neighbours of other people."""
    chosen = np.random.default_rng(0).choice(len(faces), min(12, len(faces)), replace=False).tolist()
    found = neighbours(encoder.encode(faces.crops), faces.people, chosen)
    words = [""] * len(faces)
    for name in ("smiling", "expression", "yaw side"):
        if name in faces.targets:
            for row, value in zip(faces.targets[name].rows, faces.targets[name].values.tolist(), strict=True):
                words[row] += f" {value}" if name != "smiling" else (" smile" if value == "yes" else " no smile")
    rows = tuple(
        ("", tuple(Tile(faces.crops[k], words[k].strip()) for k in (row, *near)))
        for row, near in zip(chosen, found, strict=True)
    )
    return Section(f"{faces.name}: a picture and the six nearest of other people", (encoder.name,), rows=rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--encoder", action="append", default=[])
    parser.add_argument("--crops", choices=("found", "boxes"), default="found")
    parser.add_argument("--labels", default="100,1000,0")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--part", type=int, default=0, help="at most so many pictures of a folder, at random")
    parser.add_argument("--protocol", choices=("ridge", "published"), default="ridge")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--grid", type=Path, help="a page with plots and neighbours; it shows the photographs")
    parser.add_argument("--note", default="", help="a sentence for the page, on what the runs are")
    parser.add_argument("--write", action="store_true", help="write today's page")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    config = ProbeConfig(tuple(int(n) for n in asked.labels.split(",")), draws=200, protocol=asked.protocol)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    say(f"# Linear probes on photographs, {date.today().isoformat()}\n")
    named = " ".join(f"--encoder {name}" for name in asked.encoder)
    say(
        f"`python benchmarks/probes.py FOLDER... {named}`, commit {commit_of()}, crops: {asked.crops}, protocol "
        f"{asked.protocol}, {platform.machine()}, one thread. Development photographs, seen by no encoder; probes "
        "are fitted to some and judged on others, of other people. A face that was not found is cut by its label."
    )
    if asked.note:
        say(f"\n{asked.note}")
    sections: list[Section] = []
    loaded = [part_of(load(folder, asked.crops, asked.cache, asked.limit), asked.part) for folder in asked.folders]
    with_people = [(f, encoders_for(asked.encoder[:1], f)[0].encode(f.crops)) for f in loaded if not f.targets]
    for faces in loaded:
        began = time.process_time()
        say(f"\n## {faces.name}: {len(faces)} pictures, {faces.found.mean():.1%} found")
        encoders = encoders_for(asked.encoder, faces)
        if faces.targets:
            scores = evaluate(encoders, faces, config)
            table(scores, say)
            retrieval(faces, encoders, say)
            sections += [probe_section(scores, faces.name), grid(faces, encoders[0])]
            for people, codes in with_people:
                say(f"\nIdentity directions of {people.name} projected out of {encoders[0].name}:")
                cost(faces, people, encoders[0], codes, config, say)
        else:
            identity(faces, encoders, config, say)
        say(f"\n{time.process_time() - began:.0f} CPU seconds.")
    if asked.grid:
        write_page(asked.grid, "What an encoder's codes carry", "Linear probes and neighbours.", sections)
    if asked.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-probes.md"
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
