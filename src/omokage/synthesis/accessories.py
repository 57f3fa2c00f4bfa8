"""Things worn and held: glasses with lenses here, hats in `headwear`, what stands before the face in `occluders`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.geometry import Mesh, head_model
from omokage.synthesis.headwear import build_hat
from omokage.synthesis.occluders import build_occluder
from omokage.synthesis.scene import Person, Surroundings
from omokage.synthesis.solids import Part, Shape, join, part, sheet, tube

__all__ = ["Part", "build_parts"]

Array = NDArray[np.floating]


def build_parts(person: Person, surroundings: Surroundings, mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """Everything on and before the unposed head. Glasses and hat are the person's own (drawn from the person's seed);
    the occluder comes from `rng`.
    """
    own = np.random.default_rng((person.seed, 40))
    parts = build_hat(person, mesh, own)
    parts += build_glasses(person, mesh, np.random.default_rng((person.seed, 41)))
    parts += build_occluder(surroundings.occluder, person, mesh, rng)
    return parts


@lru_cache(maxsize=1)
def _fitting() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Vertices that glasses rest on: around the eyes, the bridge of the nose, the tops of left and right ear."""
    model = head_model()
    b = model.base
    skin = np.zeros(len(b), bool)
    skin[np.unique(model.triangles[model.group == 0])] = True
    around = (
        skin & (np.abs(b[:, 0]) > 0.12) & (np.abs(b[:, 0]) < 0.5) & (np.abs(b[:, 1] - 7.25) < 0.22) & (b[:, 2] > 1.0)
    )
    bridge = skin & (np.abs(b[:, 0]) < 0.05) & (np.abs(b[:, 1] - 7.27) < 0.06) & (b[:, 2] > 1.0)
    ear = (model.masks[:, 1] > 0.5) & (b[:, 1] > 7.22) & (b[:, 2] > 0.4)
    return tuple(np.flatnonzero(m) for m in (around, bridge, ear & (b[:, 0] > 0), ear & (b[:, 0] < 0)))  # type: ignore[return-value]


def build_glasses(person: Person, mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """Frame and lenses before the eyes; an empty list without glasses."""
    if person.glasses == "none":
        return []
    around, bridge, _, _ = _fitting()
    eyes = np.stack([mesh.left_eye, mesh.right_eye]).astype(np.float64)
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    rimless, dark = person.glasses == "rimless", person.glasses == "sunglasses"
    big = 1.12 if dark else 1.0
    width, height = apart * float(rng.uniform(0.36, 0.43)) * big, apart * float(rng.uniform(0.25, 0.38)) * big
    square = float(rng.choice([2.0, 2.6, 4.0]))
    bar = 0.0045 if rimless else float(rng.choice([0.011, 0.016, 0.026]))
    front = max(float(mesh.vertices[around, 2].max()), float(mesh.vertices[bridge, 2].max()) - 0.02) + 0.045
    angle = np.linspace(0, 2 * np.pi, 34, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / square)
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / square)
    if rng.random() < 0.3:
        y = np.where(y < 0, y * (1 - 0.12 * x * x), y)  # narrower below, as aviators and cat eyes are
    frame: list[Shape] = []
    lenses: list[Shape] = []
    for eye, side in zip(eyes, (1.0, -1.0), strict=True):
        middle = np.array([eye[0] + side * 0.015, eye[1] - 0.04, front])
        rim = np.stack([middle[0] + x * width, middle[1] + y * height, _wrap(middle, x * side, front)], axis=1)
        frame.append(tube(rim, bar, closed=True))
        frame.append(_temple(middle, side, width, height, mesh, max(bar, 0.010)))
        lenses.append(_lens(rim, bar))
    inner = [[s * (apart / 2 + 0.015 - width), eyes[0, 1] - 0.02, front] for s in (-1, 1)]
    peak = [0.0, eyes[0, 1] + 0.03, front + 0.03]
    frame.append(tube([inner[0], peak, inner[1]], max(bar * 0.9, 0.008)))
    colours = (
        (0.008, 0.008, 0.010),
        (0.07, 0.028, 0.012),
        (0.30, 0.29, 0.27),
        (0.25, 0.18, 0.07),
        (0.12, 0.01, 0.02),
        (0.5, 0.5, 0.5),
    )
    colour = np.array(colours[rng.choice(6, p=(0.42, 0.2, 0.16, 0.1, 0.06, 0.06))]) if not rimless else np.full(3, 0.35)
    parts = [part(join(frame), colour, 0.3 if bar < 0.012 else 0.4, "glasses")]
    tint, opacity = _tint(dark, rng)
    parts.append(part(join(lenses), tint, 0.1, "lens", opacity))
    return parts


def _tint(dark: bool, rng: np.random.Generator) -> tuple[Array, float]:
    if not dark:
        return np.array([0.9, 0.95, 0.95]), float(rng.choice([0.0, 0.02, 0.06], p=(0.5, 0.35, 0.15)))
    colours = ((0.01, 0.01, 0.012), (0.05, 0.022, 0.008), (0.012, 0.03, 0.016), (0.02, 0.03, 0.06))
    return np.array(colours[rng.integers(4)]), float(rng.uniform(0.7, 0.98))


def _wrap(middle: Array, outward: Array, front: float) -> Array:
    """Depth of a rim that bends back towards the temples; `outward` -1 at the nose .. 1 at the temple."""
    return np.asarray(front - 0.11 * ((outward + 1) / 2) ** 2 + 0 * middle[2])


def _lens(rim: Array, bar: float) -> Shape:
    """A slightly domed disc inside the rim."""
    middle = rim.mean(0)
    rings = [middle + (rim - middle) * s + [0, 0, 0.02 * (1 - s * s)] for s in (1 - bar * 0.5, 0.7, 0.35, 0.02)]
    return sheet(np.stack(rings), wrap=True)


def _temple(middle: Array, side: float, width: float, height: float, mesh: Mesh, bar: float) -> Shape:
    """The arm from the hinge over the ear."""
    _, _, left, right = _fitting()
    ear = mesh.vertices[left if side > 0 else right].astype(np.float64)
    top = np.array([side * (np.abs(ear[:, 0]).mean() + 0.0), ear[:, 1].max(), ear[:, 2].mean()])
    hinge = np.array([middle[0] + side * width * 0.99, middle[1] + 0.35 * height, middle[2] - 0.11])
    wide = max(abs(top[0]), abs(hinge[0]) + 0.03) * side
    halfway = 0.5 * (hinge + top)
    path = np.array(
        [
            hinge,
            hinge + np.array([side * 0.04, 0.0, -0.06]),
            [wide, halfway[1], halfway[2]],
            [wide, top[1] - 0.01, top[2]],
            [side * abs(top[0]) * 0.97, top[1] - 0.22, top[2] - 0.22],
        ]
    )
    return tube(path, bar)
