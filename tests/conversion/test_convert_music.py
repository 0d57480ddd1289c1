"""The converter with MIDI: files and scores in memory, what has to stay as it was, options, pictures and sounds."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import symusic
import torch
from pretty_midi import PrettyMIDI
from tiny_bundle import SONG_TPQ, run_cli, song, tiny_music_bundle, tiny_song

from audiocycle.bundles.format import read_config
from audiocycle.bundles.runtimes.network import Network
from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleError, BundleError, ConfigError, InputError, OutputError
from audiocycle.music.notes import notes_of
from audiocycle.spec import Direction, FloatArray

BAR = 4 * SONG_TPQ


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_music_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def converter(bundle: Path) -> Converter:
    return Converter.from_pretrained(bundle)


@pytest.fixture
def midi(tmp_path: Path) -> Path:
    return tiny_song(tmp_path / "in.mid")


class Same(Network):
    """A network that changes nothing."""

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        return batch


@pytest.fixture
def unchanging(bundle: Path) -> Converter:
    return Converter(read_config(bundle), Same())


def notes(score: Any) -> list[tuple[int, ...]]:
    """All notes but drums: (start, end, pitch, velocity, track), sorted."""
    return sorted(zip(*(column.tolist() for column in notes_of(score).columns[:5]), strict=True))


def drums(score: Any) -> list[tuple[int, ...]]:
    return [(n.time, n.duration, n.pitch, n.velocity) for track in score.tracks if track.is_drum for n in track.notes]


def frame(score: Any) -> dict[str, Any]:
    """Everything about a score but its melodic notes."""
    return {
        "drums": drums(score),
        "tempos": [(t.time, t.mspq) for t in score.tempos],
        "signatures": [(s.time, s.numerator, s.denominator) for s in score.time_signatures],
        "keys": [(k.time, k.key, k.tonality) for k in score.key_signatures],
        "markers": [(m.time, m.text) for m in score.markers],
        "lyrics": [(w.time, w.text) for track in score.tracks for w in track.lyrics],
        "controls": [(c.time, c.number, c.value) for track in score.tracks for c in track.controls],
        "tracks": [(track.name, track.program, track.is_drum) for track in score.tracks],
        "tpq": score.ticks_per_quarter,
    }


def test_a_file_is_converted_with_a_record(converter: Converter, midi: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    record = converter.convert_file(midi, tmp_path / "new/out.mid", "pop", progress=shares.append)
    before, after = symusic.Score(midi), symusic.Score(tmp_path / "new/out.mid")
    assert frame(after) == frame(before)
    assert notes(after) != notes(before)
    kept = len(set(notes(after)) & set(notes(before)))
    assert 0.5 * len(notes(before)) < kept < len(notes(after))
    seconds = 4 * 4 * 60 / 96 + 4 * 4 * 60 / 108  # four bars in each tempo
    assert (record.status, record.audio_seconds) == ("converted", pytest.approx(seconds, abs=0.01))
    expected = {"phrases": 2, "phrases_unchanged": 0, "notes_in": len(notes(before))}
    assert {name: record.details[name] for name in expected} == expected
    assert abs(record.details["notes_out"] - len(notes(after))) <= 3  # notes of one pitch and track may meet
    assert json.loads(json.dumps(record.to_json()))["details"]["phrases"] == 2
    assert shares[-1] == 1.0


def test_scores_in_memory_come_back_as_the_same_kind(converter: Converter, midi: Path) -> None:
    from_file = converter(midi, target="pop")
    assert notes(from_file) == notes(converter(str(midi), target="pop"))
    score = symusic.Score(midi)
    made = converter(score, target="pop")
    assert type(made) is type(score)
    assert notes(made) == notes(from_file)
    pretty = converter(PrettyMIDI(str(midi)), target="pop")
    assert isinstance(pretty, PrettyMIDI)
    assert [track.is_drum for track in pretty.instruments] == [False, False, False, True]
    assert pretty.resolution == SONG_TPQ
    heard = {(pretty.time_to_tick(n.start), n.pitch) for track in pretty.instruments if not track.is_drum for n in track.notes}
    written = {(start, pitch) for start, _, pitch, _, _ in notes(from_file)}
    assert len(heard ^ written) < 0.02 * len(written)  # it ends all notes of a pitch at once


def test_what_is_given_stays_as_it_was(converter: Converter) -> None:
    score = song()
    copy = score.copy()
    converter(score, target="pop")
    assert score == copy


def test_the_same_input_gives_the_same_output_and_directions_differ(converter: Converter) -> None:
    first, second, back = converter(song(), "pop"), converter(song(), "pop"), converter(song(), "jazz")
    assert notes(first) == notes(second)
    assert notes(first) != notes(back)


@pytest.mark.parametrize("bars", [1, 3, 4, 5, 9, 70])
def test_a_network_that_changes_nothing_gives_every_note_back(unchanging: Converter, bars: int) -> None:
    score = song(bars)
    made = unchanging(score, target="pop")
    assert notes(made) == notes(score)
    assert frame(made) == frame(score)


@pytest.mark.parametrize(("bars", "windows"), [(1, [1]), (4, [1]), (6, [2]), (70, [16, 16, 2])])
def test_networks_see_windows_of_a_phrase_in_small_batches(bundle: Path, bars: int, windows: list[int]) -> None:
    seen: list[tuple[int, ...]] = []

    class Watched(Same):
        def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
            seen.append(batch.shape)
            return batch

    Converter(read_config(bundle), Watched())(song(bars), target="pop")
    assert seen == [(count, 2, 84, 64) for count in windows]  # a phrase of 64 steps every 32


@pytest.mark.parametrize("bars", [1, 5, 9])
def test_no_strength_gives_every_note_back(converter: Converter, bars: int) -> None:
    score = song(bars)
    assert notes(converter(score, target="pop", strength=0.0)) == notes(score)


def test_bars_without_a_note_stay_empty(converter: Converter) -> None:
    score = song(16)
    for track in score.tracks:
        track.notes = type(track.notes)([n for n in track.notes if not 4 * BAR <= n.time < 12 * BAR])
    made = converter(score, target="pop")
    assert not [n for n in notes(made) if 5 * BAR <= n[0] < 11 * BAR]
    assert notes(made) != notes(score)


def test_metres_that_fit_no_grid_pass_through(converter: Converter, tmp_path: Path) -> None:
    score = song(12)
    score.time_signatures = type(score.time_signatures)(
        [symusic.TimeSignature(0, 4, 4), symusic.TimeSignature(4 * BAR, 1, 64), symusic.TimeSignature(7 * BAR, 4, 4)]
    )
    score.dump_midi(tmp_path / "in.mid")
    record = converter.convert_file(tmp_path / "in.mid", tmp_path / "out.mid", "pop")
    made = symusic.Score(tmp_path / "out.mid")
    assert [n for n in notes(made) if 4 * BAR <= n[0] < 7 * BAR - 60] == [n for n in notes(score) if 4 * BAR <= n[0] < 7 * BAR - 60]
    for begin, end in ((0, 4), (7, 12)):
        assert [n for n in notes(made) if begin * BAR <= n[0] < end * BAR] != [n for n in notes(score) if begin * BAR <= n[0] < end * BAR]
    assert (record.details["phrases"], record.details["phrases_unchanged"]) == (3, 1)


def test_what_the_network_sees_begins_at_bar_lines(bundle: Path) -> None:
    """Of a waltz whose downbeats are low notes and nothing else."""
    seen: list[FloatArray] = []

    class Seeing(Same):
        def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
            seen.extend(batch)
            return batch

    waltz = symusic.Score(SONG_TPQ)
    waltz.time_signatures.append(symusic.TimeSignature(0, 3, 4))
    waltz.tracks.append(symusic.Track())
    for bar in range(24):
        for beat, pitch in enumerate((36, 60, 60)):
            waltz.tracks[0].notes.append(symusic.Note((3 * bar + beat) * SONG_TPQ, SONG_TPQ, pitch, 64))
    assert notes(Converter(read_config(bundle), Seeing())(waltz, target="pop")) == notes(waltz)
    assert len(seen) > 5
    for window in seen:
        assert (np.flatnonzero(window[1, 36 - 24]) % 12 == 0).all()


@pytest.mark.parametrize("adapter", [{"velocity": True}, {"grid": "triplet"}, {"bars": 2, "velocity": True}], ids=str)
def test_every_kind_of_roll_converts(tmp_path: Path, adapter: dict[str, Any]) -> None:
    converter = Converter.from_pretrained(tiny_music_bundle(tmp_path / "model", adapter=adapter))
    made = converter(song(6), target="pop")
    assert len(notes(made)) > 0
    assert frame(made) == frame(song(6))
    same = Converter(converter.config, Same())
    if "grid" not in adapter:  # sixteenths do not lie on the triplet grid
        assert notes(same(song(6), target="pop")) == notes(song(6))


def test_the_record_says_why_nothing_was_converted(converter: Converter, tmp_path: Path) -> None:
    score = song(12)
    score.time_signatures = type(score.time_signatures)([symusic.TimeSignature(0, 1, 64)])
    score.dump_midi(tmp_path / "in.mid")
    record = converter.convert_file(tmp_path / "in.mid", tmp_path / "out.mid", "pop")
    assert (record.status, record.details["phrases"]) == ("converted", 0)
    assert record.to_json()["note"].startswith("nothing was converted, the result is a copy: its notes lie in 1/64")


def test_options_reach_the_renderer(converter: Converter) -> None:
    score = song(4)
    plain = converter(score, target="pop")
    narrow = song(4)  # of one pitch class: whatever else comes is new
    for track in narrow.tracks:
        track.notes = type(track.notes)([note for note in track.notes if track.is_drum or note.pitch % 12 == 0])
    freely = {"target": "pop", "threshold": 0.3}
    assert not {n[2] % 12 for n in notes(converter(narrow, **freely))} <= {0}
    assert {n[2] % 12 for n in notes(converter(narrow, **freely, key_lock=True))} <= {0}
    merged = converter(score, target="pop", tracks="merge")
    assert [track.is_drum for track in merged.tracks] == [False, True]
    assert len(notes(converter(score, target="pop", threshold=0.95))) < len(notes(score)) < len(notes(plain))
    usual = converter(score, target="pop", programs="target")
    assert [track.program for track in usual.tracks if not track.is_drum] == [2, 35, 75]  # of the bundle's pop song


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pitch_shift": 2.0}, "`pitch_shift`: not for this kind of model; it takes: `strength`, `key_lock`, `keep`, `tracks`"),
        ({"strength": 1.5}, "strength=1.5"),
        ({"threshold": 0.0}, "threshold=0"),
        ({"tracks": "drop"}, "tracks=drop: choose one of keep, merge"),
        ({"programs": "mine"}, "programs=mine"),
        ({"shortest": 0}, "shortest=0"),
        ({"first_bar": -1.0}, "first_bar=-1"),
        ({"first_bar": float("nan")}, "first_bar=nan"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused_before_anything_is_read(
    converter: Converter, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    for attempt in (
        lambda: converter.translation("pop", **options),
        lambda: converter(song(), "pop", **options),
        lambda: converter.convert_file(tmp_path / "missing.mid", tmp_path / "out.mid", "pop", **options),
    ):
        with pytest.raises(ConfigError, match=said):
            attempt()


def test_a_picture_and_a_sound_go_beside_the_output(converter: Converter, midi: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mid"
    converter.convert_file(midi, output, "pop", plot=True, preview=True)
    assert output.with_suffix(".png").stat().st_size > 1000
    samples, rate = soundfile.read(output.with_suffix(".wav"))
    assert len(samples) / rate > 17
    assert np.abs(samples).max() > 0.01


def test_a_score_goes_beside_the_output(converter: Converter, midi: Path, tmp_path: Path) -> None:
    pytest.importorskip("verovio")
    converter.convert_file(midi, tmp_path / "out.mid", "pop", score=True)
    assert "below: out.mid (converted to pop)" in (tmp_path / "out.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("extra", "module"), [("preview", "midirenderer"), ("score", "verovio")])
def test_what_is_missing_for_an_extra_is_said_before_the_work(
    converter: Converter, midi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, module: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else found(name))
    with pytest.raises(ConfigError, match=rf"pip install .*{'score' if extra == 'score' else module}"):
        converter.convert_file(midi, tmp_path / "out.mid", "pop", **{extra: True})
    assert not (tmp_path / "out.mid").exists()


@pytest.mark.parametrize("suffix", [".png", ".wav"])
def test_a_picture_or_sound_that_exists_is_kept_unless_asked(
    converter: Converter, midi: Path, tmp_path: Path, suffix: str
) -> None:
    output, wanted = tmp_path / "out.mid", {"plot": suffix == ".png", "preview": suffix == ".wav"}
    output.with_suffix(suffix).write_bytes(b"mine")
    with pytest.raises(OutputError, match=rf"out\{suffix}: exists already; add `overwrite`"):
        converter.convert_file(midi, output, "pop", **wanted)
    assert not output.exists()
    assert output.with_suffix(suffix).read_bytes() == b"mine"
    converter.convert_file(midi, output, "pop", **wanted, overwrite=True)
    assert output.with_suffix(suffix).stat().st_size > 1000


def write_words(path: Path) -> None:
    path.write_text("words")


def write_drums(path: Path) -> None:
    score = song(2)
    score.tracks = type(score.tracks)([track for track in score.tracks if track.is_drum])
    score.dump_midi(path)


@pytest.mark.parametrize(("write", "said"), [(write_words, "in.mid"), (write_drums, "only drums")])
def test_a_bad_file_leaves_nothing(converter: Converter, tmp_path: Path, write: Any, said: str) -> None:
    write(tmp_path / "in.mid")
    with pytest.raises(InputError, match=said):
        converter.convert_file(tmp_path / "in.mid", tmp_path / "out.mid", "pop", plot=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mid"]


def test_a_network_that_gives_nan_is_not_heard(bundle: Path) -> None:
    damaged = Converter.from_pretrained(bundle)
    with torch.no_grad():
        next(damaged.network.translator.parameters()).fill_(float("nan"))
    with pytest.raises(BundleError, match="model tiny gives NaN"):
        damaged(song(), "pop")


def test_statistics_of_the_target_are_used(bundle: Path) -> None:
    config = read_config(bundle)
    other = replace(config, stats=config.stats | {"pop": {"programs": [-1.0, 40.0, 41.0]}})
    made = Converter(other, Same())(song(4), target="pop", programs="target")
    assert [track.program for track in made.tracks if not track.is_drum] == [40, 33, 41]  # chords, bass, melody


def test_mistakes_are_of_the_packages_own_kind(converter: Converter, tmp_path: Path) -> None:
    for item in (tmp_path / "missing.mid", tmp_path):
        with pytest.raises(AudioCycleError, match=str(tmp_path)):
            converter(item, "pop")


def test_the_command_line_says_why_and_takes_the_first_bar(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[Any]) -> None:
    odd = song(12)
    odd.time_signatures = type(odd.time_signatures)([symusic.TimeSignature(0, 1, 64)])
    (tmp_path / "in").mkdir()
    odd.dump_midi(tmp_path / "in/odd.mid")
    tiny_song(tmp_path / "in/song.mid")
    model = ("--target", "pop", "--model", bundle)
    done = run_cli(capsys, "convert", tmp_path / "in/odd.mid", *model, "-o", tmp_path / "out.mid")
    assert done.code == 0
    assert done.err[-1].endswith("note: nothing was converted, the result is a copy: its notes lie in 1/64, whose bars are no whole steps of the straight grid")
    done = run_cli(capsys, "convert", tmp_path / "in", *model, "-o", tmp_path / "out")
    assert "2 converted, 0 failed, 1 unusual (see `note` in the report)" in done.err[-1]
    records = [json.loads(line) for line in (tmp_path / "out/report.jsonl").read_text().splitlines()]
    assert [bool(record["note"]) for record in sorted(records, key=lambda record: record["input"])] == [True, False]
    done = run_cli(capsys, "convert", tmp_path / "in/song.mid", *model, "-o", tmp_path / "moved.mid", "--first-bar", "2", "--json")
    details = json.loads(done.out)["details"]
    assert (details["phrases"], details["phrases_unchanged"]) == (2, 1)
