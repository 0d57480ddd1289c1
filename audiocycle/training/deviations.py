"""How lively a network's output is: its deviation beside the target's, which conversion needs to put back what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from audiocycle.conversion.converter import Converter
from audiocycle.data.domains import DomainData
from audiocycle.spec import direction
from audiocycle.voice.moments import Moments

SECONDS = 60.0
"""Of each source, spread over its recordings: the deviations of two such minutes differ by a few hundredths."""
PIECE_SECONDS = 5.0


def output_deviations(converter: Converter, data: Mapping[str, DomainData]) -> dict[str, list[float]]:
    """By direction, the deviation (P,) over frames with speech of what the network makes of its training material.

    Normalised as the target's features are: 1 is the target's own, less is flatter. The adapter must know frames with speech.
    """
    adapter, config = converter.adapter, converter.config
    made = {}
    piece, pieces = round(PIECE_SECONDS * adapter.spec.frame_rate), round(SECONDS / PIECE_SECONDS)
    for source, target in config.pairs:
        of_source, of_target = config.stats_of(source), config.stats_of(target)
        items, moments = data[source].items, Moments()
        for item in items[:: max(1, len(items) // pieces)][:pieces]:
            features = item.features[:, :piece]
            output = converter.translate_features(features, source, target, of_source, of_target)
            moments.add(adapter.normalize(output, of_target)[:, adapter.speech(features)])
        made[direction(source, target)] = moments.std.ravel().round(4).tolist()
    return made
