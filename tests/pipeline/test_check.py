"""The check of false finds: its evidence, its fit against a textbook one, its limit, and what it does to answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.errors import WeightsError
from omokage.pipeline.check import EVIDENCE, FaceCheck, evidence
from omokage.pipeline.config import AnalyzerConfig
from omokage.pipeline.reader import face_score, read_faces
from omokage.pipeline.train import Looked, chances, fit_line, limit_for
from omokage.results import Box, Detection, FaceAnalysis
from omokage.weights.registry import Card, save
from stand_ins import SquareFinder, SquarePredictor, face_template, picture

BOX = Box(0, 0, 100, 100)
TRUSTING = FaceCheck(np.array([1.0, 0.5, 0.5, -1.0, -1.0, -0.5, -4.0]), 0.5, 0.3)


def answer(quality: float | None = 0.9, spread: float | None = 2.0, shift: float = 0.0) -> FaceAnalysis:
    points = (100 * face_template() + 50 + shift).astype(np.float32)
    sigma = None if spread is None else np.full(68, spread, np.float32)
    return FaceAnalysis("", BOX, 0.8, landmarks=points, landmark_sigma=sigma, quality=quality)


def test_evidence_is_log_odds_and_relative_lengths() -> None:
    known = evidence(Detection(BOX, 0.8), answer(0.6), answer(0.9, 2.0, 3.0))
    assert known is not None
    moved = 3 * np.sqrt(2) / 100
    expected = [np.log(4), np.log(1.5), np.log(9), np.log(0.02 + 1e-3), np.log(moved + 3e-3), 0]
    np.testing.assert_allclose(known, expected, rtol=1e-4)


def test_a_second_look_that_was_not_taken_is_missing_evidence_and_not_good_evidence() -> None:
    once, again = answer(0.9), answer(0.9)
    skipped, still = (evidence(Detection(BOX, 0.8), once, second) for second in (once, again))
    assert skipped is not None
    assert still is not None
    assert list(skipped[5:]) == [1]
    assert list(still[5:]) == [0]
    assert still[4] == pytest.approx(np.log(3e-3))  # landmarks that did not move at all
    assert skipped[4] > still[4] + 2  # and landmarks of which nobody knows


@pytest.mark.parametrize("second", [answer(None), answer(spread=None), replace(answer(), landmarks=None)])
def test_without_the_evidence_there_is_no_opinion(second: FaceAnalysis) -> None:
    assert evidence(Detection(BOX, 0.8), answer(), second) is None
    assert TRUSTING.probability(Detection(BOX, 0.8), answer(), second) is None


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.2, 30), st.floats(0, 20))
def test_better_evidence_never_makes_a_face_less_likely(
    score: float, quality: float, spread: float, shift: float
) -> None:
    def chance(better: float) -> float:
        first, second = answer(quality), answer(quality + 0.04 * better, spread / (1 + better), shift / (1 + better))
        found = TRUSTING.probability(Detection(BOX, score + 0.04 * better), first, second)
        assert found is not None
        return found

    assert 0 <= chance(0) <= chance(1) <= 1


def test_the_fit_is_the_penalised_maximum_likelihood() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal([1, 2, 3, 4, 5], [1, 2, 1, 3, 1], (400, 5))
    y = rng.random(400) < 1 / (1 + np.exp(-(x @ [1.0, -0.5, 0.3, 0.2, 0.0] - 1)))
    line = fit_line([Looked(x[:150], y[:150], np.zeros(150, int)), Looked(x[150:], y[150:], np.zeros(250, int))])
    spread = x.std(0)

    def cost(candidate: np.ndarray) -> float:
        odds = x @ candidate[:-1] + candidate[-1]
        return float(np.logaddexp(0, np.where(y, -odds, odds)).sum() + ((candidate[:-1] * spread) ** 2).sum() / 2)

    best = cost(line)
    for _ in range(200):
        assert cost(line + rng.normal(0, 0.02, 6) / np.append(spread, 1)) >= best - 1e-3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 19)), max_size=60), st.sampled_from([0.0, 0.05, 0.1, 0.25]))
def test_the_limit_keeps_its_promise(finds: list[tuple[float, int]], share: float) -> None:
    odds = np.array([f for f, _ in finds])
    part = Looked(
        np.column_stack([odds, *[0 * odds] * 5]), np.zeros(len(finds), bool), np.array([s for _, s in finds], int)
    )
    check = FaceCheck(np.array([1.0, 0, 0, 0, 0, 0, 0]), 0.5, 0.3)
    limit = limit_for(check, part, 20, share)
    kept = part.scene[chances(check, part) >= limit]
    assert limit >= 0.5
    assert len(set(kept.tolist())) <= share * 20


def test_its_probability_becomes_the_score_and_what_fails_is_dropped() -> None:
    image, config = picture([(50, 40, 50, 30)]), AnalyzerConfig()
    kept = read_faces([image], SquareFinder(), SquarePredictor(), config, check=TRUSTING)[0]
    assert len(kept) == 1
    assert 0.5 < kept[0].score < 1
    assert kept[0].score != pytest.approx(0.9)
    strict = FaceCheck(TRUSTING.line, 1.0, 0.3)
    assert read_faces([image], SquareFinder(), SquarePredictor(), config, check=strict) == [[]]
    assert len(read_faces([image], None, SquarePredictor(), config, check=strict)[0]) == 1  # crops are faces by promise


def test_without_evidence_the_plain_rules_decide() -> None:
    config, detection = AnalyzerConfig(), Detection(BOX, 0.8)
    assert face_score(detection, answer(), answer(0.9, None), config, TRUSTING) == 0.8
    assert face_score(detection, answer(), answer(0.1, None), config, TRUSTING) is None
    assert face_score(detection, answer(0.001), answer(), config, TRUSTING) is None


def test_a_check_of_other_evidence_is_refused(tmp_path: Path) -> None:
    card = Card(model="check", set="mine", architecture={"evidence": list(EVIDENCE[:-1])}, preprocessing={},
                calibration={"limit": 0.5, "proposals": 0.4})  # fmt: skip
    save(tmp_path, {"line": torch.zeros(6)}, card)
    with pytest.raises(WeightsError, match=r"mine/check@.*fit it again with  omokage train check\.shipped"):
        FaceCheck.open(tmp_path)
    save(tmp_path, {"line": torch.zeros(7)}, replace(card, architecture={"evidence": list(EVIDENCE)}))
    assert len(FaceCheck.open(tmp_path).line) == len(EVIDENCE) + 1
