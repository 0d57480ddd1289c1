"""The settings of a training loop."""

from __future__ import annotations

from dataclasses import dataclass

from audiocycle.errors import ConfigError
from audiocycle.spec import PRECISIONS
from audiocycle.system.limits import Limit, OneOf, Range, hold

STEPS = Range(0, 10**12)
EVERY = Range(1, 10**12)
BELOW_1 = 0.999999
LIMITS: dict[str, Limit] = {
    "batch_size": Range(1, 2**16), "crop": Range(0, 2**20), "pieces": Range(1, 2**20), "lr": Range(1e-15, 1e3, whole=False),
    "beta1": Range(0, BELOW_1, whole=False), "beta2": Range(0, BELOW_1, whole=False), "constant_steps": STEPS, "decay_steps": STEPS,
    "precision": OneOf(PRECISIONS), "average": Range(0, BELOW_1, whole=False), "pool_size": Range(0, 10**6),
    "max_gradient_norm": Range(0, 1e15, whole=False), "checkpoint_every": EVERY, "sample_every": STEPS, "log_every": EVERY,
    "keep_checkpoints": Range(1, 10**6), "validate_every": EVERY, "patience": Range(0, 10**6), "critic_lr": Range(1e-15, 1e3, whole=False), "identity_steps": STEPS,
}  # fmt: skip
"""Of settings, by name: what torch and numpy take, and what a machine may have."""
OF_THE_RUN: dict[str, Limit] = {"max_steps": STEPS, "max_minutes": Range(0, 1e9, whole=False), "seed": Range(0, 2**63 - 1)}
"""Of those that configurations have at the top."""
LARGEST_BATCH = 2**24
"""Frames of each domain in a batch: 23 hours of speech."""


@dataclass(frozen=True)
class TrainerConfig:
    """How to train.

    Attributes:
        max_steps: of the run; None is the end of the schedule.
        max_minutes: of the run, those before resumes too; whichever limit comes first ends it. None: no limit.
        batch_size: crops of each domain in a step, of all processes together.
        crop: frames of a crop; 0 is the window of the adapter (a phrase of MIDI), or 128 where it has none.
        pieces: of which a crop is put together, cut at random and taken from anywhere in the recordings; 1 is a crop of one recording.
        lr: the generators' learning rate. The paper's 2e-4 is for batch 1.
        critic_lr: the critics'; None means half of ``lr`` (the paper's ratio).
        beta1, beta2: of the optimizers (Adam).
        constant_steps: for so many steps both rates stay.
        decay_steps: for so many further ones they fall, linearly to 0.
        identity_steps: the identity terms are left out from this step on; None keeps them.
        precision: of the networks, auto, bf16 or fp32; losses and optimizers are float32 always. auto is bf16 where the processor
            computes it natively. On a GPU, products of float32 are TF32.
        device: auto, cpu, cuda, cuda:1, ...
        average: decay of the generators' moving average, which is what the bundle holds; 0 turns it off.
        pool_size: history of fakes that the critics see (Shrivastava et al. 2017); 0 turns it off.
        max_gradient_norm: of the generators and of the critics; larger gradients are scaled down. 0 turns it off.
        checkpoint_every: steps between checkpoints.
        sample_every: steps between sounds and pictures; 0 is never.
        log_every: steps between lines of the log.
        validate_every: steps between looks at held-out recordings, where data.held_out is above 0; the bundle is that of the best step.
        patience: after so many looks without a better one the rates begin to fall, and while they fall, the training ends; 0: the schedule alone decides.
        keep_checkpoints: how many stay on disk.
        seed: of all that is drawn.
    """

    max_steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 1
    crop: int = 0
    pieces: int = 1
    lr: float = 2e-4
    critic_lr: float | None = None
    beta1: float = 0.5
    beta2: float = 0.999
    constant_steps: int = 200_000
    decay_steps: int = 200_000
    identity_steps: int | None = 10_000
    precision: str = "auto"
    device: str = "auto"
    average: float = 0.0
    pool_size: int = 0
    max_gradient_norm: float = 0.0
    checkpoint_every: int = 1000
    sample_every: int = 5000
    log_every: int = 10
    validate_every: int = 100
    patience: int = 0
    keep_checkpoints: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        set_ones = {name: value for name, value in vars(self).items() if value is not None}
        hold("trainer.", set_ones, LIMITS)
        hold("", set_ones, OF_THE_RUN)
        if self.batch_size * self.crop > LARGEST_BATCH:
            raise ConfigError(f"trainer.batch_size={self.batch_size}, trainer.crop={self.crop}: more than {LARGEST_BATCH} frames; choose less of one")

    def rate_factor(self, step: int, decay_from: int | None = None) -> float:
        """What both learning rates are multiplied with at a step: 1, then linearly to 0, from ``decay_from`` on instead of ``constant_steps``."""
        begin = self.constant_steps if decay_from is None else decay_from
        if step < begin:
            return 1.0
        return max(0.0, 1.0 - (step - begin) / max(1, self.decay_steps))

    def terms_off(self, step: int) -> frozenset[str]:
        """Kinds of terms that are left out at a step."""
        return frozenset({"identity"} if self.identity_steps is not None and step >= self.identity_steps else ())

    @property
    def last_step(self) -> int:
        """The step count at which the run ends by itself: ``max_steps``, or the end of the schedule."""
        return self.max_steps if self.max_steps is not None else self.constant_steps + self.decay_steps
