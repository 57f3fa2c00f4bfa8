"""Training scenes for the finder, composed while training runs: rendered heads on procedural clutter, with exact boxes.

A scene is a square RGB picture with 0 to 12 faces from 12 pixels to full frame. Heads stand on bodies, overlap, lean,
are cut by the picture's edge and hidden by objects; the same outlines filled with texture, faceless heads, hands and
pasted rectangles without a face make sure that an outline, an edge of pasting or skin alone is never the answer;
animals, coins, dials and the like (`data.lookalikes`), that two eyes over a mouth are not it either.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.clutter import clutter, colour, hand, random_polygon, textured
from omokage.data.lookalikes import lookalike
from omokage.faces.canvas import Canvas, FaceScene
from omokage.faces.heads import Head, faceless

Rng = np.random.Generator


class SceneSource:
    """Draws scenes of `size` pixels. Backgrounds come from `bank` clutter pictures, made once, and from `backdrops`.

    Backdrops are square RGB pictures without a face, at least as large as a scene. Raises ValueError without heads.
    """

    def __init__(
        self, heads: Sequence[Head], size: int, bank: int, seed: int, backdrops: Sequence[NDArray[np.uint8]] = ()
    ) -> None:
        if not heads:
            raise ValueError("scenes need at least one head")
        rng = np.random.default_rng((seed, 1))
        self.size = size
        self.heads = heads
        self.loose = [head for head in heads if head.whole] or list(heads)
        self.bank = [clutter(rng, size + size // 3) for _ in range(bank)] + list(backdrops)
        self.hands = [hand(rng, 96) for _ in range(max(4, bank // 10))]
        self.lookalikes = [lookalike(rng, 192) for _ in range(max(8, bank))]

    def draw(self, rng: Rng) -> FaceScene:
        """One scene: 12 % without a face, 33 % one large face, the rest crowds."""
        kind = rng.random()
        scene = self.without_faces(rng) if kind < 0.12 else self.close_up(rng) if kind < 0.45 else self.crowd(rng)
        return framed(scene, rng) if kind < 0.45 and rng.random() < 0.5 else scene

    def without_faces(self, rng: Rng, heads: bool = True) -> FaceScene:
        """Clutter, lookalikes (in half of the scenes a large one), empty outlines, hands and, unless `heads` is off,
        heads whose face is gone.
        """
        canvas = Canvas.on(self.background(rng))
        if rng.random() < 0.5:
            side = self.size * float(np.exp(rng.uniform(np.log(0.25), np.log(1.3))))
            self._lookalike(canvas, rng, side, self.size / 2 + rng.normal(0, self.size * 0.12, 2))
        for _ in range(int(rng.integers(0, 9))):
            self.thing(canvas, rng, float(np.exp(rng.uniform(np.log(16), np.log(self.size)))), heads)
        return canvas.finish(rng)

    def empty(self, rng: Rng) -> FaceScene:
        """A scene without a head of any kind."""
        return self.without_faces(rng, heads=False)

    def crowd(self, rng: Rng) -> FaceScene:
        """1 to 12 heads of any size, small ones behind, things between and before them."""
        canvas = Canvas.on(self.background(rng))
        many = int(min(12, 1 + rng.geometric(0.28)))
        top = np.log(self.size * (0.7 if many < 3 else 0.35))
        sizes = np.sort(np.exp(rng.uniform(np.log(10), top, many)))
        for size in sizes:
            if rng.random() < 0.35:
                self.thing(canvas, rng, float(size * rng.uniform(0.5, 3)))
            self.head(canvas, self._loose(rng), rng, float(size))
        if rng.random() < 0.35:
            self.thing(canvas, rng, float(sizes[-1] * rng.uniform(0.4, 1.2)))
        return canvas.finish(rng)

    def close_up(self, rng: Rng) -> FaceScene:
        """One face of a third of the scene up to more than all of it: a whole rendered picture, or a pasted head."""
        size = self.size
        face = float(size * np.exp(rng.uniform(np.log(0.3), np.log(1.05))))
        if rng.random() < 0.45:
            canvas = Canvas.on(self.background(rng))
            self.head(canvas, self._loose(rng), rng, face, centred=True)
            if rng.random() < 0.25:
                self.thing(canvas, rng, face * float(rng.uniform(0.15, 0.5)))
            return canvas.finish(rng)
        head = self.heads[int(rng.integers(len(self.heads)))]
        return self._whole_picture(head, face, rng)

    def _whole_picture(self, head: Head, face: float, rng: Rng) -> FaceScene:
        """A rendered picture with its own background as the photograph; what lies beyond it repeats, mirrors or is
        clutter.
        """
        size, scale = self.size, face / float(max(head.box[2:] - head.box[:2]))
        border = int(rng.choice([cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT], p=[0.6, 0.2, 0.2]))
        turn = float(rng.normal(0, 14))
        matrix, box = _placed(head, scale, turn, bool(rng.random() < 0.5), size / 2 + rng.normal(0, size * 0.08, 2))
        image = _scaled(head.image, matrix, (size, size), border)
        if border == cv2.BORDER_CONSTANT:
            inside = _scaled(np.full(head.image.shape[:2], 255, np.uint8), matrix, (size, size), border)
            image = np.where(inside[..., None] > 127, image, self.background(rng)).astype(np.uint8)
        canvas = Canvas.on(np.ascontiguousarray(image))
        canvas.paste(image, np.full((size, size), 255, np.uint8), 0, 0, box)
        return canvas.finish(rng)

    def _loose(self, rng: Rng) -> Head:
        """A head that can be pasted anywhere."""
        return self.loose[int(rng.integers(len(self.loose)))]

    def background(self, rng: Rng) -> NDArray[np.uint8]:
        """A part of a picture of the bank, mirrored, turned, relit."""
        picture = self.bank[rng.integers(len(self.bank))]
        part = int(rng.integers(self.size // 2, picture.shape[0] + 1))
        x, y = rng.integers(0, picture.shape[0] - part + 1, 2)
        picture = np.rot90(picture[y : y + part, x : x + part], int(rng.integers(4)))
        if part != self.size:
            how = cv2.INTER_AREA if part > self.size else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(picture, (self.size, self.size), interpolation=how), np.uint8)
        return np.asarray(cv2.LUT(np.ascontiguousarray(picture), _tone(rng)), np.uint8)

    def head(self, canvas: Canvas, head: Head, rng: Rng, face: float, centred: bool = False) -> None:
        """Paste one head with a face of `face` pixels, a body under it more often than not."""
        centre = self.size / 2 + rng.normal(0, self.size * 0.12, 2) if centred else self._free_place(canvas, rng, face)
        turn = float(rng.normal(0, 14) if rng.random() < 0.75 else rng.uniform(-50, 50))
        scale = face / float(max(head.box[2:] - head.box[:2]))
        side = int(np.ceil(head.image.shape[0] * scale * 1.5)) + 2
        origin = np.floor(centre - side / 2).astype(int)
        matrix, box = _placed(head, scale, turn, bool(rng.random() < 0.5), centre - origin)
        image = cv2.LUT(_scaled(head.image, matrix, (side, side), cv2.BORDER_REPLICATE), _tone(rng, 0.6))
        alpha = _scaled(_faded(head, rng), matrix, (side, side), cv2.BORDER_CONSTANT)
        if rng.random() < 0.7:
            self.body(canvas, rng, box + np.tile(origin, 2), turn)
        canvas.paste(image, alpha, int(origin[0]), int(origin[1]), box + np.tile(origin, 2).astype(np.float64))

    def _free_place(self, canvas: Canvas, rng: Rng, face: float) -> NDArray[np.float64]:
        """A centre for a face, of four drawn the one that hides least of the faces that are there already."""
        places = rng.uniform(-0.05 * face, self.size + 0.05 * face, (4, 2))
        if not canvas.boxes:
            return np.asarray(places[0])
        boxes = np.array(canvas.boxes)
        reach = np.minimum(places[:, None] + face * 0.8, boxes[None, :, 2:]) - np.maximum(
            places[:, None] - face * 0.8, boxes[None, :, :2]
        )
        hidden = np.prod(np.clip(reach, 0, None), 2) / np.prod(boxes[:, 2:] - boxes[:, :2], 1)
        return np.asarray(places[int(hidden.sum(1).argmin())])

    def body(self, canvas: Canvas, rng: Rng, box: NDArray[np.float64], turn: float) -> None:
        """Shoulders and chest below a face: a rounded trapezium of cloth, so that nobody ends at the neck."""
        width, chin = float(box[2] - box[0]), float(box[3])
        middle = (box[0] + box[2]) / 2 - np.sin(np.radians(turn)) * width * 0.5 + rng.normal(0, width * 0.05)
        half, top = width * rng.uniform(0.8, 1.5), chin + width * rng.uniform(0.0, 0.25)
        down = width * rng.uniform(1.0, 4.0)
        x = np.array([-0.35, 0.35, 0.8, 1.0, 1.05, -1.05, -1.0, -0.8]) * half + middle
        y = (
            np.array([0, 0, 0.12, 0.35, 1, 1, 0.35, 0.12])
            * np.array([down, down, width, width, down, down, width, width])
            + top
        )
        self._fill(canvas, np.stack([x, y], 1).astype(np.int32), rng)

    def thing(self, canvas: Canvas, rng: Rng, size: float, heads: bool = True) -> None:
        """Something that is not a face: a lookalike, a head's outline full of texture, a faceless head, a hand, a
        polygon, a rectangle.
        """
        side = max(6, int(size))
        x, y = (int(v) for v in rng.integers(-side // 2, max(1, self.size - side // 2), 2))
        if rng.random() < 0.2:
            self._lookalike(canvas, rng, side, np.array([x, y]) + side / 2)
            return
        kind = rng.random()
        if kind < 0.4:
            head = self._loose(rng)
            image = faceless(head, rng) if kind < 0.18 and heads else self._part_of_bank(rng, head.image.shape[0])
            alpha = _faded(head, rng)
        elif kind < 0.6:
            image, soft = self.hands[rng.integers(len(self.hands))]
            alpha = (soft * 255).astype(np.uint8)
        elif kind < 0.82:
            self._fill(canvas, random_polygon(rng, np.array([x, y]) + side / 2, side / 2), rng)
            return
        else:
            image = self._part_of_bank(rng, side)
            alpha = np.full(image.shape[:2], 255, np.uint8)
        self._lay(canvas, rng, image, alpha, (x, y), side)

    def _lay(
        self,
        canvas: Canvas,
        rng: Rng,
        image: NDArray[np.uint8],
        alpha: NDArray[np.uint8],
        at: tuple[int, int],
        side: int,
    ) -> None:
        """Paste a picture scaled to `side`, leaning, sometimes mirrored, relit."""
        middle = (image.shape[1] / 2, image.shape[0] / 2)
        turn = cv2.getRotationMatrix2D(middle, float(rng.normal(0, 25)), side / image.shape[1])
        turn[:, 2] += side / 2 - np.array(middle)
        if rng.random() < 0.5:
            image, alpha = np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1])
        image = cv2.LUT(_scaled(image, turn, (side, side), cv2.BORDER_REPLICATE), _tone(rng, 0.6))
        canvas.paste(image, _scaled(alpha, turn, (side, side), cv2.BORDER_CONSTANT), *at, None)

    def _lookalike(self, canvas: Canvas, rng: Rng, side: float, centre: NDArray[np.float64]) -> None:
        """One thing that could be taken for a face, around `centre`."""
        image, alpha = self.lookalikes[int(rng.integers(len(self.lookalikes)))]
        x, y = (int(v) for v in centre - side / 2)
        self._lay(canvas, rng, image, (alpha * 255).astype(np.uint8), (x, y), max(6, int(side)))

    def _part_of_bank(self, rng: Rng, side: int) -> NDArray[np.uint8]:
        picture = self.bank[rng.integers(len(self.bank))]
        side = min(side, picture.shape[0])
        x, y = rng.integers(0, picture.shape[0] - side + 1, 2)
        return picture[y : y + side, x : x + side]

    def _fill(self, canvas: Canvas, outline: NDArray[np.int32], rng: Rng) -> None:
        """Fill an outline with cloth: one colour with folds, or a pattern of the bank."""
        x, y, w, h = cv2.boundingRect(outline)
        x1, y1 = min(x + w, self.size), min(y + h, self.size)
        x, y = max(x, 0), max(y, 0)
        if x1 - x < 2 or y1 - y < 2:
            return
        mask = np.zeros((y1 - y, x1 - x), np.uint8)
        cv2.fillPoly(mask, [outline - np.array([x, y], np.int32)], 255, cv2.LINE_AA)
        side = max(mask.shape)
        if rng.random() < 0.5:
            patch = self._part_of_bank(rng, side)
            patch = np.asarray(cv2.resize(patch, (side, side)), np.uint8)
        else:
            small = textured(rng, 32, colour(rng), 0.3)
            patch = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        canvas.paste(np.ascontiguousarray(patch[: mask.shape[0], : mask.shape[1]]), mask, x, y, None)


def framed(scene: FaceScene, rng: Rng) -> FaceScene:
    """A tight cut of a scene inside a repeated border, as small pictures and cut-out faces reach the network.

    The cut leaves up to a third of the face's side around its box, or takes off up to a tenth of it; one cut in four
    takes off up to a third, as a cutter does that went by a wrong place.
    """
    size = scene.image.shape[0]
    low, high = np.zeros(2), np.full(2, float(size))
    if len(scene.boxes):
        box = scene.boxes[int((scene.boxes[:, 2:] - scene.boxes[:, :2]).max(1).argmax())].astype(float)
        side = float(max(box[2:] - box[:2]))
        deepest = -0.3 if rng.random() < 0.25 else -0.1
        low = np.clip(box[:2] - side * rng.uniform(deepest, 0.35, 2), 0, size - 24)
        high = np.clip(box[2:] + side * rng.uniform(deepest, 0.35, 2), low + 16, size)
    x0, y0, x1, y1 = (int(v) for v in np.round(np.concatenate([low, high])))
    room = size * float(rng.uniform(0.6, 0.92))
    scale = room / max(x1 - x0, y1 - y0)
    new = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))
    how = cv2.INTER_AREA if scale < 1 else int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    part = cv2.resize(scene.image[y0:y1, x0:x1], new, interpolation=how)
    left, top = (int(rng.integers(0, size - side + 1)) for side in new)
    around = (top, size - new[1] - top, left, size - new[0] - left)
    image = cv2.copyMakeBorder(part, *around, cv2.BORDER_REPLICATE)
    grow = np.tile([new[0] / (x1 - x0), new[1] / (y1 - y0)], 2)
    boxes, ignored = (
        ((kind - np.array([x0, y0, x0, y0])) * grow + np.array([left, top, left, top])).astype(np.float32)
        for kind in (scene.boxes, scene.ignored)
    )
    return FaceScene(np.asarray(image, np.uint8), boxes, ignored)


def _tone(rng: Rng, strength: float = 1.0) -> NDArray[np.uint8]:
    """A lookup table (1, 256, 3): gain of each channel and gamma."""
    gain = np.exp(rng.normal(0, 0.15 * strength) + rng.normal(0, 0.1 * strength, 3))
    gamma = float(np.exp(rng.normal(0, 0.3 * strength)))
    ramp = np.linspace(0, 1, 256)[:, None] ** gamma
    return np.clip(ramp * gain * 255, 0, 255).astype(np.uint8)[None]


def _faded(head: Head, rng: Rng) -> NDArray[np.uint8]:
    """The head's alpha; where a picture edge cuts the head, a round soft end instead of the straight cut."""
    if not any(head.open_edges):
        return head.alpha
    n = head.alpha.shape[0]
    x, y = (head.box[0] + head.box[2]) / 2, (head.box[1] + head.box[3]) / 2
    faded = np.zeros((n, n), np.uint8)
    room = 0.98 * np.array([max(x, n - x), n - y])
    axes = (int(room[0] * (1.2 if head.whole else 0.97)), int(room[1] * rng.uniform(0.9, 1.05)))
    cv2.ellipse(faded, (int(x), int(y)), axes, 0, 0, 180, 255, -1)
    above = (axes[0], n if not head.open_edges[0] else int(0.97 * y))
    cv2.ellipse(faded, (int(x), int(y)), above, 0, 180, 360, 255, -1)
    soft = cv2.GaussianBlur(faded, (0, 0), float(rng.uniform(0.8, 4)), borderType=cv2.BORDER_REPLICATE)
    return np.minimum(head.alpha, np.asarray(soft, np.uint8))


def _placed(
    head: Head, scale: float, turn: float, mirrored: bool, centre: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The affine (2, 3) that puts the head's box centre at `centre`, and the new box: the old one of the turned
    landmarks.
    """
    c, s = np.cos(np.radians(turn)) * scale, np.sin(np.radians(turn)) * scale
    linear = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    middle = np.array([head.box[0] + head.box[2], head.box[1] + head.box[3]]) / 2
    turned = (head.landmarks - middle) @ linear.T
    low, high = turned.min(0), turned.max(0)
    pad = 0.05 * float(max(high - low))  # as in Box.around: a tenth of the larger side in all
    shift = centre - (low + high) / 2
    box = np.concatenate([low - pad, high + pad]) + np.tile(shift, 2)
    return np.column_stack([linear, shift - linear @ middle]), box


def _scaled(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], border: int
) -> NDArray[np.uint8]:
    """Warp with area averaging first where the picture gets much smaller."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.6:
        n = max(4, round(image.shape[0] * scale))
        grow = image.shape[0] / n
        image = np.asarray(cv2.resize(image, (n, n), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([matrix[:, :2] * grow, matrix[:, 2]])
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)
