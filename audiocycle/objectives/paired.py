"""The paired objective: pix2pix (Isola et al. 2017) on aligned pairs. Item i of each domain is item i of the others."""

from __future__ import annotations

from torch import Tensor

from audiocycle.objectives.base import Objective
from audiocycle.objectives.losses import side_by_side
from audiocycle.spec import Batch, Direction


class PairedObjective(Objective):
    """Terms ``reconstruction`` and ``adversarial``; the critic is conditional: it sees source and target side by side, as channels."""

    conditions = 2

    def present(self, batch: Batch[Tensor], direction: Direction, item: Tensor) -> Tensor:
        return side_by_side(batch.items[direction.source], item)
