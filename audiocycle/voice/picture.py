"""Pictures of recordings: spectrograms with the course of the pitch, one above the other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray
from audiocycle.system.figure import DPI, drawable, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = tuple[str, FloatArray, int, FloatArray | None]
"""One row of a picture: title, samples (N,), sample rate in Hz, F0 track in Hz (0 = unvoiced) or None."""
RANGE_DB = 80.0
"""A spectrogram shows this many dB below its loudest point."""
_WINDOW_SECONDS = 0.025
_TRACK_COLOUR, _TRACK_LABEL_COLOUR = "#38f2ff", "#00727d"  # cyan on black, and darker on white
_MAX_COLUMNS = 1200  # wider than the picture; keeps long recordings fast


def compare_picture(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Write a PNG with one spectrogram per row and the F0 track over it, all on one time axis.

    Parameters:
        path: the file to write; it appears complete or not at all.
        rows: ``(title, samples, sample_rate, f0)``. ``samples`` is mono; ``f0`` (T,) in Hz spans the whole
            recording evenly, gaps where it is 0 or NaN; None draws no track.

    Raises:
        InputError: there are no rows, or a row is not mono audio. OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    if not rows:
        raise InputError(f"nothing to draw in {os.fspath(path)}: give at least one recording")
    for title, samples, sample_rate, _ in rows:
        if np.ndim(samples) != 1 or len(samples) == 0 or sample_rate <= 0:
            raise InputError(f"cannot draw '{title}': expected mono samples, got shape {np.shape(samples)}")
    figure = Figure(figsize=(11.0, 0.5 + 2.3 * len(rows)), dpi=DPI, layout="constrained")
    grid = figure.subplots(len(rows), 1, squeeze=False, sharex=True)[:, 0]
    highest = max((_highest(f0) for *_, f0 in rows), default=0.0)
    for axes, (title, samples, sample_rate, f0) in zip(grid, rows, strict=True):
        image = _draw_spectrogram(axes, np.asarray(samples, np.float64), sample_rate)
        axes.set_title(drawable(title), loc="left", fontsize=11, fontweight="bold", parse_math=False)
        if f0 is not None:
            _draw_track(axes, np.asarray(f0, np.float64), len(samples) / sample_rate, highest)
    grid[0].set_xlim(0.0, max(len(samples) / rate for _, samples, rate, _ in rows))
    grid[-1].set_xlabel("time (s)")
    bar = figure.colorbar(image, ax=list(grid), shrink=min(1.0, 2.0 / len(rows)), pad=0.01)
    bar.set_label("dB below the row's maximum")
    write_figure(figure, Path(path))


def spectrogram_db(samples: FloatArray, sample_rate: int) -> NDArray[np.float64]:
    """Log magnitude spectrogram ``(n_bins, T)`` in dB below its maximum, 0 to -80; silence is -80 throughout.

    Hann windows of 25 ms, zero-padded to a power of two, every 5 ms or wider where the recording is long.
    """
    window = max(2, round(_WINDOW_SECONDS * sample_rate))
    n_fft = 1 << (window - 1).bit_length()
    padded = np.pad(np.asarray(samples, np.float64), window // 2)
    padded = np.pad(padded, (0, max(0, window - len(padded))))
    hop = max(1, window // 5, len(samples) // _MAX_COLUMNS)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(window), n=n_fft, axis=1)).T
    magnitude = np.nan_to_num(magnitude, posinf=0.0)
    peak = magnitude.max()
    if peak == 0.0:
        return np.full(magnitude.shape, -RANGE_DB)
    level: NDArray[np.float64] = 20.0 * np.log10(np.maximum(magnitude / peak, 10 ** (-RANGE_DB / 20)))
    return level


def _draw_spectrogram(axes: Axes, samples: NDArray[np.float64], sample_rate: int) -> Any:
    extent = (0.0, len(samples) / sample_rate, 0.0, sample_rate / 2000)
    image = axes.imshow(
        spectrogram_db(samples, sample_rate),
        origin="lower",
        aspect="auto",
        extent=extent,
        cmap="magma",
        vmin=-RANGE_DB,
        vmax=0.0,
    )
    axes.set_facecolor("#e8e8e8")  # past the end of a shorter recording
    axes.set_ylabel("frequency (kHz)")
    return image


def _draw_track(axes: Axes, f0: NDArray[np.float64], seconds: float, highest: float) -> None:
    """F0 on a second axis, which all rows share; a dark edge lifts the line off bright harmonics."""
    from matplotlib import patheffects

    track = np.where(np.isfinite(f0) & (f0 > 0.0), f0, np.nan)
    times = (np.arange(len(track)) + 0.5) / max(1, len(track)) * seconds
    pitch_axes = axes.twinx()
    width = 1.6 if seconds < 20.0 else 0.7
    edge = patheffects.withStroke(linewidth=2.2 * width, foreground="black", alpha=0.7)
    pitch_axes.plot(times, track, color=_TRACK_COLOUR, linewidth=width, path_effects=[edge])
    pitch_axes.set_ylim(0.0, max(200.0, 1.1 * highest))
    pitch_axes.set_ylabel("F0 (Hz)", color=_TRACK_LABEL_COLOUR)
    pitch_axes.tick_params(axis="y", labelcolor=_TRACK_LABEL_COLOUR)


def _highest(f0: FloatArray | None) -> float:
    """The top of a track, blind to a few octave errors; 0 without voiced frames."""
    voiced = np.asarray([] if f0 is None else f0, np.float64)
    voiced = voiced[np.isfinite(voiced) & (voiced > 0.0)]
    return float(np.percentile(voiced, 99.0)) if len(voiced) else 0.0
