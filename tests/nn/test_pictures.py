"""What networks take is the picture, channel by channel, from -1 to 1."""

from __future__ import annotations

import torch

from omokage.nn.pictures import normalise


def test_every_value_of_a_byte_goes_to_its_place_between_minus_one_and_one() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).repeat(1, 1, 1, 3)
    found = normalise(images)
    assert torch.equal(found, (images.permute(0, 3, 1, 2).float() - 127.5) / 127.5)
    assert (float(found.min()), float(found.max())) == (-1, 1)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert int(images.max()) == 255  # what was given is left alone
