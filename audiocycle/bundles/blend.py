"""Voices between voices: ``anna=0.6,ben=0.4`` is a target that has so much of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from audiocycle.build import build_adapter
from audiocycle.errors import DomainError
from audiocycle.spec import ANYONE, Direction, Domain

if TYPE_CHECKING:
    from audiocycle.bundles.format import BundleConfig


def shares_of(target: str) -> dict[str, float]:
    """The voices that a target names, with their shares, which add up to 1; empty where it is one voice's plain name.

    Names of domains hold neither ``=`` nor ``,`` (:func:`~audiocycle.system.names.check_domain_name`).

    Raises:
        DomainError: it is neither a name nor a blend.
    """
    if "=" not in target:
        return {}
    shares: dict[str, float] = {}
    for part in target.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if not name or name in shares or not 0.0 < share < math.inf:
            raise DomainError(f"target '{target}': a blend names voices once each, with numbers above 0, as in anna=0.6,ben=0.4")
        shares[name] = share
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def blended(config: BundleConfig, name: str, shares: Mapping[str, float]) -> Direction:
    """From anyone to a voice between those of several domains.

    Statistics are weighted means: of log F0 and log power, so that pitch and spectra are blended by intervals and dB. Of lists it has all.

    Raises:
        DomainError: a name is unknown, or the model makes the voices only that it learned.
    """
    if not config.any_source:
        raise DomainError(f"target '{name}': model {config.name} has a network for each voice; only a model that converts everybody blends them")
    for part in shares:
        if part not in config.domains:
            raise DomainError(f"target '{part}' is unknown to model {config.name}; it knows: {', '.join(config.domains)}")
    ways = [(config.direction(ANYONE.name, part), share) for part, share in shares.items()]
    names = set.intersection(*(set(way.target.stats) for way, _ in ways))
    adapter = build_adapter(config.adapter)
    listed = {each for each, table in adapter.known_statistics.items() if table.listed}
    stats = {
        each: np.concatenate([way.target.stats[each] for way, _ in ways])
        if each in listed
        else np.sum([share * way.target.stats[each] for way, share in ways], axis=0)
        for each in sorted(names)
    }
    known = [share * way.output_deviation for way, share in ways if way.output_deviation is not None]
    deviation = np.sum(known, axis=0) if len(known) == len(ways) else None
    return Direction(ANYONE, Domain(name, stats, adapter.condition(stats)), deviation)
