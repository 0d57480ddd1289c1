"""Files as notes on lines of beats: metres, pedals, the last bar."""

import numpy as np
import pytest
import symusic

from audiocycle.evaluation.music.whole_songs import read_whole, whole_song

QUARTER = 480


def score(notes, signatures=(), pedals=(), program=0):
    made = symusic.Score(QUARTER)
    track = symusic.Track("", program)
    track.notes.extend([symusic.Note(start, length, pitch, 80) for start, length, pitch in notes])
    track.pedals.extend([symusic.Pedal(start, length) for start, length in pedals])
    made.tracks.append(track)
    made.time_signatures.extend([symusic.TimeSignature(*each) for each in signatures])
    return made


def test_a_beat_is_a_quarter_and_the_last_bar_is_whole():
    song = whole_song(score([(0, 480, 60), (720, 240, 64), (2400, 480, 67)], program=40))
    assert song.notes.start.tolist() == [0.0, 1.5, 5.0]
    assert song.notes.end.tolist() == [1.0, 2.0, 6.0]
    assert song.notes.program.tolist() == [40, 40, 40]
    assert (song.last, song.bar_beats) == (8.0, 4.0)


def test_a_note_that_holds_on_a_little_needs_no_further_bar():
    assert whole_song(score([(0, 1920 + 60, 60)])).last == 4.0
    assert whole_song(score([(0, 1920 + 240, 60)])).last == 8.0


def test_a_beat_of_a_compound_metre_is_a_dotted_quarter():
    song = whole_song(score([(0, 240, 60), (720, 240, 62), (1440 + 240, 240, 64)], [(0, 6, 8)]))
    assert song.notes.start == pytest.approx([0.0, 1.0, 2 + 1 / 3])
    assert (song.last, song.bar_beats) == (4.0, 2.0)


def test_a_change_of_metre_begins_a_beat_even_where_it_cuts_one_short():
    song = whole_song(
        score([(0, 480, 60), (2160, 480, 62), (2640, 480, 64), (3600, 480, 65)], [(0, 4, 4), (2160, 3, 4)])
    )
    assert song.notes.start.tolist() == [0.0, 5.0, 6.0, 8.0]
    assert song.last == 11.0


def test_a_pedal_holds_what_ends_while_it_is_down():
    song = whole_song(score([(0, 480, 60), (480, 480, 64), (960, 480, 67)], pedals=[(240, 720)]))
    assert song.notes.ring.tolist() == [2.0, 2.0, 3.0]


def test_no_pedal_shortens_a_note():
    song = whole_song(score([(0, 1920, 60)], pedals=[(0, 240), (480, 240)]))
    assert np.array_equal(song.notes.ring, song.notes.end)


def test_a_file(tmp_path):
    score([(0, 480, 60)]).dump_midi(tmp_path / "a.mid")
    assert len(read_whole(tmp_path / "a.mid").notes) == 1
