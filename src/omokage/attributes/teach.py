"""Labels that photographs lack, filled in by networks that were trained before (self-training with soft labels).

The teachers look at each training picture as it is, and at its mirror image; their mean answer becomes its label where
nobody gave one. The student then sees the picture moved, darkened, blurred and shrunk, and must still say the same: a
noisy student (Xie, Luong, Hovy and Le, CVPR 2020) of an ensemble (Hinton, Vinyals and Dean, 2015). Probabilities stay
probabilities. Held-out pictures are never taught, so calibration and scores rest on given labels alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from omokage.attributes.config import form
from omokage.attributes.data import lean_of
from omokage.attributes.predict import AttributePredictor
from omokage.attributes.sources import Source, width
from omokage.data import transforms
from omokage.results import Box, FaceAnalysis, FaceCrop
from omokage.schema import UNITS, Attribute, AttributeSchema

_AT_ONCE = 256  # crops that are in memory


def taught(source: Source, schema: AttributeSchema, teachers: Sequence[AttributePredictor]) -> Source:
    """`source` with the teachers' mean answer wherever a picture has no label, and with the landmarks that they place
    as its outline. `quality` is left alone: it follows from how a crop is cut."""
    labels = {name: values.copy() for name, values in source.labels.items()}
    outline = list(source.outline)
    for first in range(0, len(source), _AT_ONCE):
        rows = range(first, min(first + _AT_ONCE, len(source)))
        said = [teacher.predict([_crop(source, i, teacher) for i in rows]) for teacher in teachers]
        for i, answers in zip(rows, zip(*said, strict=True), strict=True):
            for attribute in schema:
                known = labels[attribute.name]
                if attribute.name != "quality" and np.isnan(known[i]).all():
                    known[i] = mean_label(attribute, [label_of(attribute, answer) for answer in answers])
            if "landmarks" in labels and np.isnan(source.labels["landmarks"][i]).all():
                outline[i] = labels["landmarks"][i].astype(np.float64).reshape(68, 2)
    return replace(source, labels=labels, outline=outline)


def _crop(source: Source, i: int, teacher: AttributePredictor) -> FaceCrop:
    """The picture as the pipeline cuts it."""
    outline = source.outline[i]
    affine = transforms.crop_affine(outline, teacher.size, teacher.margin, lean_of(outline), transforms.Jitter())
    return FaceCrop(transforms.warp(source.images[i], affine, teacher.size), affine, Box.around(outline), 1.0)


def label_of(attribute: Attribute, answer: FaceAnalysis) -> NDArray[np.float32]:
    """An answer in the form of a label (`sources.label`), NaN where it has none."""
    out = np.full(width(attribute), np.nan, np.float32)
    name = attribute.name
    if name == "landmarks" and answer.outline is not None:
        return answer.outline.astype(np.float32).ravel()
    if name == "pose" and answer.pose is not None:
        out[:3] = (answer.pose.yaw, answer.pose.pitch, answer.pose.roll)
    elif name == "gaze" and answer.gaze is not None:
        out[:] = [part.value for part in answer.gaze]
    elif name == "units" and answer.units:
        out[:] = [answer.units[unit] for unit in UNITS]
    elif name == "age" and answer.age is not None:
        out[0] = answer.age.years
    elif name == "perceived_gender" and answer.gender_female is not None:
        out[:] = answer.gender_female
    elif name == "expression" and answer.expression is not None:
        out[:] = [answer.expression[k] for k in attribute.classes]
    elif form(attribute) == "share" and name in answer.attributes:
        out[:] = answer.attributes[name]
    elif name in answer.scalars:
        out[0 if form(attribute) == "bins" else slice(None)] = answer.scalars[name].value
    return out


def mean_label(attribute: Attribute, labels: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of several teachers' labels (each of one width), over those that know; angles go the short way."""
    known = [label for label in labels if not np.isnan(label).all()]
    if not known:
        return labels[0]
    if attribute.name == "pose":
        known = [known[0] + (label - known[0] + 180) % 360 - 180 for label in known]
    return np.asarray(np.mean(known, 0), np.float32)
