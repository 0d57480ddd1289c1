"""The measures and rows of an evaluation of music, with what each is: everything that prints one takes it from here."""

from __future__ import annotations

from dataclasses import replace

from audiocycle.evaluation.measure import (
    EVERYWHERE,
    HIGHER,
    LOWER,
    NEITHER,
    Measure,
    Place,
    TableLayout,
)
from audiocycle.metrics import estimates
from audiocycle.metrics.music import content, musician, quality, seams, song_statistics, strength, style

MODEL, IDENTITY, RANDOM = "model", "identity", "random_target"
GAIN = "gain"
"""The model's likeness to the true counterparts less identity's."""
ROWS = (MODEL, IDENTITY, RANDOM)
SOURCE, TRANSFER, TARGET = "source", "transfer", "target"
"""Rows of what is said of the music itself."""
BORDERS, INSIDE, DIFFERENCE = "borders", "inside", "difference"
"""Rows of seams."""
LABELS = {MODEL: "model", IDENTITY: "identity", RANDOM: "random target phrase", GAIN: "model less identity"}
MEANINGS = {
    LABELS[MODEL]: "what the model makes of the source's songs, with the default options.",
    LABELS[IDENTITY]: "the source as it is: what doing nothing would score.",
    LABELS[RANDOM]: "any phrase of the target's held-out songs: all style and no content, and as far as strength can go.",
    LABELS[GAIN]: "what the model adds to doing nothing, over the same songs.",
}
"""Label of a row to what it is."""

CONTROLS_DEFINITION = (
    "What is judged: songs converted there (transfer) and back (cycle) with the default options, drawn as rolls again, in phrases. "
    "Identity: the source itself. Random target phrase: drawn from the target's held-out songs, so that its style is what a "
    "perfect transfer could reach; the source stands for its cycle. Key kept: share of phrases with a key shift of 0."
)
SONGS_DEFINITION = (
    "Judge of songs: boosted trees on song statistics, fitted to each of five resamples of the songs it learnt from, each corpus of a genre "
    "weighing the same. Its strength: mean over songs of P_B(converted) - P_B(source), P_B its probability of the target genre. Taken for: share "
    "of songs for which P_B is above 0.5 with most of the resamples. Random row: songs of the target in place of the converted."
)
DEFINITIONS = {
    "controls": CONTROLS_DEFINITION,
    "strength": strength.DEFINITION,
    "judge": SONGS_DEFINITION,
    "statistics": song_statistics.DEFINITION,
    "content": content.DEFINITION,
    "style": style.DEFINITION,
    "quality": quality.DEFINITION,
    "middle": quality.MIDDLE_DEFINITION,
    "seams": seams.DEFINITION,
    "musician": musician.DEFINITION,
    "intervals": estimates.DEFINITION,
}
"""Exactly what is measured, in the order in which it is printed."""

GENRE, CONTENT, MIDDLE = "Genre", "Content", "Phrases in the target's middle 80 %"
PHRASES, NOTES = "Quality: what phrases are like", "Quality: what notes are like"
PAIRED, SEAMS = "Likeness to the true counterparts", "Seams: notes that break, each bar"
FAULTS, FEEL, CHANGED = "Musician's list: faults", "Musician's list: manner", "Musician's list: against the source"

MEASURES = (
    Measure(
        "strength", GENRE, "strength", "", 2, HIGHER,
        "How far the classifier's opinion moves to the other genre: 0 nothing, 1 all of it.",
        definition="strength", places=EVERYWHERE | Place.CHART,
    ),
    Measure("accuracy_strength", GENRE, "by accuracy", "", 2, HIGHER, "The same of its decisions.", definition="strength", places=Place.PAGE),
    Measure(
        "song_strength", GENRE, "strength, songs", "", 2, HIGHER,
        "How far the opinion of the judge of songs moves: 0 nothing, 1 all of it.",
        definition="judge", heading="by songs", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "taken_for", GENRE, "taken for it", "%", 0, HIGHER,
        "Songs that the judge of songs takes for the target's.", 100.0, definition="judge", heading="taken %",
    ),
    Measure(
        "chroma_similarity", CONTENT, "chroma", "", 2, HIGHER,
        "How much of the harmony is left: cosine of pitch classes over half bars.",
        definition="content", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "groove_similarity", CONTENT, "groove", "", 2, HIGHER,
        "How many steps have, or lack, an onset in both.", definition="content",
    ),
    Measure(
        "note_f1", CONTENT, "note F1", "", 2, HIGHER,
        "Notes with the same pitch and onset, to a step.", definition="content", places=EVERYWHERE | Place.CHART,
    ),
    Measure(
        "key_kept", CONTENT, "key kept", "%", 0, HIGHER,
        "Phrases that are not transposed.", 100.0, definition="controls", places=Place.TABLE,
    ),
    Measure(
        "tonnetz_distance", CONTENT, "tonnetz", "", 2, LOWER,
        "How far the harmony moved; a fifth is 1.74.", definition="content", places=Place.PAGE,
    ),
    Measure(
        "style_time_pitch", GENRE, "style: pitch", "", 2, HIGHER,
        "Which intervals follow which, and when: likeness to the target's songs.",
        definition="style", heading="style:pitch",
    ),
    Measure(
        "style_onset_duration", GENRE, "style: rhythm", "", 2, HIGHER,
        "Where in the bar notes begin, and how long they are.",
        definition="style", heading="style:rhythm",
    ),
    Measure(
        "in_notes_per_bar", MIDDLE, "notes per bar", "%", 0, HIGHER,
        "As dense as phrases of the target are.", 100.0, definition="middle",
    ),
    Measure("in_polyphony", MIDDLE, "polyphony", "%", 0, HIGHER, "As many notes at once.", 100.0, definition="middle"),
    Measure("in_note_length", MIDDLE, "note length", "%", 0, HIGHER, "As long notes.", 100.0, definition="middle"),
    Measure(
        "in_all_three", MIDDLE, "all three", "%", 0, HIGHER,
        "All of it at once.", 100.0, definition="middle", places=Place.TABLE | Place.CHART,
    ),
)  # fmt: skip
"""Of what becomes of songs."""
PAIRED_MEASURES = tuple(
    replace(measure, family=PAIRED) for measure in MEASURES if measure.name in ("chroma_similarity", "note_f1")
)
QUALITY_MEASURES = (
    Measure(
        "pitch_class_entropy", PHRASES, "pitch classes", "bits", 2, NEITHER,
        "Entropy: how evenly the twelve are used.", definition="quality",
    ),
    Measure(
        "scale_consistency", PHRASES, "in scale", "%", 0, NEITHER,
        "Notes in the best of the 24 scales.", 100.0, definition="quality",
    ),
    Measure(
        "polyphony", PHRASES, "polyphony", "", 2, NEITHER,
        "Notes that sound at once, where anything does.", definition="quality",
    ),
    Measure("notes_per_bar", PHRASES, "notes per bar", "", 1, NEITHER, "", definition="quality"),
    Measure("median_note_steps", NOTES, "note length", "steps", 1, NEITHER, "Median.", definition="quality"),
    Measure(
        "empty_beat_rate", NOTES, "empty beats", "%", 1, NEITHER,
        "Beats in which nothing sounds.", 100.0, definition="quality",
    ),
    Measure(
        "qualified_note_rate", NOTES, "long enough", "%", 0, NEITHER,
        "Notes of two steps or more.", 100.0, definition="quality",
    ),
    Measure(
        "fragmentation", NOTES, "fragments", "%", 0, NEITHER,
        "Notes that resume a pitch that has just ended.", 100.0, definition="quality",
    ),
)  # fmt: skip
"""Of what music is like, whatever became of it."""
SEAM_MEASURES = (
    Measure("cut_notes", SEAMS, "cut", "", 3, LOWER, "The source holds the pitch on.", definition="seams"),
    Measure(
        "doubled_notes", SEAMS, "doubled", "", 3, LOWER,
        "The pitch begins again at once, and the source's does not.", definition="seams",
    ),
    Measure("broken_notes", SEAMS, "both", "", 3, LOWER, "Cut or doubled.", definition="seams"),
)  # fmt: skip
MUSICIAN_MEASURES = (
    Measure("out_of_key", FAULTS, "out of key", "%", 1, NEITHER, "Notes outside the scale of the key around them.", 100.0, definition="musician"),
    Measure("bass_leaps", FAULTS, "bass leaps", "%", 1, NEITHER, "Beats whose bass moves more than an octave.", 100.0, definition="musician"),
    Measure("third_strikes", FAULTS, "third strikes", "%", 1, NEITHER, "Third and further strikes of a pitch in a row.", 100.0, definition="musician"),
    Measure("lone_sixteenths", FAULTS, "lone sixteenths", "%", 2, NEITHER, "Short notes with nothing near.", 100.0, definition="musician"),
    Measure("overlaps", FAULTS, "overlaps in a voice", "%", 1, NEITHER, "Notes that a flute or a bass cannot play.", 100.0, definition="musician"),
    Measure("off_beat", FEEL, "off the beat", "%", 0, NEITHER, "Onsets that lie between beats.", 100.0, definition="musician"),
    Measure("swing_ratio", FEEL, "swing ratio", "", 2, NEITHER, "First to second eighth: 1 is straight.", definition="musician"),
    Measure("ringing_classes", FEEL, "pitch classes ringing", "", 1, NEITHER, "At once, under the pedal.", definition="musician"),
    Measure("polyphony", FEEL, "pitches at once", "", 1, NEITHER, "Where anything sounds.", definition="musician"),
    Measure("pitch_range", FEEL, "range", "semitones", 0, NEITHER, "From the lowest to the highest note.", definition="musician"),
    Measure("top_line_kept", CHANGED, "top line kept", "%", 0, HIGHER, "The source's top notes that are still on top.", 100.0, definition="musician"),
    Measure("after_the_end", CHANGED, "after the end", "%", 2, LOWER, "Notes behind the source's last bar.", 100.0, definition="musician"),
)
"""Of whole songs. The first family is what a listener objects to."""

CLASSES = {MODEL: "r0", IDENTITY: "r1", RANDOM: "r3", GAIN: "r0"}
LAYOUT = TableLayout(
    MEASURES,
    ROWS,
    CLASSES,
    {MODEL: "model", IDENTITY: "baseline", RANDOM: "baseline"},
    labels=LABELS,
    with_intervals=(MODEL,),
    over="songs",
)
PAIRED_LAYOUT = TableLayout(
    PAIRED_MEASURES,
    (MODEL, IDENTITY, GAIN),
    CLASSES,
    {MODEL: "model", IDENTITY: "baseline", GAIN: "baseline"},
    labels=LABELS,
    with_intervals=(MODEL, GAIN),
    over="songs",
)
QUALITY_LAYOUT = TableLayout(
    QUALITY_MEASURES,
    (SOURCE, TRANSFER, TARGET),
    {SOURCE: "r1", TRANSFER: "r0", TARGET: "r5"},
    {SOURCE: "baseline", TRANSFER: "model", TARGET: "baseline"},
)
SEAMS_LAYOUT = TableLayout(
    SEAM_MEASURES,
    (BORDERS, INSIDE, DIFFERENCE),
    {BORDERS: "r0", INSIDE: "r1"},
    {BORDERS: "model", INSIDE: "baseline", DIFFERENCE: "baseline"},
    labels={BORDERS: "where windows meet", INSIDE: "inside windows"},
)


def by_row(quality: dict[str, dict[str, estimates.Estimate]]) -> dict[str, dict[str, estimates.Estimate]]:
    """Rows of a table, from the columns in which results hold what music is like."""
    rows = dict.fromkeys(row for values in quality.values() for row in values)
    return {row: {name: values[row] for name, values in quality.items()} for row in rows}


def shape_in_words(name: str) -> str:
    """``note length (steps)``: a measure by which a phrase can lie in the middle."""
    measure = next(measure for measure in QUALITY_MEASURES if measure.name == name)
    return f"{measure.label} ({measure.unit})" if measure.unit else measure.label
