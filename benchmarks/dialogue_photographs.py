"""Asking about photographs: smile, eyeglasses, perceived gender, expression, beside what the specialist answers.

    python benchmarks/dialogue_photographs.py FOLDER --model runs/dialogue/weights --count 200 --write

FOLDER holds labelled sets: `mtfl_train` (gender, smile, glasses), `genki_part` (smile), `fairface_train` (gender),
`muxspace` (emotion), each with `images/` and `labels.csv`. Nothing is fitted on photographs, and the wording was fixed
before the first answer. A face that was not found counts as wrong, an answer that was withheld too; `without` asks the
same without the picture. `--write` adds the dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omokage.dialogue.checking import choice
from omokage.dialogue.conversation import Asked, DialogueModel
from omokage.dialogue.reply import YES_NO, closed_answer
from omokage.dialogue.scoring import Given, score
from omokage.media.sources import Source
from omokage.metrics.classification import area_under_curve
from omokage.pipeline import Analyzer
from omokage.pipeline.dialogue import Look, look_of, open_model
from omokage.training.run import commit_of

ROOT = Path(__file__).parents[1]
EXPRESSIONS = ("neutral", "happy", "sad", "surprised", "afraid", "disgusted", "angry")
_WORDS = {"neutral": "neutral", "happiness": "happy", "sadness": "sad", "surprise": "surprised", "fear": "afraid",
          "disgust": "disgusted", "anger": "angry"}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One question, asked of one set: the column that holds the truth, and what its values mean as options."""

    set: str
    attribute: str
    column: str
    question: str
    options: tuple[str, ...]
    truth: dict[str, str]


_ASK_GENDER = "Does the person look female or male?"
_GENDER = {"female": "female", "male": "male"}
TASKS = (
    Task("genki_part", "smile", "smile", "Is the person smiling?", YES_NO, {"1": "yes", "0": "no"}),
    Task("mtfl_train", "smile", "smile", "Is the person smiling?", YES_NO, {"1": "yes", "0": "no"}),
    Task("mtfl_train", "eyeglasses", "glasses", "Is the person wearing glasses?", YES_NO, {"1": "yes", "0": "no"}),
    Task("mtfl_train", "perceived gender", "gender", _ASK_GENDER, ("female", "male"), _GENDER),
    Task("fairface_train", "perceived gender", "gender", _ASK_GENDER, ("female", "male"), _GENDER),
    Task("muxspace", "expression", "emotion", "What is the expression?", EXPRESSIONS, _WORDS),
)  # fmt: skip


def labelled(folder: Path, task: Task, count: int, seed: int) -> list[dict[str, str]]:
    """At most `count` rows of a set, as many of each class as there are, in random order."""
    with (folder / task.set / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row[task.column] in task.truth]
    rng = np.random.default_rng(seed)
    rows = [rows[i] for i in rng.permutation(len(rows))]
    classes = sorted({row[task.column] for row in rows})
    each = count // len(classes)
    return [row for c in classes for row in [r for r in rows if r[task.column] == c][:each]]


def measured(
    folder: Path, task: Task, model: DialogueModel, analyzer: Analyzer, count: int, seed: int
) -> dict[str, Any]:
    """The scores of one question on one set."""
    rows = labelled(folder, task, count, seed)
    sources = [Source(str(folder / task.set / row["file"])) for row in rows]
    looks = [look_of(reading, model, 0 if reading.faces else None)
             for reading in analyzer.analyze_many(sources, crops=False, keep_pixels=True)]  # fmt: skip
    true = [task.truth[row[task.column]] for row in rows]
    people = [row.get("person") or row["file"] for row in rows]
    started = time.perf_counter()
    given = asked(looks, true, people, task, model)
    spent = time.perf_counter() - started
    out: dict[str, Any] = {"set": task.set, "attribute": task.attribute, "question": task.question, "n": len(rows)}
    out |= {"found": float(np.mean([look.crop is not None for look in looks])), "seconds a question": spent / len(rows)}
    out |= {who: _summary(answers) for who, answers in given.items()}
    if task.options == YES_NO:
        shown = [k for k, g in enumerate(given["by asking"]) if g.said is not None]
        yes = [given["by asking"][k] for k in shown]
        p = [g.probability if g.said == "yes" else 1 - g.probability for g in yes]
        out["AUC by asking"] = area_under_curve(p, [g.true == "yes" for g in yes])
    kept = [g for g in given["checked"] if not g.abstained and g.said is not None]
    out["checked, of what was answered"] = float(np.mean([g.true == g.said for g in kept])) if kept else None
    return out


def _summary(answers: Sequence[Given]) -> dict[str, float]:
    found = asdict(score(answers))
    return {k: v for k, v in found.items() if k != "each"}


def asked(
    looks: Sequence[Look], true: Sequence[str], people: Sequence[str], task: Task, model: DialogueModel
) -> dict[str, list[Given]]:
    """The answers by asking, without the picture, by the specialist alone, and by asking with its check."""
    given: dict[str, list[Given]] = {name: [] for name in ("by asking", "without", "specialist", "checked")}
    blind = model.choose(None, task.question, task.options)
    for look, right, person in zip(looks, true, people, strict=True):
        common: dict[str, Any] = {"attribute": task.attribute, "true": right, "person": person}
        given["without"].append(Given(said=task.options[int(blind.argmax())], probability=float(blind.max()), **common))
        if look.crop is None or look.face is None:
            for name in ("by asking", "specialist", "checked"):
                given[name].append(Given(said=None, **common))
            continue
        p = model.choose_many([Asked(look.crop, task.question, task.options)])[0]
        answer = closed_answer("", task.question, task.options, [float(v) for v in p], look.face, model.id)
        best = task.options[int(p.argmax())]
        given["by asking"].append(Given(said=best, probability=float(p.max()), **common))
        given["checked"].append(Given(said=best, probability=float(p.max()), abstained=answer.abstained, **common))
        given["specialist"].append(_specialist(look, task, common))
    return given


def _specialist(look: Look, task: Task, common: dict[str, Any]) -> Given:
    """The attributes network's own answer."""
    assert look.face is not None
    if task.attribute in ("smile", "eyeglasses"):
        yes = look.face.attributes["smiling" if task.attribute == "smile" else "eyeglasses"]
        return Given(said="yes" if yes >= 0.5 else "no", probability=max(yes, 1 - yes), **common)
    classes = choice(look.face, "gender" if task.attribute == "perceived gender" else "expression") or {}
    best = max(classes, key=lambda name: classes[name])
    return Given(said=_WORDS.get(best, best), probability=classes[best], **common)


def page(results: Sequence[dict[str, Any]], about: dict[str, str]) -> str:
    """The measurement as a page."""
    lines = [
        f"# Asking about photographs, {about['date']}", "",
        f"`{about['command']}`, commit {about['commit']}, model {about['model']}, specialist {about['specialist']}, "
        f"{about['machine']}, one thread. Development photographs: they entered no training, threshold or calibration. "
        "As many pictures of each class as the set has, up to the count; the wording was fixed beforehand. A face that "
        "was not found counts as wrong; intervals are bootstrapped over people.", "",
        "| set | question | n | found | balanced accuracy by asking | 95 % | specialist | 95 % | without the picture "
        "| chance |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in results:
        ask, own, blind = r["by asking"], r["specialist"], r["without"]
        lines.append(
            f"| {r['set']} | {r['question']} | {r['n']} | {r['found']:.3f} | {ask['balanced']:.3f} | {ask['low']:.3f} "
            f"to {ask['high']:.3f} | {own['balanced']:.3f} | {own['low']:.3f} to {own['high']:.3f} | "
            f"{blind['balanced']:.3f} | {ask['chance']:.3f} |"
        )
    lines += ["", "With the check: how many questions were left unanswered because the probability was low or the two "
              "disagreed, and how often the rest is right.", "",
              "| set | question | left unanswered | right, of what was answered | right by asking, all | AUC | F1 | "
              "calibration error | ms a question |", "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for r in results:
        ask, kept, auc = r["by asking"], r["checked, of what was answered"], r.get("AUC by asking")
        lines.append(
            f"| {r['set']} | {r['question']} | {r['checked']['abstentions']:.3f} | "
            f"{'' if kept is None else f'{kept:.3f}'} | {ask['accuracy']:.3f} | "
            f"{'' if auc is None else f'{auc:.3f}'} | {ask['f1']:.3f} | "
            f"{ask['calibration_error']:.3f} | {1000 * r['seconds a question']:.0f} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="weights folder, or a Hugging Face folder or id; default: the shipped model")
    parser.add_argument("--weights", help="the set that finds, aligns and answers beside it")
    parser.add_argument("--count", type=int, default=200, help="pictures a question")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="write the dated page")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, analyzer = open_model(args.model), Analyzer(args.weights)
    results = []
    for task in TASKS:
        results.append(measured(args.folder, task, model, analyzer, args.count, args.seed))
        print(json.dumps(results[-1], indent=1), flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if args.write:
        words = [
            Path(sys.argv[0]).name,
            "FOLDER",
            f"--count {args.count}",
            *([f"--model {args.model}"] if args.model else []),
        ]
        about = {
            "date": date.today().isoformat(), "command": "python benchmarks/" + " ".join(words), "model": model.id,
            "commit": commit_of()[:10], "machine": platform.machine(), "specialist": analyzer.describe()["attributes"],
        }  # fmt: skip
        out = ROOT / "docs" / "benchmarks" / f"{about['date']}-dialogue-photographs.md"
        out.write_text(page(results, about), encoding="utf-8")
        print(f"written: {out}")


if __name__ == "__main__":
    main()
