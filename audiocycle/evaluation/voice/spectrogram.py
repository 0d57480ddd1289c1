"""Spectrograms as PNG, and the F0 track that lies over one as SVG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.spec import FloatArray
from audiocycle.voice.picture import RANGE_DB, spectrogram_db

HIGHEST, WIDEST = 256, 800
"""Pixels of a spectrogram: about what a screen shows of it."""
SHADES = 64
"""Levels of a spectrogram, 1.25 dB each: more would double the file, and the eye does not see them."""


def spectrogram_png(samples: FloatArray, sample_rate: int) -> bytes:
    """The spectrogram alone, without axes, 0 Hz at the bottom: 80 dB from black to pale yellow."""
    from matplotlib import colormaps
    from PIL import Image  # matplotlib brings it

    level = pooled(spectrogram_db(samples, sample_rate))
    index = np.round((level / RANGE_DB + 1.0) * (SHADES - 1)).astype(np.uint8)[::-1]
    image = Image.fromarray(index)
    image.putpalette(
        (colormaps["magma"](np.linspace(0.0, 1.0, SHADES))[:, :3] * 255).round().astype(np.uint8).tobytes()
    )
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def pooled(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over neighbours where there are more than :data:`HIGHEST` × :data:`WIDEST` of them."""
    for axis, most in enumerate((HIGHEST, WIDEST)):
        group = -(-(level.shape[axis] - 1) // most) or 1
        starts = np.arange(0, level.shape[axis], group)
        sizes = np.diff(np.append(starts, level.shape[axis]))
        level = np.add.reduceat(level, starts, axis=axis) / (sizes[:, None] if axis == 0 else sizes)
    return level


def pitch_overlay(f0: FloatArray, highest: float) -> Markup:
    """F0 (T,) in Hz, gaps where it is 0 or NaN, to lie over a spectrogram of the same length; its top is ``highest`` Hz."""
    track = np.nan_to_num(np.asarray(f0, np.float64))
    path: list[str] = []
    for i, value in enumerate(track):
        if value > 0.0:
            begins = i == 0 or track[i - 1] <= 0.0
            ends = i + 1 == len(track) or track[i + 1] <= 0.0
            y = 1000.0 * (1.0 - min(1.0, value / highest))
            path.append(f"{'M' if begins else 'L'}{i + 0.5:.5g} {y:.0f}" + ("h.1" if begins and ends else ""))
    line = "".join(path)
    return element(
        "svg",
        element("path", d=line, class_="edge"),
        element("path", d=line, class_="track"),
        viewBox=f"0 0 {max(1, len(track))} 1000",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
