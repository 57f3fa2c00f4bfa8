"""From a `Person` and an `Expression` to a head mesh: blending of the CC0 morph targets, then rigid pose about the
neck.

Head units: nasion to chin is 1.12 at rest, the point between the eyes lies at (0, 0, 0.85), x to the person's left (the
image's right), y up, z towards the camera. Rest coordinates (`HeadModel.base`) are the decimetres of the source mesh.

Zero of pose is the source mesh as it stands: the gaze goes level through the middle of the lid opening, the profile
from glabella to chin is within about 3 degrees of what soft-tissue norms give for the natural head position, and the
Frankfurt plane is within about 5 degrees of level. The line from the ear openings to the outer eye corners then rises
by 23 degrees on the mean adult (10 to 15 in living people: the ears of the mesh sit low), so levelling that line
would make a resting head look at the floor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.morphs import expression_morphs, person_morphs
from omokage.synthesis.scene import Expression, Person, Pose

Floats = NDArray[np.float32]

NECK = np.array([0.0, -1.0, -0.35], np.float32)  # pivot of the head's rotation, head units
NASION_TO_CHIN = 1.12
EYE_DEPTH = 0.85
_NASION, _CHIN = 133, 5225  # ids in the source mesh: the bridge at the level of the eyes, the lowest point of the chin


@dataclass(frozen=True, eq=False)
class HeadModel:
    """The constant part of every head. V vertices, T triangles, K morph targets stored sparsely (compressed rows)."""

    base: Floats  # (V, 3) rest coordinates, decimetres
    source: NDArray[np.int32]  # (V,) vertex ids in the source mesh
    triangles: NDArray[np.int32]  # (T, 3) into V
    group: NDArray[np.uint8]  # (T,) 0 body, 1 left eye, 2 right eye, 3 / 4 upper / lower teeth, 5 tongue, 6-9 lashes
    masks: Floats  # (V, 4) lips, ears, eyelids, inside of the mouth, 0..1
    ao: Floats  # (V,) ambient openness 0..1 of the base head
    names: tuple[str, ...]  # K morph names, e.g. "nose/nose-hump-incr", "faceunits/jawOpen"
    starts: NDArray[np.int64]  # (K + 1,) where each target begins in `moved`
    moved: NDArray[np.int32]  # (n,) vertices that targets move
    offsets: Floats  # (n, 3) how far
    normals: Floats  # (V, 3) of the base head

    @property
    def index(self) -> Mapping[str, int]:
        """Morph name -> its row."""
        return _index(self)

    def vertex(self, source_id: int) -> int:
        """The vertex with this id in the source mesh. Raises KeyError when the head does not hold it."""
        return _places(self)[source_id]

    def delta(self, name: str) -> Floats:
        """One morph target as a dense array (V, 3). Raises KeyError on an unknown name."""
        k = self.index[name]
        span = slice(self.starts[k], self.starts[k + 1])
        dense = np.zeros_like(self.base)
        dense[self.moved[span]] = self.offsets[span]
        return dense


@dataclass(frozen=True, eq=False)
class Mesh:
    """A head in head units, before or after posing."""

    vertices: Floats  # (V, 3)
    normals: Floats  # (V, 3) unit length
    left_eye: Floats  # (3,) centre of the eyeball on the person's left (+x)
    right_eye: Floats  # (3,)


@lru_cache(maxsize=1)
def _index(model: HeadModel) -> dict[str, int]:
    return {name: k for k, name in enumerate(model.names)}


@lru_cache(maxsize=1)
def _places(model: HeadModel) -> dict[int, int]:
    return {int(v): i for i, v in enumerate(model.source)}


@lru_cache(maxsize=1)
def head_model() -> HeadModel:
    """The head that ships with the package (loaded once per process)."""
    with (files("omokage.synthesis") / "assets/head.npz").open("rb") as stream, np.load(stream) as stored:
        data = {name: stored[name] for name in stored.files}
    deltas = data["deltas"]
    active = (deltas != 0).any(2)
    base, triangles = data["base"].astype(np.float32), data["triangles"].astype(np.int32)
    return HeadModel(
        base=base,
        source=data["source"],
        triangles=triangles,
        group=data["group"],
        masks=data["masks"].astype(np.float32) / 255,
        ao=data["ao"].astype(np.float32) / 255,
        names=tuple(str(name) for name in data["names"]),
        starts=np.concatenate([[0], active.sum(1).cumsum()]).astype(np.int64),
        moved=np.nonzero(active)[1].astype(np.int32),
        offsets=deltas[active].astype(np.float32),
        normals=vertex_normals(base, triangles),
    )


@njit(cache=True, fastmath=True)
def vertex_normals(points: Floats, triangles: NDArray[np.int32]) -> Floats:  # pragma: no cover - compiled
    """Area-weighted unit normals (V, 3) of points (V, 3) and triangles (T, 3), counter-clockwise outside."""
    normals = np.zeros_like(points)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            normals[k, 0] += nx
            normals[k, 1] += ny
            normals[k, 2] += nz
    for i in range(len(normals)):
        length = math.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2) + 1e-12
        normals[i, 0] /= length
        normals[i, 1] /= length
        normals[i, 2] /= length
    return normals


@njit(cache=True, fastmath=True)
def _add_targets(
    points: Floats,
    starts: NDArray[np.int64],
    moved: NDArray[np.int32],
    offsets: Floats,
    rows: NDArray[np.int64],
    weights: Floats,
) -> None:  # pragma: no cover - compiled
    for k in range(len(rows)):
        w = weights[k]
        for j in range(starts[rows[k]], starts[rows[k] + 1]):
            i = moved[j]
            points[i, 0] += w * offsets[j, 0]
            points[i, 1] += w * offsets[j, 1]
            points[i, 2] += w * offsets[j, 2]


def blend(points: Floats, morphs: Mapping[str, float]) -> Floats:
    """A copy of `points` (V, 3), rest coordinates, plus the named morph targets. Raises KeyError on an unknown name."""
    model = head_model()
    result = points.copy()
    rows = np.array([model.index[name] for name in morphs], np.int64)
    weights = np.array(list(morphs.values()), np.float32)
    _add_targets(result, model.starts, model.moved, model.offsets, rows, weights)
    return result


@lru_cache(maxsize=1)
def _eye_vertices() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    model = head_model()
    left, right = (np.unique(model.triangles[model.group == k]).astype(np.int64) for k in (1, 2))
    return left, right


@lru_cache(maxsize=1)
def _mouth_parts() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Vertices of the teeth, of the tongue, and of the outer skin around the mouth."""
    model = head_model()
    teeth = np.unique(model.triangles[(model.group == 3) | (model.group == 4)]).astype(np.int64)
    tongue = np.unique(model.triangles[model.group == 5]).astype(np.int64)
    x, y, z = model.base.T
    near = (np.abs(x) < 0.55) & (y > 6.05) & (y < 6.95) & (z > 1.0)
    skin = near & (model.normals[:, 2] > 0.15) & (model.masks[:, 3] < 0.3)
    body = np.unique(model.triangles[model.group == 0])
    return teeth, tongue, body[skin[body]].astype(np.int64)


@njit(cache=True, fastmath=True)
def _push_inside(
    points: Floats, inside: NDArray[np.int64], skin: NDArray[np.int64], margin: float
) -> None:  # pragma: no cover - compiled
    for k in range(len(inside)):
        i = inside[k]
        nearest, depth = np.float32(1e9), points[i, 2]
        for m in range(len(skin)):
            j = skin[m]
            d = (points[j, 0] - points[i, 0]) ** 2 + (points[j, 1] - points[i, 1]) ** 2
            if d < nearest:
                nearest, depth = d, points[j, 2]
        points[i, 2] = min(points[i, 2], depth - np.float32(margin))


@lru_cache(maxsize=4)
def _identity(person: Person) -> tuple[Floats, Floats, float]:
    """The resting face in rest coordinates, and the shift and scale that bring it to head units.

    They come from the resting face so that an opening jaw lengthens the face instead of shrinking the head.
    """
    model = head_model()
    points = blend(model.base, person_morphs(person))
    left, right = _eye_vertices()
    between = (points[left].mean(0) + points[right].mean(0)) / 2
    length = float(np.linalg.norm(points[model.vertex(_NASION)] - points[model.vertex(_CHIN)]))
    scale = NASION_TO_CHIN / max(length, 0.1)
    shift = between - np.array([0, 0, EYE_DEPTH / scale], np.float32)
    return points, shift.astype(np.float32), scale


def build_mesh(person: Person, expression: Expression) -> Mesh:
    """The head of a person with an expression, unposed, in head units."""
    points, shift, scale = _identity(person)
    moved = blend(points, expression_morphs(expression))
    teeth, tongue, skin = _mouth_parts()
    _push_inside(moved, teeth, skin, 0.035)  # they do not follow every morph of lips and chin: keep them behind
    if expression.unit("tongueOut") < 0.05:
        _push_inside(moved, tongue, skin, 0.035)
    vertices = (moved - shift) * np.float32(scale)
    left, right = _eye_vertices()
    normals = vertex_normals(vertices, head_model().triangles)
    return Mesh(vertices, normals, vertices[left].mean(0), vertices[right].mean(0))


def rotation(pose: Pose) -> Floats:
    """The head's rotation matrix (3, 3), float32.

    Yaw and pitch are azimuth and elevation of where the face points, roll turns the head about that direction; the
    signs are `Pose`'s (yaw + to the image's right, pitch + chin up, roll + clockwise in the image).
    """
    y, p, r = (math.radians(a) for a in (pose.yaw, pose.pitch, pose.roll))
    cy, sy, cp, sp, cr, sr = math.cos(y), math.sin(y), math.cos(p), math.sin(p), math.cos(r), math.sin(r)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


@lru_cache(maxsize=1)
def neck_weights() -> Floats:
    """How far each vertex follows the head (V, 1): 1 on the head, 0 on the shoulders, smooth along the neck."""
    base = head_model().base
    # Steep enough towards the front that the chin turns with the head and does not lag behind with the throat.
    t = np.clip((base[:, 1] - 5.75 + 0.46 * (base[:, 2] - 0.6)) / 0.75, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)[:, None]


def pose_points(points: Floats, turn: Floats) -> Floats:
    """Points (n, 3) in head units, turned by the rotation matrix (3, 3) about the neck."""
    return np.asarray((points - NECK) @ turn.T + NECK, np.float32)


def pose_mesh(mesh: Mesh, pose: Pose) -> Mesh:
    """The mesh with its head turned and its shoulders where they were."""
    turn, weight = rotation(pose), neck_weights()
    vertices = pose_points(mesh.vertices, turn) * weight + mesh.vertices * (1 - weight)
    normals = (mesh.normals @ turn.T) * weight + mesh.normals * (1 - weight)
    normals = np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32)
    left, right = pose_points(np.stack([mesh.left_eye, mesh.right_eye]), turn)
    return Mesh(vertices, normals, left, right)
