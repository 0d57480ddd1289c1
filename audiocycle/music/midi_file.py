"""Reading and writing MIDI files: anything that calls itself one becomes a score or an error of one line.

symusic reads and writes. It refuses files that differ from the standard in harmless ways; ``midi_repair`` rewrites those.
It accepts a few that mean nothing (a tempo of 0, a signature of 0/4); the same rewriting leaves such events out.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from symusic.core import ScoreTick

from audiocycle.atomic import whole_file
from audiocycle.errors import InputError, OutputError
from audiocycle.music.midi_channels import CHANNELS, share_channels
from audiocycle.music.midi_chunks import find_tracks
from audiocycle.music.midi_events import read_events, write_header, write_track
from audiocycle.music.midi_limits import LIMITS, Limits, check_score, check_writable, is_sane
from audiocycle.music.midi_repair import repaired

if TYPE_CHECKING:
    from pretty_midi import PrettyMIDI

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
"""File name endings that are taken for MIDI files when a folder is read."""

_SHORT_META = re.compile(rb"\xff(?:\x51[^\x03]|\x58[^\x04]|\x59[^\x02])")
"""A tempo or signature of the wrong length: symusic would read on into the next event. (Or bytes that look like one.)"""


def is_midi(path: Path) -> bool:
    """True when a folder scan should take this file."""
    return path.suffix.lower() in MIDI_SUFFIXES and not path.name.startswith(".")


def read_score(path: Path, limits: Limits = LIMITS) -> ScoreTick:
    """A MIDI file as a score in ticks; see :func:`score_from_bytes`.

    Raises:
        InputError: it cannot be opened, and as :func:`score_from_bytes`.
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
    return score_from_bytes(data, str(path), limits)


def score_from_bytes(data: bytes, name: str, limits: Limits = LIMITS) -> ScoreTick:
    """The content of a MIDI file as a score in ticks.

    A track is what one chunk of the file plays on one channel with one program. Of notes that overlap on one pitch, the
    first to begin is the first to end. Left out: notes that are never switched off, text events (the words of older karaoke
    files), system messages, and programs that are set in another chunk than the notes they are for.

    Raises:
        InputError: it is no MIDI file, is damaged, holds no notes, or is above one of ``limits``.
    """
    if len(data) > limits.max_bytes:
        raise InputError(f"{name}: is larger than {limits.max_bytes:,} bytes, the most that are read; split it")
    layout = find_tracks(data, name, limits)
    score = _strictly_read(data) if layout.by_the_book and not _SHORT_META.search(data) else None
    if score is None:
        score = _strictly_read(repaired(data, layout, name, limits))
    if score is None:
        raise InputError(f"{name}: is damaged; export it again from its source")
    check_score(score, name, limits)
    return score


def _strictly_read(data: bytes) -> ScoreTick | None:
    """What symusic reads, None when it refuses or when the result cannot be meant."""
    try:
        score = ScoreTick.from_midi(data)
    except (RuntimeError, ValueError):
        return None
    return score if is_sane(score) else None


def check_output(path: Path) -> None:
    """Find out before the work, not after it, that no program would take ``path`` for MIDI (and a preview might replace it).

    Raises:
        OutputError: unknown ending.
    """
    if path.suffix.lower() not in MIDI_SUFFIXES:
        raise OutputError(f"{path}: the result is a MIDI file; name it {path.with_suffix('.mid').name} (and add --preview for a sound)")


def write_score(path: Path, score: ScoreTick) -> None:
    """Write a MIDI file (format 1, one chunk a track) whole, or not at all.

    What :func:`read_score` gave is kept as it is. Of other scores, these are lost: pedals that are not among the controls
    as well, tracks without events, and which of several notes that overlap on one pitch of a track ends first.

    Raises:
        OutputError: another ending than MIDI's, no permission, no space, ``path`` is a folder, or the score has values that MIDI
            does not have.
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
    data: bytes = score.dumps_midi()
    drum_kits = {track.program for track in score.tracks if track.is_drum}
    if sum(not track.is_drum for track in score.tracks) <= len(CHANNELS) and len(drum_kits) <= 1:
        return data
    layout = find_tracks(data, name, Limits(max_tracks=len(score.tracks)))
    tracks = share_channels([list(read_events(data, begin, end))[:-1] for begin, end in layout.tracks])
    return write_header(len(tracks), score.ticks_per_quarter) + b"".join(map(write_track, tracks))


def from_pretty_midi(midi: PrettyMIDI) -> ScoreTick:
    """A pretty_midi object as a score, through a MIDI file in memory: seconds become ticks of ``midi.resolution``.

    Raises:
        InputError: it holds no notes, or is above the limits.
    """
    file = io.BytesIO()
    midi.write(file)
    return score_from_bytes(file.getvalue(), "PrettyMIDI object")


def to_pretty_midi(score: ScoreTick) -> PrettyMIDI:
    """A score as a pretty_midi object, through a MIDI file in memory.

    pretty_midi drops notes of no length, ends all notes of a pitch at once, and refuses more than ``MAX_TICK`` ticks: longer
    scores get fewer ticks a quarter note.

    Raises:
        OutputError: the score has values that MIDI does not have.
    """
    from pretty_midi import PrettyMIDI, pretty_midi

    if score.end() >= pretty_midi.MAX_TICK:
        score = score.resample(int(score.ticks_per_quarter * (pretty_midi.MAX_TICK - 1) / score.end()), 1)
    return PrettyMIDI(io.BytesIO(as_bytes(score, "score")))
