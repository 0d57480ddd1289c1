"""What a graph may hold: only what :mod:`audiocycle.bundles.export` writes, in bounded sizes.

A graph is a program, and the libraries that run it trust it: a tensor may name any file as the place of its numbers, or an
address in memory; loops run for ever; operators allocate what they are told to. So a graph of a stranger's bundle is read here
first, and what it may do is listed. :mod:`audiocycle.bundles.runtimes.graph_shapes` then follows the sizes through it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from audiocycle.bundles.format import WEIGHTS
from audiocycle.bundles.runtimes.onnx_messages import (
    A_FLOAT,
    A_STRING,
    AN_INT,
    EXTERNAL,
    FLOAT16,
    FLOAT32,
    INT64,
    INTS,
    message,
    surplus,
)

INPUT, OUTPUT = "features", "converted"
MAX_BYTES = 4 << 20
"""Of a graph's file: without weights, those of the widest networks take some 100 kB."""
MAX_NODES, MAX_TENSORS = 5_000, 5_000
MAX_EMBEDDED = 64 << 10
"""Bytes of a tensor that lies in the graph itself: shapes, and the constant ones and zeros of norms."""
MAX_RANK, MAX_SIDE = 6, 1 << 24
MAX_NUMBER = 1 << 31
"""Of the integers in a graph, either way."""
IR_VERSIONS, OPSETS = range(8, 14), range(18, 25)
"""Of ONNX. The exporters that we support write 10, and 18 or 20; the operators below mean the same in all of these."""
SIZES = {FLOAT32: 4, FLOAT16: 2, INT64: 8}
NAME = re.compile(r"[\w.:/-]{1,200}", re.ASCII)


class GraphError(Exception):
    """What is wrong with a graph, in a few words; whoever knows its file says more."""


@dataclass(frozen=True)
class Integer:
    """An attribute that is a number, or a few, from ``low`` to ``high``."""

    low: int
    high: int
    several: bool = False

    def allows(self, attribute: Any) -> bool:
        """Whether the attribute is of this type and in this range."""
        numbers = attribute.ints if self.several else [attribute.i]
        return (
            attribute.type == (INTS if self.several else AN_INT)
            and len(numbers) <= 2 * MAX_RANK
            and all(self.low <= n <= self.high for n in numbers)
        )


@dataclass(frozen=True)
class Real:
    """An attribute that is a finite number."""

    def allows(self, attribute: Any) -> bool:
        """Whether the attribute is one."""
        return attribute.type == A_FLOAT and math.isfinite(attribute.f)


@dataclass(frozen=True)
class Word:
    """An attribute that is one of these words."""

    words: tuple[bytes, ...]

    def allows(self, attribute: Any) -> bool:
        """Whether the attribute is one of them."""
        return attribute.type == A_STRING and attribute.s in self.words


@dataclass(frozen=True)
class Operator:
    """How many inputs an operator may have, and which attributes."""

    inputs: range
    attributes: dict[str, Integer | Real | Word]


AXIS = Integer(-MAX_RANK, MAX_RANK)
CONVOLUTION: dict[str, Integer | Real | Word] = {
    "auto_pad": Word((b"NOTSET",)), "dilations": Integer(1, 64, True), "group": Integer(1, 4096), "kernel_shape": Integer(1, 128, True),
    "pads": Integer(0, 128, True), "strides": Integer(1, 16, True),
}  # fmt: skip
ONE, TWO = range(1, 2), range(2, 3)
OPERATORS = {
    **{name: Operator(TWO, {}) for name in ("Add", "Sub", "Mul", "Div", "Max")},
    **{name: Operator(ONE, {}) for name in ("Relu", "Sigmoid")},
    "Cast": Operator(ONE, {"to": Integer(FLOAT32, FLOAT32)}),
    "Concat": Operator(range(1, 2 * MAX_RANK + 1), {"axis": AXIS}),
    "Conv": Operator(range(2, 4), CONVOLUTION),
    "ConvTranspose": Operator(range(2, 4), CONVOLUTION | {"output_padding": Integer(0, 16, True)}),
    "DepthToSpace": Operator(ONE, {"blocksize": Integer(1, 16), "mode": Word((b"CRD", b"DCR"))}),
    "InstanceNormalization": Operator(range(3, 4), {"epsilon": Real()}),
    "LeakyRelu": Operator(ONE, {"alpha": Real()}),
    "Mod": Operator(TWO, {"fmod": Integer(0, 0)}),
    "Pad": Operator(TWO, {"mode": Word((b"edge", b"reflect"))}),
    "Reshape": Operator(TWO, {"allowzero": Integer(0, 1)}),
    "Shape": Operator(ONE, {"start": AXIS, "end": AXIS}),
    "Slice": Operator(range(5, 6), {}),
    "Split": Operator(ONE, {"axis": AXIS, "num_outputs": Integer(1, 64)}),
    "Squeeze": Operator(range(1, 3), {}),
    "Transpose": Operator(ONE, {"perm": Integer(0, MAX_RANK, True)}),
    "Unsqueeze": Operator(TWO, {}),
}
"""All that the exports of our generators are made of (``tests/bundles/test_export.py`` exports each of them)."""


def read_model(content: bytes) -> Any:
    """A file's content as a ``Model``, of which all is understood.

    Raises:
        GraphError: it is not one, or holds something else beside.
    """
    if len(content) > MAX_BYTES:
        raise GraphError(f"more than {MAX_BYTES >> 20} MiB")
    try:
        model = message("Model").FromString(content)
        beyond = surplus(model)
    except DecodeError as error:
        raise GraphError("cut off, or not an ONNX graph") from error
    if beyond:
        raise GraphError(f"holds what no exported graph does ({beyond})")
    return model


def check_model(model: Any, shape: tuple[int, ...], weights: int) -> None:
    """Hold a model to what an exported graph is.

    Args:
        shape: of the features, without batch and frames.
        weights: bytes of the file that external data may lie in.

    Raises:
        GraphError: something in it is not allowed.
    """
    if model.ir_version not in IR_VERSIONS:
        raise GraphError(f"ONNX IR version {model.ir_version}")
    if [(each.domain, each.version in OPSETS) for each in model.opset_import] != [("", True)]:
        raise GraphError("an operator set that is not ONNX's own, or too old or too new")
    graph = model.graph
    if len(graph.node) > MAX_NODES or len(graph.initializer) > MAX_TENSORS:
        raise GraphError(f"more than {MAX_NODES} operations or {MAX_TENSORS} tensors")
    for values, name in ((graph.input, INPUT), (graph.output, OUTPUT)):
        if [value.name for value in values] != [name]:
            raise GraphError(f"its only input has to be {INPUT}, its only output {OUTPUT}")
        check_features(values[0], shape)
    names = {INPUT}
    for tensor in graph.initializer:
        check_tensor(tensor, weights)
        add_names([tensor.name], names)
    for node in graph.node:
        check_node(node, names)
        add_names(node.output, names)
    if OUTPUT not in names:
        raise GraphError(f"nothing makes {OUTPUT}")


def check_features(value: Any, shape: tuple[int, ...]) -> None:
    """Input and output are (batch, \\*shape, frames) of float32.

    Raises:
        GraphError: they are not.
    """
    kind = value.type.tensor_type
    sides = [side.dim_value if side.HasField("dim_value") else None for side in kind.shape.dim]
    if kind.elem_type != FLOAT32 or sides != [None, *shape, None]:
        raise GraphError(f"{value.name} is not float32 of (batch, {', '.join(map(str, shape))}, frames)")


def add_names(new: Iterable[str], names: set[str]) -> None:
    """Names of values, each of which is made once.

    Raises:
        GraphError: one is there already, or is none.
    """
    for name in new:
        if not NAME.fullmatch(name) or name in names:
            raise GraphError("a value that is made twice, or has no proper name")
        names.add(name)


def check_node(node: Any, names: Collection[str]) -> None:
    """An operation that is allowed, with attributes in their ranges, of values that are there.

    Raises:
        GraphError: it is not.
    """
    operator = OPERATORS.get(node.op_type)
    if operator is None or node.domain:
        full = f"{node.domain}.{node.op_type}".strip(".")
        raise GraphError(f"the operator {full if NAME.fullmatch(full) else '?'} is not allowed")
    if len(node.input) not in operator.inputs or not all(name in names for name in node.input):
        raise GraphError(f"{node.op_type} of values that are not there")
    given = [attribute.name for attribute in node.attribute]
    if len(set(given)) < len(given):
        raise GraphError(f"{node.op_type} with an attribute twice")
    if not 1 <= len(node.output) <= (64 if node.op_type == "Split" else 1):
        raise GraphError(f"{node.op_type} with {len(node.output)} outputs")
    for attribute in node.attribute:
        rule = operator.attributes.get(attribute.name)
        if rule is None or not rule.allows(attribute):
            known = attribute.name if rule else "an unknown one"
            raise GraphError(f"an attribute of {node.op_type} is not allowed, or out of its range ({known})")


def check_tensor(tensor: Any, weights: int) -> None:
    """A constant in the graph, or one that lies in the bundle's weights.

    Raises:
        GraphError: another place, another size than its shape says, or beyond the bounds.
    """
    kind, sides = tensor.data_type, list(tensor.dims)
    if kind not in SIZES or len(sides) > MAX_RANK or not all(1 <= side <= MAX_SIDE for side in sides):
        raise GraphError("a tensor of a type or shape that is not allowed")
    size = math.prod(sides) * SIZES[kind]
    if tensor.data_location == EXTERNAL:
        offset, length = external_place(tensor)
        if kind == INT64 or tensor.raw_data or length != size or offset + length > weights:
            raise GraphError(f"a tensor that does not lie within {WEIGHTS} as its shape says")
        return
    if (
        tensor.data_location
        or tensor.external_data
        or len(tensor.raw_data) != size
        or size > MAX_EMBEDDED
        or kind == FLOAT16
    ):
        raise GraphError(
            f"a constant that is not as large as its shape says, or larger than {MAX_EMBEDDED >> 10} KiB"
        )
    numbers = constant(tensor)
    if not np.isfinite(numbers).all() or (
        kind == INT64 and ((numbers < -MAX_NUMBER) | (numbers > MAX_NUMBER)).any()
    ):
        raise GraphError("a constant with numbers out of range")


def external_place(tensor: Any) -> tuple[int, int]:
    """(offset, length) in bytes of a tensor in the bundle's weights.

    Raises:
        GraphError: it lies elsewhere.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    numbers = [entries.get(key, "") for key in ("offset", "length")]
    if (
        len(tensor.external_data) != 3
        or entries.get("location") != WEIGHTS
        or not all(re.fullmatch("[0-9]{1,15}", text) for text in numbers)
    ):
        raise GraphError(f"a tensor that lies elsewhere than in {WEIGHTS}")
    offset, length = map(int, numbers)
    return offset, length


def constant(tensor: Any) -> Any:
    """A constant in the graph as an array."""
    return np.frombuffer(tensor.raw_data, "<i8" if tensor.data_type == INT64 else "<f4").reshape(
        list(tensor.dims)
    )


def with_weights(model: Any, weights: bytes) -> bytes:
    """A model that was checked, written anew, with its weights inside: a library that reads it opens no file.

    What plays no part in the numbers (names of operations, remarks, what is said of shapes inside) is left out.

    Raises:
        GraphError: larger than protobuf can hold.
    """
    made = message("Model")(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = made.graph
    graph.name = "network"
    for value, kept in (
        (model.graph.input[0], graph.input.add()),
        (model.graph.output[0], graph.output.add()),
    ):
        kept.name = value.name
        kept.type.CopyFrom(value.type)
    for node in model.graph.node:
        written = graph.node.add(
            op_type=node.op_type, input=node.input, output=node.output, attribute=node.attribute
        )
        for attribute in written.attribute:
            attribute.ClearField("doc_string")
    for tensor in model.graph.initializer:
        kept = graph.initializer.add(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
        if tensor.data_location == EXTERNAL:
            offset, length = external_place(tensor)
            kept.raw_data = weights[offset : offset + length]
        else:
            kept.raw_data = tensor.raw_data
    try:
        content: bytes = made.SerializeToString()
    except ValueError as error:
        raise GraphError("more than 2 GiB of weights") from error
    return content
