"""The faces table in OpenFace 2's columns, for scripts that read those files.

Only what was estimated is written: no gaze vectors, no camera-space positions (`pose_T*`, `X_*`), no model parameters.
What differs: `frame` counts from 1, angles are radians, `pose_Rx` is + chin down and `pose_Ry` is + to the image's
left (the camera's axes are x right, y down, z away from the camera, and R = Rx Ry Rz), `pose_Rz` is + clockwise;
`gaze_angle_x` is + to the image's right and `gaze_angle_y` + downwards. `AU45` (blink) is the eyes' closure. `AU??_c`
says whether the intensity reaches 1. One column more, `source`, stands last, since OpenFace writes a file per video
and this file may hold many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

INTENSITY = {f"AU{n:02d}": f"au{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 26)} | {"AU45": "au43"}
PRESENCE = INTENSITY | {"AU28": "au28"}
PRESENT_FROM = 1.0  # intensity A, the lowest level of the coding manual
_FIRST = (
    "frame",
    "face_id",
    "timestamp",
    "confidence",
    "success",
    "gaze_angle_x",
    "gaze_angle_y",
    "pose_Rx",
    "pose_Ry",
    "pose_Rz",
)
COLUMNS = (
    *_FIRST,
    *(f"x_{i}" for i in range(68)),
    *(f"y_{i}" for i in range(68)),
    *(f"{name}_r" for name in INTENSITY),
    *(f"{name}_c" for name in sorted(PRESENCE)),
    "source",
)


def openface_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the faces table (nulls or absent keys where nothing is known) in OpenFace's columns."""
    found = row.get("box_x0") is not None
    result: dict[str, Any] = {
        "frame": row["frame"] + 1,
        "face_id": row.get("face") or 0,
        "timestamp": row["timestamp_s"],
        "confidence": row.get("score") if found else 0.0,
        "success": int(found),
        "gaze_angle_x": _radians(row.get("gaze_right_deg")),
        "gaze_angle_y": _radians(row.get("gaze_up_deg"), -1),
        "pose_Rx": _radians(row.get("pitch_deg"), -1),
        "pose_Ry": _radians(row.get("yaw_deg"), -1),
        "pose_Rz": _radians(row.get("roll_deg")),
        "source": row["source"],
    }
    if row.get("landmarks") is not None:
        result |= {f"{'xy'[i % 2]}_{i // 2}": value for i, value in enumerate(row["landmarks"])}
    for name, own in PRESENCE.items():
        value = row.get(own)
        if value is not None:
            result[f"{name}_c"] = int(value >= PRESENT_FROM)
            if name in INTENSITY:
                result[f"{name}_r"] = value
    return result


def _radians(degrees: float | None, sign: int = 1) -> float | None:
    return None if degrees is None else sign * math.radians(degrees)
