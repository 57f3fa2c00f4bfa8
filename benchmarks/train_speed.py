"""How many pictures a second training gets through, stage by stage, and which stage bounds it.

    python benchmarks/train_speed.py --data RECORDS [--steps 40] [--count 60] [--limit 1500] [--out FOLDER] [--write]

Each stage runs alone in a process of its own, with one thread: drawing pictures (`--count`), cutting and changing crops
(the loader of ``attributes.shipped``), steps on crops that are made already (in the precision that the machine trains
in, and in 32 bit), and then the whole loop, where one process makes crops ahead while another steps. Alone they are
timed in CPU seconds, so that other work on the machine counts little; the loop in wall time, so leave the machine
alone. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import cv2
import torch
from torch import Tensor

from apart import apart
from omokage.attributes.config import AttributesConfig
from omokage.attributes.data import Crops, Steps
from omokage.attributes.loss import AttributeLoss
from omokage.attributes.model import AttributeNetwork
from omokage.attributes.sources import read_sources
from omokage.attributes.train import build_optimizer, learnable, step_once
from omokage.pipeline.recipes import find_recipe
from omokage.synthesis.render import warm_up
from omokage.training import device as devices
from omokage.training.average import WeightAverage
from omokage.training.run import commit_of
from omokage.training.stream import batches
from render_speed import machine, measure

ROOT = Path(__file__).resolve().parents[1]

CORES = (2, 16)  # machines that the page computes a balance for
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Stage:
    """`pictures` in `seconds` (CPU seconds of a stage alone, wall seconds of the loop), and MiB at most.

    `waited` is the part of the loop's time in which the step had no crops.
    """

    pictures: int
    seconds: float
    memory: float
    waited: float = 0.0

    @property
    def rate(self) -> float:
        return self.pictures / self.seconds


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """MiB that this process, or the largest of its children, held at most."""
    return resource.getrusage(who).ru_maxrss / 1024


def rendering(count: int) -> Stage:
    """Labelled pictures of 128 px, four of a person."""
    cv2.setNumThreads(1)
    warm_up()
    speed = measure(128, count)
    return Stage(speed.count, speed.total, peak())


def configured(data: tuple[str, ...], limit: int, place: str) -> AttributesConfig:
    config: AttributesConfig = find_recipe("attributes.shipped")(data, place)
    return replace(config, data=replace(config.data, limit=limit))


def opened(config: AttributesConfig) -> tuple[Crops, AttributesConfig]:
    """The loader's sources in memory, and the run for the labels that they have."""
    sources = read_sources(config.data.folders, config.schema, config.data.limit)
    config = replace(config, schema=learnable(config.schema, sources))
    return Crops(sources, config.schema, config.network, config.data), config


def loading(config: AttributesConfig, steps: int) -> Stage:
    """Crops with their changes and targets, whole batches."""
    torch.set_num_threads(1)
    crops, config = opened(config)
    made = Steps(crops, config.batch, config.seed, config.data)
    _ = made[0]
    began = time.process_time()
    for k in range(1, steps + 1):
        _ = made[k]
    return Stage(steps * config.batch, time.process_time() - began, peak())


class Learner:
    """Network, loss, optimizer and average of a run that begins."""

    def __init__(self, crops: Crops, config: AttributesConfig) -> None:
        torch.set_num_threads(1)
        self.crops, self.config = crops, config
        self.model = AttributeNetwork(config.schema, config.network, config.loss.ordinal)
        self.model = self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.precision = devices.reduced_precision(config.precision, torch.device("cpu"))
        self.loss = AttributeLoss(self.model, config.loss)
        self.optimizer = build_optimizer(config, [*self.model.parameters(), *self.loss.parameters()])
        self.average = WeightAverage(self.model, config.average)

    def step(self, batch: Batch, k: int) -> None:
        images, flat = batch
        step_once(self.model, self.loss, self.optimizer, images, self.crops.layout.unpack(flat), self.config)
        self.average.update(self.model, k)


def stepping(config: AttributesConfig, steps: int) -> Stage:
    """Steps of the optimizer and of the average, on four batches over and over."""
    crops, config = opened(config)
    learner, made = Learner(crops, config), Steps(crops, config.batch, config.seed, config.data)
    cached = [made[k] for k in range(4)]
    for k in range(3):
        learner.step(cached[k], k)
    began = time.process_time()
    for k in range(steps):
        learner.step(cached[k % 4], k)
    return Stage(steps * config.batch, time.process_time() - began, peak())


def looping(config: AttributesConfig, steps: int) -> Stage:
    """As training runs: `config.data.workers` processes make crops ahead of the step. The first steps, which meet crops
    that were made while the network was built, do not count."""
    crops, config = opened(config)
    learner = Learner(crops, config)
    stream = batches(Steps(crops, config.batch, config.seed, config.data), 0, config.data.workers)
    waited, began, ahead = 0.0, 0.0, 8
    for k in range(steps + ahead):
        if k == ahead:
            waited, began = 0.0, time.monotonic()
        asked = time.monotonic()
        batch = next(stream)
        waited += time.monotonic() - asked
        learner.step(batch, k)
    seconds = time.monotonic() - began
    del stream  # ends the process that made crops, so that its memory counts
    return Stage(steps * config.batch, seconds, peak() + peak(resource.RUSAGE_CHILDREN), waited / seconds)


def bound(stages: Mapping[str, Stage]) -> str:
    """What limits training on this machine, in words and from the figures alone."""
    step, load, draw = (stages[name].rate for name in ("step", "crops", "rendering"))
    loop = stages["loop"]
    slower, other = ("steps", "crops") if step < load else ("crops", "steps")
    lines = [
        f"One process that makes crops and one that steps are bound by the **{slower}** ({min(step, load):.0f} a "
        f"second against {max(step, load):.0f} {other}): with both overlapping no more than {min(step, load):.0f} "
        f"pictures a second are possible, one after the other {1 / (1 / step + 1 / load):.0f} would be; the loop "
        f"reached {loop.rate:.0f}, and waited for crops in {100 * loop.waited:.0f} % of its time.",
        "",
        "Pictures are rendered before training and shown many times, each time cut and changed anew. So that rendering "
        "does not bound a run, each picture must be shown at least as often as this:",
        "",
        "| cores that render | pictures a second | showings at which rendering and stepping take equally long |",
        "|---|---|---|",
    ]
    lines += [f"| {n} | {n * draw:.0f} | {min(step, load) / (n * draw):.1f} |" for n in CORES]
    lines += ["", "Beyond one core the table multiplies: rendering processes share nothing."]
    return "\n".join(lines)


TITLES = {
    "rendering": "rendering, 128 px with all labels",
    "crops": "crops: cut, background, light, blur, noise, JPEG",
    "step": "steps, as this machine trains",
    "step in 32 bit": "steps in 32 bit",
    "loop": "whole loop, two processes",
}


def page(stages: Mapping[str, Stage], config: AttributesConfig, precision: str) -> str:
    """The benchmark as Markdown."""
    head = [
        f"# Speed of training, {date.today().isoformat()}\n",
        f"`python benchmarks/train_speed.py`, commit {commit_of(ROOT)}. Machine: {machine()}, PyTorch "
        f"{torch.__version__}; one thread in every process. Recipe `attributes.shipped`: crops of "
        f"{config.network.size} px, batches of {config.batch}; the trunk in {precision}. Stages alone in CPU seconds, "
        "the loop in wall seconds.\n",
        "| stage | pictures | seconds | pictures a second | MiB at most |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, s in stages.items():
        head.append(f"| {TITLES[name]} | {s.pictures:,} | {s.seconds:.1f} | **{s.rate:.0f}** | {s.memory:,.0f} |")
    head += ["", "The memory of crops and steps holds the pictures that were read (65 kB each).", ""]
    return "\n".join([*head, bound(stages), ""])


def run(data: tuple[str, ...], steps: int, count: int, limit: int) -> tuple[dict[str, Stage], AttributesConfig]:
    """Every stage, in its own process."""
    with tempfile.TemporaryDirectory() as place:
        config = configured(data, limit, place)
        full = replace(config, precision="full")
        jobs: dict[str, tuple[Callable[..., Stage], tuple[object, ...]]] = {
            "rendering": (rendering, (count,)),
            "crops": (loading, (config, steps)),
            "step": (stepping, (config, steps)),
            "step in 32 bit": (stepping, (full, max(steps // 2, 1))),
            "loop": (looping, (config, steps)),
        }
        return {name: apart(function, *arguments) for name, (function, arguments) in jobs.items()}, config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["out/records"], help="records of rendered heads")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--count", type=int, default=60, help="pictures that are drawn")
    parser.add_argument("--limit", type=int, default=1500, help="records that are read of each folder")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks", help="where the page goes")
    parser.add_argument("--write", action="store_true", help="write today's page")
    given = parser.parse_args()
    stages, config = run(tuple(given.data), given.steps, given.count, given.limit)
    reduced = devices.reduced_precision(config.precision, torch.device("cpu"))
    text = page(stages, config, "32 bit" if reduced is None else str(reduced).removeprefix("torch."))
    print(text)
    if given.write:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / f"{date.today().isoformat()}-train-speed.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
