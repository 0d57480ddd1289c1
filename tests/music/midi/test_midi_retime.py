"""Songs at other times: what is heard moves together, beats do not."""

from __future__ import annotations

import numpy as np
from songs import TPQ, a_score, a_track, core

from audiocycle.music.midi.events import TEMPO, TIME_SIGNATURE
from audiocycle.music.midi.retime import retimed
from audiocycle.music.midi.score import score_of, song_of


def later(ticks: np.ndarray) -> np.ndarray:
    """The middle of each beat a little later."""
    return np.where(ticks % TPQ == TPQ // 2, ticks + 60, ticks)


def test_all_that_is_heard_moves_and_beats_stay() -> None:
    tune = a_track((0, 240, 60, 80), (240, 480, 62, 80))
    tune.controls.append(core.ControlChangeTick(240, 64, 127))
    tune.pitch_bends.append(core.PitchBendTick(720, 100))
    tune.lyrics.append(core.TextMetaTick(240, "la"))
    score = a_score(tune, a_track((240, 480, 38, 90), is_drum=True), metres=[(0, 4, 4), (720, 3, 4)])
    score.tempos.append(core.TempoTick(240, 90.0))
    score.markers.append(core.TextMetaTick(720, "verse"))
    song = song_of(score)
    made = retimed(song, later)
    heard = score_of(made)
    assert [(note.time, note.duration) for note in heard.tracks[0].notes] == [(0, 300), (300, 180)]
    assert [note.time for note in heard.tracks[1].notes] == [300]
    assert [each.time for each in heard.tracks[0].controls] == [300]
    assert [each.time for each in heard.tracks[0].pitch_bends] == [780]
    assert [each.time for each in heard.tracks[0].lyrics] == [300]
    assert [each.time for each in heard.markers] == [780]
    for kind in (TEMPO, TIME_SIGNATURE):
        assert made.metas(kind) == song.metas(kind)
    assert all(list(chunk) == sorted(chunk, key=lambda event: event.tick) for chunk in made.chunks)


def test_where_nothing_moves_nothing_changes() -> None:
    song = song_of(a_score(a_track((0, 240, 60, 80), (240, 480, 62, 80))))
    assert retimed(song, lambda ticks: ticks).chunks == song.chunks
