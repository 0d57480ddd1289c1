"""The feel of a genre, as statistics, and a song's feel as another genre's: what is done to log-F0 where voices are converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audiocycle.music.feel import ENOUGH, LEAST_SWING, STRAIGHT, Feel, SongFeel, can_swing, snapped
from audiocycle.music.grid import Floats, Ints, Span
from audiocycle.music.notes import NEVER
from audiocycle.music.options import MusicOptions
from audiocycle.spec import Direction, FloatArray, Stats
from audiocycle.system.limits import Table

LEVELS = ("eighths", "sixteenths")
USUAL = (10.0, 50.0, 90.0)
"""Percentiles of a genre's ratios, each song weighing as much as it has off-beats."""
TABLES = {
    "swing": Table((len(LEVELS), len(USUAL)), 0.0, 1.0, required=False),
    "swing_deviation": Table((len(LEVELS),), 0.0, 1.0, required=False),
}
"""What :func:`usual_swing` makes."""


def usual_swing(songs: FloatArray) -> dict[str, FloatArray]:
    """The percentiles of a genre's ratios by level, (2, 3), and the median of how much the bars of a song differ, (2,).

    Args:
        songs: (S, 3, 2) of each song :attr:`~audiocycle.music.feel.SongFeel.summary`.
    """
    offbeats, counts, deviation = songs.swapaxes(0, 1)
    swing = np.full((len(LEVELS), len(USUAL)), STRAIGHT, np.float32)
    spread = np.zeros(len(LEVELS), np.float32)
    for level in range(len(LEVELS)):
        known = counts[:, level] >= ENOUGH
        if known.any():
            weights = counts[known, level]
            swing[level] = weighted_percentiles(offbeats[known, level], weights, USUAL)
            spread[level] = weighted_percentiles(deviation[known, level], weights, (50.0,))[0]
    return {"swing": swing, "swing_deviation": spread}


def weighted_percentiles(values: FloatArray, weights: FloatArray, percentiles: Sequence[float]) -> Floats:
    """The values up to which that many percent of the weights lie."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    places = np.searchsorted(below, np.array(percentiles) / 100 * below[-1])
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], np.float64)


def as_genre(song: SongFeel, spans: Sequence[Span], direction: Direction, options: MusicOptions) -> SongFeel:
    """How a song is to be played, by :attr:`MusicOptions.feel`; the very same where that changes nothing.

    A song that swings as much as its own genre's songs usually do becomes one that swings as much as the target's do; one that swings more or
    less than usual stays so. Where the bars of the target swing more evenly, so will the song's. Within a bar there is one ratio.

    Args:
        direction: with the statistics of both genres; without the target's swing nothing changes.
    """
    source, target = direction.source.stats, direction.target.stats
    strength, wanted = options.strength, options.swing
    if options.feel == "source" or strength == 0 or (wanted is None and "swing" not in target):
        return song
    swing, changed, feels = song.swing.copy(), False, list(song.spans)
    for level, name in enumerate(LEVELS):
        ratio = float(song.swing[level]) or STRAIGHT
        if wanted is None:
            aim = _counterpart(song, level, source, target)
            spread = float(target["swing_deviation"][level]) if "swing_deviation" in target else 0.0
            scale = min(1.0, spread / max(1e-9, float(song.deviation[level])))
            if abs(aim - max(ratio, STRAIGHT)) < LEAST_SWING:
                continue  # it is there already
        else:
            aim, scale = wanted if name == "eighths" else STRAIGHT, 0.0
        swing[level] = ratio + strength * (aim - ratio)
        for number, (feel, span) in enumerate(zip(song.spans, spans, strict=True)):
            own: Floats = getattr(feel, name)
            aimed = snapped(aim + scale * _by_bar(own - ratio, span))
            there = np.where(can_swing(span), own + strength * (aimed - own), own)
            changed |= not np.array_equal(own, there)
            feels[number] = replace(feels[number], **{name: there})  # type: ignore[arg-type]
    return replace(song, swing=swing, spans=feels) if changed else song


def moved(ticks: Ints, spans: Sequence[Span], before: Sequence[Feel], after: Sequence[Feel]) -> Ints:
    """Increasing ticks, (N,), each once, as they are where a song that is played with one feel is played with another.

    Beats and triplets stay. Ticks do not change places, and as far as there is room no two of a beat become one.
    """
    made = ticks.copy()
    for span, own, aim in zip(spans, before, after, strict=True):
        changes = ~own.figures & ((own.eighths != aim.eighths) | (own.sixteenths != aim.sixteenths))
        beat = np.searchsorted(span.lines, ticks, side="right") - 1
        inside = np.flatnonzero((beat >= 0) & (beat < len(changes)))
        inside = inside[changes[beat[inside]]]
        beat = beat[inside]
        phase = (ticks[inside] - span.lines[beat]) / span.lengths[beat]
        phase = aim.swung(own.straightened(phase, beat), beat)
        there = np.rint(span.lines[beat] + phase * span.lengths[beat]).astype(np.int64)
        least = np.arange(len(there)) - beat * NEVER  # a tick behind the one before; anew in each beat
        apart = np.maximum.accumulate(there - least) + least
        made[inside] = np.minimum(apart, np.floor(span.lines[beat + 1]).astype(np.int64))
    return made


def _counterpart(song: SongFeel, level: int, source: Stats, target: Stats) -> float:
    """The ratio that is to the target what the song's is to the source."""
    there = target["swing"][level].astype(np.float64)
    place = 0.0
    if "swing" in source and song.counts[level] >= ENOUGH:
        low, middle, high = source["swing"][level].astype(np.float64)
        knots = [min(low, middle - LEAST_SWING), middle, max(high, middle + LEAST_SWING)]
        place = float(np.interp(song.offbeats[level], knots, [-1, 0, 1]))
    return float(snapped(np.interp(place, [-1, 0, 1], there)))


def _by_bar(values: Floats, span: Span) -> Floats:
    """(B,) the mean over the bar that each beat is in."""
    bar: Ints = span.bar_of(span.steps[:-1])
    return np.asarray((np.bincount(bar, weights=values) / np.maximum(1, np.bincount(bar)))[bar])
