"""The explanation card: heat map, regions with bars, "hide this region" with recomputed answers, and the grade.

No script: the choice is made of radio buttons and style rules, so the page keeps the report's promise to load nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.explain.regions import shown
from omokage.language import check_language
from omokage.media.files import whole_file
from omokage.report.drawing import data_uri
from omokage.report.explain_words import bare_unit, explained, region_name, target_name
from omokage.report.shell import END, fact_rows, head, made_by, plain
from omokage.report.words import TEXT
from omokage.results import Faithfulness, RegionEvidence, RelevanceMap

_SIDE = 336  # pixels of a shown crop
OWN_CSS = """
.hide input{position:absolute;opacity:0}.hide label{display:inline-block;padding:.1rem .55rem;margin:.12rem .1rem;
border:1px solid var(--line);border-radius:1rem;font-size:.85rem;cursor:pointer}
.hide input:checked+label{background:var(--accent);color:var(--paper);border-color:var(--accent)}
.hide input:focus-visible+label{outline:3px solid var(--accent);outline-offset:2px}
.hide figure{display:none;margin:.6rem 0}.hide figure img{width:100%;max-width:21rem;border-radius:8px;display:block}
.explanation>*{min-width:0}.regions{display:block;overflow-x:auto}
.regions td,.regions th{border-bottom:1px solid var(--line);padding:.25rem .6rem .25rem 0;
font-variant-numeric:tabular-nums}
.regions .against i{background:#c2571a}
.grade{font-size:1.45rem;font-weight:600;border:2px solid var(--accent);border-radius:8px;padding:0 .6rem}
""".strip()

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Why this answer",
        "lead": "What the network looked at for one answer, and whether that can be believed. It explains the "
        "program, not the person.",
        "answer": "Answer on this crop",
        "full": "Answer of all looks together",
        "score": "Explained number",
        "map": "heat map",
        "as_is": "as it is",
        "hide": "Hide a region: the answer is computed again",
        "without": "without",
        "before": "before",
        "as_before": "as before:",
        "support": "Share of the red",
        "legend": "Red speaks for the target, blue against it.",
        "region": "Region",
        "share": "Share of relevance",
        "effect": "Hiding it takes away ({unit})",
        "then": "Answer then ({unit})",
        "range": "In brackets: lowest and highest over small shifts of the crop.",
        "fills": "by fill (the first one counts)",
        "grade": "Grade",
        "check": "Check",
        "value": "Value",
        "passed": "passed",
        "failed": "failed",
        "warning": "Please note",
        "method": "Method",
    },
    "ja": {
        "title": "この答えの根拠",
        "lead": "一つの答えのためにネットワークが見た場所と、それを信じてよいかどうか。"
        "説明するのはプログラムであり、人ではありません。",
        "answer": "この切り出しでの答え",
        "full": "すべての見方を合わせた答え",
        "score": "説明する値",
        "map": "熱マップ",
        "as_is": "そのまま",
        "hide": "領域を隠すと、答えを計算し直します",
        "without": "隠した領域:",
        "before": "前の写真",
        "as_before": "前のままにした領域:",
        "support": "赤の割合",
        "legend": "赤は対象を支持し、青は反対します。",
        "region": "領域",
        "share": "関連度の割合",
        "effect": "隠すと減る量({unit})",
        "then": "そのときの答え({unit})",
        "range": "括弧内は、切り出しを少しずらしたときの最小と最大。",
        "fills": "塗り方ごと(最初のものが判定に使われる)",
        "grade": "評価",
        "check": "検査",
        "value": "値",
        "passed": "合格",
        "failed": "不合格",
        "warning": "ご注意",
        "method": "方法",
    },
}


def write_explanations(
    path: Path,
    found: Sequence[RelevanceMap],
    language: str = "en",
    about: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Write one self-contained page with a card for each explanation, whole or not at all. `names` say of which
    picture each is.

    Raises InputError for an unknown language and OutputError when the page cannot be written.
    """
    check_language(language)
    words = WORDS[language]
    with whole_file(path) as file:
        file.write(
            f"{head(words['title'], language, OWN_CSS)}"
            f'<header><h1>{words["title"]}</h1><p class="duty">{words["lead"]}</p></header><main>'
        )
        for number, one in enumerate(found):
            name = names[number] if number < len(names) else ""
            file.write(f'<article class="explanation">{explanation_card(one, language, str(number), name)}</article>')
        rows = fact_rows(made_by(about or {}, language).items())
        file.write(f"<section><h2>{TEXT[language]['about']}</h2><table>{rows}</table></section>{END}")


def explanation_card(found: RelevanceMap, language: str = "en", mark: str = "0", name: str = "") -> str:
    """One explanation as the inside of an `<article>`; it needs the report's style sheet and `OWN_CSS`. `mark` keeps
    the buttons of several cards apart, `name` says which picture it is."""
    words = WORDS[language]
    unit = explained(found.answer_unit, language)
    full = () if found.full_answer is None else ((words["full"], f"{found.full_answer:.3g} {unit}"),)
    facts = (
        *full,
        (words["answer"], f"{found.answer:.3g} {unit}"),
        (words["score"], f"{found.score:.3g} {explained(found.score_unit, language)}"),
        (words["method"], explained(found.method, language)),
    )
    table = fact_rows(facts)
    notes = "".join(
        f'<p class="review">{words["warning"]}: {plain(explained(text, language))}</p>' for text in found.warnings
    )
    notice = f'<p class="soft">{plain(explained(found.notice, language))}</p>' if found.notice else ""
    title = target_name(found.target, language)
    return (
        f"<h2>{plain(title)}{f' · {plain(name)}' if name else ''}</h2>"
        f"<div>{_choice(found, words, language, mark)}</div>"
        f"<div>{notes}<table>{table}</table>{_regions(found, words, language)}</div>"
        f'<div class="wide">{_checks(found.faithfulness, words, language)}{notice}</div>'
    )


def heat_map(found: RelevanceMap) -> NDArray[np.uint8]:
    """The relevance over the grey crop, RGB uint8 (n, n, 3): red speaks for the target, blue against it."""
    return overlay(found.crop.image, found.relevance)


def overlay(image: NDArray[np.uint8], relevance: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The same for a crop (n, n, 3) and a map (n, n). The strongest hundredth of the map is all drawn in full."""
    smooth = shown(relevance)
    top = float(np.quantile(np.abs(smooth), 0.99)) or 1.0
    strength = np.clip(smooth / top, -1, 1)[..., None]
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2).astype(np.float32) * 0.75 + 40
    colour = np.where(strength > 0, np.array([222.0, 45, 38]), np.array([33.0, 102, 220]))
    mixed = grey + (colour - grey) * np.abs(strength) * 0.85
    return np.asarray(np.clip(np.round(mixed), 0, 255), np.uint8)


def _choice(found: RelevanceMap, words: Mapping[str, str], language: str, card: str) -> str:
    """Buttons and pictures: the heat map, the crop, the crop without each region, of a change also the earlier one."""
    views = [(words["map"], heat_map(found), words["legend"])]
    unit = explained(found.answer_unit, language)
    views.append((words["as_is"], found.crop.image, f"{found.answer:.3g} {unit}"))
    if found.before is not None:
        views.append((words["before"], found.before.image, words["before"]))
    for region in found.regions:
        if region.hidden is not None:
            name = region_name(region.name, language)
            lead = words["without" if found.before is None else "as_before"]
            text = f"{lead} {name}: {region.answer_hidden:.3g} {unit}"
            views.append((name, region.hidden, text))
    buttons, figures, rules = [], [], []
    for k, (name, image, text) in enumerate(views):
        mark = f"x{card}-{k}"
        checked = " checked" if k == 0 else ""
        buttons.append(f'<input type="radio" name="x{card}" id="{mark}"{checked}><label for="{mark}">{name}</label>')
        large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
        uri = data_uri(large, _SIDE)
        figures.append(
            f'<figure class="{mark}"><img alt="{plain(text)}" src="{uri}">'
            f"<figcaption>{plain(text)}</figcaption></figure>"
        )
        rules.append(f"#{mark}:checked~.{mark}{{display:block}}")
    return (
        f"<style>{''.join(rules)}</style><h3>{words['hide']}</h3>"
        f'<div class="hide" role="radiogroup" aria-label="{words["hide"]}">{"".join(buttons)}{"".join(figures)}</div>'
    )


def _regions(found: RelevanceMap, words: Mapping[str, str], language: str) -> str:
    units = {"effect": bare_unit(found.score_unit, language), "then": bare_unit(found.answer_unit, language)}
    keys = ("region", "share", "support", "effect", "then")
    heads = "".join(f'<th scope="col">{plain(words[k].format(unit=units.get(k)))}</th>' for k in keys)
    rows = "".join(_region(region, found, words, language) for region in found.regions)
    return (
        f'<table class="regions"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="soft">{words["range"]}</p>'
    )


def _region(region: RegionEvidence, found: RelevanceMap, words: Mapping[str, str], language: str) -> str:
    widest = max((abs(r.effect) for r in found.regions), default=1.0) or 1.0
    kind = " against" if region.effect < 0 else ""
    width = f"--w:{100 * abs(region.effect) / widest:.0f}%"
    bar = f'<span class="bar{kind}" aria-hidden="true"><i style="{width}"></i></span>'
    fills = ", ".join(f"{explained(fill, language)} {value:+z.2f}" for fill, value in region.effect_by_fill.items())
    fills = plain(f"{words['fills']}: {fills}")
    cells = (
        f"{100 * region.support:.0f} %",
        f"{100 * region.relevance:+z.0f} % ({100 * region.relevance_low:+z.0f} … {100 * region.relevance_high:+z.0f})",
        f"{region.effect:+z.2f} ({region.effect_low:+z.2f} … {region.effect_high:+z.2f})",
        f"{region.answer_hidden:.3g}",
    )
    return (
        f'<tr><th scope="row">{region_name(region.name, language)}{bar}</th><td>{cells[1]}</td>'
        f'<td>{cells[0]}</td><td title="{fills}">{cells[2]}</td><td>{cells[3]}</td></tr>'
    )


def _checks(found: Faithfulness, words: Mapping[str, str], language: str) -> str:
    values = {
        "flipping beats every random order": f"{found.flipping:.2f} / {max(found.flipping_random, default=0.0):.2f}",
        "flipping beats the edges": f"{found.flipping:.2f} / {found.flipping_edges:.2f}",
        f"regions rank as by {found.agreement_with}": f"{found.agreement:.2f}",
        "random weights give another map": f"{found.randomised:.2f}",
    }
    if found.conservation is not None:
        values["relevance sums to the answer"] = f"{found.conservation:.4g}"
    rows = "".join(
        f'<tr><th scope="row">{plain(explained(name, language))}</th><td>{values.get(name, "")}</td>'
        f"<td>{words['passed' if passed else 'failed']}</td></tr>"
        for name, passed in found.checks.items()
    )
    heads = f'<th scope="col">{words["check"]}</th><th scope="col">{words["value"]}</th><th></th>'
    meaning = plain(explained(found.meaning, language))
    return (
        f'<h3>{words["grade"]}</h3><p><span class="grade">{found.grade}</span> {meaning}</p>'
        f'<table class="regions"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )
