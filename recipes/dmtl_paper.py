"""The configuration of DMTL (Han, Jain, Wang, Shan, Chen, TPAMI 40(11), 2018) on the five sets that the paper reports.

What the paper says and what stands here:

| part | paper | here |
|---|---|---|
| trunk | AlexNet with batch norm: five convolutions, two dense layers, shared | the same, AlexNet's widths |
| sub-networks | two dense layers for each category | the same; 512 wide (ours) |
| categories, CelebA and LFWA | one holistic and seven local | the same (`schema.CELEBA_GROUPS`) |
| categories, MORPH II, LFW+ | ordinal holistic (age), nominal holistic (gender, race) | the same without race |
| losses | squared error for ordinal, cross-entropy for nominal, weight per category | the same; weights 1 (ours) |
| optimiser | stochastic gradient descent | the same; rate, batch, steps, decay, augmentation are ours |
| pictures | 256 px, aligned by five points, detector SeetaFace | 112 px around the face's box (ours) |
| start | trained on CASIA-WebFace for identity first | from nothing, or from `init` |

No model of this project estimates race: those labels stay in the records' `groups`, for audits.

So a number from here is that of a reconstruction. Nothing was trained on these sets for this project: they are not
free to use, and no expected number is given that was not measured.

Bring a set, convert its splits once, train, score:

    python examples/convert_dataset.py celeba data/celeba train records/celeba-train
    python examples/convert_dataset.py celeba data/celeba test records/celeba-test
    omokage train dmtl_paper.celeba --set data=records/celeba-train
    python -c "from omokage.attributes.published import published_scores as s; \\
        [print(r) for r in s('runs/dmtl-celeba/weights', 'records/celeba-test')]"

Hardware: a CUDA device; 77 million parameters are slow on a CPU. Pictures are held in memory, at most about 90 kB each
(CelebA's training split: about 15 GB; `limit` takes fewer).
"""

from __future__ import annotations

from collections.abc import Sequence

from omokage.attributes.config import AttributesConfig, DataConfig, LossConfig, NetworkConfig
from omokage.attributes.paper import ALEXNET_DENSE, ALEXNET_WIDTHS
from omokage.schema import CELEBA, Attribute, AttributeSchema

AGE = Attribute("age", "ordinal", "holistic", low=0, high=100, unit="years", labels_from="the set")
GENDER = Attribute("perceived_gender", "nominal", "holistic", classes=("male", "female"), labels_from="the set")
AGE_AND_GENDER = AttributeSchema((AGE, GENDER))
AGE_ONLY = AttributeSchema((AGE,))

NETWORK = NetworkConfig(
    trunk="alexnet",
    stem=ALEXNET_WIDTHS[0],
    widths=ALEXNET_WIDTHS[1:],
    dense=ALEXNET_DENSE,
    squeeze=512,
    hidden=512,
    dropout=0.5,
)
# One weight for all attributes of a form; `categories` would hold the paper's weight of each category.
LOSS = LossConfig(
    ordinal="squared",
    forms=dict.fromkeys(("points", "rotation", "vector", "bins", "classes", "share"), 1.0),
    attributes={},
)
_LIMITS = (
    "A reconstruction of a published configuration, for research under the data set's own terms.",
    "Names such as `attractive` repeat annotators' opinions; never use them to decide anything about a person.",
)


def _paper(
    title: str,
    schema: AttributeSchema,
    licence: str,
    data: Sequence[str] | str,
    out: str,
    steps: int,
    limit: int,
    init: str,
) -> AttributesConfig:
    """What the five recipes share."""
    folders = tuple(data.split(",")) if isinstance(data, str) else tuple(data)
    return AttributesConfig(
        out=out,
        schema=schema,
        network=NETWORK,
        loss=LOSS,
        data=DataConfig(folders=folders, limit=limit, negatives=0.0),
        steps=steps,
        batch=64,
        optimizer="sgd",
        rate=0.01,
        momentum=0.9,
        decay=5e-4,
        init=init,
        set=f"dmtl-{title}",
        trained_on=title,
        data_licence=licence,
        weights_licence=f"as the data: {licence}",
        limits=_LIMITS,
        recipe=f"omokage train dmtl_paper.{title} --set data={','.join(folders)}",
    )


def celeba(
    data: Sequence[str] = ("records/celeba-train",),
    out: str = "runs/dmtl-celeba",
    steps: int = 50_000,
    limit: int = 0,
    init: str = "",
) -> AttributesConfig:
    """CelebA, 40 attributes in eight categories; official split 162,770 / 19,867 / 19,962.

    Command: ``omokage train dmtl_paper.celeba --set data=records/celeba-train``. Steps (ours) are about 20 epochs.
    """
    return _paper("celeba", CELEBA, "CelebA agreement: non-commercial research only", data, out, steps, limit, init)


def lfwa(
    data: Sequence[str] = ("records/lfwa-train",),
    out: str = "runs/dmtl-lfwa",
    steps: int = 4_000,
    limit: int = 0,
    init: str = "",
) -> AttributesConfig:
    """LFWA, the same 40 attributes on LFW; about half of the 13,233 pictures train.

    Command: ``omokage train dmtl_paper.lfwa --set data=records/lfwa-train``; ``--set init=runs/dmtl-celeba/weights``
    starts from CelebA.
    """
    return _paper("lfwa", CELEBA, "LFWA labels: non-commercial research only", data, out, steps, limit, init)


def morph2(
    data: Sequence[str] = ("records/morph2-train-1",),
    out: str = "runs/dmtl-morph2-1",
    steps: int = 20_000,
    limit: int = 0,
    init: str = "",
) -> AttributesConfig:
    """MORPH II, age and gender; five subject-exclusive folds, so five runs, each on its own ``train-k`` split.

    Command: ``omokage train dmtl_paper.morph2 --set data=records/morph2-train-1 --set out=runs/dmtl-morph2-1``.
    """
    return _paper("morph2", AGE_AND_GENDER, "MORPH album 2 licence", data, out, steps, limit, init)


def lfw_plus(
    data: Sequence[str] = ("records/lfw_plus-train-1",),
    out: str = "runs/dmtl-lfw_plus-1",
    steps: int = 5_000,
    limit: int = 0,
    init: str = "",
) -> AttributesConfig:
    """LFW+, apparent age and gender; five folds as for MORPH II.

    Command: ``omokage train dmtl_paper.lfw_plus --set data=records/lfw_plus-train-1``.
    """
    return _paper("lfw_plus", AGE_AND_GENDER, "LFW+: research only", data, out, steps, limit, init)


def chalearn2015(
    data: Sequence[str] = ("records/chalearn2015-train",),
    out: str = "runs/dmtl-chalearn2015",
    steps: int = 2_000,
    limit: int = 0,
    init: str = "",
) -> AttributesConfig:
    """ChaLearn LAP 2015, apparent age alone: the paper's test of how well the idea carries over.

    Command: ``omokage train dmtl_paper.chalearn2015 --set data=records/chalearn2015-train --set
    init=runs/dmtl-morph2-1/weights``.
    """
    return _paper("chalearn2015", AGE_ONLY, "ChaLearn LAP 2015: research only", data, out, steps, limit, init)
