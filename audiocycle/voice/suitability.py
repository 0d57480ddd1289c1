"""Whether recordings are fit to learn a voice from: those of one person, and without noise.

Nothing but what a training has of its recordings is looked at: mel-cepstra of WORLD (row 0 is the level, and is not asked who speaks) and F0. No
recogniser of speakers is needed, since one folder holds all that are to be compared.

**Who speaks.** A recording is the means of its coefficients and of log F0 over voiced frames. A recording of a few seconds has means that depend on
what is said, too, so each is measured twice, in its first half and in its second: what the halves disagree in is chance, and how the coefficients
do so together tells which differences are to be trusted least (they are whitened by it, as by the within-class covariance of Hatch et al. 2006,
"Within-class covariance normalization for SVM-based speaker recognition"). Two groups are sought in the one half (2-means), and measured in the
other, where what was chance in the first is not found again. They are two people where the groups lie far apart in units of frames
(:data:`APART`), and lie far apart for how wide they are (:data:`CLEFT`): one person in two sessions is the second only, one who is lively
the first only.

**Noise.** The power of speech over that of the quietest moments without voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.liveliness import log_power
from audiocycle.voice.sides import RecordingSide
from audiocycle.voice.two_groups import between, two_groups
from audiocycle.voice.world_adapter import DIGITAL_SILENCE, WorldAdapter, f0_of

ROWS = 28
"""Of mel-cepstrum that are asked who speaks; what has fewer is not asked."""
PIECE_SECONDS = 15.0
"""About so long are the parts in which longer recordings are measured."""
VOICED_SECONDS = 1.0
"""Of a part, at least; with less it is not asked."""
LEAST_PARTS, LEAST_GROUP = 16, 3
"""Parts of a domain, and of a group; with fewer nothing is said."""
# Chosen on VCC2016's four training speakers and their six pairs, midway: apart 0.28 at most of one, 0.45 at least of two; cleft 2.7 and 5.9; spread 0.28 of one.
APART = 0.37
"""Between two people: root mean square, over coefficients, of the distance of two groups in deviations of their frames."""
CLEFT = 4.0
"""Distance between groups of two people in deviations within them."""
SPREAD = 0.37
"""Of many people, who fall into no two groups: root mean square, over coefficients, of the deviation of recordings, in deviations of frames."""
CHANCE_KEPT = 0.8
"""Of correlations between coefficients that so few parts tell."""

NOISY_DB = 20.0
"""Speech that is less above its pauses is told of. (Files of VCC2016: 34.7 dB at least; with white or pink noise 15 dB below speech: 19.5 at most.)"""
STEP_SECONDS, MOMENT = 0.01, 5
"""Power is looked at so often, and a quiet moment has so many of these."""
QUIETEST = 0.02
"""Share of moments without voice whose quietest are taken for pauses."""
LEAST_SECONDS = 2.0
"""Recordings are asked for noise from that length on: shorter ones may have no pause."""


@dataclass(frozen=True)
class VoiceParts:
    """Recordings, or parts of long ones, as they are compared.

    Attributes:
        files: (N,) to which recording each belongs.
        halves: (2, N, D) means over voiced frames of the first half and of the second: of coefficients 1 ... ROWS - 1, and log F0.
        variances: (N, D) of frames within parts.
    """

    files: NDArray[np.intp]
    halves: FloatArray
    variances: FloatArray


@dataclass(frozen=True)
class Company:
    """How far recordings are from being one person's.

    Attributes:
        apart, cleft, spread: as :data:`APART`, :data:`CLEFT` and :data:`SPREAD`.
    """

    apart: float
    cleft: float
    spread: float

    @property
    def two(self) -> bool:
        """Whether two groups of recordings sound like two people."""
        return self.apart >= APART and self.cleft >= CLEFT

    @property
    def many(self) -> bool:
        """Whether recordings differ as those of many people do."""
        return not self.two and self.spread >= SPREAD


def doubts(items: Sequence[tuple[Path, Encoded[RecordingSide]]], adapter: WorldAdapter) -> Iterator[str]:
    """What makes recordings of a domain unfit to learn a voice from: a line for each kind.

    Where a band is missing or noise is heard, another microphone would be taken for another person: such recordings are not asked who speaks.
    """
    noise = [noise_distance(item, adapter) for _, item in items]
    noisy = [distance for distance in noise if distance < NOISY_DB]
    if noisy:
        worst = f"{items[int(np.argmin(noise))][0].name}: {min(noisy):.0f} dB"
        what = "the noise is learned with the voice; leave them out, or record where it is quiet"
        yield f"{len(noisy)} of {len(items)} files are noisy, pauses lie less than {NOISY_DB:.0f} dB below speech ({worst}): {what}"
    clean = [item for item, distance in zip(items, noise, strict=True) if distance >= NOISY_DB and float(item[1].side.band_limit) == 0.0]
    parts = measured([item for _, item in clean], adapter)
    if len(parts.files) < LEAST_PARTS:
        return
    found = company(parts)
    if found.two and (groups := examples(parts)):
        like = ", ".join(f"{n} file{'s' if n > 1 else ''} like {clean[file][0].name}" for n, file in groups)
        what = "a model of both is a voice of neither; give each a folder of its own"
        yield f"the recordings fall into two groups that sound like two people ({like}), or like one with two microphones: {what}"
    elif found.many:
        yield "the recordings sound like many people: a model of all is a voice of none; a target needs those of one person"


def noise_distance(item: Encoded[RecordingSide], adapter: WorldAdapter) -> float:
    """dB from the mean power of speech down to that of the quietest moments without voice; infinite where there are none.

    Digital silence is no pause: it was put there.

    Of speech with white noise of 15, 20 and 25 dB (ratio of mean powers) it is 16, 20 and 25 dB, to 1 dB; with pink noise 2 to 4 dB more.
    """
    step = max(1, round(1000.0 * STEP_SECONDS / adapter.frame_period))
    features = item.features[: adapter.n_mcep]
    if features.shape[1] * adapter.frame_period < 1000.0 * LEAST_SECONDS:
        return np.inf
    seen, speech = features[:, ::step], adapter.speech(features)[::step]
    power = np.exp(log_power(seen, adapter.sample_rate))
    asked = (f0_of(item.side)[::step] == 0) & (np.exp(seen[0].astype(np.float64)) > DIGITAL_SILENCE)
    moments, passed_over = (np.convolve(of_frames, np.ones(MOMENT), "valid") / MOMENT for of_frames in (power, ~asked))
    quiet = moments[passed_over == 0]
    if not len(quiet) or not speech.any():
        return np.inf
    return float(10.0 * np.log10(power[speech].mean() / np.quantile(quiet, QUIETEST)))


def measured(items: Sequence[Encoded[RecordingSide]], adapter: WorldAdapter) -> VoiceParts:
    """All parts with enough voice; none where the mel-cepstrum has too few coefficients."""
    files, halves, variances = list[int](), list[FloatArray](), list[FloatArray]()
    least, length = round(1000.0 * VOICED_SECONDS / adapter.frame_period), 1000.0 * PIECE_SECONDS / adapter.frame_period
    for file, item in enumerate(items if adapter.n_mcep >= ROWS else ()):
        f0 = f0_of(item.side)
        frames = np.flatnonzero((f0 > 0) & adapter.speech(item.features[: adapter.n_mcep]))
        n_parts = max(1, round(len(f0) / length))
        for part in np.split(frames, np.searchsorted(frames, np.arange(1, n_parts) * len(f0) / n_parts)):
            if len(part) < least:
                continue
            values = np.concatenate([item.features[1:ROWS, part[0] : part[-1] + 1][:, part - part[0]], np.log(f0[None, part])], dtype=np.float64)
            first, second = np.array_split(values, 2, axis=1)
            files.append(file)
            halves.append(np.stack([first.mean(axis=1), second.mean(axis=1)]))
            variances.append(values.var(axis=1))
    made = np.array(halves).reshape(-1, 2, ROWS).transpose(1, 0, 2)
    return VoiceParts(np.array(files, np.intp), made, np.array(variances).reshape(-1, ROWS))


def company(parts: VoiceParts) -> Company:
    """How far at least :data:`LEAST_PARTS` parts are from being one person's."""
    unit = np.sqrt(parts.variances.mean(axis=0)) + 1e-9
    whitening = whitener(parts.halves / unit)
    centred = (parts.halves - parts.halves.mean(axis=1, keepdims=True)) / unit
    spread = float((centred[0] * centred[1]).mean())
    apart, cleft = list[float](), list[float]()
    for found, judged in (centred, centred[::-1]):
        group = two_groups(found @ whitening, LEAST_GROUP)
        if group is None:
            return Company(0.0, 0.0, root(spread))
        apart.append(float((between(found, group) * between(judged, group)).mean()))
        places = (judged @ whitening) @ between(found @ whitening, group)
        within = np.concatenate([places[group] - places[group].mean(), places[~group] - places[~group].mean()])
        cleft.append(float(between(places, group) / (np.sqrt((within**2).sum() / (len(within) - 2)) + 1e-9)))
    return Company(root(float(np.mean(apart))), float(np.mean(cleft)), root(spread))


def examples(parts: VoiceParts) -> list[tuple[int, int]]:
    """Of each group: how many files have most of their parts in it, and which lies nearest to its middle.

    The larger group comes first. Empty: all files are in one.
    """
    unit = np.sqrt(parts.variances.mean(axis=0)) + 1e-9
    points = parts.halves.mean(axis=0) / unit @ whitener(parts.halves / unit)
    group = two_groups(points, LEAST_GROUP)
    if group is None:
        return []
    place = np.unique(parts.files, return_inverse=True)[1]
    share = np.bincount(place, weights=group) / np.bincount(place)
    told = list[tuple[int, int]]()
    for members, mostly in ((group, share > 0.5), (~group, share <= 0.5)):
        if not mostly.any():
            return []
        far = np.linalg.norm(points - points[members].mean(axis=0), axis=1)
        nearest = np.argmin(np.where(mostly[place], far, np.inf))
        told.append((int(mostly.sum()), int(parts.files[nearest])))
    return sorted(told, reverse=True)


def whitener(halves: FloatArray) -> FloatArray:
    """(D, D) which makes what two halves (2, N, D) disagree in alike in all directions: ``points @ whitener``."""
    chance = (halves[0] - halves[1]) / 2.0
    deviation = np.sqrt((chance**2).mean(axis=0)) + 1e-9
    scaled = chance / deviation
    correlation = CHANCE_KEPT * (scaled.T @ scaled) / len(scaled) + (1.0 - CHANCE_KEPT) * np.eye(len(deviation))
    sizes, directions = np.linalg.eigh(correlation)
    made: FloatArray = directions / np.sqrt(sizes) / deviation[:, None]
    return made


def root(square: float) -> float:
    """Square root of what is no less than 0 but for chance."""
    return float(np.sqrt(max(0.0, square)))
