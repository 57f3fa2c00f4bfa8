"""Draw batches, step, average; then calibrate and score on held-out people, write the weights.

``train(config)`` is all of it; with ``resume=True`` it goes on from the last checkpoint with the losses that an
undisturbed run would have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from omokage.comparison import calibration, evaluate
from omokage.comparison.album import Album, read_album
from omokage.comparison.config import FACTORS, ComparisonConfig
from omokage.comparison.data import Batch, Crops, Steps, split
from omokage.comparison.loss import ComparisonLoss
from omokage.comparison.model import ComparisonNetwork, adopt, architecture
from omokage.comparison.start import start
from omokage.errors import TrainingError
from omokage.nn.pictures import normalise
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Learner, descend, run
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.weights import registry

PARTS = ("attributes", "comparison", "identity")  # of a weight set that a run can start from


def train(config: ComparisonConfig, resume: bool = False) -> Path:
    """Run to the end and return the run folder; the weights are in its ``weights``. Raises what `errors` lists."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    folder = RunFolder(config.out)
    data = config.data
    folder.begin(config, resume, (*data.folders, *data.calibration, *data.controlled))
    devices.seed_everything(config.seed)
    training, validation = albums(config)
    counts = {"training": [len(c.album) for c in training], "held_out": [len(c.album) for c in validation]}
    folder.log(event="data", **counts)
    model = _model(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.precision = devices.reduced_precision(config.precision, device)
    average = _loop(config, model, Steps(training, config), folder, device, resume)
    finish(config, average, validation, folder.path / "weights")
    folder.log(event="done")
    return folder.path


def albums(config: ComparisonConfig) -> tuple[list[Crops], list[Crops]]:
    """Crop makers of the people of each folder that are trained on, and of those that are held out."""

    def crops(album: Album, nameless: bool = False) -> Crops:
        return Crops(album, config.network, config.data, nameless)

    data = config.data
    parts = [
        split(read_album(folder, data.limit), replace(data, held_out=0.0) if folder in data.whole else data)
        for folder in data.folders
    ]
    apart = [read_album(folder) for folder in data.calibration]
    training = [crops(album, name in data.nameless) for name, (album, _) in zip(data.folders, parts, strict=True)]
    validation = [crops(album) for album in (*(rest for _, rest in parts), *apart)]
    if not any(len(c.album) for c in validation):  # said now, not when the weights are to be calibrated
        raise TrainingError("nobody is held out to calibrate on: give more records or a larger held_out")
    return training, validation


def _model(config: ComparisonConfig) -> ComparisonNetwork:
    """A fresh network, or one that starts from the weights that `init` names, one after the other."""
    model = ComparisonNetwork(config.network)
    for word in filter(None, config.init.split(",")):
        name, part, tensors = start(word, "comparison", PARTS)
        if part == "identity":
            tensors = {key: t for key, t in tensors.items() if key.startswith(("identity", "centre"))}
        if not adopt(model, tensors):
            raise TrainingError(f"nothing in {name!r} fits this network: give weights with the same trunk")
    return model


def _loop(
    config: ComparisonConfig, model: ComparisonNetwork, steps: Steps, folder: RunFolder, device: torch.device,
    resume: bool,
) -> ComparisonNetwork:  # fmt: skip
    """Step until the budget is used; returns the averaged model."""
    loss = ComparisonLoss(config.loss, config.network.identity).to(device)
    model.trunk.requires_grad_(not config.frozen)
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, config.rate, weight_decay=config.decay)
    learner = Learner(model, WeightAverage(model, config.average), optimizer, {"loss": loss})
    return run(
        config, learner, steps, config.data.workers,
        lambda batch: step_once(model, loss, optimizer, batch.to(device), config), folder, resume,
    )  # fmt: skip


def step_once(
    model: ComparisonNetwork, loss: ComparisonLoss, optimizer: torch.optim.Optimizer, batch: Batch,
    config: ComparisonConfig,
) -> tuple[Tensor, dict[str, Tensor]]:  # fmt: skip
    """One optimizer step. Raises TrainingError when the loss is no longer a number."""
    model.train()
    if config.frozen:
        model.trunk.eval()  # its batch norms keep what they have seen, too
    seen = model.see(normalise(batch.images))
    changes = model.compare(seen.state[batch.pairs[:, 0]], seen.state[batch.pairs[:, 1]])
    total, parts = loss(changes, seen.code, batch)
    descend(model, optimizer, total, config.clip)
    return total.detach(), {k: v.detach() for k, v in parts.items()}


def finish(config: ComparisonConfig, model: ComparisonNetwork, validation: Sequence[Crops], out: Path) -> registry.Card:
    """Calibrate on half of the held-out people, score on the other half, write weights and card.

    The fit sees crops that are changed as in training: answers about clean renders are surer than any about a
    photograph may be. Raises TrainingError when nothing is held out.
    """
    fit, test = evaluate.halves(model, validation, config.data.split_seed)
    fitted = calibration.fit(fit)
    rows = [{**row, "set": evaluate.MEASURED} for row in evaluate.score(test, fitted)]
    if config.data.controlled:
        albums = [Crops(read_album(f), config.network, config.data) for f in config.data.controlled]
        fit, test = evaluate.halves(model, albums, config.data.split_seed)
        fitted["controlled"] = calibration.fit_controlled(fit, fitted)
        steady = f"{evaluate.MEASURED}, head held and lit alike"
        rows += [{**row, "set": steady} for row in evaluate.score(test, fitted["controlled"])]
    today = date.today().isoformat()
    card = registry.Card(
        model="comparison", set=config.set, architecture=architecture(model),
        preprocessing={"size": config.network.size, "margin": config.network.margin, "mean": 127.5, "std": 127.5},
        schema=[{"name": name} for name in FACTORS], calibration=fitted, recipe=config.recipe, commit=commit_of(),
        made=today, trained_on=config.trained_on,
        licences={"code": "Apache-2.0", "weights": config.weights_licence, "training_data": config.data_licence},
        scores=[{**row, "date": today} for row in rows],
        limits=list(config.limits),
    )  # fmt: skip
    return registry.save(out, model.state_dict(), card)
