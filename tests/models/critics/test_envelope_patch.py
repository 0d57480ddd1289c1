"""The critic of envelopes: any size, the level left out, weights held by their spectral norms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrize

from audiocycle.build import build_critic
from audiocycle.errors import ConfigError
from audiocycle.models.critics.envelope_patch import COARSE, POINTS, EnvelopePatchCritic, Patches, cosines
from audiocycle.models.translator import DomainCritic, SharedCritic
from audiocycle.spec import Domain


def tiny() -> EnvelopePatchCritic:
    torch.manual_seed(0)
    return EnvelopePatchCritic(width=0.1).eval()


def scores(x: Tensor) -> Tensor:
    with torch.inference_mode():
        y: Tensor = tiny()(x)
    return y


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(2, 60), frames=st.integers(COARSE, 60), batch=st.integers(1, 3))
def test_any_dimension_and_length_gets_scores_of_patches(rows: int, frames: int, batch: int) -> None:
    def patches(height: int, width: int) -> int:
        height = -(-height // 2)
        for _ in range(3):
            height, width = -(-height // 2), -(-width // 2)
        return height * width

    y = scores(torch.randn(batch, rows, frames))
    assert y.shape == (batch, patches(rows - 1, frames) + patches(POINTS, frames) + patches(POINTS, frames // COARSE))
    assert y.isfinite().all()


def test_the_level_is_not_looked_at() -> None:
    x = torch.randn(2, 12, 32)
    louder = x.clone()
    louder[:, 0] += 5.0
    assert torch.equal(scores(x), scores(louder))
    sharper = x.clone()
    sharper[:, 1] += 5.0
    assert not torch.allclose(scores(x), scores(sharper))


def test_an_image_of_one_channel_is_the_features_without_that_axis() -> None:
    x = torch.randn(2, 12, 32)
    assert torch.equal(scores(x[:, None]), scores(x))


def test_one_items_score_does_not_depend_on_the_others_in_the_batch() -> None:
    x = torch.randn(3, 12, 32) * torch.tensor([1.0, 5.0, 0.1])[:, None, None]
    for item, expected in zip(x, scores(x), strict=True):
        torch.testing.assert_close(scores(item[None])[0], expected)


def test_an_envelope_is_the_sum_of_its_cosines() -> None:
    table = cosines(3).numpy()
    places = np.pi * (np.arange(POINTS) + 0.5) / POINTS
    expected = [np.cos(places), np.cos(2 * places) / 2**0.7, np.cos(3 * places) / 3**0.7]
    np.testing.assert_allclose(table, np.sqrt(2) * np.stack(expected, axis=1), atol=1e-6)


def test_all_three_critics_have_a_say() -> None:
    critic, x = tiny(), torch.randn(1, 12, 32)
    for part in (critic.of_coefficients, critic.of_envelope, critic.of_coarse):
        before = critic(x)
        assert isinstance(part, Patches)
        with torch.no_grad():
            part.outlet.bias.add_(1.0)
        raised = (critic(x) - before).detach()
        assert sorted(set(raised.round().flatten().tolist())) == [0.0, 1.0]


def layers(critic: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in critic.modules() if isinstance(layer, nn.Conv2d)]


def norms(critic: nn.Module) -> list[float]:
    return [float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) for layer in layers(critic)]


def test_weights_are_held_to_a_norm_of_one() -> None:
    critic, x = tiny().train(), torch.randn(1, 12, 32)
    assert len(layers(critic)) == 3 * 5
    with torch.no_grad():
        for layer in layers(critic):
            assert parametrize.is_parametrized(layer, "weight")
            layer.parametrizations.weight.original.mul_(7.0)
        for _ in range(30):  # each sharpens the norms
            critic(x)
    assert norms(critic.eval()) == pytest.approx([1.0] * 15, abs=0.05)


def test_training_sharpens_the_norms_and_evaluation_leaves_them() -> None:
    critic, x = tiny(), torch.randn(1, 12, 32)
    with torch.no_grad():
        first = critic(x)
        assert torch.equal(critic(x), first)
        for _ in range(100):
            critic.train()(x)
        torch.testing.assert_close(critic(x), critic.eval()(x), atol=1e-3, rtol=1e-2)


def test_its_state_is_all_that_it_needs_to_go_on() -> None:
    critic, x = tiny().train(), torch.randn(1, 12, 32)
    with torch.no_grad():
        critic(x)
        torch.manual_seed(5)
        other = EnvelopePatchCritic(width=0.1)
        other.load_state_dict(critic.state_dict())
        for _ in range(3):
            assert torch.equal(critic(x), other(x))


def test_every_parameter_receives_a_gradient() -> None:
    critic = tiny().train()
    (critic(torch.randn(2, 12, 32)) - 1).square().mean().backward()
    for name, parameter in critic.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def test_it_is_small() -> None:
    with torch.device("meta"):
        critic = EnvelopePatchCritic()
    assert sum(parameter.numel() for parameter in critic.parameters()) / 1e6 == pytest.approx(1.129, abs=0.005)


def told_critic(condition: int = 5) -> EnvelopePatchCritic:
    torch.manual_seed(0)
    return EnvelopePatchCritic(width=0.1, condition=condition).eval()


def test_one_critic_is_told_whose_voice_it_is_to_be() -> None:
    critic, x = told_critic(), torch.randn(2, 12, 32)
    with torch.inference_mode():
        anna, ben = (critic(x, value * torch.ones(5)) for value in (1.0, -1.0))
    assert anna.shape == ben.shape == scores(x).shape
    assert not torch.allclose(anna, ben)
    with pytest.raises(AssertionError):
        critic(x)


def test_a_shared_critic_is_told_what_the_domain_says() -> None:
    domains = [Domain(name, condition=np.full(5, value, np.float32)) for name, value in (("anna", 1.0), ("ben", -1.0))]
    torch.manual_seed(0)
    critic = build_critic({"critic": "envelope_patch", "width": 0.1}, domains, condition=5).eval()
    assert isinstance(critic, SharedCritic)
    x = torch.randn(2, 12, 32)
    with torch.inference_mode():
        for domain, value in zip(domains, (1.0, -1.0), strict=True):
            assert torch.equal(critic(x, domain), critic.network(x, value * torch.ones(5)))
            for ours, theirs in zip(critic.layers(x, domain), critic.network.layers(x, value * torch.ones(5)), strict=True):
                assert torch.equal(ours, theirs)
    with pytest.raises(AssertionError, match="with what a network is told of them"):
        critic(x, Domain("zoe"))


def test_without_anything_to_tell_each_domain_has_its_own() -> None:
    for name, condition in (("envelope_patch", 0), ("gated_patch", 5)):
        critic = build_critic({"critic": name, "width": 0.1}, [Domain("anna"), Domain("ben")], condition=condition)
        assert isinstance(critic, DomainCritic)
    for option in ("condition", "channels"):
        with pytest.raises(ConfigError, match=rf"critic_options\.{option}: follows from the features; leave it out"):
            build_critic({"critic": "envelope_patch", "critic_options": {option: 3}}, [Domain("anna")])


def test_layers_are_those_that_scores_are_made_of() -> None:
    critic, x = tiny(), torch.randn(2, 12, 32)
    with torch.inference_mode():
        made = critic.layers(x)
        assert len(made) == 3 * 4
        assert all(layer.isfinite().all() and layer.shape[0] == 2 for layer in made)
        last = torch.cat([part.outlet(layer)[:, 0].flatten(1) for part, layer in zip((critic.of_coefficients, critic.of_envelope, critic.of_coarse), made[3::4], strict=True)], dim=1)
        assert torch.equal(last, critic(x))


def test_a_critic_that_shows_no_layers_says_so() -> None:
    critic = build_critic({"critic": "gated_patch", "width": 0.1}, [Domain("anna")])
    with pytest.raises(ConfigError, match=r"this critic shows no layers; choose model\.critic=envelope_patch"):
        critic.layers(torch.randn(1, 12, 32), Domain("anna"))
