"""What a program around us has set in PyTorch, kept away from our networks; and ours from what it has set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from omokage.nn.forked import watch_forks


@contextmanager
def undisturbed() -> Iterator[None]:
    """Networks compute as they were made to: in float32, on the device that the code names, without the autocast, the
    default type or the default device of the program around. Also a decorator (``@undisturbed()``).

    Only what is set otherwise is touched: a device mode costs time in every operation.
    """
    with ExitStack() as back:
        if (usual := torch.get_default_dtype()) != torch.float32:
            back.callback(torch.set_default_dtype, usual)
            torch.set_default_dtype(torch.float32)
        if torch.empty(0).device.type != "cpu":  # older `get_default_device` do not know of ``with torch.device(...)``
            back.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                back.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextmanager
def opening() -> Iterator[None]:
    """For building networks and for gradients: `undisturbed`, with parameters that have gradients although the program
    is in inference mode, and with the program's random numbers as they were afterwards. Also a decorator."""
    watch_forks()
    with undisturbed(), torch.random.fork_rng(devices=[]), torch.inference_mode(False):
        yield
