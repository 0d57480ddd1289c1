"""Pictures of scores: notes lie where they should, colours follow the tracks, new notes stand out, nothing breaks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError, OutputError
from audiocycle.music.picture import bar_starts, roll_picture

symusic = pytest.importorskip("symusic")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")

TPQ = 480
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)


def a_track(
    notes: Sequence[tuple[float, float, int, int]], name: str = "", program: int = 0, is_drum: bool = False
) -> "symusic.core.TrackTick":
    """Notes are (start, duration, pitch, velocity), times in quarter notes."""
    track = symusic.core.TrackTick(name, program, is_drum)
    for start, duration, pitch, velocity in notes:
        track.notes.append(symusic.core.NoteTick(round(start * TPQ), round(duration * TPQ), pitch, velocity))
    return track


def a_score(*tracks: "symusic.core.TrackTick", metres: Sequence[tuple[float, int, int]] = ()) -> "symusic.core.ScoreTick":
    score = symusic.Score(TPQ)
    score.tracks.extend(list(tracks))
    for time, numerator, denominator in metres:
        score.time_signatures.append(symusic.core.TimeSignatureTick(round(time * TPQ), numerator, denominator))
    return score


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.array(image.convert("RGB")).astype(int)


def painted(path: Path, colour: tuple[int, int, int], near: int = 40) -> np.ndarray:
    """(H, W) True where a pixel has about the colour."""
    return np.abs(pixels(path) - colour).sum(axis=2) < near


def middle(mask: np.ndarray) -> tuple[float, float]:
    """Row and column of the middle of what is True."""
    rows, columns = np.nonzero(mask)
    return (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2


def test_later_is_right_and_higher_is_up_on_the_axes_of_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    early, late = a_track([(0, 4, 48, 127)], "one"), a_track([(12, 4, 72, 127)], "two")
    roll_picture(path, [("both", a_score(early, late))])
    low, left = middle(painted(path, BLUE)[:-60])
    high, right = middle(painted(path, ORANGE)[:-60])
    assert high < low
    assert left + 700 < right  # 12 of 16 quarters, on somewhat less than 1100 pixels
    assert pixels(path).shape[1] == 1100


def test_a_track_keeps_its_colour_in_another_row_and_place(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    bass, solo = a_track([(0, 4, 40, 127)], "bass", 32), a_track([(8, 4, 80, 127)], "solo", 65)
    moved = a_score(solo, a_track([(0, 4, 41, 127)], "bass", 32))
    roll_picture(path, [("source", a_score(bass, solo)), ("transfer", moved)])
    blue = painted(path, BLUE)
    half = len(blue) // 2
    assert blue[:half].any()
    assert blue[half:-60].any()
    assert middle(blue[half:-60])[1] == pytest.approx(middle(blue[:half])[1], abs=3)


@pytest.mark.parametrize(
    ("start", "pitch", "is_new"), [(0.0, 60, False), (0.125, 60, False), (0.25, 60, True), (0.0, 61, True)]
)
def test_notes_that_the_first_row_has_step_back(tmp_path: Path, start: float, pitch: int, is_new: bool) -> None:
    path = tmp_path / "roll.png"
    source, transfer = a_score(a_track([(0.0, 4, 60, 127)])), a_score(a_track([(start, 4, pitch, 127)]))
    roll_picture(path, [("source", source), ("transfer", transfer)])
    blue = painted(path, BLUE)
    assert blue[: len(blue) // 2].any()
    assert blue[len(blue) // 2 :].any() == is_new


def test_loud_notes_are_stronger(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    roll_picture(path, [("one", a_score(a_track([(0, 2, 60, 10), (2, 2, 60, 127)])))])
    loud = painted(path, BLUE)
    assert 300 < loud.any(axis=0).sum() < 600  # half of the axis


def test_boundaries_may_come_from_a_generator_and_are_drawn_in_every_row(tmp_path: Path) -> None:
    score = a_score(a_track([(0, 32, 60, 100)]))
    roll_picture(tmp_path / "without.png", [("a", score), ("b", score)])
    roll_picture(tmp_path / "with.png", [("a", score), ("b", score)], boundaries=(place for place in (0.0, 16.0, 999.0)))
    difference = np.abs(pixels(tmp_path / "with.png") - pixels(tmp_path / "without.png"))
    changed = difference.sum(axis=2) > 100  # the palettes differ a little everywhere
    half = len(changed) // 2
    assert middle(changed)[1] == pytest.approx(562, abs=8)  # of axes from about 28 to 1096
    assert changed[:half].any()
    assert changed[half:].any()
    assert np.ptp(np.nonzero(changed)[1]) < 5


def test_only_the_first_bars_are_drawn(tmp_path: Path) -> None:
    score = a_score(a_track([(0, 4, 60, 127)], "a"), a_track([(160, 4, 72, 127)], "b", 40))
    roll_picture(tmp_path / "first.png", [("song", score)])
    assert painted(tmp_path / "first.png", BLUE).any()
    assert not painted(tmp_path / "first.png", ORANGE).any()
    roll_picture(tmp_path / "all.png", [("song", score)], n_bars=41)
    assert painted(tmp_path / "all.png", ORANGE).any()


def test_bars_follow_the_time_signatures() -> None:
    melody = a_track([(0, 15, 60, 90)])
    starts, n_bars = bar_starts(a_score(melody, metres=[(0, 3, 4), (6, 6, 8), (12, 4, 4)]), 15.0, 10)
    np.testing.assert_array_equal(starts, [0, 3, 6, 9, 12, 16])
    assert n_bars == 5
    starts, n_bars = bar_starts(a_score(melody), 15.0, 2)
    np.testing.assert_array_equal(starts, [0, 4, 8])
    assert n_bars == 4


@given(
    metres=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.sampled_from([0, 1, 2, 4, 8])), max_size=4),
    last=st.floats(0, 60),
    most=st.integers(1, 12),
)
@settings(max_examples=100)
def test_bars_rise_and_reach_the_end(metres: list[tuple[int, int, int]], last: float, most: int) -> None:
    starts, n_bars = bar_starts(a_score(metres=metres), last, most)
    assert starts[0] == 0.0
    assert (np.diff(starts) > 0.0).all()
    assert len(starts) == 1 + min(most, n_bars)
    assert starts[-1] >= last - 1e-3 or n_bars > most


def test_far_away_notes_cost_nothing(tmp_path: Path) -> None:
    score = symusic.Score(1)
    score.tracks.append(a_track([]))
    score.tracks[0].notes.append(symusic.core.NoteTick(536_870_910, 2**30, 60, 90))
    roll_picture(tmp_path / "far.png", [("far", score)])
    assert bar_starts(score, 536_870_910.0, 32)[1] == 134_217_728


def test_empty_scores_and_single_notes_are_drawn(tmp_path: Path) -> None:
    empty, lone = symusic.Score(TPQ), a_score(a_track([(1, 0, 127, 1)]))
    drums = a_score(a_track([(0, 1, 36, 100), (1, 1, 38, 100)], is_drum=True))
    sizes = []
    for rows in ([("", empty)], [("empty", empty), ("lone", lone)], [("lone", lone)] * 3, [("drums", drums)]):
        roll_picture(tmp_path / "odd.png", rows)
        sizes.append(pixels(tmp_path / "odd.png").shape[0])
    assert sizes[0] < sizes[1] < sizes[2]
    assert [path.name for path in tmp_path.iterdir()] == ["odd.png"]


def test_odd_names_and_many_tracks_are_drawn_without_a_warning(tmp_path: Path) -> None:
    names = ["", "_hidden", "音乐", "$\\broken{ $", "a\nb\0c", "x" * 200, "twin", "twin", "kit"]
    tracks = [a_track([(i, 2, 50 + i, 80)], name, 8 * i, name == "kit") for i, name in enumerate(names)]
    roll_picture(tmp_path / "odd.png", [("音乐 $\\frac{", a_score(*tracks))])
    assert pixels(tmp_path / "odd.png").shape[1] == 1100


def test_failures_are_named_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    score = a_score(a_track([(0, 1, 60, 90)]))
    with pytest.raises(OutputError, match=r"folder\.png"):
        roll_picture(tmp_path / "folder.png", [("a", score)])
    with pytest.raises(InputError, match=r"nothing to draw in .*a\.png"):
        roll_picture(tmp_path / "a.png", [])
    with pytest.raises(ConfigError, match="0 bars"):
        roll_picture(tmp_path / "a.png", [("a", score)], n_bars=0)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]
