"""Windows of one length over features of any length: nothing lost, nothing doubled, silence left alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.conversion.windows import fade_starts, hand_overs, in_windows, window_starts
from audiocycle.spec import WINDOWS_AT_ONCE, FloatArray

WINDOWS = st.sampled_from([1, 2, 3, 4, 7, 8, 64, 96])


class Network:
    """Applies a function to batches of windows, and keeps them."""

    def __init__(self, function: object = None) -> None:
        self.function, self.batches = function, []

    def __call__(self, batch: FloatArray) -> FloatArray:
        self.batches.append(batch.copy())
        return np.asarray(batch if self.function is None else self.function(batch), np.float32)

    @property
    def windows(self) -> list[FloatArray]:
        return [window for batch in self.batches for window in batch]


@given(frames=st.integers(1, 600), window=WINDOWS, shifted=st.booleans())
def test_windows_cover_every_frame_and_share_half(frames: int, window: int, shifted: bool) -> None:
    frames = max(frames, window)
    starts = window_starts(frames, window, shifted)
    assert starts[0] == 0
    assert starts[-1] == frames - window
    assert starts == sorted(set(starts))
    hops = np.diff(starts)
    assert (hops <= window - window // 2).all()
    assert (hops[int(shifted) : -1] == window - window // 2).all()  # only the first and the last one may overlap more


@given(frames=st.integers(64, 2000), window=st.sampled_from([64, 96]))
def test_what_is_shifted_meets_elsewhere(frames: int, window: int) -> None:
    usual, shifted = (hand_overs(frames, window, how) for how in (False, True))
    regular = max(0, (frames - window) // (window // 2) - 1) * window // 4  # the hand-overs but the last two
    assert (usual & ~shifted).sum() >= regular - window // 4


@given(frames=st.integers(9, 600), window=st.sampled_from([8, 64, 96]), shifted=st.booleans())
def test_only_the_middle_of_what_windows_share_is_mixed(frames: int, window: int, shifted: bool) -> None:
    starts = window_starts(max(frames, window), window, shifted)
    for one, after, begin in zip(starts, starts[1:], fade_starts(starts, window), strict=False):
        shared = one + window - after
        assert abs((begin - after) - (after + shared - begin - window // 4)) <= 1
        assert begin - after >= window // 8


@settings(deadline=None)
@given(
    frames=st.integers(1, 300), window=WINDOWS, shape=st.sampled_from([(), (3,), (2, 5)]), density=st.floats(0, 1), seed=st.integers(0, 99)
)
def test_a_network_that_changes_nothing_gives_the_input_back(
    frames: int, window: int, shape: tuple[int, ...], density: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = (random.uniform(0, 1, (*shape, frames)) * (random.random(frames) < density)).astype(np.float32)
    before, network = x.copy(), Network()
    y = in_windows(x, window, network)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, x, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x, before)
    for batch in network.batches:
        assert batch.shape[1:] == (*shape, window)
        assert batch.dtype == np.float32
        assert 1 <= len(batch) <= WINDOWS_AT_ONCE
    assert all(one.any() for one in network.windows)


@settings(deadline=None)
@given(frames=st.integers(1, 300), window=WINDOWS)
def test_weights_are_positive_and_add_up_to_one_everywhere(frames: int, window: int) -> None:
    y = in_windows(np.ones((2, frames), np.float32), window, Network(lambda batch: np.full_like(batch, 7.0)))
    np.testing.assert_allclose(y, 7.0, rtol=1e-6)


def test_neighbours_fade_into_each_other_by_hand() -> None:
    # Windows of 8 at 0, 4 and 6 share 4 and 6 frames; over the 2 in their middle the one weighs 0.75, 0.25 and the other 0.25, 0.75.
    network = Network(lambda batch: np.stack([np.full((1, 8), float(i)) for i in range(len(batch))]))
    y = in_windows(np.ones((1, 14), np.float32), 8, network)
    np.testing.assert_allclose(y[0], [0, 0, 0, 0, 0, 0.25, 0.75, 1, 1.25, 1.75, 2, 2, 2, 2])


def test_what_is_silent_stays_silent_and_is_never_given_to_the_network() -> None:
    x = np.zeros((2, 3, 8 * 40), np.float32)
    x[..., 100] = 1.0
    network = Network(lambda batch: np.ones_like(batch))
    y = in_windows(x, 8, network)
    touched = np.flatnonzero(y.any(axis=(0, 1)))
    assert 100 in touched
    assert touched.min() > 100 - 8
    assert touched.max() < 100 + 8
    assert 1 <= len(network.windows) <= 2
    assert not network.windows[0][..., 0].any()  # the silent frames of a window that sounds are shown


def test_silence_as_a_whole_costs_no_network() -> None:
    for frames in (3, 8, 50):
        network = Network(lambda batch: np.ones_like(batch))
        np.testing.assert_array_equal(in_windows(np.zeros((2, frames), np.float32), 8, network), np.zeros((2, frames)))
        assert network.batches == []


def test_less_than_a_window_is_repeated_to_fill_one() -> None:
    network = Network(lambda batch: batch * 10)
    y = in_windows(np.array([[1.0, 2.0, 3.0]], np.float32), 8, network)
    np.testing.assert_array_equal(network.windows, [[[1, 2, 3, 1, 2, 3, 1, 2]]])
    np.testing.assert_allclose(y, [[10, 20, 30]], rtol=1e-6)


@pytest.mark.parametrize("windows", [WINDOWS_AT_ONCE - 1, WINDOWS_AT_ONCE, WINDOWS_AT_ONCE + 1, 3 * WINDOWS_AT_ONCE])
def test_many_windows_go_in_batches_and_each_result_to_its_own_place(windows: int) -> None:
    frames = 8 + 4 * (windows - 1)
    x = np.arange(1, frames + 1, dtype=np.float32)[None]
    network = Network(lambda batch: batch + 0.5)
    np.testing.assert_allclose(in_windows(x, 8, network), x + 0.5, rtol=1e-6)
    assert len(network.windows) == windows
    assert len(network.batches) == -(-windows // WINDOWS_AT_ONCE)


@settings(deadline=None)
@given(frames=st.integers(1, 300), window=st.sampled_from([4, 8, 64]))
def test_windows_hand_over_where_they_would_disagree(frames: int, window: int) -> None:
    """Of windows that say 1, 2, 3, ... only hand-overs lie between the numbers that one of them, or an even mixture, gives."""
    said = iter(range(1, 1000))
    y = in_windows(np.ones(frames, np.float32), window, lambda batch: np.stack([np.full(window, next(said), np.float32) for _ in batch]))
    steps = np.diff(y)
    fades = hand_overs(frames, window)
    assert fades.shape == (frames,)
    inside = ~fades[1:] & ~fades[:-1]
    assert np.allclose(steps[inside], 0, atol=1e-4)
    assert fades.any() == (frames > window)


def test_hand_overs_of_eight_bars() -> None:
    assert np.flatnonzero(hand_overs(128, 64)).tolist() == [*range(40, 56), *range(72, 88)]  # windows begin at 0, 32 and 64
    assert np.flatnonzero(hand_overs(128, 64, shifted=True)).tolist() == [*range(32, 48), *range(56, 72), *range(80, 96)]


def test_windows_in_which_nothing_begins_stay_as_they_are() -> None:
    held, begins = np.ones((2, 80), np.float32), np.zeros(80, np.bool_)
    begins[[3, 41]] = True
    network = Network(lambda batch: batch + 1)
    y = in_windows(held, 8, network, active=begins)
    assert [len(batch) for batch in network.batches] == [3]  # the one that begins at 0, and two with step 41
    np.testing.assert_array_equal(y[:, 12:37], 1)
    np.testing.assert_array_equal(y[:, 48:], 1)
    assert (y[:, [3, 41]] > 1).all()
    short = in_windows(np.ones((1, 5), np.float32), 8, network, active=np.zeros(5, np.bool_))
    np.testing.assert_array_equal(short, 1)


@pytest.mark.parametrize(
    ("bar", "frames", "expected"),
    [
        (16, 128, [0, 32, 64]),
        (16, 112, [0, 32, 48]),
        (12, 120, [0, 36, 60]),  # the last one ends a third of a bar behind the end
        (14, 140, [0, 28, 56, 84]),
        (18, 180, [0, 36, 72, 108, 126]),
        (20, 200, [0, 40, 80, 120, 140]),
        (24, 96, [0, 24, 48]),
        (80, 160, [0, 32, 80, 96]),  # within bars where they are longer than a window
    ],
)
def test_windows_begin_where_they_may(bar: int, frames: int, expected: list[int]) -> None:
    assert window_starts(frames, 64, places=np.arange(0, frames, bar)) == expected


@given(frames=st.integers(64, 700), shifted=st.booleans())
@settings(max_examples=100, deadline=None)
def test_where_windows_may_begin_anywhere_all_is_as_usual(frames: int, shifted: bool) -> None:
    bars = frames // 16 * 16
    assert window_starts(bars, 64, shifted, np.arange(0, bars, 16)) == window_starts(bars, 64, shifted)


@given(bars=st.lists(st.integers(1, 90), min_size=1, max_size=30), shifted=st.booleans())
@settings(max_examples=200, deadline=None)
def test_windows_of_uneven_bars_cover_everything(bars: list[int], shifted: bool) -> None:
    lines, window = np.cumsum([0, *bars]), 64
    frames, places = int(lines[-1]), lines[:-1]
    starts = window_starts(frames, window, shifted, places)
    assert starts[0] == 0
    assert starts[-1] + window >= frames
    assert all(0 < b - a <= window - window // 4 for a, b in pairwise(starts))
    x = np.random.default_rng(0).random((2, frames), dtype=np.float32)
    made = in_windows(x, window, lambda batch: batch, shifted, places=places)
    np.testing.assert_allclose(made, x, rtol=1e-6)
    assert hand_overs(frames, window, shifted, places).shape == (frames,)


def test_what_lies_behind_the_end_is_silence() -> None:
    seen: list[np.ndarray] = []

    def network(batch: np.ndarray) -> np.ndarray:
        seen.extend(batch)
        return batch + 1

    made = in_windows(np.ones((1, 120), np.float32), 64, network, places=np.arange(0, 120, 12))
    np.testing.assert_allclose(made, 2)
    assert seen[-1][0].tolist() == [1] * 60 + [0] * 4
