"""What an installation has and whether it works, as plain facts: for `omokage doctor` and for bug reports."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from omokage.errors import OmokageError
from omokage.synthesis.cores import usable_cores

EXTRAS = {  # modules of the extras in pyproject.toml, but for those that only gather others
    "onnx": ("onnx", "onnxscript", "onnxruntime"), "private": ("opacus",), "search": ("usearch",), "video": ("av",),
    "dialogue": ("transformers", "tokenizers", "peft"), "demo": ("skimage",),
}  # fmt: skip
_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact; `good` is None where there is nothing to pass or fail."""

    name: str
    good: bool | None
    text: str


def checkup() -> Iterator[Finding]:
    """All findings, the quick ones first."""
    yield Finding("omokage", None, _version("omokage"))
    yield Finding("python", None, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("cores", None, f"{usable_cores()} usable of {os.cpu_count()}")
    yield Finding("cpu", None, cpu_flags() or "flags unknown")
    yield from _torch()
    for name in ("numpy", "numba", "opencv-python-headless", "pillow", "pyarrow"):
        yield Finding(name, None, _version(name))
    for extra, modules in EXTRAS.items():
        missing = [m for m in modules if importlib.util.find_spec(m) is None]
        text = f"missing {', '.join(missing)}: pip install 'omokage[{extra}]'" if missing else "installed"
        yield Finding(f"extra {extra}", None, text)
    yield from _weights()
    yield _tried("self-test", self_test)


def cpu_flags() -> str:
    """The vector instructions that matter for speed, where the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    has = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return " ".join(flag for flag in _FLAGS if flag in has)


def self_test() -> str:
    """Render a head, find it, read it; says how far the answer is from the truth. Raises OmokageError without a
    face."""
    import numpy as np

    from omokage.pipeline.analyzer import Analyzer
    from omokage.synthesis.people import PersonSampler
    from omokage.synthesis.render import render
    from omokage.synthesis.scene import Camera, Light, Pose, Scene

    person = PersonSampler().draw(np.random.default_rng(5))
    scene = Scene(person, pose=Pose(yaw=10.0), light=Light(0), camera=Camera(0, size=320, frame=2.0))
    truth = render(scene)
    faces = Analyzer(device="cpu")(truth.image)
    if not faces:
        raise OmokageError("no face was found in a rendered head: check the weights with  omokage models verify")
    face = faces[0]
    if face.outline is None or face.pose is None:
        return "a rendered head was found"
    between = np.linalg.norm(truth.landmarks[36] - truth.landmarks[45])
    off = 100 * np.linalg.norm(face.outline - truth.landmarks, axis=1).mean() / between
    turned = abs(face.pose.yaw - scene.pose.yaw)
    return f"a rendered head was found; landmarks off by {off:.1f} % of the eye distance, yaw by {turned:.1f} degrees"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("torch", False, f"cannot be loaded ({error}): reinstall it")
        return
    yield Finding("torch", True, f"{torch.__version__}, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield Finding("gpu", True, f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    else:
        yield Finding("gpu", None, "none that PyTorch can use; the CPU is used")


def _weights() -> Iterator[Finding]:
    from omokage.weights.registry import verify

    try:
        found = verify()
    except (OmokageError, OSError) as error:
        yield Finding("weights", False, str(error))
        return
    if not found:
        yield Finding(
            "weights", False, "none are installed: reinstall omokage, or train some and give --weights FOLDER"
        )
    for card, good in found:
        yield Finding(
            f"weights {card.id}", good, "as its card says" if good else "the file is damaged: reinstall omokage"
        )


def _tried(name: str, test: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, test())
    except Exception as error:  # a doctor reports whatever is wrong
        return Finding(name, False, f"{type(error).__name__}: {error}")
