"""`omokage adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omokage.cli.options import given
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.explain.labels import Kind
    from omokage.pipeline.adapt import Adapted, AdaptOptions
    from omokage.pipeline.adapt_set import AdaptedLabel


_METHODS = {
    "trivial": "a constant answer", "landmarks": "linear, on landmarks", "tuned": "fine-tuned", "chosen": "chosen",
}  # fmt: skip


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
) -> None:
    """Make new attributes from few labels on the shipped network, or get it used to your own pictures."""
    if (labels is None) == (unlabelled is None):
        raise InputError("give either LABELS.csv (with --images) or --unlabelled FOLDER")
    _fitting(context, "unlabelled" if unlabelled is not None else "pairs" if _has_pairs(labels) else "labels")
    if unlabelled is not None:
        _unlabelled(unlabelled, out, weights, device, crops, student)
        return
    assert labels is not None
    if _has_pairs(labels):
        _pairs(labels, images or labels.parent, out, weights, device, crops)
        return
    from omokage.cli.progress import Counter
    from omokage.pipeline.adapt import adapt as learn

    options = _options(label, nominal, ordinal, skip, tune, sizes, private, crops)
    with Counter("") as counter:
        found = learn(
            labels, images or labels.parent, out, weights=weights or _default(), device=device, options=options,
            progress=lambda what, done, total: counter.update(done, total, what),
        )  # fmt: skip
    _print(found)


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


def _print(found: Adapted) -> None:
    from omokage.cli.console import console as opened

    console = opened()
    for one in found.labels:
        _table(console, one)
    for name, why in list(found.left_out.items())[:5]:
        console.print(f"left out: {name}: {why}")
    if len(found.left_out) > 5:
        console.print(f"... and {len(found.left_out) - 5} more of {found.pictures + len(found.left_out)} pictures")
    console.print(f"weights: {found.folder} ({found.card.id}); use them with --weights {found.folder}")


def _table(console: object, one: AdaptedLabel) -> None:
    """The learning curve, the ceiling and the groups of one attribute."""
    from rich.console import Console
    from rich.table import Table

    from omokage.explain.scores import widest_gap

    assert isinstance(console, Console)
    learnt = one.learnt
    people = len(set(learnt.people))
    title = f"{learnt.label.name} ({learnt.label.kind}, {len(learnt.label)} pictures of {people} people)"
    measures = list(dict.fromkeys(s.measure for s in one.scores))
    table = Table(title=title, title_justify="left")
    for head in ("method", "labels", *measures):
        table.add_column(head, overflow="fold")
    for method in dict.fromkeys(s.method for s in one.scores):
        own = {s.measure: s for s in one.scores if s.method == method}
        cells = [f"{own[m].value:.3g} ({own[m].low:.3g} to {own[m].high:.3g})" for m in measures]
        table.add_row(_METHODS.get(method, "linear probe"), str(own[measures[0]].labels), *cells)
    console.print(table)
    reads = "all sub-networks" if len(learnt.fit.reads) > 1 else f"the sub-network {learnt.fit.reads[0]}"
    kept = "a fine-tuned sub-network" if learnt.tuned else f"a linear probe on {reads}"
    if one.spent:  # nothing above is of what is written
        kept = (
            f"a differentially private probe on all sub-networks (epsilon {one.spent:.3g}); it answers worse than the "
            "probes above, which are without privacy and are not written: judge it on labels of other people with  "
            "omokage evaluate"
        )
    console.print(f"kept: {kept}")
    if "tuned" in learnt.sizes:
        console.print(
            f"fine-tuning seemed to pay in {learnt.preferred} of the training parts; 'chosen' is their choice"
        )
    if (best := one.ceiling) is not None:
        console.print(
            f"ceiling ({best.raters:.1f} raters a picture): {best.measure} {best.value:.3g} "
            f"({best.low:.3g} to {best.high:.3g}); these are rated impressions of photographs"
        )
    for g in one.groups:
        shown = "too few pictures" if g.value is None else f"{g.value:.3g} ({g.low:.3g} to {g.high:.3g})"
        console.print(f"group {g.column} {g.group}: {g.measure} {shown}, {g.pictures} pictures")
    if (gap := widest_gap(one.groups)) is not None:
        console.print(f"widest gap: {gap[2]:.3g}, from {gap[0]} to {gap[1]}")


def _unlabelled(folder: Path, out: Path, weights: str | None, device: str | None, crops: bool, student: bool) -> None:
    """Statistics of the user's pictures; status 1 when the check refuses them."""
    from omokage.cli.progress import Counter
    from omokage.pipeline.adapt_student import Learning
    from omokage.pipeline.adapt_unlabelled import adapt_unlabelled

    with Counter("") as counter:
        found = adapt_unlabelled(
            folder, out, weights=weights or _default(), device=device, crops=crops,
            learning=Learning() if student else None,
            progress=lambda what, done, total: counter.update(done, total, what),
        )  # fmt: skip
    for line in found.lines():
        typer.echo(line)
    if not found.accepted:
        raise typer.Exit(1)


def _has_pairs(labels: Path | None) -> bool:
    """Whether the table is one of pairs: columns before and after in place of file."""
    import csv

    if labels is None:
        return False
    try:
        with labels.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError):  # said in one sentence by whoever reads it
        return False
    return {"before", "after"} <= set(header)


def _pairs(labels: Path, images: Path, out: Path, weights: str | None, device: str | None, crops: bool) -> None:
    """Changes in the user's own units, from pairs of photographs."""
    from omokage.pipeline.adapt_pairs import adapt_pairs

    found, left_out = adapt_pairs(labels, images, out, weights=weights, device=device, crops=crops)
    for one in found:
        for s in one.scores:
            text = f"{s.value:.3g} ({s.low:.3g} to {s.high:.3g})"
            typer.echo(
                f"{one.name}, {_METHODS.get(s.method, 'linear probe')}, {s.labels // 2} pairs: {s.measure} {text}"
            )
        if one.alone:
            typer.echo(f"{one.name}: all pairs are of one person, so later photographs were held out instead of people")
    for pair, why in left_out.items():
        typer.echo(f"left out: {pair}: {why}")
    typer.echo(f"weights: {out}; use them with  omokage compare BEFORE AFTER --weights {out}")
