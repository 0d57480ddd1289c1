"""Mutated recordings: samples or an error of one line, never anything else (``tests/fuzz_recordings.py`` tries any number)."""

from __future__ import annotations

import random

import pytest
from fuzz_recordings import CHANGES, KINDS, make, mutated
from fuzzing import GOOD, fuzzed

COUNT = 250


def test_mutated_recordings_end_in_samples_or_an_error_of_one_line() -> None:
    outcomes = fuzzed(make, range(COUNT))
    assert len(outcomes) == COUNT
    assert [outcome for outcome in outcomes if outcome.kind not in GOOD] == []
    assert {outcome.kind for outcome in outcomes} == set(GOOD)


@pytest.mark.parametrize("number", [341, 971, 1138])
def test_what_once_went_wrong(number: int) -> None:
    """A rate of which no sample is left, and FLACs whose table of places to seek is none."""
    (outcome,) = fuzzed(make, [number])
    assert outcome.kind in GOOD, outcome


def test_the_fuzz_tries_every_format_in_every_way() -> None:
    tried = [(kind := random.Random(seed).choice(list(KINDS)), mutated(kind, random.Random(seed))[1]) for seed in range(COUNT)]
    assert {kind for kind, _ in tried} == set(KINDS)
    assert {word for _, done in tried for word in done.split()} >= {change.__name__ for change in CHANGES}
