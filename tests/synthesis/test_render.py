"""Whole pictures: the same scene gives the same bytes, and every label agrees with what was drawn."""

from dataclasses import replace

import numpy as np
import pytest

from omokage.data.records import SEGMENTATION
from omokage.errors import InputError
from omokage.synthesis.camera import HEAD
from omokage.synthesis.geometry import build_mesh, pose_mesh, pose_points, rotation
from omokage.synthesis.landmarks import landmark_points
from omokage.synthesis.raster import project
from omokage.synthesis.render import SUPERSAMPLING, _shrunk, render, warm_up
from omokage.synthesis.scene import Camera, Expression, Light, Person, Pose, Scene, Surroundings
from omokage.synthesis.skin import paint

SIZE = 64
PERSON = Person(
    7, 35.0, 0.4, 0.6, 0.1, 0.5, (0.6, 0.2, 0.2), (), 0.3, 0.4, 0.3, 0.2, 0.1, hair="short", hair_length=0.2
)
SCENE = Scene(PERSON, light=Light(3), camera=Camera(5, SIZE, frame=1.6), surroundings=Surroundings(2, "room"))
CLASS = {name: i for i, name in enumerate(SEGMENTATION)}


@pytest.fixture(scope="module")
def skin():
    return paint(PERSON)


@pytest.fixture(scope="module")
def picture(skin):
    return render(SCENE, skin)


def with_person(**changes):
    return replace(SCENE, person=replace(PERSON, **changes))


def test_shapes_types_and_ranges(picture):
    assert (picture.image.shape, picture.image.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert (picture.segmentation.shape, picture.segmentation.dtype) == ((SIZE, SIZE), np.uint8)
    assert (picture.alpha.shape, picture.alpha.dtype) == ((SIZE, SIZE), np.float32)
    assert (picture.landmarks.shape, picture.points_3d.shape) == ((68, 2), (68, 3))
    assert (picture.visibility.shape, set(np.unique(picture.visibility))) == (
        (68,),
        {1},
    ) or picture.visibility.mean() > 0.8
    assert picture.alpha.min() >= 0
    assert picture.alpha.max() <= 1
    assert picture.segmentation.max() < len(SEGMENTATION)


def test_same_scene_same_bytes_also_through_json_and_fresh_paint(picture):
    again = render(Scene.from_json(SCENE.to_json()))
    for name in ("image", "segmentation", "alpha", "landmarks", "visibility", "points_3d"):
        assert np.array_equal(getattr(picture, name), getattr(again, name)), name


@pytest.mark.parametrize("changed", [Light(4), Camera(5, SIZE, frame=1.3), Surroundings(3, "room"), Pose(20.0)])
def test_every_part_of_the_scene_changes_the_picture(picture, skin, changed):
    name = type(changed).__name__.lower()
    assert not np.array_equal(render(replace(SCENE, **{name: changed}), skin).image, picture.image)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_classes_agree_with_coverage(skin, seed):
    rng = np.random.default_rng(seed)
    scene = replace(
        SCENE, pose=Pose(*map(float, rng.normal(0, 20, 3))), camera=Camera(seed, SIZE, float(rng.uniform(1.1, 2.4)))
    )
    got = render(scene, skin)
    background = got.segmentation == CLASS["background"]
    assert background[got.alpha == 0].all()
    assert not background[got.alpha > 0.999].any()
    assert got.alpha[background].mean() < 0.1
    assert 0.05 < (got.segmentation == CLASS["skin"]).mean() < 0.6
    assert {CLASS[k] for k in ("skin", "cloth", "hair", "neck")} <= set(np.unique(got.segmentation))


@pytest.mark.parametrize("size", [SIZE, 65, 128])
def test_classes_lie_where_the_picture_has_them(skin, size):
    """The shift (least squares, pixels) that lays the coverage over the mask is none along either axis."""
    got = render(replace(SCENE, camera=Camera(5, size, frame=2.2)), skin)
    cover, mask = got.alpha.astype(np.float64), got.segmentation != CLASS["background"]
    slopes = np.stack([slope.ravel() for slope in np.gradient(cover)], 1)
    shift = -np.linalg.lstsq(slopes, (mask - cover).ravel(), rcond=None)[0]
    assert np.abs(shift).max() < 0.1


@pytest.mark.parametrize("size", [8, 63, 64, 65, 160])
def test_the_class_of_a_pixel_is_the_one_at_its_middle(size):
    n = round(size * SUPERSAMPLING)
    place = (np.arange(size) + 0.5) * n / size  # of each middle, in pixels of the larger picture
    clear = np.abs(place - np.round(place)) > 1e-6  # not on the border of two of them
    found = _shrunk(np.arange(n, dtype=np.uint8)[:, None].repeat(n, 1), size)[:, 0]
    across = _shrunk(np.arange(n, dtype=np.uint8)[None].repeat(n, 0), size)[0]
    assert clear.mean() > 0.9
    assert np.array_equal(found[clear], np.floor(place)[clear])
    assert np.array_equal(across, found)


def test_backdrop_shows_exactly_where_coverage_is_not(skin):
    one, other = (
        render(replace(SCENE, surroundings=Surroundings(s, "plain"), camera=Camera(5, SIZE, 2.0)), skin) for s in (1, 2)
    )
    assert np.array_equal(one.segmentation, other.segmentation)
    assert np.array_equal(one.alpha, other.alpha)
    moved = np.abs(one.image.astype(int) - other.image).sum(-1)
    assert moved[one.alpha == 0].mean() > moved[one.alpha == 1].mean()


def test_landmarks_match_a_pinhole_in_float64(picture):
    camera = SCENE.camera
    target = pose_points(np.array([[0, -0.06, 0.35]], np.float32), rotation(SCENE.pose))[0].astype(np.float64) * [
        0.9,
        1,
        1,
    ]
    points = picture.points_3d.astype(np.float64)
    scale = SIZE * camera.distance / (camera.frame * HEAD) / (target[2] + camera.distance - points[:, 2])
    expected = np.stack(
        [SIZE / 2 + (points[:, 0] - target[0]) * scale, SIZE / 2 - (points[:, 1] - target[1]) * scale], 1
    )
    assert np.abs(picture.landmarks - expected).max() < 0.1  # a mix of projected corners, not the projected mix


def test_landmarks_lie_on_the_face_that_is_drawn(picture):
    x, y = np.floor(picture.landmarks).astype(int).T
    found = [SEGMENTATION[c] for c in picture.segmentation[y, x]]
    assert sum(found[i] in ("eye", "skin") for i in range(36, 48)) == 12
    assert sum(found[i] in ("lips", "skin", "inner_mouth") for i in range(48, 68)) == 20
    assert set(found[27:36]) == {"skin"}


@pytest.mark.parametrize(("pose", "axis", "sign"), [(Pose(25.0), 0, 1), (Pose(0.0, 20.0), 1, -1)])
def test_pose_signs_in_the_picture(skin, pose, axis, sign):
    """Yaw + moves the nose to the right against the eyes; pitch + moves it up."""
    straight, turned = (render(replace(SCENE, pose=p), skin).landmarks for p in (Pose(), pose))

    def nose(points):
        return (points[30] - points[36:48].mean(0))[axis]

    assert sign * (nose(turned) - nose(straight)) > 1.5


def test_roll_turns_clockwise_and_gaze_moves_the_iris(skin):
    rolled = render(replace(SCENE, pose=Pose(0, 0, 25.0)), skin).landmarks
    assert rolled[36:42, 1].mean() < rolled[42:48, 1].mean() - 3  # the eye on the image's right sinks
    large = replace(SCENE, camera=Camera(5, 192, frame=0.9), light=Light(3, key=0.0, ambient=1.0))
    looks = [render(replace(large, pose=Pose(gaze_right=g)), skin) for g in (-25.0, 25.0)]
    centres = []
    for got in looks:
        left_half = np.arange(192)[None] < 96
        eye = (got.segmentation == CLASS["eye"]) & left_half
        dark = eye & (got.image.sum(-1) < np.percentile(got.image.sum(-1)[eye], 35))
        centres.append(np.nonzero(dark)[1].mean())
    assert centres[1] > centres[0] + 1


def test_the_far_side_of_a_profile_is_not_visible(skin):
    got = render(replace(SCENE, pose=Pose(75.0)), skin)
    assert got.visibility[36:42].mean() > got.visibility[42:48].mean() or got.visibility[42:48].sum() < 3
    near, far = got.visibility[[36, 37, 41]], got.visibility[[44, 45, 46]]
    assert near.sum() + far.sum() < 6
    outside = render(replace(SCENE, camera=Camera(5, SIZE, shift=(0.5, 0.0))), skin)
    gone = outside.landmarks[:, 0] >= SIZE
    assert gone.any()
    assert not outside.visibility[gone].any()


def test_a_mask_hides_the_mouth_and_sunglasses_the_eyes(skin):
    masked = render(replace(SCENE, surroundings=Surroundings(2, "room", "surgical_mask")), skin)
    assert (masked.segmentation == CLASS["mask"]).any()
    assert not (masked.segmentation == CLASS["lips"]).any()
    assert masked.visibility[48:68].sum() <= 2
    assert masked.visibility[36:48].sum() >= 8
    shaded = render(with_person(glasses="sunglasses"), skin)
    assert (shaded.segmentation == CLASS["lens"]).sum() > (shaded.segmentation == CLASS["glasses"]).sum() > 0
    assert shaded.visibility[[37, 40, 43, 46]].sum() <= 1
    clear = render(with_person(glasses="frame"), skin)
    assert (clear.segmentation == CLASS["lens"]).any()
    assert clear.visibility[36:48].sum() >= 9


@pytest.mark.parametrize("seed", range(4))
def test_no_point_shows_through_a_mask(skin, seed):
    """Not even the tip of the nose, over which the cloth is stretched; without the mask nearly all of them show."""
    turned = Pose(*map(float, np.random.default_rng(seed).normal(0, 8, 2)))
    bare = replace(SCENE, pose=turned, camera=Camera(5, 160, frame=1.6))
    masked = render(replace(bare, surroundings=Surroundings(seed, "room", "surgical_mask")), skin)
    column, row = np.floor(masked.landmarks).astype(int).T
    around = np.stack([masked.segmentation[row + y, column + x] for y in range(-2, 3) for x in range(-2, 3)])
    behind = (around == CLASS["mask"]).all(0)
    assert behind[30]
    assert not masked.visibility[behind].any()
    assert render(bare, skin).visibility[behind & (np.arange(68) >= 17)].mean() > 0.9


@pytest.mark.parametrize(
    ("occluder", "hat"), [("hand", "none"), ("object", "none"), ("microphone", "none"), ("none", "cap")]
)
def test_things_are_labelled_with_their_class(skin, occluder, hat):
    scene = replace(with_person(hat=hat), surroundings=Surroundings(2, "plain", occluder))
    classes = render(scene, skin).segmentation
    assert (classes == CLASS["hat" if hat != "none" else "occluder"]).mean() > 0.002


def test_an_open_mouth_shows_its_inside(skin):
    wide = replace(SCENE, expression=Expression((("jawOpen", 0.9),), "surprise", 0.9))
    inside = (render(wide, skin).segmentation == CLASS["inner_mouth"]).sum()
    assert inside > (render(SCENE, skin).segmentation == CLASS["inner_mouth"]).sum() + 10


def test_more_light_makes_a_brighter_face_at_fixed_framing(skin):
    """The meter evens out most of it, but not the direction: light from the right brightens the right half."""
    got = [
        render(replace(SCENE, light=Light(3, azimuth=a, elevation=10, key=2.0, ambient=0.1)), skin) for a in (60, -60)
    ]
    skinned = got[0].segmentation == CLASS["skin"]
    middle = got[0].landmarks[27:31, 0].mean()
    right = skinned & (np.arange(SIZE)[None] > middle)
    left = skinned & (np.arange(SIZE)[None] < middle)
    for picture, bright, dim in ((got[0], right, left), (got[1], left, right)):
        assert picture.image[bright].mean() > picture.image[dim].mean() + 10


def test_points_in_space_belong_to_the_landmarks(picture):
    posed = pose_mesh(build_mesh(PERSON, SCENE.expression), SCENE.pose)
    flat = project(posed.vertices, np.eye(4, dtype=np.float32), 2)[:, :2]
    assert landmark_points(flat, posed.vertices).shape == picture.points_3d.shape
    assert np.abs(picture.points_3d).max() < 3


def test_the_body_reaches_the_lower_edge_of_wide_pictures(skin):
    wide = render(replace(SCENE, camera=Camera(5, SIZE, frame=3.0)), skin)
    assert (wide.segmentation[-1, SIZE // 3 : 2 * SIZE // 3] == CLASS["cloth"]).all()
    assert wide.alpha[-1, SIZE // 2] == 1


@pytest.mark.parametrize("distance", [1.6, 60.0])
def test_selfies_and_long_lenses_draw_the_same_person(skin, distance):
    got = render(replace(SCENE, camera=Camera(5, SIZE, frame=1.3, distance=distance)), skin)
    assert (got.segmentation == CLASS["skin"]).mean() > 0.2
    assert np.isfinite(got.landmarks).all()


def test_unknown_background_is_refused(skin):
    with pytest.raises(InputError, match="background style"):
        render(replace(SCENE, surroundings=Surroundings(1, "moon")), skin)


def test_warm_up_runs():
    warm_up()
