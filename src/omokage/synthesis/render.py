"""Render a `Scene`: geometry, light, pixels, camera, and every label that the same pass gives away for free.

Pictures are drawn at 1.5 times their size and averaged down. The order: head, hair and things into one G-buffer;
depth maps from the key light and from above; shading; lenses over it; the backdrop behind it; the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.accessories import build_parts
from omokage.synthesis.assembly import Surfaces, assemble, lashes, lenses
from omokage.synthesis.background import paint_backdrop
from omokage.synthesis.camera import View, expose, look_from, view
from omokage.synthesis.eyes import EyeLook, eye_look
from omokage.synthesis.geometry import Mesh, build_mesh, pose_mesh, pose_points, rotation
from omokage.synthesis.hair import Ribbons, grow_beard, grow_hair
from omokage.synthesis.landmarks import landmark_points, landmarks
from omokage.synthesis.light import Lighting, lighting
from omokage.synthesis.materials import HairLook
from omokage.synthesis.raster import FAR, HAIR, GBuffer, fill, fill_depth, project
from omokage.synthesis.reflectance import Lights
from omokage.synthesis.scene import Camera, Person, Scene
from omokage.synthesis.shading import shade
from omokage.synthesis.skin import PaintedSkin, paint, with_expression
from omokage.synthesis.surfaces import ClothLook, SkinLook, cloth_look

SUPERSAMPLING = 1.5
SHADOW_MAP, ABOVE_MAP = 192, 96  # texels a side
_REACH = 2.3  # head units that the shadow maps cover to each side
_MIDDLE = np.array([0.0, -0.2, 0.2], np.float32)
_FACE = np.array([[0.0, -0.06, 0.35]], np.float32)  # what the camera looks at, before posing
# Head units from the skin towards the camera at which a point counts as seen. A surgical mask hangs about as far before
# the nose: at 0.06 its tip showed through the cloth in 81 of 111 scenes, at 0.04 in none (of all points well behind
# masks 124 and 1 of 4,788 count as seen; of 2,982 open points of bare faces 56 and 75 count as hidden).
_LIFT = 0.04

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
_Looks = tuple[SkinLook, ClothLook, EyeLook, HairLook]


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """A picture of n x n pixels with its labels, all exact.

    `image` RGB uint8 (n, n, 3); `segmentation` (n, n) uint8 index into `data.records.SEGMENTATION`; `alpha` (n, n)
    float32 share of each pixel that head, hair, clothes and things cover; `landmarks` (68, 2) pixels; `visibility`
    (68,) uint8 1 where the surface point is in the picture and nothing solid stands before it; `points_3d` (68, 3) head
    units, posed.
    """

    image: Bytes
    segmentation: Bytes
    alpha: Floats
    landmarks: Floats
    visibility: Bytes
    points_3d: Floats


def render(scene: Scene, skin: PaintedSkin | None = None) -> Rendering:
    """Render a scene. `skin` = this person's painted skin if at hand (`skin.paint`, the slowest step); painted here
    when None.

    The same scene gives the same bytes. Raises InputError on an unknown background style.
    """
    person, camera = scene.person, scene.camera
    skin = paint(person) if skin is None else skin
    mesh, turn = build_mesh(person, scene.expression), rotation(scene.pose)
    posed = pose_mesh(mesh, scene.pose)
    look_at = view(camera, pose_points(_FACE, turn)[0] * np.array([0.9, 1.0, 1.0], np.float32))
    flat = project(posed.vertices, look_at.matrix, camera.size)[:, :2]
    points = landmark_points(flat, posed.vertices, person.brow_gap)
    ribbons = _ribbons(person, mesh, camera.size)
    parts = build_parts(person, scene.surroundings, mesh, np.random.default_rng((scene.surroundings.seed, 61)))
    surfaces = assemble(posed, turn, ribbons, parts)

    n = round(camera.size * SUPERSAMPLING)
    buffer, screen = _draw(surfaces, look_at, n)
    backdrop = paint_backdrop(scene.surroundings, camera.size)
    world = lighting(scene.light, backdrop)
    lights = _lights(world, surfaces, look_at.eye)
    eyes = eye_look(person, scene.pose, posed, points, turn, look_at.eye)
    looks = (
        _skin_look(person, skin, with_expression(skin, scene.expression), turn),
        cloth_look(person),
        eyes,
        _hair_look(ribbons),
    )

    colour, classes = np.zeros((n, n, 4), np.float32), np.zeros((n, n), np.uint8)
    _shade(buffer, screen, surfaces, lights, looks, colour, classes)
    for veil in (lashes(posed), lenses(turn, parts)):
        _veil_pass(veil, look_at, buffer, lights, looks, colour, classes)
    image, alpha = _develop(colour, backdrop * np.float32(world.backdrop), scene)
    seen = _visibility(points, look_at, buffer)
    return Rendering(image, _shrunk(classes, camera.size), alpha, landmarks(flat, person.brow_gap), seen, points)


def warm_up() -> None:
    """Compile every kernel (about half a minute on a fresh machine, then cached), so that timings and progress bars are
    honest.
    """
    for glasses, hair in (("sunglasses", "short"), ("frame", "long")):
        person = Person(
            1,
            40.0,
            0.6,
            0.4,
            0.0,
            0.5,
            (1.0, 0.0, 0.0),
            (),
            0.3,
            0.4,
            0.5,
            0.3,
            0.2,
            hair=hair,
            beard="full",
            glasses=glasses,
        )
        render(Scene(person, camera=Camera(1, size=32)))


def _ribbons(person: Person, mesh: Mesh, size: int) -> list[tuple[Ribbons, int]]:
    """Scalp hair and beard, with as many strands as the picture's size can show."""
    detail = min(max(size / 320, 0.3), 1.0)
    grown = (grow_hair(person, mesh, detail), grow_beard(person, mesh, detail))
    return [(strands, which) for which, strands in enumerate(grown) if strands is not None]


def _draw(surfaces: Surfaces, look_at: View, n: int) -> tuple[GBuffer, Floats]:
    """Everything solid into a G-buffer; also the screen vertices (V, 4)."""
    buffer, screen = GBuffer.empty(n), project(surfaces.vertices, look_at.matrix, n)
    fill(screen, surfaces.triangles, surfaces.kinds, surfaces.detail, buffer.triangle, buffer.weights, buffer.depth)
    return buffer, screen


def _lights(world: Lighting, surfaces: Surfaces, eye: Floats) -> Lights:
    """Depth maps from the key light and from above, and the rest of what the shader needs."""
    key, above = look_from(world.direction, _MIDDLE, _REACH), look_from(np.array([0.0, 1.0, 0.3]), _MIDDLE, _REACH)
    # Ribbons are half air, and the other half of their triangles is half of the work.
    casts = surfaces.triangles[(surfaces.kinds != HAIR) | (np.arange(len(surfaces.kinds)) % 2 == 0)]
    maps = []
    for matrix, size in ((key, SHADOW_MAP), (above, ABOVE_MAP)):
        depth = np.full((size, size), FAR, np.float32)
        fill_depth(project(surfaces.vertices, matrix, size), casts, depth)
        maps.append(depth)
    return Lights(world.direction, world.colour, world.harmonics, eye, maps[0], key, maps[1], above, world.softness)


def _skin_look(person: Person, skin: PaintedSkin, texture: Bytes, turn: Floats) -> SkinLook:
    rng = np.random.default_rng((person.seed, 62))
    oil = rng.uniform(0.0, 0.6) * (1.0 - 0.4 * min(max((person.age - 40) / 40, 0), 1))
    return SkinLook(
        texture, skin.seg, turn, np.asarray(skin.lips, np.float32), float(skin.lip_gloss), oil,
        1.0 - 0.45 * person.melanin, 0.085,
    )  # fmt: skip


def _hair_look(ribbons: list[tuple[Ribbons, int]]) -> HairLook:
    colour, grey = np.full((2, 3), 0.02, np.float32), np.zeros(2, np.float32)
    for strands, which in ribbons:
        colour[which], grey[which] = strands.colour, strands.grey
    return HairLook(colour, grey)


def _shade(
    buffer: GBuffer, screen: Floats, surfaces: Surfaces, lights: Lights, looks: _Looks, colour: Floats, classes: Bytes
) -> None:
    shade(
        buffer.triangle, buffer.weights, screen, surfaces.vertices, surfaces.normals, surfaces.attributes,
        surfaces.triangles, surfaces.kinds, lights, *looks, colour, classes,
    )  # fmt: skip


def _veil_pass(
    veil: Surfaces | None, look_at: View, solid: GBuffer, lights: Lights, looks: _Looks, colour: Floats, classes: Bytes
) -> None:
    """Lay the nearest lens or lash over `colour` and `classes` where nothing solid is in front of it."""
    if veil is None:
        return
    n = solid.depth.shape[0]
    buffer = GBuffer(np.full((n, n), -1, np.int32), np.empty((n, n, 2), np.float32), solid.depth.copy())
    screen = project(veil.vertices, look_at.matrix, n)
    fill(screen, veil.triangles, veil.kinds, veil.detail, buffer.triangle, buffer.weights, buffer.depth)
    over, names = np.zeros((n, n, 4), np.float32), np.zeros((n, n), np.uint8)
    _shade(buffer, screen, veil, lights, looks, over, names)
    hit = buffer.triangle >= 0
    colour[hit] = over[hit] + colour[hit] * (1.0 - over[hit][:, 3:])
    named = names > 0  # lashes keep the class of what they cover
    classes[named] = names[named]
    dark = named & (over[..., 3] > 0.6)  # sunglasses hide the eyes as a solid thing would
    solid.depth[dark] = buffer.depth[dark]


def _develop(colour: Floats, backdrop: Floats, scene: Scene) -> tuple[Bytes, Floats]:
    """Average down, put the backdrop behind, take the picture: 8-bit image and coverage."""
    size = scene.camera.size
    colour[..., :3] = np.minimum(colour[..., :3], 6.0)  # single glints must not bleed over their neighbours
    small = cv2.resize(colour, (size, size), interpolation=cv2.INTER_AREA)
    alpha = np.ascontiguousarray(np.clip(small[..., 3], 0.0, 1.0))
    light = small[..., :3] + backdrop * (1.0 - alpha[..., None])
    return expose(light, alpha, scene.camera), alpha


def _shrunk(classes: Bytes, size: int) -> Bytes:
    """The class at each pixel's middle. (Plain INTER_NEAREST takes it at the upper left corner: classes then lie a
    quarter to half a pixel right of and below what the picture shows.)"""
    return np.asarray(cv2.resize(classes, (size, size), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _visibility(points: Floats, look_at: View, buffer: GBuffer) -> Bytes:
    """1 where a point (68, 3), lifted a little off the skin towards the camera, is nearer than what was drawn around
    its pixel.

    The best of 3 x 3 pixels counts, because contour points lie on the edge of the head.
    """
    n = buffer.depth.shape[0]
    to_eye = look_at.eye - points
    lifted = points + to_eye / np.linalg.norm(to_eye, axis=1, keepdims=True) * np.float32(_LIFT)
    screen = project(np.ascontiguousarray(lifted, np.float32), look_at.matrix, n)
    column, row = np.floor(screen[:, 0]).astype(int), np.floor(screen[:, 1]).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < n) & (row < n) & (screen[:, 3] > 0)
    farthest = cv2.dilate(buffer.depth, np.ones((3, 3), np.uint8))
    around = farthest[np.clip(row, 0, n - 1), np.clip(column, 0, n - 1)]
    return np.asarray(inside & (screen[:, 2] <= around), np.uint8)
