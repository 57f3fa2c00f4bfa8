"""A face and its curves as inline SVG: picture with box, landmarks and pose axes; age density with its interval."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from omokage.data.rotation import matrix_of_pose
from omokage.results import AgeEstimate, Box, FaceAnalysis, Pose

# Runs of the 68 landmarks that belong to one line, and whether the line closes.
CONTOURS = (
    (0, 17, False), (17, 22, False), (22, 27, False), (27, 31, False), (31, 36, False), (36, 42, True), (42, 48, True),
    (48, 60, True), (60, 68, True),
)  # fmt: skip
_MARGIN = 0.45  # of the box's larger side, shown around the box
_COLUMNS = (("x", 0), ("y", 1), ("z", 2))


@dataclass(frozen=True, slots=True)
class View:
    """The part of the source picture that is shown: its corner, its size in source pixels, and the JPEG as a data
    URI."""

    x: float
    y: float
    width: float
    height: float
    uri: str


def view_of(image: NDArray[np.uint8] | None, box: Box, side: int) -> View:
    """The surroundings of a box, cut from an RGB picture (h, w, 3) and reduced to at most `side` pixels; no picture:
    no URI."""
    pad = _MARGIN * max(box.width, box.height)
    x0, y0, x1, y1 = box.x0 - pad, box.y0 - pad, box.x1 + pad, box.y1 + pad
    if image is None:
        return View(x0, y0, x1 - x0, y1 - y0, "")
    height, width = image.shape[:2]
    x0, y0 = max(int(x0), 0), max(int(y0), 0)
    x1, y1 = min(int(np.ceil(x1)), width), min(int(np.ceil(y1)), height)
    if x1 <= x0 or y1 <= y0:  # a box outside the picture: nothing to show
        return View(box.x0 - pad, box.y0 - pad, box.width + 2 * pad, box.height + 2 * pad, "")
    return View(x0, y0, x1 - x0, y1 - y0, data_uri(image[y0:y1, x0:x1], side))


def data_uri(image: NDArray[np.uint8], side: int) -> str:
    """A picture (h, w, 3), reduced to at most `side` pixels, as a JPEG in a data URI."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def face_svg(face: FaceAnalysis, view: View, title: str) -> str:
    """The picture part with box, landmarks and pose axes drawn over it, in source pixels."""
    stroke = max(view.width, view.height) / 260
    parts = [
        f'<svg class="face" role="img" viewBox="{view.x:.1f} {view.y:.1f} {view.width:.1f} {view.height:.1f}" '
        f'style="--s:{stroke:.2f}px"><title>{escape(title)}</title>'
    ]
    place = f'x="{view.x:.1f}" y="{view.y:.1f}" width="{view.width:.1f}" height="{view.height:.1f}"'
    parts.append(f'<image {place} href="{view.uri}"/>' if view.uri else f'<rect class="blank" {place}/>')
    box = face.box
    parts.append(
        f'<rect class="box" x="{box.x0:.1f}" y="{box.y0:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"/>'
    )
    if face.outline is not None:
        parts += _spreads(face) + _contours(face.outline, stroke)
    if face.pose is not None:
        parts += _axes(face)
    return "".join([*parts, "</svg>"])


def _spreads(face: FaceAnalysis) -> list[str]:
    """A pale disc around each landmark of the radius that 68 percent of errors stay below, where it is known."""
    if face.outline is None or face.landmark_sigma is None:
        return []
    pairs = zip(face.outline, face.landmark_sigma, strict=True)
    return [f'<circle class="spread" cx="{x:.1f}" cy="{y:.1f}" r="{sigma:.2f}"/>' for (x, y), sigma in pairs]


def _contours(outline: NDArray[np.float32], stroke: float) -> list[str]:
    drawn = []
    for start, stop, closed in CONTOURS:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline[start:stop])
        drawn.append(f'<{"polygon" if closed else "polyline"} class="mark" points="{points}"/>')
    drawn += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{1.1 * stroke:.2f}"/>' for x, y in outline]
    return drawn


def _axes(face: FaceAnalysis) -> list[str]:
    """Lines from the nose tip (or the box's centre) along the head's axes, seen from the camera."""
    x, y = face.box.centre if face.outline is None else map(float, face.outline[30])
    length = 0.45 * max(face.box.width, face.box.height)
    lines = []
    for name, (right, up) in pose_axes(face.pose).items() if face.pose else ():
        end = f'x2="{x + length * right:.1f}" y2="{y - length * up:.1f}"'
        lines.append(f'<line class="axis {name}" x1="{x:.1f}" y1="{y:.1f}" {end}/>')
    return lines


def pose_axes(pose: Pose) -> dict[str, tuple[float, float]]:
    """Where the head's x (to the image's right at rest), y (up) and z (out of the face) point in the image: right,
    up."""
    rotation = matrix_of_pose((pose.yaw, pose.pitch, pose.roll))
    return {name: (float(rotation[0, k]), float(rotation[1, k])) for name, k in _COLUMNS}


def age_svg(age: AgeEstimate, title: str) -> str:
    """The density over years as a curve, the 5 to 95 percent interval shaded, the estimate as a line; axis 0 to 100
    years."""
    width, height, base = 320, 110, 88
    years = np.arange(max(len(age.density), 101))
    last = float(years[-1])
    scale = (width - 20) / last

    def across(year: float) -> float:
        return 10 + min(max(year, 0.0), last) * scale

    low, high = across(age.q05), across(age.q95)
    parts = [f'<svg class="age" role="img" viewBox="0 0 {width} {height}"><title>{escape(title)}</title>']
    parts.append(f'<rect class="interval" x="{low:.1f}" y="8" width="{high - low:.1f}" height="{base - 8}"/>')
    if age.density:
        density = np.asarray(age.density)
        top = float(density.max()) or 1.0
        curve = " ".join(f"{across(k):.1f},{base - 76 * p / top:.1f}" for k, p in enumerate(density))
        parts.append(f'<polygon class="density" points="10,{base} {curve} {across(len(density) - 1):.1f},{base}"/>')
    parts.append(
        f'<line class="estimate" x1="{across(age.years):.1f}" y1="6" x2="{across(age.years):.1f}" y2="{base}"/>'
    )
    parts.append(f'<line class="ground" x1="10" y1="{base}" x2="{width - 10}" y2="{base}"/>')
    ticks = (f'<text x="{across(y):.1f}" y="{base + 15}">{y}</text>' for y in range(0, int(last) + 1, 20))
    return "".join([*parts, *ticks, "</svg>"])
