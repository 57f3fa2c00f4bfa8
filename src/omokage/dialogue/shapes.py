"""Scenes without a face: a few coloured shapes, and closed questions about their colour, number, shape and place.

They stand for what a model can see in general. The same fixed set is asked before and after every stage, so that what
learning about faces costs elsewhere is a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from omokage.dialogue.conversation import Example, Image

COLOURS = {
    "red": (214, 40, 40), "green": (46, 160, 67), "blue": (38, 84, 210), "yellow": (240, 208, 40),
    "purple": (136, 60, 180), "orange": (240, 130, 30),
}  # fmt: skip
SHAPES = ("circle", "square", "triangle", "cross")
NUMBERS = ("one", "two", "three", "four")
TASKS = ("color", "count", "shape", "position")
_GROUNDS = ((245, 245, 245), (200, 200, 205), (120, 122, 128), (30, 30, 34), (225, 214, 196))
_SPLIT = "general"


@dataclass(frozen=True, slots=True)
class Thing:
    """One shape in the scene; centre and half size in shares (0..1) of the picture's side."""

    shape: str
    colour: str
    x: float
    y: float
    half: float


def drawn(rng: Generator, size: int = 112) -> tuple[Image, list[Thing]]:
    """A scene of one to four things, no two of one shape and colour, on a plain ground: RGB (size, size, 3)."""
    count = int(rng.integers(1, 5))
    kinds = rng.permutation(len(SHAPES) * len(COLOURS))[:count]
    quarters = rng.permutation(4)[:count]
    things = []
    for kind, quarter in zip(kinds, quarters, strict=True):
        half = float(rng.uniform(0.1, 0.19))
        x, y = (0.25 + 0.5 * side + float(rng.uniform(-1, 1)) * (0.23 - half) for side in (quarter % 2, quarter // 2))
        things.append(Thing(SHAPES[kind % len(SHAPES)], list(COLOURS)[kind // len(SHAPES)], x, y, half))
    return painted(things, _GROUNDS[int(rng.integers(len(_GROUNDS)))], size, rng), things


def painted(things: Sequence[Thing], ground: tuple[int, int, int], size: int, rng: Generator) -> Image:
    """The things on a ground of one colour, with a little noise."""
    big = np.full((size * 4, size * 4, 3), ground, np.uint8)
    for thing in things:
        colour = tuple(int(np.clip(v + rng.normal(0, 8), 0, 255)) for v in COLOURS[thing.colour])
        _paint(big, thing, colour)
    image = cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(image + rng.normal(0, 3, image.shape), 0, 255), np.uint8)


def _paint(image: Image, thing: Thing, colour: tuple[int, ...]) -> None:
    side = image.shape[0]
    x, y, h = round(thing.x * side), round(thing.y * side), round(thing.half * side)
    if thing.shape == "circle":
        cv2.circle(image, (x, y), h, colour, -1)
    elif thing.shape == "square":
        cv2.rectangle(image, (x - h, y - h), (x + h, y + h), colour, -1)
    elif thing.shape == "triangle":
        cv2.fillPoly(image, [np.array([[x, y - h], [x - h, y + h], [x + h, y + h]], np.int32)], colour)
    else:
        arm = max(h // 3, 1)
        cv2.rectangle(image, (x - h, y - arm), (x + h, y + arm), colour, -1)
        cv2.rectangle(image, (x - arm, y - h), (x + arm, y + h), colour, -1)


def questions(things: Sequence[Thing], rng: Generator, image: int, split: str = _SPLIT) -> list[Example]:
    """Everything that can be asked about a scene, one phrasing each."""
    found = [_count(things, rng, image, split)]
    for thing in things:
        found += _about(thing, things, rng, image, split)
    for one in things:
        others = [t for t in things if t.shape != one.shape]
        if others and sum(t.shape == one.shape for t in things) == 1:
            other = others[int(rng.integers(len(others)))]
            if sum(t.shape == other.shape for t in things) == 1:
                found.append(_relation(one, other, rng, image, split))
    return [*found, _presence(things, rng, image, split), _presence(things, rng, image, split)]


def caption(things: Sequence[Thing], rng: Generator) -> str:
    """The scene in words: ``two shapes: a red circle at the top left and a blue square at the bottom right.``"""
    order = [things[i] for i in rng.permutation(len(things))]
    parts = [f"a {t.colour} {t.shape} at the {_row(t)} {_column(t)}" for t in order]
    told = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return f"{NUMBERS[len(things) - 1]} shape{'s' * (len(things) > 1)}: {told}."


def fixed_set(count: int = 300, size: int = 112, seed: int = 77) -> list[tuple[Image, Example]]:
    """`count` questions for each of `TASKS`, every one about a scene of its own; the same at every call."""
    found: dict[str, list[tuple[Image, Example]]] = {task: [] for task in TASKS}
    number = 0
    while any(len(asked) < count for asked in found.values()):
        rng = np.random.default_rng((seed, number))
        image, things = drawn(rng, size)
        open_tasks = [task for task in TASKS if len(found[task]) < count]
        usable = [e for e in questions(things, rng, number) if e.attribute in open_tasks]
        if usable:
            example = usable[int(rng.integers(len(usable)))]
            found[example.attribute].append((image, example))
        number += 1
    return [pair for task in TASKS for pair in found[task]]


def _count(things: Sequence[Thing], rng: Generator, image: int, split: str) -> Example:
    text = _one_of(rng, "How many shapes are there?", "How many shapes do you see?", "Count the shapes.")
    return Example(image, "scene", "count", text, NUMBERS, NUMBERS[len(things) - 1], split)


def _about(thing: Thing, things: Sequence[Thing], rng: Generator, image: int, split: str) -> list[Example]:
    found = []
    if sum(t.shape == thing.shape for t in things) == 1:
        text = _one_of(rng, f"What color is the {thing.shape}?", f"Which color has the {thing.shape}?")
        found.append(Example(image, "scene", "color", text, tuple(COLOURS), thing.colour, split))
        name = thing.shape
    elif sum(t.colour == thing.colour for t in things) == 1:
        name = f"{thing.colour} shape"
    else:
        name = f"{thing.colour} {thing.shape}"
    if sum(t.colour == thing.colour for t in things) == 1:
        text = _one_of(rng, f"Which shape is {thing.colour}?", f"What shape is the {thing.colour} one?")
        found.append(Example(image, "scene", "shape", text, SHAPES, thing.shape, split))
    across = rng.random() < 0.5
    text = _one_of(rng, f"Where is the {name}?", f"In which half is the {name}?")
    options = ("left", "right") if across else ("top", "bottom")
    found.append(Example(image, "scene", "position", text, options, _column(thing) if across else _row(thing), split))
    return found


def _presence(things: Sequence[Thing], rng: Generator, image: int, split: str) -> Example:
    """Whether something has a colour or a shape: for training only, so that these words find what they stand for."""
    coloured, there = rng.random() < 0.6, rng.random() < 0.5
    names = tuple(COLOURS) if coloured else SHAPES
    present = {t.colour if coloured else t.shape for t in things}
    fitting = [name for name in names if (name in present) == there]
    word = fitting[int(rng.integers(len(fitting)))] if fitting else names[0]
    text = _one_of(rng, f"Is something {word}?", f"Do you see a {word} shape?") if coloured else f"Is there a {word}?"
    return Example(image, "scene", "presence", text, ("yes", "no"), "yes" if word in present else "no", split)


def _relation(one: Thing, other: Thing, rng: Generator, image: int, split: str) -> Example:
    across = rng.random() < 0.5
    gap = one.x - other.x if across else one.y - other.y
    if abs(gap) < 0.12:  # beside each other: ask about the other direction, in which they cannot be
        across, gap = not across, one.y - other.y if across else one.x - other.x
    first = rng.random() < 0.5
    word = (("left of" if first else "right of") if across else ("above" if first else "below"))  # fmt: skip
    yes = (gap < 0) == first
    text = f"Is the {one.shape} {word} the {other.shape}?"
    return Example(image, "scene", "position", text, ("yes", "no"), "yes" if yes else "no", split)


def _row(thing: Thing) -> str:
    return "top" if thing.y < 0.5 else "bottom"


def _column(thing: Thing) -> str:
    return "left" if thing.x < 0.5 else "right"


def _one_of(rng: Generator, *texts: str) -> str:
    return texts[int(rng.integers(len(texts)))]
