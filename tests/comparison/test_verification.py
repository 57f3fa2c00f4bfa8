"""The same-person check's own network: its losses against slow versions, exact resume, a drawn world, and the comparer
that uses it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from comparison_runs import TINY, tiny, write_visits
from torch.nn import functional as F

from omokage.comparison import calibration
from omokage.comparison import train as changes
from omokage.comparison.album import read_album
from omokage.comparison.config import DataConfig as ChangesData
from omokage.comparison.data import Crops
from omokage.comparison.predict import Comparer
from omokage.comparison.readings import Cosines
from omokage.comparison.start import start
from omokage.comparison.verification.config import DataConfig, LossConfig, NetworkConfig, VerificationConfig
from omokage.comparison.verification.data import Steps
from omokage.comparison.verification.loss import VerificationLoss
from omokage.comparison.verification.model import VerificationNetwork
from omokage.comparison.verification.predict import Verifier
from omokage.comparison.verification.readings import SHARES, best_share, mixed
from omokage.comparison.verification.train import PARTS, train
from omokage.errors import TrainingError, WeightsError
from omokage.pipeline.recipes import configure, find_recipe, run_recipe
from omokage.weights import registry

SMALL = NetworkConfig(size=32, stem=4, widths=(8, 8, 8), blocks=(1, 1, 1), squeeze=6, code=8)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people, three pictures each."""
    return write_visits(tmp_path_factory.mktemp("people"), people=40, pictures=3, seed=3)


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people, one picture each."""
    return write_visits(tmp_path_factory.mktemp("strangers"), people=12, pictures=1, seed=4)


def short(out: Path, people: Path, strangers: Path | None = None, **settings: object) -> VerificationConfig:
    """A run of a second."""
    data = DataConfig(
        (str(people),), photographs=(str(strangers),) if strangers else (), held_out=0.5, people=4, pictures=3,
        strangers=5 if strangers else 0, workers=0,
    )  # fmt: skip
    base = VerificationConfig(
        str(out), SMALL, LossConfig(queue=12, ramp=4), data, steps=8, warmup=2, log_every=1, save_every=4, device="cpu",
        precision="full",
    )  # fmt: skip
    return replace(base, **settings)  # type: ignore[arg-type]


def slow_people(codes: np.ndarray, prototypes: np.ndarray, people: list[int], scale: float, margin: float) -> float:
    total = 0.0
    for code, who in zip(codes, people, strict=True):
        cosines = [float(code @ p / np.linalg.norm(p)) for p in prototypes]
        cosines[who] -= margin
        total += math.log(sum(math.exp(scale * c) for c in cosines)) - scale * cosines[who]
    return total / len(codes)


def slow_strangers(codes: np.ndarray, earlier: np.ndarray, temperature: float) -> float:
    total = 0.0
    for k, code in enumerate(codes):
        others = [*(c for j, c in enumerate(codes) if j != k), *earlier]
        total += math.log(sum(math.exp(float(code @ o) / temperature) for o in others) / len(others))
    return total / len(codes)


def test_both_losses_are_those_of_a_slow_version() -> None:
    torch.manual_seed(0)
    config = LossConfig(scale=8.0, margin=0.3, ramp=2, temperature=0.2, queue=7)
    loss = VerificationLoss(config, 6, 5).double()
    seen = np.zeros((0, 5))
    for step in range(4):
        codes, photographs = (F.normalize(torch.randn(n, 5, dtype=torch.float64), dim=1) for n in (4, 3))
        owners = torch.tensor([0, 3, 3, 5])
        _, parts = loss(codes, owners, photographs)
        margin = 0.3 * min(1.0, step / 2)
        slow = slow_people(codes.numpy(), loss.prototypes.detach().numpy(), owners.tolist(), 8.0, margin)
        assert float(parts["people"].detach()) == pytest.approx(slow, abs=1e-9)
        apart = slow_strangers(photographs.numpy(), seen, 0.2)
        assert float(parts["strangers"]) == pytest.approx(apart, abs=1e-9)
        seen = np.concatenate([seen, photographs.numpy()])
        if len(seen) > 7:  # the oldest went first, in places that come round
            seen = loss.queue.numpy().copy()


def test_without_photographs_there_is_one_part() -> None:
    loss = VerificationLoss(LossConfig(), 3, 4)
    codes = F.normalize(torch.randn(2, 4), dim=1)
    total, parts = loss(codes, torch.tensor([0, 1]), codes[:0])
    assert set(parts) == {"people"}
    assert total == parts["people"]


def test_batches_hold_each_person_and_each_photograph_once(people: Path, strangers: Path, tmp_path: Path) -> None:
    config = short(tmp_path / "run", people, strangers)
    albums = [[Crops(read_album(f), config.network, config.data)] for f in (people, strangers)]
    steps = Steps(*albums, config)
    batch, again = steps[3], steps[3]
    assert torch.equal(batch.images, again.images)
    assert len(batch.images) == 4 * 3 + 5
    assert [len(set(group.tolist())) for group in batch.people.split(3)] == [1] * 4
    assert len(set(batch.people.tolist())) == 4


def test_a_stopped_run_goes_on_as_if_nothing_had_been(people: Path, strangers: Path, tmp_path: Path) -> None:
    config = short(tmp_path / "run", people, strangers)

    def losses() -> dict[int, float]:
        rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
        return {row["step"]: row["last_loss"] for row in rows if "last_loss" in row}

    train(config)
    whole = losses()
    with pytest.raises(TrainingError, match="already holds a run"):
        train(config)
    (tmp_path / "run" / "log.jsonl").unlink()
    train(replace(config, steps=10), resume=True)
    train(short(tmp_path / "other", people, strangers))
    assert set(losses()) == {9, 10}
    other = [json.loads(line) for line in (tmp_path / "other" / "log.jsonl").read_text().splitlines()]
    assert whole == {row["step"]: row["last_loss"] for row in other if "last_loss" in row}


def test_a_drawn_world_is_learnt_and_the_card_says_so(tmp_path: Path) -> None:
    people = write_visits(tmp_path / "many", people=110, pictures=3, seed=5)
    plain = replace(DataConfig().geometry, background=0.0), replace(DataConfig().photometry, share=0.0)
    config = short(tmp_path / "run", people, steps=400, rate=5e-3)
    data = replace(config.data, geometry=plain[0], photometry=plain[1], held_out=0.25, people=8)
    run = run_recipe(replace(config, data=data))
    card = registry.read_card(run / "weights", "verification")
    rates = {row["measure"]: row["value"] for row in card.scores}
    assert rates["same person: equal error rate"] < 0.35  # half for a coin
    assert set(card.calibration["same"]) == {"line", "limit"}
    verifier = Verifier(run / "weights", "cpu")
    cutter = Crops(read_album(people), SMALL, data)
    crops = [cutter.exact(k) for k in range(9)]
    codes = verifier.codes(crops)
    assert torch.allclose(codes.norm(dim=1), torch.ones(9), atol=1e-5)
    mirrored = verifier.codes([np.ascontiguousarray(crop[:, ::-1]) for crop in crops])
    assert torch.allclose(codes, mirrored, atol=1e-5)
    cosine = (codes @ codes.T).double().numpy()
    p = verifier.same_person(cosine[0])
    assert (np.argsort(p) == np.argsort(cosine[0])).all()
    with pytest.raises(ValueError, match="no crops"):
        verifier.codes([])


def test_the_comparer_asks_the_network_of_its_set(people: Path, tmp_path: Path) -> None:
    run = changes.train(tiny(tmp_path / "run", people))
    alone = Comparer(run / "weights", "cpu")
    cutter = Crops(read_album(people), TINY, ChangesData())
    crops, ends = [cutter.exact(k) for k in range(6)], [(0, 1), (2, 5)]
    before = alone.compare(alone.see(crops), ends)
    checked = train(short(tmp_path / "check", people))
    for file in (checked / "weights").iterdir():
        (run / "weights" / file.name).write_bytes(file.read_bytes())
    both = Comparer(run / "weights", "cpu")
    after = both.compare(both.see(crops), ends)
    assert np.array_equal(before.value, after.value)
    verifier = Verifier(run / "weights", "cpu")
    codes = verifier.codes(crops)
    cosine = torch.stack([codes[a] @ codes[b] for a, b in ends]).double().numpy()
    assert np.allclose(after.same_person, verifier.same_person(cosine), atol=1e-6)
    assert not np.allclose(after.same_person, before.same_person)
    assert both.same_limit == verifier.limit
    assert set(alone.describe()) == {"comparison"}
    assert both.describe()["verification"] == verifier.card.id
    card = json.loads((run / "weights" / "verification.json").read_text())
    card["preprocessing"]["margin"] = 1.6
    (run / "weights" / "verification.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match=r"sees crops of margin 1\.6"):
        Comparer(run / "weights", "cpu")


def test_both_codes_are_asked_where_they_were_calibrated_together(people: Path, tmp_path: Path) -> None:
    run = changes.train(tiny(tmp_path / "run", people))
    checked = train(short(tmp_path / "check", people, beside=str(run / "weights")))
    for file in (checked / "weights").iterdir():
        (run / "weights" / file.name).write_bytes(file.read_bytes())
    path = run / "weights" / "verification.json"
    card = json.loads(path.read_text())
    both = card["calibration"]["beside"]
    assert both["of"] == registry.read_card(run / "weights", "comparison").sha256
    assert {row["set"].partition(", beside ")[2] for row in card["scores"]} == {"", Comparer(run / "weights").card.id}
    both["share"] = 0.25
    path.write_text(json.dumps(card))
    cutter = Crops(read_album(people), TINY, ChangesData())
    crops, ends = [cutter.exact(k) for k in range(6)], [(0, 1), (2, 5)]
    comparer = Comparer(run / "weights", "cpu")
    assert comparer.verifier is not None
    assert comparer.same_limit == both["same"]["limit"]
    found = comparer.compare(comparer.see(crops), ends).same_person
    own, alone = comparer.verifier.codes(crops), Comparer(registry.folder_of(run / "weights"), "cpu")
    alone.verifier = None
    other = alone.see(crops).codes
    cosine = torch.stack([0.75 * own[a] @ own[b] + 0.25 * other[a] @ other[b] for a, b in ends]).double().numpy()
    assert np.allclose(found, calibration.same_person(cosine, both), atol=1e-6)
    both["of"] = "another network"
    path.write_text(json.dumps(card))
    parted = Comparer(run / "weights", "cpu")
    assert parted.same_limit == card["calibration"]["same"]["limit"]
    cosine = torch.stack([own[a] @ own[b] for a, b in ends]).double().numpy()
    alone_said = calibration.same_person(cosine, card["calibration"])
    assert np.allclose(parted.compare(parted.see(crops), ends).same_person, alone_said, atol=1e-6)


def test_the_share_of_the_other_code_is_what_confuses_fewest() -> None:
    rng = np.random.default_rng(0)

    def drawn(noise: float) -> Cosines:
        return Cosines(*(place + rng.normal(0, noise, 3000) for place in (0.7, 0.1, 0.3)))

    good, bad = drawn(0.1), drawn(0.8)
    assert best_share(good, bad) == pytest.approx(0, abs=0.1)
    assert best_share(bad, good) == max(SHARES)
    assert 0.35 <= best_share(drawn(0.3), drawn(0.3)) <= 0.5
    half = mixed(good, bad, 0.5)
    assert np.allclose(half.hard, (good.hard + bad.hard) / 2)


def test_runs_start_from_their_like_or_from_a_trunk(people: Path, tmp_path: Path) -> None:
    first = train(short(tmp_path / "first", people, steps=1))
    train(short(tmp_path / "second", people, steps=1, init=str(first / "weights"), rate=1e-9, trunk=0.0))
    one, other = (registry.load(tmp_path / name / "weights", "verification")[0] for name in ("first", "second"))
    assert all(torch.allclose(one[k], other[k], atol=1e-3) for k in one if "norm" not in k and "centre" not in k)
    both = tmp_path / "both"
    for name, file in ((str(tmp_path / "first" / "weights"), "verification"), ("synthetic", "attributes")):
        registry.copy_model(name, file, both)
    for word, part in ((f"{both}", "verification"), (f"{both}:attributes", "attributes")):
        name, found, tensors = start(word, "verification", PARTS)
        assert (name, found) == (str(both), part)
        assert tensors.keys() == registry.load(both, part)[0].keys()
    folder = tmp_path / "foreign"
    card = registry.Card("attributes", "foreign", {}, {})
    registry.save(folder, {"trunk.elsewhere": torch.zeros(2)}, card)
    with pytest.raises(TrainingError, match="nothing in"):
        train(short(tmp_path / "third", people, init=str(folder)))


def test_what_cannot_be_learnt_from_is_refused(strangers: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training data"):
        VerificationConfig(str(tmp_path))
    with pytest.raises(TrainingError, match="at least two people"):
        VerificationConfig(str(tmp_path), data=DataConfig(("a",), people=1))
    with pytest.raises(TrainingError, match="fewer than two people"):
        train(short(tmp_path / "run", strangers))
    few = write_visits(tmp_path / "few", people=4, pictures=3, seed=9)
    with pytest.raises(TrainingError, match="too few people are held out"):
        train(short(tmp_path / "few-run", few))


def test_the_recipe_says_what_it_is() -> None:
    recipe = find_recipe("comparison.verification")
    plain = configure(recipe, ["data=a,b", "minutes=2"])
    assert plain.data.folders == ("a", "b")
    assert (plain.set, plain.data.photographs, plain.passing) == ("synthetic", (), 0.03)
    assert plain.recipe.endswith("--set data=a,b --set init=synthetic --set minutes=2")
    real = configure(recipe, ["data=a", "photographs=p", "init=open", "still=s"])
    assert (real.set, real.data.photographs, real.data.calibration) == ("open", ("p",), ("s",))
    assert real.passing == 0
    assert "FairFace" in real.data_licence
    assert any("never seen" in text for text in real.limits)
    assert VerificationNetwork(real.network)(torch.zeros(2, 3, 112, 112)).shape == (2, 128)
