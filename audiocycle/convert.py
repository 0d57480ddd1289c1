"""A trained bundle at work: files, or signals in memory, of one domain to another."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from audiocycle.build import build_adapter, build_medium, build_renderer
from audiocycle.bundle import BundleConfig, load_translator, read_config
from audiocycle.errors import BundleError, ConfigError, DomainError, OutputError
from audiocycle.spec import Encoded, FloatArray, Stats

MIN_FRAMES = 128
"""Shorter inputs are mirrored up to the crop length that networks are trained on: instance norms of a few frames
are noise."""
LONG_FRAMES, FRAME_GRID = 2048, 512
"""Inputs beyond the first are mirrored up to a multiple of the second: the CPU's convolution library keeps a plan for each
length that it meets, and the chunks of an hour, each of another length, made that grow by 2 GiB."""
PLOT_SECONDS = 30.0
"""A picture shows the beginning of a long recording."""
MAX_SHIFT = 36.0
"""Semitones; three octaves take any voice out of hearing as a voice."""


@dataclass(frozen=True)
class Record:
    """What happened to one file. ``status`` is converted, kept (the output was there) or failed."""

    input: str
    output: str
    status: str
    audio_seconds: float = 0.0
    seconds: float = 0.0
    error: str = ""

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of audio; 0 when unknown."""
        return self.seconds / self.audio_seconds if self.audio_seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` and ``report.jsonl`` have it."""
        return asdict(self) | {"real_time_factor": round(self.real_time_factor, 4)}


class Converter:
    """Converts between the domains of one bundle.

    >>> converter = Converter.from_pretrained("runs/SF1-TM3/bundle")  # doctest: +SKIP
    >>> signal = converter("in.wav", target="TM3")  # doctest: +SKIP

    Args:
        config: the bundle's settings.
        translator: the network, in evaluation mode.
        renderer: its short name; None takes the adapter's first.
        vocoder: where the weights of a neural renderer lie (a path or a hub id).
    """

    def __init__(self, config: BundleConfig, translator: Any, renderer: str | None = None, vocoder: str | None = None) -> None:
        self.config, self.translator = config, translator
        self.adapter = build_adapter(config.adapter)
        self.medium = build_medium(config.modality)
        self.renderer = build_renderer(self.adapter, renderer, vocoder)

    @classmethod
    def from_pretrained(cls, path: str | Path, renderer: str | None = None, vocoder: str | None = None) -> Self:
        """Load a bundle from a folder, by the name of an installed model, or from a hub id ``owner/name``.

        Raises:
            BundleError: it is missing, damaged, or from a newer version.
        """
        from audiocycle.library import locate

        folder = locate(path)
        config = read_config(folder)
        return cls(config, load_translator(folder, config), renderer, vocoder)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names that ``source`` and ``target`` may take."""
        return self.config.domains

    def resolve(self, target: str, source: str | None) -> tuple[str, str]:
        """(source, target), the source guessed where only one is possible.

        Raises:
            DomainError: unknown, equal, or ambiguous names; the message lists the known ones.
        """
        known = ", ".join(self.domains)
        for role, name in (("target", target), ("source", source)):
            if name is not None and name not in self.domains:
                raise DomainError(f"{role} '{name}' is unknown to model {self.config.name}; it knows: {known}")
        others = [domain for domain in self.domains if domain != target]
        if source == target or not others:
            raise DomainError(f"source and target are both '{target}'; nothing to convert. Model {self.config.name} knows: {known}")
        if source is None and len(others) > 1:
            raise DomainError(f"the source is ambiguous; add --source with one of: {', '.join(others)}")
        return source or others[0], target

    def translation(self, target: str, source: str | None = None, pitch_shift: float = 0.0) -> Callable[[Encoded], Encoded]:
        """The function from source features with side to converted features with side.

        Raises:
            DomainError: see :meth:`resolve`.
            ConfigError: this adapter or renderer cannot shift the pitch, or not so far.
        """
        source, target = self.resolve(target, source)
        statistics = self.config.stats_of(source), self.config.stats_of(target)
        options = {"semitones": pitch_shift} if pitch_shift else {}
        if options and not getattr(self.adapter, "shifts_pitch", False):
            raise ConfigError(f"--pitch-shift: features of adapter '{self.config.adapter['name']}' hold no separate F0; leave it out")
        if options and not getattr(self.renderer, "shifts_pitch", True):
            raise ConfigError("--pitch-shift: this renderer keeps the source's pitch; leave it out, or choose another --renderer")
        if not math.isfinite(pitch_shift) or abs(pitch_shift) > MAX_SHIFT:
            raise ConfigError(f"--pitch-shift {pitch_shift:g}: choose between {-MAX_SHIFT:g} and {MAX_SHIFT:g} semitones")

        def translate(encoded: Encoded) -> Encoded:
            converted = self.translate_features(encoded.features, source, target, *statistics)
            transferred: Encoded = self.adapter.transfer(encoded, converted, *statistics, **options)
            return transferred

        return translate

    def translate_features(self, features: FloatArray, source: str, target: str, of_source: Stats, of_target: Stats) -> FloatArray:
        """(*shape, T) of the source, not normalised, to the target's.

        Raises:
            BundleError: the network's output is not numbers.
        """
        n_frames = features.shape[-1]
        normal = self.adapter.normalize(mirrored(features, padded_length(n_frames)), of_source)
        with torch.inference_mode():
            output = self.translator(torch.from_numpy(normal)[None], source, target)[0].float().numpy()
        if not np.isfinite(output).all():
            raise BundleError(f"model {self.config.name} gives NaN or infinite features; its weights are damaged, copy the bundle again")
        converted: FloatArray = self.adapter.denormalize(output[..., :n_frames], of_target)
        return converted

    def __call__(self, item: Any, target: str, source: str | None = None, pitch_shift: float = 0.0) -> Any:
        """Convert a path, or a signal in memory (voice: :class:`~audiocycle.spec.Signal`), and return the signal."""
        signal = self.medium.read(Path(item)) if isinstance(item, str | Path) else item
        return self.medium.convert_signal(signal, self.adapter, self.renderer, self.translation(target, source, pitch_shift))

    def convert_file(
        self,
        path: str | Path,
        output: str | Path,
        target: str,
        source: str | None = None,
        *,
        pitch_shift: float = 0.0,
        overwrite: bool = False,
        plot: bool = False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Record:
        """Convert one file, of any length, in bounded memory.

        Args:
            plot: draw source and result beside the output, with the ending ``.png``.
            progress: called with the share that is done.

        Raises:
            AudioCycleError: it cannot be read, converted or written; nothing half-written stays.
        """
        path, output = Path(path), Path(output)
        translate = self.translation(target, source, pitch_shift)
        if str(output) != "-":
            if output.exists() and path.exists() and output.samefile(path):
                raise OutputError(f"{output}: is the input itself; name another output with -o")
            if output.exists() and not overwrite:
                raise OutputError(f"{output}: exists already; add --overwrite to replace it, or name another output with -o")
            if plot and output.with_suffix(".png").exists() and not overwrite:
                raise OutputError(f"{output.with_suffix('.png')}: exists already; add --overwrite to replace it, or leave --plot out")
        begin = time.perf_counter()
        seconds = self.medium.convert(path, output, self.adapter, self.renderer, translate, progress)
        taken = time.perf_counter() - begin
        if plot and path.is_file() and output.is_file():  # not a pipe
            rows = [(f"{path.name} (input)", path), (f"{output.name} (converted to {target})", output)]
            self.medium.picture([(title, self.medium.read(p, PLOT_SECONDS)) for title, p in rows], output.with_suffix(".png"))
        return Record(str(path), str(output), "converted", round(seconds, 3), round(taken, 3))


def padded_length(frames: int) -> int:
    """How many frames the network gets for an input of ``frames``: few different lengths, none too short."""
    return max(frames, MIN_FRAMES) if frames <= LONG_FRAMES else -(-frames // FRAME_GRID) * FRAME_GRID


def mirrored(features: FloatArray, frames: int) -> FloatArray:
    """(..., T) extended by reflection (repeated as often as needed) to at least ``frames``."""
    missing = frames - features.shape[-1]
    if missing <= 0:
        return features
    widths = [(0, 0)] * (features.ndim - 1) + [(0, missing)]
    return np.pad(features, widths, mode="reflect" if features.shape[-1] > 1 else "edge")
