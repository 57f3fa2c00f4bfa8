"""Several processes: what each must send whatever its batch holds. (A whole run of two is in the attributes' tests.)"""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from omokage.training.device import leave_processes, share_gradients
from omokage.training.loop import descend


@pytest.fixture
def group(tmp_path: Path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


def test_a_part_that_no_label_touched_is_sent_as_zeros(group: None) -> None:
    model = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1), "frozen": nn.Linear(2, 1)})
    model["frozen"].requires_grad_(False)
    model["used"](torch.ones(1, 2)).sum().backward()
    share_gradients(model.parameters(), 2)  # as if of two processes: the mean halves what one has
    assert torch.equal(model["used"].weight.grad, torch.full((1, 2), 0.5))
    assert torch.equal(model["idle"].weight.grad, torch.zeros(1, 2))
    assert model["frozen"].weight.grad is None


def test_a_loss_with_weights_of_its_own_is_shared_with_the_model(group: None) -> None:
    model, weight = nn.Linear(1, 1, bias=False), nn.Parameter(torch.zeros(()))
    nn.init.ones_(model.weight)
    optimizer = torch.optim.SGD([*model.parameters(), weight], 1.0)
    descend(model, optimizer, 6 * model.weight.sum() + 8 * weight, 2.0, 2)  # as if of two processes
    assert float(model.weight.detach()) == pytest.approx(1 - 2.0)  # half of 6, cut to 2
    assert float(weight.detach()) == pytest.approx(-4.0)


def test_leaving_ends_the_group_and_is_harmless_alone(group: None) -> None:
    leave_processes()
    assert not dist.is_initialized()
    leave_processes()
