"""Everything that one training run of the same-person check can choose, as frozen data for its run folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from omokage.comparison.config import PHOTOMETRY
from omokage.data.photometry import Photometry
from omokage.data.transforms import Geometry
from omokage.errors import TrainingError
from omokage.nn.stages import check_stages


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The trunk of the attributes room and a code that says who it is."""

    size: int = 112
    margin: float = 1.3  # as in the comparison, whose crops it sees
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (2, 2, 2)
    squeeze: int = 48  # channels of the map whose every cell takes part in the code
    code: int = 128

    def check(self) -> None:
        """Raises TrainingError where the settings make no network."""
        check_stages("network", self.size, self.widths, self.blocks)


@dataclass(frozen=True, slots=True)
class LossConfig:
    """`scale` and `margin` of the cosines to each person's prototype; the margin comes in over `ramp` steps.
    `strangers` weighs how far photographs of strangers are kept apart, at `temperature`, also from `queue` earlier
    ones."""

    scale: float = 20.0
    margin: float = 0.25
    ramp: int = 1000
    strangers: float = 1.0
    temperature: float = 0.1
    queue: int = 4096


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Record folders: of rendered people with several pictures each, and of `photographs` of people nobody of whom is
    on two of them."""

    folders: tuple[str, ...] = ()
    calibration: tuple[str, ...] = ()  # further folders, of which nothing is learnt
    photographs: tuple[str, ...] = ()
    held_out: float = 0.04  # of the people of `folders`
    split_seed: int = 0
    limit: int = 0  # people a folder, 0 = all
    people: int = 20  # in a batch
    pictures: int = 4  # of each
    strangers: int = 64  # photographs in a batch
    alike: float = 0.5  # share of a batch's people that are like the one before in sex, skin and age
    geometry: Geometry = field(default_factory=lambda: Geometry(large_share=0.1, background=0.6))
    photometry: Photometry = PHOTOMETRY
    workers: int = 1


@dataclass(frozen=True, slots=True)
class VerificationConfig:
    """One run. Length is `steps`, or `minutes` of wall time when that is above 0."""

    out: str
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    data: DataConfig = DataConfig()
    seed: int = 0
    steps: int = 5_000
    minutes: float = 0.0
    rate: float = 2e-3
    trunk: float = 0.5  # rate of the trunk, times `rate`
    prototypes: float = 5.0  # rate of the people's prototypes, times `rate`
    decay: float = 0.02
    warmup: int = 200
    clip: float = 5.0
    average: float = 0.998
    threads: int = 1
    device: str = "auto"
    precision: Literal["auto", "full", "bfloat16"] = "auto"  # of the trunk while training
    log_every: int = 50
    save_every: int = 250
    passing: float = 0.0  # of rendered strangers alike in sex, skin and age; 0: as many as pairs of one are declined
    beside: str = ""  # a weight set whose comparison network's own code joins this one's, where it helps
    # A weight set or folder to start from: SET takes its verification network, else the trunk of its attributes;
    # SET:attributes and SET:verification say which.
    init: str = ""
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered heads"
    data_licence: str = "CC0 geometry, rendered by this project"
    weights_licence: str = "Apache-2.0"
    limits: tuple[str, ...] = (
        "It guards a comparison against a mix-up; it is no means of identification.",
        "Calibrated on rendered people: of real people, photographed on unlike days, its limit declines and lets pass "
        "more.",
        "Photographs chose, among six short runs, how often backgrounds are exchanged while learning and, for the open "
        "set, how many photographs of strangers are in a batch; and how strict the limit is, among six settings.",
    )

    def __post_init__(self) -> None:
        if not self.data.folders:
            raise TrainingError(
                "the run has no training data: give at least one record folder, for example data=['out/visits']"
            )
        if self.data.people < 2 or self.data.pictures < 2:
            raise TrainingError("a batch needs at least two people with two pictures each")
