"""Networks addressed by domain names: what the objective and the converter call.

Two domains or twenty differ only here. Shapes: B batch, T frames, in between the axes of the features: P or C, P.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from audiocycle.errors import ConfigError
from audiocycle.spec import direction, ordered_pairs


class Translator(nn.Module):
    """Features of ``source`` to features of ``target``: (B, ..., T) -> (B, ..., T), both normalised."""

    def forward(self, x: Tensor, source: str, target: str) -> Tensor:
        raise NotImplementedError


class Critic(nn.Module):
    """Patch scores of how much (B, ..., T) looks like a real item of ``domain``."""

    def forward(self, x: Tensor, domain: str) -> Tensor:
        raise NotImplementedError


class NamedNetworks(nn.ModuleDict):
    """Networks by names of domains. ``nn.ModuleDict`` refuses those of its own methods, but a genre may be called pop.

    Raises:
        ConfigError: a name with a dot, which would part the keys of a state dict.
    """

    def __setitem__(self, name: str, network: nn.Module) -> None:
        if "." in name:
            raise ConfigError(f"domain '{name}' may hold no dot; rename its folder")
        self._modules[name] = network


class PairTranslator(Translator):
    """One generator for each ordered pair of domains, as in CycleGAN, or one way only. Module names are ``"spk1->spk2"``."""

    def __init__(self, domains: Sequence[str], make: Callable[[], nn.Module], one_way: bool = False) -> None:
        super().__init__()
        self.generators = NamedNetworks({direction(*pair): make() for pair in ordered_pairs(domains, one_way)})

    def forward(self, x: Tensor, source: str, target: str) -> Tensor:
        y: Tensor = self.generators[direction(source, target)](x)
        return y


class DomainCritic(Critic):
    """One critic for each domain."""

    def __init__(self, domains: Sequence[str], make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.critics = NamedNetworks({domain: make() for domain in domains})

    def forward(self, x: Tensor, domain: str) -> Tensor:
        y: Tensor = self.critics[domain](x)
        return y
