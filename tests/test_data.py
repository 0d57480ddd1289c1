"""Training data: the feature cache, the folder scan, and crops as a pure function of seed and step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.data import CropSampler, FeatureCache, crop_starts, domain_files
from audiocycle.errors import DataError, InputError
from audiocycle.spec import Encoded, FloatArray


class Encoder:
    """Features that tell the file's content; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, path: Path) -> Encoded:
        self.calls.append(path.name)
        content = path.read_bytes()
        if content.startswith(b"bad"):
            raise InputError(f"{path}: not a readable recording")
        values = np.frombuffer(content, dtype=np.uint8).astype(np.float32)
        return Encoded(np.tile(values, (2, 1)), {"f0": values * 2, "n_samples": len(content)})


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "anna"
    folder.mkdir(parents=True)
    for name in ("one", "two", "three"):
        (folder / f"{name}.wav").write_bytes(name.encode() * 10)
    return folder


def cache(folder: Path, encoder: Encoder, **changes: Any) -> FeatureCache:
    return FeatureCache(
        folder / "cache", encoder, {"name": "world", "sample_rate": 16000, "n_mcep": 36} | changes
    )


def assert_equal(left: Encoded, right: Encoded) -> None:
    np.testing.assert_array_equal(left.features, right.features)
    assert left.side.keys() == right.side.keys()
    for key in left.side:
        np.testing.assert_array_equal(left.side[key], right.side[key])


def test_a_file_is_analysed_once(recordings: Path, tmp_path: Path) -> None:
    encoder = Encoder()
    first = cache(tmp_path, encoder).get(recordings / "one.wav")
    second = cache(tmp_path, encoder).get(recordings / "one.wav")
    assert encoder.calls == ["one.wav"]
    assert_equal(first, second)


def test_renaming_moving_and_copying_cost_no_analysis(recordings: Path, tmp_path: Path) -> None:
    encoder = Encoder()
    cache(tmp_path, encoder).get(recordings / "one.wav")
    moved = recordings.parent / "renamed.flac"
    (recordings / "one.wav").rename(moved)
    cache(tmp_path, encoder).get(moved)
    assert encoder.calls == ["one.wav"]


def test_changed_content_under_the_same_name_is_analysed_again(recordings: Path, tmp_path: Path) -> None:
    encoder = Encoder()
    cache(tmp_path, encoder).get(recordings / "one.wav")
    (recordings / "one.wav").write_bytes(b"something else")
    assert cache(tmp_path, encoder).get(recordings / "one.wav").features.shape == (2, 14)
    assert len(encoder.calls) == 2


@pytest.mark.parametrize(
    "change", [{"n_mcep": 24}, {"sample_rate": 22050}, {"f0_method": "harvest"}], ids=str
)
def test_changed_settings_never_meet_stale_features(
    recordings: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    encoder = Encoder()
    cache(tmp_path, encoder).get(recordings / "one.wav")
    cache(tmp_path, encoder, **change).get(recordings / "one.wav")
    assert len(encoder.calls) == 2


def test_the_order_of_settings_does_not_matter(recordings: Path, tmp_path: Path) -> None:
    encoder = Encoder()
    for settings_ in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        FeatureCache(tmp_path / "cache", encoder, settings_).get(recordings / "one.wav")
    assert len(encoder.calls) == 1


@pytest.mark.parametrize("damage", ["empty", "a few bytes", "cut", "flipped", "text", "no features"])
def test_a_damaged_cache_file_is_made_again(recordings: Path, tmp_path: Path, damage: str) -> None:
    encoder = Encoder()
    good = cache(tmp_path, encoder).get(recordings / "one.wav")
    (stored,) = (tmp_path / "cache").iterdir()
    content = stored.read_bytes()
    flipped = bytearray(content)
    flipped[200] ^= 0xFF
    stored.write_bytes(
        {
            "empty": b"",
            "a few bytes": content[:20],
            "cut": content[:-30],
            "flipped": bytes(flipped),
            "text": b"hello",
        }.get(damage, b"")
    )
    if damage == "no features":
        np.savez(stored, other=np.zeros(3))
    for _ in range(2):
        assert_equal(cache(tmp_path, encoder).get(recordings / "one.wav"), good)
    assert encoder.calls == ["one.wav"] * 2
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [stored.name]


def test_many_files_come_in_order_and_bad_ones_are_named(recordings: Path, tmp_path: Path) -> None:
    (recordings / "broken.wav").write_bytes(b"bad file")
    paths, seen = sorted(recordings.iterdir()), []
    data = cache(tmp_path, Encoder()).load(paths, lambda done, total: seen.append((done, total)), jobs=2)
    assert [p.name for p in data.paths] == ["one.wav", "three.wav", "two.wav"]
    assert [item.features.shape[-1] for item in data.items] == [30, 50, 30]
    assert data.skipped == {
        recordings / "broken.wav": f"{recordings / 'broken.wav'}: not a readable recording"
    }
    assert seen == [(n, 4) for n in (1, 2, 3, 4)]


def test_a_bug_in_the_analysis_is_no_bad_file(recordings: Path, tmp_path: Path) -> None:
    def broken(path: Path) -> Encoded:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FeatureCache(tmp_path / "cache", broken, {}).load(
            sorted(recordings.iterdir()), lambda done, total: None
        )


def is_wav(path: Path) -> bool:
    return path.suffix == ".wav"


def test_folders_are_searched_to_the_bottom_in_a_fixed_order(recordings: Path) -> None:
    (recordings / "b" / "c").mkdir(parents=True)
    (recordings / "b" / "c" / "deep.wav").touch()
    (recordings / "folder.wav").mkdir()
    (recordings / "notes.txt").touch()
    found = [p.relative_to(recordings).as_posix() for p in domain_files(recordings.parent, "anna", is_wav)]
    assert found == ["b/c/deep.wav", "one.wav", "three.wav", "two.wav"]


def test_missing_and_empty_folders_are_named(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder; it must hold one folder"):
        domain_files(tmp_path / "nowhere", "anna", is_wav)
    with pytest.raises(DataError, match=r"ben: no such folder; data\.root has: anna"):
        domain_files(recordings.parent, "ben", is_wav)
    (recordings.parent / "ben").mkdir()
    with pytest.raises(DataError, match=r"ben: no usable files in it"):
        domain_files(recordings.parent, "ben", is_wav)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), crop=st.integers(1, 20))
def test_crop_starts_are_all_and_only_those_inside_one_item(lengths: list[int], crop: int) -> None:
    owner = np.repeat(np.arange(len(lengths)), lengths)
    total = len(owner)
    inside = [a for a in range(total - crop + 1) if owner[a] == owner[a + crop - 1]]
    np.testing.assert_array_equal(crop_starts(lengths, crop), inside)


def numbered(lengths: list[int], first: int) -> list[FloatArray]:
    """Items (2, T) whose values tell item and frame."""
    return [np.stack([np.full(n, first + i), np.arange(n)]).astype(np.float32) for i, n in enumerate(lengths)]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(6, 30), min_size=1, max_size=5),
    crop=st.integers(1, 6),
    batch_size=st.integers(1, 4),
    seed=st.integers(0, 2**31),
    step=st.integers(0, 10**7),
)
def test_crops_are_whole_and_follow_from_seed_and_step(
    lengths: list[int], crop: int, batch_size: int, seed: int, step: int
) -> None:
    items = {"a": numbered(lengths, 0), "b": numbered([7, 9], 100)}
    sampler = CropSampler(items, crop, batch_size, seed)
    batch = sampler.batch(step)
    for domain, first in (("a", 0), ("b", 100)):
        assert batch[domain].shape == (batch_size, 2, crop)
        assert batch[domain].dtype == np.float32
        for item, frames in batch[domain]:
            assert (item == item[0]).all()  # never across two recordings
            np.testing.assert_array_equal(frames, frames[0] + np.arange(crop))
            assert frames[-1] < items[domain][int(item[0]) - first].shape[-1]
    other = CropSampler(items, crop, batch_size, seed)
    for earlier in (0, 3):
        other.batch(earlier)  # what was asked before changes nothing
    again = other.batch(step)
    for domain in batch:
        np.testing.assert_array_equal(again[domain], batch[domain])


def test_every_position_of_every_item_is_equally_likely() -> None:
    sampler = CropSampler({"a": numbered([6, 26], 0)}, crop=6, batch_size=50, seed=0)
    crops = np.concatenate([sampler.batch(step)["a"] for step in range(200)])
    counts = np.bincount((crops[:, 0, 0] * 21 + crops[:, 1, 0]).astype(int), minlength=22)
    assert (np.abs(counts[counts > 0] - 10_000 / 22) < 120).all()
    assert (counts > 0).sum() == 22


def test_seeds_steps_and_domains_differ() -> None:
    items = {"a": numbered([500], 0), "b": numbered([500], 0)}
    one, two = CropSampler(items, 5, 8, seed=1), CropSampler(items, 5, 8, seed=2)
    assert not np.array_equal(one.batch(0)["a"], two.batch(0)["a"])
    assert not np.array_equal(one.batch(0)["a"], one.batch(1)["a"])
    assert not np.array_equal(one.batch(0)["a"], one.batch(0)["b"])
