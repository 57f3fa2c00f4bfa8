"""How well unseen people are rebuilt, against two copies that need no network; and pictures of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omokage.embeddings.loss import absolute_error
from omokage.embeddings.network import FabNet, as_pictures
from omokage.errors import OutputError
from omokage.metrics.bootstrap import interval


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """Mean absolute errors in 0..1 a channel, one an item (n,) of the identity `people`.

    Of the network, of the best source frame copied as it is (which knows the target: the strongest copy), and of the
    mean of the sources; and the share of the picture that no source explained.
    """

    people: NDArray[np.int64]
    network: NDArray[np.float64]
    best_source: NDArray[np.float64]
    mean_source: NDArray[np.float64]
    none: NDArray[np.float64]

    @property
    def error(self) -> float:
        return float(self.network.mean())

    def scores(self, where: str) -> list[Mapping[str, Any]]:
        """Rows for a card: the error with its interval and each copy as baseline."""
        low, high = interval(lambda e: float(e.mean()), self.network, groups=[str(p) for p in self.people])
        common = {"n": len(self.network), "set": where, "date": date.today().isoformat()}
        return [
            {
                "measure": f"reconstruction error, against {name}",
                "value": round(self.error, 5),
                "interval": [round(low, 5), round(high, 5)],
                "baseline": round(float(copied.mean()), 5),
                **common,
            }
            for name, copied in (
                ("copying the best source frame", self.best_source),
                ("copying the mean of the sources", self.mean_source),
            )
        ]


@torch.no_grad()
def reconstruction(model: FabNet, items: Iterable[tuple[Tensor, Tensor]]) -> Reconstruction:
    """Rebuild the first frame of every item from its others. `items` gives crops (b, n, size, size, 3) uint8 and
    identities, as `data.held_out_batches` does. The model is put into eval mode."""
    model.eval()
    device = next(model.parameters()).device
    rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    people: list[Tensor] = []
    for crops, identities in items:
        people.append(identities)
        crops = crops.to(device)
        rebuilt, pictures = model(crops, crops, 1), as_pictures(crops)
        target, sources = pictures[:, 0], pictures[:, 1:]
        copies = absolute_error(sources, target[:, None].expand_as(sources))
        mean = absolute_error(sources.mean(1), target)
        rows.append((absolute_error(rebuilt.pictures[:, 0], target), copies.min(1).values, mean, rebuilt.none[:, 0]))
    columns = (torch.cat(column).double().cpu().numpy() for column in zip(*rows, strict=True))
    return Reconstruction(torch.cat(people).numpy(), *columns)


@torch.no_grad()
def write_pictures(path: Path, model: FabNet, crops: Tensor) -> None:
    """A sheet, one row an item: its sources, the target, the reconstruction, and the weight of each source (and of
    none, where the masks can say so) in grey. Raises OutputError."""
    model.eval()
    crops = crops.to(next(model.parameters()).device)
    rebuilt = model(crops, crops, 1)
    made = (rebuilt.pictures[:, 0].movedim(1, -1).clamp(0, 1) * 255).round().byte()
    weights = (rebuilt.weights[:, 0].clamp(0, 1) * 255).round().byte()
    rows = []
    for k in range(len(crops)):
        frames = [*crops[k, 1:], crops[k, 0], made[k], *(w[..., None].expand(-1, -1, 3) for w in weights[k])]
        rows.append(torch.cat([frame.cpu() for frame in frames], 1))
    sheet = torch.cat(rows).numpy()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))[1].tobytes())
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write {path}: {reason}; free space or choose another out=") from error
