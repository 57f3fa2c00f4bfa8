"""Where one camera shot ends and the next begins, frame by frame, in constant memory.

The measure: each frame is averaged down to 16 x 9 blocks, matched in brightness to the one before, and the share of
blocks whose colour moved by more than 16 of 255 is taken. A cut is a share of at least 0.6 that is also well above
every share of the frames just before, so that a pan is none. From a quarter on it may be one, or somebody who moves
close to the camera: then the faces decide (`faces.track`): where one of them goes on unchanged it was none. Dissolves
change little from frame to frame and are not seen as cuts.

A flash is a cut to a bright frame and back. `ShotCuts.update` says "back" when the frame after a cut looks like the one
before it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCKS = (16, 9)  # across, down
Verdict = Literal["same", "maybe", "cut", "back"]


@dataclass(frozen=True, slots=True)
class CutRule:
    """When a share of changed blocks is a cut.

    It must reach `least` (`sure`: without asking further) and be `above` times the largest share of the last `recent`
    frames. `changed` is the
    difference (0..255, largest of the three colours) from which a block counts; brightness is matched by a factor of at
    most `exposure` either way.
    """

    least: float = 0.25
    sure: float = 0.6
    above: float = 1.6
    recent: int = 5
    changed: float = 16.0
    exposure: float = 1.4


class ShotCuts:
    """Sees one frame after the other; `shot` counts the shots so far, from 0."""

    def __init__(self, rule: CutRule | None = None) -> None:
        self.rule = rule or CutRule()
        self.shot = 0
        self._last: NDArray[np.float32] | None = None
        self._before: NDArray[np.float32] | None = None  # the last frame of the earlier shot, right after a cut
        self._shares: deque[float] = deque(maxlen=self.rule.recent)

    def update(self, pixels: NDArray[np.uint8]) -> Verdict:
        """Whether this frame (h, w, 3) belongs to the same shot, begins another, or takes the last cut back.

        "maybe" counts as a cut unless `withdraw` is called before the next frame.
        """
        now = np.asarray(cv2.resize(pixels, BLOCKS, interpolation=cv2.INTER_AREA), np.float32)
        last, before = self._last, self._before
        self._last, self._before = now, None
        if last is None:
            return "same"
        share = changed_share(last, now, self.rule)
        if share < self.rule.least or share < self.rule.above * max(self._shares, default=0.0):
            self._shares.append(share)
            return "same"
        if before is not None and changed_share(before, now, self.rule) < self.rule.least / 2:
            self.shot -= 1
            return "back"
        self._before = last
        self.shot += 1
        if share < self.rule.sure:
            self._shares.append(share)  # if it was motion, more of it follows, and must not be a cut every time
            return "maybe"
        self._shares.clear()
        return "cut"

    def withdraw(self) -> None:
        """The last cut was none."""
        self._before = None
        self.shot -= 1

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later, as plain JSON."""
        kept = {"last": self._last, "before": self._before}
        blocks = {k: None if v is None else np.round(v, 3).ravel().tolist() for k, v in kept.items()}
        return {"shot": self.shot, "shares": list(self._shares), **blocks}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`."""
        self.shot = int(state["shot"])
        self._shares.clear()
        self._shares.extend(state["shares"])
        self._last, self._before = (_blocks(state[name]) for name in ("last", "before"))


def changed_share(a: NDArray[np.float32], b: NDArray[np.float32], rule: CutRule) -> float:
    """Share (0..1) of blocks that differ between two frames of blocks (9, 16, 3), brightness matched."""
    gain = float(np.clip((a.mean() + 1) / (b.mean() + 1), 1 / rule.exposure, rule.exposure))
    return float((np.abs(a - b * gain).max(2) > rule.changed).mean())


def _blocks(values: list[float] | None) -> NDArray[np.float32] | None:
    return None if values is None else np.asarray(values, np.float32).reshape(BLOCKS[1], BLOCKS[0], 3)
