"""Everything that one training run of the comparison room can choose, as frozen data that goes into its run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from omokage.data.photometry import Photometry
from omokage.data.transforms import Geometry
from omokage.errors import TrainingError
from omokage.nn.stages import check_stages
from omokage.schema import UNITS

# The expression units that are compared: where the eyes look follows from pose and gaze, and is no change of the face.
COMPARED_UNITS = tuple(name for name in UNITS if not name.startswith("eyeLook"))
FACTORS = (*COMPARED_UNITS, "fatness", "age")
# What one unit of the network's output stands for, in the factor's own unit (0..1, the renderer's scale, years).
SCALES: Mapping[str, float] = {**dict.fromkeys(COMPARED_UNITS, 1.0), "fatness": 1.0, "age": 20.0}
LOOKS = (
    "glasses",
    "hair",
    "beard",
    "makeup",
    "eyes_closed",
    "hat",
)  # named other differences: neither change nor noise
NUISANCE = ("light", "pose", "camera")
PHOTOMETRY = Photometry(share=0.8, grey=0.15, occlusion=0.08, low_resolution=0.2, lowest=24, noise=0.4, jpeg=0.4)


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network: the trunk of the attributes room, a state map for changes, a code for identity."""

    size: int = 112
    detail: int = 1  # 2: pictures of 224 px at nearly the price of 112 (`nn.trunk`)
    margin: float = 1.3
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (2, 2, 2)
    squeeze: int = 64  # channels of the state map, every cell of which takes part in a comparison
    whole_squeeze: int = 40
    whole: int = 160  # features of the whole face (age, fatness) that join the state
    view: int = 256  # width in which two states meet
    hidden: int = 192
    identity_squeeze: int = 48
    identity: int = 128  # width of the identity code
    dropout: float = 0.1
    intra: Literal["antisymmetric", "concatenated"] = "antisymmetric"  # "concatenated": signs are learnt, for ablation

    def check(self) -> None:
        """Raises TrainingError where the settings make no network."""
        check_stages("network", self.size, self.widths, self.blocks, self.detail)
        if not self.hidden:
            raise TrainingError("network.hidden=0: it must be 1 or more")


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of the parts; 0 leaves a part out.

    `form` of the loss of changes: ``relative``, a squared error counted in the usual size of each factor's change
    (Huber's, so that rare factors stay bounded), or ``absolute``, a smooth absolute error in the factors' own units.
    """

    form: Literal["relative", "absolute"] = "relative"
    units: float = 2.0
    fatness: float = 0.7
    age: float = 0.7
    spread: float = 0.08  # learning how large the own error is
    inter: float = 0.2  # contrastive over identities
    temperature: float = 0.12
    queue: int = 3072  # codes of earlier batches that serve as strangers


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Record folders (pictures of one `person` belong together) and how batches are drawn from them."""

    folders: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()  # those of the folders of which nobody is held out
    calibration: tuple[str, ...] = ()  # further folders, of which nothing is learnt: pairs that differ by the day alone
    controlled: tuple[str, ...] = ()  # the same, with the head held and lit alike: intervals and thresholds of such
    shares: tuple[float, ...] = ()  # of the people of a batch, one for each folder; empty = by the number of people
    held_out: float = 0.08
    split_seed: int = 0
    limit: int = 0  # people a folder, 0 = all
    pictures: int = 4  # of each person in a batch; all their pairs are compared
    across: float = 0.25  # weight of pairs of two people: their states differ by known amounts as well; 0 = none
    alike: float = 0.5  # share of a batch's people that are like the one before in sex, skin and age: hard strangers
    repeated: float = 0.12  # share of pictures that are the same photograph again, cut and changed anew: no change
    nameless: tuple[str, ...] = ()  # those of the folders whose people take no part in the contrast of people
    geometry: Geometry = field(default_factory=lambda: Geometry(large_share=0.1, background=0.3))
    photometry: Photometry = PHOTOMETRY
    workers: int = 1


@dataclass(frozen=True, slots=True)
class ComparisonConfig:
    """One run. Length is `steps`, or `minutes` of wall time when that is above 0.

    `curriculum` is the number of steps over which small changes and strong nuisance come in; 0 = everything at once.
    """

    out: str
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    data: DataConfig = DataConfig()
    seed: int = 0
    steps: int = 6_000
    minutes: float = 0.0
    people: int = 12  # in a batch
    rate: float = 1.5e-3
    decay: float = 0.02
    warmup: int = 150
    clip: float = 5.0
    average: float = 0.998
    curriculum: int = 800
    threads: int = 1
    device: str = "auto"
    precision: Literal["auto", "full", "bfloat16"] = "auto"  # of the trunk while training
    log_every: int = 50
    save_every: int = 500
    frozen: bool = False  # the trunk stays as `init` has it: a step costs half as much
    # Weight sets or folders to start from, separated by commas: SET takes the comparison network, else the attributes
    # network; SET:attributes, SET:comparison and SET:identity (its identity code alone) say which.
    init: str = ""
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered heads"
    data_licence: str = "CC0 geometry, rendered by this project"
    weights_licence: str = "Apache-2.0"
    limits: tuple[str, ...] = (
        "Calibrated on rendered people: on photographs intervals are too narrow and rates of false calls are higher.",
        "Fatness is a visual estimate on the renderer's scale, not kilograms; age is apparent age. Not for diagnosis.",
        "A fifth of every fifth expression unit moves no point of the face by a pixel of the network's picture.",
        "The same-person check guards a comparison against a mix-up; it is no means of identification. At its limit as "
        "many rendered pairs of one person are declined as strangers pass that are alike in sex, skin and age.",
    )

    def __post_init__(self) -> None:
        if not self.data.folders:
            raise TrainingError(
                "the run has no training data: give at least one record folder, for example data=['out/visits']"
            )
        if self.data.shares and len(self.data.shares) != len(self.data.folders):
            raise TrainingError(f"{len(self.data.folders)} record folders but {len(self.data.shares)} shares: one each")
        if self.frozen and not self.init:
            raise TrainingError("a frozen trunk needs weights to start from: name some with init=")
        if self.people < 2 or self.data.pictures < 2:
            raise TrainingError("a batch needs at least two people with two pictures each")
