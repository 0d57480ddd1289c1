"""Critics of mel-cepstra at several resolutions: of the coefficients, and of the spectral envelope that they stand for, fine and coarse in time.

Each is a PatchGAN with spectral norms (Miyato et al. 2018, arXiv 1802.05957). Coefficients next to each other have little in common, points of
an envelope next to each other much, which is what two-dimensional convolutions look for. One critic serves many domains: whose voice it is to be
enters by projection (Miyato & Koyama 2018, arXiv 1802.05637).

Shapes: B batch, C channels, P coefficients, T frames, E numbers that tell a domain.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.parametrizations import spectral_norm

from audiocycle.models.layers import WIDTH, scaled
from audiocycle.system.limits import Limit

__all__ = ["EnvelopePatchCritic"]

POINTS, COARSE = 48, 4
"""Of the mel axis; and frames that the coarse look at the envelope takes the mean of."""
CHANNELS = (24, 48, 96, 96)
SLOPE = 0.2


class Patches(nn.Module):
    """(B, C, P, T) to scores of patches, (B, P', T'), and what the layers before made.

    Args:
        condition: E; 0 where nothing is told.
    """

    def __init__(self, channels: int, width: float, condition: int) -> None:
        super().__init__()
        sizes = [channels, *(scaled(c, width) for c in CHANNELS)]
        first, *others = pairwise(sizes)
        fine = nn.Conv2d(*first, (5, 7), stride=(2, 1), padding=(2, 3))
        coarser = (nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in others)
        self.layers = nn.ModuleList(map(spectral_norm, [fine, *coarser]))
        self.outlet = spectral_norm(nn.Conv2d(sizes[-1], 1, 3, padding=1))
        self.projection = spectral_norm(nn.Linear(condition, sizes[-1])) if condition else None

    def forward(self, x: Tensor, told: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        made = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            made.append(x)
        scores: Tensor = self.outlet(x)[:, 0]
        if self.projection is not None:
            assert told is not None
            scores = scores + (x * self.projection(told)[None, :, None, None]).sum(dim=1)
        return scores, made


class EnvelopePatchCritic(nn.Module):
    """(B, P, T) normalised mel-cepstra to scores (B, N), of all patches of three critics. Row 0, the level, is not looked at.

    Args:
        width: factor on every channel count inside.
        channels: of the input; only 1 is sensible.
        condition: E, where one critic serves many domains; 0 for one.
    """

    limits: ClassVar[dict[str, Limit]] = {"width": WIDTH}

    def __init__(self, width: float = 1.0, channels: int = 1, condition: int = 0) -> None:
        super().__init__()
        self.of_coefficients, self.of_envelope, self.of_coarse = (Patches(channels, width, condition) for _ in range(3))

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        return torch.cat([scores.flatten(1) for scores, _ in self.looks(x, told)], dim=1)

    def layers(self, x: Tensor, told: Tensor | None = None) -> list[Tensor]:
        """What all layers make of an item, for :class:`~audiocycle.objectives.terms.feature_matching.FeatureMatching`."""
        return [layer for _, made in self.looks(x, told) for layer in made]

    def looks(self, x: Tensor, told: Tensor | None) -> list[tuple[Tensor, list[Tensor]]]:
        """Scores and layers of the three critics."""
        x = (x if x.ndim == 4 else x[:, None])[:, :, 1:]
        envelope = cosines(x.shape[2]).to(x) @ x
        coarse = F.avg_pool2d(envelope, (1, COARSE))
        return [self.of_coefficients(x, told), self.of_envelope(envelope, told), self.of_coarse(coarse, told)]


def cosines(n: int) -> Tensor:
    """(POINTS, n): from coefficients 1 to n, each as large as it usually is beside the first, to points of an envelope."""
    places = (torch.arange(POINTS) + 0.5) / POINTS
    orders = torch.arange(1, n + 1)
    return torch.cos(math.pi * places[:, None] * orders) * math.sqrt(2.0) / orders**0.7
