"""Run one step of a benchmark in a fresh process.

Training forks processes that cut crops. A process that has rendered or analysed pictures before holds threads of OpenCV
and of numba, and a fork of it can wait for them forever.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function(*arguments)` returns; it must be a module's own function. Raises what it raises."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
