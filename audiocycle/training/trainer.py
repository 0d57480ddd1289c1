"""The training loop: two optimizers, the two-step objective, schedules, checkpoints. Knows no modality.

Of several processes (:mod:`audiocycle.training.distributed`) each draws the same batch and trains on its share. Gradients are
averaged once for each optimizer step, and the terms, and whether some process wants to stop, ride along. So all processes
hold the same weights, optimizers and pools, log the whole batch's figures, stop at the same step, and any number of them
may resume what any other number began.
"""

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

from audiocycle.data.prefetch import DrawnAhead
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import TrainingError
from audiocycle.models.layers import channels_last
from audiocycle.models.precision import choose_bf16
from audiocycle.models.translator import Critic, Translator
from audiocycle.objectives.base import Fakes, Objective, Terms
from audiocycle.objectives.term import Critics
from audiocycle.spec import Batch, Direction, FloatArray
from audiocycle.training.checkpoint import (
    TrainState,
    checkpoints,
    load_newest,
    save_state,
    unlike,
    unlike_adam,
    unlike_average,
    unlike_pool,
)
from audiocycle.training.choice import Choice, unlike_choice
from audiocycle.training.config import TrainerConfig
from audiocycle.training.devices import choose_device, prepare_device, seed_draws
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.monitor import HELD_OUT
from audiocycle.training.readings import Readings
from audiocycle.training.stabilizers import HistoryPool, WeightAverage

__all__ = ["FILES", "Report", "Trainer", "TrainerConfig"]
FILES = "set of files, or analysis of them"
"""A setting of which checkpoints of version 0.1.0 say nothing: it is taken to have been as it is now."""
OBJECTIVE = "objective"
"""What a checkpoint says beside its settings, and checkpoints before it do not: a resume may have another."""
STOP = "stop"
"""Among the figures of several processes: the share of them that want to end the run."""


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
        on_note: called with a line about what a resume found, or why the run ends before its schedule does.
        on_validate: called every ``validate_every`` steps with (step, weights for the bundle); gives measures of held-out items, of which the score
            chooses the step whose weights ``on_checkpoint`` gets. None: the last step's.
        settings: of the run, kept in the checkpoint; a resume with other networks or domains is refused.
        processes: that train together, and have joined; hooks are called, and files written, by the first only.

    Raises:
        ConfigError: no such device, or a batch that the processes cannot share.
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
        processes: Processes = ALONE,
        on_log: Callable[[Report], None] = lambda report: None,
        on_checkpoint: Callable[[int, dict[str, Tensor]], None] = lambda step, weights: None,
        on_sample: Callable[[int, dict[str, Tensor]], None] = lambda step, weights: None,
        on_note: Callable[[str], None] = lambda text: None,
        on_validate: Callable[[int, dict[str, Tensor]], Mapping[str, float]] | None = None,
    ) -> None:
        self.config, self.objective, self.sampler = config, objective, sampler
        self.folder, self.settings = folder, dict(settings or {})
        self.on_log, self.on_checkpoint, self.on_sample, self.on_note = on_log, on_checkpoint, on_sample, on_note
        self.on_validate, self.choice = on_validate, Choice()
        self.processes, self.share = processes, processes.share(config.batch_size)
        self.device = choose_device(config.device, processes)
        prepare_device(self.device)
        self.half = choose_bf16(config.precision, self.device)
        self.translator = translator.to(self.device)
        self.by_name: Critics = dict(critics)
        self.critics = nn.ModuleDict(self.by_name).to(self.device)
        for network in (self.translator, self.critics):
            processes.copy_first_(list(network.state_dict().values()))
            if self.device.type == "cuda":
                channels_last(network)
        self.generator_optimizer = self._adam(self.translator, config.lr)
        self.critic_optimizer = self._adam(self.critics, config.critic_lr or config.lr / 2)
        self.average = WeightAverage(self.translator, config.average) if config.average else None
        self.pools = {kind: HistoryPool(config.pool_size) for kind in objective.judged}
        self.readings = Readings(self.device.type == "cpu", self._advice)
        self.step = 0
        self.seconds = 0.0
        self.stopping = False
        """Set from outside, by a signal handler, to end the run with a checkpoint after the current step (of several
        processes, after the next one whose figures are read: :class:`~audiocycle.training.readings.Readings`)."""

    def _adam(self, network: nn.Module, rate: float) -> torch.optim.Adam:
        betas = (float(self.config.beta1), float(self.config.beta2))
        return torch.optim.Adam(network.parameters(), lr=float(rate), betas=betas, fused=True)

    def run(self) -> None:
        """Train to the end of the schedule, ``max_steps`` or ``max_minutes``; a checkpoint stands at the end.

        Raises:
            TrainingError: a loss or a gradient is not a finite number.
        """
        saved = self.step if checkpoints(self.folder) else -1
        since, before = time.monotonic(), self.seconds
        config = self.config
        over = self.processes.of_first(self._wants_to_stop())  # the time may have been over before
        with DrawnAhead(self._crops, config.last_step) as batches:
            if not self.step and not over and (measured := self._validate()):  # what the run begins with may be best
                self._tell(self.on_log, Report(self.step, self.last_step, self.seconds, measured))
            while self.step < self.last_step and not over:
                self.train_step(batches.take(self.step))
                measured = self._validate() if self.step % config.validate_every == 0 or self.step >= self.last_step else {}
                self.seconds = before + time.monotonic() - since
                if self.step % config.log_every == 0 or measured:
                    rate = {"rate/generator": self.generator_optimizer.param_groups[0]["lr"]}
                    values = {name: value for name, value in self.readings.read().items() if name != STOP}
                    self._tell(self.on_log, Report(self.step, self.last_step, self.seconds, values | rate | measured))
                if self.step % config.checkpoint_every == 0:
                    self.save()
                    saved = self.step
                if config.sample_every and self.step % config.sample_every == 0:
                    self._tell(self.on_sample, self.step, self.weights())
                over = self._over()
        if saved != self.step:
            self.save()

    @property
    def last_step(self) -> int:
        """The step count at which the run ends by itself: where the settings say, or before, where nothing gets better any more."""
        end, config = self.config.last_step, self.config
        if config.patience and self.choice.decay_from is not None:
            end = min(end, self.choice.decay_from + config.decay_steps)
        return end if not config.patience or self.choice.end is None else min(end, self.choice.end)

    @property
    def decay_from(self) -> int:
        """The step from which on the rates fall."""
        known = self.choice.decay_from if self.config.patience else None
        return self.config.constant_steps if known is None else min(known, self.config.constant_steps)

    def _validate(self) -> dict[str, float]:
        """Measures of held-out items at this step, as they are logged; the first process takes them for all, so that all choose alike."""
        if self.on_validate is None or self.step in self.choice.measured:
            return {}
        weights = self.weights()
        self.readings.read()  # of a network that is not finite nothing is measured
        measures = self.processes.of_first(dict(self.on_validate(self.step, weights)) if self.processes.first else {})
        self.choice.note(self.step, measures, weights)
        if self.step < self.decay_from and self.choice.flat(self.config.patience):
            self.choice.decay_from = self.step
            self._tell(self.on_note, f"step {self.step}: held-out recordings got no better after step {self.choice.step}; the learning rates begin to fall now")
        elif self.decay_from < self.step < self.last_step and self.choice.flat(self.config.patience, self.decay_from):
            self.choice.end = self.step
            self._tell(self.on_note, f"step {self.step}: held-out recordings got no better after step {self.choice.step}; the training ends (trainer.patience=0 goes on)")
        return {f"{HELD_OUT}/{name}": value for name, value in measures.items()}

    def _tell(self, hook: Callable[..., None], *values: Any) -> None:
        if self.processes.first:
            hook(*values)

    def _over(self) -> bool:
        """Whether to stop before the schedule ends; all processes agree, since they read the same figures."""
        return self._wants_to_stop() if self.processes.alone else self.readings.newest.get(STOP, 0.0) > 0

    def _wants_to_stop(self) -> bool:
        limit = self.config.max_minutes
        return self.stopping or (limit is not None and self.seconds >= limit * 60)

    def _crops(self, step: int) -> Batch[FloatArray]:
        """This process's share of the batch of a step."""
        return self.sampler.batch(step).map(lambda crops: crops[self.share])

    def _to_device(self, crops: FloatArray) -> Tensor:
        """A GPU fetches them by itself from memory that is pinned, and nobody waits."""
        batch = torch.from_numpy(crops)
        return batch.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else batch.to(self.device)

    def train_step(self, crops: Batch[FloatArray] | None = None) -> Terms:
        """One step of the generators and one of the critics.

        Args:
            crops: this process's share of the batch of the current step, if it is drawn already.

        Returns:
            Terms and gradient norms over the whole batch, on the device: a GPU is not waited for here.

        Raises:
            TrainingError: on a processor, a term or norm is not a finite number; weights are as before the update. On a GPU
                that is found at the next log entry or checkpoint.
        """
        self._set_rates()
        # All draws of a step follow from its number, so that a checkpoint needs no state of any generator. Processes draw
        # different noise; with noise, their result equals that of one process in distribution, otherwise up to rounding.
        seed_draws(self.device, self.config.seed, self.step, self.processes.rank)
        batch = (self._crops(self.step) if crops is None else crops).map(self._to_device)

        self.critics.requires_grad_(False)  # the generators' gradient passes through them, not into them
        with self._autocast():
            terms, fakes = self.objective.generator_terms(self.translator, self.by_name, batch, off=self.config.terms_off(self.step))
            total = self.objective.total(terms)
        figures = self._update("norm/generator", self.translator, self.generator_optimizer, total, terms)
        self.critics.requires_grad_(True)

        with self._autocast():
            terms = self.objective.critic_terms(self.by_name, batch, self._pooled(fakes))
            total = torch.stack(list(terms.values())).sum()
        if not self.processes.alone:  # a filled tensor: copying one to a GPU would wait for it
            terms[STOP] = torch.full_like(total, self._wants_to_stop())
        figures |= self._update("norm/critic", self.critics, self.critic_optimizer, total, terms)

        if self.average is not None:
            self.average.update(self.translator)
        self.step += 1
        return figures

    def _update(self, norm: str, network: nn.Module, optimizer: torch.optim.Adam, total: Tensor, terms: Terms) -> Terms:
        """Backward, average over processes, look, step. The terms and the norm, of the whole batch, come back."""
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        values = torch.stack([value.detach() for value in terms.values()])
        self.processes.mean_([values, *gradients])
        limit = self.config.max_gradient_norm or float("inf")
        figures = dict(zip(terms, values.unbind(), strict=True))
        figures[norm] = nn.utils.clip_grad_norm_(network.parameters(), limit)
        self.readings.note(self.step, figures)  # which ends the run here if a processor found a NaN
        optimizer.step()
        return figures

    def _advice(self) -> str:
        good_ones = checkpoints(self.folder)
        last = f"last good checkpoint: {good_ones[-1]}" if good_ones else "no checkpoint was written yet"
        return f"{last}. Lower trainer.lr, set trainer.max_gradient_norm=1 or trainer.precision=fp32, then resume=true"

    def _pooled(self, fakes: Fakes) -> Fakes:
        if not self.config.pool_size:
            return fakes
        random = np.random.default_rng([self.config.seed, self.step, 1])
        return {kind: self._swapped(pool, fakes[kind], random) for kind, pool in self.pools.items()}

    def _swapped(self, pool: HistoryPool, fakes: Mapping[Direction, Tensor], random: np.random.Generator) -> dict[Direction, Tensor]:
        """Through a pool go the fakes of all processes, so that each holds the same pools; its share is what it shows."""
        gathered = self.processes.gather({str(direction): fake for direction, fake in fakes.items()})
        return {direction: pool.swap(str(direction), gathered[str(direction)], random)[self.share] for direction in fakes}

    def _set_rates(self) -> None:
        factor = self.config.rate_factor(self.step, self.decay_from)
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
        """Write a checkpoint, then let the bundle be written.

        Raises:
            TrainingError: a figure since the last reading is not finite: no checkpoint holds a NaN.
            OutputError: no space, or no permission.
        """
        self.readings.read()
        if not self.processes.first:
            return
        state = TrainState(
            step=self.step,
            seconds=self.seconds,
            translator=self.translator.state_dict(),
            critics=self.critics.state_dict(),
            average=self.average.state_dict() if self.average is not None else {},
            generator_optimizer=self.generator_optimizer.state_dict(),
            critic_optimizer=self.critic_optimizer.state_dict(),
            pools={kind: pool.items for kind, pool in self.pools.items()},
            settings=self.settings | {OBJECTIVE: self.objective.config.settings},
            choice=self.choice.state_dict() if self.choice.measured else {},
        )
        save_state(self.folder, state, self.config.keep_checkpoints)
        self.on_checkpoint(self.step, self.choice.weights or self.weights())

    def resume(self) -> bool:
        """Restore the newest checkpoint that is whole, which the first process reads for all; False when there is none.

        Raises:
            TrainingError: it belongs to other networks, domains or recordings, or an objective with other critics; or none is whole.
        """
        state = self.processes.of_first(load_newest(self.folder, self._misfit, self.on_note) if self.processes.first else None)
        if state is None:
            return False
        self.translator.load_state_dict(state.translator)
        self.critics.load_state_dict(state.critics)
        self.generator_optimizer.load_state_dict(state.generator_optimizer)
        self.critic_optimizer.load_state_dict(state.critic_optimizer)
        if self.average is not None and state.average:
            self.average.load_state_dict(state.average)
        elif self.average is not None:  # switched on now: it starts from what there is
            self.average = WeightAverage(self.translator, self.config.average)
        for kind, pool in self.pools.items():
            pool.items = {n: [x.to(self.device) for x in xs if x.shape[-1] == self.config.crop] for n, xs in state.pools[kind].items()}
        if self.on_validate is not None:
            self.choice.load_state_dict(state.choice)
        self.step, self.seconds = state.step, state.seconds
        before = state.settings.get(OBJECTIVE)
        if isinstance(before, Mapping) and (changes := self.objective.config.unlike(before)):
            self._tell(self.on_note, f"{self.folder}: goes on with another objective than before: {changes}")
        return True

    def _misfit(self, state: TrainState) -> str:
        """Why a checkpoint of this very run cannot be restored; nothing where it can.

        Raises:
            TrainingError: it is of another run.
        """
        changed = [key for key, value in self.settings.items() if state.settings.get(key, False) != value]  # false before there was such a key
        if FILES in changed and ("data" in changed or FILES not in state.settings):
            changed.remove(FILES)
        if not changed and shapes(state.critics) != shapes(self.critics.state_dict()):
            changed = [OBJECTIVE]  # which asks for other critics
        if changed:
            raise TrainingError(
                f"{self.folder}: the run there has another {', '.join(changed)}; resume with the same, or set another run_dir"
            )
        reasons = [
            unlike(state.translator, self.translator.state_dict()),
            unlike(state.critics, self.critics.state_dict()),
            unlike_adam(state.generator_optimizer, self.generator_optimizer),
            unlike_adam(state.critic_optimizer, self.critic_optimizer),
            unlike_average(state.average, self.average.weights()) if self.average is not None and state.average else "",
            unlike_choice(state.choice, self.weights()) if self.on_validate is not None else "",
            *(unlike_pool(state.pools.get(kind)) for kind in self.pools),
        ]
        return next(filter(None, reasons), "")


def shapes(weights: Mapping[str, Any]) -> dict[str, Any]:
    """By name, what has to agree before weights can be loaded."""
    return {name: getattr(tensor, "shape", None) for name, tensor in weights.items()}
