"""Eyes and teeth: iris, limbus, pupil, the lids' shadow on the ball, the wet line along the lower lid, teeth and
gums.

The lids shade the eyeball by where a point lies between the lid edges, seen from the ball's centre; without that
shade rendered eyes glow and stare. Proportions: eyeball radius 12 mm, iris radius 5.9 mm, so half a radian.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from omokage.synthesis.geometry import Mesh
from omokage.synthesis.reflectance import Colour, Floats, Lights, ambient, facets, smooth
from omokage.synthesis.scene import Person, Pose

IRIS_ANGLE = 0.49
# Landmarks of the lid edges, left eye first: inner corner, two of the upper edge, outer corner, two of the lower edge.
_LIDS = np.array([(42, 43, 44, 45, 47, 46), (39, 38, 37, 36, 40, 41)])

_RIMS = (62, 66)  # landmarks: middle of the upper and of the lower inner lip


class EyeLook(NamedTuple):
    """Both eyes, the person's left first."""

    centres: Floats  # (2, 3)
    lids: Floats  # (2, 6, 2): lid edge points (right, up) as tangents of angles around the ball's centre, in head axes
    gaze: Floats  # (2, 3) unit
    axes: Floats  # (3, 3) rows: the head's right, up, forward
    iris: Floats  # (3,)
    white: Floats  # (3,)
    teeth: Floats  # (3,)
    pupil: float  # radians
    seed: float
    mouth: float  # 0 closed .. 1 open: a slit lets no light in


def eye_look(person: Person, pose: Pose, mesh: Mesh, points: Floats, turn: Floats, camera: Floats) -> EyeLook:
    """Eyes of the posed `mesh` with landmarks `points` (68, 3) in head axes `turn` (3, 3).

    They look `pose.gaze_right`, `gaze_up` degrees beside the camera at `camera` (3,).
    """
    rng = np.random.default_rng((person.seed, 51))
    centres = np.stack([mesh.left_eye, mesh.right_eye]).astype(np.float32)
    axes = np.ascontiguousarray(turn.T)
    lids = (points[_LIDS] - centres[:, None]) @ turn
    tangents = lids[..., :2] / np.maximum(lids[..., 2:], 1e-3)
    to_camera = camera - centres.mean(axis=0)
    right = math.atan2(to_camera[0], to_camera[2]) + math.radians(pose.gaze_right)
    up = math.atan2(to_camera[1], math.hypot(to_camera[0], to_camera[2])) + math.radians(pose.gaze_up)
    gaze = np.array([math.sin(right) * math.cos(up), math.sin(up), math.cos(right) * math.cos(up)])
    yellow = min(max((person.age - 40) / 50, 0.0), 1.0) * 0.5 + 0.3 * person.melanin
    white = (
        np.array([0.45, 0.41 - 0.02 * yellow, 0.385 - 0.06 * yellow])
        * rng.uniform(0.85, 1.05)
        * (1.0 - 0.4 * person.melanin)
    )
    gap = float(np.linalg.norm(points[_RIMS[0]] - points[_RIMS[1]]))
    stain = rng.uniform(0, 1)
    teeth = np.array([0.66, 0.59 - 0.04 * stain, 0.5 - 0.1 * stain]) * rng.uniform(0.75, 1.05)
    f4 = np.float32
    return EyeLook(
        centres, np.ascontiguousarray(tangents, f4), np.stack([gaze, gaze]).astype(f4), axes,
        np.asarray(person.iris, f4), white.astype(f4), teeth.astype(f4),
        float(rng.uniform(0.15, 0.26)), float(rng.uniform(0, 9)),
        float(smooth(0.02, 0.1, gap)),
    )  # fmt: skip


@njit(cache=True, fastmath=True)
def _edge(lids: Floats, eye: int, a: int, b: int, u: float) -> float:
    """Height of a lid edge at `u`, through its two middle points `a`, `b` and both corners."""
    inner, outer = lids[eye, 0], lids[eye, 3]
    sign = 1.0 if outer[0] > inner[0] else -1.0
    x = u * sign
    p, q = inner, lids[eye, a]
    if x > lids[eye, a, 0] * sign:
        p, q = lids[eye, a], lids[eye, b]
    if x > lids[eye, b, 0] * sign:
        p, q = lids[eye, b], outer
    share = min(max((u - p[0]) / (q[0] - p[0] + sign * 1e-6), 0.0), 1.0)
    height: float = p[1] + share * (q[1] - p[1])
    return height


@njit(cache=True, fastmath=True)
def _lid_shade(look: EyeLook, eye: int, nx: float, ny: float, nz: float) -> tuple[float, float, float]:
    """Openness to light 0..1, the wet line 0..1, and nearness to the inner corner 0..1 at a direction from the ball's
    centre.
    """
    ax = look.axes
    ahead = max(ax[2, 0] * nx + ax[2, 1] * ny + ax[2, 2] * nz, 0.15)
    u = (ax[0, 0] * nx + ax[0, 1] * ny + ax[0, 2] * nz) / ahead
    v = (ax[1, 0] * nx + ax[1, 1] * ny + ax[1, 2] * nz) / ahead
    upper = _edge(look.lids, eye, 1, 2, u) - v
    lower = v - _edge(look.lids, eye, 4, 5, u)
    inner, outer = look.lids[eye, 0, 0], look.lids[eye, 3, 0]
    width = abs(outer - inner) + 1e-3
    from_inner, from_outer = abs(u - inner) / width, abs(u - outer) / width
    corners = smooth(-0.02, 0.22, from_inner) * smooth(-0.04, 0.2, from_outer)
    shade = (0.2 + 0.8 * smooth(-0.04, 0.4, upper)) * (0.6 + 0.4 * smooth(-0.06, 0.14, lower)) * (0.4 + 0.6 * corners)
    wet = smooth(0.1, 0.02, lower) * smooth(-0.08, 0.0, lower)
    return shade, wet, smooth(0.17, 0.04, from_inner)


@njit(cache=True, fastmath=True)
def shade_eye(
    look: EyeLook,
    lights: Lights,
    eye: int,
    px: float,
    py: float,
    pz: float,
    vx: float,
    vy: float,
    vz: float,
    sun: float,
    sky: float,
) -> Colour:
    """Colour of an eyeball at point p, seen along v; `sun`, `sky`: shares of key and ambient light that reach it."""
    nx, ny, nz = px - look.centres[eye, 0], py - look.centres[eye, 1], pz - look.centres[eye, 2]
    s = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
    nx, ny, nz = nx * s, ny * s, nz * s
    gx, gy, gz = look.gaze[eye, 0], look.gaze[eye, 1], look.gaze[eye, 2]
    angle = math.acos(min(max(nx * gx + ny * gy + nz * gz, -1.0), 1.0))
    open_, wet, corner = _lid_shade(look, eye, nx, ny, nz)
    side = 1.0 / math.sqrt(gx * gx + gz * gz + 1e-9)  # an axis across the gaze, to count the iris fibres around it
    ux, uz = gz * side, -gx * side
    around = math.atan2(nx * ux + nz * uz, (ny - gy * (nx * gx + ny * gy + nz * gz)))
    fibre = 0.85 + 0.2 * math.sin(around * 37.0 + look.seed) * math.sin(around * 23.0 + 1.3 * look.seed)
    kx, ky, kz = lights.direction[0], lights.direction[1], lights.direction[2]
    on_iris = smooth(IRIS_ANGLE + 0.05, IRIS_ANGLE - 0.03, angle)
    # The cornea bulges: its normals turn faster than the ball's, which keeps highlights small and near the pupil.
    bulge = 0.7 * smooth(IRIS_ANGLE + 0.15, IRIS_ANGLE - 0.1, angle)
    cx, cy, cz = nx + bulge * (nx - gx), ny + bulge * (ny - gy), nz + bulge * (nz - gz)
    s = 1.0 / math.sqrt(cx * cx + cy * cy + cz * cz)
    cx, cy, cz = cx * s, cy * s, cz * s
    hx, hy, hz = kx + vx, ky + vy, kz + vz
    s = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    gleam = min(facets(max((cx * hx + cy * hy + cz * hz) * s, 0.0), 0.14) * 0.012, 1.1) * sun * (0.25 + 0.75 * open_)
    # The brightest part of the surroundings mirrors in the cornea too.
    ax, ay, az = (
        lights.harmonics[3, 1],
        lights.harmonics[1, 1] + 1e-4,
        lights.harmonics[2, 1] + 0.2 * lights.harmonics[0, 1],
    )
    s = 1.0 / math.sqrt(ax * ax + ay * ay + az * az)
    ax, ay, az = ax * s + vx, ay * s + vy, az * s + vz
    s = 1.0 / math.sqrt(ax * ax + ay * ay + az * az + 1e-9)
    window = min(facets(max((cx * ax + cy * ay + cz * az) * s, 0.0), 0.13) * 0.01, 0.2) * open_
    cv = max(cx * vx + cy * vy + cz * vz, 0.0)
    rx, ry, rz = 2 * cv * cx - vx, 2 * cv * cy - vy, 2 * cv * cz - vz
    # Straight ahead the cornea mirrors brows, lashes and whoever takes the picture: dark things.
    mirror = (0.007 + 0.15 * (1.0 - cv) ** 5) * open_ + 0.02 * wet
    diffuse = max((nx * kx + ny * ky + nz * kz + 0.3) / 1.3, 0.0) * (0.2 + 0.8 * sun)
    limbus = smooth(IRIS_ANGLE - 0.12, IRIS_ANGLE, angle) * 0.75
    pupil = smooth(look.pupil + 0.05, look.pupil, angle)
    ring = 0.95 - 0.45 * smooth(look.pupil, IRIS_ANGLE, angle)
    r0, r1, r2 = 0.0, 0.0, 0.0
    for k in range(3):
        ball = look.white[k] * (1.0 - corner) + (0.42 if k == 0 else 0.2) * corner
        if k > 0:
            ball *= 1.0 - 0.14 * smooth(0.6, 1.1, angle)  # more vessels away from the iris
        iris = look.iris[k] * fibre * ring * (1.0 - limbus) + 0.01 * limbus
        iris = iris * (1.0 - pupil) + 0.003 * pupil
        albedo = iris * on_iris + ball * (1.0 - on_iris)
        light = ambient(lights.harmonics, k, nx, ny, nz) * sky + lights.colour[k] * diffuse
        shine = (
            lights.colour[k] * gleam
            + lights.harmonics[0, k] * window
            + ambient(lights.harmonics, k, rx, ry, rz) * mirror
        )
        value = albedo * light * open_ + shine
        if k == 0:
            r0 = value
        elif k == 1:
            r1 = value
        else:
            r2 = value
    return r0, r1, r2


@njit(cache=True, fastmath=True)
def shade_mouth(
    look: EyeLook, lights: Lights, group: int, bx: float, by: float, bz: float, nx: float, ny: float, nz: float,
    nh: float, sun: float,
) -> Colour:  # fmt: skip
    """Teeth (3 upper, 4 lower) and tongue (5) at rest coordinates b; the deeper in the mouth, the darker."""
    gum = 0.0
    if group == 3:
        gum = smooth(6.735, 6.755, by)
    elif group == 4:
        gum = smooth(6.578, 6.558, by)
    gap = smooth(0.0, 0.18, abs(bx * 12.5 + 0.5 - math.floor(bx * 12.5 + 0.5) - 0.5) * 2.0)
    gap = 0.6 + 0.4 * gap
    depth = (0.04 + 0.86 * smooth(1.05, 1.47, bz)) * (0.12 + 0.88 * look.mouth)
    front = max((nx * lights.direction[0] + ny * lights.direction[1] + nz * lights.direction[2]) * 0.5 + 0.5, 0.0)
    shine = facets(nh, 0.3) * 0.012
    r = (0.0, 0.0, 0.0)
    for k in range(3):
        red = (0.4, 0.13, 0.12)[k]
        albedo = look.teeth[k] * gap * (1.0 - gum) + red * gum if group < 5 else red
        light = ambient(lights.harmonics, k, nx, ny, nz) * 0.6 + lights.colour[k] * front * 0.55 * (0.25 + 0.75 * sun)
        value = (albedo * light + lights.colour[k] * shine * sun) * depth
        r = (value if k == 0 else r[0], value if k == 1 else r[1], value if k == 2 else r[2])
    return r
