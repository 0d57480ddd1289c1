"""Scores as audio, for people who want to hear a transfer without opening a sequencer.

midirenderer plays them, a SoundFont synthesizer, with TimGM6mb, the General MIDI instruments that pretty_midi brings. It is given a
file that is written here and holds what is heard, never a stranger's: what it does with damaged files, or with days of silence, is no matter.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, OutputError
from audiocycle.music.midi.events import CONTROL, END, META, SYSEX, Event
from audiocycle.music.midi.score import song_of
from audiocycle.music.midi.song import Song, song_to_bytes
from audiocycle.spec import Signal
from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    from symusic.core import ScoreTick

RATE = 48000
"""Hz; the synthesizer knows no other."""
PREVIEW_SECONDS = 300.0
"""A preview ends here unless told otherwise: the synthesizer takes about a megabyte for each second."""
PEAK = 0.89
"""The loudest sample of a preview: 1 dB below full scale."""
SUFFIXES = (".wav", ".flac", ".ogg")
"""File name endings that a preview may have."""
FONT = "TimGM6mb.sf2"

_TAIL = 2.0  # seconds for the last notes to die away
_LONGEST_PEDAL = 8.0  # seconds; what a pedal holds longer behind the last note is not heard any more
_FADE = 0.5  # seconds, at the end: of a score that goes on, or of what still rings
_PER_QUARTER = (
    RATE // 2
)  # ticks, at the 120 quarter notes a minute that MIDI has where nothing is said: a tick is a sample
_VOLUME, _USUAL_VOLUME, _QUIETER = (
    7,
    100,
    0.4,
)  # a controller, its value where none is set, and by what it is multiplied: -16 dB
_N_CHANNELS = 16
_DATA_ENTRY, _WIDEST_BEND = (
    6,
    24,
)  # a controller that says how far bends go, in semitones; where they go much further the synthesizer breaks off
_FULL_SCALE = 1 << 15
_VORBIS_BLOCK = 1 << 16  # libsndfile's Vorbis keeps a write on its stack, and overflows it


def render_audio(score: ScoreTick, sample_rate: int = RATE, seconds: float = PREVIEW_SECONDS) -> Signal:
    """Play a score: notes, velocities, programs, drums, pedals, controllers and bends, averaged to mono.

    Parameters:
        score: in ticks; time 0 of the audio is tick 0.
        sample_rate: in Hz, 8000 to 96000.
        seconds: a longer score is faded out here.

    Returns:
        float32 samples, the loudest at :data:`PEAK`. A score without a note gives a short silence.

    Raises:
        ConfigError: see :func:`check_synthesizer`; also a rate or length out of range.
    """
    if not 8000 <= sample_rate <= 96000:
        raise ConfigError(f"cannot play at {sample_rate} Hz; use a sample rate from 8000 to 96000")
    if not seconds > 0.0:
        raise ConfigError(f"cannot play {seconds:g} seconds; give more than 0")
    font = check_synthesizer().read_bytes()
    song = song_of(score)
    end = _end(score, song)
    n_samples = round(min(seconds, end + _TAIL) * RATE)
    samples = _played(font, _as_heard(song, n_samples), n_samples)
    n_fade = min(n_samples, round(_FADE * RATE))
    samples[n_samples - n_fade :] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    if sample_rate != RATE:
        import soxr

        samples = soxr.resample(samples, RATE, sample_rate)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 0.0:
        samples *= np.float32(PEAK / peak)
    return Signal(samples, sample_rate)


def write_preview(
    path: Path, score: ScoreTick, sample_rate: int = RATE, seconds: float = PREVIEW_SECONDS
) -> None:
    """Write what :func:`render_audio` plays, whole or not at all; the ending picks the format, 16 bit.

    Raises:
        OutputError: an unknown ending (:data:`SUFFIXES`), no permission, no space.
        ConfigError: see :func:`render_audio`.
    """
    import soundfile

    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise OutputError(f"{path}: a preview cannot end in '{path.suffix}'; use {', '.join(SUFFIXES)}")
    signal = render_audio(score, sample_rate, seconds)
    with whole_file(path) as temporary:
        name = (
            str(temporary) if os.name == "nt" else os.fsencode(temporary)
        )  # bytes: a name may be no valid UTF-8
        try:
            with soundfile.SoundFile(name, "w", sample_rate, 1, format=kind[1:].upper()) as sound:
                for begin in range(0, len(signal.samples), _VORBIS_BLOCK):
                    sound.write(signal.samples[begin : begin + _VORBIS_BLOCK])
        except (RuntimeError, AssertionError) as error:  # soundfile asserts that all was written
            reason = str(error).rsplit(": ", 1)[-1].rstrip(".") or "out of space"
            raise OutputError(
                f"{path}: cannot be written ({reason}); free some space, or use .wav"
            ) from error


def check_synthesizer() -> Path:
    """The soundfont that scores are played with; asked before the work, since either may be missing.

    Raises:
        ConfigError: there is no synthesizer, or no soundfont.
    """
    if importlib.util.find_spec("midirenderer") is None:
        raise ConfigError(
            "sounds of MIDI files are made by midirenderer, which is not installed: pip install midirenderer"
        )
    found = importlib.util.find_spec("pretty_midi")  # where it lies; importing it takes its time
    font = Path(found.origin).with_name(FONT) if found and found.origin else None
    if font is None or not font.is_file():
        raise ConfigError(
            f"sounds of MIDI files are made with {FONT}, which pretty_midi brings, but not this one: pip install 'pretty_midi>=0.2.10,<0.3'"
        )
    return font


def _end(score: ScoreTick, song: Song) -> float:
    """Seconds until the last note ends, or the pedal that holds it; none without a note."""
    tables = [track.notes.numpy() for track in score.tracks]
    end = max(
        (int((table["time"] + table["duration"]).max()) for table in tables if len(table["time"])), default=0
    )
    pedals = [
        pedal.end
        for track in score.tracks
        if len(track.notes)
        for pedal in track.pedals
        if pedal.time < end < pedal.end
    ]
    last, held = song.seconds(np.array([end, max(pedals, default=end)])).tolist()
    return float(min(held, last + _LONGEST_PEDAL))


def _as_heard(song: Song, n_samples: int) -> Song:
    """The events of a song that a synthesizer knows, up to a sample; a tick is a sample."""
    chunks = []
    for chunk in song.chunks:
        events = [event for event in chunk if event.status < SYSEX and not _is_wide(event)]
        ticks = np.rint(song.seconds(np.array([event.tick for event in events], np.int64)) * RATE).tolist()
        heard = [
            event._replace(tick=max(0, int(tick)))
            for event, tick in zip(events, ticks, strict=True)
            if tick < n_samples
        ]
        chunks.append([*heard, Event(n_samples, META, END, b"")])
    return Song(1, _PER_QUARTER, _PER_QUARTER, chunks)


def _is_wide(event: Event) -> bool:
    return event.status >> 4 == CONTROL and event.body[0] == _DATA_ENTRY and event.body[1] > _WIDEST_BEND


def _played(font: bytes, song: Song, n_samples: int) -> NDArray[np.float32]:
    """(n_samples,) of a song as :func:`_as_heard` makes it, quieter where it would be clipped at full scale."""
    import midirenderer

    for quieter in (False, True):
        try:
            wave = midirenderer.render_wave_from(font, song_to_bytes(_quieter(song) if quieter else song))
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's, which is no Exception
                raise
            raise ConfigError("`preview`: the synthesizer cannot play these notes; leave it out") from error
        stereo = np.frombuffer(wave, "<i2", offset=44).reshape(-1, 2)  # its header has 44 bytes
        if max(int(stereo.max(initial=0)), -int(stereo.min(initial=0))) < _FULL_SCALE - 1:
            break
    samples = np.zeros(n_samples, np.float32)
    length = min(n_samples, len(stereo))
    samples[:length] = stereo[:length].mean(axis=1, dtype=np.float32) / np.float32(_FULL_SCALE)
    return samples


def _quieter(song: Song) -> Song:
    """The song with all its volumes turned down."""
    usual = [
        Event(0, CONTROL << 4 | channel, 0, bytes([_VOLUME, round(_USUAL_VOLUME * _QUIETER)]))
        for channel in range(_N_CHANNELS)
    ]
    first, *others = [list(_turned_down(chunk)) for chunk in song.chunks]
    return Song(1, _PER_QUARTER, _PER_QUARTER, [[*usual, *first], *others])


def _turned_down(chunk: list[Event]) -> Iterator[Event]:
    for event in chunk:
        is_volume = event.status >> 4 == CONTROL and event.body[0] == _VOLUME
        yield event._replace(body=bytes([_VOLUME, round(event.body[1] * _QUIETER)])) if is_volume else event
