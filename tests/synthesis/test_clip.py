"""Films of rendered people: what is drawn lies where the truth says."""

from __future__ import annotations

import numpy as np
import pytest

from omokage.synthesis.clip import Visit, _paste
from omokage.synthesis.render import Rendering


def dot(n: int, x: float, y: float) -> Rendering:
    """A soft white dot on black (n, n), with landmarks evenly around its middle."""
    rows, columns = np.mgrid[:n, :n] + 0.5
    light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 32)
    image = np.repeat(np.rint(255 * light)[..., None], 3, 2).astype(np.uint8)
    around = np.array([[x - 10, y - 10], [x + 10, y + 10]], np.float32)
    none = np.zeros((n, n), np.uint8)
    return Rendering(
        image, none, np.ones((n, n), np.float32), around, np.ones(2, np.uint8), np.zeros((2, 3), np.float32)
    )


@pytest.mark.parametrize("side", [0.4, 0.6, 0.95])
def test_a_pasted_head_lies_in_its_box(side: float) -> None:
    """Heads made larger, smaller and hardly changed: the dot's centre of mass is the middle of the box."""
    picture = np.zeros((360, 640, 3), np.uint8)
    box = _paste(picture, dot(208, 100.3, 91.7), Visit(0, ((0.0, 0.5), (1.0, 0.5)), 0.5, side), 0.5)
    light = picture[..., 0].astype(np.float64)
    rows, columns = np.mgrid[:360, :640] + 0.5
    middle = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
    assert middle == pytest.approx(box.centre, abs=0.05)
