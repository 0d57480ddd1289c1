"""Previews: pitch, time, pedal and drums are right, levels are safe, and nothing breaks the synthesizer."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, OutputError
from audiocycle.music.preview import PEAK, check_synthesizer, render_audio, write_preview

symusic = pytest.importorskip("symusic")
soundfile = pytest.importorskip("soundfile")
midirenderer = pytest.importorskip("midirenderer")

TPQ, RATE = 480, 22050


def a_score(
    notes: Sequence[tuple[float, float, int, int]], program: int = 0, is_drum: bool = False
) -> "symusic.core.ScoreTick":
    """One track at 120 quarter notes a minute; notes are (start, duration, pitch, velocity) in seconds."""
    score = symusic.Score(TPQ)
    track = symusic.core.TrackTick("", program, is_drum)
    for start, duration, pitch, velocity in notes:
        ticks = round(start * 2 * TPQ), round(duration * 2 * TPQ)
        track.notes.append(symusic.core.NoteTick(*ticks, pitch, velocity))
    score.tracks.append(track)
    return score


def loudness(samples: np.ndarray, begin: float, end: float) -> float:
    """Root mean square between two times in seconds."""
    return float(np.sqrt(np.mean(samples[round(begin * RATE) : round(end * RATE)] ** 2)))


@pytest.mark.parametrize("program", [0, 19, 24, 40, 56, 65, 73])
@pytest.mark.parametrize(("pitch", "hertz"), [(57, 220.0), (81, 880.0)])
def test_instruments_play_in_tune(program: int, pitch: int, hertz: float) -> None:
    signal = render_audio(a_score([(0.0, 1.0, pitch, 100)], program), RATE)
    magnitude = np.abs(np.fft.rfft(signal.samples[:RATE] * np.hanning(RATE)))
    around = slice(round(hertz * 0.7), round(hertz * 1.4))  # a bin is 1 Hz; upper partials are no matter here
    assert around.start + magnitude[around].argmax() == pytest.approx(hertz, rel=0.01)


def test_notes_sound_where_they_are_written() -> None:
    samples = render_audio(a_score([(1.0, 0.5, 60, 100), (4.0, 0.5, 60, 100)], program=19), RATE).samples
    assert len(samples) == round((4.5 + 2.0) * RATE)
    assert loudness(samples, 0.0, 0.99) < 1e-4
    assert loudness(samples, 1.1, 1.4) > 0.1
    assert loudness(samples, 4.1, 4.4) == pytest.approx(loudness(samples, 1.1, 1.4), rel=0.3)
    assert (
        0.01 < loudness(samples, 1.505, 1.52) < loudness(samples, 1.1, 1.4)
    )  # it dies away, and does not break off
    assert loudness(samples, 3.5, 4.0) < 0.01 * loudness(samples, 1.1, 1.4)


def test_the_tempo_map_is_kept() -> None:
    score = a_score([(0.0, 0.2, 60, 100), (2.0, 0.2, 60, 100)], program=19)
    score.tempos.append(symusic.Tempo(0, 60, ttype="tick"))  # half as fast: written at 120
    samples = render_audio(score, RATE).samples
    assert loudness(samples, 3.5, 3.99) < 0.05 * loudness(samples, 4.05, 4.35)


def test_louder_notes_are_louder() -> None:
    samples = render_audio(a_score([(0.0, 0.5, 60, 127), (3.0, 0.5, 60, 64)], program=19), RATE).samples
    assert 0.1 < loudness(samples, 3.0, 3.5) / loudness(samples, 0.0, 0.5) < 0.5


def test_a_pedal_holds_notes_until_it_is_lifted() -> None:
    score = a_score([(0.0, 0.25, 60, 100)], program=16)
    assert loudness(render_audio(score, RATE).samples, 1.0, 1.4) < 0.01
    score.tracks[0].pedals.append(symusic.core.PedalTick(0, 3 * TPQ))
    held = render_audio(score, RATE).samples
    assert loudness(held, 1.0, 1.4) > 0.1
    assert loudness(held, 2.5, 3.5) < 0.05 * loudness(held, 1.0, 1.4)
    score.tracks[0].pedals = type(score.tracks[0].pedals)([symusic.core.PedalTick(0, 300 * TPQ)])
    assert len(render_audio(score, RATE).samples) == round(
        (0.25 + 8.0 + 2.0) * RATE
    )  # nobody waits for what died away


def test_drums_are_drums_with_the_kick_low_and_the_hat_high() -> None:
    def centre(pitch: int) -> float:
        samples = render_audio(a_score([(0.0, 0.1, pitch, 100)], is_drum=True), RATE).samples
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float((np.arange(len(power)) * power).sum() / power.sum() / len(power) * RATE / 2)

    assert centre(36) < 500 < centre(38) < centre(42)


def test_the_same_score_sounds_the_same() -> None:
    score = a_score([(0.0, 0.5, 60, 100), (0.2, 0.5, 64, 90)], program=48)
    assert np.array_equal(render_audio(score).samples, render_audio(score).samples)


def test_what_would_be_clipped_is_played_quieter(monkeypatch: pytest.MonkeyPatch) -> None:
    score = a_score([(0.0, 0.5, pitch, 127) for pitch in range(40, 100)], program=61)
    score.tracks[0].controls.append(symusic.core.ControlChangeTick(0, 7, 127))
    played: list[np.ndarray] = []
    render = midirenderer.render_wave_from

    def spy(font: bytes, song: bytes) -> bytes:
        wave: bytes = render(font, song)
        played.append(np.frombuffer(wave, "<i2", offset=44))
        return wave

    monkeypatch.setattr(midirenderer, "render_wave_from", spy)
    samples = render_audio(score, RATE).samples
    assert [bool((np.abs(each.astype(int)) >= 32767).any()) for each in played] == [True, False]
    assert np.abs(samples).max() == pytest.approx(PEAK)


@pytest.mark.parametrize("program", [0, 24, 30, 53, 80, 103, 124])
@pytest.mark.parametrize("bend", [-8192, 8191])
def test_wide_bends_break_nothing(program: int, bend: int) -> None:
    """Of 127 semitones, which it reads behind its samples' ends for: they go no further than before."""
    score = a_score([(0.1 * i, 0.3, 127 if i % 2 else 60, 127) for i in range(6)], program)
    for number, value in ((101, 0), (100, 0), (6, 127), (38, 127), (100, 2), (6, 127), (1, 127)):
        score.tracks[0].controls.append(symusic.core.ControlChangeTick(0, number, value))
    score.tracks[0].pitch_bends.append(symusic.core.PitchBendTick(TPQ // 2, bend))
    assert np.isfinite(render_audio(score, 8000).samples).all()


def test_a_synthesizer_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def fails(font: bytes, song: bytes) -> bytes:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(midirenderer, "render_wave_from", fails)
    with pytest.raises(ConfigError, match="`preview`: the synthesizer cannot play these notes"):
        render_audio(a_score([(0.0, 0.1, 60, 90)]))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert check_synthesizer().read_bytes()[:4] == b"RIFF"
    there = {
        "midirenderer": SimpleNamespace(),
        "pretty_midi": SimpleNamespace(origin=str(tmp_path / "__init__.py")),
    }
    monkeypatch.setattr(importlib.util, "find_spec", there.get)
    with pytest.raises(
        ConfigError, match=r"TimGM6mb\.sf2, which pretty_midi brings, but not this one: pip install"
    ):
        check_synthesizer()
    del there["midirenderer"]
    with pytest.raises(ConfigError, match="pip install midirenderer"):
        check_synthesizer()


@given(
    notes=st.lists(
        st.tuples(st.floats(0, 3), st.floats(0, 3), st.integers(0, 127), st.integers(0, 127)), max_size=12
    ),
    program=st.integers(0, 127),
    is_drum=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_levels_are_safe_whatever_is_played(
    notes: list[tuple[float, float, int, int]], program: int, is_drum: bool
) -> None:
    signal = render_audio(a_score(notes, program, is_drum), 8000, seconds=4.0)
    assert signal.samples.dtype == np.float32
    assert 0 < len(signal.samples) <= 4 * 8000
    assert np.isfinite(signal.samples).all()
    peak = np.abs(signal.samples).max()
    assert peak == 0.0 or peak == pytest.approx(PEAK, abs=1e-6)


def test_an_empty_score_is_a_short_silence() -> None:
    for score in (symusic.Score(TPQ), a_score([])):
        signal = render_audio(score, RATE)
        assert len(signal.samples) == 2 * RATE
        assert not signal.samples.any()


def test_long_scores_are_faded_out() -> None:
    score = a_score([(i / 2, 0.5, 60, 100) for i in range(20)], program=16)
    score.tracks[0].notes.append(symusic.core.NoteTick(2**30, 2**30, 60, 90))
    samples = render_audio(score, RATE, seconds=5.0).samples
    assert len(samples) == 5 * RATE
    assert loudness(samples, 4.0, 4.45) > 0.1
    assert np.abs(samples[-20:]).max() < 0.01
    assert len(render_audio(a_score([(0.0, 900.0, 60, 90)]), 8000, seconds=20.0).samples) == 20 * 8000


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_files_hold_what_was_played(tmp_path: Path, suffix: str) -> None:
    score = a_score([(0.0, 4.0, 69, 100)], program=16)
    path = tmp_path / f"preview{suffix}"
    write_preview(path, score, RATE)
    samples, rate = soundfile.read(path)
    expected = render_audio(score, RATE).samples
    assert rate == RATE
    assert samples.shape == expected.shape
    assert np.abs(samples - expected).max() < (0.1 if suffix == ".ogg" else 1e-4)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_failures_are_named_and_leave_nothing(tmp_path: Path) -> None:
    score = a_score([(0.0, 0.1, 60, 90)])
    with pytest.raises(OutputError, match=r"a\.mp5: .*\.wav, \.flac, \.ogg"):
        write_preview(tmp_path / "a.mp5", score)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"a\.wav"):
        write_preview(tmp_path / "file" / "a.wav", score)
    with pytest.raises(ConfigError, match="100 Hz"):
        render_audio(score, 100)
    with pytest.raises(ConfigError, match="0 seconds"):
        render_audio(score, seconds=0.0)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file"]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(soundfile.SoundFile):  # type: ignore[misc]
        def write(self, data: np.ndarray) -> None:
            raise AssertionError

    monkeypatch.setattr(soundfile, "SoundFile", Full)
    with pytest.raises(OutputError, match=r"a\.wav: cannot be written \(out of space\)"):
        write_preview(tmp_path / "a.wav", a_score([(0.0, 0.1, 60, 90)]))
    assert not list(tmp_path.iterdir())
