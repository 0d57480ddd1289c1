"""How much sounds in a roll, by register: what a genre's phrases have much or little of, whatever the notes are.

For the term of the objective that keeps transfers from being thicker, busier or choppier than their genre is. Patch critics
judge a place at a time, and hardly hear how much there is in all.

A roll is (B, C, P, T) in 0..1: channel 0 sustain, channel 1 onset; P is a whole number of octaves. Results are float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audiocycle.objectives.content import PITCH_CLASSES


def density(x: Tensor, steps_per_beat: int = 4) -> Tensor:
    """How many pitches sound on average, and how many notes begin in a beat: (B, C, P, T) -> (B, 2, P / 12 + 1).

    For each octave, and last for all of them together.
    """
    batch, _, _, steps = x.shape
    by_octave = x[:, :2].float().reshape(batch, 2, -1, PITCH_CLASSES, steps).sum(dim=3).mean(dim=-1)
    by_octave = by_octave * by_octave.new_tensor([1.0, steps_per_beat])[:, None]
    return torch.cat([by_octave, by_octave.sum(dim=-1, keepdim=True)], dim=-1)


def density_distance(fake: Tensor, real: Tensor, steps_per_beat: int = 4) -> Tensor:
    """Between the distributions of :func:`density` in two batches of one size, measure by measure: (B, C, P, T) twice -> ().

    Mean |sorted fakes - sorted reals|, the Wasserstein-1 distance of the two samples: a sparse phrase may stay sparse and a
    dense one dense as long as there are as many of them as the genre has.
    """
    ours, theirs = (density(x, steps_per_beat).sort(dim=0).values for x in (fake, real))
    return (ours - theirs).abs().mean()
