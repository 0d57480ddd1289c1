"""Mutated settings: a training or an error of one line, never anything else (``tests/fuzz_configurations.py`` tries any number)."""

from __future__ import annotations

from fuzz_configurations import make
from fuzzing import GOOD, fuzzed

ONCE = (20, 27, 32, 60, 99, 103, 104, 106, 108, 114, 116, 118, 123, 131, 141, 155, 183, 210, 244, 274, 292)
"""That ended otherwise once: infinite rates, huge batches, groups that are numbers, names that are lists, and such."""


def test_mutated_settings_end_in_a_training_or_an_error_of_one_line() -> None:
    outcomes = fuzzed(make, [*ONCE, *range(1200, 1240)])
    assert [outcome for outcome in outcomes if outcome.kind not in GOOD] == []
