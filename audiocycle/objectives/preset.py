"""An objective put together for features: what does not go with them is refused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audiocycle.errors import ConfigError
from audiocycle.objectives.base import Objective
from audiocycle.objectives.config import ObjectiveConfig, term_classes
from audiocycle.objectives.cycle import CycleObjective
from audiocycle.objectives.paired import PairedObjective
from audiocycle.spec import Direction, FeatureSpec, Values

PROBABLE = "sigmoid"
"""The outlet of a generator whose output is probabilities."""


def build_objective(directions: Sequence[Direction], config: ObjectiveConfig, spec: FeatureSpec) -> Objective:
    """The objective that a configuration describes."""
    return (PairedObjective if config.paired else CycleObjective)(directions, config, spec)


def check_objective(config: ObjectiveConfig, spec: FeatureSpec, one_way: bool, model: Mapping[str, Any]) -> None:
    """What does not go with these features, or this model.

    Args:
        one_way: whether such features can be trained one way.
        model: its settings.

    Raises:
        ConfigError: names the settings, and what to do.
    """
    unfit = {term: reason for term in term_classes() if (reason := term.unfit(spec))}
    for term in config.terms:
        if term in unfit:
            alike = ", ".join(f"objective.{other.name}" for other, reason in unfit.items() if reason == unfit[term])
            raise ConfigError(f"{alike}: {unfit[term]}; leave them at 0")
    if config.one_way and not one_way:
        raise ConfigError("objective.one_way=true: only voices are trained one way, since the evaluation of music takes both; leave it out")
    if spec.any_source and (circular := [term.name for term in {*config.terms, *config.played} if term.needs_way_back]):
        zeros = " and ".join(f"objective.{name}=0" for name in sorted(circular))
        raise ConfigError(f"adapter=content: everybody is converted, and there is no way back for a cycle; set {zeros}, as experiment=any_to_one does")
    if spec.any_source and (config.one_way or config.paired or config.mixture != "base"):
        raise ConfigError("adapter=content: everybody is converted; leave objective.one_way, objective.paired and objective.mixture out")
    outlet = model.get("generator_options", {}).get("outlet", PROBABLE)
    if spec.values is Values.PROBABILITIES and outlet != PROBABLE and any(term.needs_probabilities for term in config.terms):
        raise ConfigError(f"model.generator_options.outlet={outlet}: guides and pairs teach rolls probabilities, and need outlet={PROBABLE}")
