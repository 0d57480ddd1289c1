"""Networks computed by OpenVINO: in bfloat16 where the processor has it, without torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import openvino

from audiocycle import threads
from audiocycle.bundle import WEIGHTS, BundleConfig
from audiocycle.errors import ConfigError
from audiocycle.runtimes.graphs import check_graphs, graph_path, unreadable
from audiocycle.runtimes.network import Network
from audiocycle.spec import FloatArray, direction

DEVICE = "CPU"
HINTS = {"bf16": "bf16", "fp32": "f32"}


class OpenVinoNetwork(Network):
    """The graphs of a bundle, compiled by OpenVINO, one for each direction that is asked for."""

    runtime = "openvino"

    def __init__(self, folder: Path, precision: str) -> None:
        self.folder, self.precision = folder, precision
        self._core = core()
        native = "bf16" in self.native()
        if precision == "auto":
            self.precision = "bf16" if native else "fp32"
        elif precision == "bf16" and not native:
            raise ConfigError("--precision bf16: OpenVINO has no bfloat16 on this processor; leave it out")
        self._requests: dict[str, Any] = {}

    @classmethod
    def native(cls) -> tuple[str, ...]:
        return ("bf16", "fp32") if "BF16" in core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES") else ("fp32",)

    @classmethod
    def load(cls, folder: Path, config: BundleConfig, precision: str) -> Self:
        """From a bundle.

        Raises:
            BundleError: a graph is missing, or made for other weights. ConfigError: the processor has no bf16.
        """
        check_graphs(folder, config.pairs)
        return cls(folder, precision)

    def prepare(self, source: str, target: str) -> None:
        name = direction(source, target)
        if name in self._requests:
            return
        path = graph_path(self.folder, source, target)
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "INFERENCE_NUM_THREADS": threads.available(),
            # Processes that share the cores would all pin their threads to the first ones.
            "ENABLE_CPU_PINNING": threads.available() >= threads.cores(),
        }
        try:
            with without_links(path) as real:
                self._requests[name] = self._core.compile_model(real, DEVICE, settings)
        except RuntimeError as error:
            raise unreadable(path, error) from error

    def __call__(self, batch: FloatArray, source: str, target: str) -> FloatArray:
        self.prepare(source, target)
        request = self._requests[direction(source, target)].create_infer_request()  # each thread needs its own
        made: FloatArray = request.infer([batch])[0]
        return made


@cache
def core() -> openvino.Core:
    """OpenVINO itself, one for the life of the process.

    Its processor plugin gives signal handlers a stack of its own to the thread that loads it, and frees that memory when it is
    unloaded, in whatever thread the garbage collector does so. In another one the first thread keeps the freed stack, and the
    next signal, a Ctrl-C, writes over whatever lies there now.
    """
    return openvino.Core()


@contextmanager
def without_links(graph: Path) -> Iterator[Path]:
    """A graph whose weights lie beside it. OpenVINO follows a link to the graph before it looks there, and in the model hub's
    cache all files are links to places without names: then it gets copies."""
    if not graph.is_symlink():
        yield graph
        return
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for path in (graph, graph.with_name(WEIGHTS)):
            shutil.copyfile(path, Path(folder) / path.name)
        yield Path(folder) / graph.name
