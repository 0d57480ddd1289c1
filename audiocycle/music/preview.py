"""Scores as audio, for people who want to hear a transfer without opening a sequencer.

FluidSynth plays them where it is installed (``pip install pyfluidsynth``, and the library from the system), with a
soundfont of the user's, or else the one that pretty_midi brings. Everywhere else the built-in synthesis does:
partials that decay, in a character for each General MIDI family, and noise for drums. It is a sketch of the
instruments, but one that has pedals and drums, needs no file, and takes a fraction of a second for a song.
:func:`synthesis` says which of them it is.

symusic has a synthesizer, too, but its version 0.6.0 cannot hand the samples over to Python.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError, OutputError
from audiocycle.music.tones import TIMBRES, Samples, drum, release, tone
from audiocycle.spec import Signal
from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    from symusic.core import ScoreSecond, ScoreTick, TrackSecond

PREVIEW_SECONDS = 300.0
"""A preview ends here unless told otherwise: 53 MB of samples, whatever the score holds."""
PEAK = 0.89
"""The loudest sample of a preview: 1 dB below full scale."""
SUFFIXES = (".wav", ".flac", ".ogg")
"""File name endings that a preview may have."""

_TAIL = 1.5  # seconds for the last notes to die away
_FADE = 0.5  # seconds, where a preview ends before its score
_SHORTEST = 0.01  # seconds that a note sounds at least
_FLUID_BLOCK = 1 << 14  # samples asked of FluidSynth at once
_VORBIS_BLOCK = 1 << 16  # libsndfile's Vorbis keeps a write on its stack, and overflows it
_SUSTAIN, _FIRST_MODE = 64, 120  # controllers: the sustain pedal; from 120 on they silence or rearrange channels
_N_CHANNELS, _DRUM_CHANNEL = 256, 9  # FluidSynth takes each tenth of 16 channels for drums
_FLUID_GAIN = 0.1  # half its default: its samples are 16 bit, and must not clip before they are levelled


def synthesis(soundfont: Path | None = None) -> str:
    """What :func:`render_audio` plays with: ``"FluidSynth with NAME.sf2"`` or ``"built-in synthesis"``.

    Raises:
        InputError: ``soundfont`` does not exist. ConfigError: it needs FluidSynth, which is not installed.
    """
    font = _playable_soundfont(soundfont)
    return "built-in synthesis" if font is None else f"FluidSynth with {font.name}"


def render_audio(
    score: ScoreTick, sample_rate: int = 44100, soundfont: Path | None = None, seconds: float = PREVIEW_SECONDS
) -> Signal:
    """Play a score, with FluidSynth or with the built-in synthesis as :func:`synthesis` says.

    The built-in synthesis knows notes, velocities, programs, drums and the sustain pedal; FluidSynth all controllers
    and pitch bends as well. Both average what they play to mono.

    Parameters:
        score: in ticks; time 0 of the audio is tick 0.
        sample_rate: in Hz, 8000 to 96000, which is what FluidSynth takes.
        soundfont: an .sf2 or .sf3 file for FluidSynth; None takes the one that pretty_midi brings, if any.
        seconds: a longer score is faded out here.

    Returns:
        float32 samples, the loudest at :data:`PEAK`. A score without a note gives a short silence.

    Raises:
        InputError, ConfigError: see :func:`synthesis`; also a soundfont that FluidSynth cannot read, or a rate or
            length out of range.
    """
    if not 8000 <= sample_rate <= 96000:
        raise ConfigError(f"cannot play at {sample_rate} Hz; use a sample rate from 8000 to 96000")
    if not seconds > 0.0:
        raise ConfigError(f"cannot play {seconds:g} seconds; give more than 0")
    font = _playable_soundfont(soundfont)
    timed = cast("ScoreSecond", score.to("second"))
    end = max((float(stops.max()) for track in timed.tracks for _, stops in [_spans(track)] if len(stops)), default=-1.0)
    n_samples = round(min(seconds, end + _TAIL) * sample_rate)
    if font is None:
        samples = _play_built_in(timed, sample_rate, n_samples)
    else:
        samples = _play_fluidsynth(timed, sample_rate, n_samples, font)
    if end + _TAIL > seconds:
        n_fade = min(n_samples, round(_FADE * sample_rate))
        samples[n_samples - n_fade :] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 0.0:
        samples *= np.float32(PEAK / peak)
    return Signal(samples, sample_rate)


def write_preview(
    path: Path,
    score: ScoreTick,
    sample_rate: int = 44100,
    soundfont: Path | None = None,
    seconds: float = PREVIEW_SECONDS,
) -> str:
    """Write what :func:`render_audio` plays, whole or not at all; the ending picks the format, 16 bit.

    Returns:
        What it was played with (see :func:`synthesis`).

    Raises:
        OutputError: an unknown ending (:data:`SUFFIXES`), no permission, no space.
        InputError, ConfigError: see :func:`render_audio`.
    """
    import soundfile

    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise OutputError(f"{path}: a preview cannot end in '{path.suffix}'; use {', '.join(SUFFIXES)}")
    signal = render_audio(score, sample_rate, soundfont, seconds)
    with whole_file(path) as temporary:
        name = str(temporary) if os.name == "nt" else os.fsencode(temporary)  # bytes: a name may be no valid UTF-8
        try:
            with soundfile.SoundFile(name, "w", sample_rate, 1, format=kind[1:].upper()) as sound:
                for begin in range(0, len(signal.samples), _VORBIS_BLOCK):
                    sound.write(signal.samples[begin : begin + _VORBIS_BLOCK])
        except (RuntimeError, AssertionError) as error:  # soundfile asserts that all was written
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".") or "out of space"
            raise OutputError(f"{path}: cannot be written ({reason}); free some space, or use .wav") from error
    return synthesis(soundfont)


def _playable_soundfont(soundfont: Path | None) -> Path | None:
    """The soundfont to play with FluidSynth, or None where that is impossible and nobody asked for it."""
    if soundfont is not None and not soundfont.is_file():
        raise InputError(f"{soundfont}: no such soundfont; name an .sf2 or .sf3 file")
    try:
        usable = hasattr(importlib.import_module("fluidsynth"), "Synth")  # an older package has this name as well
    except (ImportError, OSError):  # pyfluidsynth, or the library that it loads, is missing
        usable = False
    if not usable:
        if soundfont is None:
            return None
        raise ConfigError(f"{soundfont}: needs FluidSynth; install it and pyfluidsynth, or leave the soundfont out")
    return soundfont or _bundled_soundfont()


def _bundled_soundfont() -> Path | None:
    found = importlib.util.find_spec("pretty_midi")  # where it lies; importing it takes its time
    path = Path(found.origin).parent / "TimGM6mb.sf2" if found and found.origin else None
    return path if path and path.is_file() else None


def _spans(track: TrackSecond) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Beginnings and ends (n_notes,) of a track's notes in seconds; those within a pedal's reach end with it."""
    notes = track.notes.numpy()
    starts = notes["time"].astype(np.float64)
    stops = starts + np.maximum(notes["duration"], _SHORTEST)
    held = stops.copy()
    for pedal in () if track.is_drum else track.pedals:
        held[(stops >= pedal.time) & (stops < pedal.end)] = pedal.end
    return starts, held


def _play_fluidsynth(score: ScoreSecond, sample_rate: int, n_samples: int, soundfont: Path) -> Samples:
    """A channel for each track, events in order, and the samples between them."""
    synth = importlib.import_module("fluidsynth").Synth(gain=_FLUID_GAIN, samplerate=float(sample_rate))
    try:
        font = synth.sfload(str(soundfont))
        if font < 0:
            raise InputError(f"{soundfont}: FluidSynth cannot read it; name another .sf2 or .sf3 file")
        samples, position = np.zeros(n_samples, np.float32), 0
        for seconds, _, play, arguments in sorted(_events(score, synth, font), key=lambda event: event[:2]):
            time = round(min(n_samples, seconds * sample_rate))
            while position < time:
                n_block = min(_FLUID_BLOCK, time - position)
                stereo = synth.get_samples(n_block).reshape(n_block, 2)
                samples[position : position + n_block] = stereo.mean(axis=1) / 32768.0
                position += n_block
            if position == n_samples:
                break
            play(*arguments)
        return samples
    finally:
        synth.delete()


def _events(score: ScoreSecond, synth: Any, font: int) -> Iterator[tuple[float, int, Callable[..., Any], tuple[int, ...]]]:
    """Seconds, rank among events of one moment (a repeated note ends before it begins), call, arguments."""
    melodic = [channel for channel in range(_N_CHANNELS) if channel % 16 != _DRUM_CHANNEL]
    drums = range(_DRUM_CHANNEL, _N_CHANNELS, 16)
    for index, track in enumerate(score.tracks):
        channels = drums if track.is_drum else melodic
        channel = channels[index % len(channels)]
        bank = 128 if track.is_drum else 0
        known = synth.sfpreset_name(font, bank, track.program) is not None  # asked first: selecting prints an error
        synth.program_select(channel, font, bank, track.program if known else 0)
        notes = track.notes.numpy()
        stops = notes["time"] + np.maximum(notes["duration"], _SHORTEST)
        for start, stop, pitch, velocity in zip(notes["time"], stops, notes["pitch"], notes["velocity"], strict=True):
            yield float(stop), 0, synth.noteoff, (channel, int(pitch))
            yield float(start), 2, synth.noteon, (channel, int(pitch), int(velocity))
        for control in track.controls:
            if control.number < _FIRST_MODE and control.number != _SUSTAIN:  # that is among the pedals, too
                yield control.time, 1, synth.cc, (channel, control.number, control.value)
        for pedal in track.pedals:
            yield pedal.time, 1, synth.cc, (channel, _SUSTAIN, 127)
            yield pedal.end, 1, synth.cc, (channel, _SUSTAIN, 0)
        for bend in track.pitch_bends:
            yield bend.time, 1, synth.pitch_bend, (channel, bend.value)
    yield np.inf, 3, synth.get_samples, ()  # the last notes die away


def _play_built_in(score: ScoreSecond, sample_rate: int, n_samples: int) -> Samples:
    """Each distinct tone once, as long as its longest note; the notes are copies, cut and weighted."""
    mix = np.zeros(n_samples, np.float32)
    wanted = defaultdict[tuple[int, int], list[tuple[int, int, float]]](list)  # (family, pitch): begin, length, gain
    for track in score.tracks:
        family = -1 if track.is_drum else track.program // 8 % len(TIMBRES)
        notes = track.notes.numpy()
        for pitch, velocity, start, stop in zip(notes["pitch"], notes["velocity"], *_spans(track), strict=True):
            begin, gain = round(start * sample_rate), float(velocity / 127.0) ** 2  # as General MIDI has it
            if begin < n_samples and gain > 0.0:
                length = min(n_samples - begin, round((stop - start) * sample_rate))
                wanted[family, int(pitch)].append((begin, length, gain))
    for (family, pitch), copies in sorted(wanted.items()):
        if family < 0:
            stroke = drum(pitch, sample_rate)
            for begin, _, gain in copies:  # a struck drum does not know how long its key was held
                _add(mix, begin, stroke, gain)
            continue
        timbre = TIMBRES[family]
        tail = release(timbre, sample_rate)
        whole = tone(timbre, pitch, max(length for _, length, _ in copies) + len(tail), sample_rate)
        for begin, length, gain in copies:
            end = whole[length : length + len(tail)]
            _add(mix, begin, whole[:length], gain)
            _add(mix, begin + length, end * tail[: len(end)], gain)
    return mix


def _add(mix: Samples, begin: int, part: Samples, gain: float) -> None:
    part = part[: max(0, len(mix) - begin)]
    mix[begin : begin + len(part)] += np.float32(gain) * part
