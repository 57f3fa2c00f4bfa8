"""What real labels are worth, and what rendered heads are worth beside them: perceived gender and age bins.

    python benchmarks/label_curve.py --photographs RECORDS --test FOLDER --data RECORDS... [--counts 0,100,1000,...]
        [--heads N] [--seeds 3] [--minutes M | --steps N] [--init WEIGHTS] [--sample N] [--table FILE] [--write]

`--photographs` are records of labelled pictures (``omokage records``), `--test` a folder of other pictures with a
``labels.csv`` (file, age_bin, gender, race) that nothing is fitted on. For each number of pictures and each seed two
networks of one kind are trained equally long: ``rendered`` goes on from `--init` with rendered heads and the pictures
in the same batches (recipe ``attributes.open`` without teachers, so given labels are all there is), ``alone`` starts
from nothing and sees the pictures only. `--heads` is how many rendered heads are read. Both are tested on the same
crops, which the shipped set's landmarks cut; a face that it does not find counts as wrong for both.
Rows are appended to docs/benchmarks/label-curve.csv (`--table`) as they come, those that are there are not made again;
`--write` adds the dated page and plot from the table. Memory: 85 kB a picture, 65 kB a head, and 0.7 GB.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from apart import apart
from omokage.attributes import calibration
from omokage.attributes.config import AttributesConfig, DataConfig
from omokage.attributes.data import Crops
from omokage.attributes.model import rebuilt
from omokage.attributes.readings import read
from omokage.attributes.sources import read_source
from omokage.attributes.train import train
from omokage.data.records import read_records
from omokage.metrics.labels import read_labels
from omokage.metrics.table import score_table
from omokage.pipeline import Analyzer
from omokage.pipeline.placing import write_placed
from omokage.pipeline.recipes import find_recipe
from omokage.report.charts import Curve, Panel, figure
from omokage.schema import AttributeSchema
from omokage.training.run import commit_of
from omokage.weights import registry
from rows import has_row, read_table

ROOT = Path(__file__).resolve().parents[1]

TABLE = ROOT / "docs" / "benchmarks" / "label-curve.csv"
ARMS = ("rendered", "alone")
KEY = ("count", "arm", "seed", "budget", "init", "data", "heads", "sample")
KIND = KEY[3:]  # rows that agree in these stand together
MEASURES = (
    "perceived gender of adults, mean over both",
    "age within one bin, mean over the bins",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One network of the curve."""

    count: int
    arm: str
    seed: int
    steps: int
    minutes: float
    init: str
    data: tuple[str, ...]
    photographs: str
    heads: int = 0  # rendered ones that are read, 0: all
    sample: int = 0  # test pictures, 0: all

    def key(self) -> dict[str, str]:
        """What tells its row from the others."""
        budget = f"{self.minutes:g} minutes" if self.minutes else f"{self.steps} steps"
        own = {"count": str(self.count), "arm": self.arm, "seed": str(self.seed), "budget": budget, "init": self.init}
        own["data"] = " ".join(Path(folder).name for folder in self.data)
        return own | {"heads": str(self.heads or "all"), "sample": str(self.sample or "all")}


def part(count: int) -> float:
    """The part of all crops that are photographs: at most 0.45, less where that would show each of them very often."""
    return round(min(0.45, 0.45 * math.sqrt(count / 2000)), 3)


def configured(point: Point, out: Path) -> AttributesConfig:
    """The run of a point with at least one picture."""
    config: AttributesConfig = find_recipe("attributes.open")(
        point.data, point.photographs, str(out), point.minutes, point.init, share=part(point.count), count=point.count,
        seed=point.seed,
    )  # fmt: skip
    config = replace(config, steps=point.steps or config.steps, check_every=0, save_every=10**9)
    if point.arm == "rendered":
        heads = (-(-point.heads // len(point.data)),) * len(point.data)
        return replace(config, data=replace(config.data, limits=(*heads, point.count)))
    alone = replace(config.data, folders=(point.photographs,), limits=(point.count,), photographs=0.0)
    return replace(config, data=alone, init="", rate=2.5e-3)


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """The test pictures as crops that every network gets, and the labels of all, found or not."""

    labels: list[dict[str, str]]
    folder: Path  # of records

    @classmethod
    def of(cls, folder: Path, work: Path, sample: int = 0) -> Test:
        """Place the faces of a labelled folder, or of the first `sample` pictures of it, with the shipped set; `work`
        keeps the records for the next run. Other weights place them anew."""
        labels = read_labels(folder / "labels.csv")
        labels = labels[:sample] if sample else labels
        facts = repr((str(folder), sample, [row["file"] for row in labels], sorted(Analyzer().describe().items())))
        place = work / f"label-curve-test-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=work) as half:
                apart(write_placed_part, folder, Path(half) / "records", sample)
                (Path(half) / "records").rename(place)
        return cls(labels, place)

    def rows(self, weights: Path | str) -> list[dict[str, object]]:
        """The answers of a network as rows of a faces table."""
        tensors, card = registry.load(weights, "attributes")
        schema = AttributeSchema.from_json(list(card.schema))
        model = rebuilt(schema, card.architecture).eval()
        model.load_state_dict(tensors)
        crops = Crops([read_source(self.folder, schema)], schema, model.network, DataConfig())
        readings = read(model, crops)
        female = calibration.probability(
            "perceived_gender", readings.outputs.shares["perceived_gender"], card.calibration
        )
        age = calibration.summary(schema["age"], readings.outputs.bins["age"], card.calibration)
        answers: NDArray[np.float64] = torch.stack([female, *age[:3]], 1).double().numpy()
        box = dict.fromkeys(("box_x0", "box_y0"), 0.0) | dict.fromkeys(("box_x1", "box_y1"), 1.0)
        names = ("gender_female_p", "age_years", "age_q05", "age_q95")
        files = [record.id.removeprefix("fairface-") for record in read_records(self.folder)]
        return [
            {"source": f, **box, **dict(zip(names, row.tolist(), strict=True))}
            for f, row in zip(files, answers, strict=True)
        ]

    def scores(self, weights: Path | str) -> dict[str, str]:
        """The curve's measures, as cells ``value [low, high]``."""
        found = {s.measure: s for s in score_table(self.labels, self.rows(weights))}
        return {m: f"{found[m].value:.4f} [{found[m].low:.4f}, {found[m].high:.4f}]" for m in MEASURES}


def write_placed_part(folder: Path, out: Path, count: int) -> None:
    """Records of the first `count` pictures of a labelled folder, 0: of all."""
    write_placed("fairface_part", folder, out, count=count)


def points(given: argparse.Namespace) -> Iterator[Point]:
    """Every network of the curve, seeds last: the first one is complete before the second one starts."""
    for seed in range(given.seeds):
        for count in given.counts:
            for arm in ARMS:
                if count or (arm == "rendered" and seed == 0):  # none: the weights to start from, as they are
                    yield Point(count, arm, seed, 0 if given.minutes else given.steps, given.minutes, given.init,
                                tuple(given.data), given.photographs, given.heads, given.sample)  # fmt: skip


def add(row: Mapping[str, str], path: Path = TABLE) -> None:
    """Append one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*KEY, "date", "commit", "minutes", *MEASURES])
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def done(point: Point, rows: Sequence[Mapping[str, str]]) -> bool:
    return has_row(rows, point.key())


def run(given: argparse.Namespace) -> None:
    """Train and test whatever is missing."""
    missing = [point for point in points(given) if not done(point, read_table(given.table))]
    if not missing:
        return
    test = Test.of(given.test, given.work, given.sample)
    for point in missing:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=given.work) as place:
            weights: Path | str = point.init
            if point.count:
                weights = apart(train, configured(point, Path(place) / "run")) / "weights"
            facts = {"date": date.today().isoformat(), "commit": commit_of(ROOT)}
            found = test.scores(weights)
            row = point.key() | facts | {"minutes": f"{(time.monotonic() - began) / 60:.1f}"} | found
            add(row, given.table)
            print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)


def value(cell: str) -> float:
    return float(cell.partition(" ")[0])


def page(rows: Sequence[Mapping[str, str]], command: str) -> tuple[str, str]:
    """The page's text and its plot. Groups of rows with another budget, start or data stand apart."""
    lines = [
        f"# What labels are worth, {date.today().isoformat()}\n",
        f"`{command}`; every row, its interval over pictures and its commit: [label-curve.csv](label-curve.csv).\n",
        "`rendered` went on from weights learnt on rendered heads, with rendered heads and so many labelled "
        "photographs in the same batches; `alone` is the same network from nothing, on the photographs only, for the "
        "same budget. Tested on development photographs that nothing was fitted on; mean over seeds, the smallest, "
        "the largest and their number. With no photographs at all only `rendered` has an answer: that of the weights "
        "it starts from. A short budget shows each picture of the largest sets about once, so that the right end of "
        "the curves is what the steps allow and not what the labels hold; longer runs go further on both arms.",
    ]
    panels: list[Panel] = []
    for group in dict.fromkeys(tuple(r[name] for name in KIND) for r in rows):
        mine = [r for r in rows if tuple(r[name] for name in KIND) == group]
        counts = sorted({int(r["count"]) for r in mine})
        budget, init, data, heads, sample = group
        lines += ["", f"## {budget}, from {init or 'nothing'}, {heads} rendered heads of {data}, {sample} pictures", ""]
        lines += ["![label curve](../images/label-curve.svg)", ""]
        for measure in MEASURES:
            curves = []
            lines += [f"| {measure} | " + " | ".join(f"{c:,}" for c in counts) + " |", "|---" * (len(counts) + 1) + "|"]
            for arm in ARMS:
                known = {
                    c: [value(r[measure]) for r in mine if r["arm"] == arm and int(r["count"]) == c] for c in counts
                }
                cells = [
                    f"{np.mean(v):.3f} ({min(v):.3f} to {max(v):.3f}, {len(v)})" if v else "" for v in known.values()
                ]
                lines.append(f"| {arm} | " + " | ".join(cells) + " |")
                spots = [(k, float(np.mean(v)), min(v), max(v)) for k, v in enumerate(known.values()) if v]
                curves.append(Curve(arm, tuple(spots)))
            lines.append("")
            panels.append(Panel(measure, tuple(f"{c:,}" for c in counts), tuple(curves), "labelled photographs"))
    return "\n".join(lines) + "\n", figure(panels, 2)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", default="out/fairface", help="records of the labelled pictures")
    parser.add_argument("--test", type=Path, help="folder of test pictures with labels.csv")
    parser.add_argument("--data", nargs="+", default=["out/records"], help="records of rendered heads")
    parser.add_argument("--counts", type=lambda s: [int(c) for c in s.split(",")], default=[0, 100, 1000, 10000, 20000])
    parser.add_argument("--heads", type=int, default=8000, help="rendered heads that are read, 0: all")
    parser.add_argument("--sample", type=int, default=0, help="how many test pictures, the first ones; 0: all")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--minutes", type=float, default=0.0, help="wall time of each network instead of steps")
    parser.add_argument("--init", default="synthetic")
    parser.add_argument("--work", type=Path, default=ROOT / "runs")
    parser.add_argument("--table", type=Path, default=TABLE, help="the rows; the page goes beside it")
    parser.add_argument("--write", action="store_true", help="write the page and the plot from the table")
    return parser.parse_args()


def main() -> None:
    given = asked()
    torch.set_num_threads(1)
    if given.test is not None:
        given.work.mkdir(parents=True, exist_ok=True)
        run(given)
    elif not given.write:
        sys.exit("give --test FOLDER to train and test, or --write to write the page from the table")
    if given.write:
        text, plot = page(read_table(given.table), "python benchmarks/label_curve.py")
        image = given.table.parent.parent / "images" / "label-curve.svg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_text(plot, encoding="utf-8")
        out = given.table.parent / f"{date.today().isoformat()}-label-curve.md"
        out.write_text(text, encoding="utf-8")
        print(out)


if __name__ == "__main__":
    main()
