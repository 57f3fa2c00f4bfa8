"""Pairs of photographs with the user's own labels: units, signs, people held out, and a set that can be opened."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from omokage.comparison.config import FACTORS, SCALES, NetworkConfig
from omokage.comparison.model import ComparisonNetwork
from omokage.comparison.predict import Compared, Seen
from omokage.errors import InputError, OutputError, WeightsError
from omokage.explain.adapt import Plan, best_fit
from omokage.explain.labels import Label
from omokage.explain.tuning import Tuning
from omokage.media.sources import Source
from omokage.pipeline import Analyzer
from omokage.pipeline.adapt_pair_tuning import PairTuner, rows_of, said_by
from omokage.pipeline.adapt_pairs import EMPTY, _learn, adapt_pairs
from omokage.pipeline.compare import compare, compare_many, photographs
from omokage.pipeline.opened import open_analyzer
from omokage.pipeline.own_changes import ChangeReader, open_reader
from omokage.pipeline.pair_labels import FEWEST, parts_of, people_of
from omokage.pipeline.pair_table import compare_table
from omokage.pipeline.series import compare_series
from omokage.report.comparison import ChangeCard, write_card
from omokage.results import FaceChange
from omokage.weights import registry
from small_weights import small_weights
from stand_ins import SquareFinder, SquarePredictor, write_picture

PLAN = Plan(sizes=(10,), folds=3, inner=3, strengths=(1e-4, 1e-2, 1.0))


class Reader:
    """Fatness is the blue channel; nothing else changes. Stands in for the comparison network."""

    size, margin, same_limit = 32, 1.3, 0.5

    def describe(self) -> dict[str, str]:
        return {"comparison": "squares/comparison@0"}

    def see(self, crops: Sequence[Any]) -> Seen:
        blue = torch.tensor([[float(c[8:-8, 8:-8, 2].mean()) / 255] for c in crops])
        return Seen(torch.stack([blue, blue]), torch.ones(len(crops), 1))

    def compare(self, seen: Seen, pairs: Sequence[tuple[int, int]], controlled: Sequence[bool] = ()) -> Any:
        value = np.zeros((len(pairs), len(FACTORS)))
        where = FACTORS.index("fatness")
        for k, (a, b) in enumerate(pairs):
            value[k, where] = SCALES["fatness"] * float(seen.states[0, b, 0] - seen.states[0, a, 0])
        one = np.ones(len(pairs))
        return Compared(value, value - 1, value + 1, np.ones_like(value), one)


@pytest.fixture
def street() -> dict[str, Any]:
    return {"analyzer": Analyzer(finder=SquareFinder(), predictor=SquarePredictor()), "comparer": Reader()}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """24 pairs of 12 people: the second picture is heavier by a tenth of a kilogram for each percent of blue."""
    rng = np.random.default_rng(0)
    lines = ["before,after,person,kg"]
    shown = 5 + rng.permutation(90)[:48].reshape(24, 2)  # no two photographs are the same
    for k, ages in enumerate(shown):
        for side, age in zip("ab", ages, strict=True):
            write_picture(tmp_path / f"{k}{side}.png", [(40, 30, 60, int(age))])
        kg = 0.1 * float(ages[1] - ages[0]) + rng.normal(0, 0.2)
        lines.append(f"{k}a.png,{k}b.png,p{k // 2},{kg:.2f}")
    write_picture(tmp_path / "empty.png")
    lines.append("0a.png,empty.png,p0,1.5")
    (tmp_path / "pairs.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_answers_are_in_the_labels_units_and_swapping_flips_the_sign(place: Path, street: dict[str, Any]) -> None:
    (found,), left_out = adapt_pairs(place / "pairs.csv", place, place / "mine", plan=PLAN, **street)
    assert left_out == {"0a.png - empty.png": "no_face"}
    error = {s.method: s.value for s in found.scores if s.measure == "mean absolute error"}
    assert error["chosen"] < 0.2 * error["trivial"]
    reader = ChangeReader(place / "mine")
    assert reader.card.scores[0]["n"] == 24
    paths = [place / name for name in ("3a.png", "3b.png")]
    for k, age in enumerate((20, 70)):
        write_picture(paths[k], [(40, 30, 60, age)])
    photos = photographs(street["analyzer"], street["comparer"], [Source(str(p)) for p in paths])
    there, back = (found.own["kg"] for found in compare_many([photos, photos[::-1]], street["comparer"], True, reader))  # type: ignore[list-item]
    assert there.value == pytest.approx(5.0, abs=0.5)
    assert there.value + back.value == pytest.approx(0, abs=1e-4)
    assert there.low < 5.0 < there.high
    assert 0 < there.no_change < 0.05
    assert open_reader(None) is None
    told = compare(*paths, weights=place / "mine", assume_same=True, **street)
    assert told.own["kg"] == there
    assert compare(*paths, assume_same=True, **street).own == {}
    _told_in_tables_series_and_reports(place, street, reader, told)


def _told_in_tables_series_and_reports(
    place: Path, street: dict[str, Any], reader: ChangeReader, told: FaceChange
) -> None:
    pairs = [(str(place / "3a.png"), str(place / "3b.png")), (str(place / "3a.png"), str(place / "empty.png"))]
    compare_table(street["analyzer"], street["comparer"], pairs, place / "out.csv", assume_same=True, own=reader)
    with (place / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["kg"]) == pytest.approx(told.own["kg"].value, abs=1e-4)
    assert float(rows[0]["kg_low"]) < float(rows[0]["kg"]) < float(rows[0]["kg_high"])
    assert rows[1]["kg"] == ""
    folder = place / "series"
    folder.mkdir()
    for day, age in enumerate((20, 40, 60), 1):
        write_picture(folder / f"2024-01-0{day}.png", [(40, 30, 60, age)])
    line = compare_series(street["analyzer"], street["comparer"], str(folder), assume_same=True, own=reader)
    assert line.values["kg"][-1] == pytest.approx(4.0, abs=0.5)
    assert line.as_dict()["factors"]["kg"]["trend"]["slope"] > 0
    write_card(place / "card.html", ChangeCard(told), "ja")
    assert "kg" in (place / "card.html").read_text(encoding="utf-8")


class Mixer(Reader):
    """States are twelve numbers that depend on the blue channel in no simple way."""

    def see(self, crops: Sequence[Any]) -> Seen:
        shades = [round(float(c[8:-8, 8:-8, 2].mean()) / 2.55) for c in crops]
        rows = torch.stack([torch.randn(12, generator=torch.Generator().manual_seed(shade)) for shade in shades])
        return Seen(torch.stack([rows, rows]), torch.ones(len(crops), 1))


def test_what_many_people_taught_is_corrected_for_one_person(tmp_path: Path, street: dict[str, Any]) -> None:
    """Twelve numbers take many pairs to learn; that one person changes twice as much takes few."""
    rng = np.random.default_rng(0)
    reader = Mixer()
    for shade in range(5, 95):
        write_picture(tmp_path / f"{shade}.png", [(40, 30, 60, shade)])
    photos = photographs(street["analyzer"], reader, [Source(str(tmp_path / f"{k}.png")) for k in range(5, 95)])  # type: ignore[arg-type]
    states = reader.see([photo.crop.image for photo in photos if photo.crop is not None]).states[0].double().numpy()
    weights = rng.normal(0, 1, 12)

    def table(name: str, count: int, gain: float, people: int) -> Path:
        lines = ["before,after,person,kg"]
        for k in range(count):
            a, b = rng.choice(90, 2, replace=False)
            lines.append(f"{a + 5}.png,{b + 5}.png,p{k % people},{gain * (states[b] - states[a]) @ weights:.3f}")
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    street = {**street, "comparer": reader, "plan": PLAN}
    (many,), _ = adapt_pairs(table("many.csv", 80, 1.0, 16), tmp_path, tmp_path / "many", **street)
    assert not many.alone
    (one,), _ = adapt_pairs(
        table("one.csv", 12, 2.0, 1), tmp_path, tmp_path / "one", weights=tmp_path / "many", **street
    )
    assert one.alone
    assert one.learnt.fit.reads == ("earlier",)
    card = ChangeReader(tmp_path / "one").card
    assert card.scores[0]["set"] == "held-out photographs of one person"
    seen = reader.see([photo.crop.image for photo in photos if photo.crop is not None])
    pairs = [(int(a), int(b)) for a, b in rng.choice(90, (40, 2))]
    said = [found["kg"].value for found in ChangeReader(tmp_path / "one").read(reader, seen, pairs)]  # type: ignore[arg-type]
    top = one.learnt.label.high  # answers stay within the labels that were seen
    true = np.clip([2 * float((states[b] - states[a]) @ weights) for a, b in pairs], -top, top)
    assert np.abs(np.array(said) - true).mean() < 0.1 * np.abs(true).mean()
    again, _ = adapt_pairs(tmp_path / "one.csv", tmp_path, tmp_path / "again", weights=tmp_path / "one", **street)
    assert again[0].learnt.fit.reads == ("earlier",)
    third = ChangeReader(tmp_path / "again").read(reader, seen, pairs[:3])  # type: ignore[arg-type]
    np.testing.assert_allclose([found["kg"].value for found in third], said[:3], rtol=0.1, atol=0.3)


def test_a_fine_tuned_head_learns_what_the_probe_leaves_and_keeps_the_sign() -> None:
    torch.manual_seed(0)
    network = ComparisonNetwork(NetworkConfig(
        size=32, stem=4, widths=(4, 4, 4), blocks=(1, 1, 1), squeeze=2, whole_squeeze=2, whole=4, view=16, hidden=16,
        identity_squeeze=2, identity=4, dropout=0.0,
    )).eval()  # fmt: skip
    size, count = network.first.in_features, 120
    states = torch.randn(1, 2 * count, size).repeat(2, 1, 1)
    seen = Seen(states, torch.ones(2 * count, 1))
    one_way = [(2 * k, 2 * k + 1) for k in range(count)]
    pairs = [*one_way, *((b, a) for a, b in one_way)]
    a, b = (states[0, [pair[k] for pair in pairs]] for k in (0, 1))
    values = 2 * (torch.tanh(2 * b[:, 0]) - torch.tanh(2 * a[:, 0])).double().numpy()
    label = Label("kg", "ordinal", np.arange(2 * count), values, low=-9.0, high=9.0)
    features = {"states": (b - a).double().numpy()}
    fit = best_fit(features, label, np.arange(2 * count), [f"p{k % count}" for k in range(2 * count)], PLAN)
    tuner = PairTuner(network, seen, pairs, features, label, Tuning(rate=2e-3, fewest=300, most=300))
    head = tuner.tuned(np.arange(2 * count), fit)
    start = fit.answer(features, np.arange(2 * count))[:, 0]
    said = tuner.spread * said_by(network, head.state_dict(), rows_of(seen, pairs, start / tuner.spread))
    assert np.abs(said - values).mean() < 0.8 * np.abs(start - values).mean()
    extra = said - start
    np.testing.assert_allclose(extra[:count], -extra[count:], atol=1e-4)
    np.testing.assert_allclose(tuner(np.arange(2 * count), fit)(np.arange(3))[:, 0], said[:3], atol=1e-3)


def test_pairs_without_a_person_that_share_a_photograph_are_of_one(place: Path, street: dict[str, Any]) -> None:
    def of(*pairs: str) -> list[str]:
        return people_of([dict(zip(("before", "after", "person"), pair.split(), strict=False)) for pair in pairs])

    assert of("a b", "c d", "b e", "f g") == ["pair 0", "pair 1", "pair 0", "pair 3"]
    assert of("a b", "c d", "d a") == ["pair 0"] * 3
    assert of("a b p", "c d p", "d e", "f g q", "f a r") == ["p", "p", "p", "q", "r"]
    lines = ["before,after,kg"]
    lines += [f"{k}a.png,{(k + step) % 6 + 6 * (k // 6)}b.png,{k + step - 9}" for k in range(24) for step in (0, 1)]
    (place / "chain.csv").write_text("\n".join(lines) + "\n")
    (found,), _ = adapt_pairs(place / "chain.csv", place, place / "mine", plan=PLAN, **street)
    assert len(set(found.learnt.people)) == 4


def _one_person(pairs: Sequence[tuple[int, int]], seed: int, person: str) -> dict[str, dict[str, float]]:
    """Scores by measure and method where the label is the difference of one random number for each photograph."""
    rng = np.random.default_rng(seed)
    count = 1 + max(map(max, pairs))
    state, secret = rng.normal(size=(count, 100)), rng.normal(size=count)
    rows = [
        {"before": f"{a}.png", "after": f"{b}.png", "person": person, "kg": str(secret[b] - secret[a])}
        for a, b in pairs
    ]
    one_way = np.array([state[b] - state[a] for a, b in pairs])
    features = {"states": np.concatenate([one_way, -one_way])}
    features["factors"] = features["states"][:, :44]
    found = _learn("kg", rows, features, Plan(strengths=(1e-4, 1e-2, 1.0)), lambda _: None)
    assert found.alone
    assert found.across > 0
    assert found.learnt.fit.probe is not None
    assert found.learnt.fit.probe.labels == 2 * len(pairs)  # what is kept has learnt all
    names = dict.fromkeys(s.measure for s in found.scores)
    return {name: {s.method: s.value for s in found.scores if s.measure == name} for name in names}


@pytest.mark.parametrize(
    ("pairs", "person"),
    [
        (list(itertools.combinations(range(12), 2)), "anna"),
        ([(k, k + 1) for k in range(29)], ""),  # all connect: one person, too
        ([(0, k) for k in range(1, 20)] + [(k, k + 1) for k in range(1, 19)], "anna"),
    ],
)
def test_what_a_photograph_alone_tells_is_never_predicted(pairs: list[tuple[int, int]], person: str) -> None:
    scores = [_one_person(pairs, seed, person) for seed in range(6)]
    errors = {how: np.mean([s["mean absolute error"][how] for s in scores]) for how in ("chosen", "trivial")}
    assert errors["chosen"] > 0.9 * errors["trivial"]
    assert abs(np.mean([s["correlation"]["chosen"] for s in scores])) < 0.4


def test_pairs_of_one_person_lie_in_parts_without_common_photographs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        pairs = [(str(a), str(b)) for a, b in (rng.choice(30, 2, replace=False) for _ in range(25))]
        of: dict[str, str] = {}
        for pair, part in zip(pairs, parts_of(pairs, 5), strict=True):
            assert not part or all(of.setdefault(file, part) == part for file in pair)
    first = [("0", str(k)) for k in range(1, 13)]
    assert len(set(parts_of(first, 5))) == 12  # the photograph of all pairs holds none together
    assert "" not in parts_of([(str(k), str(k + 50)) for k in range(12)], 5)
    chain = parts_of([(str(k), str(k + 1)) for k in rng.permutation(39)], 4)
    assert len(set(chain) - {""}) == 4
    assert chain.count("") <= 6
    with pytest.raises(InputError, match=rf"are left .* at least {FEWEST}; label pairs of more photographs or of more"):
        _one_person(list(itertools.combinations(range(6), 2)), 0, "anna")


def test_labels_that_are_not_taught_anew_are_carried_over(place: Path, street: dict[str, Any]) -> None:
    lines = (place / "pairs.csv").read_text().splitlines()
    years = ["years", *(f"{3 * float(line.split(',')[-1]):.2f}" for line in lines[1:])]
    (place / "both.csv").write_text("\n".join(map(",".join, zip(lines, years, strict=True))) + "\n")
    names = [place / "both.csv", place / "pairs.csv", place / "pairs.csv"]
    before: Path | None = None
    told = []
    for k, table in enumerate(names):
        adapt_pairs(table, place, place / f"set {k}", weights=before, plan=PLAN, **street)
        before = place / f"set {k}"
        told.append(compare(place / "3a.png", place / "3b.png", weights=before, assume_same=True, **street).own)
    assert [set(own) for own in told] == [{"kg", "years"}] * 3
    assert told[0]["years"] == told[1]["years"] == told[2]["years"]
    card = ChangeReader(place / "set 2").card
    assert {row["measure"].partition(":")[0] for row in card.scores} == {"kg", "years"}
    (place / "clash.csv").write_text("before,after,years_low\n0a.png,0b.png,1\n")
    with pytest.raises(InputError, match=r"'years' and 'years_low' would both fill the column 'years_low'; rename one"):
        adapt_pairs(place / "clash.csv", place, place / "x", weights=before, plan=PLAN, **street)


def test_a_set_reads_faces_with_the_networks_that_it_was_learnt_with(place: Path, street: dict[str, Any]) -> None:
    small_weights(place / "base")
    adapt_pairs(place / "pairs.csv", place, place / "mine", weights=place / "base", plan=PLAN, **street)
    ids = {registry.read_card(place / name, "attributes").sha256 for name in ("base", "mine")}
    assert len(ids) == 1
    assert open_analyzer(place / "mine").weights == place / "mine"
    adapt_pairs(place / "pairs.csv", place, place / "found", weights="synthetic", plan=PLAN, **street)
    shipped, own = open_analyzer("synthetic").describe(), open_analyzer(place / "found").describe()
    assert {task: name.partition("/")[2] for task, name in own.items()} == {
        task: name.partition("/")[2] for task, name in shipped.items()
    }
    adapt_pairs(place / "pairs.csv", place, place / "plain", weights=registry.DEFAULT_SET, plan=PLAN, **street)
    assert not registry.has_model(place / "plain", "attributes")


def test_unknown_cells_empty_columns_and_copies(place: Path, street: dict[str, Any]) -> None:
    """Cells that say that nobody knows are no labels, and a copy of a photograph is that photograph."""
    copied = []
    for k, line in enumerate((place / "pairs.csv").read_text().splitlines()[1:-1]):
        before, after, _, kg = line.split(",")
        (place / f"copy {after}").write_bytes((place / after).read_bytes())
        copied += [f"{before},{after},{kg},", f"{before},copy {after},{'NaN' if k else 'None'},-"]
    (place / "t.csv").write_text("\n".join(["before,after,kg,note", *copied, "./0a.png,1b.png,3,", ",,,"]) + "\n")
    (found,), left_out = adapt_pairs(place / "t.csv", place, place / "x", plan=PLAN, **street)
    assert left_out == {"note": EMPTY}
    assert len(found.learnt.label) == 2 * 25
    assert len(set(found.learnt.people)) == 23, "0a, and with it 0b, is in a pair with 1b"


def test_what_cannot_be_learnt_is_said(place: Path, street: dict[str, Any]) -> None:
    def run(text: str, out: str = "x") -> None:
        (place / "t.csv").write_text(text)
        adapt_pairs(place / "t.csv", place, place / out, plan=PLAN, **street)

    with pytest.raises(InputError, match="lack the column 'after'"):
        run("before,kg\n0a.png,1\n")
    with pytest.raises(InputError, match="have no label: add a column"):
        run("before,after,\n0a.png,0b.png,\n")
    with pytest.raises(InputError, match=r"'fatness' of .* rename it"):  # before a picture is looked for
        run("before,after,fatness\ngone.png,0b.png,1\n")
    for name in ("status", "same_person", "controlled", "warnings", "fatness_low", "look_beard", "faces"):
        with pytest.raises(InputError, match=f"'{name}' of .* rename it"):
            run(f"before,after,{name}\n0a.png,0b.png,1\n")
    with pytest.raises(InputError, match="'kg' and 'kg_high' would both fill the column 'kg_high'; rename one"):
        run("before,after,kg,kg_high\n0a.png,0b.png,1,2\n")
    with pytest.raises(InputError, match="at least 10"):
        run("before,after,kg\n0a.png,0b.png,1\n")
    for word in ("more", "inf"):
        with pytest.raises(InputError, match=f"line 3: kg '{word}' is no finite number"):
            run(f"before,after,kg\n0a.png,0b.png,1\n1a.png,1b.png,{word}\n")
    with pytest.raises(InputError, match="none of the pairs"):
        run("before,after,kg\n0a.png,empty.png,1\n")
    (place / "full").mkdir()
    (place / "full" / "x").touch()
    with pytest.raises(OutputError, match="not an empty folder"):
        run("before,after,kg\n0a.png,0b.png,1\n", "full")
    with pytest.raises(WeightsError):
        ChangeReader(place / "nothing")
