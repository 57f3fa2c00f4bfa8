"""How many faces the finders find, how many they make up, and how long they take.

    python benchmarks/finder.py [FOLDER...] [--finders synthetic haar] [--records DIR...] [--write]
    python benchmarks/finder.py --pipeline [--weights SET] [--records DIR...] [--write]

Without folders: composed scenes of rendered heads (`--records`; without them 150 people are rendered first), scenes
without a head, and the face-free photographs that scikit-image and scikit-learn bring. A FOLDER holds ``labels.csv``
and the photographs it names. `--pipeline` counts the false faces that finder, attribute network and check leave
together: what a user sees. One thread; times are CPU time of this process. `--write` adds a dated page under
docs/benchmarks.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch

from omokage.faces.detect import Finder
from omokage.faces.evaluate import SIZE_BINS, false_faces, score_folder, score_scenes
from omokage.faces.finders import open_finder
from omokage.faces.heads import read_heads
from omokage.faces.scenes import SceneSource
from omokage.media.image import read_image
from omokage.pipeline import Analyzer
from omokage.pipeline.recipes import find_recipe
from omokage.training.run import commit_of
from omokage.weights.registry import DEFAULT_SET

ROOT = Path(__file__).resolve().parents[1]
SCENES, SIDE, LARGE, SEED = 500, 256, 480, 20_000
# Every picture file of the two packages but astronaut (a face), camera (a man), multipage_rgb (no picture).
FACE_FREE = (
    "brick.png", "cell.png", "chelsea.png", "chessboard_GRAY.png", "chessboard_RGB.png", "clock_motion.png",
    "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png",
    "logo.png", "microaneurysms.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png", "multipage.tif",
    "no_time_for_that_tiny.gif", "page.png", "phantom.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip


def face_free() -> Iterator[tuple[str, np.ndarray]]:
    """The photographs without a face that come with scikit-image and scikit-learn, as far as they are installed."""
    for package, below, names in (
        ("skimage", "data", FACE_FREE),
        ("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
    ):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for name in names:
            path = Path(spec.origin).parent / below / name
            if path.is_file():
                yield name, read_image(path)


def heads(folders: list[str], side: int = SIDE) -> SceneSource:
    """Scenes of held-out people of these folders, or of 150 freshly rendered ones."""
    if folders:
        return SceneSource(read_heads([Path(f) for f in folders], held_out=True, every=1), side, 200, SEED)
    with tempfile.TemporaryDirectory() as place:
        find_recipe("faces.render_heads")(Path(place), 192, (1.5, 2.8), 900_000, 150)
        return SceneSource(read_heads([Path(place)], held_out=True, every=1), side, 200, SEED)


def per_photo(finder: Finder) -> float:
    """CPU milliseconds for one 640 x 480 photograph, batch 1, median of 30."""
    rng = np.random.default_rng(0)
    photo = cv2.resize(rng.integers(0, 255, (60, 80, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
    times = []
    for _ in range(33):
        began = time.process_time()
        finder.find(photo)
        times.append(time.process_time() - began)
    return 1000 * float(np.median(times[3:]))


def measure(name: str, finder: Finder, source: SceneSource, folders: list[Path], say: Callable[[str], None]) -> None:
    """All figures of one finder, as lines of Markdown."""
    rngs = [np.random.default_rng((SEED, k)) for k in range(2 * SCENES)]
    scenes, empty = [source.draw(r) for r in rngs[:SCENES]], [source.empty(r) for r in rngs[SCENES:]]
    scores = score_scenes(finder, scenes)
    by_size = ", ".join(f"{k}: {100 * v:.0f} % of {n}" for k, (v, n) in scores.by_size.items())
    say(f"\n## {name} (commit {commit_of()})\n")
    say(f"- CPU time for one 640 x 480 photograph: {per_photo(finder):.1f} ms")
    say(f"- {SCENES} composed scenes ({SIDE} px): {100 * scores.found:.1f} % of {scores.faces} faces ({by_size}); "
        f"{scores.wrong_per_scene:.3f} wrong boxes a scene; mean IoU of the found {scores.mean_iou:.2f}")  # fmt: skip
    wrong = sum(count > 0 for count in false_faces(finder, [scene.image for scene in empty]))
    say(f"- {SCENES} scenes without a head: {wrong} with a false face ({100 * wrong / SCENES:.1f} %)")
    claims = [(title, len(finder.find(picture))) for title, picture in face_free()]
    named = ", ".join(f"{title} {count}" for title, count in claims if count) or "none"
    say(f"- {len(claims)} face-free photographs of scikit-image and scikit-learn, false faces: {named}")
    if folders:
        say("\n| folder | faces found | boxes without a label, per picture | CPU ms a picture |\n|---|---|---|---|")
    for folder in folders:
        row = score_folder(finder, folder, read_image)
        extra = row.extra / row.pictures
        say(f"| {row.name} | {100 * row.rate:.1f} % of {row.labelled} | {extra:.3f} | {row.cpu_ms:.1f} |")


def whole_pipeline(weights: str, folders: list[str], say: Callable[[str], None]) -> None:
    """False faces that are left when the attribute network and the check have looked at every proposal."""
    analyzer, source = Analyzer(weights), heads(folders, LARGE)
    used = ", ".join(analyzer.describe().values())
    say(f"\n## Whole pipeline (commit {commit_of()}, weights {used})\n")
    scenes = (source.empty(np.random.default_rng((SEED, 7, k))).image for k in range(SCENES))
    wrong = sum(bool(analyzer(scene)) for scene in scenes)
    say(f"- {SCENES} rendered scenes without a head ({LARGE} px, every other with a large drawn animal, coin or the "
        f"like): {wrong} with a false face ({100 * wrong / SCENES:.1f} %)")  # fmt: skip
    claims = [(title, len(analyzer(picture))) for title, picture in face_free()]
    named = ", ".join(f"{title} {count}" for title, count in claims if count) or "none"
    say(f"- {len(claims)} face-free photographs of scikit-image and scikit-learn, false faces: {named}")


def preface(say: Callable[[str], None]) -> None:
    """What was measured, how, and on what."""
    sizes = ", ".join(f"{low}-{high}" for low, high in SIZE_BINS)
    say(f"# Finders, {date.today().isoformat()}\n")
    say("`python benchmarks/finder.py`, one thread, AMD EPYC shared with other jobs. Face sizes in pixels "
        f"({sizes}): larger side of the box. Found on a scene: IoU 0.4 or more; on a photograph: centre within three "
        "quarters of the labelled extent, or any box where only a picture-wide label exists. Thresholds come from "
        "rendered scenes; no photograph entered training or a threshold.")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--finders", nargs="+", default=["synthetic", "haar"])
    parser.add_argument("--records", nargs="*", default=[])
    parser.add_argument("--pipeline", action="store_true", help="false faces through the whole pipeline instead")
    parser.add_argument("--weights", default=DEFAULT_SET, help="the set whose pipeline is measured")
    parser.add_argument("--write", action="store_true", help="write today's page, or add these finders to it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    page = ROOT / "docs" / "benchmarks" / f"{date.today().isoformat()}-finder.md"
    if not page.exists():
        preface(say)
    if arguments.pipeline:
        whole_pipeline(arguments.weights, arguments.records, say)
        arguments.finders = []
    source = heads(arguments.records) if arguments.finders else None
    for name in arguments.finders:
        assert source is not None
        measure(name, open_finder(name), source, arguments.folders, say)
    if arguments.write:
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
