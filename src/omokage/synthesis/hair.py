"""Scalp hair and beards of a person as ribbons on the unposed head."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.canvas import AXIS_Z
from omokage.synthesis.envelope import Envelope, head_envelope
from omokage.synthesis.geometry import Mesh, head_model
from omokage.synthesis.hairline import beard_density, has_ring, hat_line, scalp_density
from omokage.synthesis.hairstyles import STYLES, Roots, Style, knot
from omokage.synthesis.scene import Person
from omokage.synthesis.strands import Ribbons, Strands, ribbons, stack

__all__ = ["Ribbons", "grow_beard", "grow_hair"]

Floats = NDArray[np.float32]

_STRANDS = 3000  # at full detail
_WHISKERS = 3400
_UNDERCOAT = 0.22  # share of wide strands close to the head that keep the scalp covered


def grow_hair(person: Person, mesh: Mesh, detail: float) -> Ribbons | None:
    """Hair of the scalp on the unposed mesh; None on a shaved head or under a headscarf. `detail` 0.2..1.5 scales the
    number of ribbons (their width makes up for it).
    """
    if person.hat == "scarf" or (person.hair == "bald" and not has_ring(person)):
        return None
    rng = np.random.default_rng((person.seed, 30))
    share = {"short": 1.6, "buzz": 1.3, "afro": 1.3}.get(person.hair, 1.0)
    if person.hat != "none":
        share *= 1.7  # most roots lie under the hat
    roots = _scalp_roots(person, mesh, max(40, int(_STRANDS * detail * share)), rng)
    if len(roots) < 8:
        return None
    style = STYLES[person.hair](roots)
    groups = [_strands(roots, style, detail, rng)]
    if person.hair == "tied":
        groups.append(_tail(roots, detail, rng))
    if person.hair == "afro":
        groups = [_lifted(groups[0], person, rng)]
    vertices, triangles = ribbons(
        stack(groups), roots.envelope, roots.brow_y + 0.45, style.steps, style.clumping, style.clumps, person.seed,
        knot(roots) if person.hair == "tied" else None,
    )  # fmt: skip
    return Ribbons(vertices, triangles, *_greyed(person.hair_colour, person.grey))


def _greyed(colour: tuple[float, float, float], grey: float) -> tuple[tuple[float, float, float], float]:
    """Colour of the mass of hair and the share of strands that stand out grey.

    A ribbon is hundreds of hairs, so most of the grey is mixed in; only some ribbons differ.
    """
    mixed = np.array(colour) * (1 - 0.9 * grey) + 0.9 * grey * np.array([0.42, 0.41, 0.40])
    return (float(mixed[0]), float(mixed[1]), float(mixed[2])), float(grey * (1 - 0.6 * grey) * 0.35)


def grow_beard(person: Person, mesh: Mesh, detail: float) -> Ribbons | None:
    """Moustache, goatee or full beard on the unposed mesh; None without one (stubble is painted on the skin)."""
    if person.beard not in ("moustache", "goatee", "full"):
        return None
    rng = np.random.default_rng((person.seed, 32))
    share = {"moustache": 0.16, "goatee": 0.45, "full": 1.0}[person.beard]
    rest, root, normal = _sample(_beard_triangles(person.beard), int(_WHISKERS * detail * share), mesh, rng)
    theta = np.arctan2(rest[:, 0], rest[:, 2] - AXIS_Z)
    keep = rng.random(len(rest)) < beard_density(person, theta, rest[:, 1])
    rest, root, normal, theta = rest[keep], root[keep], normal[keep], theta[keep]
    if len(rest) < 4:
        return None
    strands = _whiskers(person, rest, root, normal, theta, detail, rng)
    vertices, triangles = ribbons(strands, None, 0.0, 3, 0.25, 60, person.seed + 1)
    colour = np.array(person.hair_colour) * rng.uniform(0.75, 1.15)
    return Ribbons(
        vertices, triangles, (float(colour[0]), float(colour[1]), float(colour[2])), min(1.0, person.grey * 1.1)
    )


def _whiskers(
    person: Person, rest: Floats, root: Floats, normal: Floats, theta: Floats, detail: float, rng: np.random.Generator
) -> Strands:
    n = len(rest)
    over_lip = rest[:, 1] > 6.66
    full = rng.uniform(0.05, 0.30) if rng.random() < 0.75 else rng.uniform(0.3, 0.55)
    longest = {"moustache": 0.10, "goatee": min(full, 0.25), "full": full}[person.beard]
    sides = np.clip((1.25 - np.abs(theta)) * 1.4, 0.25, 1)
    length = np.where(over_lip, min(longest, rng.uniform(0.06, 0.16)), longest * sides) * rng.uniform(0.55, 1.1, n)
    flow = np.stack([np.sign(rest[:, 0]) * np.where(over_lip, 0.9, 0.12), np.full(n, -1.0), np.full(n, 0.12)], axis=1)
    flow = flow + rng.normal(0, 0.16, (n, 3))
    curl = np.full(n, float(rng.uniform(0.002, 0.010)))
    values = {
        "lift": 0.42, "gravity": 1.2, "offset": 0.0, "limit": 0.0, "cut": -9.0, "turns": 1.5, "pull": 0.0,
        "width": 0.0095 / detail**0.55,
    }  # fmt: skip
    arrays = {k: np.full(n, v, np.float32) for k, v in values.items()}
    return Strands(
        root, normal, flow.astype(np.float32), length.astype(np.float32), curl=curl.astype(np.float32), **arrays
    )


@lru_cache(maxsize=1)
def _scalp_triangles() -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Triangles that can carry scalp hair and the cumulative share of their area."""
    model = head_model()
    triangles = model.triangles[model.group == 0]
    middle = model.base[triangles].mean(1)
    theta = np.abs(np.arctan2(middle[:, 0], middle[:, 2] - AXIS_Z))
    lowest = np.interp(theta, (0, 0.7, 1.0, 1.3, 1.7, 2.2, 3.2), (7.85, 7.75, 7.4, 7.0, 7.2, 6.7, 6.55))
    ears = model.masks[triangles, 1].max(1) > 0.1
    return _with_areas(triangles[(middle[:, 1] > lowest) & ~ears])


@lru_cache(maxsize=3)
def _beard_triangles(beard: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    model = head_model()
    triangles = model.triangles[model.group == 0]
    middle = model.base[triangles].mean(1)
    inside = model.masks[triangles][:, :, (0, 3)].max((1, 2)) > 0.2
    y, theta = middle[:, 1], np.abs(np.arctan2(middle[:, 0], middle[:, 2] - AXIS_Z))
    place = (y > 5.9) & (y < 7.2) & (middle[:, 2] > 0.55) & ~inside
    if beard == "moustache":
        place &= (y > 6.64) & (y < 6.90) & (theta < 0.40)
    elif beard == "goatee":
        place &= (y < 6.90) & (theta < 0.42)
    return _with_areas(triangles[place])


def _with_areas(triangles: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    a, b, c = (head_model().base[triangles[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return triangles, np.cumsum(area) / area.sum()


def _sample(
    surface: tuple[NDArray[np.int32], NDArray[np.float64]], n: int, mesh: Mesh, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """n points spread evenly over a surface: rest position, position and normal, each (n, 3)."""
    triangles, shares = surface
    corners = triangles[np.searchsorted(shares, rng.random(n) * shares[-1])]
    u, v = rng.random((2, n), dtype=np.float32)
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    weights = np.stack([1 - u - v, u, v], axis=1)[..., None]
    rest, root, normal = (
        (field[corners] * weights).sum(1) for field in (head_model().base, mesh.vertices, mesh.normals)
    )
    return rest.astype(np.float32), root.astype(np.float32), normal.astype(np.float32)


def _scalp_roots(person: Person, mesh: Mesh, n: int, rng: np.random.Generator) -> Roots:
    rest, root, normal = _sample(_scalp_triangles(), n, mesh, rng)
    theta = np.arctan2(rest[:, 0], rest[:, 2] - AXIS_Z)
    keep = rng.random(n) < scalp_density(person, theta, rest[:, 1] - 0.035, 0.06)
    if person.hat != "none":
        # Sides and back start inside the hat, or only the nape would hang out of it.
        inside = np.where(np.abs(theta) > 0.95, 0.22, -0.09)
        keep &= rest[:, 1] < hat_line(person, theta) + inside
    brow, chin = _levels(mesh)
    return Roots(rest[keep], root[keep], normal[keep], person, _draped(head_envelope(mesh)), brow, chin, rng)


def _draped(envelope: Envelope) -> Envelope:
    """The envelope without the shoulders' width: hair falls before or behind them, it does not slide off."""
    return Envelope(envelope.centre, np.minimum(envelope.radius, np.float32(1.12)))


def _levels(mesh: Mesh) -> tuple[float, float]:
    """Heights of brows and chin on a mesh, head units."""
    brow, chin = _level_vertices()
    return float(mesh.vertices[brow, 1].mean()), float(mesh.vertices[chin, 1].min())


@lru_cache(maxsize=1)
def _level_vertices() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    base = head_model().base
    brow = (np.abs(base[:, 1] - 7.50) < 0.03) & (np.abs(np.abs(base[:, 0]) - 0.3) < 0.1) & (base[:, 2] > 1.3)
    chin = (np.abs(base[:, 1] - 6.22) < 0.05) & (np.abs(base[:, 0]) < 0.1) & (base[:, 2] > 1.3)
    return np.flatnonzero(brow), np.flatnonzero(chin)


def _strands(roots: Roots, style: Style, detail: float, rng: np.random.Generator) -> Strands:
    """Rules and roots to strands: flow jittered, an undercoat of wide flat strands, loose ends shorter."""
    n = len(roots)
    under = (rng.random(n) < _UNDERCOAT).astype(np.float32)
    width = style.width * detail**-0.55 * rng.uniform(0.7, 1.25, n) * (1 + 1.3 * under)
    arrays = {
        "flow": style.flow + rng.normal(0, style.unruly, (n, 3)) * np.linalg.norm(style.flow, axis=1, keepdims=True),
        "length": style.length * rng.uniform(0.85, 1.08, n),
        "lift": style.lift * (1 - 0.5 * under),
        "offset": np.maximum(style.offset * (1 - 0.7 * under), 0.024),
        "width": width,
    }
    for name in ("gravity", "limit", "cut", "curl", "turns", "pull"):
        arrays[name] = np.broadcast_to(np.asarray(getattr(style, name)), (n,))
    if roots.person.hat != "none":  # pressed flat
        arrays["lift"] = arrays["lift"] * 0.1
        arrays["flow"] = arrays["flow"] * 0.5 + [0, -1.5, 0]
        arrays["offset"] = np.minimum(arrays["offset"], 0.016)
        arrays["curl"] = arrays["curl"] * 0.4
    return Strands(roots.root, roots.normal, **{k: np.ascontiguousarray(v, np.float32) for k, v in arrays.items()})


def _tail(roots: Roots, detail: float, rng: np.random.Generator) -> Strands:
    """A ponytail or bun behind the knot of tied hair."""
    person = roots.person
    n = max(24, int(_STRANDS * 0.22 * detail))
    where = knot(roots)
    out = where - roots.envelope.centre
    out = out / np.linalg.norm(out)
    bun = person.hair_length < 0.45 or rng.random() < 0.4
    around = rng.normal(0, 1, (n, 3))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    if bun:
        size = float(rng.uniform(0.12, 0.22))
        root = where + out * size * 0.7 + around * size
        flow, length, gravity = np.cross(around, rng.normal(0, 1, (n, 3))), np.full(n, 1.6 * size), 0.0
        normal, curl = around, np.zeros(n)
    else:
        root = where + around * 0.07
        flow = out + [0, 0.25, 0] + around * 0.35
        length, gravity = np.full(n, 0.4 + 1.1 * person.hair_length) * rng.uniform(0.8, 1.1, n), 4.0
        normal, curl = np.tile(out, (n, 1)) + around * 0.6, np.full(n, 0.02)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    values = {"lift": 0.05, "gravity": gravity, "offset": 0.03, "limit": 0.0, "cut": -9.0, "turns": 1.0, "pull": 0.0}
    arrays = {k: np.full(n, v, np.float32) for k, v in values.items()}
    arrays["width"] = (0.028 * detail**-0.55 * rng.uniform(0.7, 1.3, n)).astype(np.float32)
    for name, vector in zip(
        ("root", "normal", "flow", "length", "curl"), (root, normal, flow, length, curl), strict=True
    ):
        arrays[name] = np.asarray(vector, np.float32)
    return Strands(**arrays)


def _lifted(strands: Strands, person: Person, rng: np.random.Generator) -> Strands:
    """Roots of an afro moved out into a shell over the scalp, most of them near its outside."""
    n = len(strands)
    thick = 0.10 + 0.45 * person.hair_length
    height = thick * np.sqrt(rng.random(n)).astype(np.float32)[:, None]
    bump = 1 + 0.08 * np.sin(strands.root @ rng.normal(0, 6, (3, 1)) + rng.uniform(0, 6))
    root = strands.root + strands.normal * height * bump.astype(np.float32)
    return Strands(**{k: (root.astype(np.float32) if k == "root" else getattr(strands, k)) for k in Strands.__slots__})
