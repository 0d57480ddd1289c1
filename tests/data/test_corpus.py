"""The joined corpus: what was put in comes out as views of mapped files, made once, made again where it is damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiocycle.build import ADAPTERS, build_adapter
from audiocycle.data import corpus
from audiocycle.data.cache import FeatureCache, arrays_of, compact
from audiocycle.data.corpus import fitted, open_corpus
from audiocycle.data.domains import DomainData
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import InputError
from audiocycle.spec import Domain, Encoded, InWeights, Stats


def silent(done: int, total: int) -> None:
    """No progress bar."""


@dataclass(frozen=True)
class Side:
    """Of every kind."""

    programs: Any = None
    places: Any = None
    n_notes: Any = None
    f0: Any = None
    n_samples: Any = None
    f0_floor: Any = None


class Songs:
    """Encodes a file whose name is a number of windows; every kind of side, and a count of calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, path: Path) -> Encoded:
        self.calls.append(path.name)
        content = path.read_text()
        if content == "bad":
            raise InputError(f"{path}: not a song")
        windows, seed = map(int, content.split())
        random = np.random.default_rng(seed)
        roll = random.integers(0, 2, (2, 84, 8 * windows)).astype(np.uint8)
        return Encoded(roll, Side(np.full((3, 128), windows), np.arange(windows) * 16.0, int(roll.sum())))


def speech(path: Path) -> Encoded:
    frames, seed = map(int, path.read_text().split())
    random = np.random.default_rng(seed)
    f0 = np.where(random.random(frames) < 0.5, random.uniform(80, 200, frames), 0.0)
    return Encoded((3 * random.standard_normal((36, frames)) - 4).astype(np.float32), Side(f0=f0, n_samples=80 * frames))


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Usable files, one that is refused, and a copy of the first (other content, same features)."""
    (tmp_path / "files").mkdir()
    contents = {"a": "3 1", "b": "bad", "c": "1 2", "d": "3  1", "e": "2 3"}
    for name, content in contents.items():
        (tmp_path / "files" / name).write_text(content)
    return sorted((tmp_path / "files").iterdir())


def songs(folder: Path, encode: Any) -> FeatureCache:
    return FeatureCache(folder / "cache", encode, {"name": "piano_roll"}, side=Side)


def assert_items(data: DomainData, expected: Sequence[Encoded]) -> None:
    for item, other in zip(data.items, expected, strict=True):
        assert item.features.dtype == other.features.dtype
        np.testing.assert_array_equal(item.features, other.features)
        kept, wanted = arrays_of(item.side), arrays_of(other.side)
        assert kept.keys() == wanted.keys()
        for name, values in wanted.items():
            assert kept[name].shape == np.shape(values)
            np.testing.assert_array_equal(kept[name], values)


def test_what_was_put_in_comes_out(paths: list[Path], tmp_path: Path) -> None:
    cache = songs(tmp_path, Songs())
    data = open_corpus(cache, paths, silent)
    assert [path.name for path in data.paths] == ["a", "c", "d", "e"]
    assert_items(data, [Songs()(path) for path in data.paths])
    assert data.skipped == {paths[1]: f"{paths[1]}: not a song"}
    assert data.copies == {paths[3]: paths[0]}
    assert data.keys == [cache.key(path) for path in data.paths]


def test_items_are_plain_views_of_a_mapped_file_that_nobody_can_spoil(paths: list[Path], tmp_path: Path) -> None:
    items = open_corpus(songs(tmp_path, Songs()), paths, silent).items
    for item in items:
        for array in (item.features, item.side.places):
            assert type(array) is np.ndarray
            assert not array.flags.writeable
    assert items[0].features.strides[-1] == 2 * 84, "frame after frame: a crop is one contiguous read"


def test_a_second_start_only_opens_it(paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = Songs()
    first = open_corpus(songs(tmp_path, encode), paths, silent)
    for entry in (tmp_path / "cache").glob("*.npz"):
        entry.unlink()
    monkeypatch.setattr(corpus, "join", None)
    second = open_corpus(songs(tmp_path, encode), paths, silent)
    assert_items(second, first.items)
    assert second.skipped == first.skipped
    assert len(encode.calls) == len(paths)


def test_files_that_moved_keep_their_corpus_and_others_have_another(paths: list[Path], tmp_path: Path) -> None:
    cache = songs(tmp_path, Songs())
    open_corpus(cache, paths, silent)
    moved = [path.rename(path.with_name(f"{path.name}-moved")) for path in paths]
    data = open_corpus(cache, moved, silent)
    assert data.skipped == {moved[1]: f"{moved[1]}: not a song"}
    assert data.copies == {moved[3]: moved[0]}
    assert len(list((tmp_path / "cache" / "joined").iterdir())) == 1
    assert_items(open_corpus(cache, moved[2:], silent), data.items[1:])
    assert len(list((tmp_path / "cache" / "joined").iterdir())) == 2


def test_progress_is_told_and_ends(paths: list[Path], tmp_path: Path) -> None:
    for expected in ([0, 1, 2, 3, 4, 5], [5]):
        seen: list[int] = []
        open_corpus(songs(tmp_path, Songs()), paths, lambda done, total, seen=seen: seen.append(done))
        assert seen == expected


def test_nothing_usable_is_no_items(paths: list[Path], tmp_path: Path) -> None:
    data = open_corpus(songs(tmp_path, Songs()), paths[1:2], silent)
    assert (data.items, data.paths, list(data.skipped)) == ([], [], paths[1:2])


def test_a_file_that_cannot_be_read_is_skipped_until_it_can(paths: list[Path], tmp_path: Path) -> None:
    gone = paths[2].rename(tmp_path / "gone")
    cache = songs(tmp_path, Songs())
    assert f"{paths[2]}: cannot be read" in open_corpus(cache, paths, silent).skipped[paths[2]]
    gone.rename(paths[2])
    assert list(open_corpus(cache, paths, silent).skipped) == [paths[1]]


ODD_INDEX = {
    "deep": "[" * 100_000, "a list": "[]", "a number": "7", "text": '"a"', "huge number": '{"tracks": ' + "9" * 5000 + "}", "no tracks": '{"digest": ""}',
}  # fmt: skip
ODD_PARTS: dict[str, dict[str, Any]] = {
    "other refused": {"refused": []}, "odd refused": {"refused": [["a", None]]}, "odd tracks": {"tracks": [1]}, "no track": {"tracks": {}},
    "odd copies": {"copies": [[100, 200]]}, "objects": {"tracks": {"features": {"dtype": "O", "shape": [2, 84], "numbers": False, "lengths": [1] * 4}}},
}  # fmt: skip


@pytest.mark.parametrize("sealed", [False, True], ids=["by accident", "with its digest"])
@pytest.mark.parametrize("odd", [*ODD_INDEX, *ODD_PARTS])
def test_a_corpus_with_an_index_that_is_none_is_joined_again(paths: list[Path], tmp_path: Path, odd: str, sealed: bool) -> None:
    whole = [Songs()(path) for path in paths if path.name != "b"]
    open_corpus(songs(tmp_path, Songs()), paths, silent)
    (index,) = (tmp_path / "cache" / "joined").glob("*/index.json")
    if odd in ODD_PARTS:
        changed = json.loads(index.read_text()) | ODD_PARTS[odd]
        index.write_text(json.dumps(changed | ({"digest": corpus.digest_of_index(changed)} if sealed else {})))
    else:
        index.write_text(ODD_INDEX[odd])
    for _ in range(2):
        data = open_corpus(songs(tmp_path, Songs()), paths, silent)
        assert_items(data, whole)
        assert len(data.paths) == len(whole)


@pytest.mark.parametrize("track", ["features", "places"])
def test_a_changed_number_is_found_before_it_is_trained_on(paths: list[Path], tmp_path: Path, track: str) -> None:
    whole = [Songs()(path) for path in paths if path.name != "b"]
    open_corpus(songs(tmp_path, Songs()), paths, silent)
    (raw,) = (tmp_path / "cache" / "joined").glob(f"*/{track}.raw")
    content = bytearray(raw.read_bytes())
    content[-8:] = np.float64(np.nan).tobytes()
    raw.write_bytes(content)
    os.utime(raw, (1e9, 1e9))  # so that a test that is faster than the file system's clock sees what a person would
    assert_items(open_corpus(songs(tmp_path, Songs()), paths, silent), whole)


def test_files_are_compared_once_and_again_when_they_were_moved(paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    file_digest = corpus.hashlib.file_digest

    def noted(file: Any, make: Any) -> Any:
        read.append(Path(file.name).name)
        return file_digest(file, make)

    monkeypatch.setattr(corpus.hashlib, "file_digest", noted)
    own = songs(tmp_path, Songs())
    for _ in range(2):
        open_corpus(own, paths, silent)
    assert [name for name in read if name.endswith(".raw")] == []
    for raw in (tmp_path / "cache" / "joined").glob("*/*.raw"):
        os.utime(raw, (1e9, 1e9))
    monkeypatch.setattr(corpus, "join", None)
    for _ in range(2):
        open_corpus(own, paths, silent)
    assert sorted(name for name in read if name.endswith(".raw")) == ["features.raw", "n_notes.raw", "places.raw", "programs.raw"]


def test_features_of_another_shape_are_not_taken(paths: list[Path], tmp_path: Path) -> None:
    open_corpus(FeatureCache(tmp_path / "cache", lambda path: Encoded(np.ones((3, 84, 8), np.uint8), Side()), {}, side=Side), paths, silent)
    again = Songs()
    data = open_corpus(FeatureCache(tmp_path / "cache", again, {}, (2, 84), Side), paths, silent)
    assert {item.features.shape[:-1] for item in data.items} == {(2, 84)}
    assert len(again.calls) == len(paths)


@pytest.mark.parametrize("damage", ["cut index", "no index", "cut features", "no side", "other index"])
def test_a_damaged_corpus_is_joined_again(paths: list[Path], tmp_path: Path, damage: str) -> None:
    whole = [Songs()(path) for path in paths if path.name != "b"]
    open_corpus(songs(tmp_path, Songs()), paths, silent)
    (folder,) = (tmp_path / "cache" / "joined").iterdir()
    index, features = folder / "index.json", folder / "features.raw"
    if damage == "cut index":
        index.write_text(index.read_text()[:-20])
    elif damage == "no index":
        index.unlink()
    elif damage == "cut features":
        os.truncate(features, features.stat().st_size - 1)
    elif damage == "no side":
        (folder / "places.raw").unlink()
    else:
        index.write_text(json.dumps(json.loads(index.read_text()) | {"refused": []}))
    for _ in range(2):
        assert_items(open_corpus(songs(tmp_path, Songs()), paths, silent), whole)


def test_a_join_that_stops_leaves_nothing_that_looks_whole(paths: list[Path], tmp_path: Path) -> None:
    def interrupted(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_corpus(songs(tmp_path, Songs()), paths, interrupted)
    encode = Songs()
    data = open_corpus(songs(tmp_path, encode), paths, silent)
    assert len(data.items) == 4
    assert encode.calls == ["d", "e"]  # the others had been analysed


def test_leftovers_of_killed_joins_are_removed_when_they_are_old(paths: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "joined" / "0123"
    folder.mkdir(parents=True)
    old, young = folder / ".features.aa.part.raw", folder / ".features.bb.part.raw"
    for part in (old, young):
        part.touch()
    os.utime(old, (1e9, 1e9))
    open_corpus(songs(tmp_path, Songs()), paths, silent)
    assert list(folder.iterdir()) == [young]


def test_crops_of_mapped_items_are_those_of_items_in_memory(paths: list[Path], tmp_path: Path) -> None:
    mapped = [item.features for item in open_corpus(songs(tmp_path, Songs()), paths, silent).items]
    samplers = [CropSampler({Domain("a"): items}, 8, 4, seed=1, hop=8) for items in (mapped, [np.array(x) for x in mapped])]
    for step in range(5):
        one, two = (sampler.batch(step).items[Domain("a")] for sampler in samplers)
        np.testing.assert_array_equal(one, two)


class Fitter(InWeights):
    """An adapter that counts how often statistics are made."""

    def __init__(self) -> None:
        self.calls = 0

    def fit(self, items: Sequence[Encoded]) -> Stats:
        self.calls += 1
        return {"frames": np.array([sum(item.features.shape[-1] for item in items)], np.float32)}


def test_statistics_are_kept_for_the_same_items_and_no_others(paths: list[Path], tmp_path: Path) -> None:
    adapter: Any = Fitter()
    folder = tmp_path / "cache"
    data = open_corpus(songs(tmp_path, Songs()), paths, silent)
    for _ in range(2):
        assert fitted(adapter, data, folder)["frames"].tolist() == [72.0]
    assert adapter.calls == 1
    fewer = data.without({data.paths[0]: "short"})
    assert fitted(adapter, fewer, folder)["frames"].tolist() == [48.0]
    for stored in (folder / "statistics").iterdir():
        stored.write_bytes(stored.read_bytes()[:50])
    assert fitted(adapter, data, folder)["frames"].tolist() == [72.0]
    assert adapter.calls == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"frames": np.array([1.0], np.float32)}, {"frames": np.array("many")}, {"frames": np.zeros((0, 3))}, {}, {"other": np.zeros(1)},
        {"frames": np.array([np.nan]), "digest": np.zeros(16, np.uint8)}, {"frames": np.array([72.0]), "digest": np.array("x")},
    ],
)  # fmt: skip
def test_statistics_that_were_not_written_here_are_made_again(paths: list[Path], tmp_path: Path, odd: dict[str, Any]) -> None:
    adapter: Any = Fitter()
    data = open_corpus(songs(tmp_path, Songs()), paths, silent)
    fitted(adapter, data, tmp_path / "cache")
    (stored,) = (tmp_path / "cache" / "statistics").iterdir()
    np.savez(stored, **odd)
    assert {name: values.tolist() for name, values in fitted(adapter, data, tmp_path / "cache").items()} == {"frames": [72.0]}
    assert adapter.calls == 2


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_networks_get_single_precision_whatever_lies_in_the_cache(name: str) -> None:
    adapter = build_adapter({"name": name})
    kind = np.uint8 if adapter.spec.modality == "music" else np.float16
    crops = np.random.default_rng(0).integers(0, 2, (3, *adapter.spec.shape, 16)).astype(kind)
    column = np.full((adapter.spec.made or adapter.spec.shape[0], 1), 1.5, np.float32)
    made = adapter.normalize(adapter.augment(crops, np.random.default_rng(0)), {"mean": column, "std": column})
    assert made.dtype == np.float32


@pytest.mark.parametrize("name", ["world", "mel"])
def test_streamed_statistics_are_those_of_all_frames_together(name: str, tmp_path: Path) -> None:
    """Against the definitions, pauses left out, on everything joined."""
    for index in range(20):
        (tmp_path / f"{index}.wav").write_text(f"{50 + index} {index}")
    files = [tmp_path / f"{index}.wav" for index in range(20)]
    adapter = build_adapter({"name": name} | ({"n_mels": 36} if name == "mel" else {}))
    found = adapter.fit(open_corpus(songs(tmp_path, speech), files, silent).items)
    items = [compact(speech(path)) for path in files]
    near = [adapter.speech(item.features) for item in items]
    if name == "world":
        voiced = np.log(np.concatenate([item.side.f0[item.side.f0 > 0] for item in items]))
        np.testing.assert_allclose(found["log_f0"], [voiced.mean(), voiced.std()], rtol=1e-5)
    frames = np.concatenate([item.features[:, mask] for item, mask in zip(items, near, strict=True)], axis=1)
    np.testing.assert_allclose(found["mean"], frames.mean(axis=1, keepdims=True, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(found["std"], frames.std(axis=1, keepdims=True, dtype=np.float64), rtol=1e-6)
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
