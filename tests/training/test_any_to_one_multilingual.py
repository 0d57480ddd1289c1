"""The preset of the multilingual encoder, with a tiny one in its place: what a bundle records, and what it is converted with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from small_training import vowel
from tiny_whisper import WIDTH, install

from audiocycle.bundles.format import describe_bundle, read_config
from audiocycle.cli.settings import compose_run
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError
from audiocycle.spec import Signal
from audiocycle.training.run import train
from audiocycle.voice.content import encoder

pytest.importorskip("onnx")
RATE = 16000


def words(folder: Path, *more: str) -> list[str]:
    return [
        "experiment=any_to_one_multilingual", f"data.root={folder}", "data.domains=[low]", f"run_dir={folder / 'run'}", "model.width=0.05", "+model.generator_options.n_blocks=1",
        "data.min_minutes=0.01", "trainer.crop=64", "trainer.batch_size=2", "max_steps=1", *more,
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch.set_num_threads(1)
    install(tmp_path, monkeypatch)
    (tmp_path / "low").mkdir()
    soundfile.write(tmp_path / "low" / "0.wav", vowel(2.0, 110.0, seed=0), RATE)
    return tmp_path


def test_a_bundle_is_converted_with_the_encoder_that_it_was_trained_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = train(compose_run(words(folder)))
    assert read_config(bundle).adapter["encoder"] == "multilingual"
    assert describe_bundle(bundle)["adapter"]["encoder"] == "multilingual"
    assert describe_bundle(bundle)["remark"] == "Made for many languages. Needs pip install 'audiocycle[languages]'."
    assert "Made for many languages." in (bundle / "README.md").read_text(encoding="utf-8")
    asked: list[str] = []
    session = encoder.session

    def noted(n_threads: int, kind: str) -> object:
        asked.append(kind)
        return session(n_threads, kind)

    monkeypatch.setattr(encoder, "session", noted)
    converter = Converter.from_pretrained(bundle, runtime="torch")
    made = converter(Signal(vowel(1.0, 200.0, seed=1), RATE), target="low")
    assert converter.adapter.spec.shape == (36 + 4 + WIDTH,)
    assert set(asked) == {"multilingual"}
    assert np.isfinite(made.samples).all()


def test_it_cannot_begin_with_a_model_of_the_other_encoder(folder: Path) -> None:
    with pytest.raises(ConfigError, match="start=any-voices: has other networks, or other features"):
        train(compose_run(words(folder, "start=any-voices")))
    assert not (folder / "run" / "features").exists(), "it is said before anything is analysed"
