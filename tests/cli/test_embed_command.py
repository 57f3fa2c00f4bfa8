"""`embed`, `search`, `purpose` and `evaluate embeddings` in this process, with stand-in finder and a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from in_process import Command, command

from omokage.embeddings.config import EncoderConfig
from omokage.embeddings.model import FaceEncoder, save_encoder
from omokage.governance.purpose import VARIABLE, PurposeLog
from omokage.pipeline import analyzer
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """A folder with six pictures, one of them without a face, an encoder, and the command line in it."""
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "log.jsonl"))
    monkeypatch.chdir(tmp_path)
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = FaceEncoder(EncoderConfig(size=32, stem=4, widths=(4, 4), blocks=(1, 1), squeeze=2))
    save_encoder(tmp_path / "encoder", network, set="test")
    (tmp_path / "pictures").mkdir()
    for k in range(5):
        write_picture(f"pictures/{k}.png", [(20 + 3 * k, 20, 40 + 4 * k, 15 * k)])
    write_picture("pictures/none.png")

    return command(monkeypatch, capsys)


def test_embed_then_search_and_both_are_accounted_for(omokage: Command, tmp_path: Path) -> None:
    done = omokage("embed", "pictures", "--out", "faces.parquet", "--encoder", "encoder", "--purpose", "study 7")
    assert done.code == 0, done.err
    rows = pq.read_table("faces.parquet").to_pylist()
    assert [len(r["embedding"]) for r in rows if r["status"] == "ok"] == [256] * 5
    assert [r["embedding"] for r in rows if r["status"] == "no_face"] == [None]
    done = omokage(
        "search",
        "faces.parquet",
        "./pictures/../pictures/2.png",
        "--encoder",
        "encoder",
        "--purpose",
        "study 7",
        "--top",
        3,
    )
    assert done.code == 0, done.err
    assert "pictures/2.png" not in done.out, "the query's own picture is no answer"
    assert done.out.count(".png") == 3
    page = (tmp_path / "search.html").read_text(encoding="utf-8")
    assert page.count("<img") == 4
    assert "http" not in page.replace("http-equiv", "")
    entries = list(PurposeLog(tmp_path / "log.jsonl").entries())
    assert [(e.action, e.purpose) for e in entries] == [("embed", "study 7"), ("search", "study 7")]
    assert entries[1].gallery.endswith("faces.parquet")
    assert Path(entries[1].asked) == Path("pictures/../pictures/2.png")
    assert "2 entries" in omokage("purpose", "verify").out
    assert "study 7" in omokage("purpose", "list").out
    text = (tmp_path / "log.jsonl").read_text().replace("study 7", "study 8")
    (tmp_path / "log.jsonl").write_text(text)
    broken = omokage("purpose", "verify")
    assert (broken.code, "BROKEN" in broken.out) == (1, True)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_complete_table_is_not_embedded_again(omokage: Command, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"faces.{kind}"
    asked = ("embed", "pictures", "--out", out, "--encoder", "encoder", "--purpose", "study 7", "--resume")
    assert omokage(*asked).code == 0
    before = out.stat().st_mtime_ns
    again = omokage(*asked)
    assert (again.code, "complete already: nothing to do" in again.err) == (0, True)
    assert out.stat().st_mtime_ns == before
    assert omokage("analyze", "pictures", "--out", out).code == 0
    other = omokage(*asked)
    assert (other.code, "finished, but not with codes of" in other.err) == (2, True)


@pytest.mark.parametrize("moved", [False, True])
def test_search_from_another_folder(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    purpose = ("--encoder", str(tmp_path / "encoder"), "--purpose", "t")
    assert omokage("embed", "pictures", "--out", "g.parquet", *purpose).code == 0
    place = tmp_path
    if moved:
        place = tmp_path / "new"
        place.mkdir()
        for name in ("g.parquet", "pictures"):
            (tmp_path / name).rename(place / name)
    monkeypatch.chdir(place / "pictures")
    done = omokage("search", "../g.parquet", "2.png", *purpose, "--report", "../s.html")
    assert (done.code, "pictures/2.png" in done.out) == (0, False), done.err
    assert "could not be read" not in done.err
    page = (place / "s.html").read_text(encoding="utf-8")
    assert page.count("<img") == 5
    assert 'alt="2.png"' in page
    assert page.count('.png" src=') == 5, "every picture says which file it is and how alike"
    assert 'alt=""' not in page


def test_search_says_which_pictures_are_gone_and_knows_a_copy_of_the_query(omokage: Command, tmp_path: Path) -> None:
    purpose = ("--encoder", "encoder", "--purpose", "t")
    assert omokage("embed", "pictures", "--out", "g.parquet", *purpose).code == 0
    (tmp_path / "pictures" / "2.png").rename("elsewhere.png")
    (tmp_path / "pictures" / "4.png").unlink()
    done = omokage("search", "g.parquet", "elsewhere.png", *purpose)
    assert (done.code, "pictures/2.png" in done.out) == (0, False), "it was embedded under another name"
    assert "1 of 4 pictures could not be read and are blank, the first: pictures/4.png; search from" in done.err
    assert "the picture could not be read" in (tmp_path / "search.html").read_text(encoding="utf-8")
    done = omokage("search", "g.parquet", "elsewhere.png", "--report", "elsewhere.png", *purpose)
    assert (done.code, "would overwrite the input" in done.err) == (2, True)


def test_a_picture_of_the_same_name_in_the_current_folder_is_not_shown(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omokage.pipeline.embedding import own_sources, place_of

    here = tmp_path / "here"
    (here / "pictures").mkdir(parents=True)
    write_picture(here / "pictures" / "2.png", [(20, 20, 40, 50)])
    monkeypatch.chdir(here)
    table = tmp_path / "g.parquet"
    assert place_of("pictures/2.png", table) == tmp_path / "pictures" / "2.png"
    assert place_of("pictures/9.png", table) is None
    (tmp_path / "pictures" / "2.png").unlink()
    assert place_of("pictures/2.png", table) == Path("pictures/2.png")
    write_picture(tmp_path / "pictures" / "2.png", [(20, 20, 40, 50)])
    for query in (here / "pictures" / "2.png", tmp_path / "pictures" / "2.png"):
        assert own_sources(["pictures/2.png", "pictures/3.png"], query, table) == {"pictures/2.png"}


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_gallery_of_another_encoder_is_refused(omokage: Command, tmp_path: Path, kind: str) -> None:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = FaceEncoder(EncoderConfig(size=32, stem=4, widths=(4, 4), blocks=(1, 1), squeeze=2))
    save_encoder(tmp_path / "other", network, set="other")
    done = omokage("embed", "pictures", "--out", f"g.{kind}", "--encoder", "encoder", "--purpose", "t")
    assert done.code == 0, done.err
    search = ("search", f"g.{kind}", "pictures/2.png", "--purpose", "t", "--numbers-only", "--encoder")
    assert omokage(*search, "encoder").code == 0
    refused = omokage(*search, "other")
    assert (refused.code, "the gallery was made with the encoder" in refused.err) == (2, True), refused.err


def test_names_and_purposes_cannot_act_on_the_terminal(omokage: Command, tmp_path: Path) -> None:
    purpose = ("--encoder", "encoder", "--purpose", "t")
    (tmp_path / "pictures" / "3.png").rename(tmp_path / "pictures" / "3\x1b[2J.png")
    assert omokage("embed", "pictures", "--out", "g\x1b[2J.parquet", *purpose).code == 0
    (tmp_path / "pictures" / "3\x1b[2J.png").rename("gone.png")
    done = omokage("search", "g\x1b[2J.parquet", "pictures/2.png", *purpose)
    assert r"3\x1b[2J.png" in done.out
    assert r"blank, the first: pictures/3\x1b[2J.png" in done.err
    listed = omokage("purpose", "list")
    assert r"\x1b" in listed.out
    assert "\x1b" not in done.out + done.err + listed.out
    refused = omokage("search", "g\x1b[2J.parquet", "pictures/2.png", "--encoder", "encoder", "--purpose", "a\x1b[2Jb")
    assert (refused.code, "control character" in refused.err) == (2, True)


def test_an_empty_known_hash_is_refused(omokage: Command, tmp_path: Path) -> None:
    PurposeLog(tmp_path / "log.jsonl").append("search", "g", "t")
    refused = omokage("purpose", "verify", "--known", "")
    assert (refused.code, "the known hash is empty" in refused.err) == (2, True)


def test_refusals(omokage: Command, tmp_path: Path) -> None:
    before = sorted(p.name for p in tmp_path.iterdir())
    embed = ("embed", "pictures", "--out", "faces.parquet", "--encoder", "encoder")
    assert "--purpose" in omokage(*embed).err
    assert "purpose is needed" in omokage(*embed, "--purpose", " ").err
    assert "OpenFace" in omokage(*embed, "--purpose", "x", "--format", "openface").err
    assert "no weights" in omokage(*embed[:-1], "nowhere", "--purpose", "x").err
    search = ("search", "gone.parquet", "pictures/1.png", "--encoder", "encoder")
    assert "--purpose" in omokage(*search).err
    assert "cannot be read" in omokage(*search, "--purpose", "x").err
    empty = omokage("search", "gone.parquet", "pictures/none.png", "--encoder", "encoder", "--purpose", "x")
    assert (empty.code, "no face was found" in empty.err) == (2, True)
    assert omokage("purpose", "verify", "--log", "nothing.jsonl").code == 2
    left = sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("log.jsonl"))
    assert left == before


def test_probes_on_a_labelled_folder(omokage: Command, tmp_path: Path) -> None:
    rows = ["file,person,smiling,box_x0,box_y0,box_x1,box_y1"]
    for k in range(24):
        write_picture(f"{k}.png", [(20, 20, 60, 90 if k % 2 else 10)])
        rows.append(f"{k}.png,p{k // 2 % 8},{k % 2},20,20,80,80")
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    ask = ("evaluate", "embeddings", ".", "--dataset", "folder", "--encoder", "encoder", "--labels", "10,0")
    done = omokage(*ask, "--json", "--report", "page.html", "--crops", "boxes")
    assert done.code == 0, done.err
    scores = json.loads(done.out)
    assert {s["encoder"] for s in scores} == {"untrained", "pixels", scores[0]["encoder"]}
    assert {s["labels"] for s in scores} >= {10}
    best = [s for s in scores if s["encoder"] == "pixels" and s["every"] and s["measure"] == "AUC"]
    assert 0 <= best[0]["low"] <= best[0]["value"] <= 1
    assert "<svg" in Path("page.html").read_text(encoding="utf-8")
    plain = omokage(*ask, "--no-baselines", "--task", "smiling")
    assert plain.code == 0, plain.err
    assert "95 % interval" in plain.out
    for wrong, why in (
        (("--task", "gaze"), "no labels for 'gaze'"),
        (("--labels", "ten"), "list of numbers"),
        (("--protocol", "magic"), "no protocol"),
        (("--crops", "magic"), "found, boxes or whole"),
    ):
        refused = omokage(*ask, *wrong)
        assert (refused.code, why in refused.err) == (2, True), refused.err


def test_every_encoder_is_judged_on_crops_of_its_own_margin(
    omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omokage.cli import evaluate_embeddings as command_of
    from omokage.embeddings.predict import FunctionEncoder

    seen: dict[str, set[tuple[int, float]]] = {}

    def encoder(name: str, size: int, margin: float) -> FunctionEncoder:
        def codes(crops: np.ndarray) -> np.ndarray:
            seen.setdefault(name, set()).add((crops.shape[1], round(float(crops.std()), 3)))
            return np.asarray(crops.reshape(len(crops), -1, 3).mean(1))

        return FunctionEncoder(name, size, margin, codes)

    rows = ["file,person,smiling,box_x0,box_y0,box_x1,box_y1"]
    for k in range(6):
        write_picture(f"{k}.png", [(20 + k, 20, 40, 15 * k)])
        rows.append(f"{k}.png,p{k},{k % 2},{20 + k},20,{60 + k},60")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    ask = ("evaluate", "embeddings", ".", "--dataset", "folder", "--crops", "boxes", "--labels", "0", "--no-baselines")
    both = [encoder("narrow", 32, 1.0), encoder("wide", 32, 2.0)]
    for chosen in (both, both[::-1]):
        monkeypatch.setattr(command_of, "_encoders", lambda *_, chosen=chosen: list(chosen))
        done = omokage(*ask, "--json")
        assert done.code == 0, done.err
        assert [s["encoder"] for s in json.loads(done.out)][:1] == [chosen[0].name]
    assert len(seen["narrow"]) == len(seen["wide"]) == 1, "whoever comes first, the crops are the same"
    assert seen["narrow"] != seen["wide"]


def test_codes_are_those_of_the_aligned_crop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Query and gallery meet: a picture's code does not depend on the door that it came through."""
    from omokage.embeddings.predict import FunctionEncoder
    from omokage.media.image import read_image
    from omokage.pipeline import Analyzer
    from omokage.pipeline.embedding import embedded, picture_of, query_code

    monkeypatch.chdir(tmp_path)
    encoder = FunctionEncoder("mean", 16, 1.3, lambda c: c.reshape(len(c), -1, 3).mean(1))
    one = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    path = Path("one.png")
    write_picture(path, [(20, 20, 60, 34)])
    (reading,) = embedded(one.analyze_many([str(path)], keep_pixels=True), encoder)
    code = reading.faces[0].embedding
    assert code is not None
    assert reading.pixels is None
    np.testing.assert_array_equal(query_code(one, encoder, path).code, code)
    assert read_image(path).shape == (120, 160, 3)
    from omokage.embeddings.gallery import Hit

    shown = picture_of(Hit(0, 1.0, str(path), 0, 0.0, 0, None, (20, 20, 80, 80)))
    assert shown is not None
    assert shown.shape == (200, 200, 3)
    assert picture_of(Hit(0, 1.0, "gone.png", 0, 0.0, 0, None, (0, 0, 1, 1))) is None


def test_several_faces_of_one_picture_are_told_apart(omokage: Command, tmp_path: Path) -> None:
    write_picture("pictures/two.png", [(10, 30, 50, 40), (90, 30, 45, 30)])
    (tmp_path / "pictures" / "again").mkdir()
    write_picture("pictures/again/1.png", [(30, 30, 50, 40)])
    using = ("--encoder", "encoder", "--purpose", "study")
    assert omokage("embed", "pictures", "--out", "faces.parquet", *using).code == 0
    done = omokage("search", "faces.parquet", "pictures/0.png", *using, "--per-source", 0)
    assert done.code == 0, done.err
    faces = [line.split("│")[4].strip() for line in done.out.splitlines() if "two.png" in line]
    assert sorted(faces) == ["1", "2"]
    page = (tmp_path / "search.html").read_text(encoding="utf-8")
    for caption in ("two.png · face 1", "two.png · face 2", "pictures/1.png", "again/1.png"):
        assert f"· {caption}</div>" in page, caption
    assert "at most one" not in page
