"""The mean face that explanations put where something is hidden, made anew from rendered people.

    python recipes/ordinary_face.py [--people 64] [--out src/omokage/explain/ordinary_face.npz]

People at rest, nearly frontal, evenly lit, without glasses, beard, hat or make-up; of numbers that no training and no
benchmark uses. About half a CPU second each.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from omokage.data.transforms import MIRRORED_POINTS
from omokage.explain.ordinary import FILE, mean_face
from omokage.faces.align import crop_landmarks
from omokage.synthesis.render import render
from omokage.synthesis.sampling import SceneSampler
from omokage.synthesis.scene import Camera, Expression, Light, Pose, Surroundings
from omokage.synthesis.skin import paint

SEED = 935_000_000
SIZE, MARGIN = 112, 1.45


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path("src/omokage/explain") / FILE)
    given = parser.parse_args()
    images, points = [], []
    for k in range(given.people):
        drawn = SceneSampler().draw(np.random.default_rng((SEED, k)))
        scene = replace(
            drawn, person=replace(drawn.person, glasses="none", beard="none", hat="none", makeup=0.0),
            expression=Expression(), pose=Pose(0.0, 0.0, 0.0), camera=Camera(k, size=192, frame=1.5),
            light=Light(k, azimuth=0.0, key=0.8, ambient=0.6),
            surroundings=Surroundings(drawn.surroundings.seed, drawn.surroundings.style),
        )  # fmt: skip
        picture = render(scene, paint(scene.person))
        crop = crop_landmarks(picture.image, picture.landmarks, SIZE, MARGIN)
        images.append(crop.image)
        points.append(picture.landmarks @ crop.affine[:, :2].T + crop.affine[:, 2])
    found = mean_face(images, points, MIRRORED_POINTS.tolist())
    np.savez_compressed(given.out, image=found.image, points=found.points.astype(np.float32))


if __name__ == "__main__":
    main()
