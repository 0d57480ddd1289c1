"""Networks addressed by directions and domains: what the objective and the converter call.

Two domains or twenty differ only in the translator (:mod:`audiocycle.models.translators`). Shapes: B batch, T frames, in between the axes of the
features: P or C, P.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.spec import Direction, Domain


class Translator(nn.Module):
    """Features of a direction's source to features of its target: (B, ..., T) -> (B, ..., T), both normalised.

    A class of :mod:`audiocycle.models.translators` is made with ``(directions, make)``, of which the second makes a generator, each time another one.
    """

    @staticmethod
    def networks(directions: Sequence[Direction]) -> dict[Direction, str]:
        """Which network serves which direction, by its name. Its weights are called ``generators.NAME.…``."""
        raise NotImplementedError

    def forward(self, x: Tensor, direction: Direction) -> Tensor:
        """(B, ..., T) of the source, as the target."""
        raise NotImplementedError

    def network(self, direction: Direction) -> nn.Module:
        """What computes a direction, (B, ..., T) -> (B, ..., T), to be exported; its weights are those called ``generators.NAME.…``."""
        return self.get_submodule(f"generators.{self.networks([direction])[direction]}")


class Critic(nn.Module):
    """Patch scores of how much (B, ..., T) looks like a real item of a domain."""

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        """(B, ..., T) to scores of any shape."""
        raise NotImplementedError

    def layers(self, x: Tensor, domain: Domain) -> list[Tensor]:
        """What its layers make of (B, ..., T).

        Raises:
            ConfigError: it shows none.
        """
        raise NotImplementedError


def layers_of(network: nn.Module, *given: Any) -> list[Tensor]:
    """What the layers of a critic's network make of what it is given.

    Raises:
        ConfigError: it shows none.
    """
    if not hasattr(network, "layers"):
        raise ConfigError("objective.feature_matching: this critic shows no layers; choose model.critic=envelope_patch, or set it to 0")
    made: list[Tensor] = network.layers(*given)  # type: ignore[operator]
    return made


class NamedNetworks(nn.ModuleDict):
    """Networks by names of domains, or of directions. ``nn.ModuleDict`` refuses those of its own methods, but a genre may be called pop.

    Raises:
        ConfigError: a name with a dot, which would part the keys of a state dict.
    """

    def __setitem__(self, name: str, network: nn.Module) -> None:
        if "." in name:
            raise ConfigError(f"domain '{name}' may hold no dot; rename its folder")
        self._modules[name] = network


class DomainCritic(Critic):
    """One critic for each domain."""

    def __init__(self, domains: Sequence[Domain], make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.critics = NamedNetworks({domain.name: make() for domain in domains})

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        y: Tensor = self.critics[domain.name](x)
        return y

    def layers(self, x: Tensor, domain: Domain) -> list[Tensor]:
        return layers_of(self.critics[domain.name], x)


class SharedCritic(Critic):
    """One critic for all domains, which is told which one it is (:attr:`Domain.condition <audiocycle.spec.Domain.condition>`)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, domain: Domain) -> Tensor:
        y: Tensor = self.network(x, told_of(domain, x))
        return y

    def layers(self, x: Tensor, domain: Domain) -> list[Tensor]:
        return layers_of(self.network, x, told_of(domain, x))


def told_of(domain: Domain, x: Tensor) -> Tensor:
    """What a network is told of a domain, (C,), where x is."""
    assert domain.condition is not None, "domains are made with what a network is told of them"
    return torch.as_tensor(domain.condition, dtype=torch.float32, device=x.device)
