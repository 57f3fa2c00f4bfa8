"""Render scenes into a folder of record shards: on all cores, resumable, and the same bytes for any number of workers.

The folder gets ``shard-00000.parquet``, ..., `CONFIG` with what was asked for, and `SHEET` to look at. A group of
pictures (one person, one pair, one track) never crosses a shard; a shard is written whole or not at all.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq

from omokage.data.records import Record, provenance, write_shard
from omokage.errors import InputError, OutputError
from omokage.media.files import output_error
from omokage.synthesis.cores import usable_cores
from omokage.synthesis.labels import encode_png, scene_labels
from omokage.synthesis.pairs import Pairs, PairSampler
from omokage.synthesis.plans import Pictures, Plan, Shot
from omokage.synthesis.render import Rendering, render, warm_up
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Person
from omokage.synthesis.settings import check_same
from omokage.synthesis.sheet import write_sheet
from omokage.synthesis.skin import PaintedSkin, paint
from omokage.synthesis.tracks import Tracks, TrackSampler
from omokage.synthesis.visits import Visits

CONFIG, SHEET = "records.json", "sheet.png"
SHARD_SIZE = 500
_KEPT = "finished shards are kept: run the same command again to go on"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides the bytes of the shards, `count` aside: asking for more extends a folder."""

    plan: Plan
    seed: int
    image: str = "jpeg"  # or "png"
    shard_size: int = SHARD_SIZE

    @property
    def groups_per_shard(self) -> int:
        return max(1, self.shard_size // self.plan.group_size)

    def describe(self) -> dict[str, Any]:
        """The configuration as plain JSON."""
        settings = asdict(self.plan)  # type: ignore[call-overload]
        own = {"plan": type(self.plan).__name__, "settings": settings, "seed": self.seed, "image": self.image}
        return dict(json.loads(json.dumps({**own, "shard_size": self.shard_size, "omokage": _version()})))


def write_records(
    out: Path,
    count: int,
    seed: int,
    sampler: SceneSampler | None = None,
    *,
    size: int = 128,
    pictures_per_person: int = 4,
    workers: int | None = None,
    image: str = "jpeg",
    progress: Progress | None = None,
) -> int:
    """Write `count` pictures of `size` x `size` pixels; returns how many records the folder then holds.

    `workers` None = every core. `progress(done, total)` is called from this process. Raises InputError when the folder
    holds records of another configuration or `count` is not positive, OutputError when it cannot be written.
    """
    sampler = _sized(sampler or SceneSampler(), size)
    return write_plan(out, count, Job(Pictures(sampler, pictures_per_person), seed, image), workers, progress)


def write_pairs(
    out: Path,
    count: int,
    seed: int,
    pairs: PairSampler | None = None,
    *,
    size: int = 128,
    workers: int | None = None,
    image: str = "jpeg",
    progress: Progress | None = None,
) -> int:
    """Write `count` pairs, two records each; as `write_records` otherwise."""
    pairs = pairs or PairSampler()
    pairs = replace(pairs, sampler=_sized(pairs.sampler, size))
    return write_plan(out, 2 * count, Job(Pairs(pairs), seed, image), workers, progress)


def write_tracks(
    out: Path,
    count: int,
    seed: int,
    tracks: TrackSampler | None = None,
    *,
    size: int = 128,
    workers: int | None = None,
    image: str = "jpeg",
    progress: Progress | None = None,
) -> int:
    """Write `count` tracks of `tracks.frames` records each; as `write_records` otherwise."""
    tracks = tracks or TrackSampler()
    tracks = replace(tracks, sampler=_sized(tracks.sampler, size))
    return write_plan(out, tracks.frames * count, Job(Tracks(tracks), seed, image), workers, progress)


def write_visits(
    out: Path,
    count: int,
    seed: int,
    visits: Visits | None = None,
    *,
    size: int = 128,
    workers: int | None = None,
    image: str = "jpeg",
    progress: Progress | None = None,
) -> int:
    """Write `count` people with `visits.group_size` records each; as `write_records` otherwise."""
    visits = visits or Visits()
    visits = replace(visits, sampler=_sized(visits.sampler, size))
    return write_plan(out, visits.group_size * count, Job(visits, seed, image), workers, progress)


def _sized(sampler: SceneSampler, size: int) -> SceneSampler:
    return replace(sampler, cameras=replace(sampler.cameras, size=size))


def write_plan(out: Path, count: int, job: Job, workers: int | None = None, progress: Progress | None = None) -> int:
    """Write the first `count` pictures of a plan (whole groups but for the last one); errors as `write_records`."""
    if count < 1:
        raise InputError(f"cannot render {count} pictures; ask for one or more")
    if job.image not in ("jpeg", "png"):
        raise InputError(f"pictures cannot be stored as {job.image!r}; choose jpeg or png")
    _claim(out, job)
    per_shard = job.groups_per_shard * job.plan.group_size
    number = -(-count // per_shard)

    def due(index: int) -> int:
        return min(per_shard, count - index * per_shard)

    whole = {i for i, rows in _held(out).items() if i < number and rows >= due(i)}
    done = sum(map(due, whole))
    if progress:
        progress(done, count)
    if len(whole) < number:
        warm_up()  # compiles the kernels once, before the workers would do it all at the same time
        threads = max(1, min(workers or usable_cores(), number - len(whole)))
        run = _run_here if threads == 1 else _run_apart
        missing = ((i, due(i)) for i in range(number) if i not in whole)
        run(out, job, missing, threads, lambda n: progress(done + n, count) if progress else None)
    write_sheet(out / SHEET, _heads(out, job, count))
    return sum(_held(out).values())


def _claim(out: Path, job: Job) -> None:
    """Make the folder, or check that what it holds was asked for in the same way. Settings bind it from its first shard
    on."""
    config, path = job.describe(), out / CONFIG
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists() and _held(out):
            check_same(out, json.loads(path.read_text("utf8")), config)
            return
        if not path.exists() and any(out.glob("*.parquet")):
            raise InputError(f"{out} already holds records that this command did not write; choose another folder")
        others = sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
        if others and not path.exists():
            raise InputError(f"{out} holds other files (the first: {others[0]}); choose a new or an empty folder")
        path.write_text(json.dumps(config, indent=1) + "\n", "utf8")
    except ValueError as error:
        raise InputError(f"{path} is damaged; delete the folder or choose another one") from error
    except OSError as error:
        raise output_error(out, error) from error


@lru_cache(maxsize=1)
def _version() -> str:
    return version("omokage")


def _shard(out: Path, index: int) -> Path:
    return out / f"shard-{index:05d}.parquet"


def _held(out: Path) -> dict[int, int]:
    """Rows of the complete shards by their index."""
    named = {path: path.stem.removeprefix("shard-") for path in sorted(out.glob("shard-*.parquet"))}
    return {int(index): rows for path, index in named.items() if index.isdecimal() and (rows := _rows(path))}


def _rows(path: Path) -> int:
    """Rows of a complete shard, 0 when it is missing or damaged."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except Exception:  # pyarrow raises a different error for each way in which a file can be cut short
        return 0


Missing = Iterator[tuple[int, int]]  # index and rows of the shards that are to be made


def _run_here(out: Path, job: Job, missing: Missing, _: int, report: Callable[[int], None]) -> None:
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        report(done)

    for index, rows in missing:
        write_shard(_shard(out, index), shard_records(job, index, rows, count), _KEPT)


_ticks: Any = None  # counter shared with the parent, set in each worker


def _start_worker(ticks: Any) -> None:
    global _ticks
    _ticks = ticks
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot stop its workers, which would render on and then wait for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _tick() -> None:
    with _ticks.get_lock():
        _ticks.value += 1


def _write_one(out: Path, job: Job, index: int, rows: int) -> int:
    return write_shard(_shard(out, index), shard_records(job, index, rows, _tick), _KEPT)


def _run_apart(out: Path, job: Job, missing: Missing, threads: int, report: Callable[[int], None]) -> None:
    """One process a shard at a time. Spawned, not forked: torch and OpenCV hold threads that do not survive a fork."""
    context = multiprocessing.get_context("spawn")
    ticks = context.Value("q", 0)
    with ProcessPoolExecutor(threads, context, _start_worker, (ticks,)) as pool:
        open_: set[Future[int]] = set()
        try:
            while True:
                open_ |= {pool.submit(_write_one, out, job, *one) for one in islice(missing, 2 * threads - len(open_))}
                if not open_:
                    return
                finished, open_ = wait(open_, timeout=0.3)
                report(int(ticks.value))
                for future in finished:
                    future.result()
        except BrokenProcessPool as error:
            raise OutputError(
                "a rendering process was ended from outside (out of memory, or a script that lacks an "
                "'if __name__ == \"__main__\"' guard); finished shards are kept: run again, perhaps with fewer workers"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def shard_records(job: Job, index: int, rows: int, tick: Callable[[], None] = lambda: None) -> Iterator[Record]:
    """The first `rows` records of shard `index`; `tick()` after each. Depends on the job and the index alone."""
    made = 0
    for group in range(job.groups_per_shard):
        if made >= rows:
            return
        rng = np.random.default_rng((job.seed, index, group))
        name = f"{job.seed}-{index:05d}-{group:04d}"
        skins = _Skins()
        for k, shot in enumerate(job.plan.draw(rng)[: rows - made]):
            yield _record(job, f"{name}-{k:03d}", name, shot, skins)
            made += 1
            tick()


class _Skins:
    """The last painted skin, reused while nothing that the paint shows has changed."""

    def __init__(self) -> None:
        self._person: Person | None = None
        self._skin: PaintedSkin | None = None

    def of(self, person: Person) -> PaintedSkin:
        bare = replace(person, glasses="none", hat="none", cloth=(0.0, 0.0, 0.0), features=(), fatness=0.0)
        if self._skin is None or bare != self._person:
            self._person, self._skin = bare, paint(person)
        return self._skin


def _record(job: Job, name: str, person: str, shot: Shot, skins: _Skins) -> Record:
    picture = render(shot.scene, skins.of(shot.scene.person))
    labels = scene_labels(shot.scene, picture)
    if shot.groups:
        labels["groups"] = json.dumps({"group": person, **shot.groups}, sort_keys=True)
    made_by = provenance(
        made_by=f"omokage {_version()}",
        licence="CC0-1.0 geometry; rendered, no person",
        seed=job.seed,
        **shot.facts,
    )
    size = shot.scene.camera.size
    return Record(name, person, "rendered", _encode(picture, job.image), size, size, labels, made_by)


def _encode(picture: Rendering, kind: str) -> bytes:
    if kind == "png":
        return encode_png(picture.image)
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return bytes(cv2.imencode(".jpg", picture.image[..., ::-1], options)[1])


def _heads(out: Path, job: Job, count: int) -> list[bytes]:
    """Up to 48 encoded pictures for the contact sheet: one a person, or all of short groups that belong together."""
    columns = pq.read_table(_shard(out, 0), columns=["image"])["image"].to_pylist()[:count]
    step = 1 if job.plan.group_size == 2 else max(1, min(job.plan.group_size, len(columns) // 24))
    return [bytes(code) for code in columns[::step][:48]]
