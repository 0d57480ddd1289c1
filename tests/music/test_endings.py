"""A song begins and ends where it did."""

from songs import BAR, TPQ, a_score, a_track, converted, noise, notes

from audiocycle.music.endings import closing, within_song
from audiocycle.music.notes import Notes, empty, notes_of

SOURCE = notes((100, 500, 60, 64, 0, 0), (480, 2000, 36, 64, 0, 1), (960, 1900, 64, 64, 0, 2), (962, 2000, 67, 64, 0, 3))


def rows(these: Notes) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in (these.start, these.end, these.pitch, these.origin)), strict=True))


def test_the_last_chord_and_what_is_held_into_it() -> None:
    assert closing(SOURCE, 10).origin.tolist() == [1, 2, 3]
    assert len(closing(empty(), 10)) == 0


def test_what_is_within_the_song_stays() -> None:
    assert rows(within_song(SOURCE, SOURCE, 10)) == rows(SOURCE)


def test_new_notes_by_hand() -> None:
    made = notes((0, 400, 70, 1), (95, 400, 71, 1), (500, 2100, 72, 1), (965, 1200, 73, 1), (980, 1200, 74, 1), (2000, 2100, 75, 1))
    new = [row for row in rows(within_song(made, SOURCE, 10)) if row[3] < 0]
    assert new == [(100, 400, 71, -1), (500, 2000, 72, -1), (962, 1200, 73, -1)]


def test_the_last_chord_comes_back_with_its_length() -> None:
    first, shorter = SOURCE.where([0]), notes((480, 700, 36, 64, 0, 1), (100, 3000, 60, 64, 0, 0))
    assert rows(within_song(first, SOURCE, 10)) == rows(SOURCE)
    assert rows(within_song(shorter, SOURCE, 10)) == rows(notes((100, 2000, 60, 64, 0, 0), *rows_of_closing()))


def rows_of_closing() -> list[tuple[int, ...]]:
    return [(start, end, pitch, 64, 0, origin) for start, end, pitch, origin in rows(closing(SOURCE, 10))]


def test_nothing_sounds_before_or_behind_a_song() -> None:
    tune = [(BAR // 2 + i * TPQ, BAR // 2 + (i + 1) * TPQ, 60 + i % 7, 80) for i in range(25)]
    score = a_score(a_track(*tune))
    before, after = notes_of(score), notes_of(converted(score, noise(3, busy=0.3))[0])
    assert len(after) != len(before)
    assert after.start.min() >= before.start.min()
    assert after.start.max() == before.start.max()
    assert after.end.max() == before.end.max()
