"""Folds of the skin: where they run, which expression units deepen them, and how deep they are in one person at rest.

A fold is a handful of lines on the paint map with a raised flank beside them. The same fold serves twice: part of it is
there at rest (by age and by the person's recipe), and part appears with the units that gather the skin there (smile and
sneer for the nasolabial fold, squint for crow's feet, lowered brows for the glabella, ...), on young faces too. Which
unit gathers which skin follows the facial action coding manual's appearance changes (Ekman, Friesen and Hager, 2002).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omokage.synthesis.canvas import Floats, Point, Size, Strokes, extent
from omokage.synthesis.folds import FOLDS, GROUPS, RECIPES, Fold
from omokage.synthesis.scene import Expression, Person


@dataclass(frozen=True, slots=True, eq=False)
class FoldLayers:
    """Folds of one person as sparse texels: fold i holds texels[start[i]:start[i + 1]].

    `texels` flat index into the map, `relief` (m, 2) height and darkness at full depth, `rest` (k,) depth at rest,
    `drivers` one mapping unit -> weight per fold.
    """

    texels: np.ndarray
    relief: np.ndarray
    start: np.ndarray
    rest: np.ndarray
    drivers: tuple[Mapping[str, float], ...]

    def gains(self, expression: Expression) -> Floats:
        """(k,) extra depth 0..1.1 of each fold under an expression: what is folded at rest already deepens less."""
        units = dict(expression.units)
        pull = np.array([sum(units.get(u, 0.0) * w for u, w in d.items()) for d in self.drivers])
        # Weak pulls fold little: skin first stretches, then gathers.
        gathered = 1.1 * np.clip(pull, 0, 1.4) ** 1.3 / (0.35 + np.clip(pull, 0, 1.4) ** 1.3) * 1.1
        return np.asarray(np.minimum(gathered, 1.1) * (1 - 0.45 * np.minimum(self.rest, 1)), np.float32)


def fold_layers(person: Person, size: Size) -> FoldLayers:
    """The person's folds, seeded: lines wander, some folds never form, depth at rest follows age, wrinkles, sagging and
    recipe.
    """
    rng = np.random.default_rng((person.seed, 21))
    groups = dict(zip(GROUPS, _recipe(rng), strict=True))
    maturity = float(np.clip((person.age - 4) / 20, 0.3, 1.0))
    # How readily this skin gathers. Wide, down to nearly nothing, so that a reader of faces cannot lean on creases
    # alone: photographs smooth them away, and some skin hardly folds.
    readily = float(rng.uniform(0.08, 1.15))
    texels, relief, rest, drivers = [], [], [], []
    for fold in FOLDS:
        depth = float(rng.uniform(0.6, 1.2)) * (0.25 if rng.random() < 0.1 else 1.0) * (0.2 + 0.8 * maturity)
        if fold.name == "dimple":
            depth *= float(rng.random() < 0.25)
        always = fold.young * float(rng.uniform(0.3, 1.5))
        still = (person.wrinkles * fold.rest * groups[fold.group] + person.sagging * fold.sag) * float(
            rng.uniform(0.45, 1.5)
        )
        for side in (0,) if fold.middle else (1, -1):
            where, marks = _layer(fold, side or 1, size, rng, depth)
            texels.append(where)
            relief.append(marks)
            rest.append(min(1.2, always + still * float(rng.uniform(0.8, 1.2))))
            drivers.append({u.replace("*", "Left" if side > 0 else "Right"): w * readily for u, w in fold.drivers})
    start = np.concatenate([[0], np.cumsum([len(t) for t in texels])]).astype(np.int32)
    return FoldLayers(np.concatenate(texels), np.concatenate(relief), start, np.array(rest, np.float32), tuple(drivers))


def _recipe(rng: np.random.Generator) -> Floats:
    """Weights per group: a random mixture of two recipes, jittered."""
    first, second = rng.choice(len(RECIPES), 2, replace=False)
    share = rng.beta(0.6, 0.6)
    mixed = share * np.array(RECIPES[first]) + (1 - share) * np.array(RECIPES[second])
    return (mixed * np.exp(rng.normal(0, 0.25, len(mixed)))).astype(np.float32)


def _layer(fold: Fold, side: int, size: Size, rng: np.random.Generator, depth: float) -> tuple[np.ndarray, Floats]:
    """One fold on one side as (texel indices, (m, 2) height and darkness)."""
    valley, flank = Strokes(size), Strokes(size)
    for i, line in enumerate(fold.lines):
        if i and len(fold.lines) > 2 and rng.random() < 0.12:
            continue  # one line of a group is often missing
        points = _wander(line, side, fold.loose, rng)
        valley.line(points, fold.width * float(rng.uniform(0.85, 1.2)), float(rng.uniform(0.65, 1.0)))
    for line in fold.flanks:
        flank.line(_wander(line, side, fold.loose * 0.5, rng), fold.flank_width, 1.0, taper=0.8)
    # No fold reaches the seam at the back of the head, so a window of the map is enough.
    top, bottom, left, right = extent(np.concatenate([valley.table(), flank.table()]), size)
    low, high = (s.draw(np.zeros((bottom - top, right - left), np.float32), (top, left)) for s in (valley, flank))
    where = np.flatnonzero(np.maximum(low, high) > 0.03)
    row, column = np.divmod(where, right - left)
    low, high = low.ravel()[where], high.ravel()[where]
    height = depth * (fold.flank * high * (1 - low) - fold.depth * low) * 3.6
    texels = ((row + top) * size[1] + column + left).astype(np.int32)
    return texels, np.stack([height, depth * fold.depth * low], axis=1).astype(np.float32)


def _wander(line: Sequence[Point], side: int, loose: float, rng: np.random.Generator) -> NDArray[np.floating]:
    """The line on one side (n, 2), moved and bent at random by about `loose` dm."""
    n = len(line)
    steps = rng.normal(0, 1, (n + 1, 2)) * loose
    bend = np.cumsum(steps[1:], axis=0) * (0.45 / max(1.0, n / 5))
    points = np.array(line) + steps[0] + bend - bend.mean(0)
    points[:, 0] *= side
    return np.asarray(points)


@njit(cache=True, fastmath=True)
def apply_folds(texture, texels, relief, start, gains):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Deepen folds in place on a (h, w, 4) uint8 texture: height in the fourth channel, darker and redder skin in the
    valley.
    """
    flat = texture.reshape(-1, 4)
    for k in range(gains.shape[0]):
        g = gains[k]
        if g < np.float32(0.02):
            continue
        for i in range(start[k], start[k + 1]):
            t = texels[i]
            h = np.float32(flat[t, 3]) + g * relief[i, 0] * np.float32(25.5)
            flat[t, 3] = np.uint8(min(max(h, np.float32(0.0)), np.float32(255.0)))
            d = g * relief[i, 1]
            for c in range(3):
                # Occlusion darkens all, light scattered in the crease keeps it reddish (factors on the square root).
                keep = np.float32(1.0) - d * (np.float32(0.28) if c == 0 else np.float32(0.37))
                flat[t, c] = np.uint8(max(np.float32(flat[t, c]) * max(keep, np.float32(0.4)), np.float32(0.0)))
