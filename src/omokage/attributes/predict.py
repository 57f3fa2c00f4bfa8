"""From crops to `FaceAnalysis`: batched, calibrated, in the coordinates of the source picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.attributes import calibration as calibrating
from omokage.attributes.correlation import Moves, answers, facts, moves
from omokage.attributes.model import AttributeNetwork, Located, Outputs, rebuilt
from omokage.attributes.readings import each
from omokage.data.rotation import pose_of_matrix, turned, turned_gaze
from omokage.data.transforms import MIRRORED_POINTS, MIRRORED_UNITS, Jitter, apply_affine
from omokage.faces.align import crop_landmarks, roll_of, stacked
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.nn.surroundings import opening, undisturbed
from omokage.results import PIXEL_MIDDLE, AgeEstimate, Categorical, FaceAnalysis, FaceCrop, Pose, Scalar
from omokage.schema import UNITS, AttributeSchema, action_units, own_nominal
from omokage.training.device import pick_device
from omokage.weights import registry

Given = Mapping[str, float | str]
# The two cuts of a careful look (shares of the side). Chosen among ten arrangements on development photographs.
CLOSER, WIDER = Jitter((0.02, 0.02), 0.96), Jitter((-0.02, -0.02), 1.05)


class AttributePredictor:
    """The network of a weight set, ready to answer. Raises WeightsError for unknown or damaged weights.

    `size` and `margin` say how to cut crops: `faces.align.crop_landmarks(image, landmarks, size, margin)`. With
    `mirror` careful answers are averaged over the crop and its mirror image: half the speed, a few percent less error
    (landmarks and pose most).
    """

    @opening()
    def __init__(self, weights: str | Path = registry.DEFAULT_SET, device: str = "auto", mirror: bool = True) -> None:
        tensors, self.card = registry.load(weights, "attributes")
        self.schema = AttributeSchema.from_json(list(self.card.schema))
        model = rebuilt(self.schema, self.card.architecture)
        model.load_state_dict(tensors)
        self.device, self.mirror = pick_device(device), mirror
        self.model: AttributeNetwork = model.eval().requires_grad_(False).to(self.device)
        self._fast = folded(model).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.calibration: Mapping[str, Any] = self.card.calibration
        self.size = int(self.card.preprocessing["size"])
        self.margin = float(self.card.preprocessing["margin"])

    def prepare(self, crops: Sequence[FaceCrop]) -> Tensor:
        """The network's input (b, 3, size, size) on its device; crops of another size are resized."""
        return normalise(torch.from_numpy(stacked([c.image for c in crops], self.size)).to(self.device))

    @undisturbed()
    @torch.inference_mode()
    def outputs(self, inputs: Tensor, careful: bool = True) -> Outputs:
        """Decoded outputs (b) on the CPU of prepared inputs; careful ones have the mirrored ones averaged in."""
        out = self._fast.decode(self._fast(inputs))
        if self.mirror and careful:
            out = averaged(out, unmirrored(self._fast.decode(self._fast(inputs.flip(3)))))
        return each(out, lambda t: t.float().cpu())

    @undisturbed()
    def predict(
        self, crops: Sequence[FaceCrop], given: Given | None = None, batch: int = 32, *, careful: bool = True
    ) -> list[FaceAnalysis]:
        """One analysis per crop, in order; `source` is empty, for the caller to fill.

        `given` holds facts that are known otherwise (``{"age": 70}``, ``{"perceived_gender": "female"}``) and moves the
        other answers by the learnt correlation of errors. Raises InputError for facts that these weights do not know.
        """
        found: list[FaceAnalysis] = []
        for first in range(0, len(crops), batch):
            part = crops[first : first + batch]
            found += self._analyses(self.outputs(self.prepare(part), careful), part, given)
        return found

    @undisturbed()
    def predict_outlines(
        self,
        images: Sequence[NDArray[np.uint8]],
        outlines: Sequence[NDArray[np.floating]],
        scores: Sequence[float],
        given: Given | None = None,
        batch: int = 32,
    ) -> list[FaceAnalysis]:
        """The most careful analyses, of faces in whole `images` whose 68 landmarks (68, 2) are known nearly.

        Each face is cut a little closer around its outline, and the mirrored half of the answer is read off another
        cut: a little wider, shifted, around the landmarks that the first one gave. Two cuts of different phase err less
        alike than one and its mirror image, and the second stands better, at the price of one more cut. Raises
        InputError as `predict` does.
        """
        found: list[FaceAnalysis] = []
        for first in range(0, len(images), batch):
            part = slice(first, first + batch)
            crops = self._closer(images[part], outlines[part], scores[part])
            found += self._analyses(self._twice(images[part], outlines[part], crops), crops, given)
        return found

    @undisturbed()
    def views(self, images: Sequence[NDArray[np.uint8]], outlines: Sequence[NDArray[np.floating]]) -> NDArray[np.uint8]:
        """The two pictures (n, 2, size, size, 3) of each face that `predict_outlines` reads, and whose raw outputs it
        averages: the closer cut, and the wider one mirrored. Where it reads one cut only, that one twice."""
        closer = self._closer(images, outlines, [1.0] * len(images))
        if not self._reads_two:
            return np.stack([np.stack([c.image, c.image]) for c in closer])
        wider = self._wider(images, outlines, closer, self.outputs(self.prepare(closer), careful=False))
        return np.stack([np.stack([c.image, w.image[:, ::-1]]) for c, w in zip(closer, wider, strict=True)])

    @property
    def _reads_two(self) -> bool:
        return self.mirror and "landmarks" in self.schema

    def _closer(
        self, images: Sequence[NDArray[np.uint8]], outlines: Sequence[NDArray[np.floating]], scores: Sequence[float]
    ) -> list[FaceCrop]:
        return [
            crop_landmarks(image, outline, self.size, self.margin, score=score, jitter=CLOSER)
            for image, outline, score in zip(images, outlines, scores, strict=True)
        ]

    def _wider(
        self, images: Sequence[NDArray[np.uint8]], outlines: Sequence[NDArray[np.floating]], crops: Sequence[FaceCrop],
        plain: Outputs,
    ) -> list[FaceCrop]:  # fmt: skip
        """Wider cuts around the landmarks that were found in `crops`."""
        found = plain.points["landmarks"].value.double().numpy()
        return [
            crop_landmarks(image, _in_source(crop, at), self.size, self.margin, jitter=WIDER, roll=roll_of(outline))
            for image, outline, crop, at in zip(images, outlines, crops, found, strict=True)
        ]

    def _twice(
        self, images: Sequence[NDArray[np.uint8]], outlines: Sequence[NDArray[np.floating]], crops: Sequence[FaceCrop]
    ) -> Outputs:
        """Outputs of `crops` averaged with those of mirrored, wider cuts around the landmarks found in them."""
        if not self._reads_two:
            return self.outputs(self.prepare(crops))
        plain = self.outputs(self.prepare(crops), careful=False)
        wider = self._wider(images, outlines, crops, plain)
        mirrored = self.outputs(self.prepare(wider).flip(3), careful=False)
        return averaged(plain, _as_cut(unmirrored(mirrored), wider, crops))

    def _analyses(self, out: Outputs, crops: Sequence[FaceCrop], given: Given | None) -> list[FaceAnalysis]:
        known = facts(self.schema, given) if given else {}
        moving = moves(answers(self.schema, out, self.calibration), known, self._learnt) if known else Moves({}, {})
        found = _Batch(self.schema, out, self.calibration, moving).analyses(crops)
        return [replace(one, network=self.card.id) for one in found]

    @property
    def _learnt(self) -> Mapping[str, Any]:
        return dict(self.calibration.get("correlation", {}))


def unmirrored(out: Outputs) -> Outputs:
    """The outputs of mirrored pictures as those of the pictures themselves."""
    order, units = torch.from_numpy(MIRRORED_POINTS), torch.from_numpy(MIRRORED_UNITS)
    points = {
        name: Located(at.value[:, order] * at.value.new_tensor([-1.0, 1.0]), at.log_sigma[:, order])
        for name, at in out.points.items()
    }
    rotations = {
        name: Located((side := torch.diag(at.value.new_tensor([-1.0, 1.0, 1.0]))) @ at.value @ side, at.log_sigma)
        for name, at in out.rotations.items()
    }
    vectors = dict(out.vectors)
    if "units" in vectors:
        vectors["units"] = Located(vectors["units"].value[:, units], vectors["units"].log_sigma)
    if "gaze" in vectors:
        gaze = vectors["gaze"]
        vectors["gaze"] = Located(gaze.value * gaze.value.new_tensor([-1.0, 1.0]), gaze.log_sigma)
    return replace(out, points=points, rotations=rotations, vectors=vectors)


def _as_cut(out: Outputs, crops: Sequence[FaceCrop], others: Sequence[FaceCrop]) -> Outputs:
    """Outputs of `crops` with points measured in `others`, which lie otherwise but lean alike."""
    pairs = list(zip(crops, others, strict=True))
    larger = torch.tensor([math.log(_zoom(b) / _zoom(a)) for a, b in pairs])

    def moved_points(at: Located) -> Located:
        there = [
            apply_affine(_in_source(a, value), b.affine) * 2 / len(b.image) - 1
            for (a, b), value in zip(pairs, at.value.double().numpy(), strict=True)
        ]
        return Located(torch.from_numpy(np.array(there)).to(at.value), at.log_sigma + larger[:, None])

    return replace(out, points={name: moved_points(at) for name, at in out.points.items()})


def _in_source(crop: FaceCrop, places: NDArray[np.floating]) -> NDArray[np.float64]:
    """Places (n, 2) in -1..1 across a crop as pixels of its source."""
    return crop.to_source((places + 1) / 2 * len(crop.image))


def _zoom(crop: FaceCrop) -> float:
    """Pixels of a crop for one of its source."""
    return math.sqrt(abs(float(np.linalg.det(crop.affine[:, :2]))))


def averaged(one: Outputs, two: Outputs) -> Outputs:
    """The mean of two readings of the same pictures; rotations stay rotations."""
    twos = iter(_tensors(two))
    mean = each(one, lambda t: (t + next(twos)) / 2)
    return replace(
        mean, rotations={n: Located(_nearest_rotation(v.value), v.log_sigma) for n, v in mean.rotations.items()}
    )


def _nearest_rotation(matrices: Tensor) -> Tensor:
    """The orthogonal matrices (b, 3, 3) closest to nearly orthogonal ones."""
    u, _, v = torch.linalg.svd(matrices)
    nearest: Tensor = u @ v
    return nearest


def _tensors(out: Outputs) -> list[Tensor]:
    """Every tensor in the order in which `each` visits them."""
    seen: list[Tensor] = []

    def note(t: Tensor) -> Tensor:
        seen.append(t)
        return t

    each(out, note)
    return seen


class _Batch:
    """Calibrated numbers of one batch, and how a row of them becomes an analysis."""

    def __init__(self, schema: AttributeSchema, out: Outputs, fitted: Mapping[str, Any], moving: Moves) -> None:
        self.schema, self.moving = schema, moving
        self.points = {n: (v.value.numpy(), calibrating.spread(n, v, fitted).numpy()) for n, v in out.points.items()}
        self.rotations = {
            n: (v.value.numpy(), calibrating.spread(n, v, fitted).numpy()) for n, v in out.rotations.items()
        }
        self.vectors = {n: (v.value.numpy(), calibrating.spread(n, v, fitted).numpy()) for n, v in out.vectors.items()}
        self.bins = {n: [t.numpy() for t in calibrating.summary(schema[n], x, fitted)] for n, x in out.bins.items()}
        self.classes = {n: calibrating.probability(n, x, fitted).numpy() for n, x in out.classes.items()}
        self.shares = {n: calibrating.probability(n, x, fitted).numpy() for n, x in out.shares.items()}

    def analyses(self, crops: Sequence[FaceCrop]) -> list[FaceAnalysis]:
        return [self._one(i, crop) for i, crop in enumerate(crops)]

    def _one(self, i: int, crop: FaceCrop) -> FaceAnalysis:
        points, sigma = self._landmarks(i, crop)
        turn = math.degrees(
            math.atan2(crop.affine[1, 0], crop.affine[0, 0])
        )  # of the crop against the source, clockwise
        units = self._units(i)
        return FaceAnalysis(
            source="",
            box=crop.box,
            score=crop.score,
            landmarks=points,
            landmark_sigma=sigma,
            pose=self._pose(i, turn),
            gaze=self._gaze(i, turn),
            age=self._age(i),
            gender_female=self._share("perceived_gender", i),
            expression=self._expression(i),
            units=units,
            action_units=action_units(units) if units else {},
            attributes=self._yes_no(i),
            scalars=self._scalars(i),
            classes=self._own_classes(i),
            quality=self._share("quality", i),
        )

    def _landmarks(self, i: int, crop: FaceCrop) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
        """From -1..1 across the crop to source pixels, counted by their middles."""
        if "landmarks" not in self.points:
            return None, None
        value, sigma = self.points["landmarks"]
        spread = sigma[i] * len(crop.image) / 2 / _zoom(crop)
        return (_in_source(crop, value[i]) - PIXEL_MIDDLE).astype(np.float32), spread.astype(np.float32)

    def _pose(self, i: int, turn: float) -> Pose | None:
        if "pose" not in self.rotations:
            return None
        rotation, sigma = self.rotations["pose"]
        yaw, pitch, roll = (float(v) for v in pose_of_matrix(turned(-turn) @ rotation[i]))
        a, b, c = (float(v) for v in sigma[i])
        return Pose(yaw, pitch, roll, (a, b, c))

    def _gaze(self, i: int, turn: float) -> tuple[Scalar, Scalar] | None:
        if "gaze" not in self.vectors:
            return None
        value, sigma = self.vectors["gaze"]
        right, up = turned_gaze(value[i], -turn)
        return Scalar(float(right), float(sigma[i, 0])), Scalar(float(up), float(sigma[i, 1]))

    def _age(self, i: int) -> AgeEstimate | None:
        """Years, interval and density; a moved answer carries its interval along."""
        if "age" not in self.bins:
            return None
        mean, low, high, density = self.bins["age"]
        years, bounds = float(mean[i]), (float(low[i]), float(high[i]))
        shape = tuple(float(p) for p in density[i])
        if "age" in self.moving.facts:  # known, not estimated
            fact = self.moving.facts["age"]
            return AgeEstimate(fact, fact, fact)
        if by := self.moving.of("age", i, years) - years:
            years = min(max(years + by, 0.0), 100.0)
            bounds, shape = (min(max(bounds[0] + by, 0.0), years), max(min(bounds[1] + by, 100.0), years)), ()
        return AgeEstimate(years, bounds[0], bounds[1], shape)

    def _share(self, name: str, i: int) -> float | None:
        if name not in self.shares:
            return None
        return self._moved(name, i, float(self.shares[name][i]))

    def _moved(self, name: str, i: int, value: float) -> float:
        return min(max(self.moving.of(name, i, value), 0.0), 1.0)

    def _expression(self, i: int) -> Categorical | None:
        if "expression" not in self.classes:
            return None
        return self._among("expression", i)

    def _among(self, name: str, i: int) -> Categorical:
        labels = self.schema[name].classes
        p = [self._moved(f"{name}.{k}", i, float(v)) for k, v in zip(labels, self.classes[name][i], strict=True)]
        total = sum(p) or 1.0
        return Categorical(labels, tuple(v / total for v in p))

    def _units(self, i: int) -> dict[str, float]:
        if "units" not in self.vectors:
            return {}
        return dict(zip(UNITS, np.clip(self.vectors["units"][0][i], 0, 1).tolist(), strict=True))

    def _yes_no(self, i: int) -> dict[str, float]:
        return {
            name: self._moved(name, i, float(p[i]))
            for name, p in self.shares.items()
            if self.schema[name].classes == ("no", "yes")
        }

    def _own_classes(self, i: int) -> dict[str, Categorical]:
        """Nominal attributes that are neither yes/no nor have a place of their own in the result."""
        out: dict[str, Categorical] = {}
        for a in own_nominal(self.schema):
            if a.name in self.classes:
                out[a.name] = self._among(a.name, i)
            else:
                p = self._moved(a.name, i, float(self.shares[a.name][i]))
                out[a.name] = Categorical(a.classes, (1 - p, p))
        return out

    def _scalars(self, i: int) -> dict[str, Scalar]:
        """Ordinal attributes other than age: one standard deviation is the 5-95 % interval over 3.29."""
        out: dict[str, Scalar] = {}
        for name, (mean, low, high, _) in self.bins.items():
            if name != "age":
                a, value = self.schema[name], self.moving.of(name, i, float(mean[i]))
                if self.moving.facts:
                    value = min(max(value, a.low), a.high)
                out[name] = Scalar(value, float(high[i] - low[i]) / 3.29)
        return out
