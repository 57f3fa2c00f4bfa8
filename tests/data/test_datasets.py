"""Readers on tiny sets written in each set's own layout."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import face_sets
import numpy as np
import pytest
import rating_sets
from PIL import Image

from omokage.data.datasets import SETS, read_dataset, write_dataset
from omokage.data.readers.fairface import age_bin
from omokage.data.records import read_records
from omokage.errors import InputError, UnreadableError
from omokage.metrics.labels import read_labels
from omokage.results import Box, Detection
from omokage.schema import CELEBA

CELEBA_HEADER = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair "
    "Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male "
    "Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks "
    "Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace "
    "Wearing_Necktie Young"
)
MEN = [name == "Male" for name in CELEBA_HEADER.split()]


def picture(path: Path, size: tuple[int, int] = (20, 24), orientation: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.full((size[1], size[0], 3), 128, np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[274] = orientation
    Image.fromarray(grey).save(path, exif=exif)


def celeba_table(path: Path, names: list[str], men: list[bool]) -> None:
    rows = [
        " ".join([n, *("1" if m and is_male else "-1" for is_male in MEN)]) for n, m in zip(names, men, strict=True)
    ]
    path.write_text("\n".join([str(len(names)), CELEBA_HEADER, *rows]) + "\n")


def celeba(root: Path) -> None:
    names = [f"{i:06d}.jpg" for i in range(1, 7)]
    (root / "Anno").mkdir()
    (root / "Eval").mkdir()
    celeba_table(root / "Anno" / "list_attr_celeba.txt", names, [i % 2 == 0 for i in range(6)])
    (root / "Anno" / "identity_CelebA.txt").write_text("".join(f"{n} {100 + i // 2}\n" for i, n in enumerate(names)))
    (root / "Eval" / "list_eval_partition.txt").write_text("".join(f"{n} {i // 2}\n" for i, n in enumerate(names)))
    for name in names:
        picture(root / "Img" / "img_align_celeba" / name, (178, 218))


def lfwa(root: Path) -> None:
    names = ["Ada_B/Ada_B_0001.jpg", "Ada_B/Ada_B_0002.jpg", "Carl_D/Carl_D_0001.jpg"]
    celeba_table(root / "lfw_att_40.txt", names, [False, False, True])
    (root / "lfw_partition.txt").write_text("".join(f"{n} {c}\n" for n, c in zip(names, "002", strict=True)))
    for name in names:
        picture(root / "lfw" / name)


def morph2(root: Path) -> None:
    rows = ["id_num,race,photo"]
    for subject in range(20):
        for shot in range(2):
            name = f"{subject:06d}_{shot}{'FM'[subject % 2]}{20 + subject}.JPG"
            picture(root / "Album2" / name)
            rows.append(f"{subject},W,Album2/{name}")
    (root / "morph_2008_nonCommercial.csv").write_text("\n".join(rows) + "\n")


def lfw_plus(root: Path) -> None:
    rows = ["file,person,age,gender,race"]
    for i in range(20):
        picture(root / "pictures" / f"{i}.jpg")
        rows.append(f"pictures/{i}.jpg,p{i // 2},{i + 0.5},{'female' if i % 2 else 'male'},")
    (root / "lfw_plus.csv").write_text("\n".join(rows) + "\n")


def chalearn2015(root: Path) -> None:
    for part, separator in (("Train", ";"), ("Validation", ","), ("Test", ";")):
        picture(root / part / "image_1.jpg")
        (root / f"{part}.csv").write_text(separator.join(["image_1.jpg", "31.5", "4.25"]) + "\n")


def fairface(root: Path) -> None:
    for split in ("train", "val"):
        picture(root / split / "1.jpg")
        picture(root / split / "2.jpg")
        (root / f"fairface_label_{split}.csv").write_text(
            "file,age,gender,race,service_test\n"
            f"{split}/1.jpg,20-29,Female,East Asian,True\n{split}/2.jpg,more than 70,Male,Black,False\n"
        )


def fairface_part(root: Path) -> None:
    picture(root / "images" / "1.jpg")
    picture(root / "images" / "2.jpg")
    (root / "labels.csv").write_text(
        "file,age_bin,gender,race\nimages/1.jpg,20-29,female,East Asian\nimages/2.jpg,70+,,Black\n"
    )


def utkface(root: Path) -> None:
    for name in ("26_1_2_20170116184024662.jpg.chip.jpg", "61_0_20170109150557335.jpg.chip.jpg"):
        picture(root / "part1" / name)


def voxceleb(root: Path) -> None:
    for name in ("A.J._Buckley", "id00012", "id00017", "id00018"):
        for frame in (1, 2):
            inside = "1.6/video" if name.startswith("A") else "video/00001"
            picture(root / name / inside / f"{frame:05d}.jpg")


def folder(root: Path) -> None:
    picture(root / "写真.jpg", (30, 20), orientation=6)
    picture(root / "b.png")
    (root / "labels.csv").write_text(
        "file,person,split,age,gender,expression,smiling,box_x0,box_y0,box_x1,box_y1,group_site\n"
        "写真.jpg,ann,train,41,female,happiness,yes,1,2,15,16,Kyoto\nb.png,bob,test,,,,,,,,,\n",
        encoding="utf-8",
    )


MAKERS: dict[str, Callable[[Path], None]] = {
    "celeba": celeba,
    "lfwa": lfwa,
    "morph2": morph2,
    "lfw_plus": lfw_plus,
    "chalearn2015": chalearn2015,
    "fairface": fairface,
    "fairface_part": fairface_part,
    "utkface": utkface,
    "voxceleb": voxceleb,
    "folder": folder,
    **face_sets.MAKERS,
    **rating_sets.MAKERS,
}


@pytest.mark.parametrize("name", SETS)
def test_every_split_is_read_and_survives_the_record_format(name: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    MAKERS[name](root)
    for place, split in enumerate(SETS[name].splits):
        records = list(read_dataset(name, root, split))
        for record in records:
            with Image.open(io.BytesIO(record.image)) as image:
                assert {record.width, record.height} == set(image.size)
            assert json.loads(record.provenance)["licence"]
            assert record.source == name
        if records and place < 3:
            out = tmp_path / f"out-{split}"
            assert write_dataset(name, root, split, out, shard_size=7) == len(records)
            again = list(read_records(out))
            assert [r.id for r in again] == [r.id for r in records]
            assert [set(r.labels) for r in again] == [set(r.labels) for r in records]


@pytest.mark.parametrize("name", ["celeba", "lfwa", "morph2", "lfw_plus"])
def test_no_person_stands_on_both_sides(name: str, tmp_path: Path) -> None:
    MAKERS[name](tmp_path)
    splits = SETS[name].splits
    pairs = [("train", "test")] if "train" in splits else [(f"train-{k}", f"test-{k}") for k in range(1, 6)]
    everyone = {r.id for r in read_dataset(name, tmp_path, "all")}
    for train, test in pairs:
        left, right = (list(read_dataset(name, tmp_path, split)) for split in (train, test))
        assert not {r.person for r in left} & {r.person for r in right}
        if train.startswith("train-"):
            assert {r.id for r in left} | {r.id for r in right} == everyone
    if name in ("morph2", "lfw_plus"):
        tested = [r.id for k in range(1, 6) for r in read_dataset(name, tmp_path, f"test-{k}")]
        assert sorted(tested) == sorted(everyone), "each picture is tested exactly once"


def test_celeba_labels(tmp_path: Path) -> None:
    celeba(tmp_path)
    man, woman = read_dataset("celeba", tmp_path, "val")
    assert man.person == woman.person == "celeba-101"
    assert man.labels["attr_male"] == 1.0
    assert man.labels["female"] == 0.0
    assert woman.labels["female"] == 1.0
    assert {f"attr_{a.name}" for a in CELEBA} == {k for k in man.labels if k.startswith("attr_")}


def test_celeba_schema_has_the_papers_eight_sub_networks() -> None:
    sizes = {name: len(members) for name, members in CELEBA.categories().items()}
    assert len(CELEBA) == 40
    assert len(sizes) == 8
    assert sizes["nominal-holistic"] == 9
    assert not any(a.default_output for a in CELEBA)


def test_morph_labels_and_groups(tmp_path: Path) -> None:
    morph2(tmp_path)
    record = next(r for r in read_dataset("morph2", tmp_path, "all") if r.person == "morph2-000003")
    assert record.labels == {"age": 23.0, "female": 0.0, "groups": '{"race": "W"}'}


def test_chalearn_spread_and_fairface_bins(tmp_path: Path) -> None:
    chalearn2015(tmp_path)
    fairface(tmp_path)
    assert next(read_dataset("chalearn2015", tmp_path, "val")).labels == {"age": 31.5, "age_std": 4.25}
    young, old = read_dataset("fairface", tmp_path, "val")
    assert (young.labels["age_low"], young.labels["age_high"]) == (20.0, 30.0)
    assert old.labels["age_low"] == 70.0
    assert "age" not in old.labels


def test_utkface_name_without_race_keeps_age_and_gender(tmp_path: Path) -> None:
    utkface(tmp_path)
    first, second = read_dataset("utkface", tmp_path, "all")
    assert first.labels == {"age": 26.0, "female": 1.0, "groups": '{"race": "Asian"}'}
    assert second.labels == {"age": 61.0, "female": 0.0}


def test_own_folder(tmp_path: Path) -> None:
    folder(tmp_path)
    (ann,) = read_dataset("folder", tmp_path, "train")
    assert (ann.width, ann.height) == (20, 30), "size is that of the upright picture"
    assert ann.labels["box"] == [1, 2, 15, 16]
    assert ann.labels["attr_smiling"] == 1.0
    assert json.loads(ann.labels["groups"]) == {"site": "Kyoto"}
    (bob,) = read_dataset("folder", tmp_path, "test")
    assert bob.labels == {}, "an empty cell is unknown, not 0"


def replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "split", "damage", "message"),
    [
        ("celeba", "val", lambda r: (r / "Anno" / "identity_CelebA.txt").unlink(), "identity_CelebA.txt"),
        ("celeba", "val", lambda r: (r / "Img/img_align_celeba/000003.jpg").unlink(), "000003.jpg"),
        ("celeba", "val", lambda r: replace(r / "Anno/list_attr_celeba.txt", "Young", "Wise"), "wise"),
        ("celeba", "val", lambda r: replace(r / "Anno/list_attr_celeba.txt", "000001.jpg -1", "000001.jpg"), "line 3"),
        ("morph2", "all", lambda r: picture(r / "Album2" / "holiday.jpg"), "holiday.jpg"),
        ("lfw_plus", "all", lambda r: replace(r / "lfw_plus.csv", "0.5", "young"), "line 2"),
        ("lfw_plus", "all", lambda r: replace(r / "lfw_plus.csv", "age", "years"), "column age"),
        ("chalearn2015", "train", lambda r: replace(r / "Train.csv", ";4.25", ""), "line 1"),
        ("fairface", "val", lambda r: replace(r / "fairface_label_val.csv", "20-29", "twenties"), "twenties"),
        ("utkface", "all", lambda r: picture(r / "me.jpg"), "me.jpg"),
        ("folder", "all", lambda r: replace(r / "labels.csv", "smiling", "smilling"), "smilling"),
        ("folder", "all", lambda r: replace(r / "labels.csv", "happiness", "joy"), "joy"),
        ("folder", "all", lambda r: replace(r / "labels.csv", "female", "lady"), "lady"),
    ],
)
def test_damaged_sets_say_what_is_wrong(
    name: str, split: str, damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    MAKERS[name](tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=message):
        list(read_dataset(name, tmp_path, split))


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "b.png").write_text("hello")
    with pytest.raises(UnreadableError, match=r"b\.png"):
        list(read_dataset("folder", tmp_path, "test"))


@pytest.fixture
def short_cells() -> Iterator[None]:
    """Cells of a table may have 1,000 characters: the limit is that of the whole process, and other parts raise it."""
    limit = csv.field_size_limit(1_000)
    yield
    csv.field_size_limit(limit)


@pytest.mark.usefixtures("short_cells")
def test_a_table_as_spreadsheets_write_it(tmp_path: Path) -> None:
    folder(tmp_path)
    replace(tmp_path / "labels.csv", "train", "Train")
    replace(tmp_path / "labels.csv", "\n", ",\n")
    assert [r.person for r in read_dataset("folder", tmp_path, "train")] == ["ann"]
    path = tmp_path / "labels.csv"
    text = path.read_text(encoding="utf-8")
    for wrong, why in (
        (text.encode("shift-jis"), "are not UTF-8 text: save the table as UTF-8"),
        (text.replace(",", ";").encode(), "parted by semicolons"),
        (f"file,group_x\nb.png,{'x' * 2_000}\n".encode(), "line 2: field larger than"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match=why):
            list(read_dataset("folder", tmp_path, "all"))
    lfw_plus(tmp_path / "lfw")
    (tmp_path / "lfw" / "lfw_plus.csv").write_text(f"file,person,age\na,p,{'x' * 2_000}\n")
    with pytest.raises(InputError, match=r"lfw_plus\.csv, line 2: field larger than"):
        list(read_dataset("lfw_plus", tmp_path / "lfw", "all"))


def test_unknown_set_split_folder_and_empty_split(tmp_path: Path) -> None:
    folder(tmp_path)
    for name, split, root in (
        ("faces9000", "all", tmp_path),
        ("folder", "dev", tmp_path),
        ("folder", "all", tmp_path / "x"),
    ):
        with pytest.raises(InputError):
            read_dataset(name, root, split)
    with pytest.raises(InputError, match="empty"):
        write_dataset("folder", tmp_path, "val", tmp_path / "out")


def test_missing_boxes_come_from_the_finder_that_is_passed_in(tmp_path: Path) -> None:
    folder(tmp_path)
    seen: list[tuple[int, ...]] = []

    def find(image: np.ndarray) -> list[Detection]:
        seen.append(image.shape)
        return [Detection(Box(0, 0, 4, 4), 0.99), Detection(Box(6, 8, 15, 17), 0.5)]

    write_dataset("folder", tmp_path, "all", tmp_path / "out", find=find)
    ann, bob = read_records(tmp_path / "out")
    assert ann.labels["box"] == [1, 2, 15, 16], "a box that the set gives stays"
    assert bob.labels["box"] == [6, 8, 15, 17], "of two faces the one nearest to the middle"
    assert seen == [(24, 20, 3)]
    write_dataset("folder", tmp_path, "test", tmp_path / "none", find=lambda image: [])
    assert next(iter(read_records(tmp_path / "none"))).labels == {}


def test_one_labels_file_serves_evaluation_and_training(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    points = [f"{axis}{k}" for k in range(68) for axis in "xy"]
    header = ["file", "smile", "glasses", "emotion", "age_bin", "yaw_deg", "pitch_deg", "roll_deg", *points]
    values = ["a.jpg", "1", "0", "anger", "70+", "10", "-5", "2", *map(str, range(136))]
    (tmp_path / "labels.csv").write_text(",".join(header) + "\n" + ",".join(values) + "\n")
    (record,) = read_dataset("folder", tmp_path, "all")
    assert record.labels["attr_smiling"] == 1.0
    assert record.labels["attr_eyeglasses"] == 0.0
    assert record.labels["expression"] == "anger"
    assert (record.labels["age_low"], record.labels["pose"]) == (70.0, [10.0, -5.0, 2.0])
    assert record.labels["landmarks"] == [v + 0.5 for v in range(136)]


def test_the_words_of_evaluation_are_understood(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    five = [f"{name}_{axis}" for name in ("leye", "reye", "nose", "lmouth", "rmouth") for axis in "xy"]
    header = ["file", "glasses", "emotion", "pose_class", *five]
    values = ["a.jpg", "-1", "Happy", "left", *map(str, range(10))]
    (tmp_path / "labels.csv").write_text(",".join(header) + "\n" + ",".join(values) + "\n")
    assert len(read_labels(tmp_path / "labels.csv")) == 1
    (record,) = read_dataset("folder", tmp_path, "all")
    assert record.labels == {
        "attr_eyeglasses": 0.0, "expression": "happiness", "groups": '{"pose_class": "left"}',
        "points": [v + 0.5 for v in range(10)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "values", "why"),
    [
        ("box_x0,box_y0,box_x1,box_y1", "1,2,3,", "line 6: box_y1 is missing where other numbers of the box are given"),
        ("box_x0,box_y0,box_x1", "1,2,3", "line 6: box_y1 is missing"),
        ("x0,y0,x1", "1,2,3", "line 6: y1 is missing where other numbers of the landmarks"),
        ("leye_x,leye_y", "1,2", "line 6: reye_x is missing where other numbers of the points"),
        ("age", "old", "line 6: age 'old' is not a number"),
        ("age,smile", "31,5,1", "line 6: more cells than the header has; .* write decimals with a point"),
        ("yaw,pitch_deg", "1,2", "line 6: roll is missing where other numbers of the pose are given"),
        ("age_bin,age_low", "20-29,30", "line 6: age_bin and age_low both give a bin"),
        ("age_bin,smile", "29-20,1", "line 6: unknown age bin '29-20'"),
        ("age,age", "31,32", "have the column 'age' 2 times"),
        ("smile,attr_smiling", "1,0", "the columns 'smile' and 'attr_smiling' mean the same; keep one of them"),
        ("emotion,expression", "anger,fear", "the columns 'emotion' and 'expression' mean the same"),
        ("female,gender", "1,male", "the columns 'female' and 'gender' mean the same"),
        ("split", "validation", "line 6: split 'validation' is none of train, val, test"),
    ],
)
def test_lines_are_counted_with_the_blank_ones_and_halves_are_refused(
    tmp_path: Path, header: str, values: str, why: str
) -> None:
    picture(tmp_path / "a.jpg")
    (tmp_path / "labels.csv").write_text(f"\nfile,{header}\n\na.jpg{',' * values.count(',')},\n\na.jpg,{values}\n")
    with pytest.raises(InputError, match=why):
        list(read_dataset("folder", tmp_path, "all"))


@pytest.mark.parametrize("text", ["20", "29-20", "old", "more than 200", "-5"])
def test_age_bins_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="age bin"):
        age_bin(text)


def test_a_part_of_fairface_keeps_bins_gender_and_group_apart(tmp_path: Path) -> None:
    fairface_part(tmp_path)
    one, two = read_dataset("fairface_part", tmp_path, "all")
    assert one.labels == {"age_low": 20.0, "age_high": 30.0, "female": 1.0, "groups": '{"race": "East Asian"}'}
    assert two.labels == {"age_low": 70.0, "age_high": 100.0, "groups": '{"race": "Black"}'}
    assert one.source == "fairface_part"
    (tmp_path / "labels.csv").write_text("file,age_bin,gender,race\nimages/1.jpg,twenties,female,East Asian\n")
    with pytest.raises(InputError, match="line 2: unknown age bin 'twenties'"):
        list(read_dataset("fairface_part", tmp_path, "all"))
