"""Reduced precision: chosen by hardware, refused by name, and close to full precision where it is used."""

import pytest
import torch

from omokage.attributes.config import NetworkConfig
from omokage.attributes.model import AttributeNetwork
from omokage.errors import TrainingError
from omokage.schema import SHIPPED
from omokage.training.device import reduced_precision

CPU = torch.device("cpu")


def test_words_decide_before_hardware() -> None:
    assert reduced_precision("full", CPU) is None
    assert reduced_precision("bfloat16", CPU) is torch.bfloat16
    assert reduced_precision("auto", CPU) in (None, torch.bfloat16)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(TrainingError, match="half"):
        reduced_precision("half", CPU)


def test_a_trained_step_sees_nearly_the_same_numbers_and_answers_stay_exact() -> None:
    torch.manual_seed(0)
    network = NetworkConfig(size=64, stem=8, widths=(16, 24, 32), blocks=(1, 1, 1), squeeze=8, hidden=16, dropout=0.0)
    model = AttributeNetwork(SHIPPED.only(["landmarks", "age", "smiling"]), network)
    images = torch.randn(8, 3, 64, 64)
    full = model.eval()(images)
    model.precision = torch.bfloat16
    assert all(torch.equal(full[name], model(images)[name]) for name in full)  # answering never uses it
    model.train()
    reduced = {name: raw.detach() for name, raw in model(images).items()}
    model.precision = None
    exact = {name: raw.detach() for name, raw in model(images).items()}
    assert all(raw.dtype is torch.float32 for raw in reduced.values())
    for name in exact:
        assert float((reduced[name] - exact[name]).abs().mean()) < 0.05 * float(exact[name].std() + 1e-3) + 0.02
