"""Moments in parts are the moments of the whole, also far from 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.data import moments
from audiocycle.data.moments import Moments


@given(
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any),
    offset=st.sampled_from([0.0, -11.5, 1e6]),
    block=st.integers(1, 8),
)
def test_parts_give_the_moments_of_the_whole(lengths: list[int], offset: float, block: int) -> None:
    whole = np.random.default_rng(sum(lengths)).normal(offset, 1.0, (3, sum(lengths)))
    found = Moments()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "BLOCK", block)
        for part in np.split(whole, np.cumsum(lengths)[:-1], axis=1):
            found.add(part)
    assert found.count == whole.shape[1]
    np.testing.assert_allclose(found.mean, whole.mean(axis=1, keepdims=True), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.std, whole.std(axis=1, keepdims=True), rtol=1e-8, atol=1e-10)


def test_sums_of_half_precision_are_made_in_double() -> None:
    found = Moments()
    found.add(np.full((1, 100_000), 3.0, np.float16))  # their sum is beyond float16
    assert found.mean.item() == 3.0
    assert found.std.item() == 0.0
