"""Finders that the user brings: a hand-made SCRFD graph, and files that are not what they claim."""

import sys

import numpy as np
import pytest

from omokage.errors import InputError, MissingExtraError
from omokage.faces.finders import open_finder
from omokage.faces.haar import HaarFinder

onnx = pytest.importorskip("onnx")


def scrfd_file(path, side=64):
    """Constant outputs: one face of 32 x 40 pixels around (24, 32) at stride 8, nothing else."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, outputs = [], []
    for kind, width in (("score", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            cells = (side // stride) ** 2 * 2
            values = np.zeros((cells, width), np.float32)
            if stride == 8:
                at = (4 * (side // 8) + 3) * 2 + 1  # row 4, column 3, second anchor
                values[at] = {"score": [0.9], "bbox": [2, 2.5, 2, 2.5], "kps": [0] * 10}[kind]
            name = f"{kind}_{stride}"
            constant = numpy_helper.from_array(values, name + "_value")
            nodes.append(helper.make_node("Constant", [], [name], value=constant))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [cells, width]))
    picture = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "scrfd", [picture], outputs)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)


def test_scrfd_boxes_are_read_at_the_right_place(tmp_path):
    pytest.importorskip("onnxruntime")
    scrfd_file(tmp_path / "scrfd.onnx")
    finder = open_finder(tmp_path / "scrfd.onnx")
    [[one], [two]] = finder.find_batch([np.zeros((64, 64, 3), np.uint8), np.zeros((128, 64, 3), np.uint8)])
    assert one.score == pytest.approx(0.9)
    box = one.box
    np.testing.assert_allclose([box.x0, box.x1, box.y1], [8, 40, 52], atol=1e-4)
    assert box.y0 == pytest.approx(12 + 0.22 * 40, abs=1e-3)
    np.testing.assert_allclose([two.box.x0, two.box.x1], [16, 80], atol=1e-4)


def test_other_files_are_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(InputError, match="cannot be opened"):
        open_finder(tmp_path / "text.onnx")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [out])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "id.onnx")
    with pytest.raises(InputError, match="neither YuNet nor SCRFD"):
        open_finder(tmp_path / "id.onnx")


def test_missing_packages_are_named(tmp_path, monkeypatch):
    for name in ("a.onnx", "a.task"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnx"):
        open_finder(tmp_path / "a.onnx")
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(InputError, match="mediapipe"):
        open_finder(tmp_path / "a.task")


def test_haar_finds_the_astronaut():
    data = pytest.importorskip("skimage.data")
    [face] = HaarFinder().find(data.astronaut())
    assert abs(face.box.centre[0] - 223) < 15
    assert abs(face.box.centre[1] - 120) < 20
    assert 0.5 < face.score <= 1
