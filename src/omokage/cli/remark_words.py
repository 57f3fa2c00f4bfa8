"""Japanese for what `metrics` remarks about labels and groups. A test holds that every such sentence has one."""

from __future__ import annotations

from omokage.report.rephrase import Phrases, rephrased

REMARKS: Phrases = (
    # of `metrics.labels`
    (
        "{n} of {all} label rows name files that are not in the table, the first {file}: each counts as a face that "
        "was not found",
        "ラベル {all} 行のうち {n} 行のファイルが表にありません(最初は {file})。"
        "いずれも見つからなかった顔として数えます",
    ),
    (
        "{n} of {all} label rows name files that may be several of the table, the first {file} ({one} or {other}): "
        "each counts as a face that was not found; write the folders that tell them apart",
        "ラベル {all} 行のうち {n} 行のファイルは、表の複数のファイルに当てはまります(最初は {file}、候補は {one} と "
        "{other})。いずれも見つからなかった顔として数えます。区別できるフォルダー名まで書いてください",
    ),
    (
        "{n} label rows repeat a file without points that tell its faces apart, the first {file}: each counts, and "
        "all are compared with the largest face",
        "ラベル {n} 行が、顔を区別する点なしに同じファイルを繰り返しています(最初は {file})。"
        "それぞれを数え、すべて最大の顔と比べます",
    ),
    (
        "column {column}: {n} of {all} labels are left out, as {words} is not understood (understood: {known})",
        "列 {column}: ラベル {all} 個のうち {n} 個を除きました。{words} は解釈できません(解釈できるもの: {known})",
    ),
    (
        "column {column}: all {n} labels say {word}; a yes/no answer is only measured where there are both kinds, so "
        "add pictures of the other",
        "列 {column}: ラベル {n} 個がすべて {word} です。有無の答えは両方があるときだけ測れるため、"
        "もう一方の写真を加えてください",
    ),
    (
        "column age_bin: no bin holds the years {years}: each such gap counts as one bin, however wide it is (the "
        "usual bins, 0-2, 3-9, 10-19 and so on to 70+, are counted whether labels name them or not)",
        "列 age_bin: {years} 歳を含む区分がありません。こうした隙間は幅にかかわらず 1 つの区分として数えます"
        "(通常の区分 0-2、3-9、10-19 から 70+ まではラベルになくても数えます)",
    ),
    (
        "label columns that nothing measures: {columns} (expressions are labelled in the column emotion)",
        "測る指標のないラベル列: {columns}(表情のラベルは列 emotion に書きます)",
    ),
    ("label columns that nothing measures: {columns}", "測る指標のないラベル列: {columns}"),
    (
        "{n} of {all} label rows leave the column {column} empty: they are in no group",
        "ラベル {all} 行のうち {n} 行は列 {column} が空で、どのグループにも入りません",
    ),
    # of `metrics.groups`
    (
        "no face was found in {groups}: only the found rate is compared there, all other values are guesses",
        "{groups} では顔が見つかりませんでした。比べるのは見つかった割合だけで、ほかの値はすべて推測です",
    ),
    (
        "fewer than {n} people (faces, where column person is not filled) are in {groups}: there is no interval, and "
        "no such group is called the worst",
        "{groups} は {n} 人未満です(列 person が空のときは顔の数)。区間は示さず、最も悪いグループの候補からも外します",
    ),
)

_PARTS: Phrases = (
    ("numbers", "数値"),
    ("spans of years such as 20-29 or 70+", "20-29 や 70+ のような年齢の範囲"),
    ("group {name}", "グループ {name}"),
    ("groups {names} and {n} more", "グループ {names} ほか {n} 件"),
    ("groups {names}", "グループ {names}"),
)


def remark_text(remark: str, language: str) -> str:
    """A remark as a reader sees it."""
    return remark if language == "en" else rephrased(remark, REMARKS, _part)


def _part(name: str, value: str) -> str:
    return rephrased(value, _PARTS) if name in ("known", "groups") else value
