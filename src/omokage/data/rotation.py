"""Head pose as angles and as a matrix: yaw + to the image's right, pitch + chin up, roll + clockwise in the image.

The matrix turns vectors of the head (x to the image's right, y up, z out of the face towards the camera) into the
camera's: ``R = Ry(yaw) Rx(-pitch) Rz(-roll)``, so its third column is where the face looks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def matrix_of_pose(pose: ArrayLike) -> NDArray[np.float64]:
    """Rotation matrices (..., 3, 3) of yaw, pitch, roll (..., 3) in degrees."""
    yaw, pitch, roll = np.moveaxis(np.radians(np.asarray(pose, np.float64)), -1, 0)
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    rows = (
        (cy * cr + sy * sp * sr, cy * sr - sy * sp * cr, sy * cp),
        (-cp * sr, cp * cr, sp),
        (-sy * cr + cy * sp * sr, -sy * sr - cy * sp * cr, cy * cp),
    )
    return np.asarray(np.stack([np.stack(row, -1) for row in rows], -2), np.float64)


def pose_of_matrix(rotation: ArrayLike) -> NDArray[np.float64]:
    """Yaw, pitch, roll (..., 3) in degrees of rotation matrices (..., 3, 3)."""
    m = np.asarray(rotation, np.float64)
    yaw = np.arctan2(m[..., 0, 2], m[..., 2, 2])
    pitch = np.arcsin(np.clip(m[..., 1, 2], -1, 1))
    roll = np.arctan2(-m[..., 1, 0], m[..., 1, 1])
    return np.asarray(np.degrees(np.stack([yaw, pitch, roll], -1)), np.float64)


def turned(degrees: float) -> NDArray[np.float64]:
    """The matrix that a head's matrix is multiplied with from the left when its picture is turned clockwise."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def turned_gaze(gaze: ArrayLike, degrees: float) -> NDArray[np.float64]:
    """Gaze (right, up) in degrees after its picture is turned clockwise by `degrees`."""
    right, up = np.radians(np.asarray(gaze, np.float64))
    look = np.array([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)])
    x, y, z = turned(degrees) @ look
    moved = np.array([np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))])
    return np.asarray(np.degrees(moved), np.float64)
