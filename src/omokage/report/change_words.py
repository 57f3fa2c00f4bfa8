"""Every word of the change card and of `omokage compare`, in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Mapping

from omokage.schema import UNITS

TEXT: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "What changed between two photographs",
        "timeline": "Changes over a series of photographs",
        "lead": "Differences that a computer estimates from how a face looks in pictures. They describe pictures, "
        "not health: fatness is a visual measure without kilograms, age is how old the face looks.",
        "duty": "Not a medical device. Never decide about a person by this page; look at the photographs yourself.",
        "same": "Probability that both show one person (were yes and no equally likely beforehand)",
        "needed": "needed to compare",
        "changes": "Changes, second photograph minus first",
        "bars": "Lines: 5 to 95 percent interval, an arrow where it reaches beyond the drawing. Pale bars may be "
        "nothing: photographs without such a change look as different. A line holds every size of change that could "
        "have looked so, and may reach over zero although a change is called: then that there is one is surer than how "
        "large.",
        "controlled": "The head is held and lit alike in both, so smaller changes can be told than on any two days.",
        "before": "first photograph",
        "after": "second photograph",
        "slide": "Drag the lower right corner of the first photograph, or choose a step, to see the second one below.",
        "edge": "How much of the first photograph is seen",
        "own": "What your labels taught",
        "where": "Where the called changes (or the strongest ones) rest.",
        "factor": "What",
        "value": "Change",
        "no_change": "Share of unchanged pairs that look as different",
        "verdict": "Reading",
        "called": "a change",
        "not_called": "may be nothing",
        "numbers": "Show the numbers",
        "looks": "Other differences",
        "nuisance": "Only the day",
        "years": "years since the first photograph",
        "place": "photograph",
        "trend": "a year",
        "trend_place": "from one to the next",
        "jumps": "level changes at",
        "left_out": "Left out",
        "by_name": "Not every photograph has a date (in its EXIF data or its name), so they are ordered by name.",
        "strip": "In brackets: years since the first photograph.",
        "curves": "Change against the first photograph. Band: 5 to 95 percent interval. Dashed line: trend. Dotted "
        "upright lines: the level is another one from there on.",
        "chance": "Fatness, age and those expression units that moved most are shown. An interval of a trend holds for "
        "one line; among many some leave out zero by chance.",
        "about": "How this page was made",
    },
    "ja": {
        "title": "二枚の写真の間の変化",
        "timeline": "一連の写真での変化",
        "lead": "写真に写った顔の見た目の違いを計算機が推定した値です。"
        "写真についての値で、健康についての値ではありません。ふくよかさは見た目の尺度でキログラムではなく、年齢は見かけの年齢です。",
        "duty": "医療機器ではありません。このページだけで人についての判断をせず、必ず写真を自分の目で見てください。",
        "same": "同一人物である確率(事前に五分五分とした場合)",
        "needed": "比較に必要な値",
        "changes": "変化(二枚目 − 一枚目)",
        "bars": "線は 5〜95 % 区間で、矢印は図の外まで続くことを示します。"
        "淡い棒は変化でないかもしれません。その変化のない写真の組でも同じくらい違って見えます。"
        "線はそのように見えうる変化の大きさをすべて含むため、変化ありでもゼロをまたぐことがあります。",
        "controlled": "二枚は頭の向きと照明がそろっているため、条件の違う写真より小さな変化まで分かります。",
        "before": "一枚目",
        "after": "二枚目",
        "slide": "一枚目の右下の角をドラッグするか、段階を選ぶと、下の二枚目が見えます。",
        "edge": "一枚目の見える幅",
        "own": "ご自身のラベルから学んだ変化",
        "where": "変化とした(または最も強い)値の根拠となった場所。",
        "factor": "項目",
        "value": "変化",
        "no_change": "変化のない写真の組が同程度に違って見える割合",
        "verdict": "読み方",
        "called": "変化あり",
        "not_called": "変化でないかもしれない",
        "numbers": "数値を表示",
        "looks": "そのほかの違い",
        "nuisance": "撮影条件だけの違い",
        "years": "一枚目からの年数",
        "place": "写真",
        "trend": "一年あたり",
        "trend_place": "一枚ごと",
        "jumps": "水準が変わる所",
        "left_out": "除いた写真",
        "by_name": "日付(EXIF またはファイル名)のない写真があるため、名前の順に並べました。",
        "strip": "括弧内は一枚目からの年数です。",
        "curves": "一枚目に対する変化。帯は 5〜95 % 区間、破線は傾向、縦の点線はそこから水準が変わることを示します。",
        "chance": "ふくよかさ、年齢と、最も動いた表情の単位を示します。傾向の区間は一行ごとのもので、"
        "多くの行の中には偶然ゼロを含まないものもあります。",
        "about": "このページの作り方",
    },
}

STATUS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ok": "compared",
        "different_people": "It is not sure enough that both show the same person, so nothing was compared; "
        "--assume-same goes on.",
        "different_person": "does not seem to be the person of the others",
        "no_face": "no face was found",
        "several_faces": "more than one face is large enough to be meant",
        "repeated": "is the same picture as another one of the folder",
        "no_face_before": "No face was found in the first photograph.",
        "no_face_after": "No face was found in the second photograph.",
        "several_faces_before": "The first photograph shows more than one face; cut out the one that is meant.",
        "several_faces_after": "The second photograph shows more than one face; cut out the one that is meant.",
        "mirror_image": "One photograph is the mirror image of the other: there is nothing to compare.",
        "same_picture": "Both are the same picture: there is nothing to compare.",
        "unreadable": "A photograph cannot be read.",
    },
    "ja": {
        "ok": "比較しました",
        "different_people": "同一人物と言えるほど確かではないため、比較していません。--assume-same で続けられます。",
        "different_person": "ほかの写真の人物ではないようです",
        "no_face": "顔が見つかりません",
        "several_faces": "対象になりうる顔が複数あります",
        "repeated": "フォルダー内の別の写真と同じ画像です",
        "no_face_before": "一枚目に顔が見つかりません。",
        "no_face_after": "二枚目に顔が見つかりません。",
        "several_faces_before": "一枚目に顔が複数あります。対象の顔を切り出してください。",
        "several_faces_after": "二枚目に顔が複数あります。対象の顔を切り出してください。",
        "mirror_image": "片方がもう片方の鏡像です。比べるものがありません。",
        "same_picture": "二枚は同じ写真です。比べるものがありません。",
        "unreadable": "写真を読み込めません。",
    },
}

WARNINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "light": "The light differs and may explain a part of the changes.",
        "pose": "The head is held differently and may explain a part of the changes.",
        "camera": "Exposure, colours or lens differ and may explain a part of the changes.",
        "sharpness": "One photograph is much sharper than the other: wrinkles and age may differ by that alone.",
        "makeup": "Make-up seems to differ and may explain changes of age and of the mouth.",
    },
    "ja": {
        "light": "照明が違い、変化の一部はそのためかもしれません。",
        "pose": "頭の向きが違い、変化の一部はそのためかもしれません。",
        "camera": "露出・色・レンズが違い、変化の一部はそのためかもしれません。",
        "sharpness": "片方の写真がずっと鮮明です。しわや年齢の違いはそれだけで生じえます。",
        "makeup": "化粧が違うようで、年齢や口元の変化はそのためかもしれません。",
    },
}

_FACTORS = {"en": {"fatness": "face fatness (visual)", "age": "apparent age (years)"},
            "ja": {"fatness": "顔のふくよかさ(見た目)", "age": "見かけの年齢(歳)"}}  # fmt: skip
_LOOKS = {
    "en": {"glasses": "glasses", "hair": "hair", "beard": "beard", "makeup": "make-up", "eyes_closed": "closed eyes",
           "hat": "headwear", "light": "light", "pose": "pose", "camera": "camera"},
    "ja": {"glasses": "眼鏡", "hair": "髪型", "beard": "ひげ", "makeup": "化粧", "eyes_closed": "閉じた目",
           "hat": "帽子", "light": "照明", "pose": "頭の向き", "camera": "カメラ"},
}  # fmt: skip
# Left and right are those of the person.
_UNITS_JA = {
    "browDownLeft": "左の眉下げ", "browDownRight": "右の眉下げ", "browInnerUp": "眉の内側上げ",
    "browOuterUpLeft": "左の眉の外側上げ", "browOuterUpRight": "右の眉の外側上げ", "cheekPuff": "頬のふくらみ",
    "cheekSquintLeft": "左の頬上げ", "cheekSquintRight": "右の頬上げ", "eyeBlinkLeft": "左目の閉じ",
    "eyeBlinkRight": "右目の閉じ", "eyeLookDownLeft": "左目の下向き", "eyeLookDownRight": "右目の下向き",
    "eyeLookInLeft": "左目の内向き", "eyeLookInRight": "右目の内向き", "eyeLookOutLeft": "左目の外向き",
    "eyeLookOutRight": "右目の外向き", "eyeLookUpLeft": "左目の上向き", "eyeLookUpRight": "右目の上向き",
    "eyeSquintLeft": "左目の細め", "eyeSquintRight": "右目の細め",
    "eyeWideLeft": "左目の見開き", "eyeWideRight": "右目の見開き", "jawForward": "あごの前出し",
    "jawLeft": "あごの左寄せ", "jawOpen": "あごの開き", "jawRight": "あごの右寄せ", "mouthClose": "唇の閉じ",
    "mouthDimpleLeft": "左のえくぼ", "mouthDimpleRight": "右のえくぼ", "mouthFrownLeft": "左の口角下げ",
    "mouthFrownRight": "右の口角下げ", "mouthFunnel": "唇の丸い突き出し", "mouthLeft": "口の左寄せ",
    "mouthLowerDownLeft": "左の下唇下げ", "mouthLowerDownRight": "右の下唇下げ", "mouthPressLeft": "左の唇の押しつけ",
    "mouthPressRight": "右の唇の押しつけ", "mouthPucker": "唇のすぼめ", "mouthRight": "口の右寄せ",
    "mouthRollLower": "下唇の巻き込み", "mouthRollUpper": "上唇の巻き込み", "mouthShrugLower": "下唇の突き上げ",
    "mouthShrugUpper": "上唇の突き上げ", "mouthSmileLeft": "左の口角上げ", "mouthSmileRight": "右の口角上げ",
    "mouthStretchLeft": "左の口角の横引き", "mouthStretchRight": "右の口角の横引き",
    "mouthUpperUpLeft": "左の上唇上げ", "mouthUpperUpRight": "右の上唇上げ", "noseSneerLeft": "左の小鼻上げ",
    "noseSneerRight": "右の小鼻上げ", "tongueOut": "舌出し",
}  # fmt: skip


def name_of_factor(name: str, language: str) -> str:
    """``mouthSmileLeft`` as "mouth smile left"; fatness and age with what they mean; a user's labels as they are."""
    if name in _FACTORS[language]:
        return _FACTORS[language][name]
    if name not in UNITS:
        return name
    if language == "ja":
        return _UNITS_JA.get(name, name)
    parts = re.findall("[a-z]+|[A-Z][a-z]+", name)
    return " ".join(part.lower() for part in parts)


def name_of_look(name: str, language: str) -> str:
    """A named difference or a nuisance in words."""
    return _LOOKS[language].get(name, name)
