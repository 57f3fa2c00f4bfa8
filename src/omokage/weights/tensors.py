"""Write tensors to a file, whole or not at all, with an error that a person can act on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omokage.media.files import whole_path

if TYPE_CHECKING:
    from torch import Tensor


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str] | None = None, hint: str = ""
) -> None:
    """Write a safetensors file with `facts` in its header; `hint` says what happened to the work done so far. Raises
    OutputError."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with whole_path(path, hint) as partial:
        try:
            save_file({k: t.detach().contiguous().cpu() for k, t in tensors.items()}, partial, dict(facts or {}))
        except SafetensorError as error:  # how it wraps what the system said: "... (os error 28)"
            known = re.search(r"os error (\d+)", str(error))
            if known is None:
                raise
            raise OSError(int(known[1]), os.strerror(int(known[1]))) from error
        partial.chmod(0o644)  # safetensors makes files that only their owner can read
