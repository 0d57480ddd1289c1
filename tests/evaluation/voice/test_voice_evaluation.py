"""Evaluation of voice models: what the rows must score, what is refused, and the command; listeners are made up."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up_voices import DOMAINS, EARS, NAMES, Ear, write_voices
from tiny_bundle import tiny_bundle

from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError, DataError, InputError
from audiocycle.evaluation.voice import evaluate as voice
from audiocycle.evaluation.voice.evaluate import SOUNDS, evaluate, over_files
from audiocycle.evaluation.voice.listeners import NATURALNESS, SPEAKER, WORDS, Listeners, load_listeners
from audiocycle.evaluation.voice.measures import (
    CONVERTED,
    COUNTERPARTS,
    MATCHED,
    MEASURES,
    OF_TARGET,
    ROWS,
    SOURCE_COPY,
    TARGET,
    TARGET_COPY,
    UNCONVERTED,
)
from audiocycle.evaluation.voice.recordings import copied, evenly, find_items, matched, read, read_transcripts
from audiocycle.evaluation.voice.results import VoiceEvaluation
from audiocycle.evaluation.voice.table import to_json, to_text
from audiocycle.metrics.estimates import Estimate
from audiocycle.metrics.voice import mcd, pitch
from audiocycle.spec import FloatArray
from audiocycle.system import threads
from audiocycle.system.compat import import_pyworld
from audiocycle.voice.low_cut import audible

pyworld = import_pyworld()
DISTANCES = tuple(measure.name for measure in MEASURES if measure.needs == COUNTERPARTS)
OF_WORDS = tuple(measure.name for measure in MEASURES if measure.needs == WORDS)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", training={"steps": 3})


@pytest.fixture(scope="module")
def converter(bundle: Path) -> Converter:
    return Converter.from_pretrained(bundle)


@pytest.fixture(scope="module")
def found(converter: Converter, voices: dict[str, Path]) -> VoiceEvaluation:
    return evaluate(converter, voices, EARS, parallel=True)


@pytest.fixture(scope="module")
def apart(converter: Converter, voices: dict[str, Path]) -> VoiceEvaluation:
    """Not parallel, one way, and only formulas."""
    return evaluate(converter, voices, Listeners(missing={WORDS: "not installed"}), one_way=True)


def test_all_rows_are_there_always(found: VoiceEvaluation, apart: VoiceEvaluation) -> None:
    assert list(found.directions) == ["anna->ben", "ben->anna"]
    assert list(apart.directions) == ["anna->ben"]
    for each in (*found.directions.values(), *apart.directions.values()):
        assert tuple(each.rows) == tuple(each.values) == tuple(each.global_variance) == tuple(ROWS)
        assert all(len(values) == 3 for columns in each.values.values() for values in columns.values())
    assert tuple(found.total) == tuple(ROWS)
    assert found.training == {"steps": 3}


def test_every_row_has_every_measure_that_means_something_there(found: VoiceEvaluation) -> None:
    rows = found.directions["anna->ben"].rows
    words, drop = set(OF_WORDS), {"p808_drop"}
    lacking = {UNCONVERTED: words, TARGET: words | drop | set(DISTANCES), TARGET_COPY: drop}
    assert {row: {measure.name for measure in MEASURES} - set(rows[row]) for row in ROWS} == {row: lacking.get(row, set()) for row in ROWS}


def test_distances_are_those_of_the_formulas(found: VoiceEvaluation, voices: dict[str, Path]) -> None:
    """pyworld called by hand, without the package's own analysis."""
    made = []
    for domain in ("ben", "anna"):
        samples, rate = soundfile.read(voices[domain] / "two.wav")
        samples = audible(samples, rate).astype(np.float64)  # what nobody hears is not measured
        f0, times = pyworld.dio(samples, rate)
        f0 = pyworld.stonemask(samples, f0, times, rate)
        made.append((f0, pyworld.cheaptrick(samples, f0, times, rate)))
    (f0_ben, sp_ben), (f0_anna, sp_anna) = made
    expected = mcd.mel_cepstral_distortion(sp_ben, sp_anna)
    values = {name: column[2] for name, column in found.directions["anna->ben"].values[UNCONVERTED].items()}
    assert values["mcd_sptk"] == pytest.approx(expected.db)
    pitches = pitch.compare_pitch(f0_ben, f0_anna, expected.path)
    assert values["log_f0_rmse_cents"] == pytest.approx(pitches.rmse_cents)
    assert values["vuv_error"] == pitches.vuv_error
    coded = [pyworld.code_spectral_envelope(sp, 16000, 36)[:, 1:] for sp in (sp_ben, sp_anna)]
    assert 0.3 < values["mcd_world"] / (10 / np.log(10) * np.linalg.norm(coded[0].mean(0) - coded[1].mean(0))) < 3


def test_what_nothing_was_done_to_scores_so(found: VoiceEvaluation) -> None:
    for each in found.directions.values():
        assert each.rows[TARGET]["global_variance_ratio"].mean == pytest.approx(1)
        assert each.rows[TARGET]["similarity_share"].mean == pytest.approx(1)
        assert each.rows[TARGET]["nearer_target"].mean == each.rows[TARGET_COPY]["nearer_target"].mean == 1
        assert each.rows[UNCONVERTED]["nearer_target"].mean == each.rows[SOURCE_COPY]["nearer_target"].mean == 0
        assert each.values[UNCONVERTED]["loudness_difference"] == each.values[TARGET]["loudness_difference"] == [0, 0, 0]
        assert each.rows[SOURCE_COPY]["p808_drop"].mean == 0
        assert each.rows[UNCONVERTED]["p808_drop"].mean == pytest.approx(-0.5)
        assert abs(each.rows[CONVERTED]["loudness_difference"].mean) < 1
        assert each.rows[TARGET_COPY]["log_f0_rmse_cents"].mean < 200 < each.rows[UNCONVERTED]["log_f0_rmse_cents"].mean
        assert each.rows[TARGET_COPY]["duration_error"].mean < 0.02


def test_matched_envelopes_have_the_targets_register(found: VoiceEvaluation) -> None:
    each = found.directions["anna->ben"]
    assert each.rows[MATCHED]["log_f0_rmse_cents"].mean < 0.3 * each.rows[UNCONVERTED]["log_f0_rmse_cents"].mean
    for example in each.examples:
        f0 = {row: np.median(track[track > 0]) for row, track in example.f0.items()}
        assert f0[MATCHED] == pytest.approx(f0[CONVERTED], rel=0.05)
        assert 100 < f0[MATCHED] < 160 < f0[UNCONVERTED]


def test_matching_a_voice_to_itself_is_copy_synthesis(tmp_path: Path, voices: dict[str, Path]) -> None:
    folder = tiny_bundle(tmp_path / "same")
    config = json.loads((folder / "config.json").read_text())
    config["stats"]["ben"] = config["stats"]["anna"]
    (folder / "config.json").write_text(json.dumps(config))
    converter = Converter.from_pretrained(folder)
    signal = read(voices["anna"] / "two.wav", converter)
    made, expected = matched(signal, converter, "anna", "ben").samples, copied(signal, converter).samples
    assert np.abs(made - expected).max() < 1e-3 < np.abs(expected - signal.samples).max()


def test_what_is_judged_is_what_convert_gives(found: VoiceEvaluation, converter: Converter, voices: dict[str, Path]) -> None:
    example = found.directions["ben->anna"].examples[2]
    assert (example.name, example.target_name, example.sample_rate) == ("two", "two", 16000)
    signal = read(voices["ben"] / "two.wav", converter)
    assert np.array_equal(example.samples[CONVERTED], converter(signal, "anna", "ben").samples)
    assert np.array_equal(example.samples[UNCONVERTED], signal.samples)
    assert np.array_equal(example.samples[TARGET], soundfile.read(voices["anna"] / "two.wav", dtype="float32")[0])


def test_recordings_with_a_missing_band_or_a_broken_channel_are_named(tmp_path: Path, converter: Converter, voices: dict[str, Path]) -> None:
    folders = {}
    for domain, folder in voices.items():
        folders[domain] = Path(shutil.copytree(folder, tmp_path / domain))
    samples, rate = soundfile.read(folders["anna"] / "two.wav")
    soundfile.write(folders["anna"] / "two.wav", np.stack([samples, -samples], axis=1), rate)
    samples, rate = soundfile.read(folders["ben"] / "three.wav")
    soundfile.write(folders["ben"] / "three.wav", samples[::2], rate // 2)
    both = evaluate(converter, folders, Listeners(missing={WORDS: "not installed"}), parallel=True)
    said = {Path(path).parent.name + "/" + Path(path).name: note.partition(": ")[2] for path, note in both.notes.items()}
    assert said["anna/two.wav"] == "channel 2 has the opposite phase, turned round"
    assert said["ben/three.wav"].startswith("holds nothing above 3.")
    assert "unusual: 2 recordings; the first: " in to_text(both)
    assert to_json(both)["notes"] == both.notes


def test_means_are_over_files_and_the_total_over_directions(found: VoiceEvaluation) -> None:
    for row in ROWS:
        for measure, total in found.total[row].items():
            parts = [each.rows[row][measure] for each in found.directions.values()]
            assert total.mean == pytest.approx(np.mean([part.mean for part in parts]))
            assert total.interval is not None
            assert total.interval[0] - 1e-9 <= total.mean <= total.interval[1] + 1e-9
            if measure not in OF_WORDS:
                values = [np.mean(each.values[row][measure]) for each in found.directions.values()]
                assert [part.mean for part in parts] == pytest.approx(values)


def test_word_errors_are_summed_before_the_division(found: VoiceEvaluation) -> None:
    each = found.directions["anna->ben"]
    said = [len(text.split()) for text in each.said[CONVERTED].values()]
    assert said == [4, 5, 6]
    assert each.values[CONVERTED]["wer"] == pytest.approx([1 / 4, 1 / 5, 1 / 6])
    assert each.rows[CONVERTED]["wer"].mean == pytest.approx(3 / 15)
    assert each.texts[UNCONVERTED]["a/one"] == "Word0, Word1, Word2, Word3,"


def test_transcripts_take_the_recognisers_place(converter: Converter, voices: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "said.txt"
    file.write_text("two word0 word1 word2 word3 nothing\nthree\tword0\n\nben/a/one word0 word1\nelsewhere x\n")
    said = read_transcripts(file)
    assert said == {"two": "word0 word1 word2 word3 nothing", "three": "word0", "ben/a/one": "word0 word1", "elsewhere": "x"}
    ears = Listeners(recognizer=Ear())
    each = evaluate(converter, voices, ears, parallel=True, one_way=True, transcripts=said).directions["anna->ben"]
    # of anna's: a/one has no transcript; three: 5 words heard for 1; two: 6 for 5, of which 4 are right
    assert each.values[UNCONVERTED]["wer"] == pytest.approx([np.nan, 4 / 1, 2 / 5], nan_ok=True)
    assert each.rows[UNCONVERTED]["wer"].mean == pytest.approx(6 / 6)
    assert np.isfinite(each.values[TARGET]["wer"]).all()
    with pytest.raises(ConfigError, match="no line begins with the name of a recording, such as a/one"):
        evaluate(converter, voices, ears, transcripts={"elsewhere": "x"})


def test_without_counterparts_distances_are_left_out(apart: VoiceEvaluation) -> None:
    each = apart.directions["anna->ben"]
    assert each.files == each.target_files == NAMES
    for row in ROWS:
        assert set(each.rows[row]) == {"global_variance_ratio", "loudness_difference"}
    assert [example.name for example in each.examples] == NAMES
    text = to_text(apart)
    assert "left out: distances to the target's recording of the sentence; add --parallel" in text
    assert "left out: words (not installed)" in text
    assert "MCD:" not in text
    assert "total" not in text


def test_figures_do_not_depend_on_the_threads(
    found: VoiceEvaluation, converter: Converter, voices: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for rounding: with another number of OpenMP threads torch adds in another order. In bfloat16 its rounding hides that."""
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "_limit", 3 if threads.available() == 1 else 1)
    torch.set_num_threads(before + 2)
    try:
        again = evaluate(converter, voices, EARS, parallel=True)
    finally:
        torch.set_num_threads(before)
    first, second = (dict(leaves(to_json(each))) for each in (found, again))
    assert first.keys() == second.keys()
    for place, value in first.items():
        assert second[place] == (pytest.approx(value, rel=1e-4, abs=1e-5) if isinstance(value, float) else value), place


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """All that nested dictionaries and lists hold, with its place."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{place}/{key}")
    else:
        yield place, value


def test_the_own_recording_is_not_in_the_mean_that_it_is_compared_with(
    found: VoiceEvaluation, voices: dict[str, Path]
) -> None:
    own = {d: [Ear().embed(soundfile.read(voices[d] / f"{name}.wav")[0]) for name in NAMES] for d in DOMAINS}

    def cosine(voice: FloatArray, others: list[FloatArray]) -> float:
        mean = np.mean(others, axis=0)
        return float(voice @ mean / np.linalg.norm(mean))

    each = found.directions["anna->ben"]
    alone = [cosine(own["ben"][i], [v for j, v in enumerate(own["ben"]) if j != i]) for i in range(3)]
    assert each.values[TARGET]["similarity_target"] == pytest.approx(alone, abs=1e-4)
    assert each.values[UNCONVERTED]["similarity_target"] == pytest.approx([cosine(v, own["ben"]) for v in own["anna"]], abs=1e-4)
    share = each.values[UNCONVERTED]["similarity_target"][0] / np.mean(alone)
    assert each.values[UNCONVERTED]["similarity_share"][0] == pytest.approx(share, abs=1e-4)


def test_mel_models_are_rendered_by_their_own_renderer(voices: dict[str, Path], tmp_path: Path) -> None:
    converter = Converter.from_pretrained(tiny_bundle(tmp_path / "mel", adapter={"name": "mel"}))
    each = evaluate(converter, voices, Listeners(), parallel=True, one_way=True, limit=1).directions["anna->ben"]
    assert each.examples[0].sample_rate == 22050
    assert set(DISTANCES) <= set(each.rows[CONVERTED])
    assert each.rows[TARGET_COPY]["log_f0_rmse_cents"].mean < 200


def copy_of(voices: dict[str, Path], folder: Path) -> dict[str, Path]:
    for domain, path in voices.items():
        for name in ("two", "three"):
            (folder / domain).mkdir(parents=True, exist_ok=True)
            (folder / domain / f"{name}.wav").write_bytes((path / f"{name}.wav").read_bytes())
    return {domain: folder / domain for domain in voices}


def test_recordings_that_cannot_be_used_are_left_out_and_named(
    converter: Converter, voices: dict[str, Path], tmp_path: Path
) -> None:
    folders = copy_of(voices, tmp_path)
    (tmp_path / "anna" / "three.wav").write_bytes(b"RIFF no")
    seen: list[tuple[int, int]] = []
    both = evaluate(converter, folders, Listeners(), parallel=True, one_way=True, progress=lambda *x: seen.append(x))
    assert both.directions["anna->ben"].files == ["two"]
    assert set(both.skipped) == {str(tmp_path / domain / "three.wav") for domain in DOMAINS}
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert f"left out: 2 recordings; the first: {tmp_path}/anna/three.wav: not a readable recording" in to_text(both)
    soundfile.write(tmp_path / "anna" / "three.wav", np.zeros(8000), 16000)
    each = evaluate(converter, folders, Listeners(), one_way=True)
    assert each.directions["anna->ben"].target_files == ["three", "two"]
    assert each.skipped == {str(tmp_path / "anna" / "three.wav"): f"{tmp_path}/anna/three.wav: holds only digital silence"}
    (tmp_path / "anna" / "two.wav").unlink()
    with pytest.raises(DataError, match=r"anna: none of its recordings can be used; the first: .*digital silence"):
        evaluate(converter, folders, Listeners(), one_way=True)


def test_a_model_does_not_get_rid_of_its_failures(
    converter: Converter, voices: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise InputError("no voice in it")

    monkeypatch.setattr(voice, "measure_item", fails)
    with pytest.raises(InputError, match="a/one: cannot be measured: no voice in it"):
        evaluate(converter, voices, Listeners(), parallel=True)


def test_one_recording_of_a_speaker_says_little(converter: Converter, voices: dict[str, Path]) -> None:
    each = evaluate(converter, voices, EARS, one_way=True, limit=1).directions["anna->ben"]
    assert each.files == ["a/one"]
    assert "similarity_target" in each.rows[CONVERTED]
    assert "similarity_share" not in each.rows[CONVERTED]
    assert "nearer_target" not in each.rows[UNCONVERTED]
    assert each.rows[CONVERTED]["p808"].interval is None


def test_names_and_limits(voices: dict[str, Path], tmp_path: Path) -> None:
    assert [item.name for item in find_items(voices, True)] == NAMES
    assert [(item.name, list(item.paths)) for item in find_items(voices, False, 2)] == [
        ("a/one", ["anna"]), ("two", ["anna"]), ("a/one", ["ben"]), ("two", ["ben"]),
    ]  # fmt: skip
    assert evenly("abcdefg", 3) == ["a", "d", "g"]
    soundfile.write(tmp_path / "alone.wav", np.ones(10), 16000)
    with pytest.raises(DataError, match=r"`parallel`: .* have no file name in common; leave `parallel` out"):
        find_items({"anna": voices["anna"], "ben": tmp_path}, True)
    assert len(find_items({"anna": voices["anna"], "ben": tmp_path}, False)) == 4


def test_the_table_fits_and_json_has_no_nan(found: VoiceEvaluation) -> None:
    text = to_text(found)
    assert max(map(len, text.splitlines())) <= 110
    assert text.count("95 % over files") == text.count("\nconverted ") >= 6
    assert "Weights: of/ears." in text
    report = json.loads(json.dumps(to_json(found), allow_nan=False))
    each = report["directions"]["anna->ben"]
    assert set(each) == {
        "source", "target", "files", "target_files", "values", "rows", "global_variance", "texts", "said",
    }  # fmt: skip
    assert each["values"][TARGET]["mcd_sptk"] == [None, None, None]
    assert len(each["global_variance"][CONVERTED]) == 34
    assert set(report["definitions"]) >= {"rows", "mcd_sptk", "mcd_world", SPEAKER, WORDS, NATURALNESS, "intervals"}


def test_wide_numbers_keep_their_columns_apart(found: VoiceEvaluation) -> None:
    def lower(value: Estimate) -> Estimate:
        return replace(value, by_seed=value.by_seed - 0.2, resampled=value.resampled - 0.2)

    wild = {row: {name: lower(value) for name, value in values.items()} for row, values in found.total.items()}
    lines = to_text(replace(found, total=wild)).splitlines()
    assert max(map(len, lines)) <= 110
    assert any("..-0." in line for line in lines)


def test_listeners_that_are_not_installed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("resemblyzer", "faster_whisper", "speechmos"):
        monkeypatch.setitem(sys.modules, library, None)
    ears = load_listeners()
    assert (ears.speaker, ears.recognizer, ears.naturalness) == (None, None, None)
    assert set(ears.missing) == {SPEAKER, WORDS, NATURALNESS}
    assert all("pip install 'audiocycle[eval]'" in reason.replace("[guided]", "[eval]") for reason in ears.missing.values())
    for asked in ({"recognizer": "tiny.en"}, {"needs_words": True}):
        with pytest.raises(ConfigError, match="faster-whisper is not installed"):
            load_listeners(**asked)  # type: ignore[arg-type]


def test_every_row_has_a_sound() -> None:
    assert set(SOUNDS) == set(ROWS) > set(OF_TARGET)


values_and_weights = st.lists(
    st.tuples(st.one_of(st.floats(-1e3, 1e3), st.just(float("nan"))), st.integers(1, 30)), min_size=1, max_size=12
)


@given(values_and_weights)
def test_files_without_a_value_do_not_count(files: list[tuple[float, int]]) -> None:
    there = [(value, weight) for value, weight in files if np.isfinite(value)]
    mean = over_files([value for value, _ in files], [weight for _, weight in files])
    if not there:
        assert mean is None
        return
    assert mean is not None
    values, weights = zip(*there, strict=True)
    assert mean.mean == pytest.approx(np.average(values, weights=weights), abs=1e-6)
    assert (mean.interval is None) == (len(there) == 1)
    if mean.interval is not None:
        assert min(values) - 1e-6 <= mean.interval[0] <= mean.interval[1] <= max(values) + 1e-6


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=10), st.randoms(use_true_random=False))
def test_means_do_not_depend_on_the_order_of_files(values: list[float], random: Any) -> None:
    other = list(values)
    random.shuffle(other)
    first, second = over_files(values, [1.0] * len(values)), over_files(other, [1.0] * len(values))
    assert first is not None
    assert second is not None
    assert first.mean == pytest.approx(second.mean, abs=1e-9)
