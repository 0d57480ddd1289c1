import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice.global_variance import global_variance, variance_ratio

MCEP = np.random.default_rng(0).normal(size=(50, 35)) * np.linspace(3, 0.1, 35)


def test_variance_of_a_square_wave_without_c0() -> None:
    mcep = np.array([[7.0, 1.0, 2.0], [0.0, -1.0, -2.0]])
    assert global_variance(mcep).tolist() == [1.0, 4.0]


@given(scale=st.floats(0.01, 10), offset=st.floats(-10, 10))
def test_ratio_is_the_square_of_the_scale(scale: float, offset: float) -> None:
    assert variance_ratio(global_variance(MCEP), global_variance(scale * MCEP[::-1] + offset)) == pytest.approx(scale**2, rel=1e-6)


def test_nothing_to_compare() -> None:
    assert np.isnan(variance_ratio(global_variance(np.ones((5, 35))), global_variance(MCEP)))
    with pytest.raises(InputError, match="no frames"):
        global_variance(MCEP[:0])
    with pytest.raises(ConfigError, match="orders"):
        variance_ratio(np.ones(34), np.ones(19))
