"""Guided training: guides made once, drawn with their crops, and heard by the generators."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from linear_networks import Parts, objective
from two_genres import write_genres
from ways import way

from audiocycle.bundles.format import read_config
from audiocycle.cli.settings import compose_run
from audiocycle.data.domains import DomainData
from audiocycle.data.guides import load_guides
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import ConfigError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.losses import SURE, distance
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, NoSide, Signal, Values
from audiocycle.training.run import train
from audiocycle.voice import guide, spoken_guides

A, B, LOW, HIGH = map(Domain, ("a", "b", "low", "high"))


class ToyEncoder:
    """Short-time levels in place of a recogniser's states."""

    made = 0

    def __init__(self, model: str | None = None) -> None:
        self.key = model or "toy"

    def encode(self, signal: Signal) -> Encoded[NoSide]:
        type(self).made += 1
        frames = signal.samples[: len(signal.samples) // 320 * 320].reshape(-1, 320)
        return Encoded(np.abs(np.fft.rfft(frames, 14)).T.astype(np.float32), NoSide())


def settings(root: Path, *more: str) -> list[str]:
    return [
        f"data.root={root}", "data.domains=[low,high]", f"run_dir={root.parent / 'run'}", f"data.cache={root.parent / 'cache'}",
        "model.width=0.05", "trainer.crop=32", "trainer.batch_size=2", "data.min_minutes=0.01", "trainer.sample_every=0",
        "trainer.log_every=1", "trainer.precision=fp32", "objective.guide=3", "max_steps=2", *more,
    ]  # fmt: skip


@pytest.fixture
def recordings(tmp_path: Path, synthetic_voice: Callable[..., FloatArray], monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "recordings"
    for name, f0 in (("low", 110.0), ("high", 220.0)):
        (root / name).mkdir(parents=True)
        soundfile.write(root / name / "0.wav", synthetic_voice(2.0, f0), 16000)
    monkeypatch.setattr(spoken_guides, "PhoneticEncoder", ToyEncoder)
    monkeypatch.setattr(guide, "STEPS", 3)
    monkeypatch.setattr(ToyEncoder, "made", 0)
    return root


def test_a_guided_training_learns_from_guides_that_are_made_once(recordings: Path) -> None:
    bundle = train(compose_run(settings(recordings)))
    logged = [json.loads(line) for line in (bundle.parent / "log.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line[f"guide/{name}"]) for line in logged for name in ("low->high", "high->low"))
    assert ToyEncoder.made == 2
    made = sorted((recordings.parent / "cache" / "guides").iterdir())
    assert len(made) == 2
    dates = [path.stat().st_mtime_ns for path in made]
    train(compose_run(settings(recordings, "overwrite=true")))
    assert ToyEncoder.made == 2
    assert [path.stat().st_mtime_ns for path in made] == dates
    made[0].write_bytes(b"cut off")
    train(compose_run(settings(recordings, "overwrite=true")))
    assert len(np.load(made[0]).files) == 1, "damaged: made again"


def test_the_preset_trains(recordings: Path) -> None:
    bundle = train(compose_run([*settings(recordings), "experiment=vc2_guided"]))
    assert read_config(bundle).training["guided by"] == "Whisper tiny.en"
    logged = json.loads((bundle.parent / "log.jsonl").read_text().splitlines()[0])
    assert {name.split("/")[0] for name in logged} >= {"guide", "adversarial", "critic"}
    assert not any(name.startswith(("cycle/", "cycle_critic/")) for name in logged)


def test_one_way_makes_the_guide_of_that_way(recordings: Path) -> None:
    train(compose_run([*settings(recordings), "experiment=vc2_guided", "objective.one_way=true"]))
    assert len(list((recordings.parent / "cache" / "guides").iterdir())) == 1


def test_other_settings_make_other_guides(recordings: Path) -> None:
    train(compose_run(settings(recordings)))
    train(compose_run(settings(recordings, "overwrite=true", "guide.recognizer=another")))
    assert ToyEncoder.made == 4, "another recogniser hears something else"
    assert len(list((recordings.parent / "cache" / "guides").iterdir())) == 4


def test_without_a_guide_no_recogniser_is_asked_for(recordings: Path) -> None:
    train(compose_run(settings(recordings, "objective.guide=0")))
    assert ToyEncoder.made == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["adapter=mel"], "only voices with the WORLD adapter"),
        (["guide.neighbours=0"], r"guide\.neighbours=0"),
        (["guide.neighbours=few"], r"guide\.neighbours=few"),
        (["objective.paired=true"], r"objective\.guide=3: not with objective\.paired"),
    ],
)
def test_what_cannot_be_guided_is_refused(recordings: Path, words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        train(compose_run(settings(recordings, *words)))


def test_a_missing_recogniser_is_told_before_anything_is_analysed(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ConfigError, match=r"pip install 'audiocycle\[guided\]'"):
        train(compose_run(settings(recordings)))
    assert not (recordings.parent / "cache").exists()


def test_guides_are_cut_where_the_crops_are() -> None:
    items = {d: [np.arange(40, dtype=np.float16)[None] + first, np.arange(25, dtype=np.float16)[None] + first + 500] for d, first in ((A, 0), (B, 1000))}
    guides = {Direction(A, B): [x * 2 for x in items[A]], Direction(B, A): [x + 7 for x in items[B]]}
    batch = CropSampler(items, 8, 5, seed=3, guides=guides).batch(11)
    np.testing.assert_array_equal(batch.guides[Direction(A, B)], batch.items[A].astype(np.float32) * 2)
    np.testing.assert_array_equal(batch.guides[Direction(B, A)], batch.items[B].astype(np.float32) + 7)
    assert batch.guides[Direction(A, B)].dtype == np.float32
    without = CropSampler(items, 8, 5, seed=3).batch(11)
    np.testing.assert_array_equal(without.items[B], batch.items[B])


def test_guides_are_moved_as_their_crops_are() -> None:
    """A guide that stays where the tune was would teach wrong notes."""
    rolls = np.random.default_rng(0).integers(0, 2, (2, 84, 64 * 5), dtype=np.uint8)
    adapter = PianoRollAdapter(transpose=6)
    sampler = CropSampler({A: [rolls]}, 64, 12, seed=1, hop=64, augment=adapter.augment, guides={Direction(A, B): [rolls.astype(np.float16) / 2]})
    for step in range(3):
        batch = sampler.batch(step)
        np.testing.assert_array_equal(batch.guides[Direction(A, B)], batch.items[A].astype(np.float32) / 2)
    assert any(not batch.items[A][i, :, 0].any() for i in range(12)), "none was moved up"


def test_scores_are_guided_without_a_recogniser(tmp_path: Path) -> None:
    root = write_genres(tmp_path)
    words = [
        "experiment=genre_guided", f"data.root={root / 'train'}", "data.domains=[slow,fast]", f"run_dir={tmp_path / 'run'}", f"data.cache={tmp_path / 'cache'}",
        "model.width=0.05", "model.critic_options.width=0.1", "trainer.batch_size=2", "data.min_minutes=0", "trainer.sample_every=0", "trainer.log_every=1",
        "max_steps=2", "trainer.precision=fp32",
    ]  # fmt: skip
    bundle = train(compose_run(words))
    assert read_config(bundle).training["guided by"] == "nearest bars"
    logged = [json.loads(line) for line in (bundle.parent / "log.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line[f"guide/{name}"]) for line in logged for name in ("slow->fast", "fast->slow"))
    with pytest.raises(ConfigError, match="piano rolls without velocity"):
        train(compose_run([*words, "overwrite=true", "adapter.velocity=true"]))
    with pytest.raises(ConfigError, match="need outlet=sigmoid"):
        train(compose_run([*words, "overwrite=true", "+model.generator_options.outlet=binary"]))


def test_of_rolls_the_guide_is_a_cross_entropy() -> None:
    fake, guide = torch.tensor([0.9, 0.2, 1.0, 0.0]).reshape(1, 1, 2, 2), torch.tensor([1.0, 0.5, 1.0, 1.0]).reshape(1, 1, 2, 2)
    by_hand = -(np.log(0.9) + 0.5 * np.log(0.2) + 0.5 * np.log(0.8) + np.log(1 - SURE) + np.log(SURE)) / 4
    assert distance(fake, guide, Values.PROBABILITIES).item() == pytest.approx(by_hand, rel=1e-3)
    fake.requires_grad_()
    distance(fake, guide, Values.PROBABILITIES).backward()
    assert fake.grad is not None
    assert fake.grad[0, 0, 1, 1] < 0, "a sigmoid that was rounded to 0 can rise"


def test_the_guide_is_a_distance_of_the_fake_to_it() -> None:
    parts = Parts(("a", "b"))
    config = ObjectiveConfig.of(guide=4.0, cycle=0.0, cycle_adversarial=0.0, identity=0.0)
    parts.batch = replace(parts.batch, guides={way(s, t): parts.batch.items[Domain(s)] + 1.5 for s, t in parts.pairs})
    terms, _ = parts.generator_terms(config)
    weighted = 0.0
    for s, t in parts.pairs:
        x = parts.items(s)
        expected = np.abs(parts.translate(x, s, t) - (x + 1.5)).mean()
        assert terms[f"guide/{s}->{t}"].item() == pytest.approx(expected, rel=1e-5)
        weighted += 4.0 * expected + terms[f"adversarial/{s}->{t}"].item()
    assert objective(("a", "b"), config).total(terms).item() == pytest.approx(weighted, rel=1e-4)


ODD_GUIDES: dict[str, dict[str, Any]] = {
    "none": {}, "text": {"0": np.array("a"), "1": np.zeros((8, 3), np.float16)}, "fewer": {"0": np.zeros((8, 4), np.float16)},
    "more": {str(place): np.zeros((8, 4 - place % 2), np.float16) for place in range(3)}, "longer": {str(place): np.zeros((8, 4), np.float16) for place in range(2)},
    "doubles": {"0": np.zeros((8, 4)), "1": np.zeros((8, 3))}, "a NaN": {"0": np.full((8, 4), np.nan, np.float16), "1": np.zeros((8, 3), np.float16)},
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD_GUIDES)
def test_guides_that_were_not_made_of_these_items_are_made_again(tmp_path: Path, odd: str) -> None:
    made: list[str] = []

    class Maker:
        recipe = by = "test"

        def study(self, domain: Domain, *_: Any) -> Domain:
            return domain

        def guides(self, source: Domain, target: Domain) -> Any:
            made.append(f"{source}->{target}")
            return iter([np.ones((8, 4)), np.ones((8, 3))])

    items = [Encoded(np.zeros((8, 4), np.float16), NoSide()), Encoded(np.zeros((8, 3), np.float16), NoSide())]
    data = {domain: DomainData(items, [Path("a"), Path("b")], {}, [f"{domain} 1", f"{domain} 2"], {}) for domain in (LOW, HIGH)}

    def load() -> Any:
        return load_guides(Maker(), data, [Direction(LOW, HIGH)], tmp_path, lambda what: lambda done, total: None)

    load()
    (stored,) = (tmp_path / "guides").iterdir()
    np.savez(stored, **ODD_GUIDES[odd])
    for _ in range(2):
        assert [guide.tolist() for guide in load()[Direction(LOW, HIGH)]] == [np.ones((8, 4)).tolist(), np.ones((8, 3)).tolist()]
    assert made == ["low->high"] * 2
