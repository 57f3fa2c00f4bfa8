"""The finders by name: those of weight sets, OpenCV's cascade, and model files that the user brings."""

from __future__ import annotations

from pathlib import Path

from omokage.errors import InputError
from omokage.faces.adapters import open_file
from omokage.faces.detect import Finder, NetworkFinder
from omokage.faces.haar import HaarFinder
from omokage.weights.registry import is_known, set_names


def open_finder(name_or_path: str | Path = "synthetic", device: str = "cpu") -> Finder:
    """A finder by name or by file.

    `haar`; the name or folder of a weight set with a `finder` in it; or a model file of the user's: `.onnx` (YuNet or
    SCRFD, told apart by their outputs) and `.task` or `.tflite` (MediaPipe). Raises InputError for anything else.
    """
    if str(name_or_path) == "haar":
        return HaarFinder()
    path = Path(name_or_path)
    if path.suffix.lower() in (".onnx", ".task", ".tflite"):
        if not path.is_file():
            raise InputError(
                f"the finder file {path} does not exist; give the path of a YuNet, SCRFD or MediaPipe model file"
            )
        return open_file(path)
    if not is_known(name_or_path):
        raise InputError(
            f"no finder called {str(name_or_path)!r}: give haar, a weight set ({', '.join(set_names())}), the folder "
            "of one, or a model file (.onnx, .task, .tflite)"
        )
    return NetworkFinder(name_or_path, device=device)
