"""The camera: where it stands, how it projects, and what its film or sensor does to the light that reaches it.

Projection is a plain pinhole (Hartley and Zisserman, 2004, section 6.1): the distance sets the perspective, from an
arm's length (noses grow) to a long lens. The sensor's steps follow the order of a real one: metering, exposure,
white balance, tone curve, contrast, lens blur, noise, 8 bit, JPEG.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.synthesis.scene import Camera

HEAD = 2.1  # crown to chin in head units: what `Camera.frame` counts in
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`matrix` (4, 4) from head units to clip space and `eye` (3,), the camera's place. x right, y up, the camera looks
    along -z.
    """

    matrix: Floats
    eye: Floats


def view(camera: Camera, target: Floats) -> View:
    """Look at `target` (3,) from straight in front, so that head pose and pose label agree; `shift` moves the picture,
    not the eye.
    """
    near, far = max(camera.distance - 5.0, 0.3), camera.distance + 7.0
    zoom = 2.0 * camera.distance / (camera.frame * HEAD)
    project = np.zeros((4, 4))
    project[0, 0] = project[1, 1] = zoom
    project[0, 2] = -2.0 * camera.shift[0]  # clip w is minus the depth, so this adds a constant on the screen
    project[1, 2] = 2.0 * camera.shift[1]
    project[2, 2], project[2, 3] = (far + near) / (near - far), 2.0 * far * near / (near - far)
    project[3, 2] = -1.0
    eye = np.asarray(target, np.float64) + np.array([0.0, 0.0, camera.distance])
    place = np.eye(4)
    place[:3, 3] = -eye
    return View((project @ place).astype(np.float32), eye.astype(np.float32))


def look_from(direction: Floats, centre: Floats, reach: float) -> Floats:
    """Orthographic matrix (4, 4) of a far light in unit `direction`; its map spans `reach` units about `centre`."""
    z = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.01], z)
    x /= np.linalg.norm(x)
    turn = np.stack([x, np.cross(z, x), -z / 3.0])  # depth grows away from the light and stays in -1..1 for 6 units
    matrix = np.eye(4)
    matrix[:3, :3] = turn / reach
    matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(centre, np.float64)
    return matrix.astype(np.float32)


def expose(light: Floats, cover: Floats, camera: Camera) -> NDArray[np.uint8]:
    """Linear light (n, n, 3) to the 8-bit RGB picture; `cover` (n, n) tells the meter where the head is."""
    rng = np.random.default_rng((camera.seed, 11))
    picture = light * np.float32(_metered(light, cover) * camera.exposure)
    picture *= np.asarray(camera.white_balance, np.float32)
    picture = _tone(_muted(picture))
    if camera.blur > 0.05:
        picture = cv2.GaussianBlur(picture, (0, 0), camera.blur)
    picture = np.power(np.clip(picture, 0.0, 1.0), np.float32(1 / 2.2))
    picture = (picture - np.float32(0.45)) * np.float32(camera.contrast) + np.float32(0.45)
    if camera.grey:
        picture = np.repeat((picture @ LUMA)[..., None], 3, axis=2)
    if camera.noise > 0:
        picture = picture + _grain(picture, camera, rng)
    eight = (np.clip(picture, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
    return _jpeg(eight, camera.jpeg) if camera.jpeg else eight


def _metered(light: Floats, cover: Floats) -> float:
    """Exposure of a centre-weighted meter: mostly the head, partly the whole frame, so that a window behind darkens the
    face.

    The power below 1 keeps dark skin darker than light skin, as cameras with a fixed meter do.
    """
    luma = light @ LUMA
    head = luma[cover > 0.5]
    level = 0.7 * float(np.percentile(head, 60)) + 0.3 * float(luma.mean()) if head.size else float(luma.mean())
    return float((0.25 / max(level, 0.004)) ** 0.78)


def _muted(x: Floats) -> Floats:
    """A sensor's colour filters overlap and its matrix gives only part of the saturation back."""
    luma = (x @ LUMA)[..., None]
    return np.asarray(luma + np.float32(0.86) * (x - luma), np.float32)


def _tone(x: Floats) -> Floats:
    """Filmic shoulder: near linear in the shadows, highlights roll off (a mixture of two rational curves)."""
    shoulder = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return (0.35 * np.minimum(shoulder, 1.0) + 0.65 * x / (1.0 + 0.45 * x)).astype(np.float32)


def _grain(picture: Floats, camera: Camera, rng: np.random.Generator) -> Floats:
    """Sensor noise, stronger in the shadows after the tone curve; partly coarse, as after demosaicing. Grey cameras:
    one channel.
    """
    n = picture.shape[0]
    channels = 1 if camera.grey else 3
    grain = rng.standard_normal((n, n, channels), dtype=np.float32)
    coarse = rng.standard_normal((n // 2 + 1, n // 2 + 1, channels), dtype=np.float32)
    coarse = cv2.resize(coarse, (n, n), interpolation=cv2.INTER_LINEAR).reshape(n, n, channels)
    strength = np.float32(camera.noise) * (np.float32(1.15) - np.float32(0.6) * picture.mean(axis=2, keepdims=True))
    return np.asarray((grain * np.float32(0.8) + coarse * np.float32(0.7)) * strength, np.float32)


def _jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Through a JPEG file and back."""
    _, code = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def direction(azimuth: float, elevation: float) -> Floats:
    """Unit vector (3,) of degrees to the image's right and up, 0 towards the camera."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)], np.float32)
