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
from omokage.language import text
from omokage.pipeline.checkup_words import NAMES, TEXTS
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


def checkup(language: str = "en") -> Iterator[Finding]:
    """All findings, the quick ones first."""
    system = f"{platform.system()} {platform.machine()}"
    yield Finding("omokage", None, _version("omokage", language))
    yield Finding("python", None, text(TEXTS, "python", language, version=platform.python_version(), system=system))
    cores = text(TEXTS, "cores", language, usable=usable_cores(), all=os.cpu_count())
    yield Finding(text(NAMES, "cores", language), None, cores)
    yield Finding(text(NAMES, "cpu", language), None, cpu_flags() or text(TEXTS, "no_flags", language))
    yield from _torch(language)
    for name in ("numpy", "numba", "opencv-python-headless", "pillow", "pyarrow"):
        yield Finding(name, None, _version(name, language))
    for extra, modules in EXTRAS.items():
        missing = ", ".join(m for m in modules if importlib.util.find_spec(m) is None)
        there = text(TEXTS, "missing" if missing else "installed", language, modules=missing, extra=extra)
        yield Finding(text(NAMES, "extra", language, extra=extra), None, there)
    yield from _weights(language)
    yield _tried(text(NAMES, "self_test", language), lambda: self_test(language))


def cpu_flags() -> str:
    """The vector instructions that matter for speed, where the system tells."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    has = set(next((line for line in told.splitlines() if line.startswith("flags")), "").split())
    return " ".join(flag for flag in _FLAGS if flag in has)


def self_test(language: str = "en") -> str:
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
        return text(TEXTS, "found", language)
    between = np.linalg.norm(truth.landmarks[36] - truth.landmarks[45])
    off = 100 * np.linalg.norm(face.outline - truth.landmarks, axis=1).mean() / between
    turned = abs(face.pose.yaw - scene.pose.yaw)
    return text(TEXTS, "found_off", language, off=f"{off:.1f}", turned=f"{turned:.1f}")


def _version(package: str, language: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return text(TEXTS, "not_installed", language)


def _torch(language: str) -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("torch", False, text(TEXTS, "no_torch", language, error=error))
        return
    threads = torch.get_num_threads()
    yield Finding("torch", True, text(TEXTS, "torch", language, version=torch.__version__, threads=threads))
    name = text(NAMES, "gpu", language)
    if torch.cuda.is_available():
        memory = f"{torch.cuda.get_device_properties(0).total_memory / 2**30:.0f}"
        yield Finding(name, True, text(TEXTS, "gpu", language, name=torch.cuda.get_device_name(0), memory=memory))
    else:
        yield Finding(name, None, text(TEXTS, "no_gpu", language))


def _weights(language: str) -> Iterator[Finding]:
    from omokage.weights.registry import verify

    try:
        found = verify()
    except (OmokageError, OSError) as error:
        yield Finding(text(NAMES, "weights", language), False, str(error))
        return
    if not found:
        yield Finding(text(NAMES, "weights", language), False, text(TEXTS, "no_weights", language))
    for card, good in found:
        said = text(TEXTS, "good_weights" if good else "bad_weights", language)
        yield Finding(text(NAMES, "weights_of", language, model=card.id), good, said)


def _tried(name: str, test: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, test())
    except Exception as error:  # a doctor reports whatever is wrong
        return Finding(name, False, f"{type(error).__name__}: {error}")
