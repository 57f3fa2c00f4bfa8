"""Painted skin: determinism, ranges, and that folds, brows, beards and scalps lie where they belong."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omokage.data.records import SEGMENTATION
from omokage.synthesis import brows, canvas, skin, wrinkles
from omokage.synthesis.geometry import head_model
from omokage.synthesis.landmarks import landmark_points
from omokage.synthesis.scene import Expression, Person

SIZE = (128, 224)
HAIR, BROW = SEGMENTATION.index("hair"), SEGMENTATION.index("brow")


def someone(seed: int = 1, **changes: object) -> Person:
    base = Person(seed, 35.0, 0.5, 0.5, 0.0, 0.5, (0.4, 0.3, 0.3), (), 0.25, 0.45, 0.3, 0.2, 0.2)
    return replace(base, **changes)  # type: ignore[arg-type]


def face(**units: float) -> Expression:
    return Expression(tuple(units.items()), None, 0.0)


def changed(painted: skin.PaintedSkin, **units: float) -> tuple[np.ndarray, np.ndarray]:
    """Theta and y of the texels that an expression changes."""
    before, after = painted.albedo_height, skin.with_expression(painted, face(**units))
    where = (before != after).any(2)
    theta, y = canvas.grid(where.shape)
    return theta[where], y[where]


def test_the_same_person_is_painted_alike_and_another_is_not() -> None:
    one, again, other = (skin.paint(someone(seed), SIZE) for seed in (5, 5, 6))
    assert np.array_equal(one.albedo_height, again.albedo_height)
    assert np.array_equal(one.seg, again.seg)
    assert one.lips == again.lips
    assert not np.array_equal(one.albedo_height, other.albedo_height)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000), age=st.floats(1, 95), melanin=st.floats(0, 1), wrinkles_=st.floats(0, 1),
    makeup=st.floats(0, 1), hair=st.sampled_from(("bald", "buzz", "short", "long")),
    beard=st.sampled_from(("none", "stubble", "full")),
)  # fmt: skip
def test_paint_stays_in_range(
    seed: int, age: float, melanin: float, wrinkles_: float, makeup: float, hair: str, beard: str
) -> None:
    person = someone(seed, age=age, melanin=melanin, wrinkles=wrinkles_, makeup=makeup, hair=hair, beard=beard)
    painted = skin.paint(person, SIZE)
    assert painted.albedo_height.shape == (*SIZE, 4)
    assert painted.albedo_height.dtype == np.uint8
    assert set(np.unique(painted.seg)) <= {SEGMENTATION.index(n) for n in ("skin", "brow", "hair")}
    assert all(0 < v <= 1.3 for v in painted.lips)
    assert 0 <= painted.lip_gloss <= 1
    assert np.isfinite(painted.folds.relief).all()
    assert painted.folds.texels.min() >= 0
    assert painted.folds.texels.max() < SIZE[0] * SIZE[1]
    assert len(painted.folds.start) == len(painted.folds.rest) + 1 == len(painted.folds.drivers) + 1
    assert painted.folds.start[-1] == len(painted.folds.texels)


def test_melanin_darkens_and_blood_reddens() -> None:
    tones = [skin.skin_colour(someone(melanin=m)).sum() for m in np.linspace(0, 1, 9)]
    assert (np.diff(tones) < 0).all()
    pale, red = (skin.skin_colour(someone(blood=b)) for b in (0.1, 0.9))
    assert red[1] / red[0] < pale[1] / pale[0]


def test_a_resting_face_adds_no_folds() -> None:
    painted = skin.paint(someone(), SIZE)
    assert np.array_equal(skin.with_expression(painted, Expression()), painted.albedo_height)
    assert not painted.folds.gains(Expression()).any()


@pytest.mark.parametrize(
    ("unit", "side", "low", "high"),
    [
        ("mouthSmileLeft", 1, 6.4, 7.5),
        ("mouthSmileRight", -1, 6.4, 7.5),
        ("noseSneerLeft", 1, 6.5, 7.7),
        ("cheekSquintRight", -1, 6.4, 7.6),
        ("browOuterUpLeft", 1, 7.2, 7.9),
        ("mouthFrownRight", -1, 5.7, 6.8),
    ],
)
def test_folds_appear_only_on_the_side_and_height_where_their_unit_acts(
    unit: str, side: int, low: float, high: float
) -> None:
    theta, y = changed(skin.paint(someone(3, age=28.0), (256, 448)), **{unit: 1.0})
    own = theta * side > -0.02
    assert len(theta) > 60
    # Folds that cross the midline may show on both sides; all else stays on its own.
    assert own.mean() > 0.55
    assert y.min() > low
    assert y.max() < high + 0.2


def test_young_and_old_faces_fold_under_a_smile_and_brows_crease_the_forehead_only() -> None:
    for age, depth in ((7.0, 0.0), (22.0, 0.02), (75.0, 0.9)):
        painted = skin.paint(someone(11, age=age, wrinkles=depth), SIZE)
        assert len(changed(painted, mouthSmileLeft=1.0, mouthSmileRight=1.0)[0]) > 40
    theta, y = changed(skin.paint(someone(11), SIZE), browInnerUp=1.0)
    assert y.min() > 7.4
    assert np.abs(theta).max() < 1.1


@given(share=st.floats(0.05, 0.95))
@settings(max_examples=20, deadline=None)
def test_stronger_expressions_fold_deeper(share: float) -> None:
    folds = wrinkles.fold_layers(someone(), SIZE)
    weak, strong = (folds.gains(face(mouthSmileLeft=s, browDownRight=s)) for s in (share * 0.9, share))
    assert (strong >= weak).all()
    assert strong.max() > weak.max()
    assert strong.max() <= 1.11


def test_wrinkles_deepen_the_resting_face_and_old_faces_differ_from_each_other() -> None:
    smooth, worn = (wrinkles.fold_layers(someone(age=70.0, wrinkles=w, sagging=w), SIZE).rest for w in (0.0, 1.0))
    assert worn.mean() > 3 * smooth.mean()
    rests = np.stack([wrinkles.fold_layers(someone(s, age=70.0, wrinkles=0.8), SIZE).rest for s in range(12)])
    assert rests.std(0).max() > 0.15


def test_brows_lie_on_the_brow_landmarks_in_their_upper_half() -> None:
    base = head_model().base
    points = landmark_points(base[:, :2] * np.array([1, -1], np.float32), base)[22:27]
    line, inner, outer = brows.brow_line()
    for x, y, z in points:
        theta = np.arctan2(x, z - canvas.AXIS_Z)
        assert inner - 1e-6 <= theta <= outer + 1e-6
        assert abs(np.polyval(line, theta) - y) < 0.012
    cover = brows.paint_brows(someone(2, brow=1.2), (256, 448))
    theta, y = canvas.grid((256, 448))
    column = np.abs(theta[0] - 0.33).argmin()
    rows = y[:, column]
    ink = cover[:, column]
    middle = float((rows * ink).sum() / ink.sum())
    landmark = float(np.polyval(line, 0.33))
    assert middle < landmark < rows[ink > 0.15].max()


def test_thicker_brows_hold_more_ink_and_none_strays() -> None:
    thin, thick = (brows.paint_brows(someone(4, brow=b), SIZE) for b in (0.5, 1.5))
    assert thick.sum() > 1.4 * thin.sum()
    theta, y = canvas.grid(SIZE)
    far = (np.abs(theta) > 0.85) | (y < 7.25) | (y > 7.75)
    assert thick[far].max() < 0.05
    assert thick.min() >= 0
    assert thick.max() <= 0.931


def test_hair_is_labelled_above_the_hairline_and_a_bald_head_is_skin() -> None:
    theta, y = canvas.grid(SIZE)
    crown = (y > 8.2) & (np.abs(theta) < 2)
    front = (np.abs(theta) < 0.3) & (y > 7.6) & (y < 7.75)
    covered = skin.paint(someone(hair="short"), SIZE)
    assert (covered.seg[crown] == HAIR).mean() > 0.99
    assert (covered.seg[front] == HAIR).mean() < 0.05
    assert not (skin.paint(someone(hair="bald"), SIZE).seg == HAIR).any()
    assert (covered.seg == BROW).any()


def test_stubble_darkens_the_jaw_and_not_the_forehead() -> None:
    theta, y = canvas.grid(SIZE)
    jaw = (np.abs(theta) < 0.5) & (y > 6.15) & (y < 6.35)
    forehead = (np.abs(theta) < 0.4) & (y > 7.58) & (y < 7.8)
    man = {"male": 1.0, "female_perceived": 0.0, "melanin": 0.1}
    bare, rough = (skin.paint(someone(9, beard=b, **man), SIZE).albedo_height.astype(float) for b in ("none", "full"))
    assert rough[jaw][:, :3].mean() < bare[jaw][:, :3].mean() - 10
    assert abs(rough[forehead][:, :3].mean() - bare[forehead][:, :3].mean()) < 4


def test_children_and_women_grow_no_whiskers() -> None:
    from omokage.synthesis.hairline import beard_zone

    assert not beard_zone(someone(age=9.0, male=1.0, female_perceived=0.1), SIZE).any()
    assert not beard_zone(someone(age=40.0, female_perceived=0.9), SIZE).any()
    assert beard_zone(someone(age=40.0, female_perceived=0.1), SIZE).any()


def test_make_up_reddens_the_lips() -> None:
    def green(makeup: float) -> float:
        return float(np.mean([skin.paint(someone(s, makeup=makeup, age=70.0), SIZE).lips[1] for s in range(4)]))

    assert green(1.0) < green(0.0) - 0.1


def test_strokes_are_soft_lines_of_the_given_place_and_weight() -> None:
    strokes = canvas.Strokes(SIZE)
    strokes.line([(-0.2, 7.0), (0.2, 7.0)], 0.02, 0.8, taper=0)
    layer = strokes.draw(np.zeros(SIZE, np.float32))
    theta, y = canvas.grid(SIZE)
    assert 0.6 < layer.max() <= 0.8
    assert np.abs(theta[layer > 0.1]).max() < 0.3
    assert np.abs(y[layer > 0.1] - 7.0).max() < 0.08
    window = strokes.draw(np.zeros((60, 80), np.float32), (40, 70))
    assert np.allclose(window, layer[40:100, 70:150], atol=1e-5)


def test_noise_has_unit_variance_and_no_seam() -> None:
    rng = np.random.default_rng(0)
    for scale in (2.0, 8.0, 30.0):
        field = canvas.noise((256, 448), scale, rng)
        assert 0.6 < field.std() < 1.4
        steps = np.abs(np.diff(field, axis=0)).mean(1)
        assert steps.max() < 4 * steps.mean()
