"""`omokage annotate` as a user types it, with stand-ins for the networks."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from in_process import Command
from PIL import Image

from omokage.errors import InputError
from omokage.pipeline import annotate as annotating
from stand_ins import write_picture


def test_annotate_writes_claims_a_review_and_pictures_without_names(run: Command, folder: Path) -> None:
    secret = folder / "anna-schmidt.jpg"
    picture = Image.open(folder / "one.png").convert("RGB")
    exif = picture.getexif()
    exif[0x010E] = "Anna Schmidt, Berlin"
    picture.save(secret, exif=exif, quality=95)
    out, review, kept = folder / "a.jsonl", folder / "r.csv", folder / "kept"
    done = run("annotate", folder, "--out", out, "--review", review, "--pictures", kept)
    assert done.code == 1, "some pictures have no face"
    assert "5 pictures" in done.err
    for path in (out, review, *kept.iterdir()):
        content = path.read_bytes()
        assert b"nna" not in content
        assert b"Berlin" not in content
        assert b"one.png" not in content
        assert "nna" not in path.name
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(r["status"] for r in rows) == ["answered", "answered", "no_face", "several_faces", "unreadable"]
    statement = next(s for r in rows for s in r["statements"] if s["fact"] == "smiling")
    assert statement["claims"][0]["source"] == "specialist"
    with review.open(newline="") as file:
        table = list(csv.DictReader(file))
    table[0]["verdict"] = "reject"
    with review.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
    done = run("annotate", out, "--apply", review, "--out", folder / "b.jsonl", "--person", "p1")
    assert done.code == 0
    assert "1 verdicts" in done.err
    assert "rejected" in (folder / "b.jsonl").read_text()


def celeba(root: Path) -> None:
    names = ("Bangs", "Smiling", "Attractive", "Male", "No_Beard")
    rows = [f"{k:06d}.jpg {1 if k % 2 else -1} {1 if k % 3 else -1} 1 -1 1" for k in range(8)]
    root.mkdir()
    (root / "list_attr_celeba.txt").write_text("\n".join(["8", " ".join(names), *rows]) + "\n")
    (root / "list_eval_partition.txt").write_text("".join(f"{k:06d}.jpg {2 * (k > 5)}\n" for k in range(8)))
    (root / "identity_CelebA.txt").write_text("".join(f"{k:06d}.jpg {k}\n" for k in range(8)))
    (root / "img_align_celeba").mkdir()
    for k in range(8):
        write_picture(root / "img_align_celeba" / f"{k:06d}.jpg", [(20, 30, 50 + k, 40)])


def test_annotate_reads_a_labelled_set_and_keeps_its_split(run: Command, folder: Path) -> None:
    celeba(folder / "set")
    out = folder / "set.json"
    done = run("annotate", folder / "set", "--set", "celeba", "--split", "train", "--no-specialists", "--crops",
               "--out", out, "--pictures", folder / "kept")  # fmt: skip
    assert done.code == 0, done.err
    rows = json.loads(out.read_text())
    assert len(rows) == 6
    assert {row["split"] for row in rows} == {"train"}
    assert "non-commercial" in rows[0]["licence"]
    assert "ttractive" not in out.read_text()
    assert any(len(row["conversations"]) > 2 for row in rows)
    assert run("annotate", folder / "set", "--set", "celeba", "--split", "x", "--out", folder / "y.jsonl").code == 2
    assert not list(folder.glob("y.*"))


def test_videos_among_the_pictures_are_told(run: Command, folder: Path) -> None:
    (folder / "film.mp4").write_bytes(b"")
    assert "1 videos were passed over" in run("annotate", folder, "--out", folder / "all.jsonl").err


def test_annotate_takes_a_teacher_and_tells_bad_options(run: Command, folder: Path) -> None:
    asked = ("annotate", folder / "one.png", "--teacher", "some/model", "--out", folder / "a.json")
    assert "--pictures" in run(*asked).err, "the conversations would name pictures that are nowhere"
    done = run(*asked, "--pictures", folder / "kept")
    assert done.code == 0
    turns = json.loads((folder / "a.json").read_text())[0]["conversations"]
    assert turns[0]["value"].startswith("<image>")
    claims = folder / "c.jsonl"
    assert run("annotate", folder / "one.png", "--teacher", "some/model", "--out", claims).code == 0
    assert '"teacher"' in claims.read_text()
    for words, sentence in (
        (("--endpoint", "http://x"), "needs the model's name"),
        (("--endpoint", "http://x", "--teacher", "m", "--key-from", "NO_SUCH_KEY"), "no variable"),
        (("--set", "imagenet"), "no reader for a data set"),
        (("--format", "word"), "choose a format"),
    ):
        done = run("annotate", folder, "--out", folder / "d.jsonl", *words)
        assert done.code == 2
        assert sentence in done.err
        assert not list(folder.glob("d.*")), "nothing was done, so nothing stays"


def test_nothing_stays_where_a_teacher_refuses(run: Command, folder: Path) -> None:
    done = run("annotate", folder / "one.png", "--endpoint", "http://127.0.0.1:9", "--teacher", "m",
               "--out", folder / "e.jsonl")  # fmt: skip
    assert done.code == 2
    assert "cannot be asked" in done.err
    assert not list(folder.glob("e.*"))


def test_pictures_without_an_annotation_are_named(run: Command, folder: Path) -> None:
    (folder / "empty.png").write_bytes(b"")
    out = folder / "a.jsonl"
    said = run("annotate", folder, "--out", out).err
    assert f"  {folder / 'empty.png'}: unreadable (the file is empty (0 bytes))\n" in said
    assert f"  {folder / 'none.png'}: no_face (no face was found)\n" in said
    assert "empty.png" not in out.read_text()
    for k in range(5):
        (folder / f"bad{k}.png").write_bytes(b"x")
    assert "  ... and 4 more\n" in run("annotate", folder, "--out", out).err


def test_a_resumed_run_also_names_what_the_first_left_out(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = annotating.annotated, ("annotate", folder, "--out", folder / "a.jsonl")

    def stopped(item: annotating.Item, *rest: Any) -> Any:
        if item.name.endswith("one.png"):
            raise InputError("stopped")
        return real(item, *rest)

    monkeypatch.setattr(annotating, "KEPT_EVERY", 1)
    monkeypatch.setattr(annotating, "annotated", stopped)
    assert run(*asked).code == 2
    monkeypatch.setattr(annotating, "annotated", real)
    said = run(*asked, "--resume").err
    assert all(f"{folder / name}: " in said for name in ("bad.png", "none.png", "two.png")), said


def test_what_is_finished_stays_where_a_teacher_fails(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, out = annotating.annotated, folder / "a.jsonl"

    def failing(item: annotating.Item, *rest: Any) -> Any:
        if item.name.endswith("two.png"):
            raise InputError("the model answered with 503")
        return real(item, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(annotating, "annotated", failing)
        assert run("annotate", folder, "--out", out).code == 2
    assert len((folder / "a.jsonl.parts").read_text().splitlines()) == 1 + 3
    assert run("annotate", folder, "--out", out, "--resume").code == 1
    assert len(out.read_text().splitlines()) == 4


def test_what_cannot_be_read_is_not_called_by_its_name(run: Command, folder: Path) -> None:
    out = folder / "a.jsonl"
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    for name in ("bad.png", "gone.png"):
        run("annotate", folder / name, "--out", out)
        (row,) = map(json.loads, out.read_text().splitlines())
        path = hashlib.sha256(str(folder / name).encode()).hexdigest()
        assert (row["status"], len(row["id"])) == ("unreadable", 16)
        assert row["id"] != path[:16], "whoever knows the name could try it"
        if name == "bad.png":
            assert row["id"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16]


def test_a_limit_that_is_reached_stays_one_on_resume(
    run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "a.jsonl"
    asked = ("annotate", folder, "--out", out, "--limit", 2)

    def refused(*_: Any) -> None:
        raise InputError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(annotating, "write_annotations", refused)
        assert run(*asked).code == 2
    run(*asked, "--resume")
    assert len(out.read_text().splitlines()) == 2


def test_a_review_with_verdicts_is_never_overwritten(run: Command, folder: Path) -> None:
    out, review = folder / "a.jsonl", folder / "r.csv"
    again = ("annotate", folder / "one.png", "--out", out, "--review", review)
    assert run(*again).code == 0
    assert run(*again).code == 0, "without a verdict nothing is lost"
    lines = review.read_text().splitlines()
    for content, why in (
        ("\n".join([lines[0], lines[1].removesuffix(",") + "accept,", *lines[2:]]), "1 verdicts"),
        ("\n".join(lines).replace(",", ";"), "no table as --review writes it"),
        ("\n".join(lines).replace("The ", "\u9aea").encode("cp932", "replace"), "no table as --review writes it"),
    ):
        review.write_bytes(content if isinstance(content, bytes) else content.encode())
        kept = review.read_bytes()
        for words in ((), ("--resume",)):
            done = run(*again, *words)
            assert (done.code, why in done.err) == (2, True), done.err
            assert review.read_bytes() == kept
    assert run("annotate", out, "--apply", review, "--out", review, "--format", "jsonl").code == 2
    assert run("annotate", folder, "--out", folder / "b.jsonl", "--pictures", folder).code == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_among_the_pictures_does_not_hold_up_the_others(run: Command, folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    out, codes = folder / "a.jsonl", []
    work = threading.Thread(target=lambda: codes.append(run("annotate", folder, "--out", out).code), daemon=True)
    work.start()
    work.join(120)
    assert codes == [1]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert any("a pipe or a device" in row["reason"] for row in rows)
