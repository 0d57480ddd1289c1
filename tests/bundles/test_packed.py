"""Long tables in JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.bundles.packed import packed, unpacked


@given(rows=st.integers(1, 20), columns=st.integers(1, 20), size=st.floats(1e-6, 1e6), seed=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_a_table_comes_back_to_half_a_unit(rows: int, columns: int, size: float, seed: int) -> None:
    table = np.random.default_rng(seed).normal(0.0, size, (rows, columns)).astype(np.float32)
    made: Any = unpacked(json.loads(json.dumps(packed(table))))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, table, atol=0.51 * np.abs(table).max() / 127.0)


def test_nothing_is_nothing() -> None:
    np.testing.assert_array_equal(unpacked(packed(np.zeros((3, 4)))), np.zeros((3, 4)))


def test_a_byte_a_number() -> None:
    assert len(json.dumps(packed(np.ones((512, 384))))) < 1.4 * 512 * 384


@pytest.mark.parametrize(
    "change",
    [{"shape": [2, 3]}, {"shape": [-2, -2]}, {"shape": [True, 4]}, {"shape": [2.0, 2]}, {"shape": []}, {"unit": "1"}, {"int8": "?!"}, {"int8": 7}, {"int8": "é"}],
)
def test_what_is_damaged_is_no_table(change: dict[str, Any]) -> None:
    given_ = packed(np.eye(2)) | change
    assert unpacked(given_) is given_


@pytest.mark.parametrize("value", [[1.0, 2.0], 3, "abc", None, {}, {"shape": [1]}])
def test_all_else_stays(value: object) -> None:
    assert unpacked(value) is value
