"""Everything that one training run of the embeddings room can choose, as frozen data that goes into its run folder.

The published system is FAb-Net (Wiles, Koepke and Zisserman, BMVC 2018). Every repair of it is one switch here, so that
each can be measured alone; the defaults are the repaired system, `recipes/embeddings.py` has both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from omokage.data.photometry import Photometry
from omokage.data.transforms import Geometry
from omokage.errors import TrainingError
from omokage.nn.stages import check_stages

WIDTH = 256  # numbers of a code, as published


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The encoder and the crop that it reads, which is the attributes room's: one crop serves both.

    `trunk` is "residual" (`nn.trunk`, its map read by a 1x1 convolution and a linear layer) or "published" (strided 4x4
    convolutions down to one cell). `size` must be a multiple of 16 for the first and a power of two for the second.
    """

    size: int = 112
    margin: float = 1.3  # crop side over the larger side of the box (brows to chin plus a tenth)
    trunk: Literal["residual", "published"] = "residual"
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (2, 2, 2)
    squeeze: int = 64  # channels of the map that the linear layer reads, every cell of it
    base: int = 32  # first width of the "published" trunk
    width: int = WIDTH

    def __post_init__(self) -> None:
        if self.trunk == "residual" and self.size % 2 ** (1 + len(self.widths)):
            raise TrainingError(
                f"a residual trunk with {len(self.widths)} stages needs a crop side that is a multiple of "
                f"{2 ** (1 + len(self.widths))}, not {self.size}"
            )
        if self.trunk == "published" and (self.size < 16 or self.size & (self.size - 1)):
            raise TrainingError(f"the published encoder needs a crop side of 16, 32, 64, 128 or 256, not {self.size}")

    def check(self) -> None:
        """Raises TrainingError where the settings make no trunk."""
        if self.trunk == "residual":
            check_stages("encoder", self.size, self.widths, self.blocks)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EncoderConfig:
        """The configuration that a card holds (`dataclasses.asdict`, lists for tuples); unknown keys are refused."""
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise ValueError(f"an encoder has no setting called {sorted(unknown)}")
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**settings)


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """How two codes become a flow, and how several warped sources become one picture.

    `masks`: "none" averages the warped sources; "bounded" is published (a tanh keeps the logits in -1..1, so no source
    can be rejected); "open" leaves them unbounded; "reject" adds a logit for none of them, which falls back to the mean
    colour of the sources plus one learnt picture, at a price (`LossConfig.none_price`).
    """

    kind: Literal["light", "published"] = "light"
    masks: Literal["none", "bounded", "open", "reject"] = "reject"
    pose: int = 64  # the first numbers of a code, which alone drive a smooth global flow; 0: the code is not divided
    widths: tuple[int, ...] = (128, 96, 48)  # of "light": the first map, then one entry for each doubling
    reach: float = 0.5  # largest local flow of "light", in half sides of the crop
    align_corners: bool = False  # of the sampler; the published code ran on a sampler that aligned them
    base: int = 32  # last but one width of "published"


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Mean absolute error between reconstruction and target, in 0..1 a channel."""

    scales: int = 3  # 1: full resolution only, as published; more: also halves of it, averaged
    none_price: float = 0.05  # of the share of the picture that no source explains


@dataclass(frozen=True, slots=True)
class CurriculumConfig:
    """Which ranks of difficulty, 0 easiest to 1 hardest, take part in a step.

    `difficulty`: "batch" ranks the losses of the batch at hand (published); "running" ranks the remembered difficulty
    of the frame pairs among the recent ones. `pace`: "plateau" moves the window by `shift` when the full-range
    validation loss has not improved for `patience` looks (published); "steady" moves it over the first `until` of the
    run.
    """

    difficulty: Literal["off", "batch", "running"] = "running"
    pace: Literal["plateau", "steady"] = "steady"
    first: tuple[float, float] = (0.0, 0.5)
    last: tuple[float, float] = (0.2, 1.0)
    shift: float = 0.1
    patience: int = 15
    until: float = 0.6
    memory: int = 1 << 18  # pairs whose difficulty is remembered
    recent: int = 4096  # difficulties that a new one is ranked among


@dataclass(frozen=True, slots=True)
class TracksConfig:
    """Track records and how items are made of them: one identity, one of its tracks, `sources` + 1 frames."""

    folders: tuple[str, ...] = ()
    cache: str = ""  # folder of the cut crops; empty = in the run folder
    held_out: float = 0.1  # share of the people
    split_seed: int = 0
    limit: int = 0  # at most so many frames a folder, 0 = all
    sources: int = 3
    targets: int = 2  # how many of the frames of an item are reconstructed in turn from all the others
    pairs: Literal["random", "motion"] = "motion"
    sharpness: float = 1.5  # of "motion": the chance of a frame grows with this power of its difference
    geometry: Geometry = field(default_factory=lambda: Geometry(large_share=0.15))
    photometric: bool = True  # codes are read off changed pictures; the unchanged ones are warped and compared
    photometry: Photometry = field(default_factory=lambda: Photometry(occlusion=0.1))
    workers: int = 1


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """One run. Length is `steps`, or `minutes` of wall time when that is above 0."""

    out: str
    encoder: EncoderConfig = EncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    loss: LossConfig = LossConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    data: TracksConfig = TracksConfig()
    seed: int = 0
    steps: int = 20_000
    minutes: float = 0.0
    batch: int = 16  # items (of sources + 1 frames)
    optimizer: Literal["adamw", "sgd"] = "adamw"
    rate: float = 1.5e-3
    encoder_rate: float = 1.0  # share of `rate` at which the encoder learns; less where it starts from weights
    # "cosine" falls to nothing over the run. "released" falls by 10 after 11 stalls past the last window, which never
    # came in practice; "paper" at the first of them.
    drop: Literal["cosine", "paper", "released"] = "cosine"
    momentum: float = 0.9  # of "sgd"
    decay: float = 0.02
    warmup: int = 200  # steps
    clip: float = 1.0
    average: float = 0.998  # of the moving average of the weights, per step; 0 = the last step's weights
    freeze_flow: bool = False  # the published second stage: only encoder and masks learn
    init: str = ""  # run folder, weights folder or shipped set that gives the first weights (`start.start_from`)
    threads: int = 1
    device: str = "auto"
    precision: Literal["auto", "full", "bfloat16"] = "auto"  # of trunk and decoder maps while training
    log_every: int = 50
    check_every: int = 1_000  # steps between looks at held-out people, 0 = only at the end
    check_items: int = 256  # held-out items of a look; the end report takes four times as many
    save_every: int = 500
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered tracks"
    data_licence: str = "CC0 geometry, rendered by this project"
    weights_licence: str = "Apache-2.0"
    limits: tuple[str, ...] = (
        "A code also carries traces of identity: treat stored codes as personal data.",
        "Meant for upright crops as the pipeline cuts them; codes of other crops differ.",
    )

    def __post_init__(self) -> None:
        if not self.data.folders:
            raise TrainingError(
                "the run has no training data: give at least one folder of track records, for example data=out/tracks"
            )
        if self.batch < 2:
            raise TrainingError(f"a batch needs at least 2 items for batch norm, not {self.batch}")
        if self.data.sources < 1 or not 1 <= self.data.targets <= self.data.sources + 1:
            raise TrainingError(
                f"an item of {self.data.sources} sources and a target cannot have {self.data.targets} targets in turn"
            )
        if not 0 < self.encoder_rate <= 1:
            raise TrainingError(f"the encoder learns at a share above 0 to 1 of the rate, not {self.encoder_rate}")
        if not 0 <= self.decoder.pose < self.encoder.width:
            raise TrainingError(f"the pose part of a code of {self.encoder.width} cannot be {self.decoder.pose} long")
        if self.decoder.kind == "published" and self.decoder.pose:
            raise TrainingError("the published decoder does not divide the code: set decoder.pose=0")
