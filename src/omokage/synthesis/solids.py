"""Solid things as triangles: tubes, capsules, balls, boxes and sheets, the building blocks of `accessories`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One thing on or before the head, in head units of the unposed head. Triangles run counter-clockwise outside."""

    vertices: Floats  # (n, 3)
    normals: Floats  # (n, 3) unit
    triangles: NDArray[np.int32]  # (m, 3)
    colour: Floats  # (n, 3) linear RGB
    roughness: float  # 0 mirror .. 1 chalk
    segmentation: str  # a name in `data.records.SEGMENTATION`
    opacity: float = 1.0  # below 1: a lens that hides this share of what is behind it
    follows_head: bool = True  # turns with the head's pose


Shape = tuple[Floats, Floats, NDArray[np.int32]]  # vertices, normals, triangles


def part(
    shape: Shape,
    colour: ArrayLike,
    roughness: float,
    segmentation: str,
    opacity: float = 1.0,
    follows_head: bool = True,
) -> Part:
    """A shape in one colour (3,) or in vertex colours (n, 3)."""
    vertices, normals, triangles = shape
    colours = np.broadcast_to(np.clip(np.asarray(colour, np.float32), 0.002, 1), vertices.shape)
    return Part(
        vertices,
        normals,
        triangles,
        np.ascontiguousarray(colours),
        float(roughness),
        segmentation,
        opacity,
        follows_head,
    )


def join(shapes: Sequence[Shape]) -> Shape:
    """Several shapes as one."""
    starts = np.cumsum([0, *(len(s[0]) for s in shapes[:-1])])
    triangles = np.concatenate([s[2] + np.int32(k) for s, k in zip(shapes, starts, strict=True)])
    return np.concatenate([s[0] for s in shapes]), np.concatenate([s[1] for s in shapes]), triangles


def sheet(points: NDArray[np.floating], wrap: bool = False) -> Shape:
    """A surface through a grid of points (rows, columns, 3); seen from outside, columns run to the right and rows down.

    `wrap` joins the last column to the first. Normals come from central differences.
    """
    points = np.asarray(points, np.float64)
    rows, columns = points.shape[:2]
    if wrap:
        around = np.concatenate([points[:, -1:], points, points[:, :1]], axis=1)
        across = around[:, 2:] - around[:, :-2]
    else:
        across = np.gradient(points, axis=1)
    normals = np.cross(np.gradient(points, axis=0), across)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    # Where a row shrinks to a point the difference vanishes: borrow the normal of the next row's mean.
    flat = np.linalg.norm(normals, axis=2) < 0.5
    if flat.any():
        spare = points - points.mean((0, 1))
        normals[flat] = (spare / np.maximum(np.linalg.norm(spare, axis=2, keepdims=True), 1e-9))[flat]
    index = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(index, -1, axis=1)
    a, b, c, d = index[:-1], right[:-1], index[1:], right[1:]
    if not wrap:
        a, b, c, d = (q[:, :-1] for q in (a, b, c, d))
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return (
        points.reshape(-1, 3).astype(np.float32),
        normals.reshape(-1, 3).astype(np.float32),
        triangles.astype(np.int32),
    )


def two_sided(shape: Shape, thickness: float = 0.0) -> Shape:
    """The shape and its back, set inwards by `thickness`."""
    vertices, normals, triangles = shape
    back = (vertices - thickness * normals, -normals, np.ascontiguousarray(triangles[:, ::-1]))
    return join([shape, back])


def tube(path: ArrayLike, radius: ArrayLike, closed: bool = False, sides: int = 7) -> Shape:
    """A round bar along a path (n, 3); `radius` for all or (n,)."""
    line = np.asarray(path, np.float64)
    n = len(line)
    tangent = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    if not closed:
        tangent[0], tangent[-1] = line[1] - line[0], line[-1] - line[-2]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    side = np.cross(tangent, [0.05, 0.3, 1.0])
    weak = np.linalg.norm(side, axis=1) < 0.15
    side[weak] = np.cross(tangent[weak], [1.0, 0.2, 0.0])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    other = np.cross(tangent, side)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    normals = side[:, None] * np.cos(angle)[None, :, None] + other[:, None] * np.sin(angle)[None, :, None]
    widths = np.broadcast_to(np.asarray(radius, np.float64), (n,))[:, None, None]
    vertices = (line[:, None] + widths * normals).reshape(-1, 3)
    first = np.arange(n if closed else n - 1)[:, None]
    here, there = first * sides, (first + 1) % n * sides
    k, after = np.arange(sides)[None], (np.arange(sides) + 1)[None] % sides
    a, b, c, d = (q.ravel() for q in (here + k, here + after, there + k, there + after))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return vertices.astype(np.float32), normals.reshape(-1, 3).astype(np.float32), triangles.astype(np.int32)


def capsule(start: ArrayLike, end: ArrayLike, r0: float, r1: float | None = None, sides: int = 10) -> Shape:
    """A bar with round ends of radii r0 and r1."""
    r1 = r0 if r1 is None else r1
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    bend = np.array([0.0, 0.38, 0.71, 0.92])
    lows = [a - along * r0 * np.sqrt(1 - t * t) for t in bend]
    highs = [b + along * r1 * np.sqrt(1 - t * t) for t in bend[::-1]]
    path = np.array([*lows, a, b, *highs])
    radii = np.array([*(np.maximum(bend, 0.02) * r0), r0, r1, *(np.maximum(bend[::-1], 0.02) * r1)])
    vertices, normals, triangles = tube(path, radii, sides=sides)
    # Ends bend the normals towards the axis.
    caps = np.concatenate([-np.sqrt(1 - bend**2), [0, 0], np.sqrt(1 - bend[::-1] ** 2)])
    lean = np.repeat(caps, sides)[:, None]
    tilted = normals * np.sqrt(1 - lean**2) + along[None] * lean
    return vertices, tilted.astype(np.float32), triangles


def ball(centre: ArrayLike, radii: ArrayLike, rows: int = 9, columns: int = 14) -> Shape:
    """An ellipsoid with the given radii (one or three)."""
    u = np.linspace(-np.pi, np.pi, columns, endpoint=False)[None]
    v = np.linspace(np.pi / 2 - 0.02, -np.pi / 2 + 0.02, rows)[:, None]
    unit = np.stack([np.cos(v) * np.sin(u), np.sin(v) + 0 * u, np.cos(v) * np.cos(u)], axis=-1).reshape(-1, 3)
    size = np.broadcast_to(np.asarray(radii, np.float64), (3,))
    normals = unit / size
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    triangles = sheet(unit.reshape(rows, columns, 3), wrap=True)[2]
    return (unit * size + np.asarray(centre)).astype(np.float32), normals.astype(np.float32), triangles


def box(centre: ArrayLike, size: ArrayLike, turn: ArrayLike | None = None) -> Shape:
    """A box with edges `size` (3,), turned by a rotation matrix (3, 3)."""
    half = np.asarray(size, np.float64) / 2
    vertices: list[list[Any]] = []
    normals: list[list[Any]] = []
    triangles: list[Any] = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            n = np.zeros(3)
            n[axis] = sign
            u = np.roll(n, 1)
            v = np.cross(n, u)
            triangles.append(np.array([[0, 1, 2], [0, 2, 3]]) + len(vertices) * 4)
            vertices.append([(n + a * u + b * v) * half for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
            normals.append([n] * 4)
    matrix = np.eye(3) if turn is None else np.asarray(turn)
    corner = np.array(vertices).reshape(-1, 3) @ matrix.T + np.asarray(centre)
    facing = np.array(normals).reshape(-1, 3) @ matrix.T
    return corner.astype(np.float32), facing.astype(np.float32), np.concatenate(triangles).astype(np.int32)


def moved(shape: Shape, turn: ArrayLike, shift: ArrayLike) -> Shape:
    """The shape turned by a rotation matrix, then shifted."""
    matrix = np.asarray(turn, np.float32)
    return (shape[0] @ matrix.T + np.asarray(shift, np.float32)).astype(np.float32), shape[1] @ matrix.T, shape[2]
