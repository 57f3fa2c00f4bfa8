"""The reasons why a person should look at an answer, as the `needs_review` text."""

from __future__ import annotations

from dataclasses import replace

from omokage.pipeline.config import ReviewRules
from omokage.results import FaceAnalysis


def reasons(face: FaceAnalysis, faces: int, rules: ReviewRules) -> list[str]:
    """All reasons for one face of a picture with `faces` faces; empty when there is none."""
    found: list[str] = []
    if face.score < rules.score_below:
        found.append(f"low confidence ({face.score:.2f})")
    if face.quality is not None and face.quality < rules.quality_below:
        found.append(f"poor crop (quality {face.quality:.2f})")
    side = max(face.box.width, face.box.height)
    if side < rules.side_below:
        found.append(f"small face ({side:.0f} px)")
    if face.age is not None and face.age.q95 - face.age.q05 > rules.age_wider_than:
        found.append(f"wide age interval ({face.age.q95 - face.age.q05:.0f} years)")
    if face.pose is not None:
        limits = (("yaw", rules.yaw_beyond), ("pitch", rules.pitch_beyond), ("roll", rules.roll_beyond))
        angles = [f"{n} {getattr(face.pose, n):.0f}" for n, limit in limits if abs(getattr(face.pose, n)) > limit]
        if angles:
            found.append(f"extreme pose ({', '.join(angles)})")
    if faces > rules.faces_above:
        found.append(f"many faces ({faces})")
    return found


def with_review(faces: list[FaceAnalysis], rules: ReviewRules) -> list[FaceAnalysis]:
    """The faces of one picture with `needs_review` filled in."""
    return [replace(f, needs_review="; ".join(reasons(f, len(faces), rules))) for f in faces]
