"""The commands that read faces, in Japanese: beside names, paths and what a decoder says no English is left."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from blue_ages import Reader
from in_process import Command, command
from japanese import english_lines

from dialogue_stand_ins import Saying
from omokage.cli import explain_rating, progress
from omokage.embeddings.config import EncoderConfig
from omokage.embeddings.model import FaceEncoder, save_encoder
from omokage.governance.purpose import VARIABLE, PurposeLog
from omokage.media.table import Reading
from omokage.pipeline import analyzer, dialogue, opened, recipes
from omokage.weights import registry
from stand_ins import SquareFinder, SquarePredictor, write_picture

PATH = re.compile(r"[A-Za-z0-9_./-]+\.(?:png|avi|mp4|csv|txt|json|jsonl|parquet|html|head)\b")
# What decoders and licences say, options of commands, and codes.
ALLOWED = (
    "not a picture in a known format", "the file is empty", "--resume", "--assume-same", "needs_review",
    "CC BY 4.0, Kärkkäinen and Joo 2021", "LRP",
)  # fmt: skip


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command line in Japanese, in a folder of its own, with stand-ins for the networks."""
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())
    monkeypatch.setattr(dialogue, "open_model", lambda *_: Saying(0.9))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("OMOKAGE_LANG", "ja")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "log.jsonl"))
    monkeypatch.chdir(tmp_path)
    return command(monkeypatch, capsys)


@pytest.fixture
def pictures() -> Path:
    """Good and bad pictures, and a file that is none."""
    folder = Path("pictures")
    folder.mkdir()
    for k in range(3):
        write_picture(folder / f"{k}.png", [(20 + 3 * k, 20, 40 + 4 * k, 15 * k)])
    write_picture(folder / "two.png", [(10, 30, 50, 40), (90, 30, 50, 30)])
    write_picture(folder / "none.png")
    (folder / "bad.png").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("notes")
    return folder


def film(path: Path) -> Path:
    """A second of a face that stays."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (160, 120))
    write_picture("frame.png", [(20, 20, 60, 40)])
    for _ in range(10):
        writer.write(cv2.imread("frame.png"))
    writer.release()
    return path


def told(omokage: Command, *arguments: object, code: int = 0, words: str = "", names: tuple[str, ...] = ()) -> str:
    """What a command prints, which holds these words and no English but paths and `names`."""
    done = omokage(*arguments)
    said = done.out + done.err
    assert done.code == code, said
    assert words in said
    assert english_lines(PATH.sub("·", said), [*ALLOWED, *map(str, arguments), *names]) == []
    return said


def test_analyze_prints_faces(omokage: Command, pictures: Path) -> None:
    told(omokage, "analyze", pictures / "0.png", words="左右", names=("px", "AU"))
    many = told(omokage, "analyze", pictures, code=1, words="読み飛ばしました", names=("notes.txt",))
    assert "読み取れません" in many


def test_analyze_writes_files(omokage: Command, pictures: Path) -> None:
    again = ("analyze", pictures, "--out", "faces.csv")
    said = told(omokage, *again, "--report", "r.html", "--review", "cases", code=1, names=("notes.txt", "bad.png"))
    for words in ("写真・フレーム 5 枚、顔 5 件: faces.csv", "顔 5 件のレポート: r.html", "人の目で確認すべき顔"):
        assert words in said
    told(omokage, *again, "--resume", "--report", "r.html", words="そのままにします", names=("notes.txt",))
    told(omokage, *again, "--resume", "--report", "s.html", words="書き出しません", names=("notes.txt",))
    told(omokage, *again, "--resume", words="すでに完成しています", names=("notes.txt",))


def test_a_video_with_drawings_and_its_tracks(omokage: Command, pictures: Path) -> None:
    film(Path("a.avi"))
    said = told(omokage, "analyze", "a.avi", "--out", "f.csv", "--annotated", "a.mp4")
    assert "描き込みをした動画(フレーム 10 枚): a.mp4" in said
    Path("b.avi").write_bytes(b"")
    films = ("a.avi", "b.avi", pictures / "0.png")
    said = told(omokage, "tracks", *films, "--out", "t", "--fps", 0, "--min-sharpness", 0.99, code=1)
    for words in ("動画でないファイル 1 件", "読み取れません", "ぼけた顔 10", "採用なし", "トラック 0 本: t"):
        assert words in said
    every = ("--fps", 0, "--min-sharpness", 0, "--min-seconds", 0.5)
    said = told(omokage, "tracks", "a.avi", "--out", "u", *every, "--annotated", "u.mp4")
    assert "切り出し 10 枚、トラック 1 本: u" in said


@pytest.mark.usefixtures("opened_anew")
def test_compare(omokage: Command, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "open_comparer", lambda *_: Reader())
    pair = (pictures / "1.png", pictures / "2.png")
    told(omokage, "compare", *pair, "--report", "card.html", words="変化のレポート: card.html")
    Path("pairs.csv").write_text("before,after\npictures/1.png,pictures/2.png\npictures/1.png,pictures/0.png\n")
    table = ("compare", "--table", "pairs.csv", "--out", "out.csv")
    told(omokage, *table, code=1, words="写真の組 2 件(同一人物か不確か 1、比較済み 1): out.csv")
    series = ("compare", "--series", pictures, "--report", "line.html", "--assume-same")
    told(omokage, *series, code=1, words="時系列のレポート: line.html", names=tuple(p.name for p in pictures.iterdir()))


def test_ask_about_many_pictures(omokage: Command, pictures: Path) -> None:
    film(pictures / "a.avi")
    said = told(omokage, "ask", pictures, "笑っていますか", "--out", "a.csv", code=1)
    assert "回答 6 件(" in said
    assert "(動画 1 件は読み飛ばしました)" in said


def test_ask_about_one_picture(omokage: Command, pictures: Path) -> None:
    told(omokage, "ask", pictures / "0.png", "Does the person smile?", words="属性ネットワーク", names=("yes", "no"))


def test_annotate_and_its_review(omokage: Command, pictures: Path) -> None:
    film(pictures / "a.avi")
    for k in range(4):
        write_picture(pictures / f"z{k}.png", size=(120 + k, 160))
    said = told(
        omokage, "annotate", pictures, "--out", "a.jsonl", "--review", "r.csv", code=1,
        names=tuple(str(path) for path in pictures.iterdir()),
    )  # fmt: skip
    for words in (
        "注釈あり 3",
        "顔が見つかりません",
        "顔が 2 つあり",
        "… ほか",
        "動画 1 件を読み飛ばし",
        "確認するための表",
    ):
        assert words in said
    assert "読み取れません" in said
    table = Path("r.csv").read_text(encoding="utf-8").splitlines()
    Path("r.csv").write_text("\n".join([table[0], table[1].removesuffix(",") + "accept,", *table[2:]]) + "\n")
    told(omokage, "annotate", "a.jsonl", "--apply", "r.csv", "--out", "b.jsonl", words="判定 1 件を写真")


def test_a_teacher_whose_answers_fit_nothing(omokage: Command, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Teacher:
        id, failures = "teacher", 3

        def claims(self, *_: object) -> list[object]:
            return []

    monkeypatch.setattr("omokage.cli.annotate._teacher", lambda *_: Teacher())
    told(omokage, "annotate", pictures / "0.png", "--out", "a.jsonl", words="回答のうち 3 件はどの項目にも合わず")


def test_records_render_and_train(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    write_picture("one.png", [(40, 30, 60, 20)])
    write_picture("none.png")
    Path("labels.csv").write_text("file,age_bin,gender,race\none.png,10-19,male,Indian\nnone.png,30-39,male,White\n")
    said = told(omokage, "records", "fairface_part", ".", "--out", "out", names=("fairface-none.png",))
    assert "レコード 1 件: out。利用条件: CC BY 4.0" in said
    assert "除外した写真 1 枚(fairface-none.png, …)" in said
    few = ("--count", 1, "--size", 32, "--workers", 1)
    told(omokage, "render", "--out", "heads", *few, words="レコード 1 件: heads(見本は heads/sheet.png)")
    monkeypatch.setattr(recipes, "find_recipe", lambda _: None)
    monkeypatch.setattr(recipes, "configure", lambda *_: None)
    monkeypatch.setattr(recipes, "run_recipe", lambda *_: "runs/mine")
    told(omokage, "train", "mine", words="完了: runs/mine")


def test_embed_search_and_the_purpose_log(omokage: Command, pictures: Path, tmp_path: Path) -> None:
    tiny = FaceEncoder(EncoderConfig(size=32, stem=4, widths=(4, 4), blocks=(1, 1), squeeze=2))
    save_encoder(tmp_path / "encoder", tiny, set="test")
    why = ("--encoder", "encoder", "--purpose", "試験 1")
    names = ("notes.txt", "bad.png", "squares")
    said = told(omokage, "embed", pictures, "--out", "g.parquet", *why, code=1, names=names)
    assert "目的の記録に項目 1 を追加しました" in said
    (pictures / "1.png").rename("elsewhere.png")
    said = told(omokage, "search", "g.parquet", "pictures/0.png", *why, names=("pictures",))
    assert "類似度" in said
    assert "顔 3 件の一覧: search.html" in said
    assert "1 枚は読み取れず、空白です(最初は pictures/1.png)" in said
    page = (tmp_path / "search.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    for words in ("同じ状態の顔", "ギャラリー", "目的の記録の項目", "試験 1"):
        assert words in page
    for words in ("Gallery", "Faces", "How this page", "Purpose", "log", "Query"):
        assert words not in page
    told(omokage, "purpose", "verify", words="項目 2 件")
    who = {entry.who for entry in PurposeLog(tmp_path / "log.jsonl").entries()}
    told(omokage, "purpose", "list", words="利用者", names=("embed", "search", str(tmp_path), "g.parquet", *who))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda lines: [lines[0].replace("why", "yhw"), lines[1]],
            "1 行目が壊れています(書き込み後に変更",
        ),
        (lambda lines: [lines[0], "words"], "2 行目が壊れています(JSON ではありません)"),
        (lambda lines: [lines[0], "{}"], "2 行目が壊れています(項目の欄がそろっていません)"),
        (lambda lines: lines[1:], "1 行目が前の行に続いていません"),
        (lambda lines: [], "末尾"),
        (lambda lines: None, "記録がありません"),
    ],
)
def test_a_purpose_log_that_was_changed(omokage: Command, change: object, problem: str) -> None:
    log, names = Path("log.jsonl"), ("log.jsonl.head", "JSON")
    for _ in range(2):
        PurposeLog(log).append("search", "g", "why")
    changed = change(log.read_text().splitlines())  # type: ignore[operator]
    if changed is None:
        log.unlink()
    else:
        log.write_text("".join(f"{line}\n" for line in changed))
    told(omokage, "purpose", "verify", code=1, words=problem, names=names)


def test_a_purpose_log_without_its_end_or_a_known_hash(omokage: Command) -> None:
    PurposeLog(Path("log.jsonl")).append("search", "g", "why")
    told(omokage, "purpose", "verify", "--known", "xyz", code=1, words="既知のハッシュ xyz を持つ行がありません")
    Path("log.jsonl.head").unlink()
    told(omokage, "purpose", "verify", code=1, words="log.jsonl.head がありません", names=("log.jsonl.head",))


@pytest.mark.skipif(
    registry.DEFAULT_SET not in registry.set_names() or not registry.has_model(registry.DEFAULT_SET, "attributes"),
    reason="the default weights are not installed",
)
def test_explain_and_its_verdicts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = pytest.importorskip("skimage.data")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("OMOKAGE_LANG", "ja")
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("face.png", np.asarray(data.astronaut()[60:190, 165:295], np.uint8)[..., ::-1])
    omokage, names = command(monkeypatch, capsys), ("SmoothGrad", "plus-flat", "omokage", "pair-")
    asked = ("explain", "face.png", "--target", "attr.smiling", "--crops", "--device", "cpu")
    said = told(omokage, *asked, "--method", "lrp", "--report", "why.html", names=names)
    for words in ("領域", "口", "隠すと減る量(対数オッズ)", "評価 ", "合格", "米国特許", "レポート: why.html"):
        assert words in said
    assert "顔 1 件の根拠: w.csv" in told(omokage, *asked, "--method", "gradients", "--out", "w.csv")
    monkeypatch.setattr(explain_rating, "_draw", lambda *_: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\nx\nb\n"))
    said = told(omokage, *asked, "--rate", "rated", "--rater", "ann", names=names)
    for words in (
        "「見た目の属性 · ほほえみ」の根拠",
        "いずれかを入力",
        "3 組のうち 1 組が残っています",
        "二人目の評定者",
    ):
        assert words in said
    for rater, typed in (("ann", "=\n"), ("bob", "a\nb\n=\n")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        said = told(omokage, *asked, "--rate", "rated", "--rater", rater, names=names)
    assert "遮蔽: 勝ち" in said
    assert "評定者間の一致: 3 組のうち 100 %、κ 係数" in said


def test_a_bar_counts_in_japanese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", -1.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Counter("") as counter:
        progress.Readings(counter, 1, "ja").step(Reading("a.jpg"))
    assert "1 件を読み取り、毎秒" in capsys.readouterr().err
