"""What stands beside an answer on a terminal, in English and Japanese: the second network's opinion, and why a person
should look. Tables and JSON keep the English words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omokage.dialogue.captions import worded
from omokage.dialogue.templates import OPTION_WORDS, statement
from omokage.language import Texts, text

LINES: Texts = {
    "field": {"en": "(attributes network: {agreement})", "ja": "(属性ネットワーク: {agreement})"},
    "second": {
        "en": "attributes network: {p:.2f} for the same ({agreement})",
        "ja": "属性ネットワーク: 同じ答えに {p:.2f}({agreement})",
    },
    "unread": {
        "en": "attributes network: does not read this (unchecked)",
        "ja": "属性ネットワーク: これは読み取りません(未確認)",
    },
    "review": {"en": "needs review: {why}", "ja": "人の目で確認してください: {why}"},
    "disputed": {"en": "the models disagree on {facts}", "ja": "モデルどうしの答えが分かれるもの: {facts}"},
    "unchecked": {"en": "unchecked text, the model's own words:", "ja": "未確認の文章(モデル自身の言葉):"},
}
AGREEMENTS: Mapping[str, str] = {
    "agrees": "一致",
    "disagrees": "不一致",
    "unsure": "不確か",
    "unchecked": "未確認",
}
REVIEWS: Mapping[str, str] = {
    "low probability": "確率が低い",
    "disagreement": "答えの不一致",
    "unclear": "不明瞭",
    "the specialist is unsure": "属性ネットワークが不確か",
    "asks for something that the model was not trained on": "モデルが学んでいないことを尋ねている",
    "parse failure": "モデルの言葉を読み取れない",
}
FACTS: Mapping[str, str] = {
    "smiling": "ほほえみ", "mouth_open": "口の開き", "eyes_closed": "目を閉じているか", "eyeglasses": "眼鏡",
    "sunglasses": "サングラス", "face_mask": "マスク", "wearing_hat": "帽子", "beard": "あごひげ",
    "facial_hair": "ひげ", "stubble": "無精ひげ", "bald": "髪がないか", "bangs": "前髪", "gray_hair": "白髪",
    "black_hair": "黒髪", "blond_hair": "金髪", "brown_hair": "茶髪", "long_hair": "長い髪",
    "wearing_lipstick": "口紅", "full_face": "ふくよかな顔", "occluded": "顔の一部が隠れているか",
    "nose_covered": "鼻が隠れているか", "chin_covered": "あごが隠れているか",
    "forehead_covered": "額が隠れているか", "cheeks_covered": "頬が隠れているか",
    "brows_covered": "眉が隠れているか", "turned_left": "頭の左向き", "turned_right": "頭の右向き",
    "head_up": "頭の上向き", "head_down": "頭の下向き", "looks_left": "左への視線", "looks_right": "右への視線",
    "looks_down": "下への視線", "brows_raised": "上がった眉", "brows_lowered": "下がった眉",
    "eyes_wide": "見開いた目", "nose_wrinkled": "鼻のしわ", "female": "女性に見えるか", "older_20": "20 歳より上か",
    "older_30": "30 歳より上か", "older_40": "40 歳より上か", "older_50": "50 歳より上か",
    "older_60": "60 歳より上か", "expression_neutral": "真顔", "expression_happiness": "喜び",
    "expression_sadness": "悲しみ", "expression_surprise": "驚き", "expression_fear": "恐れ",
    "expression_disgust": "嫌悪", "expression_anger": "怒り", "expression": "表情", "hair_colour": "髪の色",
    "gender": "見た目の性別", "age": "見かけの年齢", "eyewear": "眼鏡の種類", "direction": "顔の向き",
}  # fmt: skip


def line(key: str, lang: str, **parts: object) -> str:
    """One of `LINES` in a language."""
    return text(LINES, key, lang, **parts)


def agreement_word(agreement: str, lang: str) -> str:
    """Whether the second network agrees, as a reader sees it."""
    return AGREEMENTS.get(agreement, agreement) if lang == "ja" else agreement


def fact_name(name: str, lang: str) -> str:
    """A fact, or a field of an open answer, in words."""
    return FACTS.get(name, name.replace("_", " ")) if lang == "ja" else name.replace("_", " ")


def review_words(text: str, lang: str) -> str:
    """Why a person should look at an answer (`Answer.needs_review`) as a reader sees it: reasons between semicolons,
    each alone or with the fields that it is about."""
    return text if lang != "ja" else "、".join(map(_reason, text.split("; ")))


def disputed_words(facts: Sequence[str], lang: str) -> str:
    """On which facts two models disagree."""
    if lang == "ja":
        return line("disputed", lang, facts="、".join(fact_name(name, lang) for name in facts))
    told = [name if name in OPTION_WORDS else f"whether {statement(worded(name), 'the person')}" for name in facts]
    return line("disputed", lang, facts=", ".join(told))


def _reason(text: str) -> str:
    kind, sign, fields = text.partition(": ")
    names = [fact_name(name.replace(" ", "_"), "ja") for name in fields.split(", ")] if sign else []
    return REVIEWS.get(kind, kind) + (f"({'、'.join(names)})" if names else "")
