"""The feel of a song: where in a beat the off-beats are played, which notation writes evenly. To music it is what F0 is to a voice.

Networks see straightened time, in which every eighth lies in the middle of its beat. How a genre swings is learned as statistics, and put back
when notes are written.

The off-beat eighth of a beat lies at its swing ratio r (of the beat, 0.5 is straight, 2/3 a triplet's last note), the off-beat sixteenth at the
same of its half. Between these places time flows evenly. A beat's ratio is told by what is played in it:

- an off-beat alone, anywhere from 0.42 to 0.72, is an eighth, and tells how the song swings;
- with a note a third into the beat it is a triplet, with sixteenths around it lies where it lies, and neither tells of swing;
- three quarters into the beat lies a dotted rhythm, which is no swing either.

Where triplets are many, what could be swing is triplets without their middle note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.grid import QUARTER, Floats, Ints, Span

if TYPE_CHECKING:
    from audiocycle.music.grid import PhaseMap

Mask = NDArray[np.bool_]

STRAIGHT = 0.5
LEAST_SWING = 0.02
"""By which a ratio has to be above a half to be swing: less is no more than a hand's unsteadiness."""
MOST_SWING = 0.75
ENOUGH = 8
"""Off-beats that say how a song swings; fewer say nothing."""
EARLY = 0.06
"""Part of a beat by which a note may come before the beat that it is on."""
ON_BEAT = 0.1
HELD = 0.6
"""Onsets on beats, as a part of those where the off-beat eighth may lie, from which the beats are held at all: of onsets anywhere it is 0.4."""
EIGHTH = (0.42, 0.72)
"""Where the off-beat eighth may lie."""
THIRD = (0.295, 0.37)
"""Where a triplet's middle note may lie; its last may lie from ``LAST`` on."""
LAST = 0.6
FOURTH = 0.26
"""Of half a beat: what lies between this and its own off-beat is of a triplet across the beat."""
SHARE = 0.5
"""Of the number of triplets in a song, which what could be swing has to pass: else it is triplets without their middle note."""
CLUSTER = 0.07
"""Off-beats in one beat that are further apart are several."""
AROUND = 4
"""Bars to both sides, which tell the ratio where a song changes it."""
PRIOR = 2.0
"""Off-beats' worth of the song's ratio in that of each bar."""
CHANGE = 0.04
"""A lesser difference from the song's ratio is none."""


@dataclass(frozen=True, eq=False)
class Feel:
    """How the B beats of a span are played.

    Attributes:
        eighths: (B,) the place of the off-beat eighth in each beat.
        sixteenths: (B,) the place of the off-beat sixteenth in each half of a beat.
        figures: (B,) beats with triplets or dotted rhythms: notes in them are no swing, and do not move with it.
    """

    eighths: Floats
    sixteenths: Floats
    figures: Mask

    @property
    def is_straight(self) -> bool:
        return bool((self.eighths == STRAIGHT).all() and (self.sixteenths == STRAIGHT).all())

    def swung(self, phase: Floats, beat: Ints) -> Floats:
        """(N,) places in a beat, 0 to 1, as they are written to places as they are played. Monotone.

        Args:
            beat: (N,) which beats they are in.
        """
        second = phase >= STRAIGHT
        half = _bent(2 * phase - second, self.sixteenths[beat])
        eighth = self.eighths[beat]
        return np.where(second, eighth + (1 - eighth) * half, eighth * half)

    def straightened(self, phase: Floats, beat: Ints) -> Floats:
        """The inverse of :meth:`swung`."""
        eighth = self.eighths[beat]
        second = phase >= eighth
        half = np.where(second, (phase - eighth) / (1 - eighth), phase / eighth)
        return np.asarray((_unbent(half, self.sixteenths[beat]) + second) / 2)


def _bent(place: Floats, middle: Floats) -> Floats:
    """[0, 1] onto itself, a half to ``middle``, evenly on both sides."""
    return np.where(place < STRAIGHT, 2 * middle * place, middle + (1 - middle) * (2 * place - 1))


def _unbent(place: Floats, middle: Floats) -> Floats:
    return np.where(place < middle, place / (2 * middle), (1 + (place - middle) / (1 - middle)) / 2)


@dataclass(frozen=True, eq=False)
class _Heard:
    """What is played in the beats of a span; (B,) each.

    Attributes:
        eighth: where the one off-beat from 0.42 to 0.72 lies; 0 without, or with several.
        alone: nothing else is played within the beat.
        triplet: there is a triplet's middle note, and no sixteenth.
        dotted: there are sixteenths, and no eighth.
        sixteenth: where off-beat sixteenths lie in their halves, on average; 0 without.
        bar: the number of its bar.
        struck: onsets on it and where the off-beat eighth may lie, (B, 2).
    """

    eighth: Floats
    alone: Mask
    triplet: Mask
    dotted: Mask
    sixteenth: Floats
    bar: Ints
    struck: Ints


@dataclass(frozen=True, eq=False)
class SongFeel:
    """The feel of all of a song.

    Attributes:
        spans: of each of its spans.
        swing: (2,) its ratios by level, eighths and sixteenths; 0 where too few notes tell.
        deviation: (2,) of the ratios of its bars from those.
        offbeats: (2,) where its off-beats lie on average, last notes of triplets included if it swings; 0 where too few tell.
        counts: (2,) how many beats tell that.
    """

    spans: Sequence[Feel]
    swing: Floats
    deviation: Floats
    offbeats: Floats
    counts: Ints

    @property
    def summary(self) -> Floats:
        """(3, 2) what a genre's statistics are made of: ``offbeats``, ``counts``, ``deviation``."""
        return np.stack([self.offbeats, self.counts, self.deviation])


def played(spans: Sequence[Span], feels: Sequence[Feel]) -> list[Span]:
    """Spans with their feel, where that is not straight."""
    return [
        replace(span, feel=None if feel.is_straight else feel)
        for span, feel in zip(spans, feels, strict=True)
    ]


def can_swing(span: Span) -> Mask:
    """(B,) the beats of bars of nothing but quarters: in 6/8 and 7/8, eighths are no halves of anything."""
    bar = span.bar_of(span.steps[:-1])
    return np.asarray((np.bincount(bar, span.sizes != QUARTER) == 0)[bar])


def song_feel(onsets: Ints, spans: Sequence[Span], drums: Ints | None = None) -> SongFeel:
    """The feel that a song's onsets, in ticks and in any order, tell.

    Args:
        spans: its bars; their own feel does not matter.
        drums: further onsets, which are asked where the others say too little.
    """
    found = _song_feel(onsets, spans)
    if drums is None or found.counts[0] >= ENOUGH:
        return found
    return _song_feel(np.concatenate([onsets, drums]), spans)


def _song_feel(onsets: Ints, spans: Sequence[Span]) -> SongFeel:
    heard = [_heard(onsets, span) for span in spans]
    eighth, alone, triplet, sixteenth = (
        np.concatenate([np.zeros(0), *(getattr(each, name) for each in heard)])
        for name in ("eighth", "alone", "triplet", "sixteenth")
    )
    pairs = eighth[alone > 0]
    figures = (pairs >= LAST).sum() <= SHARE * triplet.sum()  # and what could be swing is some more of them
    struck = np.sum([each.struck.sum(axis=0) for each in heard] or [[0, 0]], axis=0)
    held = struck[0] >= HELD * struck[1]
    if figures:
        pairs = np.where(pairs >= LAST, STRAIGHT, pairs)
    every = [
        pairs if figures else eighth[(eighth > 0) & ((alone > 0) | (triplet > 0))],
        sixteenth[sixteenth > 0],
    ]
    ratio = _ratio(pairs) if held else 0.0
    fine = _ratio(sixteenth[sixteenth > 0]) if held else 0.0
    feels, errors = [], []
    for each in heard:
        tells = each.alone & ~((each.eighth >= LAST) & figures)
        eighths = _by_bar(each.eighth, tells, each.bar, ratio)
        sixteenths = _by_bar(each.sixteenth, each.sixteenth > 0, each.bar, fine)
        own = (each.eighth > 0) & ~each.triplet & (eighths > STRAIGHT) & (each.alone <= tells)
        stays = each.triplet | each.dotted | (each.alone & ~own & (each.eighth >= LAST))
        feels.append(Feel(np.where(own, each.eighth, eighths), sixteenths, stays))
        errors.append(
            (
                _errors(each.eighth, tells, each.bar, ratio),
                _errors(each.sixteenth, each.sixteenth > 0, each.bar, fine),
            )
        )
    deviation = [
        np.sqrt(np.mean(np.concatenate([np.zeros(1), *level]) ** 2)) for level in zip(*errors, strict=True)
    ] or [0.0, 0.0]
    offbeats = np.array([_ratio(each) for each in every])
    counts = np.array([len(each) if held else 0 for each in every])
    return SongFeel(feels, np.array([ratio, fine]), np.array(deviation), offbeats, counts)


def _ratio(places: Floats) -> float:
    """The mean of what tells a ratio; 0 if that is too little."""
    return float(places.mean()) if len(places) >= ENOUGH else 0.0


def _heard(onsets: Ints, span: Span) -> _Heard:
    n = len(span.sizes)
    place = replace(span, feel=None).positions(onsets)
    beat = np.searchsorted(span.steps, place + EARLY * QUARTER, side="right") - 1
    inside = (beat >= 0) & (beat < n)
    inside[inside] = can_swing(span)[beat[inside]]
    beat = beat[inside]
    phase = (place[inside] - span.steps[beat]) / QUARTER
    middle = (phase >= EIGHTH[0]) & (phase <= EIGHTH[1])
    eighth, several = _one(phase, beat, n, middle)
    offbeat = (phase > ON_BEAT) & ~middle
    struck = np.stack(
        [np.bincount(beat[where], minlength=n) for where in (np.abs(phase) <= EARLY, middle)], axis=1
    )
    third = (phase >= THIRD[0]) & (phase <= THIRD[1])
    others, thirds = _any(beat[offbeat & ~third], n), _any(beat[third], n)
    triplet = thirds & ~others & ~several & ((eighth >= LAST) | (eighth == 0))
    even, _ = _one(phase, beat, n, np.abs(phase - STRAIGHT) < CHANGE)
    half = np.where(even, even, STRAIGHT)[beat]
    before, _ = _one(
        phase / half, beat, n, (even[beat] > 0) & (phase > ON_BEAT) & (phase < STRAIGHT - CHANGE)
    )
    after, _ = _one((phase - half) / (1 - half), beat, n, (even[beat] > 0) & (phase > STRAIGHT + CHANGE))
    found = np.stack([before, after])
    fits = (found >= EIGHTH[0]) & (found <= EIGHTH[1])
    if (found >= LAST)[fits].sum() <= 2 * ((found > FOURTH) & (found < EIGHTH[0])).sum():  # three against two
        found = np.where(found >= LAST, 0, found)
        fits &= found > 0
    fine = (found * fits).sum(axis=0) / np.maximum(1, fits.sum(axis=0))
    return _Heard(
        eighth,
        (eighth > 0) & ~others & ~thirds,
        triplet,
        others & ~several & (eighth == 0),
        fine,
        span.bar_of(span.steps[:-1]),
        struck,
    )


def _any(beat: Ints, n: int) -> Mask:
    found = np.zeros(n, dtype=bool)
    found[beat] = True
    return found


def _one(phase: Floats, beat: Ints, n: int, chosen: Mask) -> tuple[Floats, Mask]:
    """(n,) where the chosen notes of each beat lie, 0 without any or if they lie apart; (n,) whether they do."""
    phase, beat = phase[chosen], beat[chosen]
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, beat, phase)
    np.maximum.at(high, beat, phase)
    count = np.bincount(beat, minlength=n)
    apart = (count > 0) & (high - low > CLUSTER)
    mean = np.bincount(beat, weights=phase, minlength=n) / np.maximum(1, count)
    return np.where(apart, 0.0, mean), apart


def _by_bar(places: Floats, tells: Mask, bar: Ints, ratio: float) -> Floats:
    """(B,) the ratio around each beat's bar: the song's, unless it is clearly another one there."""
    if not ratio:
        return np.full(len(bar), STRAIGHT)
    n_bars = int(bar[-1]) + 1
    count = np.bincount(bar[tells], minlength=n_bars)
    total = np.bincount(bar[tells], weights=places[tells], minlength=n_bars)
    window = np.ones(2 * AROUND + 1)
    near = (_smooth(total, window) + PRIOR * ratio) / (_smooth(count, window) + PRIOR)
    local = np.where(np.abs(near - ratio) < CHANGE, ratio, near)
    return snapped(local)[bar]


def _smooth(values: NDArray[np.generic], window: Floats) -> Floats:
    return np.asarray(np.convolve(values.astype(np.float64), window)[AROUND : AROUND + len(values)])


def _errors(places: Floats, tells: Mask, bar: Ints, ratio: float) -> Floats:
    """By how much the bars that tell a ratio differ from the song's."""
    count = np.bincount(bar[tells])
    total = np.bincount(bar[tells], weights=places[tells])
    return total[count > 0] / count[count > 0] - ratio if ratio else np.zeros(0)


def snapped(ratio: Floats) -> Floats:
    """Ratios within what there is; what is hardly swing is straight."""
    return np.where(ratio < STRAIGHT + LEAST_SWING, STRAIGHT, np.minimum(ratio, MOST_SWING))


if TYPE_CHECKING:
    _CONFORMS: type[PhaseMap] = Feel
