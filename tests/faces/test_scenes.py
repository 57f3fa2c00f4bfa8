"""Scenes: repeatable, with boxes where the heads are, and none where there is none."""

import cv2
import numpy as np
import pytest

from omokage.data.clutter import clutter, hand
from omokage.data.records import write_shard
from omokage.errors import RecordError
from omokage.faces.canvas import Canvas
from omokage.faces.heads import faceless, read_heads
from omokage.faces.network import STRIDES
from omokage.faces.photographic import photographic
from omokage.faces.scenes import SceneSource
from omokage.faces.targets import UNASKED, targets


@pytest.fixture(scope="module")
def source(toy_records):
    return SceneSource(read_heads([toy_records]), 128, 8, 0)


def test_people_are_split_and_none_is_lost(toy_records):
    train, held = read_heads([toy_records], every=4), read_heads([toy_records], held_out=True, every=4)
    assert len(train) + len(held) == 60
    assert 0 < len(held) < 35
    assert len(read_heads([toy_records], limit=5)) == 5
    assert len(read_heads([toy_records], held_out=True, every=1)) == 60


def test_heads_without_labels_are_refused(tmp_path):
    from dataclasses import replace

    from conftest import toy_record  # type: ignore[import-not-found]

    record = toy_record(1)
    bare = replace(record, labels={k: v for k, v in record.labels.items() if k != "segmentation"})
    write_shard(tmp_path / "a.parquet", [bare])
    with pytest.raises(RecordError, match="segmentation"):
        read_heads([tmp_path], every=1, held_out=True)


def test_heads_keep_their_colours_whatever_flags_opencv_has(toy_records, monkeypatch):
    monkeypatch.delattr(cv2, "IMREAD_COLOR_RGB", raising=False)  # 4.10 lacks it
    skin = read_heads([toy_records], limit=1)[0].image.reshape(-1, 3)
    assert (skin == (225, 180, 150)).all(1).mean() > 0.1


def test_scenes_repeat(source):
    for k in range(6):
        a, b = (source.draw(np.random.default_rng(k)) for _ in range(2))
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.boxes, b.boxes)


def test_scenes_hold_what_they_say(source):
    scenes = [source.draw(np.random.default_rng((1, k))) for k in range(150)]
    for scene in scenes:
        assert scene.image.shape == (128, 128, 3)
        assert scene.image.dtype == np.uint8
        centre = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
        assert ((centre > -13) & (centre < 141)).all()
        assert ((scene.boxes[:, 2:] - scene.boxes[:, :2]).max(1) >= 11).all()
    sides = np.concatenate([s.boxes[:, 2:] - s.boxes[:, :2] for s in scenes]).max(1)
    assert sides.min() < 16
    assert sides.max() > 110
    assert sum(len(s.boxes) == 0 for s in scenes) > 8


def test_scenes_without_faces_have_none(source):
    for k in range(20):
        scene = source.without_faces(np.random.default_rng(k))
        assert len(scene.boxes) == len(scene.ignored) == 0
        assert len(source.empty(np.random.default_rng(k)).boxes) == 0


def test_pasted_heads_are_where_their_boxes_are(source):
    """The eyes and the mouth of the toy face are dark in its bright disc: the box must surround that disc."""
    for k in range(12):
        canvas = Canvas.on(np.zeros((128, 128, 3), np.uint8))
        rng = np.random.default_rng(k)
        source.body = lambda *_: None  # type: ignore[method-assign]
        source.head(canvas, source.heads[k], rng, 50.0, centred=True)
        rows, columns = np.nonzero(canvas.picture.sum(2) > 60)
        middle = np.array([columns.mean(), rows.mean()])
        box = canvas.boxes[0]
        assert np.abs(middle - (box[:2] + box[2:]) / 2).max() < 12
        assert max(box[2:] - box[:2]) == pytest.approx(50, rel=0.35)
    del source.body


def test_a_covered_face_is_not_asked_for():
    picture = np.full((64, 64, 3), 90, np.uint8)
    full = np.full((20, 20), 255, np.uint8)
    canvas = Canvas.on(picture)
    canvas.paste(np.full((20, 20, 3), 200, np.uint8), full, 10, 10, np.array([10.0, 10, 30, 30]))
    canvas.paste(np.full((20, 20, 3), 200, np.uint8), full, 40, 40, np.array([40.0, 40, 60, 60]))
    canvas.paste(np.zeros((20, 20, 3), np.uint8), full, 44, 38, None)
    scene = canvas.finish(np.random.default_rng(0))
    np.testing.assert_array_equal(scene.boxes, [[10, 10, 30, 30]])
    np.testing.assert_array_equal(scene.ignored, [[40, 40, 60, 60]])


def test_faceless_heads_lose_their_features(toy_records):
    head = read_heads([toy_records], every=1, held_out=True)[0]
    low, high = head.landmarks[36:].min(0).astype(int), head.landmarks[36:].max(0).astype(int)
    for seed in range(6):
        changed = faceless(head, np.random.default_rng(seed))
        inside = np.abs(changed.astype(int) - head.image)[low[1] : high[1], low[0] : high[0]]
        assert inside.mean() > 8
        assert (changed[:8] == head.image[:8]).all()


def test_targets_point_at_the_faces(source):
    for k in range(40):
        scene = source.draw(np.random.default_rng((2, k)))
        wanted = targets(scene)
        assert wanted.shape == (sum((128 // s) ** 2 for s in STRIDES), 5)
        asked = {tuple(row) for row in wanted[wanted[:, 0] == 1][:, 1:].tolist()}
        known = {tuple(box) for box in scene.boxes.tolist()}
        assert asked <= known
        middles = np.concatenate([
            np.stack(np.meshgrid(*[(np.arange(128 // s) + 0.5) * s] * 2), -1).reshape(-1, 2) for s in STRIDES
        ])  # fmt: skip
        face = wanted[:, 0] == 1
        reach = np.abs(middles[face] - (wanted[face, 1:3] + wanted[face, 3:5]) / 2)
        sides = (wanted[face, 3:5] - wanted[face, 1:3]).max(1, keepdims=True)
        assert (reach <= np.maximum(48, 0.17 * sides)).all()
        for box in scene.ignored:
            inside = ((middles > box[:2] + 1) & (middles < box[2:] - 1)).all(1)
            assert np.isin(wanted[inside, 0], (UNASKED, 1)).all()


def test_clutter_and_hands_are_pictures():
    for k in range(12):
        picture = clutter(np.random.default_rng(k), 96)
        assert picture.shape == (96, 96, 3)
        assert picture.dtype == np.uint8
    image, alpha = hand(np.random.default_rng(0), 64)
    assert image.shape == (64, 64, 3)
    assert 0 <= alpha.min() < alpha.max() <= 1


def test_the_photograph_does_not_move_anything():
    picture = np.zeros((96, 96, 3), np.uint8)
    cv2.circle(picture, (60, 40), 12, (255, 255, 255), -1)
    for k in range(30):
        seen = photographic(picture, np.random.default_rng(k)).astype(float).sum(2)
        seen = np.clip(seen - np.median(seen) - 60, 0, None)
        if seen.sum() > 0:
            rows, columns = np.nonzero(seen > seen.max() / 2)
            assert abs(columns.mean() - 60) < 3
            assert abs(rows.mean() - 40) < 3
