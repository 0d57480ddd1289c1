"""The build table: short names, as configurations and bundles say them, to classes.

A bundle names no importable code. A new modality adds its lines here and nowhere else in the core. Imports happen on
use, so that a voice user never loads the music side.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from audiocycle.errors import ConfigError

ADAPTERS = {
    "world": "audiocycle.voice.world_adapter:WorldAdapter",
    "mel": "audiocycle.voice.mel_adapter:MelAdapter",
    "piano_roll": "audiocycle.music.adapter:PianoRollAdapter",
}
RENDERERS = {
    "world": "audiocycle.voice.renderers:WorldRenderer",
    "differential": "audiocycle.voice.renderers:DifferentialRenderer",
    "griffin_lim": "audiocycle.voice.griffin_lim:GriffinLimRenderer",
    "hifigan": "audiocycle.voice.hifigan:HifiGanRenderer",
    "score": "audiocycle.music.renderer:ScoreRenderer",
}
MEDIA = {"voice": "audiocycle.voice.medium:VoiceMedium", "music": "audiocycle.music.medium:MusicMedium"}
GENERATORS = {
    "gated_212d": "audiocycle.models.gated_generator:GatedGenerator212D",
    "gated_1d": "audiocycle.models.gated_generator_1d:GatedGenerator1D",
    "gated_2d": "audiocycle.models.gated_generator_2d:GatedGenerator2D",
    "resnet": "audiocycle.models.resnet_generator:ResNetGenerator",
    "unet": "audiocycle.models.unet_generator:UNetGenerator",
}
MODEL_SETTINGS = {"generator", "critic", "width", "generator_options", "critic_options"}
CRITICS = {
    "gated_patch": "audiocycle.models.patch_critic:GatedPatchCritic",
    "conv_patch": "audiocycle.models.conv_patch_critic:ConvPatchCritic",
}

TYPES: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str}
"""Of arguments that are checked before a class sees them: a mistyped option fails with its name."""


def resolve(table: Mapping[str, str], what: str, name: str) -> Any:
    """The class that a short name stands for.

    Raises:
        ConfigError: the table does not know the name; the message lists those that it knows.
    """
    if name not in table:
        raise ConfigError(f"{what} '{name}' is unknown; this version knows: {', '.join(sorted(table))}")
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def build(table: Mapping[str, str], what: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Make the object that ``name`` stands for in a table.

    Raises:
        ConfigError: unknown name, or an argument that the class does not take.
    """
    make = resolve(table, what, name)
    surplus = set(arguments) - set(inspect.signature(make).parameters)
    if surplus:
        known = ", ".join(inspect.signature(make).parameters)
        raise ConfigError(f"{what} '{name}' has no option {', '.join(sorted(surplus))}; it has: {known}")
    for option, value in arguments.items():
        annotation = str(inspect.signature(make).parameters[option].annotation)
        if not isinstance(value, TYPES.get(annotation, object)):
            raise ConfigError(f"{what} '{name}': {option}={value} must be of type {annotation}")
    return make(**arguments)


def build_adapter(config: Mapping[str, Any]) -> Any:
    """``{"name": "world", **arguments}`` to an adapter."""
    arguments = dict(config)
    return build(ADAPTERS, "adapter", arguments.pop("name"), arguments)


def build_renderer(adapter: Any, name: str | None = None, weights: str | None = None) -> Any:
    """A renderer for an adapter; its first one by default.

    Args:
        weights: a path or ``hf:owner/name``, for renderers that are networks of their own.

    Raises:
        ConfigError: the renderer is unknown, or works on other features.
    """
    fitting = adapter.renderers
    name = name or fitting[0]
    if name not in fitting:
        raise ConfigError(f"renderer '{name}' does not work on this model's features; choose one of: {', '.join(fitting)}")
    make = resolve(RENDERERS, "renderer", name)
    if hasattr(make, "load"):
        return make.load(weights, adapter)
    if weights:
        raise ConfigError(f"--vocoder: renderer '{name}' takes no weights; leave it out")
    return make(adapter)


def build_medium(modality: str) -> Any:
    """The reader, converter and writer of a modality's files."""
    return build(MEDIA, "modality", modality, {})


def build_translator(config: Mapping[str, Any], domains: Sequence[str], shape: Sequence[int], one_way: bool = False) -> Any:
    """``{"generator": name, "width": 1.0, ...}`` to a translator over all ordered pairs of domains, or from the first one only."""
    from audiocycle.models.translator import PairTranslator

    unknown = set(config) - MODEL_SETTINGS
    if unknown:
        raise ConfigError(f"model: unknown setting {', '.join(sorted(unknown))}; it has: {', '.join(sorted(MODEL_SETTINGS))}")
    arguments = {"shape": tuple(shape), "width": config.get("width", 1.0), **config.get("generator_options", {})}
    return PairTranslator(domains, lambda: build(GENERATORS, "generator", config["generator"], arguments), one_way)


def build_critic(config: Mapping[str, Any], domains: Sequence[str], channels: int = 1) -> Any:
    """``{"critic": name, "width": 1.0, ...}`` to one critic for each domain.

    Args:
        channels: C of features (C, P); 1 for features (P,).
    """
    from audiocycle.models.translator import DomainCritic

    options = config.get("critic_options", {})
    arguments = {"width": config.get("width", 1.0), "channels": channels, **options}
    return DomainCritic(domains, lambda: build(CRITICS, "critic", config["critic"], arguments))
