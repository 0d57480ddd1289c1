"""Transfer strength: the formula by hand, the two controls, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.music.strength import accuracy_strength, strength

SOURCE, TRANSFER, CYCLE = np.array([0.9, 0.6]), np.array([0.2, 0.7]), np.array([0.8, 0.4])


def test_two_phrases_by_hand() -> None:
    # Phrase 1: (0.9 - 0.2 + 0.8 - 0.2) / 2 = 0.65. Phrase 2: (0.6 - 0.7 + 0.4 - 0.7) / 2 = -0.2.
    assert strength(SOURCE, TRANSFER, CYCLE) == pytest.approx((0.65 - 0.2) / 2)


def test_accuracy_counts_decisions() -> None:
    # Classified as A: both sources, the second transfer, the first cycle: (1 - 1/2 + 1/2 - 1/2) / 2.
    assert accuracy_strength(SOURCE, TRANSFER, CYCLE) == pytest.approx(0.25)


def test_float32_probabilities_as_a_classifier_gives_them() -> None:
    given = [values.astype(np.float32) for values in (SOURCE, TRANSFER, CYCLE)]
    assert strength(*given) == pytest.approx(0.225, abs=1e-6)


probabilities = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8).map(np.array)


@given(p=probabilities)
@settings(max_examples=30)
def test_controls_and_range(p: np.ndarray) -> None:
    assert strength(p, p, p) == 0.0  # identity: nothing happens
    assert accuracy_strength(p, p, p) == 0.0
    assert strength(np.ones_like(p), np.zeros_like(p), np.ones_like(p)) == 1.0
    assert -1.0 <= strength(p, p[::-1], 1.0 - p) <= 1.0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (np.array([0.5]), "one probability per phrase"),
        (np.array([[0.5, 0.5]]), "one probability per phrase"),
        (np.array([0.5, np.nan]), "transfer probabilities"),
        (np.array([-2.3, 1.0]), "softmax"),  # logits
    ],
)
def test_what_are_no_probabilities_is_refused(broken: np.ndarray, message: str) -> None:
    for measure in (strength, accuracy_strength):
        with pytest.raises(ConfigError, match=message):
            measure(SOURCE, broken, CYCLE)


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match="one probability per phrase"):
        strength(np.array([]), np.array([]), np.array([]))
