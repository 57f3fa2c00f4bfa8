"""Render one person several times with exactly one factor changed: here fatness, from lean to heavy.

    python examples/one_factor.py row.png

Such rows show what a network reacts to: person, light, camera and background are the same in every picture.
"""

import sys
from dataclasses import replace

import numpy as np
from PIL import Image

from omokage.synthesis.people import PersonSampler
from omokage.synthesis.render import render
from omokage.synthesis.scene import Camera, Expression, Light, Pose, Scene, Surroundings


def main(out: str, size: int = 160) -> None:
    person = PersonSampler().draw(np.random.default_rng(7))
    scene = Scene(
        person, Expression(), Pose(), Light(1), Camera(2, size=size, frame=1.6), Surroundings(3, style="plain")
    )
    row = [render(replace(scene, person=replace(person, fatness=f))).image for f in (-1.0, -0.4, 0.2, 0.8, 1.5)]
    Image.fromarray(np.hstack(row)).save(out)
    print(out)


if __name__ == "__main__":
    main(sys.argv[1])
