"""`omokage.explain`: from a face and the name of an answer to the evidence for it.

Here the network of the attributes room becomes a `Target` that the room of explanations understands.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.attributes.calibration import probability, summary
from omokage.attributes.config import form
from omokage.attributes.model import Outputs, pose_of_rotation
from omokage.attributes.paths import path_to
from omokage.attributes.predict import AttributePredictor
from omokage.errors import InputError
from omokage.explain.canonizers import canonized
from omokage.explain.composites import MODERN, composite
from omokage.explain.evidence import METHODS, explained
from omokage.explain.target import Target
from omokage.faces.align import crop_landmarks
from omokage.media.image import PictureLike, name_of, pixels_of
from omokage.media.sources import is_video
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.answers import answer_of, with_full
from omokage.pipeline.config import whole_number
from omokage.pipeline.explain_views import views_of
from omokage.pipeline.opened import open_analyzer
from omokage.results import FaceAnalysis, RelevanceMap
from omokage.schema import ACTION_UNITS, UNITS, Attribute
from omokage.weights.registry import set_names

Image = NDArray[np.uint8]
_ANGLES = ("yaw", "pitch", "roll")
_ABOUT = {"hair": ("hair", "forehead"), "neck": ("neck", "clothing")}  # region of the schema -> regions of the crop


def explain(
    picture: FaceAnalysis | PictureLike,
    target: str,
    method: str = "occlusion",
    *,
    image: PictureLike | None = None,
    face: int = 0,
    crops: bool = False,
    analyzer: Analyzer | None = None,
    rules: str = MODERN,
    before: PictureLike | None = None,
    assume_same: bool = False,
    weights: str | Path | None = None,
    device: str | None = None,
) -> RelevanceMap:
    """Why the network answers as it does: relevance by pixel and by named region, and whether that can be believed.

    `picture` is a face that an `Analyzer` gave, or a picture (path, encoded bytes, RGB uint8 pixels, Pillow image)
    whose `face`-th largest face is meant; with `crops` the whole picture is one face. The pixels of a `FaceAnalysis`
    are read again from its source unless `image` is given.

    `target` is ``age``, ``gender``, ``expression.<class>``, ``attr.<name>``, ``au.AU<nn>``, ``unit.<ARKit name>``,
    ``pose.yaw``, ``gaze.right`` or another attribute's own name. `method` is one of ``occlusion``, ``gradients``,
    ``smoothgrad``, ``lrp``; propagation is covered by patents in some countries and only used on request, with a
    rule set named by `rules`. What is explained is the answer of one crop alone; `full_answer` is that of the
    `Analyzer`, which looks at two.

    With ``change.fatness``, ``change.age`` or ``change.<ARKit name>``, `before` is the earlier photograph of the same
    person and `picture` the later one (see `pipeline.explain_change`); `assume_same` skips the check of the person.

    `weights` names the set whose networks answer, where no `analyzer` is given; they stay open for the next call. For a
    face that was analysed it is by default the set that read it.

    Raises InputError for unknown words, a picture without that face, a face that another network read, or a predictor
    that is not omokage's own network; UnreadableError for a picture that cannot be decoded.
    """
    if not isinstance(target, str):
        raise InputError(f"the target must be a text such as 'age' or 'attr.smiling', not a {type(target).__name__}")
    if before is not None or target.lower().startswith("change."):
        from omokage.pipeline.explain_change import explain_change  # its network is opened only for this

        if before is None or isinstance(picture, FaceAnalysis):
            raise InputError(
                f"{target} is about two photographs: give the later one and, as before=, the earlier one (faces that "
                "were analysed do not do)"
            )
        return explain_change(
            before, picture, target, method, rules=rules, crops=crops, assume_same=assume_same, weights=weights,
            device=device, analyzer=analyzer,
        )  # fmt: skip
    if isinstance(picture, FaceAnalysis) and weights is None and analyzer is None:
        weights = _set_of(picture)
    analyzer = analyzer or open_analyzer(weights, device)
    predictor, wanted = asked(analyzer, target, method, rules)
    pixels, found = _face(picture, image, face, crops, analyzer)
    if found.network not in ("", predictor.card.id):
        raise InputError(
            f"the face was read by {found.network}, and cannot be explained by {predictor.card.id}: give weights= or "
            "analyzer= with the set that read it"
        )
    if found.outline is None:
        raise InputError(f"the face in {found.source or 'the picture'} has no landmarks: its regions are unknown")
    return explain_analysed(predictor, pixels, found, wanted, method, rules)


def _set_of(face: FaceAnalysis) -> str | None:
    """The shipped set that read a face; None where it is no shipped one."""
    name = face.network.partition("/")[0]
    return name if name in set_names() else None


def asked(analyzer: Analyzer, target: str, method: str, rules: str = MODERN) -> tuple[AttributePredictor, Target]:
    """Whose answer a question is about, and the target that it names. Raises InputError as `explain` does."""
    if method not in METHODS:
        raise InputError(f"no method called {method!r}; choose among {', '.join(METHODS)}")
    if method == "lrp":
        composite(rules)
    if not isinstance(analyzer.predictor, AttributePredictor):
        raise InputError("only answers of omokage's own attribute network can be explained; use its weights")
    return analyzer.predictor, target_of(analyzer.predictor, target)


def explain_face(
    predictor: AttributePredictor,
    image: Image,
    landmarks: NDArray[np.floating],
    target: Target | str,
    method: str = "occlusion",
    *,
    rules: str = MODERN,
    segmentation: Image | None = None,
    score: float = 1.0,
) -> RelevanceMap:
    """The same for a face whose 68 landmarks (68, 2) in pixels of `image` are known.

    `segmentation` (h, w), where known, indexes `data.records.SEGMENTATION` and decides where hair, neck and clothes
    are.
    """
    wanted = target_of(predictor, target) if isinstance(target, str) else target
    crop = crop_landmarks(image, landmarks, predictor.size, predictor.margin, score=score)
    views = list(views_of(crop, image, landmarks, predictor.margin, segmentation))
    return explained(wanted, views, crop, method, rules)


def explain_analysed(
    predictor: AttributePredictor,
    image: Image,
    face: FaceAnalysis,
    target: Target,
    method: str = "occlusion",
    rules: str = MODERN,
) -> RelevanceMap:
    """The same for a face of `image` that was analysed and has landmarks, with its whole answer."""
    assert face.outline is not None
    why = explain_face(predictor, image, face.outline, target, method, rules=rules, score=face.score)
    return with_full(why, answer_of(face, target.name))


def _face(
    picture: FaceAnalysis | PictureLike,
    image: PictureLike | None,
    face: int,
    crops: bool,
    analyzer: Analyzer,
) -> tuple[Image, FaceAnalysis]:
    """The pixels and the face that is meant."""
    if isinstance(picture, FaceAnalysis):
        gone = not picture.source or not os.path.exists(picture.source)
        if image is None and (gone or picture.frame or is_video(picture.source)):
            raise InputError(
                f"the pixels of the face in {picture.source or 'a picture without a name'} are not at hand: give them "
                "as image="
            )
        return pixels_of(picture.source if image is None else image), picture
    face = whole_number("face", face, 0)
    pixels = pixels_of(picture)
    found = analyzer(pixels, crops=crops)
    name = name_of(picture) or "the picture"
    if not 0 <= face < len(found):
        many = "no face was" if not found else "one face was" if len(found) == 1 else f"{len(found)} faces were"
        raise InputError(f"{many} found in {name}: there is no face number {face + 1} to explain")
    return pixels, found[face]


@dataclass(frozen=True, slots=True)
class _Question:
    """A target's name taken apart: the attribute, what of it, and how the answer is called."""

    attribute: Attribute
    pick: Callable[[Outputs], tuple[Tensor, Tensor]]  # decoded outputs -> score and answer (b,)
    score_unit: str
    answer_unit: str


@opening()
def target_of(predictor: AttributePredictor, name: str) -> Target:
    """The target of a name for a predictor's network. Raises InputError that lists near names."""
    question = _question(predictor, name)
    model, attribute = predictor.model, question.attribute
    body, readout = path_to(model, attribute.name)
    about = _ABOUT.get(attribute.region, ()) if attribute.scope == "local" else ()

    def decoded(raw: Tensor) -> tuple[Tensor, Tensor]:
        # `decode` wants every attribute; the others' answers are not looked at.
        rest = {a.name: raw.new_zeros(len(raw), model.widths[a.name]) for a in model.schema}
        return question.pick(model.decode({**rest, attribute.name: raw}))

    return Target(
        name=name,
        body=canonized(body.eval()),
        readout=readout.requires_grad_(False),
        score=lambda raw: decoded(raw)[0],
        answer=lambda raw: decoded(raw)[1],
        prepare=lambda images: normalise(torch.from_numpy(np.ascontiguousarray(images)).to(predictor.device)),
        score_unit=question.score_unit,
        answer_unit=question.answer_unit,
        about=about,
    )


def targets(predictor: AttributePredictor) -> list[str]:
    """The names of everything that can be explained."""
    found: list[str] = []
    for a in predictor.schema:
        kind = form(a)
        if a.name == "units":
            found += [f"au.{n.upper()}" for n in ACTION_UNITS] + [f"unit.{n}" for n in UNITS]
        elif kind == "rotation":
            found += [f"pose.{angle}" for angle in _ANGLES]
        elif a.name == "gaze":
            found += ["gaze.right", "gaze.up"]
        elif kind == "classes":
            found += [f"{a.name}.{label}" for label in a.classes]
        elif a.classes == ("no", "yes"):
            found.append(f"attr.{a.name}")
        elif kind in ("bins", "share"):
            found.append("gender" if a.name == "perceived_gender" else a.name)
    return found


def _question(predictor: AttributePredictor, name: str) -> _Question:
    known = targets(predictor)
    full = next((k for k in known if k.lower() in (name.lower(), f"attr.{name}".lower())), None)
    if full is None:
        near = difflib.get_close_matches(name, known, 3, 0.4) or ["age", "attr.smiling", "expression.happiness"]
        raise InputError(f"these weights have no answer called {name!r} to explain; try {', '.join(near)}")
    group, _, part = full.rpartition(".")
    schema, fitted = predictor.schema, predictor.calibration
    if group in ("pose", "gaze"):
        return _angle(schema[group], group, part)
    if group in ("au", "unit"):
        names = ACTION_UNITS[part.lower()] if group == "au" else (part,)
        return _units(schema["units"], [UNITS.index(n) for n in names], 5.0 if group == "au" else 1.0)
    attribute = schema["perceived_gender" if full == "gender" else part if group in ("", "attr") else group]
    kind = form(attribute)
    if kind == "classes":
        return _one_class(attribute, attribute.classes.index(part), fitted)
    if kind == "bins":
        pick = lambda out: (summary(attribute, out.bins[attribute.name], fitted)[0],) * 2  # noqa: E731
        return _Question(attribute, pick, attribute.unit, attribute.unit)
    heat = float(fitted.get("temperature", {}).get(attribute.name, 1.0))

    def share(out: Outputs) -> tuple[Tensor, Tensor]:
        odds = out.shares[attribute.name] / heat
        return odds, torch.sigmoid(odds)

    return _Question(attribute, share, "log odds", "probability")


def _one_class(attribute: Attribute, index: int, fitted: object) -> _Question:
    """Log odds of one class against all others."""

    def pick(out: Outputs) -> tuple[Tensor, Tensor]:
        p = probability(attribute.name, out.classes[attribute.name], fitted)[:, index]  # type: ignore[arg-type]
        return torch.logit(p, 1e-7), p

    return _Question(attribute, pick, "log odds", "probability")


def _units(attribute: Attribute, indices: Sequence[int], times: float) -> _Question:
    def pick(out: Outputs) -> tuple[Tensor, Tensor]:
        value = times * out.vectors["units"].value[:, list(indices)].mean(1)
        return value, value.clamp(0, times)

    return _Question(attribute, pick, "intensity", "intensity")


def _angle(attribute: Attribute, group: str, part: str) -> _Question:
    """Degrees of the upright crop."""

    def pick(out: Outputs) -> tuple[Tensor, Tensor]:
        if group == "pose":
            value = pose_of_rotation(out.rotations["pose"].value)[:, _ANGLES.index(part)]
        else:
            value = out.vectors["gaze"].value[:, ("right", "up").index(part)]
        return value, value

    return _Question(attribute, pick, "degrees", "degrees")


__all__ = ["asked", "explain", "explain_analysed", "explain_face", "target_of", "targets"]
