"""A training that begins with the weights of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audiocycle.build import build_adapter
from audiocycle.bundles.format import load_translator, read_config
from audiocycle.bundles.library import locate
from audiocycle.errors import ConfigError
from audiocycle.models.translator import Translator

LEAST_FITTING = 0.5
"""Share of the tables of weights that must be of the size that is wanted: with fewer there is little to begin with."""


def begun(translator: Translator, start: str, adapter: Mapping[str, Any], note: Callable[[str], None]) -> Translator:
    """A translator with the weights of a bundle. Tables that are of another size there, as at another sample rate, stay as they are, and it is said.

    Args:
        start: a bundle, or the name of an installed one; empty: none.
        adapter: settings of the training's.

    Raises:
        BundleError: there is no such bundle, or it is damaged. ConfigError: it has other networks, or other features.
    """
    if not start:
        return translator
    folder = start_folder(start, adapter)
    weights, wanted = load_translator(folder, read_config(folder)).state_dict(), translator.state_dict()
    fitting = {name: table for name, table in weights.items() if name in wanted and table.shape == wanted[name].shape}
    if weights.keys() != wanted.keys() or len(fitting) < LEAST_FITTING * len(wanted):
        raise other_start(start)
    if others := len(wanted) - len(fitting):
        note(f"start={start}: {others} of {len(wanted)} tables of weights are of another size there, and begin from nothing")
    translator.load_state_dict(wanted | fitting)
    return translator


def start_folder(start: str, adapter: Mapping[str, Any]) -> Path:
    """The bundle that a training begins with.

    Raises:
        BundleError: there is none. ConfigError: its features are others: what its network goes by must be the same, what that makes may differ.
    """
    folder = locate(start)
    given = read_config(folder).adapter
    if given != adapter and gone_by(given) != gone_by(adapter):
        raise other_start(start)
    return folder


def gone_by(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a network goes by; equal for adapters whose networks can learn from each other. Where it goes by all features, equal settings only."""
    adapter = build_adapter(dict(settings))
    spec = adapter.spec
    return (type(adapter), spec.shape[0] - spec.made, spec.remark) if spec.any_source else (adapter,)


def other_start(start: str) -> ConfigError:
    """The error for a bundle that a training cannot begin with."""
    return ConfigError(f"start={start}: has other networks, or other features; set start='' to begin from nothing, or take over its settings (audiocycle info)")
