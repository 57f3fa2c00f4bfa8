"""Change one thing, render, train a small budget, score on labelled photographs, keep the row: what helps and what not.

    python benchmarks/ablation.py NAME --photographs FOLDER... [--render KEY=VALUE]... [--set KEY=VALUE]... [--seed S]
        [--records N | --data FOLDER] [--steps N | --minutes M] [--init WEIGHTS] [--sample N] [--work FOLDER]
        [--table FILE]
    python benchmarks/ablation.py --page

`NAME` is the configuration's name in the table; `--render` changes a field of `synthesis.sampling.SceneSampler`
(``expressions.neutral=0.3``), `--set` an argument or a field of the recipe ``attributes.shipped``. The same renderer,
changes and seed are rendered once and kept below `--work`, so that a row about training alone costs no rendering. A
folder of photographs holds pictures and a ``labels.csv``, or ``pairs.csv`` (file_a, file_b, expression_a, expression_b)
of one person each. `--sample` scores so many pictures of each folder, the same ones in every row. Each run appends a
row to docs/benchmarks/ablation.csv (`--table`), one that is there is not made again; `--page` writes the dated page
from the table. Give the baseline a second `--seed`: how far its two rows lie apart is what chance alone does.

Photographs only judge here: no training, threshold or calibration sees them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch

from apart import apart
from omokage.attributes.train import train
from omokage.errors import OmokageError
from omokage.metrics.bootstrap import interval
from omokage.metrics.groups import less_is_better
from omokage.metrics.table import TableScore
from omokage.pipeline import Analyzer
from omokage.pipeline.recipes import configure, find_recipe
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.write import write_records
from omokage.training.run import commit_of
from photographs import faces_of, scores
from rows import has_row, read_table

ROOT = Path(__file__).resolve().parents[1]

TABLE = ROOT / "docs" / "benchmarks" / "ablation.csv"
FACTS = (
    "date", "commit", "name", "seed", "render", "set", "renderer", "records", "budget", "init", "sample", "minutes",
)  # fmt: skip
MINE = ("name", "seed", "render", "set", "renderer", "records", "budget", "init", "sample")  # what tells rows apart
SAME = ("records", "budget", "init", "sample")  # rows that agree in these are compared with each other
Cell = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """One row to be: a configuration's name, what it changes, and the budget that it shares with the others."""

    name: str
    render: tuple[str, ...]
    set: tuple[str, ...]
    seed: int
    records: int
    data: tuple[str, ...]
    steps: int
    minutes: float
    init: str
    sample: int

    def facts(self) -> dict[str, str]:
        """What the row says of itself, before scores."""
        kept = " ".join(Path(folder).name for folder in self.data)
        return {
            "date": date.today().isoformat(), "commit": commit_of(ROOT), "name": self.name, "seed": str(self.seed),
            "render": " ".join(self.render), "set": " ".join(self.set), "renderer": "" if kept else renderer()[:8],
            "records": kept or str(self.records), "sample": str(self.sample or "all"),
            "budget": f"{self.minutes:g} minutes" if self.minutes else f"{self.steps} steps", "init": self.init,
        }  # fmt: skip


def renderer() -> str:
    """A hash of the renderer's source: records of another renderer are not taken for its own."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src" / "omokage" / "synthesis").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def rendered(trial: Trial, work: Path) -> tuple[str, ...]:
    """The folders of the trial's records, rendered unless they are there."""
    if trial.data:
        return trial.data
    sampler: SceneSampler = configure(lambda: SceneSampler(), trial.render)
    facts = json.dumps([renderer(), trial.render, trial.seed], sort_keys=True)
    out = work / f"records-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
    write_records(out, trial.records, trial.seed, sampler)
    return (str(out),)


def trained(trial: Trial, data: Sequence[str], out: Path) -> Path:
    """The weights folder of the trial's run."""
    shipped = find_recipe("attributes.shipped")
    recipe = partial(shipped, data=tuple(data), out=str(out), minutes=trial.minutes, init=trial.init)
    config = configure(recipe, trial.set)
    config = replace(config, seed=trial.seed, steps=trial.steps or config.steps, check_every=0)
    return train(config) / "weights"


def scored(weights: Path, folders: Sequence[Path], sample: int) -> dict[str, Cell]:
    """Every measure of every folder as ``folder: measure`` with its 95 percent interval."""
    analyzer = Analyzer(weights=str(weights))
    found: dict[str, Cell] = {}
    for folder in folders:
        if (folder / "pairs.csv").is_file():
            rows = [happier(analyzer, folder, sample)]
        else:
            rows = scores(analyzer, folder, (), sample)["all"]
        found.update({f"{folder.name}: {s.measure}": (s.value, s.low, s.high) for s in rows})
    return found


def happier(analyzer: Analyzer, folder: Path, sample: int = 0) -> TableScore:
    """Of a neutral and a happy picture of one person: how often the happy one gets the higher probability of happiness.

    A pair with a picture without an answer counts as wrong.
    """
    with (folder / "pairs.csv").open(encoding="utf-8") as stream:
        pairs = [
            r for r in csv.DictReader(stream) if {r["expression_a"], r["expression_b"]} == {"neutral", "happiness"}
        ]
    pairs = pairs[:sample] if sample else pairs
    files = sorted({row[key] for row in pairs for key in ("file_a", "file_b")})
    said: dict[str, float] = {}
    for face in faces_of(analyzer, [str(folder / name) for name in files]):
        if face["face"] == 0 and face.get("expression_happiness_p") is not None:
            said[Path(face["source"]).name] = float(face["expression_happiness_p"])
    right = []
    for row in pairs:
        neutral, happy = (row["file_a"], row["file_b"])[:: 1 if row["expression_a"] == "neutral" else -1]
        a, b = said.get(Path(neutral).name), said.get(Path(happy).name)
        right.append(a is not None and b is not None and b > a)
    values = np.array(right, float)
    low, high = interval(lambda v: float(v.mean()), values)
    return TableScore("happier picture named", float(values.mean()), low, high, len(values), 0.5)


def append(row: Mapping[str, str], path: Path = TABLE) -> None:
    """One more row; a measure that is new gets a column of its own, empty in older rows."""
    rows = [*read_table(path), dict(row)]
    columns = list(dict.fromkeys(name for r in rows for name in r))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def done(trial: Trial, rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether a row of this trial is there."""
    facts = trial.facts()
    return has_row(rows, {name: facts[name] for name in MINE})


def cell(value: Cell) -> str:
    return f"{value[0]:.4g} [{value[1]:.4g}, {value[2]:.4g}]"


def parsed(text: str) -> Cell | None:
    """A cell of the table as value, low and high; None for an empty one."""
    if not text:
        return None
    value, _, rest = text.partition(" [")
    low, _, high = rest.rstrip("]").partition(", ")
    return float(value), float(low), float(high)


def page(rows: Sequence[Mapping[str, str]]) -> str:
    """The dated page: for each budget the configurations beside each other, the first one named ``baseline`` (else the
    oldest) as what the others are compared with."""
    lines = [
        f"# One change at a time, {date.today().isoformat()}\n",
        "Written by `python benchmarks/ablation.py --page` from [ablation.csv](ablation.csv), which has the intervals, "
        "dates, commits and exact changes of every row. Each configuration was rendered, trained from the same start "
        "for the same budget and scored on the same development photographs, which nothing was fitted on. Budgets are "
        "small: differences inside the 95 % interval of the baseline (in brackets) may be chance, and so may any that "
        "is no larger than the one between two seeds of the baseline. **Bold** is better than the baseline beyond its "
        "interval, *italic* worse.",
    ]
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in SAME), []).append(row)
    for key, members in groups.items():
        lines += ["", "## " + ", ".join(f"{n} {v or '-'}" for n, v in zip(SAME, key, strict=True)), ""]
        lines += _group(members)
    return "\n".join(lines) + "\n"


def _group(members: Sequence[Mapping[str, str]]) -> list[str]:
    base = next((row for row in members if row["name"] == "baseline"), members[0])
    others = [row for row in members if row is not base]
    lines = [
        f"- `{r['name']}`, seed {r['seed']}: {' '.join(filter(None, (r['render'], r['set']))) or 'no change'} "
        f"({r['commit']})"
        for r in members
    ]
    names = [f"`{r['name']}`" + ("" if r["seed"] == base["seed"] else f", seed {r['seed']}") for r in (base, *others)]
    lines += ["", "| measure | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(members) + 1) + "|")
    for measure in dict.fromkeys(k for r in members for k in r if k not in FACTS and r[k]):
        first = parsed(base.get(measure) or "")
        cells = [f"{first[0]:.4g} ({first[1]:.3g} to {first[2]:.3g})" if first else ""]
        cells += [_compared(measure, parsed(r.get(measure) or ""), first) for r in others]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    return lines


def _compared(measure: str, value: Cell | None, base: Cell | None) -> str:
    if value is None:
        return ""
    text = f"{value[0]:.4g}"
    if base is None or base[1] <= value[0] <= base[2]:
        return text
    better = (value[0] < base[0]) == less_is_better(measure)
    return f"**{text}**" if better else f"*{text}*"


def run(trial: Trial, folders: Sequence[Path], work: Path) -> dict[str, str]:
    """Render, train, score; the row."""
    began = time.monotonic()
    data = apart(rendered, trial, work)
    with tempfile.TemporaryDirectory(dir=work) as place:
        weights = apart(trained, trial, data, Path(place) / "run")
        found = scored(weights, folders, trial.sample)
    row = trial.facts() | {"minutes": f"{(time.monotonic() - began) / 60:.1f}"}
    return row | {name: cell(value) for name, value in found.items()}


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--photographs", nargs="+", type=Path, default=[])
    parser.add_argument("--render", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=int, default=4000)
    parser.add_argument("--data", nargs="+", default=[], help="record folders that are there, instead of rendering")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--minutes", type=float, default=0.0, help="wall time instead of steps")
    parser.add_argument("--init", default="", help="weights to start from; none: a fresh network")
    parser.add_argument("--sample", type=int, default=800, help="pictures scored of each folder, 0: all")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "ablation")
    parser.add_argument("--table", type=Path, default=TABLE, help="the rows; the page goes beside it")
    parser.add_argument("--page", action="store_true", help="write the page from the table and stop")
    return parser.parse_args()


def main() -> None:
    given = asked()
    if given.page:
        out = given.table.parent / f"{date.today().isoformat()}-ablation.md"
        out.write_text(page(read_table(given.table)), encoding="utf-8")
        print(out)
        return
    missing = [str(f) for f in given.photographs if not any((f / n).is_file() for n in ("labels.csv", "pairs.csv"))]
    if missing:
        sys.exit(f"no labels.csv or pairs.csv in {', '.join(missing)}")
    if not given.name or not given.photographs:
        sys.exit("give the configuration a name, and folders of labelled photographs with --photographs")
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    trial = Trial(given.name, tuple(given.render), tuple(given.set), given.seed, given.records, tuple(given.data),
                  0 if given.minutes else given.steps, given.minutes, given.init, given.sample)  # fmt: skip
    if done(trial, read_table(given.table)):
        print(f"{given.table} has this row of {given.name!r} already: nothing to do")
        return
    try:
        row = run(trial, given.photographs, given.work)
    except OmokageError as error:
        sys.exit(str(error))
    append(row, given.table)
    print("\n".join(f"{name}: {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
