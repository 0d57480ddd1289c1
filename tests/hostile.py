"""Bundles whose graphs are made to do harm, from one that does none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from ways import way

from audiocycle.bundles.library import model_folders
from audiocycle.bundles.runtimes.graphs import graph_path

MUSIC = model_folders()[-1] / "jazz-classic"
Spoil = Callable[[onnx.ModelProto], None]


def copied(folder: Path) -> Path:
    """A copy of the pretrained bundle of MIDI files, to be spoilt."""
    folder.mkdir()
    for path in MUSIC.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def spoilt(folder: Path, spoil: Spoil) -> Path:
    """Change the graph of a direction, with its seal as it was; where it lies."""
    path = graph_path(folder, way("jazz", "classic"))
    model = onnx.load(path, load_external_data=False)
    spoil(model)
    path.write_bytes(model.SerializeToString())
    return path


def external(model: onnx.ModelProto) -> onnx.TensorProto:
    """One of its tensors that lie in the weights."""
    return next(tensor for tensor in model.graph.initializer if tensor.data_location == TensorProto.EXTERNAL)


def lying(key: str, value: str) -> Spoil:
    """With a tensor that lies elsewhere."""

    def spoil(model: onnx.ModelProto) -> None:
        entries = external(model).external_data
        next(entry for entry in entries if entry.key == key).value = value

    return spoil


def at_end(operator: str, *further: str, domain: str = "", **attributes: object) -> Spoil:
    """With one more operation before the output."""

    def spoil(model: onnx.ModelProto) -> None:
        last = next(node for node in model.graph.node if "converted" in node.output)
        last.output[:] = ["before"]
        model.graph.node.append(
            helper.make_node(operator, ["before", *further], ["converted"], domain=domain, **attributes)
        )

    return spoil


def with_constant(name: str, array: np.ndarray, then: Spoil) -> Spoil:
    """With a constant that ``then`` may use."""

    def spoil(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(numpy_helper.from_array(array, name))
        then(model)

    return spoil


def body() -> onnx.GraphProto:
    """A graph within a graph."""
    value = helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)
    return helper.make_graph([helper.make_node("Identity", ["features"], ["inner"])], "body", [], [value])


def doubling(model: onnx.ModelProto) -> None:
    """Forty operations, each of which doubles its input: 2 ** 40 times as much at the end."""
    last = next(node for node in model.graph.node if "converted" in node.output)
    last.output[:] = ["d0"]
    for number in range(40):
        model.graph.node.append(helper.make_node("Concat", [f"d{number}"] * 2, [f"d{number + 1}"], axis=1))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "zero"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "two"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    model.graph.node.append(helper.make_node("Slice", ["d40", "zero", "two", "one", "one"], ["converted"]))


def wide_for_a_moment(model: onnx.ModelProto) -> None:
    """4,000 times the input: fewer numbers than networks make on the way, but all at the same time."""
    last = next(node for node in model.graph.node if "converted" in node.output)
    last.output[:] = ["w0"]
    for number, times in enumerate((10, 10, 10, 4)):
        model.graph.node.append(
            helper.make_node("Concat", [f"w{number}"] * times, [f"w{number + 1}"], axis=1)
        )
    for name, number in (("zero", 0), ("two", 2), ("one", 1)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([number], np.int64), name))
    model.graph.node.append(helper.make_node("Slice", ["w4", "zero", "two", "one", "one"], ["converted"]))


def outer(model: onnx.ModelProto) -> None:
    """Frames times frames, by broadcasting: 16 GiB for a song."""
    constants = {"wide": [1, 1, 1, -1], "tall": [1, 1, -1, 1]}
    for name, shape in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
        model.graph.node.append(helper.make_node("Reshape", ["features", name], [f"{name}.features"]))
    model.graph.node.append(helper.make_node("Mul", ["wide.features", "tall.features"], ["square"]))


def chain(length: int, first: str = "features") -> onnx.ModelProto:
    """A graph of operations one after the other, from the features or from weights on."""
    names = [first, *(f"r{n}" for n in range(1, length)), "converted"]
    nodes = [helper.make_node("Relu", [given], [made]) for given, made in pairwise(names)]
    value = helper.make_tensor_value_info("features", TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(np.zeros(10, np.float32), "weights")]
    graph = helper.make_graph(nodes, "chain", [value], [onnx.ValueInfoProto(name="converted")], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def remainder_of_floats(model: onnx.ModelProto) -> None:
    """What ONNX has not, and ONNX Runtime finds only when it computes."""
    two = np.array(2.0, np.float32)
    with_constant("two", two, at_end("Mod", "two", fmod=0))(model)


def large_constant(model: onnx.ModelProto) -> None:
    """One megabyte in the graph itself."""
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(250_000, np.float32), "large"))


def another_input(model: onnx.ModelProto) -> None:
    """A graph that wants more than features."""
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def another_output(model: onnx.ModelProto) -> None:
    """A graph that gives more than features."""
    model.graph.output.append(helper.make_tensor_value_info("before", TensorProto.FLOAT, None))


def a_function(model: onnx.ModelProto) -> None:
    """An operator that the graph defines itself."""
    opset = [helper.make_opsetid("", 20)]
    model.functions.append(
        helper.make_function(
            "mine", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], opset
        )
    )


def a_sparse_tensor(model: onnx.ModelProto) -> None:
    """Tensors of a kind that we never write."""
    values = helper.make_tensor("values", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("indices", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [10**9]))


def strings(model: onnx.ModelProto) -> None:
    """A tensor of text."""
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"word"]))


def another_opset(model: onnx.ModelProto) -> None:
    """Operators of a library's own."""
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def many_nodes(model: onnx.ModelProto) -> None:
    """More operations than any network has."""
    for number in range(6000):
        model.graph.node.append(helper.make_node("Relu", ["features"], [f"n{number}"]))


def endless_padding(model: onnx.ModelProto) -> None:
    """As many frames as memory holds, computed in the graph."""
    pads = [0, 0, 0, 0, 0, 0, 0, 1 << 20]
    with_constant("pads", np.array(pads, np.int64), at_end("Pad", "pads", mode="edge"))(model)


def multiplied_padding(model: onnx.ModelProto) -> None:
    """Likewise, with numbers that are small in the file."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([0] * 7 + [1 << 30], np.int64), "p0"))
    for number in range(3):
        model.graph.node.append(helper.make_node("Mul", [f"p{number}"] * 2, [f"p{number + 1}"]))
    at_end("Pad", "p3", mode="edge")(model)


HOSTILE: dict[str, tuple[Spoil, str]] = {
    "another file": (lying("location", "secret.bin"), "lies elsewhere"),
    "absolute": (lying("location", "/etc/hostname"), "lies elsewhere"),
    "above": (lying("location", "../model.safetensors"), "lies elsewhere"),
    "same by another name": (lying("location", "./model.safetensors"), "lies elsewhere"),
    "memory": (lying("location", "*/_ORT_MEM_ADDR_/*"), "lies elsewhere"),
    "beyond the end": (lying("offset", "2727260"), "does not lie within"),
    "far beyond": (lying("offset", "18446744073709551615"), "lies elsewhere"),
    "negative": (lying("offset", "-8"), "lies elsewhere"),
    "other digits": (lying("offset", "٣"), "lies elsewhere"),
    "too long": (lying("length", "999999"), "does not lie within"),
    "no length": (lambda model: external(model).external_data.pop(), "lies elsewhere"),
    "a checksum more": (
        lambda model: external(model).external_data.add(key="checksum", value="0"),
        "lies elsewhere",
    ),
    "larger than its shape": (lambda model: external(model).dims.__setitem__(0, 1 << 40), "type or shape"),
    "negative side": (lambda model: external(model).dims.__setitem__(0, -32), "type or shape"),
    "if": (
        with_constant("yes", np.array(True), at_end("If", then_branch=body(), else_branch=body())),
        "holds what no exported",
    ),
    "loop": (at_end("Loop", body=body()), "holds what no exported"),
    "scan": (at_end("Scan", body=body(), num_scan_inputs=1), "holds what no exported"),
    "custom domain": (
        at_end("Gelu", domain="com.microsoft"),
        r"operator com\.microsoft\.Gelu is not allowed",
    ),
    "expand": (
        with_constant("huge", np.array([1 << 20] * 4, np.int64), at_end("Expand", "huge")),
        "operator Expand is not allowed",
    ),
    "constant of shape": (
        with_constant("huge", np.array([1 << 30], np.int64), at_end("ConstantOfShape", "huge")),
        "ConstantOfShape is not allowed",
    ),
    "an operator with an escape": (at_end("\x1b]0;x\x07"), r"operator \? is not allowed"),
    "large constant": (large_constant, "larger than 64 KiB"),
    "large number": (
        with_constant("n", np.array([1 << 62], np.int64), lambda model: None),
        "numbers out of range",
    ),
    "not a number": (
        with_constant("n", np.array([np.nan], np.float32), lambda model: None),
        "numbers out of range",
    ),
    "another input": (another_input, "its only input has to be features"),
    "another output": (another_output, "its only output converted"),
    "a function": (a_function, r"holds what no exported graph does \(Model field 25\)"),
    "a sparse tensor": (a_sparse_tensor, r"\(Graph field 15\)"),
    "text": (strings, r"\(Tensor field 6\)"),
    "another operator set": (another_opset, "operator set"),
    "many operations": (many_nodes, "more than 5000 operations"),
    "doubling": (doubling, "takes more memory"),
    "outer product": (outer, "takes more memory"),
    "padding": (endless_padding, "takes more memory|another shape"),
    "multiplied padding": (multiplied_padding, "too large"),
    "wide dilation": (
        at_end("Conv", "inlet.0.weight.float", dilations=[1 << 40, 1]),
        "attribute of Conv is not allowed",
    ),
    "an attribute more": (at_end("Relu", alpha=1.0), "attribute of Relu is not allowed"),
    "an attribute less": (at_end("Concat"), "do not fit together, in Concat"),
    "a block less": (at_end("DepthToSpace"), "do not fit together, in DepthToSpace"),
    "a value twice": (lambda model: model.graph.node.append(model.graph.node[0]), "made twice"),
    "a value from nowhere": (at_end("Add", "nowhere"), "values that are not there"),
    "another shape": (
        with_constant("shape", np.array([0, 2, 42, -1], np.int64), at_end("Reshape", "shape")),
        "another shape than features",
    ),
    "an older ONNX": (lambda model: setattr(model, "ir_version", 3), "IR version 3"),
    "a remainder of floats": (remainder_of_floats, "numbers of a type that it has not"),
    "nothing": (lambda model: model.graph.ClearField("node"), "nothing makes converted"),
}
"""Name: how to spoil a graph, and what is said of it."""
