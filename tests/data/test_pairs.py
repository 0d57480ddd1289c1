"""Short items and copies left out, and counterparts of the same name found and cut to the frames that they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audiocycle.data.domains import DomainData, aligned_items, shared_frames, without_copies, without_short
from audiocycle.errors import DataError
from audiocycle.spec import Domain, Encoded

JAZZ, POP = Domain("jazz"), Domain("pop")
ROOTS = {JAZZ: Path("music/jazz"), POP: Path("music/pop")}
WINDOW = 4


@dataclass(frozen=True)
class Side:
    """Where each window begins, if anybody says so."""

    places: NDArray[np.floating] | None = None


def places_of(encoded: Encoded[Side]) -> NDArray[np.floating] | None:
    return encoded.side.places


def item(value: int, frames: int = WINDOW, places: list[float] | None = None) -> Encoded[Side]:
    """Features (2, T) that count up from ``value``."""
    features = np.arange(value, value + 2 * frames, dtype=np.float32).reshape(2, frames)
    return Encoded(features, Side(None if places is None else np.array(places)))


def phrases(*places: float, domain: int = 0) -> Encoded[Side]:
    """One window a place, all of whose frames are the place plus the domain's number."""
    features = np.repeat(np.array(places, np.float32) + domain, WINDOW)
    return Encoded(np.stack([features, features]), Side(np.array(places)))


def data(folder: Domain, **items: Encoded[Side]) -> DomainData:
    """Items by file name; ``__`` stands for a folder, and ``_mid`` or ``_midi`` at the end for a suffix."""
    paths = [ROOTS[folder] / name.replace("__", "/").replace("_mid", ".mid") for name in items]
    keys = [f"key of {path}" for path in paths]
    return DomainData(list(items.values()), paths, {ROOTS[folder] / "bad.mid": "bad"}, keys, {})


def names(found: DomainData) -> list[str]:
    return [path.name for path in found.paths]


def test_of_items_with_the_same_features_the_first_is_kept() -> None:
    root = ROOTS[POP]
    given = data(POP, a_mid=item(1), b_mid=item(2), c_mid=item(1, places=[0.0]), d_mid=item(1))
    given.copies.update({root / "c.mid": root / "a.mid", root / "d.mid": root / "a.mid"})
    found = without_copies(given)
    assert names(found) == ["a.mid", "b.mid"]
    assert [int(x.features[0, 0]) for x in found.items] == [1, 2]
    assert found.keys == given.keys[:2]
    assert found.skipped == {
        root / "bad.mid": "bad",
        root / "c.mid": f"has the same content as {root / 'a.mid'}",
        root / "d.mid": f"has the same content as {root / 'a.mid'}",
    }
    assert names(given) == ["a.mid", "b.mid", "c.mid", "d.mid"]
    assert list(given.skipped) == [root / "bad.mid"], "the given data stay as they were"


def test_items_shorter_than_a_crop_are_left_out_and_said_to_be_short_once() -> None:
    given = data(POP, a_mid=item(1, 3), b_mid=item(2, 4), c_mid=item(1, 3))
    given.copies[ROOTS[POP] / "c.mid"] = ROOTS[POP] / "a.mid"
    found = without_copies(without_short(given, 4))
    assert names(found) == ["b.mid"]
    short = "shorter than a training crop (3 of 4 frames)"
    assert found.skipped == {ROOTS[POP] / "bad.mid": "bad", ROOTS[POP] / "a.mid": short, ROOTS[POP] / "c.mid": short}


def test_keys_of_counterparts_tell_what_they_were_cut_by() -> None:
    """Statistics are kept by them: another counterpart leaves other frames."""
    jazz, long, short = data(JAZZ, a_mid=item(0, 9)), data(POP, a_mid=item(0, 6)), data(POP, a_mid=item(0, 5))
    short.keys[:] = ["another"]
    first, again, other = (aligned_items({JAZZ: jazz, POP: pop}, ROOTS, WINDOW, places_of)[JAZZ].keys for pop in (long, long, short))
    assert first == again
    assert first != other
    assert first != jazz.keys


def test_counterparts_have_the_same_name_in_the_same_subfolder() -> None:
    jazz = data(JAZZ, b_mid=item(1), sub__a_midi=item(2), a_mid=item(3), only_jazz_mid=item(4))
    pop = data(POP, a_mid=item(13), b_mid=item(11), sub__a_mid=item(12), sub__b_mid=item(14))
    found = aligned_items({JAZZ: jazz, POP: pop}, ROOTS, WINDOW, places_of)
    assert [path.as_posix() for path in found[JAZZ].paths] == ["music/jazz/a.mid", "music/jazz/b.mid", "music/jazz/sub/a.midi"]
    assert [path.as_posix() for path in found[POP].paths] == ["music/pop/a.mid", "music/pop/b.mid", "music/pop/sub/a.mid"]
    for domain, first in ((JAZZ, [3, 1, 2]), (POP, [13, 11, 12])):
        assert [int(x.features[0, 0]) for x in found[domain].items] == first
    assert found[JAZZ].skipped == {ROOTS[JAZZ] / "bad.mid": "bad", ROOTS[JAZZ] / "only_jazz.mid": "has no counterpart"}
    assert found[POP].skipped == {ROOTS[POP] / "bad.mid": "bad", ROOTS[POP] / "sub/b.mid": "has no counterpart"}


def test_without_places_the_shortest_says_how_long() -> None:
    found = aligned_items({JAZZ: data(JAZZ, a_mid=item(0, 9)), POP: data(POP, a_mid=item(0, 6))}, ROOTS, WINDOW, places_of)
    for domain, frames in ((JAZZ, 9), (POP, 6)):
        np.testing.assert_array_equal(found[domain].items[0].features, item(0, frames).features[:, :6])


def test_with_places_windows_are_matched_by_them() -> None:
    jazz, pop = phrases(0, 16, 32, 64), phrases(16, 48, 64, 80, domain=100)
    found = aligned_items({JAZZ: data(JAZZ, a_mid=jazz), POP: data(POP, a_mid=pop)}, ROOTS, WINDOW, places_of)
    for domain, number in ((JAZZ, 0), (POP, 100)):
        np.testing.assert_array_equal(found[domain].items[0].features, phrases(16, 64, domain=number).features)


def test_counterparts_that_share_no_window_are_left_out_of_both() -> None:
    jazz = data(JAZZ, a_mid=phrases(0, 16), b_mid=phrases(0))
    pop = data(POP, a_mid=phrases(32), b_mid=phrases(0))
    found = aligned_items({JAZZ: jazz, POP: pop}, ROOTS, WINDOW, places_of)
    assert names(found[JAZZ]) == names(found[POP]) == ["b.mid"]


@pytest.mark.parametrize(
    "pop", [data(POP, b_mid=phrases(0)), data(POP, a_mid=phrases(16)), data(POP)], ids=["other names", "other places", "nothing"]
)
def test_no_pair_at_all_is_told_with_the_remedy(pop: DomainData) -> None:
    with pytest.raises(DataError, match=r"music/jazz, music/pop: no pairs; the same tune needs the same file name in each folder"):
        aligned_items({JAZZ: data(JAZZ, a_mid=phrases(0)), POP: pop}, ROOTS, WINDOW, places_of)


PLACES = st.lists(st.integers(0, 12), unique=True, max_size=8)


@given(first=PLACES, second=PLACES, third=PLACES)
def test_shared_frames_are_the_windows_at_common_places_in_order(first: list[int], second: list[int], third: list[int]) -> None:
    places = {Domain("a"): first, Domain("b"): second, Domain("c"): third}
    items = {domain: phrases(*values, domain=20 * i) for i, (domain, values) in enumerate(places.items())}
    cut = shared_frames(items, WINDOW, places_of)
    common = sorted({*first} & {*second} & {*third})
    for i, domain in enumerate(places):
        assert cut[domain].dtype == np.float32
        np.testing.assert_array_equal(cut[domain], phrases(*common, domain=20 * i).features)


def test_one_item_without_places_is_enough_to_match_by_length() -> None:
    cut = shared_frames({Domain("a"): phrases(0, 16), Domain("b"): item(0, 5)}, WINDOW, places_of)
    assert [x.shape for x in cut.values()] == [(2, 5), (2, 5)]
