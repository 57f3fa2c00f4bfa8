"""Recipes of the attributes room. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from omokage.attributes.config import AttributesConfig, DataConfig, LossConfig, NetworkConfig
from omokage.attributes.spreads import SpreadsConfig
from omokage.data.photometry import Photometry
from omokage.data.readers.fairface import BESIDE_RENDERED
from omokage.schema import SHIPPED


def shipped(
    data: Sequence[str] = ("out/records",),
    out: str = "runs/attributes",
    minutes: float = 60.0,
    init: str = "",
    rate: float = 2.5e-3,
) -> AttributesConfig:
    """The shipped default: all attributes of `schema.SHIPPED`, learnt from rendered heads only.

    Command: ``omokage train attributes.shipped --set data=out/records --set minutes=60`` after ``omokage render --out
    out/records --count 30000``. `init` names a weights folder to go on from (with a lower `rate`). Hardware: one CPU
    core for the steps and a fifth of a second one for the crops (about 110 pictures a second on a shared AMD EPYC
    core), or any CUDA device. Scores on held-out rendered people are in the card that the run writes.
    """
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    settings = {"data": ",".join(folders), "minutes": f"{minutes:g}", "init": init, "rate": f"{rate:g}"}
    command = " ".join(["omokage train attributes.shipped", *(f"--set {k}={v}" for k, v in settings.items() if v)])
    return AttributesConfig(
        out=out, network=NetworkConfig(points_refine=24),
        data=DataConfig(folders=folders, held_out=0.05, photometry=CAMERAS),
        minutes=minutes, batch=48, rate=rate, init=init,
        loss=LossConfig(forms=WEIGHTS, attributes=PICKED, classes=SHOWN), recipe=command,
    )  # fmt: skip


def open(
    data: Sequence[str] = ("out/records",),
    photographs: str = "out/fairface",
    out: str = "runs/open",
    minutes: float = 60.0,
    init: str = "synthetic",
    rate: float = 1.2e-3,
    share: float = 0.45,
    count: int = 0,
    seed: int = 0,
    teachers: Sequence[str] = (),
) -> AttributesConfig:
    """The `open` set: one network learns all attributes from rendered heads, and age bin and perceived gender from
    openly licensed photographs as well, in the same batches.

    `photographs` is a folder of records that ``omokage records fairface_part FOLDER --out out/fairface`` wrote, `share`
    the part of all crops that comes from it, `count` how many of its pictures are used (0 = all). Groups (crowd "race",
    gender, age bin) are drawn by the square root of their size; the group is never learnt. Rendered heads are drawn by
    the sizes of their folders. Age and perceived gender are calibrated on held-out photographs, the rest on held-out
    rendered people. `teachers` are weight sets whose mean answer stands for the labels that the photographs lack
    (landmarks, pose, units, expression, ...): self-training, see `attributes.teach`.

    Command: ``omokage train attributes.open --set data=out/records --set photographs=out/fairface --set minutes=60``.
    Hardware: as `shipped`; memory about 85 kB a picture.
    """
    rendered = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    taught_by = tuple(w for w in teachers.split(",") if w) if isinstance(teachers, str) else tuple(teachers)
    settings = {
        "data": ",".join(rendered), "photographs": photographs, "minutes": f"{minutes:g}", "init": init,
        "rate": f"{rate:g}", "share": f"{share:g}", "count": str(count or ""), "seed": str(seed or ""),
        "teachers": ",".join(taught_by),
    }  # fmt: skip
    base = shipped((*rendered, photographs), out, minutes, init, rate)
    limits = (*(0 for _ in rendered), count)
    mixed = replace(base.data, photographs=share, balance=0.5, limits=limits, split_seed=seed, teachers=taught_by)
    return replace(
        base, data=mixed, seed=seed, set="open", trained_on="rendered heads and FairFace photographs",
        recipe=" ".join(["omokage train attributes.open", *(f"--set {k}={v}" for k, v in settings.items() if v)]),
        data_licence=BESIDE_RENDERED, limits=OPEN_LIMITS,
    )  # fmt: skip


def spreads(
    data: Sequence[str] = ("out/records",),
    init: str = "runs/open/weights",
    out: str = "runs/spreads",
    minutes: float = 6.0,
    photographs: str = "out/fairface",
    attributes: Sequence[str] = ("landmarks", "gaze"),
) -> SpreadsConfig:
    """How far the network of `open` errs, learnt anew from rendered heads alone: what its teachers said of photographs
    had taught it how far these lie apart. No other answer changes; see `attributes.spreads`.

    `data` are rendered heads, `init` the weights that `open` wrote. The spreads of pose are not learnt anew: on
    development photographs they are too small either way, and were smaller still afterwards. All are widened by how
    much further the answers about held-out `photographs` lie from those of `synthetic` (`attributes.widening`).

    Command: ``omokage train attributes.spreads --set data=out/records --set init=runs/open/weights``. Hardware: as
    `shipped`.
    """
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    names = tuple(attributes.split(",")) if isinstance(attributes, str) else tuple(attributes)
    return SpreadsConfig(
        init, DataConfig(folders=folders, held_out=0.15, photometry=CAMERAS), names, out, minutes=minutes,
        photographs=photographs, limits=OPEN_LIMITS,
        recipe=f"omokage train attributes.spreads --set data={','.join(folders)} --set photographs={photographs} "
        f"--set minutes={minutes:g}",
    )  # fmt: skip


OPEN_LIMITS = (
    "Age and perceived gender are calibrated on held-out FairFace photographs, every other output on rendered people.",
    "Age labels of photographs are crowd-sourced bins of apparent age; perceived gender is what raters said of the "
    "picture: never use either to decide anything about a person.",
    "Sigmas of landmarks, angles and gaze are fitted on rendered people and widened by how much further the answers of "
    "two networks lie apart on photographs. They are still too small there: omokage evaluate tells how many errors "
    "stay below them.",
    "FairFace shows faces of public Flickr pictures; the synthetic set has never seen a person.",
    "Weak on photographs: negative expressions, which are taken for one another and for faces at rest. Reports and "
    "terminal call weak answers unsure; tables hold their probabilities.",
)

# Small, tinted and dark pictures come more often than `Photometry` has them: web pictures and film stills (our choice).
CAMERAS = Photometry(low_resolution=0.48, tint=0.15, gamma=0.35)
# Weights of the losses: geometry and the outputs that people ask for first above the bookkeeping ones (our choice).
WEIGHTS = {"points": 20.0, "rotation": 1.5, "vector": 24.0, "bins": 0.25, "classes": 1.0, "share": 0.35}
# How much expression classes count beside the shares in which they are rendered: photographs show sadness and surprise
# several times as often as fear and disgust (RAF-DB: 16 and 11 against 2 and 6 percent; Li and Deng, CVPR 2017).
SHOWN = {"sadness": 1.8, "surprise": 1.5, "fear": 0.5, "disgust": 0.6}
PICKED = {"perceived_gender": 1.2, "age": 0.7, "smiling": 1.1, "eyeglasses": 0.6, "quality": 1.0}


def smoke(data: Sequence[str] = ("out/records",), out: str = "runs/smoke", steps: int = 60) -> AttributesConfig:
    """A minute on anything: proves that records, network and disk work together, not that anything is learnt."""
    config = shipped(data, out, 0.0)
    return replace(config, steps=steps, log_every=20, check_every=0, save_every=30, warmup=10)


ABLATED = (
    "landmarks", "pose", "units", "expression", "age", "perceived_gender", "fatness", "skin_tone", "smiling",
    "eyeglasses",
)  # fmt: skip
TASKS = (
    ("landmarks", "pose", "units"),
    ("expression",),
    ("age",),
    ("perceived_gender",),
    ("fatness", "skin_tone"),
    ("smiling", "eyeglasses"),
)


def ablations(
    data: Sequence[str] = ("out/records",), out: str = "runs/ablations", steps: int = 600, seed: int = 0
) -> dict[str, list[AttributesConfig]]:
    """The paper's idea at equal budget: each arrangement as the runs it needs, all with the same steps in sum.

    ``together`` is one network with a sub-network per category, ``shared`` one head for all kinds, ``separate`` one
    network per task with its part of the steps; ``squared``, ``coral`` and ``learned`` are ``together`` with other
    losses. Small pictures and a small trunk, so that three seeds of everything take about an hour on two shared
    cores. Command: ``python benchmarks/dmtl_idea.py --data out/records``.
    """
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    network = NetworkConfig(size=64, stem=16, widths=(32, 64, 96), blocks=(1, 1, 1), squeeze=32, hidden=96)
    whole = AttributesConfig(
        out=f"{out}/together-{seed}", schema=SHIPPED.only(ABLATED), network=network,
        data=DataConfig(folders=folders, held_out=0.2, limit=4000),
        seed=seed, steps=steps, check_every=0, log_every=100, save_every=10**9,
    )  # fmt: skip

    def other(name: str, **changes: Any) -> list[AttributesConfig]:
        return [replace(whole, out=f"{out}/{name}-{seed}", **changes)]

    parts = [
        replace(whole, out=f"{out}/separate-{names[0]}-{seed}", schema=SHIPPED.only(names), steps=steps // len(TASKS))
        for names in TASKS
    ]
    return {
        "together": [whole],
        "shared": other("shared", network=replace(network, arrangement="shared")),
        "separate": parts,
        "squared": other("squared", loss=LossConfig(ordinal="squared")),
        "coral": other("coral", loss=LossConfig(ordinal="coral")),
        "learned": other("learned", loss=LossConfig(balance="learned")),
    }
