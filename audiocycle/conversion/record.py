"""What happened to one file, and which files belong to one output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audiocycle.errors import ConfigError, worded
from audiocycle.modality import Modality
from audiocycle.system.names import file_name


@dataclass(frozen=True)
class Record:
    """What happened to one file. ``status`` is converted, kept (the output was there) or failed.

    ``details`` are the modality's counts (see :class:`~audiocycle.spec.Outcome`); ``note`` says what was unusual about the input, and ``why_kept`` why
    an output was kept that this run would make differently. In the report of a folder there are hashes too: of the input, the model and the options that
    the output was made from, and of the ``files`` made, by name.
    """

    input: str
    output: str
    status: str
    audio_seconds: float = 0.0
    seconds: float = 0.0
    error: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    why_kept: str = ""
    input_hash: str = ""
    model_hash: str = ""
    options_hash: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of audio; 0 when unknown."""
        return self.seconds / self.audio_seconds if self.audio_seconds else 0.0

    def worded(self) -> Record:
        """The same with options as whoever shows it writes them (:func:`audiocycle.errors.worded`)."""
        return replace(self, error=worded(self.error), note=worded(self.note), why_kept=worded(self.why_kept))

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` and ``report.jsonl`` have it."""
        return vars(self) | {"real_time_factor": round(self.real_time_factor, 4)}


def extras_of(output: Path, modality: Modality, plot: bool, preview: bool, score: bool = False) -> list[Path]:
    """The files that are asked for beside an output: a picture, a sound, a score.

    Raises:
        ConfigError: a preview of what is sound itself, or a score of what has none.
    """
    if preview and not modality.preview_suffix:
        raise ConfigError("`preview`: the output is sound already; leave it out")
    if score and not modality.score_suffix:
        raise ConfigError("`score`: only music can be written as notes; leave it out")
    extras = ((".png", plot), (modality.preview_suffix, preview), (modality.score_suffix, score))
    return [beside(output, end) for end, wanted in extras if wanted]


def beside(output: Path, ending: str) -> Path:
    """The file of another kind that belongs to an output."""
    return output.with_name(file_name(output.stem, ending))
