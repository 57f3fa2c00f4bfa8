"""The paths of strands: compiled steps that grow them over the head, cut them and draw them together."""

# Kernels mix numpy's and Python's scalars, which are one thing to numba.
# mypy: disable-error-code="assignment"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from omokage.synthesis.envelope import ABOVE, BELOW, DROP, radius_at


@njit(cache=True, fastmath=True)
def _outside(p, d, radius, centre, offset):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Push a point out of the envelope in place and take the inward part out of its direction."""
    x, y, z = p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]
    level = math.sqrt(x * x + z * z) + np.float32(1e-6)
    angle = math.atan2(x, z)
    if y > 0:
        r = math.sqrt(level * level + y * y)
        row = ABOVE * (1 - math.atan2(y, level) / (0.5 * math.pi))
        ox, oy, oz = x / r, y / r, z / r
    else:
        r = level
        row = ABOVE - y * (BELOW / DROP)
        ox, oy, oz = x / r, np.float32(0.0), z / r
    if row >= ABOVE + BELOW:
        return
    need = radius_at(radius, np.float32(angle), np.float32(row)) + offset - r
    if need > 0:
        p[0] += ox * need
        p[1] += oy * need
        p[2] += oz * need
        inward = d[0] * ox + d[1] * oy + d[2] * oz
        if inward < 0:
            d[0] -= inward * ox
            d[1] -= inward * oy
            d[2] -= inward * oz


@njit(cache=True, fastmath=True)
def _keep_out(p, d, centre, face_top, limit, side):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Turn a point hanging before the face aside to the angle `limit` (less above, full 0.4 below the top)."""
    below = (face_top - p[1]) / np.float32(0.40)
    if below <= 0:
        return
    least = limit * min(np.float32(1.0), below + np.float32(0.12))
    x, z = p[0] - centre[0], p[2] - centre[2]
    angle = math.atan2(x, z) * side
    if least > angle > np.float32(-1.6):  # not the back, where strands may cross the midline
        level = math.sqrt(x * x + z * z)
        p[0] = centre[0] + side * level * math.sin(least)
        p[2] = centre[2] + level * math.cos(least)
        d[0] += side * np.float32(0.05)


@njit(cache=True, fastmath=True)
def trace(root, normal, flow, numbers, radius, centre, face_top, steps, target):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Middle lines (n, steps + 1, 3) of all strands."""
    n = root.shape[0]
    paths = np.empty((n, steps + 1, 3), np.float32)
    p = np.empty(3, np.float32)
    d = np.empty(3, np.float32)
    f_top = np.float32(face_top)
    for i in range(n):
        length, lift, gravity, offset, limit, cut = (
            numbers[i, 0],
            numbers[i, 1],
            numbers[i, 2],
            numbers[i, 3],
            numbers[i, 4],
            numbers[i, 5],
        )
        into = flow[i, 0] * normal[i, 0] + flow[i, 1] * normal[i, 1] + flow[i, 2] * normal[i, 2]
        size = np.float32(1e-6)
        for k in range(3):
            p[k] = root[i, k]
            d[k] = flow[i, k] - into * normal[i, k] + lift * normal[i, k]
            size += d[k] * d[k]
            paths[i, 0, k] = p[k]
        size = math.sqrt(size)
        for k in range(3):
            d[k] /= size
        step = length / steps
        side = np.float32(1.0) if root[i, 0] + np.float32(0.3) * flow[i, 0] >= 0 else np.float32(-1.0)
        last = steps
        for s in range(1, steps + 1):
            d[1] -= gravity * step * (1 + np.float32(s) / steps)
            if numbers[i, 7] > 0:
                ax, ay, az = target[0] - p[0], target[1] - p[1], target[2] - p[2]
                far = math.sqrt(ax * ax + ay * ay + az * az) + np.float32(1e-6)
                draw = numbers[i, 7] / far
                if far < step:  # arrived: stay
                    draw, step = np.float32(0.0), np.float32(0.25) * far
                d[0] += draw * ax
                d[1] += draw * ay
                d[2] += draw * az
            size = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) + np.float32(1e-9)
            for k in range(3):
                d[k] /= size
                p[k] += d[k] * step
            if radius.shape[0] > 0:
                grown = min(np.float32(1.0), np.float32(s) / np.float32(2.0))
                if limit > 0:
                    _keep_out(p, d, centre, f_top, limit, side)
                _outside(p, d, radius, centre, offset * grown)
            for k in range(3):
                paths[i, s, k] = p[k]
            if p[1] < cut and last == steps:
                last = s
        if last < steps:
            _shorten(paths[i], last, cut)
    return paths


@njit(cache=True, fastmath=True)
def _shorten(path, last, cut):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Resample a path so that it ends where it first drops under `cut` (between points last - 1 and last)."""
    steps = path.shape[0] - 1
    above, under = path[last - 1, 1], path[last, 1]
    end = last - 1 + min(max((above - cut) / max(above - under, np.float32(1e-6)), np.float32(0.05)), np.float32(1.0))
    old = path.copy()
    for s in range(1, steps + 1):
        u = end * s / steps
        j = min(int(u), steps - 1)
        f = u - j
        for k in range(3):
            path[s, k] = old[j, k] * (1 - f) + old[j + 1, k] * f


@njit(cache=True, fastmath=True)
def clump(paths, root, clumps, strength, numbers, radius, centre):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Draw strands towards the nearest guide (the first `clumps` strands), more so towards the tip."""
    n, points, _ = paths.shape
    unused = np.zeros(3, np.float32)
    for i in range(clumps, n):
        best = np.float32(1e9)
        guide = 0
        for j in range(clumps):
            q = (root[i, 0] - root[j, 0]) ** 2 + (root[i, 1] - root[j, 1]) ** 2 + (root[i, 2] - root[j, 2]) ** 2
            if q < best:
                best = q
                guide = j
        if best > np.float32(0.06):
            continue
        for s in range(1, points):
            t = np.float32(s) / (points - 1)
            w = strength * t * np.float32(math.sqrt(t))
            for k in range(3):
                paths[i, s, k] += w * (paths[guide, s, k] - paths[i, s, k])
            # The straight way to the guide may lead through the head.
            if radius.shape[0] > 0 and paths[i, s, 1] > centre[1] - np.float32(0.7):
                _outside(paths[i, s], unused, radius, centre, numbers[i, 3])
