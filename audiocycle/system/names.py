"""Names that people give: of speakers and genres, as folders, command lines, graphs and messages have to carry them; and of files."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

from audiocycle.errors import ConfigError

LONGEST_DOMAIN = 120
"""Bytes of a domain's name: two of them and what stands between have to fit into one file name."""
LONGEST_FILE = 255
"""Bytes of a file's name, as nearly all file systems have it."""

_JOINERS = "\u200c\u200d"
"""Without width; Persian and Indian names need them between two letters."""
_PUNCTUATION = "_- "


def normal_name(text: str) -> str:
    """A name as it is compared: composed (NFC). Folders that come from macOS spell ``é`` with two characters."""
    return unicodedata.normalize("NFC", text)


def expanded(name: str | Path) -> Path:
    """A path in which ``~`` and ``~somebody`` are their home folders.

    Raises:
        ConfigError: there is no such home.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{name}: the home folder that ~ stands for is not known; write the whole path, or ./~… for a name that begins so") from error


def check_domain_name(text: str, setting: str = "data.domains") -> str:
    """The name of a speaker or genre, composed (NFC).

    It holds letters, marks and digits of any script, ``_``, ``-`` and blanks, begins with a letter, a digit or ``_``, ends with no blank,
    and has :data:`LONGEST_DOMAIN` bytes or fewer. So it is one part of a path, no option, no control sequence, and no
    :class:`~audiocycle.spec.Direction`.

    Args:
        setting: what the error calls it.

    Raises:
        ConfigError: it is none.
    """
    name = normal_name(text)
    shown = name.encode("unicode_escape").decode("ascii") if not name.isprintable() else name
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_DOMAIN:
        raise ConfigError(f"{setting}: '{shown[:40]}…' is longer than {LONGEST_DOMAIN} bytes; rename the folder")
    allowed = all(_fits(name, place) for place in range(len(name)))
    if not allowed or not name or not (_is(name[0], "LN") or name[0] == "_") or name[-1] == " ":
        raise ConfigError(f"{setting}: '{shown}' may hold letters, digits, _, - and blanks only, and begins with none of the last two")
    return name


def as_domain_name(text: str, otherwise: str) -> str:
    """The nearest name that :func:`check_domain_name` takes; ``otherwise`` where nothing of ``text`` is left."""
    name = normal_name(text)
    kept = "".join(char if _fits(name, place) else "_" for place, char in enumerate(name))
    while kept and not _is(kept[0], "LN"):
        kept = kept[1:]
    return shortened(kept, LONGEST_DOMAIN).rstrip("_- ") or otherwise


def file_name(stem: str, ending: str, longest: int = LONGEST_FILE) -> str:
    """``stem + ending``; where that is longer than a file's name may be, the stem is cut, and a digest tells it from its like."""
    if _n_bytes(stem + ending) <= longest:
        return stem + ending
    digest = "~" + hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return shortened(stem, longest - _n_bytes(digest + ending)) + digest + ending


def shortened(text: str, n_bytes: int) -> str:
    """As much of the beginning as fits into so many bytes, whole characters with their marks."""
    end = len(text)
    while end and _n_bytes(text[:end]) > n_bytes:
        end -= 1
    while 0 < end < len(text) and _is(text[end], "M"):
        end -= 1
    return text[:end]


def _n_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))  # names of files need not be valid text


def _is(char: str, categories: str) -> bool:
    return unicodedata.category(char)[0] in categories


def _fits(name: str, place: int) -> bool:
    char = name[place]
    if char in _JOINERS:
        return 0 < place < len(name) - 1 and _is(name[place - 1], "LM") and _is(name[place + 1], "LM")
    return char in _PUNCTUATION or _is(char, "LMN")
