"""Everything that one training run of the dialogue room can choose, as frozen data that goes into its run folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from omokage.data.photometry import Photometry
from omokage.data.transforms import Geometry
from omokage.errors import TrainingError
from omokage.nn.stages import check_stages

PARTS = ("encoder", "projector", "language")
# What rows of a batch are made of: questions about a face, a face described, a talk of several turns about a face,
# questions about a scene without a face, such a scene described.
SOURCES = ("questions", "captions", "talks", "scenes", "scene_captions")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network: trunk and readers of the attributes room, a projector, a small decoder-only language model.

    A reader is a sub-network: its category in the attributes' weights, channels, hidden width (0: none).
    """

    size: int = 112
    margin: float = 1.3
    stem: int = 24
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (2, 2, 2)
    readers: tuple[tuple[str, int, int], ...] = (
        ("continuous-local-face", 64, 0),
        ("continuous-holistic", 40, 160),
        ("continuous-local-eyes", 40, 160),
        ("nominal-holistic", 40, 160),
        ("ordinal-holistic", 40, 160),
        ("ordinal-local-hair", 40, 160),
        ("nominal-local-mouth", 40, 160),
        ("nominal-local-eyes", 40, 160),
        ("nominal-local-hair", 40, 160),
    )
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    intermediate: int = 320
    positions: int = 512  # of the longest conversation, visual tokens included
    vocabulary: int = 1024
    dropout: float = 0.05  # of visual tokens, so that none is indispensable
    colours: bool = True  # cells and readings also know the picture's own colours

    def check(self) -> None:
        """Raises TrainingError where the settings make no network."""
        check_stages("network", self.size, self.widths, self.blocks)
        if not self.hidden or self.hidden % (2 * self.heads):
            raise TrainingError(
                f"network.hidden={self.hidden}: it must be a multiple of twice network.heads={self.heads}"
            )


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: which parts learn (name and peak rate; a part that is absent is frozen), from which rows (source and
    share), for how long (`steps`, or `minutes` when above 0), and from which weights (`parent`: a folder; empty = the
    stage before it). Raises TrainingError for parts or sources that nobody knows."""

    name: str
    rates: tuple[tuple[str, float], ...]
    mix: tuple[tuple[str, float], ...]
    steps: int = 1000
    minutes: float = 0.0
    parent: str = ""

    def __post_init__(self) -> None:
        for kind, names, known in (("part", self.rates, PARTS), ("source", self.mix, SOURCES)):
            for name, value in names:
                if name not in known or value <= 0:
                    raise TrainingError(
                        f"the stage {self.name!r} names the {kind} {name!r} with {value}: "
                        f"there are {', '.join(known)}, with numbers above 0"
                    )
        if not self.rates or not self.mix:
            raise TrainingError(f"the stage {self.name!r} trains nothing: give it parts with rates, and a data mix")


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Record folders and how rows are drawn from them. Pictures are not mirrored: questions know left and right."""

    folders: tuple[str, ...] = ()
    held_out: float = 0.05  # of the people, as in the attributes room: the encoder has not seen them either
    split_seed: int = 0
    limit: int = 0  # pictures a folder, 0 = all
    questions: int = 16  # about the picture of a row, each answered for itself
    scene_questions: int = 6
    turns: int = 4  # of a talk
    balance: float = 1.0  # how far rare answers are asked for as often as frequent ones, 0..1
    geometry: Geometry = field(default_factory=lambda: Geometry(large_share=0.1, mirror=0.0, background=0.0))
    photometry: Photometry = field(default_factory=lambda: Photometry(share=0.6, grey=0.1, occlusion=0.0))
    workers: int = 0


@dataclass(frozen=True, slots=True)
class DialogueConfig:
    """One run of all its `stages` in order, each in its own folder below `out`; `rows` pictures a step and process."""

    out: str
    stages: tuple[Stage, ...]
    network: NetworkConfig = NetworkConfig()
    data: DataConfig = DataConfig()
    seed: int = 0
    rows: int = 4
    accumulate: int = 1  # batches whose gradients are added up before a step
    warmup: int = 50
    clip: float = 1.0
    decay: float = 0.02
    average: float = 0.998
    threads: int = 1
    device: str = "auto"
    precision: Literal["auto", "full", "bfloat16"] = "auto"
    log_every: int = 50
    save_every: int = 200
    scored: int = 400  # held-out pictures that every stage is scored on
    asked: int = 8  # questions about each attribute or pair, in every scoring
    scenes: int = 150  # questions of each kind about the scenes without a face
    init: str = "synthetic"  # weight set or folder whose attributes network lends the encoder; empty = from nothing
    set: str = "synthetic"
    recipe: str = ""
    trained_on: str = "rendered heads and rendered scenes"
    data_licence: str = "CC0 geometry, rendered by this project"
    weights_licence: str = "Apache-2.0"
    limits: tuple[str, ...] = (
        "Knows only the words and things that rendered pictures taught it; whatever else it is asked, it guesses.",
        "Trained on rendered heads only: on photographs ask the attributes network as well, as `omokage ask` does.",
        "Not for decisions about people; it says nothing about who somebody is, where from, or what they are like.",
    )

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise TrainingError("a run needs at least one stage, and every stage a name of its own")
        faces = {"questions", "captions", "talks"}
        if not self.data.folders and any(name in faces for stage in self.stages for name, _ in stage.mix):
            raise TrainingError(
                "the run has no training data: give at least one record folder, for example data=['out/records']"
            )
        if self.rows < 1 or self.accumulate < 1:
            raise TrainingError("a step needs at least one row and one batch")
