"""Faces of a handful of pictures: find, crop, predict, crop again from the landmarks, predict, keep what is a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from omokage.faces.align import crop_box, crop_landmarks
from omokage.pipeline.check import FaceCheck
from omokage.pipeline.config import AnalyzerConfig, Finder, Given, OutlinePredictor, Predictor
from omokage.pipeline.review import with_review
from omokage.results import Box, Detection, FaceAnalysis, FaceCrop

Image = NDArray[np.uint8]


Looks = list[tuple[Detection, FaceAnalysis, FaceAnalysis]]


def read_faces(
    images: Sequence[Image],
    finder: Finder | None,
    predictor: Predictor,
    config: AnalyzerConfig,
    given: Given | None = None,
    check: FaceCheck | None = None,
) -> list[list[FaceAnalysis]]:
    """The faces of each picture (RGB uint8), largest first. Without a finder each picture is one face that fills it.

    `check` decides which finds are faces, and its probability becomes their score; without it the finder's score and
    the network's `quality` decide by the rules of `config`.
    """
    grouped: list[list[FaceAnalysis]] = []
    for looked in looks(images, finder, predictor, config, given):
        faces: list[FaceAnalysis] = []
        for detection, first, second in looked:
            score = 1.0 if finder is None else face_score(detection, first, second, config, check)
            if score is not None:
                faces.append(replace(second, score=score, box=_final_box(second, detection, config)))
        grouped.append(_finish(faces, config))
    return grouped


def looks(
    images: Sequence[Image],
    finder: Finder | None,
    predictor: Predictor,
    config: AnalyzerConfig,
    given: Given | None = None,
) -> list[Looks]:
    """For each picture every proposal of the finder with the network's first look and its second, upright one."""
    if finder is None:
        found = [[Detection(whole_box(image, predictor.margin), 1.0)] for image in images]
    else:
        found = finder.find_batch(images)
    jobs = [(at, detection) for at, detections in enumerate(found) for detection in detections]
    crops = [crop_box(images[at], d.box, predictor.size, predictor.margin, score=d.score) for at, d in jobs]
    first = _predict(predictor, config.batch_size, given, crops, careful=False)
    second = _second_pass(images, [at for at, _ in jobs], first, predictor, config, given)
    grouped: list[Looks] = [[] for _ in images]
    for (at, detection), glance, answer in zip(jobs, first, second, strict=True):
        grouped[at].append((detection, glance, answer))
    return grouped


def whole_box(image: Image, margin: float) -> Box:
    """The box whose crop is the whole picture (its middle square): where the face is when a picture is a crop
    already."""
    height, width = image.shape[:2]
    half = min(height, width) / margin / 2
    return Box(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)


def face_score(
    detection: Detection, first: FaceAnalysis, second: FaceAnalysis, config: AnalyzerConfig, check: FaceCheck | None
) -> float | None:
    """How surely a find is a face, 0..1; None when it is taken for a false one."""
    if first.quality is not None and first.quality < config.hopeless_quality and detection.score < config.sure_score:
        return None
    chance = None if check is None else check.probability(detection, first, second)
    if check is not None and chance is not None:
        return chance if chance >= check.limit else None
    sure = second.quality is None or detection.score >= config.sure_score or second.quality >= config.reject_quality
    return detection.score if sure else None


def _predict(
    predictor: Predictor, batch_size: int, given: Given | None, crops: Sequence[FaceCrop], careful: bool
) -> list[FaceAnalysis]:
    answers: list[FaceAnalysis] = []
    for start in range(0, len(crops), batch_size):
        answers += predictor.predict(crops[start : start + batch_size], given, careful=careful)
    return answers


def _second_pass(
    images: Sequence[Image],
    owner: Sequence[int],
    first: Sequence[FaceAnalysis],
    predictor: Predictor,
    config: AnalyzerConfig,
    given: Given | None,
) -> list[FaceAnalysis]:
    """The final answers: from crops around the first pass's landmarks, upright, where these are to be trusted."""
    answers = list(first)
    again: list[int] = []
    outlines: list[NDArray[np.floating]] = []
    for i, answer in enumerate(first):
        outline = answer.outline
        if outline is None or landmark_box(outline, answer.box, config.drift_iou) is None:
            continue
        if answer.quality is not None and answer.quality < config.hopeless_quality:
            continue  # a second look would only cost time
        again.append(i)
        outlines.append(outline)
    pictures, scores = [images[owner[i]] for i in again], [first[i].score for i in again]
    if isinstance(predictor, OutlinePredictor):
        careful = predictor.predict_outlines(pictures, outlines, scores, given, config.batch_size)
    else:
        crops = [
            crop_landmarks(image, outline, predictor.size, predictor.margin, score=score)
            for image, outline, score in zip(pictures, outlines, scores, strict=True)
        ]
        careful = _predict(predictor, config.batch_size, given, crops, careful=True)
    for i, answer in zip(again, careful, strict=True):
        answers[i] = answer
    return answers


def landmark_box(outline: NDArray[np.floating] | None, near: Box | None = None, drift: float = 0.0) -> Box | None:
    """The box of landmarks (68, 2), or None when there are none, they collapse, or they have left the face: less than
    `drift` of intersection over union with the box `near`, where there is one."""
    if outline is None or not np.isfinite(outline).all() or float(np.ptp(outline, axis=0).min()) < 1.0:
        return None
    box = Box.around(outline)
    return box if near is None or box.iou(near) >= drift else None


def _final_box(answer: FaceAnalysis, detection: Detection, config: AnalyzerConfig) -> Box:
    return landmark_box(answer.outline, detection.box, config.drift_iou) or detection.box


def _finish(faces: list[FaceAnalysis], config: AnalyzerConfig) -> list[FaceAnalysis]:
    """One answer per face, largest first, numbered, with the reasons for review."""
    kept: list[FaceAnalysis] = []
    for face in sorted(faces, key=lambda f: (f.score, f.quality or 0.0), reverse=True):
        if all(face.box.iou(other.box) <= config.same_face_iou for other in kept):
            kept.append(face)
    kept.sort(key=lambda f: f.box.area, reverse=True)
    return with_review([replace(face, face=i) for i, face in enumerate(kept)], config.review)
