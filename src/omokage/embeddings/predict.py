"""From crops to codes: the trained encoder, and the two baselines that any encoder must beat.

Everything that reads codes (probes, retrieval, leakage) takes any `Encoder`; networks of other rooms come in through
the same door, handed in by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from omokage.embeddings.config import EncoderConfig
from omokage.embeddings.model import MODEL, FaceEncoder, load_encoder
from omokage.errors import InputError
from omokage.faces.align import stacked
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening, undisturbed
from omokage.training.device import pick_device
from omokage.weights import registry

Crops = NDArray[np.uint8]
Codes = NDArray[np.float32]


class Encoder(Protocol):
    """Turns crops uint8 (n, size, size, 3) into codes float32 (n, d); crops show `margin` times the face's box."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def margin(self) -> float: ...

    def encode(self, crops: Crops) -> Codes: ...


@dataclass(frozen=True, slots=True)
class FunctionEncoder:
    """Any function from crops (n, size, size, 3) to codes (n, d) as an `Encoder`; it gets `batch` crops at a time."""

    name: str
    size: int
    margin: float
    function: Callable[[Crops], NDArray]
    batch: int = 64

    def encode(self, crops: Crops) -> Codes:
        """Codes (n, d) of crops of any side: they are resized to `size`."""
        parts = [np.asarray(self.function(part), np.float32) for part in batches(crops, self.size, self.batch)]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


class Embedder:
    """The encoder of a weights folder or shipped set, on `device` ("auto", "cpu", "cuda"). Raises WeightsError."""

    @opening()
    def __init__(
        self, weights: str | Path = registry.DEFAULT_SET, device: str = "auto", batch: int = 64, name: str = ""
    ) -> None:
        self.card: registry.Card | None = registry.read_card(weights, MODEL)
        self._set(load_encoder(weights), device, batch, name or self.card.id)

    @classmethod
    @opening()
    def of(cls, network: FaceEncoder, name: str, device: str = "auto", batch: int = 64) -> Embedder:
        """An embedder around a network that is in memory already."""
        made = cls.__new__(cls)
        made.card = None
        made._set(network.eval(), device, batch, name)
        return made

    def _set(self, network: FaceEncoder, device: str, batch: int, name: str) -> None:
        self.name, self.config = name, network.config
        self.size, self.margin = network.config.size, network.config.margin
        self.device, self.batch = pick_device(device), batch
        self._network = folded(network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @undisturbed()
    @torch.inference_mode()
    def encode(self, crops: Crops) -> Codes:
        """Codes (n, 256) of uint8 RGB crops (n, side, side, 3). Raises InputError for other arrays."""
        parts = [
            self._network(normalise(torch.from_numpy(part).to(self.device))).float().cpu().numpy()
            for part in batches(crops, self.size, self.batch)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 256), np.float32)


def untrained(
    config: EncoderConfig | None = None, seed: int = 0, device: str = "auto", crops: Crops | None = None
) -> Embedder:
    """The same network with random weights: what its architecture alone gives.

    `crops` let batch norm take its statistics from data, as they would be after training; no label takes part.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FaceEncoder(config or EncoderConfig())
    if crops is not None and len(crops):
        network.train()
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = None  # the plain mean over the batches
        with torch.no_grad():
            for some in batches(crops[:512], network.config.size, 64):
                if len(some) > 1:
                    network(normalise(torch.from_numpy(some)))
    return Embedder.of(network, "untrained", device)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Raw pixels: grey crops of `side` pixels, standardised picture by picture, on their first principal components."""

    size: int
    margin: float
    mean: NDArray[np.float64] = field(repr=False)
    axes: NDArray[np.float64] = field(repr=False)  # (components, side * side)
    side: int = 32
    name: str = "pixels"

    @classmethod
    def fitted(cls, crops: Crops, margin: float, side: int = 32, components: int = 200) -> Pixels:
        """Principal components of crops (n, size, size, 3); labels take no part. Raises ValueError without crops."""
        if not len(crops):
            raise ValueError("principal components need crops")
        rows = _grey(crops, side)
        mean = rows.mean(0)
        axes = np.linalg.svd(rows - mean, full_matrices=False)[2][:components]
        return cls(crops.shape[1], margin, mean, axes, side)

    def encode(self, crops: Crops) -> Codes:
        """Codes (n, components)."""
        return np.asarray((_grey(crops, self.side) - self.mean) @ self.axes.T, np.float32)


def batches(crops: Crops, size: int, batch: int) -> Iterator[Crops]:
    """The crops (n, h, w, 3) in order, at most `batch` at a time, resized to `size` where they differ. Raises
    InputError for other arrays: shares of 1 in place of 0..255 would give codes of nearly black pictures."""
    if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3:
        given = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else f"a {type(crops).__name__}"
        raise InputError(f"crops must be RGB uint8 of shape (n, height, width, 3), not {given}")
    for first in range(0, len(crops), batch):
        part = crops[first : first + batch]
        if part.shape[1] != size:
            part = stacked(part, size)
        yield np.ascontiguousarray(part)


def _grey(crops: Crops, side: int) -> NDArray[np.float64]:
    """Rows (n, side * side) of mean 0 and deviation 1."""
    small: Sequence[NDArray] = [
        cv2.resize(cv2.cvtColor(c, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_AREA) for c in crops
    ]
    rows = np.stack(small).reshape(len(crops), -1).astype(np.float64)
    rows -= rows.mean(1, keepdims=True)
    return np.asarray(rows / np.maximum(rows.std(1, keepdims=True), 1.0))
