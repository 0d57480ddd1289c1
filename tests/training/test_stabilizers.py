"""The history of fakes and the moving average of weights."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audiocycle.training.stabilizers import HistoryPool, WeightAverage


def play(size: int, batches: int, batch_size: int, seed: int = 0) -> tuple[list[float], HistoryPool]:
    """Numbered items through a pool; what it showed, in order."""
    pool, random, shown = HistoryPool(size), np.random.default_rng(seed), []
    for start in range(0, batches * batch_size, batch_size):
        batch = torch.arange(start, start + batch_size, dtype=torch.float32)[:, None]
        shown += pool.swap("a->b", batch, random)[:, 0].tolist()
    return shown, pool


@settings(deadline=None)
@given(
    size=st.integers(1, 6), batches=st.integers(1, 12), batch_size=st.integers(1, 3), seed=st.integers(0, 99)
)
def test_pool_neither_loses_nor_invents_items(size: int, batches: int, batch_size: int, seed: int) -> None:
    shown, pool = play(size, batches, batch_size, seed)
    total = batches * batch_size
    assert shown[:size] == list(range(min(size, total)))  # a pool that fills up shows everything as it comes
    stored = [item.item() for item in pool.items["a->b"]]
    assert len(stored) == min(size, total)
    came, left = Counter(float(n) for n in range(total)), Counter(shown)
    # The first `size` items are shown and stored; from then on each comes out at most once more.
    assert left + Counter(stored) == came + Counter(float(n) for n in range(min(size, total)))


def test_pool_shows_an_older_item_half_of_the_time() -> None:
    shown, _ = play(size=50, batches=2000, batch_size=1)
    swapped = sum(value != place for place, value in enumerate(shown[50:], 50))
    assert swapped == pytest.approx(1950 / 2, abs=100)


def test_pool_keeps_directions_apart_and_follows_its_random_numbers() -> None:
    assert play(3, 20, 2, seed=1)[0] == play(3, 20, 2, seed=1)[0]
    pool, random = HistoryPool(1), np.random.default_rng(0)
    for number in range(10):
        pool.swap("a->b", torch.full((1, 2), float(number)), random)
        pool.swap("b->a", torch.full((1, 2), -float(number) - 1), random)
    assert pool.items["a->b"][0].min() >= 0 > pool.items["b->a"][0].max()


@pytest.mark.parametrize("batches", [1, 50])
def test_a_stored_item_holds_its_own_numbers_only(batches: int) -> None:
    """A view into its batch would multiply the memory of a pool and the size of every checkpoint."""
    _, pool = play(2, batches, batch_size=8)
    for item in pool.items["a->b"]:
        assert item.untyped_storage().nbytes() == item.numel() * item.element_size()


def network(value: float) -> nn.Module:
    layer = nn.Conv1d(1, 1, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.constant_(layer.bias, -value)
    return layer


@settings(deadline=None)
@given(decay=st.floats(0.05, 0.9999), values=st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=12))
def test_average_is_the_exponential_one_with_a_warm_up(decay: float, values: list[float]) -> None:
    average, expected = WeightAverage(network(5.0), decay), 5.0
    for n, value in enumerate(values, 1):
        average.update(network(value))
        d = min(decay, (1 + n) / (10 + n))
        expected = d * expected + (1 - d) * value
    assert average.weights()["weight"].item() == pytest.approx(expected, abs=1e-4)
    assert average.weights()["bias"].item() == pytest.approx(-expected, abs=1e-4)


def test_average_loads_into_the_network_and_shares_nothing_with_it() -> None:
    trained = network(1.0)
    average = WeightAverage(trained, 0.9)
    nn.init.constant_(trained.weight, 7.0)
    assert average.weights()["weight"].item() == 1.0
    other = network(0.0)
    other.load_state_dict(average.weights(), strict=True)
    assert not any(value.requires_grad for value in average.weights().values())


def test_average_continues_from_its_state() -> None:
    first, second = WeightAverage(network(1.0), 0.99), WeightAverage(network(8.0), 0.99)
    first.update(network(3.0))
    second.load_state_dict(first.state_dict())
    for average in (first, second):
        average.update(network(-1.0))
    assert first.updates == second.updates == 2
    assert torch.equal(first.weights()["weight"], second.weights()["weight"])
