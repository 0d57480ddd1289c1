"""Guides of voices as trainings ask for them: recordings are listened to once, and each is guided by the other speaker's voice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_bundle import vowel

from audiocycle.data.domains import DomainData
from audiocycle.data.guides import GuideConfig
from audiocycle.spec import Domain, Encoded, NoSide, Signal
from audiocycle.voice import guide, spoken_guides
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.spoken_guides import load_encoder
from audiocycle.voice.world_adapter import WorldAdapter

PITCHES = {"anna": 210.0, "ben": 120.0}


class ToyEncoder:
    """Levels of a few bands in place of a recogniser's states."""

    encoded = 0

    def __init__(self, model: str | None = None) -> None:
        self.key = model or "toy"

    def encode(self, signal: Signal) -> Encoded[NoSide]:
        type(self).encoded += 1
        frames = signal.samples[: len(signal.samples) // 320 * 320].reshape(-1, 320)
        return Encoded(np.abs(np.fft.rfft(frames, 14)).T.astype(np.float32), NoSide())


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_guides, "PhoneticEncoder", ToyEncoder)
    monkeypatch.setattr(ToyEncoder, "encoded", 0)
    monkeypatch.setattr(guide, "STEPS", 3)


def recorded(folder: Path, voice: VoiceModality, name: str) -> tuple[Domain, DomainData]:
    """Two recordings of a speaker."""
    paths = [folder / f"{name}-{place}.wav" for place in range(2)]
    for place, path in enumerate(paths):
        soundfile.write(path, vowel(0.8 + 0.3 * place, f0=PITCHES[name]), 16000)
    items = [voice.encode(path) for path in paths]
    return Domain(name, voice.adapter.fit(items)), DomainData(items, paths, {}, [path.name for path in paths], {})


def test_each_recording_is_guided_and_listened_to_once(toy: None, tmp_path: Path) -> None:
    voice, done = VoiceModality(WorldAdapter()), list[str]()

    def progress(what: str) -> Callable[[int, int], None]:
        done.append(what)
        return lambda part, whole: None

    material = [recorded(tmp_path, voice, name) for name in PITCHES]
    for _ in range(2):
        maker = voice.guides(GuideConfig(), tmp_path / "cache")
        anna, ben = (maker.study(domain, data, progress) for domain, data in material)
        found = list(maker.guides(anna, ben))
    assert ToyEncoder.encoded == 4
    assert done[:3] == ["what is said by anna", "what is said by ben", "the voice of ben"]
    domain, data = material[0]
    for made, item in zip(found, data.items, strict=True):
        own = voice.adapter.normalize(np.asarray(item.features, np.float32), domain.stats)
        speech = voice.adapter.speech(item.features)
        assert made.shape == own.shape
        np.testing.assert_array_equal(made[0], own[0])
        np.testing.assert_array_equal(made[:, ~speech], own[:, ~speech])
        assert not np.allclose(made[1:, speech], own[1:, speech])


def test_guides_depend_on_the_recogniser(toy: None, tmp_path: Path) -> None:
    usual, other = (VoiceModality(WorldAdapter()).guides(GuideConfig(name), tmp_path) for name in (None, "another"))
    assert (usual.by, other.by) == ("Whisper tiny.en", "another")
    assert usual.recipe != other.recipe


def test_the_recogniser_leaves_training_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """CTranslate2 asks OpenMP for one thread, for itself and everybody."""

    def greedy(_model: object) -> str:
        torch.set_num_threads(1)
        return "encoder"

    monkeypatch.setattr(spoken_guides, "PhoneticEncoder", greedy)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert str(load_encoder(None)) == "encoder"
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
