"""The outline of a roll, by hand; its term against loops; which way its gradients go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from linear_networks import Parts
from test_content import roll

from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.content import outline
from audiocycle.objectives.term import DirectionStep
from audiocycle.objectives.terms.outline import Outline
from audiocycle.spec import FeatureSpec, Values

ROLLS = FeatureSpec("music", (2, 84), 8.0, 64, Values.PROBABILITIES, 4)


def held(*notes: tuple[int, int, int], steps: int = 8) -> Any:
    """(2, 84, T) of one roll."""
    return outline(roll(*notes, steps=steps))[0].numpy()


def test_outer_lines_and_what_is_above_them() -> None:
    mask = held((48, 0, 4), (60, 0, 8), (72, 0, 4))  # the middle voice goes on alone: it is both lines then
    assert mask[0, 48 - 24].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert mask[0, 60 - 24].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert mask[1, 60 - 24].sum() == 0  # and does not begin there
    assert mask[1, 72 - 24].tolist() == [1, 0, 0, 0, 1, 1, 1, 1]  # it began; later it is above the tune
    assert mask[:, 73 - 24 :].all()
    assert mask[0, 50 - 24 : 60 - 24].sum() == mask[0, : 48 - 24].sum() == 0
    assert not held((60, 0, 4))[:, :, 4:].any()  # silence is free


def test_a_middle_voice_that_is_heard_while_the_tune_rests_is_no_tune() -> None:
    tune = ((84, 0, 4), (84, 8, 4))
    assert held((48, 0, 16), (71, 4, 4), *tune, steps=16)[:, 71 - 24, 4:8].sum() == 0
    near = held((48, 0, 16), (72, 4, 4), *tune, steps=16)  # an octave below is a leap
    assert near[0, 72 - 24, 4:8].all()
    assert near[1, 73 - 24 :, 4:8].all()
    late = held(
        (48, 0, 48), (60, 4, 32), (84, 0, 4), (84, 36, 4), steps=48
    )  # a rest of two bars: the other voice has the tune
    assert late[0, 60 - 24, 12:28].all()
    high = held((84, 0, 16), (40, 0, 4), (60, 4, 4), (40, 8, 4), steps=16)  # the bass likewise
    assert high[0, 60 - 24, 4:8].sum() == 0
    assert high[0, 40 - 24, :4].all()


def loss_of(source: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    step = SimpleNamespace(source=source, fake=fake)
    return Outline(ROLLS).loss(cast(DirectionStep, step))


def test_the_term_is_the_cross_entropy_of_the_held_cells_for_each_step_with_sound() -> None:
    random = torch.Generator().manual_seed(1)
    source = (torch.rand(3, 2, 24, 24, generator=random) > 0.95).float()
    fake = torch.rand(3, 2, 24, 24, generator=random)
    mask = outline(source).numpy()
    total, steps = 0.0, 0
    for b in range(3):
        for step in range(24):
            steps += bool(source[b, 0, :, step].any())
            for channel in range(2):
                for row in np.flatnonzero(mask[b, channel, :, step]):
                    p = float(fake[b, channel, row, step])
                    total -= np.log(p if source[b, channel, row, step] else 1 - p)
    assert 0 < steps < 72  # some are silent
    assert loss_of(source, fake).item() == pytest.approx(total / steps, rel=1e-3)


def test_gradients_raise_the_lines_lower_what_is_above_and_leave_the_rest_alone() -> None:
    source = roll((48, 0, 4), (60, 0, 4), (72, 0, 4), steps=4)
    fake = torch.full_like(source, 0.5).requires_grad_()
    loss_of(source, fake).backward()
    assert fake.grad is not None
    slope = fake.grad[0]
    assert (slope[0, [48 - 24, 72 - 24]] < 0).all()
    assert (slope[:, 73 - 24 :] > 0).all()
    assert slope[0, 60 - 24].abs().sum() == slope[0, : 48 - 24].abs().sum() == 0


@pytest.mark.parametrize("source", [roll((60, 0, 4)), torch.zeros(1, 2, 84, 8)])
@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_sure_fakes_and_silence_stay_finite(source: torch.Tensor, sure: float) -> None:
    fake = torch.full_like(source, sure).requires_grad_()
    loss = loss_of(source, fake)
    loss.backward()
    assert torch.isfinite(loss)
    assert fake.grad is not None
    assert torch.isfinite(fake.grad).all()


def test_trainings_of_rolls_have_the_term() -> None:
    parts = Parts(("a", "b"), shape=(2, 12, 8))
    terms, _ = parts.generator_terms(
        ObjectiveConfig.of(outline=1.0, cycle=0.0, cycle_adversarial=0.0, identity=0.0)
    )
    assert {name.split("/")[0] for name in terms} == {"adversarial", "outline"}
    assert all(value.dtype == torch.float32 for name, value in terms.items() if name.startswith("outline"))


def test_only_rolls_have_an_outline() -> None:
    assert "piano rolls" in Outline.unfit(FeatureSpec("voice", (36,), 200.0, 128, Values.REAL))
