"""Networks that listen: a speaker encoder, a speech recogniser, a predictor of naturalness. Each may be missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from audiocycle.errors import ConfigError
from audiocycle.system import threads

SPEAKER, WORDS, NATURALNESS = "speaker similarity", "words", "naturalness"
"""Families of measures."""


@dataclass(frozen=True)
class Listeners:
    """Those that are at hand.

    Attributes:
        speaker: a :class:`~audiocycle.metrics.voice.speaker.SpeakerEncoder`.
        recognizer: a :class:`~audiocycle.metrics.voice.recognition.Recognizer`.
        naturalness: a :class:`~audiocycle.metrics.voice.naturalness.Naturalness`.
        missing: why a family is left out.
    """

    speaker: Any = None
    recognizer: Any = None
    naturalness: Any = None
    missing: dict[str, str] = field(default_factory=dict)


def load_listeners(recognizer: str | None = None, needs_words: bool = False) -> Listeners:
    """All listeners whose libraries and weights are there.

    Args:
        recognizer: the recogniser's weights, a folder, a size or ``hf:owner/name``; None takes those of an installed package.
        needs_words: words were asked for, and it is an error that they cannot be measured.

    Raises:
        ConfigError: the recogniser that was asked for cannot be had.
    """
    missing: dict[str, str] = {}

    def load(family: str, make: Callable[[], Any], needed: bool = False) -> Any:
        try:
            return make()
        except ConfigError as error:
            if needed:
                raise
            missing[family] = str(error)
            return None

    def speaker() -> Any:
        from audiocycle.metrics.voice.speaker import SpeakerEncoder

        return SpeakerEncoder()

    def words() -> Any:
        from audiocycle.metrics.voice.recognition import Recognizer

        return Recognizer(recognizer, threads=threads.available())

    def naturalness() -> Any:
        from audiocycle.metrics.voice.naturalness import Naturalness

        return Naturalness()

    return Listeners(
        load(SPEAKER, speaker),
        load(WORDS, words, needs_words or recognizer is not None),
        load(NATURALNESS, naturalness),
        missing,
    )
