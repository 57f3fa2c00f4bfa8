"""ONNX export of the network with the answers of the PyTorch one; needs the extra ``onnx``.

Input ``images``: uint8 (b, size, size, 3), RGB crops. Outputs: the raw numbers of each attribute (b, width), named
after it; the card beside the file says what they mean and how they are calibrated.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from omokage.attributes.model import AttributeNetwork, rebuilt
from omokage.errors import MissingExtraError
from omokage.media.files import output_error
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.schema import AttributeSchema
from omokage.weights import registry


class _FromBytes(nn.Module):
    """The network with its normalisation inside, answers in schema order."""

    def __init__(self, model: AttributeNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        raw = self.model(normalise(images))
        return tuple(raw[a.name] for a in self.model.schema)


def export_onnx(weights: str | Path, out: Path) -> Path:
    """Write `out` (.onnx) and its card (.json). Raises MissingExtraError, WeightsError, OutputError."""
    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError("exporting to ONNX", "onnx")
    tensors, card = registry.load(weights, "attributes")
    model = rebuilt(AttributeSchema.from_json(list(card.schema)), card.architecture)
    model.load_state_dict(tensors)
    size = int(card.preprocessing["size"])
    names = [a.name for a in model.schema]
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():  # the tracing exporter is deprecated, but ten times faster for this network
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _FromBytes(folded(model)), (example,), str(out), input_names=["images"], output_names=names,
                dynamic_axes={n: {0: "batch"} for n in ("images", *names)}, opset_version=17, dynamo=False,
            )  # fmt: skip
        out.with_suffix(".json").write_text(
            json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise output_error(out, error) from error
    return out
