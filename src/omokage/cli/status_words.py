"""What became of inputs, pictures, pairs, videos and the purpose log, as commands print it: tables keep the English
words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omokage.report.rephrase import Phrases, rephrased

# Short, as they stand beside numbers; sentences about two photographs are in `report.change_words`.
STATUSES: Mapping[str, str] = {
    # of a picture or a question
    "answered": "回答あり",
    "abstained": "回答を保留",
    "refused": "回答しない質問",
    "no_face": "顔なし",
    "several_faces": "顔が複数",
    "unreadable": "読み取れないもの",
    "not_understood": "理解できない質問",
    "parse_failure": "モデルの言葉を読み取れない",
    # of an annotated picture: what it holds
    "statements": "記述",
    "disputed": "食い違う記述",
    # of two photographs
    "ok": "比較済み",
    "different_people": "同一人物か不確か",
    "no_face_before": "一枚目に顔なし",
    "no_face_after": "二枚目に顔なし",
    "several_faces_before": "一枚目の顔が複数",
    "several_faces_after": "二枚目の顔が複数",
    "mirror_image": "鏡像",
    "same_picture": "同じ写真",
}

# Files of folders (`media.sources.Inputs`).
_PASSED_OVER: Phrases = (
    (
        "passed over {n} files neither picture nor video: {named}",
        "写真でも動画でもないファイル {n} 件を読み飛ばしました: {named}",
    ),
    (
        "passed over {n} file neither picture nor video: {named}",
        "写真でも動画でもないファイル {n} 件を読み飛ばしました: {named}",
    ),
)

# Of a video (`data.track_shards.VideoStatus`); words of a decoder stay.
_VIDEO: Phrases = (
    ("ok", "正常"),
    ("no_face", "顔なし"),
    ("nothing kept", "採用なし"),
    ("partly: {why}", "途中まで: {why}"),
    ("unreadable: {why}", "読み取れません: {why}"),
)

# Why a picture has no annotation (`pipeline.annotate`).
_LEFT_OUT: Phrases = (
    ("no_face (no face was found)", "顔が見つかりません"),
    ("no_face (no face was found where the labels say)", "ラベルの示す位置に顔が見つかりません"),
    ("several_faces ({n} faces: it is unclear which one is meant)", "顔が {n} つあり、どれが対象か分かりません"),
    ("unreadable ({why})", "読み取れません({why})"),
)

# What is wrong with a purpose log (`governance.purpose`).
_PROBLEMS: Phrases = (
    ("line {n} is damaged: {why}", "{n} 行目が壊れています({why})"),
    ("line {n} does not follow the line before it", "{n} 行目が前の行に続いていません"),
    (
        "no line has the known hash {hash}: lines were cut off or replaced",
        "既知のハッシュ {hash} を持つ行がありません。行が切り取られたか、置き換えられています",
    ),
    ("{file}, which notes its end, is gone", "末尾を控えた {file} がありません"),
    (
        "it ends at line {n}, but {file} notes another end",
        "{n} 行目で終わっていますが、{file} に控えた末尾と違います",
    ),
    ("the log is gone, but {file} notes another end", "記録がありませんが、{file} には末尾が控えてあります"),
)
_DAMAGES: Phrases = (
    ("it is not JSON", "JSON ではありません"),
    ("it does not have the fields of an entry", "項目の欄がそろっていません"),
    ("it was changed after it was written", "書き込み後に変更されています"),
)


def counts_text(counts: Iterable[tuple[str, int]], language: str, **others: str) -> str:
    """How many there are of each status; `others` are Japanese names that take the place of those here."""
    if language == "en":
        return ", ".join(f"{n} {status}" for status, n in counts)
    names = {**STATUSES, **others}
    return "、".join(f"{names.get(status, status)} {n}" for status, n in counts)


def passed_over_text(words: str, language: str) -> str:
    """Which files of folders were not read, as a reader sees it."""
    return words if language == "en" else rephrased(words, _PASSED_OVER)


def video_status(status: str, language: str) -> str:
    return status if language == "en" else rephrased(status, _VIDEO)


def left_out_text(why: str, language: str) -> str:
    """Why a picture has no annotation, as a reader sees it."""
    return why if language == "en" else rephrased(why, _LEFT_OUT)


def problem_text(problem: str, language: str) -> str:
    """What is wrong with a purpose log, as a reader sees it."""

    def part(name: str, value: str) -> str:
        return rephrased(value, _DAMAGES) if name == "why" else value

    return problem if language == "en" else rephrased(problem, _PROBLEMS, part)
