"""Two pictures of one person between which exactly one factor has changed, or several, and by how much.

Everything that a factor does not touch is identical, seeds included, so the difference between the pictures has one
known cause: for comparing faces (ComFace, Akamatsu et al., 2024) and for counterfactual audits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from omokage.errors import InputError
from omokage.schema import UNITS
from omokage.synthesis.expressions import tidy, with_gaze
from omokage.synthesis.people import aged, perceived_female
from omokage.synthesis.plans import Shot
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import BEARDS, Person, Scene

Draw = np.random.Generator
Change = float | str


@dataclass(frozen=True, slots=True)
class Pair:
    """`changes`: field path (``person.age``, ``expression.units.jawOpen``) -> signed difference, or "old > new"."""

    before: Scene
    after: Scene
    factors: tuple[str, ...]
    changes: Mapping[str, Change]


def differences(before: Scene, after: Scene) -> dict[str, Change]:
    """Every field in which two scenes differ: after minus before for numbers, "old > new" for anything else."""
    old, new = _flat(before), _flat(after)
    found: dict[str, Change] = {}
    for path in sorted({*old, *new}):
        a, b = old.get(path, 0.0), new.get(path, 0.0)
        if a == b:
            continue
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (a, b))
        found[path] = round(float(b) - float(a), 6) if numbers and not path.endswith("seed") else f"{a} > {b}"
    return found


def _flat(scene: Scene) -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for part, values in asdict(scene).items():
        for name, value in values.items():
            if name in ("units", "features"):
                leaves.update({f"{part}.{name}.{key}": amount for key, amount in value})
            elif isinstance(value, (tuple, list)):
                leaves.update({f"{part}.{name}.{k}": amount for k, amount in enumerate(value)})
            else:
                leaves[f"{part}.{name}"] = value
    return leaves


def _person(scene: Scene, **changes: Any) -> Scene:
    person = replace(scene.person, **changes)
    return replace(scene, person=replace(person, female_perceived=perceived_female(person)))


def _age(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    """Three to forty years, older or younger; people with beard or make-up stay grown up."""
    person = scene.person
    youngest, oldest = years_between(person)
    years = float(rng.uniform(3, 40 if person.age > 25 else 15))
    target = person.age + years if rng.random() < 0.5 else person.age - years
    if not youngest <= target <= oldest:
        target = person.age - (target - person.age)
    return replace(scene, person=aged(person, round(float(np.clip(target, youngest, oldest)), 2)))


def _fatness(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    step = float(rng.uniform(0.2, 1.2))
    up = scene.person.fatness + step <= 1.5 and (rng.random() < 0.5 or scene.person.fatness - step < -1.0)
    return _person(scene, fatness=round(float(np.clip(scene.person.fatness + (step if up else -step), -1.0, 1.5)), 4))


def _expression(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    return replace(scene, expression=with_gaze(sampler.expressions.draw(rng), scene.pose))


def _units(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    """One or two expression units, all else of the face as it was; the class of the result is unknown."""
    units = dict(scene.expression.units)
    names = [name for name in UNITS if not name.startswith("eyeLook")]
    for k in rng.choice(len(names), int(rng.integers(1, 3)), replace=False):
        now = units.get(names[int(k)], 0.0)
        units[names[int(k)]] = now + float(rng.uniform(0.3, 0.8)) * (-1 if now > 0.5 else 1)
    return replace(scene, expression=replace(scene.expression, units=tidy(units), label=None))


def _eyes_closed(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    units = dict(scene.expression.units)
    closed = units.get("eyeBlinkLeft", 0.0) > 0.6
    for side in ("Left", "Right"):
        units[f"eyeBlink{side}"] = float(rng.uniform(0, 0.1)) if closed else float(rng.uniform(0.88, 1.0))
        units.pop(f"eyeWide{side}", None)
    return replace(scene, expression=replace(scene.expression, units=tidy(units)))


def _pose(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    pose = sampler.poses.draw(rng)
    return replace(scene, pose=pose, expression=with_gaze(scene.expression, pose))


def _light(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    return replace(scene, light=sampler.lights.draw(rng))


def _camera(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    return replace(scene, camera=sampler.cameras.draw(rng))


def _nuisance(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    """Light, camera and pose of another day: nothing about the person or the expression."""
    return _pose(rng, _camera(rng, _light(rng, scene, sampler), sampler), sampler)


def _glasses(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    worn = "none" if scene.person.glasses != "none" else str(rng.choice(["frame", "rimless", "sunglasses"]))
    return _person(scene, glasses=worn)


def _hair(rng: Draw, scene: Scene, sampler: SceneSampler) -> Scene:
    """Another cut, the colour as it was."""
    for _ in range(40):
        other = sampler.people.draw(rng)
        if other.hair != scene.person.hair:
            return _person(scene, hair=other.hair, hair_length=other.hair_length, hat="none")
    return _person(scene, hair="short" if scene.person.hair != "short" else "side", hair_length=0.2, hat="none")


def _beard(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    others = [style for style in BEARDS if style != scene.person.beard]
    return _person(scene, beard="none" if scene.person.beard != "none" else str(rng.choice(others)))


def _makeup(rng: Draw, scene: Scene, _: SceneSampler) -> Scene:
    return _person(scene, makeup=0.0 if scene.person.makeup > 0 else round(float(rng.uniform(0.3, 1.0)), 3))


FACTORS: Mapping[str, Callable[[Draw, Scene, SceneSampler], Scene]] = {
    "age": _age, "fatness": _fatness, "expression": _expression, "units": _units, "eyes_closed": _eyes_closed,
    "pose": _pose, "light": _light, "camera": _camera, "glasses": _glasses, "hair": _hair, "beard": _beard,
    "makeup": _makeup, "nuisance": _nuisance,
}  # fmt: skip
FATNESS = (-1.0, 1.5)  # ends of the scale
STEPPED = ("age", "fatness", "units")  # what can be changed by a given size


def stepped(rng: Draw, scene: Scene, factor: str, size: float) -> Scene:
    """The scene with one factor moved by exactly `size` up or down: years, the fatness scale, or one expression unit.

    Where one direction leaves the range the other is taken. Raises InputError for a factor that has no size, or a size
    that fits neither way.
    """
    if factor not in STEPPED:
        raise InputError(f"{factor!r} has no step size; {', '.join(STEPPED)} have")
    sign = 1.0 if rng.random() < 0.5 else -1.0
    if factor == "units":
        return _one_unit(rng, scene, sign, size)
    person = scene.person
    now, (low, high) = (person.age, years_between(person)) if factor == "age" else (person.fatness, FATNESS)
    target = next((round(now + s * size, 4) for s in (sign, -sign) if low <= now + s * size <= high), None)
    if target is None:
        raise InputError(f"{factor} cannot be changed by {size:g} from {now:g} and stay within {low:g} to {high:g}")
    return replace(scene, person=aged(person, target)) if factor == "age" else _person(scene, fatness=target)


def years_between(person: Person) -> tuple[float, float]:
    """The ages that a person can be set to: people with beard or make-up stay grown up."""
    return (18.0 if person.beard != "none" or person.makeup > 0 else 1.0), 92.0


def _one_unit(rng: Draw, scene: Scene, sign: float, size: float) -> Scene:
    if not 0 < size <= 1:
        raise InputError(f"an expression unit lies in 0..1 and cannot change by {size:g}")
    units = dict(scene.expression.units)
    names = [name for name in UNITS if not name.startswith("eyeLook")]
    order = [names[int(k)] for k in rng.permutation(len(names))]
    for way in (sign, -sign):  # at rest nothing can go down, so the sign is tried over all units first
        for name in order:
            now = units.get(name, 0.0)
            if 0 <= now + way * size <= 1:
                units[name] = now + way * size
                return replace(scene, expression=replace(scene.expression, units=tidy(units), label=None))
    raise InputError(f"no expression unit of this face can change by {size:g}")


def can_change(factor: str, person: Person) -> bool:
    """Whether a factor makes sense for a person: beards only on grown men's shapes, make-up not on children."""
    if factor == "beard":
        return person.age >= 18 and person.male > 0.5
    return factor != "makeup" or person.age >= 16


@dataclass(frozen=True, slots=True)
class PairSampler:
    """Draws pairs. `factors` are (name, share) of `FACTORS`; `several` of the pairs change two or three at once.

    `also` are factors that change in every pair on top (light and camera, say, for pairs as two days would give them).
    With `size` every change of age, fatness or a unit is exactly so large (see `stepped`); people whom it does not fit
    are passed over. Raises InputError on an unknown factor, or a size for a factor that has none.
    """

    factors: tuple[tuple[str, float], ...] = (
        ("age", 0.22), ("fatness", 0.22), ("expression", 0.2), ("units", 0.06), ("eyes_closed", 0.03), ("pose", 0.07),
        ("light", 0.05), ("camera", 0.04), ("glasses", 0.04), ("hair", 0.03), ("beard", 0.02), ("makeup", 0.02),
    )  # fmt: skip
    several: float = 0.0
    also: tuple[str, ...] = ()
    size: float = 0.0
    sampler: SceneSampler = field(default_factory=SceneSampler)

    def __post_init__(self) -> None:
        for name in (*(name for name, _ in self.factors), *self.also):
            if name not in FACTORS:
                raise InputError(f"a pair cannot change {name!r}; choose among {', '.join(FACTORS)}")
        if self.size and not {name for name, _ in self.factors} <= set(STEPPED):
            raise InputError(f"only changes of {', '.join(STEPPED)} have a size")

    def draw(self, rng: Draw) -> Pair:
        """One pair: a scene, and the same scene with the drawn factors changed."""
        before = self.sampler.draw(rng)
        able = [(name, share) for name, share in self.factors if can_change(name, before.person)]
        while not able:  # only beards were asked for, and this is no bearded man: take somebody else
            before = self.sampler.draw(rng)
            able = [(name, share) for name, share in self.factors if can_change(name, before.person)]
        weights = np.array([share for _, share in able])
        if self.size:
            return self._stepped(rng, before, able[int(rng.choice(len(able), p=weights / weights.sum()))][0])
        many = min(len(able), int(rng.integers(2, 4))) if rng.random() < self.several else 1
        picks = rng.choice(len(able), many, replace=False, p=weights / weights.sum())
        return change(rng, before, (*(able[int(k)][0] for k in picks), *self.also), self.sampler)

    def _stepped(self, rng: Draw, before: Scene, factor: str) -> Pair:
        """A pair with a change of the given size; the person is drawn anew until it fits."""
        for _ in range(200):
            try:
                middle = stepped(rng, before, factor, self.size)
            except InputError:
                before = self.sampler.draw(rng)
                continue
            pair = change(rng, middle, self.also, self.sampler)
            return Pair(before, pair.after, (factor, *pair.factors), differences(before, pair.after))
        raise InputError(f"{factor} cannot be changed by {self.size:g}: choose a smaller size")


def change(rng: Draw, before: Scene, factors: tuple[str, ...], sampler: SceneSampler | None = None) -> Pair:
    """A pair that starts from a given scene. Raises InputError on an unknown factor."""
    after = before
    for name in dict.fromkeys(factors):
        if name not in FACTORS:
            raise InputError(f"a pair cannot change {name!r}; choose among {', '.join(FACTORS)}")
        after = FACTORS[name](rng, after, sampler or SceneSampler())
    return Pair(before, after, tuple(dict.fromkeys(factors)), differences(before, after))


@dataclass(frozen=True, slots=True)
class Pairs:
    """A plan (see `plans`) whose groups are pairs: two records with the same person and the signed changes."""

    pairs: PairSampler = field(default_factory=PairSampler)
    group_size: int = 2

    def draw(self, rng: Draw) -> tuple[Shot, ...]:
        """The two shots of one pair; the record column `groups` says which is which."""
        pair = self.pairs.draw(rng)
        facts = {"factors": list(pair.factors), "changes": dict(pair.changes)}
        return tuple(
            Shot(scene, {"role": role, "factors": list(pair.factors)}, facts)
            for role, scene in (("before", pair.before), ("after", pair.after))
        )
