"""A guide for unpaired training: for each frame of one speaker, what the other speaker's voice is like when saying the same.

Nobody has to read the same sentences. The states of a recogniser's encoder tell what is said rather than who says it, so a small
network learns from the target's recordings alone what the target's features are where such states are, and reads the source's
states then: conversion by phonetic posteriors (Sun, Li, Wang, Kang & Meng 2016, ICME), used here as a target to train towards
instead of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
RECIPE = (CHANNELS, KERNEL, DILATIONS, DROPOUT, STEPS, BATCH, CROP, RATE, DECAY, SCALE)
"""What a guide depends on beside the recogniser."""


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
        states: of each recording, (T, D) phonetic states at its frames.
        features: (P, T) normalised features; row 0 is the level, which is given, and not learned.
        speech: (T,) frames that count.
        progress: called with the steps of learning that are done, and all of them.
    """

    def __init__(
        self,
        states: Sequence[FloatArray],
        features: Sequence[FloatArray],
        speech: Sequence[NDArray[np.bool_]],
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> None:
        own = moments(states, speech)
        given = np.concatenate([inputs(standardised(z, *own), x, m) for z, x, m in zip(states, features, speech, strict=True)], axis=1)
        wanted, counts = np.concatenate(features, axis=1, dtype=np.float32), np.concatenate(speech)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            self.decoder = Decoder(len(given), len(wanted))
            learn(self.decoder, torch.from_numpy(given), torch.from_numpy(wanted), torch.from_numpy(counts), progress)

    def guide(self, queries: FloatArray, features: FloatArray, speech: NDArray[np.bool_]) -> FloatArray:
        """What the speaker's features should be like where another speaker's are ``features``.

        Args:
            queries: (T, D) states, standardised by their own speaker's moments.
            features: (P, T) normalised by their own speaker's statistics. Row 0, the level, stays; so do frames without speech.
            speech: (T,) frames that count.
        """
        with torch.no_grad():
            made = self.decoder(torch.from_numpy(inputs(queries, features, speech))[None])[0].numpy()
        guide = np.where(speech, made, features)
        guide[0] = features[0]
        return guide.astype(np.float32)


def inputs(states: FloatArray, features: FloatArray, speech: NDArray[np.bool_]) -> FloatArray:
    """What the decoder is given, (D + 3, T): standardised states, the level and its slope, and where there is speech."""
    level = features[:1]
    slope = np.gradient(level, axis=1) if level.shape[1] > 1 else np.zeros_like(level)
    return np.concatenate([SCALE * states.T, level, 5 * slope, speech[None]], dtype=np.float32)


def learn(decoder: Decoder, given: Tensor, wanted: Tensor, counts: Tensor, progress: Callable[[int, int], None]) -> None:
    """Least squares on crops of (D, T), (P, T), where (T,) ``counts``: the mean of what a speaker may make of a sound."""
    length = min(CROP, given.shape[1])
    optimizer = torch.optim.AdamW(decoder.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, STEPS)
    decoder.train()
    for step in range(STEPS):
        places = torch.randint(given.shape[1] - length + 1, (BATCH,)).tolist()
        x, y, mask = (torch.stack([each[..., at : at + length] for at in places]) for each in (given, wanted, counts))
        error = ((decoder(x) - y)[:, 1:].square().mean(dim=1) * mask).sum() / mask.sum().clamp(min=1)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, STEPS)
    decoder.eval()


def moments(states: Sequence[FloatArray], speech: Sequence[NDArray[np.bool_]]) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation (D,) of a speaker's states where there is speech: what is left of the speaker in them goes with these."""
    there = np.concatenate([x[mask] for x, mask in zip(states, speech, strict=True)])
    return there.mean(axis=0), there.std(axis=0) + 1e-6


def standardised(states: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """States of unit length."""
    x = (states - mean) / deviation
    made: FloatArray = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return made
