"""Voices that are lower than where the search for F0 usually begins.

A little lower everything hums: mains at 50 and 60 Hz, fans, rooms. DIO follows the fundamental alone, and takes such for a voice: begun at 50 Hz
instead of 71 it finds 91 % of all frames of LibriSpeech's speaker 78 voiced instead of 44 %, and loses the voice of one reader in fifteen
to hum, even where the voice is loud. So what is found down there is believed only where the sound without its lowest part repeats with that
period too, and the search begins lower only for a recording in which that is a good part of the voice.
"""

from __future__ import annotations

import numpy as np

from audiocycle.spec import FloatArray
from audiocycle.voice.low_cut import high_passed

LOWER = 2.0**-0.5
"""Half an octave, of which DIO has one band: all bands above lie where they did."""
LOWEST_HZ = 47.0
"""Below, D4C takes another F0 for the frame's."""
LEAST_SHARE = 0.08
"""Of the voiced frames where the voice is loud. Voices of 60 to 75 Hz have 0.2 and more; ordinary ones, which creak now and then, up to 0.06;
of 246 readers of LibriSpeech two reach it, with medians of 77 and 79 Hz."""
NEAR, OCTAVE, FORMANT, OCTAVE_SHARE = 1.6, 2.2, 5.0, 0.3
"""Voices most of which lies between the second multiple of the usual floor and the third are not asked. Others whose median lies above the
first are low only if they were taken for their octave or their first formant: by this share."""
LOUD_DB = 12.0
"""Below the level that a twentieth of the frames reach: vowels."""
HIGH_PASS = (4, 150.0)
"""Order and edge in Hz."""
PIECE_SECONDS, CONTEXT_SECONDS = 30.0, 0.5
"""So much is looked at at once, with so much on either side: memory does not grow with the recording. The filter has forgotten sooner what was."""
LEAST_CORRELATION, MARGIN = 0.6, 0.1
"""Of the sound with itself one period later, and how much less it is after half and a third of it: else the voice is an octave higher."""


def lower_floor(usual: float) -> float | None:
    """Where to begin the search for a low voice, in Hz; None where the usual floor is as low already."""
    floor = max(LOWEST_HZ, usual * LOWER)
    return floor if floor < usual else None


def least_share(f0: FloatArray, usual: float) -> float | None:
    """What :meth:`Believed.share` must be, judging by the track (T,) that was begun at the usual floor; None: this is no low voice."""
    voiced = f0[f0 > 0]
    if not len(voiced):
        return LEAST_SHARE
    if np.mean((voiced >= OCTAVE * usual) & (voiced < FORMANT * usual)) > 0.5:
        return None
    return LEAST_SHARE if np.median(voiced) < NEAR * usual else OCTAVE_SHARE


class Believed:
    """Which frames of a low track are a voice.

    Args:
        x: (N,) samples.
        low: (T,) a track that was begun at a lower floor; ``times`` (T,) of its frames, in seconds.
        usual: Hz.
    """

    def __init__(self, x: FloatArray, sample_rate: int, low: FloatArray, times: FloatArray, usual: float) -> None:
        self.low, self.voice, level = (low > 0) & (low < usual), np.zeros(len(low), dtype=bool), np.zeros(len(low))
        centres = np.minimum(np.round(times * sample_rate).astype(int), len(x))
        piece, context, reach = round(PIECE_SECONDS * sample_rate), round(CONTEXT_SECONDS * sample_rate), round(sample_rate / usual)
        for begin in range(0, len(x) + 1, piece):
            first, last = np.searchsorted(centres, (begin, begin + piece))
            part, places = x[max(0, begin - context) : begin + piece + context], centres[first:last] - max(0, begin - context)
            power = np.concatenate([[0.0], np.cumsum(np.square(part))])
            level[first:last] = power[np.minimum(places + reach, len(part))] - power[np.maximum(places - reach, 0)]
            frames = np.flatnonzero(self.low[first:last])
            audible = high_passed(part, *HIGH_PASS, sample_rate) if len(frames) else part
            self.voice[first + frames] = [repeats(audible, int(places[t]), sample_rate / float(low[first + t])) for t in frames]
        loud = np.quantile(level, 0.95) * 10.0 ** (-LOUD_DB / 10.0)
        self.loud = level > loud

    def share(self, f0: FloatArray) -> float:
        """Of the loud frames that have a voice, those of a low one; 0 where these are few among all loud frames.

        Args:
            f0: (T,) the track from the usual floor on.
        """
        low, others = int((self.voice & self.loud).sum()), int(((f0 > 0) & self.loud & ~self.voice).sum())
        return low / max(1, low + others) if low >= LEAST_SHARE / 2 * self.loud.sum() else 0.0


def repeats(samples: FloatArray, centre: int, period: float) -> bool:
    """Whether (N,) samples repeat about one of them with this period (in samples), and not with its half or its third."""
    lag = round(period)
    part = samples[max(0, centre - lag) : centre + lag]
    if len(part) < 2 * lag or not part.any():
        return False
    reach = max(1, lag // 50)
    whole, half, third = (
        max(correlation(part, shift) for shift in range(round(lag / parts) - reach, round(lag / parts) + reach + 1)) for parts in (1, 2, 3)
    )
    return whole > LEAST_CORRELATION and whole > max(half, third) + MARGIN


def correlation(x: FloatArray, lag: int) -> float:
    """Of samples (N,) with those ``lag`` later."""
    before, after = x[:-lag], x[lag:]
    return float(before @ after / np.sqrt((before @ before) * (after @ after) + 1e-30))
