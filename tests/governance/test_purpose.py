"""The purpose log: what is written is found again, and whatever is done to a line is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omokage.errors import InputError, OutputError
from omokage.governance import locks
from omokage.governance.purpose import VARIABLE, PurposeLog, default_log, stated

WORDS = st.text(min_size=0, max_size=30)
PLAIN = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf")), max_size=30)
PURPOSES = PLAIN.filter(lambda t: any(c.isalnum() for c in t))


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
    for gallery, asked, words in rows:
        log.append("embed", gallery, words, asked)
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


@pytest.mark.parametrize("done", ["shortened", "emptied", "removed", "head removed", "head emptied"])
def test_nothing_is_appended_to_a_log_whose_end_is_not_the_noted_one(tmp_path: Path, done: str) -> None:
    log = written(tmp_path / "log.jsonl", 5)
    head = tmp_path / "log.jsonl.head"
    if done.startswith("head"):
        head.unlink() if done == "head removed" else head.write_text("")
    elif done == "removed":
        log.path.unlink()
    else:
        kept = log.path.read_bytes().splitlines(keepends=True)[: 2 if done == "shortened" else 0]
        log.path.write_bytes(b"".join(kept))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for _ in range(2):
        verdict = log.verify()
        assert (verdict.sound, "log.jsonl.head" in verdict.problem) == (False, True)
        with pytest.raises(InputError, match=r"was changed from outside: .*; nothing was done, move both"):
            log.append("search", "g", "study")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_process_killed_before_it_noted_its_line_does_no_harm(tmp_path: Path) -> None:
    path, head = tmp_path / "log.jsonl", tmp_path / "log.jsonl.head"
    log = written(path, 0)
    for count in range(3):
        log.append("search", "g", "study")
        noted = head.read_text()
        log.append("search", "g", "study")
        head.write_text(noted)
        assert (log.verify().entries, log.verify().sound) == (2 * count + 2, True)


def test_the_first_line_is_preceded_by_a_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    log = PurposeLog(tmp_path / "log.jsonl")
    with monkeypatch.context() as patched:
        patched.setattr(PurposeLog, "_write", refuse)
        with pytest.raises(OutputError):
            log.append("search", "g", "study")
    assert log.verify().sound
    log.append("search", "g", "study")
    assert (log.verify().entries, log.verify().sound) == (1, True)


@pytest.mark.parametrize("known", ["", " "])
def test_an_empty_known_hash_is_refused(tmp_path: Path, known: str) -> None:
    with pytest.raises(InputError, match="known hash is empty"):
        written(tmp_path / "log.jsonl").verify(known)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    log = written(tmp_path / "log.jsonl")
    before = log.path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, step, refuse)
        with pytest.raises(OutputError, match="No space left"):
            log.append("search", "g", "study")
    assert log.path.read_bytes() == before
    log.append("search", "g", "study")
    assert (log.verify().entries, log.verify().sound) == (5, True)


def test_a_last_line_without_its_newline_is_completed(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl")
    log.path.write_bytes(log.path.read_bytes().removesuffix(b"\n"))
    log.append("search", "g", "study")
    assert (log.verify().entries, log.verify().sound) == (5, True)
    log.path.write_bytes(log.path.read_bytes()[:-9])
    with pytest.raises(InputError, match="last line"):
        log.append("search", "g", "study")


@pytest.mark.parametrize(
    ("there", "put"),
    [
        (b'"number": 2, ', b'"number": 2, "purpose": "another", '),
        (b'"number": 2, ', b'"number":2, '),
        (b'"study 1"', b'"stud\\u0079 1"'),
        (b'"number": 2', b'"number": "2"'),
        (b'"facts": {"top": 1}', b'"facts": 1'),
        (b"}\n", b"}\r\n"),
    ],
)
def test_a_line_is_spelt_as_it_was_written(tmp_path: Path, there: bytes, put: bytes) -> None:
    log = written(tmp_path / "log.jsonl", 2)
    first, _, second = log.path.read_bytes().partition(b"\n")
    assert second.count(there) == 1
    log.path.write_bytes(first + b"\n" + second.replace(there, put))
    assert "line 2 is damaged" in log.verify().problem
    with pytest.raises(InputError, match="last line"):
        log.append("search", "g", "study")


def test_the_name_is_not_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "director")
    written(tmp_path / "log.jsonl", 1)
    assert next(PurposeLog(tmp_path / "log.jsonl").entries()).who == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("control", ["\x1b[2J", "\x07", "\x7f", "\x9b1m", "\u202e"])
def test_a_purpose_with_control_characters_is_refused(control: str) -> None:
    with pytest.raises(InputError, match="control character") as refused:
        stated(f"study {control} 7")
    assert control[0] not in str(refused.value)


@pytest.mark.parametrize("kind", ["of the system", "files"])
def test_a_lock_left_by_a_killed_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "files":
        monkeypatch.setattr(locks, "fcntl", None)
    lock = tmp_path / "log.jsonl.lock"
    lock.touch()
    if kind == "files":
        os.utime(lock, (1, 1))  # without the system's locks only its age tells
    monkeypatch.setattr(locks, "_WAIT_S", 0.05)
    assert written(tmp_path / "log.jsonl").verify().sound


@pytest.mark.skipif(locks.fcntl is None, reason="no such locks here")
def test_an_old_lock_that_is_held_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_WAIT_S", 0.05)
    log = written(tmp_path / "log.jsonl", 1)
    with locks.alone(log.path):
        os.utime(tmp_path / "log.jsonl.lock", (1, 1))
        with pytest.raises(OutputError, match="held by another process"):
            log.append("search", "g", "study")
    log.append("search", "g", "study")


def test_entries_say_who_what_and_when(tmp_path: Path) -> None:
    written(tmp_path / "log.jsonl", 1)
    entry = next(PurposeLog(tmp_path / "log.jsonl").entries())
    assert (entry.number, entry.action, entry.gallery, entry.asked) == (1, "search", "gallery 0", "query0.jpg")
    assert entry.who
    assert entry.when.endswith("+00:00")


@pytest.mark.parametrize("words", ["", "   ", "--", "\n\t"])
def test_a_purpose_without_words_is_refused_and_leaves_nothing(tmp_path: Path, words: str) -> None:
    with pytest.raises(InputError, match="purpose is needed"):
        PurposeLog(tmp_path / "new" / "log.jsonl").append("search", "g", words)
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
