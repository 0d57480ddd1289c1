"""Previews: pitch, time, pedal and drums are right, levels are safe, and FluidSynth is driven as its interface asks."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError, OutputError
from audiocycle.music import preview
from audiocycle.music.preview import PEAK, render_audio, synthesis, write_preview

symusic = pytest.importorskip("symusic")
soundfile = pytest.importorskip("soundfile")

TPQ, RATE = 480, 22050


@pytest.fixture(autouse=True)
def no_fluidsynth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)  # imports of it fail


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


@pytest.mark.parametrize("program", range(0, 128, 8))
@pytest.mark.parametrize(("pitch", "hertz"), [(57, 220.0), (81, 880.0)])
def test_each_family_plays_in_tune(program: int, pitch: int, hertz: float) -> None:
    signal = render_audio(a_score([(0.0, 1.0, pitch, 100)], program), RATE)
    magnitude = np.abs(np.fft.rfft(signal.samples[:RATE] * np.hanning(RATE)))
    around = slice(round(hertz * 0.7), round(hertz * 1.4))  # a bin is 1 Hz; upper partials are no matter here
    assert around.start + magnitude[around].argmax() == pytest.approx(hertz, rel=0.06)  # bells are sharp
    if program // 8 not in (1, 14):
        assert around.start + magnitude[around].argmax() == pytest.approx(hertz, abs=2)


def test_notes_sound_where_they_are_written() -> None:
    samples = render_audio(a_score([(1.0, 0.5, 60, 100), (2.5, 0.5, 60, 100)], program=19), RATE).samples
    assert len(samples) == round((3.0 + 1.5) * RATE)
    assert loudness(samples, 0.0, 1.0) == 0.0
    assert loudness(samples, 2.0, 2.5) == 0.0
    assert loudness(samples, 1.1, 1.4) > 0.1
    assert loudness(samples, 2.6, 2.9) == pytest.approx(loudness(samples, 1.1, 1.4), rel=0.05)
    assert 0.1 < loudness(samples, 1.505, 1.52) < loudness(samples, 1.1, 1.4)  # it dies away, and does not break off


def test_velocity_is_squared() -> None:
    samples = render_audio(a_score([(0.0, 0.5, 60, 127), (2.0, 0.5, 60, 64)], program=16), RATE).samples
    assert loudness(samples, 2.0, 2.5) / loudness(samples, 0.0, 0.5) == pytest.approx((64 / 127) ** 2, rel=1e-3)


def test_a_pedal_holds_notes_until_it_is_lifted() -> None:
    score = a_score([(0.0, 0.25, 60, 100)], program=16)
    assert loudness(render_audio(score, RATE).samples, 1.0, 1.4) == 0.0
    score.tracks[0].pedals.append(symusic.core.PedalTick(0, 3 * TPQ))
    held = render_audio(score, RATE).samples
    assert loudness(held, 1.0, 1.4) > 0.1
    assert loudness(held, 1.9, 2.5) == 0.0


def test_strings_sustain_and_pianos_do_not() -> None:
    organ, piano = (render_audio(a_score([(0.0, 4.0, 72, 100)], program), RATE).samples for program in (16, 0))
    assert loudness(organ, 3.0, 3.5) > 0.4 * loudness(organ, 0.0, 0.5)
    assert loudness(piano, 3.0, 3.5) < 0.1 * loudness(piano, 0.0, 0.5)


def test_nothing_lies_above_half_the_sample_rate() -> None:
    """A partial there would come back as a wrong low note: the loudest peak below this top C must be far below it."""
    samples = render_audio(a_score([(0.0, 1.0, 108, 100)], program=61), RATE).samples  # 4186 Hz
    magnitude = np.abs(np.fft.rfft(samples[:RATE] * np.hanning(RATE)))
    assert magnitude[:4000].max() < 1e-3 * magnitude.max()
    assert not render_audio(a_score([(0.0, 1.0, 127, 100)]), RATE).samples.any()


def test_drums_are_strokes_with_the_kick_low_and_the_hat_high() -> None:
    def centre(pitch: int) -> float:
        samples = render_audio(a_score([(0.0, 0.1, pitch, 100)], is_drum=True), RATE).samples
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float((np.arange(len(power)) * power).sum() / power.sum() / len(power) * RATE / 2)

    assert centre(36) < 500 < centre(38) < centre(42)
    assert len({centre(pitch) for pitch in (41, 45, 50)}) == 3
    samples = render_audio(a_score([(0.0, 4.0, 36, 100)], is_drum=True), RATE).samples
    assert loudness(samples, 1.0, 4.0) == 0.0


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
        assert len(signal.samples) == RATE // 2
        assert not signal.samples.any()


def test_long_scores_are_faded_out() -> None:
    score = a_score([(i / 2, 0.5, 60, 100) for i in range(20)], program=16)
    score.tracks[0].notes.append(symusic.core.NoteTick(2**30, 2**30, 60, 90))
    samples = render_audio(score, RATE, seconds=5.0).samples
    assert len(samples) == 5 * RATE
    assert loudness(samples, 4.0, 4.45) > 0.1
    assert np.abs(samples[-20:]).max() < 0.01
    assert len(render_audio(a_score([(0.0, 900.0, 60, 90)]), 8000).samples) == 300 * 8000


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_files_hold_what_was_played(tmp_path: Path, suffix: str) -> None:
    score = a_score([(0.0, 4.0, 69, 100)], program=16)
    path = tmp_path / f"preview{suffix}"
    assert write_preview(path, score, RATE) == "built-in synthesis"
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
    with pytest.raises(InputError, match=r"none\.sf2: no such soundfont"):
        write_preview(tmp_path / "a.wav", score, soundfont=tmp_path / "none.sf2")
    (tmp_path / "a.sf2").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"a\.sf2: needs FluidSynth"):
        render_audio(score, soundfont=tmp_path / "a.sf2")
    with pytest.raises(ConfigError, match="100 Hz"):
        render_audio(score, 100)
    with pytest.raises(ConfigError, match="0 seconds"):
        render_audio(score, seconds=0.0)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.sf2", "file"]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(soundfile.SoundFile):  # type: ignore[misc]
        def write(self, data: np.ndarray) -> None:
            raise AssertionError

    monkeypatch.setattr(soundfile, "SoundFile", Full)
    with pytest.raises(OutputError, match=r"a\.wav: cannot be written \(out of space\)"):
        write_preview(tmp_path / "a.wav", a_score([(0.0, 0.1, 60, 90)]))
    assert not list(tmp_path.iterdir())


class FakeSynth:
    """Writes down what it is told; its samples are as loud as the notes that sound, left only."""

    log: ClassVar[list[tuple[object, ...]]] = []
    alive: ClassVar[int] = 0

    def __init__(self, gain: float, samplerate: float) -> None:
        self.rate, self.sounding = samplerate, 0
        FakeSynth.alive += 1
        self.log.clear()

    def sfload(self, name: str) -> int:
        return -1 if name.endswith("broken.sf2") else 7

    def sfpreset_name(self, font: int, bank: int, program: int) -> str | None:
        return None if (font, bank, program) == (7, 128, 120) else "name"

    def program_select(self, *arguments: int) -> None:
        self.log.append(("program", *arguments))

    def noteon(self, *arguments: int) -> None:
        self.sounding += 1
        self.log.append(("on", *arguments))

    def noteoff(self, *arguments: int) -> None:
        self.sounding -= 1
        self.log.append(("off", *arguments))

    def cc(self, *arguments: int) -> None:
        self.log.append(("cc", *arguments))

    def pitch_bend(self, *arguments: int) -> None:
        self.log.append(("bend", *arguments))

    def get_samples(self, n_samples: int) -> np.ndarray:
        return np.tile(np.array([1000 * self.sounding, 0], np.int16), n_samples)

    def delete(self) -> None:
        FakeSynth.alive -= 1


@pytest.fixture
def fluidsynth(no_fluidsynth: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A soundfont, with FluidSynth installed."""
    monkeypatch.setitem(sys.modules, "fluidsynth", SimpleNamespace(Synth=FakeSynth))
    (tmp_path / "good.sf2").write_bytes(b"x")
    return tmp_path / "good.sf2"


def test_fluidsynth_gets_every_event_in_order(fluidsynth: Path) -> None:
    score = a_score([(0.5, 0.5, 60, 90), (1.0, 0.5, 60, 80)], program=33)
    track = score.tracks[0]
    track.controls.append(symusic.core.ControlChangeTick(0, 7, 100))
    track.controls.append(symusic.core.ControlChangeTick(0, 64, 127))
    track.controls.append(symusic.core.ControlChangeTick(0, 123, 0))
    track.pedals.append(symusic.core.PedalTick(TPQ, TPQ))
    track.pitch_bends.append(symusic.core.PitchBendTick(TPQ, -512))
    drums = symusic.core.TrackTick("", 120, True)
    drums.notes.append(symusic.core.NoteTick(4 * TPQ, 10, 36, 70))
    score.tracks.append(drums)
    signal = render_audio(score, RATE, fluidsynth)
    assert FakeSynth.log == [
        ("program", 0, 7, 0, 33),
        ("program", 25, 7, 128, 0),  # it has no drums 120
        ("cc", 0, 7, 100),
        ("cc", 0, 64, 127),
        ("bend", 0, -512),
        ("on", 0, 60, 90),
        ("off", 0, 60),
        ("cc", 0, 64, 0),
        ("on", 0, 60, 80),
        ("off", 0, 60),
        ("on", 25, 36, 70),
        ("off", 25, 36),
    ]
    sounding = np.flatnonzero(signal.samples)
    assert (sounding[0], sounding[-1]) == (RATE // 2, round((2.0 + 10 / TPQ / 2) * RATE) - 1)
    assert np.abs(signal.samples).max() == pytest.approx(PEAK)
    assert len(signal.samples) == round((2.0 + 10 / TPQ / 2 + 1.5) * RATE)
    assert FakeSynth.alive == 0


def test_fluidsynth_stops_where_the_preview_does_and_is_always_closed(fluidsynth: Path, tmp_path: Path) -> None:
    score = a_score([(0.0, 0.5, 60, 90), (9.0, 0.5, 61, 80)])
    assert len(render_audio(score, RATE, fluidsynth, seconds=2.0).samples) == 2 * RATE
    assert ("on", 0, 61, 80) not in FakeSynth.log
    assert not render_audio(symusic.Score(TPQ), RATE, fluidsynth).samples.any()
    (tmp_path / "broken.sf2").write_bytes(b"x")
    with pytest.raises(InputError, match=r"broken\.sf2: FluidSynth cannot read it"):
        render_audio(score, RATE, tmp_path / "broken.sf2")
    assert FakeSynth.alive == 0


def test_the_way_it_is_played_is_named(fluidsynth: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert synthesis(fluidsynth) == "FluidSynth with good.sf2"
    assert write_preview(tmp_path / "a.wav", a_score([(0.0, 0.1, 60, 90)]), RATE, fluidsynth) == synthesis(fluidsynth)
    monkeypatch.setattr(preview, "_bundled_soundfont", lambda: tmp_path / "bundled.sf2")
    assert synthesis() == "FluidSynth with bundled.sf2"
    monkeypatch.setattr(preview, "_bundled_soundfont", lambda: None)
    assert synthesis() == "built-in synthesis"
    monkeypatch.setitem(sys.modules, "fluidsynth", SimpleNamespace())  # another package of this name
    assert synthesis() == "built-in synthesis"


def test_pretty_midi_brings_a_soundfont() -> None:
    pytest.importorskip("pretty_midi")
    found = preview._bundled_soundfont()
    assert found is not None
    assert found.read_bytes()[:4] == b"RIFF"
