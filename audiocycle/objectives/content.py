"""Differentiable summaries of a roll that a transfer should keep: its harmony and its rhythm.

For content terms of the objective: the distance between a summary of the source and that of its transfer.

A roll is (B, C, P, T) in 0..1: channel 0 sustain, channel 1 onset; row 0 is a C, and P is a whole number of octaves.
Summaries are float32, whatever the networks computed in.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

ONLY_ROLLS = "only piano rolls have them"
"""Why other features have no terms of content or density."""
SUSTAIN, ONSET = 0, 1
PITCH_CLASSES = 12
SILENCE = 0.01
"""Added to squared lengths. A beat of one note keeps a length of 0.995; silence stays 0, and its gradient is at most 10."""


def chroma(x: Tensor, steps_per_beat: int = 4) -> Tensor:
    """How strongly each pitch class sounds in each beat: (B, C, P, T) -> (B, 12, ceil(T / steps_per_beat)).

    Sustain, summed over octaves, averaged over the steps of a beat (the last one may be short), and divided by its
    length over the pitch classes, so that neither octaves nor doublings count. Class 0 is C.
    """
    batch, _, _, steps = x.shape
    classes = x[:, SUSTAIN].float().reshape(batch, -1, PITCH_CLASSES, steps).sum(dim=1)
    beats = F.avg_pool1d(classes, steps_per_beat, ceil_mode=True)
    return beats * (beats.square().sum(dim=1, keepdim=True) + SILENCE).rsqrt()


def groove(x: Tensor) -> Tensor:
    """Whether anything begins at each step: (B, C, P, T) -> (B, T) in 0..1, C >= 2.

    The strongest onset over the pitches, not a sum: of a binary roll that is its rhythm exactly, many weak onsets do not
    add up to a strong one, and a gradient never vanishes, since it goes to the strongest (to all alike where they tie).
    """
    return x[:, ONSET].float().amax(dim=1)
