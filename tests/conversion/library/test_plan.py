"""Which output belongs to which input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiocycle.conversion.library.plan import UNFINISHED, find_inputs, plan
from audiocycle.errors import InputError, OutputError
from audiocycle.voice.sound_file import is_recording


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files that nobody opens."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.flac", "sub/c.mp3", "sub/deep/a.WAV", "notes.txt", ".hidden.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def outputs(*inputs: str, folder: str = "out") -> dict[str, str]:
    return {str(job.input): job.output.relative_to(folder).as_posix() for job in plan(inputs, Path(folder), ".wav", is_recording)}


def test_a_folder_keeps_its_tree(tree: Path) -> None:
    assert outputs("in") == {
        "in/a.wav": "a.wav",
        "in/b.flac": "b.wav",
        "in/sub/c.mp3": "sub/c.wav",
        "in/sub/deep/a.WAV": "sub/deep/a.wav",
    }


def test_globs_and_files_go_flat(tree: Path) -> None:
    assert outputs("in/*.wav", "in/sub/c.mp3", "missing.wav") == {
        "in/a.wav": "a.wav",
        "in/sub/c.mp3": "c.wav",
        "missing.wav": "missing.wav",
    }
    assert outputs("in/**/*.mp3") == {"in/sub/c.mp3": "c.wav"}


def test_the_same_file_twice_is_one_job(tree: Path) -> None:
    assert outputs("in/a.wav", "./in/a.wav", "in/*.wav") == {"in/a.wav": "a.wav"}


def test_equal_stems_keep_their_old_ending(tree: Path) -> None:
    (tree / "in/a.flac").touch()
    made = outputs("in")
    assert made["in/a.wav"] == "a_wav.wav"
    assert made["in/a.flac"] == "a_flac.wav"


def test_equal_names_from_different_folders_are_told_apart(tree: Path) -> None:
    made = outputs("in/a.wav", "in/sub/deep/a.WAV", "in/b.flac")
    assert sorted(made.values()) == ["a_WAV.wav", "a_wav.wav", "b.wav"]
    (tree / "other").mkdir()
    (tree / "other/a.wav").touch()
    assert sorted(outputs("in/a.wav", "other/a.wav").values()) == ["a_wav.wav", "a_wav_2.wav"]


def test_a_name_that_looks_like_a_pattern_is_a_name_first(tree: Path) -> None:
    (tree / "in/x[1].wav").touch()
    assert outputs("in/x[1].wav") == {"in/x[1].wav": "x[1].wav"}


@pytest.mark.parametrize("name", ["-dash.wav", "ü ñ 日本.wav", "two  spaces.wav", "dots.in.name.wav"])
def test_odd_names_stay(tree: Path, name: str) -> None:
    (tree / "in" / name).touch()
    assert outputs(f"in/{name}") == {f"in/{name}": name}


def test_stdin_among_files_has_a_name(tree: Path) -> None:
    assert outputs("-", "in/a.wav") == {"-": "stdin.wav", "in/a.wav": "a.wav"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "no usable file in this folder"), ("*.mp3", "matches no file"), ("em*", "matches no file"), ("", "name of an input is empty")],
)
def test_inputs_that_are_nothing(tree: Path, name: str, said: str) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        find_inputs([name], is_recording)


def test_outputs_of_an_earlier_run_are_no_inputs(tree: Path) -> None:
    (tree / "in/converted").mkdir()
    (tree / "in/converted/old.wav").touch()
    assert "in/converted/old.wav" not in outputs("in", folder="in/converted")
    assert "in/converted/old.wav" in outputs("in", folder="out")
    (tree / "in/only").mkdir()
    with pytest.raises(InputError, match="no usable file"):
        plan(["in/only"], Path("in/only/converted"), ".wav", is_recording)


def test_an_output_never_replaces_an_input(tree: Path) -> None:
    for inputs, folder in ((["in"], "in"), (["in/a.wav"], "in/sub/.."), (["in/b.flac", "in/a.wav"], "in")):
        with pytest.raises(OutputError, match=r"a\.wav: is an input itself; name another folder"):
            plan(inputs, Path(folder), ".wav", is_recording)
    assert [job.output for job in plan(["in/sub/c.mp3"], Path("in/sub"), ".wav", is_recording)] == [Path("in/sub/c.wav")]


def test_the_output_folder_is_a_file(tree: Path) -> None:
    with pytest.raises(OutputError, match="is a file; several inputs need a folder"):
        plan(["in"], Path("in/notes.txt"), ".wav", is_recording)


def test_an_output_that_is_a_link_to_an_input_is_one(tree: Path) -> None:
    (tree / "out").mkdir()
    (tree / "out/a.wav").symlink_to(tree / "in/a.wav")
    (tree / "again").symlink_to(tree / "in")
    for inputs, folder in ((["in/a.wav"], "out"), (["in/a.wav"], "again"), (["out/a.wav"], "in")):
        with pytest.raises(OutputError, match=r"a\.wav: is an input itself"):
            plan(inputs, Path(folder), ".wav", is_recording)


def test_many_files_of_one_name_are_told_apart(tree: Path) -> None:
    for number in range(5):
        (tree / f"in/{number}").mkdir()
        (tree / f"in/{number}/song.wav").touch()
    made = outputs(*(f"in/{number}/song.wav" for number in range(5)))
    assert list(made.values()) == ["song_wav.wav", "song_wav_2.wav", "song_wav_3.wav", "song_wav_4.wav", "song_wav_5.wav"]


def test_what_a_killed_run_left_is_no_input(tree: Path) -> None:
    for name in ("song.wav", f"{UNFINISHED}/01234567/song.wav"):
        (tree / "in/old" / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / "in/old" / name).touch()
    assert [name for name in outputs("in") if "old" in name] == ["in/old/song.wav"]


def test_outputs_of_long_names_fit_the_file_system_and_stay_apart(tmp_path: Path) -> None:
    for ending in ("a.au", "b.au", "a.mp3", "a.wav"):
        (tmp_path / ("録" * 83 + ending)).touch()  # 249 bytes before the ending
    planned = plan([str(tmp_path)], tmp_path / "out", ".wav", is_recording)
    names = {job.output.name for job in planned}
    assert len(names) == 4
    assert all(len(os.fsencode(name)) <= 255 and name.endswith(".wav") for name in names)


def test_what_a_folder_scan_passes_over_is_told_in_one_line(tree: Path) -> None:
    for name in ("old.xyz", "old2.XYZ", "README", "sub/.DS_Store"):
        (tree / "in" / name).touch()
    (tree / "more").mkdir()
    (tree / "more/d.wav").touch()
    (tree / "in/linked").symlink_to(tree / "more")
    (tree / "in/round").symlink_to(tree / "in")
    (tree / "in/lost.wav").symlink_to(tree / "nowhere.wav")
    lines: list[str] = []
    find_inputs(["in"], is_recording, tell=lines.append)
    assert lines == ["in: passed over 2 .xyz, 2 hidden, 2 linked folders, 1 .txt, 1 broken link, 1 without ending"]


def test_where_all_is_taken_nothing_is_told(tree: Path) -> None:
    lines: list[str] = []
    find_inputs(["in/sub"], is_recording, tell=lines.append)
    find_inputs(["in/*.wav"], is_recording, tell=lines.append)
    assert lines == []
    find_inputs(["in/*"], is_recording, tell=lines.append)
    assert lines == ["in/*: passed over 1 folder; name them to have what is in them"]


def test_an_empty_handed_scan_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").touch()
    with pytest.raises(InputError, match=r"no usable file in this folder \(it holds 1 \.xyz\)"):
        find_inputs([str(tmp_path)], is_recording)
