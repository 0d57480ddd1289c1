"""The command line among strangers' bundles: one bad one disables no other, and no name does anything to a terminal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tiny_bundle import Outcome, run_cli, tiny_bundle, vowel

from audiocycle.bundles import library
from audiocycle.bundles.format import CARD, CONFIG, WEIGHTS
from audiocycle.bundles.library import Refused, installed_models, locate, passed_over
from audiocycle.errors import BundleError, OutputError
from audiocycle.evaluation.card import write_card
from audiocycle.evaluation.page.markup import element

Run = Callable[..., Outcome]
ESC = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def models(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """./models with one good bundle in it; no others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(tmp_path / "users"))
    monkeypatch.setattr(library, "__file__", str(tmp_path / "package/bundles/library.py"))
    shutil.copytree(made, tmp_path / "models" / "tiny")
    soundfile.write("in.wav", vowel(0.5), 16000)
    return tmp_path / "models"


@pytest.fixture
def cli(models: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *arguments: run_cli(capsys, *arguments)


def deep(bundle: Path) -> None:
    (bundle / CONFIG).write_text('{"a": ' * 3000 + "1" + "}" * 3000)


def surrogate(bundle: Path) -> None:
    raw = json.loads((bundle / CONFIG).read_text())
    (bundle / CONFIG).write_text(json.dumps(raw | {"name": "a\ud800"}))


def pipe(bundle: Path) -> None:
    (bundle / CONFIG).unlink()
    os.mkfifo(bundle / CONFIG)


def loop(bundle: Path) -> None:
    (bundle / CONFIG).unlink()
    (bundle / CONFIG).symlink_to(CONFIG)


def binary(bundle: Path) -> None:
    (bundle / CONFIG).write_bytes(os.urandom(2000))


BAD = [deep, surrogate, pipe, loop, binary]


def spoil(models: Path, name: str, how: Callable[[Path], None]) -> Path:
    shutil.copytree(models / "tiny", models / name)
    how(models / name)
    return models / name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("how", BAD, ids=lambda how: how.__name__)
def test_one_bad_bundle_disables_no_other(models: Path, cli: Run, how: Callable[[Path], None]) -> None:
    bad = spoil(models, "a-bad-one", how)
    listed = cli("models")
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == ["tiny"]
    assert len(listed.err) == 1
    assert listed.err[0].startswith("passed over: models/a-bad-one/config.json: ")
    assert len(json.loads(cli("models", "--json").out)) == 1
    assert cli("convert", "in.wav", "--target", "ben", "--model", "tiny").code == 0
    found = cli("convert", "in.wav", "--target", "ben", "-o", "out.wav")
    assert found.code == 0
    assert found.err[0].startswith("passed over: models/a-bad-one/config.json: ")
    for command in (("info", "a-bad-one"), ("convert", "in.wav", "--target", "ben", "--model", "a-bad-one")):
        assert f"{bad.name}/{CONFIG}: " in cli(*command).error


def test_an_installed_model_with_anothers_weights_stops_nobody(models: Path, cli: Run) -> None:
    other = tiny_bundle(models.parent / "other", ("anna", "cleo"))
    bad = spoil(models, "a-bad-one", lambda bundle: shutil.copy(other / WEIGHTS, bundle / WEIGHTS))
    said = f"models/{bad.name}/{WEIGHTS}: weights do not fit {CONFIG} (missing: generators.anna->ben); copy the bundle again"
    found = cli("convert", "in.wav", "--target", "ben", "-o", "out.wav")
    assert found.code == 0
    assert found.err[0] == f"passed over: {said}"
    assert said in cli("convert", "in.wav", "--target", "ben", "-m", bad, "-o", "out2.wav").error


HOMELESS = [
    ("convert", "in.wav", "-t", "ben", "-m", "~nobodyx/anna"), ("convert", "~nobodyx/in.wav", "-t", "ben", "-m", "tiny"),
    ("convert", "in.wav", "~nobodyx/in.wav", "-t", "ben", "-m", "tiny", "-o", "out"), ("info", "~nobodyx/anna"),
    ("train", "data.root=~nobodyx/data", "data.domains=[a,b]"), ("train", "run_dir=~nobodyx/run", "data.root=.", "data.domains=[a,b]"),
]  # fmt: skip


@pytest.mark.parametrize("words", HOMELESS, ids=lambda words: " ".join(words)[:30])
def test_the_home_of_nobody_is_told(cli: Run, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert done.code == 1
    assert "~nobodyx" in done.error
    assert "the home folder that ~ stands for is not known" in done.error


def test_what_may_not_be_read_is_passed_over_and_said(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.lstat

    def refuse(path: Path) -> os.stat_result:
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    shutil.copytree(models / "tiny", models / "locked")
    monkeypatch.setattr(Path, "lstat", refuse)
    refused: Refused = {}
    assert [model.path.name for model in installed_models(refused)] == ["tiny"]
    assert list(passed_over(refused)) == ["passed over: models/locked: cannot be read (Permission denied)"]
    with pytest.raises(BundleError, match="locked: cannot be read"):
        locate("locked")


def test_a_model_folder_that_may_not_be_read_is_said(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    refused: Refused = {}
    assert not list(installed_models(refused))
    assert list(passed_over(refused)) == ["passed over: models: cannot be read (Permission denied)"]


def test_many_bad_bundles_are_a_few_lines(models: Path, cli: Run) -> None:
    for number in range(9):
        spoil(models, f"bad{number}", deep)
    listed = cli("models")
    assert len(listed.err) == 6
    assert listed.err[-1] == "passed over: 4 more that cannot be read"


def test_names_and_notes_do_nothing_to_a_terminal(models: Path, cli: Run) -> None:
    raw = json.loads((models / "tiny" / CONFIG).read_text())
    changes = {"name": ESC + "x", "licence": ESC, "training": {ESC: [ESC, "\u202e"], "notes": "a\nb"}, "audiocycle": ESC}
    (models / "tiny" / CONFIG).write_text(json.dumps(raw | changes))
    outcomes = [cli("models"), cli("info", "models/tiny"), cli("convert", "in.wav", "--target", "ben"), cli("convert", "in.wav", "--target", "zoe")]
    outcomes += [cli("convert", "in.wav", "--target", "zoe", "--model", "models/tiny"), cli("stream", "--target", "zoe", "--model", "models/tiny", "-i", "in.wav", "-o", "o.wav")]
    for found in outcomes:
        assert found.out or found.err
        assert all(line.isprintable() for line in [*found.out.splitlines(), *found.err])
    assert "\\x1b]0;owned\\x07" in outcomes[0].out
    assert "notes: a\\nb" in outcomes[1].out


def test_files_called_like_commands_do_nothing_to_a_terminal(models: Path, cli: Run) -> None:
    Path("in").mkdir()
    (Path("in") / f"{ESC.replace('/', '')}\n\u202e.wav").write_bytes(b"no sound")
    found = cli("convert", "in", "--target", "ben", "-o", f"out{ESC}")
    assert found.code == 1
    assert any("\\x1b]0;owned\\x07" in line for line in found.err)
    assert all(line.isprintable() for line in found.err)


@pytest.mark.parametrize("name", ["/elsewhere/a", "../../elsewhere", "..", "a/b"])
def test_export_writes_nowhere_but_into_the_bundle(models: Path, cli: Run, tmp_path: Path, name: str) -> None:
    place = name.replace("/elsewhere", str(tmp_path / "elsewhere")) if name.startswith("/") else name
    raw = json.loads((models / "tiny" / CONFIG).read_text())
    raw["domains"] = ["anna", place]
    raw["stats"][place] = raw["stats"].pop("ben")
    (models / "tiny" / CONFIG).write_text(json.dumps(raw))
    before = sorted(path for path in tmp_path.rglob("*"))
    assert "may hold letters" in cli("export", "models/tiny").error
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("block", ["0", "nan", "inf", "-1", "1e300"])
def test_blocks_of_no_length_are_refused(cli: Run, block: str) -> None:
    found = cli("stream", "--target", "ben", "--model", "tiny", "--input", "in.wav", "-o", "out.wav", "--block", block)
    assert "between 20 and 180 ms" in found.error
    assert not Path("out.wav").exists()


def test_a_model_card_that_is_a_link_is_not_copied(models: Path, tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("secret")
    (models / "tiny" / CARD).unlink()
    (models / "tiny" / CARD).symlink_to(tmp_path / "private.txt")
    with pytest.raises(OutputError, match="is a link"):
        write_card(models / "tiny", "results")
    assert (tmp_path / "private.txt").read_text() == "secret"


def test_no_name_turns_the_writing_of_a_page() -> None:
    assert element("p", "a\u202eb\x1b[31m\x9bc") == "<p>a\ufffdb\ufffd[31m\ufffdc</p>"
    assert element("p", "نام \u200f‌ها さくら") == "<p>نام \u200f‌ها さくら</p>"


STREAM = "from audiocycle.cli.main import main; main()"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal on this system")
@pytest.mark.parametrize("ignored", [False, True], ids=["a closed terminal", "nohup"])
def test_a_stream_whose_terminal_is_closed_keeps_what_it_heard(models: Path, ignored: bool) -> None:
    arguments = ["stream", "--target", "ben", "--model", str(models / "tiny"), "-o", "out.wav"]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)  # children inherit that
    try:
        process = subprocess.Popen([sys.executable, "-c", STREAM, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdin is not None
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"latency")
    process.stdin.write(bytes(2 * 16000))
    process.stdin.flush()
    while not any(size_of(path) > 10_000 for path in Path().glob(".out.*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGHUP)
    if ignored:
        process.stdin.write(bytes(2 * 1600))
        process.stdin.close()
    assert process.wait() == 0
    process.stderr.close()
    if not ignored:
        process.stdin.close()
    frames = soundfile.info("out.wav").frames
    assert frames == 17600 if ignored else 5000 < frames <= 16000  # what it had taken from the pipe
    assert not list(Path().glob(".out.*"))


def size_of(path: Path) -> int:
    """0 for what is gone by now: the permissions of new files are asked of one that is made for that."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def impossible(bundle: Path) -> None:
    raw = json.loads((bundle / CONFIG).read_text())
    (bundle / CONFIG).write_text(json.dumps(raw | {"adapter": {"name": "world", "n_mcep": 600}}))


def test_a_model_that_cannot_be_used_is_not_chosen(models: Path, cli: Run) -> None:
    spoil(models, "a-bad-one", impossible)
    found = cli("convert", "in.wav", "--target", "ben", "-o", "out.wav")
    assert found.code == 0
    assert found.err[0] == "passed over: models/a-bad-one/config.json: adapter.n_mcep=600: choose a whole number from 2 to 128"
    assert found.err[1].startswith("model: tiny (models/tiny)")
    impossible(models / "tiny")
    none = cli("convert", "in.wav", "--target", "ben", "-o", "out2.wav")
    assert none.code == 1
    assert none.err[-1] == "error: models/tiny/config.json: adapter.n_mcep=600: choose a whole number from 2 to 128"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_weights_that_are_a_pipe_are_not_waited_for(models: Path, cli: Run) -> None:
    (models / "tiny" / WEIGHTS).unlink()
    os.mkfifo(models / "tiny" / WEIGHTS)
    for command in (("info", "tiny"), ("convert", "in.wav", "--target", "ben", "--model", "tiny"), ("export", "tiny")):
        assert "model.safetensors: is no regular file" in cli(*command).error


def test_any_command_hears_that_its_terminal_was_closed(models: Path, cli: Run) -> None:
    seen: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "signal", lambda number, handler: seen.append(number))
        cli("models")
    assert signal.SIGTERM in seen
    assert not hasattr(signal, "SIGHUP") or signal.SIGHUP in seen
