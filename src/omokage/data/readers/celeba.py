"""CelebA and LFWA: 40 yes/no attributes in CelebA's text tables.

CelebA (Liu, Luo, Wang, Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015): photographs of celebrities
from the web. Terms: non-commercial research only; no redistribution. LFWA: the same 40 attributes annotated on
Labeled Faces in the Wild (Huang et al., 2007), same terms for the labels.

Known problems: celebrities, mostly young and made up; each attribute has one opinion. Two annotators agree on few
of them (Wu et al., "Consistency and Accuracy of CelebA Attribute Values", CVPR workshops 2023): `high_cheekbones`,
`pointy_nose`, `oval_face` are close to chance, `mouth_slightly_open` has many wrong "yes". Several names judge
people (`attractive`, `chubby`, `big_nose`); they exist for research on these sets and are never in this project's
default output.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omokage.data.readers.source import Source, lines, locate
from omokage.data.records import Record
from omokage.errors import InputError
from omokage.schema import CELEBA

SPLITS = ("train", "val", "test", "all")
_CODES = {"train": "0", "val": "1", "test": "2"}
CELEBA_SOURCE = Source("celeba", "CelebA agreement: non-commercial research only")
LFWA_SOURCE = Source("lfwa", "LFWA labels: non-commercial research only; LFW pictures: research")


def read_celeba(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream CelebA in its own layout; `split` is one of `SPLITS`, by the official partition.

    Files, in `folder` itself or in the `Anno`, `Eval` and `Img` folders of the release: ``list_attr_celeba.txt``,
    ``list_eval_partition.txt``, ``identity_CelebA.txt``, ``img_align_celeba/000001.jpg`` ... Labels:
    ``attr_<name>`` for all 40 names in snake_case, and ``female`` from `Male`. Raises InputError or
    UnreadableError.
    """
    places = ("", "Anno", "Eval", "Img", "celeba")
    persons = _pairs(locate(folder, "identity_CelebA.txt", places))
    partition = _pairs(locate(folder, "list_eval_partition.txt", places))
    pictures = locate(folder, "img_align_celeba", places)
    attributes = locate(folder, "list_attr_celeba.txt", places)
    for name, labels in attribute_rows(attributes):
        if name not in partition or name not in persons:
            raise InputError(
                f"{name} of {attributes} has no partition or no identity; take all tables from one release"
            )
        if split == "all" or partition[name] == _CODES[split]:
            person = f"celeba-{persons[name]}"
            yield CELEBA_SOURCE.record(pictures / name, f"celeba-{name}", person, labels)


def read_lfwa(folder: Path, split: str = "train") -> Iterator[Record]:
    """Stream LFWA; `split` is one of `SPLITS`.

    LFWA comes as MATLAB files; this project reads them as text in CelebA's layout, which is its own choice:
    ``lfw_att_40.txt`` (count, header, then ``Aaron_Eckhart/Aaron_Eckhart_0001.jpg -1 1 ...``),
    ``lfw_partition.txt`` (path and 0, 1 or 2 as in CelebA) and the pictures below ``lfw/``. docs/how-to/datasets.md
    has the lines that convert them. The person is the folder's name. Raises InputError or UnreadableError.
    """
    partition = _pairs(locate(folder, "lfw_partition.txt"))
    pictures, attributes = locate(folder, "lfw"), locate(folder, "lfw_att_40.txt")
    for name, labels in attribute_rows(attributes):
        if name not in partition:
            raise InputError(f"{name} of {attributes} is not in lfw_partition.txt; add its line")
        if split == "all" or partition[name] == _CODES[split]:
            person = f"lfw-{name.split('/')[0]}"
            yield LFWA_SOURCE.record(pictures / name, f"lfwa-{name}", person, labels)


def attribute_rows(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """File name and labels (0 or 1) of each row of a table in CelebA's layout. Raises InputError on a damaged table."""
    names: list[str] = []
    for number, line in lines(path):
        words = line.split()
        if number == 1 and len(words) == 1:
            continue  # the count of pictures
        if not names:
            names = [word.lower() for word in words]
            unknown = [name for name in names if name not in CELEBA]
            if unknown:
                raise InputError(f"{path}: CelebA has no attribute called {', '.join(unknown)}; restore the header")
            continue
        if len(words) != len(names) + 1 or not set(words[1:]) <= {"-1", "1", "0"}:
            raise InputError(f"{path}, line {number}: expected a file name and {len(names)} values of -1 or 1")
        values = {f"attr_{name}": float(word == "1") for name, word in zip(names, words[1:], strict=True)}
        if "attr_male" in values:
            values["female"] = 1.0 - values["attr_male"]
        yield words[0], values


def _pairs(path: Path) -> dict[str, str]:
    """A two-column text table. Raises InputError on a line that has not two words."""
    found: dict[str, str] = {}
    for number, line in lines(path):
        words = line.split()
        if len(words) != 2:
            raise InputError(f"{path}, line {number}: expected a file name and one value, found {line!r}")
        found[words[0]] = words[1]
    return found
