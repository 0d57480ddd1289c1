"""The table of instruments: every program once, and compasses that make sense."""

from audiocycle.music.instruments import HIGHEST, INSTRUMENTS, LOWEST, N_PROGRAMS, VOICES

FLUTE, CELLO, BASS_GUITAR, TRUMPET, PIANO, STRINGS = 73, 42, 33, 56, 0, 48


def test_every_program_has_one_line() -> None:
    programs = [program for each in INSTRUMENTS for program in range(each.first, each.last + 1)]
    assert programs == list(range(N_PROGRAMS))
    assert len(LOWEST) == len(HIGHEST) == len(VOICES) == N_PROGRAMS


def test_some_instruments_by_hand() -> None:
    assert (LOWEST[FLUTE], VOICES[FLUTE]) == (60, 1)  # middle C
    assert LOWEST[CELLO] == 36  # its lowest string
    assert LOWEST[BASS_GUITAR] == 28
    assert (LOWEST[PIANO], HIGHEST[PIANO]) == (21, 108)  # 88 keys
    assert all(VOICES[[CELLO, BASS_GUITAR, TRUMPET]] == 1)
    assert all(VOICES[[PIANO, STRINGS]] > 4)
