"""What a network answers when nothing that matters changes: the same crops mirrored and shifted, without any label."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.attributes.model import AttributeNetwork, bin_centres
from omokage.nn.pictures import normalise

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


def inputs_of(model: AttributeNetwork, crops: Image) -> Tensor:
    """What a network reads of crops (n, size, size, 3)."""
    return normalise(torch.from_numpy(np.ascontiguousarray(crops)).to(next(model.parameters()).device))


@torch.inference_mode()
def answers(model: AttributeNetwork, crops: Image, batch: int = 64) -> Floats:
    """What must not depend on the view: (views, n, answers) of each crop as it is, mirrored, and shifted two ways.

    Log odds of classes and means of ranges, `quality` excepted.
    """
    parts = []
    for start in range(0, len(crops), batch):
        x = inputs_of(model, crops[start : start + batch])
        padded = nn.functional.pad(x, (4, 4, 4, 4), mode="replicate")
        size = x.shape[-1]
        shifted = [padded[..., 4 + dy : 4 + dy + size, 4 + dx : 4 + dx + size] for dx, dy in ((3, -2), (-3, 2))]
        parts.append(torch.stack([plain(model, v) for v in (x, x.flip(3), *shifted)]))
    return torch.cat(parts, 1).double().cpu().numpy()


def plain(model: AttributeNetwork, inputs: Tensor) -> Tensor:
    """The numbers (n, answers) that `answers` looks at, of prepared inputs."""
    out = model.decode(model(inputs))
    rows = [logits[:, None] for name, logits in out.shares.items() if name != "quality"]
    rows += [logits - logits.mean(1, keepdim=True) for logits in out.classes.values()]
    for name, logits in out.bins.items():
        rows.append((torch.softmax(logits, 1) @ bin_centres(model.schema[name], logits.device))[:, None])
    return torch.cat(rows, 1)


def unsteadiness(said: Floats) -> float:
    """The share (0..1) of the variation of answers (views, n, k) that is between views of one picture, mean over k.

    Scaling all answers down does not lower it: what tells pictures apart shrinks as well.
    """
    views = said.shape[0]
    within = said.var(0, ddof=1).mean(0)
    between = np.maximum(said.mean(0).var(0, ddof=1) - within / views, 0)
    return float(np.mean(within / np.maximum(within + between, 1e-12)))
