"""Faces in the same state: how often the nearest codes of other people share smile, side or expression.

    python benchmarks/retrieval.py [--encoder WEIGHTS] [--photographs FOLDER]... [--records FOLDER]
        [--cache DIR] [--write]

Precision at 5 with its interval against the base rate, for the encoder, the same network untrained, the attribute
network's trunk and pixels. Photographs are only counted; the grid of queries and answers is drawn with the rendered
people of `--records`, whom the encoder has not learnt from, into docs/images/retrieval.jpg.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from leakage import rendered_people
from omokage.embeddings.labelled import LabelledFaces
from omokage.embeddings.predict import Encoder
from omokage.embeddings.reading import neighbours
from omokage.embeddings.retrieve import precision_at
from omokage.media.files import whole_path
from omokage.training.run import commit_of
from probes import ROOT, encoders_for, load, part_of

TOP, ROWS, GAP = 5, 6, 8
TASKS = ("smiling", "yaw side", "expression", "eyeglasses")
Say = Callable[[str], None]


def figures(faces: LabelledFaces, encoders: Sequence[Encoder], say: Say) -> None:
    """Precision at 5 of every nominal task."""
    say(f"\n## {faces.name}: {len(faces)} pictures of {len(set(faces.people))} people\n")
    say("| the same | codes of | precision at 5 | 95 % interval | base rate | pictures |\n|---|---|---|---|---|---|")
    for task in (t for t in TASKS if t in faces.targets):
        target = faces.targets[task]
        people = [faces.people[k] for k in target.rows]
        for encoder in encoders:
            codes = encoder.encode(faces.crops)[target.rows]
            value, low, high, base = precision_at(codes, target.values.tolist(), people, TOP)
            say(f"| {task} | {encoder.name} | {value:.3f} | {low:.3f} to {high:.3f} | {base:.3f} | {len(people)} |")


def rows_to_show(faces: LabelledFaces, seed: int) -> list[int]:
    """Queries that differ: one of each expression in turn, of people apart."""
    rng = np.random.default_rng(seed)
    target = faces.targets["expression"]
    names = dict.fromkeys(sorted(set(target.values.tolist())))
    chosen: list[int] = []
    for name in [*names][:ROWS]:
        own = [int(k) for k in rng.permutation(target.rows[target.values == name])]
        seen = {faces.people[k] for k in chosen}
        chosen += [k for k in own if faces.people[k] not in seen][:1]
    return chosen


def sheet(faces: LabelledFaces, encoder: Encoder, seed: int = 3) -> NDArray[np.uint8]:
    """A row for each query: the query, a gap, its five nearest of other people, at most one of each person."""
    codes = encoder.encode(faces.crops)
    queries = rows_to_show(faces, seed)
    side = faces.crops.shape[1]
    out = np.full((len(queries) * (side + GAP) - GAP, (TOP + 1) * (side + GAP) + GAP, 3), 255, np.uint8)
    for r, (query, near) in enumerate(zip(queries, neighbours(codes, faces.people, queries, 4 * TOP), strict=True)):
        answers = list({faces.people[k]: k for k in reversed(near)}.values())[::-1]
        answers = sorted(answers, key=near.index)[:TOP]
        for c, k in enumerate((query, *answers)):
            x = c * (side + GAP) + (2 * GAP if c else 0)
            out[r * (side + GAP) : r * (side + GAP) + side, x : x + side] = faces.crops[k]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="synthetic")
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--records", type=Path)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--part", type=int, default=0, help="at most so many photographs of a folder, at random")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    began, lines = time.process_time(), []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    sets = [rendered_people(asked.records, asked.people)] if asked.records else []
    sets += [part_of(load(folder, "found", asked.cache), asked.part) for folder in asked.photographs]
    say(f"# Faces in the same state, {date.today().isoformat()}\n")
    say(
        f"`python benchmarks/retrieval.py --photographs FOLDER --records FOLDER` at commit {commit_of()}, "
        f"{platform.machine()}, one thread, encoder {asked.encoder}. Every picture asks for the five nearest of other "
        "people, by the cosine of standardised codes; the base rate is what picking at random gives. Photographs are "
        "development photographs that no encoder has seen; `trunk` is the attribute network's, `pixels` principal "
        "components of grey pixels."
    )
    for faces in sets:
        encoders = encoders_for([asked.encoder], faces)
        figures(faces, encoders, say)
        if asked.records and faces is sets[0] and asked.write:
            picture = ROOT / "docs" / "images" / "retrieval.jpg"
            with whole_path(picture) as partial:
                code = cv2.imencode(".jpg", sheet(faces, encoders[0])[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
                partial.write_bytes(code.tobytes())
            say("\n![a query on the left and its nearest codes of other rendered people](../images/retrieval.jpg)\n")
            say("The query stands on the left, then its five nearest; all of them are rendered.")
    say(f"\n{time.process_time() - began:.0f} CPU seconds.")
    if asked.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-retrieval.md"
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
