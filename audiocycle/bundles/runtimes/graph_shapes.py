"""How large everything in a graph becomes for an input of a given size, before a library computes it.

Each operator of :mod:`audiocycle.bundles.runtimes.graph_rules` is followed by shape. Shapes are computed inside graphs, too (how much to
pad): integers are therefore followed by value. So a graph that would take more memory or time than any network of ours, at
this size or at another, is refused and not run, and so is one whose shapes do not fit together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audiocycle.bundles.runtimes.graph_memory import Alive
from audiocycle.bundles.runtimes.graph_rules import INPUT, MAX_RANK, OUTPUT, GraphError, constant
from audiocycle.bundles.runtimes.onnx_messages import A_FLOAT, AN_INT, FLOAT32, INT64, INTS

MAX_FOLLOWED = 64
"""Integers of one value: shapes, and what is made of them."""
FURTHEST = 1 << 31
"""Of their size: products of two fit into 64 bits, where libraries wrap or saturate."""


@dataclass(frozen=True)
class Value:
    """What is known of a value: its shape, its type, and the integers in it."""

    shape: tuple[int, ...]
    kind: int = FLOAT32
    numbers: Any = None

    def __post_init__(self) -> None:
        if len(self.shape) > MAX_RANK or any(side < 1 for side in self.shape):
            raise GraphError("shapes that do not fit together")

    @property
    def elements(self) -> int:
        """How many."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Work:
    """What an input costs: numbers that are made on the way, and products of convolutions."""

    elements: int
    products: int


MOST = Work(10_000, 10_000_000)
"""For each number of the input: nearly three times of what our widest preset takes (3,782 and 1.1 million, ``gated_212d``)."""
LEAST_FRAMES = 128
"""Shorter inputs are padded in graphs, and may cost as much as this many frames."""
Attributes = Mapping[str, Any]


def follow(model: Any, shape: tuple[int, ...]) -> Work:
    """What a checked model costs for an input (B, \\*shape, T).

    Raises:
        GraphError: shapes do not fit together, or it costs more than :data:`MOST` allows, or takes more memory at a time than
            :data:`~audiocycle.bundles.runtimes.graph_memory.MAX_ALIVE_BYTES`.
    """
    values = {INPUT: Value(shape)}
    numbers_in = math.prod(shape[:-1]) * max(shape[-1], LEAST_FRAMES)
    weights = sum(math.prod(tensor.dims) for tensor in model.graph.initializer)  # which may be cast
    most = Work(MOST.elements * numbers_in + weights, MOST.products * numbers_in)
    for tensor in model.graph.initializer:
        numbers = constant(tensor) if tensor.data_type == INT64 else None
        values[tensor.name] = (
            integers(numbers) if numbers is not None else Value(tuple(tensor.dims), tensor.data_type)
        )
    elements = products = 0
    alive = Alive(model.graph, values[INPUT].elements)
    for node in model.graph.node:
        given = [values[name] for name in node.input]
        try:
            made = SHAPES[node.op_type](given, attributes_of(node))
            elements += sum(value.elements for value in made)
            products += products_of(node.op_type, given, made)
        except (
            ValueError,
            IndexError,
            KeyError,
            ZeroDivisionError,
            TypeError,
        ) as error:  # KeyError: an attribute is missing
            raise GraphError(f"shapes that do not fit together, in {node.op_type}") from error
        if len(made) != len(node.output):
            raise GraphError(f"{node.op_type} with {len(node.output)} outputs")
        within = alive.made(node, [value.elements for value in made])
        if not within or elements > most.elements or products > most.products:
            raise GraphError(
                f"an input of {' x '.join(map(str, shape))} takes more memory or time than any network of ours"
            )
        values.update(zip(node.output, made, strict=True))
    if (values[OUTPUT].shape, values[OUTPUT].kind) != (shape, FLOAT32):
        raise GraphError(f"{OUTPUT} has another shape than {INPUT}")
    return Work(elements, products)


def attributes_of(node: Any) -> dict[str, Any]:
    """By name."""
    pick = {A_FLOAT: "f", AN_INT: "i", INTS: "ints"}
    return {each.name: getattr(each, pick.get(each.type, "s")) for each in node.attribute}


def integers(numbers: Any) -> Value:
    """A value whose integers are followed.

    Raises:
        GraphError: too many, or too large.
    """
    array = np.asarray(numbers, np.int64)
    if array.size > MAX_FOLLOWED or (np.abs(array) > FURTHEST).any():
        raise GraphError("too many integers, or too large ones")
    return Value(array.shape, INT64, array)


def known(value: Value) -> list[int]:
    """The integers of a value (N,), or of a single number.

    Raises:
        GraphError: they depend on the features.
    """
    if value.numbers is None or value.numbers.ndim > 1:
        raise GraphError("shapes that depend on the features")
    return [int(number) for number in np.atleast_1d(value.numbers)]


def axis_of(number: int, rank: int) -> int:
    """An axis that may be counted from the end.

    Raises:
        GraphError: there is none.
    """
    if not -rank <= number < rank:
        raise GraphError("an axis that is not there")
    return number % rank


def same(given: Sequence[Value], _: Attributes) -> list[Value]:
    """Operators on each number."""
    return [floats(given[0])]


def floats(value: Value) -> Value:
    """A value of float32.

    Raises:
        GraphError: it is something else.
    """
    if value.kind != FLOAT32:
        raise GraphError("an operator on numbers of a type that it has not")
    return value


def cast(given: Sequence[Value], _: Attributes) -> list[Value]:
    """To float32."""
    return [Value(given[0].shape)]


def together(compute: Callable[[Any, Any], Any]) -> Callable[[Sequence[Value], Attributes], list[Value]]:
    """Operators on pairs of numbers, broadcast."""

    def shape(given: Sequence[Value], _: Attributes) -> list[Value]:
        first, second = given
        if first.kind != second.kind or first.kind not in (FLOAT32, INT64):
            raise GraphError("numbers of two types together")
        if first.kind == INT64:
            return [integers(compute(first.numbers, second.numbers))]
        return [Value(np.broadcast_shapes(first.shape, second.shape))]

    return shape


def of_integers(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """The remainder, which ONNX has of floats only with another sign (``fmod``)."""
    if any(value.kind != INT64 for value in given):
        raise GraphError("an operator on numbers of a type that it has not")
    return together(remainder)(given, attributes)


def truncated(first: Any, second: Any) -> Any:
    """ONNX divides integers towards zero."""
    if (second == 0).any():
        raise ZeroDivisionError
    return np.sign(first) * np.sign(second) * (np.abs(first) // np.abs(second))


def remainder(first: Any, second: Any) -> Any:
    """Of integers: ONNX takes the sign of the divisor, as numpy does."""
    if (second == 0).any():
        raise ZeroDivisionError
    return np.mod(first, second)


def concat(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """Side by side along an axis."""
    axis = axis_of(attributes["axis"], len(given[0].shape))
    if (
        len({value.kind for value in given}) > 1
        or len({value.shape[:axis] + value.shape[axis + 1 :] for value in given}) > 1
    ):
        raise GraphError("parts that do not fit together")
    if given[0].kind == INT64:
        return [integers(np.concatenate([value.numbers for value in given], axis))]
    sides = list(floats(given[0]).shape)
    sides[axis] = sum(value.shape[axis] for value in given)
    return [Value(tuple(sides))]


def shape_of(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """The sides of a value, as integers."""
    sides = given[0].shape
    return [
        integers(np.asarray(sides[attributes.get("start", 0) : attributes.get("end", len(sides))], np.int64))
    ]


def reshape(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """As many numbers in another shape; 0 keeps a side, -1 is what remains."""
    value, wanted = given[0], known(given[1])
    if not attributes.get("allowzero", 0):
        wanted = [value.shape[place] if side == 0 else side for place, side in enumerate(wanted)]
    if -1 in wanted:
        rest = math.prod(side for side in wanted if side != -1)
        wanted[wanted.index(-1)] = value.elements // rest
    if math.prod(wanted) != value.elements:
        raise GraphError("a shape that does not hold its numbers")
    return [reshaped(value, wanted)]


def reshaped(value: Value, sides: Sequence[int]) -> Value:
    """A value in another shape of as many numbers."""
    return Value(tuple(sides), value.kind, None if value.numbers is None else value.numbers.reshape(sides))


def cut(given: Sequence[Value], _: Attributes) -> list[Value]:
    """Part of each of some axes, forwards."""
    value, starts, ends, axes, steps = given[0], *map(known, given[1:])
    parts = [slice(None)] * len(value.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 1:
            raise GraphError("a slice backwards")
        place = axis_of(axis, len(value.shape))
        if parts[place] != slice(None):
            raise GraphError("an axis twice")
        parts[place] = slice(start, end, step)
    sides = tuple(len(range(*part.indices(side))) for part, side in zip(parts, value.shape, strict=True))
    return [Value(sides, value.kind, None if value.numbers is None else value.numbers[tuple(parts)])]


def split(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """Equal parts along an axis, the last one perhaps shorter."""
    value, count = floats(given[0]), attributes["num_outputs"]
    axis = axis_of(attributes.get("axis", 0), len(value.shape))
    side, each = value.shape[axis], -(-value.shape[axis] // count)
    lengths = [each] * (count - 1) + [side - each * (count - 1)]
    return [Value((*value.shape[:axis], length, *value.shape[axis + 1 :])) for length in lengths]


def squeeze(given: Sequence[Value], _: Attributes) -> list[Value]:
    """Without sides of 1."""
    value = given[0]
    named = (
        known(given[1]) if len(given) > 1 else [place for place, side in enumerate(value.shape) if side == 1]
    )
    gone = {axis_of(axis, len(value.shape)) for axis in named}
    if any(value.shape[axis] != 1 for axis in gone):
        raise GraphError("a squeeze of a side that is not 1")
    return [reshaped(value, [side for place, side in enumerate(value.shape) if place not in gone])]


def unsqueeze(given: Sequence[Value], _: Attributes) -> list[Value]:
    """With sides of 1 at some places."""
    value, axes = given[0], known(given[1])
    rank = len(value.shape) + len(axes)
    new = {axis_of(axis, rank) for axis in axes}
    if len(new) < len(axes):
        raise GraphError("an axis twice")
    rest = iter(value.shape)
    return [reshaped(value, [1 if place in new else next(rest) for place in range(rank)])]


def transpose(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """The axes in another order."""
    value, order = floats(given[0]), list(attributes.get("perm", []))
    if sorted(order) != list(range(len(value.shape))):
        raise GraphError("an order of axes that is none")
    return [Value(tuple(value.shape[place] for place in order))]


def pad(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """More at the edges."""
    value, widths, rank = floats(given[0]), known(given[1]), len(given[0].shape)
    if len(widths) != 2 * rank or min(widths) < 0:
        raise GraphError("a padding that does not fit")
    if attributes.get("mode") != b"edge" and any(
        width >= side for width, side in zip(widths, value.shape * 2, strict=True) if width
    ):
        raise GraphError("a reflection of more than there is")
    return [
        Value(
            tuple(
                side + before + after
                for side, before, after in zip(value.shape, widths[:rank], widths[rank:], strict=True)
            )
        )
    ]


def convolution(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """Kernels moved over (N, C, *sides)."""
    value, weight, kernel, strides, dilations, pads, group = convolved(given, attributes)
    if value.shape[1] != weight.shape[1] * group or weight.shape[0] % group:
        raise GraphError("a convolution of other channels than there are")
    check_bias(given, weight.shape[0])
    spans = [
        side + pads[i] + pads[i + len(kernel)] - dilations[i] * (kernel[i] - 1) - 1
        for i, side in enumerate(value.shape[2:])
    ]
    if min(spans) < 0:
        raise GraphError("a kernel that is larger than what it is moved over")
    return [
        Value(
            (
                value.shape[0],
                weight.shape[0],
                *(span // stride + 1 for span, stride in zip(spans, strides, strict=True)),
            )
        )
    ]


def transposed_convolution(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """The transpose of that."""
    value, weight, kernel, strides, dilations, pads, group = convolved(given, attributes)
    further = list(attributes.get("output_padding", [0] * len(kernel)))
    if value.shape[1] != weight.shape[0] or value.shape[1] % group or len(further) != len(kernel):
        raise GraphError("a convolution of other channels than there are")
    if any(more >= stride for more, stride in zip(further, strides, strict=True)):
        raise GraphError("an output padding of a stride or more")
    check_bias(given, weight.shape[1] * group)
    sides = [
        strides[i] * (side - 1)
        + further[i]
        + (kernel[i] - 1) * dilations[i]
        + 1
        - pads[i]
        - pads[i + len(kernel)]
        for i, side in enumerate(value.shape[2:])
    ]
    return [Value((value.shape[0], weight.shape[1] * group, *sides))]


def convolved(
    given: Sequence[Value], attributes: Attributes
) -> tuple[Value, Value, list[int], list[int], list[int], list[int], int]:
    """Input, weight, kernel, strides, dilations, pads and groups of a convolution."""
    value, weight = floats(given[0]), floats(given[1])
    kernel, n = list(weight.shape[2:]), len(weight.shape) - 2
    strides, dilations = (list(attributes.get(name, [1] * n)) for name in ("strides", "dilations"))
    pads = list(attributes.get("pads", [0] * 2 * n))
    fits = (
        len(value.shape) == len(weight.shape) > 2 and list(attributes.get("kernel_shape", kernel)) == kernel
    )
    if not fits or (len(strides), len(dilations), len(pads)) != (n, n, 2 * n):
        raise GraphError("a convolution of other sides than there are")
    return value, weight, kernel, strides, dilations, pads, attributes.get("group", 1)


def check_bias(given: Sequence[Value], channels: int) -> None:
    """A bias has a number for each channel.

    Raises:
        GraphError: it has not.
    """
    if any(floats(bias).shape != (channels,) for bias in given[2:]):
        raise GraphError("a bias of other channels than there are")


def instance_norm(given: Sequence[Value], _: Attributes) -> list[Value]:
    """Each channel of each item on its own."""
    value = floats(given[0])
    if len(value.shape) < 3:
        raise GraphError("a norm of too few sides")
    check_bias([value, value, *given[1:]], value.shape[1])
    return [value]


def depth_to_space(given: Sequence[Value], attributes: Attributes) -> list[Value]:
    """Blocks of channels to rows and columns."""
    batch, channels, height, width = floats(given[0]).shape
    block = attributes["blocksize"]
    if channels % block**2:
        raise GraphError("channels that are no blocks")
    return [Value((batch, channels // block**2, height * block, width * block))]


SHAPES: dict[str, Callable[[Sequence[Value], Attributes], list[Value]]] = {
    **dict.fromkeys(("Relu", "Sigmoid", "LeakyRelu"), same),
    "Add": together(np.add), "Sub": together(np.subtract), "Mul": together(np.multiply), "Max": together(np.maximum),
    "Div": together(truncated), "Mod": of_integers, "Cast": cast, "Concat": concat, "Conv": convolution,
    "ConvTranspose": transposed_convolution, "DepthToSpace": depth_to_space, "InstanceNormalization": instance_norm, "Pad": pad,
    "Reshape": reshape, "Shape": shape_of, "Slice": cut, "Split": split, "Squeeze": squeeze, "Transpose": transpose, "Unsqueeze": unsqueeze,
}  # fmt: skip


def products_of(operator: str, given: Sequence[Value], made: Sequence[Value]) -> int:
    """Of a convolution."""
    if operator == "Conv":
        return made[0].elements * math.prod(given[1].shape[1:])
    if operator == "ConvTranspose":
        return given[0].elements * math.prod(given[1].shape[1:])
    return 0
