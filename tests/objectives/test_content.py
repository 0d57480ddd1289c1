"""Chroma and groove: golden values, what they leave out on purpose, and gradients that stay finite."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.objectives.content import chroma, groove


def roll(*notes: tuple[int, int, int], steps: int = 8, batch: int = 1) -> torch.Tensor:
    """Notes as (MIDI pitch, first step, length)."""
    x = torch.zeros(batch, 2, 84, steps)
    for pitch, start, length in notes:
        x[:, 0, pitch - 24, start : start + length] = 1
        x[:, 1, pitch - 24, start] = 1
    return x


def test_chroma_of_two_beats_by_hand() -> None:
    # Beat 1: C4 all four steps. Beat 2: C4 for two steps, E4 and E5 for two steps each: C 0.5, E 1.0.
    y = chroma(roll((60, 0, 6), (64, 4, 2), (76, 6, 2)))
    expected = torch.zeros(1, 12, 2)
    expected[0, 0, 0] = 1 / 1.01**0.5
    expected[0, 0, 1] = 0.5 / (0.25 + 1.0 * 1.0 + 0.01) ** 0.5
    expected[0, 4, 1] = 1.0 / (0.25 + 1.0 * 1.0 + 0.01) ** 0.5
    torch.testing.assert_close(y, expected)


@given(
    notes=st.lists(st.tuples(st.integers(24, 95), st.integers(0, 7), st.integers(1, 8)), max_size=6),
    octaves=st.integers(1, 6),
)
def test_transposing_by_octaves_leaves_chroma_alone(notes: list[tuple[int, int, int]], octaves: int) -> None:
    x = roll(*notes)
    moved = x.roll(12 * octaves, dims=2)  # the top comes back at the bottom, still at its pitch class
    torch.testing.assert_close(chroma(moved), chroma(x))


def test_transposing_by_a_semitone_turns_chroma_by_one() -> None:
    x = roll((60, 0, 4), (67, 2, 3))
    torch.testing.assert_close(chroma(x.roll(1, dims=2)), chroma(x).roll(1, dims=1))


def test_chroma_has_length_one_but_in_silence() -> None:
    length = chroma(roll((50, 0, 4))).norm(dim=1)[0]
    assert float(length[0]) == pytest.approx(1.0, abs=0.006)
    assert float(length[1]) == 0.0


@pytest.mark.parametrize(
    ("steps", "steps_per_beat", "beats"), [(64, 4, 16), (96, 6, 16), (10, 4, 3), (1, 4, 1)]
)
def test_beats_of_both_grids_and_of_a_short_end(steps: int, steps_per_beat: int, beats: int) -> None:
    y = chroma(roll((60, 0, steps), steps=steps), steps_per_beat)
    assert y.shape == (1, 12, beats)
    # A note held to the end is as strong in a short last beat.
    torch.testing.assert_close(y[0, 0], torch.full((beats,), 1 / 1.01**0.5))


def test_chroma_hears_sustain_and_groove_hears_onsets_only() -> None:
    x = roll((60, 0, 8))
    without = x.clone()
    without[:, 1] = 0
    assert torch.equal(chroma(x[:, :1]), chroma(x))
    assert torch.equal(groove(without), torch.zeros(1, 8))


def test_groove_of_a_binary_roll_is_its_rhythm() -> None:
    x = roll((60, 0, 2), (64, 0, 8), (67, 3, 1), (30, 6, 1))
    assert groove(x).tolist() == [[1, 0, 0, 1, 0, 0, 1, 0]]


def test_groove_takes_the_strongest_and_its_gradient_goes_there() -> None:
    x = torch.zeros(1, 2, 84, 2)
    x[0, 1, :, 0] = 0.1
    x[0, 1, 5, 0] = 0.75
    x.requires_grad_()
    y = groove(x)
    assert y.tolist() == [[0.75, 0.0]]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad[0, 1, :, 0].nonzero().tolist() == [[5]]
    torch.testing.assert_close(x.grad[0, 1, :, 1], torch.full((84,), 1 / 84))  # silence: every pitch alike


@pytest.mark.parametrize("density", [0.0, 0.05, 1.0])
def test_gradients_are_finite_and_bounded_from_silence_to_noise(density: float) -> None:
    x = (torch.rand(2, 2, 84, 16, generator=torch.manual_seed(0)) < density).float().requires_grad_()
    for summary in (chroma(x), groove(x)):
        assert summary.isfinite().all()
        (gradient,) = torch.autograd.grad((summary - 0.3).abs().sum(), x)
        assert gradient.isfinite().all()
        assert gradient.any()
        assert gradient.abs().max() <= 12 * 10 / 4  # at most 10 for each class of a beat of 4 steps


def test_summaries_are_float32_under_autocast() -> None:
    x = torch.rand(2, 2, 84, 16)
    with torch.autocast("cpu", torch.bfloat16):
        for half, summary in ((chroma(x.bfloat16()), chroma(x)), (groove(x.bfloat16()), groove(x))):
            assert half.dtype == summary.dtype == torch.float32
            torch.testing.assert_close(half, summary, atol=0.01, rtol=0)


def test_gradients_agree_with_differences() -> None:
    torch.manual_seed(0)
    x, direction = 0.2 + 0.6 * torch.rand(1, 2, 24, 8), torch.randn(1, 2, 24, 8)
    for summary in (chroma, groove):
        weights = torch.randn_like(summary(x))
        point = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((summary(point) * weights).sum(), point)
        step = 1e-3 * direction
        difference = ((summary(x + step) - summary(x - step)) * weights).sum().double() / 2e-3
        assert float((gradient * direction).sum()) == pytest.approx(float(difference), rel=0.02, abs=1e-2)
