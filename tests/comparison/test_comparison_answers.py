"""Calibration that does what it says, on numbers whose truth is known; answers of a trained tiny network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison_runs import tiny

from omokage.comparison import calibration, evaluate
from omokage.comparison.album import read_album
from omokage.comparison.config import FACTORS
from omokage.comparison.data import Crops, all_pairs
from omokage.comparison.predict import Comparer, face_change
from omokage.comparison.readings import Cosines, Readings
from omokage.comparison.train import train
from omokage.metrics.verification import equal_error


def drawn(count: int, seed: int, noise: float = 0.3) -> Readings:
    """Pairs whose answers are the truth plus noise of a size that the network understates by two."""
    rng = np.random.default_rng(seed)
    still = np.arange(count) % 3 == 0
    change = rng.normal(0, 1, (count, len(FACTORS))) * ~still[:, None]
    value = change + rng.normal(0, noise, change.shape)
    return Readings(
        value, np.full_like(value, noise / 2), change, still, [f"p{k}" for k in range(count)],
        Cosines(rng.normal(0.7, 0.15, count), rng.normal(0.1, 0.15, count), rng.normal(0.2, 0.15, count)),
    )  # fmt: skip


def test_intervals_hold_and_false_calls_are_as_rare_as_promised() -> None:
    fitted = calibration.fit(drawn(1500, 0))
    test = drawn(1500, 1)
    low, high = calibration.intervals(test.value, test.sigma, fitted)
    inside = (low <= test.change) & (test.change <= high)
    small = (np.abs(test.change) > 0.05) & (np.abs(test.change) < 0.4)
    for part in (test.still, ~test.still):
        assert 0.88 < inside[part].mean() < 0.99
    assert 0.86 < inside[:, :-2][small[:, :-2]].mean() < 0.99
    assert ((low <= test.value) & (test.value <= high)).all()
    back = calibration.intervals(-test.value, test.sigma, fitted)
    assert np.allclose(back[0], -high)
    assert np.allclose(back[1], -low)
    p = calibration.no_change(test.value, test.sigma, fitted)
    assert (p[test.still] < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p[~test.still] < 0.05).mean() > 0.5
    assert p.min() >= 1 / (max(fitted["unchanged"].values()) + 1)
    assert p.max() <= 1


def test_changes_beyond_all_that_were_seen_may_still_be_held() -> None:
    readings = drawn(1500, 7, noise=0.3)
    size = np.clip(20 * np.abs(readings.change[:, -1]), 0, 30)
    years = np.where(readings.still, 0.0, np.sign(readings.change[:, -1]) * size)
    change, value = readings.change.copy(), readings.value.copy()
    change[:, -1], value[:, -1] = years, 0.7 * years + readings.value[:, -1] - readings.change[:, -1]
    fitted = calibration.fit(replace(readings, change=change, value=value))
    far = np.zeros((1, len(FACTORS)))
    far[0, -1] = 0.7 * 40
    _, high = calibration.intervals(far, np.ones_like(far), fitted)
    assert 30 < high[0, -1] <= calibration.LARGEST["age"]


def leaking(count: int, seed: int) -> Readings:
    """Pairs whose answers about fatness follow the first unit as well; half of the changed pairs keep their fatness."""
    readings = drawn(count, seed, noise=0.1)
    kept = np.arange(count) % 2 == 0
    change = readings.change.copy()
    change[kept, -2] = 0
    value = readings.value + change - readings.change
    value[:, -2] += change[:, 0]
    return replace(readings, value=value, change=change)


def test_what_else_changed_is_not_called_a_change_of_this_factor() -> None:
    fitted, test = calibration.fit(leaking(3000, 0)), leaking(3000, 1)
    p = calibration.no_change(test.value, test.sigma, fitted)[:, -2]
    assert (p[test.unchanged[:, -2]] < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (p[test.unchanged[:, -2] & ~test.still] < 0.05).mean() < 0.2
    assert fitted["unchanged"]["fatness"] > fitted["unchanged"]["age"]


def test_pairs_taken_under_controlled_conditions_have_a_table_of_their_own() -> None:
    fitted = calibration.fit(drawn(1500, 0, noise=0.3))
    steady = drawn(1500, 2, noise=0.1)
    fitted["controlled"] = calibration.fit_controlled(steady, fitted)
    test = drawn(1500, 3, noise=0.1)
    mixed = np.arange(1500) % 2 == 0
    low, high, p = calibration.told(test.value, test.sigma, fitted, mixed)
    width = high - low
    assert width[mixed].mean() < 0.7 * width[~mixed].mean()
    inside = (low <= test.change) & (test.change <= high)
    assert 0.88 < inside[mixed].mean() < 0.99
    assert (p[mixed][test.unchanged[mixed]] < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p[~mixed][test.unchanged[~mixed]] < 0.05).mean() < 0.01
    plain = calibration.told(test.value, test.sigma, fitted, np.zeros(1500, bool))
    assert all(np.array_equal(a[~mixed], b[~mixed]) for a, b in zip(plain, (low, high, p), strict=True))
    few = calibration.fit_controlled(drawn(20, 4), fitted)  # too few to tell anything: as for all pairs
    assert few["tail"] == fitted["tail"]
    assert few["margin"] == fitted["margin"]


def test_a_spread_that_says_nothing_is_left_out_of_the_calls() -> None:
    readings = drawn(1500, 5)
    assert calibration.fit(readings)["power"]["fatness"] in calibration.POWERS
    wild = np.exp(np.random.default_rng(1).normal(0, 2, readings.sigma.shape))
    found = calibration.fit(replace(readings, sigma=wild))
    assert set(found["power"].values()) == {0.0}
    noise = np.exp(np.random.default_rng(1).normal(0, 1, readings.sigma.shape))
    told = readings.change + np.random.default_rng(2).normal(0, 0.3, noise.shape) * noise
    assert calibration.fit(replace(readings, value=told, sigma=noise))["power"]["units"] > 0


def test_the_check_stops_strangers_that_look_alike() -> None:
    fitted = calibration.fit(drawn(1500, 0))
    test = drawn(1500, 2).cosines
    passed = calibration.same_person(test.hard, fitted) >= fitted["same"]["limit"]
    declined = calibration.same_person(test.alike, fitted) < fitted["same"]["limit"]
    assert passed.mean() == pytest.approx(declined.mean(), abs=0.02)
    assert passed.mean() == pytest.approx(equal_error(test.alike, test.hard), abs=0.02)
    assert (calibration.same_person(test.apart, fitted) < 0.5).mean() > 0.9


def test_a_strict_limit_lets_the_share_pass_that_was_asked_for() -> None:
    fitted = calibration.fit_same(drawn(1500, 0).cosines, passing=0.03)
    assert fitted is not None
    passed = calibration.same_person(drawn(1500, 2).cosines.hard, {"same": fitted}) >= fitted["limit"]
    assert passed.mean() == pytest.approx(0.03, abs=0.015)


def test_too_few_pairs_fit_nothing_and_answers_stay_careful() -> None:
    few = drawn(12, 3)
    fitted = calibration.fit(few)
    assert fitted["margin"] == {}
    assert (calibration.no_change(few.value, few.sigma, fitted) == 1).all()


def test_measures_on_numbers_that_are_right() -> None:
    readings = drawn(900, 4, noise=0.01)
    rows = {row["measure"]: row["value"] for row in evaluate.score(readings, calibration.fit(readings))}
    assert rows["fatness: order, Spearman"] > 0.99
    assert rows["fatness: sign of called changes"] == 1
    assert rows["units: changes called"] > 0.99
    assert rows["same person: equal error rate"] < 0.05


@pytest.fixture(scope="module")
def comparer(visits: Path, still: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparer:
    run = train(tiny(tmp_path_factory.mktemp("run"), visits, still))
    return Comparer(run / "weights", "cpu")


def test_answers_flip_with_the_photographs_and_sides_with_the_mirror(comparer: Comparer, visits: Path) -> None:
    from comparison_runs import TINY

    from omokage.comparison.config import DataConfig

    album = read_album(visits)
    cutter = Crops(album, TINY, DataConfig())
    crops = [cutter.exact(i) for i in range(len(album))]
    ends = [(int(a), int(b)) for a, b in all_pairs(album)]
    seen = comparer.see(crops)
    there, back = comparer.compare(seen, ends), comparer.compare(seen, [(b, a) for a, b in ends])
    assert np.allclose(there.value, -back.value, atol=1e-5)
    assert np.allclose(there.low, -back.high, atol=1e-5)
    assert np.allclose(there.no_change, back.no_change)
    assert np.allclose(there.same_person, back.same_person)
    mirrored = comparer.see([np.ascontiguousarray(c[:, ::-1]) for c in crops])
    from omokage.comparison.data import MIRRORED_FACTORS

    assert np.allclose(comparer.compare(mirrored, ends).value[:, MIRRORED_FACTORS], there.value, atol=1e-5)
    change = face_change(there, 0, "a", "b")
    assert set(change.factors) == set(FACTORS)
    assert change.factors["age"].low <= change.factors["age"].value <= change.factors["age"].high


def test_where_is_a_share_of_the_face(comparer: Comparer, visits: Path) -> None:
    from comparison_runs import TINY

    from omokage.comparison.config import DataConfig

    cutter = Crops(read_album(visits), TINY, DataConfig())
    found = comparer.where(cutter.exact(0), cutter.exact(1), ["fatness", "age"])
    assert found.shape == (2, 2)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1) or found.sum() == 0
    assert comparer.where(cutter.exact(0), cutter.exact(0), ["age"]).sum() == 0
