"""A few recordings of a direction whose sounds are kept, to be looked at and listened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audiocycle.evaluation.voice.measurement import ItemMeasurement, SoundKey
from audiocycle.evaluation.voice.measures import CONVERTED
from audiocycle.evaluation.voice.results import VoiceExample

EXAMPLES = 3
"""Files of a direction."""


def examples_of(
    sounds: Mapping[str, SoundKey], of_source: Sequence[ItemMeasurement], of_target: Sequence[ItemMeasurement]
) -> list[VoiceExample]:
    """Recordings whose sounds were kept; without counterparts, beside some recording of the target's.

    Args:
        sounds: what each row's sounds are.
        of_source, of_target: all recordings of the two domains.
    """
    kept = [[each for each in items if each.kept] for items in (of_source, of_target)]
    examples = []
    for ours, theirs in zip(*kept, strict=False):
        whole = ours.kept | theirs.kept
        shown = {row: whole[key] for row, key in sounds.items()}
        examples.append(
            VoiceExample(
                ours.item.name,
                theirs.item.name,
                shown[CONVERTED][0].sample_rate,
                {row: signal.samples for row, (signal, _) in shown.items()},
                {row: f0 for row, (_, f0) in shown.items()},
            )
        )
    return examples
