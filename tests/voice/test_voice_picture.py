"""Pictures: they can be opened, show what they should, and never leave half a file behind."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from audiocycle.errors import InputError, OutputError
from audiocycle.voice.picture import compare_picture, spectrogram_db

matplotlib = pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

SAMPLE_RATE = 16000
TONE = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.array(image.convert("RGB")).astype(int)


def cyan(picture: np.ndarray) -> int:
    """How many pixels have about the colour of the F0 track."""
    return int((np.abs(picture - [56, 242, 255]).sum(axis=2) < 40).sum())


def test_spectrogram_peaks_at_the_tone() -> None:
    level = spectrogram_db(TONE, SAMPLE_RATE)
    assert level.max() == 0.0
    assert level.min() >= -80.0
    middle = level[:, level.shape[1] // 2]
    assert middle.argmax() / (len(level) - 1) * SAMPLE_RATE / 2 == pytest.approx(1000, abs=20)


@pytest.mark.parametrize("samples", [np.zeros(100), np.zeros(1), np.full(3000, np.nan), TONE[:7]])
def test_spectrogram_of_odd_recordings_is_finite(samples: np.ndarray) -> None:
    level = spectrogram_db(samples, SAMPLE_RATE)
    assert np.isfinite(level).all()
    assert level.min() >= -80.0


def test_long_recordings_are_not_larger_than_the_screen() -> None:
    assert spectrogram_db(np.tile(TONE, 60), SAMPLE_RATE).shape[1] < 1300


def test_rows_of_different_length_and_rate_make_one_small_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=3 * 24000)
    f0 = np.where(np.arange(200) % 50 < 25, 150.0, 0.0)
    path = tmp_path / "compare.png"
    compare_picture(path, [("tone", TONE, SAMPLE_RATE, f0), ("noise", noise, 24000, None)])
    assert pixels(path).shape == (510, 1100, 3)
    assert path.stat().st_size < 600_000
    assert [p.name for p in tmp_path.iterdir()] == ["compare.png"]


def test_f0_is_drawn_where_voiced_only(tmp_path: Path) -> None:
    counts = []
    for share in (0.0, 0.5, 1.0):
        f0 = np.where(np.arange(200) < 200 * share, 150.0, np.nan)
        compare_picture(tmp_path / "f0.png", [("tone", TONE, SAMPLE_RATE, f0)])
        counts.append(cyan(pixels(tmp_path / "f0.png")))
    assert counts[0] == 0
    assert counts[1] > 100
    assert counts[2] == pytest.approx(2 * counts[1], rel=0.1)


def test_silence_empty_track_and_odd_titles_are_drawn(tmp_path: Path) -> None:
    title = "a $\\broken{ title$ in 中文"  # letters that the font lacks would raise matplotlib's warning
    compare_picture(tmp_path / "odd.png", [(title, np.zeros(800), 8000, np.zeros(0))])
    assert pixels(tmp_path / "odd.png").size


def test_threads_draw_at_the_same_time_without_pyplot(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda p: compare_picture(p, [("tone", TONE, SAMPLE_RATE, None)]), paths))
    assert len({p.read_bytes() for p in paths}) == 1
    source = Path(sys.modules["audiocycle.voice.picture"].__file__ or "").read_text()
    assert "import matplotlib.pyplot" not in source


def test_failures_are_named_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=r"folder\.png"):
        compare_picture(tmp_path / "folder.png", [("tone", TONE, SAMPLE_RATE, None)])
    with pytest.raises(InputError, match=r"stereo.*\(10, 2\)"):
        compare_picture(tmp_path / "a.png", [("stereo", np.zeros((10, 2)), SAMPLE_RATE, None)])
    with pytest.raises(InputError, match="nothing to draw"):
        compare_picture(tmp_path / "a.png", [])
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]
