"""Reading and writing MIDI files: anything that calls itself one becomes a song, or an error of one line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from symusic.core import ScoreTick

from audiocycle.errors import InputError, OutputError
from audiocycle.music.midi.limits import LIMITS, Limits, check_notes, check_writable
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.song import Song, song_from_bytes, song_to_bytes
from audiocycle.music.midi.strokes import find_strokes
from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
"""File name endings that are taken for MIDI files when a folder is read."""

def is_midi(path: Path) -> bool:
    """True when a folder scan should take this file."""
    return path.suffix.lower() in MIDI_SUFFIXES and not path.name.startswith(".")


def read_song(path: Path, limits: Limits = LIMITS) -> Song:
    """A MIDI file, every event of it; see :func:`song_from_bytes`.

    Raises:
        InputError: it cannot be opened, and as :func:`song_from_bytes`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, not a MIDI file") from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); copy it to another disk") from error
    return song_from_bytes(data, str(path), limits)


def read_piped(stream: BinaryIO, name: str, limits: Limits = LIMITS) -> Song:
    """A MIDI file from a pipe, of which no more is read than a file may have.

    Raises:
        InputError: as :func:`song_from_bytes`.
    """
    return song_from_bytes(stream.read(limits.max_bytes + 1), name, limits)


def read_score(path: Path, limits: Limits = LIMITS) -> ScoreTick:
    """What a MIDI file plays, as a score in ticks; see :func:`score_from_bytes`.

    Raises:
        InputError: as :func:`read_song` and :func:`score_from_bytes`.
    """
    return _checked(read_song(path, limits), str(path), limits)


def score_from_bytes(data: bytes, name: str, limits: Limits = LIMITS) -> ScoreTick:
    """What a MIDI file plays, as a score in ticks; see :func:`~audiocycle.music.midi.score.score_of`.

    Raises:
        InputError: as :func:`song_from_bytes` and :func:`~audiocycle.music.midi.score.score_of`, and if it holds no notes.
    """
    return _checked(song_from_bytes(data, name, limits), name, limits)


def _checked(song: Song, name: str, limits: Limits) -> ScoreTick:
    strokes = find_strokes(song.chunks)
    check_notes(len(strokes), name, limits)
    return score_of(song, strokes, name, limits)


def check_output(path: Path) -> None:
    """Find out before the work, not after it, that no program would take ``path`` for MIDI (and a preview might replace it).

    Raises:
        OutputError: unknown ending.
    """
    if path.suffix.lower() not in MIDI_SUFFIXES:
        raise OutputError(f"{path}: the result is a MIDI file; name it {path.with_suffix('.mid').name} (and add `preview` for a sound)")


def write_song(path: Path, song: Song) -> None:
    """Write a MIDI file whole, or not at all.

    Raises:
        OutputError: another ending than MIDI's, no permission, no space, or ``path`` is a folder.
    """
    check_output(path)
    with whole_file(path) as temporary:
        temporary.write_bytes(song_to_bytes(song))


def write_score(path: Path, score: ScoreTick) -> None:
    """Write a score as a MIDI file (format 1, one chunk a track) whole, or not at all.

    Lost are which of several notes that overlap on one pitch of a track ends first and, where there are sustain controllers (64),
    pedals that are not among them.

    Raises:
        OutputError: as :func:`write_song`, and if the score has values that MIDI does not have.
    """
    check_output(path)
    data = as_bytes(score, str(path))
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def as_bytes(score: ScoreTick, name: str) -> bytes:
    """The bytes of a MIDI file; tracks that have to share a channel keep their programs.

    Raises:
        OutputError: the score has values that MIDI does not have.
    """
    check_writable(score, name)
    return song_to_bytes(song_of(score))


def from_pretty_midi(midi: PrettyMIDI) -> Song:
    """A pretty_midi object as a song, through a MIDI file in memory: seconds become ticks of ``midi.resolution``.

    Raises:
        InputError: it is above the limits, or has names or values that pretty_midi cannot write.
    """
    file = io.BytesIO()
    try:
        midi.write(file)
    except UnicodeEncodeError:
        raise InputError(
            "PrettyMIDI object: pretty_midi writes only Western European names and lyrics; rename them"
        ) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"PrettyMIDI object: cannot be written as MIDI ({error}); correct it") from error
    return song_from_bytes(file.getvalue(), "PrettyMIDI object", LIMITS)


def to_pretty_midi(song: Song) -> PrettyMIDI:
    """A song as a pretty_midi object, through a MIDI file in memory.

    pretty_midi drops notes of no length, ends all notes of a pitch at once, and refuses more than ``MAX_TICK`` ticks: longer
    songs get fewer ticks a quarter note.
    """
    from pretty_midi import PrettyMIDI, pretty_midi

    if song.last >= pretty_midi.MAX_TICK:
        score = score_of(song, name="PrettyMIDI object")
        fewer = score.resample(int(score.ticks_per_quarter * (pretty_midi.MAX_TICK - 1) / song.last), 1)
        song = song_of(fewer)
    return PrettyMIDI(io.BytesIO(song_to_bytes(song)))
