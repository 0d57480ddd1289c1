"""Recordings of two voices, with some that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_training import vowel


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    root = tmp_path / "recordings"
    for name, f0 in (("low", 110.0), ("high", 220.0)):
        (root / name).mkdir(parents=True)
        for index in range(2):
            soundfile.write(root / name / f"{index}.wav", vowel(3.0, f0, seed=index), 16000)
    soundfile.write(root / "low" / "too_short.wav", vowel(0.2, 110.0), 16000)
    soundfile.write(root / "low" / "silent.wav", np.zeros(16000), 16000)
    (root / "low" / "notes.wav").write_text("not audio")
    soundfile.write(root / "high" / "phone.wav", vowel(3.0, 220.0, 8000, seed=5), 8000)
    (root / "low" / "notes.txt").write_text("ignored")
    return root
