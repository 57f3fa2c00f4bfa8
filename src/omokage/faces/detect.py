"""Find faces: one Protocol, the trained network behind it, and a door that opens any finder by name or by file.

The network sees a picture at up to three sizes. *Coarse*: the whole picture at 160 pixels inside a repeated border, for
faces that fill it. *Fine*: at its own size, up to 640 pixels, for all others. *Sharp*: at up to 1,280 pixels, only
where the picture is larger than 900, for small faces in large photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.results import Box, Detection

if TYPE_CHECKING:
    from torch import Tensor

    from omokage.faces.network import FinderNet

Image = NDArray[np.uint8]
COARSE, FINE, SHARP, SHARP_ABOVE = 160, 640, 1280, 900
_GRID = 64  # canvases are multiples of the coarsest stride
_COARSE_BORDER = 16
_BATCH_PIXELS = 1_400_000  # canvases of one shape go through the network together up to this many pixels
_SMALLEST = 8.0  # pixels of the canvas
_FILLING = 32.0  # likewise: from here on a box in the coarse view counts as filling the picture


class Finder(Protocol):
    """Anything that finds faces in RGB uint8 pictures (h, w, 3)."""

    def find(self, image: Image) -> list[Detection]:
        """The faces of one picture, largest first; an empty list when there is none."""
        ...

    def find_batch(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The faces of each picture."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Scores from which a box is a face: `filling` for boxes of at least 32 pixels in the coarse view, `other` for all
    else.

    Two numbers, because a picture has thousands of places for a small false face and few for one that fills it.
    """

    filling: float
    other: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture on its way into the network: canvas (h, w, 3), and `(pixel - offset) / scale` leads back to the
    picture.

    Boxes with a larger side below `least` canvas pixels are left to the other views.
    """

    canvas: Image
    scale: tuple[float, float]
    offset: tuple[int, int]
    coarse: bool
    least: float


def views(image: Image) -> list[View]:
    """The canvases for one picture, coarse first. Raises ValueError unless it is RGB uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"finders take RGB uint8 pictures (h, w, 3), not {image.dtype} {image.shape}")
    longest = max(image.shape[:2])
    found = []
    base = _resized(image, min(FINE, longest))  # the coarse view shrinks this one: cheaper, and the same to the eye
    if longest > COARSE:
        found.append(_view(image, base, 0, False, _SMALLEST))
    found.insert(0, _view(image, _resized(base, COARSE), _COARSE_BORDER, True, _FILLING if found else _SMALLEST))
    if longest > SHARP_ABOVE:
        found.append(_view(image, _resized(image, min(SHARP, longest)), 0, False, _SMALLEST))
    return found


def _resized(image: Image, longest: int) -> Image:
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale == 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _view(image: Image, small: Image, border: int, coarse: bool, least: float) -> View:
    """The scaled picture on a canvas with at least `border` repeated pixels around."""
    height, width = small.shape[:2]
    full = [-(-(side + 2 * border) // _GRID) * _GRID for side in (width, height)]
    left, top = ((full[0] - width) // 2, (full[1] - height) // 2) if border else (0, 0)
    right, bottom = full[0] - width - left, full[1] - height - top
    canvas = np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)
    return View(canvas, (width / image.shape[1], height / image.shape[0]), (left, top), coarse, least)


def suppress(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], overlap: float = 0.4, nested: float = 0.65
) -> list[int]:
    """Indices that survive, best first: a box goes when a better one overlaps it (IoU) or one lies within the other.

    `boxes` (n, 4), `scores` (n,); `nested` is the shared area over the smaller of the two areas.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while len(left):
        best, left = int(left[0]), left[1:]
        keep.append(best)
        reach = np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2])
        common = np.prod(np.clip(reach, 0, None), axis=1)
        iou = common / (areas[best] + areas[left] - common)
        left = left[(iou <= overlap) & (common <= nested * np.minimum(areas[best], areas[left]))]
    return keep


class NetworkFinder:
    """The trained finder. `weights` is a set's name or a folder; `limits` replaces the calibrated score limits.

    Scores are calibrated on composed scenes: of boxes with score 0.8 there, about eight in ten are faces. Raises
    WeightsError when the weights are missing, damaged or do not fit.
    """

    def __init__(self, weights: str | Path = "synthetic", limits: Limits | None = None, device: str = "cpu") -> None:
        from omokage.errors import WeightsError
        from omokage.faces.network import FinderNet
        from omokage.nn.surroundings import opening
        from omokage.weights.registry import load

        tensors, card = load(weights, "finder")
        with opening():
            net = FinderNet(tuple(card.architecture["widths"]), card.architecture["pyramid"])
        try:
            net.load_state_dict(tensors)
        except RuntimeError as error:
            raise WeightsError(
                f"the finder weights {card.id} do not fit the network; train or install them again"
            ) from error
        self.card = card
        known = card.calibration
        self._use(net, limits or Limits(known["filling"], known["other"]), (known["slope"], known["shift"]), device)

    @classmethod
    def of(
        cls, net: FinderNet, limits: Limits, line: tuple[float, float] = (1.0, 0.0), device: str = "cpu"
    ) -> NetworkFinder:
        """A finder around a network in memory. The network is changed: its batch norms are folded away.

        `line` = slope and shift that turn the network's logits into those of the score.
        """
        finder = cls.__new__(cls)
        finder._use(net, limits, line, device)
        return finder

    def _use(self, net: FinderNet, limits: Limits, line: tuple[float, float], device: str) -> None:
        import torch

        from omokage.faces.network import fused
        from omokage.nn.surroundings import opening
        from omokage.training.device import pick_device

        self.limits = limits
        self.line = line
        self.device = pick_device(device)
        with opening():
            self.net = fused(net).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def find(self, image: Image) -> list[Detection]:
        """The faces of one picture, largest first."""
        return self.find_batch([image])[0]

    def find_batch(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The faces of each picture; canvases of equal shape share a pass through the network."""
        groups: dict[tuple[int, ...], list[tuple[int, View]]] = {}
        for index, image in enumerate(images):
            for view in views(image):
                groups.setdefault(view.canvas.shape, []).append((index, view))
        found: list[list[NDArray[np.float32]]] = [[] for _ in images]
        for shape, members in groups.items():
            at_once = max(1, _BATCH_PIXELS // (shape[0] * shape[1]))
            for start in range(0, len(members), at_once):
                part = members[start : start + at_once]
                for (index, _), rows in zip(part, self._rows([view for _, view in part]), strict=True):
                    found[index].append(rows)
        return [detections(np.concatenate(rows), image.shape) for rows, image in zip(found, images, strict=True)]

    def _rows(self, part: list[View]) -> list[NDArray[np.float32]]:
        """For each view (k, 5): score and box in picture pixels of all cells above the limits."""
        import torch

        from omokage.faces.network import decode
        from omokage.nn.surroundings import undisturbed

        pictures = torch.from_numpy(np.stack([view.canvas for view in part])).permute(0, 3, 1, 2)
        rows = []
        with undisturbed(), torch.inference_mode():
            logits, boxes = decode(self.net(_floats(pictures, self.device)))
            scores = torch.sigmoid(self.line[0] * logits + self.line[1])
            for view, score, box in zip(part, scores, boxes, strict=True):
                good = score >= min(self.limits.filling, self.limits.other)
                found = torch.cat([score[good][:, None], box[good]], 1).cpu().numpy()
                side = (found[:, 3:] - found[:, 1:3]).max(1)
                limit = np.where(view.coarse & (side >= _FILLING), self.limits.filling, self.limits.other)
                found = found[(found[:, 0] >= limit) & (side >= view.least)]
                found[:, 1:] = (found[:, 1:] - np.tile(view.offset, 2)) / np.tile(view.scale, 2)
                rows.append(found)
        return rows


def _floats(pictures: Tensor, device: object) -> Tensor:
    import torch

    assert isinstance(device, torch.device)
    return pictures.to(device=device, dtype=torch.float32, memory_format=torch.channels_last) / 255


def detections(rows: NDArray[np.floating], shape: Sequence[int]) -> list[Detection]:
    """Suppress doubles among (k, 5) score-and-box rows, drop boxes centred outside the picture, largest first."""
    centre = (rows[:, 1:3] + rows[:, 3:5]) / 2
    rows = rows[((centre >= 0) & (centre <= [shape[1], shape[0]])).all(1)]
    kept = [rows[i].astype(float) for i in suppress(rows[:, 1:], rows[:, 0])]
    faces = [Detection(Box(*row[1:].tolist()), float(row[0])) for row in kept]
    return sorted(faces, key=lambda face: -face.box.area)
