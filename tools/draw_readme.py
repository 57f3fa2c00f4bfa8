"""Draw the README's picture: scikit-image's astronaut with what the shipped weights read off it.

Command: ``python tools/draw_readme.py [docs/images/astronaut.png]``. The photograph is NASA's (public domain) and
comes with scikit-image; nothing on the picture is typed in by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

import omokage
from omokage.report.drawing import CONTOURS, pose_axes
from omokage.results import FaceAnalysis

WIDE, MARGIN, SCALE = 470, 0.75, 3.0
_AXES = {"x": (235, 70, 60), "y": (50, 190, 80), "z": (60, 140, 245)}
_INK, _SOFT, _BAR, _BACK = (35, 40, 50), (110, 118, 132), (44, 95, 209), (222, 226, 234)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def overlay(image: NDArray[np.uint8], face: FaceAnalysis) -> NDArray[np.uint8]:
    """The surroundings of the face, enlarged, with box, landmarks and axes."""
    pad = MARGIN * max(face.box.width, face.box.height)
    x0, y0 = max(int(face.box.x0 - pad), 0), max(int(face.box.y0 - pad), 0)
    part = image[y0 : int(face.box.y1 + pad), x0 : int(face.box.x1 + pad)]
    canvas = np.ascontiguousarray(cv2.resize(part, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC))

    def at(x: float, y: float) -> tuple[int, int]:
        return round((x - x0) * SCALE), round((y - y0) * SCALE)

    cv2.rectangle(canvas, at(face.box.x0, face.box.y0), at(face.box.x1, face.box.y1), (255, 255, 255), 2, cv2.LINE_AA)
    if face.outline is not None:
        points = np.array([at(x, y) for x, y in face.outline], np.int32)
        for start, stop, closed in CONTOURS:
            cv2.polylines(canvas, [points[start:stop]], closed, (255, 255, 255), 1, cv2.LINE_AA)
        for x, y in points.tolist():
            cv2.circle(canvas, (x, y), 3, (255, 225, 77), -1, cv2.LINE_AA)
    if face.pose is not None:
        x, y = face.box.centre if face.outline is None else (float(v) for v in face.outline[30])
        reach = 0.45 * max(face.box.width, face.box.height)
        for name, (right, up) in pose_axes(face.pose).items():
            cv2.line(canvas, at(x, y), at(x + reach * right, y - reach * up), _AXES[name], 4, cv2.LINE_AA)
    return np.asarray(canvas, np.uint8)


class Panel:
    """Lines of text and bars on white, from the top down."""

    def __init__(self, height: int) -> None:
        self.image = np.full((height, WIDE, 3), 255, np.uint8)
        self.y = 14

    def text(self, words: str, size: float = 0.5, colour: tuple[int, int, int] = _INK, step: int = 22) -> None:
        self.y += step
        cv2.putText(self.image, words, (22, self.y), _FONT, size, colour, 1, cv2.LINE_AA)

    def bar(self, name: str, share: float, value: str) -> None:
        self.text(name, 0.45, step=19)
        cv2.rectangle(self.image, (210, self.y - 9), (350, self.y), _BACK, -1)
        cv2.rectangle(self.image, (210, self.y - 9), (210 + round(140 * share), self.y), _BAR, -1)
        cv2.putText(self.image, value, (362, self.y), _FONT, 0.45, _INK, 1, cv2.LINE_AA)

    def curve(self, density: tuple[float, ...], low: float, high: float) -> None:
        """Age density over 0 to 100 years, the 5 to 95 percent interval shaded."""
        base = self.y + 62

        def across(year: float) -> int:
            return 22 + round(4.1 * year)

        cv2.rectangle(self.image, (across(low), base - 52), (across(high), base), (226, 233, 250), -1)
        top = max(density)
        line = np.array([(across(k), base - round(48 * p / top)) for k, p in enumerate(density)], np.int32)
        cv2.polylines(self.image, [line], False, _BAR, 2, cv2.LINE_AA)
        cv2.line(self.image, (across(0), base), (across(100), base), _SOFT, 1)
        for year in range(0, 101, 20):
            cv2.putText(self.image, str(year), (across(year) - 8, base + 15), _FONT, 0.38, _SOFT, 1, cv2.LINE_AA)
        self.y = base + 18


def panel(face: FaceAnalysis, height: int) -> NDArray[np.uint8]:
    """What was read, with its uncertainty."""
    page = Panel(height)
    if face.age is not None:
        page.text(f"apparent age {face.age.years:.0f}   (90 % interval {face.age.q05:.0f} to {face.age.q95:.0f})", 0.55)
        if face.age.density:
            page.curve(face.age.density, face.age.q05, face.age.q95)
    if face.expression is not None:
        page.text("expression", 0.5, _SOFT, 28)
        for name, p in zip(face.expression.labels, face.expression.probabilities, strict=True):
            page.bar(name, p, f"{p:.2f}")
    if face.pose is not None:
        page.text("head pose, degrees", 0.5, _SOFT, 28)
        pairs = zip(("yaw", "pitch", "roll"), face.pose.sigma, strict=True)
        page.text("   ".join(f"{n} {getattr(face.pose, n):+.0f} (+-{s:.0f})" for n, s in pairs), 0.45)
    page.text("visible attributes", 0.5, _SOFT, 28)
    for name, p in sorted(face.attributes.items(), key=lambda item: -item[1]):
        if page.y < height - 30:
            page.bar(name.replace("_", " "), p, f"{p:.2f}")
    return page.image


def main(out: Path) -> None:
    image = skimage.data.astronaut()
    face = omokage.Analyzer()(image)[0]
    left = overlay(image, face)
    Image.fromarray(np.hstack([left, panel(face, left.shape[0])])).save(out, optimize=True)
    print(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images/astronaut.png"))
