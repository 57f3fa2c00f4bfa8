"""One soup of triangles out of a posed head, its hair and the things around it, ready for `raster` and `shading`.

The eight attributes of a vertex, by what it belongs to:
head: rest x, y, z, the four masks, ambient openness; hair: tangent x, y, z, strand + across, along, 0 scalp or 1 beard;
things: red, green, blue, roughness, class, opacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.synthesis.accessories import Part
from omokage.synthesis.geometry import Mesh, head_model, pose_points
from omokage.synthesis.hair import Ribbons
from omokage.synthesis.raster import BODY, HAIR, LASH, PART
from omokage.synthesis.shading import ATTRIBUTES

Floats = NDArray[np.float32]
_CHEST, _SKIRT = 5.0, 5.0  # the mesh ends below this height; how far its edge is let down so that no picture shows it


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """V vertices, T triangles: positions and unit normals (V, 3), `attributes` (V, 8), `detail` (V, 2) for the ribbons'
    coverage.
    """

    vertices: Floats
    normals: Floats
    attributes: Floats
    detail: Floats
    triangles: NDArray[np.int32]
    kinds: NDArray[np.uint8]


def assemble(posed: Mesh, turn: Floats, ribbons: Sequence[tuple[Ribbons, int]], parts: Sequence[Part]) -> Surfaces:
    """Join the posed head with ribbons (0 scalp, 1 beard) and solid things, turned with the head by `turn` (3, 3)."""
    pieces = [_head(posed)]
    pieces += [_strands(strands, which, turn) for strands, which in ribbons]
    pieces += [_thing(part, turn) for part in parts if part.opacity >= 1]
    return _joined(pieces)


def lenses(turn: Floats, parts: Sequence[Part]) -> Surfaces | None:
    """The see-through things on their own, for a second pass; None when there are none."""
    pieces = [_thing(part, turn) for part in parts if part.opacity < 1]
    return _joined(pieces) if pieces else None


def lashes(posed: Mesh) -> Surfaces:
    """The cards of lashes on their own: veils, so they come in a second pass too."""
    attributes = _head_attributes()
    chosen, triangles = _lash_cards()
    kinds = np.full(len(triangles), LASH, np.uint8)
    detail = np.zeros((len(chosen), 2), np.float32)
    return Surfaces(posed.vertices[chosen], posed.normals[chosen], attributes[chosen], detail, triangles, kinds)


def _joined(pieces: Sequence[Surfaces]) -> Surfaces:
    starts = np.cumsum([0, *(len(p.vertices) for p in pieces[:-1])])
    return Surfaces(
        np.concatenate([p.vertices for p in pieces]),
        np.concatenate([p.normals for p in pieces]),
        np.concatenate([p.attributes for p in pieces]),
        np.concatenate([p.detail for p in pieces]),
        np.concatenate([p.triangles + np.int32(s) for p, s in zip(pieces, starts, strict=True)]),
        np.concatenate([p.kinds for p in pieces]),
    )


@lru_cache(maxsize=1)
def _head_attributes() -> Floats:
    """The head's part of what the module's docstring lists (V, 8)."""
    model = head_model()
    return np.concatenate([model.base, model.masks, model.ao[:, None]], axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _lash_cards() -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The vertices that lashes use, and their triangles counted in those."""
    model = head_model()
    chosen, renamed = np.unique(model.triangles[model.group >= LASH], return_inverse=True)
    return chosen.astype(np.int64), renamed.reshape(-1, 3).astype(np.int32)


@lru_cache(maxsize=1)
def _hem() -> NDArray[np.int64]:
    """Directed edges (E, 2) along the cut at the chest where the mesh ends."""
    model = head_model()
    body = model.triangles[model.group == BODY].astype(np.int64)
    edges = np.concatenate([body[:, [0, 1]], body[:, [1, 2]], body[:, [2, 0]]])
    there = set(map(tuple, edges.tolist()))
    hem = np.array([e for e in edges.tolist() if (e[1], e[0]) not in there])
    return np.asarray(hem[model.base[hem, 1].max(1) < _CHEST])


@lru_cache(maxsize=1)
def _head_constants() -> tuple[NDArray[np.int64], Floats, NDArray[np.int32], NDArray[np.uint8]]:
    """Vertices of the hem, attributes, solid triangles and kinds of the head with the hem let down as a skirt."""
    model = head_model()
    attributes, solid, hem = _head_attributes(), model.group < LASH, _hem()
    low, place = np.unique(hem, return_inverse=True)
    place = place.reshape(-1, 2) + len(attributes)
    skirt = np.concatenate(
        [
            np.stack([hem[:, 1], hem[:, 0], place[:, 0]], axis=1),
            np.stack([hem[:, 1], place[:, 0], place[:, 1]], axis=1),
        ]
    )
    let_down = attributes[low] - np.eye(1, ATTRIBUTES, 1, dtype=np.float32) * np.float32(_SKIRT)
    triangles = np.concatenate([model.triangles[solid], skirt.astype(np.int32)])
    kinds = np.concatenate([model.group[solid], np.full(len(skirt), BODY, np.uint8)])
    return low, np.concatenate([attributes, let_down]), triangles, kinds


def _head(posed: Mesh) -> Surfaces:
    low, attributes, triangles, kinds = _head_constants()
    vertices = np.concatenate([posed.vertices, posed.vertices[low] - np.array([0, _SKIRT, 0], np.float32)])
    normals = np.concatenate([posed.normals, posed.normals[low] * np.array([1, 0, 1], np.float32)])
    return Surfaces(vertices, normals, attributes, np.zeros((len(vertices), 2), np.float32), triangles, kinds)


def _strands(strands: Ribbons, which: int, turn: Floats) -> Surfaces:
    v = strands.vertices
    attributes = np.zeros((len(v), ATTRIBUTES), np.float32)
    attributes[:, :3] = v[:, 6:9] @ turn.T
    attributes[:, 3:5] = v[:, 9:11]
    attributes[:, 5] = which
    kinds = np.full(len(strands.triangles), HAIR, np.uint8)
    detail = np.ascontiguousarray(v[:, 9:11])
    return Surfaces(pose_points(v[:, :3], turn), v[:, 3:6] @ turn.T, attributes, detail, strands.triangles, kinds)


def _thing(part: Part, turn: Floats) -> Surfaces:
    n = len(part.vertices)
    vertices, normals = np.asarray(part.vertices, np.float32), np.asarray(part.normals, np.float32)
    if part.follows_head:
        vertices, normals = pose_points(vertices, turn), normals @ turn.T
    attributes = np.zeros((n, ATTRIBUTES), np.float32)
    attributes[:, :3] = part.colour
    attributes[:, 3] = part.roughness
    attributes[:, 4] = SEGMENTATION.index(part.segmentation)
    attributes[:, 5] = part.opacity
    kinds = np.full(len(part.triangles), PART, np.uint8)
    return Surfaces(
        vertices, normals, attributes, np.zeros((n, 2), np.float32), np.asarray(part.triangles, np.int32), kinds
    )
