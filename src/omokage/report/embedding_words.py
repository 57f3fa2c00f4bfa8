"""The words of pages about codes, in English and Japanese."""

from __future__ import annotations

from omokage.language import Texts
from omokage.report.score_words import HEADS

TEXT: Texts = {
    **HEADS,
    "about": {"en": "How this page was made", "ja": "このページの作り方"},
    "unread": {"en": "the picture could not be read", "ja": "写真を読み取れませんでした"},
    # what probes read
    "probes": {"en": "What linear probes read off the codes", "ja": "線形プローブが埋め込みから読み取れるもの"},
    "probes_how": {
        "en": "The encoder stays as it is; one linear layer on its codes is fitted to a few labels and judged on "
        "people whom it has not seen. Dashed: what a constant answer gets. Bands are 95 % intervals, bootstrapped over "
        "people.",
        "ja": "エンコーダーは変えません。埋め込みに載せた 1 層の線形層を少数のラベルで学習し、学習に使っていない人で"
        "評価します。破線は定数予測の値です。帯は人を単位にしたブートストラップによる 95 % 区間です。",
    },
    "higher": {"en": "higher is better", "ja": "大きいほど良い"},
    "lower": {"en": "lower is better", "ja": "小さいほど良い"},
    "plot_title": {"en": "{task}, {measure}", "ja": "{task}、{measure}"},
    "plot_up": {"en": "{task}: {measure} ({better})", "ja": "{task}: {measure}、{better}"},
    "task": {"en": "task", "ja": "タスク"},
    "encoder": {"en": "encoder", "ja": "エンコーダー"},
    "labels": {"en": "labels", "ja": "ラベル数"},
    "pictures": {"en": "pictures", "ja": "写真数"},
    # answers of a search
    "answers": {"en": "Answers", "ja": "検索結果"},
    "answers_how": {
        "en": "Faces whose pose and expression are most like the query's, {many} of each picture or video and "
        "none of the query's own. The likeness is of the picture's state, not of the person; codes carry traces of "
        "identity all the same.",
        "ja": "頭の向きと表情が検索元に最も近い顔です。{many}、検索元の写真は除きます。"
        "似ているのは写真の状態であり、人物ではありません。それでも埋め込みには人物の手がかりが残ります。",
    },
    "any_of_each": {"en": "any number", "ja": "写真や動画ごとの数に上限はなく"},
    "one_of_each": {"en": "at most one", "ja": "写真や動画ごとに最大 1 つで"},
    "some_of_each": {"en": "at most {n}", "ja": "写真や動画ごとに最大 {n} つで"},
    "query": {"en": "Query", "ja": "検索元"},
    "alike": {"en": "Most alike first", "ja": "似ている順"},
    # what is left of a person
    "identity": {"en": "What the codes keep of a person", "ja": "埋め込みに残る人物の情報"},
    "identity_how": {
        "en": "How often one linear layer, fitted to half of each person's pictures, names the right person on the "
        "other half. Codes that name people are personal data. Projections were fitted to other people than these.",
        "ja": "各人の写真の半分で学習した 1 層の線形層が、残り半分で本人を言い当てる割合です。"
        "人を言い当てられる埋め込みは個人データです。射影はここにいる人とは別の人で学習しました。",
    },
    "named_by": {"en": "named right, by directions taken out", "ja": "取り除いた方向の数と、本人を言い当てた割合"},
    "directions": {"en": "directions taken out", "ja": "取り除いた方向の数"},
    "taken": {"en": "taken out", "ja": "取り除いた方向の数"},
    "named": {"en": "named right", "ja": "本人を言い当てた割合"},
    "chance": {"en": "chance", "ja": "偶然の水準"},
    "same": {"en": "same or different person (area)", "ja": "同一人物かどうか(AUC)"},
    "people": {"en": "people", "ja": "人数"},
    # what moves a code
    "changes": {"en": "What moves a code", "ja": "埋め込みを動かすもの"},
    "changes_how": {
        "en": "Rendered heads in which one thing is changed and all else stays, in shares of how far the code moves "
        "when everything changes.",
        "ja": "描画した頭部で 1 つだけを変え、ほかは変えません。値は、すべてを変えたときの埋め込みの移動量に対する割合"
        "です。",
    },
    "only": {"en": "only this changes", "ja": "変えたもの"},
    "moves": {"en": "the code moves by", "ja": "埋め込みの移動量"},
    "scenes": {"en": "scenes", "ja": "場面数"},
    # one thing that grows
    "sweeps": {"en": "One thing at a time", "ja": "1 つずつ変える"},
    "sweeps_how": {"en": "The crops that the encoder saw.", "ja": "エンコーダーに入力した切り出し画像です。"},
    "straight": {
        "en": "{name}: {share} of the code's movement lies on one line",
        "ja": "{name}: 埋め込みの動きの {share} が 1 本の直線上にあります",
    },
}
