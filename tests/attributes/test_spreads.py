"""Spreads learnt anew: nothing else of a network moves, and only heads of known truth teach them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest_attributes import SMALL, TINY

from omokage.attributes.config import DataConfig, NetworkConfig
from omokage.attributes.loss import spread_loss
from omokage.attributes.model import AttributeNetwork, Located, Outputs, rebuilt, spread_columns
from omokage.attributes.readings import each
from omokage.attributes.spreads import SpreadsConfig, losses, spread_masks, train, with_spreads
from omokage.errors import TrainingError
from omokage.schema import SHIPPED, AttributeSchema
from omokage.weights import registry

REFINED = replace(TINY, points_refine=4)


def _run(weights: Path, folder: Path, out: Path, **changes: object) -> Path:
    data = DataConfig(folders=(str(folder),), held_out=0.6, workers=0)
    config = SpreadsConfig(
        str(weights), data, out=str(out), steps=6, batch=8, warmup=1, log_every=1, save_every=3, device="cpu",
        recipe="again",
    )  # fmt: skip
    return train(replace(config, **changes)) / "weights"  # type: ignore[arg-type]


def _answers(folder: Path, images: torch.Tensor) -> Outputs:
    tensors, card = registry.load(folder, "attributes")
    model = rebuilt(AttributeSchema.from_json(list(card.schema)), card.architecture).eval()
    model.load_state_dict(tensors)
    with torch.inference_mode():
        return model.decode(model(images))


def _values(out: Outputs) -> list[torch.Tensor]:
    """Every tensor but the spreads."""
    plain = [*out.bins.values(), *out.classes.values(), *out.shares.values()]
    return [at.value for at in out.located.values()] + plain


def test_only_the_named_spreads_change(weights: Path, records: Path, tmp_path: Path) -> None:
    new = _run(weights, records, tmp_path / "run")
    images = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before, after = (_answers(folder, images) for folder in (weights, new))
    assert all(torch.equal(a, b) for a, b in zip(_values(before), _values(after), strict=True))
    moved = {n for n, at in after.located.items() if not torch.equal(at.log_sigma, before.located[n].log_sigma)}
    assert moved == {"landmarks", "gaze"}


def test_the_card_keeps_what_did_not_change(weights: Path, records: Path, tmp_path: Path) -> None:
    old = registry.read_card(weights, "attributes")
    new = registry.read_card(_run(weights, records, tmp_path / "run", limits=("one",)), "attributes")
    assert {k: v for k, v in new.calibration.items() if k != "spread"} == {
        k: v for k, v in old.calibration.items() if k != "spread"
    }
    kept = {k: v for k, v in new.calibration["spread"].items() if k not in ("landmarks", "gaze")}
    assert kept.items() <= old.calibration["spread"].items()
    assert set(new.calibration["spread"]) == {"landmarks", "gaze"} | set(old.calibration["spread"])
    assert (new.schema, new.architecture, new.limits) == (old.schema, old.architecture, ["one"])
    assert new.recipe.endswith("again")
    below = [row for row in new.scores if "landmarks errors below sigma" in row["measure"]]
    assert len(below) == 2  # exact crops and changed ones; none of before
    assert {r["measure"] for r in new.scores} == {r["measure"] for r in old.scores}


@pytest.mark.parametrize("network", [TINY, REFINED])
def test_masks_hold_the_spreads_and_nothing_else(network: NetworkConfig) -> None:
    torch.manual_seed(0)
    model = AttributeNetwork(SMALL, network).eval()
    masks = spread_masks(model, ("landmarks", "pose", "gaze"))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if model.refiner is not None:
        torch.nn.init.normal_(model.refiner.weight)
        before["refiner.weight"] = model.refiner.weight.detach().clone()
    noise = {name: torch.randn_like(before[name]) for name in masks}
    images = torch.randn(3, 3, 32, 32)
    with torch.inference_mode():
        first = each(model.decode(model(images)), torch.clone)
        model.load_state_dict(with_spreads(before, noise, masks))
        second = model.decode(model(images))
    assert all(torch.equal(a, b) for a, b in zip(_values(first), _values(second), strict=True))
    for name in ("landmarks", "pose", "gaze"):
        assert (first.located[name].log_sigma != second.located[name].log_sigma).all()


def test_every_shipped_attribute_says_which_numbers_are_spreads() -> None:
    found = {a.name: spread_columns(a) for a in SHIPPED}
    assert {name: (s.start, s.stop) for name, s in found.items() if s is not None} == {
        "landmarks": (136, 204), "pose": (6, 9), "gaze": (2, 4),
    }  # fmt: skip


def test_the_loss_is_least_where_the_spread_is_the_error_and_unlabelled_pictures_count_nothing() -> None:
    errors = torch.tensor([[3.0, 0.5], [1.0, 2.0], [9.0, 9.0]])
    target = torch.tensor([[3.0, -0.5], [-1.0, 2.0], [torch.nan, torch.nan]])
    out = Outputs({}, {}, {"gaze": Located(torch.zeros(3, 2), errors.log())}, {}, {}, {})
    best = losses(out, {"gaze": target}, ("gaze",))["gaze"]
    assert torch.isclose(best, spread_loss(errors[:2], errors[:2].log()).mean())
    for change in (-0.3, 0.3):
        worse = Outputs({}, {}, {"gaze": Located(torch.zeros(3, 2), errors.log() + change)}, {}, {}, {})
        assert losses(worse, {"gaze": target}, ("gaze",))["gaze"] > best


def test_photographs_and_attributes_without_spreads_are_refused(
    weights: Path, photographs: Path, records: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="rendered heads alone"):
        _run(weights, photographs, tmp_path / "a")
    with pytest.raises(TrainingError, match=r"no spread of 'age'.*landmarks, pose, gaze"):
        _run(weights, records, tmp_path / "b", attributes=("age",))


def test_too_few_heads_to_scale_spreads_on_are_refused(weights: Path, records: Path, tmp_path: Path) -> None:
    few = DataConfig(folders=(str(records),), held_out=0.2, workers=0)
    with pytest.raises(TrainingError, match="too few held-out heads have labels of landmarks and gaze"):
        _run(weights, records, tmp_path / "run", data=few)
