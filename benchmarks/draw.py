"""``python -m benchmarks.draw bench.json FOLDER``: pictures of a benchmark's JSON, and of nothing else.

``FOLDER/roofline.png``: how near each stage comes to the processor's roofs. ``FOLDER/growth.png``: how cost grows.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocycle.system.figure import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

COLOURS = {"fp32": "#0072b2", "bf16": "#d55e00"}
"""Blue and vermilion of Okabe and Ito: told apart by all eyes."""
GREY = "#555555"
MARKERS = "os^DvpXP<h"
EXPECTED = {1: "in proportion", 2: "with the square", -1: "shared out evenly"}
"""Exponents of growth in words."""


def roofs(figures: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], float]:
    """GFLOP/s of the matrix products by precision, and GB/s of memory; empty and 0 where they were not measured."""
    compute = {f["facts"]["precision"]: f["value"] for f in figures if f["facts"].get("roof") == "compute"}
    return compute, next((f["value"] for f in figures if f["facts"].get("roof") == "memory"), 0.0)


def draw_roofline(axes: Axes, figures: Sequence[Mapping[str, Any]]) -> None:
    """GFLOP/s over FLOP/byte, both logarithmic: roofs as lines, stages as points, one marker for each stage."""
    compute, bandwidth = roofs(figures)
    stages = [f["facts"] | {"speed": f["value"]} for f in figures if "stage" in f["facts"]]
    names = list(dict.fromkeys(stage["stage"] for stage in stages))
    ridges = [peak / bandwidth for peak in compute.values()]
    low = min([stage["intensity"] for stage in stages] + ridges) / 2
    high = max([stage["intensity"] for stage in stages] + ridges) * 1.6
    least = min([stage["speed"] for stage in stages] + [low * bandwidth])
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(least / 1.6, max(compute.values()) * 1.5))
    axes.plot([low, max(ridges)], [low * bandwidth, max(ridges) * bandwidth], color=GREY, linewidth=1.8, zorder=1)
    axes.text(
        low * 1.05, low * 1.05 * bandwidth * 1.08, f"memory copy: {bandwidth:.1f} GB/s", color=GREY, fontsize=9,
        rotation=math.degrees(math.atan(bandwidth)), rotation_mode="anchor", transform_rotates_text=True,
    )  # fmt: skip
    for precision, peak in compute.items():
        axes.plot([peak / bandwidth, high], [peak, peak], color=COLOURS[precision], linewidth=1.8, zorder=1)
        axes.annotate(
            f"{precision} product\n{peak:.0f} GFLOP/s", (high, peak), (6, 0), textcoords="offset points",
            va="center", color=COLOURS[precision], fontsize=9, annotation_clip=False,
        )  # fmt: skip
    for stage in stages:
        marker = MARKERS[names.index(stage["stage"]) % len(MARKERS)]
        colour = COLOURS[stage["precision"]]
        axes.plot(stage["intensity"], stage["speed"], marker, color=colour, markersize=8, markeredgecolor="white", zorder=2)
    for index, name in enumerate(names):
        axes.plot([], [], MARKERS[index % len(MARKERS)], color=GREY, label=name)
    for precision in compute:
        axes.plot([], [], linewidth=6, color=COLOURS[precision], label=precision)
    axes.set(xlabel="arithmetic intensity (FLOP/byte, bytes estimated)", ylabel="speed (GFLOP/s)")
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.15, 1.0), fontsize=9, frameon=False)


def plain_numbers(axis: Axis) -> None:
    """A logarithmic axis with 0.5, 20 or 100 written so, at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def draw_growth(axes: Axes, series: str, figures: Sequence[Mapping[str, Any]]) -> None:
    """Seconds over what grows, both logarithmic, with a line of what would be expected through the first point."""
    values = [f["facts"]["value"] for f in figures]
    seconds = [f["value"] for f in figures]
    exponent = figures[0]["facts"]["expected"]
    expected = [seconds[0] * (value / values[0]) ** exponent for value in values]
    axes.plot(values, expected, "--", color=GREY, linewidth=1, label=EXPECTED[exponent])
    axes.plot(values, seconds, "o-", color=COLOURS["fp32"], linewidth=1.8)
    for figure, value, second in zip(figures, values, seconds, strict=True):
        axes.annotate(f"{figure['ratio']['value']:.2g}×", (value, second), (5, -11), textcoords="offset points", fontsize=8)
    unit = figures[0]["facts"]["unit"]
    axes.set(xscale="log", yscale="log", ylabel="seconds", xlabel=f"{series}{f' ({unit})' if unit else ''}")
    plain_numbers(axes.yaxis)
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)
    axes.set_ylim(min(*seconds, *expected) / 1.6, max(*seconds, *expected) * 1.8)
    axes.margins(x=0.12)
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=8, frameon=False, loc="lower right" if exponent > 0 else "upper right")


def draw(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what the JSON has figures for; the files written."""
    from matplotlib.figure import Figure

    figures = result["figures"]
    machine = result["machine"]
    under = f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}, load {machine.get('load, 1 minute', '?')}, {result['date'][:10]}"
    written = []
    if all(roofs(figures)) and any("stage" in f["facts"] for f in figures):
        paper = Figure(figsize=(11.0, 5.6), dpi=110, layout="constrained")
        draw_roofline(paper.subplots(), figures)
        paper.supxlabel(under, fontsize=8, color="#666666")
        write_figure(paper, folder / "roofline.png")
        written.append(folder / "roofline.png")
    series: dict[str, list[Mapping[str, Any]]] = {}
    for figure in figures:
        if "series" in figure["facts"]:
            series.setdefault(figure["facts"]["series"], []).append(figure)
    if series:
        columns = min(3, len(series))
        rows = -(-len(series) // columns)
        paper = Figure(figsize=(4.0 * columns, 3.2 * rows + 0.3), dpi=110, layout="constrained")
        grid = paper.subplots(rows, columns, squeeze=False).ravel()
        for axes, (name, points) in zip(grid, series.items(), strict=False):
            draw_growth(axes, name, points)
        for axes in grid[len(series) :]:
            axes.set_axis_off()
        paper.supxlabel(under, fontsize=8, color="#666666")
        write_figure(paper, folder / "growth.png")
        written.append(folder / "growth.png")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draw", description="Draw what python -m benchmarks has measured.")
    parser.add_argument("json", type=Path, help="what python -m benchmarks wrote")
    parser.add_argument("folder", type=Path, help="where the PNG files go")
    options = parser.parse_args()
    for path in draw(json.loads(options.json.read_text(encoding="utf-8")), options.folder):
        print(path)


if __name__ == "__main__":
    main()
