"""What a program around us has set in PyTorch changes no answer, and we leave what it has set alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import omokage
from omokage.comparison.predict import Comparer
from omokage.dialogue.predict import NativeModel
from omokage.nn.surroundings import opening, undisturbed

Numbers = list[float]


@contextmanager
def default_dtype() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "default_dtype": default_dtype,
    "default_device": lambda: torch.device("meta"),
    "inference_mode": torch.inference_mode,
}


@pytest.fixture(scope="module")
def crop() -> NDArray[np.uint8]:
    side = np.linspace(0, 255, 96)
    return np.stack(np.broadcast_arrays(side[:, None], side, 128.0), 2).astype(np.uint8)


def analysed(crop: NDArray[np.uint8]) -> Numbers:
    (face,) = omokage.Analyzer()(crop, crops=True)
    assert face.age is not None
    return [face.age.years, *face.attributes.values()]


def found(crop: NDArray[np.uint8]) -> Numbers:
    return [face.score for face in omokage.Analyzer().finder.find(np.tile(crop, (2, 2, 1)))]


def embedded(crop: NDArray[np.uint8]) -> Numbers:
    return list(omokage.Embedder().encode(crop[None])[0])


def compared(crop: NDArray[np.uint8]) -> Numbers:
    comparer = Comparer()
    told = comparer.compare(comparer.see([crop, crop[:, ::-1]]), [(0, 1)])
    return [*told.value[0], *told.same_person]


def asked(crop: NDArray[np.uint8]) -> Numbers:
    return list(NativeModel().choose(crop, "Is the person smiling?", ("yes", "no")))


def explained(crop: NDArray[np.uint8]) -> Numbers:
    (face,) = omokage.Analyzer()(crop, crops=True)
    return list(omokage.explain(face, "age", "gradients", image=crop).relevance.sum(1))


@pytest.mark.parametrize("answers", [analysed, found, embedded, compared, asked, explained])
@pytest.mark.parametrize("around", SURROUNDINGS)
def test_answers_are_the_same_whatever_is_set_around(
    answers: Callable[[NDArray[np.uint8]], Numbers], around: str, crop: NDArray[np.uint8]
) -> None:
    expected = answers(crop)
    with SURROUNDINGS[around]():
        got = answers(crop)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("answers", [analysed, found, embedded, compared, asked, explained])
def test_random_numbers_go_on_as_if_we_had_not_been_there(
    answers: Callable[[NDArray[np.uint8]], Numbers], crop: NDArray[np.uint8]
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    answers(crop)
    assert torch.equal(torch.rand(3), expected)


def test_what_is_told_piece_by_piece_leaves_gradients_on_between_the_pieces(crop: NDArray[np.uint8]) -> None:
    for _ in NativeModel().generate(crop, "Describe the face."):
        assert not torch.is_inference_mode_enabled()


def test_settings_are_put_back_also_after_an_error() -> None:
    with default_dtype(), torch.autocast("cpu", torch.bfloat16):
        with undisturbed():
            assert torch.get_default_dtype() == torch.float32
            assert not torch.is_autocast_enabled("cpu")
        with pytest.raises(ZeroDivisionError):
            undisturbed()(lambda: 1 / 0)()
        assert torch.get_default_dtype() == torch.float64
        assert torch.is_autocast_enabled("cpu")


def test_networks_that_are_opened_in_inference_mode_have_gradients() -> None:
    with torch.inference_mode(), opening():
        layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    assert layer.weight.grad is not None
