"""The network's shape and the losses that train it."""

import math

import numpy as np
import pytest
import torch
from conftest_attributes import SMALL, TINY
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from omokage.attributes.config import AttributesConfig, DataConfig, LossConfig, NetworkConfig, bin_count, form
from omokage.attributes.data import Layout
from omokage.attributes.loss import AttributeLoss, masked_mean, ordinal_loss, spread_loss
from omokage.attributes.model import (
    AttributeNetwork,
    architecture,
    bin_centres,
    pose_of_rotation,
    rebuilt,
    rotation_of_six,
)  # fmt: skip
from omokage.data.rotation import matrix_of_pose
from omokage.errors import TrainingError
from omokage.nn.blocks import Add
from omokage.nn.pictures import normalise
from omokage.schema import SHIPPED

AGE = SHIPPED["age"]


def _images(count: int = 4) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8))


def test_every_attribute_of_the_shipped_schema_is_read_once() -> None:
    model = AttributeNetwork(SHIPPED, TINY).eval()
    out = model.decode(model(normalise(_images())))
    groups = (out.points, out.rotations, out.vectors, out.bins, out.classes, out.shares)
    names = [name for group in groups for name in group]
    assert sorted(names) == sorted(a.name for a in SHIPPED)
    assert out.points["landmarks"].value.shape == (4, 68, 2)
    assert out.bins["age"].shape == (4, 101)
    assert out.classes["expression"].shape == (4, 7)
    assert out.shares["quality"].shape == (4,)


def test_a_sub_network_for_each_category_or_one_for_all() -> None:
    assert set(AttributeNetwork(SHIPPED, TINY).categories) == set(SHIPPED.categories())
    shared = NetworkConfig(**{**architecture(AttributeNetwork(SMALL, TINY))["network"], "arrangement": "shared"})
    assert len(AttributeNetwork(SMALL, shared).categories) == 1


def test_every_operation_is_a_known_module() -> None:
    known = (
        nn.Conv2d, nn.BatchNorm2d, nn.BatchNorm1d, nn.ReLU, nn.Linear, nn.Flatten, nn.Dropout, nn.Identity, Add,
    )  # fmt: skip
    leaves = [m for m in AttributeNetwork(SHIPPED, TINY).modules() if not list(m.children())]
    assert all(isinstance(m, known) for m in leaves)


def test_the_card_rebuilds_the_network() -> None:
    model = AttributeNetwork(SMALL, TINY, "coral").eval()
    again = rebuilt(SMALL, architecture(model)).eval()
    again.load_state_dict(model.state_dict())
    x = normalise(_images())
    for name, raw in model(x).items():
        assert torch.equal(raw, again(x)[name])


def test_bytes_become_plus_minus_one() -> None:
    x = normalise(torch.tensor([[[[0, 255, 0]]]], dtype=torch.uint8))
    assert x.flatten().tolist() == [-1.0, 1.0, -1.0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_six_numbers_are_always_a_rotation(six: list[float]) -> None:
    r = rotation_of_six(torch.tensor([six], dtype=torch.float64))[0]
    first, second = torch.tensor(six[:3]), torch.tensor(six[3:])
    if torch.linalg.cross(first, second).norm() < 1e-2 or first.norm() < 1e-2:
        return
    torch.testing.assert_close(r @ r.T, torch.eye(3, dtype=torch.float64), atol=1e-5, rtol=0)
    assert torch.linalg.det(r) == pytest.approx(1, abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-80, 80))
def test_angles_agree_with_the_numpy_convention(yaw: float, pitch: float, roll: float) -> None:
    r = torch.from_numpy(matrix_of_pose((yaw, pitch, roll)))[None]
    torch.testing.assert_close(pose_of_rotation(r)[0].tolist(), [yaw, pitch, roll], atol=1e-5, rtol=0)


def test_masked_mean_ignores_what_is_unknown() -> None:
    rows = torch.tensor([1.0, 5.0, float("inf"), 3.0])
    target = torch.tensor([[1.0], [1.0], [float("nan")], [1.0]])
    assert float(masked_mean(rows, target)) == pytest.approx(3.0)
    assert float(masked_mean(rows, torch.full((4, 1), float("nan")))) == 0.0


@pytest.mark.parametrize("ordinal", ["distribution", "squared", "coral"])
@pytest.mark.parametrize("balance", ["fixed", "learned"])
def test_losses_fall_and_unlabelled_rows_change_nothing(ordinal: str, balance: str) -> None:
    torch.manual_seed(0)
    model = AttributeNetwork(SMALL, TINY, ordinal)
    loss = AttributeLoss(model, LossConfig(ordinal=ordinal, balance=balance))  # type: ignore[arg-type]
    layout = Layout.of(SMALL)
    flat = torch.rand(4, layout.total)
    a, b = layout.slices["pose"]
    flat[:, a:b] = torch.eye(3).flatten()
    a, b = layout.slices["age"]
    flat[:, a:b] = torch.tensor([30.0, math.nan, math.nan])
    flat[3] = math.nan
    optimizer = torch.optim.AdamW([*model.parameters(), *loss.parameters()], 3e-3)
    values = []
    for _ in range(25):
        total, _ = loss(model.decode(model(normalise(_images()))), layout.unpack(flat))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        values.append(float(total.detach()))
    assert all(math.isfinite(v) for v in values)
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())
    assert values[-1] < values[0]
    nothing, parts = loss(model.decode(model(normalise(_images()))), layout.unpack(torch.full_like(flat, math.nan)))
    assert all(float(p.detach()) == 0 for p in parts.values())
    assert math.isfinite(float(nothing.detach()))


def _best_age(target: list[float], ordinal: str = "distribution") -> float:
    """The age that a free distribution comes to when it is trained on one target."""
    logits = torch.zeros(1, bin_count(AGE), requires_grad=True)
    optimizer = torch.optim.Adam([logits], 0.3)
    config = LossConfig(ordinal=ordinal)  # type: ignore[arg-type]
    for _ in range(150):
        optimizer.zero_grad()
        ordinal_loss(AGE, logits, torch.tensor([target]), config).sum().backward()
        optimizer.step()
    return float((torch.softmax(logits.detach(), 1) * bin_centres(AGE)).sum())


def test_distributions_settle_on_the_label() -> None:
    assert _best_age([42.0, math.nan, math.nan]) == pytest.approx(42, abs=0.5)
    assert _best_age([42.0, math.nan, math.nan], "coral") == pytest.approx(42, abs=1.0)


def test_a_bin_is_enough_and_its_upper_bound_is_outside() -> None:
    age = _best_age([math.nan, 20.0, 30.0])
    assert 20 <= age < 30
    p = torch.full((1, 101), -9.0)
    p[0, 30] = 9.0  # all mass on 30, the excluded bound
    target = torch.tensor([[math.nan, 20.0, 30.0]])
    assert float(ordinal_loss(AGE, p, target, LossConfig())) > 5


@settings(deadline=None, max_examples=25)
@given(st.floats(0.05, 3.0))
def test_the_spread_learns_the_mean_absolute_error(scale: float) -> None:
    error = torch.full((50,), scale)
    log_sigma = torch.zeros(50, requires_grad=True)
    optimizer = torch.optim.Adam([log_sigma], 0.1)
    for _ in range(150):
        optimizer.zero_grad()
        spread_loss(error, log_sigma).sum().backward()
        optimizer.step()
    assert float(log_sigma.detach().exp().mean()) == pytest.approx(scale, rel=0.1)


def test_forms_and_bins() -> None:
    assert {form(SHIPPED[n]) for n in ("age", "fatness")} == {"bins"}
    assert form(SHIPPED["perceived_gender"]) == "share"
    assert form(SHIPPED["expression"]) == "classes"
    assert bin_centres(AGE)[[0, -1]].tolist() == [0, 100]


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(TrainingError, match="no training data"):
        AttributesConfig(out="x")
    with pytest.raises(TrainingError, match="give one each"):
        AttributesConfig(out="x", data=DataConfig(folders=("a",), repeats=(1.0, 2.0)))
    with pytest.raises(TrainingError, match="batch norm"):
        AttributesConfig(out="x", data=DataConfig(folders=("a",)), batch=1)
    with pytest.raises(ValueError, match="no such trunk"):
        AttributeNetwork(SMALL, NetworkConfig(trunk="oak"))  # type: ignore[arg-type]
