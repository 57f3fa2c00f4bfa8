"""`omokage adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.adapt_words import WORDS, method_name, reason_text, step_text, used_text
from omokage.cli.options import Lang, given
from omokage.errors import InputError
from omokage.language import text

if TYPE_CHECKING:
    from rich.console import Console

    from omokage.explain.labels import Kind
    from omokage.explain.scores import GroupScore
    from omokage.pipeline.adapt import Adapted, AdaptOptions
    from omokage.pipeline.adapt_set import AdaptedLabel


# What each kind of input takes beside --out, --weights, --device and --crops.
_TAKES = {
    "labels": {"images", "label", "nominal", "ordinal", "skip", "tune", "sizes", "private"},
    "pairs": {"images"},
    "unlabelled": {"student"},
}


def adapt(
    context: typer.Context,
    labels: Annotated[
        Path | None, typer.Argument(metavar="LABELS.csv", help="A CSV with the column file and your labels.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="The folder that the column file starts from.")] = None,
    out: Annotated[Path, typer.Option(help="The new weights: a folder that does not exist yet.")] = Path("adapted"),
    label: Annotated[list[str] | None, typer.Option(help="Only this label; again for more. Default: all.")] = None,
    nominal: Annotated[list[str] | None, typer.Option(help="Read this label's numbers as classes.")] = None,
    ordinal: Annotated[list[str] | None, typer.Option(help="Read this label as numbers on a scale.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="A column that is no label.")] = None,
    tune: Annotated[
        str, typer.Option(help="The deepest that may be fine-tuned, where it pays: none, dense or stage.")
    ] = "dense",
    sizes: Annotated[str, typer.Option(help="Numbers of labels of the learning curve.")] = "10,25,50,100",
    private: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Differential privacy with this epsilon for all labels together (needs omokage[private]); 0: none.",
        ),
    ] = 0.0,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Instead of labels: a folder of your own pictures to get used to.")
    ] = None,
    student: Annotated[
        bool, typer.Option("--student", help="With --unlabelled: also train on the network's own answers.")
    ] = False,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is one face already: skip finding.")] = False,
    weights: Annotated[str | None, typer.Option(help="The set to start from, or a folder.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA where there is one.")] = None,
    lang: Lang = "en",
) -> None:
    """Make new attributes from few labels on the shipped network, or get it used to your own pictures."""
    if (labels is None) == (unlabelled is None):
        raise InputError("give either LABELS.csv (with --images) or --unlabelled FOLDER")
    _fitting(context, "unlabelled" if unlabelled is not None else "pairs" if _has_pairs(labels) else "labels")
    if unlabelled is not None:
        _unlabelled(unlabelled, out, weights, device, crops, student, lang)
        return
    assert labels is not None
    if _has_pairs(labels):
        _pairs(labels, images or labels.parent, out, weights, device, crops, lang)
        return
    from omokage.cli.progress import Counter
    from omokage.pipeline.adapt import adapt as learn

    options = _options(label, nominal, ordinal, skip, tune, sizes, private, crops)
    with Counter("") as counter:
        found = learn(
            labels, images or labels.parent, out, weights=weights or _default(), device=device, options=options,
            progress=lambda what, done, total: counter.update(done, total, step_text(what, lang)),
        )  # fmt: skip
    _print(found, lang)


def _fitting(context: typer.Context, kind: str) -> None:
    """Raises InputError for options that would do nothing: most of all a privacy that would not be kept."""
    others = set().union(*_TAKES.values()) - _TAKES[kind]
    useless = sorted(name for name in others if given(context, name))
    if not useless:
        return
    what = {
        "labels": "LABELS.csv",
        "pairs": "a table of pairs (columns before and after)",
        "unlabelled": "--unlabelled",
    }
    takes = ", ".join(f"--{name}" for name in sorted(_TAKES[kind]))
    raise InputError(f"--{useless[0]} does nothing with {what[kind]}, which takes {takes}: leave it away")


def _default() -> str:
    from omokage.weights.registry import DEFAULT_SET

    return DEFAULT_SET


def _options(
    label: list[str] | None, nominal: list[str] | None, ordinal: list[str] | None, skip: list[str] | None, tune: str,
    sizes: str, private: float, crops: bool,
) -> AdaptOptions:  # fmt: skip
    from omokage.explain.adapt import Plan
    from omokage.pipeline.adapt import AdaptOptions

    try:
        numbers = tuple(sorted({int(word) for word in sizes.split(",") if word.strip()}))
    except ValueError:
        numbers = (-1,)
    if numbers and numbers[0] < 2:
        raise InputError(f"--sizes {sizes!r} is not a list of numbers from 2 on, such as 10,50,100")
    kinds: dict[str, Kind] = {}
    for name in nominal or []:
        kinds[name] = "nominal"
    for name in ordinal or []:
        kinds[name] = "ordinal"
    return AdaptOptions(tuple(label or ()), kinds, tuple(skip or ()), tune, crops, Plan(sizes=numbers), private)


def _print(found: Adapted, lang: str) -> None:
    from omokage.cli.console import console as opened

    console = opened()
    for one in found.labels:
        _table(console, one, lang)
        _notes(console, one, lang)
    for name in found.empty:
        console.print(text(WORDS, "empty_column", lang, name=name))
    for name, why in list(found.left_out.items())[:5]:
        console.print(text(WORDS, "left_out", lang, name=name, why=reason_text(why, lang)))
    if len(found.left_out) > 5:
        every = found.pictures + len(found.left_out)
        console.print(text(WORDS, "more_left_out", lang, n=len(found.left_out) - 5, all=every))
    console.print(text(WORDS, "weights", lang, folder=found.folder, id=found.card.id))


def _table(console: Console, one: AdaptedLabel, lang: str) -> None:
    """The learning curve of one attribute."""
    from rich.table import Table

    from omokage.report.score_words import measure_name

    learnt = one.learnt
    kind, people = text(WORDS, learnt.label.kind, lang), len(set(learnt.people))
    title = text(WORDS, "title", lang, name=learnt.label.name, kind=kind, n=len(learnt.label), people=people)
    measures = list(dict.fromkeys(s.measure for s in one.scores))
    table = Table(title=title, title_justify="left")
    heads = (text(WORDS, "method", lang), text(WORDS, "labels", lang), *(measure_name(m, lang) for m in measures))
    for head in heads:
        table.add_column(head, overflow="fold")
    for method in dict.fromkeys(s.method for s in one.scores):
        own = {s.measure: s for s in one.scores if s.method == method}
        cells = [_span(own[m].value, own[m].low, own[m].high, lang) for m in measures]
        table.add_row(method_name(method, lang), str(own[measures[0]].labels), *cells)
    console.print(table)


def _span(value: float, low: float, high: float, lang: str) -> str:
    return text(WORDS, "span", lang, value=f"{value:.3g}", low=f"{low:.3g}", high=f"{high:.3g}")


def _notes(console: Console, one: AdaptedLabel, lang: str) -> None:
    """What is kept of one attribute, the ceiling and the groups."""
    from omokage.explain.scores import widest_gap
    from omokage.report.score_words import measure_name

    console.print(text(WORDS, "kept", lang, what=_kept(one, lang)))
    if "tuned" in one.learnt.sizes:
        console.print(text(WORDS, "preferred", lang, n=one.learnt.preferred))
    if (best := one.ceiling) is not None:
        score, raters = _span(best.value, best.low, best.high, lang), f"{best.raters:.1f}"
        measure = measure_name(best.measure, lang)
        console.print(text(WORDS, "ceiling", lang, raters=raters, measure=measure, score=score))
    for group in one.groups:
        console.print(_group(group, lang))
    if (gap := widest_gap(one.groups)) is not None:
        console.print(text(WORDS, "gap", lang, gap=f"{gap[2]:.3g}", best=gap[0], worst=gap[1]))


def _kept(one: AdaptedLabel, lang: str) -> str:
    if one.spent:  # nothing of the table is of what is written
        return text(WORDS, "kept_private", lang, epsilon=f"{one.spent:.3g}")
    if one.learnt.tuned:
        return text(WORDS, "kept_tuned", lang)
    reads = one.learnt.fit.reads
    whole = len(reads) > 1
    read = text(WORDS, "every_network", lang) if whole else text(WORDS, "one_network", lang, name=reads[0])
    return text(WORDS, "kept_probe", lang, reads=read)


def _group(g: GroupScore, lang: str) -> str:
    from omokage.report.score_words import measure_name

    score = text(WORDS, "too_few", lang) if g.value is None else _span(g.value, g.low, g.high, lang)
    measure = measure_name(g.measure, lang)
    return text(WORDS, "group", lang, column=g.column, group=g.group, measure=measure, score=score, n=g.pictures)


def _unlabelled(
    folder: Path, out: Path, weights: str | None, device: str | None, crops: bool, student: bool, lang: str
) -> None:
    """Statistics of the user's pictures; status 1 when the check refuses them."""
    from omokage.cli.progress import Counter
    from omokage.pipeline.adapt_student import Learning
    from omokage.pipeline.adapt_unlabelled import adapt_unlabelled

    with Counter("") as counter:
        found = adapt_unlabelled(
            folder, out, weights=weights or _default(), device=device, crops=crops,
            learning=Learning() if student else None,
            progress=lambda what, done, total: counter.update(done, total, step_text(what, lang)),
        )  # fmt: skip
    for line in found.lines():
        typer.echo(used_text(line, lang))
    if not found.accepted:
        raise typer.Exit(1)


def _has_pairs(labels: Path | None) -> bool:
    """Whether the table is one of pairs: columns before and after in place of file."""
    from omokage.media.small_tables import header_of

    return labels is not None and {"before", "after"} <= set(header_of(labels))


def _pairs(
    labels: Path, images: Path, out: Path, weights: str | None, device: str | None, crops: bool, lang: str
) -> None:
    """Changes in the user's own units, from pairs of photographs."""
    from omokage.pipeline.adapt_pairs import EMPTY, adapt_pairs
    from omokage.report.score_words import measure_name

    found, left_out = adapt_pairs(labels, images, out, weights=weights, device=device, crops=crops)
    for one in found:
        for s in one.scores:
            score, measure = _span(s.value, s.low, s.high, lang), measure_name(s.measure, lang)
            method, pairs = method_name(s.method, lang), s.labels // 2
            parts = {"name": one.name, "method": method, "n": pairs, "measure": measure, "score": score}
            typer.echo(text(WORDS, "pair_score", lang, **parts))
        if one.alone:
            typer.echo(text(WORDS, "alone", lang, name=one.name))
        if one.across:
            typer.echo(text(WORDS, "across", lang, name=one.name, n=one.across))
    for pair, why in left_out.items():
        told = text(WORDS, "left_out", lang, name=pair, why=reason_text(why, lang))
        typer.echo(text(WORDS, "empty_column", lang, name=pair) if why == EMPTY else told)
    typer.echo(text(WORDS, "pair_weights", lang, folder=out))
