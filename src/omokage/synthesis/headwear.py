"""Hats: caps, beanies, brimmed hats and headscarves, laid over the head's envelope."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.envelope import ABOVE, BELOW, Envelope, head_envelope
from omokage.synthesis.geometry import Mesh, head_model
from omokage.synthesis.hairline import hat_line
from omokage.synthesis.scene import Person
from omokage.synthesis.solids import Part, Shape, ball, part, sheet, two_sided

Array = NDArray[np.floating]
_COLUMNS = 44
_EYE_REST, _CROWN_REST = 7.28, 8.49  # rest heights of eyes (0 in head units) and crown


def build_hat(person: Person, mesh: Mesh, rng: np.random.Generator) -> list[Part]:
    """The person's hat; an empty list without one."""
    if person.hat == "none":
        return []
    envelope = head_envelope(mesh)
    smooth = Envelope(envelope.centre, _relaxed(envelope.radius))
    colour = _cloth_colour(rng)
    if person.hat == "scarf":
        return _scarf(mesh, smooth, colour, rng)
    builders = {"cap": _cap, "beanie": _beanie, "brim": _brim}
    return builders[person.hat](person, mesh, smooth, colour, rng)


def _cloth_colour(rng: np.random.Generator) -> Array:
    base = float(rng.choice([0.02, 0.06, 0.2, 0.45])) * float(rng.uniform(0.7, 1.4))
    return np.clip(base * np.exp(rng.normal(0, rng.choice([0.08, 0.3, 0.6]), 3)), 0.008, 0.75)


def _relaxed(radius: NDArray[np.float32]) -> NDArray[np.float32]:
    """The envelope without ears and dents: cloth spans them."""
    wide = np.concatenate([radius, radius, radius], axis=1)
    wide = np.maximum(cv2.GaussianBlur(wide, (0, 0), 2.2), 0.985 * cv2.GaussianBlur(wide, (0, 0), 0.8))
    n = radius.shape[1]
    return np.ascontiguousarray(wide[:, n : 2 * n], np.float32)


def _crown_height(mesh: Mesh) -> float:
    return float(mesh.vertices[head_model().base[:, 1] > 8.3, 1].max())


def _hat_rows(person: Person, mesh: Mesh, envelope: Envelope, angle: Array, shift: float = 0.0) -> Array:
    """Envelope row at which the hat ends, per angle (radians about the envelope's axis, 0 in front)."""
    scale = _crown_height(mesh) / (_CROWN_REST - _EYE_REST)
    target = (hat_line(person, angle) + shift - _EYE_REST) * scale
    rows = np.arange(ABOVE + BELOW - 1) + 0.5
    heights = envelope.points(angle[:, None], rows[None], 0.0)[..., 1]
    return np.array([np.interp(-t, -h, rows) for t, h in zip(target, heights, strict=True)])


def _shell(
    person: Person, mesh: Mesh, envelope: Envelope, offset: Array, rows: int = 14, shift: float = 0.0
) -> tuple[Array, Array]:
    """Grid (rows, columns, 3) from the crown to the hat's edge, `offset` (rows,) off the head; and the angles."""
    angle = np.linspace(-np.pi, np.pi, _COLUMNS, endpoint=False)
    edge = _hat_rows(person, mesh, envelope, angle, shift)
    share = np.linspace(0.04, 1.0, rows)[:, None]
    return envelope.points(angle[None] + 0 * share, edge[None] * share, offset[:, None]), angle


def _beanie(person: Person, mesh: Mesh, envelope: Envelope, colour: Array, rng: np.random.Generator) -> list[Part]:
    slack = float(rng.uniform(0.03, 0.16))
    rows = 16
    t = np.linspace(0, 1, rows)
    cuff = rng.random() < 0.6
    offset = 0.055 + slack * (1 - t) ** 2 + (0.028 * (t > 0.72) if cuff else 0)
    grid, angle = _shell(person, mesh, envelope, offset, rows)
    ribs = 1 + 0.16 * np.sign(np.sin(angle * 22))[None, :, None] * np.ones((rows, 1, 1))
    shade = ribs * np.where((t > 0.70) & (t < 0.75) & cuff, 0.6, 1.0)[:, None, None]
    tint = colour * shade
    if rng.random() < 0.35:
        tint = np.where((np.sin(t * 21) > 0.2)[:, None, None], tint, _cloth_colour(rng) * shade)
    parts = [part(two_sided(sheet(grid, wrap=True), 0.02), np.tile(tint.reshape(-1, 3), (2, 1)), 0.95, "hat")]
    if rng.random() < 0.25:
        parts.append(part(ball(grid[0].mean(0) + np.array([0, 0.1, 0]), 0.2), colour * 1.2, 1.0, "hat"))
    return parts


def _cap(person: Person, mesh: Mesh, envelope: Envelope, colour: Array, rng: np.random.Generator) -> list[Part]:
    rows = 13
    t = np.linspace(0, 1, rows)
    grid, angle = _shell(person, mesh, envelope, 0.05 + 0.07 * np.sin(np.pi * t) ** 2 + 0.03 * (1 - t), rows)
    seams = 1 - 0.3 * (np.abs(np.sin(angle * 3)) < 0.09)[None, :, None] * np.ones((rows, 1, 1))
    front = (np.abs(angle) < 0.75)[None, :, None] & (t > 0.3)[:, None, None]
    panel = _cloth_colour(rng) if rng.random() < 0.35 else colour
    tint = np.where(front, panel, colour) * seams
    crown = part(two_sided(sheet(grid, wrap=True), 0.02), np.tile(tint.reshape(-1, 3), (2, 1)), 0.85, "hat")
    return [crown, part(_visor(person, mesh, envelope, rng), colour * 0.9, 0.8, "hat")]


def _visor(person: Person, mesh: Mesh, envelope: Envelope, rng: np.random.Generator) -> Shape:
    half = float(rng.uniform(0.75, 0.95))
    angle = np.linspace(-half, half, 19)
    edge = envelope.points(angle, _hat_rows(person, mesh, envelope, angle, 0.02), 0.05)
    reach = float(rng.uniform(0.45, 0.65)) * np.cos(angle / half * np.pi / 2) ** 0.6
    curve = float(rng.uniform(0.08, 0.22)) * (angle / half) ** 2
    out = np.linspace(0, 1, 6)[:, None]
    x = edge[:, 0] * (1 + 0.05 * out)
    y = edge[:, 1] - out * (0.14 + curve) - 0.06 * out**2
    z = edge[:, 2] + out * reach
    return two_sided(sheet(np.stack([x, y, z], axis=-1)), 0.025)


def _brim(person: Person, mesh: Mesh, envelope: Envelope, colour: Array, rng: np.random.Generator) -> list[Part]:
    rows = 13
    t = np.linspace(0, 1, rows)
    tall = float(rng.uniform(0.10, 0.30))
    grid, angle = _shell(person, mesh, envelope, 0.06 + 0.03 * (1 - t), rows)
    lifted = grid.copy()
    lifted[..., 1] += tall * (1 - t)[:, None] ** 0.5
    lifted[..., 1] = np.minimum(
        lifted[..., 1], lifted[..., 1].max() - 0.06 * np.exp(-((grid[..., 0] / 0.22) ** 2)) * (t < 0.5)[:, None]
    )
    band = ((t > 0.78) & (t < 0.97))[:, None, None]
    tint = np.where(band, _cloth_colour(rng), colour * np.ones((rows, _COLUMNS, 1)))
    crown = part(two_sided(sheet(lifted, wrap=True), 0.02), np.tile(tint.reshape(-1, 3), (2, 1)), 0.9, "hat")
    wide, droop = float(rng.uniform(0.25, 0.6)), float(rng.uniform(-0.05, 0.22))
    out = np.linspace(0, 1, 5)[:, None]
    edge = lifted[-1]
    level = edge * [1, 0, 1] - envelope.centre * [1, 0, 1]
    level = level / np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-6)
    rim = edge[None] + level[None] * (wide * out)[..., None]
    rim[..., 1] -= droop * out**2 * (0.6 + 0.4 * np.cos(2 * angle))[None]
    return [crown, part(two_sided(sheet(rim, wrap=True), 0.02), colour * 0.95, 0.9, "hat")]


def _scarf(mesh: Mesh, envelope: Envelope, colour: Array, rng: np.random.Generator) -> list[Part]:
    """A headscarf around face and neck, open for the face."""
    base = head_model().base
    chin = float(
        mesh.vertices[
            (np.abs(base[:, 0]) < 0.15) & (base[:, 2] > 1.3) & (base[:, 1] > 6.1) & (base[:, 1] < 6.5), 1
        ].min()
    )
    scale = _crown_height(mesh) / (_CROWN_REST - _EYE_REST)
    brow = (7.86 + float(rng.uniform(-0.1, 0.05)) - _EYE_REST) * scale
    rows, columns = 34, 46
    last = float(envelope.row_of(chin - 0.75))
    row = np.linspace(1.0, min(last, ABOVE + BELOW - 2.0), rows)
    front = envelope.points(np.zeros(rows), row, 0.0)[:, 1]
    middle, tall = (brow + chin - 0.04) / 2, (brow - chin + 0.04) / 2
    oval = np.sqrt(np.clip(1 - ((front - middle) / tall) ** 2, 0, 1))
    half = np.where(oval > 0, 0.92 * oval**0.75, 0.0)
    u = np.linspace(0, 1, columns)[None]
    angle = half[:, None] + u * (2 * np.pi - 2 * half[:, None])
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    folds = 0.012 * np.sin(u * 37 + row[:, None] * 0.9 + rng.uniform(0, 6)) + 0.02 * np.sin(u * 15 - row[:, None] * 0.5)
    offset = 0.055 + folds + 0.05 * (row / ABOVE > 1.2)[:, None]
    grid = envelope.points(angle, row[:, None] + 0 * u, offset)
    shape = two_sided(sheet(grid), 0.03)
    tint = np.repeat((1 + 9 * folds)[..., None], 3, axis=-1) * colour
    return [part(shape, np.tile(tint.reshape(-1, 3), (2, 1)), 0.9, "hat")]
