"""The training loop: two optimizers, the two-step objective, schedules, checkpoints. Knows no modality."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audiocycle.checkpoint import TrainState, checkpoints, load_newest, save_state
from audiocycle.data import CropSampler
from audiocycle.errors import ConfigError, TrainingError
from audiocycle.models.layers import channels_last
from audiocycle.models.translator import Critic, Translator
from audiocycle.objective import Critics, Fakes, Objective, Terms
from audiocycle.stabilizers import HistoryPool, WeightAverage

PRECISIONS = ("auto", "bf16", "fp32")


@dataclass(frozen=True)
class TrainerConfig:
    """How to train.

    Attributes:
        max_steps, max_minutes: whichever comes first ends the run; minutes count over resumes. None: no limit.
        batch_size: crops of each domain in a step.
        crop: frames of a crop; 0 is the window of the adapter, or 128 where it has none.
        lr: the generators' learning rate. The paper's 2e-4 is for batch 1.
        critic_lr: the critics'; None means half of ``lr`` (the paper's ratio).
        constant_steps, decay_steps: both rates are constant, then fall linearly to 0.
        identity_steps: the identity terms are left out from this step on; None keeps them.
        precision: of the networks; losses and optimizers are float32 always. auto is bf16 where the processor
            computes it natively.
        average: decay of the generators' moving average, which is what the bundle holds; 0 turns it off.
        pool_size: history of fakes that the critics see (Shrivastava et al. 2017); 0 turns it off.
        max_gradient_norm: of the generators and of the critics; larger gradients are scaled down. 0 turns it off.
        checkpoint_every, sample_every, log_every: steps.
        keep_checkpoints: how many stay on disk.
    """

    max_steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 1
    crop: int = 0
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
    keep_checkpoints: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(f"trainer.precision={self.precision}: choose one of {', '.join(PRECISIONS)}")
        if self.crop < 0:
            raise ConfigError(f"trainer.crop={self.crop}: must be 1 or more, or 0 for the adapter's own")
        for name in ("batch_size", "checkpoint_every", "log_every", "keep_checkpoints"):
            if getattr(self, name) < 1:
                raise ConfigError(f"trainer.{name}={getattr(self, name)}: must be 1 or more")
        if self.lr <= 0 or (self.critic_lr is not None and self.critic_lr <= 0):
            raise ConfigError(f"trainer.lr={self.lr}, critic_lr={self.critic_lr}: must be above 0")

    def rate_factor(self, step: int) -> float:
        """What both learning rates are multiplied with at a step: 1, then linearly to 0."""
        if step < self.constant_steps:
            return 1.0
        return max(0.0, 1.0 - (step - self.constant_steps) / max(1, self.decay_steps))

    @property
    def last_step(self) -> int:
        """The step count at which the run ends by itself: ``max_steps``, or the end of the schedule."""
        return self.max_steps if self.max_steps is not None else self.constant_steps + self.decay_steps


@dataclass(frozen=True)
class Report:
    """What a hook gets after a step. ``values`` are terms, norms and rates by name."""

    step: int
    last_step: int
    seconds: float
    values: Mapping[str, float]


class Trainer:
    """Trains a translator against critics.

    Args:
        critics: by name, those that the objective asks for.
        on_log: called every ``log_every`` steps.
        on_checkpoint: called after each checkpoint with (step, weights for the bundle).
        on_sample: called every ``sample_every`` steps with (step, weights for the bundle).
        settings: of the run, kept in the checkpoint; a resume with other networks or domains is refused.
    """

    def __init__(
        self,
        translator: Translator,
        critics: Mapping[str, Critic],
        objective: Objective,
        sampler: CropSampler,
        config: TrainerConfig,
        folder: Path,
        *,
        settings: Mapping[str, Any] | None = None,
        on_log: Callable[[Report], None] = lambda report: None,
        on_checkpoint: Callable[[int, dict[str, Tensor]], None] = lambda step, weights: None,
        on_sample: Callable[[int, dict[str, Tensor]], None] = lambda step, weights: None,
    ) -> None:
        self.config, self.objective, self.sampler = config, objective, sampler
        self.folder, self.settings = folder, dict(settings or {})
        self.on_log, self.on_checkpoint, self.on_sample = on_log, on_checkpoint, on_sample
        self.device = choose_device(config.device)
        self.half = choose_bf16(config.precision, self.device)
        self.translator = translator.to(self.device)
        self.by_name: Critics = dict(critics)
        self.critics = nn.ModuleDict(self.by_name).to(self.device)
        for network in (self.translator, self.critics):
            if self.device.type == "cuda":
                channels_last(network)
        self.generator_optimizer = self._adam(self.translator, config.lr)
        self.critic_optimizer = self._adam(self.critics, config.critic_lr or config.lr / 2)
        self.average = WeightAverage(self.translator, config.average) if config.average else None
        self.pools = {kind: HistoryPool(config.pool_size) for kind in ("fake", "back")}
        self.step = 0
        self.seconds = 0.0
        self.stopping = False
        """Set from outside, by a signal handler, to end the run after the current step with a checkpoint."""

    def _adam(self, network: nn.Module, rate: float) -> torch.optim.Adam:
        betas = (self.config.beta1, self.config.beta2)
        return torch.optim.Adam(network.parameters(), lr=rate, betas=betas, fused=True)

    def run(self) -> None:
        """Train to the end of the schedule, ``max_steps`` or ``max_minutes``; a checkpoint stands at the end.

        Raises:
            TrainingError: a loss or a gradient is not a finite number.
        """
        limit = self.config.max_minutes * 60 if self.config.max_minutes is not None else float("inf")
        saved = self.step if checkpoints(self.folder) else -1
        since, before = time.monotonic(), self.seconds
        while self.step < self.config.last_step and self.seconds < limit and not self.stopping:
            values = self.train_step()
            self.seconds = before + time.monotonic() - since
            if self.step % self.config.log_every == 0:
                self.on_log(Report(self.step, self.config.last_step, self.seconds, values))
            if self.step % self.config.checkpoint_every == 0:
                self.save()
                saved = self.step
            if self.config.sample_every and self.step % self.config.sample_every == 0:
                with torch.random.fork_rng(devices=[]):  # what a hook draws is lost to a resumed run, and not the training's
                    self.on_sample(self.step, self.weights())
        if saved != self.step:
            self.save()

    def train_step(self) -> dict[str, float]:
        """One step of the generators and one of the critics on the batch of the current step."""
        self._set_rates()
        batch = {d: torch.from_numpy(x).to(self.device) for d, x in self.sampler.batch(self.step).items()}
        limit = self.config.identity_steps

        self.critics.requires_grad_(False)  # the generators' gradient passes through them, not into them
        with self._autocast():
            terms, fakes = self.objective.generator_terms(
                self.translator, self.by_name, batch, identity=limit is None or self.step < limit
            )
            total = self.objective.total(terms)
        generator_norm = self._update(self.translator, self.generator_optimizer, total, terms)
        self.critics.requires_grad_(True)

        with self._autocast():
            critic_terms = self.objective.critic_terms(self.by_name, batch, self._pooled(fakes))
            critic_total = torch.stack(list(critic_terms.values())).sum()
        critic_norm = self._update(self.critics, self.critic_optimizer, critic_total, critic_terms)

        if self.average is not None:
            self.average.update(self.translator)
        self.step += 1
        rate = self.generator_optimizer.param_groups[0]["lr"]
        values = {name: float(value.detach()) for name, value in (terms | critic_terms).items()}
        return values | {"norm/generator": generator_norm, "norm/critic": critic_norm, "rate/generator": rate}

    def _update(self, network: nn.Module, optimizer: torch.optim.Adam, total: Tensor, terms: Terms) -> float:
        """Backward, guard, step. Weights are touched only by finite gradients, so no checkpoint can hold a NaN."""
        self._guard({name: bool(value.isfinite()) for name, value in terms.items()})
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        limit = self.config.max_gradient_norm or float("inf")
        norm = float(nn.utils.clip_grad_norm_(network.parameters(), limit))
        self._guard({"gradient": bool(np.isfinite(norm))})
        optimizer.step()
        return norm

    def _guard(self, finite: Mapping[str, bool]) -> None:
        bad = [name for name, good in finite.items() if not good]
        if bad:
            good_ones = checkpoints(self.folder)
            last = f"last good checkpoint: {good_ones[-1]}" if good_ones else "no checkpoint was written yet"
            raise TrainingError(
                f"step {self.step}: {', '.join(bad)} is not a finite number; {last}. Lower trainer.lr, set "
                "trainer.max_gradient_norm=1 or trainer.precision=fp32, then resume=true"
            )

    def _pooled(self, fakes: Fakes) -> Fakes:
        if not self.config.pool_size:
            return fakes
        random = np.random.default_rng([self.config.seed, self.step, 1])
        fake, back = self.pools["fake"], self.pools["back"]
        return Fakes(
            {name: fake.swap(name, items, random) for name, items in fakes.fake.items()},
            {name: back.swap(name, items, random) for name, items in fakes.back.items()},
        )

    def _set_rates(self) -> None:
        factor = self.config.rate_factor(self.step)
        rates = (self.config.lr, self.config.critic_lr or self.config.lr / 2)
        for optimizer, rate in zip((self.generator_optimizer, self.critic_optimizer), rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half)

    def weights(self) -> dict[str, Tensor]:
        """The translator's weights for a bundle: the moving average where there is one."""
        return self.average.weights() if self.average is not None else dict(self.translator.state_dict())

    def save(self) -> None:
        """Write a checkpoint, then let the bundle be written."""
        state = TrainState(
            step=self.step,
            seconds=self.seconds,
            translator=self.translator.state_dict(),
            critics=self.critics.state_dict(),
            average=self.average.state_dict() if self.average is not None else {},
            generator_optimizer=self.generator_optimizer.state_dict(),
            critic_optimizer=self.critic_optimizer.state_dict(),
            pools={kind: pool.items for kind, pool in self.pools.items()},
            torch_random=torch.get_rng_state(),
            settings=self.settings,
        )
        save_state(self.folder, state, self.config.keep_checkpoints)
        self.on_checkpoint(self.step, self.weights())

    def resume(self) -> bool:
        """Restore the newest checkpoint; False when there is none.

        Raises:
            TrainingError: it belongs to other networks or domains, or an objective with other critics.
        """
        state = load_newest(self.folder)
        if state is None:
            return False
        changed = [key for key, value in self.settings.items() if state.settings.get(key) != value]
        if not changed and shapes(state.critics) != shapes(self.critics.state_dict()):
            changed = ["objective"]  # which asks for other critics
        if changed:
            raise TrainingError(
                f"{self.folder}: the run there has another {', '.join(changed)}; resume with the same, or set another run_dir"
            )
        self.translator.load_state_dict(state.translator)
        self.critics.load_state_dict(state.critics)
        self.generator_optimizer.load_state_dict(state.generator_optimizer)
        self.critic_optimizer.load_state_dict(state.critic_optimizer)
        if self.average is not None and state.average:
            self.average.load_state_dict(state.average)
        elif self.average is not None:  # switched on now: it starts from what there is
            self.average = WeightAverage(self.translator, self.config.average)
        for kind, pool in self.pools.items():
            pool.items = {n: [x.to(self.device) for x in xs] for n, xs in state.pools[kind].items()}
        torch.set_rng_state(state.torch_random)
        self.step, self.seconds = state.step, state.seconds
        return True


def shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    """By name, what has to agree before weights can be loaded."""
    return {name: tensor.shape for name, tensor in weights.items()}


def choose_device(name: str) -> torch.device:
    """``auto``: the first GPU, else the processor.

    Raises:
        ConfigError: the device does not exist.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"trainer.device={name}: not available here; use auto or cpu") from error
    return device


def choose_bf16(precision: str, device: torch.device) -> bool:
    """Whether networks compute in bfloat16: asked for, or ``auto`` where the hardware has native bf16 products."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
