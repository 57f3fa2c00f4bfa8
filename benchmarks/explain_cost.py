"""What explanations cost: propagation beside a forward and backward pass, one face by each method, a table of many."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from omokage.attributes.predict import AttributePredictor
from omokage.explain.evidence import maps
from omokage.explain.target import View
from omokage.media.sources import Source
from omokage.pipeline import Analyzer
from omokage.pipeline.explain import explain, target_of
from omokage.pipeline.explain_table import explain_table

Image = NDArray[np.uint8]


def conservation(predictor: AttributePredictor, views: Sequence[View]) -> list[str]:
    """Sum of relevance over its start on the shipped network, and the cost beside a forward and backward pass."""
    lines = ["| rules | worst departure from 1 | CPU ms | times a forward and backward pass |", "|---|---|---|---|"]
    target = target_of(predictor, "attr.smiling")
    images = [v.image for v in views]
    x = target.prepare(np.stack(images))

    def passes() -> None:
        at = x.clone().requires_grad_(True)
        target.score(target.raw(at)).sum().backward()  # type: ignore[no-untyped-call]

    plain = cpu(passes)
    for rules in ("gamma-box", "plus-flat", "alpha2-beta1", "alpha2-beta1-flat", "epsilon"):
        kept = [maps(target_of(predictor, t), images, "lrp", rules).kept for t in ("attr.smiling", "age", "au.AU12")]
        worst = max(float(np.abs(k - 1).max()) for k in kept if k is not None)
        spent = cpu(partial(maps, target, images, "lrp", rules))
        lines.append(f"| {rules} | {worst:.2g} | {1000 * spent / len(images):.1f} | {spent / plain:.1f} |")
    return lines


def cpu(work: Callable[[], object], runs: int = 3) -> float:
    """The least CPU seconds of some runs."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def cost(analyzer: Analyzer, image: Image) -> list[str]:
    lines = ["| method | CPU s for everything about one face |", "|---|---|"]
    face = analyzer(image)[0]
    for method in ("occlusion", "gradients", "smoothgrad", "lrp"):
        spent = cpu(partial(explain, face, "attr.smiling", method, image=image, analyzer=analyzer), 2)
        lines.append(f"| {method} | {spent:.2f} |")
    return lines


def batch(analyzer: Analyzer, image: Image, count: int, method: str = "lrp") -> list[str]:
    """CPU seconds a face and resident memory while `count` faces become a table."""
    lines = ["| faces explained | CPU s a face | resident memory, MiB |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "0.png"
        cv2.imwrite(str(first), image[..., ::-1])
        for k in range(1, count):
            shutil.copy(first, first.with_name(f"{k}.png"))
        marks = {1, count // 10, count // 5, 3 * count // 5, count}
        done, began = 0, time.process_time()

        def see(reading: object, found: Sequence[object]) -> None:
            nonlocal done
            done += len(found)
            if done in marks:
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
                memory = pages * resource.getpagesize() / 2**20
                lines.append(f"| {done} | {(time.process_time() - began) / done:.2f} | {memory:.0f} |")

        explain_table(
            analyzer, [Source(str(Path(folder) / f"{k}.png")) for k in range(count)], "attr.smiling",
            Path(folder) / "why.csv", method, on_found=see,
        )  # fmt: skip
    return lines
