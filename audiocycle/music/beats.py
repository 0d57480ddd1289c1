"""Beats of what was played without a grid, told from its onsets, through rubato.

Dynamic programming over moments and the lengths of beats, as in the state space of bar pointers whose tempo changes at beats only (Krebs,
Böck & Widmer 2015, ISMIR). What a beat is worth is the likelihood of its onsets: dense at the beat and at halves, quarters or thirds of it,
by a few patterns, and thin anywhere else (compare Cemgil & Kappen 2003, JAIR 18). Strong onsets, by number of notes, depth, length and
loudness, are likelier on beats. Constants were chosen on six performances of the ASAP dataset and 32 scores played with made-up rubato, that
of compound metres on 20 further performances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Pattern = tuple[float, dict[int, float]]
"""How usual it is, and by place in twelfths of a beat how often something begins there."""

FRAME = 0.01
"""Seconds."""
SHORTEST, LONGEST, RATIO = 0.27, 1.6, 1.03
"""Seconds of beats, and from one length that is looked at to the next."""
USUAL, SPREAD = 0.58, 0.6
"""The likeliest length, seconds, and the deviation of its logarithm."""
TRUST = 1.5
"""How much that counts, each second."""
DEVIATION = 0.022
"""Of onsets from where they belong, seconds."""
CHORD = 0.03
"""Onsets nearer to each other than this, seconds, are one."""
NEAR = 0.05
"""Seconds up to which a beat is moved to an onset."""
BAND = 9
"""Lengths to either side that the next beat may have: up to a quarter shorter or a third longer."""
CHANGE = 0.07
"""How much beats change: the scale of the logarithm of the ratio of two neighbours, which has a Laplace distribution."""
ANYWHERE = 0.2
"""Onsets each second that belong nowhere."""
ON_BEAT = 0.93
"""How often something begins on a beat."""
STRONG = 0.8
"""How strong onsets on a beat are, in deviations of all onsets' strength."""
SHARES = (1.1, 1.35, 0.95, 0.95, 0.7)
"""Of number, depth, length, following silence and loudness in strength."""
PLACES = np.array([2, 3, 4, 6, 8, 9, 10])
"""Twelfths of a beat where else onsets fall."""
ACCENTS = np.array([-0.5, -0.4, -0.3, -0.1, -0.3, -0.4, -0.5])
"""How strong they are there."""
RARE = 0.02
"""How often something begins at a place that a pattern leaves empty."""
DUPLE: tuple[Pattern, ...] = (
    (0.30, {}),
    (0.35, {6: 0.9, 3: 0.04, 9: 0.08}),
    (0.20, {6: 0.9, 3: 0.85, 9: 0.85}),
    (0.15, {6: 0.3, 3: 0.2, 9: 0.85}),
)
TRIPLE: tuple[Pattern, ...] = (
    (0.25, {}),
    (0.30, {4: 0.15, 8: 0.85}),
    (0.30, {4: 0.85, 8: 0.85, 2: 0.04, 6: 0.04, 10: 0.04}),
    (0.15, {4: 0.85, 8: 0.85, 2: 0.8, 6: 0.85, 10: 0.8}),
)
DIVISIONS = (DUPLE, TRIPLE)
SWITCH = 2.5
"""What it costs (nats) to change the division."""
UNUSUAL = 0.7
"""What it costs a beat not to be divided as most of its song's are."""
COMPOUND = 0.04
"""Nats, each onset, by which thirds have to be likelier than halves, which are usual."""


@dataclass(frozen=True)
class Onsets:
    """Moments at which something begins, chords counting as one.

    Attributes:
        time: (N,) seconds, increasing.
        strength: (N,) zero on average, of deviation 1.
        weight: (N,) 1, and less for ornaments.
    """

    time: Floats
    strength: Floats
    weight: Floats


@dataclass(frozen=True)
class Beats:
    """Beats that were found.

    Attributes:
        time: (B,) seconds.
        triple: most of them are in thirds.
        worth: how much likelier (nats, each onset) its onsets are than if they fell anywhere.
    """

    time: Floats
    triple: bool
    worth: float


def onsets_of(start: Floats, end: Floats, pitch: Ints, velocity: Ints) -> Onsets:
    """Of notes, (N,) each and at least one, in order of start; start and end are seconds."""
    first = np.flatnonzero(np.diff(start, prepend=-np.inf) > CHORD)
    size = np.diff(first, append=len(start))
    time = np.add.reduceat(start, first) / size
    gap = np.diff(time, append=time[-1] + 1.0)
    lowest = np.minimum.reduceat(pitch, first)
    length = np.log(np.clip(np.maximum.reduceat(end - start, first), 0.05, 2.0))
    loud = np.maximum.reduceat(velocity, first).astype(np.float64)
    parts = np.log(size), -lowest, length, np.log(np.clip(gap, 0.05, 1.0)), loud - _around(loud, time)
    strength = np.sum([share * _standard(part) for share, part in zip(SHARES, parts, strict=True)], axis=0)
    weight = np.clip((np.minimum(gap, np.diff(time, prepend=time[0] - 1.0)) - 0.02) / 0.06, 0.2, 1.0)
    return Onsets(time, np.clip(_standard(strength), -2.5, 2.5), weight)


def estimate(onsets: Onsets) -> Beats:
    """The likeliest beats: mostly in halves, unless thirds are clearly likelier. It takes time and memory in proportion to seconds."""
    evidence = Evidence(onsets)
    duple, triple = (_track(evidence, usual) for usual in range(len(DIVISIONS)))
    return triple if triple.worth > duple.worth + COMPOUND else duple


class Evidence:
    """What onsets say of beats at T frames, from some time before the first onset to some time behind the last.

    Attributes:
        lengths: (P,) frames that a beat may have.
        n_frames: T.
        last: the frame of the last onset.
    """

    def __init__(self, onsets: Onsets) -> None:
        self.onsets = onsets
        n = int(np.log(LONGEST / SHORTEST) / np.log(RATIO)) + 1
        self.lengths: Ints = np.unique(np.rint(SHORTEST / FRAME * RATIO ** np.arange(n)).astype(np.int64))
        time = onsets.time - onsets.time[0] + LONGEST
        self.n_frames, self.last = int((time[-1] + 2 * LONGEST) / FRAME), int(time[-1] / FRAME)
        self._peak = 1 / (DEVIATION * np.sqrt(2 * np.pi))
        self._nothing = float(np.log(ANYWHERE))
        whole = self.n_frames + int(self.lengths[-1]) + 1
        hit = _bells(time, onsets.weight, whole)
        self._hit = np.minimum(hit, 1.0).astype(np.float32)
        self._accent = _bells(time, onsets.weight * onsets.strength, whole).astype(np.float32)
        self._total = np.concatenate([[0.0], np.cumsum(hit * (self._peak * FRAME))])
        seconds = self.lengths * FRAME
        self._always = -TRUST * seconds * (np.log(seconds / USUAL) / SPREAD) ** 2 / 2 - ANYWHERE * seconds

    def seconds(self, frames: Ints) -> Floats:
        """When frames are."""
        return np.asarray(frames * FRAME - LONGEST + self.onsets.time[0])

    def nothing(self, frames: Ints) -> Floats:
        """What all onsets up to some frames are worth if they belong nowhere."""
        return np.asarray(self._nothing * self._total[frames])

    def beats(self, frames: Ints, usual: int) -> Singles:
        """(A, D, P) what a beat from each frame on is worth (nats), by its division and its length; ``usual`` is most beats' division."""
        begin = frames[:, None]
        places = (
            begin + np.rint(self.lengths * PLACES[:, None] / 12).astype(np.int64)[:, None]
        )  # (places, A, P)
        here, flat = self._hit[frames], (len(PLACES), -1)
        found = np.stack(
            [
                (gain @ self._hit[places].reshape(flat) + always).max(axis=0)
                for gain, always in self._patterns
            ],
            axis=0,
        )
        found[np.arange(len(DIVISIONS)) != usual] -= np.float32(UNUSUAL)
        gain = np.log(ON_BEAT * self._peak) - self._nothing - STRONG**2 / 2
        on = here * gain + STRONG * self._accent[frames] + (1 - here) * np.log(1 - ON_BEAT)
        within = (self._total[begin + self.lengths] - self._total[begin]) * self._nothing
        common = (
            on[:, None]
            + within
            + self._always
            + (ACCENTS @ self._accent[places].reshape(flat)).reshape(within.shape)
        )
        by_division = found.reshape(len(DIVISIONS), *within.shape).swapaxes(0, 1)
        return np.asarray(by_division + common[:, None], np.float32)

    @cached_property
    def _patterns(self) -> list[tuple[Singles, Singles]]:
        """For each division, of its patterns: (patterns, places) what an onset adds there, and (patterns, 1) what silence everywhere is worth."""
        made = []
        for division in DIVISIONS:
            rate = np.array([[pattern.get(int(place), RARE) for place in PLACES] for _, pattern in division])
            usual = np.log([[share] for share, _ in division])
            gain = np.log(rate * self._peak) - self._nothing - ACCENTS**2 / 2 - np.log(1 - rate)
            silent = np.log(1 - rate).sum(axis=1, keepdims=True) + usual
            made.append((gain.astype(np.float32), silent.astype(np.float32)))
        return made


def _track(evidence: Evidence, usual: int) -> Beats:
    """The likeliest beats that mostly have one division (Viterbi): a state is a frame at which a beat begins, its division, its length."""
    lengths, n_divisions = evidence.lengths, len(DIVISIONS)
    shape = n_divisions, len(lengths)
    near, change = _changes(lengths)
    columns, layers = np.arange(len(lengths)), np.arange(n_divisions)[:, None]
    block, ring = (
        int(lengths[0]),
        int(lengths[0] + lengths[-1] + 1),
    )  # no beat within a block depends on another
    outgoing = np.full(
        (ring, *shape), -np.inf, np.float32
    )  # of the latest frames: the best up to there, and the beat that begins there
    before = np.full(
        (evidence.n_frames + 1, *shape), -1, np.int8
    )  # the state of the beat before, -1: there is none
    ends: list[Singles] = []
    for begin in range(0, evidence.n_frames + 1, block):
        frames = np.arange(begin, min(begin + block, evidence.n_frames + 1))
        origin = frames[:, None, None] - lengths
        arrived = np.where(origin >= 0, outgoing[origin % ring, layers, columns], np.float32(-np.inf))
        options = arrived[:, :, near] - change  # (A, D, K, P)
        choice = options.argmax(axis=2)
        best = np.take_along_axis(options, choice[:, :, None], axis=2)[:, :, 0]
        state = near[choice, columns] * n_divisions + layers
        other = best[:, ::-1] - np.float32(SWITCH)
        state, best = np.where(other > best, state[:, ::-1], state), np.maximum(best, other)
        fresh = evidence.nothing(frames) - np.log(n_divisions * len(lengths))
        fresh = np.where(
            evidence.seconds(frames) <= evidence.onsets.time[0] + LONGEST, fresh, -np.inf
        ).astype(np.float32)[:, None, None]
        before[frames] = np.where(fresh >= best, -1, state)
        outgoing[frames % ring] = np.maximum(fresh, best) + evidence.beats(frames, usual)
        if frames[-1] >= evidence.last:
            ends.append(arrived)
    final = np.concatenate(ends)  # a path ends at or behind the last onset: none is left over
    first = evidence.n_frames + 1 - len(final)
    final[: max(0, evidence.last - first - 1)] = -np.inf
    end, division, period = (int(place) for place in np.unravel_index(int(final.argmax()), final.shape))
    worth = float(final[end, division, period]) - float(evidence.nothing(np.array([evidence.n_frames]))[0])
    path, state_before = [first + end], period * n_divisions + division
    while state_before >= 0:
        period, division = divmod(state_before, n_divisions)
        path.append(path[-1] - int(lengths[period]))
        state_before = int(before[path[-1], division, period])
    time = _snapped(evidence.seconds(np.array(path[::-1])), evidence.onsets.time)
    return Beats(time, DIVISIONS[usual] is TRIPLE, worth / len(evidence.onsets.time))


def _changes(lengths: Ints) -> tuple[Ints, Singles]:
    """(K, P) which lengths a beat may have before one of each length, and what that costs."""
    near = np.arange(len(lengths)) + np.arange(-BAND, BAND + 1)[:, None]
    exists = (near >= 0) & (near < len(lengths))
    near = near.clip(0, len(lengths) - 1)
    ratio = np.abs(np.log(lengths / lengths[near]))
    cost = ratio / CHANGE - np.log(np.log(RATIO) / (2 * CHANGE))
    return near, np.where(exists, cost, np.inf).astype(np.float32)


def _snapped(beats: Floats, onsets: Floats) -> Floats:
    """(B,) beats, those with an onset near them moved to it."""
    behind = np.clip(np.searchsorted(onsets, beats), 0, len(onsets) - 1)
    pair = onsets[np.stack([np.maximum(behind - 1, 0), behind])]
    nearest = np.where(np.abs(pair[0] - beats) <= np.abs(pair[1] - beats), pair[0], pair[1])
    return np.where(np.abs(nearest - beats) <= NEAR, nearest, beats)


def _bells(time: Floats, height: Floats, n_frames: int) -> Floats:
    """(T,) values at their times, seconds, each as a bell as high as it is."""
    reach = int(4 * DEVIATION / FRAME)
    frames = np.rint(time / FRAME).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    bells = np.exp(-(((frames * FRAME - time[:, None]) / DEVIATION) ** 2) / 2) * height[:, None]
    inside = (frames >= 0) & (frames < n_frames)
    return np.asarray(np.bincount(frames[inside], weights=bells[inside], minlength=n_frames), np.float64)


def _around(value: Floats, time: Floats, reach: float = 3.0) -> Floats:
    """(N,) means of the values up to ``reach`` seconds before and behind each."""
    sums = np.concatenate([[0.0], np.cumsum(value)])
    a, b = np.searchsorted(time, time - reach), np.searchsorted(time, time + reach, side="right")
    return np.asarray((sums[b] - sums[a]) / (b - a))


def _standard(value: NDArray[np.float64] | Ints) -> Floats:
    """The values less their mean, by their deviation."""
    return np.asarray((value - value.mean()) / (value.std() + 1e-9))
