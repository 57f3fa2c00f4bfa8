"""Recipes of the embeddings room. Each function returns the typed configuration of one run.

`fabnet_paper` and `fabnet_paper_masks` are FAb-Net's two stages (Wiles, Koepke, Zisserman, BMVC 2018). The released
code and the authors' account of what they ran differ; this table says which number was taken:

| setting | released code | as the authors say they ran it | here |
|---|---|---|---|
| learning rate, batch | 1e-4, 128 | 1e-3, 32 | 1e-3, 32 |
| momentum | 0.9 | - | 0.9 |
| after the last window | rate hardly ever drops | falls by ten | falls by ten (the code's: `drop="released"`) |
| window | 0-0.5, then +0.1 at a stall of 15 looks, to 0.4-0.9 | same | same |
| a look | each identity once | - | `check_every` steps (131 = 4,194 identities / 32) |
| corners in the sampler | aligned (its PyTorch had no other) | - | aligned |

`fabnet` is the same idea with its faults repaired, from random weights; `ablations` takes the repairs back one at a
time. `shipped` begins with the trunk of the attributes room and ends as the encoder that comes with omokage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from omokage.data.transforms import Geometry
from omokage.embeddings.config import (
    CurriculumConfig,
    DecoderConfig,
    EmbeddingConfig,
    EncoderConfig,
    LossConfig,
    TracksConfig,
)

Folders = Sequence[str] | str


def fabnet(
    data: Folders = ("out/tracks",), out: str = "runs/fabnet", minutes: float = 120.0, size: int = 112, cache: str = ""
) -> EmbeddingConfig:
    """FAb-Net repaired, learnt from tracks alone, on the crop that the attributes room reads.

    Command: ``omokage train embeddings.fabnet --set data=out/tracks --set minutes=120`` after ``omokage render --tracks
    --frames 12 --fps 2 --sway 2.4 --count 5000 --out out/tracks``. Hardware: one CPU core for the steps (about 120
    frames a second of it in bfloat16, 80 in float32) and a tenth of another for the crops, or any CUDA device. The card
    that the run writes has the reconstruction error on held-out people beside that of copying.
    """
    command = f"omokage train embeddings.fabnet --set data={','.join(_folders(data))} --set minutes={minutes:g}"
    return EmbeddingConfig(
        out=out, encoder=EncoderConfig(size=size), data=TracksConfig(folders=_folders(data), cache=cache),
        minutes=minutes, recipe=command + (f" --set size={size}" if size != 112 else ""),
    )  # fmt: skip


def shipped(
    data: Folders = ("out/tracks",),
    out: str = "runs/embeddings",
    minutes: float = 40.0,
    init: str = "synthetic/attributes",
    encoder_rate: float = 0.03,
    cache: str = "",
) -> EmbeddingConfig:
    """The shipped encoder: `fabnet` that begins with the trunk of the attributes room's `synthetic` set.

    That trunk learnt from labels of rendered heads, none of a person; the code begins as the principal components of
    what changes between frames (`embeddings.start`), and the steps after that use no label. The encoder learns at a
    thirtieth of the decoder's rate: at a tenth its codes lost expressions within a hundred steps. Command: ``omokage
    train embeddings.shipped --set data=out/tracks --set minutes=40`` after ``omokage render --tracks --frames 10 --fps
    2 --count 2600 --out out/tracks``. Hardware: as `fabnet`. ``--set init=synthetic`` goes on from the shipped encoder,
    on video of your own for example.
    """
    folders = ",".join(_folders(data))
    begun = "" if init == "synthetic/attributes" else f" --set init={init}"
    command = f"omokage train embeddings.shipped --set data={folders} --set minutes={minutes:g}{begun}"
    base = fabnet(data, out, minutes, cache=cache)
    return replace(base, init=init, encoder_rate=encoder_rate, recipe=command, limits=(*base.limits, TAUGHT))


TAUGHT = (
    "Not learnt without labels from the start: it begins with a trunk that learnt from the labels of rendered heads "
    "(landmarks, pose, expression, age and more), no label of a person."
)


def fabnet_paper(
    data: Folders = ("records/voxceleb2-train",),
    out: str = "runs/fabnet-paper",
    size: int = 256,
    steps: int = 400_000,
    check_every: int = 131,
) -> EmbeddingConfig:
    """The published first stage: one source frame, flow and encoder learn, the window over ranks moves at stalls.

    Command: ``omokage train embeddings.fabnet_paper --set data=records/voxceleb2-train`` after the set was converted
    (`data.datasets`, ``voxceleb``). Hardware: a CUDA device; the authors trained about a day. As later papers quote it,
    the whole system reached 5.71 % inter-ocular error on 300-W and 3.44 % on MAFL by a linear probe; this project has
    not run it on that data.
    """
    return EmbeddingConfig(
        out=out,
        encoder=EncoderConfig(size=size, trunk="published"),
        decoder=DecoderConfig(kind="published", masks="bounded", pose=0, align_corners=True),
        loss=LossConfig(scales=1, none_price=0.0),
        curriculum=CurriculumConfig(difficulty="batch", pace="plateau"),
        data=TracksConfig(folders=_folders(data), sources=1, targets=1, pairs="random", geometry=PUBLISHED_CROPS,
                          photometric=False, held_out=0.1),
        steps=steps, batch=32, optimizer="sgd", rate=1e-3, drop="paper", decay=0.0, warmup=0, clip=1e9, average=0.0,
        precision="full", check_every=check_every, trained_on="face tracks", data_licence="see the data set's terms",
        recipe=f"omokage train embeddings.fabnet_paper --set data={','.join(_folders(data))} --set size={size}",
    )  # fmt: skip


def fabnet_paper_masks(
    data: Folders = ("records/voxceleb2-train",),
    out: str = "runs/fabnet-paper-masks",
    init: str = "runs/fabnet-paper",
    size: int = 256,
    steps: int = 100_000,
    check_every: int = 131,
) -> EmbeddingConfig:
    """The published second stage: three source frames, encoder and masks learn, the flow decoder rests.

    Command: ``omokage train embeddings.fabnet_paper_masks --set init=runs/fabnet-paper`` after `fabnet_paper`.
    """
    first = fabnet_paper(data, out, size, steps, check_every)
    command = first.recipe.replace("fabnet_paper", "fabnet_paper_masks") + f" --set init={init}"
    return replace(first, data=replace(first.data, sources=3), freeze_flow=True, init=init, recipe=command)


# A random square of 170 to 189 in 190 pixels, no turn, no mirror.
PUBLISHED_CROPS = Geometry(small_shift=0.015, small_scale=0.03, small_turn=0.0, large_share=0.0, mirror=0.0)


def smoke(data: Folders = ("out/tracks",), out: str = "runs/fabnet-smoke", steps: int = 40) -> EmbeddingConfig:
    """A minute on anything: proves that tracks, network and disk work together, not that anything is learnt."""
    config = replace(fabnet(data, out, 0.0, 64), steps=steps, batch=8, log_every=10, warmup=10)
    return replace(config, check_every=20, check_items=32, save_every=20)


def ablations(
    data: Folders = ("out/tracks",), out: str = "runs/ablations", steps: int = 500, seed: int = 0, cache: str = ""
) -> dict[str, list[EmbeddingConfig]]:
    """Every repair taken back alone, at 64 px and equal steps: a name to the runs that it needs, the last one counts.

    ``repaired`` is `fabnet` with a small network; each ``no ...`` row is it with one choice as published. ``published``
    is the first stage, ``published, masks`` half of the steps in each stage; as a short run has no time for stalls,
    their window moves steadily over the run. A step reads 32 frames in every row. Command:
    ``python benchmarks/fabnet_ablation.py --data out/tracks``.
    """
    small: dict[str, Any] = {"stem": 16, "widths": (32, 64, 96), "blocks": (1, 1, 1), "squeeze": 32}
    common: dict[str, Any] = {"seed": seed, "check_every": 0, "check_items": 128, "log_every": 50, "save_every": 10**9,
              "precision": "full"}  # fmt: skip
    encoder = EncoderConfig(size=64, **small)
    whole = replace(
        fabnet(data, "", 0.0, 64, cache), encoder=encoder, decoder=DecoderConfig(widths=(64, 48, 32)), steps=steps,
        batch=8, rate=2e-3, warmup=min(50, steps // 4), average=0.98, **common,
    )  # fmt: skip
    whole = replace(whole, data=replace(whole.data, held_out=0.2, workers=0))
    paper = replace(
        fabnet_paper(data, "", 64, steps),
        curriculum=CurriculumConfig(difficulty="batch", last=(0.4, 0.9)),
        batch=16,
        **common,
    )
    paper = replace(paper, data=replace(paper.data, held_out=0.2, workers=0, cache=cache))
    first = replace(paper, out=f"{out}/published-first-{seed}", steps=steps - steps // 2)
    second = replace(
        paper, out=f"{out}/published-masks-{seed}", steps=steps // 2, init=first.out, freeze_flow=True, batch=8,
        data=replace(paper.data, sources=3),
    )  # fmt: skip

    def other(name: str, part: str = "", **changes: Any) -> list[EmbeddingConfig]:
        changed = {part: replace(getattr(whole, part), **changes)} if part else changes
        return [replace(whole, out=f"{out}/{name.replace(' ', '-')}-{seed}", **changed)]

    return {
        "published": [replace(paper, out=f"{out}/published-{seed}")],
        "published, masks": [first, second],
        "repaired": other("repaired"),
        "no rejection": other("no rejection", "decoder", masks="bounded"),
        "no masks": other("no masks", "decoder", masks="none"),
        "no three sources": [replace(one, batch=16) for one in other("no three sources", "data", sources=1)],
        "no falling rate": other("no falling rate", drop="released"),
        "no running difficulty": other("no running difficulty", "curriculum", difficulty="batch"),
        "no curriculum": other("no curriculum", "curriculum", difficulty="off"),
        "no motion pairs": other("no motion pairs", "data", pairs="random"),
        "no residual trunk": other("no residual trunk", "encoder", trunk="published"),
        "no photometric change": other("no photometric change", "data", photometric=False),
        "no divided code": other("no divided code", "decoder", pose=0),
        "no coarse scales": other("no coarse scales", "loss", scales=1),
    }


def _folders(data: Folders) -> tuple[str, ...]:
    return tuple(data.split(",")) if isinstance(data, str) else tuple(data)
