"""What a network says of many pictures, beside what is true of them: the ground that calibration and scores stand
on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from omokage.attributes.data import Crops, whole_batches
from omokage.attributes.model import AttributeNetwork, Located, Outputs
from omokage.nn.pictures import normalise


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Outputs and targets (n rows, NaN where unknown) of the same pictures, and whose they are."""

    outputs: Outputs
    targets: Mapping[str, Tensor]
    people: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.people)

    def where(self, keep: Tensor) -> Readings:
        """The rows where `keep` (n,) is True."""
        people = tuple(p for p, k in zip(self.people, keep.tolist(), strict=True) if k)
        return Readings(each(self.outputs, lambda t: t[keep]), {n: t[keep] for n, t in self.targets.items()}, people)


def each(outputs: Outputs, change: Callable[[Tensor], Tensor]) -> Outputs:
    """The same outputs with every tensor changed."""

    def located(group: Mapping[str, Located]) -> dict[str, Located]:
        return {name: Located(change(v.value), change(v.log_sigma)) for name, v in group.items()}

    def plain(group: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: change(v) for name, v in group.items()}

    return Outputs(
        points=located(outputs.points),
        rotations=located(outputs.rotations),
        vectors=located(outputs.vectors),
        bins=plain(outputs.bins),
        classes=plain(outputs.classes),
        shares=plain(outputs.shares),
    )


@torch.inference_mode()
def read(model: AttributeNetwork, crops: Crops, limit: int = 0, changed: bool = False) -> Readings:
    """Run the model over every picture (or about `limit` of them) of the crops' sources, cut exactly or `changed`."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    raw: dict[str, list[Tensor]] = {a.name: [] for a in model.schema}
    flat: list[Tensor] = []
    for images, targets in whole_batches(crops, changed):
        for name, values in model(normalise(images.to(device))).items():
            raw[name].append(values.float().cpu())
        flat.append(targets)
        if limit and sum(map(len, flat)) >= limit:
            break
    model.train(was_training)
    if not flat:
        raise ValueError("no pictures to read")
    decoded = model.cpu().decode({name: torch.cat(parts) for name, parts in raw.items()})
    model.to(device)
    everything = torch.cat(flat)
    people = tuple(p for s in crops.sources for p in s.people)[: len(everything)]
    return Readings(decoded, crops.layout.unpack(everything), people)
