"""`evaluate`, `adapt`, `doctor` and `models` in both languages: the same numbers, and no English left in Japanese."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from in_process import Command, Done, command
from japanese import english_lines

from dialogue_stand_ins import Saying
from omokage.pipeline import adapt_unlabelled, analyzer, checkup, dialogue
from omokage.pipeline.adapt_pairs import AdaptedChange
from omokage.weights import registry
from small_weights import small_weights, write_faces
from stand_ins import SquareFinder, SquarePredictor, write_picture

JA = ("--lang", "ja")


@pytest.fixture
def omokage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    return command(monkeypatch, capsys)


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyzer, "open_finder", lambda *_: SquareFinder())
    monkeypatch.setattr(analyzer, "open_predictor", lambda *_: SquarePredictor())


def numbers(text: str) -> list[float]:
    """The numbers in order of size: words stand in another order in another language."""
    return sorted(float(n) for n in re.findall(r"\d+(?:\.\d+)?", text))


def cells(table: str) -> list[str]:
    """The cells of numbers alone, an interval in the same way in both languages; names of measures hold numbers of
    their own."""
    found = (cell.strip().replace(" to ", "～") for cell in re.split("[│┃\n]", table))
    return [cell for cell in found if re.fullmatch(r"[-+\d.e～]+", cell)]


def both(omokage: Command, *arguments: object) -> tuple[Done, Done]:
    english, told = omokage(*arguments), omokage(*arguments, *JA)
    assert english.code == told.code, told.err
    return english, told


def labels_csv() -> None:
    rows = ["file,person,age,age_bin,gender,smile,glasses,emotion,yaw,group,nothing"]
    for k in range(44):
        side = 15 + k
        write_picture(f"{k}.png", [(20, 20, side, 4 * (k % 20))] if k else [])
        emotion, gender = ("happy", "sad", "neutral")[k % 3], ("female", "male")[k // 2 % 2]
        age_bin = ("3-9", "20-29")[k % 2]
        rows.append(f"{k}.png,p{k},{10 + k},{age_bin},{gender},{k % 2},{k // 2 % 2},{emotion},10,{'ab'[k % 2]},x")
    Path("labels.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.usefixtures("squares")
def test_evaluate_a_table(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    labels_csv()
    assert omokage("analyze", ".", "--out", "faces.csv").code == 0
    english, told = both(omokage, "evaluate", "faces.csv", "labels.csv", "--by", "group")
    assert told.code == 0, told.err
    assert english_lines(told.out + told.err, ("AUC", "group")) == []
    assert len(cells(told.out)) > 100
    assert cells(english.out) == cells(told.out)
    for words in ("見つかった顔の割合", "95 % 区間", "定数予測", "全体", "見た目の性別", "表情「喜び」の正解率"):
        assert words in told.out
    assert "最も悪いグループ" in told.out
    assert "測る指標のないラベル列: nothing" in told.err
    ask = ("evaluate", "faces.csv", "labels.csv", "--json")
    assert omokage(*ask).out == omokage(*ask, *JA).out
    monkeypatch.setenv("OMOKAGE_LANG", "ja")
    assert omokage("evaluate", "faces.csv", "labels.csv", "--by", "group").out == told.out


@pytest.mark.usefixtures("squares")
def test_evaluate_embeddings_and_its_page(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from omokage.cli import evaluate_embeddings
    from omokage.embeddings import reading
    from omokage.embeddings.predict import FunctionEncoder

    monkeypatch.setattr(reading, "SWEEPS", {"yaw": reading.SWEEPS["yaw"]})  # rendering takes long
    corners = FunctionEncoder("corners", 32, 1.3, lambda crops: np.asarray(crops[:, :9, :3].reshape(len(crops), -1)))
    monkeypatch.setattr(evaluate_embeddings, "_encoders", lambda *_: [corners])
    rows = ["file,person,smiling,age,box_x0,box_y0,box_x1,box_y1"]
    for k in range(24):
        write_picture(f"{k}.png", [(20, 20, 60, 90 if k % 2 else 10)] if k else [])
        rows.append(f"{k}.png,p{k // 2},{k % 2},{k},20,20,80,80")
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    ask = ("evaluate", "embeddings", ".", "--dataset", "folder", "--labels", "0", "--no-baselines", "--report")
    english, told = both(omokage, *ask, "page.html", "--rendered", "2")
    assert told.code == 0, told.err
    assert english_lines(told.out + told.err, ("corners", "AUC", "page.html")) == []
    assert cells(english.out) == cells(told.out) != []
    assert "1 枚で顔が見つからず" in told.err
    page = Path("page.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    said = re.sub(r"<[^>]*>", "\n", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert english_lines(said, ("corners", "AUC", "folder, all")) == []


def test_evaluate_questions(omokage: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dialogue, "open_model", lambda *_: Saying(0.9))
    told = {"category": "x", "sub-category": "attributes", "dataset": "celeba", "questions": {}}
    texts = ("Which is present?", "Which race is it?")
    for k, asked in enumerate(texts):
        told["questions"][str(k)] = {  # type: ignore[index]
            "image_paths": ["images/one.png"], "question_text": asked, "options": ["Bangs", "Bald"],
            "correct_answer_option": "A", "answer": "Bangs",
        }  # fmt: skip
    (tmp_path / "bench" / "images").mkdir(parents=True)
    write_picture(tmp_path / "bench" / "images" / "one.png", [(20, 30, 50, 40)])
    (tmp_path / "bench" / "celeba.json").write_text(json.dumps(told))
    english, answered = both(omokage, "evaluate", "questions", "bench", "--crops")
    assert answered.code == 0, answered.err
    assert english_lines(answered.out, ("attributes",)) == []
    assert numbers(english.out) == numbers(answered.out)
    assert "回答を断る質問 1" in answered.out


@pytest.fixture
def place(tmp_path: Path, omokage: Command) -> Path:
    """`base` (weights), `faces`, and `labels.csv` with two raters."""
    small_weights(tmp_path / "base")
    shown = write_faces(tmp_path / "faces", 40)
    rows = [f"{k}.png,{int(v > 0)},{int(v > 0.1)},{v + 2:.2f},{'ab'[k % 2]}" for k, v in enumerate(shown)]
    gone = [f"gone{k}.png,1,1,2.5,c" for k in range(7)]
    table = ["file,bright@one,bright@two,light,group_site", *rows, *gone]
    (tmp_path / "labels.csv").write_text("\n".join(table) + "\n")
    return tmp_path


COMMON = ("--crops", "--weights", "base", "--device", "cpu")
NAMES = ("bright", "light", "site", "mine/attributes", "mine", "gone", ".png")


def test_adapt(place: Path, omokage: Command) -> None:
    ask = ("adapt", "labels.csv", "--images", "faces", "--sizes", "20", "--tune", "none", *COMMON)
    english = omokage(*ask, "--out", "mine")
    told = omokage(*ask, "--out", "mine2", *JA)
    assert (english.code, told.code) == (0, 0), told.err
    reasons = ("faces/", "does not exist", "no such file: faces/gone")  # a reader's own words of what it cannot open
    shown = [line for line in told.out.splitlines() if not line.startswith("除外: gone")]
    assert english_lines("\n".join(shown), (*NAMES, "AUC", "hidden", *_networks(told.out), *reasons)) == []
    assert english.out.count("left out") == told.out.count("除外: gone") == 5
    assert [cell.partition(" ")[0].partition("(")[0] for cell in _scores(english.out)] == [
        cell.partition("(")[0] for cell in _scores(told.out)
    ]
    for words in ("定数予測", "ランドマークの線形モデル", "線形プローブ", "採用: ", "上限(写真", "グループ site a:",
                  "最大の差", "正解率(クラス平均)", "順位相関", "名義尺度", "ほか 2 枚も除外"):  # fmt: skip
        assert words in told.out, words


def _scores(text: str) -> list[str]:
    """Cells of a value with its interval."""
    return [cell.strip() for cell in text.split("│") if re.match(r" *[-\d.]+ ?\(", cell)]


def _networks(text: str) -> list[str]:
    return re.findall(r"部分ネットワーク (\S+?)に", text)


def test_what_adapt_says_of_privacy_fine_tuning_and_progress() -> None:
    from omokage.cli import adapt
    from omokage.cli.adapt_words import WORDS

    for key in ("kept_private", "kept_tuned", "kept_probe", "preferred", "too_few", "alone"):
        said = WORDS[key]["ja"].replace("omokage evaluate", "")
        assert english_lines(re.sub(r"\{\w+\}", "1", said)) == []
    assert adapt.method_name("tuned", "ja") == "ファインチューニング"
    for step in ("faces found", "read", "rendering heads", "bright: folds", "bright: fine-tuning"):
        assert adapt.step_text(step, "en") == step
        assert english_lines(adapt.step_text(step, "ja"), ("bright",)) == []


def test_adapt_without_labels(place: Path, omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 255, (4, 32, 32, 3)).astype(np.uint8)
    yes = {"perceived_gender": np.ones(4), "eyeglasses": np.zeros(4)}
    heads = adapt_unlabelled.Heads(crops, rng.uniform(-1, 1, (4, 68, 2)), np.ones(4), yes)
    monkeypatch.setattr(adapt_unlabelled.Heads, "drawn", classmethod(lambda cls, count, predictor: heads))
    (place / "faces" / "bad.png").write_bytes(b"no picture")
    for allowed in (10.0, -10.0):  # of harm and gain: all passes, or all fails
        monkeypatch.setattr(adapt_unlabelled, "HARM", allowed)
        monkeypatch.setattr(adapt_unlabelled, "GAIN", -allowed)
        out = f"new{allowed}"
        told = omokage("adapt", "--unlabelled", "faces", *COMMON, "--out", out, *JA)
        assert told.code == int(allowed < 0), told.err
        assert english_lines(told.out, (out,)) == []
        assert len(told.out.splitlines()) == 7
        assert ("採用しました。統計量を" in told.out) == ("不合格" not in told.out) == (told.code == 0)
        assert "見た目の性別の対数損失" in told.out
        assert "除外 1 枚" in told.out
    student = adapt_unlabelled.Used(0.3, (), 40, 0, Path("new"), student=True)
    from omokage.cli.adapt_words import used_text

    assert english_lines("\n".join(used_text(line, "ja") for line in student.lines()), ("new",)) == []


def test_adapt_pairs(tmp_path: Path, omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from omokage.explain.scores import Score
    from omokage.pipeline import adapt_pairs

    scores = tuple(Score(m, "correlation", 0.5, 0.1, 0.9, 20, 20) for m in ("trivial", "probe 10", "chosen"))
    found = AdaptedChange("kg", None, scores, alone=True)  # type: ignore[arg-type]
    why = {"a - b": "no_face", "c - d": "several_faces", "e - f": "unreadable: bytes"}
    monkeypatch.setattr(adapt_pairs, "adapt_pairs", lambda *_, **__: ([found], why))
    (tmp_path / "pairs.csv").write_text("before,after,kg\na,b,1\n")
    english, told = both(omokage, "adapt", "pairs.csv", "--out", "mine")
    assert told.code == 0, told.err
    assert english_lines(told.out, ("kg", "omokage compare BEFORE AFTER --weights mine", "mine", "bytes")) == []
    assert numbers(english.out) == numbers(told.out)
    assert "left out: a - b: no_face" in english.out
    assert "除外: a - b: 顔が見つかりません" in told.out


def test_doctor(omokage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    card = replace(registry.Card("m", "s", {}, {}), sha256="0" * 64)
    monkeypatch.setattr(registry, "verify", lambda: [(card, True), (card, False)])
    real, findings = checkup.self_test, []
    monkeypatch.setattr(checkup, "self_test", lambda language: findings.append(real(language)) or findings[-1])
    monkeypatch.setitem(checkup.EXTRAS, "dialogue", ("no_such_module",))
    english, told = both(omokage, "doctor")
    assert (english.code, told.code) == (1, 1)
    install = (f"pip install 'omokage[{extra}]'" for extra in checkup.EXTRAS)
    names = (*install, checkup.cpu_flags(), "omokage", "s/m@", checkup.platform.system(), *checkup.EXTRAS)
    assert english_lines(told.out, tuple(filter(None, names))) == []
    assert len(english.out.splitlines()) == len(told.out.splitlines())
    for words in (
        "情報 python: ",
        "異常 重み s/m@00000000: ファイルが破損",
        "正常 動作確認: 描画した頭部を検出しました",
    ):
        assert words in told.out
    assert numbers(findings[0]) == numbers(findings[1])
    monkeypatch.setattr(registry, "verify", list)
    assert "--weights FOLDER で指定してください" in omokage("doctor", *JA).out


def test_models(omokage: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(registry, "HOME", tmp_path)
    assert omokage("models", "verify", *JA).err == "重みがインストールされていません\n"
    for name in ("mine", "yours"):
        card = registry.Card("attributes", name, {"size": 1}, {"size": 112}, trained_on="nothing", made="2026-01-01")
        registry.save(tmp_path / name, {"weight": torch.ones(2)}, card)
    (tmp_path / "mine" / "attributes.safetensors").write_bytes(b"damage")
    english, told = both(omokage, "models", "list")
    for words in ("モデル", "学習に使ったもの", "作成日", "重みのライセンス", "mine/attributes@"):
        assert words in told.out
    assert "trained on" in english.out
    english, told = both(omokage, "models", "verify")
    assert told.code == 1
    assert [line[:2] for line in told.out.splitlines()] == ["破損", "正常"]
    assert [line.split()[0] for line in english.out.splitlines()] == ["DAMAGED", "ok"]
