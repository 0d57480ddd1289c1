"""A guide for unpaired training: for each frame of one speaker, what the other speaker's voice is like when saying the same.

Nobody has to read the same sentences. The states of a recogniser's encoder tell what is said rather than who says it, so a small
network learns from the target's recordings alone what the target's features are where such states are, and reads the source's
states then: conversion by phonetic posteriors (Sun, Li, Wang, Kang & Meng 2016, ICME), used here as a target to train towards
instead of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from audiocycle.spec import FloatArray

CHANNELS, KERNEL, DILATIONS, DROPOUT = 128, 5, (1, 2, 4, 8), 0.3
"""The decoder sees 150 ms to either side at 200 frames a second."""
STEPS, BATCH, CROP, RATE, DECAY = 300, 16, 256, 2e-3, 0.01
SCALE = 10.0
"""States have length 1, and hundreds of rows: so their rows are of the size of one."""
MORE = 3
"""Rows beside the states: the level, its slope, and where there is speech."""
AT_ONCE, CONTEXT = 4096, KERNEL // 2 * sum(DILATIONS) + 1
"""Frames of a recording that are read at a time, and those to either side that bear on them."""
RECIPE = ("crops of recordings", CHANNELS, KERNEL, DILATIONS, DROPOUT, STEPS, BATCH, CROP, RATE, DECAY, SCALE)
"""What a guide depends on beside the recogniser; in words what no number says, so that caches notice when it changes."""
STATES, FEATURES, SPEECH = "states", "features", "speech"
Crops = Callable[[int], Mapping[str, NDArray[Any]]]
"""Step to a batch of crops, STATES, FEATURES and SPEECH of which go together."""


class Decoder(nn.Module):
    """Phonetic states, (B, D, T), to features (B, P, T): gated convolutions that add to their input."""

    def __init__(self, states: int, features: int) -> None:
        super().__init__()
        self.inlet = nn.Sequential(nn.Dropout(DROPOUT), nn.Conv1d(states, CHANNELS, 1))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Dropout(DROPOUT), nn.Conv1d(CHANNELS, 2 * CHANNELS, KERNEL, dilation=d, padding=KERNEL // 2 * d), nn.GLU(dim=1))
            for d in DILATIONS
        )
        self.outlet = nn.Conv1d(CHANNELS, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inlet(x)
        for block in self.blocks:
            x = x + block(x)
        made: Tensor = self.outlet(x)
        return made


class TargetVoice:
    """What a speaker's features are like where such things are said, learned from the speaker's own recordings.

    Args:
        crops: by step, crops of the recordings: STATES (B, D, T), :func:`standardised`; FEATURES (B, P, T), normalised, of which row 0 is
            the level, which is given, and not learned; SPEECH (B, T), frames that count.
        progress: called with the steps of learning that are done, and all of them.
    """

    def __init__(self, crops: Crops, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
        first = crops(0)
        with torch.random.fork_rng(devices=()):
            torch.default_generator.manual_seed(0)
            self.decoder = Decoder(first[STATES].shape[1] + MORE, first[FEATURES].shape[1])
            learn(self.decoder, crops, progress)

    def guide(self, queries: FloatArray, features: FloatArray, speech: NDArray[np.bool_]) -> FloatArray:
        """What the speaker's features should be like where another speaker's are ``features``.

        Args:
            queries: (T, D) states, standardised by their own speaker's moments.
            features: (P, T) normalised by their own speaker's statistics. Row 0, the level, stays; so do frames without speech.
            speech: (T,) frames that count.
        """
        guide = features.astype(np.float32)
        for begin in range(0, len(speech), AT_ONCE):
            seen = slice(max(0, begin - CONTEXT), begin + AT_ONCE + CONTEXT)
            with torch.no_grad():
                made = self.decoder(torch.from_numpy(inputs(queries[seen].T, features[:, seen], speech[seen]))[None])[0, 1:].numpy()
            part = slice(begin, min(begin + AT_ONCE, len(speech)))
            made = made[:, begin - seen.start : part.stop - seen.start]
            guide[1:, part] = np.where(speech[part], made, guide[1:, part])
        return guide


def inputs(states: FloatArray, features: FloatArray, speech: NDArray[np.bool_]) -> FloatArray:
    """What the decoder is given.

    Args:
        states: (..., D, T), standardised.
        features: (..., P, T); their level and its slope are taken.
        speech: (..., T).

    Returns:
        (..., D + 3, T).
    """
    level = features[..., :1, :]
    slope = np.gradient(level, axis=-1) if level.shape[-1] > 1 else np.zeros_like(level)
    return np.concatenate([SCALE * states, level, 5 * slope, speech[..., None, :]], axis=-2, dtype=np.float32)


def learn(decoder: Decoder, crops: Crops, progress: Callable[[int, int], None]) -> None:
    """Least squares where there is speech: the mean of what a speaker may make of a sound."""
    optimizer = torch.optim.AdamW(decoder.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, STEPS)
    decoder.train()
    for step in range(STEPS):
        batch = crops(step)
        given = torch.from_numpy(inputs(batch[STATES], batch[FEATURES], batch[SPEECH]))
        wanted, mask = (torch.from_numpy(batch[name].astype(np.float32)) for name in (FEATURES, SPEECH))
        error = ((decoder(given) - wanted)[:, 1:].square().mean(dim=1) * mask).sum() / mask.sum().clamp(min=1)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, STEPS)
    decoder.eval()
