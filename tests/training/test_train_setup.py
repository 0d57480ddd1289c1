"""How a training is put together: which settings fit, how long a crop is, which folders a mixture has."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiocycle.build import build_adapter
from audiocycle.cli.settings import compose_run
from audiocycle.data.domains import DomainData
from audiocycle.errors import ConfigError, DataError
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.spec import Domain, Encoded, FloatArray, NoSide, directions
from audiocycle.training.material import Material, build_sampler, crop_length
from audiocycle.training.run import RunConfig, train
from audiocycle.training.trainer import TrainerConfig


def run_config(mixture: tuple[str, ...] = (), objective: dict[str, Any] | None = None, **changes: Any) -> RunConfig:
    settings: dict[str, Any] = {
        "data_root": Path("music"), "domains": ("jazz", "pop"), "cache": Path("cache"), "jobs": 1, "min_minutes": 0.0,
        "run_dir": Path("run"), "name": "jazz-pop", "licence": "unknown", "resume": False, "overwrite": False,
        "adapter": {"name": "piano_roll"}, "model": {}, "trainer": TrainerConfig(crop=64, batch_size=4), "mixture": mixture,
        "objective": ObjectiveConfig.of(**(objective or {})),
    }  # fmt: skip
    return RunConfig(**(settings | changes))


@pytest.mark.parametrize(
    ("mixture", "kind"), [(("rock",), "base"), (("rock",), "partial"), ((), "full")], ids=lambda value: str(value) or "none"
)
def test_further_folders_belong_to_a_full_mixture_and_to_nothing_else(mixture: tuple[str, ...], kind: str) -> None:
    with pytest.raises(ConfigError, match=rf"objective.mixture={kind}: further folders belong to objective.mixture=full"):
        run_config(mixture, {"mixture": kind})


@pytest.mark.parametrize(("mixture", "kind"), [((), "base"), ((), "partial"), (("rock",), "full"), (("rock", "folk"), "full")])
def test_mixtures_that_fit_are_taken(mixture: tuple[str, ...], kind: str) -> None:
    assert run_config(mixture, {"mixture": kind}).mixture == mixture


@pytest.mark.parametrize("mixture", [("jazz",), ("rock", "pop"), ("rock", "rock")])
def test_a_mixture_names_each_folder_once(mixture: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="name each folder once"):
        run_config(mixture, {"mixture": "full"})


@pytest.mark.parametrize("name", ["*", "../rock", "a.b", ""])
def test_folders_of_a_mixture_have_names_as_others_do(name: str) -> None:
    with pytest.raises(ConfigError, match="may hold letters"):
        run_config((name,), {"mixture": "full"})


def test_a_mixture_is_composed_and_a_single_name_is_refused() -> None:
    needed = ["data.root=music", "data.domains=[jazz,pop]", "experiment=genre", "objective.mixture=full"]
    assert compose_run([*needed, "data.mixture=[rock,80s]"]).mixture == ("rock", "80s")
    with pytest.raises(ConfigError, match=r"data\.mixture=rock: a list is needed"):
        compose_run([*needed, "data.mixture=rock"])


@pytest.mark.parametrize(("wanted", "window", "expected"), [(0, 0, 128), (0, 64, 64), (64, 64, 64), (100, 0, 100), (0, 96, 96)])
def test_a_crop_is_as_long_as_asked_or_as_the_adapters_window(wanted: int, window: int, expected: int) -> None:
    assert crop_length(wanted, window) == expected


@pytest.mark.parametrize("wanted", [1, 63, 65, 128])
def test_a_crop_is_never_another_length_than_the_window(wanted: int) -> None:
    with pytest.raises(ConfigError, match=rf"trainer.crop={wanted}: this adapter's phrases are 64 steps long"):
        crop_length(wanted, 64)


@pytest.mark.parametrize(("wanted", "window", "pieces", "said"), [(0, 64, 2, "stay whole"), (32, 0, 33, "more than a crop of 32")])
def test_what_cannot_be_put_together_is_refused(wanted: int, window: int, pieces: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        crop_length(wanted, window, pieces)
    assert crop_length(32, 0, 32) == 32


def test_voices_have_no_content_terms(tmp_path: Path) -> None:
    for name in ("chroma", "groove", "density"):
        config = run_config(objective={name: 1.0}, adapter={"name": "world"}, run_dir=tmp_path / "run")
        with pytest.raises(ConfigError, match="only piano rolls have them"):
            train(config)
    assert not (tmp_path / "run").exists()


def phrases(number: int, pitch: int) -> DomainData:
    """One song of so many phrases, in each of which one note of this row sounds from the first step on."""
    roll = np.zeros((2, 84, 64 * number), np.uint8)
    roll[0, pitch, :] = 1
    roll[1, pitch, ::64] = 1
    return DomainData([Encoded(roll, NoSide())], [Path("song.mid")], {}, ["key"], {})


def material(config: RunConfig, data: dict[Domain, DomainData]) -> Material:
    """As a training has it, without guides."""
    known = {domain.name: domain for domain in data}
    domains, mixture = (tuple(known[name] for name in names) for names in (config.domains, config.mixture))
    return Material(domains, directions(domains), mixture, data, {})


def sampled(config: RunConfig, rows: dict[str, int], steps: int = 30) -> dict[str, FloatArray]:
    """Crops of several steps; each domain is told by its row."""
    adapter = PianoRollAdapter(transpose=2)
    sampler = build_sampler(config, adapter, material(config, {Domain(name): phrases(3, row) for name, row in rows.items()}))
    batches = [sampler.batch(step) for step in range(steps)]
    crops = {domain.name: np.concatenate([batch.items[domain] for batch in batches]) for domain in batches[0].items}
    mixed = [batch.mixed for batch in batches if batch.mixed is not None]
    return crops | ({"mixed": np.concatenate(mixed)} if mixed else {})


def rows_of(crops: FloatArray) -> set[int]:
    """Rows that sound; each crop has one, from its first step to its last."""
    assert crops.dtype == np.float32
    assert (crops[:, 1].sum(axis=(1, 2)) == 1).all()
    assert (crops[:, 1, :, 0].sum(axis=1) == 1).all()  # the phrase begins where the crop does
    assert (crops[:, 0].sum(axis=(1, 2)) == 64).all()
    return set(crops[:, 0, :, 0].argmax(axis=1).tolist())


JAZZ, POP, ROCK = range(10, 15), range(40, 45), range(70, 75)
ROWS = {"jazz": 12, "pop": 42}


@pytest.mark.parametrize(
    ("mixture", "kind", "expected"),
    [((), "base", None), ((), "partial", {*JAZZ, *POP}), (("rock",), "full", {*JAZZ, *POP, *ROCK})],
)
def test_crops_are_whole_phrases_moved_by_semitones_and_mixed_as_asked(
    mixture: tuple[str, ...], kind: str, expected: set[int] | None
) -> None:
    crops = sampled(run_config(mixture, {"mixture": kind}), ROWS | ({"rock": 72} if mixture else {}))
    assert rows_of(crops["jazz"]) == {*JAZZ}
    assert rows_of(crops["pop"]) == {*POP}
    assert (rows_of(crops["mixed"]) if expected else crops.get("mixed")) == expected


def test_pairs_are_moved_by_the_same_semitones() -> None:
    crops = sampled(run_config(objective={"paired": True}), ROWS)
    jazz, pop = (crops[name][:, 0, :, 0].argmax(axis=1) for name in ("jazz", "pop"))
    np.testing.assert_array_equal(pop - jazz, 30)
    assert set(jazz.tolist()) == {*JAZZ}
    unpaired = sampled(run_config(), ROWS)
    assert len(set((unpaired["pop"][:, 0, :, 0].argmax(axis=1) - unpaired["jazz"][:, 0, :, 0].argmax(axis=1)).tolist())) > 1


def test_a_training_whose_model_nobody_could_load_is_refused_at_once(tmp_path: Path) -> None:
    config = run_config(run_dir=tmp_path / "run", model={"generator": "gated_2d", "critic": "conv_patch", "width": 12.0})
    with pytest.raises(ConfigError, match="GB of weights, and the limit is 2; choose a smaller width"):
        train(config)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="names 33 folders, and a model has 32 at most"):
        run_config(domains=tuple(f"d{number}" for number in range(33)))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"critic": "no_such"}, "critic 'no_such' is unknown; this version knows: conv_patch, envelope_patch, gated_patch"),
        ({"critic": "conv_patch", "critic_options": {"depth": 2}}, "critic 'conv_patch' has no option depth"),
    ],
)
def test_a_critic_that_cannot_be_is_refused_before_anything_is_analysed(tmp_path: Path, model: dict[str, Any], said: str) -> None:
    config = run_config(run_dir=tmp_path / "run", data_root=tmp_path / "none", model={"generator": "gated_2d", "width": 0.1} | model)
    with pytest.raises(ConfigError, match=said):
        train(config)
    assert not (tmp_path / "run").exists()


def test_a_number_that_went_bad_is_never_trained_on() -> None:
    """One bit of memory or disk, after the corpus was compared with its digests."""
    config = run_config(adapter={"name": "world"}, domains=("low", "high"), trainer=TrainerConfig(crop=16, batch_size=4))
    adapter = build_adapter({"name": "world"})
    good, bad = np.zeros((36, 40), np.float16), np.zeros((36, 40), np.float16)
    bad[3, 12:28] = np.nan
    column = np.ones((36, 1), np.float32)
    data = {Domain(d, {"mean": column, "std": column}): DomainData([Encoded(x, NoSide())], [Path("a.wav")], {}, ["key"], {}) for d, x in (("low", good), ("high", bad))}
    sampler = build_sampler(config, adapter, material(config, data))
    with pytest.raises(DataError, match=r"cache/joined: features of high are no numbers any more .*; delete that folder"):
        deque(map(sampler.batch, range(30)), maxlen=0)
