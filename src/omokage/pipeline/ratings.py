"""Rated impressions of photographs on networks for age and gender, as Arbabzadah et al. (GCPR 2016) set it up.

Two base networks, two depths (dense layers only, or everything), one rating at a time; people held out; mean absolute
error and rank correlation beside a mean predictor and a linear model on landmarks. The result is a table, not a weight
file: ``omokage adapt`` makes those.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.attributes.model import AttributeNetwork, SubNetwork
from omokage.attributes.predict import AttributePredictor
from omokage.data.datasets import read_dataset
from omokage.errors import InputError
from omokage.explain.adapt import Learnt, Plan, best_fit, trivial
from omokage.explain.labels import Label
from omokage.explain.scores import Score, scores
from omokage.explain.tuning import Tuning, fine_tuned, read_views
from omokage.media.files import whole_file
from omokage.nn.pictures import normalise
from omokage.nn.probe import inner_folds
from omokage.pipeline.adapt_features import Faces, read_faces_of
from omokage.pipeline.analyzer import Analyzer
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of

Floats = NDArray[np.float64]
MODES = ("dense", "full")


@dataclass(frozen=True, slots=True)
class RatingsConfig:
    """One table. `bases` are ``attribute=weights``: the network whose features for that attribute are the start."""

    data: str
    dataset: str = "us_adult_faces"
    ratings: tuple[str, ...] = ("attractive", "happy", "confident", "intelligent")
    bases: tuple[str, ...] = ("age=runs/arbabzadah-age/weights", "perceived_gender=runs/arbabzadah-gender/weights")
    modes: tuple[str, ...] = MODES
    out: str = "runs/arbabzadah"
    finder: str = "open"  # the set that finds the faces and places the landmarks
    crops: bool = False
    folds: int = 5
    limit: int = 0  # pictures, 0: all
    dense: Tuning = field(default_factory=Tuning)
    full: Tuning = field(default_factory=lambda: Tuning(rate=2e-4, most=800))
    recipe: str = ""


class FromBytes(nn.Module):
    """A trunk and a sub-network that read RGB bytes (b, n, n, 3)."""

    def __init__(self, trunk: nn.Module, reader: SubNetwork) -> None:
        super().__init__()
        self.trunk, self.reader = trunk, reader

    def forward(self, pictures: Tensor) -> Tensor:
        out: Tensor = self.reader(self.trunk(normalise(pictures)))
        return out


def train(config: RatingsConfig) -> Path:
    """Measure every rating with every base and mode; returns the table ``ratings.json`` in the run folder. Raises
    InputError for unknown ratings, bases or modes."""
    check_ranges(config)
    unknown = [mode for mode in config.modes if mode not in MODES]
    if unknown:
        raise InputError(f"no depth called {unknown[0]!r}; choose {', '.join(MODES)}")
    bases = {name: _base(name, weights) for name, _, weights in (b.partition("=") for b in config.bases)}
    run = RunFolder(config.out)
    faces, people, labels = _read(config)
    found: list[dict[str, object]] = []
    for label in labels:
        learnt = measured(label, faces, people, bases, config)
        for s in scores(learnt):
            found.append({"rating": label.name, **asdict(s)})
            run.log(**found[-1])
    table = {
        "scores": found, "pictures": len(faces.crops), "commit": commit_of(), "date": date.today().isoformat(),
        "recipe": config.recipe, "note": "rated impressions of photographs, never traits of the people in them",
    }  # fmt: skip
    with whole_file(run.path / "ratings.json") as file:
        file.write(json.dumps(table, indent=1) + "\n")
    return run.path / "ratings.json"


def _base(name: str, weights: str) -> tuple[AttributeNetwork, str]:
    """The network of a base and the category of its attribute. Raises InputError, WeightsError."""
    if not weights:
        raise InputError(f"--set bases: {name!r} is not attribute=weights, for example age=open")
    model = AttributePredictor(weights).model
    if name not in model.schema:
        raise InputError(f"the weights {weights} do not answer {name!r}; they answer {', '.join(model.widths)}")
    return model, next(c for c, names in model.members.items() if name in names)


def _read(config: RatingsConfig) -> tuple[Faces, list[str], list[Label]]:
    """Faces, whom each shows, and a label for each rating."""
    analyzer = Analyzer(config.finder)
    rows: list[tuple[str, dict[str, float]]] = []
    pictures: list[bytes] = []
    for record in read_dataset(config.dataset, Path(config.data), "all"):
        if config.limit and len(rows) >= config.limit:
            break
        rows.append((record.person, json.loads(record.labels.get("ratings") or "{}")))
        pictures.append(record.image)
    known = {name for _, ratings in rows for name in ratings}
    missing = [name for name in config.ratings if name not in known]
    if missing:
        raise InputError(f"{config.dataset} has no rating {missing[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    faces = read_faces_of(analyzer, pictures, config.crops)
    kept = [rows[k] for k in faces.kept]
    labels = []
    for name in config.ratings:
        at = np.array([k for k, (_, ratings) in enumerate(kept) if name in ratings], np.int64)
        values = np.array([kept[k][1][name] for k in at])
        labels.append(Label(name, "ordinal", at, values, low=float(values.min()), high=float(values.max())))
    return faces, [person for person, _ in kept], labels


def measured(
    label: Label, faces: Faces, people: Sequence[str], bases: dict[str, tuple[AttributeNetwork, str]],
    config: RatingsConfig,
) -> Learnt:  # fmt: skip
    """Answers of every method about people who were held out."""
    own = [people[k] for k in label.rows]
    fold = inner_folds(len(label), own, None, config.folds, 0)
    shapes = {"landmarks": faces.landmarks.reshape(len(faces.landmarks), -1)}
    both = torch.from_numpy(np.stack([faces.crops, faces.crops[:, :, ::-1]], 1))
    answers: dict[str, Floats] = {}
    sizes: dict[str, list[int]] = {}
    every = np.arange(len(label))
    for k in range(int(fold.max()) + 1):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        for name, said in _methods(label, shapes, both, people, bases, config, inside, outside):
            answers.setdefault(name, np.zeros((len(label), 1)))[outside] = said
            sizes.setdefault(name, []).append(len(inside))
    fit = best_fit(shapes, label, every, people, Plan())
    seen = {name: float(np.mean(counts)) for name, counts in sizes.items()}
    return Learnt(label, tuple(own), answers, seen, fit, False, 0, fold)


def _methods(
    label: Label, shapes: dict[str, Floats], both: Tensor, people: Sequence[str],
    bases: dict[str, tuple[AttributeNetwork, str]], config: RatingsConfig, inside: NDArray[np.int64],
    outside: NDArray[np.int64],
) -> Iterator[tuple[str, Floats]]:  # fmt: skip
    """Name and answers (n, 1) about the labels `outside` of every method that learnt the labels `inside`."""
    yield "trivial", np.tile(trivial(label, inside), (len(outside), 1))
    yield "landmarks", best_fit(shapes, label, inside, people, Plan()).answer(shapes, label.rows[outside])
    centre, spread = float(label.values[inside].mean()), max(float(label.values[inside].std()), 1e-9)
    targets = torch.from_numpy((label.values[inside] - centre) / spread).float()[:, None]
    seen, asked = (both[torch.from_numpy(label.rows[part])] for part in (inside, outside))
    for base, (model, category) in bases.items():
        for mode in config.modes:
            reader = copy.deepcopy(model.categories[category])
            assert isinstance(reader, SubNetwork)
            reader.heads = nn.Linear(reader.heads.in_features, 1)
            nn.init.zeros_(reader.heads.weight)
            nn.init.zeros_(reader.heads.bias)
            network = FromBytes(copy.deepcopy(model.trunk), reader).to(next(model.parameters()).device)
            if mode == "dense":
                network = FromBytes(_Still(network.trunk), reader)
            done = fine_tuned(network, seen, targets, config.dense if mode == "dense" else config.full)
            yield f"{base}, {mode}", read_views(done, asked).double().numpy() * spread + centre


class _Still(nn.Module):
    """A trunk that does not learn: no gradient reaches its weights."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.inner = (trunk,)  # hidden from `parameters`

    def forward(self, pictures: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = self.inner[0](pictures)
        return out


__all__ = ["RatingsConfig", "Score", "measured", "train"]
