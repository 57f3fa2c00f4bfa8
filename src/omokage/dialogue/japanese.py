"""Sentences of a description in Japanese: each fact, present and absent, with its doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from omokage.dialogue.captions import SURE, Sentence

# How a fact is said that holds, and one that does not, where that says something (`captions`).
CLAUSES: Mapping[str, tuple[str, str]] = {
    "smiling": ("ほほえんでいます", "ほほえんでいません"),
    "mouth_open": ("口が開いています", "口は開いていません"),
    "eyes_closed": ("目を閉じています", ""),
    "eyeglasses": ("眼鏡をかけています", "眼鏡をかけていません"),
    "sunglasses": ("サングラスをかけています", "サングラスをかけていません"),
    "face_mask": ("マスクを着けています", "マスクを着けていません"),
    "wearing_hat": ("帽子をかぶっています", "帽子をかぶっていません"),
    "beard": ("あごひげがあります", "あごひげはありません"),
    "facial_hair": ("ひげがあります", ""),
    "stubble": ("無精ひげがあります", "無精ひげはありません"),
    "bald": ("頭に髪がありません", "頭に髪があります"),
    "bangs": ("前髪があります", "前髪はありません"),
    "gray_hair": ("白髪です", "白髪ではありません"),
    "black_hair": ("黒髪です", "黒髪ではありません"),
    "blond_hair": ("金髪です", ""),
    "brown_hair": ("茶髪です", ""),
    "long_hair": ("長い髪です", "長い髪ではありません"),
    "wearing_lipstick": ("口紅をつけています", "口紅をつけていません"),
    "full_face": ("ふくよかな顔です", ""),
    "occluded": ("顔の一部が隠れています", ""),
    "nose_covered": ("鼻が隠れています", "鼻は隠れていません"),
    "chin_covered": ("あごが隠れています", "あごは隠れていません"),
    "forehead_covered": ("額が隠れています", ""),
    "cheeks_covered": ("頬が隠れています", ""),
    "brows_covered": ("眉が隠れています", ""),
    "turned_left": ("頭が左を向いています", ""),
    "turned_right": ("頭が右を向いています", ""),
    "head_up": ("頭が上を向いています", ""),
    "head_down": ("頭が下を向いています", ""),
    "looks_left": ("左を見ています", ""),
    "looks_right": ("右を見ています", ""),
    "looks_down": ("下を見ています", ""),
    "brows_raised": ("眉が上がっています", ""),
    "brows_lowered": ("眉が下がっています", ""),
    "eyes_wide": ("目を大きく開いています", ""),
    "nose_wrinkled": ("鼻にしわが寄っています", ""),
    "female": ("女性に見えます", "男性に見えます"),
    "older_20": ("20 歳より上に見えます", ""),
    "older_30": ("30 歳より上に見えます", ""),
    "older_40": ("40 歳より上に見えます", ""),
    "older_50": ("50 歳より上に見えます", ""),
    "older_60": ("60 歳より上に見えます", ""),
    "expression_neutral": ("真顔です", ""),
    "expression_happiness": ("うれしそうな表情です", ""),
    "expression_sadness": ("悲しそうな表情です", ""),
    "expression_surprise": ("驚いたような表情です", ""),
    "expression_fear": ("おびえたような表情です", ""),
    "expression_disgust": ("不快そうな表情です", ""),
    "expression_anger": ("怒ったような表情です", ""),
}


def in_japanese(sentence: Sentence) -> Sentence:
    """The same sentence in Japanese. Raises KeyError for a fact without words."""
    clause = CLAUSES[sentence.fact][0 if sentence.value else 1]
    doubt = "" if sentence.confidence >= SURE else "確かではありませんが、おそらく"
    return replace(sentence, text=f"{doubt}{clause}。")
