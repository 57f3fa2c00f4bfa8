"""Which sides, widths and blocks make a `nn.trunk.ResidualTrunk`: asked of configurations, which load no torch."""

from __future__ import annotations

from collections.abc import Sequence

from omokage.errors import TrainingError


def check_stages(name: str, size: int, widths: Sequence[int], blocks: Sequence[int], detail: int = 1) -> None:
    """Raises TrainingError where the settings `name` make no trunk, or where its stride does not divide the side of a
    picture."""
    if not widths or len(widths) != len(blocks):
        raise TrainingError(
            f"{name}.widths names {len(widths)} stages and {name}.blocks {len(blocks)}: give as many of both, at least "
            "one"
        )
    if detail not in (1, 2):
        raise TrainingError(f"{name}.detail={detail}: it must be 1 or 2")
    stride = detail * 2 ** (1 + len(widths))
    if size % stride:
        raise TrainingError(f"{name}.size={size}: the trunk needs a multiple of {stride}")
