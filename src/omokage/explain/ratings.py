"""How well the raters agree: the ceiling under which every program that predicts their mean must stay.

The reliability of a mean rating is the intraclass correlation for averages (Shrout and Fleiss, 1979): ICC(3,k) when
every rater rated every picture, so that who is strict does not count, else ICC(1,k). A program that knew the true
impression would correlate with the mean rating by the root of it. These are rated impressions of a photograph, never
traits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omokage.metrics.bootstrap import interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The best that can be reached against these labels, in `measure`, with its 95 percent interval over pictures.

    `reliability` (0..1) is that of the mean rating, NaN for classes; `error` the mean absolute error that the raters'
    noise leaves even to a program that knows the truth, in the label's unit, NaN for classes.
    """

    measure: str
    value: float
    low: float
    high: float
    reliability: float
    error: float
    raters: float  # mean number of ratings of a picture
    pictures: int


def ceiling(ratings: Floats, nominal: bool) -> Ceiling | None:
    """The ceiling of ratings (pictures, raters), NaN where unknown; None where fewer than ten pictures have two."""
    known = np.isfinite(ratings).sum(1)
    several = ratings[known >= 2]
    if len(several) < 10:
        return None
    count = float(np.isfinite(several).sum(1).mean())
    if nominal:
        value, ends = rater_accuracy(several), interval(rater_accuracy, several, draws=200)
        name = "one rater against the majority of the others"
        return Ceiling(name, value, *ends, float("nan"), float("nan"), count, len(several))

    def best(rows: Floats) -> float:
        return float(np.sqrt(reliability(rows)[0]))

    solid, noise = reliability(several)
    error = float(np.sqrt(2 / np.pi) * noise / np.sqrt(count))
    ends = interval(best, several, draws=200)
    return Ceiling("correlation with the mean rating", best(several), *ends, solid, error, count, len(several))


def reliability(ratings: Floats) -> tuple[float, float]:
    """Reliability (0..1) of the mean of ratings (pictures, raters), and the standard deviation of a rating's noise.

    NaN where one did not rate; every picture needs two ratings or more. Raises ValueError with fewer than two pictures.
    """
    known = np.isfinite(ratings)
    each = known.sum(1)
    if len(ratings) < 2 or bool((each < 2).any()):
        raise ValueError("two pictures or more are needed, each with two ratings or more")
    given = ratings - np.nanmean(ratings, 0) if known.all() else ratings
    pictures, total = len(given), int(each.sum())
    means = np.nanmean(given, 1)
    strict = given.shape[1] - 1 if known.all() else 0  # degrees of freedom that the raters' own levels take
    within = float(np.nansum((given - means[:, None]) ** 2)) / max(total - pictures - strict, 1)
    grand = float(np.nansum(given)) / total
    between = float((each * (means - grand) ** 2).sum()) / (pictures - 1)
    size = (total - float((each**2).sum()) / total) / (pictures - 1)
    true = max((between - within) / size, 0.0)
    mean_noise = within * float((1 / each).mean())
    return (true / (true + mean_noise) if true + mean_noise > 0 else 0.0), float(np.sqrt(within))


def rater_accuracy(ratings: Floats) -> float:
    """How often (0..1) a rater of class numbers (pictures, raters) agrees with the majority of the others, where there
    is one."""
    right: list[bool] = []
    for row in ratings:
        said = row[np.isfinite(row)]
        for k, own in enumerate(said):
            others = Counter(np.delete(said, k).tolist()).most_common(2)
            if others and (len(others) == 1 or others[0][1] > others[1][1]):
                right.append(bool(others[0][0] == own))
    return float(np.mean(right)) if right else float("nan")
