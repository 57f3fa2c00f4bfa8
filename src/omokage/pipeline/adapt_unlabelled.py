"""`omokage adapt --unlabelled`: the network gets used to the user's own pictures, if that does no harm.

The statistics of the trunk's batch norms move a part of the way towards those of the new pictures (Li et al., 2017;
Schneider et al., NeurIPS 2020); on request a student learns beside it (`adapt_student`). Nobody says what the pictures
show, so the check asks for less: on pictures that were not used, the answers must depend clearly less on what changes
nothing (mirror, small shifts), and on rendered heads, whose truth is known, errors must not grow. Otherwise nothing is
written.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omokage.attributes.model import AttributeNetwork, bin_centres
from omokage.attributes.predict import AttributePredictor
from omokage.data.splits import position
from omokage.errors import InputError
from omokage.faces.align import crop_landmarks
from omokage.media.sources import expand
from omokage.metrics.bootstrap import interval
from omokage.pipeline.adapt_features import attribute_predictor, read_faces_of
from omokage.pipeline.adapt_student import Learning, student
from omokage.pipeline.adapt_views import answers, inputs_of, unsteadiness
from omokage.pipeline.analyzer import Analyzer
from omokage.training.run import commit_of
from omokage.weights import registry

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
Statistics = Mapping[str, tuple[Tensor, Tensor]]  # of each batch norm: mean and variance of its channels
SHARES = (0.15, 0.3, 0.6, 1.0)  # how far the statistics may move
FEWEST, MOST = 40, 1000  # pictures
GAIN = 0.05  # by which share of itself the unsteadiness must fall at least: smaller falls came with small harm
HARM = 0.05  # by which share errors on rendered heads may grow
_HEADS = 48


@dataclass(frozen=True, slots=True)
class Check:
    """One number before and after, the 95 percent interval of its change, and whether the change is allowed."""

    name: str
    before: float
    after: float
    low: float
    high: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Used:
    """What came of the user's pictures: how far the statistics moved, what the checks say, the weights if accepted."""

    share: float
    checks: tuple[Check, ...]
    pictures: int
    left_out: int
    folder: Path | None
    student: bool = False  # whether one was trained

    @property
    def accepted(self) -> bool:
        return all(check.passed for check in self.checks)

    def lines(self) -> list[str]:
        """The result in words."""
        said = [
            f"{'passed' if c.passed else 'FAILED'}  {c.name}: {c.before:.4g} before, {c.after:.4g} after (change "
            f"{c.low:+.3g} to {c.high:+.3g})"
            for c in self.checks
        ]
        read = f"{self.pictures} pictures with a face" + (f", {self.left_out} left out" if self.left_out else "")
        if self.folder is None:
            return [read, *said, "not accepted: the weights stay as they are, nothing was written"]
        learnt = ", a student trained" if self.student else ""
        return [read, *said, f"accepted: statistics moved by {self.share:.0%}{learnt}; weights: {self.folder}"]


def adapt_unlabelled(
    folder: Path,
    out: Path,
    *,
    weights: str | Path = registry.DEFAULT_SET,
    device: str | None = None,
    analyzer: Analyzer | None = None,
    crops: bool = False,
    heads: int = _HEADS,
    learning: Learning | None = None,
    progress: Progress | None = None,
) -> Used:
    """Move the network's statistics towards the pictures below `folder`; write the set `out` if all checks pass.

    At most `MOST` pictures are read. With `learning` a student is trained on half of them. Raises InputError with fewer
    than `FEWEST` faces, OutputError where `out` holds something already.
    """
    tell = progress or (lambda what, done, total: None)
    registry.check_new(out)
    paths = [Path(source.path) for source in expand([str(folder)]).sources if not source.video]
    paths = sorted(paths, key=lambda path: position(path.name))[:MOST]
    analyzer = analyzer or Analyzer(weights, device=device)
    predictor = attribute_predictor(analyzer)
    faces = read_faces_of(analyzer, paths, crops, lambda d, n: tell("faces found", d, n))
    if len(faces.crops) < FEWEST:
        raise InputError(f"{folder} shows {len(faces.crops)} faces; at least {FEWEST} are needed to get used to them")
    tell("rendering heads", 0, 1)
    rendered = Heads.drawn(heads, predictor)
    share, checks, model = moved(predictor, faces.crops, rendered, learning=learning)
    passed = all(check.passed for check in checks)
    if passed:
        made = f"statistics moved by {share:.0%} towards {len(faces.crops)} pictures of the user"
        made += "" if learning is None else ", and a student trained on them without labels"
        _write(out, weights, predictor, model, checks, made)
    return Used(share, checks, len(faces.crops), len(faces.left_out), out if passed else None, learning is not None)


def moved(
    predictor: AttributePredictor,
    crops: Image,
    heads: Heads,
    shares: tuple[float, ...] = SHARES,
    learning: Learning | None = None,
) -> tuple[float, tuple[Check, ...], AttributeNetwork]:
    """The best of `shares` for crops (n, size, size, 3) in random order, the checks of it, and the moved network.

    Half of the crops give the statistics, and teach the student where there is one; a quarter chooses, the last quarter
    judges.
    """
    model, count = predictor.model, len(crops)
    first, second = crops[: count // 2], crops[count // 2 : 3 * count // 4]
    judging = crops[3 * count // 4 :]
    found = statistics_of(model, first)
    tried = {share: unsteadiness(answers(blended(model, found, share), second)) for share in shares}
    share = min(tried, key=lambda s: tried[s])
    new = blended(model, found, share)
    if learning is not None:
        new = student(new, model, first, learning)
    before, after = answers(model, judging), answers(new, judging)

    def change(rows: NDArray) -> float:
        return unsteadiness(after[:, rows]) - unsteadiness(before[:, rows])

    low, high = interval(change, np.arange(len(judging)), draws=200)
    name = "answers that hang on mirror and shifts, share of all variation"
    old = unsteadiness(before)
    steady = Check(name, old, unsteadiness(after), low, high, high < -GAIN * old)
    return share, (steady, *heads.checks(model, new)), new


@torch.no_grad()
def statistics_of(model: AttributeNetwork, crops: Image, batch: int = 64) -> Statistics:
    """Means and variances that the trunk's batch norms see in crops, each behind the adapted ones before it."""
    trunk = copy.deepcopy(model.trunk)
    norms = {name: part for name, part in trunk.named_modules() if isinstance(part, nn.BatchNorm2d)}
    if not norms:
        raise InputError("this network has no batch norms whose statistics could move")
    for norm in norms.values():
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    for rows in np.array_split(np.arange(len(crops)), max(len(crops) // batch, 1)):
        trunk(inputs_of(model, crops[rows]))
    return {name: (_known(norm.running_mean), _known(norm.running_var)) for name, norm in norms.items()}


def _known(found: Tensor | None) -> Tensor:
    assert found is not None
    return found.clone()


@torch.no_grad()
def blended(model: AttributeNetwork, found: Statistics, share: float) -> AttributeNetwork:
    """A copy of the network whose trunk's statistics have gone `share` (0..1) of the way."""
    new = copy.deepcopy(model)
    for name, part in new.trunk.named_modules():
        if name in found and isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            mean, variance = found[name]
            part.running_mean.lerp_(mean, share)
            part.running_var.lerp_(variance, share)
    return new.eval()


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Rendered heads whose truth is known: crops (n, size, size, 3), landmarks (n, 68, 2) in -1..1 of the crop, age,
    and probabilities (n,) of yes by attribute."""

    crops: Image
    landmarks: Floats
    ages: Floats
    yes: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def drawn(cls, count: int, predictor: AttributePredictor, seed: int = 940_000_000) -> Heads:
        """`count` random scenes of people that no training uses."""
        from omokage.synthesis.render import render
        from omokage.synthesis.sampling import SceneSampler

        sampler, rows = SceneSampler(), []
        for k in range(count):
            scene = sampler.draw(np.random.default_rng((seed, k)))
            camera = replace(scene.camera, size=160)
            picture = render(replace(scene, camera=camera))
            crop = crop_landmarks(picture.image, picture.landmarks, predictor.size, predictor.margin)
            inside = picture.landmarks @ crop.affine[:, :2].T + crop.affine[:, 2]
            shown = (scene.person.female_perceived, float(scene.person.glasses != "none"))
            rows.append((crop.image, inside / predictor.size * 2 - 1, scene.person.age, shown))
        crops, places = (np.stack([r[k] for r in rows]) for k in (0, 1))
        female, glasses = np.array([r[3] for r in rows]).T
        yes = {"perceived_gender": female, "eyeglasses": glasses}
        return cls(crops, places, np.array([r[2] for r in rows]), yes)

    @torch.inference_mode()
    def errors(self, model: AttributeNetwork) -> dict[str, Floats]:
        """Landmark error in percent of the distance between the outer eye corners, years of age, and log losses, of
        each head."""
        raw = [model(inputs_of(model, self.crops[k : k + 64])) for k in range(0, len(self.crops), 64)]
        out = model.decode({name: torch.cat([r[name] for r in raw]) for name in raw[0]})
        found: dict[str, Floats] = {}
        if "landmarks" in out.points:
            gap = out.points["landmarks"].value.double().cpu().numpy() - self.landmarks
            between = np.linalg.norm(self.landmarks[:, 36] - self.landmarks[:, 45], axis=1)
            found["landmark error on rendered heads, % of the eye distance"] = (
                100 * np.linalg.norm(gap, axis=2).mean(1) / np.maximum(between, 0.1)
            )
        if "age" in out.bins:
            logits = out.bins["age"]
            said = torch.softmax(logits, 1) @ bin_centres(model.schema["age"], logits.device)
            found["age error on rendered heads, years"] = np.abs(said.double().cpu().numpy() - self.ages)
        for name, true in self.yes.items():
            if name in out.shares:
                odds = out.shares[name].double().cpu().numpy()
                found[f"log loss of {name} on rendered heads"] = np.logaddexp(0, odds) - true * odds
        return found

    def checks(self, before: AttributeNetwork, after: AttributeNetwork) -> list[Check]:
        """No error may grow by more than `HARM` of itself, at the upper end of its interval."""
        found, old = [], self.errors(before)
        for name, new in self.errors(after).items():
            low, high = interval(lambda d: float(np.mean(d)), new - old[name], draws=200)
            mean = float(old[name].mean())
            found.append(Check(name, mean, float(new.mean()), low, high, high <= HARM * mean))
        return found


def _write(
    out: Path, weights: str | Path, predictor: AttributePredictor, model: AttributeNetwork,
    checks: tuple[Check, ...], how: str,
) -> None:  # fmt: skip
    base = predictor.card
    rows = [
        {
            "measure": c.name, "value": round(c.after, 4), "baseline": round(c.before, 4),
            "interval": [round(c.before + c.low, 4), round(c.before + c.high, 4)], "date": date.today().isoformat(),
        }
        for c in checks
    ]  # fmt: skip
    card = replace(
        base, set=out.name, recipe=f"omokage adapt --unlabelled, on {base.id}", commit=commit_of(),
        made=date.today().isoformat(),
        trained_on=f"{base.trained_on}; {how}",
        scores=[*base.scores, *rows],
        limits=[*base.limits, "The network was moved towards the user's pictures: the scores above these were measured "
                "before, and there is no fitted check of false finds."],
    )  # fmt: skip
    if registry.has_model(weights, "finder"):
        registry.copy_model(weights, "finder", out)
    registry.save(out, {name: t.cpu() for name, t in model.state_dict().items()}, card)
