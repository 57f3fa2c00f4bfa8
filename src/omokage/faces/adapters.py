"""Finders in files that the user brings: YuNet and SCRFD as ONNX, MediaPipe's face detector as a task file.

None of these files is shipped or downloaded. Their boxes follow the WIDER FACE habit (hairline to chin); the share
above the brows is cut off so that every finder means the same by a box.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.errors import InputError, MissingExtraError
from omokage.faces.detect import detections
from omokage.results import Detection

if TYPE_CHECKING:
    from omokage.faces.detect import Finder

_FOREHEAD = 0.22  # of a WIDER FACE box's height, above the brows


def open_file(path: Path) -> Finder:
    """The finder in a file. Raises InputError when it is neither YuNet, SCRFD nor MediaPipe, MissingExtraError without
    its reader.
    """
    if path.suffix.lower() in (".task", ".tflite"):
        return MediaPipeFinder(path)
    session = _session(path)
    names = {output.name for output in session.get_outputs()}
    if {"cls_8", "obj_8", "bbox_8"} <= names:
        return YuNetFinder(path)
    if len(names) in (6, 9):
        return ScrfdFinder(path, session)
    raise InputError(f"{path} is an ONNX file, but neither YuNet nor SCRFD by its outputs; give one of those")


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("a finder in an ONNX file", "onnx", error) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own that have no public names
        raise InputError(
            f"{path} cannot be opened as an ONNX model ({str(error)[:80]}); download or export it again"
        ) from error


def _faces(rows: list[list[float]], shape: Sequence[int]) -> list[Detection]:
    """Score-and-box rows in the WIDER habit to detections."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    table[:, 2] += _FOREHEAD * (table[:, 4] - table[:, 2])
    table = table[(table[:, 3] > table[:, 1]) & (table[:, 4] > table[:, 2])]
    return detections(table, shape)


class OneByOne:
    """`find_batch` for finders that take one picture at a time."""

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        raise NotImplementedError

    def find_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """The faces of each picture, one after the other."""
        return [self.find(image) for image in images]


class YuNetFinder(OneByOne):
    """YuNet (Wu et al. 2023) through OpenCV's own FaceDetectorYN."""

    def __init__(self, path: Path, threshold: float = 0.7) -> None:
        try:
            self.detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), threshold, 0.3, 500)
        except cv2.error as error:
            raise InputError(
                f"{path} cannot be opened by OpenCV's FaceDetectorYN ({error.err}); use another YuNet file"
            ) from error

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """The faces of one RGB picture (h, w, 3), largest first."""
        self.detector.setInputSize((image.shape[1], image.shape[0]))
        _, found = self.detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        rows = [] if found is None else [[f[14], f[0], f[1], f[0] + f[2], f[1] + f[3]] for f in found.tolist()]
        return _faces(rows, image.shape)


class ScrfdFinder(OneByOne):
    """SCRFD (Guo et al. 2021): scores and distances at strides 8, 16 and 32, two anchors a cell, input 640 x 640."""

    def __init__(self, path: Path, session: Any, threshold: float = 0.5) -> None:
        self.session = session
        self.threshold = threshold
        shape = session.get_inputs()[0].shape
        self.size = shape[2] if isinstance(shape[2], int) and shape[2] > 0 else 640
        if self.size % 32:
            raise InputError(f"{path} asks for {self.size} pixel pictures; SCRFD files take a multiple of 32")

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """The faces of one RGB picture (h, w, 3), largest first."""
        scale = self.size / max(image.shape[:2])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        canvas = np.zeros((self.size, self.size, 3), np.float32)
        canvas[: size[1], : size[0]] = cv2.resize(image, size)
        feed = ((canvas - 127.5) / 128).transpose(2, 0, 1)[None]
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: feed})
        rows = []
        for level, stride in enumerate((8, 16, 32)):
            scores, reach = outputs[level].reshape(-1), outputs[level + 3].reshape(-1, 4) * stride
            cells = self.size // stride
            anchors = len(scores) // (cells * cells)
            y, x = np.divmod(np.arange(cells * cells).repeat(anchors), cells)
            for i in np.flatnonzero(scores >= self.threshold):
                left, top, right, bottom = reach[i]
                at = (x[i] * stride, y[i] * stride)
                rows.append([float(scores[i]), at[0] - left, at[1] - top, at[0] + right, at[1] + bottom])
        table = np.array(rows, np.float64).reshape(-1, 5)
        table[:, 1:] /= scale
        return _faces(table.tolist(), image.shape)


class MediaPipeFinder(OneByOne):
    """MediaPipe's face detector task; needs the `mediapipe` package, which the user installs."""

    def __init__(self, path: Path, threshold: float = 0.5) -> None:
        try:
            mediapipe = importlib.import_module("mediapipe")
            tasks = importlib.import_module("mediapipe.tasks.python")
        except ImportError:
            text = (
                f"{path} needs the package mediapipe, which is not installed; install it in an environment of its own"
            )
            raise InputError(text) from None
        self.mediapipe = mediapipe
        options = tasks.vision.FaceDetectorOptions(tasks.BaseOptions(str(path)), min_detection_confidence=threshold)
        self.detector = tasks.vision.FaceDetector.create_from_options(options)

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """The faces of one RGB picture (h, w, 3), largest first."""
        picture = self.mediapipe.Image(image_format=self.mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        rows = []
        for face in self.detector.detect(picture).detections:
            b = face.bounding_box
            rows.append([face.categories[0].score, b.origin_x, b.origin_y, b.origin_x + b.width, b.origin_y + b.height])
        return _faces(rows, image.shape)
