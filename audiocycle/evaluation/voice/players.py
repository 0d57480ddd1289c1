"""Recordings in the report: a player beside each spectrogram and its F0 track."""

from __future__ import annotations

import numpy as np

from audiocycle.evaluation.measure import Place
from audiocycle.evaluation.page.charts import data_uri, ticks
from audiocycle.evaluation.page.markup import Markup, element, joined
from audiocycle.evaluation.sound import flac
from audiocycle.evaluation.voice.measures import (
    CONVERTED,
    LAYOUT,
    MATCHED,
    MEASURES,
    OF_TARGET,
    SOURCE_COPY,
    TARGET,
    TARGET_COPY,
    UNCONVERTED,
)
from audiocycle.evaluation.voice.results import VoiceDirectionResult, VoiceExample
from audiocycle.evaluation.voice.spectrogram import pitch_overlay, spectrogram_png
from audiocycle.spec import FloatArray

PLACES = (UNCONVERTED, CONVERTED, TARGET, SOURCE_COPY, MATCHED, TARGET_COPY)
"""Source, converted and target side by side, and below each what it is to be compared with."""
NAMES = {UNCONVERTED: "source", TARGET: "target"}
"""What rows are called as recordings."""
LOWEST_TOP = 200.0
"""The F0 axis reaches at least so high, in Hz."""


def listening(each: VoiceDirectionResult) -> Markup:
    """All example files of a direction."""
    return joined(*(example(sounds, each) for sounds in each.examples))


def example(sounds: VoiceExample, each: VoiceDirectionResult) -> Markup:
    """The recordings of one file side by side, on one time axis and one F0 axis."""
    rows = [row for row in PLACES if row in sounds.samples] + [row for row in sounds.samples if row not in PLACES]
    longest = max((len(sounds.samples[row]) for row in rows), default=1)
    highest = max((top(sounds.f0.get(row)) for row in rows), default=LOWEST_TOP)
    players = (player(sounds, row, figures_of(each, row, sounds), longest, highest) for row in rows)
    title = sounds.name if sounds.target_name == sounds.name else f"{sounds.name}, target {sounds.target_name}"
    return joined(element("h4", title), element("div", *players, class_="sounds"))


def player(sounds: VoiceExample, row: str, figures: str, longest: int, highest: float) -> Markup:
    """One recording: its name and figures, its picture between the axes, its player."""
    samples, f0 = sounds.samples[row], sounds.f0.get(row)
    seconds, name = len(samples) / sounds.sample_rate, NAMES.get(row, row)
    file = file_of(sounds, row)
    alt = f"Spectrogram of {file}, {name}: {seconds:.1f} s, 0 to {sounds.sample_rate / 2000:g} kHz{pitch_in_words(f0)}"
    picture = element(
        "div",
        element("img", src=data_uri(spectrogram_png(samples, sounds.sample_rate), "image/png"), alt=alt),
        None if f0 is None else pitch_overlay(f0, highest),
        class_="picture",
        style=f"width:{100 * len(samples) / longest:.4g}%",
    )
    top_khz = sounds.sample_rate / 2000
    view = element(
        "div",
        element("div", *axis(top_khz, " kHz"), class_="level", aria_hidden="true"),
        element("div", picture, class_="stage"),
        element("div", *(axis(highest, " Hz") if f0 is not None else ()), class_="level pitch", aria_hidden="true"),
        element(
            "div",
            element("span", "0 s"),
            element("span", f"{longest / sounds.sample_rate:.1f} s"),
            class_="times",
            aria_hidden="true",
        ),
        class_="view",
    )
    audio = element(
        "audio",
        controls=True,
        preload="none",  # a browser allows some forty or seventy players that have loaded something
        src=data_uri(flac(samples, sounds.sample_rate), "audio/flac"),
        aria_label=f"{file}, {name}, {seconds:.1f} seconds",
    )
    caption = element("figcaption", element("strong", name), element("small", figures or f"{seconds:.1f} s"))
    return element("figure", caption, view, audio, class_=f"sound {LAYOUT.classes.get(row, '')}")


def axis(highest: float, unit: str) -> list[Markup]:
    """Labels from 0 up to the last round number; the highest tells the unit."""
    values = ticks(0.0, highest, 4)
    return [
        element("span", f"{value:g}{unit if value == values[-1] else ''}", style=f"bottom:{100 * value / highest:.4g}%")
        for value in values
    ]


def file_of(sounds: VoiceExample, row: str) -> str:
    """Whose recording a row's is."""
    return sounds.target_name if row in OF_TARGET else sounds.name


def figures_of(each: VoiceDirectionResult, row: str, sounds: VoiceExample) -> str:
    """The main measures of this very file."""
    texts = []
    place = (each.target_files if row in OF_TARGET else each.files).index(file_of(sounds, row))
    for measure in (measure for measure in MEASURES if Place.CHART in measure.places):
        values = each.values.get(row, {}).get(measure.name)
        if values is not None and np.isfinite(value := values[place]):
            unit = f" {measure.unit}" if measure.unit in ("dB", "%") else ""
            texts.append(f"{measure.label} {measure.text(value)}{unit}")
    return " · ".join(texts)


def top(f0: FloatArray | None) -> float:
    """The top of an F0 axis, blind to a few octave errors."""
    voiced = voiced_frames(f0)
    return max(LOWEST_TOP, 1.1 * float(np.percentile(voiced, 99.0))) if len(voiced) else LOWEST_TOP


def voiced_frames(f0: FloatArray | None) -> FloatArray:
    """Voiced frames only."""
    track = np.nan_to_num(np.asarray([] if f0 is None else f0, np.float64))
    return track[track > 0.0]


def pitch_in_words(f0: FloatArray | None) -> str:
    """For those who do not see the track."""
    if f0 is None:
        return ""
    voiced = voiced_frames(f0)
    if not len(voiced):
        return "; no voiced frames"
    low, middle, high = np.percentile(voiced, (5.0, 50.0, 95.0))
    return f"; F0 mostly {low:.0f} to {high:.0f} Hz, median {middle:.0f} Hz"
