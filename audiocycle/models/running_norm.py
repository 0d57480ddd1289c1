"""Instance norms for a network that sees a long recording a second at a time.

Instance normalisation takes mean and variance over all frames that the network is given. Over one short window they jump about
with what is being said, and the conversion with them; over a long one, moved on by a block each time, nearly everything is
computed again and again. Here the window is short, and the statistics are running means over those before it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audiocycle.models.layers import InstanceNorm


class RunningNorms:
    """All instance norms of a network, which keep their statistics from call to call from now on. Inference only.

    Args:
        network: changed in place.
        memory: calls after which an old window counts 1 / e of a new one.

    Attributes:
        weight: how much the next window counts, in (0, 1]; one of weight 0.5 also ages the others half as much.
    """

    def __init__(self, network: nn.Module, memory: float) -> None:
        self.decay = float(torch.exp(torch.tensor(-1.0 / memory)))
        self.weight = 1.0
        self.norms: list[RunningNorm] = []
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, InstanceNorm):
                    norm = RunningNorm(child, self)
                    setattr(parent, name, norm)
                    self.norms.append(norm)

    def forget(self) -> None:
        """Begin anew, as with another recording."""
        for norm in self.norms:
            norm.total = 0.0


class RunningNorm(nn.Module):
    """One instance norm with running statistics, of (1, C, T) or (1, C, P, T)."""

    def __init__(self, norm: InstanceNorm, settings: RunningNorms) -> None:
        super().__init__()
        self.gain, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.settings = settings
        self.total = 0.0  # of the weights so far
        self.sums = torch.zeros(())  # of weight times mean, and times mean square: (2, 1, C, 1, ...)

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        axes, weight = tuple(range(2, x.dim())), self.settings.weight
        decay = self.settings.decay**weight if self.total else 0.0
        self.total = decay * self.total + weight
        # Not torch.var_mean, which takes thirty times as long.
        self.sums = decay * self.sums + weight * torch.stack([x.mean(axes, keepdim=True), x.square().mean(axes, keepdim=True)])
        mean, square = self.sums / self.total
        shape = (1, -1) + (1,) * len(axes)
        scale = self.gain.view(shape) * torch.rsqrt((square - mean**2).clamp_min(0.0) + self.eps)
        y: Tensor = x * scale + (self.bias.view(shape) - mean * scale)
        return y
