"""The 24 keys, twice: which pitch classes are in their scales, and how well each class fits. Rows are C to B major, then C to B minor."""

from __future__ import annotations

import numpy as np

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_FITS = np.stack([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
PROFILES = (_FITS - _FITS.mean(axis=1, keepdims=True)) / _FITS.std(axis=1, keepdims=True)
"""(24, 12) standardised, so that a product with how much each pitch class sounds ranks keys as the correlation does.

Source: Krumhansl 1990, "Cognitive Foundations of Musical Pitch", probe-tone profiles of Krumhansl & Kessler 1982.
"""
SCALES = np.array([
    np.roll(np.isin(np.arange(12), scale), tonic) for scale in ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)) for tonic in range(12)
])  # fmt: skip
"""(24, 12) major and harmonic minor."""
