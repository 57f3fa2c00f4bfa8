"""The folder of track records knows where to go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omokage.data.records import Record
from omokage.data.track_shards import TrackShards, VideoStatus
from omokage.media.image import encode_jpeg


def test_a_video_that_ended_without_a_further_row_is_not_open(tmp_path: Path) -> None:
    image = encode_jpeg(np.zeros((8, 8, 3), np.uint8), 90)
    shards = TrackShards(tmp_path, {"fps": 5}, resume=False)
    shards.add(Record("a-0", "a", "video", image, 8, 8, {}, "{}"))
    shards.flush({"video": "a.mp4", "next": 7})
    assert TrackShards(tmp_path, {"fps": 5}, resume=True).open == {"video": "a.mp4", "next": 7}
    shards.end(VideoStatus("a.mp4", "ok"))
    shards.close()
    again = TrackShards(tmp_path, {"fps": 5}, resume=True)
    assert again.open is None
    assert set(again.finished) == {"a.mp4"}
