"""What one training run of the finder is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omokage.errors import TrainingError
from omokage.faces.heads import read_heads
from omokage.faces.scenes import SceneSource
from omokage.media.image import read_image

ARCHITECTURE = ((48, 96, 128, 128), 48)  # widths of the four stages, width of the pyramid
_STRIDE = 64  # the largest of the network's


@dataclass(frozen=True, slots=True)
class FinderConfig:
    """One training run.

    `records` are folders of rendered records; `held_out` folders of other people for calibration and scores (when
    empty, one person in twenty of `records` is kept back for them), `scenes` is how many scenes are
    drawn in all; `minutes` above 0 ends the run by the clock instead.
    """

    records: tuple[str, ...] = ("runs/records-wide", "runs/records")
    held_out: tuple[str, ...] = ()
    backdrops: str = ""  # a folder of square pictures without a face, at least `size` pixels; half of them held out
    out: str = "runs/finder"
    init: str = ""  # a weight set or folder whose finder is the start; empty: chance
    scenes: int = 120_000
    minutes: float = 0.0
    size: int = 192
    batch: int = 32
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 1e-4
    box_weight: float = 1.5
    average: float = 0.998  # of the weights, per step
    bank: int = 500  # clutter pictures
    limit: int | None = None  # heads per folder
    seed: int = 0
    workers: int = 1
    threads: int = 1
    device: str = "auto"
    log_every: int = 25
    save_every: int = 250
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered heads on procedural clutter"

    @property
    def steps(self) -> int:
        return max(1, self.scenes // self.batch)

    def check(self) -> None:
        """Raises TrainingError for scenes that the network's strides do not divide."""
        if self.size % _STRIDE:
            raise TrainingError(f"size={self.size}: the finder learns from scenes of a multiple of {_STRIDE} px")


def scene_source(config: FinderConfig, held_out: bool = False) -> SceneSource:
    """The scenes of a run: of training heads, or of held-out people on other backgrounds. Raises TrainingError without
    heads or backdrops."""
    apart = held_out and config.held_out
    folders = config.held_out if apart else config.records
    limit, every = (None, 1) if apart else (config.limit, 20)
    heads = read_heads([Path(folder) for folder in folders], limit, held_out, every)
    if not heads:
        use = "to calibrate and score on" if held_out else "to learn from"
        raise TrainingError(f"no head in {', '.join(folders) or 'no folder'} is there {use}: give more records")
    pictures = [read_image(path) for path in _backdrops(config.backdrops)[held_out::2]]
    return SceneSource(heads, config.size, config.bank, config.seed + 1000 * held_out, pictures)


def _backdrops(folder: str) -> list[Path]:
    """The pictures of the folder, none where none is named. Raises TrainingError for a folder without any."""
    files = sorted(Path(folder).glob("*.*")) if folder else []
    if folder and not files:
        raise TrainingError(f"backdrops={folder!r} holds no pictures: give a folder of them, or leave it empty")
    return files
