"""The benchmarks on own video and on footage: which tracks are learnt from, and pages that say what was found."""

from __future__ import annotations

import itertools
import json
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

from omokage.data.records import Record, read_records, write_shard
from omokage.data.splits import held_out
from omokage.embeddings.evaluate import ProbeScore


@pytest.fixture
def footage(tool) -> ModuleType:
    return tool("footage")


@pytest.fixture
def pages(tool) -> ModuleType:
    return tool("footage_page")


@pytest.fixture
def own(tool) -> ModuleType:
    return tool("own_video")


def score(encoder: str, task: str, measure: str, value: float, spread: float = 0.1, every: bool = True) -> ProbeScore:
    return ProbeScore(encoder, task, measure, 900 if every else 100, value, value - spread, value + spread, 1200, 0.5,
                      every)  # fmt: skip


def test_a_track_covers_its_last_frame_too(footage: ModuleType) -> None:
    assert footage.seconds_of([k / 2 for k in range(10)]) == pytest.approx(5.0)
    assert footage.seconds_of([3.0, 1.0, 2.0]) == pytest.approx(3.0)
    assert footage.seconds_of([7.0]) == 0.0


def test_fewer_minutes_are_a_part_of_more_and_held_out_people_of_none(footage: ModuleType) -> None:
    tracks = {(f"p{k // 2}", str(k % 2)): 5.0 + k % 3 for k in range(400)}
    parts = [footage.chosen(tracks, minutes, 0.2) for minutes in (0.5, 3.0, 10.0, 1e6)]
    learnt = [found for found, _ in parts]
    assert all(less < more for less, more in itertools.pairwise(learnt))
    assert all(out == parts[0][1] for _, out in parts)
    for minutes, found in zip((0.5, 3.0, 10.0), learnt, strict=False):
        covered = sum(tracks[key] for key in found)
        assert 60 * minutes <= covered < 60 * minutes + 7
    assert learnt[-1] | parts[0][1] == set(tracks)
    people = sorted({person for person, _ in tracks})
    expected = {p for p, out in zip(people, held_out(people, 0.2), strict=True) if out}
    assert {person for person, _ in parts[0][1]} == expected
    assert not {person for person, _ in learnt[-1]} & expected


def test_a_part_holds_the_chosen_tracks_only(footage: ModuleType, tmp_path: Path) -> None:
    def record(person: str, track: int, frame: int) -> Record:
        labels = {"groups": json.dumps({"track": track, "time_s": frame / 2})}
        return Record(f"{person}-{track}-{frame}", person, "video", b"picture", 8, 8, labels)

    for number, person in enumerate("ab"):
        rows = [record(person, track, frame) for track in (0, 1) for frame in range(4)]
        write_shard(tmp_path / "all" / f"shard-{number}.parquet", rows)
    folders = [tmp_path / "all"]
    tracks = footage.tracks_of(folders)
    assert tracks == {(p, t): 2.0 for p in "ab" for t in "01"}
    part = footage.write_part(folders, {("b", "1")}, tmp_path / "part")
    assert [r.id for r in read_records(part)] == [f"b-1-{k}" for k in range(4)]
    assert footage.tracks_of([part]) == {("b", "1"): 2.0}
    assert footage.write_part(folders, set(tracks), tmp_path / "part") == part  # made once


def test_the_footage_page_has_every_encoder_and_says_what_is_enough(
    footage: ModuleType, pages: ModuleType, tmp_path: Path
) -> None:
    def found(name: str, minutes: float, steps: int, seed: int, value: float) -> object:
        scores = [asdict(score(name, task, measure, value)) for task, measure in pages.MEASURES]
        return pages.Found(name, minutes, int(12 * minutes), steps, seed, None if not steps else 1.1, 60.0, scores)

    rows = [found("untrained", 0.0, 0, 0, 0.5), found("pixels", 0.0, 0, 0, 0.4)]
    rows += [found("net", m, 600, s, 0.6 + 0.01 * s + (0.2 if m > 5 else 0)) for m in (2.0, 10.0, 50.0) for s in (0, 1)]
    path = tmp_path / "results.jsonl"
    for row in rows:
        footage.keep(path, row)
    assert pages.rows_of(path) == rows
    assert footage.known(path, "net", 10.0, 600, 1)
    assert not footage.known(path, "net", 10.0, 601, 1)
    curve = pages.curve_of(rows, 600, "smiling", "AUC")
    assert [(f.minutes, round(f.score.value, 3)) for f in curve] == [(0, 0.5), (2, 0.605), (10, 0.805), (50, 0.805)]
    assert (curve[2].score.low, curve[2].score.high) == (pytest.approx(0.7), pytest.approx(0.91))
    assert "smiling from 10 minutes on" in pages.answers(rows, [600])[0]
    lines = pages.table(rows)
    assert len(lines) == 2 + len(rows) + 1
    assert any(line.startswith("| net | 50.0 | 600 | 600 | 1 | 0.81 (0.71 to 0.91)") for line in lines)
    ElementTree.fromstring(pages.plot(rows, [600]))


def test_points_begin_with_the_first_seed_and_budget(footage: ModuleType) -> None:
    order = list(footage.points([2, 8, 30], [600, 2400], 2))
    assert order[:3] == [(0, 2, 600), (0, 8, 600), (0, 30, 600)]
    assert order[3:6] == [(0, 2, 2400), (0, 8, 2400), (0, 30, 2400)]
    assert len(order) == 12


def test_a_handful_of_tracks_leaves_two_on_both_sides(own: ModuleType) -> None:
    for count in range(8, 40):
        people = [f"clip-{k}-t00000" for k in range(count)]
        share = own.held_out_share(people)
        out = int(held_out(people, share).sum())
        assert 2 <= out <= count - 2
        assert share >= 0.1
    with pytest.raises(ValueError, match="more video"):
        own.held_out_share(["a", "b", "c"])


def test_a_finished_command_is_not_run_again(own: ModuleType, tmp_path: Path) -> None:
    spent = own.command(["--help"], tmp_path / "help.json")
    assert spent.cpu > 0
    assert spent.peak_mib > 1
    assert own.command(["no such command"], tmp_path / "help.json") == spent
    with pytest.raises(SystemExit, match="ended with"):
        own.command(["nothing-of-this-name"], tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()


def test_the_verdict_goes_by_intervals_and_by_which_way_is_better(own: ModuleType) -> None:
    names = ("shipped as it is", *own.RUNS, "untrained")
    values = dict(zip(names, (6.0, 5.0, 6.05, 9.0), strict=True))
    areas = dict(zip(names, (0.9, 0.5, 0.95, 0.2), strict=True))
    scores = [score(n, "points", "landmark error", v) for n, v in values.items()]
    scores += [score(n, "smiling", "AUC", v) for n, v in areas.items()]
    scores += [score(n, "smiling", "AUC", 0.0, every=False) for n in names]
    first, second, third = own.verdict({"photographs": scores}).splitlines()
    assert "better in points; worse in smiling; intervals overlap in nothing" in first
    assert "better in nothing; worse in nothing; intervals overlap in points, smiling" in second
    assert "better in points, smiling; worse in nothing" in third
    lines = own.probe_table(scores)
    assert len(lines) == 2 + 3
    assert "| 100 |" in lines[-2] + lines[-1]


def test_minutes_and_steps_are_lists_of_numbers(footage: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["footage.py", "--data", "a", "--probe", "b", "--minutes", "1,2.5", "--steps", "6,9"]
    )
    asked = footage.asked_for()
    assert (asked.minutes, asked.steps) == ([1.0, 2.5], [6, 9])
