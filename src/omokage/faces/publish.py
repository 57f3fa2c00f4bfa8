"""From a trained network to weights with a card: calibrate the score, choose the threshold, measure, save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omokage.faces.canvas import FaceScene
from omokage.faces.config import ARCHITECTURE, FinderConfig, scene_source
from omokage.faces.detect import Limits, NetworkFinder
from omokage.faces.evaluate import SceneScores, candidates, false_faces, score_scenes, threshold_for
from omokage.faces.network import STRIDES, FinderNet
from omokage.faces.scenes import SceneSource
from omokage.metrics.logistic import fit_logistic
from omokage.training.run import commit_of
from omokage.weights.registry import Card, save

# Of the face-free scenes, which are harder than most photographs, this share may get a false face. A second look at
# the crop (the attribute network's quality) takes most of those away again; a missed face is lost for good.
FALSE_SHARE = 0.045
FILLING_SHARE = 0.6  # of the false faces may be boxes that fill the picture
SCENES = 500  # of each kind to choose and as many others to measure
LARGE = 5  # face-free scenes measure this many halves of a training scene: a photograph has many places to err
_FLOOR = 0.05
LIMITS = (
    "Trained on rendered heads only: recall on photographs differs from the rendered scores and must be measured.",
    "Finds faces, not people: backs of heads and faces turned beyond profile are not found.",
    "Not for surveillance or for identifying anyone.",
)


def publish(config: FinderConfig, net: FinderNet, folder: Path, source: SceneSource | None = None) -> Card:
    """Write ``finder.safetensors`` and its card; scale, threshold and scores come from scenes of held-out people, those
    of the training's size out of `source` where it is at hand."""
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    source = source or scene_source(config, held_out=True)
    large = scene_source(replace(config, size=LARGE * config.size // 2, bank=config.bank // 4 + 1), held_out=True)
    fit, test, empty, test_empty = (
        [draw(np.random.default_rng((config.seed, kind, k))) for k in range(SCENES)]
        for kind, draw in enumerate((source.draw, source.draw, large.empty, large.empty), 10)
    )
    finder = NetworkFinder.of(net, Limits(_FLOOR, _FLOOR))
    slope, shift = fit_line(*candidates(finder, fit))
    finder.line = (slope, shift)
    finder.limits = chosen_limits(finder, empty)
    scores = score_scenes(finder, test)
    false = false_faces(finder, [scene.image for scene in test_empty])
    card = Card(
        model="finder", set=config.set,
        architecture={"widths": list(ARCHITECTURE[0]), "pyramid": ARCHITECTURE[1], "strides": list(STRIDES)},
        preprocessing={"scale": "RGB / 255", "views": "see faces.detect", "training_scene": config.size},
        calibration={**asdict(finder.limits), "slope": slope, "shift": shift, "false_share": FALSE_SHARE},
        recipe=config.recipe, commit=commit_of(), made=date.today().isoformat(), trained_on=config.trained_on,
        licences={"code": "Apache-2.0", "weights": "Apache-2.0", "training_data": "rendered by omokage, CC0 geometry"},
        scores=score_rows(scores, false), limits=list(LIMITS),
    )  # fmt: skip
    return save(folder, state, card)


def chosen_limits(finder: NetworkFinder, empty: Sequence[FaceScene]) -> Limits:
    """The lowest limits at which both kinds of box together give false faces on at most `FALSE_SHARE` of the scenes."""
    never = 2.0
    finder.limits = Limits(_FLOOR, never)
    filling = threshold_for(finder, empty, FALSE_SHARE * FILLING_SHARE, _FLOOR)
    finder.limits = Limits(never, _FLOOR)
    return Limits(filling, threshold_for(finder, empty, FALSE_SHARE * (1 - FILLING_SHARE), _FLOOR))


def score_rows(scores: SceneScores, false: Sequence[int]) -> list[Mapping[str, Any]]:
    """The card's rows: found rate in all and by size of the face, wrong boxes, false faces on face-free scenes."""
    wrong = float(np.mean([count > 0 for count in false]))
    measured = [("faces found", scores.found, scores.faces)]
    measured += [(f"faces found, {size} px", share, n) for size, (share, n) in scores.by_size.items()]
    measured += [("wrong boxes a scene", scores.wrong_per_scene, scores.scenes)]
    measured += [("face-free scenes with a false face", wrong, len(false))]
    common = {"set": "composed scenes, held-out people", "date": date.today().isoformat()}
    return [{"measure": name, "value": round(value, 4), "n": n, **common} for name, value, n in measured]


def fit_line(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift of the logits so that scores are the share of right boxes: logistic regression by Newton steps.

    `scores` 0..1 and `right`, both (n,). Identity when only one kind is there. A small pull towards slope 1 keeps
    separable data finite.
    """
    if right.all() or not right.any():
        return 1.0, 0.0
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    inputs = np.stack([np.log(clipped / (1 - clipped)), np.ones_like(clipped)], 1)
    line = fit_logistic(inputs, right, start=[1.0, 0.0], pull=[1.0, 1e-3], steps=50, stride=1)
    return float(line[0]), float(line[1])
