"""Print what can be read off every face of a photograph, each with its uncertainty.

python examples/analyze_photo.py photo.jpg
"""

import sys

import omokage


def main(path: str) -> None:
    faces = omokage.Analyzer()(path)
    if not faces:
        print(f"{path}: no face found")
    for face in faces:
        print(f"face {face.face} at x {face.box.x0:.0f}, y {face.box.y0:.0f}, found with {face.score:.2f}")
        if face.age:
            print(f"  apparent age {face.age.years:.0f}, 90 % interval {face.age.q05:.0f} to {face.age.q95:.0f}")
        if face.expression:
            print(f"  expression {face.expression.top}, {face.expression[face.expression.top]:.0%}")
        if face.pose:
            print(f"  yaw {face.pose.yaw:+.0f}, pitch {face.pose.pitch:+.0f}, roll {face.pose.roll:+.0f} degrees")
        print("  visible:", ", ".join(name for name, p in face.attributes.items() if p >= 0.7) or "nothing for sure")
        if face.needs_review:
            print("  please look yourself:", face.needs_review)


if __name__ == "__main__":
    main(sys.argv[1])
