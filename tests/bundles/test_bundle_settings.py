"""Strangers' bundles: every setting, statistic and weight is held to its limits before anything is built of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_bundle import tiny_bundle, tiny_music_bundle, vowel

import audiocycle
from audiocycle.bundles.format import (
    CONFIG,
    MAX_DOMAINS,
    WEIGHTS,
    check_settings,
    check_statistics,
    describe_bundle,
    read_config,
)
from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleWarning, BundleError
from audiocycle.spec import Signal

PRETRAINED = sorted(path.parent for path in (Path(audiocycle.__file__).parent / "pretrained").glob(f"*/{CONFIG}"))
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("made")
    return {
        "world": tiny_bundle(folder / "world"),
        "mel": tiny_bundle(folder / "mel", adapter={"name": "mel"}),
        "music": tiny_music_bundle(folder / "music"),
    }


@pytest.fixture
def copy(made: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """``copy("world", change)``: a bundle of a kind whose settings were changed."""

    def make(kind: str, change: Change = lambda raw: None) -> Path:
        bundle = tmp_path / "bundle"
        shutil.copytree(made[kind], bundle)
        raw = json.loads((bundle / CONFIG).read_text(encoding="utf-8"))
        change(raw)
        (bundle / CONFIG).write_text(json.dumps(raw), encoding="utf-8")
        return bundle

    return make


def refusal(bundle: Path, runtime: str = "torch") -> str:
    """The one line with which a bundle is refused."""
    with pytest.raises(BundleError) as caught:
        Converter.from_pretrained(bundle, runtime=runtime)
    message = str(caught.value)
    assert message.startswith(str(bundle))
    assert message.isprintable()
    return message


@pytest.mark.parametrize("bundle", PRETRAINED, ids=lambda path: path.name)
def test_bundled_models_are_within_all_limits(bundle: Path) -> None:
    config = read_config(bundle)
    check_settings(bundle, config)
    check_statistics(bundle, config)
    assert describe_bundle(bundle)["parameters"] > 10**5


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("world", {"n_mcep": 600}, "n_mcep=600: choose a whole number from 2 to 128"),
        ("world", {"n_mcep": 128, "f0_floor": 300.0}, "n_mcep=128: choose 64 or fewer at this sample_rate and f0_floor"),
        ("world", {"f0_floor": 1e-6}, "f0_floor=1e-06: choose a number from 40 to 300"),
        ("world", {"f0_floor": 300.0, "f0_ceil": 500.0}, "f0_ceil=500: must be an octave above f0_floor=300"),
        ("world", {"f0_ceil": 8000.0}, "f0_ceil"),
        ("world", {"sample_rate": 10**9}, "sample_rate=1000000000: choose a whole number from 16000 to 96000"),
        ("world", {"sample_rate": True}, "sample_rate"),
        ("world", {"sample_rate": 16000.0}, "sample_rate"),
        ("world", {"frame_period": 1e-9}, "frame_period=1e-09: choose a number from 1 to 20"),
        ("world", {"frame_period": 1.0, "sample_rate": 96000}, "would need 16.4 MB for each second of sound"),
        ("world", {"keep_energy": 1}, "keep_energy"),
        ("world", {"f0_method": ["dio"]}, "f0_method"),
        ("world", {"analysis": 3}, "no option analysis"),
        ("mel", {"n_mels": 10**6}, "n_mels=1000000"),
        ("mel", {"hop_length": 1}, "hop_length=1"),
        ("mel", {"hop_length": 8}, "would need 11.3 MB for each second of sound"),
        ("mel", {"n_fft": 2**30, "win_length": 1024}, "n_fft=1073741824"),
        ("mel", {"n_fft": 32, "win_length": 32, "hop_length": 16}, "n_mels=80: choose 17 or fewer"),
        ("mel", {"floor": 1e-300}, "floor"),
        ("mel", {"sample_rate": 10**9}, "sample_rate"),
        ("music", {"bars": 10_000}, "bars=10000: choose a whole number from 1 to 32"),
        ("music", {"grid": "quintuplet"}, "grid=quintuplet: choose one of straight, triplet"),
        ("music", {"transpose": 10**9}, "transpose"),
        ("music", {"velocity_range": 2.0}, "velocity_range"),
    ],
)  # fmt: skip
def test_settings_of_adapters_have_limits(copy: Callable[..., Path], kind: str, settings: dict[str, Any], said: str) -> None:
    assert said in refusal(copy(kind, lambda raw: raw["adapter"].update(settings)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 30}, "width=30: choose a number from 0.00390625 to 16"),
        ({"width": 16.0}, "GB of weights, and the limit is 2"),
        ({"width": "wide"}, "width=wide must be of type float"),
        ({"generator_options": {"n_blocks": 10**6}}, "n_blocks=1000000"),
        ({"generator_options": {"n_blocks": True}}, "n_blocks=True"),
        ({"generator_options": None}, "generator_options=None"),
        ({"generator": "gated_1d", "generator_options": {"n_blocks": 1}}, "weights do not fit config.json (generators.anna->ben."),
    ],
)
def test_settings_of_networks_have_limits(copy: Callable[..., Path], settings: dict[str, Any], said: str) -> None:
    assert said in refusal(copy("world", lambda raw: raw["model"].update(settings)))


@pytest.mark.parametrize(
    ("kind", "statistics", "said"),
    [
        ("world", {"std": [[0.0]] * 36}, "std among its statistics must be from 0.0001 to 50.0"),
        ("world", {"std": [[1e9]] * 36}, "std"),
        ("world", {"mean": [[1e12]] * 36}, "mean"),
        ("world", {"mean": [[0.0]] * 35}, "has the shape (35, 1), where (36, 1) belongs"),
        ("world", {"mean": [0.0] * 36}, "has the shape (36,)"),
        ("world", {"log_f0": [9.0, 0.2]}, "log_f0"),
        ("world", {"log_f0": [5.0, -0.2]}, "log_f0"),
        ("world", {"more": [0] * 5000}, "more among its statistics is unknown, and has 5000 numbers"),
        ("music", {"programs": [0.0, 300.0, 1.0]}, "programs"),
        ("music", {"onsets": [-1.0, 2.0]}, "onsets"),
    ],
)
def test_statistics_have_limits(copy: Callable[..., Path], kind: str, statistics: dict[str, Any], said: str) -> None:
    message = refusal(copy(kind, lambda raw: raw["stats"][raw["domains"][1]].update(statistics)))
    assert said in message
    assert message.endswith("copy the bundle again")


def test_a_statistic_of_a_newer_version_is_passed_over(copy: Callable[..., Path]) -> None:
    Converter.from_pretrained(copy("world", lambda raw: raw["stats"]["ben"].update(highest=[[0.0]] * 36)), runtime="torch")


@pytest.mark.parametrize("value", [[1.0], [[1.0]] * 36, [1e9] * 36, ["x"], {"a": 1}], ids=lambda value: str(value)[:20])
def test_deviations_have_limits(copy: Callable[..., Path], value: object) -> None:
    assert "deviations" in refusal(copy("world", lambda raw: raw.update(deviations={"anna->ben": value})))


def rename(new: str) -> Change:
    def change(raw: dict[str, Any]) -> None:
        raw["domains"][1] = new
        raw["stats"][new] = raw["stats"]["ben"]

    return change


@pytest.mark.parametrize("name", ["/elsewhere/a", "../a", "..", "a/b", "a\x1b]0;x\x07", "a\nb", "\u202eanna", "", " ", "-o", "a.b", "a->b", "x" * 300, "a\x00b", "e\u0301va", "anna"])
def test_domains_are_named_as_strictly_as_in_training(copy: Callable[..., Path], name: str) -> None:
    bundle = copy("world", rename(name))
    for read in (read_config, describe_bundle):
        with pytest.raises(BundleError) as caught:
            read(bundle)
        assert str(caught.value).isprintable()
        assert "domains: " in str(caught.value)


@pytest.mark.parametrize("name", ["José", "さくら", "नेहा", "two words", "78"])
def test_names_of_any_script_are_names(copy: Callable[..., Path], name: str) -> None:
    assert read_config(copy("world", rename(name))).domains == ("anna", name)


@pytest.mark.parametrize("names", [["anna"], [], [1, 2], [f"n{i}" for i in range(MAX_DOMAINS + 1)], [f"n{i}" for i in range(4000)]], ids=len)
def test_there_are_two_domains_or_some_more(copy: Callable[..., Path], names: list[Any]) -> None:
    bundle = copy("world", lambda raw: raw.update(domains=names, stats={str(name): {} for name in names}))
    with pytest.raises(BundleError, match="domains: there must be 2 to 32 names"):
        describe_bundle(bundle)


@pytest.mark.parametrize("key", ["name", "licence"])
def test_texts_have_an_end(copy: Callable[..., Path], key: str) -> None:
    with pytest.raises(BundleError, match=f"settings are missing or wrong \\({key}\\)"):
        read_config(copy("world", lambda raw: raw.update({key: "x" * 300})))


@pytest.mark.parametrize("key", ["licence", "training", "deviations", "one_way", "any_source", "audiocycle"])
def test_settings_that_not_every_bundle_has_are_of_their_kind(copy: Callable[..., Path], key: str) -> None:
    with pytest.raises(BundleError, match=f"settings are missing or wrong \\({key}\\)"):
        read_config(copy("world", lambda raw: raw.update({key: 5})))


def test_an_adapter_of_another_modality_is_refused(copy: Callable[..., Path]) -> None:
    assert "modality=music: its adapter is one for voice" in refusal(copy("world", lambda raw: raw.update(modality="music")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x.double(), "holds numbers of kind F64"),
        (lambda x: x.to(torch.int8), "holds numbers of kind I8"),
        (lambda x: x[None], "where"),
    ],
    ids=["kind", "whole numbers", "shape"],
)
def test_weights_of_other_kinds_and_shapes_are_refused(copy: Callable[..., Path], change: Callable[[Any], Any], said: str) -> None:
    bundle = copy("world")
    weights = load_file(bundle / WEIGHTS)
    save_file({name: change(tensor).contiguous() for name, tensor in weights.items()}, bundle / WEIGHTS)
    assert said in refusal(bundle)


def test_weights_that_would_fill_the_memory_are_not_read(copy: Callable[..., Path]) -> None:
    bundle = copy("world")
    n = 10**9
    head = json.dumps({"generators.anna->ben.inlet.0.weight": {"dtype": "F16", "shape": [n], "data_offsets": [0, 2 * n]}}).encode()
    (bundle / WEIGHTS).write_bytes(len(head).to_bytes(8, "little") + head)
    os.truncate(bundle / WEIGHTS, 8 + len(head) + 2 * n)  # takes no room on the disk
    assert "would take 4 GB of memory, and the limit is 2" in refusal(bundle)
    assert "would take 4 GB" in refusal(bundle, runtime="auto")


def test_an_index_of_weights_has_an_end(copy: Callable[..., Path]) -> None:
    bundle = copy("world")
    (bundle / WEIGHTS).write_bytes((90_000_000).to_bytes(8, "little") + b"{")
    os.truncate(bundle / WEIGHTS, 100_000_000)
    assert "its index is longer than 10 MB" in refusal(bundle)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("part", [CONFIG, WEIGHTS])
@pytest.mark.parametrize("place", ["pipe", "/dev/zero", "."])
def test_pipes_and_devices_are_not_read(copy: Callable[..., Path], part: str, place: str) -> None:
    bundle = copy("world")
    (bundle / part).unlink()
    if place == "pipe":
        os.mkfifo(bundle / part)
    else:
        (bundle / part).symlink_to(place)
    assert "no regular file" in refusal(bundle)
    with pytest.raises(BundleError, match="no regular file"):
        describe_bundle(bundle)


def test_weights_are_no_view_of_the_file(copy: Callable[..., Path]) -> None:
    from audiocycle.bundles.format import load_translator

    bundle = copy("world")
    weights = {name: tensor.float() for name, tensor in load_file(bundle / WEIGHTS).items()}
    save_file(weights, bundle / WEIGHTS)
    loaded = load_translator(bundle, read_config(bundle))
    (bundle / WEIGHTS).write_bytes(bytes(8))
    for name, tensor in loaded.state_dict().items():
        torch.testing.assert_close(tensor, weights[name], rtol=0, atol=0)


NUMBERS = {"infinite": float("inf"), "NaN": float("nan"), "huge": 100.0}


@pytest.mark.parametrize("kind", list(NUMBERS))
@pytest.mark.parametrize("modality", ["world", "music"])
def test_weights_that_make_nonsense_are_told(copy: Callable[..., Path], modality: str, kind: str) -> None:
    """A network's last layer, or what a graph gives, times something."""
    converter = Converter.from_pretrained(copy(modality), runtime="torch")
    inner = converter.network

    class Times:
        def __call__(self, batch: Any, direction: Any) -> Any:
            made = inner(batch, direction)
            return made * np.float32(NUMBERS[kind]) if kind != "huge" else (batch + 1.0) * np.float32(NUMBERS[kind])

        prepare = staticmethod(lambda direction: None)

    converter.network = Times()  # type: ignore[assignment]
    features = np.ones((*converter.adapter.spec.shape, 200), np.float32)
    features[..., ::3] = 0.5
    first = converter.config.directions[0]
    direction = converter.config.direction(first.source.name, first.target.name)
    with np.errstate(all="ignore"), pytest.raises(BundleError, match=r"NaN or infinite features|absurd features"):
        converter.translate_features(features, direction)


def test_a_network_that_gives_other_shapes_is_told(copy: Callable[..., Path]) -> None:
    converter = Converter.from_pretrained(copy("world"), runtime="torch")
    converter.network = lambda batch, direction: batch[..., :1]  # type: ignore[assignment]
    features = np.zeros((36, 200), np.float32)
    with pytest.raises(BundleError, match="its network is another model's"):
        converter.translate_features(features, converter.config.direction("anna", "ben"))


def test_nonsense_becomes_no_file(copy: Callable[..., Path], tmp_path: Path) -> None:
    import soundfile

    bundle = copy("world")
    save_file({name: tensor * float("nan") for name, tensor in load_file(bundle / WEIGHTS).items()}, bundle / WEIGHTS)
    soundfile.write(tmp_path / "in.wav", vowel(0.5), 16000)
    with pytest.raises(BundleError, match="NaN or infinite features"):
        Converter.from_pretrained(bundle, runtime="torch").convert_file(tmp_path / "in.wav", tmp_path / "out.wav", "ben")
    assert not (tmp_path / "out.wav").exists()


def test_probabilities_of_a_sparse_roll_times_100_are_told(copy: Callable[..., Path]) -> None:
    converter = Converter.from_pretrained(copy("music"), runtime="torch")
    converter.network = lambda batch, direction: 100 * batch  # type: ignore[assignment]
    roll = np.zeros((2, 84, 64), np.uint8)
    roll[:, 40, :4] = 1
    with pytest.raises(BundleError, match="absurd features, up to 100 times"):
        converter.translate_features(roll, converter.config.direction("jazz", "pop"))


@pytest.mark.parametrize("bundle", [path for path in PRETRAINED if read_config(path).modality == "voice"], ids=lambda path: path.name)
def test_odd_recordings_are_no_nonsense(bundle: Path) -> None:
    """What is looked for in a model's output is never found in that of a sound model, whatever it is given."""
    converter = Converter.from_pretrained(bundle, runtime="torch")
    random, n = np.random.default_rng(0), 16000
    time = np.arange(n) / 16000
    odd = {
        "noise": random.normal(0, 0.2, n), "faint": random.normal(0, 1e-6, n), "square": np.sign(np.sin(2 * np.pi * 3000 * time)), "one bit": random.integers(0, 2, n) / 32768,
        "rumble": 0.9 * np.sin(2 * np.pi * 20 * time), "constant": np.full(n, 0.5), "click": np.eye(1, n, 4000)[0], "silence around": np.where(time > 0.9, vowel(1.0), 0.0),
    }  # fmt: skip
    for name, samples in odd.items():
        for target in converter.config.targets:
            with warnings.catch_warnings():
                if converter.config.any_source:  # which says that this is no speech
                    warnings.simplefilter("ignore", AudioCycleWarning)
                made = converter(Signal(samples.astype(np.float32), 16000), target=target)
            assert np.isfinite(made.samples).all(), name


def test_settings_that_made_world_write_behind_its_buffers_reach_it_no_more() -> None:
    """In a process of its own: it crashed four times of six."""
    code = """
from audiocycle.errors import ConfigError
from audiocycle.voice.world_adapter import WorldAdapter
for settings in ({"n_mcep": 600}, {"f0_floor": 1e-6}, {"frame_period": 0.0}, {"n_mcep": 0}, {"f0_ceil": float("nan")}):
    try:
        WorldAdapter(**settings)
    except ConfigError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [line.split("=")[0] for line in done.stdout.splitlines()] == [f"adapter.{x}" for x in ("n_mcep", "f0_floor", "frame_period", "n_mcep", "f0_ceil")]
