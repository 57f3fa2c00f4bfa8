"""Weight files and their cards: find, load with the hash checked, save.

A model is two files beside each other: ``<model>.safetensors`` and ``<model>.json`` (the card). Sets are folders below
``omokage/weights/`` (``synthetic``, ``open``); a path to a folder is accepted wherever a set's name is. A shipped set
holds what differs from the base set: models that it lacks are those of ``synthetic``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omokage.errors import PlaceError, WeightsError
from omokage.media.files import output_error, whole_file
from omokage.weights.tensors import write_tensors

if TYPE_CHECKING:
    from torch import Tensor

HOME = Path(__file__).parent
BASE_SET = "synthetic"
DEFAULT_SET = "open"


@dataclass(frozen=True, slots=True)
class Card:
    """What a weight file is: everything needed to rebuild, use and judge it."""

    model: str  # "attributes", "finder", ...
    set: str  # "synthetic", "open" or a name of the user's
    architecture: Mapping[str, Any]  # arguments that rebuild the module
    preprocessing: Mapping[str, Any]  # input size, crop margin, mean, std
    schema: list[Mapping[str, Any]] = field(default_factory=list)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""  # the command that made it
    commit: str = ""
    made: str = ""  # ISO date
    trained_on: str = ""
    licences: Mapping[str, str] = field(default_factory=dict)  # code, weights, training_data
    scores: list[Mapping[str, Any]] = field(default_factory=list)  # measure, value, interval, n, set, date, baseline
    limits: list[str] = field(default_factory=list)  # what it must not be used for, known weaknesses
    sha256: str = ""  # of the tensors' file
    settings_sha256: str = ""  # of what else decides the answers; empty in cards of earlier versions

    @property
    def id(self) -> str:
        """Set, model and the first eight digits of the hash: ``synthetic/attributes@1a2b3c4d``. A ``+`` follows where
        somebody changed the card's settings afterwards: its answers are others."""
        return f"{self.set}/{self.model}@{self.sha256[:8]}{'+' if self.changed else ''}"

    @property
    def changed(self) -> bool:
        """Whether architecture, preprocessing, schema or calibration are no longer those that were saved."""
        return bool(self.settings_sha256) and self.settings_sha256 != _settings_hash(self)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _settings_hash(card: Card) -> str:
    parts = [card.architecture, card.preprocessing, card.schema, card.calibration]
    read = json.loads(json.dumps(parts))  # as they come back from a file: keys are text, tuples lists
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def sealed(card: Card) -> Card:
    """The card with the hash of its settings."""
    return replace(card, settings_sha256=_settings_hash(card))


def folder_of(weights: str | Path) -> Path:
    """The folder of a shipped set's name or of a user's path. Raises WeightsError when there is none."""
    for candidate in (HOME / str(weights), Path(weights)):
        if candidate.is_dir() and any(candidate.glob("*.json")):
            return candidate
    if str(weights) and Path(weights).is_dir():
        raise WeightsError(
            f"the folder {weights} holds no weights: a set has for each model a card and its tensors, such as "
            "attributes.json and attributes.safetensors; name the folder that omokage train or adapt wrote"
        )
    raise WeightsError(
        f"no weights called {str(weights)!r}: the shipped sets are {', '.join(set_names()) or 'none'}, or give a folder"
    )


def is_known(weights: str | Path) -> bool:
    """Whether there is a shipped set of this name, or a folder; what a folder lacks is said by `folder_of`."""
    return Path(weights).is_dir() or any((HOME / str(weights)).glob("*.json"))


def check_new(out: Path) -> None:
    """Raises PlaceError when a new set cannot be written at `out`, since something is there already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PlaceError(f"{out} exists already and is not an empty folder; choose another name for the new weights")


def has_model(weights: str | Path, model: str) -> bool:
    """Whether a weight set has a model of that name, of its own or from the base set. Raises WeightsError when there
    is no such set."""
    return (_holder(weights, model) / f"{model}.json").is_file()


def _holder(weights: str | Path, model: str) -> Path:
    """The folder that a set's model lies in: its own, or the base set's for a shipped set that lacks it."""
    folder = folder_of(weights)
    shared = folder.parent == HOME and not (folder / f"{model}.json").is_file()
    return HOME / BASE_SET if shared else folder


def set_names() -> list[str]:
    """Names of the shipped sets."""
    return sorted(p.name for p in HOME.iterdir() if p.is_dir() and any(p.glob("*.json")))


def read_card(weights: str | Path, model: str) -> Card:
    """The card alone, without reading the tensors. Raises WeightsError."""
    path = _holder(weights, model) / f"{model}.json"
    if not path.is_file():
        raise WeightsError(
            f"the weights {str(weights)!r} hold no {model} ({path.name}): train it (omokage train) and name the "
            "folder, or reinstall omokage if it came with one"
        )
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise WeightsError(
            f"the card {path} is missing or damaged ({error}); reinstall omokage or train the model again"
        ) from error


def load(weights: str | Path, model: str) -> tuple[dict[str, Tensor], Card]:
    """Tensors as float32 and the card; refuses a file whose hash differs from the card's. Raises WeightsError."""
    from safetensors.torch import load as load_bytes

    card = read_card(weights, model)
    path = _holder(weights, model) / f"{model}.safetensors"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weight file {path} cannot be read ({error.strerror}); reinstall omokage") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise WeightsError(
            f"the weight file {path} is not the one its card describes (hash differs); restore it or train again"
        )
    return {k: t.float() if t.is_floating_point() else t for k, t in load_bytes(content).items()}, card


def save(folder: Path, tensors: Mapping[str, Tensor], card: Card) -> Card:
    """Write ``<model>.safetensors`` (floats as fp16) and the card with its hash; returns the completed card. Raises
    OutputError."""
    import torch

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    path = folder / f"{card.model}.safetensors"
    write_tensors(path, {k: t.half() if t.dtype == torch.float32 else t for k, t in tensors.items()})
    done = sealed(replace(card, sha256=_hash(path)))
    with whole_file(folder / f"{card.model}.json") as file:
        file.write(json.dumps(asdict(done), indent=1, ensure_ascii=False) + "\n")
    return done


def copy_model(weights: str | Path, model: str, folder: Path, preprocessing: Mapping[str, Any] | None = None) -> Card:
    """Copy a model of a set, bit for bit, into another folder's set; its card gets the new set's name and, where given,
    other `preprocessing`. Raises WeightsError, OutputError."""
    card = read_card(weights, model)
    try:
        content = (_holder(weights, model) / f"{model}.safetensors").read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {str(weights)!r} hold no readable {model} ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise WeightsError(f"the {model} of {str(weights)!r} is not the one its card describes; restore it")
    done = replace(card, set=folder.name)
    if preprocessing is not None:
        done = sealed(replace(done, preprocessing=preprocessing))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    with whole_file(folder / f"{model}.safetensors", binary=True) as stream:
        stream.write(content)
    with whole_file(folder / f"{model}.json") as file:
        file.write(json.dumps(asdict(done), indent=1, ensure_ascii=False) + "\n")
    return done


def cards() -> list[Card]:
    """The cards of every shipped model."""
    return [read_card(name, path.stem) for name in set_names() for path in sorted((HOME / name).glob("*.json"))]


def verify() -> list[tuple[Card, bool]]:
    """Every shipped model with whether its file is there and still has the card's hash, and the card its settings."""
    files = ((card, HOME / card.set / f"{card.model}.safetensors") for card in cards())
    return [(card, not card.changed and _intact(path, card.sha256)) for card, path in files]


def _intact(path: Path, sha256: str) -> bool:
    try:
        return _hash(path) == sha256
    except OSError:  # missing or unreadable: as good as damaged
        return False
