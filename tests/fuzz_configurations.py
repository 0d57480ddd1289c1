"""Trainings with mutated settings: each ends in a training, or in an error of one line.

    python tests/fuzz_configurations.py 500     (numbers 0 to 499; FROM and TO for others)
"""

from __future__ import annotations

import contextlib
import io
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import soundfile
import torch
from fuzzing import Case, main
from omegaconf import OmegaConf
from small_training import vowel
from two_genres import write_genres

from audiocycle.cli.settings import compose_raw, compose_run
from audiocycle.training.run import train
from audiocycle.training.trainer import Trainer
from audiocycle.voice import guide

ODD = [
    "null", "''", "' '", "true", "false", "-1", "0", "1", "2", "3", "-0.5", "0.5", "1.0", "1.5", "nan", "-nan", "inf", "-inf", "1e-300", "1e-30",
    "1e30", "1e308", "-1e308", "1000000", "1000000007", "2147483648", "18446744073709551616", "9" * 30, "9" * 400, "-" + "9" * 400, "[]", "{}", "[1]",
    "[a,b]", "[[[]]]", "[null]", "{a:1}", "{a:{b:{c:1}}}", "text", "yes", "1_000", "0x10", "é", "さくら", "'a/b'", "'../../etc'", "'a\\tb'", "'a\\x1bb'",
    "x" * 300, "'" + "y " * 200 + "'", "[" + "1," * 200 + "1]", "${seed}", "${nope}", "${run_dir}", "${oc.env:NOPE}", "${trainer}", "???", "'???'",
    "'NaN'", "'1'", "~", "auto", "cpu", "cuda", "meta", "mps", "base", "dio",
]  # fmt: skip
LIKE = {
    int: ["-1", "0", "1", "2", "3", "7", "100", "1000000", "1000000007", "2147483648", "18446744073709551616", "-2147483649", "9" * 30, "9" * 400],
    float: ["nan", "-nan", "inf", "-inf", "-1.0", "0", "0.0", "1e-300", "1e-30", "1e30", "1e308", "-0.0", "1.5", "1000", "0.999999", "9" * 400],
    bool: ["true", "false", "1", "0", "null"],
    str: ["''", "'a/b'", "x", "é", "'\x1b]0;a\x07'", "auto", "base", "full", "partial", "fp32", "cuda:7", "triplet", "harvest", "'" + "x" * 300 + "'"],
}
"""Values of the type that a setting has."""
GROUPS = ["adapter", "model", "objective", "trainer", "guide", "data", "model.generator_options", "model.critic_options", "experiment", "hydra"]


@cache
def here() -> Path:
    """Recordings and songs, made once in a process."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-configurations-"))
    for name, f0 in (("low", 110.0), ("high", 220.0)):
        (root / "voices" / name).mkdir(parents=True)
        soundfile.write(root / "voices" / name / "0.wav", vowel(2.0, f0, seed=1), 16000)
    write_genres(root / "songs")
    return root


def bases() -> list[list[str]]:
    """Trainings that end after two steps."""
    common = ["data.min_minutes=0.01", "trainer.batch_size=2", "trainer.sample_every=0", "trainer.checkpoint_every=1", "trainer.log_every=1"]
    voices = [f"data.root={here() / 'voices'}", "data.domains=[low,high]", "trainer.crop=64", "model.width=0.03", *common]
    songs = [f"data.root={here() / 'songs' / 'train'}", f"data.domains={list(map(str, genres()))}".replace("'", ""), "model.width=0.03", *common]
    return [
        ["experiment=vc2_quick", *voices], ["experiment=vc2_lite", *voices, "trainer.pool_size=2"], ["experiment=vc2_quick", "adapter=mel", *voices],
        ["experiment=genre_quick", *songs], ["experiment=genre", *songs, "objective.mixture=partial"],
    ]  # fmt: skip


def genres() -> list[str]:
    """Folders of songs."""
    return sorted(path.name for path in (here() / "songs" / "train").iterdir())


@cache
def keys(base: int) -> dict[str, object]:
    """All settings of a base, and what they are."""

    def leaves(node: object, name: str) -> dict[str, object]:
        if not isinstance(node, dict) or not node:
            return {name: node}
        return {leaf: x for key, value in node.items() for leaf, x in leaves(value, f"{name}.{key}".lstrip(".")).items()}

    raw = OmegaConf.to_container(compose_raw(bases()[base]), resolve=False)
    assert isinstance(raw, dict)
    raw.pop("hydra", None)
    found = leaves(raw, "") | dict.fromkeys(GROUPS)
    return {key: value for key, value in found.items() if key not in ("run_dir", "data.cache", "data.root")}


def mutated(number: int, within: str = "") -> tuple[int, list[str]]:
    """A base and odd values for one to three of its settings, whose names begin with ``within``."""
    chance = random.Random(number)
    base = chance.randrange(len(bases()))
    wanted = [key for key in keys(base) if key.startswith(within)] or list(keys(base))
    chosen = chance.choices(wanted, k=chance.choice((1, 1, 1, 2, 3)))
    changes = [f"{key}={chance.choice(LIKE.get(type(keys(base)[key]), ODD) if chance.random() < 0.6 else ODD)}" for key in chosen]
    if chance.random() < 0.05:
        changes.append(chance.choice(["~trainer.lr", "~adapter.name", "~model.generator", "~data", "~trainer", "+trainer.x=1", "++a=1", "=", "a b", "'", "[", "{"]))
    return base, changes


def make() -> Case:
    """Cases for :func:`fuzzing.fuzzed`."""
    torch.set_num_threads(1)
    guide.STEPS = 3  # a voice is learned for minutes otherwise
    Trainer._over = lambda self: self.step >= 2  # type: ignore[method-assign]
    return lambda number: attempt(number, *mutated(number))


def attempt(number: int, base: int, changes: list[str]) -> tuple[str, Callable[[], str]]:
    """A training with these changes, in a folder of its own that shares the analyses of others."""
    run_dir = here() / "runs" / str(number)

    def run() -> str:
        config = compose_run([*bases()[base], f"run_dir={run_dir}", f"data.cache={here() / 'cache'}", *changes])
        with contextlib.redirect_stderr(io.StringIO()):
            made = train(config)
        return "" if (made / "config.json").exists() else "no bundle"

    return f"base {base}: " + " ".join(changes), run


if __name__ == "__main__":
    main(make)
