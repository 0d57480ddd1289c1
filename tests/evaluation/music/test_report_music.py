"""The report of music: whole, escaped, the same twice, with nothing from elsewhere; rolls and sounds that are the notes."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
import soundfile
import symusic
from report_page import Page
from small_music_evaluation import LENGTHS, NOTES, SONGS, score, small_music_evaluation
from two_genres import a_song

from audiocycle.evaluation.music.examples import ANOTHER_SONG, cut, examples_of, in_the_middle
from audiocycle.evaluation.music.measures import SOURCE, TRANSFER
from audiocycle.evaluation.music.players import clock, kinds_of, roll_of
from audiocycle.evaluation.music.report import page, write_report
from audiocycle.evaluation.music.results import MusicExample
from audiocycle.evaluation.music.songs import HeldOutSong
from audiocycle.music.adapter import PianoRollAdapter


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(small_music_evaluation(), tmp_path_factory.mktemp("report")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(written: str) -> Page:
    return Page(written)


def test_nothing_comes_from_elsewhere_and_names_are_text(written: str, parsed: Page) -> None:
    assert "http://" not in written
    assert "https://" not in written
    for _, attributes in parsed.tags:
        assert "onerror" not in attributes
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert len(parsed.of("script")) == 1
    assert not parsed.of("img")
    assert SONGS[1] in parsed.text("h4")
    assert "bars 5 to 6" in parsed.text("h4")
    assert 'A-B <tiny> & "co"' in parsed.text("h1")


def test_rows_measures_and_judges_are_there(parsed: Page) -> None:
    rows = [data for path, data in parsed.texts if path[-1:] == ("th",) and "tbody" in path]
    # three families for total and directions; paired, quality and seams for directions
    assert rows.count("model") == 3 * 3 + 2
    assert rows.count("identity") == 3 * 3 + 2
    assert rows.count("random target phrase") == 3 * 3
    assert rows.count("model less identity") == rows.count("where windows meet") == rows.count("inside windows") == 2
    assert rows.count("transfer") == 2 * 2
    numbers = [data for path, data in parsed.texts if path[-1:] == ("td",)]
    assert numbers.count("0.75") >= 3
    assert numbers.count("62.5") == 1  # the classifier on a corpus that it does not know
    assert "UNSEEN" in parsed.text("td")
    assert rows.count("bass leaps, %") == rows.count("top line kept, %") == 2  # the musician's list of each direction
    assert "5.0 … 25.0" in numbers
    assert "The judges disagree: by phrases 83% of the way to B" in parsed.text("strong")
    assert "worst: one (strength, songs 0.20)" in parsed.text("p")
    assert "judge of songs: A, B; 3 resamples" in parsed.text("p")
    assert "Never tested on a corpus of A that it does not know" in parsed.text("p")
    assert "notes per bar 4.0 to 20.0; polyphony 1.5 to 4.5; note length (steps) 1.0 to 4.0" in parsed.text("p")
    assert "<bad>.mid: no whole 4-bar phrase" in parsed.text("dd")


def test_players_play_the_scores(parsed: Page) -> None:
    players = parsed.of("audio")
    assert len(players) == 2 * 3
    for player, seconds in zip(players, LENGTHS * 2, strict=True):
        kind, content = (player["src"] or "").split(";base64,")
        assert kind == "data:audio/flac"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
        assert len(samples) / rate == pytest.approx(seconds, abs=0.01)
        assert abs(samples).max() > 0.5


def test_notes_are_told_apart_and_lie_where_they_sound(parsed: Page) -> None:
    labels = [x["aria-label"] or "" for x in parsed.of("svg") if (x.get("aria-label") or "").startswith("Piano roll")]
    assert labels[0].endswith("source: 4 notes, 2 kept, 1 resized, 1 lost, 6.0 s")
    assert labels[1].endswith("transfer: 4 notes, 2 kept, 1 resized, 1 new, 6.0 s")
    assert labels[2].endswith(f"{ANOTHER_SONG}: 2 notes, 2.5 s")
    new = [x["d"] for x in parsed.of("path") if x.get("class") == "note new"]
    # pitch 72 from 1.5 to 2 s; the picture's top is pitch 72 and one more: C5 is 2 units below the top of 74
    assert new == ["M150 1.1h48v.8h-48z"] * 2


def test_kinds_of_notes() -> None:
    kinds = kinds_of({row: roll_of(score(NOTES[row])) for row in (SOURCE, TRANSFER)})
    assert kinds[SOURCE] == {
        "kept": [True, False, False, True],
        "resized": [False, True, False, False],
        "lost": [False, False, True, False],
    }
    assert list(kinds[TRANSFER]) == ["kept", "resized", "new"]


def test_the_clock_follows_the_tempo_map() -> None:
    made = score([(0, 1, 60)])
    made.tempos.extend([symusic.Tempo(480, 60), symusic.Tempo(960, 240)])
    assert clock(made)([0, 240, 480, 960, 1440]) == pytest.approx([0, 0.25, 0.5, 1.5, 1.75])  # 120, 60, 240 a minute


def test_the_plane_has_a_point_for_each_setting_and_control(parsed: Page) -> None:
    points = [attributes for attributes in parsed.of("circle") if attributes.get("class") == "point r0"]
    assert len(points) == 2 * 5
    across = [float(point["cx"] or 0) for point in points[:5]]
    up = [float(point["cy"] or 0) for point in points[:5]]
    assert across == sorted(across)  # more strength to the right
    assert up == sorted(up)  # less of the piece further down
    assert [x["class"] for x in parsed.of("rect") if (x.get("class") or "").startswith("point")] == ["point r1", "point r3"] * 2
    told = [x["aria-label"] or "" for x in parsed.of("svg") if "--strength 0.5: strength 0.38, chroma 0.90" in (x.get("aria-label") or "")]
    assert len(told) == 2


def test_the_same_evaluation_gives_the_same_page(written: str, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "cycle/A->B": 2.0}\n{"step": 2, "cycle/A->B": 1.0}\n')
    path = write_report(small_music_evaluation(), tmp_path / "new")
    assert path.read_text(encoding="utf-8") == written
    with_log = write_report(small_music_evaluation(), tmp_path / "logged", log).read_text(encoding="utf-8")
    assert "cycle loss: 2 at first, 1 at last" in with_log


def test_without_a_classifier_the_page_says_how_to_get_one() -> None:
    parsed = Page(page(small_music_evaluation(classifier=False), {}))
    assert "train_classifier.py" in parsed.text("code")
    assert "Strength against content" not in parsed.text("h3")
    assert "by accuracy" not in parsed.text("th")


def a_song_at(path: Path, places: list[float]) -> HeldOutSong:
    import numpy as np

    return HeldOutSong(path, path.stem, "fast/x", np.zeros((len(places), 2, 84, 64), np.uint8), np.array(places))


def test_examples_are_phrases_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    a_song("fast", 1, bars=16).dump_midi(path)
    song = a_song_at(path, [0.0, 16.0, 32.0, 48.0])
    assert in_the_middle(song, 16) == (16.0, 48.0)
    assert in_the_middle(a_song_at(path, [0.0, 32.0]), 16) == (0.0, 16.0)  # a gap behind the first
    assert in_the_middle(a_song_at(path, [8.0]), 16) == (8.0, 24.0)
    part = cut(a_song("fast", 1, bars=16), 16.0, 48.0)
    assert (part.start(), len(part.tracks[0].notes)) == (0, 8 * 16)

    class Up:
        """A converter that plays everything an octave higher."""

        adapter = PianoRollAdapter(bars=4)

        def __call__(self, item: Path, target: str, source: str) -> object:
            return a_song("fast", 1, bars=16).shift_pitch(12)

    (example,) = examples_of([song], [song], Up(), "slow", "fast", parallel=False)  # type: ignore[arg-type]
    assert isinstance(example, MusicExample)
    assert (example.name, example.first, example.last, list(example.scores)) == ("song", 5, 12, [SOURCE, TRANSFER, ANOTHER_SONG])
    pitches = {row: [note.pitch for note in made.tracks[0].notes] for row, made in example.scores.items()}
    assert pitches[TRANSFER] == [pitch + 12 for pitch in pitches[SOURCE]]
    assert pitches[ANOTHER_SONG] == pitches[SOURCE]
