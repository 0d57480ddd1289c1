"""What sounds like English, and what does not: the sounds that come with the package, and when a line is told."""

from __future__ import annotations

import numpy as np
import pytest
from test_encoder import SAMPLES, speech

from audiocycle.spec import FloatArray
from audiocycle.voice.content import encoder, english
from audiocycle.voice.content.adapter import SCALE, ContentAdapter, by_themselves, middles
from audiocycle.voice.content.english import FOREIGN, LEAST_SECONDS, NOTE, Familiarity, likeness, sounds
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.world_adapter import WorldAdapter


def backwards(samples: FloatArray) -> FloatArray:
    """The same sounds in no language: nobody speaks so."""
    return samples[::-1].copy()


def test_the_sounds_are_directions_of_states() -> None:
    assert sounds().shape == (64, encoder.ENCODERS[encoder.ENGLISH].states)
    np.testing.assert_allclose(np.linalg.norm(sounds(), axis=1), 1.0, atol=1e-3)
    assert english.SOUNDS.stat().st_size < 60_000


def test_a_sound_is_most_like_itself() -> None:
    assert likeness(sounds()) == pytest.approx(1.0, abs=1e-3)
    assert likeness(-sounds()) < 0.5
    assert likeness(sounds()[:3]) == likeness(np.tile(sounds()[:3], (4, 1)))


def test_features_hold_the_very_states() -> None:
    adapter = ContentAdapter()
    features = adapter.analyze(speech()).features
    heard, states = adapter.speech(features), encoder.states(speech())
    said = by_themselves(states, heard[np.minimum(middles(len(states), 200.0), len(heard) - 1)])
    spoken = heard[2::4]
    np.testing.assert_allclose(adapter.spoken(features)[0], said[: len(spoken)][spoken[: len(said)]], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(adapter.spoken(features)[0], axis=1), 1.0, atol=1e-3)
    assert SCALE == 10.0


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_rendered_english_sounds_like_english_and_not_backwards(number: int) -> None:
    adapter = ContentAdapter()
    forwards, back = (adapter.familiarity(adapter.analyze(sound).features) for sound in (speech(number), backwards(speech(number))))
    assert forwards is not None
    assert back is not None
    assert forwards > FOREIGN > back


def test_of_other_encoders_and_features_nothing_is_known() -> None:
    features = ContentAdapter().analyze(speech()).features
    assert ContentAdapter(encoder="multilingual").familiarity(features) is None
    assert WorldAdapter().familiarity(features) is None
    assert MelAdapter().familiarity(features) is None
    assert ContentAdapter().familiarity(ContentAdapter().analyze(np.zeros(8000, np.float32)).features) is None


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        ([(FOREIGN - 0.01, LEAST_SECONDS)], True),
        ([(FOREIGN - 0.01, LEAST_SECONDS - 0.1)], False),
        ([(FOREIGN + 0.01, 60.0)], False),
        ([(FOREIGN - 0.05, 20.0), (FOREIGN + 0.02, 20.0)], True),
        ([(FOREIGN - 0.05, 5.0), (FOREIGN + 0.02, 20.0)], False),
        ([], False),
    ],
)
def test_a_line_is_told_of_the_mean_over_what_is_spoken(chunks: list[tuple[float, float]], told: bool) -> None:
    heard = Familiarity()
    for chunk in chunks:
        heard.add(*chunk)
    assert list(heard.notes()) == [NOTE] * told
