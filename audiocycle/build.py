"""The build table: short names, as configurations and bundles say them, to classes.

A bundle names no importable code. A new modality adds its lines here and nowhere else in the core; a generator, a critic or a translator is
a file in its folder, and found there. Imports happen on use, so that a voice user never loads the music side.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audiocycle.errors import ConfigError, one_line
from audiocycle.modality import Modality
from audiocycle.spec import WINDOWS_AT_ONCE, Adapter, Direction, Domain, FeatureSpec, Renderer
from audiocycle.system.limits import hold, shown
from audiocycle.system.registry import listed, resolve

if TYPE_CHECKING:
    from audiocycle.models.cost import Cost
    from audiocycle.models.translator import Critic, Translator

ADAPTERS = {
    "world": "audiocycle.voice.world_adapter:WorldAdapter",
    "content": "audiocycle.voice.content.adapter:ContentAdapter",
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
MODALITIES = {"voice": "audiocycle.voice.modality:VoiceModality", "music": "audiocycle.music.modality:MusicModality"}
GENERATORS, CRITICS, TRANSLATORS = (listed(f"audiocycle.models.{room}") for room in ("generators", "critics", "translators"))
PAIR = "pair"
"""The translator of models that say none."""
SHARED = "shared"
"""The translator of models that convert everybody, and the name of its only network."""
MODEL_SETTINGS = {"translator", "generator", "critic", "width", "generator_options", "critic_options"}

CHUNK_SECONDS = 31.0
"""Of sound that a network sees at a time, at most (:mod:`audiocycle.voice.recording`)."""
MAX_WEIGHTS_GB, MAX_LAYER_GB, MAX_BILLIONS = 2.0, 1.0, 100.0
"""Of a model's networks in all; of the numbers into and out of one layer; of multiplications, of which a core does some 50 billion in a
second. The paper's network, of width 1, takes 0.06 for a direction, 0.2 and 8."""

TYPES: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str}
"""Of arguments that are checked before a class sees them: a mistyped option fails with its name."""


def build(table: Mapping[str, str], what: str, name: str, arguments: Mapping[str, Any], base: type = object) -> Any:
    """Make the object that ``name`` stands for in a table.

    Args:
        base: of its class.

    Raises:
        ConfigError: unknown name, an argument that the class does not take, or a file that is not what it should be.
    """
    make = resolve(table, what, name, base)
    surplus = set(arguments) - set(inspect.signature(make).parameters)
    if surplus:
        known = ", ".join(inspect.signature(make).parameters)
        raise ConfigError(f"{what} '{name}' has no option {', '.join(map(shown, sorted(surplus)))}; it has: {known}")
    for option, value in arguments.items():
        annotation = str(inspect.signature(make).parameters[option].annotation)
        if not isinstance(value, TYPES.get(annotation, object)):
            raise ConfigError(f"{what} '{name}': {option}={shown(value)} must be of type {annotation}")
    hold(f"{what} '{name}': ", arguments, getattr(make, "limits", {}))
    return make(**arguments)


def build_adapter(config: Mapping[str, Any]) -> Adapter:
    """``{"name": "world", **arguments}`` to an adapter."""
    arguments = dict(config)
    adapter: Adapter = build(ADAPTERS, "adapter", arguments.pop("name", ""), arguments)
    return adapter


def build_modality(adapter: Adapter) -> Modality:
    """The files that an adapter's features are made of."""
    make: Callable[[Adapter], Modality] = resolve(MODALITIES, "modality", adapter.spec.modality)
    return make(adapter)


def modality_class(name: str) -> type[Modality]:
    """A modality, of which no more is asked than what its files are.

    Raises:
        ConfigError: this version knows no such modality.
    """
    found: type[Modality] = resolve(MODALITIES, "modality", name)
    return found


def build_renderer(adapter: Adapter, name: str | None = None, weights: str | None = None) -> Renderer:
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
    if weights and not hasattr(make, "load"):
        raise ConfigError(f"`vocoder`: renderer '{name}' takes no weights; leave it out")
    renderer: Renderer = make.load(weights, adapter) if hasattr(make, "load") else make(adapter)
    return renderer


def translator_class(config: Mapping[str, Any]) -> type[Translator]:
    """Which networks serve which directions: ``{"translator": name, ...}``, one each by default."""
    from audiocycle.models.translator import Translator

    found: type[Translator] = resolve(TRANSLATORS, "translator", config.get("translator", PAIR), Translator)
    return found


def build_translator(config: Mapping[str, Any], directions: Sequence[Direction], spec: FeatureSpec) -> Translator:
    """``{"translator": name, "generator": name, "width": 1.0, ...}`` to a translator of all these directions."""
    make: Callable[..., Translator] = translator_class(config)
    return make(directions, generator_maker(config, spec))


def generator_maker(config: Mapping[str, Any], spec: FeatureSpec) -> Callable[[], Any]:
    """What makes a generator of a model for such features, each time another one.

    Raises:
        ConfigError: settings of the model that there are not, or that are none.
    """
    from torch import nn

    unknown = set(config) - MODEL_SETTINGS
    if unknown:
        raise ConfigError(f"model: unknown setting {', '.join(map(shown, sorted(unknown)))}; it has: {', '.join(sorted(MODEL_SETTINGS))}")
    options = config.get("generator_options", {})
    if not isinstance(options, Mapping):
        raise ConfigError(f"model.generator_options={shown(options)}: must be options by name")
    given = {"shape": spec.network_shape} | ({"made": spec.made, "condition": spec.condition} if spec.any_source else {})
    if taken := sorted({"shape", "made", "condition"} & set(options)):  # in place of the adapter's, it would pass all limits
        raise ConfigError(f"model.generator_options.{taken[0]}: follows from the adapter; leave it out")
    generator, translator = config.get("generator", ""), config.get("translator", PAIR)
    if (translator == SHARED) != spec.any_source:
        raise ConfigError(f"model.translator={translator}: adapter=content goes with model=content, and other adapters with other models; choose both together")
    arguments = {**given, "width": config.get("width", 1.0), **options}
    return lambda: build(GENERATORS, "generator", generator, arguments, nn.Module)


def model_cost(config: Mapping[str, Any], spec: FeatureSpec, directions: Sequence[Direction]) -> Cost:
    """What each generator of a model costs; nothing is built but shapes.

    Raises:
        ConfigError: settings that cannot be, or a model that costs more than a small machine has: the message says what, and the limit.
    """
    from audiocycle.models.cost import cost

    try:
        found = cost(generator_maker(config, spec), spec.network_shape)
    except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:  # of torch, where options are allowed each for itself
        raise ConfigError(f"model: no network can be made of these settings ({one_line(error)[:100]}); change them") from error
    n_networks = len(set(translator_class(config).networks(directions).values()))
    frames = WINDOWS_AT_ONCE * spec.window if spec.window else CHUNK_SECONDS * spec.frame_rate
    asked = {
        "GB of weights": (4e-9 * found.parameters * n_networks, MAX_WEIGHTS_GB),
        "GB for its largest layer": (1e-9 * found.bytes * frames, MAX_LAYER_GB),
        "billion products for a second": (1e-9 * found.products * spec.frame_rate, MAX_BILLIONS),
    }
    for what, (amount, limit) in asked.items():
        if amount > limit:
            raise ConfigError(f"model: would need {amount:.3g} {what}, and the limit is {limit:g}; choose a smaller width, or fewer blocks or domains")
    return found


def build_critic(config: Mapping[str, Any], domains: Sequence[Domain], channels: int = 1, condition: int = 0) -> Critic:
    """``{"critic": name, "width": 1.0, ...}`` to one critic for each domain, or one for all that is told which.

    Args:
        channels: C of features (C, P); 1 for features (P,).
        condition: how many numbers a critic can be told of a domain.
    """
    from torch import nn

    from audiocycle.models.translator import DomainCritic, SharedCritic

    options = config.get("critic_options", {})
    if not isinstance(options, Mapping):
        raise ConfigError(f"model.critic_options={shown(options)}: must be options by name")
    if taken := sorted({"channels", "condition"} & set(options)):
        raise ConfigError(f"model.critic_options.{taken[0]}: follows from the features; leave it out")
    arguments = {"width": config.get("width", 1.0), "channels": channels, **options}
    name = config.get("critic", "")
    if condition and "condition" in inspect.signature(resolve(CRITICS, "critic", name, nn.Module)).parameters:
        return SharedCritic(build(CRITICS, "critic", name, arguments | {"condition": condition}, nn.Module))
    return DomainCritic(domains, lambda: build(CRITICS, "critic", name, arguments, nn.Module))
