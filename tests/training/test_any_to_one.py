"""From a few seconds of one voice to a model that makes everybody sound like it, and what it makes of odd recordings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file
from small_training import vowel
from tiny_bundle import run_cli

from audiocycle.bundles.format import read_config
from audiocycle.cli.settings import compose_run
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError, DomainError
from audiocycle.spec import FloatArray, Signal
from audiocycle.training.run import train

RATE = 16000
pytestmark = pytest.mark.filterwarnings("ignore:signal. it sounds like noise:audiocycle.errors.AudioCycleWarning")
"""Computed voices do."""


def words(root: Path, run: Path, *more: str) -> list[str]:
    return [
        "experiment=any_to_one", "start=", f"data.root={root}", "data.domains=[low]", f"run_dir={run}", "model.width=0.05", "+model.generator_options.n_blocks=1",
        "data.min_minutes=0.05", "trainer.crop=64", "trainer.batch_size=2", "trainer.checkpoint_every=2", "trainer.sample_every=2", "trainer.log_every=1", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three voices; no test may change them."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("voices")
    for name, f0 in (("low", 110.0), ("high", 220.0), ("middle", 160.0)):
        (root / name).mkdir()
        for index in range(2):
            soundfile.write(root / name / f"{index}.wav", vowel(2.5, f0, seed=index), RATE)
    return root


@pytest.fixture(scope="module")
def trained(voices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a training of two steps."""
    return train(compose_run(words(voices, tmp_path_factory.mktemp("runs") / "run", "data.mixture=[middle]", "max_steps=2")))


def whisper(seconds: float) -> FloatArray:
    """Noise that comes and goes as syllables do."""
    n = round(seconds * RATE)
    return np.asarray(0.05 * np.random.default_rng(3).standard_normal(n) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(n) / RATE)), np.float32)


SOUNDS: dict[str, FloatArray] = {
    "voice": vowel(1.5, 300.0, seed=7),
    "whisper": whisper(1.0),
    "short": vowel(0.3, 150.0),
    "one sample": vowel(0.3, 150.0)[2000:2001],
    "silence": np.zeros(RATE, np.float32),
    "nearly silence": np.full(RATE, 1e-12, np.float32),
    "silence and a click": np.eye(1, RATE, 5000, dtype=np.float32)[0],
}


def test_a_training_from_one_folder_learns_one_network(trained: Path) -> None:
    config = read_config(trained)
    assert (config.any_source, config.domains, config.targets) == (True, ("low",), ["low"])
    assert {name.split(".")[1] for name in load_file(trained / "model.safetensors")} == {"shared"}
    assert list(config.deviations) == ["anyone->low"]
    assert np.shape(config.deviations["anyone->low"]) == (424,)
    run = trained.parent
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert {name for name in lines[0] if "->" in name} == {f"{kind}/anyone->low" for kind in ("identity", "adversarial", "feature_matching", "critic")}
    assert all(np.isfinite(value) for line in lines for name, value in line.items() if "->" in name)
    samples = {path.name for path in (run / "samples" / "step-00000002").iterdir()}
    assert samples >= {"anyone.wav", "anyone-to-low.wav", "anyone-to-low.png"}


def test_it_goes_on_where_it_was_stopped_bit_for_bit(voices: Path, tmp_path: Path) -> None:
    """Dropout and spectral norms included."""
    cache = f"data.cache={tmp_path / 'cache'}"
    quiet = ["trainer.sample_every=0", cache]
    whole = train(compose_run(words(voices, tmp_path / "whole", "max_steps=4", *quiet)))
    for steps in (2, 4):
        parts = train(compose_run(words(voices, tmp_path / "parts", f"max_steps={steps}", "resume=true", *quiet)))
    assert (whole / "model.safetensors").read_bytes() == (parts / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def enough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two voices of six recordings, of which one each is held out; no test may change them."""
    root = tmp_path_factory.mktemp("enough")
    for name, f0 in (("low", 110.0), ("high", 220.0)):
        (root / name).mkdir()
        for index in range(6):
            soundfile.write(root / name / f"{index}.wav", vowel(1.5, f0, seed=index), RATE)
    return root


CHOOSING = ["trainer.validate_every=2", "trainer.patience=0", "trainer.sample_every=0", "trainer.average=0"]


def logged(run: Path) -> dict[int, dict[str, float]]:
    """Measures of held-out recordings by step."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return {line["step"]: {k.removeprefix("held_out/"): v for k, v in line.items() if "held_out/" in k} for line in lines if "held_out/score" in line}


def test_the_bundle_is_of_the_step_that_held_out_recordings_like_best(enough: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rate at which nothing can be learned makes every later step worse than the first."""
    train(compose_run(words(enough, tmp_path / "wild", *CHOOSING, "max_steps=4", "trainer.lr=0.3", "trainer.max_gradient_norm=1")))
    measures = logged(tmp_path / "wild")
    assert sorted(measures) == [0, 2, 4]
    best = max(measures, key=lambda step: measures[step]["score"])
    assert best < 4
    said = read_config(tmp_path / "wild" / "bundle").training
    assert (said["steps"], said["step"]) == (4, best)
    assert f"step {best} of 4 was best on held-out recordings" in capsys.readouterr().err
    assert (tmp_path / "wild" / "held_out.png").read_bytes().startswith(b"\x89PNG")
    state = torch.load(tmp_path / "wild" / "checkpoints" / "step-00000004.pt", weights_only=True)
    kept = load_file(tmp_path / "wild" / "bundle" / "model.safetensors")
    for name, weights in kept.items():
        np.testing.assert_allclose(weights, state["choice"]["weights"][name].numpy(), rtol=1e-2, atol=1e-3, err_msg=name)
    assert any(not np.allclose(weights, state["translator"][name].numpy(), rtol=1e-2, atol=1e-3) for name, weights in kept.items())


def test_the_choice_goes_on_where_it_was_stopped(enough: Path, tmp_path: Path) -> None:
    cache = f"data.cache={tmp_path / 'cache'}"
    train(compose_run(words(enough, tmp_path / "whole", *CHOOSING, cache, "max_steps=5")))
    for steps in (3, 5):
        train(compose_run(words(enough, tmp_path / "parts", *CHOOSING, cache, f"max_steps={steps}", "resume=true")))
    whole, parts = logged(tmp_path / "whole"), logged(tmp_path / "parts")
    assert sorted(whole) == [0, 2, 4, 5]
    assert {step: parts[step] for step in whole} == whole
    assert read_config(tmp_path / "whole" / "bundle").training["step"] == max(whole, key=lambda step: whole[step]["score"])


def test_held_out_recordings_are_not_learned_from_and_each_target_has_its_own(enough: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = ["data.domains=[low,high]", "max_steps=1", *CHOOSING]
    train(compose_run(words(enough, tmp_path / "run", *both)))
    told = capsys.readouterr().err
    assert "low: 1 of 6 files are held out" in told
    assert "high: 1 of 6 files are held out" in told
    assert read_config(tmp_path / "run" / "bundle").training["material"] == "low 0.1 minutes, high 0.1 minutes"
    measures = logged(tmp_path / "run")[1]
    assert measures["words"] == pytest.approx((measures["words/anyone->low"] + measures["words/anyone->high"]) / 2, abs=1e-5)


def test_of_few_recordings_none_is_held_out_and_that_is_told(voices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = train(compose_run(words(voices, tmp_path / "run", *CHOOSING, "max_steps=2")))
    assert "low: 2 files, too few to hold some out" in capsys.readouterr().err
    assert not logged(tmp_path / "run")
    assert "step" not in read_config(made).training
    assert not (tmp_path / "run" / "held_out.png").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["adapter=mel"], "data.held_out=0.1: nothing measures such features while they train; set it to 0"),
        (["objective.paired=true"], "data.held_out=0.1: counterparts are not held out; set it to 0"),
        (["data.held_out=0.9"], "data.held_out=0.9: choose a number from 0 to 0.5"),
    ],
)
def test_what_cannot_be_held_out_is_refused(enough: Path, tmp_path: Path, more: list[str], said: str) -> None:
    settings = ["experiment=vc2_quick", f"data.root={enough}", "data.domains=[low,high]", f"run_dir={tmp_path / 'run'}", "data.held_out=0.1"]
    with pytest.raises(ConfigError, match=re.escape(said)):
        train(compose_run([*settings, *more]))


def test_several_targets_have_one_network(voices: Path, tmp_path: Path) -> None:
    made = train(compose_run(words(voices, tmp_path / "run", "data.domains=[low,high]", "max_steps=1", "trainer.sample_every=0")))
    converter = Converter.from_pretrained(made)
    sounds = [converter(Signal(SOUNDS["voice"], RATE), name).samples for name in ("low", "high")]
    assert np.abs(sounds[0] - sounds[1]).max() > 0.01
    assert {name.split(".")[1] for name in load_file(made / "model.safetensors")} == {"shared"}


@pytest.mark.filterwarnings("ignore:signal. (holds nothing above|holds only digital silence|nothing in it has a pitch|shorter than 1 s):audiocycle.errors.AudioCycleWarning")
@pytest.mark.parametrize("kind", list(SOUNDS))
def test_anybody_and_anything_is_converted(trained: Path, kind: str) -> None:
    samples = SOUNDS[kind]
    made = Converter.from_pretrained(trained, runtime="torch")(Signal(samples, RATE), "low").samples
    assert made.shape == samples.shape
    assert np.isfinite(made).all()
    if kind in ("voice", "whisper", "short"):
        assert np.square(made).mean() == pytest.approx(np.square(samples).mean(), rel=0.1)
    elif kind == "silence":
        assert not made.any()


def test_what_comes_after_silence_is_converted(trained: Path) -> None:
    samples = np.concatenate([np.full(31 * RATE, 1e-9, np.float32), SOUNDS["voice"]])
    made = Converter.from_pretrained(trained, runtime="torch")(Signal(samples, RATE), "low").samples
    assert np.isfinite(made).all()
    assert np.square(made[31 * RATE :]).mean() == pytest.approx(np.square(SOUNDS["voice"]).mean(), rel=0.1)


def test_a_recording_does_not_depend_on_the_one_before(trained: Path) -> None:
    converter = Converter.from_pretrained(trained, runtime="torch")
    first = converter(Signal(SOUNDS["voice"], RATE), "low").samples
    converter(Signal(vowel(1.0, 90.0), RATE), "low")
    np.testing.assert_array_equal(converter(Signal(SOUNDS["voice"], RATE), "low").samples, first)


def test_no_source_is_needed_and_none_is_taken(trained: Path, voices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    converter = Converter.from_pretrained(trained, runtime="torch")
    for source in ("low", "high", "zoe"):
        with pytest.raises(DomainError, match="converts everybody; leave `source` out"):
            converter.translation("low", source)
        with pytest.raises(DomainError, match="converts everybody; leave `source` out"):
            converter.convert_file(voices / "high" / "0.wav", tmp_path / "out.wav", "low", source)
    with pytest.raises(DomainError, match="it knows: low"):
        converter.translation("high")
    assert list(tmp_path.iterdir()) == []
    done = run_cli(capsys, "convert", voices / "high" / "0.wav", "--target", "low", "--model", trained, "-o", tmp_path / "out.wav")
    assert done.code == 0
    assert soundfile.info(tmp_path / "out.wav").frames == soundfile.info(voices / "high" / "0.wav").frames


def test_a_graph_converts_as_torch_does(trained: Path, voices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    done = run_cli(capsys, "export", trained)
    assert done.code == 0
    assert re.search(r"anyone -> low +onnx fp32 +largest error", done.out)
    made = {runtime: Converter.from_pretrained(trained, runtime=runtime, precision="fp32") for runtime in ("torch", "onnx")}
    encoded = made["torch"].adapter.analyze(SOUNDS["voice"])
    features = [converter.translation("low")(encoded).features for converter in made.values()]
    np.testing.assert_allclose(features[0], features[1], atol=1e-3)
    for runtime, converter in made.items():
        converter.convert_file(voices / "high" / "0.wav", tmp_path / f"{runtime}.wav", "low")
    sounds = [soundfile.read(tmp_path / f"{runtime}.wav")[0] for runtime in made]
    np.testing.assert_allclose(sounds[0], sounds[1], atol=2e-3)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["data.domains=[anyone]"], "anyone is everybody, and no target"),
        (["data.domains=[low,low]"], "name two different folders"),
        (["data.mixture=[low]"], "name each folder once"),
        (["objective.cycle=1"], "there is no way back for a cycle; set objective.cycle=0"),
        (["objective.cycle=1", "objective.cycle_adversarial=1"], "set objective.cycle=0 and objective.cycle_adversarial=0"),
        (["objective.one_way=true"], "leave objective.one_way, objective.paired and objective.mixture out"),
        (["objective.mixture=partial"], "leave objective.one_way, objective.paired and objective.mixture out"),
        (["model=gated_1d"], "adapter=content goes with model=content"),
        (["adapter=world", "data.domains=[low,high]"], "adapter=content goes with model=content"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_analysed(voices: Path, tmp_path: Path, more: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        train(compose_run(words(voices, tmp_path / "run", *more)))
    assert not (tmp_path / "run" / "features").exists()
