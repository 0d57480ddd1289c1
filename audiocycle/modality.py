"""What a modality is: everything that the core asks of a kind of files. Voice and music implement the same.

The core never looks at which one it has: what differs is said here, or by the adapter (:class:`~audiocycle.spec.Adapter`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from numpy.typing import NDArray

from audiocycle.spec import Adapter, Direction, Encoded, FloatArray, Outcome, Renderer, Signal, Translation

if TYPE_CHECKING:
    from audiocycle.data.guides import GuideConfig, GuideMaker

Files = Sequence[tuple[Path, Encoded[Any]]]
"""Training items of a domain, with their files."""
Progress = Callable[[float], None]
"""Called with the share of a file that is done."""


SCORE = "score"
"""The measure of a :class:`Validation` that chooses: more is better."""


class Validation(Protocol):
    """Measures what a network makes of items that it does not learn from, in seconds: training asks every so often."""

    def __call__(self, translation: Translation) -> Mapping[str, float]:
        """Measures by name, :data:`SCORE` among them."""


class Norms(Protocol):
    """Norms of a network that remember what they saw before (:class:`~audiocycle.models.running_norm.RunningNorms`)."""

    weight: float
    """How much the next window counts in them, 0 to 1."""

    def forget(self) -> None:
        """Begin anew."""


class Stream(Protocol):
    """A conversion while the sound comes in."""

    sample_rate: int
    block: int
    """Samples that are converted at a time."""

    @property
    def latency(self) -> float:
        """Seconds from a sound to its conversion."""

    @property
    def parts(self) -> str:
        """Of which the latency is made, for people."""

    def push(self, samples: FloatArray) -> FloatArray:
        """Samples in; those that are ready out."""

    def finish(self) -> FloatArray:
        """What remains at the end."""


class Modality(Protocol):
    """Files of one kind, and the adapter that reads them.

    Attributes:
        name: as bundles say it.
        file: what a model is given, for messages: ``a recording``.
        suffix: of outputs.
        preview_suffix: of a sound of an output; empty where the output is sound.
        score_suffix: of a score of an output, for people who read notes; empty where there is none.
        sample_seconds: how long a training's samples are.
        plot_seconds: how much of a file a picture shows; None: the picture says it itself.
        one_way: whether a model of one direction can be trained, and judged.
        consent: what a model card says of whom a conversion is of; empty where that is nobody.
        options: the dataclass of what a person can ask of a conversion; its fields are the command line's flags (:mod:`audiocycle.system.options`).
        training_side: the dataclass of arrays and numbers that :meth:`encode` puts beside features.
        adapter: the features.
    """

    name: ClassVar[str]
    file: ClassVar[str]
    suffix: ClassVar[str]
    preview_suffix: ClassVar[str]
    score_suffix: ClassVar[str]
    sample_seconds: ClassVar[float]
    plot_seconds: ClassVar[float | None]
    one_way: ClassVar[bool]
    consent: ClassVar[str]
    options: ClassVar[type]
    training_side: ClassVar[type]

    @property
    def adapter(self) -> Adapter: ...

    @staticmethod
    def accepts(path: Path) -> bool:
        """True for the files that a folder scan takes."""

    def encode(self, path: Path) -> Encoded[Any]:
        """A file as training features.

        Raises:
            InputError: it cannot be read, or holds nothing to learn from.
        """

    def remarks(self, items: Files) -> Iterator[str]:
        """What is unusual about the files of a domain: a line for each kind."""

    def none_of_its_kind(self, encoded: Encoded[Any]) -> str:
        """Why a file that could be read is not what the modality is for, such as music among voices; empty where nothing speaks for that."""

    def places(self, encoded: Encoded[Any]) -> NDArray[Any] | None:
        """(N,) where each window of a training item begins in its piece, so that those of counterparts can be matched; None: they go frame by frame."""

    @property
    def validates(self) -> bool:
        """Whether there is a :meth:`validation` of such features."""

    def validation(
        self, direction: Direction, sources: Files, targets: Files, learned: Files, seconds: float
    ) -> Validation:
        """What measures a direction's network on held-out training items of both domains.

        Args:
            sources: those of the target, where everybody is converted.
            learned: the target's that are learned from.
            seconds: of the sources, that are converted in a measurement.

        Raises:
            InputError: one cannot be read any more, or they hold nothing that could be measured.
        """

    def guides(self, config: GuideConfig, cache: Path) -> GuideMaker:
        """What makes guides for these features; asked before hours of analysis, since much can be missing.

        Raises:
            ConfigError: these features cannot be guided, or something is not installed.
        """

    def chosen(self, values: Mapping[str, Any], renderer: Renderer) -> Any:
        """An instance of :attr:`options`.

        Raises:
            ConfigError: this modality, or this renderer, has no such option, or not with this value.
        """

    def convert(
        self, source: Path, output: Path, renderer: Renderer, translation: Translation, options: Any, progress: Progress = ...
    ) -> Outcome:
        """Convert a file, whatever its length. ``-`` is stdin or stdout.

        Raises:
            AudioCycleError: it cannot be read, converted or written; nothing half-written stays.
        """

    def convert_item(self, item: Any, renderer: Renderer, translation: Translation, options: Any) -> Any:
        """Convert an item in memory, or a file; the same kind comes back."""

    def read(self, path: Path, seconds: float | None = None) -> Any:
        """An item, or its beginning."""

    def write(self, path: Path, item: Any) -> None:
        """Write an item whole, or not at all."""

    def listen(self, item: Any) -> Signal:
        """What an item sounds like."""

    def preview(self, path: Path, output: Path) -> None:
        """Write a sound of a file."""

    def picture(self, rows: Sequence[tuple[str, Any]], path: Path) -> None:
        """A picture of (title, item), one above the other."""

    def notate(self, rows: Sequence[tuple[str, Any]], path: Path) -> None:
        """A score of (title, item), one above the other."""

    def check_extras(self, preview: bool, score: bool) -> None:
        """Find out before the work, not after it, that what makes sounds or scores is missing.

        Raises:
            ConfigError: it is not installed.
        """

    def stream(
        self, translation: Translation, norms: Norms, *, sample_rate: int | None, block_seconds: float, band_limit: float | None
    ) -> Stream | None:
        """A conversion while the sound comes in; its first block is not late. None: such features cannot be made while it does.

        Args:
            sample_rate: Hz; None: the adapter's.
            band_limit: Hz above which the stream holds nothing, where that is known.

        Raises:
            ConfigError: a block or rate that cannot be.
        """
