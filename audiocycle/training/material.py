"""What a training learns from: features of all domains, their statistics, guides, and the crops of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiocycle.data.cache import FeatureCache
from audiocycle.data.corpus import combined, fitted, open_corpus
from audiocycle.data.domains import (
    FEW,
    DomainData,
    aligned_items,
    domain_folder,
    held_out,
    tell_shared,
    without_copies,
    without_short,
)
from audiocycle.data.guides import Guides, load_guides
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import ConfigError, DataError
from audiocycle.modality import Modality
from audiocycle.spec import Adapter, Direction, Domain, FloatArray, directions
from audiocycle.system.atomic import writing_below
from audiocycle.system.scan import several
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.monitor import Monitor
from audiocycle.training.trainer import FILES

if TYPE_CHECKING:
    from audiocycle.training.run import RunConfig, TrainingPlan

DEFAULT_CROP = 128
"""Frames, where the adapter has no window of its own (Kaneko et al. 2019)."""


@dataclass(frozen=True)
class Material:
    """What a training learns from.

    Attributes:
        domains: that are converted, with their statistics.
        directions: between them.
        mixture: further domains, which only critics of mixed items see.
        data: of all of them.
        guides: empty where no term asks for them.
        held: what is not learned from, of the domains where there is some.
    """

    domains: tuple[Domain, ...]
    directions: tuple[Direction, ...]
    mixture: tuple[Domain, ...]
    data: Mapping[Domain, DomainData]
    guides: Guides
    held: Mapping[Domain, DomainData] = field(default_factory=dict)


def load(plan: TrainingPlan, monitor: Monitor, processes: Processes) -> Material:
    """Analyse, join, measure, and make guides; what was done before is only opened.

    Raises:
        DataError: a domain has too little usable material.
    """
    config, adapter = plan.config, plan.modality.adapter
    data = load_domains(config, plan.modality, plan.paths, monitor, processes)
    data, held = hold_out(config, data, monitor)
    with writing_below(config.cache, "data.cache"):
        fits = {domain.name: fitted(adapter, items, config.cache) for domain, items in data.items()}
        known = {name: Domain(name, stats, adapter.condition(stats)) for name, stats in fits.items()}
        domains, mixture = (tuple(known[name] for name in names) for names in (config.domains, config.mixture))
        learned = directions(domains, config.objective.one_way, adapter.spec.any_source)
        guides: Guides = {}
        if plan.guide_maker is not None:
            with processes.one_before_others():  # who only open what it made
                guides = load_guides(plan.guide_maker, data, learned, config.cache, monitor.progress)
    known_held = {domain: held[domain] for domain in domains if domain in held}
    return Material(domains, learned, mixture, data, guides, known_held)


def hold_out(config: RunConfig, data: Mapping[Domain, DomainData], monitor: Monitor) -> tuple[dict[Domain, DomainData], dict[Domain, DomainData]]:
    """What is learned from, and what is held out of the domains that are converted, where they have enough recordings."""
    learned, held = dict(data), {}
    for domain in data if config.held_out else ():
        if domain.name not in config.domains:
            continue
        rest, chosen = held_out(data[domain], config.held_out)
        if chosen.items:
            learned[domain], held[domain] = rest, chosen
            monitor.note(f"{domain}: {len(chosen.items)} of {len(data[domain].items)} files are held out, to choose the best step by (data.held_out)")
        else:
            few = f"{domain}: {len(data[domain].items)} {several('file', len(data[domain].items))}"
            monitor.note(f"{few}, too few to hold some out and choose the best step by them: the last one is taken ({FEW} or more are needed)")
    return learned, held


def load_domains(
    config: RunConfig, modality: Modality, paths: Mapping[Domain, Sequence[Path]], monitor: Monitor, processes: Processes = ALONE
) -> dict[Domain, DomainData]:
    """Features of all domains, through the cache. The processes of a machine each analyse a share of the files.

    Raises:
        DataError: a domain has too little usable material; the message says why files were left out.
    """
    adapter = modality.adapter
    kind = config.adapter | {"analysis": adapter.analysis}
    cache = FeatureCache(config.cache, modality.encode, kind, adapter.spec.shape, modality.training_side)
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
    tell_shared({domain: data[domain] for domain in data if domain.name in config.domains}, monitor.note)
    if config.objective.paired:
        data = aligned_items(data, {d: domain_folder(config.data_root, d.name) for d in data}, adapter.spec.window, modality.places)
    for domain in data:
        skipped = data[domain].skipped
        minutes = data[domain].seconds(adapter.spec.training_rate) / 60
        monitor.note(f"{domain}: {len(data[domain].items)} files, {minutes:.1f} minutes, {len(skipped)} skipped")
        for path, reason in skipped.items():
            monitor.note(f"  skipped {reason if str(path) in reason else f'{path}: {reason}'}")
        nobody = adapter.spec.any_source and domain.name not in config.domains  # whoever they are, no voice is made of them
        for remark in [] if nobody else modality.remarks(list(zip(data[domain].paths, data[domain].items, strict=True))):
            monitor.note(f"  {domain}: {remark}")
        if minutes < config.min_minutes:
            first = f"; first skipped: {next(iter(skipped.values()))}" if skipped else ""
            raise DataError(
                f"{config.data_root / domain.name}: {minutes * 60:.0f} s of usable material, fewer than data.min_minutes="
                f"{config.min_minutes:g}; add recordings (3 minutes or more are sensible){first}"
            )
    return data


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


def build_sampler(config: RunConfig, adapter: Adapter, material: Material) -> CropSampler:
    """Augmented and normalised crops of all domains."""

    def normalize(domain: Domain, crops: FloatArray) -> FloatArray:
        normal = adapter.normalize(crops, domain.stats)
        if not np.isfinite(normal).all():  # they were when they were joined
            joined = config.cache / "joined"
            raise DataError(f"{joined}: features of {domain} are no numbers any more (is the disk failing?); delete that folder, then resume=true")
        return normal

    any_source, everybody = adapter.spec.any_source, (*material.domains, *material.mixture)
    mixed = everybody if any_source else {"base": (), "partial": material.domains, "full": everybody}[config.objective.mixture]
    trainer = config.trainer
    return CropSampler(
        {domain: [item.features for item in material.data[domain].items] for domain in (*material.domains, *material.mixture)},
        trainer.crop, trainer.batch_size, trainer.seed,
        domains=material.domains, hop=adapter.spec.window or 1, pieces=trainer.pieces, augment=adapter.augment, normalize=normalize, mixture=mixed, anyone=any_source,
        aligned=config.objective.paired, guides=material.guides,
    )  # fmt: skip


def fingerprint(config: RunConfig, material: Material) -> dict[str, Any]:
    """What a resume must find unchanged, lest it continue with other statistics or networks. Files may be renamed."""
    frames = {domain.name: items.frames for domain, items in material.data.items()}
    files = {domain.name: combined(sorted(items.keys)) for domain, items in material.data.items()}
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
