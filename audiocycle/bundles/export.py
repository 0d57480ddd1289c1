"""A bundle's networks as ONNX graphs, for conversion without torch (see :mod:`audiocycle.bundles.runtimes`)."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from audiocycle.build import build_adapter, translator_class
from audiocycle.bundles.format import WEIGHTS, graph_files, load_translator, read_config
from audiocycle.bundles.runtimes.choice import installed_kinds, load_network
from audiocycle.bundles.runtimes.graph_rules import OPERATORS, GraphError, check_model, read_model
from audiocycle.bundles.runtimes.graph_shapes import LEAST_FRAMES, follow
from audiocycle.bundles.runtimes.graphs import INPUT, MADE_FOR, OUTPUT, graph_path, seal, weights_hash
from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Direction, FeatureSpec, FloatArray
from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    import onnx_ir

EXAMPLE_FRAMES = 130
"""Of the features that networks are traced with: no multiple of a stride, so that the padding is in the graph."""
CHECKED = ((1, 128), (3, 131), (1, 1000))
"""(batch, frames) of the features that graphs are checked with."""
TOLERANCE = 1e-3
"""The largest error of a float32 graph beside torch, as a share of the output's root mean square: sums in another order stay
below a tenth of it."""


@dataclass(frozen=True)
class Agreement:
    """How far a runtime's output is from that of torch in float32, over all :data:`CHECKED` features.

    Attributes:
        largest: difference of two numbers.
        relative: root mean square of the differences, as a share of the output's.
    """

    direction: Direction
    runtime: str
    precision: str
    largest: float
    relative: float


class WithWeights(nn.Module):
    """A network whose weights are inputs: an exporter that knew them would fold those that happen to be zero or equal."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = [network]  # hidden in a list, it is no submodule, and its weights none of ours

    def forward(self, features: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        made: Tensor = torch.func.functional_call(self.network[0], dict(weights), (features,))
        return made


def export_bundle(folder: Path) -> list[Path]:
    """Write a graph for each direction into the bundle's folder.

    Where each has a network of its own they differ in their weights only, and these stay in the bundle's file: one is traced, and written for
    each. Directions that share a network are traced one by one.

    Raises:
        BundleError: the bundle is missing or damaged, or its network makes a graph that readers refuse; no graph stays then. ConfigError: what exporting needs is not installed.
    """
    config = read_config(folder)
    translator = load_translator(folder, config)
    shape = build_adapter(config.adapter).spec.network_shape
    stored, weights = stored_tensors(folder / WEIGHTS), weights_hash(folder)
    names = translator_class(config.model).networks(config.directions)
    program = traced(translator.network(config.directions[0]), shape)
    shared = len(set(names.values())) < len(names)
    paths: list[Path] = []
    for direction in config.directions:
        if shared and paths:
            program = traced(translator.network(direction), shape)
        graph = with_stored_weights(program, stored, f"generators.{names[direction]}.")
        graph.metadata_props[MADE_FOR] = seal(weights, direction)
        content = serialized(graph)
        if reason := unfit(content, shape, (folder / WEIGHTS).stat().st_size):
            remove_graphs(folder)
            raise BundleError(f"{folder}: {reason}; convert with `runtime=torch`")
        paths.append(graph_path(folder, direction))
        with whole_file(paths[-1]) as temporary:
            temporary.write_bytes(content)
    return paths


def unfit(content: bytes, shape: tuple[int, ...], weights: int) -> str:
    """Why readers would refuse a graph, by their own rules; nothing where they take it.

    Args:
        shape: of the features, without batch and frames.
        weights: bytes of the bundle's weights.
    """
    try:
        model = read_model(content)
        if foreign := sorted({node.op_type for node in model.graph.node if node.op_type not in OPERATORS}):
            return f"the network uses {', '.join(foreign)}, which graphs in bundles may not"
        check_model(model, shape, weights)
        follow(model, (1, *shape, LEAST_FRAMES))
    except GraphError as error:
        return f"no graph in a bundle may be as the network's is ({error})"
    return ""


def remove_graphs(folder: Path) -> None:
    """Those of all directions: a bundle has all, or none."""
    for graph in graph_files(folder):
        graph.unlink()


def traced(network: nn.Module, shape: tuple[int, ...]) -> onnx_ir.Model:
    """A network as a graph of any batch and any number of frames, whose inputs are the features and then all weights.

    Raises:
        ConfigError: onnx and onnxscript are not installed.
    """
    try:
        import onnx_ir  # noqa: F401  (comes with onnxscript, which torch.onnx imports)
    except ImportError as error:
        raise ConfigError("audiocycle export needs onnx and onnxscript; pip install 'audiocycle[export]'") from error
    weights = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    features = torch.zeros(2, *shape, EXAMPLE_FRAMES)
    dynamic = {0: torch.export.Dim("batch"), features.ndim - 1: torch.export.Dim("frames")}
    with torch.no_grad(), quiet_exporter():
        # Whether frames have to be padded is asked in Python. The answer for the example, yes, holds for all lengths (by
        # zero frames, perhaps), but the exporter cannot prove it: hence no guards.
        program = torch.export.export(
            WithWeights(network), (features, weights), dynamic_shapes=(dynamic, dict.fromkeys(weights)),
            strict=False, prefer_deferred_runtime_asserts_over_guards=True,
        )  # fmt: skip
        exported = torch.onnx.export(program, dynamo=True, input_names=[INPUT, *weights], output_names=[OUTPUT], verbose=False)
    assert exported is not None
    return exported.model


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Without the exporter's remarks on libraries that are not installed, and on its own deprecated parts."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in a safetensors file: bytes from its beginning. ``kind`` is F16 or F32."""

    kind: str
    shape: tuple[int, ...]
    offset: int
    length: int


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """What a safetensors file holds: 8 bytes with the length of a JSON index, the index, the tensors (see the format's own page)."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        index: dict[str, Any] = json.loads(file.read(size))
    index.pop("__metadata__", None)
    found = {}
    for name, entry in index.items():
        begin, end = entry["data_offsets"]
        found[name] = StoredTensor(entry["dtype"], tuple(entry["shape"]), 8 + size + begin, end - begin)
    return found


def with_stored_weights(program: onnx_ir.Model, stored: Mapping[str, StoredTensor], prefix: str) -> onnx_ir.Model:
    """A copy of a graph whose weights are no inputs any more, but point into the bundle's file.

    Float16 weights go through a cast, which runtimes do once, when they load the graph. What a traced graph says of where in
    the code it is from, and of shapes inside, is left out.

    Args:
        prefix: of this network's tensors among those of the bundle.
    """
    import onnx_ir as ir
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    kinds = {"F16": ir.DataType.FLOAT16, "F32": ir.DataType.FLOAT}
    model = program.clone()
    graph, first = model.graph, model.graph[0]
    for value in list(graph.inputs)[1:]:
        name = str(value.name)
        place = stored[prefix + name]
        kind, shape = kinds[place.kind], ir.Shape(place.shape)
        data = ir.ExternalTensor(WEIGHTS, place.offset, place.length, kind, shape=shape, name=f"{name}.stored")
        initializer = ir.Value(name=data.name, type=ir.TensorType(kind), shape=shape, const_value=data)
        cast = ir.node("Cast", [initializer], {"to": ir.DataType.FLOAT})
        cast.outputs[0].name = f"{name}.float"
        graph.register_initializer(initializer)
        graph.insert_before(first, cast)
        value.replace_all_uses_with(cast.outputs[0])
        graph.inputs.remove(value)
    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    for constant in graph.initializers.values():
        constant.metadata_props.clear()
        if constant.const_value is not None:
            constant.const_value.metadata_props.clear()
    for node in graph:
        node.name = None
        for output in node.outputs:
            if not output.is_graph_output():
                output.shape = output.type = None
    return model


def serialized(model: onnx_ir.Model) -> bytes:
    """A graph as its file holds it."""
    import onnx_ir as ir

    content: bytes = ir.to_proto(model).SerializeToString()
    return content


def agreements(folder: Path) -> Iterator[Agreement]:
    """Compare all installed runtimes, in the precisions that this processor has, in each direction, with torch in float32, on
    random features.

    Raises:
        BundleError: a float32 graph differs by more than :data:`TOLERANCE`. All graphs are removed.
    """
    config = read_config(folder)
    inputs = random_features(build_adapter(config.adapter).spec)
    reference = load_network(folder, config, "torch", "fp32")
    networks = [load_network(folder, config, *kind) for kind in installed_kinds() if kind != ("torch", "fp32")]
    for direction in (config.direction(each.source.name, each.target.name) for each in config.directions):
        wanted = [reference(x, direction) for x in inputs]
        for network in networks:
            errors = [network(x, direction) - y for x, y in zip(inputs, wanted, strict=True)]
            largest = max(float(np.abs(error).max()) for error in errors)
            scale = root_mean_square(wanted)
            found = Agreement(direction, network.runtime, network.precision, largest, root_mean_square(errors) / scale)
            if not (network.precision == "bf16" or largest <= TOLERANCE * scale):
                remove_graphs(folder)
                raise BundleError(
                    f"{graph_path(folder, direction)}: {network.runtime} differs from torch by {largest:.1e}; "
                    "the graphs are removed again, convert with `runtime=torch`, and report this"
                )
            yield found


def random_features(spec: FeatureSpec) -> list[FloatArray]:
    """Standard normal features (B, *shape, T), as normalised ones are, of all :data:`CHECKED` sizes."""
    random = np.random.default_rng(0)
    return [random.standard_normal((batch, *spec.shape, frames)).astype(np.float32) for batch, frames in CHECKED]


def root_mean_square(arrays: Sequence[FloatArray]) -> float:
    """Over the numbers of all arrays."""
    return float(np.sqrt(np.mean(np.concatenate([array.ravel() for array in arrays]).astype(np.float64) ** 2)))
