"""What the built-in synthesis makes its music of: single notes for each General MIDI family, and strokes of drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_BLOCK = 1 << 9  # samples between the entries of a tone's coarse table
_MOST_PARTIALS = 14
_DULL_HERTZ = 4000.0  # partials fall off from here on, as those of real instruments do
_DRUM_LEVEL = 0.7


@dataclass(frozen=True)
class Timbre:
    """What a note sounds like: partial k begins at k^-slope and decays by ``decay + k * damping`` nepers a second."""

    slope: float
    even: float  # level of the even partials: low sounds hollow
    attack: float  # seconds
    decay: float  # at middle C; higher notes die sooner; 0 for what bows and breath sustain
    damping: float
    release: float  # seconds, to 1/e
    spread: float = 0.0005  # between the two voices of each partial: 1 cent is 0.00058
    stiffness: float = 0.0  # of strings: partial k is sharp by the root of 1 + stiffness * k^2


TIMBRES = (
    Timbre(1.3, 1.0, 0.002, 0.9, 0.40, 0.10, stiffness=4e-4),  # piano
    Timbre(2.2, 0.6, 0.002, 1.5, 1.50, 0.40, stiffness=0.05),  # chromatic percussion
    Timbre(1.4, 1.0, 0.015, 0.0, 0.00, 0.05),  # organ
    Timbre(1.1, 0.8, 0.002, 1.2, 0.60, 0.10, stiffness=1e-4),  # guitar
    Timbre(1.3, 1.0, 0.005, 0.8, 0.50, 0.06),  # bass
    Timbre(1.3, 1.0, 0.060, 0.0, 0.00, 0.12, spread=0.003),  # strings
    Timbre(1.5, 1.0, 0.080, 0.0, 0.00, 0.18, spread=0.004),  # ensemble
    Timbre(1.1, 1.0, 0.030, 0.0, 0.00, 0.06),  # brass
    Timbre(1.2, 0.5, 0.025, 0.0, 0.00, 0.05),  # reed
    Timbre(2.2, 0.7, 0.040, 0.0, 0.00, 0.07),  # pipe
    Timbre(1.2, 1.0, 0.010, 0.0, 0.00, 0.06, spread=0.004),  # synth lead
    Timbre(1.7, 1.0, 0.150, 0.0, 0.00, 0.30, spread=0.006),  # synth pad
    Timbre(1.7, 1.0, 0.080, 0.0, 0.00, 0.30, spread=0.006),  # synth effects
    Timbre(1.2, 0.8, 0.002, 1.4, 0.80, 0.10, stiffness=1e-4),  # ethnic
    Timbre(1.8, 0.8, 0.002, 5.0, 2.00, 0.08, stiffness=0.1),  # percussive
    Timbre(2.0, 1.0, 0.030, 3.0, 1.00, 0.10),  # sound effects
)
"""By General MIDI family: programs 0-7, 8-15, and so on."""

_KICKS, _SNARES, _BRIGHT = (35, 36), (37, 38, 39, 40), (42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59, 69, 70, 82)


def release(timbre: Timbre, sample_rate: int) -> Samples:
    """What a note's end is multiplied by: an exponential that arrives at zero after four of its time constants."""
    n_samples = max(1, round(4.0 * timbre.release * sample_rate))
    place = np.linspace(0.0, 1.0, n_samples, dtype=np.float32)
    return np.asarray(np.exp(-4.0 * place) * (1.0 - place), np.float32)


def tone(timbre: Timbre, pitch: int, n_samples: int, sample_rate: int) -> Samples:
    """At most (n_samples,) of a note: its partials below 0.45 of the sample rate, until they have died away.

    A decaying partial is the imaginary part of w^n with a complex w, and w^(ab + c) = (w^a)^b w^c: two short tables,
    whose matrix product sums all partials, give every sample.
    """
    frequency = 440.0 * 2.0 ** ((pitch - 69) / 12)
    decay = timbre.decay * 2.0 ** ((pitch - 60) / 18)
    if decay > 0.0:
        n_samples = min(n_samples, round(np.log(1e4) / (decay + timbre.damping) * sample_rate))
    number = np.repeat(np.arange(1, 1 + _MOST_PARTIALS), 2)  # two voices of each, which beat gently
    detuned = 1.0 + timbre.spread * np.tile([0.0, 1.0], _MOST_PARTIALS)
    hertz = frequency * number * np.sqrt(1.0 + timbre.stiffness * number**2) * detuned
    level = number**-timbre.slope * np.where(number % 2, 1.0, timbre.even) * np.tile([1.0, 0.4], _MOST_PARTIALS)
    level /= np.sqrt((level**2).sum())
    level = np.where(hertz < 0.45 * sample_rate, level / (1.0 + (hertz / _DULL_HERTZ) ** 2), 0.0)
    power = (2j * np.pi * hertz - decay - timbre.damping * number) / sample_rate
    n_blocks = -(-n_samples // _BLOCK)
    coarse = level * np.exp(power * (_BLOCK * np.arange(n_blocks))[:, None])
    fine = np.exp(power[:, None] * np.arange(_BLOCK))
    note: Samples = (coarse.astype(np.complex64) @ fine.astype(np.complex64)).imag.reshape(-1)[:n_samples]
    n_attack = min(n_samples, round(timbre.attack * sample_rate))
    note[:n_attack] *= np.linspace(0.0, 1.0, n_attack, dtype=np.float32)
    return note


def drum(pitch: int, sample_rate: int) -> Samples:
    """One stroke: noise, bright for cymbals, and a falling sine for skins."""
    seconds = np.arange(round(0.5 * sample_rate)) / sample_rate
    noise = np.random.default_rng(pitch).standard_normal(len(seconds))
    if pitch in _BRIGHT:
        rate = 40.0 if pitch in (42, 44) else 9.0  # closed hi-hats are short
        stroke = 0.2 * np.diff(noise, 2, append=[0.0, 0.0]) * np.exp(-rate * seconds)
    else:
        base = 50.0 if pitch in _KICKS else 180.0 if pitch in _SNARES else 60.0 * 2.0 ** ((pitch - 41) / 12)
        phase = base * (seconds + 0.06 * (1.0 - np.exp(-seconds / 0.03)))  # begins three times as high
        hiss = 0.5 if pitch in _SNARES else 0.05
        stroke = np.sin(2 * np.pi * phase) * np.exp(-9.0 * seconds) + hiss * noise * np.exp(-18.0 * seconds)
    stroke *= _DRUM_LEVEL * np.linspace(1.0, 0.0, len(seconds))
    return stroke.astype(np.float32)
