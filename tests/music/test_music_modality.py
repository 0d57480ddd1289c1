"""Whole songs through conversion: what the network leaves alone comes back to the tick, and nothing else is lost."""

import io
import itertools
import os
import warnings
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import (
    BAR,
    STEP,
    TPQ,
    Network,
    a_modality,
    a_score,
    a_track,
    conversion_parts,
    converted,
    converted_song,
    core,
    noise,
    same,
    scores,
    table,
    tables,
    without_notes,
)

from audiocycle.conversion.windows import in_windows
from audiocycle.errors import AudioCycleError, ConfigError, InputError
from audiocycle.music.adapter import PianoRollAdapter, bars_of
from audiocycle.music.arrange import outside
from audiocycle.music.midi.file import (
    as_bytes,
    is_midi,
    read_score,
    read_song,
    score_from_bytes,
    write_score,
    write_song,
)
from audiocycle.music.midi.score import score_of, song_of
from audiocycle.music.midi.strokes import find_strokes
from audiocycle.music.modality import MusicModality
from audiocycle.music.notes import notes_of
from audiocycle.music.options import MusicOptions
from audiocycle.spec import Encoded, FloatArray

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[3] / "shared" / "data"))
adapters = st.builds(
    PianoRollAdapter,
    grid=st.sampled_from(("straight", "triplet")),
    bars=st.sampled_from((1, 4)),
    velocity=st.booleans(),
)


def doubled(rows: list[tuple[int, int, int, int]]) -> set[tuple[int, int, int]]:
    """Pitch and starts of each two notes of a track that sound together on one pitch."""
    return {
        (pitch, a, b)
        for (a, end, pitch, _), (b, _, other, _) in itertools.combinations(sorted(rows), 2)
        if pitch == other and b < end
    }


@given(
    score=scores(),
    adapter=adapters,
    seed=st.integers(0, 99),
    threshold=st.floats(0.01, 0.99),
    key_lock=st.booleans(),
    shortest=st.integers(1, 4),
)
@settings(max_examples=100, deadline=None)
def test_without_strength_the_source_comes_back(
    score: Any, adapter: PianoRollAdapter, seed: int, threshold: float, key_lock: bool, shortest: int
) -> None:
    network = noise(seed, busy=0.5)
    made, details = converted(score, network, adapter, strength=0.0, threshold=threshold, key_lock=key_lock, shortest=shortest)
    assert tables(made) == tables(score)
    assert without_notes(made) == without_notes(score)
    assert (details["notes_new"], details["notes_kept"]) == (0, details["notes_in"])


@given(score=scores(), adapter=adapters, strength=st.floats(0, 1), threshold=st.floats(0.01, 0.99), key_lock=st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_network_that_changes_nothing_changes_nothing(
    score: Any, adapter: PianoRollAdapter, strength: float, threshold: float, key_lock: bool
) -> None:
    made, _ = converted(score, same, adapter, strength=strength, threshold=threshold, key_lock=key_lock)
    assert tables(made) == tables(score)
    assert without_notes(made) == without_notes(score)


def rings_alone(score: Any, start: int, end: int, pitch: int, _velocity: int, track: int) -> bool:
    """No other note of its key rings meanwhile: of two, MIDI does not say which of their ends is whose, and another end may change both."""
    return sum(note.pitch == pitch and note.start < end and start < note.end for note in score.tracks[track].notes) == 1


@given(
    score=scores(),
    adapter=adapters,
    seed=st.integers(0, 99),
    strength=st.floats(0, 1),
    busy=st.sampled_from((0.0001, 0.01, 0.3)),
    shortest=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_network_says_the_song_stays_whole(
    score: Any, adapter: PianoRollAdapter, seed: int, strength: float, busy: float, shortest: int
) -> None:
    made, details = converted(score, noise(seed, busy), adapter, strength=strength, shortest=shortest)
    assert made.end() >= score.end()
    for track in made.tracks:  # what keeps the length is no more than this
        controls = [control for control in track.controls if control.number != 123]
        track.controls = type(track.controls)(controls)
    for track in [*made.tracks, *score.tracks]:  # pedals may be lifted
        track.controls = type(track.controls)([control for control in track.controls if control.number != 64])
        track.pedals.clear()
    assert without_notes(made) == without_notes(score)
    drums = [(table(a), table(b)) for a, b in zip(score.tracks, made.tracks, strict=True) if a.is_drum]
    assert all(a == b for a, b in drums)
    untouched = outside(notes_of(score), adapter.layout(bars_of(score)).spans)
    rows = np.stack([*untouched.columns[:4], untouched.track], axis=1)
    left = {(*row, i) for i, each in enumerate(tables(made)) for row in each}
    assert {tuple(row) for row in rows.tolist() if rings_alone(score, *row)} <= left
    for before, after in zip(tables(score), tables(made), strict=True):
        assert doubled(after) <= doubled(before)
        assert all(1 <= velocity <= 127 for *_, velocity in after)
        assert all(end > start or (start, end, pitch, velocity) in before for start, end, pitch, velocity in after)
        assert all(start >= 0 for start, *_ in after)
    assert details["notes_out"] == details["notes_kept"] + details["notes_resized"] + details["notes_new"] == len(notes_of(made))
    file = made.dumps_midi()
    assert core.ScoreTick.from_midi(file).note_num() == made.note_num()


def melody(n_bars: float, tpq: int = TPQ) -> Any:
    """Eighths, up and down an octave."""
    eighth = tpq // 2
    rows = (
        (i * eighth, (i + 1) * eighth - eighth // 30, 60 + i % 12, 50 + i % 50) for i in range(round(n_bars * 8))
    )
    return a_track(*rows, program=5, name="tune")


def drums(n_bars: int) -> Any:
    return a_track(*((bar * BAR, bar * BAR + 60, 36, 100) for bar in range(n_bars)), is_drum=True, name="drums")


def test_the_report_counts_phrases_and_notes() -> None:
    waltz = [(0, 4, 4), (8 * BAR, 3, 4), (8 * BAR + 10 * 3 * TPQ, 4, 4)]
    score = a_score(melody(20), drums(20), metres=waltz)
    _, details = converted(score)
    assert details == {
        "phrases": 6,  # 8 bars, 10 of three quarters, 5
        "phrases_unchanged": 0,
        "notes_in": 160,
        "notes_out": 160,
        "notes_kept": 160,
        "notes_resized": 0,
        "notes_new": 0,
        "notes_unplayed": 0,
    }
    _, details = converted(score, noise(0))
    assert details["notes_kept"] < 160 < details["notes_out"] == details["notes_kept"] + details["notes_resized"] + details["notes_new"]


def test_drums_may_be_dropped() -> None:
    score = a_score(melody(8), drums(8))
    made, details = converted(score, drums="drop")
    assert [rows for rows in tables(made) if rows] == [table(score.tracks[0])]
    assert details["notes_kept"] == details["notes_in"] == 64
    kept, _ = converted(score, noise(0), drums="keep")
    assert table(kept.tracks[1]) == table(score.tracks[1])
    merged, _ = converted(score, noise(0), drums="drop", tracks="merge")
    assert not any(track.is_drum and len(track.notes) for track in merged.tracks)


def test_bars_that_fit_no_grid_pass_through_untouched() -> None:
    begin, end = 8 * BAR, 8 * BAR + 3 * TPQ
    score = a_score(melody(20), metres=[(0, 4, 4), (begin, 1, 64), (end, 4, 4)])
    made, details = converted(score, noise(0))

    def odd(each: Any) -> list[tuple[int, ...]]:
        return [row for row in table(each.tracks[0]) if begin <= row[0] < end - STEP]

    assert odd(made) == odd(score)
    assert [row[0] < begin for row in table(made.tracks[0])].count(True) != 64
    assert (details["phrases"], details["phrases_unchanged"]) == (2 + 3, 1)
    whole = a_score(melody(20), metres=[(0, 1, 64)])
    made, details = converted(whole, noise(0), programs="target")
    assert tables(made) == tables(whole)
    assert made.tracks[0].program == 5
    assert (details["phrases"], details["phrases_unchanged"]) == (0, 5)


METRES = ((2, 2), (2, 4), (8, 8), (3, 4), (6, 8), (9, 8), (12, 8), (5, 4), (7, 8))


@pytest.mark.parametrize(("top", "bottom"), METRES)
@pytest.mark.parametrize("grid", ["straight", "triplet"])
def test_every_metre_is_converted_from_its_first_bar_to_its_last(top: int, bottom: int, grid: str) -> None:
    bar = BAR * top // bottom
    score = a_score(melody(12 * bar / BAR), metres=[(0, top, bottom)])
    made, outcome = converted_song(song_of(score), noise(0), PianoRollAdapter(grid=grid))
    assert outcome.note == ""
    assert outcome.details["phrases_unchanged"] == 0
    new = set(tables(score_of(made))[0]) - set(tables(score)[0])
    assert {start // bar for start, *_ in new} == set(range(12))
    assert tables(converted(score, same, PianoRollAdapter(grid=grid))[0]) == tables(score)


@given(score=scores(), adapter=adapters, seed=st.integers(0, 99), first_bar=st.sampled_from((0.0, 1.0, 2.5)))
@settings(max_examples=60, deadline=None)
def test_no_new_note_lies_outside_the_songs_bars(score: Any, adapter: PianoRollAdapter, seed: int, first_bar: float) -> None:
    old = {(start, pitch) for track in tables(score) for start, _, pitch, _ in track}
    edges = {edge([start for start, _ in old]) for edge in (min, max)}
    made, _ = converted(score, noise(seed), adapter, first_bar=first_bar)
    spans = adapter.layout(bars_of(score), first_bar).spans
    for start, end, pitch, _ in {row for track in tables(made) for row in track}:
        inside = any(span.start <= start < end <= span.end for span in spans)
        assert (start, pitch) in old or inside or start in edges, (start, end)  # what is together with the song's first or last notes begins with them


def test_windows_leave_no_seams() -> None:
    score = a_score(a_track((3, 60, 57, 99), *((bar * BAR, bar * BAR + STEP, 50, 64) for bar in range(12))))
    window = PianoRollAdapter().spec.window

    def alone(features: FloatArray) -> FloatArray:
        return in_windows(features.astype(np.float32), window, lambda batch: batch)

    def drone(batch: FloatArray) -> FloatArray:
        made = np.zeros_like(batch)
        made[:, 0, 20] = 1.0
        made[:, 1, 20, 0] = 1.0  # each window begins it anew
        return made

    assert tables(converted(score, alone)[0]) == tables(score)
    made, _ = converted(score, lambda features: in_windows(features.astype(np.float32), window, drone))
    assert [row[:3] for row in table(made.tracks[0])] == [(2, 11 * BAR, 44), (11 * BAR, 11 * BAR + STEP, 50)]


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (a_score(), "holds no notes"),
        (a_score(a_track()), "holds no notes"),
        (a_score(drums(4)), "holds only drums, or no notes"),
        (a_score(a_track((0, 60, 23, 64), (0, 60, 108, 64))), "no note between MIDI pitches 24 and 107"),
    ],
)
def test_nothing_to_convert_is_said(score: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"^song\.mid: .*{message}"):
        converted(score)


def test_one_note() -> None:
    score = a_score(a_track((5, 6, 60, 1)))
    assert tables(converted(score)[0]) == [[(5, 6, 60, 1)]]
    made, details = converted(score, noise(0))
    assert details["phrases"] == 1
    assert made.end() <= BAR


def test_programs_of_the_target() -> None:
    score = a_score(a_track((0, BAR, 40, 64), program=87), a_track((0, BAR, 90, 64), program=73), drums(1))
    made, _ = converted(score, programs="target")
    assert [track.program for track in made.tracks] == [32, 73, 0]  # nothing is known of the treble
    merged, _ = converted(score, programs="target", tracks="merge")
    assert [(t.name, t.program) for t in merged.tracks] == [("bass", 32), ("treble", 87), ("drums", 0)]


def test_scores_with_few_ticks_get_more() -> None:
    score = a_score(melody(2, tpq=2), tpq=2)
    made, _ = converted(score)
    assert made.ticks_per_quarter == 48
    assert tables(made) == [[(a * 24, b * 24, *rest) for a, b, *rest in table(score.tracks[0])]]


def orchestra(n_tracks: int) -> Any:
    return a_score(
        *(a_track((i * STEP, i * STEP + BAR, 30 + i % 70, 64), program=i, name=f"part {i}") for i in range(n_tracks)), drums(4)
    )


@pytest.mark.parametrize("n_tracks", [1, 15, 16, 100])
@pytest.mark.parametrize("network", [same, noise(0)], ids=["same", "noise"])
def test_written_files_are_read_everywhere(n_tracks: int, network: Network, tmp_path: Path) -> None:
    pretty_midi, mido = pytest.importorskip("pretty_midi"), pytest.importorskip("mido")
    score = orchestra(n_tracks)
    score.tempos.extend([core.TempoTick(0, 90.0), core.TempoTick(BAR, 150.0)])
    score.time_signatures.append(core.TimeSignatureTick(0, 4, 4))
    score.key_signatures.append(core.KeySignatureTick(0, -3, 1))
    made, _ = converted(score, network)
    write_score(tmp_path / "made.mid", made)

    again = read_score(tmp_path / "made.mid")
    assert tables(again) == tables(made)
    assert [t.program for t in again.tracks] == [t.program for t in made.tracks]
    with warnings.catch_warnings(action="error"):
        pretty = pretty_midi.PrettyMIDI(str(tmp_path / "made.mid"))
    assert sum(len(instrument.notes) for instrument in pretty.instruments) == made.note_num()
    assert pretty.get_end_time() >= score.to("second").end() - 1e-4
    assert pretty.get_tempo_changes()[1] == pytest.approx([90, 150], abs=1e-3)
    assert (str(pretty.time_signature_changes[0]), pretty.key_signature_changes[0].key_number) == ("4/4 at 0.00 seconds", 12)
    messages = [message for track in mido.MidiFile(tmp_path / "made.mid").tracks for message in track]
    assert sum(m.type == "note_on" and m.velocity > 0 for m in messages) == made.note_num()
    assert [m.numerator for m in messages if m.type == "time_signature"] == [4]


def test_twenty_minutes() -> None:
    score = a_score(melody(600), drums(600))
    made, details = converted(score)
    assert tables(made) == tables(score)
    assert details["phrases"] == 150
    made, _ = converted(score, noise(0, busy=0.01))
    assert 600 * BAR - 60 <= made.end() <= 600 * BAR
    assert not doubled(table(made.tracks[0])[:500])


def test_a_file_to_a_file(tmp_path: Path) -> None:
    source, output = tmp_path / "in.mid", tmp_path / "out.mid"
    write_score(source, a_score(melody(6), drums(6)))
    shares: list[float] = []
    outcome = a_modality().convert(source, output, *conversion_parts(strength=0.0), shares.append)
    assert tables(read_score(output)) == tables(read_score(source))
    assert outcome.seconds == pytest.approx(12.0, abs=0.1)
    assert outcome.details["phrases"] == 2
    assert shares == [1.0]
    with pytest.raises(InputError, match=r"no\.mid: no such file"):
        a_modality().convert(tmp_path / "no.mid", output, *conversion_parts())


def test_a_pipe_to_a_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    score = orchestra(40)  # more than there are channels
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(as_bytes(score, "song"))))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=written))
    a_modality().convert(Path("-"), Path("-"), *conversion_parts(strength=0.0))
    assert tables(score_from_bytes(written.getvalue(), "stdout")) == tables(score)
    write_score(tmp_path / "file.mid", score)
    assert written.getvalue() == (tmp_path / "file.mid").read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(InputError, match=r"^stdin: the file is empty"):
        a_modality().convert(Path("-"), Path("-"), *conversion_parts())


@pytest.mark.parametrize("unit", ["tick", "quarter", "second"])
def test_scores_in_memory(unit: str) -> None:
    score = a_score(melody(4))
    made = a_modality().convert_item(score.to(unit), *conversion_parts(strength=0.0))
    starts = [note.time / made.ticks_per_quarter for note in made.tracks[0].notes]
    np.testing.assert_allclose(starts, np.arange(32) / 2, atol=0.01)


def test_pretty_midi_in_memory() -> None:
    pretty_midi = pytest.importorskip("pretty_midi")
    song = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=100)
    piano = pretty_midi.Instrument(4, name="keys")
    piano.notes.extend(pretty_midi.Note(70, 60 + i, i * 0.3, i * 0.3 + 0.3) for i in range(16))
    song.instruments.append(piano)
    made = a_modality().convert_item(song, *conversion_parts(strength=0.0))
    assert isinstance(made, pretty_midi.PrettyMIDI)
    (same_piano,) = made.instruments
    assert (same_piano.program, same_piano.name) == (4, "keys")
    np.testing.assert_allclose([n.start for n in same_piano.notes], [n.start for n in piano.notes], atol=1e-3)


def test_scores_in_memory_that_mean_nothing_are_refused() -> None:
    for metre in ((0, 0, 4), (-5, 4, 4)):
        with pytest.raises(InputError, match=r"^score: has a time below 0, or a tempo or signature"):
            a_modality().convert_item(a_score(melody(1), metres=[metre]), *conversion_parts())
    with pytest.raises(InputError, match=r"^score: holds no notes"):
        a_modality().convert_item(a_score(), *conversion_parts())


def test_beginnings_are_whole_bars(tmp_path: Path) -> None:
    write_score(tmp_path / "a.mid", a_score(melody(20)))
    modality = a_modality()
    assert tables(modality.read(tmp_path / "a.mid")) == tables(a_score(melody(20)))
    assert tables(modality.read(tmp_path / "a.mid", 100.0)) == tables(a_score(melody(20)))
    assert tables(modality.read(tmp_path / "a.mid", 8.1)) == tables(a_score(melody(4)))
    assert tables(modality.read(tmp_path / "a.mid", 0.1)) == tables(a_score(melody(1)))
    write_score(tmp_path / "waltz.mid", a_score(melody(20), metres=[(0, 3, 4)]))
    assert tables(modality.read(tmp_path / "waltz.mid", 8.1)) == tables(a_score(melody(15 / 4)))


def test_training_features_of_a_file(tmp_path: Path) -> None:
    modality = a_modality()
    write_score(tmp_path / "a.mid", a_score(melody(8)))
    encoded = modality.encode(tmp_path / "a.mid")
    assert encoded.features.shape == (2, 84, 128)
    assert modality.places(encoded).tolist() == [0.0, 16.0]
    assert modality.accepts(tmp_path / "a.mid")
    assert not modality.accepts(tmp_path / "a.wav")


def test_a_training_side_is_made_again_of_its_arrays(tmp_path: Path) -> None:
    """A cache keeps them by name; entries of older versions have these."""
    write_score(tmp_path / "a.mid", a_score(melody(8)))
    side = a_modality().encode(tmp_path / "a.mid").side
    arrays = {each.name: getattr(side, each.name) for each in fields(MusicModality.training_side)}
    assert {name: array.shape for name, array in arrays.items()} == {"programs": (3, 128), "places": (2,), "swing": (3, 2), "accents": (2, 3, 16)}
    again = MusicModality.training_side(**arrays)
    assert PianoRollAdapter().fit([Encoded(np.zeros((2, 84, 128)), again)])["programs"].tolist() == [-1, 5, -1]


def test_options_by_name() -> None:
    renderer, _, _ = conversion_parts()
    assert a_modality().chosen({"strength": 0.5, "key_lock": True}, renderer) == MusicOptions(strength=0.5, key_lock=True)
    with pytest.raises(ConfigError, match=r"^`pitch_shift`: not for this kind of model; it takes: `strength`, `key_lock`"):
        a_modality().chosen({"pitch_shift": 3}, renderer)


def test_nothing_comes_in_as_a_stream() -> None:
    _, network, _ = conversion_parts()
    assert a_modality().stream(network, None, sample_rate=None, block_seconds=1.0, band_limit=None) is None


def files_of(folder: str, every: int = 1) -> list[Path]:
    if not (DATA / "midi" / folder).is_dir():
        pytest.skip("no MIDI collection: set AUDIOCYCLE_DATA")
    return [path for path in sorted((DATA / "midi" / folder).rglob("*")) if is_midi(path)][::every]


@pytest.mark.parametrize(
    ("folder", "every"), [("nasty", 1), ("pop", 200), ("jazz", 200), ("classic", 100), ("paired_folk_swing", 300)]
)
def test_real_files_convert_or_say_why(folder: str, every: int, tmp_path: Path) -> None:
    n_converted = 0
    for path in files_of(folder, every):
        options = {"tracks": "merge" if n_converted % 2 else "keep", "programs": "target" if n_converted % 4 < 2 else "source"}
        try:
            song = read_song(path)
            made, outcome = converted_song(song, noise(0, busy=0.002), **options)
        except AudioCycleError:
            continue
        write_song(tmp_path / "made.mid", made)
        again = read_song(tmp_path / "made.mid")
        assert again.last * song.per_quarter >= song.last * again.per_quarter, path
        n_hanging = {len(find_strokes(each.chunks)) for each in (made, again)}
        assert len(n_hanging) == 1, path
        assert outcome.seconds > 0, path
        n_converted += 1
    assert n_converted >= 2
