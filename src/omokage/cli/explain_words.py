"""What `omokage explain` prints and asks, in English and Japanese."""

from __future__ import annotations

from omokage.language import Texts, text

WORDS: Texts = {
    "about": {
        "en": "{name} · {target} = {answer} {unit}{full}   [{method}]",
        "ja": "{name} · {target} = {answer} {unit}{full}   [{method}]",
    },
    "full": {"en": " ({answer} by all looks together)", "ja": "、すべての見方を合わせると {answer}"},
    "region": {"en": "region", "ja": "領域"},
    "share": {"en": "share of relevance", "ja": "関連度の割合"},
    "effect": {"en": "hiding it takes away ({unit})", "ja": "隠すと減る量({unit})"},
    "then": {"en": "answer then", "ja": "そのときの答え"},
    "span": {"en": "({low} to {high})", "ja": "({low}～{high})"},
    "grade": {"en": "grade {grade}: {meaning}", "ja": "評価 {grade}: {meaning}"},
    "passed": {"en": "  passed  {check}", "ja": "  合格    {check}"},
    "failed": {"en": "  FAILED  {check}", "ja": "  不合格  {check}"},
    "note": {"en": "note: {note}", "ja": "ご注意: {note}"},
    "faces": {"en": "{n} faces explained: {out}", "ja": "顔 {n} 件の根拠: {out}"},
    "first": {"en": "the report shows the first {n} faces", "ja": "レポートに載せたのは最初の {n} 件です"},
    "report": {"en": "report: {out}", "ja": "レポート: {out}"},
    # with --rate
    "which": {
        "en": "Which map points at the reason for {target}? a, b, = (no difference), or q to stop.",
        "ja": "「{target}」の根拠をよりよく示しているのはどちらの熱マップですか。a、b、=(差なし)で答えてください。"
        "q で中断します。",
    },
    "choose": {"en": "a, b, = or q: ", "ja": "a、b、=、q のいずれかを入力してください: "},
    "left": {
        "en": "{left} of {n} pairs left: the same command goes on, and names the methods after the last",
        "ja": "{n} 組のうち {left} 組が残っています。同じコマンドで続けられ、すべて終わると方法の名前を示します",
    },
    "wins": {
        "en": "{name}: won {won}, lost {lost}, drawn {drawn}",
        "ja": "{name}: 勝ち {won}、負け {lost}、引き分け {drawn}",
    },
    "one_rater": {
        "en": "agreement between raters: needs a second rater (--rater NAME) on the same folder",
        "ja": "評定者間の一致: 同じフォルダーについて二人目の評定者(--rater 名前)の判定が必要です",
    },
    "agreement": {
        "en": "agreement between raters: {share} % of {n} pairs",
        "ja": "評定者間の一致: {n} 組のうち {share} %",
    },
    "kappa": {"en": ", kappa {kappa}", "ja": "、κ 係数 {kappa}"},
}


def line(key: str, lang: str, **parts: object) -> str:
    """One of `WORDS` in a language. Raises KeyError for an unknown one."""
    return text(WORDS, key, lang, **parts)
