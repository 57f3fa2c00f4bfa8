"""omokage: reads attributes off faces, with uncertainty and evidence, on your own machine.

    import omokage

    analyzer = omokage.Analyzer()
    faces = analyzer("team.jpg")        # list[FaceAnalysis], largest face first
    faces[0].age                        # AgeEstimate(years=..., q05=..., q95=...)

Public names are loaded at first use: importing the package loads neither torch nor numba, OpenCV or pyarrow.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omokage.dialogue.answers import Answer
    from omokage.embeddings.predict import Embedder
    from omokage.errors import (
        InputError,
        MissingExtraError,
        OmokageError,
        OutputError,
        RecordError,
        TrainingError,
        UnreadableError,
        WeightsError,
    )
    from omokage.media.image import read_image
    from omokage.media.sinks import FacesSink
    from omokage.media.sources import Source
    from omokage.media.table import Reading
    from omokage.pipeline import Analyzer, AnalyzerConfig, ReviewRules
    from omokage.pipeline.adapt import AdaptOptions, adapt
    from omokage.pipeline.compare import compare
    from omokage.pipeline.description import describe
    from omokage.pipeline.dialogue import Talk, ask
    from omokage.pipeline.explain import explain
    from omokage.results import (
        EXPRESSIONS,
        AgeEstimate,
        Box,
        Categorical,
        Change,
        Detection,
        FaceAnalysis,
        FaceChange,
        FaceCrop,
        Pose,
        RelevanceMap,
        Scalar,
    )
    from omokage.schema import AttributeSchema

__version__ = "0.1.0"

_HOMES = {
    "omokage.dialogue.answers": ("Answer",),
    "omokage.embeddings.predict": ("Embedder",),
    "omokage.errors": (
        "InputError", "MissingExtraError", "OmokageError", "OutputError", "RecordError", "TrainingError",
        "UnreadableError", "WeightsError",
    ),
    "omokage.media.image": ("read_image",),
    "omokage.media.sinks": ("FacesSink",),
    "omokage.media.sources": ("Source",),
    "omokage.media.table": ("Reading",),
    "omokage.pipeline": ("Analyzer", "AnalyzerConfig", "ReviewRules"),
    "omokage.pipeline.adapt": ("AdaptOptions", "adapt"),
    "omokage.pipeline.compare": ("compare",),
    "omokage.pipeline.description": ("describe",),
    "omokage.pipeline.dialogue": ("Talk", "ask"),
    "omokage.pipeline.explain": ("explain",),
    "omokage.results": (
        "EXPRESSIONS", "AgeEstimate", "Box", "Categorical", "Change", "Detection", "FaceAnalysis", "FaceChange",
        "FaceCrop", "Pose", "RelevanceMap", "Scalar",
    ),
    "omokage.schema": ("AttributeSchema",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "EXPRESSIONS",
    "AdaptOptions",
    "AgeEstimate",
    "Analyzer",
    "AnalyzerConfig",
    "Answer",
    "AttributeSchema",
    "Box",
    "Categorical",
    "Change",
    "Detection",
    "Embedder",
    "FaceAnalysis",
    "FaceChange",
    "FaceCrop",
    "FacesSink",
    "InputError",
    "MissingExtraError",
    "OmokageError",
    "OutputError",
    "Pose",
    "Reading",
    "RecordError",
    "RelevanceMap",
    "ReviewRules",
    "Scalar",
    "Source",
    "Talk",
    "TrainingError",
    "UnreadableError",
    "WeightsError",
    "adapt",
    "ask",
    "compare",
    "describe",
    "explain",
    "read_image",
]


class _Skin(ModuleType):
    """`omokage.explain` is the function, though a room has the same name: importing the room must not take its
    place."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Skin


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'omokage' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
