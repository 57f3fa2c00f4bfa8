"""Average the weights of runs that started from one another, calibrate the mean, and write it with a card of its own.

    python tools/average_weights.py OUT DATA[,DATA...] WEIGHTS WEIGHTS...

`DATA` are the record folders that the runs were trained on (their held-out people calibrate and score the mean),
`WEIGHTS` folders with ``attributes.safetensors``. Averaging nearby solutions often carries over better to other
pictures than each of them (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from recipes.attributes import shipped  # noqa: E402

from omokage.attributes.data import Crops, split  # noqa: E402
from omokage.attributes.model import rebuilt  # noqa: E402
from omokage.attributes.sources import read_sources  # noqa: E402
from omokage.attributes.train import finish  # noqa: E402
from omokage.schema import AttributeSchema  # noqa: E402
from omokage.weights import registry  # noqa: E402


def main() -> None:
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    out, data, folders = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    torch.set_num_threads(1)
    loaded = [registry.load(folder, "attributes") for folder in folders]
    first, card = loaded[0]
    mean = {
        name: torch.stack([tensors[name] for tensors, _ in loaded]).mean(0) if tensor.is_floating_point() else tensor
        for name, tensor in first.items()
    }
    model = rebuilt(AttributeSchema.from_json(list(card.schema)), card.architecture).eval()
    model.load_state_dict(mean)
    command = f"python tools/average_weights.py OUT {data} {' '.join(folders)}; " + "; ".join(
        c.recipe for _, c in loaded
    )
    config = replace(
        shipped(data, str(out)), recipe=command, set=card.set, trained_on=card.trained_on,
        data_licence=card.licences["training_data"], limits=tuple(card.limits),
    )  # fmt: skip
    sources = read_sources(config.data.folders, config.schema, config.data.limit)
    validation = Crops(split(sources, config.data)[1], config.schema, config.network, config.data)
    for row in finish(config, model, validation, out).scores:
        print(row["measure"], row["value"], row["n"])


if __name__ == "__main__":
    main()
