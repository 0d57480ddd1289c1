"""Beats of what was played without a grid, told from its onsets, through rubato.

Dynamic programming over (time, period) as in the state space of bar pointers, whose tempo changes at beats only (Krebs, Böck & Widmer 2015).
What a beat is worth is the likelihood of its onsets: a Poisson process that is dense at the beat, at halves, quarters or thirds of it,
and thin anywhere else (compare Cemgil & Kappen 2003); strong notes, by number, length, bass and loudness, are likelier on beats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FRAME = 0.01
"""Seconds."""
SHORTEST, LONGEST, RATIO = 0.27, 1.6, 1.03
"""Beats in seconds, and from one period that is looked at to the next."""
USUAL, SPREAD = 0.58, 0.6
"""The likeliest period, seconds, and the deviation of its logarithm."""
TRUST = 1.5
"""How much the usual period counts, each second."""
DEVIATION = 0.022
"""Of onsets from where they belong, seconds."""
CHORD = 0.03
"""Onsets nearer than this, seconds, are one."""
NEAR = 0.05
"""Seconds up to which a beat is moved to an onset."""
BAND = 9
"""Periods to either side that the next beat may have: up to a quarter shorter or a third longer."""
CHANGE = 0.07
"""How much beats change their length: the scale of the logarithm of the ratio of two neighbours."""
ANYWHERE = 0.2
"""Onsets each second that belong nowhere."""


ON_BEAT = 0.93
"""How often something begins on a beat."""
STRONG = 0.8
"""How strong onsets on a beat are, in deviations of all onsets' strength."""
PLACES = np.array([2, 3, 4, 6, 8, 9, 10])
"""Twelfths of a beat where else onsets fall."""
ACCENTS = np.array([-0.5, -0.4, -0.3, -0.1, -0.3, -0.4, -0.5])
DUPLE = (
    (0.30, {}),
    (0.35, {6: 0.9, 3: 0.04, 9: 0.08}),
    (0.20, {6: 0.9, 3: 0.85, 9: 0.85}),
    (0.15, {6: 0.3, 3: 0.2, 9: 0.85}),
)
TRIPLE = (
    (0.25, {}),
    (0.30, {4: 0.15, 8: 0.85}),
    (0.30, {4: 0.85, 8: 0.85, 2: 0.04, 6: 0.04, 10: 0.04}),
    (0.15, {4: 0.85, 8: 0.85, 2: 0.8, 6: 0.85, 10: 0.8}),
)
DIVISIONS = (DUPLE, TRIPLE)
RARE = 0.02
SWITCH = 2.5
"""What it costs to change the division."""
UNUSUAL = 0.7
"""What it costs a beat not to be divided as most of its song's are."""
COMPOUND = 0.04
"""Nats, each onset, by which thirds have to be likelier: halves are usual."""


SHARES = (1.1, 1.35, 0.95, 0.95, 0.7)
"""Of number, depth, length, following silence and loudness in strength."""


@dataclass(frozen=True)
class Onsets:
    """Times at which something begins, chords counting as one.

    Attributes:
        time: (N,) seconds.
        strength: (N,) zero on average, deviation 1.
        weight: (N,) below 1 for ornaments.
    """

    time: FloatArray
    strength: FloatArray
    weight: FloatArray


def onsets_of(start: FloatArray, end: FloatArray, pitch: NDArray[np.int64], velocity: NDArray[np.int64]) -> Onsets:
    """Of notes in order of start, seconds."""
    first = np.flatnonzero(np.diff(start, prepend=-np.inf) > CHORD)
    size = np.diff(first, append=len(start))
    time = np.add.reduceat(start, first) / size
    gap = np.diff(time, append=time[-1] + 1.0)
    lowest = np.minimum.reduceat(pitch, first)
    length = np.log(np.clip(np.maximum.reduceat(end - start, first), 0.05, 2.0))
    loud = np.maximum.reduceat(velocity, first).astype(np.float64)
    parts = np.log(size), -lowest, length, np.log(np.clip(gap, 0.05, 1.0)), loud - local(loud, time)
    strength = sum(share * standard(part) for share, part in zip(SHARES, parts, strict=True))
    weight = np.clip((np.minimum(gap, np.diff(time, prepend=time[0] - 1.0)) - 0.02) / 0.06, 0.2, 1.0)
    return Onsets(time, np.clip(standard(np.asarray(strength)), -2.5, 2.5), weight)


def local(value: FloatArray, time: FloatArray, reach: float = 3.0) -> FloatArray:
    """(N,) means of the values up to ``reach`` seconds before and behind each."""
    sums = np.concatenate([[0.0], np.cumsum(value)])
    a, b = np.searchsorted(time, time - reach), np.searchsorted(time, time + reach, side="right")
    return np.asarray((sums[b] - sums[a]) / (b - a))


def standard(value: NDArray[np.float64]) -> FloatArray:
    return np.asarray((value - value.mean()) / (value.std() + 1e-9))


def smoothed(time: FloatArray, value: FloatArray, n_frames: int) -> FloatArray:
    """(T,) values at their times, seconds, each as a bell that is as high as the value."""
    reach = int(4 * DEVIATION / FRAME)
    offsets = np.arange(-reach, reach + 1)
    nearest = np.rint(time / FRAME).astype(np.int64)
    frames = nearest[:, None] + offsets
    bells = np.exp(-(((frames * FRAME - time[:, None]) / DEVIATION) ** 2) / 2) * value[:, None]
    inside = (frames >= 0) & (frames < n_frames)
    return np.bincount(frames[inside], weights=bells[inside], minlength=n_frames)


def snapped(beats: FloatArray, onsets: Onsets) -> FloatArray:
    """(B,) beats, those with an onset near them moved to it."""
    place = np.clip(np.searchsorted(onsets.time, beats), 1, max(1, len(onsets.time) - 1))
    pair = onsets.time[np.stack([place - 1, np.minimum(place, len(onsets.time) - 1)])]
    nearest = np.where(np.abs(pair[0] - beats) <= np.abs(pair[1] - beats), pair[0], pair[1])
    return np.where(np.abs(nearest - beats) <= NEAR, nearest, beats)


def periods() -> NDArray[np.int64]:
    """(P,) frames."""
    n = int(np.log(LONGEST / SHORTEST) / np.log(RATIO)) + 1
    return np.unique(np.rint(SHORTEST / FRAME * RATIO ** np.arange(n)).astype(np.int64))


@dataclass(frozen=True)
class Beats:
    """Beats that were found.

    Attributes:
        time: (B,) seconds.
        triple: most of them are in thirds.
        worth: how much likelier (nats, each onset) its onsets are than if they fell anywhere.
    """

    time: FloatArray
    triple: bool
    worth: float


def estimate(onsets: Onsets) -> Beats:
    """The likeliest beats: where they are mostly in halves, unless thirds are clearly likelier."""
    duple, triple = (_track(onsets, usual) for usual in (0, 1))
    return triple if triple.worth > duple.worth + COMPOUND else duple


def _track(onsets: Onsets, usual_division: int) -> Beats:
    """The likeliest beats that mostly have one division."""
    lead = LONGEST
    length = periods()
    time = onsets.time - onsets.time[0] + lead
    n_frames = int((time[-1] + 2 * lead) / FRAME)
    peak = 1 / (DEVIATION * np.sqrt(2 * np.pi))
    weight = onsets.weight
    hit = smoothed(time, weight, n_frames + length[-1]).astype(np.float32)
    accent = smoothed(time, weight * onsets.strength, n_frames + length[-1]).astype(np.float32)
    total = np.concatenate([[0.0], np.cumsum(hit / (peak**-1 / FRAME))]).astype(np.float32)
    nothing = np.log(ANYWHERE)

    rates = [np.array([[pattern.get(place, RARE) for place in PLACES] for _, pattern in division]) for division in DIVISIONS]
    prior = [np.log([[share] for share, _ in division]) - (UNUSUAL if number != usual_division else 0) for number, division in enumerate(DIVISIONS)]
    gain = [(np.log(rate * peak) - nothing - ACCENTS**2 / 2 - np.log(1 - rate)).astype(np.float32) for rate in rates]
    silent = [(np.log(1 - rate).sum(axis=1, keepdims=True) + share).astype(np.float32) for rate, share in zip(rates, prior)]

    def beat(a: NDArray[np.int64]) -> NDArray[np.float32]:
        """(A, D, P) what a beat from each frame on is worth, by its division and length."""
        begin = a[:, None]
        at = begin[None] + np.rint(length * PLACES[:, None] / 12).astype(np.int64)[:, None]
        here = np.minimum(hit[at], 1.0).reshape(len(PLACES), -1)
        stress = (np.float32(ACCENTS) @ accent[at].reshape(len(PLACES), -1)).reshape(len(a), -1)
        found = np.stack([(g @ here + s).max(axis=0).reshape(len(a), -1) for g, s in zip(gain, silent)], axis=1)
        here = np.minimum(hit[a], 1.0)
        on = here * (np.log(ON_BEAT * peak) - nothing - STRONG**2 / 2) + STRONG * accent[a] + (1 - here) * np.log(1 - ON_BEAT)
        within = (total[begin + length] - total[begin]) * nothing
        return np.asarray(found + (on[:, None] + within + always + stress)[:, None], np.float32)

    seconds = length * FRAME
    always = -TRUST * seconds * (np.log(seconds / USUAL) / SPREAD) ** 2 / 2 - ANYWHERE * seconds
    n_periods, n_divisions = len(length), len(DIVISIONS)
    near = np.arange(n_periods) + np.arange(-BAND, BAND + 1)[:, None]  # (K, P) the periods that may come before each
    exists = (near >= 0) & (near < n_periods)
    near = near.clip(0, n_periods - 1)
    ratio = np.log(length / length[near])
    change = np.where(exists, np.abs(ratio) / CHANGE - np.log(np.log(RATIO) / (2 * CHANGE)), np.inf).astype(np.float32)
    step = int(length[0])
    shape = (n_frames + 1, n_divisions, n_periods)
    arrive = np.full(shape, -np.inf, np.float32)  # the best with a beat here, by the one before
    leave = np.full(shape, -np.inf, np.float32)  # by the one behind
    value = np.empty(shape, np.float32)
    before = np.full(shape, -1, np.int16)  # period before, and division
    start = (nothing * total[: n_frames + 1] - np.log(n_periods * n_divisions)).astype(np.float32)
    start[int((lead + LONGEST) / FRAME) :] = -np.inf
    columns, layers = np.arange(n_periods), np.arange(n_divisions)[:, None]
    for a in range(0, n_frames + 1, step):
        frames = np.arange(a, min(a + step, n_frames + 1))
        origin = (frames[:, None] - length)[:, None]
        o = np.maximum(origin, 0)
        arrive[frames] = np.where(origin >= 0, leave[o, layers, columns] + value[o, layers, columns], -np.inf)
        options = arrive[frames][:, :, near] - change  # (A, D, K, P)
        choice = options.argmax(axis=2)
        best = np.take_along_axis(options, choice[:, :, None], axis=2)[:, :, 0]
        origin_of = near[choice, columns] * n_divisions + layers
        other = best[:, ::-1] - np.float32(SWITCH)
        origin_of = np.where(other > best, origin_of[:, ::-1], origin_of)
        best = np.maximum(best, other)
        fresh = start[frames][:, None, None] >= best
        before[frames] = np.where(fresh, -1, origin_of)
        leave[frames] = np.where(fresh, start[frames][:, None, None], best)
        value[frames] = beat(frames)
    final = arrive.copy()
    final[: int(time[-1] / FRAME) - 2] = -np.inf  # nothing is left over at the end
    end, division, period = (int(x) for x in np.unravel_index(int(final.argmax()), final.shape))
    worth = (float(final[end, division, period]) - float(nothing * total[n_frames])) / len(onsets.time)
    found = [end]
    while True:
        found.append(found[-1] - int(length[period]))
        code = int(before[found[-1], division, period])
        if code < 0:
            break
        period, division = divmod(code, n_divisions)
    frames = np.array(found[::-1])
    return Beats(snapped(frames * FRAME - lead + onsets.time[0], onsets), usual_division == 1, worth)
