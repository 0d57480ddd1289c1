"""A telephone's band is seen, a whole one is not taken for one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from tiny_bundle import vowel

from audiocycle.spec import FloatArray
from audiocycle.voice.bandwidth import BandLevels, declared_limit
from audiocycle.voice.channels import mean_of
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.sound_file import open_sound, survey_of
from audiocycle.voice.survey import Survey, missing_above
from audiocycle.voice.world_adapter import WorldAdapter

SAMPLES = Path(__file__).parents[2] / "audiocycle/pretrained/rendered-voices/samples"
RECORDINGS = sorted(SAMPLES.glob("*.flac"))
WORLD = WorldAdapter()


def limit_of(samples: FloatArray, rate: int) -> float | None:
    levels = BandLevels(rate)
    levels.add(samples[:, None])
    return levels.limit()


def through(samples: FloatArray, rate: int, narrow: int) -> FloatArray:
    """As heard through a line of another sample rate, in 16 bits."""
    heard = soxr.resample(soxr.resample(samples, rate, narrow), narrow, rate)
    return np.asarray(np.round(heard * 32768) / 32768, dtype=np.float32)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("narrow", "low", "high"), [(8000, 3500, 4000), (11025, 4700, 5500)])
def test_a_narrow_band_inside_a_wide_file_is_seen(path: Path, narrow: int, low: float, high: float) -> None:
    samples, rate = soundfile.read(path, dtype="float32")
    assert limit_of(samples, rate) is None
    found = limit_of(through(samples, rate, narrow), rate)
    assert found is not None
    assert low <= found <= high
    wide = soxr.resample(through(samples, rate, narrow), rate, 44100)
    assert limit_of(wide, 44100) == pytest.approx(found, abs=250.0)


def test_a_moment_that_is_all_vowel_is_not_taken_for_a_narrow_band() -> None:
    """A drop of some 30 dB, as a few frames of speech may have, says nothing; as the drop of a long recording it does."""
    random = np.random.default_rng(0)
    loud, soft = random.standard_normal((2, 16000 * 8))
    both = (0.1 * soxr.resample(soxr.resample(loud, 16000, 8000), 8000, 16000) + 0.1 * 10 ** (-34 / 20) * soft).astype(np.float32)
    assert limit_of(both[:16000], 16000) is None
    assert limit_of(both, 16000) is not None


def test_a_click_does_not_hide_it_and_noise_is_no_band() -> None:
    samples, rate = soundfile.read(RECORDINGS[0], dtype="float32")
    narrow = through(samples, rate, 8000)
    narrow[20000:20010] = 0.9
    assert limit_of(narrow, rate) is not None
    random = np.random.default_rng(0)
    assert limit_of((0.1 * random.standard_normal(rate)).astype(np.float32), rate) is None
    assert limit_of(np.cumsum(0.001 * random.standard_normal(rate)).astype(np.float32), rate) is None, "a slope is no edge"
    assert limit_of(vowel(2.0), rate) is None


@pytest.mark.parametrize("samples", [np.zeros(16000), np.zeros(0), np.ones(100)], ids=["silence", "nothing", "a moment"])
@pytest.mark.parametrize("rate", [100, 8000, 48000])
def test_where_there_is_nothing_to_see_nothing_is_seen(samples: FloatArray, rate: int) -> None:
    assert limit_of(samples.astype(np.float32), rate) is None


@pytest.mark.parametrize(
    ("rate", "missing"), [(8000, 3760.0), (11025, 5181.75), (12000, 5640.0), (16000, None), (22050, None), (44100, None)]
)
def test_a_low_sample_rate_says_it(tmp_path: Path, rate: int, missing: float | None) -> None:
    soundfile.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(rate), rate)
    with open_sound(tmp_path / "a.wav") as sound:
        found = survey_of(sound, "a.wav")
        assert len(sound.read()) == rate  # from its beginning on
    assert missing_above(found.band_limit, WORLD) == (None if missing is None else pytest.approx(missing))
    assert found.notes(WORLD) == (() if missing is None else (f"holds nothing above {missing / 1000:.1f} kHz, and the model hears up to 8 kHz",))


@pytest.mark.parametrize("adapter", [WORLD, MelAdapter()])
def test_what_a_model_does_not_look_at_is_not_missing(adapter: WorldAdapter | MelAdapter) -> None:
    assert missing_above(declared_limit(16000), adapter) is None
    assert missing_above(declared_limit(8000), adapter) == 3760.0


def test_a_model_of_a_higher_rate_misses_more() -> None:
    assert missing_above(declared_limit(16000), WorldAdapter(sample_rate=24000)) == 7520.0
    assert Survey(mean_of(1), 7520.0).notes(WorldAdapter(sample_rate=24000)) == ("holds nothing above 7.5 kHz, and the model hears up to 12 kHz",)
