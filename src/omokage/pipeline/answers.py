"""What an analysis or a comparison says about the target of an explanation, beside the crop that is explained."""

from __future__ import annotations

from dataclasses import replace

from omokage.results import FaceAnalysis, FaceChange, RelevanceMap

MOVED = "looking a second time moves this answer more than hiding any region does: read the regions with care"


def with_full(why: RelevanceMap, full: float | None) -> RelevanceMap:
    """An explanation with the whole answer beside that of its crop, and a warning where the two lie further apart than
    any region can move the crop's."""
    if full is None:
        return why
    most = max((abs(region.answer_hidden - why.answer) for region in why.regions), default=0.0)
    warnings = (*why.warnings, MOVED) if abs(full - why.answer) > most else why.warnings
    return replace(why, full_answer=full, warnings=warnings)


def answer_of(face: FaceAnalysis, target: str) -> float | None:
    """The answer of an analysis to a target such as ``age`` or ``attr.smiling``, in the unit of its explanation; None
    where it has none. Angles too: those of an analysis are those of the picture, a crop stands upright."""
    group, _, part = target.rpartition(".")
    if group == "attr":
        return face.attributes.get(part)
    if group == "au":
        return face.action_units.get(part.lower())
    if group == "unit":
        return face.units.get(part)
    if group in ("pose", "gaze"):
        return None
    if group:
        classes = face.expression if group == "expression" else face.classes.get(group)
        return None if classes is None or part not in classes else classes[part]
    return _whole(face, target)


def _whole(face: FaceAnalysis, target: str) -> float | None:
    """The answer of an attribute that is one number."""
    if target == "age":
        return None if face.age is None else face.age.years
    if target in ("gender", "quality"):
        return face.gender_female if target == "gender" else face.quality
    if target in face.classes:  # of two classes: the second one's probability
        return face.classes[target].probabilities[-1]
    return face.scalars[target].value if target in face.scalars else None


def change_of(change: FaceChange, factor: str) -> float | None:
    """The value of one factor of a comparison; None where it has none."""
    return change.factors[factor].value if factor in change.factors else None
