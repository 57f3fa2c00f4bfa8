"""One self-contained HTML page over analysed faces: no script, no request, pictures inside, English or Japanese."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omokage.errors import OutputError
from omokage.language import check_language
from omokage.report import panels
from omokage.report.drawing import face_svg, view_of
from omokage.report.shell import END, fact_rows, head, made_by, plain
from omokage.report.words import MEANING, TEXT, remark
from omokage.results import FaceAnalysis

_SIDE, _SIDE_MANY, _MANY = 420, 240, 60  # thumbnail side in pixels, smaller when the page holds more faces than _MANY
# The page may load nothing at all from anywhere, even if a file name tried to.


@dataclass(frozen=True, slots=True, eq=False)
class ReportFace:
    """One face of the page: what was estimated, the upright RGB uint8 picture (h, w, 3) or None, and the name shown.

    `evidence` are explanation cards of this page's language (`report.explain.explanation_card`).
    """

    analysis: FaceAnalysis
    image: NDArray[np.uint8] | None
    name: str
    evidence: tuple[str, ...] = ()


def write_report(
    path: Path,
    faces: Sequence[ReportFace],
    language: str = "en",
    without: Sequence[tuple[str, str]] = (),
    about: Mapping[str, str] | None = None,
    read: int | None = None,
) -> None:
    """Write the page whole or not at all.

    `without` lists pictures that gave no face, with the reason; `about` is shown as it is (weights, version, command).
    `read` is how many faces were read: the page says when it shows fewer.
    Only the surroundings of each face are kept, as a small JPEG. Raises InputError for an unknown language and
    OutputError when the page cannot be written.
    """
    check_language(language)
    partial = path.with_name(path.name + ".tmp")
    try:
        # Names of files need not be Unicode: what cannot be written appears as an escape instead of ending the run.
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(page(faces, language, without, about or {}, read))
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write the report {path}: {error.strerror or error}; choose another folder or free space"
        ) from error


def page(
    faces: Sequence[ReportFace],
    language: str,
    without: Sequence[tuple[str, str]],
    about: Mapping[str, str],
    read: int | None = None,
) -> Iterator[str]:
    """The page in pieces, one face at a time, so that memory does not grow with their number."""
    words = TEXT[language]
    yield (
        f"{head(words['title'], language, *_more_sheets(faces))}"
        f'<header id="top"><h1>{escape(words["title"])}</h1><p>{escape(words["lead"])}</p>'
        f'<p class="duty"><strong>{escape(words["duty"])}</strong></p></header><main>'
    )
    if read is not None and read > len(faces):
        yield f"<section><p>{escape(words['shown'].format(shown=len(faces), read=read))}</p></section>"
    if len(faces) > 1:
        yield _overview(faces, language)
    side = _SIDE if len(faces) <= _MANY else _SIDE_MANY
    for number, face in enumerate(faces):
        yield _card(number, face, language, side, linked=len(faces) > 1)
        yield from (f'<article class="explanation">{card}</article>' for card in face.evidence)
    if without:
        yield _without(without, language)
    yield _meaning(language)
    if about:
        yield f"<section><h2>{escape(words['about'])}</h2><table>"
        yield fact_rows(made_by(about, language).items())
        yield "</table></section>"
    yield END


def _more_sheets(faces: Sequence[ReportFace]) -> tuple[str, ...]:
    """What explanation cards need, where there are any."""
    if not any(face.evidence for face in faces):
        return ()
    from omokage.report.explain import OWN_CSS

    return (OWN_CSS,)


def _title(face: ReportFace, language: str) -> str:
    words, analysis = TEXT[language], face.analysis
    frame = f" · {words['frame']} {analysis.frame}" if analysis.frame else ""
    return f"{face.name}{frame} · {words['face']} {analysis.face + 1}"


def _overview(faces: Sequence[ReportFace], language: str) -> str:
    words = TEXT[language]
    heads = "".join(f'<th scope="col">{escape(words[k])}</th>' for k in ("file", "age", "expression", "remark"))
    rows = []
    for number, face in enumerate(faces):
        analysis = face.analysis
        label = panels.expression_word(analysis.expression, language) if analysis.expression else "–"
        note = remark(analysis.needs_review, language) or words["fine"]
        cells = (panels.age_with_interval(analysis, language), label, note)
        link = f'<a href="#face-{number}">{plain(_title(face, language))}</a>'
        rows.append(f"<tr><td>{link}</td>{''.join(f'<td>{plain(cell)}</td>' for cell in cells)}</tr>")
    return (
        f'<section><h2>{escape(words["overview"])}</h2><table class="overview"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )


def _card(number: int, face: ReportFace, language: str, side: int, linked: bool) -> str:
    words, analysis = TEXT[language], face.analysis
    view = view_of(face.image, analysis.box, side)
    picture = face_svg(analysis, view, words["picture_of"])
    note = words["legend"] if view.uri else words["no_picture"]
    left = [picture, f'<p class="soft">{escape(note)}</p>', panels.quality(analysis, language)]
    left += [panels.pose(analysis, language), panels.scalars(analysis, language)]
    kinds = (panels.age, panels.expression, panels.gender, panels.attributes, panels.classes)
    right = "".join(kind(analysis, language) for kind in kinds)
    wide = panels.action_units(analysis, language) + panels.units(analysis, language)
    if not right and not wide:
        right = f"<p>{escape(words['missing'])}</p>"
    back = f'<p class="top"><a href="#top">{escape(words["to_top"])}</a></p>' if linked else ""
    return (
        f'<article id="face-{number}"><h2>{plain(_title(face, language))}</h2>'
        f'<div>{"".join(left)}</div><div>{right}</div><div class="wide">{wide}</div>{back}</article>'
    )


def _without(rows: Sequence[tuple[str, str]], language: str) -> str:
    words = TEXT[language]
    head = "".join(f'<th scope="col">{escape(words[key])}</th>' for key in ("file", "reason"))
    body = "".join(f"<tr><td>{plain(name)}</td><td>{plain(remark(why, language))}</td></tr>" for name, why in rows)
    return (
        f'<section><h2>{escape(words["without"])}</h2><table class="without"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></section>"
    )


def _meaning(language: str) -> str:
    words = TEXT[language]
    heads = "".join(
        f'<th scope="col">{escape(text)}</th>' for text in (words["result"], words["means"], words["not_for"])
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(words[key])}</th><td>{escape(meaning)}</td><td>{escape(never)}</td></tr>'
        for key, meaning, never in MEANING[language]
    )
    return (
        f'<section><h2>{escape(words["meaning"])}</h2><table class="meaning"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )
