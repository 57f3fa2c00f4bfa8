"""Memory of a store of face tracks, and how fast training items come out of it.

    python benchmarks/store_memory.py [--hours 10] [--size 64] [--items 4000] [--write]

Writes record shards of as many frames as `--hours` of video give (two crops a second, tracks of a minute), cuts them
into a store and draws training items, each length in a process of its own: own memory (`RssAnon`) must not grow with
the hours. Frames are one drawn picture in many tints, since memory does not depend on what they show. Mapped pages of
the store's file are the system's cache and are given back when others need memory: they are not counted.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from apart import apart
from omokage.data.records import SCHEMA
from omokage.embeddings.config import TracksConfig
from omokage.embeddings.data import Items, Steps, split
from omokage.embeddings.store import open_store
from omokage.training.run import commit_of

ROOT = Path(__file__).resolve().parents[1]
RATE, TRACK, SIDE, SHARD = 2, 120, 96, 2000  # crops a second, crops a track, pixels of a picture, rows a shard
SHARES = (0.1, 0.3, 1.0)


def own_memory() -> float:
    """MiB of this process that no file stands behind."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell a process's own memory: run the benchmark on Linux")


def pictures() -> list[bytes]:
    """A drawn face in 64 tints, JPEG."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    face = np.clip(200 - 900 * (x**2 + 0.6 * y**2), 20, 200)
    made = []
    for k in range(64):
        tint = np.random.default_rng(k).uniform(0.6, 1.2, 3)
        made.append(cv2.imencode(".jpg", np.clip(face[..., None] * tint, 0, 255).astype(np.uint8))[1].tobytes())
    return made


def shard(first: int, count: int, codes: list[bytes]) -> pa.Table:
    """Frames `first` to `first` + `count` in tracks of a minute, each of a person of its own, in the record format."""
    numbers = range(first, first + count)
    own = {
        "id": [f"f{k}" for k in numbers],
        "person": [f"p{k // TRACK}" for k in numbers],
        "source": ["drawn"] * count,
        "image": [codes[k % len(codes)] for k in numbers],
        "box": [[20.0, 20.0, 76.0, 76.0]] * count,
        "groups": [json.dumps({"track": f"t{k // TRACK}", "time_s": k % TRACK / RATE}) for k in numbers],
    }
    columns = [pa.array(own[f.name], f.type) if f.name in own else pa.nulls(count, f.type) for f in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_tracks(folder: Path, count: int) -> None:
    """Shards of `count` frames."""
    codes = pictures()
    for number, first in enumerate(range(0, count, SHARD)):
        pq.write_table(shard(first, min(SHARD, count - first), codes), folder / f"shard-{number:05d}.parquet")


def used(folder: str, size: int, items: int) -> dict[str, float]:
    """Cut the store, then draw `items` training items: own memory after each, and the seconds."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    before, began = own_memory(), time.process_time()
    store = open_store([folder], Path(folder) / "cache", size, 1.3)
    cut, highest = time.process_time() - began, own_memory()
    built = highest
    config = TracksConfig((folder,))
    steps = Steps(Items(split(store, config)[0], config), 16, 0)
    began = time.process_time()
    for step in range(items // 16):
        steps[step]
        if step % 16 == 0:
            highest = max(highest, own_memory())
    drawn = time.process_time() - began
    bytes_ = sum(path.stat().st_size for path in (Path(folder) / "cache").iterdir())
    return {
        "frames": len(store.frames), "before": before, "built": built, "highest": highest, "disk": bytes_ / 2**30,
        "cut": len(store.frames) / cut, "drawn": (items // 16) * 16 * (config.sources + 1) / drawn,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=64, help="crop side in pixels")
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows = []
    for share in SHARES:
        hours = share * asked.hours
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "tracks"
            folder.mkdir()
            write_tracks(folder, round(hours * 3600 * RATE))
            found = apart(used, str(folder), asked.size, asked.items)
            shutil.rmtree(folder)
        rows.append(
            f"| {hours:g} | {found['frames']:.0f} | {found['disk']:.2f} GiB | {found['before']:.0f} | "
            f"{found['built']:.0f} | {found['highest']:.0f} | {found['cut']:.0f} | {found['drawn']:.0f} |"
        )
        print(rows[-1], flush=True)
    body = "\n".join(rows)
    text = f"""# Memory of a store of face tracks, {date.today().isoformat()}

`python benchmarks/store_memory.py --hours {asked.hours:g} --size {asked.size} --items {asked.items}` at commit
{commit_of()}, {platform.machine()}, one thread. {RATE} crops a second of {asked.size} px, {asked.items} training
items of four frames each, every length in a process of its own. MiB that no file stands behind (`RssAnon`); the crops
lie in a mapped file.

| hours of video | crops | on disk | MiB before | after cutting | most while drawing | crops cut a CPU second | drawn |
|---|---|---|---|---|---|---|---|
{body}

`drawn`: training crops (moved, mirrored and photometrically changed) a CPU second, one worker.
"""
    print(text)
    if asked.write:
        page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-store-memory.md"
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
