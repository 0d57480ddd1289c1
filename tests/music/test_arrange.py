"""Converted notes back in their score: tracks, programs, and no note doubled that was not."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import (
    BAR,
    STATS,
    STEP,
    TPQ,
    a_score,
    a_track,
    converted,
    core,
    even_bars,
    noise,
    notes,
    scores,
    table,
    tables,
)

from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.arrange import arrange, outside, without_overlaps
from audiocycle.music.midi.merge import unison
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.strokes import find_strokes, parts_of
from audiocycle.music.notes import Notes, empty, join, notes_of
from audiocycle.music.options import MusicOptions

PROGRAMS = STATS["programs"]


def rows(these: Notes) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in these.columns[:5]), strict=True))


def test_notes_that_no_span_shows() -> None:
    spans = [even_bars(0, 1, TPQ), even_bars(2 * BAR, 1, TPQ)]
    starts = (0, BAR - 61, BAR - 60, BAR, 2 * BAR - 61, 2 * BAR - 60, 3 * BAR - 60)
    these = notes(*((start, start + 1, 60, 64) for start in starts), (0, 1, 23, 64), (0, 1, 108, 64))
    assert outside(these, spans).start.tolist() == [BAR - 60, BAR, 2 * BAR - 61, 3 * BAR - 60, 0, 0]
    assert rows(outside(these, [])) == rows(these)


SOURCE = notes((0, 100, 60, 70, 0, 0), (50, 80, 60, 90, 0, 1), (200, 300, 60, 70, 0, 2), (200, 260, 60, 50, 0, 3), (0, 100, 62, 70, 1, 4))


FIRST, SECOND = (0, 100, 60, 70, 0, 0), (50, 80, 60, 90, 0, 1)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (SOURCE, SOURCE),
        (empty(), empty()),
        (notes((0, 300, 64, 70), (200, 400, 64, 70)), notes((0, 200, 64, 70), (200, 400, 64, 70))),  # new: cut
        (notes((0, 300, 64, 70), (200, 400, 64, 70, 1)), notes((0, 300, 64, 70), (200, 400, 64, 70, 1))),
        (notes((0, 300, 64, 70), (200, 400, 64, 70, 2)), notes((0, 200, 64, 70), (200, 400, 64, 70, 2))),  # 2 shares a channel with 0
        (notes((0, 300, 64, 70), (200, 400, 65, 70)), notes((0, 300, 64, 70), (200, 400, 65, 70))),
        (notes(FIRST, (90, 150, 60, 1)), notes(FIRST, (100, 150, 60, 1))),  # a new one waits
        (notes(FIRST, (90, 95, 60, 1)), notes(FIRST)),  # or is lost
        (notes(FIRST, (0, 150, 60, 1)), notes(FIRST)),
        (notes((150, 250, 60, 1), (200, 300, 60, 70, 0, 2)), notes((150, 200, 60, 1), (200, 300, 60, 70, 0, 2))),  # makes way
        (notes((0, 250, 60, 70, 0, 0), (200, 300, 60, 70, 0, 2)), notes((0, 200, 60, 70, 0, 0), (200, 300, 60, 70, 0, 2))),  # lengthened: cut
        (notes(FIRST, SECOND), notes(FIRST, SECOND)),  # overlap in the source
        (notes(FIRST, (50, 120, 60, 90, 0, 1)), notes(FIRST, (50, 120, 60, 90, 0, 1))),
        (notes((0, 10, 64, 70), (0, 20, 64, 90)), notes((0, 20, 64, 90))),
    ],
)
def test_overlaps_by_hand(made: Notes, expected: Notes) -> None:
    assert sorted(rows(without_overlaps(made, SOURCE, np.array([0, 1, 0]), np.zeros(3, np.int64)))) == sorted(rows(expected))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (notes((0, 100, 60, 70, 0, 0), (100, 150, 60, 1, 2)), notes((0, 100, 60, 70, 0, 0), (101, 150, 60, 1, 2))),
        (notes((150, 300, 60, 1), (200, 300, 60, 70, 2)), notes((150, 199, 60, 1), (200, 300, 60, 70, 2))),
        (notes((0, 100, 60, 1, 2), (100, 150, 60, 1)), notes((0, 100, 60, 1, 2), (100, 150, 60, 1))),
        (notes((0, 100, 60, 1), (100, 150, 61, 1, 2)), notes((0, 100, 60, 1), (100, 150, 61, 1, 2))),
    ],
)
def test_a_tick_lies_between_what_ends_in_a_later_chunk_and_what_follows(made: Notes, expected: Notes) -> None:
    assert rows(without_overlaps(made, SOURCE, np.array([0, 1, 0]), np.array([3, 0, 1]))) == rows(expected)


def test_unison_by_hand() -> None:
    tracks = notes((0, 80, 60, 70, 0), (40, 60, 60, 90, 1), (100, 120, 60, 50, 0), (100, 140, 60, 40, 1), (0, 99, 61, 1, 2))
    assert rows(unison(tracks)) == [
        (0, 40, 60, 70, 0),
        (40, 80, 60, 90, 1),
        (100, 140, 60, 50, 0),  # the loudest, as long as the longest
        (0, 99, 61, 1, 2),
    ]


@given(score=scores())
@settings(max_examples=60, deadline=None)
def test_in_unison_nothing_overlaps_and_every_pitch_sounds_as_it_did(score: Any) -> None:
    before = notes_of(score)
    after = unison(before)

    def sounding(these: Notes, pitch: int) -> np.ndarray:
        mine = these.where(these.pitch == pitch)
        return np.isin(np.arange(before.end.max()), np.concatenate([np.arange(a, b) for a, b, *_ in [*rows(mine), (0, 0)]]))

    for pitch in np.unique(before.pitch):
        np.testing.assert_array_equal(sounding(before, pitch), sounding(after, pitch))
        mine = [(a, b) for a, b, p, *_ in rows(after) if p == pitch]
        assert all(b <= c for (_, b), (c, _) in pairwise(mine))


def band() -> Any:
    """Drums, bass, a track of words, piano with a pedal, and a flute that sings."""
    score = a_score(
        a_track((0, STEP, 36, 100), is_drum=True, name="drums"),
        a_track((0, BAR, 36, 80), name="bass", program=33),
        a_track(name="words"),
        a_track((0, BAR, 60, 70), (0, BAR, 64, 70), (0, BAR, 76, 60), name="piano", program=4),
        a_track((0, BAR, 76, 90), (BAR, 2 * BAR, 84, 90), name="flute", program=73),
    )
    score.tracks[2].lyrics.append(core.TextMetaTick(STEP, "oh"))
    score.tracks[3].controls.append(core.ControlChangeTick(0, 64, 127))
    score.tracks[3].lyrics.append(core.TextMetaTick(5, "b"))
    score.tracks[4].lyrics.append(core.TextMetaTick(3, "a"))
    return score


def arranged(score: Any, keeps: Callable[[Notes], Any] | None = None, more: Notes | None = None, usual: Any = PROGRAMS, **options: Any) -> Any:
    """The score with those of its own notes that ``keeps`` chooses, and ``more``; ``usual`` are the target's programs."""
    song = song_of(score)
    strokes = find_strokes(song.chunks)
    parts, source = parts_of(strokes)
    made = join([source if keeps is None else source.where(keeps(source)), more or empty()])
    return score_of(arrange(song, strokes, parts, source, made, MusicOptions(**options), usual)[0])


def none(source: Notes) -> Any:
    return np.zeros(len(source), dtype=bool)


def names(score: Any) -> list[tuple[str, int]]:
    return [(track.name, track.program) for track in score.tracks]


def test_tracks_and_programs_are_kept() -> None:
    score = band()
    assert names(arranged(score)) == names(score)
    assert tables(arranged(score)) == tables(score)


def test_usual_programs_of_the_target_where_they_are_known() -> None:
    made = arranged(band(), programs="target", usual=np.array([40.0, 50, -1]))
    assert names(made) == [("drums", 0), ("bass", 40), ("words", 0), ("piano", 50), ("flute", 73)]
    assert names(arranged(band(), programs="target", usual=None)) == names(band())


def test_merged_into_one_track() -> None:
    made = arranged(band(), tracks="merge")
    assert names(made) == [("drums", 0), ("words", 0), ("piano", 4)]
    assert table(made.tracks[2]) == [
        (0, BAR, 36, 80),
        (0, BAR, 60, 70),
        (0, BAR, 64, 70),
        (0, BAR, 76, 90),  # piano and flute
        (BAR, 2 * BAR, 84, 90),
    ]
    assert [(lyric.time, lyric.text) for lyric in made.tracks[2].lyrics] == [(3, "a"), (5, "b")]
    assert [(each.number, each.value) for each in made.tracks[2].controls] == [(64, 127)]
    assert table(made.tracks[0]) == [(0, STEP, 36, 100)]
    assert [lyric.text for lyric in made.tracks[1].lyrics] == ["oh"]


def test_merged_into_one_track_a_register() -> None:
    made = arranged(band(), tracks="merge", programs="target")
    assert names(made) == [("drums", 0), ("words", 0), ("bass", 32), ("middle", 0), ("treble", 4)]
    assert [pitch for *_, pitch, _ in table(made.tracks[4])] == [76, 84]
    assert [len(track.lyrics) for track in made.tracks] == [0, 1, 2, 0, 0]
    assert [len(track.controls) for track in made.tracks] == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("tracks", ["keep", "merge"])
def test_a_song_without_a_note_left_keeps_all_else(tracks: str) -> None:
    score = band()
    made = arranged(score, none, tracks=tracks)
    assert len(notes_of(made)) == 0
    assert sum(len(track.lyrics) for track in made.tracks) == 3
    assert made.end() == score.end() == 2 * BAR
    assert (64, 127) in [(control.number, control.value) for track in made.tracks for control in track.controls]


def test_a_song_that_lost_its_end_stays_as_long() -> None:
    score = band()
    made = arranged(score, lambda source: source.end <= BAR)
    assert made.end() == 2 * BAR
    assert [[(c.time, c.number, c.value) for c in track.controls if c.number != 64] for track in made.tracks] == [
        [],
        [],
        [],
        [(2 * BAR, 123, 0)],
        [],
    ]
    longer = arranged(score, more=notes((2 * BAR, 3 * BAR, 60, 64, 1)))
    assert longer.end() == 3 * BAR
    assert sum(len(track.controls) for track in longer.tracks) == 1


def test_new_notes_on_a_shared_channel_sound_with_their_parts_program() -> None:
    score = a_score(*(a_track((i, BAR, 30 + i, 64), (2 * BAR + i, 3 * BAR, 30 + i, 64), program=i) for i in range(20)))
    new = notes(*((BAR + 7 * i, BAR + 7 * i + 5, 60, 64, i) for i in range(20)))
    made = arranged(score, more=new)
    assert [(track.program, len(track.notes)) for track in made.tracks] == [(i, 3) for i in range(20)]


@given(
    score=scores(),
    seed=st.integers(0, 99),
    programs=st.sampled_from(["source", "target"]),
    strength=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_merged_songs_have_every_note_once(score: Any, seed: int, programs: str, strength: float) -> None:
    made, details = converted(score, noise(seed), PianoRollAdapter(), strength=strength, tracks="merge", programs=programs)
    assert made.end() >= score.end()
    assert details["notes_out"] == len(notes_of(made))
    assert len([t for t in made.tracks if not t.is_drum and len(t.notes)]) <= (1 if programs == "source" else 3)
    for track in made.tracks:
        if not track.is_drum:
            mine = sorted((pitch, start, end) for start, end, pitch, _ in table(track))
            assert all(p != q or b <= c for (p, _, b), (q, c, _) in pairwise(mine))
    assert [table(t) for t in made.tracks if t.is_drum] == [table(t) for t in score.tracks if t.is_drum]
    lyrics = [[str(lyric) for track in each.tracks for lyric in track.lyrics] for each in (score, made)]
    assert lyrics[0] == lyrics[1]
