"""Read records, step, average, look at held-out people, calibrate, write the weights.

``train(config)`` is all of it; with ``resume=True`` it goes on from the last checkpoint with the losses that an
undisturbed run would have had. On a CPU it uses one thread for the step and one process that prepares crops, which is
faster than two threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from omokage.attributes import calibration, evaluate
from omokage.attributes.config import AttributesConfig
from omokage.attributes.correlation import learn_correlation, measured
from omokage.attributes.data import Crops, Steps, split
from omokage.attributes.loss import AttributeLoss
from omokage.attributes.model import AttributeNetwork, architecture
from omokage.attributes.predict import AttributePredictor
from omokage.attributes.readings import Readings, read
from omokage.attributes.sources import Source, labelled, read_sources
from omokage.attributes.teach import taught
from omokage.data.splits import held_out
from omokage.errors import TrainingError
from omokage.nn.pictures import normalise
from omokage.schema import AttributeSchema
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Course, Learner, descend, run
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.weights import registry

_NOBODY = "no picture is held out to calibrate on: give more records or a larger held_out"


def train(config: AttributesConfig, resume: bool = False) -> Path:
    """Run to the end and return the run folder; the weights are in its ``weights``. Raises what `errors` lists."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    processes = devices.join_processes(device)
    folder = RunFolder(config.out)
    if processes.first:
        folder.begin(config, resume, config.data.folders)
    devices.seed_everything(config.seed)
    data = config.data
    sources = read_sources(data.folders, config.schema, data.limit, data.limits, data.split_seed)
    config = replace(config, schema=learnable(config.schema, sources))
    training, validation = _crops(config, sources)
    if processes.first:
        counts = {"training": [len(s) for s in training.sources], "held_out": [len(s) for s in validation.sources]}
        folder.log(event="data", **counts, labelled=[labelled(s, config.schema) for s in training.sources])
    model = _model(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.precision = devices.reduced_precision(config.precision, device)
    average = _loop(config, model, training, validation, folder, processes, device, resume)
    if processes.first:
        finish(config, average, validation, folder.path / "weights")
        folder.log(event="done")
    devices.leave_processes()
    return folder.path


def learnable(schema: AttributeSchema, sources: Sequence[Source]) -> AttributeSchema:
    """The attributes that some picture has a label for: a network must not answer what nothing taught it."""
    counts = [labelled(source, schema) for source in sources]
    names = [a.name for a in schema if a.name == "quality" or any(count[a.name] for count in counts)]
    if names in ([], ["quality"]):
        raise TrainingError("no record carries a label that the network could learn; give records with labels")
    return schema.only(names)


def _crops(config: AttributesConfig, sources: Sequence[Source]) -> tuple[Crops, Crops]:
    """Crop makers of the training and the held-out people."""
    training, validation = split(sources, config.data)
    if not all(len(s) for s in training):
        raise TrainingError(
            "a record folder has no picture left for training: give more records or hold out fewer people"
        )
    if not any(len(s) for s in validation):  # said now, not when the weights are to be calibrated
        raise TrainingError(_NOBODY)
    if config.data.teachers:
        teachers = [AttributePredictor(weights, config.device) for weights in config.data.teachers]
        training = [s if s.rendered else taught(s, config.schema, teachers) for s in training]
    return tuple(Crops(s, config.schema, config.network, config.data) for s in (training, validation))  # type: ignore[return-value]


def _model(config: AttributesConfig) -> AttributeNetwork:
    """A fresh network; where `init` names weights, it starts from all tensors of theirs that fit."""
    model = AttributeNetwork(config.schema, config.network, config.loss.ordinal)
    if config.init:
        tensors, _ = registry.load(config.init, "attributes")
        own = model.state_dict()
        fitting = {k: t for k, t in tensors.items() if k in own and own[k].shape == t.shape}
        if not fitting:
            raise TrainingError(f"nothing in {config.init!r} fits this network; give weights of the attributes room")
        model.load_state_dict({**own, **fitting})
    return model


def _loop(
    config: AttributesConfig, model: AttributeNetwork, training: Crops, validation: Crops, folder: RunFolder,
    processes: devices.Processes, device: torch.device, resume: bool,
) -> AttributeNetwork:  # fmt: skip
    """Step until the budget is used; returns the averaged model."""
    loss = AttributeLoss(model, config.loss).to(device)
    optimizer = build_optimizer(config, [*model.parameters(), *loss.parameters()])
    learner = Learner(model, WeightAverage(model, config.average), optimizer, {"loss": loss})
    steps = Steps(training, config.batch, config.seed, config.data, processes.rank, processes.world)

    def step(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, flat = batch
        targets = training.layout.unpack(flat.to(device))
        return step_once(model, loss, optimizer, images, targets, config, processes.world)

    def look(course: Course[AttributeNetwork]) -> None:
        if course.due(config.check_every):
            folder.log(step=course.step, held_out=evaluate.quick(learner.average.model, validation))

    return run(config, learner, steps, config.data.workers, step, folder, resume, processes, look)


def build_optimizer(config: AttributesConfig, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW, or plain stochastic gradient descent with momentum."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.rate, config.momentum, weight_decay=config.decay)
    return torch.optim.AdamW(parameters, config.rate, weight_decay=config.decay)


def step_once(
    model: AttributeNetwork, loss: AttributeLoss, optimizer: torch.optim.Optimizer, images: Tensor,
    targets: Mapping[str, Tensor], config: AttributesConfig, world: int = 1,
) -> tuple[Tensor, dict[str, Tensor]]:  # fmt: skip
    """One optimizer step on uint8 pictures (b, size, size, 3). Raises TrainingError when the loss is no longer a
    number."""
    device = next(model.parameters()).device
    model.train()
    total, parts = loss(model.decode(model(normalise(images.to(device)))), targets)
    descend(model, optimizer, total, config.clip, world)
    return total.detach(), {k: v.detach() for k, v in parts.items()}


def finish(config: AttributesConfig, model: AttributeNetwork, validation: Crops, out: Path) -> registry.Card:
    """Calibrate on half of the held-out people, score on the other half, write weights and card.

    Rendered crops are changed for the fit as photographs change them: answers about clean renders are surer than any
    about a photograph may be. Photographs are kept apart from rendered heads: where they have enough labels, their
    calibration is the one that goes into the card, as the answers are about photographs.
    """
    parts = _halves(config, model, validation)
    fitted: dict[str, Any] = {}
    for part in parts:
        fitted = calibration.merged(fitted, calibration.fit(config.schema, part.fit))
    placed = evaluate.read_quality(model, validation) if "quality" in config.schema else None
    if placed is not None:
        fitted["temperature"]["quality"] = calibration.fit_share(*placed)
    fitted["correlation"] = learn_correlation(config.schema, parts[0].fit)
    scores: list[dict[str, Any]] = []
    for part in parts:
        for name, readings in part.tests.items():
            rows = evaluate.score(config.schema, readings, fitted) + measured(config.schema, readings, fitted)
            scores += [{**row, "set": name} for row in rows]
    if placed is not None:
        name = "held-out people, half of the crops without a good face"
        scores += [{**row, "set": name} for row in evaluate.score_quality(*placed)]
    card = registry.Card(
        model="attributes", set=config.set, architecture=architecture(model),
        preprocessing={"size": config.network.size, "margin": config.network.margin, "mean": 127.5, "std": 127.5},
        schema=_schema_rows(config), calibration=fitted, recipe=config.recipe, commit=commit_of(),
        made=_today(), trained_on=config.trained_on,
        licences={"code": "Apache-2.0", "weights": config.weights_licence, "training_data": config.data_licence},
        scores=[{**row, "date": _today()} for row in scores],
        limits=list(config.limits),
    )  # fmt: skip
    return registry.save(out, model.state_dict(), card)


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """What the network says of one kind of held-out people: of half of them to fit on, of the others by name of set.

    There are no others where too few people are held out.
    """

    fit: Readings
    tests: Mapping[str, Readings]


def _halves(config: AttributesConfig, model: AttributeNetwork, validation: Crops) -> list[Halves]:
    """Of held-out rendered heads, then of held-out photographs, where there are any. Raises TrainingError when nothing
    is held out."""
    found = []
    for rendered, kind in ((True, "held-out rendered people"), (False, "held-out photographs")):
        sources = [s for s in validation.sources if s.rendered == rendered and len(s)]
        if sources:
            crops = Crops(sources, validation.schema, validation.network, validation.config)
            sets = {kind: read(model, crops)}
            if rendered:
                sets[f"{kind}, crops changed as in training"] = read(model, crops, changed=True)
            half = torch.from_numpy(held_out(sets[kind].people, 0.5, seed=config.data.split_seed + 1))
            tests = {name: readings.where(~half) for name, readings in sets.items()}
            fit = list(sets.values())[-1].where(half)
            found.append(Halves(fit, {name: readings for name, readings in tests.items() if len(readings)}))
    if not found:
        raise TrainingError(_NOBODY)
    return found


def _today() -> str:
    return date.today().isoformat()


def _schema_rows(config: AttributesConfig) -> list[Mapping[str, Any]]:
    import json

    rows: list[Mapping[str, Any]] = json.loads(config.schema.to_json())
    return rows
