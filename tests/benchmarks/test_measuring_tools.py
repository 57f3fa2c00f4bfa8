"""The benchmarks that steer the work: rows that come back, pages that compare like with like, truth that stays true."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from omokage.metrics.table import points_of
from omokage.pipeline import Analyzer
from omokage.results import Box
from stand_ins import SquareFinder, SquarePredictor, picture, write_picture


@pytest.fixture
def ablation(tool) -> ModuleType:
    return tool("ablation")


@pytest.fixture
def robustness(tool) -> ModuleType:
    return tool("robustness")


@pytest.fixture
def curve(tool) -> ModuleType:
    return tool("label_curve")


def squares() -> Analyzer:
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor())


def row(name: str, value: str, **more: str) -> dict[str, str]:
    same = {"seed": "0", "records": "4", "budget": "9 steps", "init": "", "sample": "all"}
    return {"name": name, "render": "", "set": "", "commit": "c", **same, "a: landmark error": value, **more}


def test_rows_come_back_and_new_measures_get_columns(ablation: ModuleType, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    ablation.append(row("baseline", ablation.cell((8.1234, 7.9, 8.4))), table)
    ablation.append(row("wider", "7.5 [7.2, 7.8]", **{"b: new": "0.5 [0.4, 0.6]"}), table)
    first, second = ablation.read_table(table)
    assert ablation.parsed(first["a: landmark error"]) == (8.123, 7.9, 8.4)
    assert first["b: new"] == ""
    assert ablation.parsed(first["b: new"]) is None
    assert second["b: new"] == "0.5 [0.4, 0.6]"


def test_the_page_marks_what_leaves_the_interval_of_the_baseline(ablation: ModuleType) -> None:
    rows = [row("other", "7.5 [7, 8]", **{"a: found": "0.5 [0.4, 0.6]"}), row("chance", "8.2 [8, 9]")]
    rows += [row("baseline", "8 [7.8, 8.4]", **{"a: found": "0.7 [0.6, 0.8]"}), row("baseline", "8.1 [8, 9]", seed="1")]
    rows += [row("apart", "1 [1, 1]", budget="5 steps")]
    text = ablation.page(rows)
    assert "| measure | `baseline` | `other` | `chance` | `baseline`, seed 1 |" in text
    assert "| a: landmark error | 8 (7.8 to 8.4) | **7.5** | 8.2 | 8.1 |" in text
    assert "| a: found | 0.7 (0.6 to 0.8) | *0.5* |  |  |" in text
    assert text.count("## records") == 2  # another budget is not compared


def test_a_trial_says_what_it_changes_and_the_renderer_decides_what_is_reused(ablation: ModuleType) -> None:
    trial = ablation.Trial("x", ("poses.near_frontal=1.0",), ("rate=0.001",), 3, 50, (), 20, 0.0, "", 0)
    facts = trial.facts()
    assert facts["render"] == "poses.near_frontal=1.0"
    assert facts["budget"] == "20 steps"
    assert facts["renderer"] == ablation.renderer()[:8]
    assert set(facts) | {"minutes"} == set(ablation.FACTS)
    assert ablation.done(trial, [facts | {"commit": "earlier", "minutes": "2"}])
    assert not ablation.done(trial, [facts | {"seed": "4"}])


def test_happier_pictures_are_named_and_missing_answers_count(ablation: ModuleType, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}.png", [(40, 30, 60, 20)])
    write_picture(tmp_path / "none.png")
    (tmp_path / "pairs.csv").write_text(
        "file_a,file_b,expression_a,expression_b\n"
        "a.png,b.png,neutral,happiness\nnone.png,b.png,happiness,neutral\na.png,b.png,happiness,happiness\n"
    )
    found = ablation.happier(squares(), tmp_path)
    assert (found.n, found.value) == (2, 0.0)  # the stand-in gives both the same probability: a tie names none


@pytest.mark.parametrize(
    ("factor", "none"), [("light", 0), ("size", 200), ("blur", 0), ("jpeg", 100), ("occlusion", 0)]
)
def test_the_first_step_changes_nothing(robustness: ModuleType, factor: str, none: float) -> None:
    image = picture([(40, 30, 60, 20)])
    sample = robustness.Sample(image, {"file": "a"}, Box(40, 30, 100, 90))
    _, change, steps = robustness.PIXELS[factor]
    assert none in steps
    same, scale = change(sample, none, np.random.default_rng(0))
    assert scale == 1.0
    assert np.abs(same.astype(int) - image).max() <= 1
    other, _ = change(sample, steps[-1], np.random.default_rng(0))
    assert other.shape != image.shape or np.abs(other.astype(int) - image).max() > 5


def test_smaller_pictures_move_their_labels(robustness: ModuleType) -> None:
    sample = robustness.Sample(picture(), {"file": "a", "x0": "10", "y0": "20", "leye_x": "30"}, Box(0, 0, 96, 96))
    image, scale = robustness.size(sample, 48, np.random.default_rng(0))
    assert image.shape == (60, 80, 3)
    assert robustness.moved(sample.label, scale) == {"file": "a", "x0": "5.0", "y0": "10.0", "leye_x": "15.0"}


def test_occlusion_covers_the_share_that_it_says(robustness: ModuleType) -> None:
    image = np.full((100, 100, 3), 7, np.uint8)
    for seed in range(8):
        covered, _ = robustness.occlusion(
            robustness.Sample(image, {}, Box(20, 20, 80, 80)), 40, np.random.default_rng(seed)
        )
        assert (covered != 7).any(2).mean() == pytest.approx(0.4 * 0.36, abs=0.01)


def test_rendered_truth_and_turned_heads(robustness: ModuleType) -> None:
    (scene,) = robustness.scenes(1)
    turned = robustness.turned(scene, 45.0)
    assert abs(turned.pose.yaw) == 45
    (sample,) = robustness.pictured([turned])
    points = points_of(sample.label)
    assert points is not None
    assert float(sample.label["yaw"]) == turned.pose.yaw
    side = points[30, 0] - points[[36, 45], 0].mean()
    assert np.sign(side) == np.sign(turned.pose.yaw)  # the nose points to where the head turns


def test_measured_pages_hold_every_factor(robustness: ModuleType, tmp_path: Path) -> None:
    image = picture([(40, 30, 60, 20)])
    scores = robustness.measured(squares(), [(image, {"file": "a.png", "age": "20"})])
    assert scores["found"].value == 1
    found = {("blur", "drawn"): [scores] * 7, ("yaw", "drawn"): [scores] * 7}
    (tmp_path / "docs").mkdir()
    page = robustness.write(found, "# Robustness", tmp_path / "docs")
    assert "## Blur" in page.read_text()
    assert (tmp_path / "images" / "robustness-yaw.svg").is_file()
    table = next((tmp_path / "docs").glob("*.csv")).read_text().splitlines()
    assert len(table) == 1 + sum(len(scores) for _ in range(14))


def test_the_curve_leaves_out_what_it_has(curve: ModuleType, tmp_path: Path) -> None:
    given = argparse.Namespace(
        seeds=2, counts=[0, 100, 5000], steps=10, minutes=0.0, init="synthetic", data=["x/records"], photographs="f",
        heads=900, sample=0,
    )  # fmt: skip
    planned = list(curve.points(given))
    assert [(p.count, p.arm, p.seed) for p in planned if p.seed == 0] == [
        (0, "rendered", 0), (100, "rendered", 0), (100, "alone", 0), (5000, "rendered", 0), (5000, "alone", 0),
    ]  # fmt: skip
    assert len(planned) == 9
    cells = dict.fromkeys(curve.MEASURES, "0.7000 [0.6000, 0.8000]")
    table = tmp_path / "t.csv"
    for point in planned[:3]:
        curve.add(point.key() | {"date": "d", "commit": "c", "minutes": "1"} | cells, table)
    rows = curve.read_table(table)
    assert [curve.done(p, rows) for p in planned] == [True] * 3 + [False] * 6
    text, plot = curve.page(rows, "command")
    assert "## 10 steps, from synthetic, 900 rendered heads of records, all pictures" in text
    assert "| rendered | 0.700 (0.700 to 0.700, 1) | 0.700 (0.700 to 0.700, 1) |" in text
    assert plot.startswith("<svg")


def test_both_arms_have_one_budget_and_differ_in_rendered_heads(curve: ModuleType) -> None:
    both = [curve.Point(1000, arm, 2, 77, 0.0, "synthetic", ("a", "b"), "f", 901) for arm in curve.ARMS]
    rendered, alone = (curve.configured(point, Path("out")) for point in both)
    assert rendered.steps == alone.steps == 77
    assert rendered.network == alone.network
    assert rendered.seed == alone.seed == 2
    assert rendered.data.folders == ("a", "b", "f")
    assert rendered.data.limits == (451, 451, 1000)
    assert rendered.data.teachers == alone.data.teachers == ()
    assert rendered.init == "synthetic"
    assert alone.data.folders == ("f",)
    assert alone.init == ""
    assert [curve.part(n) for n in (100, 2000, 20000)] == [pytest.approx(0.101), 0.45, 0.45]


def test_the_slower_stage_bounds_training(tool) -> None:
    speed = tool("train_speed")
    rates = {"rendering": 25, "crops": 800, "step": 160, "step in 32 bit": 110, "loop": 150}
    stages = {name: speed.Stage(rate, 1.0, 500.0, 0.02) for name, rate in rates.items()}
    text = speed.bound(stages)
    assert "bound by the **steps** (160 a second against 800 crops)" in text
    assert "one after the other 133 would be" in text
    assert "| 16 | 400 | 0.4 |" in text
    assert "bound by the **crops**" in speed.bound(stages | {"crops": speed.Stage(90, 1.0, 500.0)})
    page = speed.page(stages, speed.configured(("a",), 9, "out"), "bfloat16")
    assert "| whole loop, two processes | 150 | 1.0 | **150** | 500 |" in page


def test_groups_of_photographs_get_a_table_of_the_worst(tool) -> None:
    from omokage.metrics.table import TableScore

    photographs, lines = tool("photographs"), list[str]()
    found = {"all": [TableScore("found", 0.9, 0.8, 1.0, 60)]}
    found |= {f"race: {g}": [TableScore("found", v, 0.7, 1.0, 30)] for g, v in (("A", 0.95), ("B", 0.85))}
    photographs.show(Path("set"), found, 1.0, lines.append)
    assert "| found | 0.9 | B | 0.85 | 0.7 to 1 | 30 |" in "\n".join(lines)
    few = {name: [TableScore("found", 1.0, 1.0, 1.0, 3)] for name in found}
    lines.clear()
    photographs.show(Path("set"), few, 1.0, lines.append)
    assert "No measure has two groups" in "\n".join(lines)
