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
from omokage.synthesis.raster import HAIR, LASH, PART
from omokage.synthesis.shading import ATTRIBUTES

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """V vertices, T triangles: positions and unit normals (V, 3), `attributes` (V, 8), `detail` (V, 2) for the ribbons' coverage."""

    vertices: Floats
    normals: Floats
    attributes: Floats
    detail: Floats
    triangles: NDArray[np.int32]
    kinds: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
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


def _joined(pieces: Sequence[_Piece]) -> Surfaces:
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
def _head_constants() -> tuple[Floats, Floats, NDArray[np.uint8]]:
    """Attributes, coverage detail and kinds of the head's own triangles."""
    model = head_model()
    attributes = np.concatenate([model.base, model.masks, model.ao[:, None]], axis=1).astype(np.float32)
    # Lash cards: hairs are counted along x, their tips lie forward of the lid.
    detail = np.stack([np.abs(model.base[:, 0]) * 3.2, np.clip((model.base[:, 2] - 1.37) / 0.06, 0, 1)], axis=1)
    return attributes, detail.astype(np.float32), np.minimum(model.group, LASH).astype(np.uint8)


def _head(posed: Mesh) -> _Piece:
    attributes, detail, kinds = _head_constants()
    return _Piece(posed.vertices, posed.normals, attributes, detail, head_model().triangles, kinds)


def _strands(strands: Ribbons, which: int, turn: Floats) -> _Piece:
    v = strands.vertices
    attributes = np.zeros((len(v), ATTRIBUTES), np.float32)
    attributes[:, :3] = v[:, 6:9] @ turn.T
    attributes[:, 3:5] = v[:, 9:11]
    attributes[:, 5] = which
    kinds = np.full(len(strands.triangles), HAIR, np.uint8)
    detail = np.ascontiguousarray(v[:, 9:11])
    return _Piece(pose_points(v[:, :3], turn), v[:, 3:6] @ turn.T, attributes, detail, strands.triangles, kinds)


def _thing(part: Part, turn: Floats) -> _Piece:
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
    return _Piece(
        vertices, normals, attributes, np.zeros((n, 2), np.float32), np.asarray(part.triangles, np.int32), kinds
    )
