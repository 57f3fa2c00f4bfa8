"""Blind verdicts: who meets whom, and what the verdicts add up to."""

from __future__ import annotations

import pytest

from omokage.explain.rating import Duel, Verdict, agreement, duels


def test_every_pair_of_methods_meets_on_every_picture_with_random_sides() -> None:
    listed = duels([f"{k}.png" for k in range(20)], ["one", "two", "three"], seed=3)
    assert len(listed) == 60
    assert len({(d.picture, frozenset((d.left, d.right))) for d in listed}) == 60
    assert [d.number for d in listed] == list(range(1, 61))
    assert 5 < sum(d.left == "one" for d in listed) < 35
    assert listed == duels([f"{k}.png" for k in range(20)], ["one", "two", "three"], seed=3)


def test_wins_and_agreement() -> None:
    listed = [Duel(1, "p", "x", "y"), Duel(2, "p", "y", "x"), Duel(3, "q", "x", "y")]
    said = [Verdict("ann", 1, "b"), Verdict("ann", 1, "a"), Verdict("ann", 2, "b"), Verdict("ann", 3, "="),
            Verdict("bob", 1, "a"), Verdict("bob", 2, "a"), Verdict("eve", 99, "a")]  # fmt: skip
    found = agreement(listed, said)
    assert found.wins == {"x": (3, 1, 1), "y": (1, 3, 1)}
    assert found.shared == 2
    assert found.raters == pytest.approx(0.5)
    assert found.kappa == pytest.approx((0.5 - 0.625) / (1 - 0.625))


def test_one_rater_agrees_with_nobody() -> None:
    found = agreement([Duel(1, "p", "x", "y")], [Verdict("ann", 1, "a")])
    assert found.raters is None
    assert found.kappa is None
