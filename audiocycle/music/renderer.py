"""The network's probabilities to notes that fit back into their song: same tracks, touch and timing where they agree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.music.accents import FLAT, accents_of
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.grid import Span
from audiocycle.music.lines import FORBIDDEN
from audiocycle.music.manners import mannered
from audiocycle.music.notes import NEW, IntArray, Notes, join
from audiocycle.music.piano_roll import LOWEST, ONSET, SUSTAIN, VELOCITY, decode, steps_of
from audiocycle.music.sides import ConvertedSpanSide
from audiocycle.spec import Encoded, FloatArray

if TYPE_CHECKING:
    from audiocycle.spec import Renderer

DEFAULT_VELOCITY = 80
PRIOR = 4.0
"""Notes' worth of the song's mean in every local mean of velocities."""


class ScoreRenderer:
    """Turns a span's converted roll into notes.

    A note that the network left as it was (same pitch, same step) keeps the source's exact start and velocity, and its
    exact end if it also ends on the same step. New notes lie on the grid, moved as the source's notes of the same step
    are, as loud as the source is in that bar, with the accents of the target.
    """

    def __init__(self, adapter: PianoRollAdapter) -> None:
        self.adapter = adapter

    def render(self, encoded: Encoded[ConvertedSpanSide]) -> Notes:
        """Notes of a span, from probabilities (C, 84, T) and the side of :meth:`PianoRollAdapter.transfer`."""
        source, span, options = encoded.side.notes, encoded.side.span, encoded.side.options
        after = decode(encoded.features, options.threshold, options.hold)
        before = decode(encoded.side.source_roll, on=1, hold=1)
        numbered = replace(source, origin=np.arange(len(source)))
        kept, new = self.match(after, before, numbered, span)
        begun = encoded.features[ONSET, new[:, 0], new[:, 1]] >= options.hold  # sound that nothing begins is a drone, no note
        new = new[begun & (new[:, 2] >= options.shortest)]
        begins, free = encoded.features[ONSET], encoded.features[SUSTAIN] > FORBIDDEN
        new, back = mannered(new, cells_of(kept, span), kept.origin, cells_of(source, span), begins, free, span, encoded.side.target)
        kept = join([kept.where(~back[kept.origin]), numbered.where(back)])
        kept = replace(kept, origin=source.origin[kept.origin])
        known = options.feel != "source" and source.velocity.std() >= FLAT if len(source) else False
        accents = accents_of(encoded.side.target.get("accents"), new[:, 0] + LOWEST, new[:, 1], kept, span) if known else None
        return join([kept, self.fresh(new, source, span, encoded.features, accents, options.strength)])

    def match(self, after: IntArray, before: IntArray, source: Notes, span: Span) -> tuple[Notes, IntArray]:
        """The source's notes that the network kept, and what it added as (N, 3) row, step, steps.

        One cell can stand for several notes: of two tracks, or within a step. All of them stay, or none. They are cut where
        the sound ends; only those that last as long as the source sounds there are lengthened.

        Args:
            after, before: decoded rolls of the result and of the source.
        """
        first, last = steps_of(source, span)
        width = span.n_steps + 1  # cells by number; a step behind the last keeps the rows apart
        key_after, key_before = (x[:, 0] * width + x[:, 1] for x in (after, before))
        key = (source.pitch - LOWEST) * width + first
        own_end = key + np.minimum(last, span.n_steps) - first
        stays = np.isin(key, key_after)
        kept, key, own_end = source.where(stays), key[stays], own_end[stays]

        old, end_after = np.isin(key_after, key), key_after + after[:, 2]
        goes_on = np.zeros(len(after), dtype=bool)  # right into a kept note
        goes_on[:-1] = (end_after[:-1] == key_after[1:]) & old[1:]
        stops = end_after[~goes_on]
        stop = stops[np.searchsorted(stops, key, side="right")]  # where there is silence, or a new note
        end_now = end_after[np.searchsorted(key_after, key)]
        end_before = (key_before + before[:, 2])[np.searchsorted(key_before, key)]

        cut, lengthened = own_end > stop, (own_end >= end_before) & (end_now > own_end)
        grid_end = span.ticks(np.where(cut, stop, end_now) % width)
        return replace(kept, end=np.where(cut | lengthened, grid_end, kept.end)), after[~old]

    def fresh(
        self, new: IntArray, source: Notes, span: Span, features: FloatArray, accents: FloatArray | None = None, share: float = 1.0
    ) -> Notes:
        """New notes (row, step, steps) with ticks and velocities, of no track yet, which is 0; ``accents``, ``share``: see :func:`expected_velocity`."""
        row, step, steps = new.T
        first, _ = steps_of(source, span)
        offsets = source.start - span.ticks(first)
        shift = local_mean(first, offsets, step, span.n_steps, prior=0.0, overall=0.0)
        start = np.maximum(span.ticks(step) + np.rint(shift).astype(np.int64), span.start)
        end = span.ticks(step + steps)
        if features.shape[0] > VELOCITY:
            velocity = features[VELOCITY, row, step]
        else:
            velocity = expected_velocity(source, first, step, span, accents, share)
        loud = np.clip(np.rint(velocity), 1, 127).astype(np.int64)
        return Notes(start, end, row + LOWEST, loud, np.zeros_like(row), np.full(len(row), NEW))


def cells_of(notes: Notes, span: Span) -> IntArray:
    """(N, 3) row, first step and steps of notes, up to the end of the span."""
    first, last = steps_of(notes, span)
    return np.stack([notes.pitch - LOWEST, first, np.minimum(last, span.n_steps) - first], axis=1)


def expected_velocity(
    source: Notes, first: IntArray, step: IntArray, span: Span, accents: FloatArray | None = None, share: float = 1.0
) -> FloatArray:
    """(N,) the fitted curve: mean velocity of the source around that bar plus its accent on that step of bars of that metre.

    Args:
        accents: (N,) the target genre's; None where they are not known.
        share: of them in place of the source's.
    """
    if not len(source):
        return np.full(len(step), float(DEFAULT_VELOCITY))
    overall = float(source.velocity.mean())
    longest = int(np.diff(span.bars).max())

    def accent(steps: IntArray) -> IntArray:
        return span.metres[span.bar_of(steps)] * longest + span.place_in_bar(steps)

    n_accents = longest * (1 + int(span.metres.max()))
    by_bar = local_mean(span.bar_of(first), source.velocity, span.bar_of(step), span.n_bars, PRIOR, overall)
    by_step = local_mean(accent(first), source.velocity, accent(step), n_accents, PRIOR, overall)
    own = by_step - overall
    return by_bar + (own if accents is None else own + share * (accents - own))


def local_mean(
    place: IntArray, value: NDArray[Any], wanted: IntArray, size: int, prior: float, overall: float
) -> NDArray[np.float64]:
    """Mean of ``value`` by ``place`` (< size) at the ``wanted`` places, with ``prior`` values of ``overall`` in each."""
    count = np.bincount(place, minlength=size)[wanted] + prior
    total = np.bincount(place, weights=value, minlength=size)[wanted] + prior * overall
    return np.where(count > 0, total / np.maximum(count, 1e-9), overall)


if TYPE_CHECKING:
    _CONFORMS: type[Renderer] = ScoreRenderer
