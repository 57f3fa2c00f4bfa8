"""Runs of seconds: exact resume, what the card holds, a drawn world that can be learnt, starting from other weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from comparison_runs import TINY, tiny, write_visits

from omokage.comparison.album import read_album
from omokage.comparison.config import ComparisonConfig, DataConfig, LossConfig
from omokage.comparison.data import Steps
from omokage.comparison.model import ComparisonNetwork, adopt
from omokage.comparison.train import albums, train
from omokage.data.records import write_shard
from omokage.errors import RecordError, TrainingError
from omokage.nn.pictures import normalise
from omokage.schema import SHIPPED
from omokage.weights import registry


def losses(run: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {r["step"]: r["last_loss"] for r in rows if "last_loss" in r}


def test_a_stopped_run_goes_on_as_if_nothing_had_been(visits: Path, still: Path, tmp_path: Path) -> None:
    train(tiny(tmp_path / "whole", visits, still))
    out = tmp_path / "parted"
    train(tiny(out, visits, still, steps=4))
    with pytest.raises(TrainingError, match="already holds a run"):
        train(tiny(out, visits, still))
    # The rate depends on the length: take up the checkpoint of the long run's fourth step instead.
    whole = tiny(tmp_path / "long", visits, still)
    train(whole)
    train(replace(whole, steps=14), resume=True)
    first, second = losses(tmp_path / "whole"), losses(tmp_path / "long")
    assert [first[k] for k in range(1, 11)] == [second[k] for k in range(1, 11)]
    assert max(second) == 14


def test_the_card_says_what_was_measured(visits: Path, still: Path, tmp_path: Path) -> None:
    config = tiny(tmp_path / "run", visits, still)
    run = train(replace(config, data=replace(config.data, controlled=(str(still),))))
    card = registry.read_card(run / "weights", "comparison")
    assert set(card.calibration["controlled"]) == {"pairs", "power", "margin", "tail", "unchanged"}
    assert {row["set"] for row in card.scores} == {
        "held-out rendered people, crops changed", "held-out rendered people, crops changed, head held and lit alike"
    }  # fmt: skip
    assert card.model == "comparison"
    assert {"margin", "tail", "same"} <= set(card.calibration)
    measures = {row["measure"] for row in card.scores}
    assert "fatness: inside the 5-95 % interval" in measures
    assert "same person: equal error rate" in measures
    assert any("not kilograms" in text for text in card.limits)


def test_a_drawn_world_is_learnt(visits: Path, still: Path, tmp_path: Path) -> None:
    data = DataConfig((str(visits),), calibration=(str(still),), held_out=0.3, pictures=4, workers=0, repeated=0.0)
    quiet = LossConfig(inter=0.05)  # who it is takes long to learn, and its slope is the larger one meanwhile
    run = train(tiny(tmp_path / "run", visits, data=data, steps=160, people=4, rate=5e-3, curriculum=0, loss=quiet))
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines() if "fatness" in line]
    assert sum(r["fatness"] for r in rows[-15:]) < 0.8 * sum(r["fatness"] for r in rows[:15])


def test_a_run_without_two_pictures_of_anybody_is_refused(tmp_path: Path) -> None:
    lonely = write_visits(tmp_path / "lonely", people=4, pictures=1)
    with pytest.raises(TrainingError, match="no person has two pictures"):
        train(tiny(tmp_path / "run", lonely))
    with pytest.raises(TrainingError, match="no training data"):
        ComparisonConfig("x")


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", [])
    with pytest.raises(RecordError, match="holds no record to learn from"):
        read_album(tmp_path)


def test_a_run_without_anybody_held_out_ends_before_it_steps(visits: Path, tmp_path: Path) -> None:
    data = DataConfig((str(visits),), pictures=4, workers=0, held_out=0.0)
    with pytest.raises(TrainingError, match="held out to calibrate on"):
        train(tiny(tmp_path / "run", visits, data=data))
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_photographs_of_strangers_are_shown_twice_and_never_change(visits: Path, tmp_path: Path) -> None:
    strangers = write_visits(tmp_path / "strangers", people=6, pictures=1, seed=7)
    data = DataConfig((str(visits), str(strangers)), (str(strangers),), shares=(0.5, 0.5), pictures=4, workers=0)
    config = tiny(tmp_path / "run", visits, data=data, people=6)
    training, _ = albums(config)
    steps = Steps(training, config)
    kinds = set()
    for k in range(4):
        batch = steps[k]
        counts = batch.people.unique(return_counts=True)[1].tolist()
        kinds |= set(counts)
        assert len(batch.images) == sum(counts)
        own = batch.people[batch.pairs[:, 0]] == batch.people[batch.pairs[:, 1]]
        assert int(own.sum()) == sum(n * (n - 1) // 2 for n in counts)
        assert int((~own).sum()) == len(batch.images)
        once = [int(who) for who in batch.people if int((batch.people == who).sum()) == 2]
        lonely = own & torch.isin(batch.people[batch.pairs[:, 0]], torch.tensor(once))
        assert not torch.nan_to_num(batch.change[lonely]).any()
        for a, b in batch.pairs[lonely].tolist():
            assert not torch.equal(batch.images[a], batch.images[b])  # cut and changed anew
    assert kinds == {2, 4}
    data = replace(data, whole=(str(strangers),), held_out=0.4, nameless=(str(strangers),))
    config = replace(config, data=data)
    assert (train(config) / "weights" / "comparison.json").is_file()


def test_nameless_people_are_compared_with_each_other_and_count_in_full(visits: Path, tmp_path: Path) -> None:
    strangers = write_visits(tmp_path / "strangers", people=8, pictures=1, seed=7)
    data = DataConfig((str(visits), str(strangers)), (str(strangers),), shares=(0.5, 0.5), pictures=3, workers=0,
                      nameless=(str(strangers),))  # fmt: skip
    config = tiny(tmp_path / "run", visits, data=data, people=8, curriculum=0)
    steps = Steps(albums(config)[0], config)
    mixed = 0
    for k in range(6):
        batch = steps[k]
        first, second = batch.people[batch.pairs[:, 0]], batch.people[batch.pairs[:, 1]]
        if len(batch.people[batch.people < 0].unique()) < 2 or len(batch.people[batch.people >= 0].unique()) < 2:
            continue
        mixed += 1
        assert torch.equal(first < 0, second < 0)
        apart = first != second
        assert set(batch.weight[apart & (first < 0)].tolist()) == {1.0}
        assert set(batch.weight[apart & (first >= 0)].tolist()) == {data.across}
    assert mixed


def test_a_frozen_trunk_keeps_the_weights_that_it_began_with(visits: Path, still: Path, tmp_path: Path) -> None:
    first = train(tiny(tmp_path / "first", visits, still, steps=3))
    second = train(tiny(tmp_path / "second", visits, still, steps=4, frozen=True, init=str(first / "weights")))
    one, two = (registry.load(run / "weights", "comparison")[0] for run in (first, second))
    same = {name for name in one if torch.equal(one[name], two[name])}
    assert {name for name in one if name.startswith("trunk.")} <= same
    assert "direct.weight" not in same
    with pytest.raises(TrainingError, match="frozen trunk needs weights"):
        tiny(tmp_path, visits, frozen=True)


def test_attribute_weights_make_the_start_a_difference_of_answers() -> None:
    from omokage.attributes.config import NetworkConfig
    from omokage.attributes.model import AttributeNetwork

    same = {"size": 32, "stem": 4, "widths": (8, 8, 8), "blocks": (1, 1, 1)}
    torch.manual_seed(1)
    schema = SHIPPED.only(["landmarks", "units", "age", "fatness", "skin_tone", "quality"])
    reader = AttributeNetwork(schema, NetworkConfig(**same, squeeze=2, hidden=4, points_squeeze=6, dropout=0.0)).eval()
    model = ComparisonNetwork(TINY).eval()
    taken = adopt(model, reader.state_dict())
    assert "direct.weight" in taken
    assert "whole.linear.weight" in taken
    images = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    with torch.inference_mode():
        units = reader.decode(reader(normalise(images))).vectors["units"].value
        seen = model.see(normalise(images))
        found = model.compare(seen.state[:1], seen.state[1:])
    from omokage.comparison.config import COMPARED_UNITS
    from omokage.schema import UNITS

    order = [UNITS.index(name) for name in COMPARED_UNITS]
    assert torch.allclose(found.value[0, : len(order)], (units[1] - units[0])[order], atol=1e-5)
