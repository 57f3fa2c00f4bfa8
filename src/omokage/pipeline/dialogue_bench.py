"""Published benchmarks of questions about faces, answered by a dialogue model and scored exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from omokage.data.records import read_shard, shards
from omokage.dialogue.conversation import DialogueModel
from omokage.dialogue.published import Question, Trained, contaminated, read_facebench, read_facexbench
from omokage.dialogue.scoring import Given, Score, by_task, score
from omokage.errors import InputError
from omokage.media.image import read_image
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.dialogue import chosen


@dataclass(frozen=True, slots=True)
class BenchScore:
    """Scores over the questions that were asked, overall and by category; and why others were left out."""

    asked: Score
    categories: dict[str, Score]
    skipped: dict[str, int]
    trained_on: int  # questions left out because their pictures were trained on
    accuracy_of_all: float  # what was left out unanswered (refused, several pictures, open) counts as wrong


def read_bench(path: Path, pictures: Path | None = None) -> list[Question]:
    """FaceXBench from its folder, or FaceBench from its ``.jsonl`` (pictures below `pictures`, else beside the file).
    Raises InputError."""
    if path.is_file() and path.suffix == ".jsonl":
        return list(read_facebench(path, pictures or path.parent))
    return list(read_facexbench(path))


def answered(
    questions: Sequence[Question], model: DialogueModel, analyzer: Analyzer | None, trained_on: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BenchScore:  # fmt: skip
    """Ask all questions that have options and one picture. The face is cut out where one is found, else the whole
    picture is shown. Raises InputError when nothing is left to ask."""
    skipped: dict[str, int] = {}
    for q in questions:
        if q.skipped:
            skipped[q.skipped] = skipped.get(q.skipped, 0) + 1
    open_ = [q for q in questions if not q.skipped]
    known = set(contaminated(open_, _trained(trained_on))) if trained_on is not None else set()
    asked = [q for q in open_ if q.id not in known]
    if not asked:
        raise InputError("no question is left to ask: all are refused, open, about several pictures, or trained on")
    given = []
    for count, q in enumerate(asked, 1):
        pixels = read_image(q.images[0])
        faces = analyzer(pixels) if analyzer is not None else []
        crop = chosen(q.id, pixels, faces, model, 0).crop if faces else pixels
        p = model.choose(crop, q.text, q.options)
        best = int(p.argmax())
        given.append(Given(q.category, q.answers[0], q.options[best], float(p[best]), task=q.category, person=q.id))
        if progress:
            progress(count, len(asked))
    right = sum(g.true == g.said for g in given)
    return BenchScore(score(given), by_task(given), skipped, len(known), right / max(len(questions) - len(known), 1))


def _trained(folder: Path) -> Trained:
    """The pictures of a record folder."""
    return Trained(row for path in shards(folder) for row in read_shard(path, ("image",))["image"].to_pylist())
