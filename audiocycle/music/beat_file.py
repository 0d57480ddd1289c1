"""Beats that somebody marked by hand or another program found: text, CSV or JSON with their times in seconds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError

MOST_BYTES = 4_000_000
LEAST_BEATS = 4
WAYS = "one beat a line, its time in seconds and, if you like, its number in the bar (1 begins a bar)"
_FIRST = re.compile(r"(?:db|downbeat|(?:\d+[.:])?1)", re.IGNORECASE)
"""A mark of a beat that begins a bar: 1, db, and as bar and beat 12.1 or 12:1."""


@dataclass(frozen=True)
class MarkedBeats:
    """What such a file holds.

    Attributes:
        time: (B,) seconds, increasing.
        first: (B,) which beats begin bars; None where the file does not say.
    """

    time: NDArray[np.float64]
    first: NDArray[np.bool_] | None


def read_beats(path: Path) -> MarkedBeats:
    """A file as Sonic Visualiser, Audacity and madmom write it (times, then labels, between tabs, commas or spaces), or JSON: a list of
    times, or ``{"beats": [...], "downbeats": [...]}``.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); beats=file, estimate, or a file of beats"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text; beats are {WAYS}") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{path}: is larger than {MOST_BYTES:,} bytes, and beats never are; give it {WAYS}")
    found = _of_json(text, path) if text.lstrip()[:1] in ("[", "{") else _of_lines(text, path)
    time = found.time
    if len(time) < LEAST_BEATS:
        raise InputError(f"{path}: holds {len(time)} beats, at least {LEAST_BEATS} are needed: {WAYS}")
    wrong = np.flatnonzero(~(np.diff(time) > 0))
    if not np.isfinite(time).all() or len(wrong):
        where = (
            f"beat {wrong[0] + 2} ({time[wrong[0] + 1]:g} s) is not later than the one before"
            if len(wrong)
            else "a time is no number"
        )
        raise InputError(f"{path}: {where}; sort its lines, and take out those that are there twice")
    return found


def _of_lines(text: str, path: Path) -> MarkedBeats:
    """The words of each line: a time, perhaps an end (Audacity), perhaps a label. A head of a table, and lines with # or other labels, are passed over."""
    times: list[float] = []
    marks: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = [word.strip("\"' ") for word in re.split(r"[\t,; ]+", line.strip()) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            time = float(words[0])
        except ValueError:
            if not times:
                continue
            raise InputError(
                f"{path}: line {number} begins with no time in seconds; beats are {WAYS}"
            ) from None
        rest = words[1:]
        if rest and rest[0] == words[0] and len(rest) > 1:  # where a label ends
            rest = rest[1:]
        times.append(time)
        marks.append(rest[0].split(",")[0] if rest else "")
    return _marked(times, [bool(_FIRST.fullmatch(mark)) for mark in marks])


def _of_json(text: str, path: Path) -> MarkedBeats:
    try:
        held: Any = json.loads(text)
        times, downbeats = (
            (held["beats"], held.get("downbeats", [])) if isinstance(held, dict) else (held, [])
        )
        beats, first = np.array(times, dtype=np.float64), np.array(downbeats, dtype=np.float64)
        if beats.ndim != 1 or first.ndim != 1:
            raise ValueError("no list of numbers")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f'{path}: is no list of times in seconds, and no {{"beats": [...], "downbeats": [...]}}; write one of these'
        ) from error
    apart = (
        np.abs(beats[:, None] - first).min(axis=1, initial=np.inf)
        if len(beats) * len(first) < MOST_BYTES
        else np.where(np.isin(beats, first), 0.0, np.inf)
    )
    return _marked(beats.tolist(), (apart < 1e-3).tolist())


def _marked(times: list[float], first: list[bool]) -> MarkedBeats:
    begins = np.array(first, dtype=bool)
    return MarkedBeats(
        np.array(times, dtype=np.float64), begins if begins.any() and not begins.all() else None
    )
