"""Modulation spectrum: how fast a voice's envelope moves. Networks and vocoders blur the quick movements first.

Conventions: mel-cepstra are ``(T, order + 1)`` with c0 first, as ``mel_cepstrum`` makes them, and cover one
utterance in time order without gaps: cut pauses off both ends (``alignment.speech_span``), but take no frames out of
the middle, which would look like a jump.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import FloatArray

FRAME_RATE = 200.0
"""Frames per second that WORLD's 5 ms make."""
SEGMENT = 256
"""Frames that are analysed at a time: 1.28 s, so that a bin is 0.78 Hz."""
HIGHEST_HZ = 50.0
"""Faster movements than this do not count: speech synthesis smooths them away unheard (Takamichi et al. 2015, "The NAIST
text-to-speech system for the Blizzard Challenge 2015")."""

DEFINITION = (
    "Modulation-spectrum distance: root mean square difference in dB between the modulation spectra of two "
    "utterances, over c_1.. of the SPTK mel-cepstrum (5 ms frames) and the modulation frequencies above 0 up to "
    "50 Hz. Spectrum: mean power over Hann windows of 256 frames, half overlapping, in dB; the coefficient's mean is "
    "taken out first. Frames: from the first to the last within 40 dB of the recording's loudest; no alignment."
)
"""Print it beside results: windows and bound differ between papers."""

_FLOOR = 1e-12  # -120 dB: keeps the logarithm finite; speech stays above 1e-9


def modulation_spectrum(mel_cepstrum: FloatArray) -> NDArray[np.float64]:
    """Power in dB of each coefficient's movement by modulation frequency: ``(T, K)`` to ``(SEGMENT // 2 + 1, K)``.

    Bin b is b / ``SEGMENT`` of the frame rate. Power is that of one bin of a two-sided spectrum, so that all ``SEGMENT`` bins
    add up to the variance, and is averaged over segments that cover all frames (Welch's method). An utterance shorter
    than a segment is one shorter window, padded with zeros.

    Raises:
        InputError: there are no frames.

    Source: Takamichi et al. 2014, "A postfilter to modify the modulation spectrum in HMM-based speech synthesis", and
    2016, "Postfilters to modify the modulation spectrum for statistical parametric speech synthesis", utterance by
    utterance and segment by segment. The mean over segments is this project's, for utterances of any length.
    """
    if len(mel_cepstrum) == 0:
        raise InputError("modulation spectrum of no frames: is the recording empty or silent?")
    moving = np.asarray(mel_cepstrum, np.float64)
    moving = moving - moving.mean(axis=0)
    length = min(SEGMENT, len(moving))
    window = np.hanning(length + 2)[1:-1, None]  # without its zeros at both ends, so that one frame is a window too
    n_segments = -(-(len(moving) - length) // (SEGMENT // 2)) + 1
    starts = np.linspace(0, len(moving) - length, n_segments).round().astype(int)
    power = np.zeros((SEGMENT // 2 + 1, moving.shape[1]))
    for start in starts:
        power += np.square(np.abs(np.fft.rfft(moving[start : start + length] * window, n=SEGMENT, axis=0)))
    power /= n_segments * SEGMENT * np.square(window).sum()
    spectrum: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, _FLOOR))
    return spectrum


def modulation_distance(reference: FloatArray, converted: FloatArray, frame_rate: float = FRAME_RATE) -> float:
    """Root mean square difference of two modulation spectra in dB, c0 left out; 0 for equal ones.

    The utterances may differ in length and need no alignment: compare the same sentence, or means over many.

    Parameters:
        reference: ``(T1, order + 1)`` mel-cepstrum, c0 first.
        converted: ``(T2, order + 1)``.
        frame_rate: frames per second of both.

    Raises:
        InputError: there are no frames. ConfigError: different orders.
    """
    if reference.shape[1:] != converted.shape[1:]:
        raise ConfigError(f"mel-cepstra of different orders: {reference.shape} and {converted.shape}")
    difference = modulation_spectrum(reference)[:, 1:] - modulation_spectrum(converted)[:, 1:]
    hertz = np.arange(len(difference)) * frame_rate / SEGMENT
    return float(np.sqrt(np.mean(np.square(difference[(hertz > 0.0) & (hertz <= HIGHEST_HZ)]))))
