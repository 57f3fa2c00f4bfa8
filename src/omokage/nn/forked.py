"""Networks in processes that were forked from one that has used networks, as `multiprocessing` does on Linux.

A fork copies the memory but not the threads. The OpenMP that PyTorch computes with waits in the copy for the workers of
its pool, and never comes back. With one thread it does not ask for them, which is also how PyTorch's own `DataLoader`
goes about it. OpenCV does without its workers by itself, and breaks when the forked process tells it to: it is left
alone. CUDA cannot be used in the copy at all.
"""

from __future__ import annotations

import os
import sys

from omokage.errors import InputError

_watching = _forked = False
_cuda_before = False  # whether the process that this one was forked from had begun to use CUDA


def watch_forks() -> None:
    """From now on, PyTorch computes with one thread in each process that is forked from this one."""
    global _watching
    if not _watching and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_look, after_in_child=_one_thread)
    _watching = True


def check_fork(device: str | None) -> None:
    """Raises InputError in a forked process that cannot use the `device` that is wished (None: CUDA where there is
    one)."""
    if _forked and _cuda_before and device != "cpu":
        raise InputError(
            "this process was forked from one that uses CUDA, which a forked process cannot: start it by the method "
            "'spawn', or give the analyzer device='cpu'"
        )


def _look() -> None:
    global _cuda_before
    torch = sys.modules.get("torch")
    _cuda_before = _cuda_before or (torch is not None and bool(torch.cuda.is_initialized()))


def _one_thread() -> None:
    global _forked
    _forked = True
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
