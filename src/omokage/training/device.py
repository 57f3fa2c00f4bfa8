"""Where a run computes, how it is seeded, and the processes that share it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from omokage.errors import InputError, TrainingError


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` takes CUDA where there is one. Raises InputError for a device that this machine lacks."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"{name!r} is not a device; use auto, cpu, cuda or cuda:1") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"the device {name!r} was asked for but this machine has no usable CUDA; use --device cpu")
    try:
        float(torch.ones(1, device=device)[0])
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # each kind of device has words of its own
        raise InputError(f"this machine cannot compute on {name!r} ({_first_line(error)}); use cpu") from error
    return device


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")


def reduced_precision(wish: str, device: torch.device) -> torch.dtype | None:
    """bfloat16 where the hardware multiplies it natively and is faster for it, else None for full precision.

    "auto" looks at the hardware: CUDA from Ampere on, and CPUs with AVX512-BF16 (1.6 times the speed of float32 there;
    without these instructions bfloat16 is emulated and more than ten times slower). "full" and "bfloat16" insist.
    Raises TrainingError for another word.
    """
    if wish not in ("auto", "full", "bfloat16"):
        raise TrainingError(f"{wish!r} is not a precision; use auto, full or bfloat16")
    if wish != "auto":
        return torch.bfloat16 if wish == "bfloat16" else None
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else None
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # absent from some releases: then full precision
    return torch.bfloat16 if native is not None and native() else None


def seed_everything(*numbers: int) -> None:
    """Seed Python, numpy and torch from several numbers; called before each step, it makes a resumed run exact."""
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    random.seed(int(state))
    np.random.seed(int(state) % 2**32)
    torch.manual_seed(int(state) % 2**63)


@dataclass(frozen=True, slots=True)
class Processes:
    """This process's place among those that ``torchrun`` started (0 of 1 without it)."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0


_PATIENCE = timedelta(hours=2)  # the others wait while the first one calibrates; a dead one is noticed at once


def join_processes(device: torch.device) -> Processes:
    """Join the processes that ``torchrun`` started, over nccl on CUDA and gloo on CPU; alone without it."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Processes()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    return Processes(dist.get_rank(), world)


def leave_processes() -> None:
    """Undo `join_processes`, all at the same time: who leaves early takes its connections away from those who still
    calibrate and write."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def share_model(model: nn.Module) -> None:
    """Give every process the first one's parameters and buffers."""
    if dist.is_initialized():
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, 0)


def share_gradients(parameters: Iterable[nn.Parameter], world: int) -> None:
    """Replace each gradient by its mean over the processes, in one message.

    A parameter that this process's batch did not touch counts as a gradient of 0: the message must have the same
    length everywhere, whatever labels a batch happens to hold.
    """
    if world == 1:
        return
    used = [p for p in parameters if p.requires_grad]
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in used])
    dist.all_reduce(flat)
    flat /= world
    for parameter, piece in zip(used, torch.split(flat, [p.numel() for p in used]), strict=True):
        parameter.grad = piece.view_as(parameter)


def agree(value: float, device: torch.device) -> float:
    """The first process's number in all of them, so that clocks cannot make them part."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(shared, 0)
    return float(shared[0])
