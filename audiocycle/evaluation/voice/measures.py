"""The measures and rows of an evaluation of voices, with what each is: everything that prints one takes it from here."""

from __future__ import annotations

from audiocycle.evaluation.measure import EVERYWHERE, HIGHER, LOWER, Measure, Place, TableLayout
from audiocycle.evaluation.voice.listeners import NATURALNESS, SPEAKER, WORDS
from audiocycle.metrics.voice import (
    duration,
    global_variance,
    loudness,
    mcd,
    modulation,
    naturalness,
    pitch,
    recognition,
    speaker,
)

CONVERTED, UNCONVERTED, MATCHED = "converted", "no conversion", "matched envelopes"
SOURCE_COPY, TARGET_COPY, TARGET = "copy-synthesis of source", "copy-synthesis of target", "target's own"
ROWS = {
    CONVERTED: "what the model makes of the source speaker's recordings.",
    UNCONVERTED: "the source's recordings as they are: what doing nothing would score.",
    MATCHED: "pitch, and mean and variance of the envelope, set to the target's: what a line of statistics would score.",
    SOURCE_COPY: "the source's recordings through the vocoder alone: what its sound costs.",
    TARGET_COPY: "the target's recordings through the vocoder alone: what a perfect conversion could reach.",
    TARGET: "the target's own recordings.",
}
"""Row to what it is."""
OF_TARGET = (TARGET_COPY, TARGET)
"""Rows whose sounds are the target's; those of all others are made of the source's recordings."""
CONVERSIONS = (CONVERTED, UNCONVERTED, MATCHED)
"""What a user could have; the best of them is marked. The other rows are what the vocoder and a perfect conversion would reach."""

COUNTERPARTS = "counterparts"
"""What distances need: the target's recording of the same sentence."""

ROWS_DEFINITION = (
    "Rows: converted: what audiocycle convert gives by its defaults, at the model's sample rate. No conversion: the source's "
    "recordings. Matched envelopes: what convert gives with a network that changes nothing: coefficients and log-F0 moved from the source's "
    "training mean and deviation to the target's, loudness and c0 as convert does, rendered, so that vocoding is in its figures. "
    "Copy-synthesis: a recording analysed and rendered again by the model's own adapter and renderer (WORLD, for WORLD models). "
    "Target's own: its held-out recordings."
)
SPEAKER_DEFINITION = (
    "The recording that a sound is made of is left out of its speaker's mean. Share: similarity to the target divided by the mean "
    "of the target's own recordings'."
)
WORDS_DEFINITION = (
    "Words of the reference: the transcript, or, without one, what the recogniser hears in the recording that the sound is made of "
    "(so that a recording itself has no error rate then)."
)
DROP_DEFINITION = "P808 drop: how much less P808 is than that of the source's copy-synthesis, file by file."
INTERVALS_DEFINITION = (
    "95 % intervals: bootstrap over files (percentiles of 2,000 draws), for one training. Means are over files, of error rates over "
    "words (characters). Files without a value do not count. Total: mean of both directions; parallel files are drawn together."
)
DEFINITIONS = {
    "rows": ROWS_DEFINITION,
    "mcd_sptk": mcd.DEFINITION,
    "mcd_world": mcd.CODED_DEFINITION,
    "modulation_distance": modulation.DEFINITION,
    "global_variance": global_variance.DEFINITION,
    "pitch": pitch.DEFINITION,
    "duration": duration.DEFINITION,
    "loudness": loudness.DEFINITION,
    SPEAKER: f"{speaker.DEFINITION} {SPEAKER_DEFINITION}",
    WORDS: f"{recognition.DEFINITION} {WORDS_DEFINITION}",
    NATURALNESS: f"{naturalness.DEFINITION} {DROP_DEFINITION}",
    "intervals": INTERVALS_DEFINITION,
}
"""Exactly what is measured, in the order in which it is printed."""

ENVELOPE, MELODY, VOICE, SENTENCE = "Envelope", "Pitch, time and level", "Speaker", "Words and naturalness"
TEXT_TABLES = ((ENVELOPE, MELODY), (VOICE, SENTENCE))
"""Families that stand side by side in a terminal."""

MEASURES = (
    Measure(
        "mcd_sptk", ENVELOPE, "MCD (SPTK)", "dB", 2, LOWER,
        "Mel-cepstral distortion to the target's recording of the sentence.",
        definition="mcd_sptk", needs=COUNTERPARTS, heading="MCD dB", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "mcd_world", ENVELOPE, "MCD (WORLD)", "dB", 2, LOWER,
        "The same with WORLD's coded envelope; not to be compared with the SPTK one.",
        definition="mcd_world", needs=COUNTERPARTS, heading="WORLD-MCD", places=Place.TABLE,
    ),
    Measure(
        "modulation_distance", ENVELOPE, "modulation spectrum", "dB", 2, LOWER,
        "How differently the envelope moves: smeared speech moves too little.",
        definition="modulation_distance", needs=COUNTERPARTS, heading="mod. dB",
    ),
    Measure(
        "global_variance_ratio", ENVELOPE, "global variance", "ratio", 2, 1.0,
        "How lively the envelope is, beside the target; below 1 it is over-smoothed.",
        definition="global_variance", heading="GV ratio",
    ),
    Measure(
        "log_f0_rmse_cents", MELODY, "F0 error", "cents", 0, LOWER,
        "Root mean square difference of pitch.",
        definition="pitch", needs=COUNTERPARTS, heading="F0 cents",
    ),
    Measure(
        "log_f0_correlation", MELODY, "F0 correlation", "", 2, HIGHER,
        "Whether the melody goes the target's way.",
        definition="pitch", needs=COUNTERPARTS, heading="F0 corr.",
    ),
    Measure(
        "vuv_error", MELODY, "voicing error", "%", 1, LOWER,
        "Share of frames voiced in one and not in the other.", 100.0,
        definition="pitch", needs=COUNTERPARTS, heading="V/UV %", places=Place.TABLE,
    ),
    Measure(
        "duration_error", MELODY, "duration error", "%", 1, LOWER,
        "Difference of the lengths of speech, beside the target's.", 100.0,
        definition="duration", needs=COUNTERPARTS, heading="time %", places=Place.TABLE,
    ),
    Measure(
        "loudness_difference", MELODY, "loudness", "LU", 1, 0.0,
        "How much louder than the recording that it was made of.",
        definition="loudness", heading="LU", places=Place.TABLE,
    ),
    Measure(
        "similarity_target", VOICE, "like the target", "cosine", 2, HIGHER,
        "Similarity of a speaker encoder's opinion to the target's.",
        definition=SPEAKER, needs=SPEAKER, heading="to target", places=Place.TABLE | Place.CHART,
    ),
    Measure(
        "similarity_source", VOICE, "like the source", "cosine", 2, LOWER,
        "The same to the source speaker.",
        definition=SPEAKER, needs=SPEAKER, heading="to source", places=Place.TABLE,
    ),
    Measure(
        "similarity_share", VOICE, "share of own", "%", 0, HIGHER,
        "Likeness to the target, as a share of what its own other recordings reach.", 100.0,
        definition=SPEAKER, needs=SPEAKER, heading="share %",
    ),
    Measure(
        "nearer_target", VOICE, "nearer the target", "% of files", 0, HIGHER,
        "Nearer the target speaker than the source.", 100.0,
        definition=SPEAKER, needs=SPEAKER, heading="nearer %",
    ),
    Measure(
        "wer", SENTENCE, "word errors", "%", 1, LOWER,
        "Words that the recogniser got wrong.", 100.0,
        definition=WORDS, needs=WORDS, heading="WER %", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "cer", SENTENCE, "letter errors", "%", 1, LOWER,
        "The same in letters.", 100.0,
        definition=WORDS, needs=WORDS, heading="CER %", places=Place.TABLE,
    ),
    Measure(
        "p808", SENTENCE, "DNSMOS P808", "1–5", 2, HIGHER,
        "Predicted naturalness. The figure to read.",
        definition=NATURALNESS, needs=NATURALNESS, heading="P808", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "ovrl", SENTENCE, "DNSMOS OVRL", "1–5", 2, HIGHER,
        "Predicted quality; hardly notices over-smoothing.",
        definition=NATURALNESS, needs=NATURALNESS, heading="OVRL", places=Place.TABLE,
    ),
    Measure(
        "p808_drop", SENTENCE, "P808 lost", "", 2, LOWER,
        "Less than the copy-synthesis of the source.",
        definition=NATURALNESS, needs=NATURALNESS, heading="drop",
    ),
)  # fmt: skip

LAYOUT = TableLayout(
    MEASURES,
    tuple(ROWS),
    classes={row: f"r{place}" for place, row in enumerate(ROWS)},
    roles={row: "model" if row == CONVERTED else "baseline" if row in CONVERSIONS else "ceiling" for row in ROWS},
    contenders=CONVERSIONS,
    with_intervals=(CONVERTED,),
    over="files",
)
