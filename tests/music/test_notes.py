"""Notes as arrays: nothing is lost on the way from a score and back."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from songs import a_score, a_track, notes, scores, table, tables

from audiocycle.music.notes import empty, join, notes_of, set_notes


def test_melodic_notes_in_order_of_time_then_pitch() -> None:
    score = a_score(
        a_track((480, 960, 64, 90), (0, 480, 60, 80)),
        a_track((0, 10, 36, 100), is_drum=True),
        a_track(),
        a_track((480, 500, 48, 1), (0, 0, 127, 127)),
    )
    found = notes_of(score)
    assert found.start.tolist() == [0, 0, 480, 480]
    assert found.end.tolist() == [480, 0, 500, 960]
    assert found.pitch.tolist() == [60, 127, 48, 64]
    assert found.velocity.tolist() == [80, 127, 1, 90]
    assert found.track.tolist() == [0, 3, 3, 0]


@given(score=scores())
@settings(max_examples=50, deadline=None)
def test_tracks_get_back_what_they_gave(score: Any) -> None:
    before, melodic = tables(score), notes_of(score)
    for index, track in enumerate(score.tracks):
        if not track.is_drum:
            set_notes(track, melodic.where(melodic.track == index))
    assert tables(score) == before


def test_late_and_long_notes_keep_their_ticks() -> None:
    track = a_track()
    set_notes(track, notes((200_000_000, 268_000_000, 60, 64)))
    assert table(track) == [(200_000_000, 268_000_000, 60, 64)]


def test_joined_lots_are_in_order_and_ties_as_they_came() -> None:
    joined = join([notes((5, 6, 60, 1), (9, 10, 60, 2)), empty(), notes((5, 6, 50, 3), (9, 10, 60, 4))])
    assert joined.velocity.tolist() == [3, 1, 2, 4]
    assert len(join([empty()])) == 0


def test_no_notes_at_all() -> None:
    assert len(notes_of(a_score())) == len(notes_of(a_score(a_track()))) == 0
    track = a_track((0, 1, 60, 64))
    set_notes(track, empty())
    assert table(track) == []


def test_masks_and_indices_choose() -> None:
    three = notes((0, 1, 60, 1), (2, 3, 61, 2, 1), (4, 5, 62, 3, 2))
    assert three.where(three.pitch > 60).track.tolist() == [1, 2]
    assert three.where(np.array([2, 0])).velocity.tolist() == [3, 1]
