"""The closer look at landmarks: no correction at first, none of the guess's gradient, and it learns to find a mark."""

from dataclasses import replace

import pytest
import torch
from conftest_attributes import SMALL, TINY

from omokage.attributes.model import AttributeNetwork, architecture, rebuilt
from omokage.attributes.refine import PointRefiner
from omokage.nn.folding import folded

REFINED = replace(TINY, points_refine=6)


def _pictures(count: int = 4) -> torch.Tensor:
    return torch.rand((count, 3, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_fresh_refiner_changes_nothing() -> None:
    torch.manual_seed(1)
    plain = AttributeNetwork(SMALL, TINY).eval()
    refined = AttributeNetwork(SMALL, REFINED).eval()
    missing = refined.load_state_dict(plain.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(key.startswith("refiner.") for key in missing.missing_keys)
    x = _pictures()
    a, b = plain(x), refined(x)
    assert all(torch.allclose(a[name], b[name], atol=1e-6) for name in a)


def test_card_and_folding_keep_the_refiner() -> None:
    model = AttributeNetwork(SMALL, REFINED).eval()
    assert model.refiner is not None
    torch.nn.init.normal_(model.refiner.weight, std=0.1)
    again = rebuilt(SMALL, architecture(model)).eval()
    again.load_state_dict(model.state_dict())
    x = _pictures()
    assert torch.equal(model(x)["landmarks"], again(x)["landmarks"])
    assert torch.allclose(model(x)["landmarks"], folded(model)(x)["landmarks"], atol=1e-4)


def test_corrections_do_not_move_the_guess_by_gradient() -> None:
    refiner = PointRefiner((4, 6), 3, 5)
    torch.nn.init.normal_(refiner.weight)
    guess = torch.zeros((2, 3, 2), requires_grad=True)
    maps = [torch.randn(2, 4, 8, 8), torch.randn(2, 6, 4, 4)]
    out = refiner(maps, guess)
    assert out.shape == (2, 3, 3)
    out.sum().backward()
    assert guess.grad is None
    assert refiner.weight.grad is not None
    assert refiner.weight.grad.abs().sum() > 0


def test_it_learns_to_move_guesses_to_a_mark() -> None:
    torch.manual_seed(0)
    refiner = PointRefiner((1, 1), 1, 8)
    optimizer = torch.optim.AdamW(refiner.parameters(), 0.02)
    steps = torch.linspace(-1 + 1 / 16, 1 - 1 / 16, 16)

    def batch() -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
        mark = torch.rand(32, 2) - 0.5
        guess = mark + (torch.rand(32, 2) - 0.5) * 0.2
        near = (steps[None] - mark[:, 1:]) ** 2, (steps[None] - mark[:, :1]) ** 2
        bump = torch.exp(-(near[0][:, :, None] + near[1][:, None, :]) / 0.02)[:, None]
        return [bump, torch.nn.functional.avg_pool2d(bump, 2)], guess[:, None], mark[:, None]

    for _ in range(150):
        maps, guess, mark = batch()
        loss = (guess + refiner(maps, guess)[..., :2] - mark).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    refiner.eval()
    maps, guess, mark = batch()
    with torch.no_grad():
        after = (guess + refiner(maps, guess)[..., :2] - mark).abs().mean()
    assert after < 0.35 * (guess - mark).abs().mean()


def test_refining_needs_maps_that_double() -> None:
    with pytest.raises(ValueError, match="points_refine needs the residual trunk"):
        AttributeNetwork(SMALL, replace(REFINED, size=36))
