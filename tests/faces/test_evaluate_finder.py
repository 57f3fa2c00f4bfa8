"""Found rates, false faces and thresholds with finders whose answers are known."""

import csv

import cv2
import numpy as np
import pytest

from omokage.errors import InputError
from omokage.faces.canvas import FaceScene
from omokage.faces.evaluate import candidates, false_faces, score_folder, score_scenes, threshold_for
from omokage.media.image import read_image
from omokage.results import Box, Detection


class Fixed:
    """Answers with the same list for every picture, or with one list after the other."""

    def __init__(self, *answers):
        self.answers, self.next = answers, 0

    def find(self, image):
        self.next += 1
        return self.answers[(self.next - 1) % len(self.answers)]

    def find_batch(self, images):
        return [self.find(image) for image in images]


def face(x0, y0, x1, y1, score=0.9):
    return Detection(Box(x0, y0, x1, y1), score)


def scene(boxes, ignored=()):
    kinds = [np.array(k, np.float32).reshape(-1, 4) for k in (boxes, ignored)]
    return FaceScene(np.zeros((100, 100, 3), np.uint8), *kinds)


def test_scene_scores_by_hand():
    answers = [face(0, 0, 20, 20), face(60, 60, 80, 80, 0.5), face(40, 0, 52, 12, 0.4), face(1, 1, 21, 21, 0.3)]
    scores = score_scenes(Fixed(answers), [scene([[0, 0, 20, 20], [70, 10, 100, 40]], [[38, 0, 55, 14]])])
    assert (scores.faces, scores.scenes, scores.found) == (2, 1, 0.5)
    assert scores.wrong_per_scene == 1  # the box at 60: the ignored face excuses the third, the found one the fourth
    assert scores.mean_iou == 1
    assert scores.by_size == {"16-24": (1.0, 1), "24-48": (0.0, 1)}


def test_candidates_and_false_faces():
    answers = [face(0, 0, 20, 20, 0.8), face(60, 60, 80, 80, 0.5), face(40, 0, 52, 12, 0.4)]
    values, right = candidates(Fixed(answers), [scene([[0, 0, 20, 20]], [[38, 0, 55, 14]])])
    assert values.tolist() == [0.8, 0.5]
    assert right.tolist() == [True, False]
    assert false_faces(Fixed(answers, []), [np.zeros((9, 9, 3), np.uint8)] * 3) == [3, 0, 3]


def test_threshold_lets_the_asked_share_through():
    empty = [scene([]) for _ in range(200)]
    scores = np.random.default_rng(0).random(200)
    answers = [[face(0, 0, 9, 9, float(s))] for s in scores]
    limit = threshold_for(Fixed(*answers), empty, 0.05, 0.1)
    assert (scores >= limit).sum() == 10
    assert threshold_for(Fixed([]), empty, 0.05, 0.1) == 0.1


def write_folder(folder, rows):
    (folder / "images").mkdir(parents=True)
    for row in rows:
        cv2.imwrite(str(folder / row["file"]), np.zeros((50, 60, 3), np.uint8))
    with (folder / "labels.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, list(dict.fromkeys(k for r in rows for k in r)))
        writer.writeheader()
        writer.writerows(rows)


def test_labelled_folder_with_points_and_without(tmp_path):
    points = {"leye_x": 10, "leye_y": 10, "reye_x": 20, "reye_y": 10, "nose_x": 15, "nose_y": 15, "lmouth_x": 11,
              "lmouth_y": 20, "rmouth_x": 19, "rmouth_y": 20}  # fmt: skip
    write_folder(tmp_path / "five", [{"file": "images/a.png", **points}, {"file": "images/b.png", **points}])
    scores = score_folder(
        Fixed([face(8, 8, 22, 24), face(40, 30, 50, 40)], [face(40, 30, 50, 40)]), tmp_path / "five", read_image
    )
    assert (scores.labelled, scores.found, scores.extra, scores.pictures, scores.rate) == (2, 1, 2, 2, 0.5)
    write_folder(tmp_path / "whole", [{"file": "images/a.png", "age": 3}, {"file": "images/b.png", "age": 4}])
    scores = score_folder(Fixed([face(8, 8, 22, 24)], []), tmp_path / "whole", read_image)
    assert (scores.found, scores.extra) == (1, 0)
    with pytest.raises(InputError, match=r"labels\.csv"):
        score_folder(Fixed([]), tmp_path, read_image)
