"""Write a report page from Python: analyse photographs, keep their pixels, write one HTML file.

python examples/write_report.py report.html photo1.jpg photo2.jpg
"""

import sys
from pathlib import Path

import omokage
from omokage.report.html import ReportFace, write_report


def main(out: str, *photos: str) -> None:
    analyzer = omokage.Analyzer()
    faces, without = [], []
    for reading in analyzer.analyze_many(photos, keep_pixels=True):
        faces += [ReportFace(face, reading.pixels, Path(reading.source).name) for face in reading.faces]
        if not reading.faces and not reading.silent:
            without.append((reading.source, reading.status))
    write_report(Path(out), faces, "en", without, about=analyzer.describe())
    print(f"{out}: {len(faces)} faces")


if __name__ == "__main__":
    main(*sys.argv[1:])
