"""A trained model as a folder that can be shared: numbers and plain settings, no code and no pickle.

    config.json         adapter, model, domains, versions; every domain's statistics
    model.safetensors   the translator's weights (float16 or float32)
    README.md           a model card
    A-to-B.onnx         graphs for runtimes other than torch (:mod:`audiocycle.bundles.runtimes.graphs`); not every bundle has them

The resumable training state is another file (:mod:`audiocycle.training.checkpoint`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiocycle import __version__
from audiocycle.build import (
    MAX_WEIGHTS_GB,
    PAIR,
    SHARED,
    build_adapter,
    build_translator,
    model_cost,
    translator_class,
)
from audiocycle.bundles.blend import blended, shares_of
from audiocycle.bundles.packed import LONG, unpacked
from audiocycle.errors import BundleError, ConfigError, DomainError, one_line, printable
from audiocycle.spec import ANYONE, Adapter, Direction, Domain, Stats, directions
from audiocycle.system.foreign import read_json, regular_file
from audiocycle.system.limits import Table, as_numbers, hold_statistics, shown
from audiocycle.system.names import check_domain_name, normal_name

if TYPE_CHECKING:
    from audiocycle.models.translator import Translator

BOTH_WAYS, ONE_WAY, FORMAT = 1, 2, 3
"""What older versions read, too; a model of one way; and the newest, of any source. Raised when a bundle cannot be read by the version before."""
CONFIG, WEIGHTS, CARD, GRAPHS = "config.json", "model.safetensors", "README.md", "*.onnx"
SETTINGS = {"name": str, "modality": str, "domains": list, "adapter": dict, "model": dict, "stats": dict}
"""Settings that every bundle has, as JSON has them."""
OPTIONAL_SETTINGS = {"licence": str, "training": dict, "deviations": dict, "one_way": bool, "any_source": bool, "audiocycle": str}
"""Those that not every bundle has."""
MAX_DOMAINS = 32
"""There are n (n - 1) directions."""
LONGEST_TEXT = 200
"""Characters of a name or a licence."""
MAX_INDEX_BYTES = 10_000_000
"""Of the names and shapes of weights: 992 directions of 60 tensors take 8 MB."""
STORED_TYPES = {"F16", "BF16", "F32"}
"""Of weights, as safetensors call them."""
MOST_DEVIATION = 100.0
"""Of a network's output, in units of the target's own."""


@dataclass(frozen=True)
class BundleConfig:
    """Everything about a bundle but its weights. JSON in, JSON out.

    Attributes:
        name: what ``audiocycle models`` calls it.
        adapter, model: arguments of :mod:`audiocycle.build`.
        stats: by domain, named arrays: nested lists, and arrays where they are long (:mod:`audiocycle.bundles.packed`).
        one_way: from the first domain to the others only.
        any_source: from everybody to each domain.
        deviations: by direction, the deviation of the network's normalised output for each feature, (\\*shape,) as nested lists (see :mod:`audiocycle.training.deviations`).
        licence: of the weights, an SPDX name where there is one; "unknown" until somebody says.
        training: how it was trained, for people.
    """

    name: str
    modality: str
    domains: tuple[str, ...]
    adapter: dict[str, Any]
    model: dict[str, Any]
    stats: dict[str, dict[str, Any]]
    licence: str = "unknown"
    training: dict[str, Any] = field(default_factory=dict)
    deviations: dict[str, list[Any]] = field(default_factory=dict)
    one_way: bool = False
    any_source: bool = False
    audiocycle: str = __version__

    @property
    def format(self) -> int:
        """The oldest that can hold this."""
        return FORMAT if self.any_source else ONE_WAY if self.one_way else BOTH_WAYS

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Those that the model converts in; of their domains the names only."""
        return directions([Domain(name) for name in self.domains], self.one_way, self.any_source)

    @property
    def targets(self) -> list[str]:
        """The domains that the model converts to."""
        return [domain for domain in self.domains if self.sources_of(domain)]

    def sources_of(self, target: str) -> list[str]:
        """The domains that the model converts to ``target``."""
        return [direction.source.name for direction in self.directions if direction.target.name == target]

    def own_name(self, name: str) -> str:
        """A domain's name as it is spelled here; terminals and file systems may separate its accents from the letters."""
        return next((domain for domain in self.domains if normal_name(domain) == normal_name(name)), name)

    def resolve(self, target: str, source: str | None) -> Direction:
        """The direction that these names mean, with all that is known of it; the source is guessed where only one is possible.

        Raises:
            DomainError: unknown, equal, or ambiguous names, or not this way; the message lists those that will do.
        """
        known = ", ".join(self.domains)
        if self.any_source and source not in (None, ANYONE.name):
            raise DomainError(f"model {self.name} converts everybody; leave `source` out")
        target, source = self.own_name(target), source and self.own_name(source)
        if shares := shares_of(target):
            return blended(self, target, {self.own_name(name): share for name, share in shares.items()})
        for role, name in (("target", target), ("source", None if self.any_source else source)):
            if name is not None and name not in self.domains:
                raise DomainError(f"{role} '{name}' is unknown to model {self.name}; it knows: {known}")
        sources = self.sources_of(target)
        if source == target:
            raise DomainError(f"source and target are both '{target}'; nothing to convert. Model {self.name} knows: {known}")
        if not sources or source not in (None, *sources):
            raise DomainError(f"model {self.name} was trained one way, {', '.join(map(str, self.directions))}; name one of these, or train a model without one_way")
        if source is None and len(sources) > 1:
            raise DomainError(f"the source is ambiguous; add `source` with one of: {', '.join(sources)}")
        return self.direction(source or sources[0], target)

    def converts(self, target: str, source: str | None) -> bool:
        """Whether these names mean a direction; several, where the source is not named."""
        if shares := shares_of(target):
            return self.any_source and source is None and all(self.own_name(name) in self.domains for name in shares)
        wanted, given = normal_name(target), source and normal_name(source)
        return any(normal_name(d.target.name) == wanted and given in (None, normal_name(d.source.name)) for d in self.directions)

    def domain(self, name: str) -> Domain:
        """A domain with its statistics as float32 arrays, and what a network is told of it."""
        stats = {key: np.asarray(value, dtype=np.float32) for key, value in self.stats[name].items()}
        if not self.any_source:
            return Domain(name, stats)
        try:
            adapter = build_adapter(self.adapter)
            hold_statistics(name, self.stats[name], adapter.known_statistics)
        except ConfigError as error:
            raise BundleError(f"model {printable(self.name)}: {error}; copy the bundle again") from error
        return Domain(name, stats, adapter.condition(stats))

    def direction(self, source: str, target: str) -> Direction:
        """A direction with all that is known of it."""
        found = Direction(ANYONE if self.any_source else self.domain(source), self.domain(target))
        deviation = self.deviations.get(str(found))
        return found if deviation is None else replace(found, output_deviation=np.asarray(deviation, dtype=np.float32)[..., None])


def stats_to_json(stats: Stats) -> dict[str, Any]:
    """Arrays as nested lists of floats; those that are long stay arrays."""
    return {key: value if np.size(value) >= LONG else np.asarray(value, dtype=np.float64).round(7).tolist() for key, value in stats.items()}


def read_config(folder: Path) -> BundleConfig:
    """Read and check ``config.json``.

    Raises:
        BundleError: missing, damaged, incomplete, or from a newer version.
    """
    path = folder / CONFIG
    if not os.path.lexists(path):
        hint = f"; did you mean {folder / 'bundle'}?" if (folder / "bundle" / CONFIG).is_file() else ""
        raise BundleError(f"{folder}: not a bundle, it has no {CONFIG}{hint}")
    raw = read_json(path)
    version = raw.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(f"{path}: damaged, not a bundle's settings; copy the bundle again")
    if version > FORMAT:
        made_by = raw.get("audiocycle", "?")
        raise BundleError(
            f"{folder}: bundle format {version} is from a newer audiocycle ({made_by}); this one ({__version__}) reads "
            f"up to {FORMAT}: pip install --upgrade audiocycle"
        )
    wrong = [key for key, kind in SETTINGS.items() if not isinstance(raw.get(key), kind)]
    wrong += [key for key, kind in OPTIONAL_SETTINGS.items() if key in raw and not isinstance(raw[key], kind)]
    wrong += [key for key in ("name", "licence") if isinstance(raw.get(key), str) and len(raw[key]) > LONGEST_TEXT]
    if wrong:
        raise BundleError(f"{path}: damaged, settings are missing or wrong ({', '.join(wrong)}); copy the bundle again")
    known = BundleConfig.__dataclass_fields__
    least = 1 if raw.get("any_source") else 2
    config = BundleConfig(**{k: v for k, v in raw.items() if k in known} | {"domains": domains_of(path, raw["domains"], least)})
    for domain in config.domains:
        statistics = config.stats.get(domain)
        if isinstance(statistics, dict):
            config.stats[domain] = statistics = {key: unpacked(value) for key, value in statistics.items()}
        if not isinstance(statistics, dict) or any(as_numbers(value) is None for value in statistics.values()):
            raise BundleError(f"{path}: damaged, no statistics of {domain}; copy the bundle again")
    if any(as_numbers(value) is None for value in config.deviations.values()):
        raise BundleError(f"{path}: damaged, deviations that are no numbers; copy the bundle again")
    return config


def domains_of(path: Path, names: list[Any], least: int) -> tuple[str, ...]:
    """The domains of a bundle, which become parts of paths, options and messages: as strict as those of a training.

    Raises:
        BundleError: too few, too many, two alike, or one that is no name.
    """
    try:
        if not least <= len(names) <= MAX_DOMAINS or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"domains: there must be {least} to {MAX_DOMAINS} names")
        checked = tuple(check_domain_name(name, "domains") for name in names)
        if checked != tuple(names) or len(set(checked)) < len(checked):
            raise ConfigError("domains: two are alike, or one is not composed (NFC)")
        if least == 1 and ANYONE.name in checked:
            raise ConfigError(f"domains: {ANYONE.name} is everybody, and no target")
    except ConfigError as error:
        raise BundleError(f"{path}: {error}; such a bundle was not made by audiocycle") from error
    return checked


def check_settings(folder: Path, config: BundleConfig) -> tuple[Adapter, dict[str, tuple[int, ...]]]:
    """The adapter of a bundle, held to its limits before anything else is made of the settings, and its :func:`weights_index`.

    Raises:
        BundleError: impossible settings, or weights that are none, or those of other directions.
    """
    try:
        adapter, names = build_adapter(config.adapter), network_names(config)
    except ConfigError as error:
        raise BundleError(f"{folder / CONFIG}: {error}") from error
    shapes = weights_index(folder)
    stored = {".".join(name.split(".", 2)[:2]) for name in shapes}
    wanted = [f"generators.{name}" for name in names]
    if stored != set(wanted):  # another model's; that other shapes are, is found where the network is built
        lacking = [name for name in wanted if name not in stored]
        reason = f"missing: {lacking[0]}" if lacking else f"nobody knows {printable(min(stored - set(wanted)))}"
        raise BundleError(f"{folder / WEIGHTS}: weights do not fit {CONFIG} ({reason}); copy the bundle again")
    return adapter, shapes


def network_names(config: BundleConfig) -> list[str]:
    """Of the generators that serve a bundle's directions.

    Raises:
        ConfigError: this version knows no such translator.
    """
    translator = config.model.get("translator", PAIR)  # as their classes say, which would load torch: graphs need none
    if translator == PAIR:
        return list(map(str, config.directions))
    if translator == SHARED:
        return [SHARED]
    return list(dict.fromkeys(translator_class(config.model).networks(config.directions).values()))


def check_statistics(folder: Path, config: BundleConfig) -> None:
    """See that a bundle's statistics are what its adapter makes, and its deviations what its features have.

    Raises:
        BundleError: impossible settings, a statistic that is missing, has another shape, or is absurd.
    """
    adapter, _ = check_settings(folder, config)
    deviation = Table(adapter.spec.shape, 0.0, MOST_DEVIATION)
    try:
        if adapter.spec.modality != config.modality:
            raise ConfigError(f"modality={shown(config.modality)}: its adapter is one for {adapter.spec.modality}")
        if adapter.spec.any_source != config.any_source:
            raise ConfigError(f"any_source={config.any_source}: its adapter says otherwise")
        for domain in config.domains:
            hold_statistics(domain, config.stats[domain], adapter.known_statistics)
        hold_statistics("deviations", config.deviations, dict.fromkeys(config.deviations, deviation))
    except ConfigError as error:
        raise BundleError(f"{folder / CONFIG}: {error}; copy the bundle again") from error


def weights_index(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a bundle's weights by name, from the head of their file.

    Raises:
        BundleError: they are missing, damaged, no real file, or too large.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / WEIGHTS
    if not os.path.lexists(path):
        raise BundleError(f"{folder}: not a whole bundle, it has no {WEIGHTS}; copy it again")
    regular_file(path)
    try:
        with path.open("rb") as head:
            if int.from_bytes(head.read(8), "little") > MAX_INDEX_BYTES:
                raise BundleError(f"{path}: damaged, its index is longer than {MAX_INDEX_BYTES / 1e6:.0f} MB; copy the bundle again")
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            kinds, shapes = {x.get_dtype() for x in slices.values()}, {name: tuple(x.get_shape()) for name, x in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{path}: missing or damaged ({one_line(error)}); copy the bundle again") from error
    gigabytes = 4e-9 * sum(math.prod(shape) for shape in shapes.values())
    if gigabytes > MAX_WEIGHTS_GB:
        raise BundleError(f"{path}: would take {gigabytes:.3g} GB of memory, and the limit is {MAX_WEIGHTS_GB:g}; use another model")
    if kinds - STORED_TYPES:
        raise BundleError(f"{path}: holds numbers of kind {', '.join(sorted(kinds - STORED_TYPES))}, not {', '.join(sorted(STORED_TYPES))}; save it again")
    return shapes


def load_translator(folder: Path, config: BundleConfig) -> Translator:
    """Build the translator that ``config`` describes and fill in its weights, as float32 in evaluation mode.

    Raises:
        BundleError: weights are missing, damaged or of another model.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    adapter, stored = check_settings(folder, config)
    path, spec = folder / WEIGHTS, adapter.spec
    try:
        model_cost(config.model, spec, config.directions)
        with torch.device("meta"):
            translator = build_translator(config.model, config.directions, spec)
    except ConfigError as error:
        raise BundleError(f"{folder / CONFIG}: {error}") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in translator.state_dict().items()}
    if stored != wanted:
        raise BundleError(f"{path}: weights do not fit {CONFIG} ({first_difference(stored, wanted)}); copy the bundle again")
    try:
        weights = {name: tensor.to(torch.float32, copy=True) for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise BundleError(f"{path}: missing or damaged ({one_line(error)}); copy the bundle again") from error
    translator.load_state_dict(weights, assign=True)
    return translator.eval()


def first_difference(stored: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> str:
    """Where the shapes of weights, by name, differ from those that belong there."""
    for name, shape in wanted.items():
        if name not in stored:
            return f"missing: {name}"
        if stored[name] != shape:
            return f"{name} has the shape {stored[name]}, where {shape} belongs"
    return f"nobody knows {printable(next(name for name in stored if name not in wanted))}"


def graph_files(folder: Path) -> list[Path]:
    """The graphs of a bundle, if it was exported."""
    return sorted(folder.glob(GRAPHS))


def describe_bundle(folder: Path) -> dict[str, Any]:
    """What ``audiocycle info`` shows. Reads the header of the weights only.

    Raises:
        BundleError: missing or damaged.
    """
    config = read_config(folder)
    path, shapes = folder / WEIGHTS, weights_index(folder)
    return {
        "name": config.name,
        "path": str(folder),
        "modality": config.modality,
        "domains": list(config.domains),
        "directions": [str(direction) for direction in config.directions],
        "parameters": int(sum(math.prod(shape) for shape in shapes.values())),
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "graphs": [graph.name for graph in graph_files(folder)],
        "licence": config.licence,
        **({"remark": remark} if (remark := remark_of(config)) else {}),
        "adapter": config.adapter,
        "model": config.model,
        "training": config.training,
        "format": config.format,
        "audiocycle": config.audiocycle,
    }


def remark_of(config: BundleConfig) -> str:
    """What people should know of a bundle's features; empty where nothing is known of them."""
    try:
        return build_adapter(config.adapter).spec.remark
    except ConfigError:
        return ""
