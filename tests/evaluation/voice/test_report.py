"""The report: whole, escaped, the same twice, with nothing from elsewhere."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from report_page import Page
from small_evaluation import FILES, SAMPLE_RATE, small_evaluation

from audiocycle.errors import InputError, OutputError
from audiocycle.evaluation.page.charts import decades, ticks
from audiocycle.evaluation.page.markup import Markup, element
from audiocycle.evaluation.page.training import read_losses, thinned
from audiocycle.evaluation.voice.measures import CONVERTED, MATCHED, ROWS, UNCONVERTED
from audiocycle.evaluation.voice.report import page, write_report
from audiocycle.evaluation.voice.spectrogram import pooled, spectrogram_png
from audiocycle.evaluation.voice.texts import KEPT, LOST, aligned
from audiocycle.metrics.voice.recognition import word_errors


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        {"step": i, "seconds": 1.0, "cycle/A->B": 2.0 / i, "cycle/B->A": 4.0 / i, "rate/generator": 1e-4}
        for i in range(1, 6)
    ]
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, log: Path) -> str:
    return write_report(small_evaluation(), tmp_path_factory.mktemp("report"), log).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(written: str) -> Page:
    return Page(written)


def test_nothing_comes_from_elsewhere(written: str, parsed: Page) -> None:
    assert "http://" not in written
    assert "https://" not in written
    for _, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "data", "action"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    assert "url(" not in written
    assert "@import" not in written
    policy = next(x["content"] for x in parsed.of("meta") if x.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.split("script-src")[1]


def test_names_are_text_and_never_markup(written: str, parsed: Page) -> None:
    assert all("onerror" not in attributes for _, attributes in parsed.tags)
    assert len(parsed.of("script")) == 1
    assert not parsed.of("b")
    assert len([x for x in parsed.of("img") if (x["src"] or "").startswith("data:image/png")]) == len(parsed.of("img")) == 12
    assert FILES[1] in parsed.text("h4")
    assert 'A-B <tiny> & "co"' in parsed.text("h1")
    assert "<bad>.wav: holds no samples" in parsed.text("dd")


def test_every_row_and_measure_is_in_the_tables(parsed: Page) -> None:
    rows = [data for path, data in parsed.texts if path[-1:] == ("th",) and "tbody" in path]
    assert all(rows.count(row) == 3 * 5 for row in ROWS)  # total and two directions, five families
    assert "new measure" in parsed.text("thead")
    numbers = [data for path, data in parsed.texts if path[-1:] == ("td",)]
    assert numbers.count("7.25") == 3
    assert numbers.count("100") >= 3  # a share, in %
    assert "−0.0" not in numbers


def test_the_best_conversion_is_marked(parsed: Page) -> None:
    text = page(small_evaluation(), {})
    table = text.split("<caption>Envelope</caption>")[1].split("</table>")[0]
    by_row = {row: table.split(f'scope="row" class="key r{i}">')[1].split("</tr>")[0] for i, row in enumerate(ROWS)}
    cells = {row: part.split("<td>")[1:] for row, part in by_row.items()}
    assert [("✓" in cell) for cell in cells[CONVERTED]] == [True, False]  # lowest distortion, variance ratio 0.5
    assert [("✓" in cell) for cell in cells[UNCONVERTED]] == [False, True]  # 1.1 is nearest to 1
    assert "✓" not in by_row[MATCHED]


def test_players_play_what_was_measured(parsed: Page) -> None:
    players = parsed.of("audio")
    assert len(players) == 2 * len(ROWS)
    evaluation = small_evaluation()
    expected = evaluation.directions["A->B"].examples[0].samples
    sounds = []
    for player in players[: len(ROWS)]:
        kind, content = (player["src"] or "").split(";base64,")
        assert kind == "data:audio/flac"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
        assert rate == SAMPLE_RATE
        sounds.append(samples)
        assert FILES[1] in (player["aria-label"] or "")
    for row in ROWS:
        assert any(len(x) == len(expected[row]) and np.abs(x - expected[row]).max() < 2**-15 for x in sounds), row


def test_pictures_tell_what_they_show(parsed: Page) -> None:
    alts = [x["alt"] or "" for x in parsed.of("img")]
    assert all("1.0 s" in alt or "0.7 s" in alt for alt in alts)
    assert all("median 150 Hz" in alt for alt in alts)
    charts = [x for x in parsed.of("svg") if x.get("role") == "img"]
    assert any("converted 0.50" in (x["aria-label"] or "") for x in charts)  # global variance beside the target's
    assert any("cycle loss: 3 at first, 0.6 at last" in (x["aria-label"] or "") for x in charts)
    assert all(x.get("aria-label") or x.get("aria-hidden") for x in parsed.of("svg"))


def test_dots_stand_for_files(parsed: Page) -> None:
    assert len(parsed.of("circle")) == 2 * 3 * (5 + 6 + 4 + 6)  # directions, files, rows that have the four measures
    assert f"{FILES[1]}: 7.25" in parsed.text("circle")


def test_wrong_words_are_marked(parsed: Page) -> None:
    assert parsed.text("mark").split()[1:5] == ["b", "brow", "b", "b"]  # the first is the legend's; each file has three
    assert parsed.text("del").split()[1:4] == ["jumps"] * 3
    counts = [data for path, data in parsed.texts if path[-1:] == ("span",) and " of " in data]
    assert counts.count("4 of 5") == 2 * 3
    assert counts.count("0 of 5") == 2 * 3 * 3  # the three other rows that have a reference


def test_what_was_left_out_is_said(parsed: Page) -> None:
    assert "speechmos is not installed" in parsed.text("dd")
    assert "--parallel" not in parsed.text("dd")
    assert "--parallel" in Page(page(small_evaluation(examples=0, parallel=False), {})).text("dd")


def test_the_same_evaluation_gives_the_same_page(written: str, log: Path, tmp_path: Path) -> None:
    path = write_report(small_evaluation(), tmp_path / "new" / "folder", log)
    assert path == tmp_path / "new" / "folder" / "index.html"
    assert path.read_text(encoding="utf-8") == written
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]


def test_without_sounds_texts_and_curves_the_page_stands() -> None:
    bare = small_evaluation(examples=0)
    directions = {
        name: dataclasses.replace(each, texts={row: {} for row in ROWS}, said={}) for name, each in bare.directions.items()
    }
    parsed = Page(page(dataclasses.replace(bare, directions=directions, training={}, missing={}, skipped={}), {}))
    assert not parsed.of("audio")
    assert "Recognised" not in parsed.text()
    assert "Training" not in parsed.text("h2")


def test_a_folder_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(small_evaluation(examples=0), tmp_path / "file")


def test_losses_are_means_of_directions_and_the_last_word_on_a_step(tmp_path: Path) -> None:
    lines = [
        {"step": 1, "cycle/A->B": 1.0, "cycle/B->A": 3.0, "norm/critic": 9.0},
        {"step": 2, "cycle/A->B": 7.0, "cycle/B->A": 7.0},
        {"step": 2, "cycle/A->B": 1.0, "cycle/B->A": 2.0, "critic/A->B": float("nan")},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + '\n{"step": 3, "cyc')
    assert read_losses(path) == {"cycle": ([1.0, 2.0], [2.0, 1.5])}


@pytest.mark.parametrize("content", [b"\xff\xfe", b'{"steps": 3}\n{}\n', b"# notes\nmore\n", b"[]\n[]\n"])
def test_other_files_are_no_training_log(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=r"log\.jsonl: .*; name "):
        read_losses(tmp_path / "log.jsonl")


def test_a_log_that_is_not_there_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read \(No such file"):
        read_losses(tmp_path / "none.jsonl")


def test_long_curves_are_thinned_by_means() -> None:
    steps = [float(i) for i in range(1000)]
    x, y = thinned(steps, [2 * step for step in steps])
    assert len(x) == 300
    assert y == pytest.approx([2 * step for step in x])
    assert x[0] == pytest.approx(1.5)


WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@given(said=WORDS, heard=WORDS)
def test_marked_words_are_as_many_as_counted_errors(said: list[str], heard: list[str]) -> None:
    edits = aligned(said, heard)
    assert sum(kind != KEPT for kind, _ in edits) == word_errors(said, heard)
    assert [word for kind, word in edits if kind != LOST] == heard
    kept = [word for kind, word in edits if kind in (KEPT, LOST)]
    assert len(kept) <= len(said)


@given(text=st.text(), value=st.text())
def test_any_text_survives_as_text(text: str, value: str) -> None:
    parsed = HTMLParser()
    seen: list[str] = []
    parsed.handle_data = seen.append  # type: ignore[method-assign]
    parsed.feed(element("p", text, title=value))
    parsed.close()
    turns = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
    controls = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0))} - set("\n\t")
    assert "".join(seen) == "".join("\ufffd" if c in turns | controls else c for c in text)


def test_undecodable_names_and_control_characters_can_be_written() -> None:
    assert element("p", "a\udcff\x00b", title="\ud800") == '<p title="\ufffd">a\ufffd\ufffdb</p>'


def test_attributes() -> None:
    assert (
        element("td", "x", class_="a b", aria_label='"<', hidden=True, id=None, open=False)
        == '<td class="a b" aria-label="&quot;&lt;" hidden>x</td>'
    )
    assert element("line", x1=1 / 3, stroke_width=2.0) == '<line x1="0.33333" stroke-width="2"></line>'
    assert element("p", Markup("<br>"), None, "<br>") == "<p><br>&lt;br&gt;</p>"


def test_spectrogram_of_a_tone_is_bright_at_its_height() -> None:
    image_module = pytest.importorskip("PIL.Image")
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    png = spectrogram_png(np.asarray(np.sin(2 * np.pi * 2000 * time), np.float32), SAMPLE_RATE)
    pixels = np.array(image_module.open(io.BytesIO(png)).convert("L")).astype(int)
    brightest = pixels[:, pixels.shape[1] // 2].argmax()
    assert 1 - brightest / len(pixels) == pytest.approx(2000 / 8000, abs=0.02)  # the top row is the highest frequency


@pytest.mark.parametrize("shape", [(513, 801), (257, 1), (1025, 3000), (2, 5)])
def test_pooling_keeps_the_mean_level_and_the_screen(shape: tuple[int, int]) -> None:
    level = pooled(np.full(shape, -3.0))
    assert np.allclose(level, -3.0)
    assert level.shape[0] <= 258
    assert level.shape[1] <= 802


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e4), about=st.integers(3, 6))
def test_ticks_are_round_and_inside(low: float, width: float, about: int) -> None:
    found = ticks(low, low + width, about)
    assert 1 <= len(found) <= about + 1
    assert all(low - 1e-6 <= value <= low + width + 1e-6 for value in found)


def test_ticks_of_logarithmic_axes() -> None:
    assert ticks(0.0, 8.0, 4) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert decades(0.001, 1.0) == [0.001, 0.01, 0.1, 1.0]
    assert decades(0.03, 0.3) == [0.05, 0.1, 0.2]


def test_of_equal_alignments_that_with_most_words_kept_is_shown() -> None:
    said, heard = ["the", "quick", "brown", "fox", "jumps"], ["the", "quick", "b", "brow", "b", "fox"]
    kept = [word for kind, word in aligned(said, heard) if kind == KEPT]
    assert kept == ["the", "quick", "fox"]
