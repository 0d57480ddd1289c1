"""Results of a voice model that nobody measured, small, with names that a careless page would stumble over."""

from __future__ import annotations

import numpy as np

from audiocycle.evaluation.measure import Row
from audiocycle.evaluation.voice.measures import (
    CONVERTED,
    MATCHED,
    OF_TARGET,
    ROWS,
    SOURCE_COPY,
    TARGET,
    TARGET_COPY,
    UNCONVERTED,
)
from audiocycle.evaluation.voice.results import VoiceDirectionResult, VoiceEvaluation, VoiceExample
from audiocycle.metrics.estimates import Estimate, estimate
from audiocycle.spec import FloatArray

SAMPLE_RATE = 16000
FILES = ["one", '<img src=x onerror="boom()">', 'it\'s "two" & </script>']
MEASURES = {  # measure: value in each of ROWS; None: does not exist there
    "mcd_sptk": (7.25, 8.91, 8.54, 8.95, 2.0, None),
    "global_variance_ratio": (0.5, 1.1, 1.2, 0.9, 1.0, 1.0),
    "log_f0_rmse_cents": (212.0, 1150.0, 356.0, 1148.0, 40.0, None),
    "log_f0_correlation": (0.4, 0.4, 0.43, 0.45, 0.99, None),
    "vuv_error": (0.2, 0.2, 0.2, 0.2, 0.07, None),
    "duration_error": (0.3, 0.3, 0.3, 0.3, 0.01, None),
    "loudness_difference": (-0.01, 0.0, 0.3, 0.1, 0.0, 0.0),
    "nearer_target": (1.0, 0.0, 0.0, 0.0, 1.0, 1.0),
    "similarity_target": (0.8, 0.5, 0.6, 0.5, 0.9, 0.95),
    "wer": (0.25, None, 0.0, 0.0, 0.0, None),
    "p808": (3.4, 3.7, 3.6, 3.6, 3.6, 3.8),
    "new_measure": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
}
SAID = "the quick brown fox jumps"


def tone(seconds: float, hertz: float) -> FloatArray:
    """A sine that begins and ends softly."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(0.5 * np.sin(np.pi * time / seconds) * np.sin(2 * np.pi * hertz * time), np.float32)


def example(name: str, other: str) -> VoiceExample:
    """Tones of one second, or 0.7 of the target's; F0 with a gap."""
    seconds = {row: 0.7 if row in OF_TARGET else 1.0 for row in ROWS}
    tracks = {row: np.where(np.arange(round(200 * seconds[row])) % 50 < 40, 150.0, 0.0) for row in ROWS}
    return VoiceExample(name, other, SAMPLE_RATE, {row: tone(seconds[row], 300.0 + 100 * i) for i, row in enumerate(ROWS)}, tracks)


def direction(source: str, target: str, examples: int) -> VoiceDirectionResult:
    """All rows, of three files."""
    spread = (-0.05, 0.0, 0.05)
    values: dict[str, dict[str, list[float]]] = {row: {} for row in ROWS}
    rows: dict[str, Row] = {row: {} for row in ROWS}
    for measure, means in MEASURES.items():
        for row, mean in zip(ROWS, means, strict=True):
            values[row][measure] = [float("nan") if mean is None else mean + offset for offset in spread]
            if mean is not None:
                rows[row][measure] = estimate([[value] for value in values[row][measure]], [1.0] * 3)
    texts = {row: dict.fromkeys(FILES, "The quick brown fox jumps.") for row in ROWS}
    texts[CONVERTED] = dict.fromkeys(FILES, "the quick <b>brow</b> fox")
    said = {row: dict.fromkeys(FILES, SAID) for row in ROWS if row not in (UNCONVERTED, TARGET)}
    variance = {row: np.geomspace(0.1, 0.001, 34) * (0.5 if row == CONVERTED else 1.0) for row in ROWS}
    sounds = [example(name, name) for name in FILES[1 : 1 + examples]]
    return VoiceDirectionResult(source, target, FILES, FILES, values, rows, variance, texts, said, sounds)


NOTES = {"/data/A/<odd>.wav": "<odd>.wav: holds nothing above 3.8 kHz, and the model hears up to 8 kHz"}


def small_evaluation(examples: int = 1, parallel: bool = True) -> VoiceEvaluation:
    """Two directions."""
    directions = {"A->B": direction("A", "B", examples), "B->A": direction("B", "A", examples)}
    total: dict[str, dict[str, Estimate]] = directions["A->B"].rows
    skipped = {"/data/A/<bad>.wav": "<bad>.wav: holds no samples"}
    missing = {"naturalness": "speechmos is not installed; pip install 'audiocycle[eval]'"}
    return VoiceEvaluation('A-B <tiny> & "co"', SAMPLE_RATE, parallel, directions, total, skipped, missing, {"steps": 7}, notes=NOTES)


__all__ = ["CONVERTED", "FILES", "MATCHED", "MEASURES", "SOURCE_COPY", "TARGET_COPY", "small_evaluation"]
