"""The parts of one face's card. Each function returns HTML for one kind of result, or nothing when it was not
estimated."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from omokage.report.change_words import name_of_factor
from omokage.report.drawing import age_svg
from omokage.report.shell import plain
from omokage.report.words import TEXT, name_of, remark
from omokage.results import Categorical, FaceAnalysis

UNSURE = (0.3, 0.7)  # between these a yes/no probability is called unsure
CLEAR = 0.5  # an expression whose likeliest class has less than this is called unsure
_SHOWN_UNITS = 0.02  # expression units below this are at rest


def heading(key: str, language: str) -> str:
    return f"<h3>{escape(TEXT[language][key])}</h3>"


def bars(rows: Iterable[tuple[str, float, str]]) -> str:
    """A table of name, bar (share 0..1 of its full length) and the value in words."""
    cells = (
        f'<tr><th scope="row">{plain(name)}</th><td><span class="bar" aria-hidden="true">'
        f'<i style="--w:{100 * min(max(share, 0.0), 1.0):.1f}%"></i></span></td>'
        f'<td class="value">{escape(value)}</td></tr>'
        for name, share, value in rows
    )
    return f'<table class="bars">{"".join(cells)}</table>'


def age(face: FaceAnalysis, language: str) -> str:
    if face.age is None:
        return ""
    words = TEXT[language]
    text = age_text(face, language)
    interval = f"{words['interval']}: {face.age.q05:.0f}–{face.age.q95:.0f} {words['years']}"
    curve = age_svg(face.age, f"{words['curve']}: {text}, {interval}")
    number = f'<p><span class="big">{escape(text)}</span> <span class="soft">{escape(interval)}</span></p>'
    return heading("age", language) + number + curve


def age_text(face: FaceAnalysis, language: str) -> str:
    return f"{face.age.years:.0f} {TEXT[language]['years']}" if face.age else "–"


def age_with_interval(face: FaceAnalysis, language: str) -> str:
    if face.age is None:
        return "–"
    return f"{age_text(face, language)} ({face.age.q05:.0f}–{face.age.q95:.0f})"


def expression(face: FaceAnalysis, language: str) -> str:
    if face.expression is None:
        return ""
    pairs = zip(face.expression.labels, face.expression.probabilities, strict=True)
    rows = [(name_of(label, language), p, f"{100 * p:.0f} %") for label, p in pairs]
    unsure = _unsure(language) if expression_unsure(face.expression) else ""
    return heading("expression", language) + unsure + bars(rows)


def expression_word(answer: Categorical, language: str) -> str:
    """The likeliest class, or that it is unsure: no class is named on weak evidence."""
    return TEXT[language]["unsure"] if expression_unsure(answer) else name_of(answer.top, language)


def expression_unsure(answer: Categorical) -> bool:
    """Whether even the likeliest class is too unlikely to be named."""
    return answer[answer.top] < CLEAR


def _unsure(language: str) -> str:
    return f'<p class="soft">{escape(TEXT[language]["unsure"])}</p>'


def action_units(face: FaceAnalysis, language: str) -> str:
    if not face.action_units:
        return ""
    rows = [(name_of(unit, language), value / 5, f"{value:.1f} / 5") for unit, value in face.action_units.items()]
    half = (len(rows) + 1) // 2
    return heading("action_units", language) + f'<div class="halves">{bars(rows[:half])}{bars(rows[half:])}</div>'


def units(face: FaceAnalysis, language: str) -> str:
    """Expression units, strongest first, folded away; the ones at rest are left out, as the line above them says."""
    if not face.units:
        return ""
    words, least = TEXT[language], f"{_SHOWN_UNITS:g}"
    moved = sorted((item for item in face.units.items() if item[1] >= _SHOWN_UNITS), key=lambda item: -item[1])
    if not moved:
        return f'<p class="soft">{escape(words["units_at_rest"].format(least=least))}</p>'
    inner = bars((name_of_factor(unit, language), value, f"{value:.2f}") for unit, value in moved)
    return f"<details><summary>{escape(words['show_units'].format(least=least))}</summary>{inner}</details>"


def attributes(face: FaceAnalysis, language: str) -> str:
    if not face.attributes:
        return ""
    ordered = sorted(face.attributes.items(), key=lambda item: -item[1])
    rows = [(name_of(name, language), p, f"{verdict(p, language)} · {100 * p:.0f} %") for name, p in ordered]
    return heading("attributes", language) + bars(rows)


def classes(face: FaceAnalysis, language: str) -> str:
    """The nominal answers that the user's own labels taught, each under its name."""
    if not face.classes:
        return ""
    found = [heading("classes", language)]
    for name, answer in face.classes.items():
        pairs = zip(answer.labels, answer.probabilities, strict=True)
        unsure = _unsure(language) if expression_unsure(answer) else ""
        rows = [(name_of(label, language), p, f"{100 * p:.0f} %") for label, p in pairs]
        found.append(f"<p>{plain(name_of(name, language))}</p>{unsure}{bars(rows)}")
    return "".join(found)


def verdict(probability: float, language: str) -> str:
    """Yes, no or unsure in words."""
    low, high = UNSURE
    return TEXT[language]["yes" if probability >= high else "no" if probability <= low else "unsure"]


def gender(face: FaceAnalysis, language: str) -> str:
    if face.gender_female is None:
        return ""
    words, p = TEXT[language], face.gender_female
    rows = [(words["female"], p, f"{100 * p:.0f} %"), (words["male"], 1 - p, f"{100 * (1 - p):.0f} %")]
    unsure = _unsure(language) if gender_unsure(p) else ""
    return heading("gender", language) + unsure + bars(rows)


def gender_unsure(female: float) -> bool:
    """Whether raters would disagree too much for one word."""
    return UNSURE[0] < female < UNSURE[1]


def pose(face: FaceAnalysis, language: str) -> str:
    if face.pose is None:
        return ""
    words = TEXT[language]
    angles = zip(
        ("yaw", "pitch", "roll"), (face.pose.yaw, face.pose.pitch, face.pose.roll), face.pose.sigma, strict=True
    )
    rows = [_row(words[name], _degrees(value, sigma)) for name, value, sigma in angles]
    if face.gaze is not None:
        names = (f"{words['gaze']} · {words[way]}" for way in ("right", "up"))
        rows += [_row(name, _degrees(s.value, s.sigma)) for name, s in zip(names, face.gaze, strict=True)]
    return heading("pose", language) + f"<table>{''.join(rows)}</table>"


def _degrees(value: float, sigma: float) -> str:
    return f"{value:+z.0f}°" + (f" ± {sigma:.0f}°" if sigma else "")


def _row(name: str, value: str) -> str:
    return f'<tr><th scope="row">{plain(name)}</th><td>{escape(value)}</td></tr>'


def scalars(face: FaceAnalysis, language: str) -> str:
    if not face.scalars:
        return ""
    rows = (_row(name_of(name, language), f"{s.value:z.2f} ± {s.sigma:.2f}") for name, s in face.scalars.items())
    return heading("scalars", language) + f"<table>{''.join(rows)}</table>"


def quality(face: FaceAnalysis, language: str) -> str:
    """Picture quality, the finder's score, and why a person should look."""
    words = TEXT[language]
    rows = [_row(words["found"], f"{100 * face.score:.0f} %")]
    if face.quality is not None:
        rows.insert(0, _row(words["quality"], f"{100 * face.quality:.0f} %"))
    warning = (
        f'<p class="review">{escape(words["review"])}: {plain(remark(face.needs_review, language))}</p>'
        if face.needs_review
        else ""
    )
    return f"{warning}<table>{''.join(rows)}</table>"
