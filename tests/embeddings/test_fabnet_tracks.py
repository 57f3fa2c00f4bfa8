"""Track records as crops and items: the pipeline's crop, order in time, splits, fixed draws."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fabnet_runs import picture, record, write_drawn_tracks

from omokage.data.records import Record, write_shard
from omokage.embeddings.config import TracksConfig
from omokage.embeddings.data import Items, Steps, drawn_frames, held_out_batches, split
from omokage.embeddings.store import TrackStore, open_store, room, thumbnail, track_of
from omokage.errors import OutputError, RecordError, TrainingError
from omokage.faces.align import crop_box, crop_landmarks
from omokage.results import Box
from omokage.training.stream import batches

PLAIN = TracksConfig(sources=2, held_out=0.3, workers=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TrackStore:
    folder = write_drawn_tracks(tmp_path_factory.mktemp("tracks"))
    return open_store([str(folder)], tmp_path_factory.mktemp("cache"), 32, 1.3)


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for the sampler's rounding of places to 1/32 pixel."""
    return bool(np.abs(a.astype(int) - b.astype(int)).mean() < 0.5)


def test_the_middle_of_a_stored_crop_is_the_pipelines_crop(store: TrackStore, tmp_path: Path) -> None:
    assert close(store.exact(8), crop_box(picture(1, 2), Box(8, 8, 40, 40), 32, 1.3).image)
    points = np.random.default_rng(0).uniform(12, 36, (68, 2))
    for label in ("landmarks", "outline"):
        plain = record(0, 0)
        labels = {**plain.labels, label: points.ravel().tolist()}
        write_shard(tmp_path / label / "0.parquet", [replace(plain, labels=labels)])
        found = open_store([str(tmp_path / label)], tmp_path / "cache", 32, 1.3)
        assert close(found.exact(0), crop_landmarks(picture(0, 0), points, 32, 1.3).image)


def test_frames_of_a_track_are_in_order_of_time(tmp_path: Path) -> None:
    rows = [record(0, 0, 2), record(1, 0), record(0, 1, 0), record(0, 2, 1)]
    write_shard(tmp_path / "in" / "0.parquet", rows)
    found = open_store([str(tmp_path / "in")], tmp_path / "cache", 32, 1.3)
    assert [track.tolist() for track in found.tracks] == [[2, 3, 0], [1]]
    assert found.people == ["p0", "p1"]


def test_crops_are_cut_once_and_again_when_the_records_change(tmp_path: Path) -> None:
    folder = write_drawn_tracks(tmp_path / "in", people=4, frames=2)
    cache = tmp_path / "cache"
    open_store([str(folder)], cache, 32, 1.3)
    first = sorted(cache.iterdir())
    open_store([str(folder)], cache, 32, 1.3)
    assert sorted(cache.iterdir()) == first
    assert len(open_store([str(folder)], cache, 32, 1.3, limit=3).frames) == 3
    write_shard(folder / "2.parquet", [record(9, 0)])
    assert len(open_store([str(folder)], cache, 32, 1.3).frames) == 9
    assert not list(cache.glob("*.tmp"))


def test_damaged_records_are_named(tmp_path: Path) -> None:
    bad = replace(record(0, 0), image=b"no picture")
    write_shard(tmp_path / "a" / "0.parquet", [bad])
    with pytest.raises(RecordError, match="'p0-0' cannot be decoded"):
        open_store([str(tmp_path / "a")], tmp_path / "cache", 32, 1.3)
    with pytest.raises(RecordError, match="no JSON object"):
        track_of({"id": "x", "person": "p", "groups": "[1]"})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "0.parquet").write_bytes(b"cut short")
    with pytest.raises(RecordError, match="cannot be read"):
        open_store([str(tmp_path / "b")], tmp_path / "cache", 32, 1.3)
    with pytest.raises(RecordError, match="no record shards"):
        open_store([str(tmp_path / "none")], tmp_path / "cache", 32, 1.3)
    (tmp_path / "file").write_text("in the way")
    write_shard(tmp_path / "c" / "0.parquet", [record(0, 0)])
    with pytest.raises(OutputError, match=r"data\.cache"):
        open_store([str(tmp_path / "c")], tmp_path / "file", 32, 1.3)


def test_a_record_without_groups_belongs_to_its_persons_only_track() -> None:
    assert track_of({"id": "x", "person": "p", "groups": None}) == (("p", ""), 0.0)
    rendered = json.dumps({"group": "g", "frame": 3, "time_s": 1.5})
    assert track_of({"id": "x", "person": "p", "groups": rendered}) == (("p", "g"), 1.5)


def test_people_are_on_one_side_and_short_tracks_on_none(store: TrackStore) -> None:
    training, validation = split(store, PLAIN)
    sides = [{int(f) for person in s.people for t in person for f in t} for s in (training, validation)]
    assert not sides[0] & sides[1]
    assert len(sides[0] | sides[1]) == len(store.frames) == training.frames + validation.frames
    with pytest.raises(TrainingError, match="the 7 frames that an item needs"):
        split(store, replace(PLAIN, sources=6))


def test_a_batch_depends_on_seed_step_and_place_alone(store: TrackStore) -> None:
    items = Items(split(store, PLAIN)[0], PLAIN)
    steps = Steps(items, 4, seed=5)
    seen, clean, frames = steps[3]
    assert seen.shape == clean.shape == (4, 3, 32, 32, 3)
    assert frames.shape == (4, 3)
    assert all(torch.equal(a, b) for a, b in zip(Steps(items, 4, seed=5)[3], (seen, clean, frames), strict=True))
    halves = [Steps(items, 2, 5, rank, 2)[3][2] for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), frames)  # two processes share one order
    assert torch.equal(next(batches(steps, 3, 0))[0], seen)
    assert not torch.equal(seen, clean)
    plain = Steps(Items(items.side, replace(PLAIN, photometric=False)), 4, 5)[3]
    assert plain[0] is plain[1]


def test_an_epoch_shows_every_identity_once(store: TrackStore) -> None:
    steps = Steps(Items(split(store, PLAIN)[0], PLAIN), 4, seed=0)
    assert sorted(steps.order(2)) == list(range(len(steps.items.side.people)))
    assert steps.order(1).tolist() != steps.order(2).tolist()


def test_motion_prefers_frames_that_differ() -> None:
    thumbs = np.zeros((6, 4), np.float16)
    thumbs[5] = 2.0
    track = np.arange(6)
    rng = np.random.default_rng(0)
    drawn = {how: [drawn_frames(rng, track, thumbs, replace(PLAIN, pairs=how)) for _ in range(300)]
             for how in ("motion", "random")}  # type: ignore[arg-type]  # fmt: skip
    share = {how: np.mean([5 in frames for frames in rows]) for how, rows in drawn.items()}
    assert all(len(set(frames)) == 3 for rows in drawn.values() for frames in rows)
    assert share["random"] == pytest.approx(0.5, abs=0.1)
    assert share["motion"] > 0.95


def test_held_out_items_are_the_same_for_every_run(store: TrackStore) -> None:
    side = split(store, PLAIN)[1]
    one, two = (
        list(held_out_batches(Items(side, config), 10, 2, 4)) for config in (PLAIN, replace(PLAIN, pairs="motion"))
    )
    assert [len(crops) for crops, _ in one] == [4, 4, 2]
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(one, two, strict=True))


def test_a_stored_crop_has_room_and_a_thumbnail_no_brightness() -> None:
    assert room(112) == 16
    crop = np.random.default_rng(0).integers(0, 200, (40, 40, 3)).astype(np.uint8)
    one, two = thumbnail(crop, 4), thumbnail(crop + 50, 4)
    assert one.shape == (256,)
    assert np.abs(one.astype(float) - two.astype(float)).max() < 0.05


def test_without_straying_a_training_crop_is_the_exact_one(store: TrackStore) -> None:
    from omokage.data.transforms import Geometry

    still = Geometry(0, 0, 0, 0, 0, 0, 0, mirror=0.0)
    config = replace(PLAIN, geometry=still, photometric=False)
    items = Items(split(store, config)[0], config)
    _, clean, frames = items.training(0, np.random.default_rng(0))
    assert all(np.array_equal(image, store.exact(frame)) for image, frame in zip(clean, frames, strict=True))
    items = Items(items.side, replace(config, geometry=replace(still, mirror=1.0)))
    _, clean, frames = items.training(0, np.random.default_rng(0))
    assert all(np.array_equal(image, store.exact(frame)[:, ::-1]) for image, frame in zip(clean, frames, strict=True))


def test_a_record_may_lack_everything_but_its_picture(tmp_path: Path) -> None:
    whole = record(0, 0)
    bare = Record("a", "p", "x", whole.image, 48, 48)
    write_shard(tmp_path / "in" / "0.parquet", [bare])
    assert open_store([str(tmp_path / "in")], tmp_path / "cache", 32, 1.3).frames.shape == (1, 40, 40, 3)


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "records" / "0.parquet", [])
    with pytest.raises(RecordError, match="holds no record to learn from"):
        open_store([str(tmp_path / "records")], tmp_path, 32, 1.3)
