"""Measures of published work against hand-made cases and slow textbook versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.metrics.published import (
    age_mae,
    attribute_scores,
    cumulative_score,
    eps_error,
    mean_accuracy,
    mean_balanced_accuracy,
)

ages = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0.1, 20)), min_size=1, max_size=20)


@settings(deadline=None, max_examples=40)
@given(ages)
def test_age_measures_agree_with_plain_loops(rows: list[tuple[float, float, float]]) -> None:
    p, t, s = (list(column) for column in zip(*rows, strict=True))
    n = len(rows)
    assert age_mae(p, t) == pytest.approx(sum(abs(a - b) for a, b in zip(p, t, strict=True)) / n)
    assert cumulative_score(p, t) == pytest.approx(sum(abs(a - b) <= 5 for a, b in zip(p, t, strict=True)) / n)
    slow = sum(1 - math.exp(-((a - b) ** 2) / (2 * c * c)) for a, b, c in rows) / n
    assert eps_error(p, t, s) == pytest.approx(slow, abs=1e-12)


def test_unknown_ages_do_not_count() -> None:
    assert age_mae([10, 99], [13, math.nan]) == 3
    assert cumulative_score([10, 99], [13, math.nan]) == 1
    with pytest.raises(ValueError, match="no label"):
        age_mae([1], [math.nan])


def test_eps_error_without_spread_is_hit_or_miss() -> None:
    assert eps_error([20, 21], [20, 20], [0, 0]) == 0.5
    with pytest.raises(ValueError, match="negative"):
        eps_error([20], [20], [-1])


def test_balanced_accuracy_sees_through_always_no() -> None:
    truth = np.array([[1, 0], [0, 0], [0, 0], [0, np.nan]], float)
    rare, absent = attribute_scores(("rare", "absent"), np.zeros((4, 2)), truth)
    assert (rare.accuracy, rare.balanced, rare.majority, rare.count) == (0.75, 0.5, 0.75, 4)
    assert (absent.accuracy, absent.balanced, absent.count) == (1.0, None, 3)
    assert mean_accuracy([rare, absent]) == 0.875
    assert mean_balanced_accuracy([rare, absent]) == 0.5


def test_columns_without_labels_are_left_out_and_shapes_are_checked() -> None:
    assert attribute_scores(("a",), [[0.3]], [[math.nan]]) == []
    with pytest.raises(ValueError, match="fit together"):
        attribute_scores(("a", "b"), [[0.3]], [[1]])
