"""What codes keep of a person: how well one linear layer names people, what moves a code, and what it costs to take
identity out.

    python benchmarks/leakage.py --records FOLDER [--encoder WEIGHTS] [--people 400] [--scenes 40]
        [--photographs FOLDER]... [--cache DIR] [--write] [--card]

`--records` holds rendered people with four pictures each or more (``omokage render``, or visits),
whom the encoder has not learnt from. A photograph folder with `person` and no other labels is read for identity alone;
one with five points, smile or expression tells what a projection costs. `--write` makes the dated page, `--card` writes
the figures into the limits of a weights folder's card.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from omokage.data.records import Record, read_records
from omokage.embeddings.evaluate import ALL, ProbeConfig, task_scores
from omokage.embeddings.labelled import LabelledFaces, read_labelled
from omokage.embeddings.leakage import fit_identity_projection, identity_leakage, removal_curve
from omokage.embeddings.predict import Embedder, Encoder
from omokage.embeddings.reading import factor_changes
from omokage.faces.align import crop_landmarks
from omokage.media.files import whole_file
from omokage.results import FaceCrop
from omokage.training.run import commit_of
from omokage.weights import registry
from probes import MARGIN, ROOT, SIZE, Kept, encoders_for, load, part_of

REMOVED = (0, 4, 8, 16, 32, 64)
COSTS = (0, 16, 64)
TASKS = ("landmarks", "points", "pose", "units", "smiling")  # fits of seconds
MARK = "Identity: "  # how the line of the card begins
Say = Callable[[str], None]


def rendered_people(folder: Path, count: int) -> LabelledFaces:
    """The pictures of the first `count` people of a record folder that show at least four."""

    def cut(image: NDArray[np.uint8], record: Record) -> FaceCrop:
        return crop_landmarks(image, np.reshape(record.labels["landmarks"], (68, 2)), SIZE, MARGIN)

    members: dict[str, list[Record]] = {}
    for record in read_records(folder):
        members.setdefault(record.person, []).append(record)
        if len(members) > count:
            break
    whole = [own for own in list(members.values())[:count] if len(own) >= 4]
    return read_labelled((r for own in whole for r in own), SIZE, MARGIN, cut, folder.name)


def named(faces: LabelledFaces, encoders: Sequence[Encoder], say: Say) -> None:
    """How well people are named from the codes of each encoder."""
    say("\n| codes of | people | pictures | named right | 95 % interval | chance | same or different (area) |")
    say("|---|---|---|---|---|---|---|")
    for encoder in encoders:
        f = identity_leakage(encoder.encode(faces.crops), faces.people)
        say(f"| {encoder.name} | {f.people} | {f.pictures} | {f.accuracy:.3f} | {f.low:.3f} to {f.high:.3f} | "
            f"{f.chance:.4f} | {f.verification:.3f} |")  # fmt: skip


def removal(faces: LabelledFaces, encoder: Encoder, say: Say) -> None:
    """What is left on other people when directions are taken out."""
    say("\n| directions taken out | named right | 95 % interval | chance | same or different (area) | people |")
    say("|---|---|---|---|---|---|")
    for step in removal_curve(encoder.encode(faces.crops), faces.people, remove=REMOVED):
        f = step.leakage
        say(f"| {step.removed} | {f.accuracy:.3f} | {f.low:.3f} to {f.high:.3f} | {f.chance:.4f} | "
            f"{f.verification:.3f} | {f.people} |")  # fmt: skip


def cost(
    people: LabelledFaces, own: NDArray[np.float32], sets: Sequence[tuple[LabelledFaces, NDArray[np.float32]]], say: Say
) -> None:
    """Linear probes of codes whose identity directions, fitted to the rendered people, are projected out."""
    say(f"\n| set | task | measure | {' | '.join(f'less {n}' if n else 'all' for n in COSTS)} | a constant answer |")
    say("|---|---|---|" + "---|" * (len(COSTS) + 1))
    ways = [fit_identity_projection(own, people.people, n) if n else None for n in COSTS]
    for faces, codes in sets:
        for task in (t for t in TASKS if t in faces.targets):
            rows = [
                task_scores(codes if way is None else way.apply(codes), faces.people, task, faces.targets[task], "",
                            ProbeConfig((ALL,), draws=2))
                for way in ways
            ]  # fmt: skip
            for k, first in enumerate(rows[0]):
                if first.measure in ("landmark error", "degrees", "AUC", "accuracy", "correlation"):
                    values = " | ".join(f"{row[k].value:.3g}" for row in rows)
                    say(f"| {faces.name} | {task} | {first.measure} | {values} | {first.trivial:.3g} |")


def moved(encoder: Encoder, scenes: int, say: Say) -> dict[str, float]:
    """How far codes move when one thing changes alone."""
    say("\n| only this changes | the code moves by | 95 % interval | scenes |")
    say("|---|---|---|---|")
    changes = factor_changes(encoder, scenes)
    for c in changes:
        say(f"| {c.factor} | {c.share:.2f} | {c.low:.2f} to {c.high:.2f} | {c.scenes} |")
    return {c.factor: c.share for c in changes}


def noted(weights: Path, faces: LabelledFaces, encoder: Encoder, shares: dict[str, float]) -> str:
    """The card's line about identity; it replaces an earlier one."""
    f = identity_leakage(encoder.encode(faces.crops), faces.people)
    line = (
        f"{MARK}one linear layer names the right one of {f.people} rendered people from a code in {f.accuracy:.0%} of "
        f"cases (chance {f.chance:.1%}), and two pictures of one person are more alike than two of different ones in "
        f"{f.verification:.0%} (chance 50 %); {date.today().isoformat()}, benchmarks/leakage.py."
    )
    if shares:
        line += (
            f" Where only the person changes a code moves by {shares['identity']:.2f} of the way to another picture, "
            f"where only the light does by {shares['light']:.2f}."
        )
    path = registry.folder_of(weights) / "encoder.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["limits"] = [*(text for text in card["limits"] if not text.startswith(MARK)), line]
    with whole_file(path) as file:
        file.write(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return line


def measured(asked: argparse.Namespace, encoder: Embedder, people: LabelledFaces, say: Say) -> dict[str, float]:
    """The whole page; returns how far one factor alone moves a code."""
    began = time.process_time()
    several = encoders_for([asked.encoder], people)
    own = several[0].encode(people.crops)
    say(f"# What codes keep of a person, {date.today().isoformat()}\n")
    say(
        f"`python benchmarks/leakage.py --records FOLDER --people {asked.people} --scenes {asked.scenes}` at commit "
        f"{commit_of()}, {platform.machine()}, one thread; encoder {encoder.name}. Rendered people whom the encoder "
        "has not learnt from, each in four scenes: a linear layer is fitted to two pictures of each and names the "
        "person on the other two. `same or different`: how often two pictures of one person are more alike than two of "
        "different ones, without any fit. Codes that name people are personal data; `trunk` is the attribute "
        "network's, its map averaged in fields."
    )
    say("\n## Naming people")
    named(people, several, say)
    say("\n## Taking identity out\n\nProjections are fitted to half of the people and judged on the other half.")
    removal(people, several[0], say)
    loaded = [part_of(load(folder, "found", asked.cache), asked.part) for folder in asked.photographs]
    coded = [(f, encoder.encode(f.crops)) for f in loaded]
    say(
        "\n## What that costs\n\nLinear probes with all labels, people apart; the projection knows the rendered people."
    )
    cost(people, own, [(people, own), *((f, c) for f, c in coded if f.targets)], say)
    for faces, codes in coded:
        if not faces.targets:
            say(f"\n## Photographs: {faces.name}")
            kept = Kept(encoder.name, encoder.size, encoder.margin, codes)
            named(faces, [kept], say)
            removal(faces, kept, say)
    shares = {}
    if asked.scenes:
        say("\n## What moves a code\n\nOne thing of a rendered scene changes, in shares of the way to another scene.")
        shares = moved(encoder, asked.scenes, say)
    say(f"\n{time.process_time() - began:.0f} CPU seconds.")
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--encoder", default="synthetic")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--part", type=int, default=0, help="at most so many photographs of a folder, at random")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--card", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    encoder, people = Embedder(asked.encoder, "cpu"), rendered_people(asked.records, asked.people)
    shares = measured(asked, encoder, people, say)
    if asked.card:
        print(noted(Path(asked.encoder), people, encoder, shares))
    if asked.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-code-identity.md"
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
