"""How much sounds, by register: of rolls that can be counted by hand, and as a distance of distributions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.objectives.density import density, density_distance


def test_a_roll_counted_by_hand() -> None:
    roll = torch.zeros(1, 2, 24, 8)
    roll[0, 0, [0, 4], :] = 1  # two pitches of the lower octave all the time
    roll[0, 0, 13, :4] = 1  # one of the upper for half of it
    roll[0, 1, [0, 4, 13], 0] = 1
    roll[0, 1, 0, 4] = 1
    # In 8 steps, two beats, three notes begin below and one above.
    assert density(roll).tolist() == [[[2.0, 0.5, 2.5], [1.5, 0.5, 2.0]]]


def test_a_channel_of_velocities_is_not_counted() -> None:
    roll = torch.rand(2, 3, 84, 64)
    assert torch.equal(density(roll), density(roll[:, :2]))
    assert density(roll).shape == (2, 2, 8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), size=st.integers(1, 5))
def test_equal_distributions_have_no_distance_in_any_order(seed: int, size: int) -> None:
    torch.manual_seed(seed)
    rolls = torch.rand(size, 2, 24, 8)
    assert density_distance(rolls[torch.randperm(size)], rolls).item() == 0
    assert density_distance(rolls, torch.rand(size, 2, 24, 8)).item() > 0


def test_the_distance_is_that_of_sorted_items() -> None:
    fakes, reals = torch.zeros(2, 2, 12, 4), torch.zeros(2, 2, 12, 4)
    fakes[0, 0, :3] = 1  # 3 and 0 pitches
    reals[0, 0, :1] = 1  # 1 and 4 pitches
    reals[1, 0, :4] = 1
    # Sorted: 0 and 3 against 1 and 4, so 1 on average; onsets, the other half of the measures, agree.
    assert density_distance(fakes, reals).item() == pytest.approx((1 + 0) / 2)


def test_its_gradient_thins_what_is_too_thick() -> None:
    fakes = torch.full((3, 2, 24, 8), 0.5, requires_grad=True)
    density_distance(fakes, torch.zeros(3, 2, 24, 8)).backward()
    assert fakes.grad is not None
    assert (fakes.grad > 0).all()
