"""The words of a checkup, in English and Japanese; names of packages are their own."""

from __future__ import annotations

from omokage.language import Texts

NAMES: Texts = {
    "cores": {"en": "cores", "ja": "コア"},
    "cpu": {"en": "cpu", "ja": "CPU"},
    "gpu": {"en": "gpu", "ja": "GPU"},
    "extra": {"en": "extra {extra}", "ja": "追加機能 {extra}"},
    "weights": {"en": "weights", "ja": "重み"},
    "weights_of": {"en": "weights {model}", "ja": "重み {model}"},
    "self_test": {"en": "self-test", "ja": "動作確認"},
}

TEXTS: Texts = {
    "python": {"en": "{version} on {system}", "ja": "{version}({system})"},
    "cores": {"en": "{usable} usable of {all}", "ja": "{all} 個のうち {usable} 個を使えます"},
    "no_flags": {"en": "flags unknown", "ja": "命令セットは不明です"},
    "missing": {
        "en": "missing {modules}: pip install 'omokage[{extra}]'",
        "ja": "{modules} がありません。使うには: pip install 'omokage[{extra}]'",
    },
    "installed": {"en": "installed", "ja": "インストール済み"},
    "not_installed": {"en": "not installed", "ja": "インストールされていません"},
    "no_torch": {
        "en": "cannot be loaded ({error}): reinstall it",
        "ja": "読み込めません({error})。入れ直してください",
    },
    "torch": {"en": "{version}, {threads} threads", "ja": "{version}、{threads} スレッド"},
    "gpu": {"en": "{name}, {memory} GiB", "ja": "{name}、{memory} GiB"},
    "no_gpu": {
        "en": "none that PyTorch can use; the CPU is used",
        "ja": "PyTorch で使えるものがないため、CPU を使います",
    },
    "no_weights": {
        "en": "none are installed: reinstall omokage, or train some and give --weights FOLDER",
        "ja": "インストールされていません。omokage を入れ直すか、学習して --weights FOLDER で指定してください",
    },
    "good_weights": {"en": "as its card says", "ja": "カードの記載どおりです"},
    "bad_weights": {
        "en": "the file is damaged: reinstall omokage",
        "ja": "ファイルが破損しています。omokage を入れ直してください",
    },
    "found": {"en": "a rendered head was found", "ja": "描画した頭部を検出しました"},
    "found_off": {
        "en": "a rendered head was found; landmarks off by {off} % of the eye distance, yaw by {turned} degrees",
        "ja": "描画した頭部を検出しました。ランドマークのずれは両目の間隔の {off} %、ヨー角のずれは {turned} 度です",
    },
}
