"""Which beats begin bars, and how many beats bars have: the likeliest walk through bars of two, three and four (Viterbi), by accents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROFILES = {4: (0.5, -0.25, 0.0, -0.25), 3: (0.45, -0.15, -0.3), 2: (0.25, -0.25)}
"""By beats in a bar: how strong each is on average, in the unit of :func:`audiocycle.music.bar_lines.accents`."""
DEVIATION = 0.6
"""Of accents from that."""
ANOTHER = 9.0
"""What it costs (nats) that bars have another number of beats from here on."""
SLIP = 7.0
"""What it costs that a bar has a beat less or more: a player's, or one that was not found."""
RARITY = {4: 0.0, 3: 2.0, 2: 8.0}
"""What it costs that a song begins in such bars."""


def walk(accents: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The likeliest bars.

    Args:
        accents: (B,) of each beat.

    Returns:
        (B,) the place of each beat in its bar, from 0, and (B,) how many beats bars have there.
    """
    states = [(beats, place) for beats in PROFILES for place in range(beats)]
    mean = np.array([PROFILES[beats][place] for beats, place in states])
    likelihood = (accents[:, None] * mean - mean**2 / 2) / DEVIATION**2
    cost = np.full((len(states), len(states)), np.inf)
    for i, (beats, place) in enumerate(states):
        for j, (others, to) in enumerate(states):
            last = place == beats - 1
            if beats == others and to == (place + 1) % beats:
                cost[i, j] = 0.0
            elif beats == others and (to == 0 or (last and to == place)):
                cost[i, j] = SLIP
            elif last and to == 0:
                cost[i, j] = ANOTHER
    best = likelihood[0] - np.array([RARITY[beats] for beats, _ in states])
    came = np.zeros((len(accents), len(states)), np.int64)
    for beat in range(1, len(accents)):
        options = best[:, None] - cost
        came[beat] = options.argmax(axis=0)
        best = options[came[beat], np.arange(len(states))] + likelihood[beat]
    path = np.empty(len(accents), np.int64)
    path[-1] = best.argmax()
    for beat in range(len(accents) - 1, 0, -1):
        path[beat - 1] = came[beat, path[beat]]
    table = np.array(states)[path]
    return table[:, 1], table[:, 0]
