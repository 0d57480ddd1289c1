"""Settings: every shipped configuration composes, and a mistake costs one line that names it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from audiocycle.build import build_adapter, build_critic, build_translator
from audiocycle.cli.settings import compose_raw, compose_run, conf_dir, in_quotes, quoted, show_config
from audiocycle.errors import ConfigError
from audiocycle.objectives.config import ObjectiveConfig, objective_settings
from audiocycle.spec import Domain, FeatureSpec
from audiocycle.training.run import crop_length
from audiocycle.training.trainer import TrainerConfig

NEEDED = ["data.root=recordings", "data.domains=[anna,ben]"]
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))
MODELS = sorted(path.stem for path in (conf_dir() / "model").glob("*.yaml"))
ADAPTERS = sorted(path.stem for path in (conf_dir() / "adapter").glob("*.yaml"))
VC2 = {
    "batch_size": 1, "lr": 2e-4, "beta1": 0.5, "constant_steps": 200_000, "decay_steps": 200_000, "identity_steps": 10_000,
    "pool_size": 0, "average": 0.0,
}  # fmt: skip


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compose_run(overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes(experiment: str) -> None:
    run = compose_run([*NEEDED, f"experiment={experiment}"])
    assert run.trainer.last_step > 0
    assert build_adapter(run.adapter).spec.shape


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_setting_of_an_experiment_arrives(experiment: str) -> None:
    said = OmegaConf.to_container(OmegaConf.load(conf_dir() / "experiment" / f"{experiment}.yaml"))
    composed = OmegaConf.to_container(compose_raw([*NEEDED, f"experiment={experiment}"]), resolve=True)
    assert isinstance(said, dict)
    assert isinstance(composed, dict)
    for group, settings in said.items():
        if group != "defaults":
            assert composed[group] == (composed[group] | settings if isinstance(settings, dict) else settings)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_built(model: str) -> None:
    run = compose_run([*NEEDED, f"model={model}", "model.width=0.01"])
    spec = build_adapter({"name": "content"}).spec if model == "content" else FeatureSpec("voice", (8,), 200.0)
    assert build_translator(run.model, run.directions, spec) is not None
    assert build_critic(run.model, list(map(Domain, run.domains))) is not None


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_can_be_built_and_its_defaults_are_the_classs(adapter: str) -> None:
    run = compose_run([*NEEDED, f"adapter={adapter}"])
    assert build_adapter(run.adapter) == build_adapter({"name": run.adapter["name"]})


def test_paths_experiment_is_the_published_training() -> None:
    run = compose_run([*NEEDED, "experiment=vc2"])
    assert {key: getattr(run.trainer, key) for key in VC2} == VC2
    assert run.trainer.critic_lr == 1e-4
    assert run.objective == ObjectiveConfig.of(adversarial=1, cycle_adversarial=1, cycle=10, identity=5)
    assert crop_length(run.trainer.crop, build_adapter(run.adapter).spec.window) == 128
    assert run.model["width"] == 1.0


def test_genre_experiment_is_the_published_training_of_music() -> None:
    run = compose_run([*NEEDED, "experiment=genre"])
    published = ObjectiveConfig.of(adversarial=1, cycle_adversarial=0, cycle=10, identity=0, critic_noise=1)
    assert run.objective == published
    assert {key: getattr(run.trainer, key) for key in ("batch_size", "lr", "critic_lr", "beta1")} == {
        "batch_size": 16, "lr": 2e-4, "critic_lr": 2e-4, "beta1": 0.5,
    }  # fmt: skip
    assert crop_length(run.trainer.crop, build_adapter(run.adapter).spec.window) == 64


def test_pairs_experiment_trains_on_pairs() -> None:
    run = compose_run([*NEEDED, "experiment=pairs"])
    assert run.objective.paired
    assert run.model["generator"] == "gated_2d"
    assert compose_run([*NEEDED, "experiment=pairs", "model=resnet"]).model["generator"] == "resnet"


def test_yaml_defaults_are_the_dataclasses_defaults() -> None:
    run = compose_run(NEEDED)
    assert run.objective == ObjectiveConfig()
    assert run.trainer == TrainerConfig()


def test_every_setting_of_trainer_and_objective_can_be_seen() -> None:
    shown = OmegaConf.create(show_config(NEEDED))
    top = {"max_steps", "max_minutes", "seed"}
    assert set(shown.trainer) | top == {field.name for field in fields(TrainerConfig)}
    assert set(shown.objective) == set(objective_settings())


def test_run_is_named_after_its_domains() -> None:
    run = compose_run(NEEDED)
    assert (run.domains, run.name) == (("anna", "ben"), "anna-ben")
    assert run.run_dir == Path("runs/anna-ben")
    assert run.cache == Path("runs/anna-ben/features")
    assert compose_run([*NEEDED, "run_dir=elsewhere"]).cache == Path("elsewhere/features")


@pytest.mark.parametrize(
    "path",
    [
        "/a b/My Voices (2024)",
        "C:\\voices\\",
        "it's/{here},[x]=1",
        "5",
        "'quoted (by hand)'",
        "$HOME/#1 & more",
    ],
)
def test_paths_may_hold_anything(path: str) -> None:
    run = compose_run([f"data.root={path}", f"run_dir={path}", NEEDED[1]])
    assert run.data_root == run.run_dir == Path(path.strip("'"))


def test_home_is_found_and_three_domains_and_numbers_are_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = compose_run(["data.root=~/voices", "data.domains=[p225,226,anna]"])
    assert run.data_root == tmp_path / "voices"
    assert run.domains == ("p225", "226", "anna")


@pytest.mark.parametrize("written", ["[José,ben]", "[ José , ben ]", "['José',\"ben\"]", f"[{normalize('NFD', 'José')},ben]"])
def test_names_are_text_in_any_script_and_reach_no_grammar(written: str) -> None:
    run = compose_run(["data.root=recordings", f"data.domains={written}"])
    assert run.domains == ("José", "ben")
    assert run.run_dir == Path("runs/José-ben")


@pytest.mark.parametrize("name", ["さくら", "नेहा", "علی‌رضا", "1_0", "true", "null", "1e3", "0x10", "inf", "two words", "_a", "x²", "5"])
def test_a_name_stays_the_text_that_it_is(name: str) -> None:
    extra = ["objective.mixture=full", f"data.mixture=[{name}]"]
    assert compose_run(["data.root=r", f"data.domains=[{name},ben]"]).domains == (name, "ben")
    assert compose_run(["data.root=r", "data.domains=[anna,ben]", *extra]).mixture == (name,)


@given(st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs"]) | st.sampled_from("\\'\"[]=, ")))
def test_any_text_comes_back_out_of_its_quotes(text: str) -> None:
    if not any(ord(char) < 32 for char in text):
        assert OverridesParser.create().parse_override(f"run_dir={in_quotes(text)}").value() == text


def test_sentences_are_text(tmp_path: Path) -> None:
    run = compose_run([*NEEDED, "name=José's voice, take (1)", "licence=CC BY-SA 4.0 (Ünal & sons)", "guide.recognizer=/models/ç, x"])
    assert (run.name, run.licence) == ("José's voice, take (1)", "CC BY-SA 4.0 (Ünal & sons)")
    assert run.guide.recognizer == "/models/ç, x"


def test_lists_may_still_be_made_by_functions_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "José")
    assert compose_run(["data.root=r", "data.domains=[${oc.env:WHO},ben]"]).domains == ("José", "ben")
    assert quoted("data.domains=choice([José,b],[c,1_0])") == "data.domains=choice(['José','b'],['c','1_0'])"
    assert quoted("data.domains=[a,b],[c,d]") == "data.domains=['a','b'],['c','d']"
    assert quoted("data.mixture=null") == "data.mixture=null"
    assert quoted("+data.domains=[é]") == "+data.domains=['é']"


OVERRIDES: dict[str, tuple[str, Any]] = {
    "max_steps=7": ("max_steps", 7),
    "max_minutes=0.5": ("max_minutes", 0.5),
    "max_minutes=3": ("max_minutes", 3),
    "seed=5": ("seed", 5),
    "trainer.lr=5e-4": ("lr", 5e-4),
    "trainer.lr=1": ("lr", 1),
    "trainer.critic_lr=null": ("critic_lr", None),
    "trainer.identity_steps=null": ("identity_steps", None),
    "trainer.precision=bf16": ("precision", "bf16"),
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_overrides_reach_the_trainer(override: str) -> None:
    name, value = OVERRIDES[override]
    assert getattr(compose_run([*NEEDED, override]).trainer, name) == value


@pytest.mark.parametrize("given", [[], NEEDED[:1], NEEDED[1:], [NEEDED[0], "data.domains=null"]], ids=str)
def test_what_must_be_set_is_named_with_an_example(given: list[str]) -> None:
    message = refusal(*given)
    assert message.startswith("not set: data.")
    assert "audiocycle train experiment=vc2_guided data.root=DIR" in message
    for override in given:
        if "null" not in override:
            assert override.split("=")[0] not in message.split(";")[0]


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("trainer.batch=3", "trainer.batch"),
        ("+trainer.batch=3", "batch"),
        ("traner.lr=3", "traner"),
        ("experiment=vc9", "vc2_quick"),
        ("adapter=nope", "world"),
        ("adapter=5", "Got int"),
        ("trainer.batch_size=many", "trainer.batch_size=many: a whole number is needed"),
        ("trainer.batch_size=1.5", "trainer.batch_size=1.5: a whole number is needed"),
        ("trainer.batch_size=true", "trainer.batch_size=True: a whole number is needed"),
        ("trainer.batch_size=null", "trainer.batch_size=None: a whole number is needed"),
        ("trainer.batch_size=0", "trainer.batch_size=0: choose a whole number from 1 to 65536"),
        ("trainer.lr=fast", "trainer.lr=fast: a number is needed"),
        ("trainer.critic_lr=slow", "trainer.critic_lr=slow: a number or null is needed"),
        ("trainer.precision=fp16", "trainer.precision=fp16: choose one of auto, bf16, fp32"),
        ("trainer=5", "trainer=5: settings by name are needed"),
        ("objective.cycle=ten", "objective.cycle=ten: a number is needed"),
        ("objective.cycle=-1", "objective.cycle=-1: choose a number from 0 to 1e+09"),
        ("objective=null", "objective=None: settings by name are needed"),
        ("+model.generator_options=2", "model.generator_options=2: options by name are needed"),
        ("~adapter", "adapter=None: settings by name are needed"),
        ("model=[null]", "cannot be put together"),
        ("data.domains=5", "data.domains=5: a list is needed"),
        ("trainer.beta1=nan", "trainer.beta1=nan: choose a number from 0 to"),
        ("trainer.beta2=1", "trainer.beta2=1: choose a number from 0 to 0.999999"),
        ("trainer.lr=inf", "trainer.lr=inf: choose a number"),
        ("trainer.pool_size=-1", "trainer.pool_size=-1: choose a whole number from 0"),
        ("trainer.sample_every=-1", "trainer.sample_every=-1: choose a whole number from 0"),
        ("trainer.batch_size=2147483648", "trainer.batch_size=2147483648: choose a whole number from 1"),
        ("trainer.decay_steps=-3", "trainer.decay_steps=-3: choose a whole number from 0"),
        ("seed=-1", "seed=-1: choose a whole number from 0"),
        ("max_minutes=nan", "max_minutes=nan: choose a number from 0"),
        ("objective.cycle=nan", "objective.cycle=nan: choose a number from 0"),
        ("data.jobs=-1", "data.jobs=-1: choose a whole number from 0"),
        ("data.min_minutes=nan", "data.min_minutes=nan: choose a number from 0"),
        ("guide.neighbours=0", "guide.neighbours=0: choose a whole number from 1"),
        ("trainer.device='\x1b]0;a\x07'", "text of letters that can be shown"),
        ("run_dir=a\0b", "a\\x00b"),
        ("trainer.lr=${trainer.lr}", "trainer.lr"),
        ("trainer.lr=${nope}", "nope"),
        ("max_steps=soon", "max_steps=soon: a whole number or null is needed"),
        ("max_minutes=soon", "max_minutes=soon: a number or null is needed"),
        ("seed=null", "seed=None: a whole number is needed"),
        ("data.jobs=all", "data.jobs=all: a whole number is needed"),
        ("data.domains=anna", "data.domains=anna: a list is needed"),
        ("data.domains=[anna]", "name two different folders"),
        ("data.domains=[anna,anna]", "name two different folders"),
        ("data.domains=[anna,../ben]", "'../ben' may hold letters"),
        ("overwrite=no", "overwrite=no: true or false is needed"),
        ("resume=1", "resume=1: true or false is needed"),
        ("run_dir=null", "run_dir=None: text is needed"),
        ("a b", "a b"),
        ("=3", "Got int"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(override: str, part: str) -> None:
    assert part in refusal(*NEEDED, override)


def test_a_refusal_leaves_the_next_composition_alone() -> None:
    refusal(*NEEDED, "trainer.lr=fast")
    assert compose_run(NEEDED).trainer.lr == 2e-4
