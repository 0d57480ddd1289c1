"""Shapes through graphs, beside those that ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hostile import chain, copied, spoilt, wide_for_a_moment
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from ways import way

from audiocycle.bundles.format import read_config
from audiocycle.bundles.library import model_folders
from audiocycle.bundles.runtimes import graph_memory, graph_shapes
from audiocycle.bundles.runtimes.graph_rules import OPERATORS, GraphError, read_model
from audiocycle.bundles.runtimes.graph_shapes import SHAPES, follow
from audiocycle.bundles.runtimes.graphs import Graphs
from audiocycle.errors import BundleError

PRETRAINED = model_folders()[-1]


def computed(model: onnx.ModelProto, features: np.ndarray) -> int:
    """How many numbers ONNX Runtime makes on the way."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    names = [name for node in model.graph.node for name in node.output]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return sum(made.size for made in session.run(None, {"features": features}))


def test_every_allowed_operator_is_followed() -> None:
    assert SHAPES.keys() == OPERATORS.keys()


@pytest.mark.parametrize(
    ("name", "shape", "pair"),
    [("rendered-voices", (36,), ("heart", "michael")), ("jazz-classic", (2, 84), ("jazz", "classic"))],
)
@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (3, 65), (2, 130)])
def test_graphs_of_the_package_cost_what_is_said(
    name: str, shape: tuple[int, ...], pair: tuple[str, str], batch: int, frames: int
) -> None:
    folder = PRETRAINED / name
    whole = Graphs(folder, read_config(folder)).model(way(*pair))
    made = computed(onnx.load_from_string(whole), np.zeros((batch, *shape, frames), np.float32))
    with pytest.MonkeyPatch.context() as patch:  # here weights lie in the graph
        patch.setattr("audiocycle.bundles.runtimes.graph_rules.MAX_BYTES", 1 << 30)
        assert follow(read_model(whole), (batch, *shape, frames)).elements == made


def alone(operator: str, inputs: list[np.ndarray], **attributes: Any) -> onnx.ModelProto:
    """A graph of one operation on features and constants."""
    names = [f"c{number}" for number in range(len(inputs))]
    node = helper.make_node(operator, ["features", *names], ["converted"], **attributes)
    constants = [numpy_helper.from_array(array, name) for name, array in zip(names, inputs, strict=True)]
    value = helper.make_tensor_value_info("features", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "alone", [value], [onnx.ValueInfoProto(name="converted")], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


small = st.integers(1, 3)


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, tuple[int, ...], list[np.ndarray], dict[str, Any]]:
    """An operator with features, constants and attributes that fit mostly."""
    batch, channels, rows, frames = draw(small), draw(small), draw(st.integers(1, 6)), draw(st.integers(1, 9))
    shape = (batch, channels, rows, frames)
    ints = lambda low, high, n: draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    place = {
        "kernel_shape": (kernel := ints(1, 4, 2)),
        "strides": ints(1, 3, 2),
        "dilations": ints(1, 2, 2),
        "pads": ints(0, 2, 4),
    }
    match draw(
        st.sampled_from(
            [
                "Conv",
                "ConvTranspose",
                "Slice",
                "Split",
                "Pad",
                "Reshape",
                "Transpose",
                "DepthToSpace",
                "Unsqueeze",
                "Add",
            ]
        )
    ):
        case "Conv":
            return "Conv", shape, [np.zeros((draw(small), channels, *kernel), np.float32)], place
        case "ConvTranspose":
            further = [min(n, stride - 1) for n, stride in zip(ints(0, 1, 2), place["strides"], strict=True)]
            return (
                "ConvTranspose",
                shape,
                [np.zeros((channels, draw(small), *kernel), np.float32)],
                place | {"output_padding": further},
            )
        case "Slice":
            parts = [ints(-9, 9, 2), ints(-9, 9, 2), draw(st.permutations([0, 1, 2, 3]))[:2], ints(1, 3, 2)]
            return "Slice", shape, [np.array(part, np.int64) for part in parts], {}
        case "Split":
            return "Split", (batch, channels, rows, 2 * frames), [], {"axis": 3, "num_outputs": 1}
        case "Pad":
            return (
                "Pad",
                shape,
                [np.array(ints(0, 3, 8), np.int64)],
                {"mode": draw(st.sampled_from(["edge", "reflect"]))},
            )
        case "Reshape":
            return (
                "Reshape",
                shape,
                [
                    np.array(
                        draw(st.sampled_from([[0, -1], [-1], [1, 0, 0, -1], [0, 0, -1, 1], [2, -1]])),
                        np.int64,
                    )
                ],
                {},
            )
        case "Transpose":
            return "Transpose", shape, [], {"perm": draw(st.permutations([0, 1, 2, 3]))}
        case "DepthToSpace":
            return "DepthToSpace", (batch, 4 * channels, rows, frames), [], {"blocksize": 2, "mode": "CRD"}
        case "Unsqueeze":
            return "Unsqueeze", shape, [np.array(ints(-5, 4, 1), np.int64)], {}
        case _:
            return (
                "Add",
                shape,
                [
                    np.zeros(
                        draw(st.sampled_from([(1,), (frames,), (rows, 1), (2, 1, 1, 1), (5, 1)])), np.float32
                    )
                ],
                {},
            )


@given(operations())
def test_single_operations_make_what_is_said(
    operation: tuple[str, tuple[int, ...], list[np.ndarray], dict[str, Any]],
) -> None:
    """What is followed has the library's shape; what the library refuses, we refuse (never the other way round)."""
    operator, shape, inputs, attributes = operation
    model = alone(operator, inputs, **attributes)
    followed = read_model(model.SerializeToString())
    values = [graph_shapes.Value(shape)]
    for tensor in followed.graph.initializer:
        array = graph_shapes.constant(tensor)
        values.append(
            graph_shapes.integers(array) if array.dtype == np.int64 else graph_shapes.Value(array.shape)
        )
    try:
        made = SHAPES[operator](values, graph_shapes.attributes_of(followed.graph.node[0]))[0].shape
    except (GraphError, ValueError, IndexError):
        return
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    assert session.run(None, {"features": np.zeros(shape, np.float32)})[0].shape == made


@pytest.mark.parametrize(
    ("operator", "numbers", "expected"),
    [("Div", (-7, 2), -3), ("Mod", (-7, 2), 1), ("Mul", (3, 4), 12), ("Max", (3, 4), 4)],
)
def test_integers_are_followed_by_value(operator: str, numbers: tuple[int, int], expected: int) -> None:
    made = SHAPES[operator]([graph_shapes.integers(np.int64(number)) for number in numbers], {})[0]
    assert made.numbers == expected


def test_what_is_made_of_features_is_no_shape() -> None:
    with pytest.raises(GraphError, match="depend on the features"):
        SHAPES["Reshape"]([graph_shapes.Value((2, 3)), graph_shapes.Value((2,))], {})


def test_the_limit_is_above_all_that_we_train() -> None:
    """``gated_212d`` at width 1 takes 3,782 numbers and 1.1 million products for each of its input."""
    assert graph_shapes.MOST.elements > 2 * 3_782
    assert graph_shapes.MOST.products > 2 * 1_101_773


@pytest.mark.parametrize(
    ("operator", "shape", "inputs", "attributes", "said"),
    [
        ("Pad", (2, 2, 2, 4), [np.array([0, 0, 2, 0, 0, 0, 0, 0])], {"mode": "reflect"}, "reflection of more"),
        ("Pad", (1, 1, 3, 4), [np.array([0, 0, 0, 0, 0, 0, 1, 4])], {"mode": "reflect"}, "reflection of more"),
        ("Pad", (1, 1, 2, 4), [np.array([0, 0, -1, 0, 0, 0, 0, 0])], {"mode": "edge"}, "does not fit"),
        ("Slice", (1, 1, 2, 4), [np.array([0, 0]), np.array([1, 2]), np.array([3, -1]), np.array([1, 1])], {}, "an axis twice"),
        ("ConvTranspose", (1, 1, 2, 4), [np.zeros((1, 1, 3, 3), np.float32)], {"strides": [2, 2], "output_padding": [1, 2]}, "a stride or more"),
        ("Mod", (1, 1, 2, 4), [np.ones(1, np.float32)], {"fmod": 0}, "numbers of a type"),
    ],
    ids=["a reflection of a whole side", "of a longer one", "a negative padding", "an axis twice", "output padding", "a remainder of floats"],
)  # fmt: skip
def test_what_libraries_would_find_only_when_they_compute_is_refused(
    operator: str, shape: tuple[int, ...], inputs: list[np.ndarray], attributes: dict[str, Any], said: str
) -> None:
    model = read_model(alone(operator, inputs, **attributes).SerializeToString())
    with pytest.raises(GraphError, match=said):
        follow(model, shape)


def test_what_is_alive_at_a_time_has_a_limit(tmp_path: Path) -> None:
    """4,000 times 31 s of features are fewer numbers than our networks make of them on the way, one after the other."""
    bundle = copied(tmp_path / "model")
    path = spoilt(bundle, wide_for_a_moment)
    graph = Graphs(bundle, read_config(bundle))  # it is small enough for few frames
    graph.check_size(way("jazz", "classic"), (1, 2, 84, 128))
    with pytest.raises(BundleError, match=f"{path}: .*takes more memory or time than any network of ours"):
        graph.check_size(way("jazz", "classic"), (16, 2, 84, 384))


def test_what_nothing_reads_any_more_is_not_alive() -> None:
    model = read_model(chain(20).SerializeToString())
    alive = graph_memory.Alive(model.graph, 10)
    for node in model.graph.node:
        assert alive.made(node, [10])
        assert alive.bytes == 4 * 10


def test_what_is_made_of_weights_is_kept_throughout() -> None:
    model = read_model(chain(3, first="weights").SerializeToString())
    alive = graph_memory.Alive(model.graph, 10)
    for number, node in enumerate(model.graph.node, 1):
        alive.made(node, [10])
        assert alive.bytes == 4 * 10 * (1 + number)


def test_the_limit_of_memory_is_above_all_that_we_train() -> None:
    """``gated_212d`` at width 1 takes 0.40 GB for 31 s of sound."""
    assert graph_memory.MAX_ALIVE_BYTES > 2 * 0.40e9
