"""Scores as notes: what is drawn, what is coloured, and that no file breaks the engraver."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiocycle.errors import ConfigError, InputError
from audiocycle.music import score_picture as module
from audiocycle.music.score_picture import NEW_COLOUR, check_engraver, score_picture

symusic = pytest.importorskip("symusic")
pytest.importorskip("verovio")

TPQ = 480


def a_score(
    notes: Sequence[tuple[float, float, int]],
    program: int = 0,
    metre: tuple[int, int] = (4, 4),
    name: str = "part",
    is_drum: bool = False,
) -> "symusic.core.ScoreTick":
    """Notes are (start, duration, pitch), times in quarter notes."""
    score = symusic.Score(TPQ)
    track = symusic.core.TrackTick(name, program, is_drum)
    for start, duration, pitch in notes:
        track.notes.append(symusic.core.NoteTick(round(start * TPQ), round(duration * TPQ), pitch, 80))
    score.tracks.append(track)
    score.time_signatures.append(symusic.core.TimeSignatureTick(0, *metre))
    return score


def drawn(path: Path, *rows: "symusic.core.ScoreTick", **options: int) -> str:
    score_picture(path, [(f"row {number} <&", row) for number, row in enumerate(rows)], **options)
    text = path.read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    return text


def count(text: str, kind: str) -> int:
    return len(re.findall(rf'class="{kind}[" ]', text))


def test_notes_rests_staves_and_bars_are_there(tmp_path: Path) -> None:
    text = drawn(tmp_path / "a.svg", a_score([(0, 1, 60), (1, 1, 64), (4, 4, 67)]))
    assert (count(text, "note"), count(text, "measure"), count(text, "mRest")) == (3, 2, 0)
    assert count(text, "rest") == 1  # a half
    assert NEW_COLOUR not in text
    assert "row 0 &lt;&amp;" in text


def test_what_the_first_row_does_not_have_is_coloured(tmp_path: Path) -> None:
    first, second = a_score([(0, 1, 60), (1, 1, 64)]), a_score([(0, 1, 60), (1, 1, 65), (2, 2, 72)])
    text = drawn(tmp_path / "a.svg", first, second)
    assert count(text, "note") == 5
    assert len(re.findall(rf'class="note [^>]*fill="{NEW_COLOUR}"', text)) == 2


def test_pianos_with_two_hands_have_two_staves_and_others_one(tmp_path: Path) -> None:
    wide = [(0.0, 1.0, 40), (0.0, 1.0, 72)]
    assert count(drawn(tmp_path / "a.svg", a_score(wide)), "staff") == 2
    assert count(drawn(tmp_path / "b.svg", a_score(wide, 48)), "staff") == 1


def test_triplets_and_compound_bars_are_written_as_such(tmp_path: Path) -> None:
    thirds = [(beat + third / 3, 1 / 3, 60 + third) for beat in range(4) for third in range(3)]
    assert count(drawn(tmp_path / "a.svg", a_score(thirds)), "tuplet") == 4
    text = drawn(tmp_path / "b.svg", a_score([(n / 2, 0.5, 60) for n in range(12)], metre=(6, 8)))
    assert (count(text, "tuplet"), count(text, "measure"), count(text, "beam")) == (0, 2, 4)


def test_only_the_first_bars_are_drawn_and_it_says_so(tmp_path: Path) -> None:
    score = a_score([(float(n), 1.0, 60) for n in range(160)])
    text = drawn(tmp_path / "a.svg", score)
    assert count(text, "measure") == 32
    assert "bars 1 to 32 of 40" in text
    assert count(drawn(tmp_path / "b.svg", score, n_bars=2), "measure") == 2


def test_drums_alone_and_nothing_at_all_are_rests(tmp_path: Path) -> None:
    drums, empty = a_score([(0, 1, 36), (4, 1, 36)], is_drum=True), symusic.Score(TPQ)
    text = drawn(tmp_path / "a.svg", drums, empty)
    assert (count(text, "note"), count(text, "measure"), count(text, "staff")) == (0, 2, 4)


def test_what_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to draw in .*a\.svg: give at least one score"):
        score_picture(tmp_path / "a.svg", [])
    with pytest.raises(
        InputError, match=r"a\.svg: the bars of long are too long to be drawn; leave `score` out"
    ):
        score_picture(tmp_path / "a.svg", [("long", a_score([(0, 1, 60)], metre=(255, 1)))])
    assert not list(tmp_path.iterdir())


def test_many_parts_are_the_largest(tmp_path: Path) -> None:
    score = a_score([])
    for number in range(20):
        track = symusic.core.TrackTick(f"n{number}", 73, False)
        track.notes.extend([symusic.core.NoteTick(TPQ * n, TPQ, 70, 80) for n in range(1 + number)])
        score.tracks.append(track)
    text = drawn(tmp_path / "a.svg", score)
    assert ">n19 (pipe)<" in text
    assert "n3 (pipe)" not in text


def test_a_missing_engraver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"`score`: pictures of scores need verovio: pip install 'audiocycle\[score\]'"
    ):
        check_engraver()


@given(
    notes=st.lists(
        st.tuples(st.floats(0, 12), st.floats(0.1, 9), st.integers(0, 127)), min_size=1, max_size=30
    ),
    metres=st.lists(
        st.tuples(st.floats(0, 12), st.integers(1, 20), st.sampled_from([1, 2, 4, 8, 16, 32, 128])),
        max_size=3,
    ),
    name=st.text(max_size=12),
    key=st.integers(-7, 7),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_can_be_drawn(
    tmp_path: Path,
    notes: list[tuple[float, float, int]],
    metres: list[tuple[float, int, int]],
    name: str,
    key: int,
) -> None:
    score = a_score(notes, name=name)
    for at, top, bottom in metres:
        score.time_signatures.append(symusic.core.TimeSignatureTick(round(at * TPQ), top, bottom))
    score.key_signatures.append(symusic.core.KeySignatureTick(0, key, 0))
    assert count(drawn(tmp_path / "any.svg", score, n_bars=8), "measure") >= 1
