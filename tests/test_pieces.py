"""The pieces that the project encodes itself are what they are said to be."""

import sys
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiocycle.bundles.library import model_folders
from audiocycle.music.midi.file import read_score, write_score
from audiocycle.music.notes import notes_of

FOLDER = Path(__file__).parents[1] / "recipes" / "genre"


@pytest.fixture
def recipes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, as a script sees it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import six_pieces

    yield six_pieces
    for name in ("pieces", "six_pieces", "encoding"):
        sys.modules.pop(name, None)


def bars_of(score: Any) -> int:
    (metre,) = score.time_signatures
    bar = 4 * score.ticks_per_quarter * metre.numerator // metre.denominator
    return -(-score.end() // bar)


def rows(score: Any, track: int) -> list[tuple[int, int, int]]:
    return sorted((each.time, each.time + each.duration, each.pitch) for each in score.tracks[track].notes)


def is_line(score: Any, track: int) -> bool:
    return all(end <= start for (_, end, _), (start, _, _) in pairwise(rows(score, track)))


@pytest.mark.parametrize(
    ("name", "metre", "parts", "bars", "lines"),
    [
        ("classic-waltz", (3, 4), [0, 0], 32, [0]),
        ("jazz-swing", (4, 4), [66, 0, 32], 32, [0, 2]),
        ("classic-rubato", (4, 4), [0, 0], None, []),
        ("pop-band", (4, 4), [66, 27, 33, 0], 16, [0, 2]),
        ("classic-cello", (4, 4), [42], 16, [0]),
        ("classic-chorale", (4, 4), [19] * 4, 16, [0, 1, 2, 3]),
    ],
)
def test_each_has_its_metre_parts_length_and_lines(
    recipes: Any, name: str, metre: tuple[int, int], parts: list[int], bars: int | None, lines: list[int]
) -> None:
    score = recipes.SIX[name]()
    assert [(sign.numerator, sign.denominator) for sign in score.time_signatures] == [metre]
    assert [track.program for track in score.tracks] == parts
    assert [track.is_drum for track in score.tracks] == [
        name == "pop-band" and index == 3 for index in range(len(parts))
    ]
    assert bars is None or bars_of(score) == bars
    assert all(is_line(score, track) for track in lines)
    assert all(
        each.duration > 0 and 0 < each.velocity < 128 for track in score.tracks for each in track.notes
    )


def test_off_beats_swing(recipes: Any) -> None:
    phase = notes_of(recipes.swing()).start / recipes.TPQ % 1
    assert set(np.round(phase, 2).tolist()) == {0.0, recipes.SWING}
    assert 0.2 < (phase > 0).mean() < 0.6


def test_the_free_player_keeps_to_beats_that_are_known_and_not_to_the_clock(recipes: Any) -> None:
    start, beats = notes_of(recipes.rubato()).start / recipes.TPQ / 2, recipes.rubato_beats()
    played = np.interp(start, beats, np.arange(len(beats))) * 2  # in eighths
    assert np.abs(played - np.rint(played)).max() < 0.12
    assert (60 / np.diff(beats)).min() < 45
    assert (60 / np.diff(beats)).max() > 70
    off_clock = np.abs(start * 4 - np.rint(start * 4))  # of eighths at 120
    assert off_clock.mean() > 0.15


def test_the_chorale_has_no_parallels(recipes: Any) -> None:
    score = recipes.chorale()
    voices = [dict((start, pitch) for start, _, pitch in rows(score, track)) for track in range(4)]
    times = sorted(set().union(*voices))
    sounding = [[voice[max(time for time in voice if time <= at)] for voice in voices] for at in times]
    for before, after in pairwise(sounding):
        assert after[0] >= after[1] >= after[2] >= after[3], "no voices cross"
        for high, low in combinations(range(4), 2):
            moves = before[high] != after[high] and before[low] != after[low]
            interval = (before[high] - before[low]) % 12
            same_way = (after[high] - before[high]) * (after[low] - before[low]) > 0
            parallel = (
                moves and same_way and interval in (0, 7) and (after[high] - after[low]) % 12 == interval
            )
            assert not parallel, f"{before} to {after}: {'fifths' if interval else 'octaves'}"


def test_parts_stay_in_their_ranges(recipes: Any) -> None:
    pitch = np.array([each.pitch for each in recipes.cello().tracks[0].notes])
    assert (pitch.min(), pitch.max()) >= (36, 60)
    assert pitch.max() <= 72
    bass = np.array([each.pitch for each in recipes.band().tracks[2].notes])
    assert 28 <= bass.min() <= bass.max() <= 67


def test_the_bundles_samples_are_these_pieces(recipes: Any, tmp_path: Path) -> None:
    import pieces

    samples = [path for path in model_folders()[-1].glob("*/samples/*.mid") if path.stem in pieces.PIECES]
    assert len(samples) >= 2
    for path in samples:
        write_score(tmp_path / path.name, pieces.PIECES[path.stem]())
        for found, expected in zip(
            notes_of(read_score(path)).columns,
            notes_of(read_score(tmp_path / path.name)).columns,
            strict=True,
        ):
            np.testing.assert_array_equal(found, expected)


def test_the_command_writes_them_all(recipes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pieces

    monkeypatch.setattr(sys, "argv", ["pieces.py", str(tmp_path)])
    pieces.main()
    assert {path.stem for path in tmp_path.glob("*.mid")} == set(pieces.PIECES)
    times = [
        float(line.split("\t")[0]) for line in (tmp_path / "classic-rubato.beats").read_text().splitlines()
    ]
    np.testing.assert_allclose(times, recipes.rubato_beats(), atol=1e-4)
