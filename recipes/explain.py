"""Recipes of the explain room: rated impressions of photographs on networks for age and gender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omokage.attributes.config import AttributesConfig, DataConfig, NetworkConfig
from omokage.errors import InputError
from omokage.pipeline.ratings import RatingsConfig
from omokage.schema import SHIPPED


def arbabzadah_2016(
    data: str = "data/10k-us-adult-faces",
    bases: Sequence[str] = ("age=runs/arbabzadah-age/weights", "perceived_gender=runs/arbabzadah-gender/weights"),
    out: str = "runs/arbabzadah",
    dataset: str = "us_adult_faces",
    ratings: Sequence[str] = ("attractive", "happy", "confident", "intelligent"),
    limit: int = 0,
) -> RatingsConfig:
    """Four rated impressions on two base networks, dense layers only or everything retrained (Arbabzadah, Montavon,
    Müller and Samek, "Identifying individual facial expressions by deconstructing a neural network", GCPR 2016).

    Known of the paper: the four ratings of 2,222 photographs, the two bases (age in classes, gender), retraining of the
    dense layers or of the whole network, mean absolute error. Not known, and therefore ours: the networks, optimiser,
    length, splits; added: rank correlation, a mean predictor, a linear model on landmarks, intervals. The photographs
    must be asked for; `dataset` may be ``omi`` with other `ratings`. They are impressions of photographs, never traits.

        omokage train explain.arbabzadah_base --set task=age --set data=out/records
        omokage train explain.arbabzadah_base --set task=perceived_gender --set data=out/records \\
            --set out=runs/arbabzadah-gender
        omokage train explain.arbabzadah_2016 --set data=data/10k-us-adult-faces

    With ``--set bases=age=open,perceived_gender=open`` both start from the shipped network, which has learnt both.
    Hardware: one core, some hours for all 2,222 pictures (a CUDA device: minutes). Expected: no number of the paper is
    public; better than the mean predictor for ``happy``, which shows as a smile.
    """
    chosen, wanted = (tuple(v.split(",")) if isinstance(v, str) else tuple(v) for v in (bases, ratings))
    command = f"omokage train explain.arbabzadah_2016 --set data={data} --set bases={','.join(chosen)}"
    return RatingsConfig(data, dataset, wanted, chosen, out=out, limit=limit, recipe=command)


def arbabzadah_base(
    task: str = "age", data: Sequence[str] = ("out/records",), out: str = "runs/arbabzadah-age", minutes: float = 30.0
) -> AttributesConfig:
    """A base network of `arbabzadah_2016` that has learnt one thing only: ``age`` or ``perceived_gender``.

    On rendered heads (``omokage render --out out/records --count 30000``); add photographs with their records, for
    example ``--set data=out/records,out/fairface``. Hardware and speed as ``attributes.shipped``.
    """
    if task not in ("age", "perceived_gender"):
        raise InputError(f"the bases of the paper are age and perceived_gender, not {task!r}")
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    command = f"omokage train explain.arbabzadah_base --set task={task} --set data={','.join(folders)}"
    base = AttributesConfig(
        out=out, schema=SHIPPED.only([task]), network=NetworkConfig(), data=DataConfig(folders=folders, held_out=0.05),
        minutes=minutes, batch=48, recipe=command,
    )  # fmt: skip
    return replace(base, data=replace(base.data, negatives=0.0))
