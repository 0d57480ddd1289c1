"""What a converter knows of a network, whichever library computes it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from audiocycle.spec import Direction, FloatArray


class Network(ABC):
    """Normalised features of one domain to those of another.

    Attributes:
        runtime: the library's short name (see :mod:`audiocycle.bundles.runtimes.choice`).
        precision: ``bf16`` or ``fp32``, of the products inside; features are float32 always.
    """

    runtime = "torch"
    precision = "fp32"

    @classmethod
    def native(cls) -> tuple[str, ...]:
        """Precisions that the library computes in natively on this processor; others it lacks, or has to emulate."""
        return ("fp32",)

    def prepare(self, direction: Direction) -> None:  # noqa: B027  (most have nothing to prepare)
        """Load what a direction needs, so that what is wrong with it is said before any file is read.

        Raises:
            BundleError: it is damaged.
        """

    @abstractmethod
    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        """(B, ..., T) float32 to (B, ..., T) float32, for any B and T >= 1."""


def told(batch: FloatArray, direction: Direction) -> FloatArray:
    """(B, R, T) with what the network is told of the target behind its rows, where it is told something (:attr:`FeatureSpec.condition`)."""
    condition = direction.target.condition
    if condition is None:
        return batch
    return np.concatenate([batch, np.broadcast_to(condition[None, :, None], (len(batch), len(condition), batch.shape[-1]))], axis=1)
