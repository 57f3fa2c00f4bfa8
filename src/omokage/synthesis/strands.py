"""Hair as ribbons: strands traced from roots over the head, drawn together into clumps, given width and a tangent.

A strand starts along its flow, bends towards the ground and slides over the head's envelope instead of entering it
(a much simplified form of guide-hair simulation; clumps after Choe and Ko, "A statistical wisp model", 2005).
"""

# Kernels mix numpy's and Python's scalars, which are one thing to numba.
# mypy: disable-error-code="assignment"

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.envelope import Envelope
from omokage.synthesis.tracing import clump, trace

Floats = NDArray[np.float32]
PER_ROW = 11


@dataclass(frozen=True, slots=True, eq=False)
class Ribbons:
    """Hair of one colour. `vertices` (n, 11): position 3, normal 3, tangent 3, strand number + place across 0..0.98,
    place along 0..1.
    """

    vertices: Floats
    triangles: NDArray[np.int32]  # (m, 3)
    colour: tuple[float, float, float]  # linear RGB before greying
    grey: float  # 0..1 share of grey strands


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """What to grow, one row per strand; lengths in head units, angles in radians."""

    root: Floats  # (n, 3)
    normal: Floats  # (n, 3) of the skin
    flow: Floats  # (n, 3) wished direction, any length
    length: Floats  # (n,)
    lift: Floats  # (n,) share of the skin's normal in the first direction
    gravity: Floats  # (n,)
    offset: Floats  # (n,) kept above the envelope
    limit: Floats  # (n,) strands hanging beside the face stay outside this angle; 0 = may hang in front
    cut: Floats  # (n,) height under which the strand is cut off
    curl: Floats  # (n,) radius of curls
    turns: Floats  # (n,) curls along the strand
    width: Floats  # (n,)
    pull: Floats  # (n,) steering towards the aim of `ribbons`, e.g. a knot

    def __len__(self) -> int:
        return len(self.root)


def stack(parts: list[Strands]) -> Strands:
    """Several groups of strands as one."""
    names = Strands.__slots__
    return Strands(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def ribbons(
    strands: Strands,
    envelope: Envelope | None,
    face_top: float,
    steps: int,
    clumping: float,
    clumps: int,
    seed: int,
    aim: Floats | None = None,
) -> tuple[Floats, NDArray[np.int32]]:
    """Vertices (n * (steps + 1) * 2, 11) and triangles of all strands.

    `face_top` = height below which hair keeps out of the face; `clumping` 0..1 draws tips to the nearest of `clumps`
    guides; `aim` = the point (3,) that strands with `pull` run to.
    """
    radius = envelope.radius if envelope is not None else np.zeros((0, 0), np.float32)
    centre = envelope.centre if envelope is not None else np.zeros(3, np.float32)
    target = np.zeros(3, np.float32) if aim is None else np.asarray(aim, np.float32)
    n = len(strands)
    numbers = np.empty((n, 8), np.float32)
    for k, name in enumerate(("length", "lift", "gravity", "offset", "limit", "cut", "width", "pull")):
        numbers[:, k] = getattr(strands, name)
    paths = trace(strands.root, strands.normal, strands.flow, numbers, radius, centre, face_top, steps, target)
    if clumping > 0 and clumps > 1:
        clump(paths, strands.root, min(clumps, n), clumping, numbers, radius, centre)
    chance = np.random.default_rng(seed).random((n, 3), dtype=np.float32)
    vertices = _widen(paths, strands.normal, numbers, strands.curl, strands.turns, centre, chance, envelope is not None)
    return vertices, _strips(n, steps)


def _strips(n: int, steps: int) -> NDArray[np.int32]:
    first = np.arange(n)[:, None] * (steps + 1) * 2 + np.arange(steps)[None] * 2
    corner = first.reshape(-1, 1)
    return np.asarray((corner + np.array([0, 1, 2, 2, 1, 3])).reshape(-1, 3), np.int32)


@njit(cache=True, fastmath=True)
def _widen(paths, normal, numbers, curl, turns, centre, chance, hugging):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Ribbon vertices (n * points * 2, 11) from middle lines."""
    n, points, _ = paths.shape
    out = np.empty((n * points * 2, PER_ROW), np.float32)
    for i in range(n):
        phase = chance[i, 0] * np.float32(6.2832)
        number = np.float32(math.floor(chance[i, 1] * 900))
        roll = (chance[i, 2] - np.float32(0.5)) * np.float32(0.9)
        for s in range(points):
            t = np.float32(s) / (points - 1)
            a, b = max(s - 1, 0), min(s + 1, points - 1)
            tx, ty, tz = (
                paths[i, b, 0] - paths[i, a, 0],
                paths[i, b, 1] - paths[i, a, 1],
                paths[i, b, 2] - paths[i, a, 2],
            )
            size = math.sqrt(tx * tx + ty * ty + tz * tz)
            if size < np.float32(1e-7):
                tx, ty, tz, size = normal[i, 0], normal[i, 1], normal[i, 2], np.float32(1.0)
            tx, ty, tz = tx / size, ty / size, tz / size
            if hugging:
                ox, oy, oz = paths[i, s, 0] - centre[0], paths[i, s, 1] - centre[1], paths[i, s, 2] - centre[2]
                if oy < 0:
                    oy *= np.float32(0.35)
                size = math.sqrt(ox * ox + oy * oy + oz * oz) + np.float32(1e-6)
                keep = np.float32(0.25) * (1 - t)
                ox = ox / size * (1 - keep) + normal[i, 0] * keep
                oy = oy / size * (1 - keep) + normal[i, 1] * keep
                oz = oz / size * (1 - keep) + normal[i, 2] * keep
            else:
                ox, oy, oz = normal[i, 0], normal[i, 1], normal[i, 2]
            sx, sy, sz = ty * oz - tz * oy, tz * ox - tx * oz, tx * oy - ty * ox
            size = math.sqrt(sx * sx + sy * sy + sz * sz)
            if size < np.float32(1e-4):  # the strand points straight out: any direction across will do
                sx, sy, sz = -tz, np.float32(0.0), tx
                size = math.sqrt(sx * sx + sz * sz) + np.float32(1e-4)
            sx, sy, sz = sx / size, sy / size, sz / size
            # Ribbons are rolled a little about themselves, so that they do not all catch the light together.
            ux, uy, uz = sx + roll * ox, sy + roll * oy, sz + roll * oz
            # Thin where it leaves the skin and thinner at the tip, so that neither end shows as an edge.
            half = np.float32(0.5) * numbers[i, 6] * (np.float32(1.0) - np.float32(0.82) * t * t)
            if s == 0:
                half *= np.float32(0.4)
            c = curl[i] * min(np.float32(1.0), np.float32(2.5) * t)
            swing = c * math.sin(phase + turns[i] * t * np.float32(6.2832))
            sway = c * np.float32(0.7) * math.cos(phase + turns[i] * t * np.float32(6.2832))
            px = paths[i, s, 0] + sx * swing + ox * sway
            py = paths[i, s, 1] + sy * swing + oy * sway
            pz = paths[i, s, 2] + sz * swing + oz * sway
            nx, ny, nz = ox - roll * sx, oy - roll * sy, oz - roll * sz
            size = math.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9)
            # Curls tilt the strand's own direction too.
            lean = (
                c
                * turns[i]
                * np.float32(6.2832)
                / max(numbers[i, 0], np.float32(0.05))
                * math.cos(phase + turns[i] * t * np.float32(6.2832))
            )
            vx, vy, vz = tx + lean * sx, ty + lean * sy, tz + lean * sz
            long = math.sqrt(vx * vx + vy * vy + vz * vz) + np.float32(1e-9)
            for e in range(2):
                sign = np.float32(1.0 - 2.0 * e)
                row = out[(i * points + s) * 2 + e]
                row[0], row[1], row[2] = px + ux * half * sign, py + uy * half * sign, pz + uz * half * sign
                row[3], row[4], row[5] = nx / size, ny / size, nz / size
                row[6], row[7], row[8] = vx / long, vy / long, vz / long
                row[9] = number + np.float32(0.49) * (1 + sign)
                row[10] = t
    return out
