"""MIDI files in and out: whatever a file holds, a score or one line of error; what was read is what is written."""

from __future__ import annotations

import io
import random
from pathlib import Path

import mido
import pretty_midi
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic.core import ScoreTick, TrackTick
from tiny_midi import SONG, SONG_NOTES, TEMPO_120, header, meta, midi, notes, off, on, track

from audiocycle.errors import InputError, OutputError
from audiocycle.music.midi import file as midi_file
from audiocycle.music.midi.file import (
    from_pretty_midi,
    is_midi,
    read_piped,
    read_score,
    score_from_bytes,
    to_pretty_midi,
    write_score,
)
from audiocycle.music.midi.limits import LIMITS, Limits
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.song import song_from_bytes

FULL_SONG = midi(
    track((0, meta(0x51, TEMPO_120)), (0, meta(0x58, bytes([6, 3, 24, 8]))), (960, meta(0x51, b"\x03\x0d\x40"))),
    track((0, meta(3, b"Piano")), (0, b"\xc0\x04"), (0, b"\xb0\x40\x7f"), *SONG, (0, b"\xb0\x40\x00"), (0, b"\xe0\x00\x20")),
    track((0, on(36, 100, 9)), (9, off(36, 9))),
)


def read(data: bytes) -> ScoreTick:
    return score_from_bytes(data, "s.mid")


def written(score: ScoreTick, folder: Path) -> bytes:
    write_score(folder / "out.mid", score)
    return (folder / "out.mid").read_bytes()


def make(*parts: tuple[int, bool, list[tuple[int, int, int, int]]], tpq: int = 480) -> ScoreTick:
    """A score of (program, is drum, (time, duration, pitch, velocity)...)."""
    score = ScoreTick(tpq)
    for program, is_drum, table in parts:
        part: TrackTick = symusic.Track(f"p{program}", program, is_drum)
        for row in table:
            part.notes.append(symusic.Note(*row))
        score.tracks.append(part)
    return score


@pytest.mark.parametrize(
    ("names", "expected"),
    [("a.mid A.MID b.Midi c.kar d.RMI", True), ("._a.mid .mid a.mid.txt a.xml mid", False)],
)
def test_which_files_a_folder_scan_takes(names: str, expected: bool) -> None:
    assert {is_midi(Path("songs") / name) for name in names.split()} == {expected}


def test_read(tmp_path: Path) -> None:
    (tmp_path / "ノクターン.mid").write_bytes(FULL_SONG)
    score = read_score(tmp_path / "ノクターン.mid")
    assert (score.ticks_per_quarter, notes(score)) == (480, [*SONG_NOTES, (0, 9, 36, 100)])
    assert [(t.name, t.program, t.is_drum) for t in score.tracks] == [("Piano", 4, False), ("", 0, True)]
    assert [(t.time, t.qpm) for t in score.tempos] == [(0, 120), (960, 300)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 128 + FULL_SONG,
        header(3) + FULL_SONG[14:] + b"\x1a" * 50,
        header(9) + FULL_SONG[14:],
        b"RIFF\x00\x00\x00\x00RMIDdata\x00\x00\x00\x00" + FULL_SONG + b"LIST\x04\x00\x00\x00INFO",
        FULL_SONG[:-1],
    ],
    ids=["junk", "padding", "track count", "rmi", "last byte lost"],
)
def test_harmless_defects_change_nothing(data: bytes) -> None:
    assert read(data) == read(FULL_SONG)


@pytest.mark.parametrize(
    "event",
    [
        meta(0x51, bytes(3)),
        b"\xff\x51\x80\x03" + bytes(3),
        meta(0x51, b""),
        meta(0x58, bytes([0, 2, 24, 8])),
        meta(0x58, b""),
        meta(0x59, b"\x40\x09"),
    ],
    ids=["tempo 0", "tempo 0, odd length", "no tempo", "0/4", "no signature", "no key"],
)
def test_what_symusic_takes_and_nobody_means(event: bytes) -> None:
    data = midi(track((0, event), *SONG))
    lax = ScoreTick.from_midi(data)
    assert len(lax.tempos) + len(lax.time_signatures) + len(lax.key_signatures) == 1
    score = read(data)
    assert (len(score.tempos), len(score.time_signatures), len(score.key_signatures)) == (0, 0, 0)
    assert notes(score) == SONG_NOTES


def test_times_that_overflow_symusic() -> None:
    far = midi(track(*[((1 << 28) - 1, event) for _ in range(5) for event in (on(60), off(60))]))
    assert ScoreTick.from_midi(far).start() < 0
    with pytest.raises(InputError, match="quarter notes, more than the 40,000"):
        read(far)


def test_overlapping_notes_of_one_pitch_end_in_order() -> None:
    score = read(midi(track((0, on(60, 10)), (100, on(60, 20)), (100, off(60)), (100, off(60)))))
    assert notes(score) == [(0, 200, 60, 10), (100, 200, 60, 20)]


def test_notes_that_are_never_switched_off_are_left_out() -> None:
    assert notes(read(midi(track((0, on(59)), *SONG)))) == SONG_NOTES
    with pytest.raises(InputError, match="holds no notes"):
        read(midi(track((0, on(59)))))


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (FULL_SONG, Limits(max_bytes=100), "larger than 100 bytes"),
        (FULL_SONG, Limits(max_tracks=2), "more than the 2 tracks"),
        (FULL_SONG, Limits(max_notes=2), "3 notes, more than the 2 "),
        (midi(track(*SONG, (480, b"\xb0\x07\x40"))), Limits(max_quarters=2), "2 quarter notes, more than the 2 "),
    ],
)
def test_limits(tmp_path: Path, data: bytes, limits: Limits, words: str) -> None:
    path = tmp_path / "s.mid"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        read_score(path, limits)
    assert str(caught.value).startswith(f"{path}: ")


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_score(tmp_path / "none.mid")
    with pytest.raises(InputError, match="is a folder"):
        read_score(tmp_path)


def test_an_endless_file_is_read_no_further_than_its_limit() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("has no /dev/zero")
    with pytest.raises(InputError, match="larger than"):
        read_score(Path("/dev/zero"))


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy with bytes changed, removed and inserted."""
    copy = bytearray(data)
    for _ in range(chance.choice([1, 2, 5])):
        place, size = chance.randrange(len(copy)), chance.choice([1, 4, 40])
        match chance.randrange(3):
            case 0:
                copy[place] = chance.choice([0, 0x7F, 0x80, 0x90, 0xF0, 0xFF, chance.randrange(256)])
            case 1:
                del copy[place : place + size]
            case 2:
                copy[place:place] = chance.randbytes(size)
    return bytes(copy)


@pytest.mark.parametrize("seed", range(5))
def test_damage_gives_a_score_that_can_be_written_or_one_line(seed: int) -> None:
    chance, n_read, messages = random.Random(seed), 0, []
    for _ in range(100):
        try:
            score = read(damaged(FULL_SONG, chance))
        except InputError as error:
            messages.append(str(error))
        else:
            n_read += 1
            assert len(notes(read(midi_file.as_bytes(score, "s.mid")))) == len(notes(score))
    assert 20 < n_read < 80
    assert all(message.startswith("s.mid: ") and "\n" not in message for message in messages)


NOTES = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(1, 500), st.integers(0, 127), st.integers(1, 127)), min_size=1, max_size=12
)
PARTS = st.lists(st.tuples(st.integers(0, 127) | st.just(0), st.booleans(), NOTES), min_size=1, max_size=20)


def kept(score: ScoreTick) -> list[tuple[int, bool, list[tuple[int, int, int, int]]]]:
    return [(t.program, t.is_drum, sorted((n.time, n.duration, n.pitch, n.velocity) for n in t.notes)) for t in score.tracks]


def without_overlaps(table: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Only notes that do not begin while their pitch sounds: of others, MIDI does not say which one ends."""
    free = dict.fromkeys(range(128), 0)
    found = []
    for time, duration, pitch, velocity in sorted(table):
        if time >= free[pitch]:
            found.append((time, duration, pitch, velocity))
            free[pitch] = time + duration
    return found


@given(PARTS)
@settings(max_examples=25, deadline=None)
def test_what_is_written_is_read_back(parts: list[tuple[int, bool, list[tuple[int, int, int, int]]]]) -> None:
    parts = [(program, is_drum, without_overlaps(table)) for program, is_drum, table in parts]
    data = midi_file.as_bytes(make(*parts), "s.mid")
    assert kept(read(data)) == parts
    n_notes = sum(len(table) for *_, table in parts)
    loud = [message for part in mido.MidiFile(file=io.BytesIO(data)).tracks for message in part if message.type == "note_on"]
    assert sum(message.velocity > 0 for message in loud) == n_notes
    assert sum(len(part.notes) for part in pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments) == n_notes


@given(PARTS)
@settings(max_examples=20, deadline=None)
def test_a_score_that_was_read_stays_the_same(parts: list[tuple[int, bool, list[tuple[int, int, int, int]]]]) -> None:
    once = read(midi_file.as_bytes(make(*parts), "s.mid"))
    assert read(midi_file.as_bytes(once, "s.mid")) == once


def test_all_else_of_a_score_that_was_read_stays_the_same(tmp_path: Path) -> None:
    head = [meta(0x51, b"\x00\x00\x01"), meta(0x59, b"\xfd\x01"), meta(0x58, b"\x05\x07\x18\x08"), meta(6, "Ä".encode())]
    head += [meta(0x51, b"\xff\xff\xff")]
    bends = [(0, b"\xe0\x00\x00"), (1, b"\xe0\x7f\x7f"), (1, b"\xe0\x00\x40")]
    score = read(midi(track(*[(10, event) for event in head]), track((0, meta(5, b"la")), *bends, *SONG), FULL_SONG[-20:]))
    assert len(score.tempos) == 2
    assert read(written(score, tmp_path)) == score


def test_twenty_programs_do_not_change_each_other(tmp_path: Path) -> None:
    parts = [(program, False, [(480 * program, 240, 60, 64)]) for program in range(20)]
    file = mido.MidiFile(file=io.BytesIO(written(make(*parts), tmp_path)))
    program, sounding = dict.fromkeys(range(16), 0), []
    for message in mido.merge_tracks(file.tracks):
        if message.type == "program_change":
            program[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            sounding.append(program[message.channel])
    assert sounding == list(range(20))


def test_a_score_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"out\.mid: cannot be written.*velocities"):
        write_score(tmp_path / "out.mid", make((0, False, [(0, 10, 60, 0)])))
    assert list(tmp_path.iterdir()) == []


def test_to_pretty_midi_and_back() -> None:
    midi_object = to_pretty_midi(song_from_bytes(FULL_SONG, "s.mid", LIMITS))
    piano, drums = midi_object.instruments
    assert [(n.start, n.end, n.pitch, n.velocity) for n in piano.notes] == [(0, 0.5, 60, 64), (0.5, 0.75, 64, 80)]
    assert (piano.program, piano.is_drum, drums.is_drum) == (4, False, True)
    assert midi_object.get_tempo_changes()[1].tolist() == [120, 300]
    again = score_of(from_pretty_midi(midi_object))
    assert kept(again) == kept(read(FULL_SONG))
    assert [(t.time, t.qpm) for t in again.tempos] == [(0, 120), (960, 300)]


def test_more_ticks_than_pretty_midi_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretty_midi.pretty_midi, "MAX_TICK", 100_000)
    score = make((0, False, [(0, 10080, 60, 64), (201_600, 10080, 62, 64)]), tpq=10080)
    with pytest.raises(ValueError, match="largest tick"):
        pretty_midi.PrettyMIDI(io.BytesIO(score.dumps_midi()))
    (part,) = to_pretty_midi(song_of(score)).instruments
    assert [(n.start, n.end) for n in part.notes] == [pytest.approx((0, 0.5)), pytest.approx((10, 10.5))]


def test_a_pipe_is_read_no_further_than_the_limit() -> None:
    class Endless(io.RawIOBase):
        n_read = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0, "reads all there is"
            self.n_read += size
            return bytes(size)

    pipe = Endless()
    with pytest.raises(InputError, match=r"^stdin: is larger than 1,000 bytes"):
        read_piped(pipe, "stdin", Limits(max_bytes=1000))  # type: ignore[arg-type]
    assert pipe.n_read == 1001
