"""What stands before a face: surgical masks, hands, objects and microphones."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.geometry import Mesh, head_model
from omokage.synthesis.scene import Person
from omokage.synthesis.skin import skin_colour
from omokage.synthesis.solids import Part, Shape, ball, box, capsule, join, moved, part, sheet, tube, two_sided

Array = NDArray[np.floating]


def build_occluder(kind: str, person: Person, mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """The parts of an occluder by its name in `scene.OCCLUDERS`; an empty list for "none"."""
    if kind == "none":
        return []
    if kind == "hand":
        return _hand(person, mesh, rng)
    return {"surgical_mask": _mask, "object": _object, "microphone": _microphone}[kind](mesh, rng)


@lru_cache(maxsize=8)
def _near(x: float, y: float, z: float, mirrored: bool = False) -> int:
    """Vertex of the skin nearest to a rest position."""
    model = head_model()
    skin = np.unique(model.triangles[model.group == 0])
    return int(skin[np.linalg.norm(model.base[skin] - [-x if mirrored else x, y, z], axis=1).argmin()])


def _mouth(mesh: Mesh) -> Array:
    return np.asarray(mesh.vertices[_near(0.0, 6.70, 1.58)], np.float64)


def _chin(mesh: Mesh) -> Array:
    return np.asarray(mesh.vertices[_near(0.0, 6.25, 1.48)], np.float64)


@lru_cache(maxsize=1)
def _lower_face() -> NDArray[np.int64]:
    model = head_model()
    skin = np.zeros(len(model.base), bool)
    skin[np.unique(model.triangles[model.group == 0])] = True
    b = model.base
    return np.flatnonzero(skin & (b[:, 1] > 5.95) & (b[:, 1] < 7.35) & (b[:, 2] > 0.6) & (model.masks[:, 3] < 0.3))


def _mask(mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """A pleated mask from the bridge of the nose to under the chin, spanning the hollows beside nose and mouth, with
    ear loops.
    """
    points = mesh.vertices[_lower_face()].astype(np.float64)
    axis = 0.15
    angle_of = np.arctan2(points[:, 0], points[:, 2] - axis)
    reach = np.hypot(points[:, 0], points[:, 2] - axis)
    angles, n_rows = np.linspace(-0.98, 0.98, 25), 17
    nose = float(mesh.vertices[_near(0.0, 7.18, 1.58), 1])
    chin = float(_chin(mesh)[1]) - 0.14
    worn = float(rng.choice([0.0, 0.0, 0.0, -0.32]))  # sometimes below the nose
    bend = (angles / 0.98) ** 2
    top = nose + worn - 0.02 - 0.26 * bend
    bottom = chin + 0.42 * bend
    heights = top[None] + (bottom - top)[None] * np.linspace(0, 1, n_rows)[:, None]
    radius = _taut(angle_of, points[:, 1], reach, angles, heights)
    r = radius + 0.035 + 0.03 * np.sin(np.pi * np.linspace(0, 1, n_rows))[:, None]
    grid = np.stack([r * np.sin(angles), heights, axis + r * np.cos(angles)], axis=-1)
    colour = np.array([(0.25, 0.5, 0.62), (0.62, 0.64, 0.66), (0.02, 0.02, 0.022), (0.65, 0.35, 0.4)])[
        rng.choice(4, p=(0.45, 0.3, 0.18, 0.07))
    ]
    pleat = np.ones(n_rows)
    pleat[[5, 8, 11]] = 0.72
    pleat[0] = pleat[-1] = 0.85
    tint = colour * pleat[:, None, None] * np.ones((1, len(angles), 1))
    cloth = part(two_sided(sheet(grid), 0.012), np.tile(tint.reshape(-1, 3), (2, 1)), 0.95, "mask")
    return [cloth, part(join([_loop(grid, mesh, side) for side in (-1, 1)]), np.full(3, 0.6), 0.9, "mask")]


@njit(cache=True)
def _taut(angle_of, height_of, reach, angles, heights):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Radius (rows, columns) of cloth over points: the upper hull of every column's profile, neighbours evened out."""
    rows, columns = heights.shape
    out = np.zeros((rows, columns))
    for p in range(len(reach)):
        for j in range(columns):
            if abs(angle_of[p] - angles[j]) < 0.075:
                for i in range(rows):
                    if abs(height_of[p] - heights[i, j]) < 0.06 and reach[p] > out[i, j]:
                        out[i, j] = reach[p]
    for j in range(columns):
        known = out[:, j].copy()
        for a in range(rows):
            for b in range(a + 1, rows):
                if known[a] > 0 and known[b] > 0:
                    for t in range(a + 1, b):
                        out[t, j] = max(out[t, j], known[a] + (known[b] - known[a]) * (t - a) / (b - a))
        for t in range(1, rows):  # rows over the edge of the face carry on what lies above
            if out[t, j] <= 0:
                out[t, j] = out[t - 1, j] if out[t - 1, j] > 0 else 0.9
    for _ in range(2):
        before = out.copy()
        for j in range(columns):
            for i in range(rows):
                side = 0.5 * (before[i, max(j - 1, 0)] + before[i, min(j + 1, columns - 1)])
                out[i, j] = max(before[i, j], 0.5 * before[i, j] + 0.5 * side)
    return out


def _loop(grid: Array, mesh: Mesh, side: int) -> Shape:
    edge = grid[:, 0] if side < 0 else grid[:, -1]
    ear = mesh.vertices[_near(0.80, 7.15, 0.45, side < 0)].astype(np.float64) + np.array([side * 0.02, 0, -0.05])
    bulge = np.array([side * 0.07, 0, 0])
    up = np.array([0.0, 1.0, 0.0])
    over = 0.5 * (edge[1] + ear) + bulge + 0.08 * up
    under = 0.5 * (edge[-2] + ear) + bulge - 0.05 * up
    path = np.stack([edge[1], over, ear + 0.1 * up, ear - 0.12 * up, under, edge[-2]])
    return tube(path, 0.012, sides=5)


def _turn(roll: float, pitch: float, yaw: float) -> Array:
    cr, sr, cp, sp, cy, sy = (
        math.cos(roll),
        math.sin(roll),
        math.cos(pitch),
        math.sin(pitch),
        math.cos(yaw),
        math.sin(yaw),
    )
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1.0]])
    about_x = np.array([[1.0, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1.0, 0], [-sy, 0, cy]])
    return np.asarray(about_y @ about_x @ about_z)


def _hand(person: Person, mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """A hand laid on mouth, chin, cheek or brow, fingers spread or together, with a piece of forearm."""
    left = 1.0 if rng.random() < 0.5 else -1.0
    child = 0.62 + 0.38 * float(np.clip((person.age - 2) / 14, 0, 1))
    place = str(rng.choice(["mouth", "chin", "cheek", "eye"], p=(0.4, 0.25, 0.2, 0.15)))
    spots = {
        "mouth": (0.0, 6.70, 1.60),
        "chin": (0.10, 6.28, 1.48),
        "cheek": (0.5, 6.85, 1.25),
        "eye": (0.33, 7.25, 1.35),
    }
    x, y, z = spots[place]
    at = mesh.vertices[_near(x, y, z, left < 0)].astype(np.float64)
    rolls = {"mouth": (0.9, 1.5), "chin": (0.35, 0.9), "cheek": (-0.15, 0.4), "eye": (0.0, 0.5)}
    roll = left * float(rng.uniform(*rolls[place]))  # fingers lean towards the other side
    shape = _hand_shape(float(rng.choice([0.0, 0.02, 0.07])), float(rng.uniform(0.05, 0.5)), left, rng)
    turn = _turn(
        roll, float(rng.uniform(-0.25, 0.1)), left * {"mouth": 0.1, "chin": 0.15, "cheek": 0.75, "eye": 0.45}[place]
    )
    scale = child * (0.80 + 0.12 * person.male)
    shape = (shape[0] * np.float32(scale), shape[1], shape[2])
    grip = np.array([0, {"mouth": 0.35, "chin": 0.5, "cheek": 0.15, "eye": 0.45}[place] * scale, 0])
    shift = at + np.array([0, 0, 0.13]) - turn @ grip
    # Fingertips and knuckles are redder, the sides of fingers and the hollows between them darker.
    tips = np.clip((shape[0][:, 1] / scale - 0.8) / 0.8, 0, 1)[:, None]
    hollow = 0.72 + 0.28 * np.clip(shape[1][:, 2:] * 0.8 + 0.45, 0, 1)
    colour = skin_colour(person) * (np.array([1.0, 0.96, 0.94]) - tips * np.array([0.0, 0.12, 0.10])) * hollow
    return [part(moved(shape, turn, shift), colour, 0.6, "occluder")]


def _hand_shape(spread: float, curl: float, thumb: float, rng: np.random.Generator) -> Shape:
    """Back of the hand towards +z, wrist at the origin, fingers along +y; thumb at x = -thumb side."""
    shapes = [capsule((0.0, -1.6, 0.12), (0.0, -0.1, 0.02), 0.23, 0.18)]
    for k, (x, length) in enumerate(((-0.25, 0.72), (-0.083, 0.82), (0.085, 0.77), (0.24, 0.60))):
        sx = -x * thumb
        fan = -(k - 1.5) * (0.015 + spread) * thumb
        base = np.array([-sx, 0.86 - 0.10 * abs(x) - (0.08 if k == 3 else 0), 0.03])
        shapes.append(capsule((-sx * 0.75, 0.08, 0.0), base, 0.13, 0.105))
        bend, at = 0.0, base
        for share, r0, r1 in ((0.46, 0.098, 0.090), (0.30, 0.090, 0.082), (0.24, 0.082, 0.070)):
            bend += curl * float(rng.uniform(0.5, 1.1))
            way = np.array([-math.sin(fan), math.cos(fan) * math.cos(bend), -math.sin(bend) * math.cos(fan)])
            end = at + way * length * share
            shapes.append(capsule(at, end, r0, r1))
            at = end
    side = -0.33 * thumb
    knuckle = np.array([side * 1.15, 0.42, -0.05])
    shapes.append(capsule((side * 0.5, 0.08, -0.02), knuckle, 0.14, 0.115))
    lean = float(rng.uniform(0.2, 0.8))
    shapes.append(capsule(knuckle, knuckle + np.array([side * lean, 0.42, -0.06]), 0.108, 0.085))
    return join(shapes)


def _object(mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """A phone, cup, book or ball held before part of the face."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    away = [side * rng.uniform(0.0, 0.65), rng.uniform(-0.7, 0.25), rng.uniform(0.25, 0.6)]
    at = _mouth(mesh) + np.array(away)
    colour = np.clip(rng.choice([0.03, 0.2, 0.5]) * np.exp(rng.normal(0, 0.6, 3)), 0.01, 0.8)
    kind = str(rng.choice(["phone", "cup", "book", "ball"]))
    turn = _turn(float(rng.normal(0, 0.4)), float(rng.normal(0, 0.25)), float(rng.normal(0, 0.4)))
    if kind == "phone":
        body = part(box(at, (0.75, 1.5, 0.08), turn), colour * 0.4, 0.25, "occluder", follows_head=False)
        return [body]
    if kind == "book":
        return [part(box(at - [0, 0.5, 0], (1.4, 1.9, 0.18), turn), colour, 0.6, "occluder", follows_head=False)]
    if kind == "ball":
        return [part(ball(at, float(rng.uniform(0.28, 0.5))), colour, 0.35, "occluder", follows_head=False)]
    height = np.array([0.0, 0.42, 0.0])
    angle = np.linspace(-np.pi, np.pi, 22, endpoint=False)
    rings = [(0.40, 1.0), (0.42, 0.0), (0.36, -1.0), (0.02, -1.0)]
    grid = np.stack(
        [np.stack([r * np.sin(angle), np.full(22, h * height[1]), r * np.cos(angle)], -1) for r, h in rings]
    )
    cup = moved(two_sided(sheet(grid, wrap=True), 0.03), turn, at - [0, 0.25, 0])
    return [part(cup, colour, 0.4, "occluder", follows_head=False)]


def _microphone(mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """A hand-held microphone below the mouth; thin headsets are not modelled."""
    side = float(rng.choice([-1.0, 1.0]))
    beside = [side * rng.uniform(0.0, 0.3), rng.uniform(-0.35, -0.02), rng.uniform(0.24, 0.5)]
    head = _mouth(mesh) + np.array(beside)
    away = np.array([side * float(rng.uniform(0.1, 0.7)), -1.0, float(rng.uniform(0.2, 0.9))])
    away /= np.linalg.norm(away)
    size = float(rng.uniform(0.19, 0.28))
    grey = float(rng.choice([0.02, 0.05, 0.3]))
    stick = capsule(head + away * size * 0.8, head + away * 2.2, size * 0.62, size * 0.42, sides=12)
    foam = rng.random() < 0.3
    return [
        part(
            ball(head, size, 11, 18),
            np.full(3, grey if not foam else 0.015),
            1.0 if foam else 0.45,
            "occluder",
            follows_head=False,
        ),
        part(stick, np.full(3, 0.018), 0.45, "occluder", follows_head=False),
    ]
