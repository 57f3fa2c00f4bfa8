"""Linking faces over time: the same face one track, another face another, whatever cuts, gaps and crossings do."""

from __future__ import annotations

import json
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omokage.faces.track import FaceTrack, TrackedFace, Tracker, TrackRule
from omokage.results import Box, Detection

WIDTH, HEIGHT, SIDE = 320, 180, 50
Spot = tuple[int, float, float]  # who, centre x, centre y


def head(who: int) -> NDArray[np.uint8]:
    """A smooth pattern with a colour of its own."""
    rng = np.random.default_rng(who + 100)
    rough = rng.normal(0, 45, (5, 5, 3)) + rng.uniform(60, 200, 3)
    return np.clip(cv2.resize(rough, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def room(number: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(number)
    rough = rng.uniform(20, 235, (6, 8, 3))
    return np.clip(cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def frame(spots: Sequence[Spot], background: int = 0) -> tuple[NDArray[np.uint8], list[Detection]]:
    """A picture with heads, and what a perfect finder says of it."""
    picture, found = room(background), []
    for who, x, y in spots:
        x0, y0 = round(x - SIDE / 2), round(y - SIDE / 2)
        left, top = max(x0, 0), max(y0, 0)
        part = picture[top : max(y0 + SIDE, 0), left : max(x0 + SIDE, 0)]
        part[:] = head(who)[top - y0 :, left - x0 :][: part.shape[0], : part.shape[1]]
        found.append(Detection(Box(x0, y0, x0 + SIDE, y0 + SIDE), 0.9))
    return picture, found


def run(
    film: Sequence[Sequence[Spot]],
    fps: float = 10.0,
    rooms: Sequence[int] | None = None,
    tracker: Tracker | None = None,
) -> list[list[TrackedFace]]:
    tracker = tracker or Tracker()
    found = []
    for k, spots in enumerate(film):
        picture, faces = frame(spots, rooms[k] if rooms else 0)
        found.append(tracker.update(picture, k / fps, faces))
    return found


def numbers(found: Sequence[Sequence[TrackedFace]]) -> list[list[int]]:
    return [[face.track for face in faces] for faces in found]


def test_one_face_that_moves_is_one_track() -> None:
    found = run([[(1, 60 + 9 * k, 90)] for k in range(20)])
    assert numbers(found) == [[0]] * 20
    assert [faces[0].begins for faces in found] == [True] + [False] * 19


def test_two_faces_that_pass_each_other_keep_their_tracks() -> None:
    film = [[(1, 60 + 8 * k, 70), (2, 260 - 8 * k, 110)] for k in range(25)]
    assert numbers(run(film)) == [[0, 1]] * 25


def test_tracks_come_in_the_order_of_the_faces() -> None:
    film = [[(1, 60, 90), (2, 200, 90)], [(2, 200, 90), (1, 60, 90)]]
    assert numbers(run(film)) == [[0, 1], [1, 0]]


@pytest.mark.parametrize(("away", "same"), [(5, True), (9, True), (12, False)])
def test_a_gap_of_up_to_a_second_is_bridged(away: int, same: bool) -> None:
    film: list[list[Spot]] = [[(1, 100, 90)]] * 5 + [[]] * away + [[(1, 104, 90)]] * 5
    found = numbers(run(film))
    assert found[-1] == ([0] if same else [1])


def test_another_person_in_the_same_place_is_another_track() -> None:
    assert numbers(run([[(1, 100, 90)]] * 6 + [[(2, 100, 90)]] * 6)) == [[0]] * 6 + [[1]] * 6


def test_a_cut_ends_all_tracks_even_of_a_face_that_stays() -> None:
    film: list[list[Spot]] = [[(1, 100, 90), (2, 220, 90)]] * 12
    tracker = Tracker()
    found = run(film, rooms=[0] * 6 + [1] * 6, tracker=tracker)
    assert numbers(found) == [[0, 1]] * 6 + [[2, 3]] * 6
    assert [faces[0].shot for faces in found] == [0] * 6 + [1] * 6
    ended = tracker.ended()
    assert [(t.track, t.end, t.faces) for t in ended] == [(0, "cut", 6), (1, "cut", 6)]
    assert [(t.track, t.end) for t in tracker.finish()] == [(2, "end"), (3, "end")]


def test_much_motion_is_no_cut_where_a_face_goes_on() -> None:
    tracker = Tracker()
    tracks = []
    for k in range(10):
        picture, faces = frame([(1, 60, 90), (2, 280, 90)][: 2 if k < 5 else 1])
        if k >= 5:  # something large moves in on the right
            picture[:, 190:] = room(7)[:, 190:]
        tracks.append([t.track for t in tracker.update(picture, k / 10, faces)])
    assert tracks == [[0, 1]] * 5 + [[0]] * 5
    assert tracker.shot == 0
    assert [(t.track, t.end) for t in tracker.ended()] == [(1, "cut")]


def test_a_flash_is_no_cut() -> None:
    tracker = Tracker()
    tracks = []
    for k in range(12):
        picture, faces = frame([(1, 100, 90)])
        if k == 6:
            picture = np.full_like(picture, 252)
            faces = []
        tracks.append([t.track for t in tracker.update(picture, k / 10, faces)])
    assert tracks == [[0]] * 6 + [[]] + [[0]] * 5
    assert tracker.shot == 0


def test_frames_further_apart_than_the_gap_still_link() -> None:
    assert numbers(run([[(1, 100 + k, 90)] for k in range(6)], fps=0.5)) == [[0]] * 6


def test_what_is_told_of_an_ended_track() -> None:
    tracker = Tracker()
    run([[(1, 100, 90)]] * 4 + [[]] * 14, tracker=tracker)
    assert tracker.ended() == [FaceTrack(0, 0, 0.0, 0.3, 4, pytest.approx(0.9), "gone")]
    assert tracker.ended() == []


def test_time_runs_forward() -> None:
    tracker = Tracker()
    picture, faces = frame([(1, 100, 90)])
    tracker.update(picture, 1.0, faces)
    with pytest.raises(ValueError, match="order of time"):
        tracker.update(picture, 0.5, faces)


def test_a_kept_state_goes_on_as_if_nothing_had_happened() -> None:
    film: list[list[Spot]] = [[(1, 40 + 10 * k, 60), (2, 280 - 9 * k, 120)][: 1 + (k % 4 > 0)] for k in range(24)]
    rooms = [0] * 15 + [1] * 9
    whole = numbers(run(film, rooms=rooms))
    for stop in (1, 8, 14, 15, 16, 20):
        tracker = Tracker()
        start = run(film[:stop], rooms=rooms, tracker=tracker)
        tracker.ended()
        again = Tracker.restored(json.loads(json.dumps(tracker.state())))
        rest = []
        for k in range(stop, len(film)):
            picture, faces = frame(film[k], rooms[k])
            rest.append(again.update(picture, k / 10, faces))
        assert numbers(start) + numbers(rest) == whole
        assert again.shot == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(30, 290), st.integers(30, 150)), max_size=4), max_size=8)
)
def test_no_track_is_twice_in_a_frame_and_numbers_only_grow(film: list[list[Spot]]) -> None:
    highest = -1
    for tracked in run(film):
        tracks = [face.track for face in tracked]
        assert len(set(tracks)) == len(tracks)
        new = [face.track for face in tracked if face.begins]
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        assert all(track <= highest for track in set(tracks) - set(new))
        highest = max([highest, *tracks])


def test_rules_decide() -> None:
    film: list[list[Spot]] = [[(1, 100, 90)]] * 3 + [[]] * 5 + [[(1, 100, 90)]]
    assert numbers(run(film, tracker=Tracker(TrackRule(gap_s=0.3))))[-1] == [1]
