"""What `omokage evaluate` prints beside the names of measures, in English and Japanese."""

from __future__ import annotations

from omokage.language import Texts
from omokage.report.score_words import HEADS

WORDS: Texts = {
    **HEADS,
    "group": {"en": "group", "ja": "グループ"},
    "faces": {"en": "labelled faces", "ja": "ラベル付きの顔"},
    "all": {"en": "all", "ja": "全体"},
    "no_answer": {"en": "no answer", "ja": "答えなし"},
    "no_interval": {"en": "none", "ja": "なし"},
    "worst_by": {"en": "the worst group by {column}", "ja": "{column} で分けたときの最も悪いグループ"},
    "mean": {"en": "mean over groups", "ja": "グループの平均"},
    "worst": {"en": "worst group", "ja": "最も悪いグループ"},
    # of embeddings
    "reading": {"en": "labelled pictures", "ja": "枚のラベル付き写真を読み込み"},  # behind a number, and so below
    "probing": {"en": "probes", "ja": "個のプローブを学習"},
    "rendering": {"en": "pairs of heads", "ja": "組の頭部を描画"},
    "cut_by_label": {
        "en": "in {n} of {all} pictures no face was found: cut by label",
        "ja": "写真 {all} 枚のうち {n} 枚で顔が見つからず、ラベルの位置で切り出しました",
    },
    "page_title": {"en": "What an encoder's codes carry", "ja": "エンコーダーの埋め込みが持つ情報"},
    "page_lead": {
        "en": "Linear probes on a frozen encoder.",
        "ja": "固定したエンコーダーに線形プローブを載せて調べました。",
    },
    "about_pictures": {"en": "Labelled pictures", "ja": "ラベル付きの写真"},
    "about_set": {"en": "{name}, {n} pictures of {people} people", "ja": "{name}、{people} 人の {n} 枚"},
    "about_encoders": {"en": "Encoders", "ja": "エンコーダー"},
    "page": {"en": "page: {path}", "ja": "ページ: {path}"},
    # of questions
    "asking": {"en": "asked", "ja": "問を質問"},
    "asked": {"en": "all that were asked", "ja": "尋ねた質問の全体"},
    "answered": {
        "en": "{name}: accuracy {accuracy}, calibration error {error}, n = {n}",
        "ja": "{name}: 正解率 {accuracy}、較正誤差 {error}、n = {n}",
    },
    "not_asked": {
        "en": "not asked: {left}; left out as trained on: {n}",
        "ja": "尋ねなかった質問: {left}。学習に使われた写真のため除いた質問: {n}",
    },
    "skipped": {"en": "{n} {why}", "ja": "{why} {n}"},
    "join": {"en": ", ", "ja": "、"},
    "none": {"en": "none", "ja": "なし"},
    "over_all": {
        "en": "accuracy over all questions, those not asked being wrong: {accuracy}",
        "ja": "全質問での正解率(尋ねなかった質問は誤りとして数える): {accuracy}",
    },
}

# Why a question was not asked (`dialogue.published.Skipped`).
SKIPPED: Texts = {
    "refused": {"en": "refused", "ja": "回答を断る質問"},
    "several pictures": {"en": "several pictures", "ja": "複数の写真を使う質問"},
    "open": {"en": "open", "ja": "選択肢のない質問"},
    "several answers": {"en": "several answers", "ja": "正解が複数の質問"},
}
