"""The scenes without a face: what is asked about them is true of their pixels."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.dialogue import shapes
from omokage.dialogue.readings import HUES, coloured
from omokage.nn.pictures import normalise


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_questions_are_true_of_the_scene(seed: int) -> None:
    image, things = shapes.drawn(np.random.default_rng(seed))
    assert image.shape == (112, 112, 3)
    assert image.dtype == np.uint8
    for example in shapes.questions(things, np.random.default_rng(seed), 0):
        assert example.answer in example.options
        assert example.attribute in (*shapes.TASKS, "presence")
        if example.attribute == "presence":
            word = next(w for w in (*shapes.COLOURS, *shapes.SHAPES) if w in example.question)
            assert (example.answer == "yes") == any(word in (t.colour, t.shape) for t in things)
        if example.attribute == "count":
            assert shapes.NUMBERS.index(example.answer) + 1 == len(things)
        if example.attribute == "color":
            named = [t for t in things if t.shape in example.question]
            assert [t.colour for t in named] == [example.answer]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_things_have_their_colour_where_they_are_said_to_be(seed: int) -> None:
    image, things = shapes.drawn(np.random.default_rng(seed), 224)
    for thing in things:
        pixel = image[round(thing.y * 224), round(thing.x * 224)].astype(int)
        nearest = min(shapes.COLOURS, key=lambda name: np.abs(pixel - np.array(shapes.COLOURS[name])).sum())
        assert nearest == thing.colour


def test_colours_are_read_off_the_pixels() -> None:
    """In nearly all scenes: each shape's paint is a little off its colour, now and then beyond the border of a hue."""
    right = []
    for seed in range(100):
        image, things = shapes.drawn(np.random.default_rng(seed))
        values = coloured(normalise(torch.from_numpy(image[None])))[0]
        found = {name for name, value in zip(HUES, values.tolist(), strict=True) if value > 0}
        right.append(found == {t.colour for t in things})
    assert np.mean(right) >= 0.99


def test_relations_follow_the_centres() -> None:
    rng = np.random.default_rng(0)
    one, other = shapes.Thing("circle", "red", 0.2, 0.2, 0.1), shapes.Thing("square", "blue", 0.8, 0.8, 0.1)
    asked = [e for _ in range(60) for e in shapes.questions([one, other], rng, 0) if e.question.startswith("Is the ")]
    truth = {
        ("circle", "left of"): "yes", ("circle", "right of"): "no", ("circle", "above"): "yes",
        ("circle", "below"): "no", ("square", "left of"): "no", ("square", "right of"): "yes",
        ("square", "above"): "no", ("square", "below"): "yes",
    }  # fmt: skip
    seen = set()
    for example in asked:
        first = example.question.removeprefix("Is the ").split()[0]
        word = next(w for w in ("left of", "right of", "above", "below") if w in example.question)
        assert example.answer == truth[first, word]
        seen.add((first, word))
    assert seen == set(truth)


def test_the_fixed_set_is_fixed_and_has_every_kind() -> None:
    one, two = shapes.fixed_set(12), shapes.fixed_set(12)
    assert [e for _, e in one] == [e for _, e in two]
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(one, two, strict=True))
    kinds = [e.attribute for _, e in one]
    assert {kind: kinds.count(kind) for kind in shapes.TASKS} == dict.fromkeys(shapes.TASKS, 12)


def test_a_scene_is_told_completely() -> None:
    _, things = shapes.drawn(np.random.default_rng(3))
    told = shapes.caption(things, np.random.default_rng(0))
    assert all(f"{t.colour} {t.shape}" in told for t in things)
