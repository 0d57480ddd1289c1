"""The whole way, through the command line: folders of recordings, a model, a converted file."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from small_training import settings, vowel
from tiny_bundle import exit_code

from audiocycle.training.trainer import Trainer


def test_train_resume_and_convert(recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = tmp_path / "run"
    assert exit_code(*settings(recordings, run_dir, "max_steps=2")) == 0
    heard = capsys.readouterr().err
    assert "low: 2 files" in heard
    assert "3 skipped" in heard
    assert "too_short.wav" in heard
    assert "silent.wav" in heard
    assert "notes.wav" in heard
    assert re.search(r"high: \d of 3 files hold nothing above .* kHz \(.*phone\.wav\)", heard)
    assert {p.name for p in (run_dir / "bundle").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert (run_dir / "samples" / "step-00000002" / "low-to-high.wav").exists()
    assert (run_dir / "samples" / "step-00000002" / "low-to-high.png").exists()

    assert exit_code(*settings(recordings, run_dir, "max_steps=2")) == 1, "a run is never overwritten unasked"
    assert "resume=true" in capsys.readouterr().err
    assert exit_code(*settings(recordings, run_dir, "max_steps=4", "resume=true")) == 0
    assert "going on from step 2" in capsys.readouterr().err
    assert exit_code(*settings(recordings, run_dir, "max_steps=4", "resume=true")) == 0
    assert "is at step 4 of 4 already; set a larger max_steps to go on" in capsys.readouterr().err
    steps = [json.loads(line)["step"] for line in (run_dir / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]

    source = recordings / "low" / "0.wav"
    output = tmp_path / "out.wav"
    assert exit_code("convert", str(source), "--target", "high", "--model", str(run_dir / "bundle"), "-o", str(output)) == 0
    assert soundfile.info(output).frames == soundfile.info(source).frames
    assert np.abs(soundfile.read(output)[0]).max() > 0.01


def test_resumed_run_equals_an_uninterrupted_one(recordings: Path, tmp_path: Path) -> None:
    cache = f"data.cache={tmp_path / 'cache'}"
    quiet = ["trainer.sample_every=0", cache]
    assert exit_code(*settings(recordings, tmp_path / "whole", "max_steps=4", *quiet)) == 0
    assert exit_code(*settings(recordings, tmp_path / "parts", "max_steps=2", *quiet)) == 0
    assert exit_code(*settings(recordings, tmp_path / "parts", "max_steps=4", "resume=true", *quiet)) == 0
    whole, parts = ((tmp_path / name / "bundle" / "model.safetensors").read_bytes() for name in ("whole", "parts"))
    assert whole == parts


def test_overwrite_keeps_the_run_until_the_data_are_known_to_be_good(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir, quick = tmp_path / "run", ["max_steps=1", "trainer.sample_every=0"]
    assert exit_code(*settings(recordings, run_dir, *quick)) == 0
    assert exit_code(*settings(tmp_path / "typo", run_dir, *quick, "overwrite=true")) == 1
    assert (run_dir / "checkpoints" / "step-00000001.pt").exists()
    soundfile.write(recordings / "low" / "more.wav", vowel(2.0, 110.0, seed=5), 16000)
    assert exit_code(*settings(recordings, run_dir, "max_steps=2", "trainer.sample_every=0", "resume=true")) == 1
    assert "another data" in capsys.readouterr().err
    assert exit_code(*settings(recordings, run_dir, *quick, "overwrite=true")) == 0


def test_mel_features_train_and_convert(recordings: Path, tmp_path: Path) -> None:
    words = settings(recordings, tmp_path / "run", "adapter=mel", "max_steps=1", "trainer.sample_every=0", "trainer.crop=32")
    assert exit_code(*words) == 0
    source, output = recordings / "high" / "0.wav", tmp_path / "out.wav"
    bundle = str(tmp_path / "run" / "bundle")
    assert exit_code("convert", str(source), "--target", "low", "--model", bundle, "-o", str(output)) == 0
    assert soundfile.info(output).frames == soundfile.info(source).frames


def test_ctrl_c_ends_with_a_checkpoint(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Trainer.train_step

    def interrupted_step(self: Trainer, *crops: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return step(self, *crops)

    monkeypatch.setattr(Trainer, "train_step", interrupted_step)
    assert exit_code(*settings(recordings, tmp_path / "run", "trainer.checkpoint_every=100", "trainer.sample_every=0")) == 0
    assert "resume=true continues" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000001.pt"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["data.domains=[low,nobody]"], "data.root has: high, low"),
        (["data.domains=[low]"], "name two different folders"),
        (["data.min_minutes=5"], "add recordings"),
        (["data.root=/nowhere"], "no such folder"),
        (["trainer.rate=1"], "trainer"),
        (["trainer.lr=fast"], "lr"),
        (["model.generator=unknown"], "gated_212d"),
        (["--steps"], "KEY=VALUE"),
        (["run_dir=/dev/null/run"], "/dev/null/run: cannot be written (Not a directory); set run_dir to another folder"),
        (["data.cache=/dev/null/cache"], "/dev/null/cache: cannot be written (Not a directory); set data.cache to another folder"),
    ],
)
def test_bad_settings_are_one_line(
    change: list[str], says: str, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*settings(recordings, tmp_path / "run", "max_steps=1", *change)) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert says in error
