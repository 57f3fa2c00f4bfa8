"""The purpose log: what is written is found again, and whatever is done to a line is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omokage.errors import InputError, OutputError
from omokage.governance.purpose import VARIABLE, PurposeLog, default_log, stated

WORDS = st.text(min_size=0, max_size=30)
PURPOSES = WORDS.filter(lambda t: any(c.isalnum() for c in t))


def written(path: Path, count: int = 4) -> PurposeLog:
    log = PurposeLog(path)
    for k in range(count):
        log.append("search", f"gallery {k}", f"study {k}", f"query{k}.jpg", {"top": k})
    return log


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WORDS, WORDS, PURPOSES), min_size=1, max_size=4))
def test_what_was_written_is_found_again(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    path = tmp_path / "log.jsonl"
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    log = PurposeLog(path)
    for gallery, asked, purpose in rows:
        log.append("embed", gallery, purpose, asked)
    assert log.verify().sound
    assert log.verify().entries == len(rows)
    assert [e.purpose for e in log.entries()] == [
        stated(p).encode("utf-8", "backslashreplace").decode() for _, _, p in rows
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_any_line_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "log.jsonl"
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    log = written(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    what = data.draw(st.sampled_from(["field", "remove", "double", "swap", "byte"]))
    if what == "field":
        row = json.loads(lines[at])
        name = data.draw(st.sampled_from(sorted(row)))
        row[name] = row[name] + 1 if name == "number" else {"top": 99} if name == "facts" else row[name] + "x"
        lines[at] = json.dumps(row)
    elif what == "remove":
        del lines[at]
    elif what == "double":
        lines.insert(at, lines[at])
    elif what == "swap":
        other = (at + 1) % len(lines)
        lines[at], lines[other] = lines[other], lines[at]
    else:
        k = data.draw(st.integers(0, len(lines[at]) - 1))
        lines[at] = lines[at][:k] + ("#" if lines[at][k] != "#" else "+") + lines[at][k + 1 :]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    verdict = log.verify()
    assert not verdict.sound
    assert verdict.problem


def test_a_noted_hash_finds_an_end_that_was_cut_off_and_rewritten(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl")
    noted = log.verify().head
    assert log.verify(noted).sound
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    again = written(tmp_path / "log.jsonl")
    again.append("search", "gallery", "more")
    assert again.verify().sound  # the chain alone cannot know
    assert "cut off or replaced" in again.verify(noted).problem


def test_a_shortened_log_disagrees_with_the_head_beside_it(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl")
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:-1]))
    assert "another end" in log.verify().problem


def test_entries_say_who_what_and_when(tmp_path: Path) -> None:
    written(tmp_path / "log.jsonl", 1)
    entry = next(PurposeLog(tmp_path / "log.jsonl").entries())
    assert (entry.number, entry.action, entry.gallery, entry.asked) == (1, "search", "gallery 0", "query0.jpg")
    assert entry.who
    assert entry.when.endswith("+00:00")


@pytest.mark.parametrize("purpose", ["", "   ", "--", "\n\t"])
def test_a_purpose_without_words_is_refused_and_leaves_nothing(tmp_path: Path, purpose: str) -> None:
    with pytest.raises(InputError, match="purpose is needed"):
        PurposeLog(tmp_path / "new" / "log.jsonl").append("search", "g", purpose)
    assert not (tmp_path / "new").exists()


def test_problems_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="nothing was done"):
        PurposeLog(tmp_path / "file" / "log.jsonl").append("search", "g", "study")
    with pytest.raises(InputError, match="cannot be read"):
        PurposeLog(tmp_path / "none.jsonl").verify()
    (tmp_path / "bad.jsonl").write_text("nonsense\n")
    with pytest.raises(InputError, match="last line"):
        PurposeLog(tmp_path / "bad.jsonl").append("search", "g", "study")
    assert not PurposeLog(tmp_path / "bad.jsonl").verify().sound


def test_the_place_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "a.jsonl"))
    assert default_log() == tmp_path / "a.jsonl"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_log() == tmp_path / "omokage" / "purpose.jsonl"


def test_processes_that_append_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    code = (
        "import sys; from pathlib import Path; from omokage.governance.purpose import PurposeLog\n"
        "for k in range(15): PurposeLog(Path(sys.argv[1])).append('search', 'g', f'study {k}')"
    )
    jobs = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [job.wait(60) for job in jobs] == [0, 0, 0]
    verdict = PurposeLog(path).verify()
    assert (verdict.entries, verdict.sound) == (45, True)
