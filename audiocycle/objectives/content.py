"""What a transfer should keep of a roll: its harmony and its rhythm, as differentiable summaries, and its outline, as a mask.

For content terms of the objective: the distance between a summary of the source and that of its transfer, or between their cells there.

A roll is (B, C, P, T) in 0..1: channel 0 sustain, channel 1 onset; row 0 is a C, and P is a whole number of octaves.
Summaries are float32, whatever the networks computed in.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

ONLY_ROLLS = "only piano rolls have them"
"""Why other features have no terms of content or density."""
SUSTAIN, ONSET = 0, 1
PITCH_CLASSES = 12
BEATS = 4
"""In which a line that was left is taken up again."""
DEEPEST = 12
"""Semitones below a line that is taken up again: what lies deeper is of the accompaniment, which is heard while the line rests."""
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


def outline(x: Tensor, steps_per_beat: int = 4) -> Tensor:
    """Which cells make the outer lines of a binary roll: (B, C, P, T) -> (B, 2, P, T) of 0 and 1, C >= 2.

    Those of the tune and of the bass where they sound, in the second channel where they begin, and in both all cells above the tune.
    The tune is the highest pitch of each step, but for those that lie further than an octave below a line that rests for less than
    a bar; the bass is the lowest, likewise.
    """
    window = BEATS * steps_per_beat // 2 * 2 + 1
    sounds = x[:, SUSTAIN] > 0.5
    rows = torch.arange(1, sounds.shape[1] + 1, device=x.device, dtype=torch.float32)[:, None]
    tune = line((rows * sounds).amax(dim=1), window)  # (B, T): 1 for the lowest row, 0 where there is none
    bass = line((rows.flip(0) * sounds).amax(dim=1), window)
    above = (rows > tune[:, None]) & (tune[:, None] > 0)
    lines = (rows == tune[:, None]) | (rows.flip(0) == bass[:, None])
    return torch.stack([above | lines, above | (lines & (x[:, ONSET] > 0.5))], dim=1).float()


def line(highest: Tensor, window: int) -> Tensor:
    """The highest pitch of each step where it is of the top line, else 0: (B, T) -> (B, T), window odd, in steps.

    Where the curve has a valley shorter than the window, a closing fills it (Serra 1982, chapter II), and shows how deep it is.
    """
    closed = -F.max_pool1d(-F.max_pool1d(highest, window, 1, window // 2), window, 1, window // 2)
    return torch.where(closed - highest > DEEPEST, 0, highest)
