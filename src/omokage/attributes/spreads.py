"""Learn anew how far a trained network errs, from rendered heads alone; its answers stay as they are, bit for bit.

Where photographs were labelled by teachers (`attributes.teach`), the network learnt from them how far its answer lies
from the teachers', which is less than how far it lies from the truth. The rows that give the spreads begin from zero
here, so that nothing of that is left, and see only heads whose truth is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from omokage.attributes import calibration, evaluate
from omokage.attributes.config import DataConfig
from omokage.attributes.data import Crops, Steps, split
from omokage.attributes.loss import spread_loss
from omokage.attributes.model import AttributeNetwork, Outputs, rebuilt, spread_columns
from omokage.attributes.paths import rows_of
from omokage.attributes.readings import read
from omokage.attributes.sources import read_sources
from omokage.attributes.widening import widening
from omokage.data.splits import held_out
from omokage.errors import TrainingError
from omokage.nn.pictures import normalise
from omokage.schema import AttributeSchema
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.loop import Learner, add_slope, move, run
from omokage.training.ranges import check_ranges
from omokage.training.run import RunFolder, commit_of
from omokage.weights import registry

_UNSEEN = 0.05  # the part of the photographs that the recipe `attributes.open` holds out


@dataclass(frozen=True, slots=True)
class SpreadsConfig:
    """One run. `init` names the weights, `attributes` whose spreads are learnt; `limits` replace those of the card.

    With `photographs`, a folder of records, the spreads of `widened` become larger by as much as the answers of the
    weights `second` lie further apart there than on rendered heads (`attributes.widening`). Length is `steps`, or
    `minutes` of wall time when that is above 0.
    """

    init: str
    data: DataConfig
    attributes: tuple[str, ...] = ("landmarks", "gaze")
    out: str = "runs/spreads"
    seed: int = 0
    steps: int = 2000
    minutes: float = 0.0
    batch: int = 64
    rate: float = 1e-3
    warmup: int = 50
    average: float = 0.99
    clip: float = 5.0
    threads: int = 1
    device: str = "auto"
    log_every: int = 100
    save_every: int = 500
    photographs: str = ""
    second: str = "synthetic"
    widened: tuple[str, ...] = ("landmarks", "pose", "gaze")
    limits: tuple[str, ...] = ()
    recipe: str = ""


def train(config: SpreadsConfig, resume: bool = False) -> Path:
    """Run to the end and return the run folder; the weights are in its ``weights``. Raises TrainingError for attributes
    without a spread and records that are not rendered, WeightsError for unknown weights."""
    check_ranges(config)
    device = devices.pick_device(config.device)
    torch.set_num_threads(config.threads)
    tensors, card = registry.load(config.init, "attributes")
    schema = AttributeSchema.from_json(list(card.schema))
    model = rebuilt(schema, card.architecture)
    model.load_state_dict(tensors)
    masks = spread_masks(model, config.attributes)
    folder = RunFolder(config.out)
    folder.begin(config, resume, (*config.data.folders, *filter(None, [config.photographs])))
    devices.seed_everything(config.seed)
    training, validation = _crops(config, schema, model)
    learnt = _learnt(config, model.to(device), masks, training, folder, device, resume)
    kept = with_spreads(tensors, learnt.state_dict(), masks)
    model.cpu().load_state_dict(kept)
    _finish(config, model, card, validation, folder.path / "weights")
    folder.log(event="done")
    return folder.path


def spread_masks(model: AttributeNetwork, names: tuple[str, ...]) -> dict[str, Tensor]:
    """For each tensor that holds spreads of these attributes, which of its numbers do (True). Raises TrainingError for
    an attribute that the network lacks or gives no spread of."""
    masks: dict[str, Tensor] = {}
    for name in names:
        columns = spread_columns(model.schema[name]) if name in model.schema else None
        if columns is None:
            known = [a.name for a in model.schema if spread_columns(a) is not None]
            raise TrainingError(f"the network gives no spread of {name!r}; it gives those of {', '.join(known)}")
        category, rows = rows_of(model, name)
        for kind, tensor in model.categories[category].heads.named_parameters():  # type: ignore[union-attr]
            mask = masks.setdefault(f"categories.{category}.heads.{kind}", torch.zeros(tensor.shape, dtype=torch.bool))
            mask[rows.start + columns.start : rows.start + columns.stop] = True
    if model.refiner is not None and "landmarks" in names:
        mask = torch.zeros(model.refiner.weight.shape, dtype=torch.bool)
        mask[..., 2] = True
        masks["refiner.weight"] = mask
    return masks


def with_spreads(
    before: Mapping[str, Tensor], learnt: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors `before`, with the numbers of `masks` as they were `learnt`."""
    out = dict(before)
    for name, mask in masks.items():
        out[name] = torch.where(mask, learnt[name].to(before[name].device), before[name])
    return out


def _crops(config: SpreadsConfig, schema: AttributeSchema, model: AttributeNetwork) -> tuple[Crops, Crops]:
    """Crop makers of the training and the held-out people, all rendered."""
    sources = read_sources(config.data.folders, schema, config.data.limit, config.data.limits, config.data.split_seed)
    if not all(source.rendered for source in sources):
        raise TrainingError("spreads are learnt from rendered heads alone: give folders that omokage render wrote")
    data = replace(config.data, negatives=0.0)
    first, second = (Crops(part, schema, model.network, data) for part in split(sources, data))
    if not sum(map(len, first.sources)) or not sum(map(len, second.sources)):
        raise TrainingError("there are too few people to learn from and to calibrate on: render more heads")
    return first, second


def _photographs(config: SpreadsConfig, schema: AttributeSchema, model: AttributeNetwork) -> Crops:
    """Crop makers of the photographs that training held out."""
    source = read_sources((config.photographs,), schema, config.data.limit, (), config.data.split_seed)[0]
    if source.rendered:
        raise TrainingError(f"{config.photographs} holds rendered heads: give records of photographs, or none")
    unseen = source.only(held_out(source.people, _UNSEEN, config.data.split_seed))
    if not len(unseen):
        raise TrainingError(f"{config.photographs} holds no picture that training held out: give more photographs")
    return Crops([unseen], schema, model.network, config.data)


def _learnt(
    config: SpreadsConfig, model: AttributeNetwork, masks: Mapping[str, Tensor], training: Crops, folder: RunFolder,
    device: torch.device, resume: bool,
) -> AttributeNetwork:  # fmt: skip
    """The averaged model after the run; of its tensors only the numbers of `masks` are meant."""
    model.eval().requires_grad_(False)  # norms and dropout as in an answer: nothing but the spreads may move
    moving = {name: (model.get_parameter(name), mask.to(device)) for name, mask in masks.items()}
    for name, (parameter, mask) in moving.items():
        if not name.endswith("bias"):
            parameter.masked_fill_(mask, 0.0)
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam([parameter for parameter, _ in moving.values()], config.rate)
    learner = Learner(model, WeightAverage(model, config.average), optimizer)

    def step(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, flat = batch
        targets = training.layout.unpack(flat.to(device))
        parts = losses(model.decode(model(normalise(images.to(device)))), targets, config.attributes)
        total = torch.stack(list(parts.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        add_slope(total)
        for parameter, mask in moving.values():
            assert parameter.grad is not None
            parameter.grad *= mask
        move(model, optimizer, config.clip)
        return total.detach(), {name: part.detach() for name, part in parts.items()}

    steps = Steps(training, config.batch, config.seed, training.config)
    return run(config, learner, steps, training.config.workers, step, folder, resume)


def losses(outputs: Outputs, targets: Mapping[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    """The spread loss of each attribute, 0 where no picture of the batch has its label."""
    found = {}
    for name in names:
        at = outputs.located[name]
        known = torch.isfinite(targets[name]).all(1)
        error = calibration.errors(at.value[known], targets[name][known]).detach()
        found[name] = spread_loss(error, at.log_sigma[known]).sum() / max(error.numel(), 1)
    return found


def _finish(
    config: SpreadsConfig, model: AttributeNetwork, card: registry.Card, validation: Crops, out: Path
) -> registry.Card:
    """Scale the new spreads on half of the held-out people, score them on the others, write weights and card."""
    kinds = {"": False, ", crops changed as in training": True}
    readings = {kind: read(model, validation, changed=changed) for kind, changed in kinds.items()}
    fitting = readings[", crops changed as in training"]
    half = torch.from_numpy(held_out(fitting.people, 0.5, seed=config.data.split_seed + 1))
    fit = calibration.fit(model.schema, fitting.where(half))["spread"]
    factors = _factors(config, model, validation)
    names = tuple(dict.fromkeys((*config.attributes, *factors)))
    if missing := [name for name in names if name not in fit]:
        raise TrainingError(
            f"too few held-out heads have labels of {' and '.join(missing)} to scale spreads on: render more heads"
        )
    fitted = dict(card.calibration)
    scales = {name: round(fit[name] * factors.get(name, 1.0), 4) for name in names}
    fitted["spread"] = {**fitted.get("spread", {}), **scales}
    if factors:
        fitted["widened"] = factors
    today = date.today().isoformat()
    rows = [
        {**row, "set": f"held-out rendered people{kind}", "date": today}
        for kind, part in readings.items()
        for row in evaluate.score_spreads(part.where(~half), fitted)
    ]
    told = {row["measure"] for row in rows}
    new = replace(
        card, calibration=fitted, commit=commit_of(), made=today,
        recipe="; ".join(part for part in (card.recipe, config.recipe) if part),
        scores=[*(row for row in card.scores if row["measure"] not in told), *rows],
        limits=list(config.limits) or card.limits,
    )  # fmt: skip
    return registry.save(out, model.state_dict(), new)


def _factors(config: SpreadsConfig, model: AttributeNetwork, validation: Crops) -> dict[str, float]:
    """By how much photographs widen the spreads; empty where no photographs are given."""
    if not config.photographs:
        return {}
    tensors, card = registry.load(config.second, "attributes")
    second = rebuilt(AttributeSchema.from_json(list(card.schema)), card.architecture)
    second.load_state_dict(tensors)
    if (second.network.size, second.network.margin) != (model.network.size, model.network.margin):
        raise TrainingError(f"the weights {config.second!r} read crops of another size or margin: name others")
    lacking = [name for name in config.widened if name not in second.schema or name not in model.schema]
    if lacking:
        raise TrainingError(f"one of the networks does not read {' and '.join(lacking)}, which is to be widened")
    photographs = _photographs(config, model.schema, model)
    return widening(model.eval(), second.eval(), validation, photographs, config.widened)
