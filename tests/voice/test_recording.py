"""Long recordings in chunks: no seam, no sample too many, no more memory than a chunk needs."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.errors import InputError, OutputError
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, Signal, Stats, Translation
from audiocycle.system import threads
from audiocycle.voice import recording, sound_file
from audiocycle.voice.level import KNEE
from audiocycle.voice.opening import PlainSound
from audiocycle.voice.recording import convert_recording, convert_stream, cross_fade, quietest, resampled
from audiocycle.voice.renderers import DifferentialRenderer, WorldRenderer
from audiocycle.voice.sides import VoiceSide
from audiocycle.voice.sound_file import open_sound
from audiocycle.voice.world_adapter import WorldAdapter

WORLD = WorldAdapter()


class Plain:
    """An adapter and renderer in one whose features are the samples: what comes out is what went in, times ``gain``."""

    def __init__(self, sample_rate: int = 1000, gain: float = 1.0) -> None:
        self.sample_rate, self.gain, self.bandwidth = sample_rate, gain, sample_rate / 2
        self.longest = 0

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[Any]:
        self.longest = max(self.longest, len(samples))
        return Encoded(samples[None], VoiceSide())

    def for_voice(self, stats: Stats) -> Plain:
        return self

    def completing(self, limit: float, stats: Stats) -> None:
        return None

    def render(self, encoded: Encoded[Any]) -> Signal:
        return Signal(self.gain * encoded.features[0], self.sample_rate)


def translation(function: Callable[[Encoded[Any]], Encoded[Any]]) -> Translation:
    """Between speakers of whom nothing is known."""
    return Translation(function, Direction(Domain("a"), Domain("b")))


@translation
def unchanged(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
    """Changes nothing; its side is what both WORLD renderers need."""
    return Encoded(encoded.features, replace(encoded.side, source_features=encoded.features))


@translation
def brighter(encoded: Encoded[VoiceSide]) -> Encoded[VoiceSide]:
    """Tilts the spectrum and bends the formants."""
    features = encoded.features.copy()
    features[1] -= 0.5
    features[4] += 0.3
    return Encoded(features, replace(encoded.side, source_features=encoded.features))


def pieces(samples: FloatArray, size: int) -> Iterator[FloatArray]:
    return (samples[begin : begin + size] for begin in range(0, len(samples), size))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of everything: chunks of 1.5 to 2.5 s."""
    for name in ("CHUNK_SECONDS", "BUFFER_SECONDS", "BLOCK_SECONDS"):
        value = getattr(recording, name)
        monkeypatch.setattr(recording, name, tuple(v / 10 for v in value) if isinstance(value, tuple) else value / 10)


def in_memory(samples: FloatArray, rate: int, subtype: str = "FLOAT") -> PlainSound:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, subtype=subtype, format="WAV")
    stream.seek(0)
    return PlainSound(soundfile.SoundFile(stream))


def converted(samples: FloatArray, rate: int, model: Any, change: Translation = unchanged, renderer: Any = None) -> FloatArray:
    target = io.BytesIO()
    convert_recording(in_memory(samples, rate), "it", target, model, renderer or model, change, stream_subtype="FLOAT")
    target.seek(0)
    made, made_rate = soundfile.read(target, dtype="float32")
    assert made_rate == rate
    return np.asarray(made)


@settings(max_examples=40, deadline=None)
@given(n_samples=st.integers(1, 200_000), block=st.integers(1000, 70_000))
def test_chunks_of_the_same_are_the_same(n_samples: int, block: int) -> None:
    samples = np.random.default_rng(n_samples).normal(size=n_samples).astype(np.float32)
    plain = Plain()
    made = list(convert_stream(pieces(samples, block), plain, plain, unchanged))
    np.testing.assert_allclose(np.concatenate(made), samples, atol=1e-6)
    assert plain.longest <= 30_000 + max(block, 30_000)


def test_chunks_stay_small_however_long_the_recording() -> None:
    plain = Plain()
    n_samples = sum(len(made) for made in convert_stream((np.ones(5000, np.float32) for _ in range(720)), plain, plain, unchanged))
    assert n_samples == 3_600_000  # an hour
    assert plain.longest <= 31_000  # about 30 s


@pytest.mark.parametrize("change", [unchanged, brighter], ids=["unchanged", "brighter"])
def test_differential_chunks_agree_with_one_pass(monkeypatch: pytest.MonkeyPatch, small_chunks: None, change: Translation) -> None:
    samples, renderer = vowel(6.0), DifferentialRenderer(WORLD)
    in_chunks = np.concatenate(list(convert_stream(pieces(samples, 8000), WORLD, renderer, change)))
    monkeypatch.setattr(recording, "BUFFER_SECONDS", 1000.0)
    at_once = np.concatenate(list(convert_stream(pieces(samples, 8000), WORLD, renderer, change)))
    np.testing.assert_allclose(in_chunks, at_once, atol=2e-3 * np.abs(at_once).max())


def test_real_chunks_have_no_seam() -> None:
    """The real chunk lengths, and WORLD, whose pulses start anew in each chunk."""
    samples = np.tile(vowel(4.0), 9)
    cuts: list[int] = []
    made: list[FloatArray] = []
    for body in convert_stream(pieces(samples, 80_000), WORLD, WorldRenderer(WORLD), unchanged):
        made.append(body)
        cuts.append(sum(map(len, made)))
    sound = np.concatenate(made)
    assert len(sound) == len(samples)
    assert len(cuts) >= 2
    for cut in cuts[:-1]:
        around = slice(cut - 400, cut + 400)  # the cross-fade is in there
        assert np.abs(np.diff(sound[around])).max() < 1.5 * np.abs(np.diff(samples[around])).max()
        loudness = [np.square(x[cut - 1600 : cut + 1600]).mean() for x in (sound, samples)]
        assert 0.4 < loudness[0] / loudness[1] < 2.5


def test_no_click_where_world_chunks_meet(small_chunks: None) -> None:
    samples = vowel(5.0)
    sound = np.concatenate(list(convert_stream(pieces(samples, 8000), WORLD, WorldRenderer(WORLD), unchanged)))
    assert np.abs(np.diff(sound, n=2)).max() < 1.5 * np.abs(np.diff(samples, n=2)).max()


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 96000, 192000])
@pytest.mark.parametrize("seconds", [0.0, 0.003, 0.1, 1.2345])
def test_output_is_exactly_as_long_as_the_input(rate: int, seconds: float) -> None:
    n_samples = max(1, round(rate * seconds))
    samples = 0.1 * np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    assert len(converted(samples, rate, Plain(16000))) == n_samples


@pytest.mark.parametrize("rate", [8000, 44100])
def test_output_is_in_time_with_the_input(small_chunks: None, rate: int) -> None:
    t = np.arange(5 * rate) / rate
    samples = (0.3 * np.sin(2 * np.pi * 500 * t) * np.hanning(len(t))).astype(np.float32)
    np.testing.assert_allclose(converted(samples, rate, Plain(16000)), samples, atol=2e-3)


@pytest.mark.parametrize("gain", [0.05, 1.0, 10.0])
def test_loudness_is_the_sources(gain: float) -> None:
    samples = vowel(2.0)
    made = converted(samples, 16000, Plain(16000, gain))
    assert np.square(made).mean() == pytest.approx(np.square(samples).mean(), rel=0.01)


@pytest.mark.parametrize("renderer", [WorldRenderer(WORLD), DifferentialRenderer(WORLD)])
def test_loudness_survives_a_conversion(renderer: Any) -> None:
    samples = vowel(1.5)
    made = converted(samples, 16000, WORLD, brighter, renderer)
    assert 10 * np.log10(np.square(made).mean() / np.square(samples).mean()) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("offset", [0.1, -0.4])
def test_an_offset_changes_nothing(offset: float) -> None:
    samples = vowel(1.5)
    samples[:3000] = 0.0
    made = converted(samples + offset, 16000, WORLD, brighter, WorldRenderer(WORLD))
    np.testing.assert_allclose(made, converted(samples, 16000, WORLD, brighter, WorldRenderer(WORLD)), atol=0.02)
    assert not made[160:2880].any()


def test_rumble_is_neither_loud_nor_in_the_pauses() -> None:
    samples = vowel(3.0)
    samples[16000:32000] = 1e-5 * np.random.default_rng(0).standard_normal(16000)
    rumble = 0.1 * np.cos(2 * np.pi * 20 * np.arange(len(samples)) / 16000)
    calm, made = (converted(x.astype(np.float32), 16000, WORLD, brighter, WorldRenderer(WORLD)) for x in (samples, samples + rumble))
    level = [20 * np.log10(x[:14000].std()) for x in (calm, made)]
    assert level[1] == pytest.approx(level[0], abs=0.2)
    assert 20 * np.log10(made[20000:28000].std()) < level[0] - 50


def test_a_bump_does_not_make_speech_louder() -> None:
    """The thump of a hand on the table, at full scale before somebody who speaks softly."""
    samples = 0.03 * vowel(8.0)
    thump = np.zeros(len(samples))
    thump[:3200] = 0.95 * np.sin(2 * np.pi * 60 * np.arange(3200) / 16000) * np.linspace(1, 0, 3200)
    made = converted((samples + thump).astype(np.float32), 16000, WORLD, brighter, WorldRenderer(WORLD))
    assert 20 * np.log10(made[8000:].std() / samples[8000:].std()) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("renderer", [WorldRenderer(WORLD), DifferentialRenderer(WORLD)])
def test_digital_silence_stays_silent(renderer: Any) -> None:
    samples = vowel(2.0)
    samples[:3000] = samples[12000:20000] = samples[-2000:] = 0.0
    made = converted(samples, 16000, WORLD, brighter, renderer)
    frame = 160  # a silence counts in whole frames of 10 ms
    for begin, end in ((0, 3000), (12000, 20000), (len(samples) - 2000, len(samples))):
        assert not made[-(-begin // frame) * frame : end // frame * frame].any()
    assert np.square(made[5000:10000]).mean() > 0.1 * np.square(samples[5000:10000]).mean()


@pytest.mark.parametrize("n_samples", [1, 100, 50_000])
def test_nothing_but_silence_stays_nothing(n_samples: int) -> None:
    assert not converted(np.zeros(n_samples, np.float32), 16000, WORLD, brighter, WorldRenderer(WORLD)).any()


@pytest.mark.parametrize("level", [1.0, 8.0, 1e30])
def test_nothing_clips(level: float) -> None:
    made = converted(level * vowel(0.5) / 0.3, 16000, Plain(16000, 3.0))
    assert KNEE < np.abs(made).max() < 1.0


@pytest.mark.parametrize(
    "samples",
    [np.full(8000, 0.5), 0.1 * np.random.default_rng(0).normal(size=8000), np.array([0.3]), vowel(0.5)[4000:4050], np.eye(1, 8000, 4000)[0]],
    ids=["dc", "noise", "one-sample", "shorter-than-a-frame", "click"],
)
@pytest.mark.parametrize("renderer", [WorldRenderer(WORLD), DifferentialRenderer(WORLD)])
def test_odd_sounds_are_converted(samples: FloatArray, renderer: Any) -> None:
    made = converted(samples, 16000, WORLD, brighter, renderer)
    assert made.shape == samples.shape
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 1.0


@pytest.mark.parametrize(("gain", "said"), [(np.nan, "that are not numbers"), (np.inf, "that are not numbers"), (1e30, "that is absurdly loud"), (1e5, "that is absurdly loud")])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_a_model_makes_is_looked_at_before_it_is_written(tmp_path: Path, gain: float, said: str, rate: int) -> None:
    """The gain that matches the loudness would make a full-scale recording of it."""
    with pytest.raises(InputError, match=f"^it: the model turns it into .* {said};"):
        convert_recording(in_memory(vowel(1.0, rate), rate), "it", tmp_path / "new/out.wav", Plain(16000), Plain(16000, gain), unchanged)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [10, 100_000])
def test_a_nan_anywhere_leaves_no_output(tmp_path: Path, place: int) -> None:
    samples = np.full(120_000, 0.1, np.float32)
    samples[place] = np.nan
    with pytest.raises(InputError, match="it: has NaN"):
        convert_recording(in_memory(samples, 16000), "it", tmp_path / "new/out.wav", Plain(16000), Plain(16000), unchanged)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_ends_in_the_middle_leaves_no_output(tmp_path: Path) -> None:
    path = tmp_path / "in.flac"
    soundfile.write(path, vowel(3.0), 16000)
    path.write_bytes(path.read_bytes()[:20_000])
    plain = Plain(16000)
    with open_sound(path) as sound, pytest.raises(InputError, match="copy it again"):
        convert_recording(sound, str(path), tmp_path / "out.wav", plain, plain, unchanged)
    assert [p.name for p in tmp_path.iterdir()] == ["in.flac"]


def test_an_output_that_cannot_be_costs_no_work(tmp_path: Path) -> None:
    plain = Plain(16000)
    with pytest.raises(OutputError, match=r"use \.wav"):
        convert_recording(in_memory(vowel(0.1), 16000), "it", tmp_path / "out.xyz", plain, plain, unchanged)
    assert plain.longest == 0


class FullSpool(io.BytesIO):
    """A temporary file on a full disk."""

    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


def test_no_room_for_temporary_files_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording.tempfile, "SpooledTemporaryFile", lambda size: FullSpool())
    with pytest.raises(OutputError, match=r"no room for temporary files .* TMPDIR"):
        converted(vowel(0.1), 16000, Plain(16000))


def test_a_long_conversion_waits_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = vowel(1.0)
    in_memory = converted(samples, 16000, Plain(16000))
    for module in (recording, sound_file):
        monkeypatch.setattr(module, "SPOOL_BYTES", 1000)
    np.testing.assert_array_equal(converted(samples, 16000, Plain(16000)), in_memory)


def test_progress_goes_up_to_the_end(small_chunks: None) -> None:
    plain, shares = Plain(16000), list[float]()
    convert_recording(in_memory(vowel(2.0), 16000), "it", io.BytesIO(), plain, plain, unchanged, shares.append)
    assert len(shares) == 4
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_resampling_in_blocks_is_resampling() -> None:
    samples = vowel(1.0, 44100)
    made = np.concatenate(list(resampled(pieces(samples, 5000), 44100, 16000)))
    np.testing.assert_allclose(made, sound_file.resample(samples, 44100, 16000), atol=1e-5)


def test_cross_fade_goes_from_one_to_the_other() -> None:
    mixed = cross_fade(np.zeros(10), np.ones(15))
    assert np.all(np.diff(mixed[:10]) > 0)
    np.testing.assert_array_equal(mixed[10:], 1.0)
    np.testing.assert_allclose(cross_fade(np.ones(10), np.ones(4)), 1.0)


class Stages(Plain):
    """Notes which chunk (by its first sample, a number that grows) enters which stage."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[str, int]] = []
        self.analyzed = [threading.Event() for _ in range(10)]
        self.rendered = [threading.Event() for _ in range(10)]

    def analyze(self, samples: FloatArray, side: bool = True) -> Encoded[Any]:
        number = sum(stage == "analyze" for stage, _ in self.notes)
        self.notes.append(("analyze", number))
        self.analyzed[number].set()
        return Encoded(samples[None], number)

    def translate(self, encoded: Encoded[int]) -> Encoded[int]:
        self.notes.append(("network", encoded.side))
        return encoded

    def render(self, encoded: Encoded[int]) -> Signal:
        self.notes.append(("render", encoded.side))
        self.rendered[encoded.side].set()
        return super().render(encoded)


def blocks_of(n_chunks: int) -> Iterator[FloatArray]:
    return pieces(np.random.default_rng(0).normal(size=n_chunks * 20_000).astype(np.float32), 5000)


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch, small_chunks: None) -> None:
    samples = vowel(8.0)
    samples[40_000:90_000] = 0.0  # a whole chunk of silence
    made = []
    for limit in (1, 3):
        monkeypatch.setattr(threads, "_limit", limit)
        made.append(np.concatenate(list(convert_stream(pieces(samples, 8000), WORLD, WorldRenderer(WORLD), brighter))))
    np.testing.assert_array_equal(*made)
    assert len(made[0]) == len(samples)


def test_the_next_chunk_is_analysed_and_the_last_rendered_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_limit", 2)
    stages = Stages()

    def translate(encoded: Encoded[int]) -> Encoded[int]:
        number = encoded.side
        if number < 2:
            assert stages.analyzed[number + 1].wait(10)
        if number > 0:
            assert stages.rendered[number - 1].wait(10)
        return stages.translate(encoded)

    made = list(convert_stream(blocks_of(4), stages, stages, translation(translate)))
    assert [number for stage, number in stages.notes if stage == "network"] == list(range(len(made)))
    assert len(made) >= 3


def test_only_a_few_chunks_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_limit", 2)
    stages = Stages()
    stream = convert_stream(blocks_of(8), stages, stages, translation(stages.translate))
    for done in range(3):
        next(stream)
        assert sum(stage == "analyze" for stage, _ in stages.notes) <= done + 4
    stream.close()


@pytest.mark.parametrize("stage", ["analyze", "translate", "render"])
@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_any_stage_ends_the_conversion(monkeypatch: pytest.MonkeyPatch, stage: str, count: int) -> None:
    monkeypatch.setattr(threads, "_limit", count)
    stages = Stages()

    def fail(*_: object) -> Any:
        raise InputError("no")

    monkeypatch.setattr(stages, stage, fail)
    with pytest.raises(InputError, match="no"):
        list(convert_stream(blocks_of(4), stages, stages, translation(stages.translate)))


def test_the_quietest_moment_is_found() -> None:
    samples = np.ones(3000)
    samples[1500:1600] = 0.0
    assert 1500 <= quietest(samples, 1000, 2000, 1000) <= 1600
    assert 2000 <= quietest(samples, 2000, 3000, 1000) <= 3000
