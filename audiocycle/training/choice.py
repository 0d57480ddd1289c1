"""The step that a training's bundle is of: the one whose held-out items came out best; and when there is no more to expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from torch import Tensor

from audiocycle.modality import SCORE
from audiocycle.training.checkpoint import unlike

ENDED_EARLY = "ended early"
"""What a bundle says where a training ended before its schedule did."""
LEAST_GAIN = 0.002
"""A score that is better by less is no better, when it is asked whether to wait any longer."""


@dataclass
class Choice:
    """What was measured so far, and the weights of the best step.

    Attributes:
        measured: by step, measures by name; the score is one of them.
        step, weights: of the best score; the first of equal ones. Empty until something was measured.
        decay_from: the step from which on the learning rates fall, since nothing got better while they stayed; None: as the schedule says.
        end: the step after which nothing got better while they fell; None: not yet.
    """

    measured: dict[int, dict[str, float]] = field(default_factory=dict)
    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    decay_from: int | None = None
    end: int | None = None

    def note(self, step: int, measures: Mapping[str, float], weights: Mapping[str, Tensor]) -> None:
        """Take in the measures of a step; its weights are copied where it is the best."""
        before = self.measured[self.step][SCORE] if self.weights else -inf
        self.measured[step] = dict(measures)
        if measures[SCORE] > before:  # which a NaN never is
            self.step, self.weights = step, {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}

    def flat(self, patience: int, since: int = 0) -> bool:
        """Whether the last ``patience`` measurements, all of them later than ``since``, are no better than what was before them."""
        steps = sorted(self.measured)
        if not patience or len(steps) <= patience or steps[-patience] <= since:
            return False
        scores = np.nan_to_num([self.measured[step][SCORE] for step in steps])
        return bool(scores[-patience:].max() < scores[:-patience].max() + LEAST_GAIN)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """From a checkpoint; an empty state is that of a run that measured nothing."""
        vars(self).update(Choice(**state).state_dict())


def unlike_choice(saved: Mapping[str, Any], own: Mapping[str, Tensor]) -> str:
    """Why a choice cannot be restored; nothing where it can."""
    if not saved:
        return ""
    try:
        choice = Choice(**saved)
        known = all(isinstance(step, int) and isinstance(measures[SCORE], float) for step, measures in choice.measured.items())
        places = all(place is None or isinstance(place, int) for place in (choice.decay_from, choice.end))
        if not known or not places or (choice.weights and choice.step not in choice.measured):
            return "a choice of wrong types"
    except (TypeError, KeyError, AttributeError):
        return "a choice of wrong types"
    reason = unlike(choice.weights, own) if choice.weights else ""
    return f"of the best step {reason}" if reason else ""
