"""The musician's list of a transfer, on songs of which every figure is known."""

import math

import numpy as np
import pytest

from audiocycle.errors import DataError
from audiocycle.evaluation.music.measures import MUSICIAN_MEASURES
from audiocycle.evaluation.music.musician import SLACK, compared, line, pairs, short_of_the_bar, text
from audiocycle.evaluation.music.whole_songs import WholeSong
from audiocycle.metrics.music.song_notes import song_notes


def tune(leaps: int, program: int = 0) -> WholeSong:
    """Sixteen quarters, so many of which are two octaves higher than the one before."""
    pitch = np.full(16, 48) + np.arange(16) % 5
    pitch[1 : 2 * leaps : 2] += 24
    start = np.arange(16.0)
    return WholeSong(song_notes(start, start + 1, pitch, program=program), 16.0, 4.0)


def test_shares_are_of_the_songs_inside_the_middle_of_the_targets():
    found = line(["a", "b", "c", "d"], np.zeros(4), np.array([0.0, 5.0, 9.5, 20.0]), np.arange(11.0))
    assert found.ends == pytest.approx((1.0, 9.0))
    assert (found.below, found.above, found.within) == pytest.approx((0.25, 0.5, 0.25))
    assert (found.songs, found.worst) == (4, "d")
    assert (found.source, found.target) == pytest.approx((0.0, 5.0))


def test_ends_count_as_inside_and_songs_without_a_number_do_not_count():
    found = line(["a", "b", "c"], np.zeros(3), np.array([1.0, np.nan, 9.0]), np.arange(11.0))
    assert (found.within, found.songs, found.worst) == (1.0, 2, "")


def test_nothing_is_said_where_the_target_has_too_few_numbers():
    found = line(["a", "b"], np.zeros(2), np.ones(2), np.array([1.0, np.nan, 2.0]))
    assert found.ends is None
    assert math.isnan(found.within)


def test_a_list_names_the_worst_song_and_what_misses_the_bar():
    sources = [tune(0), tune(0), tune(0)]
    found = compared(["calm", "wild", "wilder"], sources, [tune(0), tune(3), tune(6)], sources)
    assert set(found) == {measure.name for measure in MUSICIAN_MEASURES}
    assert found["bass_leaps"].worst == "wilder"
    assert found["bass_leaps"].within == pytest.approx(1 / 3)
    assert "bass leaps" in short_of_the_bar(found)
    assert "third strikes" not in short_of_the_bar(found)
    assert found["top_line_kept"].worst == "wilder"
    printed = list(text("calm -> wild", found))
    assert any(each.split() == ["worst,", "bass", "leaps:", "wilder"] for each in printed)
    assert max(map(len, printed)) <= 110


def test_one_overlap_in_a_hundred_is_no_fault():
    assert SLACK["overlaps"] == 0.01
    found = compared(["a"], [tune(0, 73)], [tune(0, 73)], [tune(0, 73)] * 3)
    assert found["overlaps"].ends == pytest.approx((0.0, 0.01))


def test_songs_are_paired_by_name():
    song = tune(0)
    assert pairs({"x/a": song, "x/b": song}, {"x/a": song, "x/b.jazz": song, "c": song}) == [
        ("x/a", "x/a"),
        ("x/b", "x/b.jazz"),
    ]
    with pytest.raises(DataError, match="no converted song"):
        pairs({"a": song}, {"b": song})
