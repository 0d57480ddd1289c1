"""Speaker similarity: geometry of embeddings, and Resemblyzer itself where it is installed."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from audiocycle.errors import ConfigError, InputError
from audiocycle.metrics.voice.speaker import SAMPLE_RATE, SpeakerEncoder, centroid, nearer, similarity

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
INSTALLED = pytest.mark.skipif(find_spec("resemblyzer") is None, reason="needs resemblyzer")


def vowel(f0: float, formants: tuple[float, ...], seconds: float = 2.0) -> np.ndarray:
    """A buzz through resonances, with the rhythm of syllables."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.diff(np.floor(time * f0 * (1 + 0.02 * np.sin(2 * np.pi * 3 * time))), prepend=0.0)
    for hertz in formants:
        radius, angle = np.exp(-np.pi * 80 / SAMPLE_RATE), 2 * np.pi * hertz / SAMPLE_RATE
        sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
    sound = sound * (1.2 + np.sin(2 * np.pi * 4 * time))
    return np.asarray(0.1 * sound / sound.std())


def test_cosine_does_not_depend_on_length() -> None:
    assert similarity(np.array([3.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(np.sqrt(0.5))
    assert similarity(np.array([0.2, 0.4]), np.array([1.0, 2.0])) == pytest.approx(1.0)


def test_a_voice_is_the_unit_mean_of_its_recordings() -> None:
    voice = centroid([np.array([1.0, 0.0]), np.array([0.0, 1.0])])
    np.testing.assert_allclose(voice, [np.sqrt(0.5), np.sqrt(0.5)])
    with pytest.raises(InputError, match="at least one"):
        centroid([])


def test_nearer_is_decided_by_the_cosine() -> None:
    target, source = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert nearer(np.array([0.8, 0.6]), target, source)
    assert not nearer(np.array([0.6, 0.8]), target, source)
    assert not nearer(np.array([1.0, 1.0]), target, source)


def test_a_missing_encoder_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resemblyzer", None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[eval\]'"):
        SpeakerEncoder()


@INSTALLED
def test_embeddings_are_units_that_do_not_know_the_level() -> None:
    encoder, low = SpeakerEncoder(), vowel(110, (600, 1100, 2500))
    embedding = encoder.embed(low)
    assert embedding.shape == (256,)
    assert np.linalg.norm(embedding) == pytest.approx(1.0)
    np.testing.assert_array_equal(embedding, SpeakerEncoder().embed(low))
    for gain in (0.05, 3.0):
        assert similarity(embedding, encoder.embed(gain * low)) > 0.999
    assert similarity(embedding, encoder.embed(low[:24000])) > similarity(embedding, encoder.embed(vowel(230, (850, 1600, 3200))))


@INSTALLED
def test_noise_is_unlike_a_voice_and_silence_is_refused() -> None:
    encoder = SpeakerEncoder()
    noise = encoder.embed(1e-3 * np.random.default_rng(0).normal(size=8000))  # no speech is found in it
    assert similarity(noise, encoder.embed(vowel(110, (600, 1100, 2500)))) < 0.8
    for nothing in (np.zeros(0), np.zeros(16000)):
        with pytest.raises(InputError, match="silent"):
            encoder.embed(nothing)


@INSTALLED
def test_vcc2016_speakers_are_told_apart() -> None:
    root = DATA / "voice" / "vcc2016" / "eval"
    if not root.is_dir():
        pytest.skip("VCC2016 not found: set AUDIOCYCLE_DATA")
    soundfile = pytest.importorskip("soundfile")
    encoder = SpeakerEncoder()
    found = {
        name: [encoder.embed(soundfile.read(path)[0]) for path in sorted((root / name).glob("*.flac"))[:4]]
        for name in ("SF1", "TM3")
    }
    for own, other in (("SF1", "TM3"), ("TM3", "SF1")):
        for at, embedding in enumerate(found[own]):
            others = centroid([voice for index, voice in enumerate(found[own]) if index != at])
            assert nearer(embedding, others, centroid(found[other]))
