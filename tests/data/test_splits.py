"""Identity splits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.data.splits import folds, held_out


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=4), min_size=1, max_size=40), st.integers(0, 3))
def test_a_person_is_on_one_side_whatever_the_order(people: list[str], seed: int) -> None:
    forward = dict(zip(people, held_out(people, 0.4, seed), strict=True))
    backward = dict(zip(people[::-1], held_out(people[::-1], 0.4, seed), strict=True))
    assert forward == backward


def test_about_the_fraction_is_held_out() -> None:
    people = [f"p{i}" for i in range(4000)]
    assert held_out(people, 0.1).mean() == pytest.approx(0.1, abs=0.02)
    assert not held_out(people, 0.0).any()
    assert held_out(people, 1.0).all()
    with pytest.raises(ValueError, match="fraction"):
        held_out(people, 1.5)


def test_folds_cover_everything_once() -> None:
    people = [f"p{i // 3}" for i in range(900)]
    which = folds(people, 5)
    assert set(which) == set(range(5))
    assert all(len(set(which[i : i + 3])) == 1 for i in range(0, 900, 3))
    assert np.bincount(which).min() > 120
