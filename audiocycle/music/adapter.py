"""Scores as piano rolls for a network, and what becomes of the network's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.music.accents import TABLES as ACCENT_TABLES
from audiocycle.music.accents import accents_in, usual_accents
from audiocycle.music.example_bars import TABLES as TEXTURE_TABLES
from audiocycle.music.example_bars import textures
from audiocycle.music.feel import played, song_feel
from audiocycle.music.genre_feel import TABLES as FEEL_TABLES
from audiocycle.music.genre_feel import usual_swing
from audiocycle.music.grid import BEATS, STEPS_PER_BEAT, Span, on_grid_share
from audiocycle.music.lines import FORBIDDEN, MELODY, Held, held
from audiocycle.music.manners import MEASURES, habits
from audiocycle.music.metres import Layout, Signature, lay_out
from audiocycle.music.notes import Notes, notes_of
from audiocycle.music.options import MusicOptions
from audiocycle.music.phrases import phrase_borders
from audiocycle.music.piano_roll import LOWEST, N_PITCHES, ONSET, SUSTAIN, VELOCITY, begins_in, draw
from audiocycle.music.sides import ConvertedSpanSide, ScoreSide, SpanSide
from audiocycle.music.texture import in_its_manner
from audiocycle.music.thickness import AMOUNTS, as_usual, fills, usual_amounts
from audiocycle.spec import Direction, Encoded, FeatureSpec, FloatArray, InWeights, Stats, Values
from audiocycle.system.limits import Limit, OneOf, Range, Switch, Table, hold

if TYPE_CHECKING:
    from symusic.core import ScoreTick

    from audiocycle.spec import Adapter

MIN_ON_GRID = 0.5
"""Files with a smaller share of onsets on the grid teach noise, and are refused for training."""
REGISTERS = (0, 48, 72, 128)
"""Pitch ranges, bass, middle and treble, for each of which a genre has its usual program."""
NOMINAL_BEATS_PER_SECOND = 2.0
"""Material is counted in minutes at 120 quarter notes a minute; the network knows no tempo."""
FULL_VELOCITY = 127.0
METRES = ("4/4", "all")
LEAN = 2.5
"""Logits by which the tune's notes are likelier than the network says, and new ones above it less likely: people know a piece by its tune."""
LIMITS: dict[str, Limit] = {
    "grid": OneOf(tuple(STEPS_PER_BEAT)),
    "bars": Range(1, 32),
    "velocity": Switch(),
    "metres": OneOf(METRES),
    "transpose": Range(0, 12),
    "velocity_range": Range(0.0, 0.99, whole=False),
    "texture": Switch(),
}
"""Of settings."""

Barring = tuple[Sequence[Signature], int, int]
"""What tells where the bars of a song are: its time signatures, the tick at which its last melodic note ends, ticks per quarter note."""


@dataclass(frozen=True)
class PianoRollAdapter(InWeights):
    """Piano rolls of 4-bar phrases (Brunner et al. 2018, section III), with an onset channel.

    Songs in any metre are converted, in windows that begin at bar lines.

    Attributes:
        grid: straight (16 steps in a bar of 4/4) or triplet (24).
        bars: of 4/4, as long as a phrase, which is what the network sees at a time.
        velocity: add a channel with velocities.
        metres: what is learned from, phrases in 4/4 or in all metres.
        transpose: training phrases are moved by up to this many semitones either way.
        velocity_range: training velocities are scaled by up to this part either way (needs ``velocity``).
        texture: bars of each genre's accompaniments are kept, and conversions are put together of them (:mod:`audiocycle.music.texture`).
    """

    grid: str = "straight"
    bars: int = 4
    velocity: bool = False
    metres: str = "4/4"
    transpose: int = 5
    velocity_range: float = 0.2
    texture: bool = False
    pairs: InitVar[bool] = False
    """Bundles of before hold it; bars of 2/4 and 2/2 are converted as what they are."""

    renderers: ClassVar[tuple[str, ...]] = ("score",)
    analysis: ClassVar[int] = 4
    """Raised whenever the same file gives other features than before, so that caches are made again."""

    def __post_init__(self, pairs: bool) -> None:
        hold("adapter.", vars(self), LIMITS)

    @property
    def spec(self) -> FeatureSpec:
        per_beat = STEPS_PER_BEAT[self.grid]
        window = self.bars * BEATS * per_beat
        shape, rate = (2 + self.velocity, N_PITCHES), per_beat * NOMINAL_BEATS_PER_SECOND
        return FeatureSpec("music", shape, rate, window, Values.PROBABILITIES, per_beat)

    @property
    def known_statistics(self) -> dict[str, Table]:
        """What :meth:`fit` makes, and how large its numbers may be."""
        amounts = Table((2,), 0.0, float(N_PITCHES), required=False)  # version 0.1.0 had none
        shares = Table((2,), 0.0, 1.0, required=False)
        of_rolls = dict.fromkeys(AMOUNTS, amounts) | dict.fromkeys(MEASURES, shares) | (TEXTURE_TABLES if self.texture else {})
        return {"programs": Table((len(REGISTERS) - 1,), -1.0, 127.0), **of_rolls, **FEEL_TABLES, **ACCENT_TABLES}

    def layout(self, bars: Barring, first_bar: float = 0.0) -> Layout:
        """The bars of a song that are converted, up to its last note, and what lies between.

        Args:
            bars: where its bars are; see :func:`bars_of`.
            first_bar: quarter notes before its first whole bar.
        """
        signatures, end, per_quarter = bars
        return lay_out(signatures, end, per_quarter, self.grid, round(first_bar * per_quarter))

    def lessons(self, bars: Barring) -> list[Span]:
        """The bars of a song that are learned from."""
        signatures, end, per_quarter = bars
        return lay_out(signatures, end, per_quarter, self.grid, only=None if self.metres == "all" else (BEATS, 4)).spans

    def analyze(self, notes: Notes, span: Span) -> Encoded[SpanSide]:
        """The roll of the notes that begin in a span, (C, 84, T) uint8, with both as side. Windows begin at bar lines."""
        inside = notes.where(begins_in(notes, span))
        roll: Any = draw(inside, span, 2 + self.velocity)
        return Encoded(roll, SpanSide(inside, span), span.bars[:-1])

    def analyze_score(self, score: ScoreTick, name: str) -> Encoded[ScoreSide]:
        """All whole phrases with sound of a score, joined in order, for training: windows that begin at bar lines.

        Raises:
            InputError: nothing to learn from: no phrase in a metre that is learned from with notes, or onsets off the grid.
        """
        notes = notes_of(score)
        spans = self.lessons(bars_of(score))
        feel = song_feel(notes.start, spans)
        spans = played(spans, feel.spans)
        positions = [np.zeros(0)]
        phrases, places, accents = [], [], np.zeros((2, 3, 16))
        window = self.spec.window
        for span in spans:
            encoded = self.analyze(notes, span)
            positions.append(span.positions(encoded.side.notes.start))
            accents += accents_in(encoded.side.notes, span)
            roll = encoded.features
            for begin in phrase_borders(span.bars, window)[:-1]:
                if begin + window <= span.n_steps and roll[..., begin : begin + window].any():
                    phrases.append(roll[..., begin : begin + window])
                    places.append(span.ticks(begin) / score.ticks_per_quarter)
        share = on_grid_share(np.concatenate(positions))
        if share < MIN_ON_GRID:
            raise InputError(
                f"{name}: only {share:.0%} of its onsets lie on the {self.grid} grid (at least {MIN_ON_GRID:.0%} are needed): "
                "a free performance? quantise it first, or align it to its beats"
            )
        if not phrases:
            metre = "any metre" if self.metres == "all" else self.metres
            raise InputError(f"{name}: no whole {self.bars}-bar phrase in {metre} with notes in it")
        return Encoded(np.concatenate(phrases, axis=-1), ScoreSide(count_programs(score, notes), np.array(places), feel.summary, accents))

    def fit(self, items: Sequence[Encoded[ScoreSide]]) -> Stats:
        """The domain's usual programs by register, (3,), most notes first, -1 where a register has none; its usual polyphony and notes in a step, (2,);
        its usual shares of faults, (2,); its swing; its accents; its texture."""
        counts = np.sum([item.side.programs for item in items], axis=0)
        usual = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
        rolls = [item.features for item in items]
        amounts, shares = usual_amounts(rolls, self.spec.window), habits(rolls, self.spec.steps_per_beat)
        feel = usual_swing(np.stack([item.side.swing for item in items])) | usual_accents(item.side.accents for item in items)
        texture = textures(rolls, self.spec.steps_per_beat) if self.texture else {}
        return {"programs": usual.astype(np.float32), **amounts, **shares, **feel, **texture}

    def normalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        """Rolls as float32 from 0 to 1."""
        normal = features.astype(np.float32)
        normal[..., VELOCITY:, :, :] /= FULL_VELOCITY
        return normal

    def denormalize(self, features: FloatArray, stats: Stats) -> FloatArray:
        denormal = features.copy()
        denormal[..., VELOCITY:, :, :] *= FULL_VELOCITY
        return denormal

    def augment(self, crops: FloatArray, random: np.random.Generator) -> FloatArray:
        """(B, C, 84, T): each moved by a few semitones, so that no genre is told by its keys; velocities scaled."""
        moved = np.zeros_like(crops)
        for place, semitones in enumerate(random.integers(-self.transpose, self.transpose, len(crops), endpoint=True)):
            a, b = max(0, semitones), min(N_PITCHES, N_PITCHES + semitones)
            moved[place, :, a:b] = crops[place, :, a - semitones : b - semitones]
        if self.velocity:
            gain = random.uniform(1 - self.velocity_range, 1 + self.velocity_range, (len(crops), 1, 1))
            louder = np.clip(np.rint(moved[:, VELOCITY] * gain), 1, FULL_VELOCITY) * moved[:, SUSTAIN]
            moved[:, VELOCITY] = louder.astype(moved.dtype)
        return moved

    def active_frames(self, features: FloatArray, stats: Stats) -> NDArray[np.bool_]:
        """(T,) where a note begins: the network has no say in windows without any."""
        return np.asarray(features[ONSET].any(axis=0))

    def judged_frames(self, features: FloatArray) -> None:
        """None: probabilities are made as sure as notes need by :meth:`transfer`, whatever their deviation is."""

    def transfer(
        self, encoded: Encoded[SpanSide], converted: FloatArray, direction: Direction, options: MusicOptions
    ) -> Encoded[ConvertedSpanSide]:
        """The network's probabilities, as thick as the target and leaning towards the source as ``options`` say, with what makes notes of them."""
        target = direction.target.stats
        notes, span, roll = encoded.side.notes, encoded.side.span, encoded.features
        phrases, stays = phrase_borders(span.bars, self.spec.window), held(notes, roll, span, options.kept)
        biased = self._in_manner(encoded.side, roll, converted.astype(np.float32), stays, target, options)
        biased[:VELOCITY] = leaning(biased[:VELOCITY], roll[:VELOCITY] > 0, options.strength, options.threshold)
        if options.key_lock:
            biased[:VELOCITY] *= allowed_rows(roll, phrases)
        return Encoded(stays.certainly(biased, FORBIDDEN), ConvertedSpanSide(notes, span, roll, target, options))

    def _in_manner(
        self, side: SpanSide, roll: FloatArray, opinion: FloatArray, stays: Held, target: Stats, options: MusicOptions
    ) -> FloatArray:
        """The network's opinion in the target's manner: put together of its bars, or leaning to the tune and as thick as its phrases."""
        if self.texture and options.thickness == "target":
            lines = side.span.bars, side.span.steps
            return in_its_manner(target, roll, stays.certainly(opinion), lines, self.spec.steps_per_beat, options.threshold, options.hold)
        leant = stays.certainly(held(side.notes, roll, side.span, (MELODY,)).likelier(opinion, LEAN))
        if options.thickness == "network":
            return leant
        phrases = phrase_borders(side.span.bars, self.spec.window)
        return as_usual(target, leant, phrases, options.threshold, options.hold, options.strength, fills(roll, leant, phrases, options.hold))


def leaning(probability: FloatArray, source: NDArray[np.bool_], strength: float, threshold: float) -> FloatArray:
    """Probabilities moved so that edits need more certainty the less strength is asked for.

    With threshold h and strength s, a cell of the source stays on where p >= s h, and another comes on where
    p >= 1 - s (1 - h): at s = 1 both are p >= h, at s = 0 the source is untouched.
    """
    missing = 1.0 - strength
    shift = np.where(source, np.float32(missing * threshold), np.float32(-missing * (1.0 - threshold)))
    return np.asarray(np.minimum(probability, 0.999) + shift, np.float32)  # a sigmoid can round to 1


def allowed_rows(roll: FloatArray, phrases: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(P, T): which cells have a pitch class that the source sounds in the same phrase; ``phrases`` (n + 1,) begin there, and the last ends."""
    allowed = np.zeros(roll.shape[-2:], dtype=bool)
    classes = (np.arange(roll.shape[-2]) + LOWEST) % 12
    for begin, end in pairwise(phrases):
        heard = np.zeros(12, dtype=bool)
        heard[classes[roll[SUSTAIN, :, begin:end].any(axis=1)]] = True
        allowed[:, begin:end] = heard[classes, None]
    return allowed


def bars_of(score: ScoreTick) -> Barring:
    """What tells where the bars of a symusic score in ticks are."""
    signatures = [(each.time, each.numerator, each.denominator) for each in score.time_signatures]
    return signatures, end_of(notes_of(score)), score.ticks_per_quarter


def end_of(notes: Notes) -> int:
    """The tick at which the last of a song's melodic notes ends; other events can lie far behind it."""
    return int(np.maximum(notes.end, notes.start + 1).max(initial=0))


def count_programs(score: ScoreTick, notes: Notes) -> NDArray[np.int64]:
    """Notes by register and program, (3, 128)."""
    programs = np.array([track.program for track in score.tracks], dtype=np.int64)
    counts = np.zeros((len(REGISTERS) - 1, 128), dtype=np.int64)
    if len(notes):
        np.add.at(counts, (register(notes.pitch), programs[notes.track]), 1)
    return counts


def register(pitch: NDArray[Any]) -> NDArray[np.int64]:
    """0 bass, 1 middle, 2 treble."""
    return np.searchsorted(np.array(REGISTERS[1:-1]), pitch, side="right").astype(np.int64)


if TYPE_CHECKING:
    _CONFORMS: type[Adapter] = PianoRollAdapter
