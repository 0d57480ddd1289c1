"""Put a training run together from its configuration: data, networks, trainer, bundle."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import torch

from audiocycle.build import build_adapter, build_critic, build_modality, build_translator, model_cost
from audiocycle.bundles.format import MAX_DOMAINS, BundleConfig, stats_to_json
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.bundles.writing import write_bundle
from audiocycle.conversion.converter import Converter
from audiocycle.data.domains import domain_files
from audiocycle.data.guides import GuideConfig, GuideMaker
from audiocycle.errors import ConfigError, RunExistsError
from audiocycle.modality import Modality
from audiocycle.models.layers import image_channels
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.preset import build_objective, check_objective
from audiocycle.spec import ANYONE, Direction, Domain, directions
from audiocycle.system.limits import Limit, Range, hold
from audiocycle.system.names import check_domain_name
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.config import TrainerConfig
from audiocycle.training.deviations import output_deviations
from audiocycle.training.devices import choose_device
from audiocycle.training.distributed import Processes
from audiocycle.training.material import Material, build_sampler, crop_length, fingerprint, load, same_for_all
from audiocycle.training.monitor import Monitor, SilentMonitor
from audiocycle.training.samples import SampleWriter, on_processor
from audiocycle.training.start import begun, start_folder
from audiocycle.training.trainer import Trainer
from audiocycle.training.validation import CURVE, Validator, chosen, write_curve

BUNDLE = "bundle"
"""In a run's folder."""
LIMITS: dict[str, Limit] = {"jobs": Range(0, 4096), "min_minutes": Range(0, 1e9, whole=False), "held_out": Range(0, 0.5, whole=False)}
"""Of settings of the data."""
LEAVE_SECONDS = 100.0
"""How long workers that torchrun starts again wait for those that it ended, on another machine perhaps, to be gone."""
LONG = 50_000
"""Steps from which on a person without a GPU is told of the preset that is made for them."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run, as people describe it.

    Attributes:
        data_root: a folder that holds one folder of recordings, or MIDI files, for each domain.
        domains: the folders' names, e.g. [SF1,TM3].
        cache: what was analysed; share one between runs to analyse recordings once.
        jobs: analysis threads; 0 is one for each core.
        min_minutes: a domain with less material is refused (MIDI: at 120 quarter notes a minute).
        held_out: the share of each domain's recordings that is not learned from, and by which the best step is chosen (trainer.validate_every); 0: none.
        run_dir: where everything goes; RUN/bundle is the model.
        name: what `audiocycle models` shows.
        licence: of the weights that are made; SPDX, e.g. cc-by-4.0.
        start: a bundle, or the name of an installed one, whose weights the training begins with; empty: from nothing.
        resume: true continues the run in run_dir exactly.
        overwrite: true starts a finished or stopped run_dir again.
        mixture: further folders: of music that the critics of mixed music see (objective.mixture=full); of anybody's recordings, to be converted in training (adapter=content).
    """

    data_root: Path
    domains: tuple[str, ...]
    cache: Path
    jobs: int = 0
    min_minutes: float = 0.5
    held_out: float = 0.0
    run_dir: Path
    name: str
    licence: str = "unknown"
    start: str = ""
    resume: bool = False
    overwrite: bool = False
    adapter: dict[str, Any]
    model: dict[str, Any]
    objective: ObjectiveConfig
    trainer: TrainerConfig
    mixture: tuple[str, ...] = ()
    guide: GuideConfig = field(default_factory=GuideConfig)

    def __post_init__(self) -> None:
        hold("data.", vars(self), LIMITS)
        object.__setattr__(self, "domains", tuple(check_domain_name(domain) for domain in self.domains))
        object.__setattr__(self, "mixture", tuple(check_domain_name(domain, "data.mixture") for domain in self.mixture))
        if len(set(self.domains)) < len(self.domains) or (len(self.domains) < 2 and not (self.domains and self.any_source)):
            raise ConfigError(f"data.domains={list(self.domains)}: name two different folders, e.g. [SF1,TM3]")
        if ANYONE.name in self.domains and self.any_source:
            raise ConfigError(f"data.domains={list(self.domains)}: {ANYONE.name} is everybody, and no target; rename that folder")
        if len(self.domains) > MAX_DOMAINS:
            raise ConfigError(f"data.domains: names {len(self.domains)} folders, and a model has {MAX_DOMAINS} at most; train several")
        if bool(self.mixture) != (self.objective.mixture == "full") and not self.any_source:
            raise ConfigError(
                f"data.mixture={list(self.mixture)}, objective.mixture={self.objective.mixture}: further folders belong to "
                "objective.mixture=full, and it needs one or more of them"
            )
        if len({*self.domains, *self.mixture}) < len(self.domains) + len(self.mixture):
            raise ConfigError(f"data.mixture={list(self.mixture)}: name each folder once, and none of data.domains, which belong to it anyway")

    @cached_property
    def any_source(self) -> bool:
        """Whether everybody is converted to the domains."""
        return build_adapter(self.adapter).spec.any_source

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Those that are learned; of their domains the names only."""
        return directions([Domain(name) for name in self.domains], self.objective.one_way, self.any_source)


def train(config: RunConfig) -> Path:
    """Run, or resume, a training; the bundle's folder comes back.

    Under ``torchrun`` every process calls this with the same settings (:mod:`audiocycle.training.distributed`). Workers that it
    starts again after one was lost resume by themselves: nobody loses a run for want of ``resume=true``.

    Raises:
        AudioCycleError: anything that the user can mend.
    """
    processes = Processes.from_environment()
    plan = check(replace(config, resume=config.resume or processes.restarts > 0), processes)
    config = plan.config
    patience = LEAVE_SECONDS if processes.restarts else 0.0
    with processes.joined(plan.device), Monitor(config.run_dir, patience=patience) if processes.first else SilentMonitor(config.run_dir) as monitor:
        before = started(config)  # which another training may have been until now
        for line in plan.passed_over:
            monitor.note(line)
        material = load(plan, monitor, processes)
        trainer = assemble(plan, material, monitor, processes)
        if config.resume:
            monitor.note(f"{config.run_dir}: " + resumed(trainer))
        for old in before if config.overwrite and not config.resume and processes.first else []:
            old.unlink()  # not before everything else is known to be in order
        if trainer.device.type == "cpu" and config.trainer.max_minutes is None and config.trainer.last_step >= LONG:
            monitor.note(f"{config.trainer.last_step} steps take days on a processor; experiment=vc2_guided is made for one (vc2_quick: without a recogniser)")
        with stop_politely(trainer, monitor):
            trainer.run()
    return config.run_dir / BUNDLE


@dataclass(frozen=True)
class TrainingPlan:
    """A training whose settings are known to go together, and whose files are there.

    Attributes:
        paths: of each domain, those of the mixture too.
        guide_maker: None where no term asks for guides.
        passed_over: lines on files that are none of ours.
    """

    config: RunConfig
    modality: Modality
    paths: Mapping[Domain, Sequence[Path]]
    guide_maker: GuideMaker | None
    device: torch.device
    passed_over: Sequence[str]


def check(config: RunConfig, processes: Processes) -> TrainingPlan:
    """All that can be refused before an hour of analysis.

    Raises:
        AudioCycleError: settings that do not go together, files or libraries that are missing, a run that is there already.
    """
    processes.share(config.trainer.batch_size)
    started(config)
    adapter = build_adapter(config.adapter)
    modality, spec = build_modality(adapter), adapter.spec
    config = replace(config, trainer=replace(config.trainer, crop=crop_length(config.trainer.crop, spec.window, config.trainer.pieces)))
    check_objective(config.objective, spec, modality.one_way, config.model)
    model_cost(config.model, spec, config.directions)  # else its bundle is refused
    if config.start:
        start_folder(config.start, config.adapter)
    if config.held_out and not modality.validates:
        raise ConfigError(f"data.held_out={config.held_out:g}: nothing measures such features while they train; set it to 0")
    if config.held_out and config.objective.paired:
        raise ConfigError(f"data.held_out={config.held_out:g}: counterparts are not held out; set it to 0")
    conditions = build_objective(config.directions, config.objective, spec).conditions
    with torch.device("meta"):  # of which nothing is kept: shapes only
        build_critic(config.model, [Domain(config.domains[0])], conditions * image_channels(spec.shape), spec.condition)
    passed_over: list[str] = []
    names = (*config.domains, *config.mixture)
    paths = {Domain(name): domain_files(config.data_root, name, modality.accepts, passed_over.append) for name in names}
    maker = modality.guides(config.guide, config.cache) if config.objective.guided else None
    return TrainingPlan(config, modality, paths, maker, choose_device(config.trainer.device, processes), passed_over)


def assemble(plan: TrainingPlan, material: Material, monitor: Monitor, processes: Processes) -> Trainer:
    """The trainer with its networks, which writes a bundle with each checkpoint, and samples."""
    config, spec = plan.config, plan.modality.adapter.spec
    torch.manual_seed(config.trainer.seed)
    objective = build_objective(material.directions, config.objective, spec)
    targets = {direction.target for direction in material.directions}
    judged = [domain for domain in material.domains if domain in targets]
    channels = objective.conditions * image_channels(spec.shape)
    trainer = Trainer(
        begun(build_translator(config.model, material.directions, spec), config.start, config.adapter, monitor.note),
        {name: build_critic(config.model, judged, channels, spec.condition) for name in objective.critics},
        objective,
        build_sampler(config, plan.modality.adapter, material),
        config.trainer,
        config.run_dir / "checkpoints",
        settings=same_for_all(fingerprint(config, material), processes, config.data_root),
        processes=processes,
        on_log=monitor.log,
        on_note=monitor.note,
    )  # fmt: skip

    def bundle_config(step: int) -> BundleConfig:
        return describe(plan, material, step, trainer.seconds)

    def save_bundle(step: int, weights: Mapping[str, torch.Tensor]) -> None:
        bundle, choice = bundle_config(step), trainer.choice
        if choice.measured:
            bundle = replace(bundle, training=bundle.training | chosen(choice))
            write_curve(config.run_dir / CURVE, choice)
        deviations = output_deviations(Converter(bundle, TorchNetwork(on_processor(bundle, weights))), material.data)
        write_bundle(config.run_dir / BUNDLE, replace(bundle, deviations=deviations), weights)
        of = f"; step {choice.step} of {step} was best on held-out recordings, and is the bundle's" if choice.measured else ""
        monitor.note(f"step {step}: checkpoint and bundle written to {config.run_dir}{of}")

    trainer.on_checkpoint = save_bundle
    validator = Validator(plan.modality, material, bundle_config)
    if validator.directions:
        trainer.on_validate = validator
    if config.trainer.sample_every:
        first = {domain: material.data[domain].paths[0] for domain in material.domains}
        if config.any_source:
            first[ANYONE] = material.data[(*material.mixture, *material.domains)[0]].paths[0]
        trainer.on_sample = SampleWriter(config.run_dir, first, bundle_config, monitor)
    return trainer


def resumed(trainer: Trainer) -> str:
    """Restore what there is, and say from where it goes on."""
    if not trainer.resume():
        return "nothing to resume, starting at step 0"
    if trainer.choice.end == trainer.step == trainer.last_step:
        return f"ended at step {trainer.step}, since held-out recordings got no better after step {trainer.choice.step}; trainer.patience=0 goes on"
    if trainer.step >= trainer.last_step:
        return f"is at step {trainer.step} of {trainer.last_step} already; set a larger max_steps to go on"
    return f"going on from step {trainer.step}"


def started(config: RunConfig) -> list[Path]:
    """The checkpoints that there are in a run's folder.

    Raises:
        RunExistsError: there are some, and nobody said what to do with them.
    """
    found = checkpoints(config.run_dir / "checkpoints")
    if found and not (config.resume or config.overwrite):
        raise RunExistsError(
            f"{config.run_dir}: holds a run already; add resume=true to continue it, overwrite=true to start again, "
            "or set another run_dir"
        )
    return found


@contextmanager
def stop_politely(trainer: Trainer, monitor: Monitor) -> Iterator[None]:
    """Ctrl-C (and SIGTERM, as schedulers send it) ends the run after the current step, with a checkpoint.

    A second one stops at once. Elsewhere than in the main thread signals cannot be caught, and nothing is done.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        if trainer.stopping:
            raise KeyboardInterrupt
        trainer.stopping = True
        monitor.note("stopping after this step; resume=true continues (once more to stop at once)")

    signals = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def describe(plan: TrainingPlan, material: Material, step: int, seconds: float) -> BundleConfig:
    """The bundle's settings at a step."""
    config, spec = plan.config, plan.modality.adapter.spec
    return BundleConfig(
        name=config.name,
        modality=spec.modality,
        domains=config.domains,
        adapter=config.adapter,
        model=config.model,
        stats={domain.name: stats_to_json(domain.stats) for domain in material.domains},
        licence=config.licence,
        training={
            "steps": step,
            "batch size": config.trainer.batch_size,
            "minutes of training": round(seconds / 60, 1),
            "material": ", ".join(f"{domain} {items.seconds(spec.training_rate) / 60:.1f} minutes" for domain, items in material.data.items()),
            "finished": time.strftime("%Y-%m-%d"),
        }
        | ({"guided by": plan.guide_maker.by} if plan.guide_maker else {}),
        one_way=config.objective.one_way,
        any_source=spec.any_source,
    )
