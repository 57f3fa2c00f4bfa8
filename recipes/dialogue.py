"""Recipes of the dialogue room. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omokage.dialogue.config import DataConfig, DialogueConfig, NetworkConfig, Stage
from omokage.errors import InputError

# What each stage trains and on what: shares of rows, and of the run's minutes or steps. The encoder stays as the
# attributes room has it. The language model has read nothing before, so that aligning teaches it its words as well.
RATES = (("projector", 1e-3), ("language", 1.2e-3))
ALIGN = Stage(
    "align",
    RATES,
    mix=(("captions", 0.7), ("scene_captions", 0.3)),
)
INSTRUCT = Stage(
    "instruct",
    RATES,
    mix=(("questions", 0.72), ("scenes", 0.2), ("captions", 0.08)),
)
SPECIALISE = Stage(
    "specialise",
    RATES,
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

    Command: ``omokage train dialogue.shipped --set data=out/records`` after ``omokage render --out out/records --count
    12000``; ``--resume`` goes on after an interruption, in the middle of a stage as well. Hardware: one CPU
    core, 1.5 GB. `data`: record folders, with commas between; `limit` pictures of each. `init` is the weight set whose
    attributes network lends the encoder. Length is `minutes` for all stages, or `steps` where that is above 0. Scores
    of every stage are in ``out/log.jsonl``.
    """
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    length = {"steps": steps} if steps else {"minutes": minutes}
    return DialogueConfig(
        out=out, stages=tuple(_long(stage, minutes, steps) for stage in (ALIGN, INSTRUCT, SPECIALISE)),
        network=NetworkConfig(), data=DataConfig(folders=folders, limit=limit), init=init, seed=seed,
        recipe=_command("shipped", folders, **length, limit=limit, init=init, seed=seed),
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
    only = replace(chosen, minutes=minutes, parent=parent, rates=rates)
    command = _command("stage", base.data.folders, name=name, minutes=minutes, parent=parent, rate=rate)
    return replace(base, stages=(only,), recipe=command)


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
    command = _command("ablated", base.data.folders, without=without, steps=steps, limit=limit, init=init, seed=seed)
    return replace(base, stages=stages, recipe=command)


def smoke(data: Sequence[str] = ("out/records",), out: str = "runs/dialogue-smoke", steps: int = 6) -> DialogueConfig:
    """A minute on anything: proves that records, network and disk work together, not that anything is learnt."""
    base = shipped(data, out, 0.0, steps, 60)
    network = NetworkConfig(hidden=32, layers=1, heads=2, intermediate=64)
    command = _command("smoke", base.data.folders, steps=steps)
    return replace(base, network=network, rows=2, scored=20, log_every=1, save_every=1, warmup=1, recipe=command)


def _command(recipe: str, folders: Sequence[str], **settings: str | float) -> str:
    """What to type for the same run; what is 0 or nothing, and the usual encoder, goes without saying."""
    told = {"data": ",".join(folders), **{k: v for k, v in settings.items() if v and (k, v) != ("init", "synthetic")}}
    given = (f"--set {k}={v:g}" if isinstance(v, float) else f"--set {k}={v}" for k, v in told.items())
    return " ".join([f"omokage train dialogue.{recipe}", *given])


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
