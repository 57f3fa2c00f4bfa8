"""Every error that omokage raises on purpose.

    OmokageError
    ├── InputError              the user's input: a missing path, a bad option, a table without the needed column
    │   └── UnreadableError     a picture, video or table that cannot be decoded
    ├── OutputError             a result that cannot be written: the disk is full
    │   └── PlaceError          a place that could never be written: no such folder, no permission, an input's own file
    ├── RecordError             a record or shard that breaks the record format
    ├── WeightsError            weights that are unknown, damaged (hash differs) or do not fit the network
    ├── TrainingError           a run that cannot start or go on (bad recipe, foreign checkpoint, diverged loss)
    └── MissingExtraError       an optional dependency is needed; the text gives the install line

The text of each is one sentence or two for the person who typed the command: what was given, what is wrong with it,
what to do next. Programming mistakes are not in this tree: they stay ``ValueError``, ``TypeError`` or ``assert``.
"""

from __future__ import annotations


class OmokageError(Exception):
    """Root of everything raised on purpose; the command line prints its text and exits without a traceback."""


class InputError(OmokageError):
    """What the user gave cannot be used."""


class UnreadableError(InputError):
    """A file exists but its content cannot be decoded."""


class OutputError(OmokageError):
    """A result cannot be written where it was asked for."""


class PlaceError(OutputError):
    """The place that was asked for is wrong, whatever would be written there."""


class RecordError(OmokageError):
    """A record or a shard breaks the record format."""


class WeightsError(OmokageError):
    """Weights are unknown, damaged or do not fit."""


class TrainingError(OmokageError):
    """A training run cannot start or cannot go on."""


class MissingExtraError(OmokageError):
    """An optional dependency is missing, or is there in a release that cannot be loaded: `why` tells which."""

    def __init__(self, feature: str, extra: str, why: ImportError | None = None) -> None:
        said = f" ({why})" if why else ""
        super().__init__(f"{feature} needs the extra {extra!r}: install it with  pip install 'omokage[{extra}]'{said}")
        self._given = feature, extra, why

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, ImportError | None]]:
        return type(self), self._given  # as of all errors: worker processes hand it on
