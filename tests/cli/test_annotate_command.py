"""`omokage annotate` as a user types it, with stand-ins for the networks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from in_process import Command
from PIL import Image

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
               "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    rows = json.loads(out.read_text())
    assert len(rows) == 6
    assert {row["split"] for row in rows} == {"train"}
    assert "non-commercial" in rows[0]["licence"]
    assert "ttractive" not in out.read_text()
    assert any(len(row["conversations"]) > 2 for row in rows)
    assert run("annotate", folder / "set", "--set", "celeba", "--split", "x", "--out", folder / "y.json").code == 2


def test_videos_among_the_pictures_are_told(run: Command, folder: Path) -> None:
    (folder / "film.mp4").write_bytes(b"")
    assert "1 videos were passed over" in run("annotate", folder, "--out", folder / "all.jsonl").err


def test_annotate_takes_a_teacher_and_tells_bad_options(run: Command, folder: Path) -> None:
    done = run("annotate", folder / "one.png", "--teacher", "some/model", "--out", folder / "a.json")
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
        (folder / "d.jsonl.parts").unlink(missing_ok=True)
