"""A folder of several people, or of noise, is told of; one person's is not, however lively, and in two sessions. Features are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiocycle.spec import Encoded, FloatArray
from audiocycle.voice.content.adapter import ContentAdapter
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.modality import VoiceModality
from audiocycle.voice.sides import RecordingSide
from audiocycle.voice.suitability import (
    LEAST_PARTS,
    company,
    examples,
    measured,
    noise_distance,
    whitener,
)
from audiocycle.voice.two_groups import two_groups
from audiocycle.voice.world_adapter import WorldAdapter, f0_of

ADAPTER = WorldAdapter()
VOICE = VoiceModality(ADAPTER)
N_MCEP = ADAPTER.n_mcep
DB = np.log(10.0) / 10.0
Item = tuple[Path, Encoded[RecordingSide]]


def voice(seed: int, distance: float = 0.0) -> FloatArray:
    """Means of coefficients, (n_mcep,), so far from 0 in deviations of frames."""
    return distance * np.random.default_rng(seed).choice([-1.0, 1.0], N_MCEP)


def recording(name: str, who: FloatArray, seed: int, *, seconds: float = 8.0, pause_db: float = 40.0, lively: float = 0.1, log_f0: float = 5.0) -> Item:
    """Frames about a voice, whose deviation is 1, each tenth second a pause; ``lively``: of the recording's own mean."""
    random, frames = np.random.default_rng(seed), round(200 * seconds)
    sounds = np.repeat(random.normal(size=(N_MCEP, -(-frames // 20))), 20, axis=1)[:, :frames]  # of 0.1 s
    features = 0.3 * (sounds + who[:, None] + lively * random.normal(size=(N_MCEP, 1)))
    voiced = np.arange(frames) % 200 < 180
    features[:, ~voiced] = 0.0
    features[0] = np.where(voiced, -8.0, -8.0 - DB * pause_db)
    f0 = np.where(voiced, np.exp(log_f0 + 0.1 * random.normal(size=frames)), 0.0)
    return Path(f"{name}.wav"), Encoded(features.astype(np.float32), RecordingSide(f0=f0))


def folder(name: str, who: FloatArray, n: int, lively: float = 0.1, seconds: float = 8.0) -> list[Item]:
    return [recording(f"{name}{i}", who, 1000 * ord(name[0]) + i, lively=lively, seconds=seconds) for i in range(n)]


def test_one_person_is_not_told_of() -> None:
    assert list(VOICE.remarks(folder("a", voice(1, 0.5), 60))) == []


def test_nor_is_one_who_is_lively() -> None:
    items = folder("a", voice(1), 60, lively=0.3)
    assert list(VOICE.remarks(items)) == []
    assert company(measured([item for _, item in items], ADAPTER)).spread == pytest.approx(0.3, abs=0.04)


def test_nor_is_one_in_two_sessions() -> None:
    """The groups are clear, and near each other."""
    items = folder("a", voice(1), 30, lively=0.0) + folder("b", voice(2, 0.25), 30, lively=0.0)
    found = company(measured([item for _, item in items], ADAPTER))
    assert found.cleft > 4.0
    assert not found.two
    assert list(VOICE.remarks(items)) == []


@pytest.mark.parametrize("seconds", [2.0, 40.0])
def test_what_short_recordings_say_is_not_who_speaks(seconds: float) -> None:
    """Groups are always found; those of chance are not found again in the other halves."""
    found = company(measured([item for _, item in folder("a", voice(1), 60, lively=0.0, seconds=seconds)], ADAPTER))
    assert found.apart < 0.15
    assert found.spread < 0.1


@pytest.mark.parametrize(("n_first", "n_second"), [(30, 30), (50, 8)])
def test_two_people_are_told_of(n_first: int, n_second: int) -> None:
    items = folder("b", voice(2, 0.4), n_second) + folder("a", voice(1, 0.4), n_first)
    (told,) = VOICE.remarks(items)
    assert told.startswith("the recordings fall into two groups that sound like two people (")
    assert told.endswith("a model of both is a voice of neither; give each a folder of its own")
    first, second = (part.split(" files like ") for part in told[told.index("(") + 1 : told.index(")")].split(", "))
    if n_first > n_second:
        assert (int(first[0]), first[1][0], int(second[0]), second[1][0]) == (n_first, "a", n_second, "b")
    assert {first[1][0], second[1][0]} == {"a", "b"}
    assert sorted((int(first[0]), int(second[0]))) == sorted((n_first, n_second))


def test_two_long_recordings_are_asked_in_parts() -> None:
    items = folder("a", voice(1, 0.4), 1, seconds=150.0) + folder("b", voice(2, 0.4), 1, seconds=150.0)
    (told,) = VOICE.remarks(items)
    assert "two people (1 file like" in told
    assert list(VOICE.remarks(folder("a", voice(1, 0.4), 2, seconds=150.0))) == []


def test_two_people_in_one_recording_are_no_two_folders() -> None:
    (_, first), (_, second) = folder("a", voice(1, 0.4), 1, seconds=150.0) + folder("b", voice(2, 0.4), 1, seconds=150.0)
    f0 = np.concatenate([np.asarray(first.side.f0), np.asarray(second.side.f0)])
    both = Encoded(np.concatenate([first.features, second.features], axis=1), RecordingSide(f0=f0))
    parts = measured([both], ADAPTER)
    assert company(parts).two
    assert examples(parts) == []
    assert list(VOICE.remarks([(Path("a.wav"), both)])) == []


def test_many_people_are_told_of() -> None:
    random = np.random.default_rng(0)
    items = [recording(f"a{i}", 0.6 * random.normal(size=N_MCEP), i) for i in range(80)]
    assert list(VOICE.remarks(items)) == ["the recordings sound like many people: a model of all is a voice of none; a target needs those of one person"]


def test_of_few_recordings_nothing_is_known() -> None:
    assert list(VOICE.remarks([])) == []
    few = folder("a", voice(1, 0.5), 4) + folder("b", voice(2, 0.5), LEAST_PARTS - 5)
    assert list(VOICE.remarks(few)) == []
    short = folder("a", voice(1, 0.5), 30, seconds=1.0) + folder("b", voice(2, 0.5), 30, seconds=1.0)
    assert list(VOICE.remarks(short)) == []


def test_noise_and_music_are_told_of() -> None:
    items = [(path, Encoded(item.features, replace(item.side, articulation=value))) for (path, item), value in zip(folder("a", voice(1), 3), (10.0, 6.0, 0.0), strict=True)]
    assert list(VOICE.remarks(items)) == ["1 of 3 files sound like noise or music, not like speech (a1.wav): leave them out"]


def test_few_coefficients_tell_nothing() -> None:
    items = folder("a", voice(1, 0.5), 20) + folder("b", voice(2, 0.5), 20)
    few = [(path, Encoded(item.features[:20], item.side)) for path, item in items]
    assert list(VoiceModality(WorldAdapter(n_mcep=20)).remarks(few)) == []


def test_the_rows_behind_the_cepstrum_are_not_asked() -> None:
    items = folder("a", voice(1, 0.5), 20) + folder("b", voice(2, 0.5), 20)
    random = np.random.default_rng(0)
    adapter, wide = ContentAdapter(), []
    for path, item in items:  # which hold their recordings several times
        copies, f0 = np.tile(item.features, adapter.spec.copies), np.tile(f0_of(item.side), adapter.spec.copies)
        wide.append((path, Encoded(np.concatenate([copies, random.normal(size=(9, copies.shape[1]))]), replace(item.side, f0=f0))))
    assert list(VoiceModality(adapter).remarks(wide)) == list(VOICE.remarks(items))


def test_features_without_f0_are_not_asked() -> None:
    items = [(path, Encoded(item.features, RecordingSide())) for path, item in folder("a", voice(1), 20)]
    assert list(VoiceModality(MelAdapter()).remarks(items)) == []


@pytest.mark.parametrize("pause_db", [12.0, 25.0])
def test_noise_is_the_distance_of_pauses_from_speech(pause_db: float) -> None:
    """Spectra are flat but for chance, whose mean power is a little more than that of the mean log."""
    _, item = recording("a", voice(1), 1, pause_db=pause_db)
    flat = Encoded(item.features * (np.arange(N_MCEP) == 0)[:, None], item.side)
    speech_share = 0.9  # where pauses count as speech too, its mean is lower
    mean = 10 * np.log10(speech_share + (1 - speech_share) * 10 ** (-pause_db / 10))
    assert noise_distance(flat, ADAPTER) == pytest.approx(pause_db + mean, abs=0.05)


def test_noisy_files_are_counted() -> None:
    items = [*folder("a", voice(1), 10), *(recording(f"n{i}", voice(1), i, pause_db=db) for i, db in enumerate((8.0, 2.0)))]
    (told,) = VOICE.remarks(items)
    assert told.startswith("2 of 12 files are noisy, pauses lie less than 20 dB below speech (n1.wav: ")
    assert told.endswith("the noise is learned with the voice; leave them out, or record where it is quiet")


def test_digital_silence_is_no_pause() -> None:
    """It was put before a noisy recording."""
    _, item = recording("a", voice(1), 1, pause_db=12.0)
    silence = np.zeros((N_MCEP, 300), np.float32)
    silence[0] = np.log(1e-16)
    before = Encoded(np.concatenate([silence, item.features], axis=1), RecordingSide(f0=np.concatenate([np.zeros(300), np.asarray(item.side.f0)])))
    assert noise_distance(before, ADAPTER) == pytest.approx(noise_distance(item, ADAPTER), abs=0.1)


def test_without_pauses_nothing_is_known_of_noise() -> None:
    _, item = recording("a", voice(1), 1, pause_db=3.0)
    assert noise_distance(item, ADAPTER) < 10.0
    assert noise_distance(Encoded(item.features, RecordingSide(f0=np.full(item.features.shape[1], 150.0))), ADAPTER) == np.inf
    assert noise_distance(Encoded(item.features[:, :300], RecordingSide(f0=np.asarray(item.side.f0)[:300])), ADAPTER) == np.inf


def test_another_microphone_is_not_another_person() -> None:
    """Files that are told of for what they sound like are not asked who speaks."""
    clean = folder("a", voice(1, 0.4), 30)
    noisy = [recording(f"n{i}", voice(2, 0.4), i, pause_db=4.0) for i in range(30)]
    assert ["noisy" in told for told in VOICE.remarks(clean + noisy)] == [True]
    phone = [(path, Encoded(item.features, RecordingSide(f0=item.side.f0, band_limit=3400.0))) for path, item in folder("b", voice(2, 0.4), 30)]
    assert ["hold nothing above 3.4 kHz" in told for told in VOICE.remarks(clean + phone)] == [True]


def test_whitened_chance_is_alike_in_all_directions() -> None:
    """But for what is not kept of correlations: of their eigenvalues e, e / (0.8 e + 0.2) are left."""
    random = np.random.default_rng(0)
    halves = random.normal(size=(2, 200, 5)) @ (np.eye(5) + 0.3 * random.normal(size=(5, 5))) * [1.0, 5.0, 0.1, 2.0, 30.0]
    difference = (halves[0] - halves[1]) / 2.0
    deviation = np.sqrt(np.mean(difference**2, axis=0))
    known = np.linalg.eigvalsh((difference / deviation).T @ (difference / deviation) / 200)
    white = difference @ whitener(halves)
    np.testing.assert_allclose(np.linalg.eigvalsh(white.T @ white / 200), known / (0.8 * known + 0.2), rtol=1e-6)


def test_two_groups_are_those_with_the_least_squares() -> None:
    """Against all cuts of a line."""
    x = np.sort(np.concatenate([np.random.default_rng(3).normal(size=12), 5 + np.random.default_rng(4).normal(size=6)]))
    cuts = {cut: x[:cut].var() * cut + x[cut:].var() * (len(x) - cut) for cut in range(3, len(x) - 2)}
    best = min(cuts, key=lambda cut: cuts[cut])
    group = two_groups(x[:, None], 3)
    assert group is not None
    np.testing.assert_array_equal(group == group[0], np.arange(len(x)) < best)
    assert two_groups(np.ones((20, 3)), 3) is None
