"""What the numbers of a configuration may be, by the names of their fields: said before a run begins, not after its
steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from omokage.errors import TrainingError


class Range(NamedTuple):
    """From `low` to `high`; `above` and `below`: without the end itself."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        after = self.low < value if self.above else self.low <= value
        return math.isfinite(value) and after and (value < self.high if self.below else value <= self.high)

    def words(self) -> str:
        """What a value in the range is."""
        if self.low == -math.inf:
            return "a finite number"
        if self.high == math.inf:
            return f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        return f"from {self.low:g} to {'below ' if self.below else ''}{self.high:g}"


# Where 0 means "all", "off" or "none" it is in the range. ``Class.field`` is the field of that class alone.
_NAMES = {
    Range(0): "seed split_seed limit limits workers warmup decay log_every save_every check_every steps minutes scenes "
    "curriculum queue strangers hidden points_hidden points_refine pose patience shift sharpness spread inter units "
    "fatness age across box_weight none_price shares repeats categories classes attributes forms trunk prototypes "
    "tint gamma contrast brightness small_shift small_scale small_turn large_shift large_scale large_turn "
    "LossConfig.margin LossConfig.ramp",
    Range(1): "threads size stem widths blocks squeeze points_squeeze whole whole_squeeze view identity code dense "
    "identity_squeeze base width layers heads intermediate positions vocabulary detail batch people pictures sources "
    "targets rows accumulate check_items bank asked scored questions scene_questions turns scales memory recent large "
    "lowest passes fewest most",
    Range(2): "folds CheckConfig.scenes",
    Range(0, 1): "held_out negatives balance alike repeated mirror dropout proposals false_share passing first last "
    "until share grey ramp low_resolution blur motion sharpen smoothing noise jpeg occlusion large_share "
    "border_constant background encoder_rate",
    Range(0, 1, below=True): "average momentum photographs",
    Range(0, above=True): "rate clip margin temperature age_spread other_spread reach scale",
}
RANGES: Mapping[str, Range] = {name: known for known, names in _NAMES.items() for name in names.split()}


def check_ranges(config: Any) -> None:
    """Raises TrainingError for the first number, in the configuration or below it, that its field cannot be, and for
    parts whose own ``check()`` says that their numbers do not go together."""
    for place, value, known in _numbers(config):
        if not known.holds(value):
            raise TrainingError(f"{place}={value:g}: it must be {known.words()}")
    _check_parts(config)


def _numbers(config: Any, place: str = "") -> Iterator[tuple[str, float, Range]]:
    """Each number with its name and what it may be."""
    for field in fields(config):
        name, value = f"{place}{field.name}", getattr(config, field.name)
        own = f"{type(config).__name__}.{field.name}"
        known = RANGES.get(own, RANGES.get(field.name, Range()))
        for where, one in _members(name, value):
            if is_dataclass(one):
                yield from _numbers(one, f"{where}.")
            elif isinstance(one, int | float) and not isinstance(one, bool):
                yield where, one, known


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value, or those that it holds, with their names."""
    if isinstance(value, Mapping):
        yield from ((f"{name}[{key!r}]", one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{name}[{k}]", one) for k, one in enumerate(value))
    else:
        yield name, value


def _check_parts(config: Any) -> None:
    for field in fields(config):
        for _, one in _members("", getattr(config, field.name)):
            if is_dataclass(one):
                _check_parts(one)
    if hasattr(config, "check"):
        config.check()
