"""Who is in the picture: a population with documented, changeable shares of ages, shapes, skin, hair and habits.

Shape and skin tone are drawn apart for most people, wrinkles follow age only loosely, and hair follows the sex that a
person was drawn as, not the shape morph: so that no single cue stands for another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from omokage.synthesis.geometry import head_model
from omokage.synthesis.landmarks import BROW_GAP
from omokage.synthesis.scene import Person

Draw = np.random.Generator
Features = dict[str, float]

_FOLDERS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
# Not identity: set by fatness, age or pose, or too wild at any strength.
_NOT_IDENTITY = (
    "head-fat", "head-age", "neck-double", "ear-shape", "head-trans", "neck-trans", "head-angle", "measure-",
    "laugh-lines", "eye-bag", "eye-height2", "mouth-trans-in", "mouth-trans-out", "nose-trans-in", "nose-trans-out",
    "dimples", "eyebrows-trans", "eyebrows-angle", "mouth-angles", "neck-back", "compression",
)  # fmt: skip
_OPPOSITES = (
    ("-incr", "-decr"), ("-up", "-down"), ("-out", "-in"), ("-forward", "-backward"), ("-convex", "-concave"),
)  # fmt: skip
_WILD = {
    "forehead-nubian": 0.3, "head-scale": 0.6, "chin-jaw-drop": 0.5, "eye-trans": 0.7, "eye-push": 0.6,
    "mouth-scale": 0.4, "lip-width": 0.4, "chin/": 0.7, "mouth/": 0.6, "nose/": 0.75, "cheek/": 0.75,
    "neck/": 0.6, "ears/": 0.8,
}  # fmt: skip
# Linear RGB of undyed hair: black, dark brown, brown, blond, red.
HAIR_COLOURS = (
    (0.02, 0.016, 0.014),
    (0.06, 0.035, 0.022),
    (0.14, 0.08, 0.045),
    (0.40, 0.27, 0.13),
    (0.24, 0.085, 0.03),
)
_IRISES = ((0.12, 0.05, 0.02), (0.22, 0.11, 0.04), (0.16, 0.22, 0.28), (0.18, 0.20, 0.10))  # brown, hazel, blue, green
# Shares of the hair styles of the scene format, and the range of length that each has (0 bald .. 1 below the
# shoulders).
_STYLES = {
    "bald": (0.0, 0.0), "buzz": (0.04, 0.08), "short": (0.10, 0.25), "side": (0.18, 0.32), "long": (0.6, 1.0),
    "fringe": (0.35, 0.9), "curly": (0.2, 0.7), "tied": (0.3, 0.45), "afro": (0.25, 0.5), "bob": (0.4, 0.55),
}  # fmt: skip
MEN_HAIR = {
    "bald": 0.06, "buzz": 0.15, "short": 0.37, "side": 0.22, "long": 0.05, "fringe": 0.05, "curly": 0.06,
    "tied": 0.03, "bob": 0.01,
}  # fmt: skip
WOMEN_HAIR = {
    "bald": 0.004, "buzz": 0.012, "short": 0.09, "side": 0.05, "long": 0.34, "fringe": 0.11, "curly": 0.09,
    "tied": 0.16, "bob": 0.15,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PersonSampler:
    """Draws people. `ages` are (share, low, high) in years, each uniform; other fields are shares or spreads of morphs.

    `spread` is the standard deviation of every signed shape axis (a pair of opposite morphs); 0.47 gives about 1.7
    times the landmark spread of a population drawn with half-normal 0.28 on 60 % of the morphs. `asymmetry` is the
    same for the difference between left and right. `tone_apart` is the share whose skin tone ignores the head shape.
    """

    ages: tuple[tuple[float, float, float], ...] = (
        (0.04, 1.0, 3.0), (0.08, 3.0, 12.0), (0.10, 12.0, 20.0), (0.33, 18.0, 40.0), (0.25, 35.0, 60.0),
        (0.20, 55.0, 92.0),
    )  # fmt: skip
    women: float = 0.5
    androgynous: float = 0.12
    spread: float = 0.47
    asymmetry: float = 0.12
    fatness: tuple[float, float] = (0.05, 0.5)
    tone_apart: float = 0.6
    makeup: float = 0.45
    glasses: float = 0.22
    sunglasses: float = 0.05
    hats: float = 0.10
    dyed: float = 0.22

    def draw(self, rng: Draw) -> Person:
        """One person."""
        age = self._age(rng)
        woman = bool(rng.random() < self.women)
        male = self._male(rng, woman)
        shape = rng.dirichlet([0.4, 0.4, 0.4])
        melanin = self._melanin(rng, shape)
        hair, length = _hair(rng, age, woman, melanin)
        beard = _beard(rng, age, woman)
        made_up = woman and age >= 16 and rng.random() < self.makeup
        makeup = float(rng.uniform(0.15, 1.0)) if made_up else 0.0
        grey = 0.0 if rng.random() < self.dyed * (1.3 if woman else 0.4) else _clip((age - rng.uniform(35, 68)) / 22)
        colour = _hair_colour(rng, melanin, age)
        person = Person(
            seed=int(rng.integers(1 << 31)),
            age=round(age, 2),
            male=male,
            female_perceived=0.5,
            fatness=float(np.clip(rng.normal(*self.fatness), -1.0, 1.5)),
            muscle=float(rng.uniform(0.1, 0.9)),
            shape=(float(shape[0]), float(shape[1]), float(shape[2])),
            features=self._features(rng, age),
            melanin=melanin,
            blood=_clip(rng.normal(0.45, 0.16), 0.08, 0.92),
            wrinkles=_worn(rng, age, _WRINKLES_FROM, 0.17),
            sagging=_worn(rng, age, _SAGGING_FROM, 0.15),
            spots=_clip(rng.beta(1.2, 3.0) * (0.6 + 0.6 * _clip((age - 40) / 40))),
            hair=hair,
            hair_length=length,
            hair_colour=colour,
            grey=grey,
            recession=_recession(rng, age, woman),
            brow=_clip(rng.normal(0.85 if woman else 1.08, 0.2) * (0.75 if age < 8 else 1.0), 0.4, 1.5),
            brow_gap=_brow_gap(rng),
            beard=beard,
            iris=_iris(rng, melanin),
            makeup=makeup,
            cloth=_cloth(rng),
        )
        return self.dress(rng, replace(person, female_perceived=perceived_female(person)))

    def dress(self, rng: Draw, person: Person) -> Person:
        """The same person with glasses, hat and clothes drawn anew, as on another day."""
        old = _clip((person.age - 40) / 40)
        wears, sun = self.glasses * (0.3 if person.age < 10 else 0.85 + 0.5 * old), self.sunglasses
        pick = rng.random()
        if pick < sun and person.age > 3:
            glasses = "sunglasses"
        elif pick < sun + wears * 0.72:
            glasses = "frame"
        else:
            glasses = "rimless" if pick < sun + wears else "none"
        hat = "none"
        if rng.random() < self.hats:
            hat = str(rng.choice(["cap", "beanie", "brim", "scarf"], p=[0.38, 0.27, 0.2, 0.15]))
        return replace(person, glasses=glasses, hat=hat, cloth=_cloth(rng))

    def _age(self, rng: Draw) -> float:
        shares = np.array([share for share, _, _ in self.ages])
        _, low, high = self.ages[int(rng.choice(len(shares), p=shares / shares.sum()))]
        return float(rng.uniform(low, high))

    def _male(self, rng: Draw, woman: bool) -> float:
        if rng.random() < self.androgynous:
            return float(rng.uniform(0.3, 0.7))
        far = _clip(abs(rng.normal(0, 0.2)) + 0.03, 0.0, 0.6)
        return float(far if woman else 1 - far)

    def _melanin(self, rng: Draw, shape: np.ndarray) -> float:
        if rng.random() < self.tone_apart:
            return float(rng.uniform(0.02, 0.97))
        return _clip(float(shape @ [0.14, 0.78, 0.28]) + rng.normal(0, 0.1), 0.02, 1.0)

    def _features(self, rng: Draw, age: float) -> tuple[tuple[str, float], ...]:
        """Coefficients of the local morphs: identity, asymmetry, and the set of brows and mouth corners at rest."""
        found: Features = {}
        calm = 0.3 if age < 4 else 0.45 if age < 12 else 1.0  # small faces differ less
        for plus, minus, gain in shape_axes():
            value = float(np.clip(rng.normal(0, self.spread), -1, 1)) * gain * calm
            _put(found, plus, minus, value)
            if minus is not None and _sided(plus) and rng.random() < 0.5:
                half = float(rng.normal(0, self.asymmetry)) * gain
                _put(found, _side(plus, "l-"), _side(minus, "l-"), half)
                _put(found, _side(plus, "r-"), _side(minus, "r-"), -half)
        # The base mesh looks stern and sleepy (low inner brows, tired mouth corners, narrow eyes): put the set of the
        # features at rest right, each face by its own amount. These are shape, so no expression unit reports them.
        _put(found, "eyebrows/eyebrows-trans-up", "eyebrows/eyebrows-trans-down", float(rng.normal(0.15, 0.3)))
        _put(found, "eyebrows/eyebrows-angle-up", "eyebrows/eyebrows-angle-down", float(rng.normal(0.25, 0.18)))
        _put(found, "faceunits/browInnerUp", None, float(np.clip(rng.normal(0.55, 0.28), 0, 1.2)))
        _put(found, "mouth/mouth-angles-up", "mouth/mouth-angles-down", float(rng.normal(0.22, 0.3)))
        _put(found, "eyes/eye-height2-incr", "eyes/eye-height2-decr", float(rng.normal(0.25, 0.35)))
        _put(found, "mouth/mouth-trans-in", "mouth/mouth-trans-out", float(rng.normal(0, 0.08)))
        _put(found, "nose/nose-trans-in", "nose/nose-trans-out", float(rng.normal(0, 0.06)))
        return tuple(sorted((name, round(value, 4)) for name, value in found.items() if abs(value) > 0.01))


@lru_cache(maxsize=1)
def shape_axes() -> tuple[tuple[str, str | None, float], ...]:
    """The shape axes: morph, its opposite (None for one-way ones such as ``head/head-oval``), and a damping factor."""
    names = {
        name.replace("/l-", "/")
        for name in head_model().names
        if name.split("/")[0] in _FOLDERS and "/r-" not in name and not any(part in name for part in _NOT_IDENTITY)
    }
    axes: list[tuple[str, str | None, float]] = []
    for name in sorted(names):
        gain = next((g for part, g in _WILD.items() if part in name), 1.0)
        for plus, minus in _OPPOSITES:
            if name.endswith(plus) and name.removesuffix(plus) + minus in names:
                axes.append((name, name.removesuffix(plus) + minus, gain))
                break
        else:
            if not any(name.endswith(m) and name.removesuffix(m) + p in names for p, m in _OPPOSITES):
                axes.append((name, None, 0.6 * gain))  # half of the draws do nothing, so their mean is not zero
    return tuple(axes)


def _sided(name: str) -> bool:
    return name.split("/")[0] in ("cheek", "ears", "eyes")


def _side(name: str, side: str) -> str:
    return name.replace("/", f"/{side}")


def _put(found: Features, plus: str, minus: str | None, value: float) -> None:
    """Record a signed value on the morph of its sign; the negative half of a one-way morph is nothing."""
    name = plus if value > 0 else minus
    if name is not None:
        found[name] = found.get(name, 0.0) + abs(value)


def perceived_female(person: Person) -> float:
    """What share of raters would say female, by this project's rule: shape first, then hair, beard and make-up.

    Children's faces say little; a beard nearly decides.
    """
    grown = _clip((person.age - 4) / 14, 0.25, 1.0)
    score = 6.5 * (0.5 - person.male) * grown
    score += 2.4 * (person.hair_length - 0.38) if person.hair != "bald" else -0.8
    score += 2.2 * person.makeup
    score -= {"none": 0.0, "stubble": 2.0, "moustache": 3.0, "goatee": 3.5, "full": 4.0}[person.beard]
    score -= 1.2 * (person.brow - 0.95) + 0.8 * person.recession
    return round(1 / (1 + math.exp(-1.6 * score)), 4)


def _hair(rng: Draw, age: float, woman: bool, melanin: float) -> tuple[str, float]:
    shares = dict(WOMEN_HAIR if woman else MEN_HAIR)
    if not woman:
        shares["bald"] *= 0.05 if age < 20 else 0.6 if age < 40 else 2.2
    if age < 14:
        shares["bald"] = shares["buzz"] = 0.01
    if age < 3:  # little hair yet
        shares = {"buzz": 0.45, "short": 0.4, "bald": 0.1, "side": 0.05}
    if woman and age > 60:
        shares.update(short=0.35, side=0.15, long=0.1, curly=0.2, bob=0.2)
    if age >= 3 and melanin > 0.5:
        shares["afro"] = 0.12 * (melanin - 0.3)
        shares["curly"] += 0.1
    names = list(shares)
    weights = np.array([shares[name] for name in names])
    style = str(rng.choice(names, p=weights / weights.sum()))
    low, high = _STYLES[style]
    return style, round(float(rng.uniform(low, high)), 3)


def _beard(rng: Draw, age: float, woman: bool) -> str:
    if woman or age < 17:
        return "none"
    return str(rng.choice(["none", "stubble", "moustache", "goatee", "full"], p=[0.5, 0.22, 0.06, 0.08, 0.14]))


def _recession(rng: Draw, age: float, woman: bool) -> float:
    ready = _thinned(age) * (0.15 if woman else 1.0)
    return round(float(rng.beta(1.1, 1.8)) * ready, 3)


def aged(person: Person, age: float) -> Person:
    """The same person at another age (years): wear, grey and recession move as they do on average, nothing else."""
    years = age - person.age
    return replace(
        person,
        age=age,
        wrinkles=round(
            _clip(person.wrinkles + _mean_wear(age, _WRINKLES_FROM) - _mean_wear(person.age, _WRINKLES_FROM)), 3
        ),
        sagging=round(
            _clip(person.sagging + _mean_wear(age, _SAGGING_FROM) - _mean_wear(person.age, _SAGGING_FROM)), 3
        ),
        grey=round(_clip(person.grey + (years / 22 if person.grey > 0 or age > 55 else 0.0)), 3) if age > 30 else 0.0,
        recession=round(_clip(person.recession * _thinned(age) / max(_thinned(person.age), 0.1)), 3),
    )


_WRINKLES_FROM, _SAGGING_FROM = 30.0, 38.0  # years


def _thinned(age: float) -> float:
    return _clip((age - 22) / 35)


def _mean_wear(age: float, begins: float) -> float:
    return float(_clip((age - begins) / 52) ** 0.9)


def _worn(rng: Draw, age: float, begins: float, sigma: float) -> float:
    """Wear 0..1 that begins at an age and differs between people of the same age."""
    if age < 16:
        return 0.0
    noise = rng.normal(0, sigma) * (0.35 + 0.65 * _clip((age - 18) / 25))
    return round(_clip(_mean_wear(age, begins) + noise), 3)


def _hair_colour(rng: Draw, melanin: float, age: float) -> tuple[float, float, float]:
    dark = _clip((melanin - 0.12) / 0.3)
    shares = np.array([0.14, 0.26, 0.27, 0.23, 0.10]) * (1 - dark) + np.array([0.74, 0.2, 0.04, 0.01, 0.01]) * dark
    if age < 8:
        shares = shares * [0.8, 1.0, 1.2, 1.6, 1.0]
    base = np.array(HAIR_COLOURS[int(rng.choice(5, p=shares / shares.sum()))])
    if rng.random() < 0.03:  # dyed a colour that hair does not have, or bleached
        base = rng.uniform(0.02, 0.5, 3)
    r, g, b = (float(v) for v in np.clip(base * rng.uniform(0.7, 1.35) * (1 + rng.normal(0, 0.06, 3)), 0.008, 0.7))
    return round(r, 4), round(g, 4), round(b, 4)


def _brow_gap(rng: Draw) -> float:
    """Where brows begin, dm from the usual place; one person in twelve has brows that all but meet. Wide, because a
    reader that never saw close brows takes them for a frown."""
    meeting = float(rng.uniform(0.02, 0.05)) if rng.random() < 0.08 else 0.0
    return round(float(np.clip(rng.normal(-0.006, 0.02) - meeting, -BROW_GAP, BROW_GAP)), 4)


def _iris(rng: Draw, melanin: float) -> tuple[float, float, float]:
    dark = _clip((melanin - 0.1) / 0.25)
    shares = np.array([0.3, 0.25, 0.28, 0.17]) * (1 - dark) + np.array([0.88, 0.1, 0.01, 0.01]) * dark
    base = np.array(_IRISES[int(rng.choice(4, p=shares / shares.sum()))]) * rng.uniform(0.7, 1.4)
    return round(float(base[0]), 4), round(float(base[1]), 4), round(float(base[2]), 4)


def _cloth(rng: Draw) -> tuple[float, float, float]:
    level = rng.uniform(0.02, 0.6)
    tint = rng.normal(0, 0.35 if rng.random() < 0.5 else 0.08, 3)
    r, g, b = (float(v) for v in np.clip(level * (1 + tint), 0.01, 0.85))
    return round(r, 4), round(g, 4), round(b, 4)


def _clip(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return float(min(max(value, low), high))
