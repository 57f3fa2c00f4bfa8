"""Published benchmarks of questions about faces, in their own file layouts, and a check that none of their pictures
were trained on.

FaceXBench (Narayan et al., 2025): 5,000 questions with options, one JSON file per source below ``benchmark/``, pictures
below ``benchmark/images/``. FaceBench (Wang et al., CVPR 2025): JSON lines with ``question_type`` TFQ, SCQ, MCQ or OEQ.
Scores depend on the version of the files: note the commit. Known problem: FaceXBench asks for "race" and for who
celebrities are, which this project refuses; such questions count as not answered, and so do questions about several
pictures, which the room's models cannot see.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.dialogue.annotate import picture_id
from omokage.dialogue.refusal import refused
from omokage.errors import InputError
from omokage.media.image import decode, read_image

Skipped = Literal["", "refused", "several pictures", "open", "several answers"]
# Of 256 bits. Rendered heads made smaller and recompressed (quality 70) differ in 7 (median) to 28 (99 of 100) bits,
# different ones among 800 in 40 and more.
_NEAR = 28


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a published benchmark. `options` are empty for open ones; `answers` are the right options."""

    id: str
    images: tuple[Path, ...]
    text: str
    options: tuple[str, ...]
    answers: tuple[str, ...]
    category: str
    source: str
    skipped: Skipped = ""


def read_facexbench(folder: Path) -> Iterator[Question]:
    """Stream FaceXBench; `folder` is its ``benchmark`` folder or the one that holds it. Options are what is chosen
    from, so that the right letter needs no parsing. Raises InputError for another layout."""
    root = folder / "benchmark" if (folder / "benchmark").is_dir() else folder
    files = sorted(root.glob("*.json"))
    if not files:
        raise InputError(f"{folder} holds no FaceXBench: put its benchmark folder there (*.json and images/)")
    for path in files:
        told = _json(path)
        for key in ("category", "sub-category", "dataset", "questions"):
            if key not in told:
                raise InputError(f"{path} lacks {key!r}: take FaceXBench's own files")
        category = f"{told['category']}/{told['sub-category']}"
        for number, q in told["questions"].items():
            options = tuple(str(option) for option in q["options"])
            place = ord(str(q["correct_answer_option"]).strip()[:1].upper() or "?") - ord("A")
            if not 0 <= place < len(options):
                raise InputError(f"{path}, question {number}: the right option {q['correct_answer_option']!r} is none")
            images = tuple(root / name for name in q["image_paths"])
            text = str(q["question_text"])
            yield Question(f"{path.stem}-{number}", images, text, options, (options[place],), category,
                           str(told["dataset"]), _skipped(text, options, images, category))  # fmt: skip


def read_facebench(table: Path, pictures: Path) -> Iterator[Question]:
    """Stream FaceBench's JSON lines; pictures are looked up by ``image_id`` below `pictures`. "Information not visible"
    is an option like others. Raises InputError for another layout."""
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{table} cannot be read: {error.strerror or error}") from error
    for number, line in enumerate(filter(str.strip, lines), 1):
        try:
            q = json.loads(line)
            options, right = tuple(map(str, q["options"])), q["gt_answer"]
            answers = tuple(map(str, right)) if isinstance(right, list) else (str(right),)
            facts = q.get("metadata", {})
            image = pictures / str(q["image_id"])
            text = str(q["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{table}, line {number}: not a question in FaceBench's format ({error})") from error
        category = f"{facts.get('view', '')}/{facts.get('attribute_level', '')}"
        skipped = _skipped(text, options, (image,), category) or ("several answers" if len(answers) > 1 else "")
        yield Question(f"{q['image_id']}-{q['question_id']}", (image,), text, options, answers, category,
                       str(facts.get("image_source", "")), skipped)  # fmt: skip


def _skipped(text: str, options: Sequence[str], images: Sequence[Path], category: str) -> Skipped:
    if refused(text, options) is not None or category.endswith(("/race", "celebrity_identification")):
        return "refused"
    if not options:
        return "open"
    return "several pictures" if len(images) != 1 else ""


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(told, dict):
        raise InputError(f"{path} is no table of questions")
    return told


def fingerprint(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """256 bits (32,) that survive scaling and recompression: is each of 16 x 16 cells brighter than its right
    neighbour (difference hash)."""
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1])


class Trained:
    """The pictures that a model was trained on, as hashes: exact ones of the pixels and fingerprints of near copies."""

    def __init__(self, pictures: Iterable[bytes]) -> None:
        self._ids: set[str] = set()
        marks = []
        for number, content in enumerate(pictures):
            pixels = decode(content, f"training picture {number}").pixels
            self._ids.add(picture_id(pixels))
            marks.append(fingerprint(pixels))
        self._marks = np.array(marks, np.uint8).reshape(-1, 32)

    def __len__(self) -> int:
        return len(self._marks)

    def holds(self, pixels: NDArray[np.uint8]) -> bool:
        """Whether a picture (h, w, 3), or a near copy of it, is among them."""
        if picture_id(pixels) in self._ids:
            return True
        differ = np.unpackbits(self._marks ^ fingerprint(pixels), axis=1).sum(1)
        return bool((differ <= _NEAR).any())


def contaminated(questions: Iterable[Question], trained: Trained) -> list[str]:
    """The ids of the questions whose pictures were trained on; a score must leave them out. Raises UnreadableError."""
    seen: dict[Path, bool] = {}
    found = []
    for question in questions:
        for image in question.images:
            if image not in seen:
                seen[image] = trained.holds(read_image(image))
        if any(seen[image] for image in question.images):
            found.append(question.id)
    return found
