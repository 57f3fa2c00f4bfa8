"""Find the faces of a gallery that look in the same state, pose and expression, as a query.

    gallery = open_gallery(Path("faces.parquet"))
    hits = search(gallery, code, top=10)

Codes are standardised by the gallery's own mean and deviation and compared by cosine.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from omokage.embeddings.gallery import BLOCK, Gallery, Hit
from omokage.errors import InputError, MissingExtraError
from omokage.metrics.bootstrap import interval

Floats = NDArray[np.float64]
Index = Literal["exact", "approximate"]
# Of a code's length. Eleven photographs read alone and in a batch differed by up to 0.007, other people by 1.1 or more.
ROUNDING = 0.03


def search(
    gallery: Gallery,
    code: NDArray,
    top: int = 10,
    apart: str | Collection[str] = "",
    per_source: int = 1,
    index: Index = "exact",
    copies: bool = True,
) -> list[Hit]:
    """The `top` faces most like `code` (d,), most alike first.

    At most `per_source` faces of one picture or video are given (0 = any number), and none of the source or sources
    `apart`, so that the answers are other people than the query; without `copies` none of a source either that holds a
    face with the query's own code, to rounding: the query's picture under another name.

    `index` "approximate" asks usearch's graph, made at the first such search: for galleries far beyond a million.
    Raises InputError for a code of another width, MissingExtraError without usearch.
    """
    if top < 1:
        raise InputError(f"the {top} nearest faces are not possible: ask for 1 or more")
    query = _query(gallery, code)
    left_out = {apart} if isinstance(apart, str) else set(apart)
    wanted = top
    while True:  # faces that are left out leave room for more
        wanted = min(4 * wanted, len(gallery))
        found = approximate(gallery, query, wanted) if index == "approximate" else exact(gallery, query, wanted)
        if not copies:
            left_out |= _sources_of_copies(gallery, code, found)
        hits = _kept(gallery, found, top, left_out, per_source)
        if len(hits) == top or wanted == len(gallery):
            return hits


def _standard(gallery: Gallery, codes: NDArray) -> Floats:
    """Codes (d,) or (n, d) by the gallery's own mean and deviation."""
    return np.asarray((np.asarray(codes, np.float64) - gallery.mean) / gallery.scale)


def _query(gallery: Gallery, code: NDArray) -> Floats:
    given = np.asarray(code, np.float64).ravel()
    if given.shape != gallery.mean.shape:
        raise InputError(
            f"the query's code has {len(given)} numbers and those of {gallery.folder} {len(gallery.mean)}: use the "
            "encoder that made the gallery"
        )
    query = _standard(gallery, given)
    return np.asarray(query / max(float(np.linalg.norm(query)), 1e-12))


def exact(gallery: Gallery, query: Floats, count: int) -> list[tuple[int, float]]:
    """The `count` nearest rows to a standardised query of length 1, with their cosines; ties by row."""
    rows, likeness = np.zeros(0, np.int64), np.zeros(0)
    # (c - mean) / scale . q  =  c . (q / scale)  -  mean . (q / scale): the codes are never copied whole.
    turned = query / gallery.scale
    shift, narrow = float(gallery.mean @ turned), turned.astype(np.float32)
    for first in range(0, len(gallery), BLOCK):
        block = gallery.codes[first : first + BLOCK]
        near = ((block @ narrow).astype(np.float64) - shift) / np.maximum(gallery.lengths[first : first + BLOCK], 1e-12)
        rows = np.concatenate([rows, np.arange(first, first + len(near))])
        likeness = np.concatenate([likeness, near])
        if len(rows) > count:
            best = np.argpartition(-likeness, count - 1)[:count]
            rows, likeness = rows[best], likeness[best]
    order = np.lexsort((rows, -likeness))
    return [(int(rows[k]), float(likeness[k])) for k in order]


def _sources_of_copies(gallery: Gallery, code: NDArray, found: Sequence[tuple[int, float]]) -> set[str]:
    """The sources of faces whose code is the query's, but for what batches and devices round differently."""
    given = _standard(gallery, np.ravel(code))
    near = [row for row, likeness in found if likeness > 1 - ROUNDING]
    apart = [np.linalg.norm(_standard(gallery, gallery.codes[row]) - given) for row in near]
    same = [row for row, far in zip(near, apart, strict=True) if far <= ROUNDING * np.linalg.norm(given)]
    return {gallery.hit(row, 1.0).source for row in same}


def _kept(
    gallery: Gallery, found: Sequence[tuple[int, float]], top: int, apart: Collection[str], per_source: int
) -> list[Hit]:
    hits: list[Hit] = []
    seen: dict[str, int] = {}
    for row, likeness in found:
        hit = gallery.hit(row, likeness)
        if hit.source in apart or (per_source and seen.get(hit.source, 0) >= per_source):
            continue
        seen[hit.source] = seen.get(hit.source, 0) + 1
        hits.append(hit)
        if len(hits) == top:
            break
    return hits


def approximate(gallery: Gallery, query: Floats, count: int) -> list[tuple[int, float]]:
    """The nearest rows by usearch's graph (Malkov and Yashunin's HNSW), which is kept in the gallery's folder.

    Not every nearest face is found; in exchange a search looks at a few thousand codes instead of all. Raises
    MissingExtraError.
    """
    try:
        from usearch.index import Index as Graph
    except ImportError as error:
        raise MissingExtraError("an approximate search", "search", error) from error
    graph = Graph(ndim=len(gallery.mean), metric="cos", dtype="f32")
    path = gallery.folder / "graph.usearch"
    if not _viewed(graph, path, gallery):
        graph = Graph(ndim=len(gallery.mean), metric="cos", dtype="f32")
        for first in range(0, len(gallery), BLOCK):
            block = _standard(gallery, gallery.codes[first : first + BLOCK])
            graph.add(np.arange(first, first + len(block)), block.astype(np.float32))
        _keep(graph, path, gallery)
    found = graph.search(query.astype(np.float32), count)
    return [(int(key), 1.0 - float(d)) for key, d in zip(found.keys, found.distances, strict=True)]


def _viewed(graph: Any, path: Path, gallery: Gallery) -> bool:
    """Whether the kept graph could be mapped and is this gallery's; False also for one that is damaged."""
    if not path.is_file():
        return False
    try:
        graph.view(str(path))
    except (RuntimeError, ValueError, OSError):  # usearch's own, of a file that was cut off
        return False
    return len(graph) == len(gallery) and graph.ndim == len(gallery.mean)


def _keep(graph: Any, path: Path, gallery: Gallery) -> None:
    """Keep the graph for the next search, readable to those who may read the codes; where it cannot be written, the
    next search makes it again."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")  # searches may run at once
    try:
        graph.save(str(partial))
        shutil.copymode(gallery.folder / "codes.f32", partial)
        os.replace(partial, path)
    except (RuntimeError, OSError):
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def precision_at(
    codes: NDArray, labels: Sequence[str], people: Sequence[str], top: int = 5, draws: int = 300, seed: int = 0
) -> tuple[float, float, float, float]:
    """How often the `top` nearest faces of other people share the query's label: mean, its 95 percent interval
    (bootstrapped over queries), and the base rate, what picking at random would give.

    Codes (n, d) are standardised and compared by cosine, as in a gallery.
    """
    x = np.asarray(codes, np.float64)
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1.0)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    names, whose = np.asarray(labels), np.asarray(people)
    hits, base = np.zeros(len(x)), np.zeros(len(x))
    for k in range(len(x)):
        near = np.where(whose == whose[k], -np.inf, x @ x[k])
        best = np.argsort(-near, kind="stable")[:top]
        hits[k] = (names[best] == names[k]).mean()
        base[k] = (names[whose != whose[k]] == names[k]).mean()
    low, high = interval(lambda h: float(h.mean()), hits, groups=list(people), draws=draws, seed=seed)
    return float(hits.mean()), low, high, float(base.mean())
