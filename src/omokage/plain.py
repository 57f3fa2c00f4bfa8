"""Results as plain Python values: dictionaries, lists, texts and numbers, which `json.dumps` and data frames take.

Names are those of the faces table and of the other tables (docs/faces-table.md). What was not estimated is left out of
rows, never 0 and never NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from dataclasses import Field

    from omokage.results import FaceAnalysis, FaceChange, Pose, Scalar

LARGE = {"large": True}  # metadata of a field that `to_dict` leaves out unless it is asked for
BOX = ("box_x0", "box_y0", "box_x1", "box_y1")


class Plain:
    """A result that can be written down."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def to_dict(self, large: bool = False) -> dict[str, Any]:
        """Plain Python values by name, arrays as nested lists; `large` takes in pixels, maps and densities, too."""
        return {f.name: plain(getattr(self, f.name), large) for f in fields(self) if large or "large" not in f.metadata}


def plain(value: Any, large: bool = False) -> Any:
    """A value without numpy and without results in it."""
    if isinstance(value, Plain):
        return value.to_dict(large)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(one, large) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one, large) for one in value]
    return value


def face_columns(face: FaceAnalysis) -> dict[str, Any]:
    """What the faces table has of a face, besides where it was found; what was not estimated is left out."""
    box = (face.box.x0, face.box.y0, face.box.x1, face.box.y1)
    row: dict[str, Any] = {"face": face.face, "track": face.track, "score": face.score}
    row |= zip(BOX, box, strict=True)
    if face.landmarks is not None:
        row["landmarks"] = np.asarray(face.landmarks, np.float32).ravel()
    if face.landmark_sigma is not None:
        row["landmarks_sigma"] = np.asarray(face.landmark_sigma, np.float32).ravel()
    if face.pose is not None:
        row |= pose_columns(face.pose)
    if face.gaze is not None:
        row |= _scalar("gaze_right", face.gaze[0], "_deg") | _scalar("gaze_up", face.gaze[1], "_deg")
    if face.age is not None:
        row |= {"age_years": face.age.years, "age_q05": face.age.q05, "age_q95": face.age.q95}
    if face.expression is not None:
        row["expression"] = face.expression.top
        row |= {f"expression_{n}_p": face.expression[n] for n in face.expression.labels}
    row |= dict(face.action_units)
    row |= {f"unit_{name}": value for name, value in face.units.items()}
    row |= {f"attr_{name}_p": value for name, value in face.attributes.items()}
    for name, value in face.scalars.items():
        row |= _scalar(name, value)
    for name, choice in face.classes.items():
        row |= {name: choice.top, **{f"{name}_{label}_p": choice[label] for label in choice.labels}}
    row |= {"gender_female_p": face.gender_female, "quality": face.quality, "needs_review": face.needs_review}
    if face.embedding is not None:
        row["embedding"] = np.asarray(face.embedding, np.float32)
    return {name: plain(value) for name, value in row.items()}


def face_dict(face: FaceAnalysis, large: bool) -> dict[str, Any]:
    """A face's columns with where it was found, the landmarks as 68 pairs."""
    row = {"source": face.source, "frame": int(face.frame), "timestamp_s": float(face.timestamp_s)}
    row |= {name: value for name, value in face_columns(face).items() if value is not None}
    if face.landmarks is not None:
        row["landmarks"] = plain(np.asarray(face.landmarks, np.float32))
    if large and face.age is not None and face.age.density:
        row["age_density"] = plain(face.age.density)
    return row | ({"network": face.network} if face.network else {})


def pose_columns(pose: Pose) -> dict[str, Any]:
    """The three angles and their deviations by the names of the table."""
    row = {"yaw_deg": pose.yaw, "pitch_deg": pose.pitch, "roll_deg": pose.roll}
    row |= zip(("yaw_sigma", "pitch_sigma", "roll_sigma"), pose.sigma, strict=True)
    return {name: plain(value) for name, value in row.items()}


def _scalar(name: str, value: Scalar, unit: str = "") -> dict[str, float]:
    return {f"{name}{unit}": value.value, f"{name}_sigma": value.sigma}


def change_dict(change: FaceChange, large: bool) -> dict[str, Any]:
    """A change by the columns of the table of pairs; with `large` the two faces, too."""
    row: dict[str, Any] = {"before": change.before, "after": change.after, "status": change.status}
    row |= {"warnings": change.warnings, "same_person": change.same_person, "controlled": change.controlled}
    for name, c in (*change.factors.items(), *change.own.items()):
        row |= {name: c.value, f"{name}_low": c.low, f"{name}_high": c.high, f"{name}_no_change": c.no_change}
    row |= {f"look_{name}": p for name, p in change.looks.items()}
    row |= {f"day_{name}": p for name, p in change.nuisance.items()}
    if large:
        row["faces"] = change.faces
    return {name: plain(value, large) for name, value in row.items() if value is not None}
