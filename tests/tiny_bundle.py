"""A bundle that is made in milliseconds, voices that need no recording, and the command line in this process."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audiocycle.build import build_adapter, build_translator
from audiocycle.bundle import BundleConfig, stats_to_json, write_bundle
from audiocycle.spec import FloatArray

MODEL = {"generator": "gated_212d", "width": 0.01, "generator_options": {"n_blocks": 1}}
PITCHES = {"anna": 210.0, "ben": 120.0, "cleo": 160.0}


def vowel(seconds: float, sample_rate: int = 16000, f0: float = 140.0, level: float = 0.3) -> FloatArray:
    """(N,) of a voice that glides, with two formants, breath, and a syllable about four times a second."""
    n = round(seconds * sample_rate)
    t = np.arange(n) / sample_rate
    track = f0 * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * t))
    phase = 2 * np.pi * np.cumsum(track) / sample_rate
    sound = np.zeros(n)
    for k in range(1, int(0.45 * sample_rate / f0 / 1.15)):
        hertz = k * track
        formants = sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in ((700, 90), (1200, 150), (2600, 300)))
        sound += (formants + 0.003) * np.sin(k * phase)
    sound += 0.002 * np.random.default_rng(7).standard_normal(n)
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)
    return np.asarray(level * sound / max(1e-9, np.abs(sound).max()), dtype=np.float32)


def tiny_bundle(folder: Path, domains: tuple[str, ...] = ("anna", "ben"), **changes: Any) -> Path:
    """Write a bundle with random weights (seeded) and statistics of synthetic voices."""
    adapter_config: dict[str, Any] = changes.pop("adapter", {"name": "world"})
    adapter = build_adapter(adapter_config)
    torch.manual_seed(1)
    translator = build_translator(MODEL, domains, adapter.spec.shape)
    stats = {
        domain: stats_to_json(adapter.fit([adapter.analyze(vowel(1.0, adapter.sample_rate, f0=PITCHES[domain]))]))
        for domain in domains
    }
    config = BundleConfig(
        **{"name": folder.name, "modality": "voice", "domains": domains, "adapter": adapter_config, "model": MODEL, "stats": stats}
        | changes
    )
    write_bundle(folder, config, translator.state_dict())
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code, stdout, and the lines of stderr."""

    code: int
    out: str
    err: list[str]

    @property
    def error(self) -> str:
        """The only line on stderr, which starts with ``error:`` and is no traceback."""
        assert self.code == 1, self
        assert len(self.err) == 1, self
        assert self.err[0].startswith("error: "), self
        assert self.out == "", self
        return self.err[0].removeprefix("error: ")


def run_cli(capsys: pytest.CaptureFixture[Any], *arguments: object) -> Outcome:
    """``audiocycle ARGUMENTS`` in this process."""
    from audiocycle.cli import main

    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["audiocycle", *map(str, arguments)])
        before = signal.getsignal(signal.SIGTERM)
        try:
            main()
            code: Any = 0
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            signal.signal(signal.SIGTERM, before)
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err.splitlines())
