"""What a folder of records is to hold: a plan draws one group of pictures (of one person) at a time.

A plan is a frozen dataclass; its fields are the configuration that is stored beside the shards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Scene


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a group: its scene, its group columns (record column `groups`) and facts for its provenance."""

    scene: Scene
    groups: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Plan(Protocol):
    """Anything that draws groups of shots of one person; must be a frozen dataclass that survives pickling."""

    @property
    def group_size(self) -> int:
        """Pictures in a group."""

    def draw(self, rng: np.random.Generator) -> tuple[Shot, ...]:
        """One group."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Independent scenes, `per_person` of each person (the painted skin, the dearest step, is shared among them)."""

    sampler: SceneSampler = field(default_factory=SceneSampler)
    per_person: int = 4

    @property
    def group_size(self) -> int:
        return self.per_person

    def draw(self, rng: np.random.Generator) -> tuple[Shot, ...]:
        """The pictures of one person."""
        person = self.sampler.people.draw(rng)
        return tuple(Shot(self.sampler.picture(rng, person)) for _ in range(self.per_person))
