"""Networks computed by ONNX Runtime: small, quick to start, float32 only on a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import onnxruntime

from audiocycle.bundles.format import BundleConfig
from audiocycle.bundles.runtimes.graphs import INPUT, Graphs, graph_path, unreadable
from audiocycle.bundles.runtimes.network import Network, told
from audiocycle.errors import ConfigError
from audiocycle.spec import Direction, FloatArray
from audiocycle.system import threads

FATAL = 4
"""Of ONNX Runtime's levels of messages: its errors reach us as exceptions, and need not be printed, too."""


class OnnxNetwork(Network):
    """The graphs of a bundle as sessions of ONNX Runtime, one for each direction that is asked for."""

    runtime = "onnx"

    def __init__(self, graphs: Graphs) -> None:
        self._graphs = graphs
        self._sessions: dict[Direction, Any] = {}

    @classmethod
    def load(cls, folder: Path, config: BundleConfig, precision: str) -> Self:
        """From a bundle.

        Raises:
            BundleError: a graph is missing, not one of ours, or made for other weights. ConfigError: ``bf16`` was asked for.
        """
        if precision == "bf16":
            raise ConfigError("precision=bf16: ONNX Runtime computes in float32 only; leave it out, or use `runtime=openvino` or torch")
        return cls(Graphs(folder, config))

    def prepare(self, direction: Direction) -> None:
        direction = self._graphs.serving(direction)
        if direction in self._sessions:
            return
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads.available()
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL
        model = self._graphs.model(direction)
        try:
            self._sessions[direction] = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's own kinds have no common name
            raise unreadable(graph_path(self._graphs.folder, direction), error) from error

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        self.prepare(direction)
        given, direction = told(batch, direction), self._graphs.serving(direction)
        self._graphs.check_size(direction, given.shape)
        try:
            made: FloatArray = self._sessions[direction].run(None, {INPUT: given})[0][:, : batch.shape[1]]
        except Exception as error:  # as above
            raise unreadable(graph_path(self._graphs.folder, direction), error) from error
        return made
