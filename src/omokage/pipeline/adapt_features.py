"""What the shipped network sees in the user's labelled pictures: crops, features for probes, maps for fine-tuning."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.attributes.model import SubNetwork
from omokage.attributes.predict import AttributePredictor
from omokage.errors import InputError, UnreadableError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.media.image import decode, read_bytes
from omokage.media.sources import on_disk
from omokage.nn.blocks import DenseUnit
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.nn.trunk import ResidualTrunk
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.placing import labelled_face
from omokage.pipeline.reader import Looks, looks, whole_box
from omokage.results import FaceAnalysis

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
_TOGETHER = 16


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The crops (n, size, size, 3) of the pictures `kept` (places in the list that was read) with landmarks (n, 68, 2)
    in crop widths from its middle; the two views (n, 2, size, size, 3) that `analyze` reads of each face, the second
    one mirrored; why the others were left out, by name; and of each the digest of its file."""

    crops: Image
    views: Image
    landmarks: Floats
    kept: tuple[int, ...]
    left_out: Mapping[str, str]
    digests: tuple[bytes, ...]


def attribute_predictor(analyzer: Analyzer) -> AttributePredictor:
    """The analyzer's own network. Raises InputError for another kind of predictor."""
    predictor = analyzer.predictor
    if not isinstance(predictor, AttributePredictor):
        raise InputError("only omokage's own attribute network can be adapted; use its weights")
    return predictor


def check_there(table: Path, images: Path, files: Sequence[str]) -> None:
    """Raises InputError when none of the files that a table of labels names is there: the folder is the wrong one."""
    if not any(os.path.isfile(on_disk(images, file)) for file in files):
        raise InputError(
            f"none of the {len(files)} pictures that {table} names is in {images} (the first: {files[0]}): say with "
            "--images which folder the names start from"
        )


def read_faces_of(
    analyzer: Analyzer, pictures: Sequence[Path | bytes], crops: bool = False, progress: Progress | None = None,
    names: Sequence[str] | None = None,
) -> Faces:  # fmt: skip
    """The face that each picture is about: a plain crop, and the views that `analyze` reads. Raises InputError when no
    picture shows one.

    With `crops` each picture is one face already. `names` say which ones were left out; without them paths do.
    """
    names = names or [_name(picture, at) for at, picture in enumerate(pictures)]
    predictor = attribute_predictor(analyzer)
    found: list[tuple[int, Image, Image, Floats]] = []
    left_out: dict[str, str] = {}
    digests: dict[int, bytes] = {}
    for start in range(0, len(pictures), _TOGETHER):
        group: list[tuple[int, Image]] = []
        for at, picture in enumerate(pictures[start : start + _TOGETHER], start):
            try:
                content = picture if isinstance(picture, bytes) else read_bytes(picture)
                digests[at] = hashlib.sha256(content).digest()
                group.append((at, decode(content, "the picture" if content is picture else str(picture)).pixels))
            except (InputError, UnreadableError) as error:
                left_out[names[at]] = str(error)
        images = [image for _, image in group]
        seen = looks(images, None if crops else analyzer.finder, predictor, analyzer.config) if images else []
        for (at, image), one in zip(group, seen, strict=True):
            who = labelled_face(image, one)
            face = _face(image, None if who is None else who.outline, crops, predictor)
            if face is None:
                left_out[names[at]] = "no face was found"
            else:
                found.append((at, _views(image, one, who, predictor), *face))
        if progress is not None:
            progress(min(start + _TOGETHER, len(pictures)), len(pictures))
    if not found:
        why = next(iter(left_out.values()), "there are none")
        raise InputError(f"none of the {len(pictures)} pictures can be learnt from: {why}")
    kept, views, crops_of, points = zip(*found, strict=True)
    own = tuple(digests[at] for at in kept)
    return Faces(np.stack(crops_of), np.stack(views), np.stack(points), kept, left_out, own)


def one_person(people: Sequence[str], digests: Sequence[bytes]) -> list[str]:
    """The people, those of whom there is the same file as one of them: a split must not part a picture from its
    copy."""
    names: dict[str, str] = {}

    def first(person: str) -> str:
        while (other := names.get(person, person)) != person:
            person = other
        return person

    shown: dict[bytes, str] = {}
    for person, digest in zip(people, digests, strict=True):
        names[first(person)] = first(shown.setdefault(digest, person))
    return [first(person) for person in people]


def _views(image: Image, seen: Looks, who: FaceAnalysis | None, predictor: AttributePredictor) -> Image:
    """What the answer about `who` was read off (2, size, size, 3); of None (a crop without landmarks) about the first
    find. An answer that is still the first look has one view, unturned, which is given twice."""
    detection, glance, answer = next(look for look in seen if who is None or look[2] is who)
    if answer is glance or glance.outline is None:
        return np.stack([crop_box(image, detection.box, predictor.size, predictor.margin).image] * 2)
    two: Image = predictor.views([image], [glance.outline])[0]
    return two


def _name(picture: Path | bytes, at: int) -> str:
    return f"picture {at + 1}" if isinstance(picture, bytes) else str(picture)


def _face(
    image: Image, points: NDArray[np.float32] | None, whole: bool, predictor: AttributePredictor
) -> tuple[Image, Floats] | None:
    """The crop and the landmarks in it; a `whole` picture without landmarks that can be trusted is the crop itself."""
    size, margin = predictor.size, predictor.margin
    if points is None:
        if not whole:
            return None
        return crop_box(image, whole_box(image, margin), size, margin).image, np.zeros((68, 2))
    crop = crop_landmarks(image, points, size, margin)
    return crop.image, (points @ crop.affine[:, :2].T + crop.affine[:, 2]) / size - 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the network makes of n faces, each read in two views.

    `hidden`: the numbers (n, d) that each sub-network's heads read, mean of the two; `maps`: (n, 2, c, h, w) half
    precision, what a fine-tuned part reads: the trunk's map, or that before its last stage; None when not asked for.
    """

    hidden: Mapping[str, Floats]
    maps: Tensor | None


def donors(predictor: AttributePredictor) -> tuple[str, ...]:
    """The sub-networks whose hidden numbers can be lent."""
    model = predictor.model
    own = {a.category for a in predictor.schema if a.own}
    return tuple(
        name
        for name, part in model.categories.items()
        if isinstance(part, SubNetwork)
        and isinstance(part.dense, DenseUnit)
        and name not in own
        and "landmarks" not in model.members[name]
    )


@torch.inference_mode()
def see(
    predictor: AttributePredictor, views: Image, tune: str = "none", batch: int = 32, progress: Progress | None = None
) -> Seen:
    """Read the views (n, 2, size, size, 3) of faces. `tune`: "dense" keeps the trunk's map, "stage" the one before the
    last stage."""
    model = folded(predictor.model).to(predictor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    names = donors(predictor)
    if not names:
        raise InputError("these weights have no sub-network to learn from; use shipped ones")
    if tune == "stage" and not (isinstance(model.trunk, ResidualTrunk) and len(model.trunk.ends) > 1):
        raise InputError("this network has no last stage that could be fine-tuned; choose --tune dense")
    hidden: dict[str, list[Tensor]] = {name: [] for name in names}
    maps: list[Tensor] = []
    for start in range(0, len(views), batch):
        part_of_them = torch.from_numpy(views[start : start + batch]).to(predictor.device)
        both = [_maps(model.trunk, normalise(part_of_them[:, k])) for k in range(2)]
        for name in names:
            part = model.categories[name]
            assert isinstance(part, SubNetwork)
            hidden[name].append(sum(part.hidden(last) for _, last in both).cpu() / 2)  # type: ignore[union-attr]
        if tune != "none":
            maps.append(torch.stack([v[0 if tune == "stage" else 1] for v in both], 1).half().cpu())
        if progress is not None:
            progress(min(start + batch, len(views)), len(views))
    return Seen(
        {name: torch.cat(parts).double().numpy() for name, parts in hidden.items()}, torch.cat(maps) if maps else None
    )


def _maps(trunk: torch.nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The map before the last stage (where there is one) and the last map."""
    if isinstance(trunk, ResidualTrunk) and len(trunk.ends) > 1:
        stages = trunk.stages(inputs)
        return stages[-2], stages[-1]
    last: Tensor = trunk(inputs)
    return last, last
