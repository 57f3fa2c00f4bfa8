"""Where the first weights of a run come from: the checkpoint of another run, an encoder, or the attributes room's
trunk.

Weights of another room come through the registry. With its trunk the encoder begins with features that labels of that
network's training set taught; what reads them as a code is set here without a label (`changes_between_frames`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from omokage.embeddings.curriculum import Curriculum
from omokage.embeddings.data import Side
from omokage.embeddings.model import MODEL, FaceEncoder
from omokage.embeddings.network import FabNet
from omokage.errors import TrainingError, WeightsError
from omokage.nn.pictures import normalise
from omokage.weights import registry

_LABELLED = "attributes"  # the model whose trunk an encoder can begin with
_GEOMETRY = "categories.continuous-local-face.squeeze."  # its map behind landmarks and expression units
_TRACKS, _FRAMES = 600, 4  # that the first directions of a code are taken from
_CHECKPOINT = "checkpoint.safetensors"


def start_from(init: str, model: FabNet, curriculum: Curriculum, training: Side, seed: int = 0) -> str:
    """Set the first weights; returns what they came from, in words for the card, empty for a fresh network.

    `init` is "", a run folder (network and curriculum stage go on from its last checkpoint), or a weights folder or
    shipped set, with ``/encoder`` or ``/attributes`` behind it where it holds both (the first is taken otherwise): an
    encoder is taken over whole, of the attributes room the trunk and the map behind its landmarks. The decoder is new
    with either. Raises TrainingError when nothing there fits, WeightsError for damaged weights.
    """
    if not init:
        return ""
    if (Path(init) / _CHECKPOINT).exists():
        _go_on(Path(init), model, curriculum)
        return f"the run {Path(init).name}"
    place, name = _weights(init)
    tensors, card = registry.load(place, name)
    encoder = model.encoder
    given = _trunk_and_map(encoder, tensors) if name == _LABELLED else _fitting(encoder.state_dict(), tensors)
    if not given:
        raise TrainingError(
            f"{init} holds no {name} whose trunk is this encoder's: give weights with the same trunk, or set "
            f"encoder.stem, encoder.widths and encoder.blocks as its card {place}/{name}.json has them"
        )
    encoder.load_state_dict({**encoder.state_dict(), **given})
    if name == _LABELLED:
        changes_between_frames(encoder, training, model.pose, seed)
    return f"{card.id} ({card.trained_on})"


def _go_on(run: Path, model: FabNet, curriculum: Curriculum) -> None:
    """Weights and curriculum stage of another run's last checkpoint, as the published second stage starts."""
    path = run / _CHECKPOINT
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"init names {run}, which has no checkpoint that can be read ({error})") from error
    given = {k.removeprefix("average/"): t for k, t in tensors.items() if k.startswith("average/")}
    fitting = _fitting(model.state_dict(), given)
    if not fitting:
        raise TrainingError(f"nothing in {path} fits this network; give a run of the embeddings room")
    model.load_state_dict({**model.state_dict(), **fitting})
    if "curriculum/stage" in tensors:
        curriculum.stage.copy_(tensors["curriculum/stage"])


def _weights(init: str) -> tuple[str, str]:
    """Set or folder, and the model in it that a run begins with."""
    place, _, name = init.rpartition("/")
    asked = [(place, name)] if name in (MODEL, _LABELLED) else [(init, MODEL), (init, _LABELLED)]
    for where, model in asked:
        try:
            if registry.has_model(where, model):
                return where, model
        except WeightsError:
            continue
    raise TrainingError(
        f"init names {init}, which has no checkpoint and is no weights folder or set with an encoder or attributes: "
        f"the shipped sets are {', '.join(registry.set_names())}"
    )


def _fitting(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k: t for k, t in given.items() if k in own and own[k].shape == t.shape}


def _trunk_and_map(encoder: FaceEncoder, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The attributes room's tensors by their names here; nothing when a part of the trunk does not fit."""
    own = encoder.state_dict()
    renamed = {name.replace(_GEOMETRY, "squeeze.", 1): tensor for name, tensor in tensors.items()}
    given = _fitting(own, {k: t for k, t in renamed.items() if k.startswith(("trunk.", "squeeze."))})
    return given if all(k in given for k in own if k.startswith("trunk.")) else {}


def changes_between_frames(encoder: FaceEncoder, side: Side, pose: int = 0, seed: int = 0) -> None:
    """Let the code begin as the principal components of what changes between the frames of one track.

    The map that the code reads is taken of some frames of some tracks, less each track's mean; its strongest directions
    become the numbers of the code, each divided by its spread, dealt in turn to the first `pose` numbers and the rest.
    No label takes part, and what stays the same within a track - who it is - counts for nothing. Where the frames are
    too few for all numbers, the last ones stay as they were.
    """
    if not isinstance(encoder.code, torch.nn.Linear):
        raise TrainingError("a published trunk ends in its code: start it from an encoder or from scratch")
    rows, tracks = _maps(encoder, side, seed)
    mean = rows.mean(0)
    inside = np.concatenate([rows[tracks == t] - rows[tracks == t].mean(0) for t in np.unique(tracks)])
    ways, spread = _components(inside, encoder.code.out_features)
    weight = (ways / spread).T
    places = _dealt(encoder.code.out_features, pose)[: len(weight)]
    with torch.no_grad():
        encoder.code.weight[places] = torch.from_numpy(weight).to(encoder.code.weight)
        encoder.code.bias[places] = torch.from_numpy(-weight @ mean).to(encoder.code.bias)


def _dealt(width: int, pose: int) -> list[int]:
    """The places of a code's numbers, the strongest direction's first: one of the pose part, one of the rest, ..."""
    both = min(pose, width - pose)
    turns = [place for k in range(both) for place in (k, pose + k)]
    return [*turns, *range(both, pose), *range(pose + both, width)]


def _components(rows: NDArray[np.float64], most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `most` principal directions (d, k) of rows (n, d) of mean 0, strongest first, and their spreads (k,)."""
    values, mixes = np.linalg.eigh(rows @ rows.T / len(rows))
    strong = np.flatnonzero(values > 1e-6 * max(values[-1], 1e-30))[::-1][:most]
    ways = rows.T @ mixes[:, strong]
    return ways / np.linalg.norm(ways, axis=0), np.sqrt(values[strong])


@torch.inference_mode()
def _maps(encoder: FaceEncoder, side: Side, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What the code reads (n, cells) of the exact crops of some tracks, and whose frame each is (n,)."""
    rng = np.random.default_rng((seed, 11))
    people = rng.permutation(len(side.people))[:_TRACKS]
    rows, owner = [], []
    was = encoder.training
    encoder.eval()
    for person in people.tolist():
        track = side.people[person][0]
        frames = rng.choice(track, min(_FRAMES, len(track)), replace=False)
        crops = np.stack([side.store.exact(int(frame)) for frame in frames])
        device = next(encoder.parameters()).device
        found = encoder.squeeze(encoder.trunk(normalise(torch.from_numpy(crops).to(device))))
        rows.append(encoder.flatten(found).cpu().numpy().astype(np.float64))
        owner += [person] * len(frames)
    encoder.train(was)
    return np.concatenate(rows), np.array(owner)
