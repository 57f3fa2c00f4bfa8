"""Identity in codes: seen where it is, gone where it was taken out, and the rest kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from omokage.embeddings.leakage import (
    IdentityProjection,
    Projected,
    fit_identity_projection,
    halves,
    identity_leakage,
    removal_curve,
)
from omokage.embeddings.predict import FunctionEncoder
from omokage.errors import InputError
from omokage.nn.probe import fit_probe


def material(people: int = 40, each: int = 8, seed: int = 0) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Codes (n, 20): four numbers say who, six say the state, the rest is noise, all of them mixed."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    state = rng.normal(size=(len(who), 6))
    parts = np.hstack([2 * rng.normal(size=(people, 4))[who], state, 0.3 * rng.normal(size=(len(who), 10))])
    return parts @ np.linalg.qr(rng.normal(size=(20, 20)))[0], [f"p{k}" for k in who], state


def test_identity_is_seen_where_it_is_and_not_where_it_is_not() -> None:
    codes, people, _ = material()
    found = identity_leakage(codes, people)
    assert found.accuracy > 0.6
    assert found.chance == 1 / 40
    assert found.verification > 0.7
    noise = identity_leakage(np.random.default_rng(0).normal(size=codes.shape), people)
    assert noise.accuracy < 0.1
    assert abs(noise.verification - 0.5) < 0.05


@pytest.mark.parametrize("remove", [1, 3])
def test_removed_directions_are_those_of_linear_discriminants(remove: int) -> None:
    """With the shrinkage that is in use, scikit-learn's discriminants are constant after the projection."""
    codes, people, _ = material()
    projection = fit_identity_projection(codes, people, remove)
    oracle = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1).fit(codes, people)
    told = oracle.transform(projection.apply(codes))[:, :remove]
    assert np.abs(told.std(0)).max() < 0.05 * oracle.transform(codes)[:, :remove].std(0).min()


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(0, 9))
def test_projecting_twice_is_projecting_once_and_the_mean_stays(remove: int, seed: int) -> None:
    codes, people, _ = material(15, 4, seed)
    projection = fit_identity_projection(codes, people, remove)
    once = projection.apply(codes)
    np.testing.assert_allclose(projection.apply(once), once, atol=1e-4)
    np.testing.assert_allclose(once.mean(0), codes.mean(0), atol=1e-4)
    assert projection.removed == remove
    again = IdentityProjection.from_arrays(projection.to_arrays())
    np.testing.assert_array_equal(again.apply(codes), once)


def test_the_state_survives_what_identity_does_not() -> None:
    codes, people, state = material(60)
    curve = removal_curve(codes, people, remove=(0, 4, 8))
    assert [r.removed for r in curve] == [0, 4, 8]
    assert curve[0].leakage.accuracy > 0.5
    assert curve[1].leakage.accuracy < 0.15
    cleaned = fit_identity_projection(codes, people, 4).apply(codes)
    kept = fit_probe(cleaned, state, "continuous", groups=people)
    assert (kept.sigma < 0.5).all()


def test_sessions_are_not_split() -> None:
    who = np.repeat(["a", "b", "c"], [6, 6, 1])
    days = [f"{k // 2}" for k in range(13)]
    learn, judge = halves(who, days, 0)
    assert not {d for d, own in zip(days, learn, strict=True) if own} & {
        d for d, own in zip(days, judge, strict=True) if own
    }
    assert not (learn | judge)[12], "one picture alone teaches nothing"
    learn, judge = halves(np.repeat(["a"], 6), ["one"] * 6, 0)
    assert learn.tolist() == [True] * 3 + [False] * 3


def test_projected_is_an_encoder_again() -> None:
    codes, people, _ = material(10, 4)
    projection = fit_identity_projection(codes, people, 5)
    inner = FunctionEncoder("x", 8, 1.3, lambda crops: codes[: len(crops)])
    cleaned = Projected(inner, projection)
    assert (cleaned.name, cleaned.size, cleaned.margin) == ("x less 5", 8, 1.3)
    crops = np.zeros((3, 8, 8, 3), np.uint8)
    np.testing.assert_allclose(cleaned.encode(crops), projection.apply(codes[:3]), atol=1e-5)


def test_too_little_material_is_said() -> None:
    with pytest.raises(InputError, match="two people"):
        identity_leakage(np.zeros((3, 2)), ["a", "b", "c"])
    with pytest.raises(InputError, match="two people"):
        fit_identity_projection(np.zeros((2, 2)), ["a", "a"], 1)
    with pytest.raises(InputError, match="four"):
        removal_curve(np.zeros((4, 2)), ["a", "a", "b", "b"])
    with pytest.raises(ValueError, match="no identity projection"):
        IdentityProjection.from_arrays({})
