"""Crops for music: whole phrases, augmented, from several folders alike, or drawn in pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audiocycle.data.sampler import CropSampler
from audiocycle.spec import ANYONE, Batch, Direction, Domain, FloatArray

CROP = 8
A, B, C = map(Domain, "abc")


def songs(phrases: list[int], first: int = 0) -> list[FloatArray]:
    """Items (2, T) uint8 of so many phrases: row 0 tells the song, row 1 the step."""
    return [np.stack([np.full(CROP * n, first + i), np.arange(CROP * n)]).astype(np.uint8) for i, n in enumerate(phrases)]


def arrays(batch: Batch[FloatArray]) -> dict[object, FloatArray]:
    """All of a batch."""
    return {**batch.items, **batch.guides, **({} if batch.mixed is None else {"mixed": batch.mixed})}


def assert_equal(left: dict[object, FloatArray], right: dict[object, FloatArray]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name])


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    crop=st.integers(1, 20),
    hop=st.integers(1, 20),
    seed=st.integers(0, 2**31),
    step=st.integers(0, 10**6),
)
def test_crops_are_those_of_a_choice_from_a_list_of_all_their_begins(
    lengths: list[int], crop: int, hop: int, seed: int, step: int
) -> None:
    """They begin at multiples of the hop, inside one item; runs of older versions, which kept that list, go on as they began."""
    begins = [
        start + offset
        for start, length in zip(np.cumsum([0, *lengths[:-1]]), lengths, strict=True)
        for offset in range(length)
        if offset % hop == 0 and offset + crop <= length
    ]
    assume(begins)
    whole = np.arange(2 * sum(lengths), dtype=np.float32).reshape(2, -1)
    items = np.split(whole, np.cumsum(lengths)[:-1], axis=1)
    batch = CropSampler({A: items, B: items}, crop, 6, seed, hop=hop).batch(step)
    random = np.random.default_rng([seed, step])
    for domain in (A, B):
        expected = [whole[:, begin : begin + crop] for begin in random.choice(np.array(begins), 6)]
        np.testing.assert_array_equal(batch.items[domain], expected)


def test_nothing_long_enough_is_no_batch() -> None:
    with pytest.raises(ValueError, match="high"):
        CropSampler({A: songs([1])}, CROP + 1, 1, seed=0).batch(0)


def test_a_hop_of_a_window_gives_whole_phrases_each_as_likely() -> None:
    sampler = CropSampler({A: songs([1, 4])}, CROP, 50, seed=0, hop=CROP)
    crops = np.concatenate([sampler.batch(step).items[A] for step in range(100)])
    assert crops.dtype == np.uint8
    assert (crops[:, 1] == crops[:, 1, :1] + np.arange(CROP)).all()
    assert not (crops[:, 1, 0] % CROP).any()
    counts = np.bincount(crops[:, 0, 0] * 4 + crops[:, 1, 0] // CROP, minlength=8)
    assert (np.flatnonzero(counts) == [0, 4, 5, 6, 7]).all()
    assert (np.abs(counts[counts > 0] - 1000) < 120).all()


def louder(crops: FloatArray, random: np.random.Generator) -> FloatArray:
    """Adds a random number to each crop; only raw ones are known by their type."""
    assert crops.dtype == np.uint8
    return np.asarray(crops + random.uniform(0.1, 0.9, (len(crops), 1, 1)), np.float32)


def numbered(domain: Domain, crops: FloatArray) -> FloatArray:
    """Adds the domain's number, times 1000."""
    assert crops.dtype == np.float32
    return crops + np.float32(1000 * "abc".index(domain.name))


CHANGED: dict[str, Any] = {"augment": louder, "normalize": numbered}


def test_crops_are_augmented_raw_and_then_normalised_by_domain() -> None:
    items = {A: songs([5]), B: songs([7])}
    plain = CropSampler(items, CROP, 3, seed=0).batch(4)
    batch = CropSampler(items, CROP, 3, seed=0, augment=louder).batch(4)
    np.testing.assert_array_equal(plain.items[A], np.floor(batch.items[A]))
    batch = CropSampler(items, CROP, 3, seed=0, **CHANGED).batch(4)
    for domain, number in ((A, 0), (B, 1000)):
        assert batch.items[domain].dtype == np.float32
        added = batch.items[domain] - np.floor(batch.items[domain])
        assert (np.floor(batch.items[domain])[:, 0] == number).all()
        assert np.ptp(added, axis=(1, 2)).max() < 1e-3  # one for each crop, and each another
        assert len(np.unique(added.round(2)[:, 0, 0])) == 3


SAMPLERS: dict[str, dict[str, Any]] = {
    "changed": CHANGED,
    "pieces": {**CHANGED, "pieces": 3, "mixture": (A, B)},
    "mixture": {**CHANGED, "mixture": (A, B)},
    "aligned": {**CHANGED, "aligned": True},
    "all": {**CHANGED, "mixture": (A, B), "aligned": True, "hop": CROP},
    "anyone": {**CHANGED, "mixture": (A, B), "anyone": True},
}


@settings(deadline=None, max_examples=30)
@given(kind=st.sampled_from(sorted(SAMPLERS)), seed=st.integers(0, 2**31), step=st.integers(0, 10**7))
def test_a_batch_follows_from_seed_and_step_alone(kind: str, seed: int, step: int) -> None:
    items = {A: songs([3, 5]), B: songs([3, 5], first=100)}
    sampler, other = (CropSampler(items, CROP, 4, seed, **SAMPLERS[kind]) for _ in range(2))
    batch = sampler.batch(step)
    for earlier in (step + 1, 0):
        other.batch(earlier)  # what was asked before changes nothing
    assert_equal(arrays(batch), arrays(other.batch(step)))
    next_one = arrays(sampler.batch(step + 1))
    assert any(not np.array_equal(crops, next_one[name]) for name, crops in arrays(batch).items())


def test_a_mixture_has_as_much_of_each_folder_however_large_it_is() -> None:
    items = {A: songs([1]), B: songs([30], first=1), C: songs([3], first=2)}
    for mixture in ((A, B), (A, B, C)):
        sampler = CropSampler(items, CROP, 7, seed=0, mixture=mixture)
        batches = [sampler.batch(step).mixed for step in range(600)]
        assert {batch.shape for batch in batches} == {(7, 2, CROP)}
        share = np.bincount(np.concatenate(batches)[:, 0, 0], minlength=3) / (600 * 7)
        np.testing.assert_allclose(share, [1 / len(mixture)] * len(mixture) + [0] * (3 - len(mixture)), atol=0.03)


def test_a_mixture_is_a_draw_of_its_own_and_leaves_the_others_as_they_were() -> None:
    items = {A: songs([9]), B: songs([9], first=1)}
    plain, mixed = CropSampler(items, CROP, 4, seed=0), CropSampler(items, CROP, 4, seed=0, mixture=(A, B))
    batch = mixed.batch(5)
    assert_equal(arrays(plain.batch(5)), dict(batch.items))
    assert plain.batch(5).mixed is None
    assert batch.mixed is not None
    drawn = {bytes(crop) for crops in batch.items.values() for crop in crops}
    assert not all(bytes(crop) in drawn for crop in batch.mixed)


def test_mixed_crops_are_normalised_as_their_domain_asks() -> None:
    items = {A: songs([9]), B: songs([9], first=1)}
    crops = CropSampler(items, CROP, 20, seed=0, mixture=(A, B), **CHANGED).batch(0).mixed
    of_b = np.rint(crops[:, 0, 0] - 0.5).astype(int)  # the song's number plus what louder adds
    assert set(of_b) == {0, 1001}
    assert (crops >= np.where(of_b == 0, 0, 1000)[:, None, None]).all()


def test_anyone_is_the_mixture_as_a_domain_of_its_own() -> None:
    items = {A: songs([9]), B: songs([9], first=1), C: songs([9], first=2)}
    plain = CropSampler(items, CROP, 20, seed=0, domains=(A,), mixture=(A, B, C), **CHANGED).batch(3)
    batch = CropSampler(items, CROP, 20, seed=0, domains=(A,), mixture=(A, B, C), anyone=True, **CHANGED).batch(3)
    assert list(batch.items) == [A, ANYONE]
    assert batch.mixed is None
    np.testing.assert_array_equal(batch.items[A], plain.items[A])
    np.testing.assert_array_equal(batch.items[ANYONE], plain.mixed)
    assert set(np.floor(batch.items[ANYONE][:, 0, 0])) == {0, 1001, 2002}, "each normalised as its own domain asks"


def test_one_crop_a_batch_is_of_one_folder() -> None:
    sampler = CropSampler({A: songs([3]), B: songs([3], first=1)}, CROP, 1, seed=0, mixture=(A, B))
    assert {int(sampler.batch(step).mixed[0, 0, 0]) for step in range(20)} == {0, 1}


def moved(crops: FloatArray, random: np.random.Generator) -> FloatArray:
    """Each crop moved by a random number of rows, as the transposition of rolls is."""
    return np.stack([np.roll(crop, shift, axis=0) for crop, shift in zip(crops, random.integers(0, 12, len(crops)), strict=True)])


@settings(deadline=None, max_examples=30)
@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 1000), step=st.integers(0, 1000))
def test_pairs_stay_pairs_under_augmentation(lengths: list[int], seed: int, step: int) -> None:
    random = np.random.default_rng(seed)
    a = [random.integers(0, 100, (12, CROP * n)).astype(np.uint8) for n in lengths]
    items = {A: a, B: [item + 100 for item in a], C: [item // 2 for item in a]}
    batch = CropSampler(items, CROP, 5, seed, hop=CROP, augment=moved, aligned=True).batch(step)
    np.testing.assert_array_equal(batch.items[B], batch.items[A] + 100)
    np.testing.assert_array_equal(batch.items[C], batch.items[A] // 2)


def test_pairs_are_moved_differently_within_a_batch() -> None:
    item = np.tile(np.arange(12, dtype=np.uint8)[:, None], CROP)
    batch = CropSampler({A: [item], B: [item]}, CROP, 20, 0, hop=CROP, augment=moved, aligned=True).batch(0)
    assert len(np.unique(batch.items[A][:, 0, 0])) > 4


def test_unpaired_domains_are_drawn_apart() -> None:
    items = {A: songs([30]), B: songs([30])}
    batch = CropSampler(items, CROP, 8, seed=0).batch(0)
    assert not np.array_equal(batch.items[A], batch.items[B])


def test_items_that_are_no_counterparts_cannot_be_aligned() -> None:
    with pytest.raises(AssertionError):
        CropSampler({A: songs([3, 2]), B: songs([3, 1])}, CROP, 1, seed=0, hop=CROP, aligned=True)


def test_domains_that_are_for_the_mixture_alone_have_no_entry() -> None:
    items = {name: [np.full((2, 8), value, np.float32)] for value, name in enumerate((A, B, C))}
    batch = CropSampler(items, 4, 60, seed=0, domains=(A, B), mixture=(A, B, C)).batch(0)
    assert set(batch.items) == {A, B}
    assert set(np.unique(batch.mixed)) == {0.0, 1.0, 2.0}


def test_a_crop_of_pieces_is_put_together_where_the_whole_batch_is() -> None:
    """Rows of :func:`songs`: the song, and the frame."""
    sampler = CropSampler({A: songs([9, 7, 8])}, CROP, 40, seed=0, pieces=3)
    found = set()
    for step in range(20):
        song, frame = sampler.batch(step).items[A].astype(int).transpose(1, 0, 2)
        joins = (np.diff(song) != 0) | (np.diff(frame) != 1)
        places = np.flatnonzero(joins.any(axis=0))
        assert len(places) == 2, "all crops of a batch are cut at the same two places"
        assert joins[:, places].mean() > 0.9
        found |= set(places.tolist())
        ends = np.array([9, 7, 8])[song] * CROP
        assert (frame < ends).all()
    assert found == set(range(CROP - 1)), "everywhere"


def test_guides_are_put_together_as_their_crops_are() -> None:
    items = {A: songs([3, 5]), B: songs([4])}
    guides = {Direction(A, B): [item.astype(np.float16) for item in items[A]], Direction(B, A): [item.astype(np.float16) for item in items[B]]}
    batch = CropSampler(items, CROP, 6, seed=2, pieces=4, guides=guides).batch(5)
    np.testing.assert_array_equal(batch.guides[Direction(A, B)], batch.items[A])
    np.testing.assert_array_equal(batch.guides[Direction(B, A)], batch.items[B])
