"""Relevance propagation by omokage, zennit and captum on the same networks: agreement, conservation, time.

    python benchmarks/lrp_engines.py [--write]

Neither zennit (GPL/LGPL) nor captum is a dependency: the script makes a temporary environment, lets pip install both
without their dependencies (PyTorch is taken from the environment that runs the script), runs itself there and removes
it. `--write` adds a dated page under docs/benchmarks.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from omokage.explain.canonizers import canonized
from omokage.explain.composites import COMPOSITES
from omokage.explain.lrp import propagate
from omokage.nn.blocks import Add
from omokage.nn.trunk import ResidualTrunk
from omokage.training.run import commit_of

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("captum==0.9.0", "zennit==0.5.1")
SIZE, PICTURES = 56, 8


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One engine and rule set on one network."""

    network: str
    engine: str
    rules: str
    conserved: str
    correlation: float
    seconds: float


def networks() -> dict[str, tuple[nn.Module, nn.Linear]]:
    """Small networks after a little training on noise, batch norms folded, last bias zero (a start all agree on)."""
    torch.manual_seed(0)
    made: dict[str, tuple[nn.Module, nn.Linear]] = {}
    layers = [nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24)]
    plain = nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.Linear(24 * 14 * 14, 32), nn.ReLU())
    deep = nn.Sequential(ResidualTrunk(12, (16, 24), (2, 2)), nn.Flatten())
    for name, body, width in (("plain", plain, 32), ("residual", deep, 24 * 7 * 7)):
        readout = nn.Linear(width, 4)
        whole = nn.Sequential(body, readout)
        pace = torch.optim.Adam(whole.parameters(), 1e-3)
        for _ in range(40):
            x, y = torch.randn(16, 3, SIZE, SIZE), torch.randint(0, 4, (16,))
            loss = nn.functional.cross_entropy(whole(x + y[:, None, None, None] * 0.3), y)
            pace.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            pace.step()
        with torch.no_grad():
            readout.bias.zero_()
        made[name] = canonized(body), readout.requires_grad_(False)
        made[f"{name}, no biases"] = without_biases(made[name][0]), readout
    return made


def without_biases(body: nn.Module) -> nn.Module:
    """A copy in which the treatment of biases cannot make a difference."""
    bare = copy.deepcopy(body)
    with torch.no_grad():
        for name, weights in bare.named_parameters():
            if name.endswith("bias"):
                weights.zero_()
    return bare


class Flattening(nn.Module):
    """A sequence whose `Flatten` is no module: captum has no rule for that one."""

    def __init__(self, parts: list[nn.Module]) -> None:
        super().__init__()
        self.cut = next(k for k, part in enumerate(parts) if isinstance(part, nn.Flatten))
        self.parts = nn.Sequential(*(part for part in parts if not isinstance(part, nn.Flatten)))

    def forward(self, x: Tensor) -> Tensor:
        for k, part in enumerate(self.parts):
            x = part(x.flatten(1) if k == self.cut else x)
        return x


class Summed(nn.Module):
    """Our `Add` as zennit knows it: stacked, then summed by its own layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.sum = layer

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        out: Tensor = self.sum(torch.stack([left, right], -1))
        return out


def ours(body: nn.Module, readout: nn.Linear, x: Tensor, rules: str) -> Tensor:
    contrast = torch.tensor([[1.0, 0, 0, 0]]).repeat(len(x), 1)
    return propagate(body, readout, contrast, x, COMPOSITES[rules]).relevance


def by_zennit(body: nn.Module, readout: nn.Linear, x: Tensor, rules: str) -> Tensor:
    from zennit.core import Composite
    from zennit.layer import Sum
    from zennit.rules import AlphaBeta, Epsilon, Flat, Gamma, Norm, Pass, ZBox, ZPlus

    zero = {"zero_params": "bias"}
    kinds: dict[str, Callable[[], object]] = {
        "gamma-box": lambda: Gamma(0.25, **zero),
        "plus-flat": lambda: ZPlus(**zero),
        "alpha2-beta1": lambda: AlphaBeta(2.0, 1.0, **zero),
        "epsilon": lambda: Epsilon(1e-6, **zero),
    }
    conv = kinds[rules]
    dense = 0.1 if rules.startswith("alpha") else 1e-6
    first: dict[str, Callable[[], object]] = {
        "gamma-box": lambda: ZBox(-1.0, 1.0, **zero), "plus-flat": lambda: Flat(),
    }  # fmt: skip
    whole = nn.Sequential(copy.deepcopy(body), copy.deepcopy(readout))
    for part in list(whole.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, Add):
                setattr(part, name, Summed(Sum()))
    start = next(m for m in whole.modules() if isinstance(m, nn.Conv2d))

    def rule(_: dict, __: str, module: nn.Module) -> object:
        if module is start and rules in first:
            return first[rules]()
        if isinstance(module, nn.Conv2d):
            return conv()
        if isinstance(module, nn.Linear):
            return Epsilon(dense, **zero)
        return Pass() if isinstance(module, nn.ReLU) else Norm() if isinstance(module, Sum) else None

    at = x.clone().requires_grad_(True)
    with Composite(rule).context(whole) as ready:
        out = ready(at)[:, 0]
        (found,) = torch.autograd.grad(out, at, out.detach())
    return found


def by_captum(body: nn.Module, readout: nn.Linear, x: Tensor, rules: str) -> Tensor:
    from captum.attr import LRP
    from captum.attr._utils.custom_modules import Addition_Module
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule

    assert isinstance(body, nn.Sequential)
    whole = Flattening([*copy.deepcopy(body), copy.deepcopy(readout)])
    kinds: dict[str, Any] = {
        "gamma-box": lambda: GammaRule(gamma=0.25, set_bias_to_zero=True),
        "plus-flat": lambda: Alpha1_Beta0_Rule(set_bias_to_zero=True),
        "epsilon": lambda: EpsilonRule(1e-6),
    }
    for part in list(whole.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, Add):
                setattr(part, name, Addition_Module())
    for module in whole.modules():
        if isinstance(module, nn.Conv2d):
            module.rule = kinds[rules]()
        elif isinstance(module, nn.Linear | Addition_Module | nn.Identity):  # its identity rule fails: KeyError
            module.rule = EpsilonRule(1e-6)
    found: Tensor = LRP(whole).attribute(x.clone().requires_grad_(True), target=0)
    return found.detach()


def measured() -> list[Row]:
    rows = []
    for name, (body, readout) in networks().items():
        x = torch.randn(PICTURES, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
        with torch.no_grad():
            out = readout(body(x))[:, 0]
        for rules in ("epsilon", "plus-flat", "gamma-box", "alpha2-beta1"):
            mine = ours(body, readout, x, rules)
            for engine, run in (("omokage", ours), ("zennit", by_zennit), ("captum", by_captum)):
                if engine == "captum" and rules == "alpha2-beta1":
                    continue  # it has no such rule
                try:
                    run(body, readout, x, rules)
                    began = time.process_time()
                    found = run(body, readout, x, rules)
                    spent = time.process_time() - began
                except Exception as error:
                    rows.append(Row(name, engine, rules, f"{type(error).__name__}: {str(error)[:60]}", np.nan, np.nan))
                    continue
                ratio = (found.flatten(1).sum(1) / out).numpy()
                pairs = zip(mine.sum(1).flatten(1), found.sum(1).flatten(1), strict=True)
                alike = float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
                rows.append(Row(name, engine, rules, f"{ratio.min():.3g} to {ratio.max():.3g}", alike, spent))
    return rows


def page(rows: list[Row]) -> str:
    lines = [
        f"# Engines of relevance propagation, {date.today().isoformat()}",
        "",
        f"`python benchmarks/lrp_engines.py`, commit {commit_of(ROOT)}, {', '.join(VERSIONS)}, PyTorch "
        f"{torch.__version__}, {platform.machine()}, one thread; {PICTURES} pictures of {SIZE} px of noise, batch "
        "norms folded beforehand for all, last bias zero, other biases zeroed in the rules where an engine can; for "
        "zennit the residual sum was given its `Norm` rule by hand. captum has neither the box nor the flat rule: its "
        "first layer has the rule of the other convolutions. The third column is the sum of relevance over the output, "
        "lowest to highest.",
        "",
        "| network | rules | engine | conserved | correlation with omokage | CPU ms |",
        "|---|---|---|---|---|---|",
    ]
    for r in rows:
        alike, spent = (("" if np.isnan(v) else f"{v:.{n}f}") for v, n in ((r.correlation, 3), (1000 * r.seconds, 0)))
        lines.append(f"| {r.network} | {r.rules} | {r.engine} | {r.conserved} | {alike} | {spent} |")
    return "\n".join(lines) + "\n"


def inside() -> None:
    """Run this script again where captum and zennit are."""
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = Path(place) / "bin" / "python"
        site = next((Path(place) / "lib").glob("python*/site-packages"))
        shared = Path(np.__file__).parents[1]
        (site / "shared.pth").write_text(f"{shared}\n{ROOT / 'src'}\n", encoding="utf-8")
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", *VERSIONS], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "matplotlib"], check=True)  # captum imports it
        # zennit imports names of torchvision's networks, which nothing here uses.
        for name, classes in (("vgg", ("VGG",)), ("resnet", ("ResNet", "Bottleneck", "BasicBlock"))):
            stub = site / "torchvision" / "models" / f"{name}.py"
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text("".join(f"class {c}: ...\n" for c in classes), encoding="utf-8")
        subprocess.run([python, __file__, *sys.argv[1:]], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if importlib.util.find_spec("captum") is None or importlib.util.find_spec("zennit") is None:
        inside()
        return
    torch.set_num_threads(1)
    text = page(measured())
    print(text)
    if given.write:
        name = f"{date.today().isoformat()}-lrp-engines.md"
        (ROOT / "docs" / "benchmarks" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
