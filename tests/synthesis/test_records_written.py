"""Folders of rendered records: the same bytes for any number of workers, resuming, refusals, and labels that hold."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from omokage.data.records import SEGMENTATION, YES_NO, Record, read_records
from omokage.errors import InputError, OutputError
from omokage.results import EXPRESSIONS, Box
from omokage.synthesis.labels import hair_colours, ramp, scene_labels
from omokage.synthesis.pairs import Pairs, PairSampler
from omokage.synthesis.people import aged, perceived_female
from omokage.synthesis.plans import Pictures
from omokage.synthesis.render import render
from omokage.synthesis.sampling import CameraSampler, SceneSampler
from omokage.synthesis.scene import Camera, Expression, Person, Pose, Scene, Surroundings
from omokage.synthesis.tracks import Tracks, TrackSampler
from omokage.synthesis.write import CONFIG, SHEET, Job, write_pairs, write_plan, write_records, write_tracks

SMALL = SceneSampler(cameras=CameraSampler(size=48))
JOB = Job(Pictures(SMALL, per_person=2), seed=11, shard_size=6)
SCRIPT = """
import sys
from pathlib import Path
from omokage.synthesis.sampling import CameraSampler, SceneSampler
from omokage.synthesis.plans import Pictures
from omokage.synthesis.write import Job, write_plan
if __name__ == "__main__":
    job = Job(Pictures(SceneSampler(cameras=CameraSampler(size=48)), per_person=2), seed=11, shard_size=6)
    write_plan(Path(sys.argv[1]), int(sys.argv[3]), job, workers=int(sys.argv[2]))
"""


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "new"
    assert write_plan(out, 15, JOB, workers=1) == 15
    return out


def test_bytes_do_not_depend_on_workers_or_process(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, str(script), str(tmp_path / "two"), "2", "15"], check=True, timeout=300)
    assert digests(tmp_path / "two") == digests(folder)  # written by this process alone


def children(of: int) -> list[int]:
    """Processes that a process has started."""
    return [int(pid) for pid in Path(f"/proc/{of}/task/{of}/children").read_text().split()]


def until(done: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not done() and time.monotonic() < ends:
        time.sleep(0.1)
    return done()


@pytest.mark.skipif(not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").is_file(), reason="needs Linux /proc")
def test_no_process_outlives_a_killed_run(tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, str(script), str(out), "2", "30000"]) as parent:
        assert until(lambda: any(out.glob("*.parquet")), 200)  # both are at work
        workers = children(parent.pid)
        assert len(workers) >= 2
        parent.kill()
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 30)


def test_records_are_whole_and_labelled(folder: Path) -> None:
    found = list(read_records(folder))
    assert len({r.id for r in found}) == 15
    assert len({r.person for r in found}) == 8  # groups of two, three to a shard; the last one is cut
    for record in found:
        image = cv2.imdecode(np.frombuffer(record.image, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (48, 48, 3) == (record.height, record.width, 3)
        labels = record.labels
        classes = cv2.imdecode(np.frombuffer(labels["segmentation"], np.uint8), cv2.IMREAD_UNCHANGED)
        assert classes.shape == (48, 48)
        assert classes.max() < len(SEGMENTATION)
        assert labels.get("expression") in (*EXPRESSIONS, None)
        assert 0 <= labels["female"] <= 1
        points = np.array(labels["landmarks"]).reshape(68, 2)
        box = Box.around(points)
        assert labels["box"] == pytest.approx([box.x0, box.y0, box.x1, box.y1], abs=1e-3)
        assert all(0 <= labels[f"attr_{n}"] <= 1 for n in YES_NO if f"attr_{n}" in labels)
        scene = Scene.from_json(labels["scene"])
        assert labels["pose"] == pytest.approx([scene.pose.yaw, scene.pose.pitch, scene.pose.roll], abs=1e-3)
        assert json.loads(record.provenance)["seed"] == 11
        assert Record.from_row(record.row()).labels == labels


def test_who_was_aged_looks_as_raters_would_say_at_that_age() -> None:
    grown = person(age=18.0, male=0.9, hair="short", hair_length=0.3)
    child = aged(grown, 4.0)
    assert labels_of(child)["female"] == perceived_female(child)
    assert abs(labels_of(child)["female"] - 0.5) < abs(labels_of(grown)["female"] - 0.5)  # children's faces say little


def test_a_record_can_be_rendered_again_from_its_scene(folder: Path) -> None:
    record = next(read_records(folder))
    scene = Scene.from_json(record.labels["scene"])
    again = render(scene)
    stored = cv2.imdecode(np.frombuffer(record.image, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(stored.astype(int) - again.image).mean() < 4  # JPEG at 95 lies between them
    assert np.allclose(again.landmarks.reshape(-1), record.labels["landmarks"], atol=1e-3)


def test_resuming_keeps_what_is_whole_and_extends(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "part"
    assert write_plan(out, 8, JOB, workers=1) == 8  # one whole shard and a third of the next
    first = (out / "shard-00000.parquet").stat().st_mtime_ns
    (out / "shard-00001.parquet").write_bytes(b"cut short")
    seen: list[tuple[int, int]] = []
    assert write_plan(out, 15, JOB, workers=1, progress=lambda *at: seen.append(at)) == 15
    assert digests(out) == digests(folder)
    assert (out / "shard-00000.parquet").stat().st_mtime_ns == first
    assert seen[0] == (6, 15)
    assert seen[-1] == (15, 15)


def test_another_configuration_is_refused(folder: Path, tmp_path: Path) -> None:
    before = digests(folder)
    with pytest.raises(InputError, match=r"another seed \(it was 11, now 12\)"):
        write_plan(folder, 15, replace(JOB, seed=12))
    with pytest.raises(InputError, match=r"another settings\.per_person \(it was 2, now 3\)"):
        write_plan(folder, 15, replace(JOB, plan=Pictures(SMALL, per_person=3)))
    assert digests(folder) == before
    (tmp_path / "foreign.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="did not write"):
        write_plan(tmp_path, 2, JOB)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds other files .*me\.jpg"):
        write_plan(tmp_path / "photos", 2, JOB)
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["me.jpg"]
    with pytest.raises(InputError, match="cannot render 0"):
        write_plan(tmp_path / "x", 0, JOB)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_plan(blocked / "under", 2, JOB)


def test_sheet_and_configuration_lie_beside_the_shards(folder: Path) -> None:
    sheet = cv2.imread(str(folder / SHEET))
    assert sheet is not None
    assert sheet.shape[1] == 8 * 128
    config = json.loads((folder / CONFIG).read_text())
    assert config["seed"] == 11
    assert config["settings"]["sampler"]["cameras"]["size"] == 48


def test_front_doors(tmp_path: Path) -> None:
    assert write_records(tmp_path / "a", 3, 5, size=32, workers=1, image="png") == 3
    assert write_pairs(tmp_path / "b", 2, 5, PairSampler(factors=(("age", 1.0),)), size=32, workers=1) == 4
    tracks = TrackSampler(frames=4, sampler=SMALL)
    assert write_tracks(tmp_path / "c", 1, 5, tracks, size=32, workers=1) == 4
    before, after = list(read_records(tmp_path / "b"))[:2]
    assert before.person == after.person
    roles = [json.loads(r.labels["groups"]) for r in (before, after)]
    assert [r["role"] for r in roles] == ["before", "after"]
    assert roles[0]["group"] == roles[1]["group"]
    change = json.loads(after.provenance)["changes"]["person.age"]
    assert after.labels["age"] - before.labels["age"] == pytest.approx(change, abs=1e-2)
    frames = [json.loads(r.labels["groups"]) for r in read_records(tmp_path / "c")]
    assert [f["frame"] for f in frames] == [0, 1, 2, 3]
    assert frames[3]["time_s"] == pytest.approx(3 / 25)
    with pytest.raises(InputError, match="gif"):
        write_records(tmp_path / "d", 1, 5, image="gif")


def test_systems_that_do_not_tell_the_usable_cores_render_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # macOS and Windows lack it
    assert write_plan(tmp_path / "out", 1, JOB) == 1


def test_group_sizes() -> None:
    assert Job(Pairs(), 0).groups_per_shard == 250
    assert Job(Tracks(TrackSampler(frames=700)), 0).groups_per_shard == 1


def person(**changes: object) -> Person:
    base = Person(3, 30.0, 0.5, 0.5, 0.0, 0.5, (1 / 3, 1 / 3, 1 / 3), (), 0.3, 0.4, 0.1, 0.0, 0.1)
    return replace(base, **changes)  # type: ignore[arg-type]


def labels_of(who: Person, *units: tuple[str, float], pose: Pose | None = None, occluder: str = "none") -> dict:
    scene = Scene(
        who,
        Expression(units),
        pose or Pose(),
        camera=Camera(1, size=64),
        surroundings=Surroundings(1, "plain", occluder),
    )
    return scene_labels(scene, render(scene))


def test_pose_signs_in_the_picture() -> None:
    def points(**angles: float) -> np.ndarray:
        return np.array(labels_of(person(), pose=Pose(**angles))["landmarks"]).reshape(68, 2)

    def nose_between_ears(p: np.ndarray) -> float:
        return float(p[30, 0] - (p[0, 0] + p[16, 0]) / 2)

    assert nose_between_ears(points(yaw=25)) > 3 > -3 > nose_between_ears(points(yaw=-25))
    up, down = points(pitch=20), points(pitch=-20)
    assert (up[30] - up[36:48].mean(0))[1] < (down[30] - down[36:48].mean(0))[1]  # chin up lifts the nose to the eyes
    rolled = points(roll=20)
    assert rolled[45, 1] > rolled[36, 1] + 3  # clockwise: the eye on the image's right goes down


def test_yes_no_labels_follow_the_scene() -> None:
    smile = labels_of(person(), ("mouthSmileLeft", 0.6), ("mouthSmileRight", 0.6))
    assert smile["attr_smiling"] == 1
    assert labels_of(person())["attr_smiling"] == 0
    assert labels_of(person(), ("jawOpen", 0.6))["attr_mouth_slightly_open"] == 1
    assert labels_of(person())["attr_mouth_slightly_open"] < 0.5
    asleep = labels_of(person(), ("eyeBlinkLeft", 1.0), ("eyeBlinkRight", 1.0))
    assert asleep["attr_eyes_closed"] == 1
    assert "gaze" not in asleep
    for open_enough in ((), (("eyeBlinkLeft", 1.0),), (("eyeBlinkLeft", 0.75), ("eyeBlinkRight", 0.75))):
        assert "gaze" in labels_of(person(), *open_enough)
    sun = labels_of(person(glasses="sunglasses"))
    assert sun["attr_eyeglasses"] == sun["attr_sunglasses"] == 1
    assert "attr_eyes_closed" not in sun
    assert "gaze" not in sun
    bearded = labels_of(person(beard="full", male=0.9))
    assert bearded["attr_beard"] == 1


def test_hidden_things_have_no_label() -> None:
    masked = labels_of(person(), occluder="surgical_mask")
    assert masked["attr_face_mask"] == masked["attr_occluded"] == 1
    assert not {"attr_smiling", "attr_mustache", "attr_beard"} & set(masked)
    tight = Scene(person(), camera=Camera(1, size=64, frame=1.2, shift=(0.0, 0.45)))
    cut = scene_labels(tight, render(tight))  # the mouth lies below the picture
    assert "attr_smiling" not in cut
    assert "attr_eyes_closed" in cut
    capped = labels_of(person(hat="beanie"))
    assert capped["attr_wearing_hat"] == 1
    assert not {"attr_black_hair", "attr_bangs", "hair_length"} & set(capped)
    plain = labels_of(person())
    assert plain["attr_occluded"] == 0
    assert {"attr_black_hair", "attr_bangs", "hair_length"} <= set(plain)


def test_hair_colours_have_names() -> None:
    assert hair_colours((0.015, 0.012, 0.01))["black_hair"] == 1
    assert hair_colours((0.14, 0.08, 0.045))["brown_hair"] == 1
    assert hair_colours((0.42, 0.30, 0.15))["blond_hair"] == 1
    assert max(hair_colours((0.05, 0.05, 0.4)).values()) < 0.2  # blue dye
    assert ramp(0.2, (0.1, 0.3)) == 0.5


@pytest.mark.parametrize("text", ["[]", "7", "{", "\x80"])
def test_damaged_settings_beside_shards_are_said_so(folder: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / CONFIG).write_text(text, "latin-1")
    with pytest.raises(InputError, match=r"records\.json is damaged"):
        write_plan(tmp_path / "copy", 15, JOB)


def test_settings_bind_no_folder_without_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr("omokage.data.records.pq.write_table", full)
        with pytest.raises(OutputError, match=r"disk is full.* finished shards are kept: run the same command again"):
            write_plan(tmp_path, 2, JOB, workers=1)
        with pytest.raises(OutputError):  # a count without an end takes no memory
            write_plan(tmp_path, 10**15, JOB, workers=1)
    other = replace(JOB, seed=12)
    assert write_plan(tmp_path, 2, other, workers=1) == 2
    assert json.loads((tmp_path / CONFIG).read_text())["seed"] == 12
