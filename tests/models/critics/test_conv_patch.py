"""The critic of Brunner et al. 2018: one score a patch, for rolls of any size and both published kernels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle.errors import ConfigError
from audiocycle.models.critics.conv_patch import ConvPatchCritic, SameConv2d
from audiocycle.models.layers import InstanceNorm, parameter_count


def tiny(kernel: int = 4) -> ConvPatchCritic:
    torch.manual_seed(0)
    return ConvPatchCritic(width=0.125, channels=2, kernel=kernel)


@pytest.mark.parametrize("kernel", [4, 7])
def test_a_phrase_gets_21_by_16_scores(kernel: int) -> None:
    with torch.inference_mode():
        assert tiny(kernel)(torch.rand(3, 2, 84, 64)).shape == (3, 1, 21, 16)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 40), frames=st.integers(1, 40), kernel=st.integers(1, 7))
def test_any_size_gets_one_score_for_each_patch(rows: int, frames: int, kernel: int) -> None:
    with torch.inference_mode():
        score = tiny(kernel)(torch.rand(2, 2, rows, frames))
    assert score.shape == (2, 1, -(-rows // 4), -(-frames // 4))
    assert score.isfinite().all()


@pytest.mark.parametrize(("kernel", "field"), [(4, 22), (7, 43)])
def test_each_score_sees_its_patch_only(kernel: int, field: int) -> None:
    x = torch.rand(1, 2, 84, 64, requires_grad=True)
    critic = tiny(kernel)
    for layer in critic.modules():  # a norm looks at the whole roll
        if isinstance(layer, InstanceNorm):
            layer.forward = lambda x: x  # type: ignore[method-assign]
    critic(x)[0, 0, 10, 8].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [field, field]


@pytest.mark.parametrize("kernel", [4, 7])
def test_parameter_count_by_hand(kernel: int) -> None:
    with torch.device("meta"):
        critic = ConvPatchCritic(channels=2, kernel=kernel)
    kernels = kernel**2 * (2 * 64 + 64 * 256 + 256 * 1)
    assert parameter_count(critic) == kernels + 2 * 256 == {4: 268_800, 7: 822_144}[kernel]


def test_further_layers_see_more_and_give_fewer_scores() -> None:
    critic = ConvPatchCritic(width=0.125, channels=2, layers=4)
    with torch.inference_mode():
        assert critic(torch.rand(2, 2, 84, 64)).shape == (2, 1, 6, 4)
    with pytest.raises(ConfigError, match="layers=1"):
        ConvPatchCritic(layers=1)


def test_only_without_norms_a_critic_hears_how_much_there_is() -> None:
    torch.manual_seed(0)
    thin = (torch.rand(4, 2, 84, 64) < 0.03).float()
    for norm, least, most in ((True, 0.9, 1.1), (False, 1.9, 2.1)):
        critic = ConvPatchCritic(width=0.25, channels=2, layers=4, norm=norm)
        with torch.inference_mode():
            ratio = critic(2 * thin).std() / critic(thin).std()
        assert least < ratio < most
        assert norm == any(isinstance(layer, InstanceNorm) for layer in critic.modules())


def test_scores_are_unbounded() -> None:
    critic, x = tiny(), torch.rand(1, 2, 84, 64)
    with torch.inference_mode():
        critic.body[-1].weight.mul_(100)
        score = critic(x)
    assert score.min() < -1
    assert score.max() > 2
    assert not [layer for layer in critic.modules() if isinstance(layer, nn.Sigmoid)]


def test_a_convolution_with_an_even_kernel_pads_one_more_behind() -> None:
    torch.manual_seed(0)
    layer = SameConv2d(1, 1, 4, stride=1)
    x = torch.randn(1, 1, 5, 6)
    torch.testing.assert_close(layer(x), F.conv2d(F.pad(x, (1, 2, 1, 2)), layer.weight))
