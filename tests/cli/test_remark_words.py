"""What is remarked about labels and groups, in Japanese: every remark that made-up labels bring about."""

from __future__ import annotations

from typing import Any

from japanese import japanese

from omokage.cli.remark_words import REMARKS, remark_text
from omokage.metrics.groups import left_out
from omokage.metrics.labels import remarks
from omokage.metrics.table import TableScore
from omokage.report.rephrase import rephrased

COLUMNS = ("age_bin", "smile", "gender", "size", "nice", "expression", "other", "site", "emotion")
NAN = float("nan")


def face(source: str) -> dict[str, Any]:
    return {"source": source, "size": 1.0, "size_sigma": 1.0, "attr_nice_p": 0.5}


def every_remark() -> list[str]:
    faces = [face(name) for name in ("a/1.png", "b/1.png", "2.png", "3.png")]
    labels = [
        {"file": "2.png", "age_bin": "22-23", "smile": "1", "gender": "x", "size": "?", "site": "", "nice": "maybe"},
        {"file": "3.png", "age_bin": "child", "smile": "1", "size": "2", "expression": "fear", "site": "s"},
        {"file": "3.png", "age_bin": "40-41", "other": "x", "site": "s"},
        {"file": "1.png", "site": "s"},
        {"file": "gone.png", "site": "s"},
    ]
    rows = [{name: row.get(name, "") for name in ("file", *COLUMNS)} for row in labels]
    plain = [{name: row[name] for name in ("file", "other")} for row in rows]
    scored = {f"g{k}": [TableScore("found", 0.0, 0.0, 0.0, 30)] for k in range(7)}
    few = {f"h{k}": [TableScore("found", 1.0, NAN, NAN, 2)] for k in range(2)}
    one = {"i": [TableScore("found", 0.0, NAN, NAN, 1)]}
    return [*remarks(rows, faces, "site"), *remarks(plain, faces), *left_out(scored | few), *left_out(one)]


def test_every_remark_is_said_in_japanese_too() -> None:
    found = every_remark()
    names = (*COLUMNS, "a/1.png", "b/1.png", "gone.png", "png", "person", "child", "maybe", "yes, no", "female, male")
    for said in found:
        assert remark_text(said, "en") == said
        assert japanese(remark_text(said, "ja"), names), remark_text(said, "ja")
    used = {japanese_ for english, japanese_ in REMARKS for said in found if _is(english, said)}
    assert len(used) == len(REMARKS), [ja for _, ja in REMARKS if ja not in used]


def test_groups_and_values_keep_their_names() -> None:
    said = [remark_text(text, "ja") for text in every_remark()]
    assert any("グループ 'g0', 'g1', 'g2', 'g3', 'g4' ほか 2 件" in text for text in said)
    assert any(text.startswith("グループ 'i' は 3 人未満です") for text in said)
    assert any("数値" in text and "'?'" in text for text in said)
    assert any("20-29 や 70+ のような年齢の範囲" in text for text in said)


def _is(english: str, said: str) -> bool:
    return rephrased(said, ((english, "!"),)) == "!"
