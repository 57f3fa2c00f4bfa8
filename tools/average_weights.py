"""Average the weights of runs that started from one another, calibrate the mean, and write it with a card of its own.

    python tools/average_weights.py OUT DATA[,DATA...] WEIGHTS...
    python tools/average_weights.py --model finder OUT DATA[,DATA...] WEIGHTS...
    python tools/average_weights.py --model comparison --still FOLDER --controlled FOLDER OUT DATA[,DATA...] WEIGHTS...
    python tools/average_weights.py --model verification --beside WEIGHTS OUT DATA[,DATA...] WEIGHTS...

`DATA` are the record folders that the runs were trained on (their held-out people calibrate and score the mean),
`WEIGHTS` folders or sets with the weights of that model. `--still` are rendered pairs between which only the day
differs, `--controlled` visits with the head held and lit alike (the comparison's false calls are calibrated on them
all). Averaging nearby solutions
often carries over better to other pictures than each of them (Wortsman et al., "Model soups", ICML 2022). A single one
keeps its weights and is calibrated anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from omokage.attributes.data import Crops, split
from omokage.attributes.model import rebuilt
from omokage.attributes.sources import read_sources
from omokage.attributes.train import finish
from omokage.comparison import model as comparison
from omokage.comparison import train as compared
from omokage.comparison.verification import model as verification
from omokage.comparison.verification import train as verified
from omokage.faces.config import ARCHITECTURE
from omokage.faces.network import FinderNet
from omokage.faces.publish import publish
from omokage.pipeline.recipes import find_recipe
from omokage.schema import AttributeSchema
from omokage.weights import registry
from omokage.weights.registry import Card

Loaded = tuple[Mapping[str, Tensor], Card]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("weights", nargs="+", metavar="WEIGHTS")
    parser.add_argument("--model", choices=("attributes", "finder", "comparison", "verification"), default="attributes")
    parser.add_argument("--still", default="")
    parser.add_argument("--controlled", default="")
    parser.add_argument("--beside", default="", help="weights of the comparison network that will be there as well")
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = [registry.load(folder, given.model) for folder in given.weights]
    words = ["OUT" if Path(word) == given.out else word for word in sys.argv[1:]]
    command = f"python tools/average_weights.py {' '.join(words)}; " + "; ".join(c.recipe for _, c in loaded)
    if given.model == "finder":
        rows = publish_finder(loaded, given.out, given.data, command)
    elif given.model == "comparison":
        rows = publish_comparison(loaded, given.out, given.data, given.still, given.controlled, command)
    elif given.model == "verification":
        rows = publish_verification(loaded, given.out, given.data, given.still, given.beside, command)
    else:
        rows = publish_attributes(loaded, given.out, given.data, command)
    for row in rows:
        print(row["measure"], row["value"], row["n"])


def mean_of(loaded: Sequence[tuple[Mapping[str, Tensor], Card]]) -> dict[str, Tensor]:
    """The mean of every tensor of numbers; counters are those of the first."""
    return {
        name: torch.stack([tensors[name] for tensors, _ in loaded]).mean(0) if tensor.is_floating_point() else tensor
        for name, tensor in loaded[0][0].items()
    }


def carried_over(config: Any, card: Card, command: str) -> Any:
    """The configuration with what a card says of the first run: its set, what it learnt from, terms and limits."""
    return replace(
        config, recipe=command, set=card.set, trained_on=card.trained_on,
        data_licence=card.licences["training_data"], limits=tuple(card.limits),
    )  # fmt: skip


def publish_finder(loaded: Sequence[Loaded], out: Path, data: str, command: str) -> Sequence[Mapping[str, Any]]:
    """Calibrate and score the mean of finders on scenes of held-out people; returns the card's rows."""
    net = FinderNet(*ARCHITECTURE).eval()
    net.load_state_dict(mean_of(loaded))
    return publish(replace(find_recipe("faces.shipped")(data, out=str(out)), recipe=command), net, out).scores


def publish_attributes(loaded: Sequence[Loaded], out: Path, data: str, command: str) -> Sequence[Mapping[str, Any]]:
    """Calibrate and score the mean of attribute networks on held-out people; returns the card's rows."""
    card = loaded[0][1]
    model = rebuilt(AttributeSchema.from_json(list(card.schema)), card.architecture).eval()
    model.load_state_dict(mean_of(loaded))
    config = carried_over(find_recipe("attributes.shipped")(data, str(out)), card, command)
    sources = read_sources(config.data.folders, config.schema, config.data.limit)
    validation = Crops(split(sources, config.data)[1], config.schema, config.network, config.data)
    return finish(config, model, validation, out).scores


def publish_comparison(
    loaded: Sequence[Loaded], out: Path, data: str, still: str, controlled: str, command: str
) -> Sequence[Mapping[str, Any]]:
    """Calibrate and score the mean of comparison networks on held-out people; returns the card's rows."""
    card = loaded[0][1]
    model = comparison.rebuilt(card.architecture).eval()
    model.load_state_dict(mean_of(loaded))
    config = carried_over(
        find_recipe("comparison.shipped")(data, still, str(out), controlled=controlled), card, command
    )
    config = replace(config, network=model.network)
    return compared.finish(config, model, compared.albums(config)[1], out).scores


def publish_verification(
    loaded: Sequence[Loaded], out: Path, data: str, still: str, beside: str, command: str
) -> Sequence[Mapping[str, Any]]:
    """Calibrate and score the mean of verification networks on held-out people; returns the card's rows."""
    card = loaded[0][1]
    model = verification.rebuilt(card.architecture).eval()
    model.load_state_dict(mean_of(loaded))
    recipe = find_recipe("comparison.verification")
    photographs = "FOLDER" if card.set == "open" else ""  # what the limits and the strictness go by; none is read
    base = recipe(data, still, str(out), beside=beside, photographs=photographs)
    config = carried_over(base, card, command)  # with the limits of the recipe as it is now
    config = replace(config, network=model.network, passing=base.passing, limits=base.limits)
    return verified.finish(config, model, verified.albums(config)[1], out).scores


if __name__ == "__main__":
    main()
