"""Japanese names of measures, of what is measured, and of encoders. A test holds that every measure has one."""

from __future__ import annotations

from omokage.language import Texts
from omokage.report.rephrase import Phrases, rephrased
from omokage.report.words import ACTION_UNIT_NAMES, JAPANESE, name_of

# Heads of tables of scores.
HEADS: Texts = {
    "measure": {"en": "measure", "ja": "指標"},
    "value": {"en": "value", "ja": "値"},
    "interval": {"en": "95 % interval", "ja": "95 % 区間"},
    "trivial": {"en": "a constant answer", "ja": "定数予測"},
    "span": {"en": "{low} to {high}", "ja": "{low}～{high}"},
}

# In the order in which they are tried: whole names before those with parts.
MEASURES: Phrases = (
    # of a faces table (`metrics.table`)
    ("found", "見つかった顔の割合"),
    ("landmark error, % of the eye distance", "ランドマークの誤差(両目の間隔に対する %)"),
    ("age, mean absolute error in years", "見かけの年齢の平均絶対誤差(歳)"),
    ("age inside the 90 % interval", "見かけの年齢が 90 % 区間に入る割合"),
    ("age within one bin, mean over the bins", "年齢区分のずれが 1 つ以内の割合(区分平均)"),
    ("age interval reaches the bin", "年齢の区間が区分に重なる割合"),
    ("age interval, median width in years", "年齢の区間の幅の中央値(年)"),
    ("perceived gender, mean over both", "見た目の性別の正解率(両者の平均)"),
    ("perceived gender of adults, mean over both", "成人の見た目の性別の正解率(両者の平均)"),
    ("side to which the face turns", "顔の左右の向きの正解率"),
    # of adapted labels (`explain.scores`, `explain.ratings`)
    ("accuracy, mean over the classes", "正解率(クラス平均)"),
    ("area under the curve", "曲線下面積(AUC)"),
    ("mean absolute error", "平均絶対誤差"),
    ("rank correlation", "順位相関"),
    ("correlation with the mean rating", "評定平均との相関"),
    ("one rater against the majority of the others", "評定者 1 人とほかの多数意見との一致率"),
    # of probes (`embeddings.evaluate`)
    ("landmark error", "ランドマークの誤差(両目の間隔に対する %)"),
    ("degrees", "平均絶対誤差(度)"),
    ("accuracy", "正解率"),
    ("AUC", "曲線下面積(AUC)"),
    ("correlation", "相関"),
    ("error", "平均絶対誤差"),
    # of the check of unlabelled pictures (`pipeline.adapt_unlabelled`)
    (
        "answers that hang on mirror and shifts, share of all variation",
        "左右反転や位置ずれによる答えの変動(全変動に占める割合)",
    ),
    (
        "landmark error on rendered heads, % of the eye distance",
        "描画した頭部でのランドマークの誤差(両目の間隔に対する %)",
    ),
    ("age error on rendered heads, years", "描画した頭部での見かけの年齢の誤差(歳)"),
    ("log loss of {name} on rendered heads", "描画した頭部での{name}の対数損失"),
    # with parts
    ("{name}, errors below sigma (0.68 is right)", "{name}の誤差が σ 以内に収まる割合(0.68 が適正)"),
    ("expression, {name} named right", "表情「{name}」の正解率"),
    ("{name}, area under the curve", "{name}の曲線下面積(AUC)"),
    ("{name}, accuracy", "{name}の正解率"),
    ("{name}, mean over the classes", "{name}の正解率(クラス平均)"),
    ("{name}, mean absolute error in degrees", "{name}の平均絶対誤差(度)"),
    ("{name}, mean absolute error", "{name}の平均絶対誤差"),
    ("degrees of {name}", "{name}の平均絶対誤差(度)"),
)

# What is measured, changed or grown, beside what `report.words` names.
_THINGS = {
    "age": "見かけの年齢",
    "perceived_gender": "見た目の性別",
    "expression": "表情",
    "units": "表情の単位",
    "landmarks": "ランドマーク",
    "points": "顔の特徴点",
    "pose": "頭の向き",
    "gaze": "視線",
    "yaw": "ヨー角",
    "pitch": "ピッチ角",
    "roll": "ロール角",
    "yaw side": "顔の左右の向き",
    "quality": "画質",
    "valence": "感情価",
    "arousal": "覚醒度",
    "identity": "人物",
    "light": "照明",
    "surroundings": "背景",
    "smile": "ほほえみ",
    "jaw": "あごの開き",
    "brows": "眉の上がり",
    "eyes": "目の閉じ",
}

_ENCODERS: Texts = {
    "untrained": {"en": "untrained", "ja": "未学習"},
    "pixels": {"en": "pixels", "ja": "画素"},
}


def measure_name(measure: str, language: str) -> str:
    """A measure as a reader sees it."""
    return measure if language == "en" else rephrased(measure, MEASURES, lambda _, name: thing_name(name, language))


def thing_name(name: str, language: str) -> str:
    """What is measured, changed or grown; a label of the user's own keeps its name."""
    if language == "en":
        return name
    unit = name.removeprefix("action unit ")
    if unit.lower() in ACTION_UNIT_NAMES:
        return name_of(unit.lower(), language)
    if unit != name:
        return f"アクションユニット {unit}"
    return _THINGS.get(name) or JAPANESE.get(name, name)


def encoder_name(name: str, language: str) -> str:
    """An encoder: those that are there to compare with have names in words."""
    return _ENCODERS[name][language] if name in _ENCODERS else name


def probe_name(probe: str, language: str) -> str:
    """An encoder and a task, as `embeddings.evaluate` says what it fits."""
    encoder, sign, task = probe.partition(": ")
    return f"{encoder_name(encoder, language)}{sign}{thing_name(task, language)}"
