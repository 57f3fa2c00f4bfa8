"""Metrics against slow or hand-made answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import accuracy, area_under_curve, balanced_accuracy, calibration_error
from omokage.metrics.landmarks import normalised_error
from omokage.metrics.ranks import rank_correlation, ranks
from omokage.metrics.regression import angle_error, correlation, coverage, mean_absolute_error
from omokage.metrics.verification import equal_error, even_limit


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_area_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    score, positive = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    area = area_under_curve(score, positive)
    if positive.all() or not positive.any():
        assert np.isnan(area)
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    assert area == pytest.approx(np.mean(pairs))


def test_accuracy_and_its_balanced_form() -> None:
    predicted, true = np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])
    assert accuracy(predicted, true) == 0.75
    assert balanced_accuracy(predicted, true) == 0.5


def test_calibration_error_of_honest_and_boastful_probabilities() -> None:
    assert calibration_error([0.5, 0.5], [1, 0]) == pytest.approx(0.0)
    assert calibration_error([0.95] * 4, [1, 0, 0, 0]) == pytest.approx(0.7)


def test_numbers() -> None:
    assert mean_absolute_error([1, 2], [2, 4]) == 1.5
    assert coverage([0, 0], [1, 1], [0.5, 2]) == 0.5
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert correlation([1, 1], [2, 3]) == 0
    assert angle_error([179.0], [-179.0])[0] == pytest.approx(2)
    with pytest.raises(ValueError, match="one shape"):
        mean_absolute_error([1], [1, 2])


def test_landmark_error_scales_with_the_face() -> None:
    square = np.array([[[0.0, 0], [10, 0], [10, 10], [0, 10]]])
    assert normalised_error(square + np.array([1.0, 0]), square)[0] == pytest.approx(0.1)
    assert normalised_error(square * 5 + np.array([5.0, 0]), square * 5)[0] == pytest.approx(0.1)
    face = np.zeros((1, 68, 2))
    face[0, 45, 0] = 4
    assert normalised_error(face + np.array([0, 1.0]), face, by="outer_eyes")[0] == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no such size"):
        normalised_error(square, square, by="nose")


def test_bootstrap_holds_the_mean_and_widens_with_groups() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=20), 10)  # ten equal pictures of each person
    people = [str(i // 10) for i in range(200)]
    alone = interval(lambda v: float(v.mean()), values)
    together = interval(lambda v: float(v.mean()), values, groups=people)
    assert alone[0] < values.mean() < alone[1]
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    assert interval(lambda v: float(v.mean()), values) == alone
    assert interval(lambda v: float(v.mean()), values, groups=people, fewest=20) == together
    assert np.isnan(interval(lambda v: float(v.mean()), values, groups=people, fewest=21)).all()


def test_ties_share_their_rank() -> None:
    assert ranks([30, 10, 20, 20]).tolist() == [4, 1, 2.5, 2.5]
    assert ranks([[2.0], [1.0]]).tolist() == [[2], [1]]


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 1, 2, 3], [5, 5, 6, 7]) == pytest.approx(1)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])) == 0


def test_equal_error_of_small_samples() -> None:
    assert equal_error(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 0
    assert equal_error(np.array([0.1, 0.9]), np.array([0.2, 0.8])) == pytest.approx(0.5)
    assert even_limit(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == pytest.approx(0.8)
