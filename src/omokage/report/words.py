"""Every word of a report, in English and Japanese. A test holds that both have the same keys and name all that is
shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from omokage.language import LANGUAGES, Texts

TEXT: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Face report",
        "lead": "Estimates that a computer made from how faces look in these pictures. They describe "
        "pictures, not people.",
        "duty": "Never decide about a person by this page. Check it with the person and with a second source.",
        "overview": "Overview",
        "shown": "{shown} of {read} faces shown",
        "file": "Picture",
        "face": "Face",
        "frame": "Frame",
        "age": "Apparent age",
        "expression": "Expression",
        "gender": "Perceived gender",
        "pose": "Head pose",
        "gaze": "Gaze",
        "units": "Expression units",
        "action_units": "Action units",
        "attributes": "Visible attributes",
        "scalars": "Further measures",
        "classes": "Classes of your own",
        "quality": "Picture quality for this purpose",
        "found": "Sure that this is a face",
        "review": "Please look at this one yourself",
        "remark": "Remark",
        "fine": "no remark",
        "years": "years",
        "interval": "90 % interval",
        "curve": "How likely each age is",
        "female": "female",
        "male": "male",
        "yes": "yes",
        "no": "no",
        "unsure": "unsure",
        "yaw": "turned to the image's right",
        "pitch": "chin up",
        "roll": "tilted clockwise",
        "right": "to the image's right",
        "up": "upwards",
        "picture_of": "Face with its box, landmarks and head axes",
        "no_picture": "The picture was not kept.",
        "missing": "Not estimated.",
        "without": "Pictures without a result",
        "reason": "Reason",
        "meaning": "What the numbers mean",
        "result": "Result",
        "means": "Meaning",
        "not_for": "Not to be used for",
        "show_units": "Show the expression units of at least {least}",
        "units_at_rest": "No expression unit reaches {least}.",
        "about": "How this page was made",
        "to_top": "Back to the overview",
        "legend": "Box: brows to chin, ear to ear. Dots and lines: 68 landmarks, pale discs: their usual "
        "error. Axes: red to the head's side, green up, blue where the face looks.",
    },
    "ja": {
        "title": "顔レポート",
        "lead": "写真に写った顔の見た目から計算機が推定した値です。写真についての値であり、"
        "人そのものについての値ではありません。",
        "duty": "このページだけで人についての判断をしないでください。必ず本人と別の情報で確かめてください。",
        "overview": "一覧",
        "shown": "{read} 個の顔のうち {shown} 個を表示しています",
        "file": "写真",
        "face": "顔",
        "frame": "フレーム",
        "age": "見かけの年齢",
        "expression": "表情",
        "gender": "見た目の性別",
        "pose": "頭の向き",
        "gaze": "視線",
        "units": "表情の単位",
        "action_units": "アクションユニット",
        "attributes": "見た目の属性",
        "scalars": "その他の値",
        "classes": "独自の分類",
        "quality": "この目的での画質",
        "found": "顔である確かさ",
        "review": "人の目で確認してください",
        "remark": "備考",
        "fine": "特になし",
        "years": "歳",
        "interval": "90 % 区間",
        "curve": "年齢ごとの確からしさ",
        "female": "女性",
        "male": "男性",
        "yes": "あり",
        "no": "なし",
        "unsure": "不確か",
        "yaw": "画像の右向き",
        "pitch": "あごを上げる向き",
        "roll": "時計回りの傾き",
        "right": "画像の右",
        "up": "上",
        "picture_of": "枠・ランドマーク・頭の軸を描いた顔",
        "no_picture": "写真は保存されていません。",
        "missing": "推定していません。",
        "without": "結果のない写真",
        "reason": "理由",
        "meaning": "数値の意味",
        "result": "結果",
        "means": "意味",
        "not_for": "使ってはいけない目的",
        "show_units": "{least} 以上の表情の単位を表示",
        "units_at_rest": "{least} に達した表情の単位はありません。",
        "about": "このページの作り方",
        "to_top": "一覧へ戻る",
        "legend": "枠は眉からあご、耳から耳まで。点と線は 68 点のランドマーク、淡い円はその通常の誤差。"
        "軸は赤が頭の横、緑が上、青が顔の向き。",
    },
}

# (key of TEXT, meaning, what it must not be used for), in the order of the page.
MEANING: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        (
            "age",
            "How old the face looks. The 90 % interval should hold the apparent age of nine pictures "
            "in ten; a wide one says "
            "that the picture does not tell. The curve shows how likely each age is.",
            "Proof of age, access control, medical statements.",
        ),
        (
            "expression",
            "What the facial muscles show at this moment, as shares of seven words that add up to 100 %.",
            "What a person feels, intends or is like; judging staff, pupils or applicants.",
        ),
        (
            "action_units",
            "How strongly single muscle groups are moved, 0 (not) to 5 (as far as it goes), after "
            "the Facial Action Coding "
            "System. Computed from the expression units by a fixed table.",
            "Detecting lies, stress or illness.",
        ),
        (
            "units",
            "How far each of 52 small movements of the face goes, 0 (not) to 1 (as far as it goes). Left and right are "
            "the person's own.",
            "Detecting lies, stress or illness.",
        ),
        (
            "attributes",
            "The chance that something is visible, such as glasses. Between 30 and 70 % the answer counts as unsure.",
            "Religion, health, origin or anything else that merely goes along with looks.",
        ),
        (
            "gender",
            "What most people would say who see only this picture.",
            "A person's sex or gender identity, or how to address someone.",
        ),
        (
            "pose",
            "Where the head turns against the camera, in degrees. Zero is a resting head that looks "
            "straight at the camera.",
            "Measuring attention or diligence.",
        ),
        (
            "gaze",
            "Where the eyes look against the camera, in degrees. Zero looks straight at the camera.",
            "Measuring attention, interest or honesty.",
        ),
        (
            "scalars",
            "Measures on the scales of the drawn heads that the models learnt from, with their usual error.",
            "Health, weight or origin.",
        ),
        (
            "classes",
            "What the labels of those who use this installation taught it, as shares of their words that "
            "add up to 100 %.",
            "Anything that those labels were not collected for.",
        ),
        (
            "quality",
            "How well the picture shows one single face, 0 to 100 %. Below about half, do not trust the other numbers.",
            "Rating a person's looks.",
        ),
        (
            "review",
            "Why a person should look at this result before it is used: the face is unclear, the "
            "interval wide, or the crop poor.",
            "Sorting people out.",
        ),
    ),
    "ja": (
        (
            "age",
            "顔が何歳に見えるか。90 % 区間は、10 枚のうち 9 枚で見かけの年齢を含むはずの範囲です。"
            "広いときは写真からは分からない"
            "という意味です。曲線は年齢ごとの確からしさを示します。",
            "年齢の証明、入場の可否、医学的な判断。",
        ),
        (
            "expression",
            "その瞬間の顔の筋肉の動きを、7 つの言葉の割合(合計 100 %)で表したもの。",
            "気持ち、意図、人柄の判断。従業員・生徒・応募者の評価。",
        ),
        (
            "action_units",
            "筋肉の群れごとの動きの強さ。0(動きなし)から 5(最大)まで。"
            "顔面動作符号化システム(FACS)にならい、表情の単位から"
            "決まった表で計算します。",
            "うそ、ストレス、病気の検出。",
        ),
        (
            "units",
            "顔の 52 種類の小さな動きの大きさ。0(動きなし)から 1(最大)まで。左右は本人から見た左右です。",
            "うそ、ストレス、病気の検出。",
        ),
        (
            "attributes",
            "眼鏡などが写っている確率。30 % から 70 % の間は「不確か」とします。",
            "宗教、健康、出自など、見た目に伴うだけの事柄の推定。",
        ),
        (
            "gender",
            "この写真だけを見た人の多くが答えるであろう性別。",
            "本人の性別や性自認、呼び方の決定。",
        ),
        (
            "pose",
            "カメラに対する頭の向き(度)。0 は力を抜いてまっすぐカメラを見ている状態。",
            "注意力や勤勉さの測定。",
        ),
        (
            "gaze",
            "カメラに対する視線の向き(度)。0 はまっすぐカメラを見ている状態。",
            "注意力、関心、正直さの測定。",
        ),
        (
            "scalars",
            "学習に使った描画頭部の尺度での値と、その通常の誤差。",
            "健康、体重、出自の推定。",
        ),
        (
            "classes",
            "利用者自身のラベルで学習させた分類を、各語の割合(合計 100 %)で表したもの。",
            "ラベルを集めた目的以外のこと。",
        ),
        (
            "quality",
            "写真に 1 つの顔がどれだけよく写っているか(0～100 %)。半分を下回るときは他の値を信用しないでください。",
            "容姿の評価。",
        ),
        (
            "review",
            "使う前に人が見るべき理由。顔がはっきりしない、区間が広い、切り出しが悪い、など。",
            "人のふるい分け。",
        ),
    ),
}

# Names of what the schema carries: English is the name itself in words, Japanese stands here.
JAPANESE: Mapping[str, str] = {
    "neutral": "真顔",
    "happiness": "喜び",
    "sadness": "悲しみ",
    "surprise": "驚き",
    "fear": "恐れ",
    "disgust": "嫌悪",
    "anger": "怒り",
    "fatness": "ふくよかさ",
    "skin_tone": "肌の濃さ",
    "hair_length": "髪の長さ",
    "smiling": "ほほえみ",
    "mouth_slightly_open": "口が少し開いている",
    "face_mask": "マスク",
    "wearing_lipstick": "口紅",
    "beard": "あごひげ",
    "mustache": "口ひげ",
    "5_o_clock_shadow": "無精ひげ",
    "eyeglasses": "眼鏡",
    "sunglasses": "サングラス",
    "eyes_closed": "目を閉じている",
    "heavy_makeup": "濃い化粧",
    "occluded": "顔が隠れている",
    "wearing_hat": "帽子",
    "bald": "髪がない",
    "bangs": "前髪",
    "receding_hairline": "後退した生え際",
    "gray_hair": "白髪",
    "black_hair": "黒髪",
    "blond_hair": "金髪",
    "brown_hair": "茶髪",
}

# Action unit -> its name by the Facial Action Coding System, English and Japanese.
ACTION_UNIT_NAMES: Mapping[str, tuple[str, str]] = {
    "au01": ("inner brow raiser", "眉の内側を上げる"),
    "au02": ("outer brow raiser", "眉の外側を上げる"),
    "au04": ("brow lowerer", "眉を下げる"),
    "au05": ("upper lid raiser", "上まぶたを上げる"),
    "au06": ("cheek raiser", "頬を上げる"),
    "au07": ("lid tightener", "まぶたを緊張させる"),
    "au09": ("nose wrinkler", "鼻にしわを寄せる"),
    "au10": ("upper lip raiser", "上唇を上げる"),
    "au12": ("lip corner puller", "口角を引き上げる"),
    "au14": ("dimpler", "えくぼを作る"),
    "au15": ("lip corner depressor", "口角を下げる"),
    "au16": ("lower lip depressor", "下唇を下げる"),
    "au17": ("chin raiser", "おとがいを上げる"),
    "au18": ("lip pucker", "唇をすぼめる"),
    "au20": ("lip stretcher", "唇を横に引く"),
    "au22": ("lip funneler", "唇を突き出す"),
    "au24": ("lip pressor", "唇を押しつける"),
    "au26": ("jaw drop", "あごを下げる"),
    "au28": ("lip suck", "唇を吸い込む"),
    "au43": ("eyes closed", "目を閉じる"),
}

# What each network of a run does, for how a page was made.
MODELS: Texts = {
    "attributes": {"en": "Attributes", "ja": "属性の推定"},
    "finder": {"en": "Face finder", "ja": "顔の検出"},
    "check": {"en": "Check of found faces", "ja": "検出した顔の確認"},
    "comparison": {"en": "Comparison", "ja": "変化の推定"},
    "verification": {"en": "Same person or not", "ja": "同一人物かどうかの判定"},
}

# Phrases of the remarks that the pipeline writes in English: status of a picture and reasons for review.
REMARKS: Mapping[str, str] = {
    "low confidence": "確信度が低い",
    "poor crop": "切り出しが悪い",
    "quality": "画質",
    "small face": "顔が小さい",
    "wide age interval": "年齢の区間が広い",
    "years": "年",
    "extreme pose": "極端な向き",
    "yaw": "左右",
    "pitch": "上下",
    "roll": "傾き",
    "many faces": "顔が多い",
    "no_face": "顔が見つかりません",
    "unreadable": "読み取れません",
}


_STATUS_NOTE = re.compile(r"first of (\d+) frames")


def remark(text: str, language: str) -> str:
    """A status or a reason for review as a reader sees it; what is not in `REMARKS` stays as it is, and so do the
    words of a decoder behind ``unreadable: ``."""
    if language != "ja":
        return text.replace("no_face", "no face found")
    status, sign, why = text.partition("unreadable: ")
    if sign and not status:
        return f"{REMARKS['unreadable']}: {why}"
    for english, japanese in REMARKS.items():
        text = text.replace(english, japanese)
    return _STATUS_NOTE.sub(r"\1 フレーム中の最初の 1 枚", text)


def name_of(key: str, language: str) -> str:
    """A schema name (attribute, expression or action unit) as a reader sees it."""
    if key in ACTION_UNIT_NAMES:
        return f"{key.upper()} {ACTION_UNIT_NAMES[key][LANGUAGES.index(language)]}"
    plain = key.replace("5_o_clock", "5 o'clock").replace("_", " ")
    return JAPANESE.get(key, plain) if language == "ja" else plain
