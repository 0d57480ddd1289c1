"""The promise of strength 0, and of all that a conversion does not touch: what a synthesizer hears before and after is the same.

Heard by an independent reader (``midi_reference``), on songs of every kind: each of the ways in which people's files were spoilt, generated
ones, and real ones where they are at hand.
"""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_reference import others, raw_events, sounding_notes
from song_events import DATA, FILES, control, converted_bytes, melody, sysex
from songs import noise, same
from tiny_midi import SONG, body, chunk, meta, midi, off, on, track

from audiocycle.errors import AudioCycleError
from audiocycle.music.midi.edit import edited
from audiocycle.music.midi.file import is_midi
from audiocycle.music.midi.limits import LIMITS
from audiocycle.music.midi.song import song_from_bytes, song_to_bytes
from audiocycle.music.midi.strokes import find_strokes, parts_of


def at_no_strength(data: bytes) -> bytes:
    return converted_bytes(data, strength=0.0)[0]


GS_DRUMS_ON_11 = sysex("41 10 42 12 40 1a 15 01 10 f7")


@pytest.mark.parametrize("name", FILES)
def test_without_strength_the_very_same_file_comes_back(name: str) -> None:
    assert at_no_strength(FILES[name]) == FILES[name]


@pytest.mark.parametrize("tracks", ["keep", "merge"])
@pytest.mark.parametrize("name", FILES)
def test_with_full_strength_only_melodic_notes_change(name: str, tracks: str) -> None:
    data = FILES[name]
    made, outcome = converted_bytes(data, tracks=tracks)
    before, after = raw_events(data), raw_events(made)
    assert outcome.details["notes_new"] + outcome.details["notes_unplayed"] > 0  # the network wants more than one voice can play
    endless = [sum(note.end is None for note in sounding_notes(events)) for events in (before, after)]
    assert endless[1] <= endless[0]
    if tracks == "keep":
        added = [
            event for event in others(after) if event not in others(before) and event.data[0] >> 4 != 0xC
        ]
        assert [event for event in others(after) if event not in added] == others(before) or name.startswith(
            "sixteen"
        )
        assert all(event.data[1:] == b"\x7b\x00" or event.data[1] == 64 for event in added)  # what keeps the length, and pedals
    words = [
        [event.data for event in others(events) if event.data[0] >= 0xF0 and event.data[1] != 3]
        for events in (before, after)
    ]
    assert sorted(words[0]) == sorted(words[1])


def test_few_ticks_become_more_and_sound_the_same() -> None:
    data = midi(
        track((0, b"\xc0\x28"), (0, on(60)), (3, meta(5, b"la")), (1, off(60)), (0, sysex("7e 7f 09 01 f7"))),
        division=4,
    )
    made = at_no_strength(data)
    assert raw_events(made) == raw_events(data)
    assert song_from_bytes(made, "s.mid", LIMITS).per_quarter == 96


def test_drum_kits_off_channel_10_are_no_melody() -> None:
    kits = [
        on_off
        for i in range(8)
        for channel in (10, 11)
        for on_off in ((0, on(36 + i, 90, channel)), (60, off(36 + i, channel)))
    ]
    data = midi(
        track((0, GS_DRUMS_ON_11), *melody(n=16)),
        track((0, control(0, 127, 11)), (0, bytes([0xCB, 0])), *kits),
        track(*[(0, on(36, 90, 9)), (60, off(36, 9))]),
    )
    made, outcome = converted_bytes(data, tracks="merge", programs="target")
    assert outcome.details["notes_in"] == 16
    for channel in (9, 10, 11):
        before, after = (
            [n for n in sounding_notes(raw_events(each)) if n.channel == channel] for each in (data, made)
        )
        assert [note[2:] for note in after] == [note[2:] for note in before]
        assert before


@pytest.mark.parametrize(
    ("messages", "is_melody"),
    [
        ([], True),
        ([GS_DRUMS_ON_11], False),
        ([GS_DRUMS_ON_11, sysex("41 10 42 12 40 1a 15 00 11 f7")], True),
        ([GS_DRUMS_ON_11, sysex("41 10 42 12 40 00 7f 00 41 f7")], True),  # a reset
        ([control(0, 127, 10), b"\xca\x00"], False),
        ([b"\xca\x00", control(0, 127, 10)], True),  # no program change takes the bank
        ([control(0, 127, 10), b"\xca\x00", control(0, 0, 10), b"\xca\x05"], True),
        ([GS_DRUMS_ON_11, control(0, 0, 10), b"\xca\x00"], False),
        ([sysex("41 10 42 12 40 00 7f 00 41 f7"), control(0, 127, 10), b"\xca\x00"], True),  # MT-32 sounds
        ([sysex("43 10 4c 00 00 7e 00 f7"), control(0, 126, 10), b"\xca\x00"], False),
        ([sysex("43 10 4c 08 0a 07 01 f7")], False),
        ([control(0, 120, 10), b"\xca\x00"], False),
    ],
)
def test_what_makes_a_channel_drums(messages: list[bytes], is_melody: bool) -> None:
    data = midi(
        track((0, b"\xc0\x00"), *[(0, message) for message in messages], *melody(n=4)),
        track(*melody(10, n=4)),
    )
    assert converted_bytes(data, strength=0.0)[1].details["notes_in"] == 4 + 4 * is_melody


@pytest.mark.parametrize(
    ("message", "is_melody"),
    [
        (b"\xc9\x00", False),
        (control(0, 0, 9), False),
        (sysex("41 10 42 12 40 10 15 00 1b f7"), True),
        (sysex("43 10 4c 08 09 07 00 f7"), True),
    ],
)
def test_what_makes_channel_10_melodic(message: bytes, is_melody: bool) -> None:
    data = midi(track((0, message), (0, b"\xc9\x00"), *melody(9, n=4)), track(*melody(0, n=4)))
    assert converted_bytes(data, strength=0.0)[1].details["notes_in"] == 4 + 4 * is_melody


def test_a_strike_without_release_lasts_until_the_next() -> None:
    song = song_from_bytes(FILES["on, on, off"], "s.mid", LIMITS)
    strokes = find_strokes(song.chunks)
    mine = strokes.pitch == 40
    assert list(zip(strokes.start[mine].tolist(), strokes.end[mine].tolist(), strict=True)) == [
        pair for i in range(8) for pair in ((480 * i, 480 * i + 240), (480 * i + 240, 480 * i + 470))
    ]


def test_a_strike_whose_ender_goes_is_released() -> None:
    """Only the first of on, on, off stays: it ends where it did."""
    song = song_from_bytes(midi(track((0, on(40, 90)), (240, on(40, 80)), (230, off(40)))), "s.mid", LIMITS)
    strokes = find_strokes(song.chunks)
    parts, source = parts_of(strokes)
    made = edited(song, strokes, parts, source, source.where(source.start == 0))
    assert [(note.start * 480, note.end) for note in sounding_notes(raw_events(song_to_bytes(made)))] == [
        (0, pytest.approx(0.5))
    ]


def test_a_note_on_in_one_chunk_and_its_off_in_another() -> None:
    data = midi(track((0, on(60)), (480, on(64))), track((480, off(60)), (480, off(64))))
    made, outcome = converted_bytes(data, strength=0.0)
    assert (made, outcome.details["notes_in"]) == (data, 2)


def test_new_notes_of_an_mpe_part_go_to_the_master_channel() -> None:
    """A member channel bends the note that it plays; the master plays without."""
    made, outcome = converted_bytes(FILES["MPE"])
    before, after = (sounding_notes(raw_events(each)) for each in (FILES["MPE"], made))
    new = [note for note in after if note.channel == 0]
    assert len(new) == outcome.details["notes_new"] > 0
    assert {note.bend for note in new} == {8192}
    assert {note[2:3] + note[4:] for note in after if note.channel} <= {
        note[2:3] + note[4:] for note in before
    }


def test_two_hands_on_one_channel_do_not_silence_each_other() -> None:
    """A release ends all that sounds on its key: no new note is released at the very tick at which it begins."""
    data = midi(
        track(*melody(pitch=60, n=64)), track(*melody(pitch=70, n=64)), track(*melody(pitch=50, n=64))
    )
    for seed in range(5):
        made, _ = converted_bytes(data, noise(seed, busy=0.2))
        began: dict[int, Fraction] = {}
        for event in sorted(raw_events(made), key=lambda event: event.time):
            if event.data[0] == 0x90:
                began[event.data[1]] = event.time
            elif event.data[0] == 0x80:
                assert began.pop(event.data[1], -1) != event.time


def test_usual_programs_replace_those_of_the_channel_and_its_bank() -> None:
    data = midi(
        track((0, b"\xc0\x19"), (0, control(0, 8, 1)), (0, b"\xc1\x30")),
        track(*melody(0, 40), (0, b"\xc0\x1e"), *melody(0, 40)),
        track(*melody(1, 60)),
        track(*melody(2, 36)),
        track((0, b"\xc9\x08"), *melody(9)),
    )
    made, _ = converted_bytes(data, programs="target", strength=0.0)
    found = {(note.channel, note.program, note.bank) for note in sounding_notes(raw_events(made))}
    assert found == {(0, 32, (0, 0)), (1, 0, (0, 0)), (2, 32, (0, 0)), (9, 8, (0, 0))}


def test_merged_tracks_leave_other_things_where_they_are() -> None:
    data = midi(
        track((0, meta(3, b"Title")), (0, meta(0x51, b"\x07\xa1\x20")), (0, sysex("7e 7f 09 01 f7"))),
        track((0, meta(3, b"lead")), (0, b"\xc0\x30"), (0, control(7, 99)), *melody(n=12)),
        track((0, meta(3, b"bass")), (0, b"\xc1\x20"), (0, meta(5, b"la")), *melody(1, 40)),
        track((0, b"\xc9\x08"), (0, on(36, 90, 9)), (9, off(36, 9))),
    )
    made, _ = converted_bytes(data, tracks="merge", strength=0.0)
    events = raw_events(made)
    assert {(note.channel, note.program, note.state[0]) for note in sounding_notes(events)} == {
        (0, 48, 99),
        (9, 8, -1),
    }
    assert [event.data[2:] for event in others(events) if event.data[:2] == b"\xff\x03"] == [
        b"Title",
        b"lead",
    ]
    assert sorted(event.data for event in others(events) if event.data[0] >= 0xF0) == sorted(
        event.data
        for event in others(raw_events(data))
        if event.data[0] >= 0xF0 and event.data != b"\xff\x03bass"
    )
    assert sorted((n.start, n.end, n.pitch, n.velocity) for n in sounding_notes(events)) == sorted(
        (n.start, n.end, n.pitch, n.velocity) for n in sounding_notes(raw_events(data))
    )


CHANNELS = st.sampled_from([0, 0, 0, 1, 2, 9, 10])
VALUES = st.integers(0, 127)
PITCHES = st.sampled_from([60, 60, 60, 61, 72, 40, 12, 120])
NUMBERS = st.sampled_from([0, 1, 7, 10, 11, 32, 64, 6, 100, 101, 120, 123])
EVENTS = st.one_of(
    st.builds(lambda c, p, v: bytes([0x90 | c, p, v]), CHANNELS, PITCHES, VALUES),
    st.builds(lambda c, p, v: bytes([0x90 | c, p, v]), CHANNELS, PITCHES, VALUES),
    st.builds(lambda c, p, v: bytes([0x80 | c, p, v]), CHANNELS, PITCHES, VALUES),
    st.builds(lambda c, p: bytes([0x90 | c, p, 0]), CHANNELS, PITCHES),
    st.builds(lambda c, n, v: bytes([0xB0 | c, n, v]), CHANNELS, NUMBERS, VALUES),
    st.builds(lambda c, v: bytes([0xC0 | c, v]), CHANNELS, VALUES),
    st.builds(lambda c, v: bytes([0xD0 | c, v]), CHANNELS, VALUES),
    st.builds(lambda c, a, b: bytes([0xE0 | c, a, b]), CHANNELS, VALUES, VALUES),
    st.builds(lambda c, a, b: bytes([0xA0 | c, a, b]), CHANNELS, VALUES, VALUES),
    st.builds(
        meta,
        st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, 0x20, 0x21, 0x51, 0x54, 0x58, 0x59, 0x7F]),
        st.binary(max_size=5),
    ),
    st.sampled_from(
        [
            GS_DRUMS_ON_11,
            sysex("7e 7f 09 01 f7"),
            sysex("43 10 4c 00 00 7e 00 f7"),
            b"\xf0\x01\x10",
            b"\xf7\x02\xff\x00",
        ]
    ),
)
CHUNKS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 60, 120, 240, 1000]), EVENTS), max_size=40)


@given(
    chunks=st.lists(CHUNKS, min_size=1, max_size=4),
    tail=st.sampled_from([0, 0, 77]),
    division=st.sampled_from([480, 96, 6, 0xE728]),
    strength=st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_any_song_survives(
    chunks: list[list[tuple[int, bytes]]], tail: int, division: int, strength: float
) -> None:
    whole = [chunk(body(*SONG, *events, (tail, meta(0x2F, b"")))) for events in chunks]
    data = midi(*whole, division=division)
    made, outcome = converted_bytes(data, strength=strength)
    before, after = raw_events(data), raw_events(made)
    if strength == 0:
        assert after == before
        return
    left = iter(after)
    assert all(event in left for event in others(before))  # in this order, among others
    drums = [[note for note in sounding_notes(events) if note.channel == 9] for events in (before, after)]
    if not any(b"\xf0" in event[:1] for events in chunks for _, event in events):
        assert [note.pitch for note in drums[0]] == [note.pitch for note in drums[1]]
    assert (
        outcome.details["notes_out"]
        == outcome.details["notes_kept"] + outcome.details["notes_resized"] + outcome.details["notes_new"]
    )


def collection(folder: str) -> list[Path]:
    if not (DATA / "midi" / folder).is_dir():
        pytest.skip(f"needs the MIDI files in {DATA / 'midi' / folder} (set AUDIOCYCLE_DATA)")
    files = [path for path in sorted((DATA / "midi" / folder).rglob("*")) if path.is_file()]
    return [path for path in files if is_midi(path) or (folder == "nasty" and path.suffix != ".tsv")]


@pytest.mark.parametrize("folder", ["nasty", "jazz", "classic", "pop", "paired_folk_swing"])
def test_real_songs_survive(folder: str) -> None:
    """Some of each collection; ``AUDIOCYCLE_ALL_SONGS=1`` takes all."""
    files = collection(folder)
    if not os.environ.get("AUDIOCYCLE_ALL_SONGS"):
        files = random.Random(0).sample(files, 40 if folder == "nasty" else 15)
    n_same, refused = 0, []
    for path in files:
        data = path.read_bytes()
        try:
            made, _ = converted_bytes(data, same, strength=0.0)
        except AudioCycleError as error:
            refused.append(f"{path}: {error}")
            continue
        before, after = raw_events(data), raw_events(made)
        if "division_overflow" in str(path):  # its ticks have to be halved
            assert all(
                abs(a.time - b.time) < Fraction(1, 27720) for a, b in zip(after, before, strict=True)
            ), path
            after = [event._replace(time=time) for event, (_, time, _) in zip(after, before, strict=True)]
        assert others(after) == others(before), path
        assert sounding_notes(after) == sounding_notes(before), path
        n_same += 1
    print(f"{folder}: {n_same} the same, {len(refused)} refused")
    assert n_same >= len(files) * (0.5 if folder == "nasty" else 1)


def test_two_strikes_at_one_tick_whose_second_goes() -> None:
    song = song_from_bytes(midi(track((0, on(40, 90)), (0, on(40, 80)), (480, off(40)))), "s.mid", LIMITS)
    strokes = find_strokes(song.chunks)
    parts, source = parts_of(strokes)
    assert list(zip(strokes.start.tolist(), strokes.end.tolist(), strict=True)) == [(0, 0), (0, 480)]
    made = edited(song, strokes, parts, source, source.where(source.end == 0))
    assert [(note.start, note.end) for note in sounding_notes(raw_events(song_to_bytes(made)))] == [(0, 0)]
