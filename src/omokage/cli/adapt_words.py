"""What `omokage adapt` prints, in English and Japanese."""

from __future__ import annotations

from omokage.language import Texts
from omokage.report.rephrase import Phrases, rephrased
from omokage.report.score_words import measure_name, thing_name

WORDS: Texts = {
    "title": {
        "en": "{name} ({kind}, {n} pictures of {people} people)",
        "ja": "{name}({kind}、{people} 人の写真 {n} 枚)",
    },
    "nominal": {"en": "nominal", "ja": "名義尺度"},
    "ordinal": {"en": "ordinal", "ja": "順序尺度"},
    "method": {"en": "method", "ja": "方法"},
    "labels": {"en": "labels", "ja": "ラベル数"},
    "span": {"en": "{value} ({low} to {high})", "ja": "{value}({low}～{high})"},
    "kept": {"en": "kept: {what}", "ja": "採用: {what}"},
    "empty_column": {
        "en": "passed over: the column {name}, in which no cell is filled in",
        "ja": "列 {name} は値が 1 つもないため、読み飛ばしました",
    },
    "every_network": {"en": "all sub-networks", "ja": "すべての部分ネットワーク"},
    "one_network": {"en": "the sub-network {name}", "ja": "部分ネットワーク {name}"},
    "kept_tuned": {"en": "a fine-tuned sub-network", "ja": "ファインチューニングした部分ネットワーク"},
    "kept_probe": {"en": "a linear probe on {reads}", "ja": "{reads}に載せた線形プローブ"},
    "kept_private": {
        "en": "a differentially private probe on all sub-networks (epsilon {epsilon}); it answers worse than the "
        "probes above, which are without privacy and are not written: judge it on labels of other people with  "
        "omokage evaluate",
        "ja": "すべての部分ネットワークに載せた差分プライバシー付きプローブ(ε = {epsilon})。上のプローブはプライバシー"
        "保護なしの値で、保存されません。保存したプローブの精度はそれより低くなるので、別の人のラベルを使い  "
        "omokage evaluate  で確かめてください",
    },
    "preferred": {
        "en": "fine-tuning seemed to pay in {n} of the training parts; 'chosen' is their choice",
        "ja": "学習分割のうち {n} 個でファインチューニングに効果があると判断しました。"
        "「選択」はその判断に従った結果です",
    },
    "ceiling": {
        "en": "ceiling ({raters} raters a picture): {measure} {score}; these are rated impressions of photographs",
        "ja": "上限(写真 1 枚あたり評定者 {raters} 人): {measure} {score}。これは写真の印象の評定です",
    },
    "group": {
        "en": "group {column} {group}: {measure} {score}, {n} pictures",
        "ja": "グループ {column} {group}: {measure} {score}、写真 {n} 枚",
    },
    "too_few": {"en": "too few pictures", "ja": "値なし(写真が少なすぎます)"},
    "gap": {"en": "widest gap: {gap}, from {best} to {worst}", "ja": "最大の差: {gap}({best} と {worst} の間)"},
    "left_out": {"en": "left out: {name}: {why}", "ja": "除外: {name}: {why}"},
    "more_left_out": {"en": "... and {n} more of {all} pictures", "ja": "… 写真 {all} 枚のうち、ほか {n} 枚も除外"},
    "weights": {
        "en": "weights: {folder} ({id}); use them with --weights {folder}",
        "ja": "重み: {folder}({id})。--weights {folder} で使えます",
    },
    # of pairs
    "pair_score": {
        "en": "{name}, {method}, {n} pairs: {measure} {score}",
        "ja": "{name}、{method}、{n} 組: {measure} {score}",
    },
    "alone": {
        "en": "{name}: all pairs are of one person, so photographs were held out instead of people",
        "ja": "{name}: すべての組が同じ人の写真のため、人ではなく写真を評価用に取り分けました",
    },
    "across": {
        "en": "{name}: {n} pairs join photographs held out and photographs learnt from, so the scores do without them",
        "ja": "{name}: {n} 組は学習用の写真と評価用の写真にまたがるため、評価には使っていません",
    },
    "pair_weights": {
        "en": "weights: {folder}; use them with  omokage compare BEFORE AFTER --weights {folder}",
        "ja": "重み: {folder}。次のように使えます:  omokage compare BEFORE AFTER --weights {folder}",
    },
}

METHODS: Texts = {
    "trivial": {"en": "a constant answer", "ja": "定数予測"},
    "landmarks": {"en": "linear, on landmarks", "ja": "ランドマークの線形モデル"},
    "tuned": {"en": "fine-tuned", "ja": "ファインチューニング"},
    "chosen": {"en": "chosen", "ja": "選択"},
    "probe": {"en": "linear probe", "ja": "線形プローブ"},
}

# Why a picture or a pair was left out; words of a decoder stay.
_REASONS: Phrases = (
    ("no face was found", "顔が見つかりません"),
    ("no_face", "顔が見つかりません"),
    ("several_faces", "顔が複数あり、どれか決められません"),
    ("unreadable: {why}", "読み取れません: {why}"),
)

# What is being done, on a progress bar.
_STEPS: Phrases = (
    ("faces found", "顔を検出"),
    ("read", "写真を読み取り"),
    ("rendering heads", "頭部を描画"),
    ("{label}: folds", "{label}: 交差検証"),
    ("{label}: fine-tuning", "{label}: ファインチューニング"),
)

# What came of unlabelled pictures (`pipeline.adapt_unlabelled`).
_USED: Phrases = (
    ("{n} pictures with a face, {left} left out", "顔の写っている写真 {n} 枚、除外 {left} 枚"),
    ("{n} pictures with a face", "顔の写っている写真 {n} 枚"),
    (
        "passed  {name}: {before} before, {after} after (change {low} to {high})",
        "合格    {name}: 前 {before}、後 {after}(変化 {low}～{high})",
    ),
    (
        "FAILED  {name}: {before} before, {after} after (change {low} to {high})",
        "不合格  {name}: 前 {before}、後 {after}(変化 {low}～{high})",
    ),
    (
        "not accepted: the weights stay as they are, nothing was written",
        "採用しません。重みはそのままで、何も書き込んでいません",
    ),
    (
        "accepted: statistics moved by {share}, a student trained; weights: {folder}",
        "採用しました。統計量を {share} 移し、生徒モデルを学習しました。重み: {folder}",
    ),
    (
        "accepted: statistics moved by {share}; weights: {folder}",
        "採用しました。統計量を {share} 移しました。重み: {folder}",
    ),
)


def method_name(method: str, language: str) -> str:
    """How answers were learnt; the probes of the learning curve share one name."""
    return METHODS[method if method in METHODS else "probe"][language]


def reason_text(why: str, language: str) -> str:
    """Why something was left out, as a reader sees it."""
    return why if language == "en" else rephrased(why, _REASONS)


def step_text(step: str, language: str) -> str:
    """What is being done, as a reader sees it."""
    return step if language == "en" else rephrased(step, _STEPS, lambda _, label: thing_name(label, language))


def used_text(line: str, language: str) -> str:
    """A line about unlabelled pictures, as a reader sees it."""

    def part(name: str, value: str) -> str:
        return measure_name(value, language) if name == "name" else value

    return line if language == "en" else rephrased(line, _USED, part)
