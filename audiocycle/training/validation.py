"""What held-out items say of a step's weights, and the picture of it over the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from audiocycle.bundles.format import BundleConfig
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.data.domains import DomainData
from audiocycle.errors import BundleError
from audiocycle.modality import SCORE, Modality, Validation
from audiocycle.spec import ANYONE, Direction, Domain
from audiocycle.system.figure import DPI, drawable, write_figure
from audiocycle.training.choice import ENDED_EARLY, Choice
from audiocycle.training.material import Material
from audiocycle.training.samples import on_processor

CURVE = "held_out.png"
"""In a run's folder."""
LABELS = {"envelope_db": "envelope, dB"}
"""Of measures whose names say too little."""
SECONDS, LEAST_SECONDS = 40.0, 12.0
"""Of held-out items that are converted in a measurement: in all, and in each direction where there are many."""


class Validator:
    """Measures all directions whose domains have held-out items, on the processor, so that training is not touched.

    Nothing is converted as it is for people, with variance put back: the networks are compared, not what makes up for them.

    Args:
        describe: the bundle's settings at a step.
    """

    def __init__(self, modality: Modality, material: Material, describe: Callable[[int], BundleConfig]) -> None:
        self.modality, self.material, self.describe = modality, material, describe

        self.directions = [each for each in material.directions if {self.source(each), each.target} <= material.held.keys()]

    @staticmethod
    def source(direction: Direction) -> Domain:
        """Whose recordings are converted: where everybody is, the target's own."""
        return direction.target if direction.source == ANYONE else direction.source

    @cached_property
    def validations(self) -> dict[Direction, Validation]:
        """Made when they are first asked for, by the process that asks."""
        held, learned, seconds = self.material.held, self.material.data, max(LEAST_SECONDS, SECONDS / len(self.directions))
        return {
            each: self.modality.validation(each, items(held[self.source(each)]), items(held[each.target]), items(learned[each.target]), seconds)
            for each in self.directions
        }

    def __call__(self, step: int, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Means over directions of each measure; where there are several, that of each, too."""
        config = self.describe(step)
        converter = Converter(config, TorchNetwork(on_processor(config, weights)))
        found = {direction: self.measured(validation, converter, direction) for direction, validation in self.validations.items()}
        names = dict.fromkeys(name for measures in found.values() for name in measures)
        means = {name: float(np.mean([measures[name] for measures in found.values() if name in measures])) for name in names}
        of_each = {f"{name}/{direction}": value for direction, measures in found.items() for name, value in measures.items()}
        return means | (of_each if len(found) > 1 else {})

    @staticmethod
    def measured(validation: Validation, converter: Converter, direction: Direction) -> Mapping[str, float]:
        """Measures of a direction; where its network makes nothing that could be converted, the least score alone."""
        try:
            return validation(converter.translation(direction.target.name, direction.source.name))
        except BundleError:
            return {SCORE: 0.0}


def items(data: DomainData) -> list[tuple[Path, Any]]:
    """Paths and training items."""
    return list(zip(data.paths, data.items, strict=True))


def chosen(choice: Choice) -> dict[str, Any]:
    """What a bundle says of how its step was chosen."""
    best = {name: round(value, 3) for name, value in choice.measured[choice.step].items() if "/" not in name}
    said: dict[str, Any] = {"step": choice.step, "on held-out recordings": ", ".join(f"{name} {value:g}" for name, value in best.items())}
    return said if choice.end is None else said | {ENDED_EARLY: f"nothing better after step {choice.step}"}


def write_curve(path: Path, choice: Choice) -> None:
    """Each measure over the steps, and the best step.

    Raises:
        OutputError: the picture cannot be written.
    """
    from matplotlib.figure import Figure

    steps = sorted(choice.measured)
    best = {name: value for name, value in choice.measured[choice.step].items() if "/" not in name}
    figure = Figure(figsize=(3.2 * len(best), 2.8), dpi=DPI, layout="constrained")
    for axes, (name, value) in zip(figure.subplots(1, len(best), squeeze=False)[0], best.items(), strict=True):
        values = [choice.measured[step].get(name, np.nan) for step in steps]
        axes.plot(steps, values, color="#27516f", marker=".")
        axes.axvline(choice.step, color="#a8324a", linewidth=1.0)
        axes.set_title(drawable(f"{LABELS.get(name, name)}: {value:.3g}"), loc="left", fontsize=10)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    figure.suptitle(f"Held-out recordings; best: step {choice.step} of {steps[-1]}", fontsize=11)
    write_figure(figure, path)
