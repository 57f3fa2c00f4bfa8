"""Probes against scikit-learn in float64, and what must hold for any probe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.model_selection import LeaveOneGroupOut

from omokage.nn.linear import log_loss, ridge_path, softmax, softmax_path
from omokage.nn.probe import Kind, Probe, fit_probe, inner_folds, standard
from omokage.nn.published_probe import Descent, fit_published_probe

Floats = NDArray[np.float64]


def features(count: int, width: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


def classes_of(x: Floats, count: int, seed: int = 1) -> NDArray[np.str_]:
    rng = np.random.default_rng(seed)
    odds = standard_of(x) @ rng.normal(size=(x.shape[1], count)) + rng.gumbel(size=(len(x), count))
    return np.array([f"c{k}" for k in odds.argmax(1)])


def standard_of(x: Floats) -> Floats:
    mean, scale = standard(x)
    return (x - mean) / scale


@pytest.mark.parametrize(("count", "width"), [(60, 8), (12, 30)])
def test_ridge_is_scikit_learns(count: int, width: int) -> None:
    x = standard_of(features(count, width))
    y = np.random.default_rng(2).normal(size=(count, 3)) + 5
    strengths = (0.01, 1.0, 30.0)
    for strength, (weight, bias) in zip(strengths, ridge_path(x, y, strengths), strict=True):
        oracle = Ridge(alpha=strength * count).fit(x, y)
        np.testing.assert_allclose(weight, oracle.coef_.T, atol=1e-9)
        np.testing.assert_allclose(bias, oracle.intercept_, atol=1e-9)


@pytest.mark.parametrize(("count", "width", "classes"), [(80, 6, 2), (80, 6, 4), (20, 30, 3)])
def test_logistic_regression_is_scikit_learns(count: int, width: int, classes: int) -> None:
    raw = features(count, width)
    x, names = standard_of(raw), classes_of(raw, classes)
    codes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    strengths = (0.01, 0.3, 10.0)
    for strength, (weight, bias) in zip(strengths, softmax_path(x, codes, classes, strengths), strict=True):
        oracle = LogisticRegression(C=1 / (strength * count), tol=1e-10, max_iter=10000).fit(x, codes)
        np.testing.assert_allclose(softmax(x @ weight + bias), oracle.predict_proba(x), atol=2e-6)


def test_log_loss_is_scikit_learns() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), 30)
    codes = np.random.default_rng(1).integers(4, size=30)
    assert log_loss(p, codes) == pytest.approx(sklearn_log_loss(codes, p, labels=range(4)))


@pytest.mark.parametrize("kind", ["nominal", "continuous"])
def test_strength_is_the_one_of_cross_validation_by_group(kind: Kind) -> None:
    x = features(60, 12)
    people = [f"p{k % 5}" for k in range(60)]
    names = classes_of(x, 2)
    values = standard_of(x)[:, :1] + np.random.default_rng(3).normal(size=(60, 1))
    strengths = (0.01, 0.1, 1.0, 10.0)
    probe = fit_probe(x, names if kind == "nominal" else values, kind, groups=people, strengths=strengths)
    losses = []
    for strength in strengths:
        loss = 0.0
        for inside, outside in LeaveOneGroupOut().split(x, groups=people):
            mean, scale = standard(x[inside])
            a, b = (x[inside] - mean) / scale, (x[outside] - mean) / scale
            if kind == "nominal":
                fit = LogisticRegression(C=1 / (strength * len(a)), tol=1e-8, max_iter=5000).fit(a, names[inside])
                loss += sklearn_log_loss(names[outside], fit.predict_proba(b), labels=fit.classes_) * len(b)
            else:
                line = Ridge(alpha=strength * len(a)).fit(a, values[inside])
                loss += float(((line.predict(b).reshape(-1, 1) - values[outside]) ** 2).sum())
        losses.append(loss)
    assert probe.strength == strengths[int(np.argmin(losses))]
    if kind == "continuous":
        assert probe.sigma[0] == pytest.approx(np.sqrt(min(losses) / 60))


@given(st.lists(st.integers(0, 7), min_size=2, max_size=60).filter(lambda g: len(set(g)) > 1), st.integers(2, 6))
def test_no_group_is_in_two_folds_and_no_fold_is_empty(groups: list[int], folds: int) -> None:
    fold = inner_folds(len(groups), [str(g) for g in groups], None, folds, 0)
    assert all(len(set(fold[np.array(groups) == g])) == 1 for g in set(groups))
    assert set(fold) == set(range(min(folds, len(set(groups)))))


@given(st.integers(10, 60), st.integers(0, 5))
def test_classes_are_spread_over_the_folds(count: int, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(2, size=count).astype(np.int64)
    fold = inner_folds(count, None, codes, 5, seed)
    shares = np.array([[(codes[fold == f] == c).sum() for f in range(5)] for c in range(2)])
    assert (shares.max(1) - shares.min(1) <= 1).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["nominal", "ordinal", "continuous"]), st.integers(0, 20))
def test_probe_survives_arrays_and_does_not_see_scale(kind: Kind, seed: int) -> None:
    x = features(40, 7, seed)
    y = classes_of(x, 3, seed) if kind == "nominal" else np.random.default_rng(seed).integers(1, 6, 40)
    probe = fit_probe(x, y, kind, strengths=(0.1, 1.0))
    again = Probe.from_arrays(probe.to_arrays())
    np.testing.assert_array_equal(again.predict(x), probe.predict(x))
    assert (again.kind, again.classes, again.labels, again.strength) == (kind, probe.classes, 40, probe.strength)
    assert again.loss == probe.loss
    stretched = fit_probe(x * 1000.0 - 5.0, y, kind, strengths=(0.1, 1.0))
    np.testing.assert_allclose(stretched.predict(x * 1000.0 - 5.0), probe.predict(x), atol=1e-4)
    if kind == "ordinal":
        assert probe.predict(100 * x).min() >= y.min()
        assert probe.predict(100 * x).max() <= y.max()
    if kind == "nominal":
        np.testing.assert_allclose(probe.predict(x).sum(1), 1)


def test_a_class_without_labels_is_impossible_and_keeps_its_place() -> None:
    x = features(30, 5)
    names = np.where(np.arange(30) % 2, "b", "a")
    p = fit_probe(x, names, "nominal", classes=("a", "never", "b")).predict(x)
    assert p.shape == (30, 3)
    assert (p[:, 1] == 0).all()


def test_the_loss_is_a_mean_over_the_pictures_that_were_judged() -> None:
    """Nobody can learn from the first two people alone, who show one class: the third is not judged."""
    names = ["a"] * 25 + ["b"] * 5
    people = ["one"] * 10 + ["two"] * 10 + ["three"] * 10
    probe = fit_probe(features(30, 3), names, "nominal", people, strengths=(1e9,))
    assert probe.loss == pytest.approx(-np.log(15 / 20), rel=1e-3)


def test_directions_are_those_along_which_the_values_grow() -> None:
    x = features(50, 6)
    probe = fit_probe(x, x @ np.eye(6)[:, :2], "continuous", strengths=(1e-3,))
    way = probe.directions()
    np.testing.assert_allclose(np.linalg.norm(way, axis=0), 1)
    step = probe.predict(x + way[:, 0]) - probe.predict(x)
    assert (step[:, 0] > 0).all()
    np.testing.assert_allclose(step, step[:1].repeat(50, 0), atol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "kind", "groups", "words"),
    [
        (np.zeros((4, 2)), [1, 2, 3], "continuous", None, "3 labels"),
        (np.full((3, 2), np.nan), [1, 2, 3], "continuous", None, "finite"),
        (np.zeros((3, 2)), [1, np.nan, 3], "ordinal", None, "leave pictures without"),
        (np.zeros((3, 2)), [1, 2, 3], "ordinal", ["a", "a", "a"], "two different people"),
        (np.zeros((4, 2)), ["a"] * 4, "nominal", None, "two classes"),
        (np.zeros((3, 2)), [1, 2, 3], "rank", None, "no kind"),
    ],
)
def test_impossible_fits_say_why(x: Floats, y: list[object], kind: Kind, groups: list[str] | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_probe(x, y, kind, groups=groups)


def test_foreign_arrays_are_refused() -> None:
    arrays = fit_probe(features(20, 3), np.arange(20.0), "continuous").to_arrays()
    with pytest.raises(ValueError, match="no probe"):
        Probe.from_arrays({k: v for k, v in arrays.items() if k != "mean"})
    with pytest.raises(ValueError, match="differ in size"):
        Probe.from_arrays({**arrays, "bias": np.zeros(4)})


def test_published_protocol_learns_a_line_and_a_class() -> None:
    x = features(300, 6)
    y = standard_of(x) @ np.arange(1.0, 7.0) + 20
    probe = fit_published_probe(x, y, "continuous", Descent(epochs=40))
    assert np.abs(probe.predict(x)[:, 0] - y).mean() < 0.1 * y.std()
    names = classes_of(x, 2)
    told = fit_published_probe(x, names, "nominal", Descent(epochs=40))
    oracle = LogisticRegression(C=1e6).fit(standard_of(x), names)
    same = (told.predict(x).argmax(1) == oracle.predict_proba(standard_of(x)).argmax(1)).mean()
    assert same > 0.9
    again = fit_published_probe(x, names, "nominal", Descent(epochs=40))
    np.testing.assert_array_equal(again.weight, told.weight)
