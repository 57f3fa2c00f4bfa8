"""Recipes of the finder. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from omokage.faces.config import FinderConfig
from omokage.synthesis.background import paint_backdrop
from omokage.synthesis.sampling import CameraSampler, PoseSampler, SceneSampler
from omokage.synthesis.scene import BACKGROUNDS, Surroundings
from omokage.synthesis.write import write_records


def shipped(
    records: Sequence[str] = ("runs/heads-wide", "runs/heads-tight", "runs/heads-turned"),
    backdrops: str = "runs/backdrops",
    out: str = "runs/finder",
    minutes: float = 51.0,
    init: str = "",
    rate: float = 3e-3,
) -> FinderConfig:
    """The shipped finder, learnt from scenes composed of rendered heads only.

    Command: ``python recipes/faces.py`` renders heads and backdrops (about 6 minutes on an idle core), then ``omokage
    train faces.shipped``. Hardware: one CPU core for the steps and one for the scenes (about 120 scenes a second on an
    idle AMD EPYC), or any CUDA device. Expected: about 96 % of the
    faces above 96 pixels and 75 % of those from 48 to 96 found in scenes of held-out people (the card that the run
    writes to `out` says what it reached), with the limits set so that 4.5 % of hard face-free scenes get a false face.
    """
    folders = tuple(records.split(",")) if isinstance(records, str) else tuple(records)
    command = f"omokage train faces.shipped --set minutes={minutes:g}"
    return FinderConfig(
        records=folders,
        backdrops=backdrops,
        out=out,
        init=init,
        minutes=minutes,
        rate=rate,
        bank=400,
        save_every=100,
        recipe=command + (f" --set init={init} --set rate={rate:g}" if init else ""),
    )


def smoke(
    records: Sequence[str] = ("runs/heads-wide",), out: str = "runs/finder-smoke", steps: int = 20
) -> FinderConfig:
    """A minute on anything: proves that heads, scenes, network and disk work together, not that anything is learnt."""
    folders = (records,) if isinstance(records, str) else tuple(records)
    return FinderConfig(
        records=folders, out=out, scenes=steps * 8, batch=8, bank=20, limit=100, workers=0, save_every=10
    )


ALL_ANGLES = PoseSampler(near_frontal=0.45, yaw_limit=88.0)
TURNED = PoseSampler(near_frontal=0.1, yaw_sigma=30.0, yaw_limit=92.0, pitch_sigma=20.0, pitch_limit=48.0, tilted=0.25)


def render_heads(
    folder: Path, size: int, frame: tuple[float, float], seed: int, people: int, poses: PoseSampler = ALL_ANGLES
) -> int:
    """Two pictures each of `people` people at all angles; returns how many the folder holds. It can be stopped and
    started again."""
    sampler = SceneSampler(cameras=CameraSampler(frame=frame, clean=0.8, shift=0.03), poses=poses)
    return write_records(folder, 2 * people, seed, sampler, size=size, pictures_per_person=2)


def _backdrops(folder: Path, count: int, side: int = 256) -> None:
    """Pictures of the renderer's own rooms, streets and studios with nobody in them."""
    folder.mkdir(parents=True, exist_ok=True)
    styles = [style for style in BACKGROUNDS if style != "crowd"]
    for seed in range(count):
        linear = np.clip(paint_backdrop(Surroundings(seed, styles[seed % len(styles)]), side), 0, 1)
        pixels = (linear ** (1 / 2.2) * 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{seed:04d}.jpg"), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    render_heads(Path("runs/heads-wide"), 192, (1.5, 2.8), 1, 1250)
    render_heads(Path("runs/heads-tight"), 128, (1.05, 1.7), 2, 1500)
    render_heads(Path("runs/heads-turned"), 160, (1.2, 2.4), 4, 1000, TURNED)
    render_heads(Path("runs/heads-held-out"), 192, (1.3, 2.8), 3, 250)
    render_heads(Path("runs/heads-held-out-turned"), 160, (1.2, 2.4), 5, 125, TURNED)
    _backdrops(Path("runs/backdrops"), 900)
