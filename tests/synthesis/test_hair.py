"""Ribbons: every style grows, finite and unit, out of the head and out of the face; beards where they are worn."""

from dataclasses import replace

import numpy as np
import pytest

from omokage.synthesis.envelope import ABOVE, head_envelope
from omokage.synthesis.geometry import Mesh, build_mesh
from omokage.synthesis.hair import Ribbons, grow_beard, grow_hair
from omokage.synthesis.hairline import beard_density, hairline, hat_line, scalp_density
from omokage.synthesis.scene import BEARDS, HAIR_STYLES, Expression, Person


def someone(seed: int = 1, **changes: object) -> Person:
    base = Person(seed, 35.0, 0.5, 0.5, 0.0, 0.5, (0.4, 0.3, 0.3), (), 0.25, 0.45, 0.3, 0.2, 0.2)
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return build_mesh(someone(), Expression())


def check(ribbons: Ribbons) -> None:
    v = ribbons.vertices
    assert v.shape[1] == 11
    assert v.dtype == np.float32
    assert np.isfinite(v).all()
    assert np.abs(np.linalg.norm(v[:, 3:6], axis=1) - 1).max() < 1e-3
    assert np.abs(np.linalg.norm(v[:, 6:9], axis=1) - 1).max() < 1e-3
    assert v[:, 10].min() == 0
    assert v[:, 10].max() == 1
    assert ribbons.triangles.min() >= 0
    assert ribbons.triangles.max() < len(v)
    assert 0 <= ribbons.grey <= 1


@pytest.mark.parametrize("style", [s for s in HAIR_STYLES if s != "bald"])
@pytest.mark.parametrize("length", [0.15, 0.5, 1.0])
def test_every_style_grows_sound_ribbons(style: str, length: float, mesh: Mesh) -> None:
    for seed in (1, 2, 3):
        person = someone(seed, hair=style, hair_length=length, female_perceived=float(seed % 2))
        ribbons = grow_hair(person, mesh, 0.4)
        assert ribbons is not None
        check(ribbons)
        assert np.abs(ribbons.vertices[:, :3]).max() < 4.5


def test_the_same_person_grows_the_same_hair(mesh: Mesh) -> None:
    one, again, other = (grow_hair(someone(s, hair="curly"), mesh, 0.3) for s in (4, 4, 5))
    assert one is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(one.vertices, again.vertices)
    assert one.vertices.shape != other.vertices.shape or not np.array_equal(one.vertices, other.vertices)


def test_detail_sets_the_number_of_ribbons(mesh: Mesh) -> None:
    few, many = (grow_hair(someone(hair="long"), mesh, d) for d in (0.3, 0.9))
    assert few is not None
    assert many is not None
    assert 2.5 < len(many.triangles) / len(few.triangles) < 3.5


@pytest.mark.parametrize("style", ["long", "bob", "side", "tied"])
def test_hair_keeps_out_of_the_face(style: str, mesh: Mesh) -> None:
    for seed in range(4):
        ribbons = grow_hair(someone(seed, hair=style, hair_length=0.6, female_perceived=0.0), mesh, 0.4)
        assert ribbons is not None
        p = ribbons.vertices[:, :3]
        before = (np.abs(p[:, 0]) < 0.3) & (p[:, 1] < -0.1) & (p[:, 1] > -0.8) & (p[:, 2] > 0.7)
        assert before.mean() < 0.01


def test_hair_lies_on_the_head_not_in_it(mesh: Mesh) -> None:
    ribbons = grow_hair(someone(hair="long", hair_length=0.6), mesh, 0.4)
    assert ribbons is not None
    envelope = head_envelope(mesh)
    late = ribbons.vertices[ribbons.vertices[:, 10] > 0.3, :3]
    away = late[(late[:, 1] > envelope.centre[1])] - envelope.centre
    angle, level = np.arctan2(away[:, 0], away[:, 2]), np.hypot(away[:, 0], away[:, 2])
    row = ABOVE * (1 - np.arctan2(away[:, 1], level) / (np.pi / 2))
    surface = np.linalg.norm(envelope.points(angle, row, 0.0) - envelope.centre, axis=1)
    assert (np.linalg.norm(away, axis=1) > surface - 0.04).mean() > 0.97


def test_longer_hair_reaches_lower(mesh: Mesh) -> None:
    def lowest(length: float) -> float:
        ribbons = grow_hair(someone(7, hair="long", hair_length=length), mesh, 0.3)
        assert ribbons is not None
        return float(np.percentile(ribbons.vertices[:, 1], 2))

    assert lowest(0.9) < lowest(0.6) - 0.2 < lowest(0.35) - 0.4


def test_shaved_heads_and_headscarves_show_no_hair_and_old_bald_heads_keep_a_ring(mesh: Mesh) -> None:
    assert grow_hair(someone(hair="bald", age=25.0), mesh, 0.4) is None
    assert grow_hair(someone(hair="long", hat="scarf"), mesh, 0.4) is None
    rings = [grow_hair(someone(s, hair="bald", age=65.0), mesh, 0.4) for s in range(8)]
    kept = [r for r in rings if r is not None]
    assert kept
    assert all(r.vertices[:, 1].max() < 0.75 for r in kept)


@pytest.mark.parametrize("hat", ["cap", "beanie", "brim"])
def test_hair_under_a_hat_is_left_out(hat: str, mesh: Mesh) -> None:
    free, covered = (grow_hair(someone(3, hair="short", hat=h), mesh, 0.4) for h in ("none", hat))
    assert free is not None
    assert covered is not None
    assert covered.vertices[:, 1].max() < free.vertices[:, 1].max() - 0.3


@pytest.mark.parametrize("beard", BEARDS)
def test_beards_grow_on_the_lower_face_and_leave_the_lips_free(beard: str, mesh: Mesh) -> None:
    ribbons = grow_beard(someone(3, beard=beard, male=1.0, female_perceived=0.0), mesh, 0.5)
    if beard in ("none", "stubble"):
        assert ribbons is None
        return
    assert ribbons is not None
    check(ribbons)
    roots = ribbons.vertices[ribbons.vertices[:, 10] == 0, :3]
    assert roots[:, 1].max() < -0.1
    if beard == "moustache":
        assert np.abs(roots[:, 0]).max() < 0.5
        assert roots[:, 1].min() > -0.75


def test_a_beard_follows_the_jaw(mesh: Mesh) -> None:
    person = someone(3, beard="full", male=1.0, female_perceived=0.0)
    shut = grow_beard(person, build_mesh(person, Expression()), 0.4)
    open_ = grow_beard(person, build_mesh(person, Expression((("jawOpen", 1.0),), None, 1.0)), 0.4)
    assert shut is not None
    assert open_ is not None
    assert open_.vertices[:, 1].mean() < shut.vertices[:, 1].mean() - 0.06


def test_grey_mixes_into_the_colour(mesh: Mesh) -> None:
    dark, grey = (grow_hair(someone(hair_colour=(0.03, 0.02, 0.01), grey=g), mesh, 0.3) for g in (0.0, 1.0))
    assert dark is not None
    assert grey is not None
    assert dark.colour == pytest.approx((0.03, 0.02, 0.01))
    assert min(grey.colour) > 0.3


def test_hairlines_recede_and_hats_cover_down_to_their_line() -> None:
    theta = np.linspace(-3, 3, 61)
    full, receded = (hairline(someone(recession=r), theta) for r in (0.0, 1.0))
    assert (receded >= full - 1e-9).all()
    assert (receded - full).max() > 0.3
    assert np.isfinite(hat_line(someone(hat="cap"), theta)).all()
    assert (hat_line(someone(), theta) > 10).all()
    assert scalp_density(someone(), np.zeros(1), np.array([8.3]))[0] == 1
    assert scalp_density(someone(), np.zeros(1), np.array([7.3]))[0] == 0


def test_beard_areas_nest() -> None:
    theta, y = np.meshgrid(np.linspace(-1.3, 1.3, 60), np.linspace(5.9, 7.2, 60))
    full = beard_density(someone(beard="full"), theta, y)
    lip = (np.abs(theta) < 0.2) & (np.abs(y - 6.615) < 0.04)
    assert full[lip].max() < 0.25
    assert full[y > 7.05].max() < 0.05
    for part in ("moustache", "goatee"):
        assert beard_density(someone(beard=part), theta, y).sum() < 0.6 * full.sum()
