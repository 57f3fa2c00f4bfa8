"""The command line with the stand-in finder and predictor: what tests start as a process of its own.

`OMOKAGE_TEST_DELAY` slows the finder, so that a test can stop it half-way.
"""

from __future__ import annotations

import os

from omokage.cli.main import run
from omokage.data import track_shards
from omokage.media import journal
from omokage.pipeline import analyzer
from stand_ins import SquareFinder, SquarePredictor

analyzer.open_finder = lambda *_: SquareFinder(delay_s=float(os.environ.get("OMOKAGE_TEST_DELAY", "0")))
analyzer.open_predictor = lambda *_: SquarePredictor()
journal.ROWS_PER_PART = 4
track_shards.ROWS_PER_SHARD = 8

if __name__ == "__main__":
    run()
