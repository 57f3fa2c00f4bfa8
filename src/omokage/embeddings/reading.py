"""What the directions of a code mean: rendered heads in which one thing changes, probe directions, nearest neighbours.

Rendered pictures are the one place where identity, expression, pose and light can be changed alone. The pictures are
cut by their exact landmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from omokage.embeddings.predict import Encoder
from omokage.faces.align import crop_landmarks
from omokage.metrics.bootstrap import interval
from omokage.nn.probe import Probe
from omokage.synthesis.expressions import with_gaze
from omokage.synthesis.render import render
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Expression, Light, Pose, Scene

Crops = NDArray[np.uint8]
Floats = NDArray[np.float64]
FACTORS = ("identity", "expression", "pose", "light", "surroundings")


@dataclass(frozen=True, slots=True)
class FactorChange:
    """How far a code moves when one thing changes, in shares of how far it moves when everything does.

    Median over scenes with its 95 percent interval; 0 = the change is not seen, 1 = as far as another picture.
    """

    factor: str
    share: float
    low: float
    high: float
    scenes: int


def scene_crop(scene: Scene, encoder: Encoder, upright: bool = True) -> NDArray[np.uint8]:
    """The encoder's crop (size, size, 3) of a rendered scene, by its exact landmarks."""
    drawn = render(scene)
    return crop_landmarks(drawn.image, drawn.landmarks, encoder.size, encoder.margin, upright).image


def changed(scene: Scene, other: Scene, factor: str) -> Scene:
    """The scene with one factor of another. Raises ValueError for a factor that is not in `FACTORS`."""
    if factor == "identity":
        return replace(scene, person=other.person)
    if factor == "expression":
        return replace(scene, expression=other.expression)
    if factor == "pose":
        return replace(scene, pose=other.pose)
    if factor == "light":
        camera = replace(
            scene.camera, exposure=other.camera.exposure, white_balance=other.camera.white_balance,
            contrast=other.camera.contrast, grey=other.camera.grey,
        )  # fmt: skip
        return replace(scene, light=other.light, camera=camera)
    if factor == "surroundings":
        return replace(scene, surroundings=replace(other.surroundings, occluder=scene.surroundings.occluder))
    raise ValueError(f"no factor called {factor!r}: choose {', '.join(FACTORS)}")


def factor_changes(
    encoder: Encoder, scenes: int = 200, seed: int = 0, factors: Sequence[str] = FACTORS,
    sampler: SceneSampler | None = None, progress: Callable[[int, int], None] | None = None,
) -> list[FactorChange]:  # fmt: skip
    """Render pairs of random scenes and the first with each factor of the second: how far does the code move?

    Distances are Euclidean between codes standardised over all rendered pictures. What a light-only change leaves
    unmoved and an identity-only change moves is what the code knows of people rather than of light.
    """
    sampler, rng = sampler or SceneSampler(), np.random.default_rng(seed)
    crops: list[NDArray[np.uint8]] = []
    for k in range(scenes):
        scene, other = sampler.draw(rng), sampler.draw(rng)
        crops += [scene_crop(s, encoder) for s in (scene, other, *(changed(scene, other, f) for f in factors))]
        if progress is not None:
            progress(k + 1, scenes)
    codes = np.asarray(encoder.encode(np.stack(crops)), np.float64)
    z = (codes - codes.mean(0)) / np.maximum(codes.std(0), 1e-12)
    groups = z.reshape(scenes, len(factors) + 2, -1)
    whole = np.maximum(np.linalg.norm(groups[:, 1] - groups[:, 0], axis=1), 1e-12)
    found = []
    for k, factor in enumerate(factors):
        shares = np.linalg.norm(groups[:, k + 2] - groups[:, 0], axis=1) / whole
        low, high = interval(lambda s: float(np.median(s)), shares)
        found.append(FactorChange(factor, float(np.median(shares)), low, high, scenes))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """One thing changed step by step: its `values` (k,), the crops (k, size, size, 3) and codes (k, d)."""

    name: str
    values: tuple[float, ...]
    crops: Crops
    codes: NDArray[np.float32]

    def answers(self, probe: Probe) -> Floats:
        """What a probe reads off each step (k, outputs)."""
        return probe.predict(self.codes)

    def straightness(self) -> float:
        """Share (0..1) of the codes' variation along the sweep that lies on one line: 1 = the code moves straight."""
        moved = np.asarray(self.codes, np.float64) - self.codes.mean(0)
        power = np.linalg.svd(moved, compute_uv=False) ** 2
        return float(power[0] / power.sum()) if power.sum() > 0 else 0.0


def _turned(axis: str) -> Callable[[Scene, float], Scene]:
    def step(scene: Scene, value: float) -> Scene:
        pose = replace(scene.pose, **{axis: value})
        looking = replace(pose, gaze_right=pose.yaw, gaze_up=pose.pitch)  # the eyes turn with the head
        return replace(scene, pose=looking, expression=with_gaze(scene.expression, looking))

    return step


def _moved(*units: str) -> Callable[[Scene, float], Scene]:
    def step(scene: Scene, value: float) -> Scene:
        own = {name: amount for name, amount in scene.expression.units if name not in units}
        expression = Expression(tuple({**own, **dict.fromkeys(units, value)}.items()), None, value)
        return replace(scene, expression=with_gaze(expression, scene.pose))

    return step


def _lit(scene: Scene, value: float) -> Scene:
    return replace(scene, light=replace(scene.light, azimuth=value))


def _fuller(scene: Scene, value: float) -> Scene:
    return replace(scene, person=replace(scene.person, fatness=value))


SWEEPS: Mapping[str, tuple[tuple[float, ...], Callable[[Scene, float], Scene]]] = {
    "yaw": ((-60, -40, -20, 0, 20, 40, 60), _turned("yaw")),
    "pitch": ((-30, -20, -10, 0, 10, 20, 30), _turned("pitch")),
    "smile": ((0, 0.17, 0.33, 0.5, 0.67, 0.83, 1), _moved("mouthSmileLeft", "mouthSmileRight")),
    "jaw": ((0, 0.17, 0.33, 0.5, 0.67, 0.83, 1), _moved("jawOpen")),
    "brows": ((0, 0.17, 0.33, 0.5, 0.67, 0.83, 1), _moved("browInnerUp", "browOuterUpLeft", "browOuterUpRight")),
    "eyes": ((0, 0.17, 0.33, 0.5, 0.67, 0.83, 1), _moved("eyeBlinkLeft", "eyeBlinkRight")),
    "light": ((-75, -50, -25, 0, 25, 50, 75), _lit),
    "fatness": ((-1, -0.6, -0.2, 0.2, 0.6, 1, 1.4), _fuller),
}


def resting_scene(seed: int = 0, size: int = 160) -> Scene:
    """A random person at rest, from the front, under soft light: where sweeps start."""
    rng = np.random.default_rng(seed)
    sampler = SceneSampler()
    person = replace(sampler.people.draw(rng), hat="none", glasses="none")
    camera = replace(sampler.draw(rng).camera, size=size, frame=1.5, blur=0.0, noise=0.0, jpeg=0, grey=False)
    scene = replace(sampler.draw(rng), person=person, pose=Pose(), camera=camera, light=Light(seed, ambient=0.7))
    quiet = replace(scene.surroundings, occluder="none", style="plain")
    return replace(scene, surroundings=quiet, expression=with_gaze(Expression(), Pose()))


def sweep(encoder: Encoder, name: str, start: Scene | None = None) -> Sweep:
    """Render one of `SWEEPS` and encode it. Raises ValueError for another name."""
    if name not in SWEEPS:
        raise ValueError(f"no sweep called {name!r}: choose {', '.join(SWEEPS)}")
    values, step = SWEEPS[name]
    scene = start or resting_scene()
    crops = np.stack([scene_crop(step(scene, value), encoder) for value in values])
    return Sweep(name, tuple(values), crops, encoder.encode(crops))


def crossing(probes: Mapping[str, Probe]) -> tuple[tuple[str, ...], Floats]:
    """Names of all outputs of some probes and the cosines (k, k) between their directions: 0 = read apart."""
    names, ways = [], []
    for task, probe in probes.items():
        directions = probe.directions()
        outputs = probe.classes or tuple(str(k) for k in range(directions.shape[1]))
        used = [k for k in range(directions.shape[1]) if np.linalg.norm(directions[:, k]) > 0.5]
        names += [f"{task} {outputs[k]}" if directions.shape[1] > 1 else task for k in used]
        ways += [directions[:, k] for k in used]
    stacked = np.stack(ways)
    return tuple(names), np.asarray(stacked @ stacked.T)


def neighbours(codes: NDArray, people: Sequence[str], rows: Sequence[int], top: int = 6) -> list[list[int]]:
    """For each of some rows the `top` nearest rows of other people, by the cosine of standardised codes."""
    x = np.asarray(codes, np.float64)
    z = (x - x.mean(0)) / np.maximum(x.std(0), 1e-12)
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
    whose = np.asarray(people)
    found = []
    for row in rows:
        near = np.where(whose == whose[row], -np.inf, z @ z[row])
        found.append([int(k) for k in np.argsort(-near, kind="stable")[:top] if np.isfinite(near[k])])
    return found
