"""Norms that remember, beside instance norms of everything at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audiocycle.models.layers import InstanceNorm
from audiocycle.models.running_norm import RunningNorms


def make() -> tuple[InstanceNorm, nn.Sequential]:
    torch.manual_seed(0)
    norm = InstanceNorm(3)
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
    return norm, nn.Sequential(nn.Identity(), nn.Sequential(norm))


def run(network: nn.Module, x: Tensor) -> Tensor:
    with torch.inference_mode():
        y: Tensor = network(x)
    return y


def test_the_first_window_is_normalised_by_itself() -> None:
    for shape in ((1, 3, 20), (1, 3, 5, 20)):
        norm, network = make()
        x = torch.randn(shape) * 2.0 + 1.0
        wanted = run(norm, x)
        assert len(RunningNorms(network, 10.0).norms) == 1
        torch.testing.assert_close(run(network, x), wanted, atol=1e-5, rtol=1e-5)


def test_with_a_long_memory_windows_are_normalised_by_all_so_far() -> None:
    norm, network = make()
    first, second = torch.randn(1, 3, 20) * 2.0 + 1.0, torch.randn(1, 3, 20) - 3.0
    RunningNorms(network, 1e7)
    run(network, first)
    wanted = run(norm, torch.cat([first, second], dim=2))[..., 20:]
    torch.testing.assert_close(run(network, second), wanted, atol=1e-4, rtol=1e-4)


def test_weights_and_memory_say_how_much_a_window_counts() -> None:
    _, network = make()
    norms = RunningNorms(network, 1.0 / torch.log(torch.tensor(4.0)).item())  # each window counts a quarter of the next one
    run(network, torch.full((1, 3, 4), 0.0))
    run(network, torch.full((1, 3, 4), 10.0))
    mean = norms.norms[0].sums[0] / norms.norms[0].total
    torch.testing.assert_close(mean, torch.full_like(mean, 10.0 / 1.25))
    norms.weight = 0.5  # half of a window, which ages the others half as much
    run(network, torch.full((1, 3, 4), 0.0))
    mean = norms.norms[0].sums[0] / norms.norms[0].total
    torch.testing.assert_close(mean, torch.full_like(mean, 5.0 / (0.625 + 0.5)))


def test_forgetting_begins_anew() -> None:
    _, network = make()
    norms, x = RunningNorms(network, 10.0), torch.randn(1, 3, 20)
    first = run(network, x)
    run(network, torch.randn(1, 3, 20) * 5.0)
    assert not torch.allclose(run(network, x), first)
    norms.forget()
    torch.testing.assert_close(run(network, x), first)
