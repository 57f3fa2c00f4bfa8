"""Sources, crops and batches of the attributes room."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest_attributes import SMALL, TINY, drawn_record
from hypothesis import given
from hypothesis import strategies as st

from omokage.attributes.config import DataConfig
from omokage.attributes.data import (
    Crops,
    Layout,
    Steps,
    balanced,
    drawn_places,
    lean_of,
    split,
    whole_batches,
)
from omokage.attributes.sources import labelled, picked, read_source, read_sources
from omokage.data.records import write_shard
from omokage.data.rotation import pose_of_matrix
from omokage.data.transforms import Geometry
from omokage.errors import RecordError, TrainingError
from omokage.faces.align import roll_of
from omokage.training.stream import batches


def _crops(records: Path, **settings: object) -> Crops:
    config = DataConfig(folders=(str(records),), **settings)  # type: ignore[arg-type]
    return Crops(read_sources(config.folders, SMALL), SMALL, TINY, config)


def test_missing_labels_are_nan_and_counted(records: Path, unlabelled: Path) -> None:
    full, bare = read_source(records, SMALL), read_source(unlabelled, SMALL)
    assert labelled(full, SMALL)["landmarks"] == len(full) == 80
    assert labelled(bare, SMALL)["landmarks"] == 0
    assert labelled(bare, SMALL)["age"] == 12
    assert np.isnan(bare.labels["age"][:, 0]).all()
    assert (bare.labels["age"][:, 1:] == (20, 30)).all()
    assert labelled(full, SMALL)["quality"] == 0


def test_large_pictures_are_cut_to_their_face(unlabelled: Path) -> None:
    source = read_source(unlabelled, SMALL)
    assert max(max(i.shape[:2]) for i in source.images) <= 176
    for image, points in zip(source.images, source.outline, strict=True):
        assert (points >= 0).all()
        assert (points <= image.shape[1]).all()


def test_a_face_at_the_edge_of_a_large_picture_leaves_crops_that_can_be_changed(tmp_path: Path) -> None:
    drawn = [drawn_record(i, 256) for i in range(6)]
    aside = [replace(r, labels=r.labels | {"landmarks": _aside(r.labels["landmarks"], 70.0)}) for r in drawn]
    write_shard(tmp_path / "0.parquet", aside)
    crops = _crops(tmp_path, negatives=0.5, geometry=Geometry(background=1.0))
    assert any(image.shape[0] != image.shape[1] for image in crops.sources[0].images)
    for seed in range(40):
        image, _ = crops.training((0, seed % 6), np.random.default_rng(seed))
        assert image.shape == (32, 32, 3)


def _aside(landmarks: list[float], far: float) -> list[float]:
    """Points moved to the right by `far` px."""
    return np.add(np.reshape(landmarks, (68, 2)), (far, 0)).ravel().tolist()


def test_a_face_outside_its_large_picture_is_named(tmp_path: Path) -> None:
    record = drawn_record(0, 256)
    labels = record.labels | {"landmarks": _aside(record.labels["landmarks"], 900.0)}
    write_shard(tmp_path / "0.parquet", [replace(record, labels=labels)])
    with pytest.raises(RecordError, match="'r0' lies outside its picture"):
        read_source(tmp_path, SMALL)


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    good = drawn_record(0)
    bad = type(good)("broken", "p", "rendered", b"no picture", 4, 4, {})
    write_shard(tmp_path / "0.parquet", [bad])
    with pytest.raises(RecordError, match="'broken' cannot be decoded"):
        read_source(tmp_path, SMALL)


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", [])
    with pytest.raises(RecordError, match="holds no record to learn from"):
        read_source(tmp_path, SMALL)


@pytest.mark.parametrize("code", [b"xx", b"", bytes(cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1])])
def test_a_segmentation_that_fits_no_picture_is_named(tmp_path: Path, code: bytes) -> None:
    whole = drawn_record(1)
    write_shard(tmp_path / "0.parquet", [replace(whole, labels={**whole.labels, "segmentation": code})])
    with pytest.raises(RecordError, match="the segmentation of record"):
        read_source(tmp_path, SMALL)


def test_split_keeps_people_apart(records: Path) -> None:
    training, validation = split(read_sources([str(records)], SMALL), DataConfig(folders=("x",), held_out=0.3))
    assert len(training[0]) + len(validation[0]) == 80
    assert not set(training[0].people) & set(validation[0].people)


def test_lean_is_measured_as_the_pipeline_does(records: Path) -> None:
    points = read_source(records, SMALL).outline[3]
    assert lean_of(points) == pytest.approx(roll_of(points))
    assert lean_of(points[:4]) == 0


def test_exact_crops_carry_their_labels(records: Path) -> None:
    crops = _crops(records)
    image, flat = crops.exact((0, 5))
    targets = {k: v[0].numpy() for k, v in Layout.of(SMALL).unpack(torch.from_numpy(flat[None])).items()}
    source = crops.sources[0]
    assert image.shape == (32, 32, 3)
    assert targets["quality"][0] == pytest.approx(1, abs=0.05)
    assert targets["age"][0] == pytest.approx(source.labels["age"][5, 0])
    assert abs(targets["landmarks"]).max() < 1
    pose = pose_of_matrix(targets["pose"].reshape(3, 3))
    yaw, pitch = source.labels["pose"][5, :2]
    # the crop is turned by the lean of the points: that changes the roll most, the direction of the nose only in
    # the plane
    nose = np.sin(np.radians(pose[:2])), np.sin(np.radians([yaw, pitch]))
    assert np.hypot(np.cos(np.radians(pose[1])) * nose[0][0], nose[0][1]) == pytest.approx(
        np.hypot(np.cos(np.radians(pitch)) * nose[1][0], nose[1][1]), abs=1e-4
    )


def test_batches_depend_on_the_step_alone(records: Path) -> None:
    crops = _crops(records)
    steps = Steps(crops, 6, seed=3)
    stream = batches(steps, 2, 0)
    next(stream)
    images, targets = next(stream)
    again, same = Steps(crops, 6, seed=3)[3]
    assert torch.equal(images, again)
    assert torch.equal(torch.nan_to_num(targets, -9), torch.nan_to_num(same, -9))
    other, _ = Steps(crops, 6, seed=4)[3]
    assert not torch.equal(images, other)


def test_an_epoch_shows_everything_once_over_all_processes(records: Path) -> None:
    steps = [Steps(_crops(records), 8, 0, rank=r, world=2) for r in (0, 1)]
    order = steps[0].order(0)
    assert sorted(order) == [(0, i) for i in range(80)]
    assert order == steps[1].order(0)
    assert order != steps[0].order(1)


def test_repeats_change_the_share_of_a_source(records: Path, unlabelled: Path) -> None:
    config = DataConfig(folders=(str(records), str(unlabelled)))
    crops = Crops(read_sources(config.folders, SMALL), SMALL, TINY, config)
    order = Steps(crops, 8, 0, DataConfig(repeats=(0.5, 2.0))).order(0)
    assert sum(k == 0 for k, _ in order) == 40
    assert sum(k == 1 for k, _ in order) == 24


def test_a_folder_that_no_epoch_would_show_is_named(records: Path, photographs: Path) -> None:
    folders = (str(records), str(photographs))
    crops = Crops(read_sources(folders, SMALL), SMALL, TINY, DataConfig(folders=folders))
    for repeats in ((1.0, 0.0), (1.0, 0.001)):
        mixing = DataConfig(folders=folders, repeats=repeats)
        with pytest.raises(TrainingError, match=r"data\.repeats=\(1\.0, .*photographs.* leave the folder out"):
            Steps(crops, 8, 0, mixing)
    with pytest.raises(TrainingError, match=r"data\.photographs=0\.0001 leaves no picture"):
        Steps(crops, 8, 0, DataConfig(folders=folders, photographs=0.0001))


def test_faceless_crops_teach_quality_only(records: Path) -> None:
    crops = _crops(records, negatives=1.0)
    layout = Layout.of(SMALL)
    empty = 0
    for i in range(60):
        image, flat = crops.training((0, i), np.random.default_rng(i))
        assert image.shape == (32, 32, 3)
        targets = layout.unpack(torch.from_numpy(flat[None]))
        assert 0 <= float(targets["quality"]) < 0.8
        if float(targets["quality"]) < 0.3:
            empty += 1
            assert all(torch.isnan(t).all() for name, t in targets.items() if name != "quality")
    assert empty > 40


def test_changed_crops_are_the_same_at_every_call_and_keep_their_labels(records: Path) -> None:
    crops = _crops(records)
    first, again = (list(whole_batches(crops, changed=True)) for _ in range(2))
    exact = list(whole_batches(crops))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a[0], b[0]) for a, b in zip(first, exact, strict=True))
    ages = [torch.cat([crops.layout.unpack(t)["age"] for _, t in batches]) for batches in (first, exact)]
    assert torch.equal(torch.nan_to_num(ages[0]), torch.nan_to_num(ages[1]))


def test_whole_batches_cover_every_picture_in_order(records: Path) -> None:
    crops = _crops(records)
    parts = list(whole_batches(crops, batch=30))
    assert [len(p[0]) for p in parts] == [30, 30, 20]
    ages = torch.cat([crops.layout.unpack(p[1])["age"][:, 0] for p in parts]).numpy()
    np.testing.assert_allclose(ages, crops.sources[0].labels["age"][:, 0])


def test_photographs_make_up_the_asked_part_of_an_epoch(records: Path, unlabelled: Path, photographs: Path) -> None:
    mixing = DataConfig(folders=(str(records), str(photographs)), photographs=0.25, balance=0.5)
    crops = Crops(read_sources(mixing.folders, SMALL), SMALL, TINY, mixing)
    order = Steps(crops, 8, 0, mixing).order(0)
    shown = sum(k == 1 for k, _ in order)
    assert [s.rendered for s in crops.sources] == [True, False]
    assert shown / len(order) == pytest.approx(0.25, abs=0.02)
    alone = DataConfig(folders=(str(photographs),), photographs=0.25)
    steps = Steps(Crops(read_sources(alone.folders, SMALL), SMALL, TINY, alone), 8, 0, alone)
    assert steps.epoch_size == len(crops.sources[1])  # nothing to mix with


@given(st.lists(st.sampled_from("aaaaabbc"), min_size=3, max_size=60), st.integers(1, 200), st.integers(0, 99))
def test_balanced_groups_come_equally_often(groups: list[str], count: int, seed: int) -> None:
    weights = balanced(groups, 1.0)
    chosen = drawn_places(np.random.default_rng(seed), len(groups), count, weights)
    assert len(chosen) == count
    times = np.bincount(chosen, minlength=len(groups))
    assert np.abs(times - weights * count).max() < 1 + 1e-6
    sums = {g: weights[np.array(groups) == g].sum() for g in set(groups)}
    assert max(sums.values()) == pytest.approx(min(sums.values()))
    assert balanced(groups, 0.0) == pytest.approx(np.full(len(groups), 1 / len(groups)))


def test_parts_of_a_folder_hold_each_other(records: Path) -> None:
    source = read_source(records, SMALL)
    few, more, every, beyond = (picked(source.people, count, 3) for count in (10, 30, 0, 999))
    assert (few.sum(), more.sum(), every.sum(), beyond.sum()) == (10, 30, 80, 80)
    assert more[few].all()
    assert (picked(source.people, 10, 4) != few).any()
    part, whole = read_sources([str(records)] * 2, SMALL, limits=(10, 0), seed=3)
    assert (len(part), len(whole)) == (10, 80)
    for got, expected in zip(part.images, source.only(few).images, strict=True):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(part.labels["age"], source.only(few).labels["age"])
    assert part.people == source.only(few).people
    assert part.rendered
    assert len(read_sources([str(records)], SMALL, 20, limits=(0,))[0]) == 20
