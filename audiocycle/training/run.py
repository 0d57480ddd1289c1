"""Put a training run together from its configuration: data, networks, trainer, bundle."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import numpy as np
import torch

from audiocycle.build import build_adapter, build_critic, build_medium, build_translator, model_cost
from audiocycle.bundles.format import MAX_DOMAINS, BundleConfig, stats_to_json, write_bundle
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.data.cache import FeatureCache
from audiocycle.data.corpus import combined, fitted, open_corpus
from audiocycle.data.domains import (
    DomainData,
    aligned_items,
    domain_files,
    domain_folder,
    tell_shared,
    without_copies,
    without_short,
)
from audiocycle.data.guides import GuideConfig, Guides, guide_maker, load_guides
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import ConfigError, DataError, RunExistsError
from audiocycle.models.layers import image_channels
from audiocycle.music.grid import STEPS_PER_BEAT
from audiocycle.objectives.cycle import ObjectiveConfig, build_objective
from audiocycle.spec import FloatArray, Stats, ordered_pairs
from audiocycle.system.atomic import writing_below
from audiocycle.system.limits import Limit, Range, hold
from audiocycle.system.names import check_domain_name
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.deviations import output_deviations
from audiocycle.training.devices import choose_device
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.monitor import Monitor, SilentMonitor
from audiocycle.training.samples import own_copy
from audiocycle.training.trainer import FILES, Trainer, TrainerConfig

DEFAULT_CROP = 128
"""Frames, where the adapter has no window of its own (Kaneko et al. 2019)."""
LIMITS: dict[str, Limit] = {"jobs": Range(0, 4096), "min_minutes": Range(0, 1e9, whole=False)}
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
        run_dir: where everything goes; RUN/bundle is the model.
        name: what `audiocycle models` shows.
        licence: of the weights that are made; SPDX, e.g. cc-by-4.0.
        resume: true continues the run in run_dir exactly.
        overwrite: true starts a finished or stopped run_dir again.
        mixture: folders of further music that the critics of mixed music see (objective.mixture=full).
    """

    data_root: Path
    domains: tuple[str, ...]
    cache: Path
    jobs: int = 0
    min_minutes: float = 0.5
    run_dir: Path
    name: str
    licence: str = "unknown"
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
        if len(self.domains) < 2 or len(set(self.domains)) < len(self.domains):
            raise ConfigError(f"data.domains={list(self.domains)}: name two different folders, e.g. [SF1,TM3]")
        if len(self.domains) > MAX_DOMAINS:
            raise ConfigError(f"data.domains: names {len(self.domains)} folders, and a model has {MAX_DOMAINS} at most; train several")
        if bool(self.mixture) != (self.objective.mixture == "full"):
            raise ConfigError(
                f"data.mixture={list(self.mixture)}, objective.mixture={self.objective.mixture}: further folders belong to "
                "objective.mixture=full, and it needs one or more of them"
            )
        if len({*self.domains, *self.mixture}) < len(self.domains) + len(self.mixture):
            raise ConfigError(f"data.mixture={list(self.mixture)}: name each folder once, and none of data.domains, which belong to it anyway")


def train(config: RunConfig) -> Path:
    """Run, or resume, a training; the bundle's folder comes back.

    Under ``torchrun`` every process calls this with the same settings (:mod:`audiocycle.training.distributed`). Workers that it
    starts again after one was lost resume by themselves: nobody loses a run for want of ``resume=true``.

    Raises:
        AudioCycleError: anything that the user can mend.
    """
    processes = Processes.from_environment()
    config = replace(config, resume=config.resume or processes.restarts > 0)
    processes.share(config.trainer.batch_size)  # refused now, not after an hour of analysis
    started(config)  # likewise
    adapter = build_adapter(config.adapter)
    medium = build_medium(adapter.spec.modality)
    config = replace(config, trainer=replace(config.trainer, crop=crop_length(config.trainer.crop, adapter.spec.window, config.trainer.pieces)))
    shape = adapter.spec.shape
    if len(shape) < 2 and any(getattr(config.objective, name) for name in ("chroma", "groove", "density")):
        raise ConfigError("objective.chroma, objective.groove, objective.density: only piano rolls have them; leave them at 0")
    if len(shape) > 1 and config.objective.one_way:
        raise ConfigError("objective.one_way=true: only voices are trained one way, since the evaluation of music takes both; leave it out")
    outlet = config.model.get("generator_options", {}).get("outlet", "sigmoid")
    if len(shape) > 1 and outlet != "sigmoid" and (config.objective.guide or config.objective.paired):
        raise ConfigError(f"model.generator_options.outlet={outlet}: guides and pairs teach rolls probabilities, and need outlet=sigmoid")
    model_cost(config.model, adapter.spec, len(ordered_pairs(config.domains, config.objective.one_way)))  # refused now: else its bundle is
    passed: list[str] = []
    paths = {d: domain_files(config.data_root, d, medium.accepts, passed.append) for d in (*config.domains, *config.mixture)}
    maker = guide_maker(config.guide, adapter, medium, config.cache) if config.objective.guide else None
    device = choose_device(config.trainer.device, processes)
    patience = LEAVE_SECONDS if processes.restarts else 0.0
    with processes.joined(device), Monitor(config.run_dir, patience=patience) if processes.first else SilentMonitor(config.run_dir) as monitor:
        before = started(config)  # which another training may have been until now
        for line in passed:
            monitor.note(line)
        data = load_domains(config, adapter, medium, paths, monitor, processes)
        guides: Guides = {}
        with writing_below(config.cache, "data.cache"):
            stats = {domain: fitted(adapter, items, config.cache) for domain, items in data.items()}
            if maker is not None:
                own = {domain: data[domain] for domain in config.domains}
                with processes.one_before_others():  # who only open what it made
                    guides = load_guides(maker, own, stats, config.cache, monitor.progress, config.objective.one_way)
        torch.manual_seed(config.trainer.seed)
        objective = build_objective(config.domains, config.objective, steps_per_beat(config.adapter))
        judged = config.domains[1:] if config.objective.one_way else config.domains
        channels = objective.conditions * image_channels(shape)
        trainer = Trainer(
            build_translator(config.model, config.domains, shape, config.objective.one_way),
            {name: build_critic(config.model, judged, channels) for name in objective.critics},
            objective,
            build_sampler(config, adapter, data, stats, guides),
            config.trainer,
            config.run_dir / "checkpoints",
            settings=same_for_all(identity(config, data), processes, config.data_root),
            processes=processes,
            on_log=monitor.log,
            on_note=monitor.note,
        )  # fmt: skip
        bundle = config.run_dir / "bundle"

        def bundle_config(step: int) -> BundleConfig:
            return describe(config, {d: stats[d] for d in config.domains}, data, step, trainer.seconds, maker.by if maker else None)

        def save_bundle(step: int, weights: Mapping[str, torch.Tensor]) -> None:
            made = bundle_config(step)
            if hasattr(adapter, "speech"):  # others have no use for them
                converter = Converter(made, TorchNetwork(own_copy(made, weights)))
                made = replace(made, deviations=output_deviations(converter, data))
            write_bundle(bundle, made, weights)
            monitor.note(f"step {step}: checkpoint and bundle written to {config.run_dir}")

        trainer.on_checkpoint = save_bundle
        if config.trainer.sample_every:
            from audiocycle.training.samples import SampleWriter

            first = {domain: data[domain].paths[0] for domain in config.domains}
            trainer.on_sample = SampleWriter(config.run_dir, first, bundle_config, monitor)
        if config.resume:
            monitor.note(f"{config.run_dir}: " + resumed(trainer))
        for old in before if config.overwrite and not config.resume and processes.first else []:
            old.unlink()  # not before everything else is known to be in order
        if trainer.device.type == "cpu" and config.trainer.max_minutes is None and config.trainer.last_step >= LONG:
            monitor.note(f"{config.trainer.last_step} steps take days on a processor; experiment=vc2_quick is made for one")
        with stop_politely(trainer, monitor):
            trainer.run()
    return bundle


def resumed(trainer: Trainer) -> str:
    """Restore what there is, and say from where it goes on."""
    if not trainer.resume():
        return "nothing to resume, starting at step 0"
    if trainer.step >= trainer.config.last_step:
        return f"is at step {trainer.step} of {trainer.config.last_step} already; set a larger max_steps to go on"
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


def steps_per_beat(adapter: Mapping[str, Any]) -> int:
    """Of the grid of an adapter's settings; voices, which have none, get that of the default."""
    return STEPS_PER_BEAT[adapter.get("grid", "straight")]


def crop_length(wanted: int, window: int, pieces: int = 1) -> int:
    """Frames of a training crop.

    Raises:
        ConfigError: the adapter has a window, and another length is wanted, or pieces of it; or there are more pieces than frames.
    """
    if window and wanted not in (0, window):
        raise ConfigError(f"trainer.crop={wanted}: this adapter's phrases are {window} steps long; leave trainer.crop at 0")
    if window and pieces > 1:
        raise ConfigError(f"trainer.pieces={pieces}: this adapter's phrases stay whole; leave trainer.pieces at 1")
    crop = wanted or window or DEFAULT_CROP
    if pieces > crop:
        raise ConfigError(f"trainer.pieces={pieces}: more than a crop of {crop} frames has")
    return crop


def build_sampler(
    config: RunConfig, adapter: Any, data: Mapping[str, DomainData], stats: Mapping[str, Stats], guides: Guides | None = None
) -> CropSampler:
    """Augmented and normalised crops of all domains."""

    def normalize(domain: str, crops: FloatArray) -> FloatArray:
        normal: FloatArray = adapter.normalize(crops, stats[domain])
        if not np.isfinite(normal).all():  # they were when they were joined
            joined = config.cache / "joined"
            raise DataError(f"{joined}: features of {domain} are no numbers any more (is the disk failing?); delete that folder, then resume=true")
        return normal

    mixture = {"base": (), "partial": config.domains, "full": (*config.domains, *config.mixture)}[config.objective.mixture]
    trainer = config.trainer
    return CropSampler(
        {domain: [item.features for item in items.items] for domain, items in data.items()},
        trainer.crop, trainer.batch_size, trainer.seed,
        domains=config.domains, hop=adapter.spec.window or 1, pieces=trainer.pieces, augment=adapter.augment, normalize=normalize, mixture=mixture,
        aligned=config.objective.paired, guides=guides,
    )  # fmt: skip


def identity(config: RunConfig, data: Mapping[str, DomainData]) -> dict[str, Any]:
    """What a resume must find unchanged, lest it continue with other statistics or networks. Files may be renamed."""
    frames = {domain: sum(i.features.shape[-1] for i in items.items) for domain, items in data.items()}
    files = {domain: combined(sorted(items.keys)) for domain, items in data.items()}
    return {
        "domains": list(config.domains), "adapter": config.adapter, "model": config.model, "data": frames, FILES: files,
        "objective.one_way": config.objective.one_way,
    }  # fmt: skip


def same_for_all(settings: dict[str, Any], processes: Processes, data_root: Path) -> dict[str, Any]:
    """The settings of this process, which must be those of all: each draws its share of the very same batches.

    Raises:
        DataError: this machine has other files than the first.
    """
    if processes.of_first(settings) != settings:
        raise DataError(f"{data_root}: process {processes.rank} found other data than process 0; give each machine the same files")
    return settings


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


def load_domains(
    config: RunConfig, adapter: Any, medium: Any, paths: Mapping[str, Sequence[Path]], monitor: Monitor, processes: Processes = ALONE
) -> dict[str, DomainData]:
    """Features of all domains, through the cache. The processes of a machine each analyse a share of the files.

    Raises:
        DataError: a domain has too little usable material; the message says why files were left out.
    """
    kind = config.adapter | {"analysis": adapter.analysis}
    cache = FeatureCache(config.cache, lambda path: medium.encode(path, adapter), kind, adapter.spec.shape)
    with writing_below(config.cache, "data.cache"):
        for domain, files in paths.items():
            cache.analyse(files[processes.local_rank :: processes.local_size], monitor.progress(f"features of {domain}"), config.jobs)
        processes.wait()
        with processes.one_before_others():  # who only open what it joined
            corpora = {domain: open_corpus(cache, files, monitor.progress(f"joining {domain}")) for domain, files in paths.items()}
    data = {}
    for domain in paths:
        data[domain] = without_short(corpora[domain], config.trainer.crop)
        if not config.objective.paired:  # there a copy may have another counterpart
            data[domain] = without_copies(data[domain])
    tell_shared({domain: data[domain] for domain in config.domains}, monitor.note)
    if config.objective.paired:
        data = aligned_items(data, {d: domain_folder(config.data_root, d) for d in data}, adapter.spec.window)
    for domain in data:
        skipped = data[domain].skipped
        minutes = sum(i.features.shape[-1] for i in data[domain].items) / adapter.spec.frame_rate / 60
        monitor.note(f"{domain}: {len(data[domain].items)} files, {minutes:.1f} minutes, {len(skipped)} skipped")
        for path, reason in skipped.items():
            monitor.note(f"  skipped {reason if str(path) in reason else f'{path}: {reason}'}")
        for remark in medium.remarks(list(zip(data[domain].paths, data[domain].items, strict=True))):
            monitor.note(f"  {domain}: {remark}")
        if minutes < config.min_minutes:
            first = f"; first skipped: {next(iter(skipped.values()))}" if skipped else ""
            raise DataError(
                f"{config.data_root / domain}: {minutes * 60:.0f} s of usable material, fewer than data.min_minutes="
                f"{config.min_minutes:g}; add recordings (3 minutes or more are sensible){first}"
            )
    return data


def describe(
    config: RunConfig, stats: Mapping[str, Stats], data: Mapping[str, DomainData], step: int, seconds: float, guided_by: str | None
) -> BundleConfig:
    """The bundle's settings at a step."""
    adapter = build_adapter(config.adapter)
    minutes = {d: sum(i.features.shape[-1] for i in x.items) / adapter.spec.frame_rate / 60 for d, x in data.items()}
    return BundleConfig(
        name=config.name,
        modality=adapter.spec.modality,
        domains=config.domains,
        adapter=config.adapter,
        model=config.model,
        stats={domain: stats_to_json(values) for domain, values in stats.items()},
        licence=config.licence,
        training={
            "steps": step,
            "batch size": config.trainer.batch_size,
            "minutes of training": round(seconds / 60, 1),
            "material": ", ".join(f"{d} {m:.1f} minutes" for d, m in minutes.items()),
            "finished": time.strftime("%Y-%m-%d"),
        }
        | ({"guided by": guided_by} if guided_by else {}),
        one_way=config.objective.one_way,
    )
