"""Raters of known noise: the ceiling that they set is the one that the noise implies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.explain.ratings import ceiling, rater_accuracy, reliability
from omokage.metrics.regression import correlation


def simulated(pictures: int, raters: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True impressions of standard deviation 1, and what raters of that noise say."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1, pictures)
    return true, true[:, None] + rng.normal(0, noise, (pictures, raters))


def split_half(ratings: np.ndarray, halves: int = 100, seed: int = 0) -> float:
    """Reliability of the mean rating by random halves of the raters: mean correlation r, stepped up to 2r / (1 + r)
    (Spearman and Brown, 1910)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(halves):
        order = rng.permutation(ratings.shape[1])
        one, two = (np.nanmean(ratings[:, part], 1) for part in np.array_split(order, 2))
        both = np.isfinite(one) & np.isfinite(two)
        r = correlation(one[both], two[both])
        found.append(2 * r / (1 + r) if r > -1 else 0.0)
    return float(np.mean(found))


@settings(max_examples=12, deadline=None)
@given(noise=st.floats(0.3, 2.5), raters=st.integers(2, 12), seed=st.integers(0, 99))
def test_the_ceiling_is_what_the_noise_implies(noise: float, raters: int, seed: int) -> None:
    _, said = simulated(8000, raters, noise, seed)  # the bounds below are over three standard errors
    expected = 1 / (1 + noise**2 / raters)
    found, spread = reliability(said)
    assert found == pytest.approx(expected, abs=0.07)
    assert spread == pytest.approx(noise, rel=0.08)
    assert split_half(said, 20) == pytest.approx(expected, abs=0.09)


def test_a_program_that_knows_the_truth_reaches_the_ceiling_and_no_more() -> None:
    true, said = simulated(800, 5, 1.5)
    best = ceiling(said, nominal=False)
    assert best is not None
    reached = float(np.corrcoef(true, said.mean(1))[0, 1])
    assert best.low < reached < best.high
    assert best.value == pytest.approx(reached, abs=0.03)
    assert best.error == pytest.approx(float(np.abs(true - said.mean(1)).mean()), rel=0.08)
    assert (best.raters, best.pictures) == (5.0, 800)


def test_strict_raters_do_not_lower_it_when_everyone_rates_everything() -> None:
    _, said = simulated(300, 4, 1.0)
    strict = said + np.array([0.0, 2.0, -3.0, 1.0])
    assert reliability(strict)[0] == pytest.approx(reliability(said)[0], abs=1e-9)


def test_missing_ratings_are_allowed() -> None:
    _, said = simulated(2000, 6, 1.2, 3)
    said[np.random.default_rng(0).random(said.shape) < 0.4] = np.nan
    several = said[np.isfinite(said).sum(1) >= 2]
    share = float((1 / np.isfinite(several).sum(1)).mean())
    assert reliability(several)[0] == pytest.approx(1 / (1 + 1.2**2 * share), abs=0.05)


def test_raters_of_classes_against_the_others_and_too_few_pictures() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 600)
    said = np.where(rng.random((600, 5)) < 0.85, true[:, None], 1 - true[:, None]).astype(float)
    best = ceiling(said, nominal=True)
    assert best is not None
    majority = 0.85 * 0.973 + 0.15 * 0.027  # of four others, ties apart
    assert rater_accuracy(said) == pytest.approx(majority, abs=0.03)
    assert ceiling(said[:9], nominal=True) is None
    with pytest.raises(ValueError, match="two ratings"):
        reliability(np.array([[1.0, np.nan], [2.0, 3.0]]))
