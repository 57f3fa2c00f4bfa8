"""Learning from few labels: choices by held-out people, fine-tuning only where it pays, scores, groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from omokage.explain.adapt import Answer, Fit, Plan, best_fit, codes_of, learn, pays_off
from omokage.explain.labels import Label
from omokage.explain.scores import CORRELATION, CURVE, ERROR, MEAN_ACCURACY, RANKS, group_scores, scores, widest_gap
from omokage.explain.tuning import Tuning, fine_tuned, read_views

PLAN = Plan(sizes=(20,), folds=3, inner=3, strengths=(1e-2, 1.0))


def made(kind: str, count: int = 120, seed: int = 0) -> tuple[dict[str, np.ndarray], Label, list[str]]:
    """Two feature sets, of which one tells the label; two pictures of each person."""
    rng = np.random.default_rng(seed)
    good, bad = rng.normal(size=(count, 4)), rng.normal(size=(count, 6))
    value = good[:, 0] + 0.3 * rng.normal(size=count)
    rows, people = np.arange(count), [f"p{k // 2}" for k in range(count)]
    if kind == "nominal":
        label = Label("glad", "nominal", rows, np.where(value > 0, "yes", "no"), ("no", "yes"))
    else:
        label = Label("warm", "ordinal", rows, 3 + value, low=0.0, high=6.0)
    return {"good": good, "bad": bad}, label, people


def test_the_telling_features_are_found_and_scores_stand_beside_trivial_ones() -> None:
    for kind, measure in (("nominal", MEAN_ACCURACY), ("ordinal", ERROR)):
        features, label, people = made(kind)
        learnt = learn(features, np.random.default_rng(1).normal(size=(120, 3)), label, people, PLAN)
        assert learnt.fit.reads == ("good",)
        found = {s.method: s for s in scores(learnt, 50) if s.measure == measure}
        assert {"trivial", "landmarks", "probe 20", "probe", "chosen"} == set(found)
        better = found["chosen"].value - found["trivial"].value
        assert better > 0.2 if kind == "nominal" else better < -0.2
        assert found["chosen"].low <= found["chosen"].value <= found["chosen"].high
        assert (found["probe 20"].labels, found["probe"].labels, found["probe"].pictures) == (20, 80, 120)


def test_few_labels_are_read_off_few_numbers() -> None:
    """One number tells the label well, forty beside it by chance; with one slope the error on others is smaller."""
    wide, errors = 0, {True: 0.0, False: 0.0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        value = rng.normal(size=140)
        features = {"one": value[:, None] + rng.normal(size=(140, 1)), "forty": rng.normal(size=(140, 40))}
        features["forty"][:, :3] += 0.6 * value[:, None]
        label = Label("kg", "ordinal", np.arange(140), value, low=-4.0, high=4.0)
        people, some, rest = [f"p{k // 2}" for k in range(140)], np.arange(16), np.arange(40, 140)
        for simplest in (True, False):
            fit = best_fit(features, label, some, people, replace(PLAN, simplest=simplest))
            wide += simplest and fit.reads != ("one",)
            errors[simplest] += float(np.mean((fit.answer(features, rest)[:, 0] - value[rest]) ** 2))
    assert wide <= 2
    assert errors[True] < errors[False]


def test_a_person_is_never_on_both_sides() -> None:
    """Features that only say who it is, labels that only depend on who it is: nothing can be known about others."""
    rng = np.random.default_rng(0)
    whose = np.repeat(np.arange(40), 3)
    features = {"who": np.eye(40)[whose] + 0.01 * rng.normal(size=(120, 40))}
    label = Label("x", "ordinal", np.arange(120), rng.normal(size=40)[whose], low=-3, high=3)
    learnt = learn(features, rng.normal(size=(120, 2)), label, [f"p{k}" for k in whose], PLAN)
    error = {s.method: s.value for s in scores(learnt, 20) if s.measure == ERROR}
    assert error["chosen"] > 0.9 * error["trivial"]


def test_answers_of_different_folds_are_not_compared() -> None:
    """Where nothing can be known, each fold's answer is lowest for the people who are highest: no finding either."""
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        features, value, people = {"noise": rng.normal(size=(90, 4))}, rng.normal(size=90), [f"p{k}" for k in range(90)]
        whose = [f"p{k // 3}" for k in range(90)]
        number = Label("x", "ordinal", np.arange(90), value, low=-4.0, high=4.0)
        words = Label("x", "nominal", np.arange(90), np.where(value > 0, "yes", "no"), ("no", "yes"))
        plan = replace(PLAN, sizes=())
        for label, own in ((number, people), (words, whose)):
            for s in scores(learn(features, features["noise"][:, :2], label, own, plan), 20):
                found.setdefault((s.method, s.measure), []).append(s.value)
                if s.method == "trivial" and s.measure in (CORRELATION, RANKS, CURVE):
                    nothing = 0.5 if s.measure == CURVE else 0.0
                    np.testing.assert_allclose((s.value, s.low, s.high), nothing, atol=1e-12)
    for measure, nothing in ((CORRELATION, 0.0), (RANKS, 0.0), (CURVE, 0.5)):
        assert abs(np.mean(found["chosen", measure]) - nothing) < 0.1


def test_a_perfect_answer_is_perfect_within_folds_of_which_one_has_a_single_class() -> None:
    features, label, people = made("nominal")
    learnt = learn(features, np.ones((120, 1)), label, people, PLAN)
    said, fold = np.eye(2)[codes_of(label)], np.where(label.values == "no", 0, learnt.fold % 2 + 1)
    fold[:40] = np.arange(40) % 2 + 1
    found = scores(replace(learnt, held_out={"chosen": said}, fold=fold), 20)
    assert {s.measure: (s.value, s.low) for s in found}[CURVE] == (1.0, 1.0)
    nobody = scores(replace(learnt, held_out={"chosen": said}, fold=codes_of(label)), 5)
    assert np.isnan({s.measure: s.value for s in nobody}[CURVE])


def test_fine_tuning_is_kept_where_it_pays_only() -> None:
    features, label, people = made("nominal")
    codes, rng = codes_of(label), np.random.default_rng(0)

    def oracle(rows: np.ndarray, fit: Fit) -> Answer:
        return lambda pictures: np.eye(2)[codes[pictures]] * 0.98 + 0.01

    def noise(rows: np.ndarray, fit: Fit) -> Answer:
        return lambda pictures: np.eye(2)[rng.integers(0, 2, len(pictures))] * 0.98 + 0.01

    places = np.zeros((120, 1)) + rng.normal(size=(120, 1))
    won, lost = (learn(features, places, label, people, PLAN, tuner) for tuner in (oracle, noise))
    assert (won.tuned, won.preferred) == (True, 3)
    assert (lost.tuned, lost.preferred) == (False, 0)
    np.testing.assert_allclose(lost.held_out["chosen"], lost.held_out["probe"])
    assert not pays_off(np.array([1.0, 1.1, 0.9]), np.array([1.0, 1.0, 1.0]))


def test_whether_fine_tuning_pays_is_asked_about_people_that_it_has_not_seen() -> None:
    features, label, _ = made("ordinal")
    people = [f"p{k // 7}" for k in range(120)]
    seen: list[set[int]] = []

    def tuner(rows: np.ndarray, fit: Fit) -> Answer:
        seen.append(set(rows.tolist()))
        return lambda pictures: np.zeros((len(pictures), 1))

    learn(features, np.zeros((120, 1)), label, people, PLAN, tuner)
    for inside, part in zip(seen[::2], seen[1::2], strict=True):
        assert 0.6 < len(part) / len(inside) < 0.9
        assert not {people[k] for k in part} & {people[k] for k in inside - part}


def test_too_few_labels_give_the_constant_answer() -> None:
    features, label, people = made("nominal")
    same = np.flatnonzero(label.values == "yes")[:5]
    fit = best_fit(features, label, same, people, PLAN)
    assert fit.probe is None
    answer = fit.answer(features, np.arange(3))
    assert (answer[:, 1] > 0.8).all()
    np.testing.assert_allclose(answer.sum(1), 1)


def test_groups_that_are_too_small_show_nothing_and_the_widest_gap_is_named() -> None:
    features, label, people = made("ordinal")
    learnt = learn(features, np.ones((120, 1)), label, people, PLAN)
    values = np.array(["a"] * 60 + ["b"] * 50 + ["c"] * 10)
    found = {g.group: g for g in group_scores(learnt, {"site": values.tolist()}, 30)}
    assert found["c"].value is None
    assert found["c"].pictures == 10
    gap = widest_gap(list(found.values()))
    assert gap is not None
    a, b = found["a"].value, found["b"].value
    assert a is not None
    assert b is not None
    np.testing.assert_allclose(gap[2], abs(a - b))
    assert gap[0] == ("site a" if a < b else "site b")


def test_a_network_learns_classes_yes_no_and_values_and_leaves_statistics_alone() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn((90, 2, 3), generator=rng)
    x[:, 1] = x[:, 0]
    side = x[:, 0, 0]
    forms = {
        3: (side > -0.5).long() + (side > 0.5).long(), 1: (side > 0).float(), 2: torch.stack([side, -side], 1),
    }  # fmt: skip
    for width, targets in forms.items():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, width))
        before = network[1].running_mean.clone()
        done = fine_tuned(network, x, targets, Tuning(rate=2e-2, fewest=150))
        said = read_views(done, x)
        if width == 3:
            right = (said.argmax(1) == targets).float().mean()
        elif width == 1:
            right = ((said[:, 0] > 0) == (targets > 0)).float().mean()
        else:
            right = 1 - (said - targets).abs().mean()
        assert float(right) > 0.85
        torch.testing.assert_close(done[1].running_mean, before)
        assert not any(p.requires_grad for p in done.parameters())
