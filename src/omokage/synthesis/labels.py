"""From a `Scene` and its `Rendering` to the label columns of a record.

Yes/no labels are 0..1, with values between at strengths where people would disagree, and absent (null) where the
picture does not show the answer: hair colour under a hat, a moustache under a surgical mask, open eyes behind dark
lenses, where closed eyes look.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.data.records import SEGMENTATION
from omokage.results import Box
from omokage.schema import UNITS
from omokage.synthesis.people import perceived_female
from omokage.synthesis.render import Rendering
from omokage.synthesis.scene import Person, Scene

# Where people start and stop hesitating: below the first number the answer is no, above the second it is yes.
SMILING = (0.12, 0.30)  # mean of the two mouthSmile units
EYES_CLOSED = (0.55, 0.80)  # mean eyeBlink
MOUTH_OPEN = (0.012, 0.035)  # gap between the inner lips over the outer-eye distance
LIPSTICK, HEAVY_MAKEUP = (0.25, 0.5), (0.55, 0.8)  # make-up strength
GREY_HAIR = (0.4, 0.65)  # share of grey
RECEDING = (0.3, 0.55)  # recession
OCCLUDED = (0.05, 0.15)  # share of the face region that things cover
MOSTLY_HIDDEN = 0.6  # share of the eye or mouth landmarks from which on their labels are null
COVERS = ("hat", "mask", "occluder")  # a beard over the lips hides nothing that is asked for

Labels = dict[str, Any]


def ramp(value: float, between: tuple[float, float]) -> float:
    """0 below the range, 1 above it, linear inside, rounded to three digits."""
    return round(float(np.clip((value - between[0]) / (between[1] - between[0]), 0, 1)), 3)


def scene_labels(scene: Scene, rendering: Rendering) -> Labels:
    """Every label column of `data.records` that a rendered picture can fill. None values are to be read as null."""
    points = rendering.landmarks
    box = Box.around(points)
    person, units = scene.person, dict(scene.expression.units)
    labels: Labels = {
        "landmarks": points.astype(np.float32).reshape(-1).tolist(),
        "visibility": rendering.visibility.astype(int).tolist(),
        "box": [box.x0, box.y0, box.x1, box.y1],
        "pose": [scene.pose.yaw, scene.pose.pitch, scene.pose.roll],
        "gaze": None if _gaze_hidden(scene, rendering) else [scene.pose.gaze_right, scene.pose.gaze_up],
        "units": [units.get(name, 0.0) for name in UNITS],
        "expression": scene.expression.label,
        "expression_intensity": scene.expression.intensity if scene.expression.label else None,
        "age": person.age,
        "female": perceived_female(person),  # not the stored one: `aged` leaves it, as it draws hair and brows
        "fatness": person.fatness,
        "skin_tone": person.melanin,
        "hair_length": None if _hair_hidden(person) else person.hair_length,
        "segmentation": encode_png(rendering.segmentation),
        "scene": scene.to_json(),
    }
    yes_no = {**_mouth(scene, rendering), **_eyes(scene, rendering), **_hair(scene), **_face(scene, rendering, box)}
    labels.update({f"attr_{name}": value for name, value in yes_no.items()})
    return {name: value for name, value in labels.items() if value is not None}


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """A grey (n, m) or RGB (n, m, 3) uint8 picture as PNG bytes."""
    done, data = cv2.imencode(".png", image if image.ndim == 2 else image[..., ::-1])
    if not done:
        raise ValueError("the picture could not be encoded")
    return bytes(data)


def _mean(scene: Scene, unit: str) -> float:
    return (scene.expression.unit(unit + "Left") + scene.expression.unit(unit + "Right")) / 2


def _mouth(scene: Scene, rendering: Rendering) -> Labels:
    person = scene.person
    masked = scene.surroundings.occluder == "surgical_mask"
    eyes = max(float(np.linalg.norm(rendering.points_3d[36] - rendering.points_3d[45])), 1e-6)
    gap = np.linalg.norm(rendering.points_3d[[61, 62, 63]] - rendering.points_3d[[67, 66, 65]], axis=1).mean() / eyes
    labels: Labels = {
        "smiling": ramp(_mean(scene, "mouthSmile"), SMILING),
        "mouth_slightly_open": ramp(float(gap), MOUTH_OPEN),
        "wearing_lipstick": ramp(person.makeup, LIPSTICK),
        "beard": 1.0 if person.beard in ("goatee", "full") else 0.0,
        "mustache": {"moustache": 1.0, "goatee": 0.8, "full": 0.9, "stubble": 0.1}.get(person.beard, 0.0),
        "5_o_clock_shadow": 1.0 if person.beard == "stubble" else 0.0,
        "goatee": 1.0 if person.beard == "goatee" else 0.0,
        "no_beard": {"none": 1.0, "stubble": 0.6}.get(person.beard, 0.0),
    }
    if masked or hidden_share(rendering, slice(48, 68), COVERS) > MOSTLY_HIDDEN:
        labels = dict.fromkeys(labels)
    return {**labels, "face_mask": float(masked)}


def _eyes(scene: Scene, rendering: Rendering) -> Labels:
    glasses = scene.person.glasses
    hidden = _eyes_hidden(scene, rendering)
    labels: Labels = {"eyes_closed": None if hidden else ramp(_mean(scene, "eyeBlink"), EYES_CLOSED)}
    if not hidden or glasses == "sunglasses":
        labels |= {"eyeglasses": float(glasses != "none"), "sunglasses": float(glasses == "sunglasses")}
    return labels


def _hair(scene: Scene) -> Labels:
    person = scene.person
    labels: Labels = {"wearing_hat": float(person.hat != "none")}
    if _hair_hidden(person):
        return labels
    bald = person.hair == "bald"
    labels["bald"] = 1.0 if bald else 0.3 if person.recession > 0.8 else 0.0
    labels["bangs"] = float(person.hair == "fringe")
    labels["receding_hairline"] = None if bald else ramp(person.recession, RECEDING)
    if not bald:
        grey = ramp(person.grey, GREY_HAIR)
        labels["gray_hair"] = grey
        labels.update({name: round(value * (1 - grey), 3) for name, value in hair_colours(person.hair_colour).items()})
    return labels


def hair_colours(colour: tuple[float, float, float]) -> dict[str, float]:
    """How far people would call hair of this linear RGB colour black, brown and blond, 0..1 each.

    By luminance: black below 0.025, brown between, blond above 0.22. Red hair and dyes that no hair has are none of
    them.
    """
    r, g, b = colour
    luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b
    natural = 1.0 - ramp(max(r / max(g, 1e-4) - 2.0, (b - g) / max(r, 1e-4)), (0.1, 0.6))
    black, blond = 1 - ramp(luminance, (0.018, 0.034)), ramp(luminance, (0.13, 0.24))
    return {
        "black_hair": round(black, 3),
        "blond_hair": round(blond * natural, 3),
        "brown_hair": round((1 - black) * (1 - blond) * natural, 3),
    }


def _face(scene: Scene, rendering: Rendering, box: Box) -> Labels:
    worn = ramp(scene.person.makeup, HEAVY_MAKEUP)
    return {"heavy_makeup": worn, "occluded": ramp(covered_share(rendering.segmentation, box), OCCLUDED)}


def covered_share(segmentation: NDArray[np.uint8], box: Box) -> float:
    """Share of the face box's inner ellipse that a mask, a hand or an object covers."""
    rows, columns = np.indices(segmentation.shape)
    (cx, cy), (w, h) = box.centre, (box.width, box.height)
    inside = ((columns + 0.5 - cx) / (w / 2)) ** 2 + ((rows + 0.5 - cy) / (h / 2)) ** 2 < 0.8
    things = np.isin(segmentation, [SEGMENTATION.index(name) for name in ("mask", "occluder")])
    return float((things & inside).sum() / max(int(inside.sum()), 1))


def hidden_share(rendering: Rendering, points: slice, by: tuple[str, ...]) -> float:
    """Share of these landmarks that lie outside the picture or behind one of these segmentation classes."""
    place = np.floor(rendering.landmarks[points]).astype(int)
    n = rendering.segmentation.shape[0]
    inside = ((place >= 0) & (place < n)).all(1)
    column, row = np.clip(place, 0, n - 1).T
    covers = [SEGMENTATION.index(name) for name in by]
    return float((~inside | np.isin(rendering.segmentation[row, column], covers)).mean())


def _eyes_hidden(scene: Scene, rendering: Rendering) -> bool:
    return (
        scene.person.glasses == "sunglasses"
        or hidden_share(rendering, slice(36, 48), ("hair", *COVERS)) > MOSTLY_HIDDEN
    )


def _gaze_hidden(scene: Scene, rendering: Rendering) -> bool:
    """Closed lids hide where the eyes look as well as dark lenses do."""
    return ramp(_mean(scene, "eyeBlink"), EYES_CLOSED) == 1 or _eyes_hidden(scene, rendering)


def _hair_hidden(person: Person) -> bool:
    return person.hat != "none"
