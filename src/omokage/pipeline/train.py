"""Fit the check that tells faces from false finds (`pipeline.check`) on rendered scenes of people nobody trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.faces.canvas import FaceScene
from omokage.faces.config import FinderConfig, scene_source
from omokage.faces.detect import Limits, NetworkFinder
from omokage.metrics.classification import area_under_curve
from omokage.metrics.logistic import fit_logistic, probability
from omokage.pipeline.check import EVIDENCE, FaceCheck, evidence
from omokage.pipeline.config import AnalyzerConfig
from omokage.pipeline.reader import looks
from omokage.results import Box
from omokage.training.ranges import check_ranges
from omokage.training.run import commit_of
from omokage.weights.registry import Card, save


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """`records` are folders of rendered heads of people that neither network was trained on; `backdrops` as in the
    finder's. `false_share` of the scenes without a head may keep a false face.
    """

    records: tuple[str, ...]
    backdrops: str = ""
    weights: str = "synthetic"  # the set whose finder and attribute network are checked
    out: str = "runs/check"
    scenes: int = 500  # of each kind: with faces, with heads whose face is gone, without a head
    size: int = 256
    large: int = 480  # side of the scenes without a head
    bank: int = 200
    proposals: float = 0.2
    false_share: float = 0.01
    seed: int = 31
    recipe: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Evidence of every proposal (n, 6), whether it is a face (n,), and the scene that it is in (n,)."""

    evidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    scene: NDArray[np.int64]


def train(config: CheckConfig) -> Path:
    """Fit and choose the limit on half of the scenes, score on the other half; returns the folder of the card."""
    check_ranges(config)
    torch.set_num_threads(1)
    finder = NetworkFinder(config.weights, limits=Limits(config.proposals, config.proposals))
    predictor = AttributePredictor(config.weights)
    near, far = (_source(config, side) for side in (config.size, config.large))
    kinds: list[tuple[Callable[..., FaceScene], int]] = [(near.draw, 1), (near.without_faces, 2), (far.empty, 3)]
    halves: list[list[Looked]] = [[], []]
    for draw, kind in kinds:
        for half in (0, 1):
            seeds = [(config.seed, kind, half, k) for k in range(config.scenes // 2)]
            scenes = [draw(np.random.default_rng(seed)) for seed in seeds]
            halves[half].append(look(finder, predictor, scenes))
    line = fit_line(halves[0])
    check = FaceCheck(line, 0.5, config.proposals)
    limit = limit_for(check, halves[0][2], config.scenes // 2, config.false_share)
    scores = _scores(FaceCheck(line, limit, config.proposals), halves[1], config.scenes // 2)
    card = Card(
        model="check", set=predictor.card.set, architecture={"evidence": list(EVIDENCE)},
        preprocessing={"of": [finder.card.id, predictor.card.id]},
        calibration={"limit": limit, "proposals": config.proposals, "false_share": config.false_share},
        recipe=config.recipe, commit=commit_of(), made=date.today().isoformat(),
        trained_on=f"{3 * config.scenes // 2} composed scenes of rendered, held-out people; no photograph",
        licences={"code": "Apache-2.0", "weights": "Apache-2.0", "training_data": "rendered by omokage, CC0 geometry"},
        scores=scores, limits=["Belongs to the two networks that it names: fit it again when one of them changes."],
    )  # fmt: skip
    save(Path(config.out), {"line": torch.from_numpy(line)}, card)
    return Path(config.out)


def _source(config: CheckConfig, size: int) -> Any:
    return scene_source(
        FinderConfig(records=(), held_out=config.records, backdrops=config.backdrops, size=size, bank=config.bank,
                     seed=config.seed),
        held_out=True,
    )  # fmt: skip


def look(finder: NetworkFinder, predictor: AttributePredictor, scenes: Sequence[FaceScene]) -> Looked:
    """Everything that is proposed on the scenes, looked at twice; proposals on faces that do not count are left out."""
    rows: list[NDArray[np.float64]] = []
    right: list[bool] = []
    owner: list[int] = []
    for index, scene in enumerate(scenes):
        faces, uncounted = ([Box(*map(float, box)) for box in boxes] for boxes in (scene.boxes, scene.ignored))
        for detection, first, second in looks([scene.image], finder, predictor, AnalyzerConfig())[0]:
            known = evidence(detection, first, second)
            if known is None or any(detection.box.iou(box) > 0.2 for box in uncounted):
                continue
            rows.append(known)
            right.append(any(detection.box.iou(box) >= 0.4 for box in faces))
            owner.append(index)
    return Looked(np.array(rows).reshape(-1, len(EVIDENCE)), np.array(right, bool), np.array(owner, np.int64))


def fit_line(parts: Sequence[Looked], pull: float = 1.0, steps: int = 60) -> NDArray[np.float64]:
    """Logistic regression (7,) by Newton steps, with a small pull of the weights towards 0 in standard units."""
    x = np.concatenate([part.evidence for part in parts])
    y = np.concatenate([part.right for part in parts])
    mean, spread = x.mean(0), x.std(0) + 1e-9
    inputs = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    weights = fit_logistic(inputs, y, [0.0] * inputs.shape[1], [pull] * x.shape[1] + [1e-3], steps, stride=2)
    line = weights[:-1] / spread
    return np.append(line, weights[-1] - line @ mean)


def chances(check: FaceCheck, part: Looked) -> NDArray[np.float64]:
    """The check's probability of each proposal (n,)."""
    return probability(part.evidence @ check.line[:-1] + check.line[-1])


def limit_for(check: FaceCheck, faceless: Looked, scenes: int, share: float) -> float:
    """The lowest limit, not below one half, at which at most `share` of the face-free scenes keep a false face."""
    best = np.zeros(scenes)
    np.maximum.at(best, faceless.scene, chances(check, faceless))
    allowed = int(share * scenes)
    return max(0.5, float(np.sort(best)[::-1][allowed]) + 1e-6)


def _scores(check: FaceCheck, parts: Sequence[Looked], scenes: int) -> list[Mapping[str, Any]]:
    """The card's rows on the half that nothing was fitted on."""
    p = np.concatenate([chances(check, part) for part in parts])
    y = np.concatenate([part.right for part in parts])
    kept = chances(check, parts[2]) >= check.limit
    wrong = len(set(parts[2].scene[kept].tolist())) / scenes
    rows = [
        ("proposals told apart, AUC", area_under_curve(p, y), len(y), 0.5),
        ("faces kept", float((p[y] >= check.limit).mean()), int(y.sum()), 1.0),
        ("false proposals kept", float((p[~y] >= check.limit).mean()), int((~y).sum()), 1.0),
        ("scenes without a head that keep a false face", wrong, scenes, len(set(parts[2].scene.tolist())) / scenes),
    ]
    common = {"set": "composed scenes, held-out people", "date": date.today().isoformat()}
    return [
        {"measure": name, "value": round(value, 4), "n": n, "baseline": round(base, 4), **common}
        for name, value, n, base in rows
    ]
