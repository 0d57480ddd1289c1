"""A trained bundle at work: files, or signals in memory, of one domain to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from audiocycle.build import build_adapter, build_modality, build_renderer
from audiocycle.bundles.format import BundleConfig, check_statistics, read_config
from audiocycle.bundles.runtimes.choice import AUTO, load_network
from audiocycle.bundles.runtimes.network import Network
from audiocycle.conversion.heard import Heard
from audiocycle.conversion.pauses import shown_frames
from audiocycle.conversion.record import Record, beside, extras_of
from audiocycle.conversion.reference import is_reference, referred, refuse_itself
from audiocycle.conversion.windows import in_windows
from audiocycle.errors import BundleError, ConfigError, OutputError, printable
from audiocycle.spec import Direction, Domain, Encoded, FloatArray, Translation

MOST_GAIN, MOST_PEAK = 10.0, 30.0
"""Of a network, in root mean square and of the largest number: more than so many times what it was given (or 1, where that was less) is
absurd. Noise, rumble, clicks and silence through the bundled voices gave up to 1.13 and 2.97 times as much."""
ROUGH = "the likeness is rough, since the model never learned this voice; train one for a better (audiocycle train experiment=any_to_one)"
MIN_FRAMES = 128
"""Shorter inputs are mirrored up to the crop length that networks are trained on: instance norms of a few frames
are noise."""
SHORT_GRID, LONG_GRID, LONG_FRAMES = 64, 512, 2048
"""Inputs are mirrored up to a multiple of the first, or of the second beyond the third: torch's convolution library keeps a plan
for each length that it meets. The chunks of an hour, each of another length, made that grow by 2 GiB, and 400 short files by 0.4."""


class Converter:
    """Converts between the domains of one bundle.

    >>> converter = Converter.from_pretrained("runs/SF1-TM3/bundle")  # doctest: +SKIP
    >>> signal = converter("in.wav", target="TM3")  # doctest: +SKIP

    Args:
        config: the bundle's settings.
        network: translates normalised features.
        renderer: its short name; None takes the adapter's first.
        vocoder: where the weights of a neural renderer lie (a path, or ``hf:owner/name[@revision]``).
    """

    def __init__(self, config: BundleConfig, network: Network, renderer: str | None = None, vocoder: str | None = None) -> None:
        self.config, self.network = config, network
        self.adapter = build_adapter(config.adapter)
        self.modality = build_modality(self.adapter)
        self.renderer = build_renderer(self.adapter, renderer, vocoder)
        self.references: dict[tuple[str, int, int], Domain] = {}  # by path, time and size: a folder is converted to one, and that is analysed once

    @classmethod
    def from_pretrained(
        cls, path: str | Path, renderer: str | None = None, vocoder: str | None = None, runtime: str = AUTO, precision: str = AUTO
    ) -> Self:
        """Load a bundle from a folder, by the name of an installed model, or from the model hub, ``hf:owner/name[@revision]``.

        Args:
            runtime, precision: what computes the network, and how (see :func:`~audiocycle.bundles.runtimes.choice.load_network`).

        Raises:
            BundleError: it is missing, damaged, or from a newer version.
            ConfigError: a runtime, renderer or precision is unknown, not installed, or does not fit.
        """
        from audiocycle.bundles.library import locate

        folder = locate(path)
        config = read_config(folder)
        check_statistics(folder, config)
        return cls(config, load_network(folder, config, runtime, precision), renderer, vocoder)

    @property
    def domains(self) -> tuple[str, ...]:
        """Names that ``source`` and ``target`` may take; :attr:`BundleConfig.directions` says which together."""
        return self.config.domains

    def direction(self, target: str, source: str | None = None) -> Direction:
        """What names mean (:meth:`BundleConfig.resolve <audiocycle.bundles.format.BundleConfig.resolve>`). A target may be a recording, too, where
        everybody is converted: the voice in it.

        Raises:
            DomainError: unknown, equal, or ambiguous names. ConfigError: this model makes the voices only that it learned.
            InputError: a recording that cannot be read, or has too little speech.
        """
        if not is_reference(target):
            return self.config.resolve(target, source)
        if not self.config.any_source:
            raise ConfigError(f"reference {target}: model {self.config.name} makes the voices only that it learned; use one that converts everybody, like any-voices")
        way, path = replace(self.config.resolve(self.config.domains[0], source), output_deviation=None), Path(target)
        seen = path.stat() if path.is_file() else None
        key = (str(path.resolve()), seen.st_mtime_ns, seen.st_size) if seen else ("", 0, 0)
        if key not in self.references:
            self.references = {key: referred(path, self.modality, way, self.translate_features)}  # the last one: others are of other calls
        return replace(way, target=self.references[key])

    def translation(self, target: str, source: str | None = None, **options: Any) -> Translation:
        """The function from source features with side to converted features with side.

        Raises:
            DomainError: see :meth:`BundleConfig.resolve <audiocycle.bundles.format.BundleConfig.resolve>`. ConfigError: see
                :meth:`Modality.chosen <audiocycle.modality.Modality.chosen>`. BundleError: the network cannot be loaded.
        """
        direction = self.direction(target, source)
        chosen = self.modality.chosen(options, self.renderer)
        self.network.prepare(direction)

        def translate(encoded: Encoded[Any], known: Direction) -> Encoded[Any]:
            converted = self.translate_features(encoded.features, known, places=encoded.places)
            return self.adapter.transfer(encoded, converted, known, chosen)

        def begin() -> Callable[[Encoded[Any]], Encoded[Any]]:
            heard = Heard(self.adapter)
            return lambda encoded: translate(encoded, heard.direction(direction, encoded))

        if self.config.any_source:
            return Translation(begin(), direction, begin, lambda encoded, stats: translate(encoded, direction.of(stats)))
        return Translation(lambda encoded: translate(encoded, direction), direction)

    def translate_features(self, features: FloatArray, direction: Direction, shifted: bool = False, places: NDArray[np.int64] | None = None) -> FloatArray:
        """(*shape, T) of the source, not normalised, to the target's.

        Args:
            shifted: a network that knows windows of one length gets other ones (see :func:`~audiocycle.conversion.windows.window_starts`).
            places: where they may begin, see :attr:`Encoded.places <audiocycle.spec.Encoded>`.

        Raises:
            BundleError: the network's output is not numbers.
        """

        def network(batch: FloatArray) -> FloatArray:
            made = self.network(batch, direction)
            self.check(made, batch)
            return made

        def seen(features: FloatArray) -> FloatArray:
            return self.adapter.towards(self.adapter.normalize(features, direction.source.stats), direction.target.stats)

        n_frames, window = features.shape[-1], self.adapter.spec.window
        active = self.adapter.active_frames(features, direction.source.stats)
        if window:
            output = in_windows(seen(features), window, network, shifted, active, places)
        else:
            shown = shown_frames(~active)
            padded = mirrored_after(features[..., shown], padded_length(int(shown.sum())))
            output = network(seen(padded)[None])[0][..., np.cumsum(shown) - 1]
        return self.adapter.denormalize(output[..., :n_frames], direction.target.stats)

    def check(self, made: FloatArray, given: FloatArray) -> None:
        """See that what a network made of normalised features can be features, too.

        Raises:
            BundleError: they have another shape, are not numbers, or are out of all proportion.
        """
        name = f"model {printable(self.config.name)}"
        if made.shape != given.shape:
            raise BundleError(f"{name} makes features {made.shape} of {given.shape}; its network is another model's, copy the bundle again")
        if not np.isfinite(made).all():
            raise BundleError(f"{name} gives NaN or infinite features; its weights are damaged, copy the bundle again")
        size, peak = root_mean_square(made), float(np.abs(made).max())
        if size > MOST_GAIN * max(1.0, root_mean_square(given)) or peak > MOST_PEAK * max(1.0, float(np.abs(given).max())):
            raise BundleError(f"{name} gives absurd features, up to {peak:.3g} times as large as is usual; its weights are damaged, copy the bundle again")

    def __call__(self, item: Any, target: str, source: str | None = None, **options: Any) -> Any:
        """Convert a path, or an item in memory, and return what came of it.

        Args:
            item: voice: a path or a :class:`~audiocycle.spec.Signal`; music: a path, a symusic or a pretty_midi score (the
                same kind comes back).
            options: voice: ``pitch_shift``, ``variance``; music: see :class:`~audiocycle.music.options.MusicOptions`.
        """
        given = Path(item) if isinstance(item, str) else item
        if isinstance(given, Path):
            refuse_itself(given, target)
        chosen = self.modality.chosen(options, self.renderer)
        return self.modality.convert_item(given, self.renderer, self.translation(target, source, **options), chosen)

    def convert_file(
        self,
        path: str | Path,
        output: str | Path,
        target: str,
        source: str | None = None,
        *,
        overwrite: bool = False,
        plot: bool = False,
        preview: bool = False,
        score: bool = False,
        progress: Callable[[float], None] = lambda share: None,
        **options: Any,
    ) -> Record:
        """Convert one file, of any length, in bounded memory.

        Args:
            plot: draw source and result beside the output, with the ending ``.png``.
            preview: write a sound of the result beside the output, with the ending ``.wav`` (music).
            score: write source and result as notes beside the output, with the ending ``.svg`` (music; needs verovio).
            progress: called with the share that is done.
            options: as in :meth:`__call__`.

        Raises:
            AudioCycleError: it cannot be read, converted or written; nothing half-written stays.
        """
        path, output = Path(path), Path(output)
        refuse_itself(path, target)
        translation, chosen = self.translation(target, source, **options), self.modality.chosen(options, self.renderer)
        extras = extras_of(output, self.modality, plot, preview, score)
        self.modality.check_extras(preview, score)
        if str(output) != "-":
            if output.exists() and path.exists() and output.samefile(path):
                raise OutputError(f"{output}: is the input itself; name another output with `output`")
            if output.exists() and not overwrite:
                raise OutputError(f"{output}: exists already; add `overwrite` to replace it, or name another output with `output`")
            for extra in extras:
                if extra.exists() and not overwrite:
                    raise OutputError(f"{extra}: exists already; add `overwrite` to replace it, or leave `plot`, `preview` or `score` out")
        begin = time.perf_counter()
        outcome = self.modality.convert(path, output, self.renderer, translation, chosen, progress)
        taken = time.perf_counter() - begin
        if (plot or score) and path.is_file() and output.is_file():  # not a pipe
            rows = [(f"{path.name} (input)", path), (f"{output.name} (converted to {target})", output)]
            shown = [(title, self.modality.read(p, self.modality.plot_seconds)) for title, p in rows]
            if plot:
                self.modality.picture(shown, beside(output, ".png"))
            if score:
                self.modality.notate(shown, beside(output, self.modality.score_suffix))
        if preview and output.is_file():
            self.modality.preview(output, beside(output, self.modality.preview_suffix))
        seconds, notes = round(outcome.seconds, 3), [outcome.note] if outcome.note else []
        if is_reference(target):
            notes.append(ROUGH)
        return Record(str(path), str(output), "converted", seconds, round(taken, 3), details=dict(outcome.details), note="; ".join(notes))


def root_mean_square(features: FloatArray) -> float:
    """Of all numbers of an array."""
    return float(np.sqrt(np.mean(np.square(features, dtype=np.float64))))


def padded_length(frames: int) -> int:
    """How many frames the network gets for an input of ``frames``: few different lengths, none too short."""
    grid = SHORT_GRID if frames <= LONG_FRAMES else LONG_GRID
    return max(-(-frames // grid) * grid, MIN_FRAMES)


def mirrored_after(features: FloatArray, frames: int) -> FloatArray:
    """(..., T) extended by reflection (repeated as often as needed) to at least ``frames``."""
    missing = frames - features.shape[-1]
    if missing <= 0:
        return features
    widths = [(0, 0)] * (features.ndim - 1) + [(0, missing)]
    return np.pad(features, widths, mode="reflect" if features.shape[-1] > 1 else "edge")
