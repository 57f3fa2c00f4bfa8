"""Answers as readable tables on a terminal, in English or Japanese."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from omokage.cli.console import console, say, title
from omokage.cli.words import line
from omokage.language import text as text_of
from omokage.media.journal import Counts
from omokage.media.table import Reading
from omokage.report.panels import UNSURE, expression_unsure, gender_unsure
from omokage.report.score_words import HEADS
from omokage.report.words import TEXT, name_of, remark
from omokage.results import Categorical, FaceAnalysis, Pose

# (towards plus, towards minus) of each angle
DIRECTIONS = {
    "en": {
        "yaw": ("turned to the image's right", "turned to the image's left"),
        "pitch": ("chin up", "chin down"),
        "roll": ("tilted clockwise", "tilted anticlockwise"),
        "right": ("to the image's right", "to the image's left"),
        "up": ("upwards", "downwards"),
        "others": ("{} others below {}", ""),
    },
    "ja": {
        "yaw": ("画像の右向き", "画像の左向き"),
        "pitch": ("あご上げ", "あご引き"),
        "roll": ("時計回りの傾き", "反時計回りの傾き"),
        "right": ("画像の右", "画像の左"),
        "up": ("上", "下"),
        "others": ("ほか {} 件は {} 未満", ""),
    },
}
# Names of the angles of a pose, of one width in cells
ANGLES = {
    "en": {"yaw": "yaw  ", "pitch": "pitch", "roll": "roll "},
    "ja": {"yaw": "左右", "pitch": "上下", "roll": "傾き"},
}
CARDS_UP_TO = 3  # faces that are shown in full; more become one line each
ATTRIBUTES_UNLIKELY = 0.1  # attributes below this are only counted
_BAR = 12


def print_readings(readings: Sequence[Reading], language: str) -> None:
    """Every face in full when they are few, else a line each; pictures without an answer with the reason."""
    place = console()
    faces = [face for reading in readings for face in reading.faces]
    if len(faces) <= CARDS_UP_TO:
        for face in faces:
            table = card(face, language)
            table.title = title(place, str(table.title))
            place.print(table)
    else:
        place.print(overview(faces, language))
    for reading in readings:
        said = reading.note if reading.faces else reading.status
        if said:
            said = remark(said, language) if language == "ja" else said  # English keeps the table's own words
            say(place, f"{where(reading.source, reading.frame)}: {said}")


def print_counts(out: Path, counts: Counts | None, stopped: bool, language: str = "en") -> None:
    """What an output file holds after a run."""
    place = console(stderr=True)
    if stopped and not out.is_file():
        say(place, line("stopped_early", language))
    elif stopped:
        say(place, line("stopped", language, out=out))
    elif counts is None:
        say(place, line("complete", language, out=out))
    else:
        text = line("counts", language, frames=counts.frames, faces=counts.faces, out=out)
        if counts.no_face:
            text += line("without_face", language, n=counts.no_face)
        if counts.review:
            text += line("to_look_at", language, n=counts.review)
        say(place, text)
        if counts.unreadable:
            say(place, line("unreadable", language, n=counts.unreadable, why=counts.first_problem))


def where(source: str, frame: int) -> str:
    return f"{source} #{frame}" if frame else source


def card(face: FaceAnalysis, language: str) -> Table:
    """One face in full: a line per task with its uncertainty."""
    words = TEXT[language]
    table = Table(
        show_header=False,
        title=f"{where(face.source, face.frame)} · {words['face']} {face.face + 1}",
        title_justify="left",
    )
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    across, down = (_span(*ends, language) for ends in ((face.box.x0, face.box.x1), (face.box.y0, face.box.y1)))
    table.add_row(words["found"], f"{face.score:.2f}   (x {across}, y {down} px)")
    for label, text in lines(face, language):
        table.add_row(label, text)
    if face.needs_review:
        table.add_row(words["review"], remark(face.needs_review, language))
    return table


def _span(low: float, high: float, language: str) -> str:
    return text_of(HEADS, "span", language, low=f"{low:z.0f}", high=f"{high:z.0f}")


def lines(face: FaceAnalysis, language: str) -> list[tuple[str, str]]:
    """(label, text) of every task that was estimated."""
    words = TEXT[language]
    found: list[tuple[str, str]] = []
    if face.age is not None:
        found.append((words["age"], f"{age(face)} {words['years']}   ({words['interval']})"))
    if face.gender_female is not None:
        found.append((words["gender"], gender(face, language)))
    if face.expression is not None:
        found.append((words["expression"], expression(face.expression, language)))
    if face.pose is not None:
        found.append((words["pose"], pose(face.pose, language)))
    if face.gaze is not None:
        shown = zip(("right", "up"), face.gaze, strict=True)
        text = ", ".join(
            f"{g.value:+z.0f}° ± {g.sigma:.0f} {direction(k, g.value, language)}".rstrip() for k, g in shown
        )
        found.append((words["gaze"], text))
    if face.landmarks is not None:
        spread = "" if face.landmark_sigma is None else f"± {float(face.landmark_sigma.mean()):.1f} px"
        found.append(("68 landmarks" if language == "en" else "68 点", spread))
    if face.attributes:
        found.append((words["attributes"], attributes(face, language, absent=True)))
    strong = [(n, v) for n, v in face.action_units.items() if v >= 1]
    if strong:
        found.append((words["action_units"], ", ".join(f"{n.upper()} {v:.1f}" for n, v in strong) + " / 5"))
    if face.scalars:
        each = (f"{name_of(n, language)} {s.value:z.2f} ± {s.sigma:.2f}" for n, s in face.scalars.items())
        found.append((words["scalars"], ", ".join(each)))
    found += [(name_of(name, language), expression(answer, language)) for name, answer in face.classes.items()]
    if face.quality is not None:
        found.append((words["quality"], f"{face.quality:.2f}"))
    return found


def age(face: FaceAnalysis) -> str:
    """``34 (26-43)``: years with the 5 to 95 percent interval."""
    return "" if face.age is None else f"{face.age.years:.0f} ({face.age.q05:.0f}-{face.age.q95:.0f})"


def gender(face: FaceAnalysis, language: str) -> str:
    """The likelier answer of raters with its share; in brackets where they would disagree."""
    if face.gender_female is None:
        return ""
    words = TEXT[language]
    female = face.gender_female >= 0.5
    text = f"{words['female'] if female else words['male']} {max(face.gender_female, 1 - face.gender_female):.2f}"
    return f"{words['unsure']} ({text})" if gender_unsure(face.gender_female) else text


def top_expression(answer: Categorical, language: str) -> str:
    """The likeliest class with its probability; in brackets where it is unsure."""
    text = f"{name_of(answer.top, language)} {answer[answer.top]:.2f}"
    return f"{TEXT[language]['unsure']} ({text})" if expression_unsure(answer) else text


def expression(answer: Categorical, language: str) -> str:
    """Classes from the likeliest down, each with a bar; those below two percent are left out. Where none is likely
    enough to be named, a line above them says so."""
    ranked = sorted(zip(answer.probabilities, answer.labels, strict=True), reverse=True)
    shown = [(p, name) for p, name in ranked if p >= 0.02] or ranked[:1]
    width = max(cell_len(name_of(name, language)) for _, name in shown)
    named = [(name_of(name, language), p) for p, name in shown]
    bars = [f"{n}{' ' * (width - cell_len(n))} {p:.2f} {'█' * round(p * _BAR)}" for n, p in named]
    return "\n".join([TEXT[language]["unsure"], *bars] if expression_unsure(answer) else bars)


def pose(answer: Pose, language: str) -> str:
    """The three angles with their sigmas."""
    angles = zip(("yaw", "pitch", "roll"), (answer.yaw, answer.pitch, answer.roll), answer.sigma, strict=True)
    named = ((ANGLES[language][n], n, v, s) for n, v, s in angles)
    return "\n".join(f"{w} {v:+z4.0f}° ± {s:.0f}   {direction(n, v, language)}" for w, n, v, s in named)


def direction(angle: str, value: float, language: str) -> str:
    """Where a signed angle points, in words; empty for next to nothing."""
    return "" if abs(value) < 1 else DIRECTIONS[language][angle][value < 0]


def attributes(face: FaceAnalysis, language: str, absent: bool = False) -> str:
    """Attributes that are there, from the surest down, then in brackets the unsure ones; with `absent` another line
    holds those that are rather not there."""
    ranked = sorted(face.attributes.items(), key=lambda pair: -pair[1])
    named = [(f"{name_of(n, language)} {p:.2f}", p) for n, p in ranked]
    low, high = UNSURE
    there = ", ".join(text for text, p in named if p >= high)
    between = ", ".join(text for text, p in named if low < p < high)
    unsure = f"{TEXT[language]['unsure']} ({between})" if between else ""
    if not absent:
        return ", ".join(text for text in (there, unsure) if text)
    doubtful = [text for text, p in named if ATTRIBUTES_UNLIKELY <= p <= low]
    few = sum(p < ATTRIBUTES_UNLIKELY for _, p in named)
    others = DIRECTIONS[language]["others"][0].format(few, ATTRIBUTES_UNLIKELY)
    return "\n".join(text for text in (there, unsure, ", ".join([*doubtful, *([others] if few else [])])) if text)


def overview(faces: Sequence[FaceAnalysis], language: str) -> Table:
    """One line per face."""
    words = TEXT[language]
    table = Table()
    for key in ("file", "face", "age", "gender", "expression", "pose", "attributes", "review"):
        table.add_column(words[key], overflow="fold")
    for face in faces:
        top = face.expression
        angles = (
            ""
            if face.pose is None
            else "/".join(f"{v:+z.0f}" for v in (face.pose.yaw, face.pose.pitch, face.pose.roll))
        )
        table.add_row(
            Text(where(face.source, face.frame)), str(face.face + 1), age(face), gender(face, language),
            "" if top is None else top_expression(top, language), angles,
            attributes(face, language), remark(face.needs_review, language),
        )  # fmt: skip
    return table
