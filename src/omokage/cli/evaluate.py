"""`omokage evaluate TABLE LABELS`, and the group of what is measured otherwise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from omokage.cli.evaluate_embeddings import embeddings
from omokage.cli.evaluate_questions import evaluate_questions
from omokage.cli.evaluate_words import WORDS
from omokage.cli.options import Lang
from omokage.language import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from omokage.metrics.groups import Worst
    from omokage.metrics.table import TableScore

_TABLE = "table"


class _TableByDefault(TyperGroup):
    """A group whose first word may be left away: then it is `table`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options_first = bool(args) and args[0].startswith("-") and args[0] != "--help"
        return super().parse_args(ctx, [_TABLE, *args] if options_first else args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else [_TABLE, *args])


app = typer.Typer(
    cls=_TableByDefault,
    help="Score answers on your own labelled folder: TABLE LABELS.csv; or what an encoder's codes carry: embeddings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("embeddings")(embeddings)
app.command("questions")(evaluate_questions)


@app.command(_TABLE)
def evaluate(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A faces table that `omokage analyze --out` wrote.")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS.csv", help="A CSV with the column file and what you know.")],
    by: Annotated[str | None, typer.Option(help="Also score each group: a column of the labels, or skin_tone.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    lang: Lang = "en",
) -> None:
    """Score answers on your own labelled folder; a face that was not found counts as wrong."""
    import json

    from omokage.cli.console import console
    from omokage.cli.remark_words import remark_text
    from omokage.media.sinks import read_rows
    from omokage.metrics.groups import grouped, left_out, worst_groups
    from omokage.metrics.labels import read_labels, remarks
    from omokage.metrics.table import match, score_pairs

    rows, known = read_rows(table), read_labels(labels)
    for remark in remarks(known, rows, by):
        typer.echo(remark_text(remark, lang), err=True)
    pairs = match(known, rows)
    groups = {} if by is None else grouped(pairs, by)
    scored = {"": score_pairs(pairs)}
    scored |= {value: score_pairs(part, pairs) for value, part in groups.items()}
    by_group = {value: scored[value] for value in groups}
    for remark in left_out(by_group):
        typer.echo(remark_text(remark, lang), err=True)
    if json_:
        typer.echo(json.dumps({name or "all": [_plain(s) for s in found] for name, found in scored.items()}, indent=1))
        return
    console().print(_scores(scored, bool(by), lang))
    if by and (worst := worst_groups(by_group)):
        console().print(_worst(worst, by, lang))


def _scores(scored: Mapping[str, Sequence[TableScore]], grouped: bool, lang: str) -> Table:
    """Every measure, of all and of each group."""
    from rich.table import Table

    from omokage.report.score_words import measure_name

    shown = Table()
    for key in (*(["group"] if grouped else []), "measure", "value", "interval", "trivial", "faces"):
        shown.add_column(text(WORDS, key, lang), overflow="fold")
    for name, found in scored.items():
        for s in found:
            trivial = "" if s.trivial is None else f"{s.trivial:.3g}"
            row = (measure_name(s.measure, lang), f"{s.value:.3g}", _interval(s.low, s.high, lang), trivial, str(s.n))
            shown.add_row(*([_group(name, lang)] if grouped else []), *row)
    return shown


def _worst(worst: Sequence[Worst], by: str, lang: str) -> Table:
    """The worst group of each measure."""
    from rich.table import Table

    from omokage.report.score_words import measure_name

    below = Table(title=text(WORDS, "worst_by", lang, column=by))
    for key in ("measure", "mean", "worst", "value", "interval", "faces"):
        below.add_column(text(WORDS, key, lang), overflow="fold")
    for w in worst:
        span = _interval(w.low, w.high, lang)
        below.add_row(measure_name(w.measure, lang), f"{w.mean:.3g}", w.group, f"{w.value:.3g}", span, str(w.n))
    return below


def _group(name: str, lang: str) -> str:
    """A group's name; the user's own stay as they are."""
    from omokage.metrics.groups import NO_ANSWER

    return text(WORDS, "no_answer" if name else "all", lang) if name in ("", NO_ANSWER) else name


def _interval(low: float, high: float, lang: str) -> str:
    if math.isnan(low):
        return text(WORDS, "no_interval", lang)
    return text(WORDS, "span", lang, low=f"{low:.3g}", high=f"{high:.3g}")


def _plain(score: TableScore) -> dict[str, Any]:
    """A score as JSON can hold it, which knows no value that is not a number."""
    from dataclasses import asdict

    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(score).items()}
