"""The network: one trunk that all attributes share, one sub-network per category, a head for each attribute's form.

Deep multi-task learning after Han et al. (TPAMI 2018): categories are kind x scope (and region, where local). Unlike
the paper's, a sub-network sees every cell of the trunk's map through a 1x1 convolution instead of a pooled vector: with
pooling alone nothing but geometry was learnt from rendered heads. All operations are modules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from omokage.attributes.branches import OwnStage, SharedReadout, last_stage
from omokage.attributes.config import NetworkConfig, bin_count, form
from omokage.attributes.paper import AlexTrunk
from omokage.attributes.refine import PointRefiner
from omokage.nn.blocks import ConvUnit, DenseUnit
from omokage.nn.trunk import ResidualTrunk
from omokage.schema import Attribute, AttributeSchema

_VECTOR_SCALE = {"gaze": 30.0}  # what 1 stands for in the head's output


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A value and the natural log of its expected absolute error, both in the value's own unit."""

    value: Tensor
    log_sigma: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Everything read off a batch (b), by attribute name; an attribute is in exactly one mapping.

    `points`: (b, 68, 2) in -1..1 across the crop, with a spread for each point (b, 68). `rotations`: head matrices (b,
    3, 3), with the spread of yaw, pitch and roll in degrees (b, 3). `vectors`: (b, size), with spreads. `bins`: logits
    (b, bins) over the equal steps of the attribute's range. `classes`: logits (b, classes). `shares`: logits (b,) of
    "yes", or of the second class.
    """

    points: Mapping[str, Located]
    rotations: Mapping[str, Located]
    vectors: Mapping[str, Located]
    bins: Mapping[str, Tensor]
    classes: Mapping[str, Tensor]
    shares: Mapping[str, Tensor]

    @property
    def located(self) -> dict[str, Located]:
        """Points, rotations and vectors: everything that has a value and a spread."""
        return {**self.points, **self.rotations, **self.vectors}


def head_width(attribute: Attribute, ordinal: str = "distribution") -> int:
    """How many numbers the head of an attribute gives."""
    kind = form(attribute)
    if kind == "points":
        return attribute.size + attribute.size // 2
    if kind == "rotation":
        return 6 + 3
    if kind == "vector":
        return 2 * attribute.size if attribute.name == "gaze" else attribute.size
    if kind == "bins":
        return {"distribution": bin_count(attribute), "squared": 1, "coral": 1}[ordinal]
    return len(attribute.classes) if kind == "classes" else 1


def spread_columns(attribute: Attribute) -> slice | None:
    """Which of an attribute's raw numbers are the logs of its spreads; None where it has none of its own."""
    first = {"points": attribute.size, "rotation": 6, "vector": attribute.size}.get(form(attribute))
    last = head_width(attribute)
    return slice(first, last) if first is not None and first < last else None


class SubNetwork(nn.Module):
    """One category: 1x1 convolution, the flattened map, a dense layer (if `hidden`), then all heads."""

    def __init__(self, width_in: int, cells: int, squeeze: int, hidden: int, width_out: int, dropout: float) -> None:
        super().__init__()
        self.squeeze = ConvUnit(width_in, squeeze, 1)
        self.flatten = nn.Flatten()
        self.dense: nn.Module = DenseUnit(squeeze * cells, hidden, dropout) if hidden else nn.Identity()
        self.heads = nn.Linear(hidden or squeeze * cells, width_out)

    def hidden(self, features: Tensor) -> Tensor:
        """What the heads read (b, hidden)."""
        out: Tensor = self.dense(self.flatten(self.squeeze(features)))
        return out

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.heads(self.hidden(features))
        return out


class AttributeNetwork(nn.Module):
    """Built from a schema. `forward` gives the raw numbers of each attribute (b, width); `decode` gives them meaning.

    Input: RGB (b, 3, size, size), each channel (value - 127.5) / 127.5. `ordinal` is the loss's choice of how ordinal
    attributes are read ("distribution", "squared" or "coral"). Raises ValueError for an unknown trunk or arrangement.
    """

    def __init__(self, schema: AttributeSchema, network: NetworkConfig, ordinal: str = "distribution") -> None:
        super().__init__()
        self.schema, self.network, self.ordinal = schema, network, ordinal
        self.precision: torch.dtype | None = None  # of the trunk while training; None = float32
        self.trunk = build_trunk(network)
        cells = (network.size // int(self.trunk.stride)) ** 2  # type: ignore[arg-type]
        if network.arrangement == "categories":
            members = {name: [a.name for a in group] for name, group in schema.categories().items()}
        elif network.arrangement == "shared":
            members = {"all": [a.name for a in schema]}
        else:
            raise ValueError(f"no such arrangement: {network.arrangement!r}")
        self.members = members
        self.widths = {a.name: head_width(a, ordinal) for a in schema}
        self.categories = nn.ModuleDict()
        for name, names in members.items():
            self.categories[name] = self._branch(name, names, cells)
        self.refiner = self._point_refiner()
        if ordinal == "coral":
            steps = {a.name: torch.linspace(-3, 3, bin_count(a) - 1) for a in schema if form(a) == "bins"}
            self.thresholds = nn.ParameterDict({name: nn.Parameter(t) for name, t in steps.items()})

    def _branch(self, category: str, names: list[str], cells: int) -> nn.Module:
        """The sub-network of a category, in one of the forms of `NetworkConfig.branches`."""
        wish = self.network.branches.get(category, {})
        if wish.get("donors"):
            width = sum(self.categories[donor].heads.in_features for donor in wish["donors"])  # type: ignore[misc, union-attr]
            return SharedReadout(wish["donors"], width, sum(self.widths[name] for name in names))
        reader = self._sub_network(names, cells)
        if not wish.get("stage"):
            return reader
        return OwnStage(last_stage(self.trunk), reader)

    def _sub_network(self, names: list[str], cells: int) -> SubNetwork:
        points = "landmarks" in names
        squeeze = self.network.points_squeeze if points else self.network.squeeze
        hidden = self.network.points_hidden if points else self.network.hidden
        width = sum(self.widths[name] for name in names)
        return SubNetwork(int(self.trunk.width_out), cells, squeeze, hidden, width, self.network.dropout)  # type: ignore[arg-type]

    def _point_refiner(self) -> PointRefiner | None:
        """What corrects the landmarks, where the configuration wants it and there are landmarks."""
        channels = self.network.points_refine
        if not channels or "landmarks" not in self.widths:
            return None
        if not isinstance(self.trunk, ResidualTrunk) or self.network.size % self.trunk.stride:
            raise ValueError(f"points_refine needs the residual trunk and a size that {self.trunk.stride} divides")
        return PointRefiner(self.trunk.widths, self.schema["landmarks"].size // 2, channels)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Raw numbers (b, width) by attribute name."""
        reduced = self.precision if self.training else None
        maps = self._maps(images) if reduced is None else self._reduced(images, reduced)
        raw: dict[str, Tensor] = {}
        hidden: dict[str, Tensor] = {}
        for category, names in self.members.items():
            out = self._out(self.categories[category], category, maps, hidden)
            raw.update(zip(names, torch.split(out, [self.widths[n] for n in names], 1), strict=True))
        if self.refiner is not None:
            raw["landmarks"] = self._refined(maps, raw["landmarks"])
        return raw

    @staticmethod
    def _out(part: nn.Module, category: str, maps: list[Tensor], hidden: dict[str, Tensor]) -> Tensor:
        """The raw numbers of a sub-network; notes in `hidden` what later ones may read."""
        if isinstance(part, SharedReadout):
            out: Tensor = part(torch.cat([hidden[donor] for donor in part.donors], 1))
        elif isinstance(part, OwnStage):
            out = part(maps[-2])
        else:
            assert isinstance(part, SubNetwork)
            hidden[category] = part.hidden(maps[-1])
            out = part.heads(hidden[category])
        return out

    def _maps(self, images: Tensor) -> list[Tensor]:
        """What the trunk sees: the last map, after the finer ones where these are needed."""
        finer = self.refiner is not None or any(isinstance(part, OwnStage) for part in self.categories.values())
        if not finer or not isinstance(self.trunk, ResidualTrunk):
            return [self.trunk(images)]
        return self.trunk.stages(images)

    def _reduced(self, images: Tensor, precision: torch.dtype) -> list[Tensor]:
        """The trunk's maps with multiplications in `precision`; the sub-networks stay in float32, landmarks need it."""
        with torch.autocast(images.device.type, precision):
            maps = self._maps(images)
        return [features.float() for features in maps]

    def _refined(self, maps: list[Tensor], guess: Tensor) -> Tensor:
        """Raw landmarks (b, 204), coordinates then spreads, corrected."""
        assert self.refiner is not None
        count = guess.shape[1] // 3
        moves: Tensor = self.refiner(maps, guess[:, : 2 * count].reshape(-1, count, 2))
        return guess + torch.cat([moves[..., :2].flatten(1), moves[..., 2]], 1)

    def decode(self, raw: Mapping[str, Tensor]) -> Outputs:
        """The raw numbers as places, rotations, vectors, distributions, classes and shares."""
        out = Outputs({}, {}, {}, {}, {}, {})
        for attribute in self.schema:
            self._decode_one(attribute, raw[attribute.name], out)
        return out

    def _decode_one(self, attribute: Attribute, raw: Tensor, out: Outputs) -> None:
        name, kind = attribute.name, form(attribute)
        if kind == "points":
            count = attribute.size
            points, spread = raw[:, :count].reshape(-1, count // 2, 2), raw[:, count:] - 3
            out.points[name] = Located(points, spread)  # type: ignore[index]
        elif kind == "rotation":
            out.rotations[name] = Located(rotation_of_six(raw[:, :6]), raw[:, 6:] + 1)  # type: ignore[index]
        elif kind == "vector":
            scale = _VECTOR_SCALE.get(name, 1.0)
            size = attribute.size
            spread = raw[:, size:] + 1 if raw.shape[1] > size else torch.zeros_like(raw)
            out.vectors[name] = Located(raw[:, :size] * scale, spread)  # type: ignore[index]
        elif kind == "bins":
            out.bins[name] = self._bin_logits(attribute, raw)  # type: ignore[index]
        elif kind == "classes":
            out.classes[name] = raw  # type: ignore[index]
        else:
            out.shares[name] = raw[:, 0]  # type: ignore[index]

    def _bin_logits(self, attribute: Attribute, raw: Tensor) -> Tensor:
        """Log probabilities of bins from a softmax's logits, a number with a fixed spread, or cumulative links."""
        if self.ordinal == "distribution":
            return raw
        if self.ordinal == "squared":  # the raw number is the position in the range, 0..1
            steps = torch.linspace(0, 1, bin_count(attribute), device=raw.device)
            return -(((steps - raw) / 0.06) ** 2) / 2
        above = torch.sigmoid(raw + self.thresholds[attribute.name].flip(0))
        edges = torch.cat([torch.ones_like(raw), above, torch.zeros_like(raw)], 1)
        return torch.log((edges[:, :-1] - edges[:, 1:]).clamp(min=1e-6))


def build_trunk(network: NetworkConfig) -> nn.Module:
    """The trunk of a configuration. Raises ValueError for a name that nobody knows."""
    if network.trunk == "residual":
        return ResidualTrunk(network.stem, network.widths, network.blocks)
    if network.trunk == "alexnet":
        return AlexTrunk(network.size, network.stem, network.widths, network.dense, network.dropout)
    raise ValueError(f"no such trunk: {network.trunk!r}")


def rotation_of_six(six: Tensor) -> Tensor:
    """The nearest rotation (b, 3, 3) to two columns (b, 6), by Gram-Schmidt (Zhou et al., CVPR 2019)."""
    first = nn.functional.normalize(six[:, :3] + torch.tensor([1e-4, 0, 0], device=six.device), dim=1)
    other = six[:, 3:] + torch.tensor([0, 1e-4, 0], device=six.device)
    second = nn.functional.normalize(other - (first * other).sum(1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], 2)


def pose_of_rotation(rotation: Tensor) -> Tensor:
    """Yaw, pitch, roll (b, 3) in degrees of head matrices (b, 3, 3), as `data.rotation.pose_of_matrix`."""
    yaw = torch.atan2(rotation[:, 0, 2], rotation[:, 2, 2])
    pitch = torch.asin(rotation[:, 1, 2].clamp(-1, 1))
    roll = torch.atan2(-rotation[:, 1, 0], rotation[:, 1, 1])
    return torch.stack([yaw, pitch, roll], 1) * (180 / math.pi)


def bin_centres(attribute: Attribute, device: torch.device | None = None) -> Tensor:
    """The values (bins,) that an ordinal attribute's bins stand for."""
    return torch.linspace(attribute.low, attribute.high, bin_count(attribute), device=device)


def architecture(model: AttributeNetwork) -> dict[str, Any]:
    """The arguments that rebuild a model, for its card."""
    return {"network": asdict(model.network), "ordinal": model.ordinal}


def rebuilt(schema: AttributeSchema, arguments: Mapping[str, Any]) -> AttributeNetwork:
    """The model that `architecture` described."""
    network: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments["network"].items()}
    return AttributeNetwork(schema, NetworkConfig(**network), arguments["ordinal"])
