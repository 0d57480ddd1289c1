"""Training data: the folder scan, and crops as a pure function of seed and step."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.data.domains import FEW, DomainData, domain_files, held_out, tell_shared
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import DataError
from audiocycle.spec import Domain, Encoded, FloatArray, NoSide

A, B = map(Domain, "ab")

@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "anna"
    folder.mkdir(parents=True)
    for name in ("one", "two", "three"):
        (folder / f"{name}.wav").write_bytes(name.encode() * 10)
    return folder


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


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_folder_is_found_however_its_accents_are_spelled(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    folder = tmp_path / normalize(form, "José")
    folder.mkdir()
    (folder / "a.wav").touch()
    assert domain_files(tmp_path, "José", is_wav) == [folder / "a.wav"]


def test_a_file_system_that_finds_a_folder_by_either_spelling_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of macOS does, which lists the spelling that the folder was made with."""
    folder, is_dir = tmp_path / normalize("NFD", "José"), Path.is_dir
    folder.mkdir()
    (folder / "a.wav").touch()
    monkeypatch.setattr(Path, "is_dir", lambda self: is_dir(self) or normalize("NFC", self.name) == "José")
    assert [path.name for path in domain_files(tmp_path, "José", is_wav)] == ["a.wav"]


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        try:
            (tmp_path / normalize(form, "José")).mkdir()  # type: ignore[arg-type]
        except FileExistsError:
            pytest.skip("this file system takes both for one")
    with pytest.raises(DataError, match="two folders are called José"):
        domain_files(tmp_path, "José", is_wav)


def test_what_training_passes_over_is_told_in_one_line(recordings: Path) -> None:
    (recordings / "notes.txt").touch()
    (recordings / "a.xyz").touch()
    lines: list[str] = []
    domain_files(recordings.parent, "anna", is_wav, lines.append)
    assert lines == [f"{recordings}: passed over 1 .txt, 1 .xyz"]


def domain_of(*keys: str) -> DomainData:
    return DomainData([Encoded(np.zeros((2, 9)), NoSide())] * len(keys), [Path(f"{key}.wav") for key in keys], {}, list(keys), {})


@pytest.mark.parametrize(("one", "other"), [("abc", "abc"), ("ab", "abc"), ("abc", "c"), ("abc", "cba")])
def test_the_same_files_as_both_domains_are_told(one: str, other: str) -> None:
    lines: list[str] = []
    tell_shared({Domain("anna"): domain_of(*one), Domain("ben"): domain_of(*other)}, lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("warning: anna and ben hold the same files, e.g. ")


def test_files_that_two_domains_share_are_told() -> None:
    lines: list[str] = []
    tell_shared({Domain("anna"): domain_of(*"abc"), Domain("ben"): domain_of(*"cde"), Domain("cleo"): domain_of(*"fg")}, lines.append)
    tell_shared({Domain("anna"): domain_of(*"abc"), Domain("ben"): domain_of(*"bcde")}, lines.append)
    assert lines == [f"warning: anna and ben have {shared}; keep each in one folder" for shared in ("1 file in common, e.g. c.wav", "2 files in common, e.g. b.wav")]


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
    items = {A: numbered(lengths, 0), B: numbered([7, 9], 100)}
    sampler = CropSampler(items, crop, batch_size, seed)
    batch = sampler.batch(step)
    for domain, first in ((A, 0), (B, 100)):
        assert batch.items[domain].shape == (batch_size, 2, crop)
        assert batch.items[domain].dtype == np.float32
        for item, frames in batch.items[domain]:
            assert (item == item[0]).all()  # never across two recordings
            np.testing.assert_array_equal(frames, frames[0] + np.arange(crop))
            assert frames[-1] < items[domain][int(item[0]) - first].shape[-1]
    other = CropSampler(items, crop, batch_size, seed)
    for earlier in (0, 3):
        other.batch(earlier)  # what was asked before changes nothing
    again = other.batch(step)
    for domain in batch.items:
        np.testing.assert_array_equal(again.items[domain], batch.items[domain])


def test_every_position_of_every_item_is_equally_likely() -> None:
    sampler = CropSampler({A: numbered([6, 26], 0)}, crop=6, batch_size=50, seed=0)
    crops = np.concatenate([sampler.batch(step).items[A] for step in range(200)])
    counts = np.bincount((crops[:, 0, 0] * 21 + crops[:, 1, 0]).astype(int), minlength=22)
    assert (np.abs(counts[counts > 0] - 10_000 / 22) < 120).all()
    assert (counts > 0).sum() == 22


def test_seeds_steps_and_domains_differ() -> None:
    items = {A: numbered([500], 0), B: numbered([500], 0)}
    one, two = CropSampler(items, 5, 8, seed=1), CropSampler(items, 5, 8, seed=2)
    assert not np.array_equal(one.batch(0).items[A], two.batch(0).items[A])
    assert not np.array_equal(one.batch(0).items[A], one.batch(1).items[A])
    assert not np.array_equal(one.batch(0).items[A], one.batch(0).items[B])


def recordings_with(keys: list[str]) -> DomainData:
    """One frame each."""
    return DomainData([Encoded(np.zeros((2, 1), np.float32), NoSide()) for _ in keys], [Path(f"{key}.wav") for key in keys], {}, list(keys), {})


@given(count=st.integers(0, 60), share=st.floats(0.0, 0.5))
def test_what_is_held_out_and_what_is_learned_from_are_all_there_is(count: int, share: float) -> None:
    keys = [f"key {number}" for number in range(count)]
    learned, held = held_out(recordings_with(keys), share)
    assert sorted([*learned.keys, *held.keys]) == sorted(keys)
    assert learned.keys == [key for key in keys if key not in held.keys]  # in their order
    assert [path.stem for path in held.paths] == held.keys
    expected = 0 if share == 0 or count < FEW else max(1, round(share * count))
    assert len(held.keys) == len(held.items) == expected


def test_content_decides_what_is_held_out_not_names_or_order() -> None:
    keys = [f"key {number}" for number in range(40)]
    renamed = recordings_with(keys[::-1])
    renamed.paths = renamed.paths[::-1]
    held = set(held_out(recordings_with(keys), 0.1)[1].keys)
    assert set(held_out(renamed, 0.1)[1].keys) == held
    assert len(held & set(held_out(recordings_with([*keys, *(f"new {number}" for number in range(4))]), 0.1)[1].keys)) >= 3
