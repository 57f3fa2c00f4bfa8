"""What few real labels are worth on the shipped network, and whether getting used to pictures without labels helps.

    python benchmarks/adapt.py --sets FOLDER --work FOLDER [--part labels|scratch|unlabelled] [--pictures N] [--write]

`--sets` holds ``mtfl_train`` (perceived gender, smile, glasses) and ``muxspace`` (six expressions), each with a
``labels.csv``. **labels**: probes and fine-tuned dense layers from 50, 200 and 1,000 labels, tested on people that no
draw has seen, beside the shipped answer (measured only) and a constant. **scratch**: a small network that knows nothing
but the same labels. **unlabelled**: `omokage adapt --unlabelled` on shifted pictures. Crops and features stay in
`--work`; finished parts are kept there and `--write` makes the dated page of them.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adapt_page import write_page
from adapt_unlabelled import unlabelled_part
from omokage.attributes.model import SubNetwork
from omokage.attributes.predict import AttributePredictor
from omokage.explain.adapt import Plan, best_fit, codes_of
from omokage.explain.labels import Label
from omokage.metrics.bootstrap import interval
from omokage.metrics.classification import area_under_curve, balanced_accuracy
from omokage.metrics.labels import read_labels
from omokage.nn.pictures import normalise
from omokage.nn.trunk import ResidualTrunk
from omokage.pipeline import Analyzer
from omokage.pipeline.adapt_features import Seen, read_faces_of, see
from omokage.pipeline.adapt_network import BranchTuner
from omokage.training.run import commit_of
from omokage.training.schedule import rate_at, set_rate

ROOT = Path(__file__).resolve().parents[1]

Floats = NDArray[np.float64]
SIZES, DRAWS, TEST = (50, 200, 1000), 3, 0.45
# task: (set, column, the shipped attribute, words of the column for its "yes" or classes)
TASKS: Mapping[str, tuple[str, str, str]] = {
    "perceived gender": ("mtfl_train", "gender", "perceived_gender"),
    "smile": ("mtfl_train", "smile", "smiling"),
    "glasses": ("mtfl_train", "glasses", "eyeglasses"),
    "expression": ("muxspace", "emotion", "expression"),
}
_SIDE, _SCRATCH_STEPS = 64, {50: 150, 200: 200, 1000: 400}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Pictures of one set: label rows, crops, features."""

    rows: list[dict[str, str]]
    crops: NDArray[np.uint8]
    landmarks: Floats
    seen: Seen

    @property
    def people(self) -> list[str]:
        return [row.get("person") or row["file"] for row in self.rows]


def part_of(folder: Path, work: Path, limit: int, analyzer: Analyzer) -> Part:
    """The found faces of at most `limit` pictures, from the work folder when an earlier run left them there."""
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    rows = read_labels(folder / "labels.csv")
    cache = work / f"{folder.name}-{limit}-{predictor.card.sha256[:8]}-views.npz"
    if limit < len(rows):
        rows = [rows[k] for k in sorted(np.random.default_rng(0).permutation(len(rows))[:limit])]
    if not cache.is_file():
        faces = read_faces_of(analyzer, [folder / row["file"] for row in rows])
        seen = see(predictor, faces.views, "dense")
        assert seen.maps is not None
        np.savez(cache, kept=np.array(faces.kept), crops=faces.crops, landmarks=faces.landmarks,
                 maps=seen.maps.numpy(), **{f"h {n}": v for n, v in seen.hidden.items()})  # type: ignore[arg-type]  # fmt: skip
    with np.load(cache) as kept:
        hidden = {name[2:]: kept[name].astype(np.float64) for name in kept.files if name.startswith("h ")}
        seen = Seen(hidden, torch.from_numpy(kept["maps"]))
        return Part([rows[int(k)] for k in kept["kept"]], kept["crops"], kept["landmarks"], seen)


def label_of(part: Part, task: str) -> Label:
    column = TASKS[task][1]
    words = [row[column] for row in part.rows]
    rows = np.array([k for k, word in enumerate(words) if word], np.int64)
    return Label(column, "nominal", rows, np.array([words[k] for k in rows]), tuple(sorted({w for w in words if w})))


def halves(part: Part, label: Label) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the label for learning and for testing: no person is in both."""
    people = np.array([part.people[k] for k in label.rows])
    order = np.random.default_rng(1).permutation(np.unique(people))
    tested = np.isin(people, order[: round(TEST * len(order))])
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def shipped(part: Part, task: str, label: Label, predictor: AttributePredictor) -> Floats:
    """What the shipped network answers (n, classes), in the order of the label's classes."""
    name = TASKS[task][2]
    category = predictor.schema[name].category
    reader = predictor.model.categories[category]
    assert isinstance(reader, SubNetwork)
    members = predictor.model.members[category]
    first = sum(predictor.model.widths[m] for m in members[: members.index(name)])
    with torch.no_grad():
        raw = reader.heads(torch.from_numpy(part.seen.hidden[category]).float()).double().numpy()
    raw = raw[:, first : first + predictor.model.widths[name]]
    if raw.shape[1] == 1:
        yes = 1 / (1 + np.exp(-raw))
        both = np.concatenate([1 - yes, yes], 1)  # male, female; 0, 1
        return np.asarray(both[:, ::-1] if label.classes[0] == "female" else both)
    known = predictor.schema[name].classes
    return np.asarray(raw[:, [known.index(c) for c in label.classes]])


def judged(label: Label, rows: NDArray[np.int64], answers: Sequence[Floats], people: Sequence[str]) -> dict[str, Any]:
    """Mean accuracy over the classes (and area under the curve, where there are two) of several draws on the same test
    pictures, with the interval over people."""
    true = codes_of(label)[rows]
    said = np.stack([a.argmax(1) for a in answers], 1)

    def score(s: NDArray, t: NDArray) -> float:
        return float(np.mean([balanced_accuracy(s[:, k], t) for k in range(s.shape[1])]))

    low, high = interval(score, said, true, groups=[people[k] for k in label.rows[rows]], draws=200)
    found = {"value": score(said, true), "low": low, "high": high, "n": len(rows), "draws": len(answers)}
    if len(label.classes) > 2:
        return found
    second = np.stack([a[:, 1] for a in answers], 1)

    def curve(s: NDArray, t: NDArray) -> float:
        return float(np.mean([area_under_curve(s[:, k], t == 1) for k in range(s.shape[1])]))

    low, high = interval(curve, second, true, groups=[people[k] for k in label.rows[rows]], draws=200)
    return found | {"curve": curve(second, true), "curve_low": low, "curve_high": high}


def draws_of(train: NDArray[np.int64], size: int, count: int) -> list[NDArray[np.int64]]:
    """`count` random parts of the learning half; one where it takes (nearly) all of it."""
    if size >= 0.9 * len(train):
        return [train]
    return [np.random.default_rng((7, size, k)).permutation(train)[:size] for k in range(count)]


def labels_part(parts: Mapping[str, Part], predictor: AttributePredictor) -> Iterator[dict[str, Any]]:
    for task, (name, _, _) in TASKS.items():
        part = parts[name]
        label, people = label_of(part, task), part.people
        train, test = halves(part, label)
        where = label.rows[test]
        facts = {"task": task, "classes": len(label.classes)}
        answers = shipped(part, task, label, predictor)[where]
        yield facts | {"method": "shipped", "labels": 0} | judged(label, test, [answers], people)
        for size in SIZES:
            found: dict[str, list[Floats]] = {"probe": [], "landmarks": [], "fine-tuned": []}
            chosen = draws_of(train, size, DRAWS)
            for k, rows in enumerate(chosen):
                fit = best_fit(part.seen.hidden, label, rows, people, Plan())
                found["probe"].append(fit.answer(part.seen.hidden, where))
                shapes = {"landmarks": part.landmarks.reshape(len(part.landmarks), -1)}
                simple = best_fit(shapes, label, rows, people, Plan())
                found["landmarks"].append(simple.answer(shapes, where))
                if k == 0 and part.seen.maps is not None:
                    tuner = BranchTuner(predictor, label, part.seen.hidden, part.seen.maps, False, people)
                    found["fine-tuned"].append(tuner(rows, fit)(where))
            for method, said in found.items():
                yield facts | {"method": method, "labels": len(chosen[0])} | judged(label, test, said, people)


class Scratch(nn.Module):
    """A residual trunk of half the shipped width, pooled, one linear head for each task."""

    def __init__(self, classes: Sequence[int]) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(12, (24, 48, 96), (2, 2, 2))
        self.heads = nn.ModuleList(nn.Linear(96, k) for k in classes)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        pooled = self.trunk(pictures).mean((2, 3))
        return [head(pooled) for head in self.heads]


def scratch_part(parts: Mapping[str, Part]) -> Iterator[dict[str, Any]]:
    """All tasks of a set at once, by one network: two are learnt at the price of one."""
    for name in dict.fromkeys(t[0] for t in TASKS.values()):
        part, tasks = parts[name], [t for t, facts in TASKS.items() if facts[0] == name]
        labels = {task: label_of(part, task) for task in tasks}
        first = labels[tasks[0]]
        train, test = halves(part, first)  # every picture of these sets has every label
        pictures = np.stack([cv2.resize(c, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for c in part.crops])
        x = normalise(torch.from_numpy(pictures))
        y = [torch.from_numpy(codes_of(labels[task])) for task in tasks]
        for size in SIZES:
            rows = draws_of(train, size, 1)[0]
            network = learnt_from_scratch(x, y, rows, _SCRATCH_STEPS[size])
            with torch.inference_mode():
                said = [sum(v) for v in zip(network(x[test]), network(x[test].flip(3)), strict=True)]
            for task, raw in zip(tasks, said, strict=True):
                facts = {"task": task, "classes": len(labels[task].classes), "method": "from scratch"}
                answers = torch.softmax(raw.double() / 2, 1).numpy()
                yield facts | {"labels": len(rows)} | judged(labels[task], test, [answers], part.people)


def learnt_from_scratch(x: Tensor, y: Sequence[Tensor], rows: NDArray[np.int64], steps: int) -> Scratch:
    torch.manual_seed(0)
    network = Scratch([int(t.max()) + 1 for t in y]).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        some = torch.from_numpy(rows)[torch.randint(len(rows), (16,), generator=generator)]
        batch = torch.roll(x[some], [int(v) for v in torch.randint(-4, 5, (2,), generator=generator)], (2, 3))
        batch = batch.flip(3) if torch.rand((), generator=generator) < 0.5 else batch
        set_rate(optimizer, rate_at(step / steps, step, 3e-3, 20))
        optimizer.zero_grad()
        said = network(batch * (1 + 0.2 * torch.randn((16, 1, 1, 1), generator=generator)))
        loss = sum(nn.functional.cross_entropy(s, t[some]) for s, t in zip(said, y, strict=True))
        loss.backward()  # type: ignore[union-attr]
        optimizer.step()
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--part", choices=("labels", "scratch", "unlabelled", "none"), action="append")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    wanted = given.part or ["labels", "scratch", "unlabelled"]
    analyzer = Analyzer(device="cpu")
    predictor = analyzer.predictor
    assert isinstance(predictor, AttributePredictor)
    for name in wanted:
        if name == "none":
            continue
        began, rows = time.process_time(), []
        sets = ("mtfl_train",) if name == "unlabelled" else tuple(dict.fromkeys(t[0] for t in TASKS.values()))
        parts = {s: part_of(given.sets / s, given.work, given.pictures, analyzer) for s in sets}
        if name == "unlabelled":
            found = unlabelled_part(parts[sets[0]].rows, parts[sets[0]].crops, predictor)
        else:
            found = labels_part(parts, predictor) if name == "labels" else scratch_part(parts)
        for row in found:
            print(json.dumps(row), flush=True)
            rows.append(row)
        facts = {"commit": commit_of(ROOT), "seconds": time.process_time() - began, "weights": predictor.card.id}
        (given.work / f"{name}.json").write_text(json.dumps({"rows": rows, **facts}, indent=1))
    if given.write:
        machine = f"{platform.machine()}, {platform.system()}, one core"
        print(write_page(given.work, ROOT, f"python benchmarks/adapt.py --sets SETS --work WORK --pictures "
                         f"{given.pictures}", date.today(), machine))  # fmt: skip


if __name__ == "__main__":
    main()
