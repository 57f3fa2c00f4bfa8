"""Convert one split of a published set, or of your own folder with labels.csv, to record shards for training.

    python examples/convert_dataset.py fairface data/fairface train records/fairface-train
    python examples/convert_dataset.py folder mine all records/mine --find

With --find the shipped finder marks the face where the set does not say where it is.
"""

import argparse
import sys
from pathlib import Path

from omokage.data.datasets import SETS, write_dataset
from omokage.errors import OmokageError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SETS)
    parser.add_argument("root", type=Path, help="where the set's own files are")
    parser.add_argument("split", help="for example train, val, test, train-1, all")
    parser.add_argument("out", type=Path, help="folder for the record shards")
    parser.add_argument("--find", action="store_true", help="mark missing faces with the shipped finder")
    given = parser.parse_args(arguments)
    find = None
    if given.find:
        import omokage

        find = omokage.Analyzer().finder.find
    print(f"{given.name}: {SETS[given.name].title}. Terms: {SETS[given.name].licence}")
    try:
        count = write_dataset(given.name, given.root, given.split, given.out, find=find)
    except OmokageError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} records in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
