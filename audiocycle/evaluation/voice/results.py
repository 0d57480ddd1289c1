"""What an evaluation of voices found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from audiocycle.evaluation.measure import Row
from audiocycle.spec import FloatArray


@dataclass(frozen=True)
class VoiceExample:
    """A recording to look at and to listen to: what it sounds like in each row.

    Attributes:
        name, target_name: of the source's and the target's recording; equal where they are parallel.
        samples: by row, (N,) float32.
        f0: by row, (T,) Hz every 5 ms, 0 where unvoiced.
    """

    name: str
    target_name: str
    sample_rate: int
    samples: dict[str, FloatArray]
    f0: dict[str, FloatArray]


@dataclass(frozen=True)
class VoiceDirectionResult:
    """Results of one direction.

    Attributes:
        files, target_files: names of the source's and the target's recordings; the same where they are parallel.
        values: row to measure to one value for each of ``files``, or of ``target_files`` in the target's rows
            (:data:`~audiocycle.evaluation.voice.measures.OF_TARGET`); NaN where there is nothing to measure.
        rows: row to measure to the mean over files; without measures that no file of the row has.
        global_variance: row to (34,) mean over files of each coefficient's variance.
        texts: row to file to what the recogniser heard; empty without one.
        said: row to file to what a text is compared with; empty where that is the text itself.
        examples: a few files.
    """

    source: str
    target: str
    files: list[str]
    target_files: list[str]
    values: dict[str, dict[str, list[float]]]
    rows: dict[str, Row]
    global_variance: dict[str, FloatArray]
    texts: dict[str, dict[str, str]]
    said: dict[str, dict[str, str]]
    examples: list[VoiceExample]


@dataclass(frozen=True)
class VoiceEvaluation:
    """Results of a model.

    Attributes:
        sample_rate: Hz of the examples, the model's.
        parallel: recordings of one name are one sentence.
        directions: by name, ``"SF1->TM3"``.
        total: mean over the directions, by row.
        skipped: path to reason, of recordings that could not be used.
        missing: family of measures to why it was left out.
        training: how the model was trained, as its bundle says.
        recognizer: the recogniser's weights, the end of their folder's path or what it is called on the hub; empty without one.
        notes: path to what is unusual about a recording that was measured, such as a telephone's band.
    """

    model: str
    sample_rate: int
    parallel: bool
    directions: dict[str, VoiceDirectionResult]
    total: dict[str, Row]
    skipped: dict[str, str]
    missing: dict[str, str]
    training: dict[str, Any] = field(default_factory=dict)
    recognizer: str = ""
    notes: dict[str, str] = field(default_factory=dict)
