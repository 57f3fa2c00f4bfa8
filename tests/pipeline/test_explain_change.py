"""Changes between two photographs: the fixed-before network says what the comparison says, and relevance sums to it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from omokage import Analyzer, InputError
from omokage.comparison.config import FACTORS, NetworkConfig
from omokage.comparison.model import ComparisonNetwork, scales
from omokage.comparison.predict import Compared, Seen
from omokage.explain.evidence import METHODS, explained, maps
from omokage.explain.target import View
from omokage.media.image import read_image
from omokage.nn.folding import folded
from omokage.nn.pictures import normalise
from omokage.pipeline.explain import explain
from omokage.pipeline.explain_change import change_target, change_targets, explain_change
from omokage.results import Box, FaceAnalysis, FaceCrop
from stand_ins import SquareFinder, SquarePredictor, face_template, write_picture

SIZE = 32
POINTS = SIZE / 2 + face_template() * SIZE / 1.45


def network(intra: str = "antisymmetric") -> ComparisonNetwork:
    torch.manual_seed(0)
    tiny = NetworkConfig(
        size=SIZE, stem=4, widths=(8, 8, 8), blocks=(1, 1, 1), squeeze=6, whole_squeeze=2, whole=4, view=12,
        hidden=12, identity_squeeze=2, identity=6, dropout=0.0, intra=intra,  # type: ignore[arg-type]
    )  # fmt: skip
    model = ComparisonNetwork(tiny).eval()
    for name, weights in model.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(weights, std=0.3)
    return model


class TinyComparer:
    """A comparison network of a few weights that takes everybody for one person."""

    size, margin, same_limit = SIZE, 1.3, 0.5
    device = torch.device("cpu")
    card = SimpleNamespace(id="tiny/comparison@0")

    def __init__(self, intra: str = "antisymmetric", same: float = 1.0) -> None:
        self.network, self.same = folded(network(intra)), same

    def see(self, crops: Any) -> Seen:
        return Seen(torch.zeros(2, len(crops), 1), torch.zeros(len(crops), 1))

    def compare(self, seen: Any, pairs: Any, controlled: Any = ()) -> Compared:
        zeros = np.zeros((len(pairs), len(FACTORS)))
        return Compared(zeros, zeros, zeros, zeros + 1, np.full(len(pairs), self.same))


def crops() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A face before and after: only the mouth differs."""
    before = np.random.default_rng(0).integers(60, 160, (SIZE, SIZE, 3)).astype(np.uint8)
    after = before.copy()
    after[19:25, 11:21] = 255 - after[19:25, 11:21]
    return before, after


@pytest.mark.parametrize("intra", ["antisymmetric", "concatenated"])
def test_the_target_is_the_comparison_with_its_first_photograph_held_fixed(intra: str) -> None:
    comparer: Any = TinyComparer(intra)
    before, after = crops()
    with torch.no_grad():
        states = comparer.network.see(normalise(torch.from_numpy(np.stack([before, after])))).state
        value = (comparer.network.compare(states[:1], states[1:]).value * scales())[0]
    for name in ("jawOpen", "fatness", "age"):
        target = change_target(comparer, before, name)
        score = target.score(target.raw(target.prepare(after[None])))
        torch.testing.assert_close(score[0], value[FACTORS.index(name)], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["gradients", "lrp"])
def test_relevance_sums_to_the_change(method: str) -> None:
    comparer: Any = TinyComparer()
    before, after = crops()
    target = change_target(comparer, before, "age")
    found = maps(target, [after], method, before=[before])
    assert found.kept is not None
    change = float(target.score(target.raw(target.prepare(after[None])))[0])
    # Gradients along a path of a few steps leave an error that goes with all that they add and subtract.
    assert (
        abs(found.kept[0] - 1) * abs(change) < (0.05 if method == "gradients" else 1e-3) * np.abs(found.relevance).sum()
    )
    nothing = maps(target, [before], method, before=[before]).relevance
    np.testing.assert_allclose(nothing, 0, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_what_did_not_change_takes_nothing_away(method: str) -> None:
    comparer: Any = TinyComparer()
    before, after = crops()
    target = change_target(comparer, before, "age")
    view = View(after, POINTS, before=before)
    found = explained(target, [view], FaceCrop(after, np.eye(2, 3), Box(0, 0, SIZE, SIZE), 1.0), method)
    effects = {r.name: r.effect for r in found.regions}
    assert abs(effects["forehead"]) < 1e-4 * max(abs(v) for v in effects.values())
    assert all(set(r.effect_by_fill) == {"before"} for r in found.regions)
    assert found.answer_unit == "years"


def photographs(folder: Path) -> tuple[Path, Path]:
    one, two = folder / "january.png", folder / "june.png"
    write_picture(one, [(40, 30, 60, 20)])
    write_picture(two, [(44, 32, 60, 60)])
    for path, shade in ((one, 30), (two, 200)):
        picture = cv2.imread(str(path))
        picture[50:60, 60:75] = (shade, 60, 250)
        cv2.imwrite(str(path), picture)
    return one, two


def with_landmarks(monkeypatch: pytest.MonkeyPatch) -> Analyzer:
    """An analyzer whose faces have landmarks: the template in their box."""
    whole = FaceAnalysis.outline.fget  # type: ignore[attr-defined]

    def outline(face: FaceAnalysis) -> NDArray[np.float32]:
        known = whole(face)
        if known is not None:
            return known  # type: ignore[no-any-return]
        middle = np.array([(face.box.x0 + face.box.x1) / 2, (face.box.y0 + face.box.y1) / 2])
        return np.asarray(middle + face_template() * face.box.width, np.float32)

    monkeypatch.setattr(FaceAnalysis, "outline", property(outline))
    return Analyzer(finder=SquareFinder(), predictor=SquarePredictor())


def test_two_photographs_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = photographs(tmp_path)
    comparer: Any = TinyComparer()
    analyzer = with_landmarks(monkeypatch)
    found = explain_change(one, two, "change.Fatness", analyzer=analyzer, comparer=comparer)
    assert found.target == "change.fatness"
    assert found.before is not None
    assert found.before.image.shape == found.crop.image.shape
    assert found.relevance.shape == (SIZE, SIZE)
    assert np.isfinite(found.score)
    pixels = [read_image(path) for path in (one, two)]
    again = explain_change(*pixels, "change.fatness", analyzer=analyzer, comparer=comparer)
    assert again.score == found.score


def test_what_cannot_be_compared_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = photographs(tmp_path)
    analyzer = with_landmarks(monkeypatch)
    comparer: Any = TinyComparer(same=0.1)
    with pytest.raises(InputError, match=r"different people.*--assume-same"):
        explain_change(one, two, "change.age", analyzer=analyzer, comparer=comparer)
    explain_change(one, two, "change.age", analyzer=analyzer, comparer=comparer, assume_same=True)
    write_picture(tmp_path / "nobody.png")
    with pytest.raises(InputError, match="no face after"):
        explain_change(one, tmp_path / "nobody.png", "change.age", analyzer=analyzer, comparer=comparer)
    with pytest.raises(InputError, match=r"change\.fatness"):
        explain_change(one, two, "change.fatnes", analyzer=analyzer, comparer=comparer)
    with pytest.raises(InputError, match="occlusion"):
        explain_change(one, two, "change.age", "magic", analyzer=analyzer, comparer=comparer)
    with pytest.raises(InputError, match="two photographs"):
        explain(two, "change.age")
    assert f"change.{FACTORS[0]}" in change_targets()
