"""A genre classifier as a folder that can be shared: trained, kept, asked. It says how far a transfer goes.

    config.json         genres, grid, which corpora it was trained on, its accuracy corpus by corpus
    model.safetensors   the networks, one a seed; names begin with "0.", "1.", ...

Within one corpus a genre it mostly recognises the corpus: a classifier is as good as its accuracy on corpora that it has not
seen. Corpora are therefore part of what it knows of itself. Corpus names are ``GENRE/FOLDER``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle import __version__
from audiocycle.bundles.format import CONFIG, WEIGHTS
from audiocycle.data.sampler import CropSampler
from audiocycle.errors import AudioCycleError, BundleError, ConfigError, DataError, OutputError
from audiocycle.models.genre_classifier import GenreClassifier
from audiocycle.models.layers import WIDTH
from audiocycle.music.adapter import PianoRollAdapter
from audiocycle.music.midi.file import is_midi, read_score
from audiocycle.spec import Domain, FloatArray
from audiocycle.system.atomic import whole_file, write_text
from audiocycle.system.foreign import read_json, regular_file
from audiocycle.system.limits import Limit, Range, hold

FORMAT = 1
"""Raised when a classifier of this version cannot be read by the one before."""
HOW_TO = "python recipes/genre/train_classifier.py GENRES_FOLDER GENRE GENRE -o CLASSIFIER"
FIELD_TYPES = {"genres": list, "adapter": dict, "width": float, "channels": int, "seeds": list, "trained_on": list, "tests": list}
LIMITS: dict[str, Limit] = {"width": WIDTH, "channels": Range(1, 8), "genres": Range(2, 32), "seeds": Range(1, 32)}
"""Of a classifier that somebody else may have made; of genres and seeds, how many."""
BATCH = 256
"""Phrases at a time when it is asked."""

Corpora = Mapping[str, Sequence[FloatArray]]
"""By ``GENRE/FOLDER``, songs as rolls (C, 84, T) of whole phrases."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        steps: of Adam; the second half goes down to a learning rate of 0. Fixed, so that held-out songs stay unseen.
        batch_size: phrases in a step, as many of each corpus.
        noise: standard deviation of Gaussian noise on the rolls (0 to 1), another share of it for each phrase.
        width: factor on the channels of the network; 1 is the paper's.
        channels: of the rolls that it sees; 1 is sustain, 2 adds onsets.
    """

    steps: int = 300
    batch_size: int = 60
    lr: float = 1e-3
    noise: float = 0.0
    width: float = 0.5
    channels: int = 1

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size, self.channels) < 1 or self.lr <= 0 or self.noise < 0 or self.width <= 0:
            raise ConfigError(f"classifier: {self} has a value that is out of range; steps, batch size and channels are 1 or more")


@dataclass(frozen=True)
class CorpusTest:
    """Accuracy on one corpus.

    Attributes:
        corpus: ``GENRE/FOLDER``.
        seen: other songs of this corpus were in the training.
        songs, phrases: that it was tested on, none of which was in the training.
        accuracy: share of phrases recognised, one for each seed.
        left_out: corpora that were left out of the training for this test alone; empty for the classifier itself.
    """

    corpus: str
    seen: bool
    songs: int
    phrases: int
    accuracy: tuple[float, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassifierConfig:
    """Everything about a classifier but its weights. JSON in, JSON out."""

    genres: tuple[str, ...]
    adapter: dict[str, Any]
    width: float
    channels: int
    seeds: tuple[int, ...]
    trained_on: tuple[str, ...]
    tests: tuple[CorpusTest, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT
    audiocycle: str = __version__


class Classifier:
    """Networks that differ in their seed, asked together.

    Args:
        networks: one a seed, as ``config`` says.
    """

    def __init__(self, config: ClassifierConfig, networks: Sequence[GenreClassifier]) -> None:
        self.config, self.networks = config, [network.eval() for network in networks]

    def probabilities(self, rolls: FloatArray) -> FloatArray:
        """Of each genre: (N, C, 84, T) binary rolls -> (seeds, N, genres)."""
        found = np.zeros((len(self.networks), len(rolls), len(self.config.genres)))
        with torch.inference_mode():
            for first in range(0, len(rolls), BATCH):
                x = torch.from_numpy(rolls[first : first + BATCH, : self.config.channels].astype(np.float32))
                for seed, network in enumerate(self.networks):
                    found[seed, first : first + BATCH] = network(x).softmax(dim=1).numpy()
        return found

    def accuracy(self, rolls: FloatArray, genre: str) -> tuple[float, ...]:
        """Share of the phrases of a genre that each seed recognises: (N, C, 84, T) -> (seeds,)."""
        best = self.probabilities(rolls).argmax(axis=2)
        return tuple((best == self.config.genres.index(genre)).mean(axis=1).tolist())

    def test(self, corpora: Corpora, window: int, seen: bool, left_out: Sequence[str] = ()) -> list[CorpusTest]:
        """Accuracy on each of some corpora, whose songs it was not trained on."""
        tests = []
        for corpus, songs in corpora.items():
            rolls = phrases_of(songs, window)
            shares = self.accuracy(rolls, genre_of(corpus))
            tests.append(CorpusTest(corpus, seen, len(songs), len(rolls), shares, tuple(left_out)))
        return tests

    def save(self, folder: Path) -> None:
        """Write the folder; each file appears whole or not at all."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        tensors = {f"{i}.{k}": v.contiguous() for i, n in enumerate(self.networks) for k, v in n.state_dict().items()}
        path = folder / WEIGHTS
        try:
            with whole_file(path) as temporary:
                save_file(tensors, temporary, metadata={"format": "pt"})
        except SafetensorError as error:
            raise OutputError(f"{path}: cannot be written ({error}); free some disk space") from error
        write_text(folder / CONFIG, json.dumps(asdict(self.config), indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder.

        Raises:
            BundleError: missing, damaged, or no classifier.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        config, path = read_config(folder), folder / WEIGHTS
        try:
            if path.exists():
                regular_file(path)
            tensors = load_file(path)
            with torch.device("meta"):
                networks = [GenreClassifier(len(config.genres), config.channels, config.width) for _ in config.seeds]
            for i, network in enumerate(networks):
                start = f"{i}."
                own = {k.removeprefix(start): v.to(torch.float32, copy=True) for k, v in tensors.items() if k.startswith(start)}
                network.load_state_dict(own, assign=True)
        except BundleError:
            raise
        except (SafetensorError, OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise BundleError(f"{path}: missing, damaged or of another classifier ({reason}); train it again: {HOW_TO}") from error
        return cls(config, networks)


def read_config(folder: Path) -> ClassifierConfig:
    """Read and check ``config.json``.

    Raises:
        BundleError: missing, damaged, of something else, or from a newer version.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise BundleError(f"{folder}: not a genre classifier, it has no {CONFIG}; train one: {HOW_TO}")
    try:
        raw = read_json(path)
        if int(raw["format"]) > FORMAT:
            raise BundleError(f"{folder}: is from a newer audiocycle; pip install --upgrade audiocycle")
        wrong = [key for key, kind in FIELD_TYPES.items() if not isinstance(raw.get(key), kind)]
        if wrong:
            raise BundleError(f"{path}: not a genre classifier's ({', '.join(wrong)} missing or wrong); train one: {HOW_TO}")
        sizes = {"width": raw["width"], "channels": raw["channels"], "genres": len(raw["genres"]), "seeds": len(raw["seeds"])}
        hold("", sizes, LIMITS)
        tests = tuple(
            CorpusTest(**test | {"accuracy": tuple(test["accuracy"]), "left_out": tuple(test["left_out"])}) for test in raw["tests"]
        )
    except ConfigError as error:
        raise BundleError(f"{path}: damaged ({error}); train the classifier again: {HOW_TO}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: damaged; train the classifier again: {HOW_TO}") from error
    known = {key: value for key, value in raw.items() if key in ClassifierConfig.__dataclass_fields__}
    lists = {key: tuple(raw[key]) for key in ("genres", "seeds", "trained_on")}
    return ClassifierConfig(**known | lists | {"tests": tests})


def corpus_of(path: Path, folder: Path, genre: str) -> str:
    """``GENRE/FOLDER``: the first folder on the way from a genre's folder to a song, or the genre's folder itself."""
    parts = path.relative_to(folder).parts
    return f"{genre}/{parts[0] if len(parts) > 1 else folder.name}"


def genre_of(corpus: str) -> str:
    """``jazz`` of ``jazz/solos``."""
    return corpus.partition("/")[0]


def untested(genres: Sequence[str], corpora: Sequence[str]) -> list[str]:
    """Genres of which none of these corpora is: of unseen ones, the genres for which a classifier's worth is not known."""
    return [genre for genre in genres if genre not in map(genre_of, corpora)]


def midi_files(folder: Path, genre: str) -> list[Path]:
    """All MIDI files below a folder, sorted.

    Raises:
        DataError: there is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; it must hold MIDI files of {genre}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and is_midi(path))
    if not files:
        raise DataError(f"{folder}: no MIDI files in it; it must hold some of {genre}")
    return files


def load_corpora(
    root: Path, genre: str, adapter: PianoRollAdapter, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, list[FloatArray]]:
    """All songs below ``root/genre`` by corpus; files that cannot be used are left out.

    Raises:
        DataError: no folder, no file, or none that can be used.
    """
    files = midi_files(root / genre, genre)
    corpora: dict[str, list[FloatArray]] = {}
    reason = ""
    for done, path in enumerate(files, 1):
        try:
            encoded = adapter.analyze_score(read_score(path), str(path))
            corpora.setdefault(corpus_of(path, root / genre, genre), []).append(encoded.features)
        except AudioCycleError as error:
            reason = reason or str(error)
        progress(done, len(files))
    if not corpora:
        raise DataError(f"{root / genre}: none of its {len(files)} files can be used; the first: {reason}")
    return corpora


def phrases_of(songs: Sequence[FloatArray], window: int) -> FloatArray:
    """Songs (C, 84, T) of whole phrases -> (N, C, 84, window)."""
    return np.stack([song[..., a : a + window] for song in songs for a in range(0, song.shape[-1], window)])


def train_network(
    corpora: Corpora,
    genres: Sequence[str],
    adapter: PianoRollAdapter,
    settings: Training,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GenreClassifier:
    """One network, trained on songs of all genres: each genre weighs the same, and each corpus within it.

    Augmented as the transfer's training is, so that no genre is told by its keys.

    Raises:
        ConfigError: a genre has no corpus.
    """
    without = set(genres) - {genre_of(corpus) for corpus in corpora}
    if without or len(genres) < 2:
        raise ConfigError(f"a classifier needs songs of two genres or more; there are none of: {', '.join(sorted(without))}")
    torch.manual_seed(seed)
    network = GenreClassifier(len(genres), settings.channels, settings.width).train()
    optimizer = torch.optim.Adam(network.parameters(), settings.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2.0 * (1.0 - step / settings.steps)))
    labels = torch.tensor([genres.index(genre_of(corpus)) for corpus in corpora])
    weights = 1.0 / torch.bincount(labels)[labels] / len(genres)
    noise = torch.Generator().manual_seed(seed)
    for done, batch in enumerate(batches(corpora, adapter, settings, seed), 1):
        x = torch.from_numpy(np.stack(batch)[:, :, : settings.channels])  # (corpora, phrases, C, 84, T)
        if settings.noise:
            share = torch.rand((*x.shape[:2], 1, 1, 1), generator=noise)
            x = x + settings.noise * share * torch.randn(x.shape, generator=noise)
        logits = network(x.flatten(0, 1))
        per_phrase = F.cross_entropy(logits, labels.repeat_interleave(x.shape[1]), reduction="none")
        loss = (per_phrase.view(x.shape[:2]).mean(dim=1) * weights).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(done, settings.steps)
    return network.eval()


def batches(corpora: Corpora, adapter: PianoRollAdapter, settings: Training, seed: int) -> Iterator[list[FloatArray]]:
    """For each step, phrases (n, C, 84, T) of each corpus, in order."""

    def normalize(corpus: Domain, crops: FloatArray) -> FloatArray:
        return adapter.normalize(crops, {})

    window = adapter.spec.window
    each = max(1, settings.batch_size // len(corpora))
    drawn = {Domain(name): phrases for name, phrases in corpora.items()}
    sampler = CropSampler(drawn, window, each, seed, hop=window, augment=adapter.augment, normalize=normalize)
    for step in range(settings.steps):
        batch = sampler.batch(step)
        yield [batch.items[corpus] for corpus in drawn]
