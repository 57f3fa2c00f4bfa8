"""The sentences that explanations carry in English, in Japanese: grades, checks, warnings, units and methods."""

from __future__ import annotations

import re
from collections.abc import Mapping

from omokage.report.change_words import name_of_factor
from omokage.report.words import name_of
from omokage.schema import UNITS

JAPANESE_REGIONS: Mapping[str, str] = {
    "background": "背景", "brows": "眉", "eyes": "目", "nose": "鼻", "cheeks": "頬", "mouth": "口", "chin": "あご",
    "forehead": "額", "hair": "髪", "ears": "耳", "neck": "首", "clothing": "衣服",
}  # fmt: skip
_SENTENCES: Mapping[str, str] = {
    "every check passed: hiding what the map marks changes the answer most, and the map hangs on what was learnt":
        "すべての検査に合格: 熱マップが示す場所を隠すと答えが最も変わり、熱マップは学習した内容によって決まっています",
    "one check failed: use the map together with the table of regions":
        "検査が一つ不合格: 熱マップは領域の表と合わせて見てください",
    "two checks failed: take the map as a hint only and rely on what hiding regions does":
        "検査が二つ不合格: 熱マップは手がかりにとどめ、領域を隠した結果のほうを見てください",
    "the map does not show what the network uses: do not use it":
        "この熱マップはネットワークが使うものを示していません。使わないでください",
    "looking a second time moves this answer more than hiding any region does: read the regions with care":
        "もう一度見直すと、どの領域を隠すよりも答えが変わります。領域の表は慎重に読んでください",
    "flipping beats every random order": "重要な順に隠すと、どの無作為な順より早く答えが変わる",
    "flipping beats the edges": "重要な順に隠すと、輪郭の強い順より早く答えが変わる",
    "random weights give another map": "重みを無作為にすると別の熱マップになる",
    "relevance sums to the answer": "関連度の和が答えと一致する",
    "Layer-wise relevance propagation is covered by patents in some countries (among them US 10,878,320 and related "
    "ones). Check whether you may use it, commercial use above all. Nothing else in omokage depends on it.":
        "層ごとの関連度伝播(LRP)は一部の国で特許の対象です(米国特許 10,878,320 とその関連特許など)。利用してよいか、"
        "とくに商用の場合は確かめてください。omokage のほかの機能はこれに依存しません。",
}  # fmt: skip
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"regions rank as by (\w+)", "領域の順位が{}と合う"),
    (
        r"hiding the (\w+) changes the answer more than hiding any part of the face",
        "{}を隠すと、顔のどの部分を隠すよりも答えが変わります",
    ),
    (r"most relevance lies outside the face \((.+)\)", "関連度の大半が顔の外にあります({})"),
    (
        r"what hiding the (\w+) does depends on what it is filled with: judge with care",
        "{}を隠した結果は塗り方によって変わります。慎重に判断してください",
    ),
    (r"lrp \((.+)\)", "層ごとの関連度伝播(LRP、{})"),
)
_WORDS: Mapping[str, str] = {
    "occlusion": "遮蔽", "gradients": "勾配", "smoothgrad": "平滑化勾配(SmoothGrad)",
    "probability": "(確率)", "log odds": "(対数オッズ)", "intensity": "(強さ)", "degrees": "度", "years": "歳",
    "rating": "(評点)", "renderer's scale": "(描画の尺度)", "fatness": "(ふくよかさ)",
    "the labels' own": "(ラベルの単位)", "melanin, light to dark": "(メラニン、明るい 0 から濃い 1)",
    "0 bald, 1 below the shoulders": "(0 は髪なし、1 は肩より下)",
    "0 no face, 1 one well-centred face": "(0 は顔なし、1 は中央の顔一つ)",
    "ordinary": "普通の顔", "blur": "ぼかし", "mean": "平均の色", "inpaint": "周囲からの補完", "before": "前の写真",
}  # fmt: skip
_KINDS: Mapping[str, str] = {
    "attr": "visible attribute", "age": "apparent age", "gender": "perceived gender", "pose": "head pose",
    "au": "action unit", "unit": "expression unit",
}  # fmt: skip
_TARGETS: Mapping[str, str] = {
    "attr": "見た目の属性", "expression": "表情", "age": "見かけの年齢", "gender": "見た目の性別", "pose": "頭の向き",
    "gaze": "視線", "au": "アクションユニット", "unit": "表情の単位", "change": "変化", "quality": "画質",
    "yaw": "左右", "pitch": "上下", "roll": "傾き", "right": "左右", "up": "上下",
}  # fmt: skip


def region_name(name: str, language: str) -> str:
    return JAPANESE_REGIONS.get(name, name) if language == "ja" else name


def target_name(target: str, language: str) -> str:
    """What is explained, ``expression.happiness``, as a reader sees it."""
    kind, *parts = target.split(".")
    kinds = _TARGETS if language == "ja" else _KINDS
    return " · ".join([kinds.get(kind) or name_of(kind, language), *(_part_of(kind, p, language) for p in parts)])


def _part_of(kind: str, part: str, language: str) -> str:
    if part in UNITS:
        return name_of_factor(part, language)
    known = _TARGETS.get(part) if language == "ja" else None
    return known or name_of(part.lower() if kind == "au" else part, language)


def explained(text: str, language: str) -> str:
    """A sentence, unit, method or fill of an explanation as a reader sees it; what is of no table here stays."""
    if language != "ja":
        return text
    known = _SENTENCES.get(text) or _WORDS.get(text)
    if known is not None:
        return known
    for pattern, japanese in _PATTERNS:
        if found := re.fullmatch(pattern, text):
            return japanese.format("、".join(_part(part) for part in found[1].split(", ")))
    return text


def bare_unit(unit: str, language: str) -> str:
    """A unit to stand in brackets: Japanese ones bring their own."""
    return explained(unit, language).strip("()" if language == "ja" else "")


def _part(word: str) -> str:
    return JAPANESE_REGIONS.get(word) or _WORDS.get(word, word)
