"""Predicted naturalness: what listeners would score, as the network DNSMOS guesses (speechmos, extra ``eval``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiocycle.errors import ConfigError, InputError
from audiocycle.spec import FloatArray

SAMPLE_RATE = 16000

DEFINITION = (
    "P808, OVRL, SIG, BAK: mean opinion scores from 1 to 5 that DNSMOS predicts (ITU-T P.808 listening test; P.835 "
    "overall, speech signal, background), windows of 9.01 s every second, shorter files repeated. Made for noise "
    "suppression: P808 follows what vocoders and conversion do to a voice, OVRL hardly notices over-smoothing."
)
"""Print it beside results."""


class Naturalness:
    """DNSMOS, which carries its weights.

    P808 does not see the level of a recording; SIG, BAK and OVRL do, so that they compare files of like loudness only.

    Raises:
        ConfigError: speechmos is not installed.

    Source: Reddy, Gopal & Cutler 2021, "DNSMOS" (P808), and 2022, "DNSMOS P.835" (the others).
    """

    def __init__(self) -> None:
        try:
            from speechmos import dnsmos
        except ImportError as error:
            raise ConfigError("naturalness: speechmos is not installed; pip install 'audiocycle[eval]'") from error
        self._dnsmos: Any = dnsmos

    def score(self, samples: FloatArray) -> dict[str, float]:
        """``p808``, ``ovrl``, ``sig``, ``bak`` of a mono recording at 16 kHz, ``(N,)``; samples beyond ±1 are clipped.

        Raises:
            InputError: the recording is empty.
        """
        if len(samples) == 0:
            raise InputError("naturalness of an empty recording: check the file")
        scores = self._dnsmos.run(np.clip(np.asarray(samples, np.float64), -1.0, 1.0), SAMPLE_RATE)
        return {name: float(scores[f"{name}_mos"]) for name in ("p808", "ovrl", "sig", "bak")}
