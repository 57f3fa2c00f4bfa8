"""Find, align, predict, twice: with stand-ins whose answers are known."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from omokage.errors import InputError, UnreadableError
from omokage.media.image import read_image
from omokage.media.sources import Source
from omokage.pipeline import Analyzer, AnalyzerConfig, ReviewRules
from omokage.pipeline.reader import whole_box
from omokage.pipeline.review import reasons
from omokage.results import AgeEstimate, Box, Categorical, FaceAnalysis, Pose
from stand_ins import SquareFinder, SquarePredictor, picture, write_picture


def analyzer(**options: object) -> Analyzer:
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor(), **options)  # type: ignore[arg-type]


def test_faces_come_largest_first_in_source_pixels(tmp_path: Path) -> None:
    write_picture(tmp_path / "two.png", [(10, 10, 30, 20), (70, 40, 60, 60)])
    faces = analyzer()(tmp_path / "two.png")
    assert [face.face for face in faces] == [0, 1]
    assert [round(face.age.years) for face in faces if face.age] == [60, 20]
    assert faces[0].source == str(tmp_path / "two.png")
    assert faces[0].box.iou(Box(70, 40, 130, 100)) > 0.8
    assert faces[1].box.iou(Box(10, 10, 40, 40)) > 0.8
    assert faces[0].landmarks is not None
    assert faces[0].landmarks.shape == (68, 2)


def test_pillow_images_are_taken_upright() -> None:
    pixels = picture([(20, 60, 50, 30)])
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(pixels)))
    lying.getexif()[274] = 6  # to be turned by a quarter clockwise
    for image in (lying, Image.fromarray(pixels).convert("RGBA")):
        (face,) = analyzer()(image)
        assert face.box.iou(Box(20, 60, 70, 110)) > 0.8


@pytest.mark.parametrize(
    ("given", "why"),
    [(None, "a NoneType is no picture: give a path"), (["a.png"], "a list is no picture: .* to analyze_many"),
     (np.zeros((0, 5, 3), np.uint8), "not an empty array")],
)  # fmt: skip
def test_what_is_no_picture_is_refused(given: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        analyzer()(given)  # type: ignore[arg-type]


def test_one_path_is_as_good_as_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    write_picture(path, [(10, 10, 30, 20)])
    for inputs in (str(path), path, [path], Source(str(path)), {path}, iter([str(path)])):
        assert [r.source for r in analyzer().analyze_many(inputs)] == [str(path)]  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a NoneType is no path"):
        analyzer().analyze_many([None])  # type: ignore[list-item]


def test_no_face_is_an_empty_list_and_never_the_whole_picture() -> None:
    assert analyzer()(picture()) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(16, 36), st.integers(0, 100)), max_size=6))
@settings(max_examples=25, deadline=None)
def test_every_square_is_found_once(cells: list[tuple[int, int, int, int]]) -> None:
    unique = {(column, row): (column * 40 + 2, row * 40 + 2, side, age) for column, row, side, age in cells}
    faces = analyzer()(picture(list(unique.values())))
    assert len(faces) == len(unique)
    assert [f.box.area for f in faces] == sorted((f.box.area for f in faces), reverse=True)


def test_the_second_look_is_upright() -> None:
    finder, predictor = SquareFinder(), SquarePredictor(lean=8.0)
    faces = Analyzer(finder=finder, predictor=predictor)(picture([(50, 40, 50, 30)]))
    assert len(faces) == 1
    assert predictor.batches == [1, 1]


def test_what_the_network_rates_as_no_face_is_dropped() -> None:
    class Blind(SquarePredictor):
        def _one(self, crop, given):  # type: ignore[no-untyped-def]
            return replace(super()._one(crop, given), quality=0.05)

    image = picture([(50, 40, 50, 30)])
    assert Analyzer(finder=SquareFinder(), predictor=Blind())(image) == []
    sure = AnalyzerConfig(sure_score=0.5)
    assert len(Analyzer(finder=SquareFinder(), predictor=Blind(), config=sure)(image)) == 1
    kept = Analyzer(finder=SquareFinder(), predictor=Blind())(image, crops=True)
    assert "poor crop" in kept[0].needs_review


def test_crops_skip_the_finder() -> None:
    finder = SquareFinder()
    faces = Analyzer(finder=finder, predictor=SquarePredictor())(picture([(10, 10, 80, 40)], (100, 100)), crops=True)
    assert len(faces) == 1
    assert finder.asked == 0
    box = whole_box(picture(size=(100, 80)), 1.25)
    assert (box.width, box.centre) == (64.0, (40.0, 50.0))


def test_batches_cross_pictures_and_keep_their_order(tmp_path: Path) -> None:
    names = [tmp_path / f"{i:02d}.png" for i in range(20)]
    for i, name in enumerate(names):
        write_picture(name, [(20 + k * 45, 20, 40, 5 * i) for k in range(i % 3)])
    finder, predictor = SquareFinder(), SquarePredictor()
    readings = list(Analyzer(finder=finder, predictor=predictor, batch_size=5).analyze_many([tmp_path]))
    assert [r.source for r in readings] == [str(n) for n in names]
    assert [len(r.faces) for r in readings] == [i % 3 for i in range(20)]
    assert max(predictor.batches) == 5
    assert all(round(f.age.years) == 5 * i for i, r in enumerate(readings) for f in r.faces if f.age)
    assert {r.status for r in readings} == {"ok", "no_face"}
    assert all(r.pixels is None for r in readings)


def test_bad_files_keep_their_place(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", [(20, 20, 40, 50)])
    (tmp_path / "b.jpg").write_text("words")
    (tmp_path / "c.jpg").write_bytes(b"")
    write_picture(tmp_path / "d.png")
    readings = list(analyzer().analyze_many([tmp_path]))
    assert [r.status.partition(":")[0] for r in readings] == ["ok", "unreadable", "unreadable", "no_face"]
    assert "0 bytes" in readings[2].status
    assert str(tmp_path) not in readings[1].status


def test_videos_give_timed_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (160, 120))
    for i in range(12):
        writer.write(np.ascontiguousarray(picture([(20 + i, 20, 60, 50)])[..., ::-1]))
    writer.release()
    readings = list(analyzer().analyze_many([path], every=4, keep_pixels=True))
    assert [(r.frame, r.last) for r in readings] == [(0, False), (4, False), (8, True)]
    assert readings[1].faces[0].frame == 4
    assert readings[1].faces[0].timestamp_s == pytest.approx(0.4, abs=0.02)
    assert readings[1].pixels is not None
    with pytest.raises(InputError, match="analyze_many"):
        analyzer()(path)


def test_an_abandoned_run_stops_its_thread(tmp_path: Path) -> None:
    import threading

    for i in range(30):
        write_picture(tmp_path / f"{i}.png", [(20, 20, 40, 50)])
    readings = analyzer().analyze_many([tmp_path])
    next(readings)
    readings.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name == "omokage-decode"]


def test_what_is_known_reaches_the_predictor() -> None:
    face = analyzer(given={"age": 70})(picture([(20, 20, 40, 10)]))[0]
    assert face.age is not None
    assert face.age.years == 70


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8)]
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="RGB uint8"):
        analyzer()(array)


def test_unreadable_pictures_raise(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        analyzer()(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableError, match="the path is an empty text"):
        analyzer()("")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"batch_size": 0}, "batch_size=0 is not possible: give a whole number from 1 on"),
        ({"batch_size": 1.5}, "batch_size=1.5 is not"), ({"given": ["age"]}, "not a list"),
        ({"weights": 3}, "name a shipped set or a folder, not a int"),
    ],
)  # fmt: skip
def test_arguments_of_another_kind_are_told_at_once(given: dict[str, object], why: str) -> None:
    with pytest.raises(InputError, match=why):
        Analyzer(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["batch_size", "pictures", "pixels"])
def test_no_count_of_a_configuration_is_below_one(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}=0 is not possible"):
        AnalyzerConfig(**{name: 0})


def test_reasons_for_review() -> None:
    fine = FaceAnalysis("", Box(0, 0, 80, 80), 0.99, pose=Pose(0, 0, 0), age=AgeEstimate(30, 22, 40), quality=0.9)
    rules = ReviewRules()
    assert reasons(fine, 1, rules) == []
    cases = {
        "low confidence": replace(fine, score=0.1),
        "poor crop": replace(fine, quality=0.1),
        "small face": replace(fine, box=Box(0, 0, 9, 9)),
        "wide age interval": replace(fine, age=AgeEstimate(40, 5, 80)),
        "extreme pose (yaw -80": replace(fine, pose=Pose(-80, 0, 0)),
    }
    for start, face in cases.items():
        found = reasons(face, 1, rules)
        assert len(found) == 1
        assert found[0].startswith(start)
    assert reasons(fine, 50, rules) == ["many faces (50)"]


def test_a_face_prints_without_its_long_lists(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", [(10, 10, 30, 20)])
    face = analyzer()(tmp_path / "a.png")[0]
    shown = repr(replace(face, landmarks=np.zeros((68, 2), np.float32), units={"jawOpen": 0.125}))
    assert "array" not in shown
    assert "jawOpen" not in shown
    assert "age=AgeEstimate(years=" in shown
    assert "density" not in shown


def test_the_configured_batch_holds_unless_another_is_given() -> None:
    assert analyzer(config=AnalyzerConfig(batch_size=4)).config.batch_size == 4
    assert analyzer(config=AnalyzerConfig(batch_size=4), batch_size=8).config.batch_size == 8
    assert analyzer().config.batch_size == 32


def test_classes_read_like_a_mapping() -> None:
    answer = Categorical(("calm", "glad"), (0.25, 0.75))
    assert dict(answer) == dict(answer.items()) == {"calm": 0.25, "glad": 0.75}
    assert list(answer) == ["calm", "glad"]
    assert "glad" in answer
    assert "joy" not in answer
    with pytest.raises(KeyError, match="no class 'joy'; there are calm, glad"):
        answer["joy"]


class Place:
    """A path that is no `pathlib.Path`, as other libraries have them."""

    def __init__(self, path: str | bytes) -> None:
        self.path = path

    def __fspath__(self) -> str | bytes:
        return self.path


def test_any_kind_of_path_names_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, [(10, 10, 30, 20)])
    with os.scandir(tmp_path) as entries:
        (entry,) = entries
    for place in (Place(str(path)), Place(bytes(path)), entry):
        assert [f.source for f in analyzer()(place)] == [str(path)]  # type: ignore[arg-type]
        assert [r.source for r in analyzer().analyze_many([place])] == [str(path)]  # type: ignore[list-item]
        assert read_image(place).shape == (120, 160, 3)  # type: ignore[arg-type]
    (tmp_path / "b.png").write_text("words")
    with pytest.raises(UnreadableError, match=r"/b\.png: not a picture"):
        analyzer()(Place(str(tmp_path / "b.png")))  # type: ignore[arg-type]


def test_a_path_with_a_null_byte_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for path in ("a\0b.png", tmp_path / "a\0b.png"):
        with pytest.raises(UnreadableError, match="cannot hold a null byte"):
            analyzer()(path)
    with pytest.raises(InputError, match="cannot hold a null byte"):
        list(analyzer().analyze_many("a\0b*.png"))
