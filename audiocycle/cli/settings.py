"""Hydra at the edge: command-line overrides to a :class:`~audiocycle.training.run.RunConfig`, at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from audiocycle.cli.schema import DATA, GROUPS, TOP, every_setting, help_of, lists, paths, register_schema
from audiocycle.data.guides import GuideConfig
from audiocycle.errors import ConfigError, one_line, printable
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.system.limits import shown
from audiocycle.system.names import expanded, normal_name
from audiocycle.training.config import OF_THE_RUN, TrainerConfig
from audiocycle.training.run import RunConfig

PATHS, LISTS = paths(), lists()
"""Settings whose value is a path; a list of names."""
TEXTS = (*PATHS, "name", "licence", "guide.recognizer")
"""Settings whose value is a path or a sentence, one for each training."""
ONLY_WHERE_ASKED = ("model.translator",)
"""Settings that are not there until somebody gives them: bundles of before know nothing of them."""
HOLDERS = ("adapter", "model", *filter(None, GROUPS))
"""What holds settings."""
LONGEST = 100
"""Characters of a job's folder name; file systems take 255 bytes."""
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}

_PIECES = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\$\{[^}]*\}|[][(),]|[^][(),]+""")
"""Of a list: what is quoted, an interpolation, a sign, or all else up to the next sign."""
_PLAIN = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
"""Outside brackets: null, or the name of a function."""
_BEFORE_QUOTE = re.compile(r"(\\*)('|$)")


def conf_dir() -> Path:
    """The configurations: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise ConfigError(f"{package / 'conf'}: the configurations are missing; install audiocycle again")


def register() -> None:
    """Tell Hydra of all settings. ``${join:${data.domains}}`` is ``SF1-TM3``; ``${folder:TEXT,NUMBER}`` is :func:`folder_name`."""
    register_schema()
    OmegaConf.register_new_resolver("join", lambda names: "-".join(map(str, names)), replace=True)
    OmegaConf.register_new_resolver("folder", folder_name, replace=True)


def folder_name(overrides: str, number: int) -> str:
    """A folder's name for one job of a sweep: its overrides, or its number where it has none.

    What is no good in names becomes ``_``, and a digest is added then, so that no two jobs share a folder.
    """
    name = re.sub(r"[^\w.,=+-]", "_", overrides, flags=re.ASCII)[:LONGEST]
    if name in ("", ".", ".."):
        return str(number)
    readable = name == overrides and "=" in name  # a bare number is the name of a job without overrides
    return name if readable else f"{name}-{hashlib.sha256(overrides.encode()).hexdigest()[:8]}"


def compose_run(overrides: Sequence[str]) -> RunConfig:
    """Compose ``conf/config.yaml`` with Hydra overrides.

    Raises:
        ConfigError: an override is unknown or has the wrong type; a required setting is missing.
    """
    return to_run(compose_raw(overrides))


def show_config(overrides: Sequence[str]) -> str:
    """All settings with their values as YAML, and with their help as comments; unset ones stay ``???``."""
    raw = compose_raw(overrides)
    choices: dict[str, Any] = {}
    for group in ("adapter", "model"):
        known = OmegaConf.select(raw, group)
        if isinstance(known, DictConfig):
            choices |= {str(key): known[key] for key in known if not OmegaConf.is_missing(known, key)}
    return "".join(f"{line}\n" for line in commented(raw, "", choices))


def commented(settings: DictConfig, prefix: str, choices: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The lines of YAML of some settings.

    Args:
        prefix: of their names, as ``trainer.``.
    """
    for key in map(str, settings):
        name = f"{prefix}{key}"
        comment = f"  # {text}" if (text := help_of(name, choices)) else ""
        plain = not OmegaConf.is_missing(settings, key) and not OmegaConf.is_interpolation(settings, key)
        if plain and settings[key] and isinstance(settings[key], DictConfig):
            yield f"{indent}{key}:{comment}"
            yield from commented(settings[key], f"{name}.", choices, f"{indent}  ")
            continue
        first, *rest = OmegaConf.to_yaml(OmegaConf.masked_copy(settings, key)).splitlines()
        if rest and not first.endswith(":"):  # a text of several lines, with which a comment would be one
            yield from [f"{indent}{comment.strip()}"] if comment else []
            comment = ""
        yield from (f"{indent}{line}" for line in (f"{first}{comment}", *rest))


def compose_raw(overrides: Sequence[str], hydra: bool = False) -> DictConfig:
    """The composed configuration; with Hydra's own settings too if ``hydra``.

    Raises:
        ConfigError: Hydra does not know a setting, a group's choice, or cannot parse an override.
    """
    with hydra_at_conf():
        try:
            return compose("config", overrides=[quoted(override) for override in overrides], return_hydra_config=hydra)
        except (TypeError, AttributeError, KeyError, RecursionError) as error:  # a list that holds null, for a group
            raise ConfigError(f"these settings cannot be put together ({one_line(error)}); see audiocycle train --help") from error


@contextmanager
def hydra_at_conf() -> Iterator[ConfigLoader]:
    """Hydra's compose API, ready to read ``conf/``.

    Raises:
        ConfigError: what Hydra complains about inside the block, in one line.
    """
    register()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir().resolve()), version_base="1.3"):
            yield GlobalHydra.instance().config_loader()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ConfigError(explained(error)) from error


def explained(error: BaseException) -> str:
    """What Hydra complains about, in one line with our own advice."""
    text = one_line(error).partition(" Config search path:")[0]  # ours is no place to look for anything
    if "--multirun" in text:
        text = "a list needs brackets, and quotes around it for the shell: 'data.domains=[A,B]'; to train with each of several values, add -m"
    if "'hydra/launcher/" in text or "'hydra/sweeper/" in text:
        text += "; for joblib and submitit_slurm: pip install 'audiocycle[sweep]'"
    advice = text.find(" To append to your config")  # it would only silence a typing mistake
    return text if advice < 0 else f"{text[:advice]} There is no such setting; audiocycle train --cfg lists all"


def quoted(override: str) -> str:
    """User's text in quotes: Hydra's grammar knows neither ``é`` nor all that folders' names hold, and reads ``1_0`` as 10.

    Paths and sentences (:data:`TEXTS`) are quoted whole, names of domains (:data:`LISTS`) each by itself. What is in quotes already,
    interpolations and functions of sweeps stay what they are.
    """
    key, sign, value = override.partition("=")
    setting = key.lstrip("+")
    if setting in ONLY_WHERE_ASKED:
        return f"++{setting}{sign}{value}"
    if setting in LISTS:
        return f"{key}{sign}{''.join(quoted_names(value))}"
    if not value or setting not in TEXTS or is_quoted(value) or value in ("null", "???"):
        return override
    return f"{key}{sign}{in_quotes(value)}"


def is_quoted(text: str) -> bool:
    """True for what somebody put into quotes: the last of them has its partner at the beginning, and is no part of the text."""
    return text[0] in "'\"" and text[-1] == text[0] and len(text) > 1


def quoted_names(value: str) -> Iterator[str]:
    """The pieces of a list, ``[José, 1_0]``, or of several, with the names between brackets and commas in quotes."""
    depth = 0
    for piece in _PIECES.findall(value):
        depth += (piece == "[") - (piece == "]")
        name = piece.strip()
        bare = name and name[0] not in "[],()'\"" and not name.startswith("${")
        yield piece.replace(name, in_quotes(normal_name(name))) if bare and (depth > 0 or not _PLAIN.fullmatch(name)) else piece


def in_quotes(value: str) -> str:
    """A text as Hydra's grammar reads it back: backslashes count only before a quote, and at the end."""
    escaped = _BEFORE_QUOTE.sub(lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"'{escaped}'"


def to_run(raw: DictConfig) -> RunConfig:
    """A composed configuration as frozen dataclasses."""
    try:
        missing = [key for key in ("data.domains", "data.root") if OmegaConf.select(raw, key) is None]
        if missing:
            example = "audiocycle train experiment=vc2_guided data.root=DIR 'data.domains=[A,B]'"
            raise ConfigError(f"not set: {', '.join(missing)}; example: {example}")
        check_groups(raw)
        c: Any = OmegaConf.to_container(raw, resolve=True)
        check_types(raw)
    except (OmegaConfBaseException, RecursionError) as error:
        raise ConfigError(one_line(error)) from error
    for key in LISTS:
        value = OmegaConf.select(raw, key)
        if value and not isinstance(value, ListConfig):
            raise ConfigError(f"{key}={shown(value)}: a list is needed, e.g. '{key}=[SF1,TM3]'")
    try:
        run = {field: c["data"][name] for name, field in DATA.items()} | {name: c[name] for name in TOP}
        hints = get_type_hints(RunConfig)
        return RunConfig(
            **{name: converted(value, hints[name]) for name, value in run.items()},
            adapter=c["adapter"],
            model=c["model"],
            objective=ObjectiveConfig.of(**c["objective"]),
            trainer=TrainerConfig(**(c["trainer"] | {name: c[name] for name in OF_THE_RUN})),
            guide=GuideConfig(**c["guide"]),
        )
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ConfigError(one_line(error)) from error


def converted(value: Any, kind: Any) -> Any:
    """A setting's value, of which :func:`check_types` thought well, as the type that its field has."""
    if kind is Path:
        return expanded(value)
    if get_origin(kind) is tuple:
        return tuple(map(str, value or ()))
    return kind(value)


def check_groups(raw: DictConfig) -> None:
    """What holds settings must hold settings, and the lists of names be lists, before anything asks for what is in them.

    Raises:
        ConfigError: names the first that does not.
    """
    for group in HOLDERS:
        value = OmegaConf.select(raw, group)
        if not isinstance(value, DictConfig) or not all(isinstance(key, str) for key in value):
            raise ConfigError(f"{group}={shown(value)}: settings by name are needed; audiocycle train --cfg shows them")
    for group in ("model.generator_options", "model.critic_options"):
        value = OmegaConf.select(raw, group, default=OmegaConf.create({}))
        if not isinstance(value, DictConfig):
            raise ConfigError(f"{group}={shown(value)}: options by name are needed, e.g. '{group}={{width: 0.5}}'")
    for key in LISTS:
        value = OmegaConf.select(raw, key)
        if isinstance(value, bool | int | float):
            raise ConfigError(f"{key}={shown(value)}: a list is needed, e.g. '{key}=[SF1,TM3]'")


def check_types(raw: DictConfig) -> None:
    """Refuse a value of another type than its setting's; ``overwrite=no`` is text, for one, and text counts as true.

    Raises:
        ConfigError: names the setting, its value and the type.
    """
    for key, setting in every_setting():
        if key in LISTS:
            continue
        value, kinds = OmegaConf.select(raw, key), get_args(setting.kind) or (setting.kind,)
        if setting.kind is Path:
            kinds = (str,)
        elif key in TEXTS and setting.kind is str:
            kinds = (str, int, float)  # a number may be a name
        fits = isinstance(value, (*kinds, int) if float in kinds else kinds)
        if not fits or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(NAMES[kind] for kind in kinds)
            raise ConfigError(f"{key}={shown(value)}: {names} is needed")
        if isinstance(value, str) and ("\0" in value if key in PATHS else printable(value) != value):
            raise ConfigError(f"{key}={shown(value)}: text of letters that can be shown is needed")
