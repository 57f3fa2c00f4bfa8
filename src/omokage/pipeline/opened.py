"""Analyzers and comparers that stay open between calls of the plain functions (`omokage.compare`, `omokage.explain`).

Weights that were exchanged in their folder, or a relative path after a change of directory, are opened anew.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from omokage.comparison.predict import Comparer
from omokage.errors import WeightsError
from omokage.pipeline.analyzer import Analyzer
from omokage.weights.identity import Identity, identity
from omokage.weights.registry import DEFAULT_SET, has_model


def open_analyzer(weights: str | Path | None = None, device: str | None = None) -> Analyzer:
    """What finds, aligns and reads the faces: a weight set's networks, or the default set's where it has none. Raises
    WeightsError when there is no such set."""
    return _analyzer(identity(weights), device)


@lru_cache(maxsize=2)
def _analyzer(weights: Identity, device: str | None) -> Analyzer:
    given = weights.given
    return Analyzer(given if given is not None and has_model(given, "attributes") else None, None, device)


def open_both(
    weights: str | Path | None, device: str | None, analyzer: Analyzer | None, comparer: Comparer | None
) -> tuple[Analyzer, Comparer]:
    """What compares photographs: the given networks, or those of a set. The set of a given analyzer counts as `weights`
    where these are not named. Raises WeightsError."""
    chosen = set_of(weights, analyzer)
    return analyzer or open_analyzer(chosen, device), comparer or open_comparer(chosen, device)


def set_of(weights: str | Path | None, analyzer: Analyzer | None) -> str | Path | None:
    """The weights that are named, else those of a given analyzer."""
    return analyzer.weights if weights is None and analyzer is not None else weights


def open_comparer(weights: str | Path | None = None, device: str | None = None) -> Comparer:
    """The comparison network of a weight set, or the default set's where it has none. Raises WeightsError."""
    return _comparer(identity(weights), device)


@lru_cache(maxsize=2)
def _comparer(weights: Identity, device: str | None) -> Comparer:
    for chosen in (weights.given, DEFAULT_SET):
        if chosen is not None and has_model(chosen, "comparison"):
            return Comparer(chosen, device or "auto")
    raise WeightsError(
        f"the weights {str(weights.given or DEFAULT_SET)!r} hold no comparison network: train one with  omokage train "
        "comparison.shipped  and name its weights folder"
    )
