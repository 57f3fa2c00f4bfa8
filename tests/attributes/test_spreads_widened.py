"""Spreads widened by what a second network says: the factor is that of the distances, and goes into the card."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest_attributes import SMALL, TINY, tiny_config

from omokage.attributes import train as attributes
from omokage.attributes.config import DataConfig
from omokage.attributes.data import Crops
from omokage.attributes.model import AttributeNetwork, Located, Outputs
from omokage.attributes.sources import read_source
from omokage.attributes.spreads import SpreadsConfig, train
from omokage.attributes.widening import apart, widening
from omokage.errors import TrainingError
from omokage.weights import registry


def _located(value: torch.Tensor, spread: float) -> Outputs:
    return Outputs({}, {}, {"gaze": Located(value, torch.full_like(value, spread).log())}, {}, {}, {})


def test_answers_lie_apart_by_a_number_of_the_first_ones_spreads() -> None:
    first = _located(torch.zeros(50, 2), 2.0)
    second = _located(torch.linspace(0, 10, 100).view(50, 2), 7.0)
    assert apart(first, second, "gaze") == pytest.approx(3.4, abs=0.05)  # 68 percent of 10, in twos


def test_a_network_is_not_apart_from_itself_and_the_factor_is_never_below_one(records: Path) -> None:
    torch.manual_seed(0)
    model, other = (AttributeNetwork(SMALL, TINY).eval() for _ in range(2))
    crops = Crops([read_source(records, SMALL)], SMALL, TINY, DataConfig(workers=0))
    names = ("landmarks", "pose", "gaze")
    factors = widening(model, other, crops, crops, names)
    assert set(factors) == set(names)
    assert all(1.0 <= factor < 3.0 for factor in factors.values())
    out = Outputs({}, {"pose": Located(torch.eye(3).repeat(4, 1, 1), torch.zeros(4, 3))}, {}, {}, {}, {})
    assert apart(out, out, "pose") == pytest.approx(0, abs=1e-3)


@pytest.fixture(scope="module")
def second(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of another seed."""
    run = attributes.train(replace(tiny_config((records,), tmp_path_factory.mktemp("second") / "a"), seed=1))
    return run / "weights"


def _config(weights: Path, second: Path, records: Path, photographs: Path, out: Path) -> SpreadsConfig:
    data = DataConfig(folders=(str(records),), held_out=0.6, workers=0)
    return SpreadsConfig(
        str(weights), data, out=str(out), steps=3, batch=8, warmup=1, device="cpu", photographs=str(photographs),
        second=str(second),
    )  # fmt: skip


def test_the_card_holds_the_factors_and_spreads_times_them(
    weights: Path, second: Path, records: Path, photographs: Path, tmp_path: Path
) -> None:
    config = _config(weights, second, records, photographs, tmp_path / "wide")
    wide = registry.read_card(train(config) / "weights", "attributes").calibration
    plain = registry.read_card(
        train(replace(config, out=str(tmp_path / "plain"), photographs="")) / "weights", "attributes"
    )
    assert "widened" not in plain.calibration
    factors = wide["widened"]
    assert set(factors) == {"landmarks", "pose", "gaze"}
    for name in ("landmarks", "gaze"):
        assert wide["spread"][name] == pytest.approx(plain.calibration["spread"][name] * factors[name], abs=1e-3)


def test_what_cannot_widen_is_refused(
    weights: Path, second: Path, records: Path, photographs: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="holds rendered heads: give records of photographs"):
        train(_config(weights, second, records, records, tmp_path / "a"))
    with pytest.raises(TrainingError, match="answers as the first one"):
        train(_config(weights, weights, records, photographs, tmp_path / "b"))
    config = _config(weights, second, records, photographs, tmp_path / "c")
    with pytest.raises(TrainingError, match="does not read smile"):
        train(replace(config, widened=("landmarks", "smile")))
