"""Two aids against an unsteady adversarial game: a history of fakes, and an average of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class HistoryPool:
    """Fakes of earlier steps, shown to the critics half of the time (Shrivastava et al. 2017, section 2.3).

    Attributes:
        items: by direction, at most ``size`` single items, without the batch axis.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.items: dict[str, list[Tensor]] = {}

    def swap(self, name: str, batch: Tensor, random: np.random.Generator) -> Tensor:
        """Each item of (B, ...) is kept or, with probability 1/2, exchanged for an older one."""
        stored = self.items.setdefault(name, [])
        shown = []
        for item in batch:
            if len(stored) < self.size:
                stored.append(item.clone())  # a view would keep, and a checkpoint would hold, the whole batch
            elif random.random() < 0.5:
                place = int(random.integers(self.size))
                stored[place], item = item.clone(), stored[place]  # noqa: PLW2901
            shown.append(item)
        return torch.stack(shown)


class WeightAverage:
    """Exponential moving average of a network's weights, with a warm-up so that early steps do not linger."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average = [p.detach().clone() for p in network.parameters()]
        self.names = [name for name, _ in network.named_parameters()]

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """average <- d * average + (1 - d) * weights, d = min(decay, (1 + n) / (10 + n))."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.average, [p.detach() for p in network.parameters()], 1.0 - decay)

    def weights(self) -> dict[str, Tensor]:
        """As a state dict of the network (which has parameters only, no buffers)."""
        return dict(zip(self.names, self.average, strict=True))

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"updates": self.updates, "weights": self.weights()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.updates = state["updates"]
        for mine, name in zip(self.average, self.names, strict=True):
            mine.copy_(state["weights"][name])
