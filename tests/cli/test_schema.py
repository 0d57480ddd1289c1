"""Settings are said once, in dataclasses: what Hydra composes of them is what it was when files repeated them, and their help is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from audiocycle.build import ADAPTERS, CRITICS, GENERATORS, build_adapter, resolve
from audiocycle.cli.schema import (
    CONSTANTS,
    MODEL,
    Setting,
    adapter_settings,
    arguments_of,
    documented,
    every_setting,
    help_of,
    plain,
    settings_of,
)
from audiocycle.cli.settings import compose_raw, conf_dir, show_config
from audiocycle.cli.settings_page import settings_page

COMPOSED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "composed.json").read_text(encoding="utf-8"))
"""By override: what was composed before files stopped repeating the dataclasses' defaults, not resolved."""
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))
NEEDED = ["data.root=recordings", "data.domains=[anna,ben]"]
PAGE = conf_dir().parent / "docs" / "guides" / "settings.md"


def composed(*overrides: str) -> dict[str, Any]:
    made: Any = OmegaConf.to_container(compose_raw(overrides))
    return made


def leaves(group: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in group.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_every_choice_is_in_the_golden_copy() -> None:
    choices = {f"{path.parent.name}={path.stem}" for path in conf_dir().glob("*/*.yaml")}
    assert set(COMPOSED) == choices | {""}


@pytest.mark.parametrize("override", COMPOSED)
def test_what_is_composed_is_what_it_was(override: str) -> None:
    made, before = composed(*[override] if override else []), deepcopy(COMPOSED[override])
    objective = made.pop("objective")
    assert repr(sorted(objective.items())) == repr(sorted((before.pop("objective") | {"game": "least_squares"}).items())), "values and their types"
    assert json.dumps(made) == json.dumps(before), "keys, their order, values and their types"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_presets_hold_differences_only(experiment: str) -> None:
    said: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "experiment" / f"{experiment}.yaml"))
    built_on = [choice if isinstance(choice, dict) else {"override /experiment": choice} for choice in said.pop("defaults", [])]
    choices = [f"{key.split('/')[1]}={value}" for choice in built_on for key, value in choice.items()]
    defaults = dict(leaves(composed(*choices)))
    assert [key for key, value in leaves(said) if defaults.get(key, ...) == value] == []


def test_configurations_say_nothing_that_the_dataclasses_say() -> None:
    said: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "config.yaml"))
    del said["defaults"], said["hydra"]
    assert all(str(value).startswith(("$", "runs/$")) for _, value in leaves(said))
    for path in (conf_dir() / "adapter").glob("*.yaml"):
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) == {"defaults", "name"}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_constants_of_adapters_are_no_settings(adapter: str) -> None:
    shown = composed(f"adapter={adapter}")["adapter"]
    assert set(shown) == set(adapter_settings(adapter)) - set(CONSTANTS)
    assert build_adapter(shown) == build_adapter({"name": adapter})


@pytest.mark.parametrize("overrides", [[], NEEDED, ["experiment=genre_quick"], ["data.root=a long name " + "of a folder " * 20]], ids=str)
def test_help_is_shown_beside_each_value_and_changes_none(overrides: list[str]) -> None:
    text = show_config(overrides)
    assert yaml.safe_load(text) == yaml.safe_load(OmegaConf.to_yaml(compose_raw(overrides)))
    for name in ("batch_size", "run_dir", "neighbours", "width"):
        line = next(line for line in text.splitlines() if line.strip().startswith(f"{name}:"))
        assert len(line.partition("  # ")[2]) > 5
    assert "  batch_size: 1  # crops of each domain in a step, of all processes together\n" in show_config([])


@settings(max_examples=25)
@given(st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs", "Cc"]), min_size=1))
def test_comments_change_no_text(text: str) -> None:
    overrides = [f"name={text}"]
    assert yaml.safe_load(show_config(overrides)) == yaml.safe_load(OmegaConf.to_yaml(compose_raw(overrides)))


def test_nothing_is_without_help() -> None:
    silent = [key for key, setting in every_setting() if not setting.help]
    for name in ADAPTERS:
        silent += [f"{name}.{key}" for key, setting in adapter_settings(name).items() if not setting.help]
    for what, table in (("generator", GENERATORS), ("critic", CRITICS)):
        silent += [f"{name}.{key}" for name in table for key, s in arguments_of(resolve(table, what, name)).items() if not s.help]
    assert silent == []


def test_help_of_networks_options_is_the_networks() -> None:
    assert "logits" in help_of("model.generator_options.skip", {"generator": "gated_2d"})
    assert help_of("model.generator_options.skip", {"generator": "unet"}) == ""
    assert help_of("model.width", {}) == MODEL["width"].help
    assert help_of("model.generator_options.skip", {"generator": "none"}) == help_of("nothing.at_all", {}) == ""


@dataclass(frozen=True)
class Tea:
    """How tea is made.

    Attributes:
        leaves, water: grams; ``None`` is a handful,
            or :attr:`some.module.Cup.size`.
        sugar: lumps. None by default.

    Raises:
        nobody: that is no field.
    """

    water: int
    leaves: int | None = None
    sugar: int = field(default=2, metadata={"help": "how sweet"})
    guests: tuple[str, ...] = ()
    extras: list[str] = field(default_factory=list)


def test_a_group_is_read_from_a_dataclass() -> None:
    both = "grams; null is a handful, or size"
    assert settings_of(Tea) == {
        "water": Setting(int, "???", both), "leaves": Setting(int | None, None, both), "sugar": Setting(int, 2, "how sweet"),
        "guests": Setting(tuple[str, ...], (), ""), "extras": Setting(list[str], [], ""),
    }  # fmt: skip
    assert documented(Tea.__doc__ or "", "Attributes")["sugar"] == "lumps. null by default."
    assert documented("No section.", "Attributes") == {}
    assert (plain("One thought, e.g. this."), plain("a, b, ...")) == ("One thought, e.g. this", "a, b, ...")


def test_the_page_of_settings_is_up_to_date() -> None:
    if not PAGE.parent.is_dir():
        pytest.skip("an installed package has no documentation")
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "python -m audiocycle.cli.settings_page > docs/guides/settings.md"


def test_the_page_has_every_setting() -> None:
    page = settings_page()
    assert [key for key, _ in every_setting() if f"\n| `{key}` | " not in page] == []
    assert "| `model.generator_options.n_blocks` | whole number | `10` |" in page
