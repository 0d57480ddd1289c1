"""The report in a real browser, where there is one: everything can be seen, heard and reached, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from small_evaluation import small_evaluation
from small_music_evaluation import LENGTHS, small_music_evaluation

from audiocycle.evaluation.music import report as report_music
from audiocycle.evaluation.voice.measures import ROWS
from audiocycle.evaluation.voice.report import write_report

pytestmark = pytest.mark.skipif(browser.program() is None, reason="no Chromium here (apt install chromium)")

TABLE_ROWS = "[...document.querySelectorAll('#total + p + .tables table')].map(t => [...t.tBodies[0].rows].map(r => r.cells[0].textContent))"
PICTURES = "[...document.images].map(i => [i.complete, i.naturalWidth, i.clientHeight])"
DURATIONS = """(async () => {
  const found = [];
  for (const audio of document.querySelectorAll("audio")) {
    await new Promise((done) => { audio.onloadedmetadata = audio.onerror = done; audio.preload = "metadata"; audio.load(); });
    found.push(audio.duration);
  }
  return found;
})()"""
CLICK = """(async () => {
  const [first, second] = document.querySelectorAll(".sound");
  const audio = first.querySelector("audio"), other = second.querySelector("audio");
  await other.play();
  const box = first.querySelector(".picture").getBoundingClientRect();
  const playing = new Promise((done) => audio.addEventListener("play", done, { once: true }));
  first.querySelector(".picture").dispatchEvent(new MouseEvent("click", { clientX: box.left + box.width / 2 }));
  await playing;
  const result = [audio.currentTime / audio.duration, audio.paused, other.paused, first.querySelector(".head").hidden];
  audio.pause();
  return result;
})()"""


ROLLS = """[...document.querySelectorAll(".picture.roll")].map((roll) => {
  const [box, notes] = [roll, roll.querySelector(".note")].map((each) => each.getBoundingClientRect());
  return [box.width > 50, box.height > 50, notes.left >= box.left - 1, notes.right <= box.right + 1, notes.width > 10];
})"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    log = folder / "log.jsonl"
    log.write_text('{"step": 1, "cycle/A->B": 2.0}\n{"step": 2, "cycle/A->B": 1.0}\n')
    return write_report(small_evaluation(), folder, log)


@pytest.fixture(scope="module")
def shown(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    with browser.Browser(tmp_path_factory.mktemp("profile")) as page:
        page.open(report)
        yield page


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[browser.Browser, Path]]:
    path = report_music.write_report(small_music_evaluation(), tmp_path_factory.mktemp("music"))
    with browser.Browser(tmp_path_factory.mktemp("profile")) as page:
        page.open(path)
        yield page, path


def test_rolls_can_be_seen_and_heard(music: tuple[browser.Browser, Path]) -> None:
    page, _ = music
    rolls = page.ask(ROLLS)
    assert len(rolls) == 2 * 3
    assert all(all(roll) for roll in rolls)
    assert page.ask(DURATIONS) == pytest.approx(LENGTHS * 2, abs=0.01)
    assert page.ask("document.querySelectorAll('svg.chart circle.point').length") == 2 * 5
    share, paused, other_paused, head_hidden = page.ask(CLICK)
    assert share == pytest.approx(0.5, abs=0.2)
    assert (paused, other_paused, head_hidden) == (False, True, False)


def test_the_page_of_music_fits_and_fetches_nothing(music: tuple[browser.Browser, Path]) -> None:
    page, path = music
    colours = []
    page.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    for width, scheme in ((390, "light"), (1280, "dark")):
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        assert page.ask("document.documentElement.scrollWidth") <= width
        colours.append(page.ask("[...document.querySelectorAll('.picture .note')].map(note => getComputedStyle(note).fill)"))
    assert all(light != dark for light, dark in zip(*colours, strict=True))
    assert len(set(colours[0])) == 4  # kept, resized, lost, new
    for event in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
        assert page.told(event) == []
    fetched = [request["request"]["url"] for request in page.told("Network.requestWillBeSent")]
    assert {url for url in fetched if not url.startswith("data:")} == {path.as_uri()}


def test_tables_pictures_and_sounds_are_there(shown: browser.Browser) -> None:
    assert shown.ask(TABLE_ROWS) == [list(ROWS)] * 5
    pictures = shown.ask(PICTURES)
    assert len(pictures) == 12
    assert all(complete and width > 50 and height > 50 for complete, width, height in pictures)
    durations = shown.ask(DURATIONS)
    assert sorted(durations) == pytest.approx([0.7] * 4 + [1.0] * 8, abs=0.001)


def test_a_click_into_a_picture_plays_from_there_and_stops_the_others(shown: browser.Browser) -> None:
    share, paused, other_paused, head_hidden = shown.ask(CLICK)
    assert share == pytest.approx(0.5, abs=0.2)  # time has gone on
    assert (paused, other_paused, head_hidden) == (False, True, False)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(shown: browser.Browser, width: int) -> None:
    shown.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    shown.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert shown.ask("document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ(shown: browser.Browser) -> None:
    colours = []
    for scheme in ("light", "dark"):
        shown.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours.append(shown.ask("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"))
    assert colours == [["rgb(255, 255, 255)", "rgb(28, 28, 26)"], ["rgb(23, 23, 22)", "rgb(238, 238, 234)"]]


def test_everything_can_be_reached_by_keyboard(shown: browser.Browser) -> None:
    reached = shown.ask(
        "[...document.querySelectorAll('audio, summary, nav a, .scroll')].filter(e => e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))"
    )
    assert reached == []


def test_the_browser_complains_of_nothing_and_fetches_nothing(shown: browser.Browser, report: Path) -> None:
    complaints: list[Any] = [
        *shown.told("Runtime.exceptionThrown"),
        *shown.told("Runtime.consoleAPICalled"),
        *shown.told("Log.entryAdded"),
    ]
    assert complaints == []
    fetched = [request["request"]["url"] for request in shown.told("Network.requestWillBeSent")]
    assert {url for url in fetched if not url.startswith("data:")} == {report.as_uri()}
