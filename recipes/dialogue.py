"""Recipes of the dialogue room. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omokage.dialogue.config import DataConfig, DialogueConfig, NetworkConfig, Stage
from omokage.errors import InputError

# What each stage trains and on what: shares of rows, and of the run's minutes or steps. The encoder stays as the
# attributes room has it. The language model has read nothing before, so that aligning teaches it its words as well.
ALIGN = Stage(
    "align",
    rates=(("projector", 1e-3), ("language", 1.2e-3)),
    mix=(("captions", 0.7), ("scene_captions", 0.3)),
)
INSTRUCT = Stage(
    "instruct",
    rates=(("projector", 1e-3), ("language", 1.2e-3)),
    mix=(("questions", 0.72), ("scenes", 0.2), ("captions", 0.08)),
)
SPECIALISE = Stage(
    "specialise",
    rates=(("projector", 1e-3), ("language", 1.2e-3)),
    mix=(("questions", 0.77), ("talks", 0.08), ("scenes", 0.1), ("captions", 0.05)),
)
SHARES = {"align": 0.06, "instruct": 0.3, "specialise": 0.64}


def shipped(
    data: Sequence[str] = ("out/records",),
    out: str = "runs/dialogue",
    minutes: float = 25.0,
    steps: int = 0,
    limit: int = 12000,
    init: str = "synthetic",
    seed: int = 0,
) -> DialogueConfig:
    """The shipped model: the three stages in order, from an empty folder.

    Command: ``omokage train dialogue --set data=out/records --set minutes=25`` after ``omokage render --out out/records
    --count 8000``; ``--resume`` goes on after an interruption, in the middle of a stage as well. Hardware: one CPU
    core, 1.5 GB. `data`: record folders, with commas between; `limit` pictures of each. `init` is the weight set whose
    attributes network lends the encoder. Length is `minutes` for all stages, or `steps` where that is above 0. Scores
    of every stage are in ``out/log.jsonl``.
    """
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    settings = {
        "data": ",".join(folders), "minutes": f"{minutes:g}" if not steps else "", "steps": str(steps or ""),
        "limit": str(limit or ""), "init": init if init != "synthetic" else "", "seed": str(seed or ""),
    }  # fmt: skip
    return DialogueConfig(
        out=out, stages=tuple(_long(stage, minutes, steps) for stage in (ALIGN, INSTRUCT, SPECIALISE)),
        network=NetworkConfig(colours=True), data=DataConfig(folders=folders, limit=limit), init=init, seed=seed,
        recipe=" ".join(["omokage train dialogue.shipped", *(f"--set {k}={v}" for k, v in settings.items() if v)]),
    )  # fmt: skip


def stage(
    name: str = "align",
    data: Sequence[str] = ("out/records",),
    out: str = "",
    minutes: float = 5.0,
    parent: str = "",
    rate: float = 1.0,
) -> DialogueConfig:
    """One stage alone, from the weights in `parent`: ``align`` (faces and scenes described in words; it needs no
    parent), ``instruct`` (questions about both) or ``specialise`` (mostly questions and talks about faces). The stage's
    learning rates are multiplied with `rate`: less than 1 goes on with a finished model.

    Command: ``omokage train dialogue.stage --set name=instruct --set parent=runs/align/weights --set data=...``;
    `out` is ``runs/NAME`` where none is given.
    """
    base = shipped(data, out or f"runs/{name}", minutes)
    chosen = base.stages[_place(name, base)]
    rates = tuple((part, value * rate) for part, value in chosen.rates)
    settings = {
        "name": name, "data": base.data.folders, "minutes": minutes, "parent": parent, "rate": rate,
    }  # fmt: skip
    said = " ".join(
        f"--set {k}={','.join(v) if isinstance(v, tuple) else f'{v:g}' if isinstance(v, float) else v}"
        for k, v in settings.items() if v
    )  # fmt: skip
    only = replace(chosen, minutes=minutes, parent=parent, rates=rates)
    return replace(base, stages=(only,), recipe=f"omokage train dialogue.stage {said}")


def ablated(
    data: Sequence[str] = ("out/records",),
    out: str = "runs/dialogue-ablated",
    without: str = "align",
    steps: int = 600,
    limit: int = 4000,
    seed: int = 0,
    init: str = "synthetic",
) -> DialogueConfig:
    """The three stages with one left out and its steps given to the others: what a stage is worth.

    Hardware: one CPU core, about four minutes a run at 600 steps.
    `without`: ``align``, ``instruct``, ``specialise``, or ``nothing`` for the run to compare with.
    `benchmarks/dialogue.py` says how they are run one after another, and prints their scores.
    """
    base = shipped(data, out, 0.0, steps, limit, init, seed)
    if without != "nothing":
        _place(without, base)
    kept = [stage for stage in base.stages if stage.name != without]
    total = sum(SHARES[stage.name] for stage in kept)
    stages = tuple(replace(s, steps=round(steps * SHARES[s.name] / total)) for s in kept)
    return replace(base, stages=stages, recipe=f"omokage train dialogue.ablated --set without={without}")


def smoke(data: Sequence[str] = ("out/records",), out: str = "runs/dialogue-smoke", steps: int = 6) -> DialogueConfig:
    """A minute on anything: proves that records, network and disk work together, not that anything is learnt."""
    base = shipped(data, out, 0.0, steps, 60)
    network = NetworkConfig(hidden=32, layers=1, heads=2, intermediate=64, colours=True)
    return replace(base, network=network, rows=2, scored=20, log_every=1, save_every=1, warmup=1)


def _place(name: str, base: DialogueConfig) -> int:
    known = [stage.name for stage in base.stages]
    if name not in known:
        raise InputError(f"{name!r} is no stage; there are {', '.join(known)}")
    return known.index(name)


def _long(stage: Stage, minutes: float, steps: int) -> Stage:
    share = SHARES[stage.name]
    if steps:
        return replace(stage, steps=max(1, round(steps * share)), minutes=0.0)
    return replace(stage, minutes=minutes * share)
