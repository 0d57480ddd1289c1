"""Errors that a user can cause, and how any error is told: in one line, which names the file (or option) and the remedy.

Options are named as Python has them: an error about one begins with ``name=value: ``, and all else puts the name into backticks, with a value where there is
one (``add `overwrite` to replace it``, ``use `runtime=torch```). A command line that shows messages has them written as its flags (:func:`options_written`).
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class AudioCycleError(Exception):
    """Base of every error that a user can cause and mend; the command line prints it without a traceback."""


class AudioCycleWarning(UserWarning):
    """Something given in memory was used otherwise than as it was; for files, records and reports say so."""


class InputError(AudioCycleError):
    """A file cannot be used: unreadable, not audio, empty, broken numbers."""


class DataError(AudioCycleError):
    """A data folder cannot be used for training: missing, too little material."""


class ConfigError(AudioCycleError):
    """An option has an unknown or impossible value."""


class DomainError(AudioCycleError):
    """A speaker or genre is unknown to the model, or the source is ambiguous."""


class BundleError(AudioCycleError):
    """A bundle is missing, damaged, or from a newer version."""


class OutputError(AudioCycleError):
    """An output cannot be written: exists, no space, no permission."""


class RunExistsError(OutputError):
    """A run's folder holds a run already, and nobody said what to do with it."""


class TrainingError(AudioCycleError):
    """Training stopped: a loss became NaN, or a checkpoint does not fit."""


def tell(note: str) -> None:
    """Say what is unusual about an item, as Python says such things, to who called the converter that calls the modality that calls this.

    Args:
        note: none where it is empty.

    Warns:
        AudioCycleWarning: the note.
    """
    if note:
        warnings.warn(note, AudioCycleWarning, stacklevel=4)


_writer: Callable[[str], str] | None = None


@contextmanager
def options_written(writer: Callable[[str], str]) -> Iterator[None]:
    """While inside, messages that this process shows have their options written by ``writer``."""
    global _writer
    before, _writer = _writer, writer
    try:
        yield
    finally:
        _writer = before


def worded(message: str) -> str:
    """A message that goes to people, with options as whoever shows it writes them: as they are, unless there is a command line."""
    return message if _writer is None else _writer(message)


def explain(error: Exception, name: str = "") -> str:
    """One line on an error: ours say what to do, others say what they are.

    Args:
        name: of what was in work, for errors that do not say.
    """
    if isinstance(error, AudioCycleError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or name or 'stdout'}: {error.strerror}"
    where = f"{name}: " if name else ""
    return f"{where}unexpected {type(error).__name__}: {one_line(error)}; run again with `debug`, and report what it shows"


JOINERS = "\u200c\u200d"
"""Without width; Persian and Indian names need them between two letters."""
LONGEST_LINE = 4000
"""Characters of what others wrote that are shown in one piece."""


def printable(text: object, lines: bool = False) -> str:
    """What others wrote (names, notes, messages that quote them) as letters that do nothing to a terminal or a page.

    Control characters, ESC among them, halves of letters, and marks that turn the direction of writing become escapes as Python
    writes them (``\\x1b``); all else, of any script, stays.

    Args:
        text: or what has a text.
        lines: it is of several lines, which stay lines.
    """
    whole = str(text)
    if len(whole) > LONGEST_LINE and not lines:
        whole = whole[: LONGEST_LINE - 1] + "…"
    return "".join(char if _harmless(char) or (lines and char == "\n") else char.encode("unicode_escape").decode("ascii") for char in whole)


def _harmless(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"  # blanks of other widths


def one_line(error: BaseException) -> str:
    """An exception's message without line breaks, and without a stop, as ours have none."""
    return " ".join(str(error).split()).rstrip(".")
