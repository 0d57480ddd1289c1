"""Duration error, and the span of speech that it is taken of."""

import numpy as np
import pytest

from audiocycle.errors import InputError
from audiocycle.metrics.voice.alignment import speech_span
from audiocycle.metrics.voice.duration import duration_error


def test_a_share_of_the_reference_whichever_is_longer() -> None:
    assert duration_error(2.0, 2.5) == duration_error(2.0, 1.5) == 0.25
    assert duration_error(3.0, 3.0) == 0.0
    with pytest.raises(InputError, match="silent"):
        duration_error(0.0, 1.0)


def test_speech_reaches_from_the_first_to_the_last_loud_frame() -> None:
    loud = np.array([0, 0, 1, 0, 1, 1, 0], bool)
    assert speech_span(loud) == slice(2, 6)
    assert speech_span(np.ones(3, bool)) == slice(0, 3)
    with pytest.raises(InputError, match="silent"):
        speech_span(np.zeros(4, bool))
