"""How much further photographs are from what a network knows than rendered heads are, as a second network tells.

Nobody labelled points, angles or gaze of the photographs, so errors are not known there. But where a network is on less
firm ground, another one that learnt otherwise differs from it by more of its spreads (deep ensembles: Lakshminarayanan,
Pritzel and Blundell, NeurIPS 2017). Spreads that rendered heads fitted are widened by as much. Both networks can be
wrong alike, so that this is the least by which they are too small.
"""

from __future__ import annotations

import torch

from omokage.attributes import calibration
from omokage.attributes.data import Crops
from omokage.attributes.model import AttributeNetwork, Outputs
from omokage.attributes.readings import read
from omokage.errors import TrainingError


def widening(
    model: AttributeNetwork, second: AttributeNetwork, rendered: Crops, photographs: Crops, names: tuple[str, ...]
) -> dict[str, float]:
    """The factor, 1 or more, by which the spreads of each attribute of `model` are to be widened on photographs.

    Rendered crops are changed as in training, photographs cut exactly; neither may be known to the networks. Raises
    TrainingError when the networks give the same answers.
    """
    found = {}
    for crops, changed in ((rendered, True), (photographs, False)):
        first, other = (read(network, crops, changed=changed).outputs for network in (model, second))
        found[changed] = {name: apart(first, other, name) for name in names}
    if same := [name for name in names if not found[True][name]]:
        raise TrainingError(
            f"the second network answers as the first one ({', '.join(same)}): name other weights for it"
        )
    return {name: round(max(1.0, found[False][name] / found[True][name]), 4) for name in names}


def apart(first: Outputs, second: Outputs, name: str) -> float:
    """The number of the first network's spreads that 68 percent of the second one's answers stay within."""
    at, other = first.located[name], second.located[name]
    return calibration.spread_scale(at, other.value, torch.ones(len(at.value), dtype=torch.bool))
