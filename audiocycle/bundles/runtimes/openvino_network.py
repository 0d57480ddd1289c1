"""Networks computed by OpenVINO: in bfloat16 where the processor has it, without torch."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Self

import openvino

from audiocycle.bundles.format import BundleConfig
from audiocycle.bundles.runtimes.graphs import Graphs, graph_path, unreadable
from audiocycle.bundles.runtimes.network import Network, told
from audiocycle.errors import ConfigError
from audiocycle.spec import Direction, FloatArray
from audiocycle.system import threads

DEVICE = "CPU"
HINTS = {"bf16": "bf16", "fp32": "f32"}


class OpenVinoNetwork(Network):
    """The graphs of a bundle, compiled by OpenVINO, one for each direction that is asked for."""

    runtime = "openvino"

    def __init__(self, graphs: Graphs, precision: str) -> None:
        self._graphs, self.precision = graphs, precision
        self._core = core()
        native = "bf16" in self.native()
        if precision == "auto":
            self.precision = "bf16" if native else "fp32"
        elif precision == "bf16" and not native:
            raise ConfigError("precision=bf16: OpenVINO has no bfloat16 on this processor; leave it out")
        self._requests: dict[Direction, Any] = {}

    @classmethod
    def native(cls) -> tuple[str, ...]:
        return ("bf16", "fp32") if "BF16" in core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES") else ("fp32",)

    @classmethod
    def load(cls, folder: Path, config: BundleConfig, precision: str) -> Self:
        """From a bundle.

        Raises:
            BundleError: a graph is missing, not one of ours, or made for other weights. ConfigError: the processor has no bf16.
        """
        return cls(Graphs(folder, config), precision)

    def prepare(self, direction: Direction) -> None:
        direction = self._graphs.serving(direction)
        if direction in self._requests:
            return
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "INFERENCE_NUM_THREADS": threads.available(),
            # Processes that share the cores would all pin their threads to the first ones.
            "ENABLE_CPU_PINNING": threads.available() >= threads.cores(),
        }
        model = self._graphs.model(direction)
        try:
            self._requests[direction] = self._core.compile_model(self._core.read_model(model), DEVICE, settings)
        except RuntimeError as error:
            raise unreadable(graph_path(self._graphs.folder, direction), error) from error

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        self.prepare(direction)
        given, direction = told(batch, direction), self._graphs.serving(direction)
        self._graphs.check_size(direction, given.shape)
        request = self._requests[direction].create_infer_request()  # each thread needs its own
        try:
            made: FloatArray = request.infer([given])[0][:, : batch.shape[1]]
        except RuntimeError as error:
            raise unreadable(graph_path(self._graphs.folder, direction), error) from error
        return made


@cache
def core() -> openvino.Core:
    """OpenVINO itself, one for the life of the process.

    Its processor plugin gives signal handlers a stack of its own to the thread that loads it, and frees that memory when it is
    unloaded, in whatever thread the garbage collector does so. In another one the first thread keeps the freed stack, and the
    next signal, a Ctrl-C, writes over whatever lies there now.
    """
    return openvino.Core()
