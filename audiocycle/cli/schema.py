"""Which settings a training has, with their types, defaults and help: read from the dataclasses that hold them, and given to Hydra.

A group is a plain mapping of names to :class:`Setting`; :func:`settings_of` makes one of a dataclass. Hydra gets values only: what it makes of
typed nodes (``no`` is False, 1.5 no whole number in words of its own) would say less than :func:`audiocycle.cli.settings.check_types` does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING as UNSET

from audiocycle.build import ADAPTERS, CRITICS, GENERATORS
from audiocycle.data.guides import GuideConfig
from audiocycle.objectives.config import objective_settings
from audiocycle.system.registry import resolve
from audiocycle.training.config import OF_THE_RUN, TrainerConfig
from audiocycle.training.run import RunConfig


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        kind: its type.
        default: ``???`` where people must say it.
        help: what it does, in a line.
    """

    kind: Any
    default: Any
    help: str = ""


Group = Mapping[str, Setting]

DATA = {"root": "data_root", "domains": "domains", "cache": "cache", "jobs": "jobs", "min_minutes": "min_minutes", "held_out": "held_out", "mixture": "mixture"}
"""Settings of the data, to the names that :class:`~audiocycle.training.run.RunConfig` has for them."""
TOP = ("run_dir", "name", "licence", "start", "resume", "overwrite")
"""Its fields that are in no group."""
CONSTANTS = ("low_voice", "floor")
"""Fields of adapters that are found from recordings, or are nobody's choice: bundles may hold them."""
MODEL: Group = {
    "translator": Setting(str, "pair", "which networks serve which directions; pair: one each"),
    "generator": Setting(str, UNSET, "kind of the generators"),
    "critic": Setting(str, UNSET, "kind of the critics"),
    "width": Setting(float, 1.0, "factor on every channel count of generators and critics"),
    "generator_options": Setting(dict, UNSET, "further arguments of the generator, by name"),
    "critic_options": Setting(dict, UNSET, "further arguments of the critic, by name"),
}

_ENTRY = re.compile(r"(\w+(?:, \w+)*): (.*)")
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")


def documented(docstring: str, section: str) -> dict[str, str]:
    """What a docstring's section says of each name, on one line: ``{"lr": "the generators' learning rate. ..."}``."""
    found: dict[str, str] = {}
    names: list[str] = []
    _, _, text = inspect.cleandoc(docstring).partition(f"{section}:\n")
    for line in text.splitlines():
        if line.strip() and not line.startswith(" "):
            break
        entry = _ENTRY.fullmatch(line.strip()) if re.match(r" {4}\S", line) else None
        if entry:
            names = entry[1].split(", ")
        for name in names:
            found[name] = entry[2] if entry else f"{found[name]} {line.strip()}".strip()
    return {name: plain(text) for name, text in found.items()}


def plain(text: str) -> str:
    """A docstring's sentence as people read settings: without markup, values as they write them, and one thought without a stop."""
    words = _ROLE.sub(r"\1", text).replace("``", "")
    words = re.sub(r"\b(None|True|False)\b", lambda found: {"None": "null"}.get(found[1], found[1].lower()), words)
    return words if re.search(r"\. [A-Z]|\.\.\.$", text) else words.removesuffix(".")


def settings_of(kind: Any) -> dict[str, Setting]:
    """The fields of a dataclass; their help is their metadata's, or what the docstring says under Attributes."""
    said, hints = documented(kind.__doc__ or "", "Attributes"), get_type_hints(kind)
    found = {}
    for each in fields(kind):
        default = each.default_factory() if each.default_factory is not MISSING else UNSET if each.default is MISSING else each.default
        found[each.name] = Setting(hints[each.name], default, each.metadata.get("help") or said.get(each.name, ""))
    return found


def arguments_of(kind: Any) -> dict[str, Setting]:
    """The arguments of a network that have defaults; its docstring says under Args what they do."""
    said, parameters = documented(kind.__doc__ or "", "Args"), inspect.signature(kind).parameters
    found = {name: p for name, p in parameters.items() if p.default is not p.empty and name not in ("channels", "made", "condition")}  # which follow from the features
    return {name: Setting(p.annotation, p.default, said.get(name, "")) for name, p in found.items()}


RUN = settings_of(RunConfig)
TRAINER = settings_of(TrainerConfig)
OBJECTIVE: Group = {name: Setting(*said) for name, said in objective_settings().items()}
GROUPS: dict[str, Group] = {
    "data": {name: RUN[field] for name, field in DATA.items()},
    "": {name: RUN[name] for name in TOP} | {name: TRAINER[name] for name in OF_THE_RUN},
    "objective": OBJECTIVE,
    "guide": settings_of(GuideConfig),
    "trainer": {name: setting for name, setting in TRAINER.items() if name not in OF_THE_RUN},
}
"""Those whose settings are always the same, in the order in which they are shown; the second is at the top."""


def adapter_settings(name: str) -> dict[str, Setting]:
    """Those of an adapter, its constants too."""
    return {"name": Setting(str, UNSET, "kind of the features")} | settings_of(resolve(ADAPTERS, "adapter", name))


def every_setting() -> Iterator[tuple[str, Setting]]:
    """``("trainer.lr", its setting)`` for each of :data:`GROUPS`."""
    for group, settings in GROUPS.items():
        yield from ((f"{group}.{name}" if group else name, setting) for name, setting in settings.items())


def values(group: Group) -> dict[str, Any]:
    """The defaults, as Hydra takes them."""
    return {name: list(setting.default) if isinstance(setting.default, tuple) else setting.default for name, setting in group.items()}


@cache
def register_schema() -> None:
    """Give Hydra the defaults of all settings, under the names that the files in ``conf/`` build on."""
    store = ConfigStore.instance()
    node: dict[str, Any] = {}
    for group, settings in GROUPS.items():
        node |= {group: values(settings)} if group else values(settings)
    store.store(name="settings", node=node)
    store.store(group="settings", name="model", node=values({name: MODEL[name] for name in ("generator", "critic", "width")}))
    for name in ADAPTERS:
        shown = {field: setting for field, setting in adapter_settings(name).items() if field not in CONSTANTS}
        store.store(group="settings/adapter", name=name, node=values(shown))


def help_of(key: str, choices: Mapping[str, Any]) -> str:
    """What a setting does; empty where nobody said so.

    Args:
        key: ``adapter.n_mcep``, ``model.generator_options.skip``.
        choices: the name of the adapter, and the kinds of the model's networks, as composed.
    """
    group, _, name = key.rpartition(".")
    networks = {"model.generator_options": ("generator", GENERATORS), "model.critic_options": ("critic", CRITICS)}
    settings: Group = GROUPS.get(group, {})
    if group == "adapter" and choices.get("name") in ADAPTERS:
        settings = adapter_settings(choices["name"])
    elif group == "model":
        settings = MODEL
    elif group in networks:
        what, table = networks[group]
        settings = arguments_of(resolve(table, what, choices[what])) if choices.get(what) in table else {}
    return settings[name].help if name in settings else ""


def paths() -> tuple[str, ...]:
    """Settings whose value is a path."""
    return tuple(key for key, setting in every_setting() if setting.kind is Path)


def lists() -> tuple[str, ...]:
    """Settings whose value is a list of names."""
    return tuple(key for key, setting in every_setting() if setting.kind == tuple[str, ...])
