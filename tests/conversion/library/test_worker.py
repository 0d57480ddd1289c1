"""One file in a worker: errors as records, hashes, and which converter a process keeps."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from toy_converter import ToyConverter, toy_bundle, use_toys

from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import (
    Recipe,
    Task,
    content_hash,
    convert_apart,
    convert_one,
    input_hash,
    loaded,
    model_hash,
    recipe_of,
    work,
)
from audiocycle.conversion.record import Record
from audiocycle.errors import BundleError


class Broken:
    """A converter with a bug."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def convert_file(self, *args: Any, **options: Any) -> Record:
        raise self.error


def test_a_bug_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    job, converter = Job(Path("in.wav"), Path("none/out.wav")), Broken(ValueError("two\nlines"))
    record = convert_one(converter, Task(Path(), "ben"), job)  # type: ignore[arg-type]
    assert record.error == "in.wav: unexpected ValueError: two lines; run again with `debug`, and report what it shows"
    assert capsys.readouterr().err == ""
    convert_one(converter, Task(Path(), "ben", debug=True), job)  # type: ignore[arg-type]
    assert "Traceback" in capsys.readouterr().err


def test_what_the_system_refuses_is_named() -> None:
    converter = Broken(PermissionError(13, "Permission denied", "locked/out.wav"))
    record = convert_one(converter, Task(Path(), "ben"), Job(Path("in.wav"), Path("locked/out.wav")))  # type: ignore[arg-type]
    assert record.error == "locked/out.wav: Permission denied"


def test_a_closed_pipe_is_no_bad_file() -> None:
    with pytest.raises(BrokenPipeError):
        convert_one(Broken(BrokenPipeError()), Task(Path(), "ben"), Job(Path("-"), Path("-")))  # type: ignore[arg-type]


def test_hashes_are_of_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").write_bytes(b"content")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b") == "139194ed9fcdf246"
    (tmp_path / "b").write_bytes(b"Content")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "b")
    assert content_hash(tmp_path / "a", tmp_path / "b") != content_hash(tmp_path / "b", tmp_path / "a")


def test_the_border_between_two_files_counts(tmp_path: Path) -> None:
    for name, text in (("a", "12"), ("b", "3"), ("c", "1"), ("d", "23")):
        (tmp_path / name).write_text(text)
    assert content_hash(tmp_path / "a", tmp_path / "b") != content_hash(tmp_path / "c", tmp_path / "d")


def test_what_is_no_file_has_no_hash_and_is_not_waited_for(tmp_path: Path) -> None:
    assert input_hash(Path("-")) == input_hash(tmp_path) == input_hash(tmp_path / "missing") == ""
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert input_hash(tmp_path / "pipe") == ""


def test_a_bundle_without_weights_is_named(tmp_path: Path) -> None:
    bundle = toy_bundle(tmp_path / "model")
    (bundle / "model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"model\.safetensors: cannot be read \(No such file or directory\)"):
        model_hash(bundle, "torch")


def test_an_attempt_lies_apart_and_says_from_what_it_is(tmp_path: Path) -> None:
    task = Task(toy_bundle(tmp_path / "model"), "ben", plot=True, preview=True)
    (tmp_path / "in.txt").write_text("text")
    job = Job(tmp_path / "in.txt", tmp_path / "out/in.txt")
    first, again = (convert_apart(ToyConverter(task.bundle), task, job) for _ in range(2))  # type: ignore[arg-type]
    assert first == again
    with ThreadPoolExecutor(1) as other_thread:
        other = other_thread.submit(convert_apart, ToyConverter(task.bundle), task, job).result()  # type: ignore[arg-type]
    assert other.output != first.output
    assert not job.output.exists()
    made = Path(first.output)
    assert made.parent.parent == tmp_path / "out/.unfinished"
    assert first.input_hash == content_hash(job.input)
    assert first.files == {"in.txt": content_hash(made), "in.png": content_hash(made.with_suffix(".png"))}  # toys make no sound


def test_a_failed_attempt_leaves_nothing_and_names_the_output(tmp_path: Path) -> None:
    job = Job(tmp_path / "in.txt", tmp_path / "out/in.txt")

    class Stumbles:
        modality = SimpleNamespace(preview_suffix=".prv", score_suffix=".scr")

        def convert_file(self, path: Path, output: Path, *args: Any, **options: Any) -> Record:
            output.parent.mkdir(parents=True)
            output.touch()
            output.with_suffix(".png").touch()
            raise OSError(28, "No space left on device", str(output))

    record = convert_apart(Stumbles(), Task(tmp_path, "ben", plot=True), job)  # type: ignore[arg-type]
    assert record.error == f"{job.output}: No space left on device"
    assert record.output == ""
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_process_loads_a_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)
    task = Task(toy_bundle(tmp_path / "model"), "ben")
    recipe = recipe_of(task, ToyConverter(task.bundle))  # type: ignore[arg-type]
    first = loaded(task, recipe)
    assert loaded(Task(task.bundle, "ben", overwrite=True), recipe) is first
    toy_bundle(task.bundle, "two")  # trained again, while a worker of a cluster lives on
    newer = recipe_of(task, ToyConverter(task.bundle))  # type: ignore[arg-type]
    assert newer != recipe
    assert loaded(task, newer) is not first
    assert loaded(task, newer).weights == "two"  # type: ignore[attr-defined]


def test_a_model_that_changes_during_a_run_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_toys(monkeypatch)
    task = Task(toy_bundle(tmp_path / "model"), "ben")
    job = Job(tmp_path / "in.txt", tmp_path / "out/in.txt")
    record = work(task, Recipe("0123456789abcdef", ""), job)
    assert record.status == "failed"
    assert "not the model that this run began with" in record.error
