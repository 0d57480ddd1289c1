"""The whole way with MIDI, through the command line: folders of songs, a model of each kind, a converted song."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import symusic
from tiny_bundle import Outcome, run_cli, song, tiny_song

from audiocycle.training.checkpoint import load_newest

Run = Callable[..., Outcome]
QUICK = (
    "data.min_minutes=0", "model.width=0.03", "trainer.batch_size=2", "trainer.checkpoint_every=2", "trainer.log_every=1",
    "trainer.sample_every=0", "trainer.device=cpu", "data.jobs=1",
)  # fmt: skip
GENRE = ("experiment=genre", "model.generator_options.n_blocks=1", *QUICK)
PAIRS = ("experiment=pairs", *QUICK)


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Folders jazz, pop and rock with two songs each; in jazz lies all else that a folder may hold."""
    root = tmp_path / "songs"
    for number, folder in enumerate(("jazz", "pop", "rock")):
        for name in ("one", "two"):
            tiny_song(root / folder / f"{name}.mid", bars=8, seed=10 * number + len(name) + ord(name[0]), programs=(number, 32 + number, 72))
    shutil.copy(root / "jazz" / "two.mid", root / "jazz" / "two_copy.mid")
    (root / "jazz" / "broken.mid").write_bytes(b"MThd")
    (root / "jazz" / "notes.txt").write_text("ignored")
    waltz = song(8)
    waltz.time_signatures[0].numerator = 3
    waltz.dump_midi(root / "jazz" / "waltz.mid")
    tiny_song(root / "jazz" / "short.mid", bars=3)
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *words: run_cli(capsys, *words)


@pytest.fixture
def train(run: Run, songs: Path, tmp_path: Path) -> Run:
    """``train(GENRE, "folder", ...)`` on jazz and pop."""

    def made(kind: tuple[str, ...], folder: str, *more: str) -> Outcome:
        places = (f"data.root={songs}", f"run_dir={tmp_path / folder}", f"data.cache={tmp_path / 'cache'}")
        return run("train", *kind, "data.domains=[jazz,pop]", *places, *more)

    return made


def kinds(run_dir: Path) -> list[set[str]]:
    """The terms of each logged step."""
    lines = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    return [{name.split("/")[0] for name in line} - {"step", "seconds", "norm", "rate"} for line in lines]


def critics(run_dir: Path) -> dict[str, Any]:
    """Shapes of the critics' first layers, by critic and domain."""
    state = load_newest(run_dir / "checkpoints")
    assert state is not None
    return {name.split(".body.0")[0]: tuple(x.shape) for name, x in state.critics.items() if ".body.0." in name}


def bundle_of(run_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run_dir / "bundle" / "config.json").read_text())
    return found


def converts(run: Run, songs: Path, run_dir: Path) -> symusic.core.ScoreTick:
    """A song of jazz as this run's model plays it."""
    output = run_dir / "out.mid"
    done = run("convert", songs / "jazz" / "one.mid", "--target", "pop", "--model", run_dir / "bundle", "-o", output, "--threshold", 0.6)
    assert done.code == 0, done
    return symusic.Score(output)


def test_train_resume_and_convert(train: Run, run: Run, songs: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    first = train(GENRE, "run", "max_steps=2", "trainer.sample_every=2")
    assert first.code == 0, first
    heard = "\n".join(first.err)
    assert "jazz: 2 files, 0.5 minutes, 4 skipped" in heard  # of 8 bars each
    assert "pop: 2 files" in heard
    for part in ("two_copy.mid: has the same content as", "broken.mid", "waltz.mid: no whole 4-bar phrase in 4/4", "short.mid: no whole"):
        assert part in heard
    samples = run_dir / "samples" / "step-00000002"
    assert {path.name for path in samples.iterdir()} == {
        "jazz.mid", "pop.mid", "jazz-to-pop.mid", "pop-to-jazz.mid", "jazz-to-pop.png", "pop-to-jazz.png",
    }  # fmt: skip
    config = bundle_of(run_dir)
    assert (config["modality"], config["domains"], config["adapter"]["name"]) == ("music", ["jazz", "pop"], "piano_roll")
    assert config["stats"]["pop"]["programs"] == [33, 1, 72]  # bass, chords, melody
    assert critics(run_dir) == {f"critic.critics.{domain}": (8, 2, 4, 4) for domain in ("jazz", "pop")}
    assert kinds(run_dir) == [{"adversarial", "cycle", "critic"}] * 2

    assert "resume=true" in train(GENRE, "run", "max_steps=2").error
    assert train(GENRE, "run", "max_steps=4", "resume=true").code == 0
    assert len(kinds(run_dir)) == 4
    before, after = symusic.Score(songs / "jazz" / "one.mid"), converts(run, songs, run_dir)
    assert [track.name for track in after.tracks] == [track.name for track in before.tracks]
    assert list(after.tracks[3].notes) == list(before.tracks[3].notes)  # drums
    assert list(after.tracks[0].notes) != list(before.tracks[0].notes)


def test_a_resumed_run_equals_an_uninterrupted_one(train: Run, tmp_path: Path) -> None:
    more = ("objective.mixture=partial", "objective.mixed_to_generator=true")
    assert train(GENRE, "whole", "max_steps=4", *more).code == 0
    assert train(GENRE, "parts", "max_steps=2", *more).code == 0
    assert train(GENRE, "parts", "max_steps=4", "resume=true", *more).code == 0
    whole, parts = ((tmp_path / name / "bundle" / "model.safetensors").read_bytes() for name in ("whole", "parts"))
    assert whole == parts
    other = train(GENRE, "parts", "max_steps=5", "resume=true")
    assert other.code == 1
    assert other.err[-1].endswith("has another objective; resume with the same, or set another run_dir")


def test_a_full_mixture_is_seen_by_critics_of_its_own_and_is_no_domain(train: Run, run: Run, songs: Path, tmp_path: Path) -> None:
    mixed = ("objective.mixture=full", "data.mixture=[rock]", "objective.mixed_to_generator=true", "objective.chroma=1", "objective.groove=1")
    done = train(GENRE, "run", "max_steps=2", *mixed)
    assert done.code == 0, done
    assert any(line.startswith("rock: 2 files") for line in done.err)
    run_dir = tmp_path / "run"
    assert kinds(run_dir) == [{"adversarial", "cycle", "critic", "mixed", "mixed_critic", "chroma", "groove"}] * 2
    names = {f"{kind}.critics.{domain}" for kind in ("critic", "mixed_critic") for domain in ("jazz", "pop")}
    assert critics(run_dir).keys() == names
    assert bundle_of(run_dir)["domains"] == ["jazz", "pop"]
    assert bundle_of(run_dir)["stats"].keys() == {"jazz", "pop"}
    converts(run, songs, run_dir)
    again = train(GENRE, "run", "max_steps=3", "resume=true")
    assert again.code == 1
    assert again.err[-1].endswith("has another data; resume with the same, or set another run_dir")


def test_pairs_are_trained_on_what_has_the_same_name(train: Run, run: Run, songs: Path, tmp_path: Path) -> None:
    (songs / "pop" / "two.mid").rename(songs / "pop" / "three.mid")
    done = train(PAIRS, "run", "max_steps=2")
    assert done.code == 0, done
    heard = "\n".join(done.err)
    assert "jazz: 1 files" in heard
    assert "pop: 1 files" in heard
    assert "three.mid: has no counterpart" in heard
    run_dir = tmp_path / "run"
    assert kinds(run_dir) == [{"adversarial", "reconstruction", "critic"}] * 2
    assert critics(run_dir) == {f"critic.critics.{domain}": (8, 4, 4, 4) for domain in ("jazz", "pop")}
    assert train(PAIRS, "run", "max_steps=3", "resume=true").code == 0
    converts(run, songs, run_dir)


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        (GENRE, ("trainer.crop=128",), "trainer.crop=128: this adapter's phrases are 64 steps long"),
        (GENRE, ("data.mixture=[rock]",), "further folders belong to objective.mixture=full"),
        (GENRE, ("objective.mixture=full", "data.mixture=[folk]"), "data.root has: jazz, pop, rock"),
        (GENRE, ("data.min_minutes=5",), "32 s of usable material"),
        (GENRE, ("adapter.grid=swing",), "adapter.grid=swing: choose one of straight, triplet"),
        (PAIRS, ("data.domains=[jazz,folk]",), "no pairs"),
        (PAIRS, ("objective.mixture=partial",), "not with objective.paired=true"),
    ],
)
def test_bad_settings_are_one_line(train: Run, songs: Path, kind: tuple[str, ...], more: tuple[str, ...], said: str) -> None:
    if "data.domains=[jazz,folk]" in more:
        tiny_song(songs / "folk" / "other.mid")
    done = train(kind, "run", "max_steps=1", *more)
    assert done.code == 1
    assert done.err[-1].startswith("error: ")
    assert said in done.err[-1]
