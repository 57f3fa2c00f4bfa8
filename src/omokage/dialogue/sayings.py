"""Why there is no answer, in English and Japanese."""

from __future__ import annotations

from omokage.language import Texts, text

SAYINGS: Texts = {
    "no_face": {
        "en": "no face was found in the picture: try a larger or clearer one, or --crops",
        "ja": "写真に顔が見つかりません。大きく鮮明な写真を使うか、--crops を付けてください",
    },
    "several_faces": {
        "en": "{count} faces are in the picture, and it is unclear which one is meant: name one with --face 0 (the "
        "largest) to --face {last}",
        "ja": "写真に顔が {count} つあり、どれか分かりません。--face 0(最大)から --face {last} で指定してください",
    },
    "no_such_face": {
        "en": "there is no face {face}: the picture has {count}, counted from 0",
        "ja": "顔 {face} はありません。写真の顔は {count} つで、0 から数えます",
    },
    "low": {
        "en": "not sure: {best!r} is likeliest, with a probability of {p:.2f}",
        "ja": "確かではありません。最も近いのは {best!r}(確率 {p:.2f})です",
    },
    "disagreement": {
        "en": "not sure: the language model says {best!r} ({p:.2f}), the attributes network gives that {second:.2f}",
        "ja": "確かではありません。言語モデルは {best!r}({p:.2f})と答え、属性ネットワークは{second:.2f} とします",
    },
    "nothing_clear": {
        "en": "not sure: nothing that was asked for is clear",
        "ja": "確かではありません。尋ねられたことで明らかなものはありません",
    },
    "nothing_said": {
        "en": "not sure: nothing about this face is clear enough to be said",
        "ja": "確かではありません。この顔について言えるほど明らかなことはありません",
    },
    "english_only": {
        "en": "this model understands English only: ask in English, or name another model with --model",
        "ja": "このモデルが分かるのは英語だけです。英語で尋ねるか、--model で別のモデルを指定してください",
    },
    "untaught": {
        "en": "this model was not taught what the question asks for: ask about the hair, mouth, eyes, brows, "
        "expression, age, pose or what is worn, or name a larger vision-language model with --model "
        "(docs/how-to/ask.md)",
        "ja": "このモデルは質問の内容を学んでいません。髪、口、目、眉、表情、年齢、向き、身に着けている物について"
        "尋ねるか、--model で大きな視覚言語モデルを指定してください(docs/how-to/ask.md)",
    },
    "strange": {
        "en": "this model was never taught {words} in a question: ask for one visible thing in plain words, or name a "
        "larger vision-language model with --model (docs/how-to/ask.md)",
        "ja": "このモデルは質問の {words} を学んでいません。見えるものを一つだけ平易な言葉で尋ねるか、--model で大きな"
        "視覚言語モデルを指定してください(docs/how-to/ask.md)",
    },
    "strange_options": {
        "en": "this model was never taught {words} as an answer to such a question: give options among {known}, or "
        "name a larger vision-language model (docs/how-to/ask.md)",
        "ja": "このモデルはこの種の質問の答えとして {words} を学んでいません。選択肢を {known} から指定するか、大きな"
        "視覚言語モデルを指定してください(docs/how-to/ask.md)",
    },
    "same_options": {
        "en": "the options {words} mean the same to this model: give options that differ, among {known}",
        "ja": "選択肢 {words} はこのモデルには同じ意味です。{known} から意味の異なるものを指定してください",
    },
    "no_field": {
        "en": "the question names nothing that can be answered as data, or other things as well: ask about the hair, "
        "mouth, eyes, expression, age or what is worn, or give --option twice or more",
        "ja": "データとして答えられるものが質問にないか、ほかのものも尋ねています。髪、口、目、表情、年齢、"
        "身に着けている物について尋ねるか、--option を二つ以上付けてください",
    },
    "parse_failure": {
        "en": "the model's words do not fit the fields of the answer: ask a closed question, or give --option",
        "ja": "モデルの言葉が答えの項目に合いません。はい・いいえで答えられる質問にするか、--option を付けてください",
    },
}


def saying(key: str, lang: str = "en", **parts: object) -> str:
    """The sentence of a key. Raises KeyError for an unknown one."""
    return text(SAYINGS, key, lang, **parts)
