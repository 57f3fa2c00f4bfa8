"""Everything that one training run of the attributes room can choose, as frozen data that goes into its run folder.

`forms` says how each attribute of a schema is read by a head: the link between `schema`, `model`, `loss` and `data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from omokage.data.photometry import Photometry
from omokage.data.transforms import Geometry
from omokage.errors import TrainingError
from omokage.nn.stages import check_stages
from omokage.schema import SHIPPED, Attribute, AttributeSchema

# points: places with a spread each; rotation: a head's matrix; vector: plain numbers; bins: a distribution over an
# ordered range;
# classes: one of several; share: one probability (yes/no, perceived gender, quality).
Form = Literal["points", "rotation", "vector", "bins", "classes", "share"]


def form(attribute: Attribute) -> Form:
    """How an attribute is read. Geometry goes by name, everything else by kind."""
    if attribute.name == "landmarks":
        return "points"
    if attribute.name == "pose":
        return "rotation"
    if attribute.name == "quality":
        return "share"
    if attribute.kind == "continuous":
        return "vector"
    if attribute.kind == "ordinal":
        return "bins"
    return "share" if len(attribute.classes) == 2 else "classes"


def bin_count(attribute: Attribute) -> int:
    """Bins of an ordinal attribute: one a year for age, else 21."""
    return int(attribute.high - attribute.low) + 1 if attribute.unit == "years" else 21


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network. `arrangement` is the paper's idea ("categories": one sub-network each) or, for comparison, one
    "shared" head."""

    size: int = 112
    margin: float = 1.3  # crop side over the larger side of the box (brows to chin plus a tenth)
    trunk: Literal["residual", "alexnet"] = "residual"
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (2, 2, 2)
    squeeze: int = 40  # channels of the map that a sub-network sees, every cell of it
    hidden: int = 160
    dense: tuple[int, ...] = ()  # widths of the fully connected layers that end the "alexnet" trunk
    points_squeeze: int = 64
    points_hidden: int = 0  # 0: landmarks and units are read straight off the map (10 % less error than 256 early on)
    points_refine: int = 0  # channels of the map on which landmarks are corrected after a first guess; 0: they are not
    dropout: float = 0.1
    arrangement: Literal["categories", "shared"] = "categories"
    # Attributes learnt later, by category: {"donors": [...]} reads what other sub-networks make of the map, {"stage":
    # true} has the trunk's last stage for itself, {} only the usual layers.
    branches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def check(self) -> None:
        """Raises TrainingError where size, widths and blocks do not go together."""
        if self.trunk == "residual":
            check_stages("network", self.size, self.widths, self.blocks)
        elif len(self.widths) != 4 or not self.dense or self.size < 32:
            raise TrainingError(
                "the alexnet trunk needs four network.widths, network.dense layers and a network.size of 32 or more, "
                f"not {len(self.widths)}, {len(self.dense)} and {self.size}"
            )


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Losses by form, a weight per attribute and per category. `paper` = squared error for ordinal, cross-entropy for
    nominal."""

    ordinal: Literal["distribution", "squared", "coral"] = "distribution"
    age_spread: float = 3.0  # years: standard deviation of the label distribution
    other_spread: float = 0.05  # of the range, for the other ordinal attributes
    balance: Literal["fixed", "learned"] = "fixed"
    forms: Mapping[str, float] = field(
        default_factory=lambda: {
            "points": 14.0,
            "rotation": 1.2,
            "vector": 24.0,
            "bins": 0.35,
            "classes": 0.7,
            "share": 0.35,
        }
    )
    attributes: Mapping[str, float] = field(
        default_factory=lambda: {"perceived_gender": 1.2, "age": 0.7, "smiling": 0.6, "eyeglasses": 0.5, "quality": 1.0}
    )
    categories: Mapping[str, float] = field(default_factory=dict)  # lambda^g of the paper; absent = 1
    classes: Mapping[str, float] = field(default_factory=dict)  # how much a class counts, by its name; absent = 1
    spread: float = 0.1  # weight of learning how large the own error is


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Record folders and how they are mixed, split, cropped and changed."""

    folders: tuple[str, ...] = ()
    repeats: tuple[float, ...] = ()  # how often each folder counts in an epoch; empty = once each
    photographs: float = 0.0  # the part of all crops that comes from folders of photographs; 0 = by size
    balance: float = 0.0  # 0: photographs as they come, 1: all groups (race, gender, age bin) of a folder equally often
    held_out: float = 0.08  # share of the people of each folder
    split_seed: int = 0
    limit: int = 0  # at most so many pictures a folder, 0 = all
    limits: tuple[int, ...] = ()  # instead: of each folder so many, picked by their person's name and `split_seed`
    teachers: tuple[str, ...] = ()  # weights whose mean answer fills the labels that training photographs lack
    negatives: float = 0.1  # share of crops without a well-placed face
    geometry: Geometry = field(default_factory=Geometry)
    photometry: Photometry = field(default_factory=Photometry)
    workers: int = 1


@dataclass(frozen=True, slots=True)
class AttributesConfig:
    """One run. Length is `steps`, or `minutes` of wall time when that is above 0."""

    out: str
    schema: AttributeSchema = SHIPPED
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    data: DataConfig = DataConfig()
    seed: int = 0
    steps: int = 20_000
    minutes: float = 0.0
    batch: int = 32
    rate: float = 2.5e-3
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: float = 0.9  # of "sgd"
    decay: float = 0.02
    warmup: int = 200  # steps
    clip: float = 5.0
    average: float = 0.998  # of the moving average of the weights, per step
    threads: int = 1
    device: str = "auto"
    precision: Literal["auto", "full", "bfloat16"] = "auto"  # of the trunk while training
    log_every: int = 100
    check_every: int = 2_000  # steps between looks at held-out people, 0 = never before the end
    save_every: int = 500
    init: str = ""  # weights folder to start from
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered heads"
    data_licence: str = "CC0 geometry, rendered by this project"
    weights_licence: str = "Apache-2.0"
    limits: tuple[str, ...] = (
        "Calibrated on rendered people: intervals are too narrow on photographs that differ from them.",
        "Sigmas of landmarks and angles are too small on photographs; omokage evaluate tells how many errors stay "
        "below them.",
        "Perceived gender is what raters would say of the picture; never use it to decide anything about a person.",
        "Weak on photographs: negative expressions, which are taken for one another and for faces at rest, age and "
        "perceived gender. Reports and terminal call weak answers unsure; tables hold their probabilities.",
    )

    def __post_init__(self) -> None:
        if not self.data.folders:
            raise TrainingError(
                "the run has no training data: give at least one record folder, for example data=['out/records']"
            )
        if self.data.repeats and len(self.data.repeats) != len(self.data.folders):
            raise TrainingError(
                f"{len(self.data.folders)} record folders but {len(self.data.repeats)} repeats: give one each"
            )
        if self.data.limits and len(self.data.limits) != len(self.data.folders):
            raise TrainingError(
                f"{len(self.data.folders)} record folders but {len(self.data.limits)} limits: give one each"
            )
        if not 0 <= self.data.photographs < 1:
            raise TrainingError(f"the part of photographs must be from 0 to below 1, not {self.data.photographs}")
        if self.batch < 2:
            raise TrainingError(f"a batch needs at least 2 pictures for batch norm, not {self.batch}")

    def check(self) -> None:
        """Raises TrainingError for names that nothing is called by, and where a form of the schema has no weight."""
        both, categories = (*self.schema, *SHIPPED), {*self.schema.categories(), *SHIPPED.categories()}
        known: Mapping[str, tuple[Mapping[str, Any], set[str]]] = {
            "loss.forms": (self.loss.forms, set(get_args(Form))),
            "loss.attributes": (self.loss.attributes, {a.name for a in both}),
            "loss.categories": (self.loss.categories, categories),
            "loss.classes": (self.loss.classes, {name for a in both for name in a.classes}),
            "network.branches": (self.network.branches, categories),
        }
        for place, (given, names) in known.items():
            if unknown := sorted(set(given) - names):
                raise TrainingError(f"{place} names {unknown[0]!r}: there are {', '.join(sorted(names))}")
        if missing := sorted({form(a) for a in self.schema} - set(self.loss.forms)):
            raise TrainingError(f"loss.forms has no weight of {missing[0]!r}, which the attributes need: add it")
