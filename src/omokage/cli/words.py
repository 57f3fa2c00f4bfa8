"""What commands say about their work and its files, in English and Japanese: one text for each line, head or prompt."""

from __future__ import annotations

from omokage.language import Texts, text

WORDS: Texts = {
    # of any table of faces
    "stopped_early": {"en": "stopped before anything was read", "ja": "何も読まないうちに中断しました"},
    "stopped": {
        "en": "stopped; what was done is kept in {out}: run the same command with --resume to go on",
        "ja": "中断しました。済んだ分は {out} にあり、同じコマンドに --resume を付けると続きから再開します",
    },
    "complete": {
        "en": "{out} is complete already: nothing to do",
        "ja": "{out} はすでに完成しています。することはありません",
    },
    "counts": {
        "en": "{frames} pictures or frames, {faces} faces: {out}",
        "ja": "写真・フレーム {frames} 枚、顔 {faces} 件: {out}",
    },
    "without_face": {"en": "; {n} without a face", "ja": "、顔なし {n} 枚"},
    "to_look_at": {"en": "; {n} faces to look at (needs_review)", "ja": "、要確認の顔 {n} 件(needs_review)"},
    "unreadable": {
        "en": "{n} unreadable, the first: {why}",
        "ja": "読み取れなかったもの {n} 件(最初は {why})",
    },
    "passed_videos": {"en": "{n} videos were passed over", "ja": "動画 {n} 件を読み飛ばしました"},
    "and_passed_videos": {"en": "; {n} videos were passed over", "ja": "(動画 {n} 件は読み飛ばしました)"},
    "passed_no_videos": {
        "en": "passed over {n} files that are no videos",
        "ja": "動画でないファイル {n} 件を読み飛ばしました",
    },
    # on progress bars: behind a number
    "done_read": {"en": "read", "ja": "件を読み取り"},
    "done_explained": {"en": "explained", "ja": "件の根拠を計算"},
    "done_compared": {"en": "compared", "ja": "組を比較"},
    "done_annotated": {"en": "annotated", "ja": "枚に注釈付け"},
    "done_rendered": {"en": "rendered", "ja": "件を描画"},
    "done_placed": {"en": "pictures placed", "ja": "枚の顔の位置を決定"},
    "done_videos": {"en": "videos", "ja": "本の動画を処理"},
    "speed": {"en": "{n} read, {rate:.0f}/s", "ja": "{n} 件を読み取り、毎秒 {rate:.0f} 件"},
    "frames": {"en": "{n} frames", "ja": "フレーム {n} 枚"},
    # analyze
    "report_stays": {
        "en": "{report} stays as it is: a report shows the faces of one whole run, and {out} holds some of an earlier "
        "one; leave --resume away to analyse everything again",
        "ja": "{report} はそのままにします。レポートは 1 回の実行全体の顔を示すもので、{out} には以前の実行の分が"
        "含まれるためです。すべて分析し直すには --resume を外してください",
    },
    "report_unwritten": {
        "en": "{report} is not written: a report shows the faces of one whole run, and {out} holds some of an earlier "
        "one; leave --resume away to analyse everything again",
        "ja": "{report} は書き出しません。レポートは 1 回の実行全体の顔を示すもので、{out} には以前の実行の分が"
        "含まれるためです。すべて分析し直すには --resume を外してください",
    },
    "annotated": {
        "en": "annotated video of {n} frames: {out}",
        "ja": "描き込みをした動画(フレーム {n} 枚): {out}",
    },
    "annotated_none": {
        "en": "no annotated video: no frame could be read, {out} is not written",
        "ja": "読み取れたフレームがないため、描き込みをした動画 {out} は書き出していません",
    },
    "annotated_older": {
        "en": "no annotated video: no frame could be read; the {out} that is there is an older one",
        "ja": "読み取れたフレームがないため、描き込みをした動画は書き出していません。今ある {out} は以前のものです",
    },
    "report": {"en": "report of {n} faces: {out}", "ja": "顔 {n} 件のレポート: {out}"},
    "report_part": {
        "en": "report of {n} faces ({left} more are left out): {out}",
        "ja": "顔 {n} 件のレポート(ほか {left} 件は省略): {out}",
    },
    "cases": {
        "en": "{n} faces or files that a person should look at: {out}",
        "ja": "人の目で確認すべき顔・ファイル {n} 件: {out}",
    },
    # compare
    "pairs": {"en": "{n} pairs ({counts}): {out}", "ja": "写真の組 {n} 件({counts}): {out}"},
    "change_card": {"en": "change card: {out}", "ja": "変化のレポート: {out}"},
    "timeline": {"en": "timeline: {out}", "ja": "時系列のレポート: {out}"},
    # ask
    "answers": {"en": "{n} answers ({counts}): {out}", "ja": "回答 {n} 件({counts}): {out}"},
    # annotate
    "pictures": {"en": "{n} pictures ({counts}): {out}", "ja": "写真 {n} 枚({counts}): {out}"},
    "more": {"en": "  ... and {n} more", "ja": "  … ほか {n} 枚"},
    "unfitting": {
        "en": "{n} answers of the teacher fitted no field and made no claim",
        "ja": "教師モデルの回答のうち {n} 件はどの項目にも合わず、使いませんでした",
    },
    "for_people": {"en": "to be looked at by people: {out}", "ja": "人が確認するための表: {out}"},
    "applied": {
        "en": "{verdicts} verdicts applied to {n} pictures: {out}",
        "ja": "判定 {verdicts} 件を写真 {n} 枚に反映しました: {out}",
    },
    # tracks
    "tracks_stopped": {
        "en": "stopped: the same command with --resume goes on in {out}",
        "ja": "中断しました。同じコマンドに --resume を付けると {out} で続きから再開します",
    },
    "tracks_crops": {"en": "{kept} crops in {n} tracks: {out}", "ja": "切り出し {kept} 枚、トラック {n} 本: {out}"},
    "tracks_more": {
        "en": "; {n} more videos are listed in {file}",
        "ja": "(ほか {n} 本の動画は {file} に載っています)",
    },
    "video": {"en": "video", "ja": "動画"},
    "status": {"en": "status", "ja": "状態"},
    "seconds": {"en": "seconds", "ja": "秒数"},
    "faces": {"en": "faces", "ja": "顔"},
    "tracks": {"en": "tracks", "ja": "トラック"},
    "kept": {"en": "kept", "ja": "採用"},
    "dropped": {"en": "dropped", "ja": "除外"},
    "dropped_tiny": {"en": "{n} tiny", "ja": "小さい顔 {n}"},
    "dropped_blurred": {"en": "{n} blurred", "ja": "ぼけた顔 {n}"},
    "dropped_short": {"en": "{n} in short tracks", "ja": "短いトラック内 {n}"},
    # records, render, train
    "records": {"en": "{n} records: {out}. Terms: {terms}", "ja": "レコード {n} 件: {out}。利用条件: {terms}"},
    "records_without": {
        "en": "left out, no face found: {n} ({named}, ...)",
        "ja": "顔が見つからず除外した写真 {n} 枚({named}, …)",
    },
    "rendered": {"en": "{n} records: {out} (look at {sheet})", "ja": "レコード {n} 件: {out}(見本は {sheet})"},
    "trained": {"en": "done: {result}", "ja": "完了: {result}"},
    # embed, search, purpose
    "likeness": {"en": "likeness", "ja": "類似度"},
    "source": {"en": "source", "ja": "ファイル"},
    "frame": {"en": "frame", "ja": "フレーム"},
    "face": {"en": "face", "ja": "顔"},
    "of_frame": {"en": ", frame {n}", "ja": "、フレーム {n}"},
    "grid_title": {"en": "Faces in the same state", "ja": "同じ状態の顔"},
    "grid_lead": {
        "en": "Pictures of other people in a like pose and expression.",
        "ja": "頭の向きと表情が似ている、ほかの人の写真です。",
    },
    "grid_gallery": {"en": "Gallery", "ja": "ギャラリー"},
    "grid_faces": {"en": "{gallery}, {n} faces", "ja": "{gallery}、顔 {n} 件"},
    "grid_encoder": {"en": "Encoder", "ja": "エンコーダー"},
    "grid_purpose": {"en": "Purpose", "ja": "目的"},
    "grid_entry": {"en": "Entry of the purpose log", "ja": "目的の記録の項目"},
    "grid_entry_is": {"en": "{n}, {hash}", "ja": "{n} 番、{hash}"},
    "grid_when": {"en": "When", "ja": "日時"},
    "grid": {"en": "grid of {n} faces: {out}", "ja": "顔 {n} 件の一覧: {out}"},
    "grid_blank": {
        "en": "{blank} of {n} pictures could not be read and are blank, the first: {first}; search from the folder in "
        "which the gallery was made, or put the pictures back",
        "ja": "写真 {n} 枚のうち {blank} 枚は読み取れず、空白です(最初は {first})。ギャラリーを作ったフォルダーで"
        "検索するか、写真を元の場所に戻してください",
    },
    "entry": {
        "en": "entry {n} of the purpose log, {hash}",
        "ja": "目的の記録に項目 {n} を追加しました(ハッシュ {hash})",
    },
    "log_sound": {"en": "{n} entries, the last {hash}", "ja": "項目 {n} 件、最後のハッシュ {hash}"},
    "log_broken": {"en": "BROKEN: {problem}", "ja": "異常: {problem}"},
    "when": {"en": "when", "ja": "日時"},
    "who": {"en": "who", "ja": "利用者"},
    "action": {"en": "action", "ja": "操作"},
    "gallery": {"en": "gallery", "ja": "ギャラリー"},
    "asked": {"en": "asked", "ja": "入力"},
    "purpose": {"en": "purpose", "ja": "目的"},
}


def line(key: str, lang: str, **parts: object) -> str:
    """One of `WORDS` in a language. Raises KeyError for an unknown one."""
    return text(WORDS, key, lang, **parts)
