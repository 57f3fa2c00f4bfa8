"""Recipes of the comparison room. Each function returns the typed configuration of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omokage.comparison.config import ComparisonConfig, DataConfig, LossConfig, NetworkConfig
from omokage.comparison.verification.config import DataConfig as VerificationData
from omokage.comparison.verification.config import VerificationConfig
from omokage.data.readers.fairface import BESIDE_RENDERED

FINE = NetworkConfig(size=224, detail=2, stem=40)


def shipped(
    data: Sequence[str] = ("out/visits",),
    still: str = "out/still",
    out: str = "runs/comparison",
    minutes: float = 20.0,
    steps: int = 6000,
    init: str = "synthetic",
    rate: float = 1e-3,
    more: Sequence[str] = (),
    share: float = 0.4,
    limit: int = 0,
    controlled: str = "",
) -> ComparisonConfig:
    """The shipped default: both representations learnt together, starting from the attributes room's weights.

    `data` are folders with several pictures of each person. For calibration alone, `still` are pairs between which only
    the day differs (after commas, other folders of which nothing is learnt) and `controlled` visits with the head held
    and lit alike. `more` are folders of which nobody is held out (people whom the first weights have seen already),
    `share` is the part of a batch that comes from them, `limit` the most people that are taken of a folder. The run
    ends after `minutes`, or after `steps` where these are 0. Commands:

        omokage render --out out/visits --count 3500 --pairs visits --size 256
        omokage render --out out/still --count 400 --seed 1 --pairs nuisance --size 256
        omokage render --out out/controlled --count 600 --seed 2 --pairs controlled --size 256
        omokage train comparison.shipped --set data=out/visits --set controlled=out/controlled --set minutes=20

    Folders of ``omokage render --count N`` (four pictures of a person) teach identity and expression as well. Hardware:
    one CPU core and a fifth of a second one for the crops, or any CUDA device. Scores are in the card that the run
    writes.
    """
    own, others = (tuple(f for f in v.split(",") if f) if isinstance(v, str) else tuple(v) for v in (data, more))
    settings = {"data": ",".join(own), "more": ",".join(others), "still": still, "controlled": controlled,
                "minutes": f"{minutes:g}", "init": init, "rate": f"{rate:g}",
                "share": f"{share:g}" if others else "", "limit": str(limit or ""),
                "steps": str("" if minutes else steps)}  # fmt: skip
    shares = (*((1 - share) / len(own) for _ in own), *(share / len(others) for _ in others)) if others else ()
    command = " ".join(["omokage train comparison.shipped", *(f"--set {k}={v}" for k, v in settings.items() if v)])
    apart = tuple(f for f in still.split(",") if f)
    return ComparisonConfig(
        out=out, network=FINE, minutes=minutes, steps=steps, rate=rate, init=init, recipe=command,
        data=DataConfig((*own, *others), others, apart, shares=shares, held_out=0.12, limit=limit,
                        controlled=(controlled,) if controlled else ()),
    )  # fmt: skip


def open(
    data: Sequence[str] = ("out/visits",),
    photographs: str = "out/fairface",
    still: str = "out/still",
    out: str = "runs/comparison-open",
    minutes: float = 60.0,
    init: str = "synthetic",
    rate: float = 8e-4,
    more: Sequence[str] = (),
    share: float = 0.15,
    real: float = 0.5,
    controlled: str = "",
) -> ComparisonConfig:
    """The `open` set: rendered people as in `shipped`, and openly licensed photographs of strangers in the same
    batches.

    Nobody is known to be on two of the photographs, so each is shown twice, cut and changed anew: a person without a
    change. What differs between two photographs is taught by what the attributes network of the open set reads on them
    (expression units, fatness, years within the labelled bin): self-training. Who it is is learnt from rendered
    people alone: two cuts of one photograph share its hair, light and camera, and two photographs of one person do
    not. The network forgets thereby how real people are told apart; the mean with the weights that it began with
    (``tools/average_weights.py --model comparison``) keeps both, and is what ships. `photographs` is the folder of
    records that ``omokage records fairface_part FOLDER --out out/fairface --fill`` wrote, `real` the part of the people
    of a batch that comes from it. Calibrated on rendered people alone, since no photograph is known to show no change.

    Command: ``omokage train comparison.open --set data=out/visits --set photographs=out/fairface --set minutes=60``.
    Hardware: as `shipped`.
    """
    base = shipped(data, still, out, minutes, init=init, rate=rate, more=more, share=share, controlled=controlled)
    rendered = base.data.shares or (1.0 / len(base.data.folders),) * len(base.data.folders)
    mixed = replace(
        base.data, folders=(*base.data.folders, photographs), whole=(*base.data.whole, photographs),
        shares=(*((1 - real) * part for part in rendered), real), nameless=(photographs,),
    )  # fmt: skip
    command = base.recipe.replace("comparison.shipped", "comparison.open", 1)
    return replace(
        base, data=mixed, set="open", people=16, trained_on="rendered heads and FairFace photographs",
        recipe=f"{command} --set photographs={photographs} --set real={real:g}",
        data_licence=BESIDE_RENDERED, limits=(*base.limits, OPEN_LIMIT),
    )  # fmt: skip


OPEN_LIMIT = (
    "FairFace shows faces of public Flickr pictures, nobody of them knowingly twice: what changes in one person was "
    "learnt from rendered people, what differs between strangers also from age bins and from what the attributes "
    "network of the open set reads on photographs. The synthetic set has never seen a person."
)


def comface_paper(
    data: Sequence[str] = ("out/visits",),
    still: str = "out/still",
    out: str = "runs/comface",
    minutes: float = 20.0,
) -> ComparisonConfig:
    """As near to ComFace (Akamatsu et al., WACV 2025) as is known: two representations learnt together from scratch on
    synthetic faces only, inter-personal by a contrastive loss, intra-personal by a distance, with a curriculum.

    Not public, and therefore ours: the generator (the paper manipulates a StyleGAN's codes, we render), the network and
    its widths, the form and the weights of the losses, the temperature, the order of the curriculum, optimiser, batch
    and length.
    """
    base = shipped(data, still, out, minutes, init="")
    command = f"omokage train comparison.comface_paper --set data={','.join(base.data.folders)}"
    return replace(base, loss=LossConfig(inter=1.0), curriculum=1500, recipe=command)


def ablated(
    without: str,
    data: Sequence[str] = ("out/visits",),
    still: str = "out/still",
    out: str = "runs/comparison-ablated",
    steps: int = 400,
    init: str = "synthetic:attributes",
    limit: int = 0,
) -> ComparisonConfig:
    """`shipped` at a small budget without one part: ``nothing``, ``curriculum``, ``inter``, ``antisymmetry``, ``init``,
    ``repeated`` (the same photograph changed as a pair without a change), ``relative`` (the squared loss in usual
    changes) or ``alike`` (strangers that look alike in one batch)."""
    base = replace(shipped(data, still, out, 0, steps, init, limit=limit), curriculum=steps // 8)
    changed = {
        "nothing": base,
        "curriculum": replace(base, curriculum=0),
        "inter": replace(base, loss=LossConfig(inter=0.0)),
        "antisymmetry": replace(base, network=replace(FINE, intra="concatenated")),
        "init": replace(base, init=""),
        "relative": replace(base, loss=LossConfig("absolute", 10.0, 1.0, 1.0)),
        "alike": replace(base, data=replace(base.data, alike=0.0)),
        "repeated": replace(base, data=replace(base.data, repeated=0.0)),
    }
    if without not in changed:
        from omokage.errors import InputError

        raise InputError(f"{without!r} is no part that can be left out; choose among {', '.join(changed)}")
    return replace(
        changed[without], recipe=f"omokage train comparison.ablated --set without={without} --set steps={steps}"
    )


def verification(
    data: Sequence[str] = ("out/visits",),
    still: str = "",
    out: str = "runs/verification",
    minutes: float = 45.0,
    steps: int = 5000,
    init: str = "synthetic",
    beside: str = "",
    limit: int = 0,
    photographs: str = "",
) -> VerificationConfig:
    """The same-person check of the `synthetic` set, or with `photographs` of the `open` set.

    `beside` names the weights of the comparison network that it will check for: where that network's own code helps, it
    takes part. `data` are folders of ``omokage render --pairs visits`` (or without ``--pairs``: four pictures of a
    person), `still` folders of which nothing is learnt, for calibration beside the people held out; `limit` is the
    most people that are taken of a folder. `photographs` are records of strangers, each of whom is on one picture,
    such as ``omokage records fairface_part`` writes: they are kept apart from each other. The run ends after
    `minutes`, or after `steps` where these are 0. What ships began with the trunks of the attributes networks
    (``init=open:attributes``, ``init=synthetic:attributes``). Commands:

        omokage render --out out/people --count 7000 --pairs visits --size 160
        omokage train comparison.verification --set data=out/people --set minutes=45

    Hardware: one CPU core and a half of a second one for the crops, or any CUDA device. Scores are in the card that the
    run writes.
    """
    folders, real, apart = (
        tuple(f for f in v.split(",") if f) if isinstance(v, str) else tuple(v) for v in (data, photographs, still)
    )
    settings = {"data": ",".join(folders), "still": ",".join(apart), "photographs": ",".join(real), "init": init,
                "beside": beside, "minutes": f"{minutes:g}", "steps": "" if minutes else str(steps),
                "limit": str(limit or "")}  # fmt: skip
    command = " ".join(["omokage train comparison.verification", *(f"--set {k}={v}" for k, v in settings.items() if v)])
    base = VerificationConfig(
        out=out, minutes=minutes, steps=steps, init=init, beside=beside, recipe=command,
        data=VerificationData(folders, apart, real, limit=limit),
    )  # fmt: skip
    if not real:
        return replace(base, passing=STRICT)
    return replace(
        base, set="open", trained_on="rendered heads and FairFace photographs", data_licence=BESIDE_RENDERED,
        limits=(*base.limits, STRANGERS_LIMIT),
    )  # fmt: skip


# Who has only seen rendered people takes real ones for alike: few rendered strangers may pass.
STRICT = 0.03
STRANGERS_LIMIT = (
    "FairFace shows faces of public Flickr pictures, nobody of them knowingly twice: what stays of one person was "
    "learnt from rendered people, what sets people apart also from these photographs. The synthetic set has never seen "
    "a person."
)
