"""Draw batches, step, average; then calibrate and score on held-out people, write the weights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from omokage.comparison import calibration, evaluate
from omokage.comparison import model as comparison
from omokage.comparison.album import read_album
from omokage.comparison.data import Crops, split
from omokage.comparison.readings import Cosines
from omokage.comparison.start import start
from omokage.comparison.verification.config import VerificationConfig
from omokage.comparison.verification.data import Batch, Steps
from omokage.comparison.verification.loss import VerificationLoss
from omokage.comparison.verification.model import VerificationNetwork, adopt, architecture
from omokage.comparison.verification.readings import best_share, halves, mixed, reader_of
from omokage.errors import TrainingError
from omokage.nn.pictures import normalise
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Learner, descend, run
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.weights import registry

PARTS = ("attributes", "verification")  # of a weight set that a run can start from


def train(config: VerificationConfig, resume: bool = False) -> Path:
    """Run to the end and return the run folder; the weights are in its ``weights``. With `resume` it goes on from the
    last checkpoint with the losses that an undisturbed run would have had. Raises what `errors` lists."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    folder = RunFolder(config.out)
    data = config.data
    folder.begin(config, resume, (*data.folders, *data.calibration, *data.photographs))
    devices.seed_everything(config.seed)
    training, validation = albums(config)
    photographs = [Crops(read_album(f), config.network, config.data) for f in config.data.photographs]
    steps = Steps(training, photographs, config)
    folder.log(event="data", people=len(steps.groups), photographs=sum(len(c.album) for c in photographs))
    model = _model(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.precision = devices.reduced_precision(config.precision, device)
    average = _loop(config, model, steps, folder, device, resume)
    finish(config, average, validation, folder.path / "weights")
    folder.log(event="done")
    return folder.path


def albums(config: VerificationConfig) -> tuple[list[Crops], list[Crops]]:
    """Crop makers of the people of each folder that are trained on, and of those that are held out."""
    data = config.data
    parts = [split(read_album(folder, data.limit), data) for folder in data.folders]
    rest = [*(kept for _, kept in parts), *(read_album(folder) for folder in data.calibration)]
    return tuple([Crops(album, config.network, data) for album in side] for side in ([t for t, _ in parts], rest))  # type: ignore[return-value]


def _model(config: VerificationConfig) -> VerificationNetwork:
    """A fresh network, or one that starts from the weights that `init` names."""
    model = VerificationNetwork(config.network)
    if config.init:
        name, _, tensors = start(config.init, "verification", PARTS)
        if not adopt(model, tensors):
            raise TrainingError(f"nothing in {name!r} fits this network: give weights with the same trunk")
    return model


def _loop(
    config: VerificationConfig, model: VerificationNetwork, steps: Steps, folder: RunFolder, device: torch.device,
    resume: bool,
) -> VerificationNetwork:  # fmt: skip
    """Step until the budget is used; returns the averaged model."""
    loss = VerificationLoss(config.loss, len(steps.groups), config.network.code).to(device)
    optimizer = _optimizer(config, model, loss)
    learner = Learner(model, WeightAverage(model, config.average), optimizer, {"loss": loss})
    return run(
        config, learner, steps, config.data.workers,
        lambda batch: step_once(model, loss, optimizer, batch.to(device), config.clip), folder, resume,
    )  # fmt: skip


def _optimizer(config: VerificationConfig, model: VerificationNetwork, loss: VerificationLoss) -> torch.optim.AdamW:
    trunk = list(model.trunk.parameters())
    rest = [p for name, p in model.named_parameters() if not name.startswith("trunk.")]
    groups = [
        {"params": trunk, "share": config.trunk}, {"params": rest, "share": 1.0},
        {"params": [loss.prototypes], "share": config.prototypes, "weight_decay": 0.0},
    ]  # fmt: skip
    return torch.optim.AdamW(groups, config.rate, weight_decay=config.decay)


def step_once(
    model: VerificationNetwork, loss: VerificationLoss, optimizer: torch.optim.Optimizer, batch: Batch, clip: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """One optimizer step. Raises TrainingError when the loss is no longer a number."""
    model.train()
    codes = model(normalise(batch.images))
    total, parts = loss(codes[: len(batch.people)], batch.people, codes[len(batch.people) :])
    descend(model, optimizer, total, clip)
    return total.detach(), {k: v.detach() for k, v in parts.items()}


def finish(
    config: VerificationConfig, model: VerificationNetwork, validation: Sequence[Crops], out: Path
) -> registry.Card:
    """Calibrate on half of the held-out people, score on the other half, write weights and card. Raises TrainingError
    when too few people are held out."""
    fit, test = halves(reader_of(model), validation, config.data.split_seed)
    fitted: dict[str, Any] = {"same": _fitted(fit, config.passing)}
    rows = [{**row, "set": evaluate.MEASURED} for row in evaluate.check_rows(test, fitted["same"])]
    if config.beside:
        fitted["beside"], more = _beside(config, (fit, test), validation)
        rows += more
    today = date.today().isoformat()
    card = registry.Card(
        model="verification", set=config.set, architecture=architecture(model),
        preprocessing={"size": config.network.size, "margin": config.network.margin, "mean": 127.5, "std": 127.5},
        calibration=fitted, recipe=config.recipe, commit=commit_of(), made=today,
        trained_on=config.trained_on,
        licences={"code": "Apache-2.0", "weights": config.weights_licence, "training_data": config.data_licence},
        scores=[{**row, "date": today} for row in rows], limits=list(config.limits),
    )  # fmt: skip
    return registry.save(out, model.state_dict(), card)


def _beside(
    config: VerificationConfig, own: tuple[Cosines, Cosines], validation: Sequence[Crops]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The calibration together with a comparison network's own code, which costs nothing where that network is asked
    anyway; and the card's rows. Two networks that learnt the same differently are wrong about different people."""
    tensors, card = registry.load(config.beside, "comparison")
    other = comparison.rebuilt(card.architecture)
    other.load_state_dict(tensors)
    others = halves(reader_of(other), validation, config.data.split_seed)
    share = best_share(own[0], others[0])
    fit, test = (mixed(a, b, share) for a, b in zip(own, others, strict=True))
    found: dict[str, Any] = {"of": card.sha256, "share": share, "same": _fitted(fit, config.passing)}
    where = f"{evaluate.MEASURED}, beside {card.id}"
    return found, [{**row, "set": where} for row in evaluate.check_rows(test, found["same"])]


def _fitted(cosines: Cosines, passing: float) -> dict[str, Any]:
    fitted = calibration.fit_same(cosines, passing)
    if fitted is None:
        raise TrainingError("too few people are held out to calibrate on: give more records or a larger held_out")
    return fitted
