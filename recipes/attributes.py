"""Recipes of the attributes room. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omokage.attributes.config import AttributesConfig, DataConfig


def shipped(
    data: Sequence[str] = ("out/records",), out: str = "runs/attributes", minutes: float = 60.0
) -> AttributesConfig:
    """The shipped default: all attributes of `schema.SHIPPED`, learnt from rendered heads only.

    Command: ``omokage train attributes.shipped --set data=out/records --set minutes=60`` after ``omokage render --out
    out/records --count 30000``. Hardware: one CPU core for the steps and a fifth of a second one for the crops (about
    110 pictures a second on an idle AMD EPYC core), or any CUDA device. Scores on held-out rendered people are in the
    card that the run writes.
    """
    folders = (data,) if isinstance(data, str) else tuple(data)
    command = f"omokage train attributes.shipped --set data={','.join(folders)} --set minutes={minutes:g}"
    return AttributesConfig(out=out, data=DataConfig(folders=folders), minutes=minutes, recipe=command)


def smoke(data: Sequence[str] = ("out/records",), out: str = "runs/smoke", steps: int = 60) -> AttributesConfig:
    """A minute on anything: proves that records, network and disk work together, not that anything is learnt."""
    config = shipped(data, out, 0.0)
    return replace(config, steps=steps, log_every=20, check_every=0, save_every=30, warmup=10)
