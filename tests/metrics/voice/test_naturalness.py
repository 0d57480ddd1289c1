"""Predicted naturalness: what is passed on to DNSMOS and what comes back, where speechmos is installed."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice.naturalness import SAMPLE_RATE, Naturalness

INSTALLED = pytest.mark.skipif(find_spec("speechmos") is None, reason="needs speechmos")


def sound(noise: float = 0.0) -> np.ndarray:
    """Harmonics of 150 Hz with the rhythm of syllables, long enough for one window of DNSMOS."""
    time = np.arange(int(9.1 * SAMPLE_RATE)) / SAMPLE_RATE
    voice = np.asarray(sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)))
    hiss = np.random.default_rng(0).normal(scale=noise, size=len(time))
    return 0.1 * voice * (1.1 + np.sin(2 * np.pi * 4 * time)) + hiss


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "speechmos", None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[eval\]'"):
        Naturalness()


@INSTALLED
def test_scores_are_those_of_speechmos_and_twice_alike() -> None:
    from speechmos import dnsmos

    judge, given = Naturalness(), sound()
    scores = judge.score(given)
    assert list(scores) == ["p808", "ovrl", "sig", "bak"]
    theirs = dnsmos.run(given, SAMPLE_RATE)
    assert scores == {name: pytest.approx(float(theirs[f"{name}_mos"])) for name in scores}
    assert judge.score(given) == scores
    assert all(1.0 <= score <= 5.0 for score in scores.values())


@INSTALLED
def test_noise_costs_and_level_does_not_change_p808() -> None:
    judge = Naturalness()
    clean = judge.score(sound())
    assert judge.score(sound(noise=0.1))["bak"] < clean["bak"]
    assert judge.score(0.25 * sound())["p808"] == pytest.approx(clean["p808"], abs=0.01)


@INSTALLED
def test_clipping_is_done_and_emptiness_refused() -> None:
    judge, loud = Naturalness(), 9.0 * sound()
    assert judge.score(loud) == judge.score(np.clip(loud, -1.0, 1.0))
    with pytest.raises(InputError, match="empty"):
        judge.score(np.zeros(0))
