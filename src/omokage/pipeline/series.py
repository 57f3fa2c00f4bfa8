"""Many photographs of one person over time: a timeline of changes with trend and change points.

Every pair is compared. Changes are antisymmetric, so the least-squares position of each photograph on a factor is its
mean change from all the others: n photographs give n - 1 readings of each. Positions count from the first photograph.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from omokage.comparison.config import FACTORS
from omokage.comparison.predict import Comparer
from omokage.errors import InputError
from omokage.media.sources import expand
from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.compare import Photo, photographs, taken_alike
from omokage.pipeline.own_changes import ChangeReader

Floats = NDArray[np.float64]
MOST = 400  # photographs: their number of pairs grows with the square
# A date in a name is no part of a longer number, but a time may follow it at once (20240131101500).
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?=(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?(?!\d))"
)
# EXIF has colons and ends there; some programs write dashes, or add spaces or a time zone.
_MOMENT = re.compile(r"\s*(\d{4})[-:](\d\d)[-:](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_EXIF, _ORIGINAL, _CHANGED = 0x8769, 0x9003, 0x0132  # EXIF's own tags; DateTimeOriginal, DateTime


@dataclass(frozen=True, slots=True)
class Trend:
    """Change a year (or from photograph to photograph where dates are unknown) by Theil and Sen, with a 90 percent
    interval."""

    slope: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """`names` and `times` (n,) of the photographs that were used, in order; `dated`: times are years, else places.

    `values` and `spread` (n,) by factor; `jumps` by factor: places from which on a level differs. `left_out`:
    photographs with the reason. `pictures` (n): the aligned crops where they were asked for.
    """

    names: tuple[str, ...]
    times: tuple[float, ...]
    dated: bool
    values: Mapping[str, Floats]
    spread: Mapping[str, Floats]
    trends: Mapping[str, Trend]
    jumps: Mapping[str, tuple[int, ...]]
    left_out: tuple[tuple[str, str], ...]
    pictures: tuple[NDArray[np.uint8] | None, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything but the pictures in plain lists, for JSON."""
        factors = {
            name: {"values": self.values[name].tolist(), "spread": self.spread[name].tolist(),
                   "trend": asdict(self.trends[name]), "level_changes_at": list(self.jumps[name])}
            for name in self.values
        }  # fmt: skip
        return {"names": list(self.names), "times": list(self.times), "dated": self.dated, "factors": factors,
                "left_out": dict(self.left_out)}  # fmt: skip


def compare_series(
    analyzer: Analyzer, comparer: Comparer, folder: str, *, assume_same: bool = False, crops: bool = False,
    shown: bool = False, own: ChangeReader | None = None,
) -> Timeline:  # fmt: skip
    """The timeline of a folder of photographs, of what a user's labels taught (`own`) as well. Ordered by the dates of
    those that are used (`taken`); by name where not all of these have one.

    A photograph that does not seem to show the same person as most others is left out unless `assume_same`, and so is
    one that is there twice; `shown` keeps the aligned crops for a report. Raises InputError for fewer than three usable
    photographs or more than `MOST`.
    """
    sources = list(expand([folder]).sources)
    if len(sources) > MOST:
        raise InputError(f"{folder} holds {len(sources)} photographs; a series may have {MOST}: take fewer")
    photos = photographs(analyzer, comparer, sources, crops, shown)
    left = [(photo.name, photo.problem) for photo in photos if photo.problem]
    clear = [photo for photo in photos if not photo.problem]
    usable = _each_once(clear)
    left += [(photo.name, "repeated") for photo in clear if photo not in usable]
    if len(usable) < 3:
        raise InputError(f"{folder} holds {len(usable)} photographs with one clear face; a series needs three")
    value, margin, same = _pairs(usable, comparer, own)
    alone = np.median(same, 1) < comparer.same_limit
    keep: Sequence[int] = range(len(usable))
    if not assume_same and alone.any():
        left += [(p.name, "different_person") for p, out in zip(usable, alone, strict=True) if out]
        keep = [i for i in keep if not alone[i]]
        if len(keep) < 3:
            raise InputError(
                f"only {len(keep)} of {len(usable)} photographs in {folder} seem to show the same person as most "
                "others; a series needs three: take out those of other people, or add --assume-same where you know "
                "that all show one"
            )
    used, times, dated = ordered([usable[i] for i in keep])
    rows = [usable.index(photo) for photo in used]
    value, margin = value[:, rows][:, :, rows], margin[:, rows][:, :, rows]
    names = (*FACTORS, *(own.names if own is not None else ()))
    return _timeline(names, used, times, dated, value, margin, left)


def _each_once(photos: Sequence[Photo]) -> list[Photo]:
    """Of photographs with the same pixels the earliest: a dated one before a copy that has lost its date."""
    alike: dict[str, list[Photo]] = {}
    for photo in photos:
        alike.setdefault(photo.digest, []).append(photo)
    return [same[0] if len(same) == 1 else min(same, key=_earliest) for same in alike.values()]


def _earliest(photo: Photo) -> tuple[Any, ...]:
    date = _date_of(photo)
    return date is None, date or datetime.max, _natural(photo.name)


def _pairs(photos: Sequence[Photo], comparer: Comparer, own: ChangeReader | None) -> tuple[Floats, Floats, Floats]:
    """Changes and half intervals (factors and own labels, n, n) from row to column, and probabilities of one person
    (n, n)."""
    count = len(photos)
    seen = comparer.see([p.crop.image for p in photos if p.crop is not None])
    ends = [(i, j) for i in range(count) for j in range(i + 1, count)]
    found = comparer.compare(seen, ends, [taken_alike(photos[i], photos[j]) for i, j in ends])
    said, reach = found.value, (found.high - found.low) / 2
    if own is not None:
        taught = [[row[name] for name in own.names] for row in own.read(comparer, seen, ends, found)]
        said = np.concatenate([said, [[c.value for c in row] for row in taught]], 1)
        reach = np.concatenate([reach, [[(c.high - c.low) / 2 for c in row] for row in taught]], 1)
    value, margin = (np.zeros((said.shape[1], count, count)) for _ in range(2))
    same = np.ones((count, count))
    for k, (i, j) in enumerate(ends):
        value[:, i, j], value[:, j, i] = said[k], -said[k]
        margin[:, i, j] = margin[:, j, i] = reach[k]
        same[i, j] = same[j, i] = found.same_person[k]
    return value, margin, same


def _timeline(
    names: Sequence[str], photos: Sequence[Photo], times: Floats, dated: bool, value: Floats, margin: Floats,
    left: list[tuple[str, str]],
) -> Timeline:  # fmt: skip
    count = len(photos)
    values, spread, trends, jumps = {}, {}, {}, {}
    for k, name in enumerate(names):
        place = value[k].mean(0)  # of row to column: how far the column lies above the mean of all
        values[name] = place - place[0]
        spread[name] = margin[k].sum(0) / max(count - 1, 1) / 1.645
        trends[name] = theil_sen(times, values[name])
        jumps[name] = change_points(values[name], float(np.median(spread[name])))
    return Timeline(
        tuple(p.name for p in photos), tuple(times.tolist()), dated, values, spread, trends, jumps, tuple(left),
        tuple(p.shown for p in photos),
    )  # fmt: skip


def ordered(photos: Sequence[Photo]) -> tuple[list[Photo], Floats, bool]:
    """Photographs in the order of their dates with the time of each in years, or by name with its place."""
    named = sorted(photos, key=lambda photo: _natural(photo.name))
    dates = [date for photo in named if (date := _date_of(photo)) is not None]
    if len(dates) < len(named) or len(set(dates)) < 2:
        return named, np.arange(len(named), dtype=np.float64), False
    order = sorted(range(len(named)), key=dates.__getitem__)  # one day's photographs stay in the order of their names
    years = np.array([(dates[k] - dates[order[0]]).total_seconds() / 31_556_952 for k in order])
    return [named[k] for k in order], years, True


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sorts numbers within names as numbers: day2.jpg before day10.jpg, day.jpg before both."""
    parts = re.split(r"(\d+)", os.path.splitext(name)[0])
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], name


def _date_of(photo: Photo) -> datetime | None:
    return taken(Path(photo.path or photo.name))


def taken(path: Path) -> datetime | None:
    """When a photograph was taken: by EXIF's DateTimeOriginal, else by a date in its name (20240131, 2024-01-31), else
    by EXIF's DateTime, which a scanner or an editor sets to its own day; None where all are missing."""
    original = changed = None
    try:
        with Pillow.open(path) as picture:
            exif = picture.getexif()
            original, changed = exif.get_ifd(_EXIF).get(_ORIGINAL), exif.get(_CHANGED)
    except OSError:
        pass
    found = (_MOMENT.match(str(original)), _DATE.search(path.name), _MOMENT.match(str(changed)))
    return next((date for match in found if match and (date := _date(match))), None)


def _date(match: re.Match[str]) -> datetime | None:
    try:
        return datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    except ValueError:  # the 31st of a short month, or zeros of a clock that was never set
        return None


def theil_sen(times: Floats, values: Floats) -> Trend:
    """Median of the slopes of all pairs with Sen's 90 percent interval (Sen, JASA 1968); 0 where all times agree."""
    i, j = np.triu_indices(len(times), 1)
    apart = times[j] != times[i]
    if not apart.any():
        return Trend(0.0, 0.0, 0.0)
    slopes = np.sort((values[j] - values[i])[apart] / (times[j] - times[i])[apart])
    count = len(times)
    reach = 1.645 * np.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(int((len(slopes) - reach) // 2) - 1, 0)  # as many slopes are cut off on either side
    return Trend(float(np.median(slopes)), float(slopes[low]), float(slopes[len(slopes) - 1 - low]))


def change_points(values: Floats, sigma: float) -> tuple[int, ...]:
    """Places from which on the level is another one: the split into constant pieces with the least squared error plus
    3 log(n) for each split (optimal partitioning, Jackson et al., 2005), errors counted in `sigma`."""
    count = len(values)
    if count < 3 or sigma <= 0:
        return ()
    x = values / sigma
    sums, squares = np.append(0, np.cumsum(x)), np.append(0, np.cumsum(x * x))
    price = 3 * np.log(count)
    best, origin = np.full(count + 1, np.inf), np.zeros(count + 1, int)
    best[0] = -price
    for end in range(1, count + 1):
        start = np.arange(end)
        cost = squares[end] - squares[start] - (sums[end] - sums[start]) ** 2 / (end - start)
        total = best[start] + cost + price
        origin[end] = int(np.argmin(total))
        best[end] = total[origin[end]]
    found, at = [], count
    while at > 0:
        at = int(origin[at])
        found.append(at)
    return tuple(sorted(k for k in found if k > 0))
