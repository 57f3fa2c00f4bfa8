"""Analyzers in forked processes: they answer, and say so where they cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omokage.errors import InputError
from omokage.nn import forked
from omokage.pipeline import Analyzer
from stand_ins import SquareFinder, SquarePredictor, picture

# In a process of its own: pytest's has threads, and what is forked from it would inherit its plugins. Two threads, as
# one alone never hangs; a worker that does ends itself.
_POOL = """
import faulthandler, multiprocessing, sys
import numpy as np, torch
import omokage
torch.set_num_threads(2)
analyzer = omokage.Analyzer(device="cpu")
noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)

def read(_):
    faulthandler.dump_traceback_later(50, exit=True)
    faces = analyzer(noise, crops=True)
    return len(faces), len(omokage.Analyzer(device="cpu")(noise, crops=True)), torch.get_num_threads()

analyzer(noise)
analyzer(noise, crops=True)
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.map_async(read, [0, 1]).get(timeout=60))
print(torch.get_num_threads())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux forks by default")
def test_a_forked_pool_answers(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(_POOL)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["[(1, 1, 1), (1, 1, 1)]", "2"]


_ROOMS = """
import multiprocessing
import numpy as np, torch
import omokage
from omokage.comparison.predict import Comparer
torch.set_num_threads(2)
crops = np.random.default_rng(0).integers(0, 255, (32, 96, 96, 3), np.uint8)
embedder, comparer, finder = omokage.Embedder(), Comparer(), omokage.Analyzer().finder
rooms = {"encode": embedder.encode, "see": comparer.see, "find": lambda crops: finder.find(np.vstack(crops))}
for name, use in rooms.items():
    use(crops)
    process = multiprocessing.get_context("fork").Process(target=use, args=(crops,))
    process.start()
    process.join(50)
    print(name, process.exitcode)
    process.kill()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux forks by default")
def test_each_room_answers_in_a_forked_process() -> None:
    done = subprocess.run([sys.executable, "-c", _ROOMS], capture_output=True, text=True, timeout=240)
    assert done.stdout.splitlines() == ["encode 0", "see 0", "find 0"], done.stderr[-2000:]


def test_a_process_forked_from_one_with_cuda_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "_forked", True)
    monkeypatch.setattr(forked, "_cuda_before", True)
    for device in (None, "cuda"):
        with pytest.raises(InputError, match=r"forked from one that uses CUDA.*'spawn'"):
            Analyzer(device=device)(picture())
    own = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    assert own(picture()) == []  # parts of the user's own, wherever they compute
