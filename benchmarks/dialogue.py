"""The dialogue room's small model: what each stage learns and forgets, what it knows of people it has never seen.

    python benchmarks/dialogue.py --run runs/dialogue --records out/records --limit 1500 [--ablated FOLDER] [--write]
    for s in nothing align instruct specialise; do
        omokage train dialogue.ablated --set data=out/records --set without=$s --set out=FOLDER/$s
    done

`--run` names the folder of a finished run (its log holds losses and scores of every stage), and of those that went on
from it. Of the people in `--records` only those are asked about of whom neither the encoder nor the language model has
seen a picture and on whom no temperature was found; `--everybody` keeps all, for records that no training has seen.
`--ablated` holds one run for each stage left out, all with the same number of steps. Questions are asked in wording
that training never used; each with its picture, without any, and with the picture of another person.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omokage.dialogue import evaluate
from omokage.dialogue.album import Album, read_albums
from omokage.dialogue.config import DataConfig
from omokage.dialogue.conversation import Example
from omokage.dialogue.predict import NativeModel
from omokage.dialogue.questions import Questioner
from omokage.dialogue.scoring import Score, by_task, score
from omokage.dialogue.train import use_of
from omokage.pipeline import Analyzer
from omokage.pipeline.dialogue import ask
from omokage.training.run import RunFolder, commit_of

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {"paraphrase": 0.88, "unseen_combination": 0.75, "unseen_attribute": 0.60}
TITLES = {
    "paraphrase": "trained attributes, new wording",
    "unseen_combination": "unseen combinations",
    "unseen_attribute": "unseen attributes in known words",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """One row of questions, three ways; tasks are of the answers with the picture."""

    own: Score
    without: Score
    other: Score
    tasks: dict[str, Score]
    unread: float


def held_out(model: NativeModel, album: Album, per: dict[str, int], spoken: int) -> dict[str, Answered]:
    """All three rows; `per` questions for each attribute, `spoken` of each row answered in words for parse failures."""
    found = {}
    for split in evaluate.SPLITS:
        examples = Questioner(album.truths, 29).measuring(split, per[split])
        ways = evaluate.three_ways(model, album, examples)
        sample: list[Example] = [examples[k] for k in np.random.default_rng(0).permutation(len(examples))[:spoken]]
        own, without, other = (score(ways[way]) for way in evaluate.WAYS)
        unread = evaluate.parse_failures(model, album, sample)
        found[split] = Answered(own, without, other, by_task(ways["with"]), unread)
    return found


def latency(model: NativeModel, album: Album, rounds: int = 20) -> dict[str, float]:
    """Median seconds of asking about a whole picture (the face is found, read and asked about, as `omokage ask` does),
    and, of a crop, of a yes/no question, a choice of seven and a description of 60 tokens."""
    crop, analyzer = album.crop(0, model.network.network), Analyzer()
    seven = ("neutral", "happy", "sad", "surprised", "afraid", "disgusted", "angry")
    acts: dict[str, Callable[[], object]] = {
        "`ask` about a picture, all of it": lambda: ask(
            album.codes[0], "Is the person smiling?", face=0, model=model, analyzer=analyzer
        ),
        "a yes/no question": lambda: model.choose(crop, "Is the person smiling?", ("yes", "no")),
        "a choice of seven": lambda: model.choose(crop, "What is the expression?", seven),
        "a description, at most 60 tokens": lambda: list(model.generate(crop, "Describe the person.", 60)),
    }
    found = {}
    for name, act in acts.items():
        act()
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)
        found[name] = float(np.median(times))
    return found


def stage_table(run: Path) -> list[str]:
    """Scores after every stage, from the run's log."""
    rows = RunFolder(run).rows()
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    value = {(row["stage"], row["measure"]): row for row in rows}
    lines = ["| measure | chance | " + " | ".join(stages) + " |", "|---|---|" + "---|" * len(stages)]
    for measure in measures:
        cells = [f"{value[s, measure]['value']:.3f}" if (s, measure) in value else "" for s in stages]
        first = next(value[s, measure] for s in stages if (s, measure) in value)
        lines.append(f"| {measure} (n {first['n']}) | {first['baseline']:.2f} | {' | '.join(cells)} |")
    return lines


def loss_table(run: Path, points: int = 6) -> list[str]:
    """Losses along each stage, a few points each."""
    lines = ["| stage | step | loss | questions | captions | scenes |", "|---|---|---|---|---|---|"]
    for folder in sorted(p for p in run.iterdir() if (p / "log.jsonl").is_file()):
        rows = RunFolder(folder).rows()
        for k in sorted({round(x) for x in np.linspace(0, len(rows) - 1, min(points, len(rows)))}):
            row = rows[k]
            cells = [f"{row[key]:.3f}" if key in row else "" for key in ("loss", "questions", "captions", "scenes")]
            lines.append(f"| {row['stage']} | {row['step']} | {' | '.join(cells)} |")
    return lines


def held_out_table(found: dict[str, Answered]) -> list[str]:
    lines = [
        "| questions | n | balanced accuracy (95 %) | F1 | asked for | no picture | other's picture | chance | "
        "calibration error | unread |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for split, a in found.items():
        s = a.own
        lines.append(
            f"| {TITLES[split]} | {s.count} | **{s.balanced:.3f}** ({s.low:.3f} to {s.high:.3f}) | {s.f1:.3f} | "
            f"{FLOORS[split]:.2f} | {a.without.balanced:.3f} | {a.other.balanced:.3f} | {s.chance:.2f} | "
            f"{s.calibration_error:.3f} | {a.unread:.3f} |"
        )
    return lines


def each_table(found: dict[str, Answered]) -> list[str]:
    lines = ["| attribute | balanced accuracy |", "|---|---|"]
    for split in ("paraphrase", "unseen_attribute"):
        for name, value in sorted(found[split].own.each.items(), key=lambda pair: -pair[1]):
            lines.append(f"| {name}{'' if split == 'paraphrase' else ' (unseen)'} | {value:.3f} |")
    return lines


def task_table(found: dict[str, Answered]) -> list[str]:
    lines = ["| task | n | balanced accuracy | chance |", "|---|---|---|---|"]
    for task, s in found["paraphrase"].tasks.items():
        lines.append(f"| {task} | {s.count} | {s.balanced:.3f} | {s.chance:.2f} |")
    return lines


def ablated_table(folder: Path) -> list[str]:
    """The last scores and losses of runs without one stage each."""
    names = [p.name for p in sorted(folder.iterdir()) if (p / "weights" / "dialogue.json").is_file()]
    last: dict[str, dict[str, str]] = {}
    for name in names:
        rows = RunFolder(folder / name).rows()
        end = rows[-1]["stage"]
        last[name] = {row["measure"]: _ranged(row) for row in rows if row["stage"] == end}
        stages = sorted(p for p in (folder / name).iterdir() if (p / "log.jsonl").is_file())
        tail = [row["questions"] for row in RunFolder(stages[-1]).rows()[-2:] if "questions" in row]
        last[name]["loss of questions at the end"] = f"{np.mean(tail):.3f}" if tail else ""
        last[name]["steps"] = str(sum(RunFolder(p).rows()[-1]["step"] for p in stages))
    measures = list(dict.fromkeys(m for values in last.values() for m in values))
    lines = ["| left out | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for measure in measures:
        lines.append(f"| {measure} | " + " | ".join(last[n].get(measure, "") for n in names) + " |")
    return lines


def _ranged(row: dict[str, Any]) -> str:
    return f"{row['value']:.3f} ({row['low']:.2f} to {row['high']:.2f})" if "low" in row else f"{row['value']:.3f}"


def page(args: argparse.Namespace, model: NativeModel, album: Album, command: str) -> str:
    per = {"paraphrase": args.questions, "unseen_combination": args.questions, "unseen_attribute": 4 * args.questions}
    found = held_out(model, album, per, args.spoken)
    times = latency(model, album)
    people = len({truth.person for truth in album.truths})
    kinds = ", ".join(f"{kind} {t:.2f}" for kind, t in model.temperature.items())
    parts: list[str] = [
        "# Asking about a face: the shipped small model",
        f"{date.today().isoformat()}, commit {commit_of() or 'unknown'}, {model.id}, one thread of a shared CPU. "
        f"Command: `{command}`.",
        "The encoder is the synthetic set's attributes network, which was trained on the labels of these attributes; "
        '"unseen" means that no training text spoke of them, not that the encoder never learnt them.',
        "## People never seen",
        f"{len(album)} rendered pictures of {people} people. Wording that training never used. Intervals over people.",
        *_block(held_out_table(found)),
        "Unread: share of answers in words that are none of the options offered. Temperatures by kind of question, "
        f'found on other held-out people: {kinds}; "other" is whatever was never trained, found on facts that are '
        "neither trained nor measured.",
        "## The five perception tasks, trained attributes in new wording",
        *_block(task_table(found)),
        "## Each attribute",
        *_block(each_table(found)),
    ]
    for k, run in enumerate(args.run):
        parts += ["## Stage by stage" + (", gone on" if k else "")]
        parts += ["General: scenes without a face, the same ones every time.", *_block(stage_table(run))]
        parts += ["Losses (mean over the logged steps before):", *_block(loss_table(run))]
    if args.ablated:
        parts += ["## One stage left out, its steps given to the others", *_block(ablated_table(args.ablated))]
    parts += ["## Time to answer, after loading", *_block(_times(times))]
    return "\n\n".join(parts) + "\n"


def _block(lines: Sequence[str]) -> list[str]:
    return ["\n".join(lines)]


def _times(times: dict[str, float]) -> list[str]:
    return ["| asked | median seconds |", "|---|---|", *(f"| {name} | {v:.3f} |" for name, v in times.items())]


def parsed() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs="*", type=Path, default=[])
    parser.add_argument("--weights", default="synthetic")
    parser.add_argument("--records", nargs="+", required=True)
    parser.add_argument("--everybody", action="store_true", help="no training has seen these records")
    parser.add_argument("--limit", type=int, default=1500)
    parser.add_argument("--questions", type=int, default=24, help="for each attribute or pair")
    parser.add_argument("--spoken", type=int, default=150)
    parser.add_argument("--ablated", type=Path)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def main() -> None:
    args = parsed()
    torch.set_num_threads(1)
    plan = DataConfig()
    keep = None if args.everybody else lambda person: use_of(person, plan) == "scored"
    album = read_albums(args.records, keep, args.limit)
    given = {
        k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in vars(args).items() if k != "write" and v
    }
    shown = " ".join(f"--{k}" if v is True else f"--{k} {v}" for k, v in given.items())
    text = page(args, NativeModel(args.weights, "cpu"), album, f"python benchmarks/dialogue.py {shown}")
    if args.write:
        out = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-dialogue.md"
        out.write_text(text, encoding="utf-8")
        print(out)
    else:
        print(text)


if __name__ == "__main__":
    main()
