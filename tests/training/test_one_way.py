"""Training and converting one way only, from the first domain to the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from linear_networks import Counting, Parts, numbers
from safetensors.numpy import load_file
from tiny_bundle import exit_code, run_cli, tiny_bundle, vowel
from tiny_trainer import tiny_trainer

from audiocycle.bundles import library
from audiocycle.bundles.format import describe_bundle, load_translator, read_config
from audiocycle.bundles.library import find_for_target
from audiocycle.cli.settings import compose_run
from audiocycle.conversion.converter import Converter
from audiocycle.errors import BundleError, ConfigError, DomainError, TrainingError
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.spec import Direction, Domain, directions
from audiocycle.training.run import train

NO_CYCLE = {"cycle": 0.0, "cycle_adversarial": 0.0}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made") / "tiny", one_way=True)


def test_pairs_begin_with_the_first_domain() -> None:
    a, b, c = domains = [Domain(name) for name in "abc"]
    assert directions(domains[:2]) == (Direction(a, b), Direction(b, a))
    assert directions(domains[:2], one_way=True) == (Direction(a, b),)
    assert directions(domains, one_way=True) == (Direction(a, b), Direction(a, c))
    assert len(directions([Domain(name) for name in "abcd"])) == 12
    assert (str(Direction(a, b)), Direction(a, b).file_stem, Direction(a, b).back) == ("a->b", "a-to-b", Direction(b, a))
    known = Domain("a", {"mean": np.ones(1)}, np.ones(3))
    assert (known, hash(known)) == (a, hash(a)), "a domain is its name, whatever is known of it"


@pytest.mark.parametrize("domains", ["ab", "abc"])
def test_terms_are_those_of_both_ways_without_the_way_back(domains: str) -> None:
    both, one, parts = ObjectiveConfig.of(**NO_CYCLE), ObjectiveConfig.of(**NO_CYCLE, one_way=True), Parts(domains)
    wanted = {f"a->{target}" for target in domains[1:]}
    before = numbers(parts.generator_terms(both)[0] | parts.critic_terms(both))
    parts.translator = counting = Counting(parts.translator)
    after = numbers(parts.generator_terms(one)[0] | parts.critic_terms(one))
    assert after == {name: value for name, value in before.items() if name.split("/")[1] in wanted}
    assert set(counting.calls) == wanted


@pytest.mark.parametrize("settings", [{}, {"cycle": 0.0}, {"cycle_adversarial": 0.0}])
def test_a_cycle_needs_the_way_back(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"objective\.one_way=true: a cycle needs the way back; set objective\.cycle=0"):
        ObjectiveConfig.of(**settings, one_way=True)


def test_scores_go_both_ways(tmp_path: Path) -> None:
    words = ["experiment=genre_guided", f"data.root={tmp_path}", "data.domains=[slow,fast]", "objective.one_way=true"]
    with pytest.raises(ConfigError, match="only voices are trained one way"):
        train(compose_run(words))


def recordings(root: Path) -> Path:
    for name, f0 in (("low", 110.0), ("high", 220.0), ("middle", 160.0)):
        (root / name).mkdir(parents=True)
        for index in range(2):
            soundfile.write(root / name / f"{index}.wav", vowel(3.0 + index, f0=f0), 16000)
    return root


def test_a_training_one_way_learns_keeps_and_converts_that_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ways = tmp_path / "run", ["low->high", "low->middle"]
    words = [
        "experiment=vc2_guided", "objective.guide=0", "objective.one_way=true", f"data.root={recordings(tmp_path / 'data')}", "data.domains=[low,high,middle]",
        f"run_dir={run}", "model.width=0.03", "trainer.crop=64", "trainer.batch_size=2", "data.min_minutes=0.05", "trainer.sample_every=2",
        "trainer.checkpoint_every=2", "trainer.log_every=1",
    ]  # fmt: skip
    made = train(compose_run([*words, "max_steps=2"]))
    assert {name.split(".")[1] for name in load_file(made / "model.safetensors")} == set(ways)
    assert sorted(read_config(made).deviations) == ways
    assert "Converts voice from low to high and middle" in (made / "README.md").read_text()
    terms = json.loads((run / "log.jsonl").read_text().splitlines()[0])
    assert sorted({name.split("/")[1] for name in terms if "->" in name}) == ways
    assert {path.stem for path in (run / "samples/step-00000002").glob("*.png")} == {"low-to-high", "low-to-middle"}
    assert "no sample" not in capsys.readouterr().err

    train(compose_run([*words, "max_steps=3", "resume=true"]))
    with pytest.raises(TrainingError, match=r"has another objective\.one_way"):
        train(compose_run([*words, "max_steps=4", "resume=true", "objective.one_way=false"]))

    source, output = tmp_path / "data/low/0.wav", tmp_path / "out.wav"
    assert exit_code("convert", str(source), "--target", "high", "--model", str(made), "-o", str(output)) == 0
    assert soundfile.info(output).frames == soundfile.info(source).frames

    def unwanted(*_: Any) -> None:
        raise AssertionError("refused before anything is loaded")

    monkeypatch.setattr("audiocycle.conversion.library.batch.convert_jobs", unwanted)
    back = run_cli(capsys, "convert", source, "--target", "low", "--model", made, "-o", tmp_path / "back.wav")
    assert (back.code, back.out) == (1, "")
    assert back.err[-1].startswith("error: model low-high-middle was trained one way, low->high, low->middle; name one of these")


def test_a_training_of_before_goes_both_ways(tmp_path: Path) -> None:
    first = tiny_trainer(tmp_path, settings={"domains": ["a", "b"]}, max_steps=1)
    first.run()
    assert tiny_trainer(tmp_path, settings={"domains": ["a", "b"], "objective.one_way": False}).resume()
    with pytest.raises(TrainingError, match=r"another objective\.one_way"):
        tiny_trainer(tmp_path, settings={"domains": ["a", "b"], "objective.one_way": True}).resume()


def test_only_this_way_is_resolved(bundle: Path) -> None:
    converter = Converter.from_pretrained(bundle)
    resolve = converter.config.resolve
    assert resolve("ben", None) == resolve("ben", "anna") == Direction(Domain("anna"), Domain("ben"))
    for source in (None, "ben"):
        with pytest.raises(DomainError, match="was trained one way, anna->ben"):
            resolve("anna", source)
    with pytest.raises(DomainError, match="it knows: anna, ben"):
        resolve("zoe", None)


def test_among_three_it_goes_from_the_first(tmp_path: Path) -> None:
    config = read_config(tiny_bundle(tmp_path / "three", ("anna", "ben", "cleo"), one_way=True))
    assert config.targets == ["ben", "cleo"]
    assert str(config.resolve("cleo", None)) == "anna->cleo"
    with pytest.raises(DomainError, match="one way, anna->ben, anna->cleo"):
        config.resolve("cleo", "ben")


@pytest.fixture
def installed(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of anna to ben, and of cleo to anna and ben."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(tmp_path / "users"))
    monkeypatch.setattr(library, "__file__", str(tmp_path / "package/bundles/library.py"))
    shutil.copytree(bundle, tmp_path / "users/first")
    tiny_bundle(tmp_path / "users/second", ("cleo", "anna", "ben"), one_way=True)


@pytest.mark.usefixtures("installed")
def test_a_model_is_chosen_for_what_it_converts_to_and_from() -> None:
    def found(*names: str) -> list[str]:
        return [model.path.name for model in find_for_target(*names)]

    assert found("ben") == ["first", "second"]
    assert found("anna") == found("ben", "cleo") == ["second"]
    with pytest.raises(DomainError, match=r"no installed model converts to 'cleo' \(tiny: ben; second: anna, ben\)"):
        find_for_target("cleo")
    with pytest.raises(DomainError, match=r"from 'ben' to 'anna' \(tiny: anna->ben; second: cleo->anna, cleo->ben\)"):
        find_for_target("anna", "ben")


@pytest.mark.usefixtures("installed")
def test_what_the_input_is_taken_for_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    soundfile.write("in.wav", vowel(0.5), 16000)
    told = run_cli(capsys, "convert", "in.wav", "--target", "anna").err
    assert told[0].endswith("second), cleo to anna")


def test_it_is_told_what_the_model_does(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any]) -> None:
    assert describe_bundle(bundle)["directions"] == ["anna->ben"]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bundle, tmp_path / "models/tiny")
    assert "anna->ben " in run_cli(capsys, "models").out
    assert json.loads(run_cli(capsys, "models", "--json").out)[0]["directions"] == ["anna->ben"]


def test_graphs_are_made_and_wanted_for_this_way_only(bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from audiocycle.bundles.export import agreements, export_bundle

    copy = Path(shutil.copytree(bundle, tmp_path / "tiny"))
    assert [path.name for path in export_bundle(copy)] == ["anna-to-ben.onnx"]
    assert {str(found.direction) for found in agreements(copy)} == {"anna->ben"}
    assert str(Converter.from_pretrained(copy, runtime="onnx").config.resolve("ben", None)) == "anna->ben"


def test_only_models_of_one_way_need_a_version_that_knows_of_it(bundle: Path, tmp_path: Path) -> None:
    assert read_config(bundle).format == 2
    assert read_config(tiny_bundle(tmp_path / "both")).format == 1


@pytest.mark.parametrize("value", ["no", None, 1, []])
def test_what_is_neither_true_nor_false_is_refused(tmp_path: Path, value: object) -> None:
    made = tiny_bundle(tmp_path / "odd")
    config = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps(config | {"one_way": value}))
    with pytest.raises(BundleError, match=r"missing or wrong \(one_way\)"):
        read_config(made)


def test_weights_of_both_ways_do_not_fit(tmp_path: Path) -> None:
    both = tiny_bundle(tmp_path / "both")
    config = json.loads((both / "config.json").read_text())
    (both / "config.json").write_text(json.dumps(config | {"one_way": True}))
    with pytest.raises(BundleError, match="weights do not fit"):
        load_translator(both, read_config(both))
