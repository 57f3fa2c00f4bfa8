"""Everything a run needs to go on exactly where it was, in one safetensors file: no pickle is written or read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from omokage.errors import TrainingError
from omokage.weights.tensors import write_tensors


def save_checkpoint(
    path: Path, modules: Mapping[str, nn.Module], optimizer: Optimizer, facts: Mapping[str, Any]
) -> None:
    """Write modules, optimizer state and JSON-able facts, whole or not at all. Raises OutputError."""
    tensors = {f"{name}/{k}": t for name, module in modules.items() for k, t in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer/{index}/{k}": torch.as_tensor(v) for k, v in state.items()})
    hint = f"the last checkpoint in {path.parent} is kept: go on with --resume" if path.exists() else ""
    write_tensors(path, tensors, {"facts": json.dumps(dict(facts))}, hint)


def load_checkpoint(path: Path, modules: Mapping[str, nn.Module], optimizer: Optimizer) -> dict[str, Any]:
    """Put a checkpoint's state back in place and return its facts. Raises TrainingError for a foreign or damaged
    file."""
    facts = facts_of(path)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        for name, module in modules.items():
            module.load_state_dict(_below(tensors, name))
        _restore(optimizer, _below(tensors, "optimizer"))
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"the checkpoint {path} is damaged or of another network ({error}); start in a new folder"
        ) from error
    return facts


def facts_of(path: Path) -> dict[str, Any]:
    """The facts of a checkpoint alone. Raises TrainingError for a damaged file."""
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
        if not isinstance(facts, dict):
            raise TypeError("its facts are no object")
    except (OSError, KeyError, ValueError, TypeError, SafetensorError) as error:
        raise TrainingError(f"the checkpoint {path} is damaged ({error}); start in a new folder") from error
    return facts


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{prefix}/"): t for k, t in tensors.items() if k.startswith(f"{prefix}/")}


def _restore(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Optimizer state from ``index/key`` tensors; rates and other group settings stay the recipe's."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/", 1)
        state.setdefault(int(index), {})[key] = tensor
    known = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": known["param_groups"]})
