"""The finder's network: shapes, decoding by hand, folding, size."""

import numpy as np
import pytest
import torch
from torch import nn

from omokage.faces.network import STRIDES, FinderNet, decode, fused


def shaken(seed=0):
    """A network whose batch statistics are not the identity."""
    torch.manual_seed(seed)
    net = FinderNet((8, 8, 8, 8), 8)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return net.eval()


def test_one_map_for_each_stride():
    maps = FinderNet().eval()(torch.zeros(2, 3, 128, 192))
    assert [tuple(m.shape) for m in maps] == [(2, 5, 128 // s, 192 // s) for s in STRIDES]


def test_decoding_against_a_loop():
    rng = np.random.default_rng(0)
    maps = [torch.tensor(rng.normal(size=(1, 5, 128 // s, 64 // s)), dtype=torch.float32) for s in STRIDES]
    logits, boxes = decode(maps)
    k = 0
    for stride, level in zip(STRIDES, maps, strict=True):
        for i in range(level.shape[2]):
            for j in range(level.shape[3]):
                x, y = (j + 0.5) * stride, (i + 0.5) * stride
                left, top, right, bottom = (np.exp(level[0, 1:, i, j].numpy()) * stride).tolist()
                assert logits[0, k] == level[0, 0, i, j]
                np.testing.assert_allclose(
                    boxes[0, k], [x - left, y - top, x + right, y + bottom], rtol=1e-5, atol=1e-4
                )
                k += 1
    assert k == logits.shape[1]


def test_folding_batch_norms_changes_nothing():
    net = shaken()
    picture = torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        before = net(picture)
        after = fused(net)(picture)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules())
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_the_network_stays_small():
    net = FinderNet().eval()
    assert sum(p.numel() for p in net.parameters()) < 1_000_000
    operations = 0

    def count(module, _, output):
        nonlocal operations
        operations += output.numel() * module.weight[0].numel()

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        net(torch.zeros(1, 3, 512, 640))
    assert operations < 0.41e9


def test_before_training_faces_are_rare():
    torch.manual_seed(1)
    logits, _ = decode(FinderNet().eval()(torch.rand(1, 3, 128, 128)))
    assert float(torch.sigmoid(logits.detach()).mean()) == pytest.approx(0.01, abs=0.01)
