"""The feature cache: analysed once whatever happens, never stale, shared by processes, resumed after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.data import cache as features
from audiocycle.data.cache import Digests, FeatureCache, arrays_of, compact
from audiocycle.errors import InputError
from audiocycle.spec import Encoded, NoSide


def silent(done: int, total: int) -> None:
    """No progress bar."""


@dataclass(frozen=True)
class Side:
    """Of every kind."""

    f0: Any = None
    n_samples: Any = None
    programs: Any = None


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
        return Encoded(np.tile(values, (2, 1)), Side(f0=values * 2, n_samples=len(content)))


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "anna"
    folder.mkdir(parents=True)
    for name in ("one", "two", "three"):
        (folder / f"{name}.wav").write_bytes(name.encode() * 10)
    return folder


def cache(folder: Path, encoder: Encoder, **changes: Any) -> FeatureCache:
    return FeatureCache(
        folder / "cache", encoder, {"name": "world", "sample_rate": 16000, "n_mcep": 36} | changes, side=Side
    )


def assert_equal(left: Encoded, right: Encoded) -> None:
    np.testing.assert_array_equal(left.features, right.features)
    kept, wanted = arrays_of(left.side), arrays_of(right.side)
    assert kept.keys() == wanted.keys()
    for key, values in wanted.items():
        np.testing.assert_array_equal(kept[key], values)


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
        FeatureCache(tmp_path / "cache", encoder, settings_, side=Side).get(recordings / "one.wav")
    assert len(encoder.calls) == 1


@pytest.mark.parametrize("damage", ["empty", "a few bytes", "cut", "flipped", "text", "no features"])
def test_a_damaged_cache_file_is_made_again(recordings: Path, tmp_path: Path, damage: str) -> None:
    encoder = Encoder()
    good = cache(tmp_path, encoder).get(recordings / "one.wav")
    (stored,) = (tmp_path / "cache").glob("*.npz")
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
    assert list((tmp_path / "cache").glob("*.npz")) == [stored]


def odd_entries(good: Encoded) -> dict[str, dict[str, Any]]:
    """What numpy reads without complaint, and this program has not written."""
    x = np.asarray(good.features)
    return {
        "text": {"features": np.array("words")}, "texts": {"features": np.full(x.shape, "a")}, "a number": {"features": np.float16(1)},
        "flat": {"features": x[0]}, "deep": {"features": x[None, None]}, "fewer rows": {"features": x[:1]}, "no frames": {"features": x[:, :0]},
        "doubles": {"features": x.astype(np.float64)}, "complex": {"features": x.astype(np.complex64)},
        "a NaN": {"features": np.where(x == x.max(), np.nan, x).astype(np.float16)},
        "a NaN beside": {"features": x, "f0": np.full(len(x[0]), np.nan, np.float32)}, "times": {"features": x, "f0": np.array("2020", "datetime64")},
    }  # fmt: skip


ODD_ENTRIES = list(odd_entries(Encoded(np.zeros((2, 1)), NoSide())))


@pytest.mark.parametrize("odd", ODD_ENTRIES)
def test_an_entry_that_is_no_features_is_made_again(recordings: Path, tmp_path: Path, odd: str) -> None:
    encoder = Encoder()
    made = FeatureCache(tmp_path / "cache", encoder, {}, (2,), Side)
    good = made.get(recordings / "one.wav")
    (stored,) = (tmp_path / "cache").glob("*.npz")
    np.savez(stored, **odd_entries(good)[odd])
    for _ in range(2):
        assert_equal(made.get(recordings / "one.wav"), good)
    assert encoder.calls == ["one.wav"] * 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b" \n", b"is bad\nand long " * 100_000], ids=["no text", "empty", "blank", "long"])
def test_a_refusal_that_nobody_can_read_is_found_out_again(recordings: Path, tmp_path: Path, content: bytes) -> None:
    encoder, bad = Encoder(), recordings / "broken.wav"
    bad.write_bytes(b"bad file")
    made = cache(tmp_path, encoder)
    made.analyse([bad], silent)
    (refused,) = (tmp_path / "cache").glob("*.refused")
    refused.write_bytes(content)
    with pytest.raises(InputError) as caught:
        made.get(bad)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 5000
    assert len(encoder.calls) == (1 if b"long" in content else 2)


def test_an_analysis_that_gives_no_numbers_is_refused(recordings: Path, tmp_path: Path) -> None:
    for odd in (np.nan, np.inf, 1e6):  # the last is none in half precision
        values = np.full((2, 3), odd, np.float32)
        with np.errstate(over="ignore"), pytest.raises(InputError, match=r"one\.wav: its features are not finite numbers"):
            FeatureCache(tmp_path / str(odd), lambda path, values=values: Encoded(values, NoSide()), {}).get(recordings / "one.wav")


def test_analysing_makes_what_is_missing_and_says_how_far_it_is(recordings: Path, tmp_path: Path) -> None:
    encoder, seen, paths = Encoder(), list[tuple[int, int]](), sorted(recordings.iterdir())
    made = cache(tmp_path, encoder)
    made.get(paths[1])
    made.analyse(paths, lambda done, total: seen.append((done, total)), jobs=2)
    assert sorted(encoder.calls) == ["one.wav", "three.wav", "two.wav"]
    assert seen[-1] == (3, 3)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    cache(tmp_path, encoder).analyse(paths, silent)
    assert len(encoder.calls) == 3


def test_nothing_to_analyse_ends_the_bar(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    cache(tmp_path, Encoder()).analyse([], lambda done, total: seen.append((done, total)))
    assert seen == [(0, 0)]


def test_a_file_that_cannot_be_used_is_tried_once_and_named_as_it_is_called_now(recordings: Path, tmp_path: Path) -> None:
    encoder, bad = Encoder(), recordings / "broken.wav"
    bad.write_bytes(b"bad file")
    for _ in range(2):
        cache(tmp_path, encoder).analyse([bad], silent)
    with pytest.raises(InputError, match=r"broken\.wav: not a readable recording"):
        cache(tmp_path, encoder).get(bad)
    moved = bad.rename(recordings / "moved.wav")
    with pytest.raises(InputError) as caught:
        cache(tmp_path, encoder).get(moved)
    assert str(caught.value) == f"{moved}: not a readable recording"
    assert encoder.calls == ["broken.wav"]
    (refused,) = (tmp_path / "cache").glob("*.refused")
    refused.unlink()
    with pytest.raises(InputError):
        cache(tmp_path, encoder).get(moved)
    assert encoder.calls == ["broken.wav", "moved.wav"], "without its refusal a file is tried again"


def test_a_file_that_went_away_is_an_input_error(recordings: Path, tmp_path: Path) -> None:
    made = cache(tmp_path, Encoder())
    with pytest.raises(InputError, match=r"gone\.wav: cannot be read \(No such file"):
        made.get(recordings / "gone.wav")
    made.analyse([recordings / "gone.wav"], silent)
    assert not list((tmp_path / "cache").glob("*.refused")), "it may come back"


def test_a_bug_in_the_analysis_is_no_bad_file(recordings: Path, tmp_path: Path) -> None:
    def broken(path: Path) -> Encoded:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FeatureCache(tmp_path / "cache", broken, {}).analyse(sorted(recordings.iterdir()), silent)


def test_an_entry_of_an_older_format_is_no_error(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder()
    monkeypatch.setattr(features, "FORMAT", 1)
    cache(tmp_path, encoder).get(recordings / "one.wav")
    monkeypatch.undo()
    cache(tmp_path, encoder).get(recordings / "one.wav")
    assert len(encoder.calls) == 2


KILLED = """
import os, signal, sys
from dataclasses import make_dataclass
from pathlib import Path
import numpy as np
from audiocycle.data import cache as features
from audiocycle.data.cache import FeatureCache
from audiocycle.spec import Encoded
Side = make_dataclass("Side", ["f0", "n_samples"])

features.SETTLED_NS = -1
cache, moment, *names = sys.argv[1:]
begun = []
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def encode(path):
    begun.append(path)
    if moment == "analysing" and len(begun) == 3:
        die()
    values = np.frombuffer(path.read_bytes(), dtype=np.uint8).astype(np.float32)
    return Encoded(np.tile(values, (2, 1)), Side(f0=values * 2, n_samples=len(values)))
if moment == "writing":
    def half(path, **arrays):
        if len(begun) == 3:
            path.write_bytes(b"PK")
            die()
        save(path, **arrays)
    save, np.savez = np.savez, half
FeatureCache(Path(cache), encode, SETTINGS).analyse([Path(name) for name in names], lambda done, total: None, jobs=1)
""".replace("SETTINGS", repr({"name": "world", "sample_rate": 16000, "n_mcep": 36}))


def start(folder: Path, moment: str, paths: Sequence[Path]) -> subprocess.Popen[bytes]:
    """A process that analyses files into ``folder/cache``."""
    root = Path(features.__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", KILLED, str(folder / "cache"), moment, *map(str, paths)], cwd=root)


def many(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{index}.wav" for index in range(count)]
    for index, path in enumerate(paths):
        path.write_bytes(bytes([index]) * (20 + index))
    return paths


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("moment", ["analysing", "writing"])
def test_after_a_kill_only_the_rest_is_analysed(tmp_path: Path, moment: str) -> None:
    paths = many(tmp_path, 6)
    assert start(tmp_path, moment, paths).wait() == -9
    encoder = Encoder()
    again = cache(tmp_path, encoder)
    again.analyse(paths, silent)
    assert sorted(encoder.calls) == [path.name for path in paths[2:]]
    for path in paths:
        np.testing.assert_array_equal(again.get(path).features[0], np.frombuffer(path.read_bytes(), np.uint8))


def test_several_processes_fill_one_cache(tmp_path: Path) -> None:
    paths = many(tmp_path, 40)
    at_work = [start(tmp_path, "", some) for some in (paths, paths[::-1], paths)]
    assert [process.wait() for process in at_work] == [0, 0, 0]
    encoder = Encoder()
    cache(tmp_path, encoder).analyse(paths, silent)
    assert encoder.calls == []
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 40
    lines = [json.loads(line) for line in (tmp_path / "cache" / "digests.jsonl").read_text().splitlines() if line]
    assert {line[0] for line in lines} == {str(path) for path in paths}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written count as old ones."""
    monkeypatch.setattr(features, "SETTLED_NS", -1)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read for a digest."""
    names: list[str] = []
    digest = features.hashlib.file_digest

    def noted(file: Any, make: Callable[[], Any]) -> Any:
        names.append(Path(file.name).name)
        return digest(file, make)

    monkeypatch.setattr(features.hashlib, "file_digest", noted)
    return names


@pytest.mark.usefixtures("settled")
def test_a_second_start_reads_no_recording(recordings: Path, tmp_path: Path, reads: list[str]) -> None:
    paths = sorted(recordings.iterdir())
    cache(tmp_path, Encoder()).analyse(paths, silent)
    assert len(reads) == 3
    again = cache(tmp_path, Encoder(), n_mcep=24)  # other features of the same files
    again.analyse(paths, silent)
    assert len(reads) == 3


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", ["size", "date", "another file of the same size and date"])
def test_a_changed_file_is_read_again(recordings: Path, tmp_path: Path, change: str, reads: list[str]) -> None:
    path, other = recordings / "one.wav", recordings / "other.wav"
    other.write_bytes(b"two" * 10)
    for each in (path, other):
        os.utime(each, (1e9, 1e9))
    digests = Digests(tmp_path / "digests.jsonl")
    before = digests.get(path)
    assert digests.get(path) == before
    if change == "size":
        path.write_bytes(b"two" * 11)
    elif change == "date":
        path.write_bytes(b"two" * 10)
    else:
        time.sleep(0.05)  # the file system's clock ticks
        os.replace(other, path)
    assert digests.get(path) != before
    assert Digests(tmp_path / "digests.jsonl").get(path) != before
    assert reads == ["one.wav", "one.wav"], "the new digest is remembered"


def test_a_file_that_was_just_written_is_not_trusted_yet(recordings: Path, tmp_path: Path, reads: list[str]) -> None:
    for _ in range(2):
        Digests(tmp_path / "digests.jsonl").get(recordings / "one.wav")
    assert reads == ["one.wav"] * 2


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("rubbish", [b'["cut o', b"\xff\x00", b"7", b"[]", b'{"a": 1}', b'["/x", 1, 2]', b"[" * 100_000, b'["/x", 1, 2, 3, []]', b"9" * 5000])
def test_lines_that_a_crash_left_behind_are_ignored(recordings: Path, tmp_path: Path, rubbish: bytes, reads: list[str]) -> None:
    path = tmp_path / "digests.jsonl"
    first = Digests(path).get(recordings / "one.wav")
    path.write_bytes(path.read_bytes() + rubbish)
    second = Digests(path).get(recordings / "two.wav")
    again = Digests(path)
    assert [again.get(recordings / "one.wav"), again.get(recordings / "two.wav")] == [first, second]
    assert reads == ["one.wav", "two.wav"]


@pytest.mark.usefixtures("settled")
def test_the_last_line_of_a_file_holds(recordings: Path, tmp_path: Path) -> None:
    path = recordings / "one.wav"
    for content in (b"first", b"then"):
        path.write_bytes(content)
        digest = Digests(tmp_path / "digests.jsonl").get(path)
    assert Digests(tmp_path / "digests.jsonl").remembered(path) == digest


@given(st.floats(-60, 60))
def test_half_precision_is_near_enough(value: float) -> None:
    kept = compact(Encoded(np.full((1, 1), value, np.float32), NoSide())).features
    assert kept.dtype == np.float16
    assert abs(float(kept[0, 0]) - value) <= max(abs(value) * 2**-11, 2**-25)


def test_what_is_compact_stays_as_it_is() -> None:
    roll = np.ones((2, 84, 4), np.uint8)
    kept = compact(Encoded(roll, Side(np.array([123.456789]), 7, np.ones((3, 128), np.int64))))
    assert kept.features is roll
    assert {name: (x.dtype, x.shape) for name, x in arrays_of(kept.side).items()} == {
        "f0": (np.float32, (1,)), "n_samples": (np.int64, ()), "programs": (np.int64, (3, 128)),
    }  # fmt: skip
