"""Which morph targets a `Person` and an `Expression` switch on, and how strongly: a table of anatomy, no arrays.

Ages stand on the source mesh's anchors (baby 1, child 12, young 25, old 90 years; linear between) and are helped by
local targets: large eyes, small nose and round cheeks in children; eye bags, hanging lids, jowls and thin lips from
`sagging`.
"""

from __future__ import annotations

from itertools import pairwise

from omokage.schema import UNITS
from omokage.synthesis.scene import Expression, Person

SHAPES = (
    "caucasian",
    "african",
    "asian",
)  # names that the source mesh gives its three head shapes; used as shape axes only
PREFIX = "faceunits/"
# Targets whose full strength is too small for what faces do: a jaw at 1 opens 1.2 times as far as the target.
_GAIN_OF_BOTH_SIDES = {
    "mouthSmile": 1.35, "mouthUpperUp": 1.4, "mouthLowerDown": 1.2, "mouthFrown": 1.5, "mouthStretch": 1.2,
    "browOuterUp": 1.5, "browDown": 1.4, "eyeWide": 1.2, "noseSneer": 1.4, "cheekSquint": 1.2,
}  # fmt: skip
GAIN = {"jawOpen": 1.2, "browInnerUp": 1.6} | {
    name + side: gain for name, gain in _GAIN_OF_BOTH_SIDES.items() for side in ("Left", "Right")
}
_ANCHORS = ((1.0, "baby"), (12.0, "child"), (25.0, "young"), (90.0, "old"))
Morphs = dict[str, float]


def age_weights(age: float) -> Morphs:
    """Weights of the age anchors (sum 1) for an age in years."""
    if age <= _ANCHORS[0][0]:
        return {_ANCHORS[0][1]: 1.0}
    for (low, young), (high, old) in pairwise(_ANCHORS):
        if age < high:
            t = (age - low) / (high - low)
            return {young: 1 - t, old: t}
    return {_ANCHORS[-1][1]: 1.0}


def _add(morphs: Morphs, name: str, amount: float) -> None:
    if abs(amount) > 1e-4:
        morphs[name] = morphs.get(name, 0.0) + amount


def _add_both(morphs: Morphs, name: str, amount: float) -> None:
    folder, _, rest = name.partition("/")
    _add(morphs, f"{folder}/l-{rest}", amount)
    _add(morphs, f"{folder}/r-{rest}", amount)


def _macro(person: Person, morphs: Morphs) -> None:
    """Sex x age x head shape, and sex x age x muscle x weight."""
    lean = min(max(person.fatness, -1.0), 1.0)
    tone = person.muscle * 2 - 1
    weight = {"minweight": max(0.0, -lean), "averageweight": 1 - abs(lean), "maxweight": max(0.0, lean)}
    muscle = {"minmuscle": max(0.0, -tone), "averagemuscle": 1 - abs(tone), "maxmuscle": max(0.0, tone)}
    for sex, share in (("male", person.male), ("female", 1 - person.male)):
        for age, part in age_weights(person.age).items():
            for shape, amount in zip(SHAPES, person.shape, strict=True):
                _add(morphs, f"macrodetails/{shape}-{sex}-{age}", share * part * amount)
            for m, mv in muscle.items():
                for w, wv in weight.items():
                    if (m, w) != (
                        "averagemuscle",
                        "averageweight",
                    ):  # the average body is the base mesh: it has no target
                        _add(morphs, f"macrodetails/universal-{sex}-{age}-{m}-{w}", share * part * mv * wv)


def _fat(fatness: float, morphs: Morphs) -> None:
    """The body-weight macro barely moves the face, so local targets carry fatness."""
    if fatness > 0:
        _add(morphs, "head/head-fat-incr", 0.9 * fatness)
        _add(morphs, "head/head-round", 0.25 * fatness)
        _add(morphs, "neck/neck-double-incr", 0.75 * fatness * min(1.0, fatness / 0.3))
        _add(morphs, "neck/neck-scale-horiz-incr", 0.45 * fatness)
        _add(morphs, "neck/neck-scale-depth-incr", 0.3 * fatness)
        _add_both(morphs, "cheek/cheek-volume-incr", 0.6 * fatness)
        _add_both(morphs, "eyes/eye-bag-incr", 0.2 * fatness)
    else:
        _add(morphs, "head/head-fat-decr", -0.8 * fatness)
        _add(morphs, "neck/neck-scale-horiz-decr", -0.25 * fatness)
        _add_both(morphs, "cheek/cheek-volume-decr", -0.7 * fatness)
        _add_both(morphs, "cheek/cheek-bones-incr", -0.3 * fatness)


def _childhood(age: float, morphs: Morphs) -> None:
    """Child proportions beyond the macro targets, fading out at 15 years."""
    small = min(max((15 - age) / 13, 0.0), 1.0)
    if small == 0:
        return
    _add_both(morphs, "eyes/eye-scale-incr", 0.45 * small)
    _add_both(morphs, "cheek/cheek-volume-incr", 0.3 * small)
    _add_both(morphs, "cheek/cheek-bones-decr", 0.3 * small)
    for name, amount in (
        ("nose/nose-scale-vert-decr", 0.15), ("nose/nose-scale-depth-decr", 0.12), ("nose/nose-hump-decr", 0.1),
        ("nose/nose-point-up", 0.15), ("nose/nose-width1-decr", 0.1), ("chin/chin-prominent-decr", 0.25),
        ("chin/chin-jaw-drop-decr", 0.3), ("chin/chin-width-decr", 0.2), ("head/head-round", 0.12),
        ("forehead/forehead-nubian-incr", 0.25), ("eyebrows/eyebrows-trans-up", 0.2), ("head/head-age-decr", 0.3),
    ):  # fmt: skip
        _add(morphs, name, amount * small)


def _old_age(age: float, sagging: float, morphs: Morphs) -> None:
    """Soft tissue that follows gravity (by `sagging`) and cartilage that grows (by age)."""
    _add(morphs, "head/head-age-incr", 0.9 * sagging)
    _add(morphs, "mouth/mouth-laugh-lines-in", 0.6 * sagging)
    _add(morphs, "mouth/mouth-angles-down", 0.35 * sagging)
    _add(morphs, "chin/chin-jaw-drop-incr", 0.35 * sagging)
    _add(morphs, "neck/neck-double-incr", 0.3 * sagging)
    _add(morphs, "mouth/mouth-upperlip-volume-decr", 0.6 * sagging)
    _add(morphs, "mouth/mouth-lowerlip-volume-decr", 0.45 * sagging)
    _add(morphs, "mouth/mouth-upperlip-height-decr", 0.3 * sagging)
    _add(morphs, "nose/nose-point-down", 0.3 * sagging)
    for name, amount in (
        ("eyes/eye-bag-incr", 0.6), ("eyes/eye-bag-height-incr", 0.2), ("eyes/eye-eyefold-down", 0.55),
        ("eyes/eye-eyefold-convex", 0.3), ("eyes/eye-corner2-down", 0.25), ("eyes/eye-height3-decr", 0.3),
        ("cheek/cheek-trans-down", 0.35), ("cheek/cheek-inner-decr", 0.3),
    ):  # fmt: skip
        _add_both(morphs, name, amount * sagging)
    grown = min(max((age - 45) / 45, 0.0), 1.0)
    _add_both(morphs, "ears/ear-scale-vert-incr", 0.4 * grown)
    _add_both(morphs, "ears/ear-lobe-incr", 0.5 * grown)


def person_morphs(person: Person) -> Morphs:
    """Morph name -> coefficient of the resting face. Names that the mesh lacks fail later, when they are blended."""
    morphs: Morphs = {}
    _macro(person, morphs)
    # A child's face is round already: fat adds less to it.
    _fat(person.fatness * min(1.0, 0.4 + 0.6 * person.age / 15), morphs)
    _childhood(person.age, morphs)
    _old_age(person.age, person.sagging, morphs)
    for name, amount in person.features:
        if _is_paired(name):
            _add_both(morphs, name, amount)
        else:
            _add(morphs, name, amount)
    return morphs


def _is_paired(name: str) -> bool:
    """Whether a bare name stands for a left and a right morph."""
    folder, _, rest = name.partition("/")
    return folder in ("eyes", "ears", "cheek") and not rest.startswith(("l-", "r-"))


def expression_morphs(expression: Expression) -> Morphs:
    """Morph name -> coefficient of an expression. Raises KeyError on a unit that is not in `schema.UNITS`."""
    morphs: Morphs = {}
    for name, amount in expression.units:
        if name not in UNITS:
            raise KeyError(f"{name!r} is not an expression unit")
        _add(morphs, PREFIX + name, amount * GAIN.get(name, 1.0))
    smile = (expression.unit("mouthSmileLeft") + expression.unit("mouthSmileRight")) / 2
    if smile > 0:  # lips that are pulled wide get thinner, and the cheeks above them fuller
        _add(morphs, "mouth/mouth-upperlip-volume-decr", 0.4 * smile)
        _add(morphs, "mouth/mouth-lowerlip-volume-decr", 0.3 * smile)
        _add_both(morphs, "cheek/cheek-volume-incr", 0.15 * smile)
    return morphs
