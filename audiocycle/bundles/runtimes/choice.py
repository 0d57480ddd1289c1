"""Which library computes a bundle's network, and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from audiocycle.bundles.format import BundleConfig, check_settings, graph_files
from audiocycle.bundles.runtimes.network import Network
from audiocycle.errors import BundleError, ConfigError, printable
from audiocycle.spec import PRECISIONS, Direction, FloatArray
from audiocycle.system.progress import console

AUTO = "auto"
TRIED_FRAMES = 16
"""Of the features that graphs are tried with."""


@dataclass(frozen=True)
class Runtime:
    """How to get at a library.

    Attributes:
        place: module and class of its networks.
        module: what has to be installed, and how.
        graphs: it computes exported graphs.
        precisions: that it knows on a CPU, not every one of which every processor has.
    """

    place: str
    module: str
    install: str
    graphs: bool
    precisions: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Whether its library can be imported."""
        return find_spec(self.module) is not None

    @property
    def network(self) -> Any:
        """The class of its networks; its library is imported now."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)

    def load(self, folder: Path, config: BundleConfig, precision: str) -> Network:
        """The bundle's network (see the ``load`` of each)."""
        network: Network = self.network.load(folder, config, precision)
        return network


RUNTIMES = {
    "openvino": Runtime(
        "audiocycle.bundles.runtimes.openvino_network:OpenVinoNetwork", "openvino", "'audiocycle[openvino]'", True, ("bf16", "fp32")
    ),
    "onnx": Runtime("audiocycle.bundles.runtimes.onnx_network:OnnxNetwork", "onnxruntime", "onnxruntime", True, ("fp32",)),
    "torch": Runtime("audiocycle.bundles.runtimes.torch_network:TorchNetwork", "torch", "torch", False, ("bf16", "fp32")),
}
"""In the order in which ``auto`` takes them: who installed OpenVINO wants its speed, and torch takes longest to start."""


def load_network(folder: Path, config: BundleConfig, runtime: str = AUTO, precision: str = AUTO) -> Network:
    """The network of a bundle.

    Args:
        runtime: a name in :data:`RUNTIMES`; ``auto`` is the first that is installed, knows the precision, and has graphs if it
            needs them. Where graphs are not as they should be, or cannot be computed, it says so and takes torch.
        precision: ``bf16`` or ``fp32``; ``auto`` is bf16 where the runtime and the processor have it natively.

    Raises:
        ConfigError: an unknown runtime or precision, one that is not installed, or a precision that it does not know.
        BundleError: settings that cannot be, or graphs or weights that are missing, damaged, or do not belong together.
    """
    for option, value, known in (("runtime", runtime, (AUTO, *RUNTIMES)), ("precision", precision, PRECISIONS)):
        if value not in known:
            raise ConfigError(f"{option}={value}: unknown; choose one of: {', '.join(known)}")
    adapter, _ = check_settings(folder, config)
    name = first_fitting(folder, precision) if runtime == AUTO else runtime
    if not RUNTIMES[name].installed:
        raise ConfigError(f"runtime={name}: not installed; pip install {RUNTIMES[name].install}, or choose another")
    if runtime != AUTO or not RUNTIMES[name].graphs or not RUNTIMES["torch"].installed:
        return RUNTIMES[name].load(folder, config, precision)
    return GraphsOrTorch(folder, config, name, precision, tuple(adapter.spec.shape))


class GraphsOrTorch(Network):
    """A bundle's graphs, for as long as they can be used; torch from the first error on, which is told.

    Args:
        name: of the runtime that computes the graphs.
        shape: of the features, without batch and frames.
    """

    def __init__(self, folder: Path, config: BundleConfig, name: str, precision: str, shape: tuple[int, ...]) -> None:
        self._folder, self._config, self._asked, self._shape = folder, config, precision, shape
        self._network: Network | None = None
        self._tried: set[Direction] = set()
        try:
            self._use(RUNTIMES[name].load(folder, config, precision))
        except BundleError as error:
            self._take_torch(error)

    def _use(self, network: Network) -> None:
        self._network, self.runtime, self.precision = network, network.runtime, network.precision

    def _take_torch(self, error: BundleError) -> None:
        if self.runtime == "torch" and self._network is not None:
            raise error
        console().print(f"{printable(error)} (the graphs are not used, torch computes)", markup=False, soft_wrap=True)
        self._use(RUNTIMES["torch"].load(self._folder, self._config, self._asked))

    def prepare(self, direction: Direction) -> None:
        """Compute a few frames, too: some graphs that a library takes fail only then."""
        if direction not in self._tried:
            self(np.zeros((1, *self._shape, TRIED_FRAMES), np.float32), direction)
            self._tried.add(direction)

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        assert self._network is not None
        try:
            return self._network(batch, direction)
        except BundleError as error:
            self._take_torch(error)
        return self._network(batch, direction)


def first_fitting(folder: Path, precision: str) -> str:
    """What ``auto`` takes; torch, where nothing fits."""
    exported = bool(graph_files(folder))
    for name, runtime in RUNTIMES.items():
        if runtime.installed and (exported or not runtime.graphs) and precision in (AUTO, *runtime.precisions):
            return name
    return "torch"


def installed_kinds(native: bool = True) -> Iterator[tuple[str, str]]:
    """(runtime, precision) of all that is installed: what this processor has, or else what it has not."""
    for name, runtime in RUNTIMES.items():
        if runtime.installed:
            here = runtime.network.native()
            yield from ((name, precision) for precision in runtime.precisions if (precision in here) == native)
