"""How lively a network's output is: its deviation beside the target's, which conversion needs to put back what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from audiocycle.conversion.converter import Converter
from audiocycle.data.domains import DomainData
from audiocycle.data.moments import Moments
from audiocycle.spec import Domain

SECONDS = 60.0
"""Of each source, spread over its recordings: the deviations of two such minutes differ by a few hundredths."""
PIECE_SECONDS = 5.0


def output_deviations(converter: Converter, data: Mapping[Domain, DomainData]) -> dict[str, list[Any]]:
    """By direction, the deviation (\\*shape,) over frames with speech of what the network makes of its training material.

    Normalised as the target's features are: 1 is the target's own, less is flatter. Nothing where the adapter judges no frames.
    """
    adapter, config = converter.adapter, converter.config
    made = {}
    piece, pieces = round(PIECE_SECONDS * adapter.spec.frame_rate), round(SECONDS / PIECE_SECONDS)
    for each in config.directions:
        direction = config.direction(each.source.name, each.target.name)
        if config.any_source:  # each target stands for everybody: its own recordings say what is lost
            direction = replace(direction, source=direction.target)
        items, moments = data[direction.source].items, Moments()
        for item in items[:: max(1, len(items) // pieces)][:pieces]:
            features = item.features[..., :piece]
            judged = adapter.judged_frames(features)
            if judged is None:
                return {}
            output = converter.translate_features(features, direction)
            moments.add(adapter.normalize(output, direction.target.stats)[..., judged])
        made[str(each)] = moments.std[..., 0].round(4).tolist()
    return made
