"""How large a score may be, and the checks that it keeps to that. What has passed them needs no fear further on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiocycle.errors import InputError, OutputError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

LONGEST_TICKS = (1 << 28) - 1
"""The longest time that a MIDI file can put between two events; a score that is no longer can always be written."""


@dataclass(frozen=True)
class Limits:
    """The largest score that is read. A file above a limit is refused with the limit's value, never cut.

    Attributes:
        max_bytes: size of the file; 200,000 notes take about 1.6 MB.
        max_tracks: tracks of a file, and of the score that it is (a track counts once for each channel and program that it plays).
        max_notes: notes in all tracks together.
        max_quarters: length in quarter notes, which decides how large a piano roll becomes: 40,000 are
            10,000 bars of 4/4, or 5.5 hours at 120 beats a minute.
        max_moves: controllers and bends of a score, in which each track has all those of its channel: one channel's are told
            again for each program and chunk that plays on it.
    """

    max_bytes: int = 4 << 20
    max_tracks: int = 256
    max_notes: int = 200_000
    max_quarters: int = 40_000
    max_moves: int = 4_000_000


LIMITS = Limits()
"""Those that hold where nothing else is said."""


def check_tracks(n_tracks: int, name: str, limits: Limits) -> None:
    """Refuse too many tracks.

    Raises:
        InputError: there are more than ``limits.max_tracks``.
    """
    if n_tracks > limits.max_tracks:
        raise InputError(f"{name}: has more than the {limits.max_tracks:,} tracks that are read; merge or remove some")


def check_moves(n_moves: int, name: str, limits: Limits) -> None:
    """Refuse too many controllers and bends.

    Raises:
        InputError: there are more than ``limits.max_moves``.
    """
    if n_moves > limits.max_moves:
        raise InputError(
            f"{name}: its tracks share {n_moves:,} controllers and bends, more than the {limits.max_moves:,} that are read; "
            "thin them out, or merge tracks"
        )


def check_length(ticks: int, per_quarter: int, name: str, limits: Limits) -> None:
    """Refuse too long a time.

    Raises:
        InputError: it is more than ``limits.max_quarters``, or than ``LONGEST_TICKS``.
    """
    if ticks > limits.max_quarters * per_quarter:
        raise InputError(
            f"{name}: lasts {ticks / per_quarter:,.0f} quarter notes, more than the {limits.max_quarters:,} that are read; "
            "split it, or remove what lies far behind its end"
        )
    if ticks > LONGEST_TICKS:
        raise InputError(f"{name}: lasts {ticks:,} ticks, more than {LONGEST_TICKS:,}; export it with fewer a quarter note")


def check_score(score: ScoreTick, name: str, limits: Limits) -> None:
    """Refuse a score that is empty or too large.

    Raises:
        InputError: it holds no note, more of something than ``limits`` allow, or times that no file can hold.
    """
    check_tracks(len(score.tracks), name, limits)
    check_notes(score.note_num(), name, limits)
    check_length(score.end(), score.ticks_per_quarter, name, limits)


def check_notes(n_notes: int, name: str, limits: Limits) -> None:
    """Refuse no notes, and too many.

    Raises:
        InputError: there is none, or there are more than ``limits.max_notes``.
    """
    if n_notes == 0:
        raise InputError(f"{name}: holds no notes (those that are never switched off do not count); choose another file")
    if n_notes > limits.max_notes:
        raise InputError(f"{name}: has {n_notes:,} notes, more than the {limits.max_notes:,} that are read; split it")


def is_sane(score: ScoreTick) -> bool:
    """False when a time or value cannot be meant: bars and seconds could not be worked out."""
    tempos, signatures, keys = score.tempos.numpy(), score.time_signatures.numpy(), score.key_signatures.numpy()
    return bool(
        score.start() >= 0
        and np.all(tempos["mspq"] > 0)
        and np.all(signatures["numerator"] > 0)
        and np.all(signatures["denominator"] > 0)
        and np.all(np.abs(keys["key"].astype(int)) <= 7)
        and np.all(np.isin(keys["tonality"], (0, 1)))
    )


def check_writable(score: ScoreTick, name: str) -> None:
    """Refuse a score that a MIDI file cannot hold: its bytes would mean something else.

    Raises:
        OutputError: a time, note, program, controller, bend, tempo or signature has a value that MIDI does not have.
    """
    tempo, signatures = score.tempos.numpy()["mspq"], score.time_signatures.numpy()
    notes = [track.notes.numpy() for track in score.tracks]
    denominators = signatures["denominator"].astype(int)
    controls, bends, pedals = (
        [getattr(track, what).numpy() for track in score.tracks] for what in ("controls", "pitch_bends", "pedals")
    )
    for is_right, what in (
        (0 < score.ticks_per_quarter < 1 << 15, "1 to 32,767 ticks a quarter note"),
        (score.start() >= 0 and score.end() <= LONGEST_TICKS, f"times of 0 to {LONGEST_TICKS:,} ticks"),
        (all(np.all(each["duration"] >= 0) for each in notes), "notes that end no earlier than they begin"),
        (all(np.all(each["pitch"] >= 0) for each in notes), "pitches of 0 to 127"),
        (all(np.all(each["velocity"] > 0) for each in notes), "velocities of 1 to 127"),
        (all(track.program < 128 for track in score.tracks), "programs of 0 to 127"),
        (all(max(each["number"].max(initial=0), each["value"].max(initial=0)) < 128 for each in controls), "controllers of 0 to 127"),
        (all(np.all(np.abs(each["value"] + 0.5) < 1 << 13) for each in bends), "pitch bends of -8,192 to 8,191"),
        (all(np.all(each["duration"] >= 0) for each in pedals), "pedals that go up no earlier than down"),
        (np.all((tempo > 0) & (tempo < 1 << 24)), "tempos above 3.58 quarter notes a minute"),
        (np.all(signatures["numerator"] > 0), "time signatures of at least one beat"),
        (np.all((denominators > 0) & (denominators & (denominators - 1) == 0)), "time signatures over a power of two"),
    ):
        if not is_right:
            raise OutputError(f"{name}: cannot be written, a MIDI file holds only {what}; change the score")
