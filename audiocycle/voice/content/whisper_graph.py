"""The first blocks of Whisper's encoder as an ONNX graph (Radford et al. 2022, arXiv 2212.04356), made of CTranslate2's arrays.

    power (B, 201, 2 T), spectra, 100 a second  ->  states (B, T, D), 50 a second

Weights are kept in half precision, each behind a cast that a runtime computes once: half the size, and products in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.errors import ConfigError, InputError
from audiocycle.system.ctranslate2_file import Arrays

OPSET, IR_VERSION = 20, 10
BANDS, BINS = 80, 201
EPSILON = 1e-5
"""Of norms."""
SMALL = 1000
"""Arrays of fewer numbers stay in single precision."""


def make_graph(arrays: Arrays, blocks: int, name: str) -> bytes:
    """An ONNX file.

    Args:
        arrays: of a Whisper model.
        blocks: so many of the encoder's are kept, without its last norm.
        name: of the model, for errors.

    Raises:
        ConfigError: onnx is not installed. InputError: these are not a Whisper model's arrays, or it has fewer blocks.
    """
    try:
        import onnx
    except ImportError as error:
        raise ConfigError("content encoder: onnx is not installed; pip install 'audiocycle[languages]'") from error
    try:
        model = Graph(arrays).encoder(blocks)
        onnx.checker.check_model(model)
    except (KeyError, ValueError, onnx.checker.ValidationError) as error:
        raise InputError(f"{name}: holds no Whisper encoder of {blocks} blocks ({error}); install its package again") from error
    return bytes(model.SerializeToString())


class Graph:
    """Nodes and weights as they are added; a value is known by its name."""

    def __init__(self, arrays: Arrays) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.arrays = arrays
        self.casts: list[Any] = []
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output, whose name comes back."""
        return self.several(operator, 1, *inputs, **attributes)[0]

    def several(self, operator: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """A node, and the names of its outputs."""
        made = [f"{operator.lower()}_{len(self.nodes)}" + (f"_{number}" if outputs > 1 else "") for number in range(outputs)]
        self.nodes.append(self.helper.make_node(operator, list(inputs), made, **attributes))
        return made

    def constant(self, name: str, values: Any, kind: type[np.generic] = np.float32) -> str:
        """Numbers that the graph holds."""
        array = np.asarray(values, kind)
        if kind is np.float32 and array.size > SMALL:
            self.weights.append(self.numpy_helper.from_array(array.astype(np.float16), f"{name}.stored"))
            self.casts.append(self.helper.make_node("Cast", [f"{name}.stored"], [name], to=1))
        else:
            self.weights.append(self.numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, transposed: bool = False) -> str:
        """One of the encoder's arrays."""
        array: NDArray[Any] = self.arrays[f"encoder/{name}"]
        return self.constant(name, array.T if transposed else array)

    def linear(self, x: str, name: str) -> str:
        """(B, T, D) to (B, T, E)."""
        return self.add("Add", self.add("MatMul", x, self.weight(f"{name}/weight", transposed=True)), self.weight(f"{name}/bias"))

    def norm(self, x: str, name: str) -> str:
        """Over the last axis."""
        return self.add("LayerNormalization", x, self.weight(f"{name}/gamma"), self.weight(f"{name}/beta"), axis=-1, epsilon=EPSILON)

    def convolution(self, x: str, name: str, stride: int) -> str:
        """(B, C, T), of three frames each."""
        made = self.add("Conv", x, self.weight(f"{name}/weight"), self.weight(f"{name}/bias"), kernel_shape=[3], pads=[1, 1], strides=[stride])
        return self.add("Gelu", made)

    def spectra(self, power: str) -> str:
        """Whisper's: logarithms of Slaney's mel bands, no more than 8 decades below the loudest, shifted and scaled."""
        import librosa

        bands = self.constant("bands", librosa.filters.mel(sr=16000, n_fft=400, n_mels=BANDS))
        logs = self.add("Log", self.add("Clip", self.add("MatMul", bands, power), self.constant("least", 1e-10)))
        decades = self.add("Div", logs, self.constant("ten", np.log(10.0)))
        loudest = self.add("ReduceMax", decades, self.constant("all", [1, 2], np.int64), keepdims=1)
        held = self.add("Max", decades, self.add("Sub", loudest, self.constant("decades", 8.0)))
        return self.add("Div", self.add("Add", held, self.constant("shift", 4.0)), "shift")

    def attention(self, x: str, name: str, heads: int) -> str:
        """(B, T, D) to (B, T, D): each moment sees all others."""
        width = self.arrays[f"encoder/{name}/linear_1/bias"].size
        parts = self.several("Split", 3, self.linear(x, f"{name}/linear_0"), axis=-1, num_outputs=3)
        apart = self.constant(f"{name}/apart", [0, 0, heads, width // heads], np.int64)
        queries, keys, values = (
            self.add("Transpose", self.add("Reshape", part, apart), perm=order) for part, order in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
        )
        scaled = self.add("Mul", queries, self.constant(f"{name}/scale", (width // heads) ** -0.5))
        seen = self.add("MatMul", self.add("Softmax", self.add("MatMul", scaled, keys), axis=-1), values)
        joined = self.constant(f"{name}/joined", [0, 0, width], np.int64)
        return self.linear(self.add("Reshape", self.add("Transpose", seen, perm=[0, 2, 1, 3]), joined), f"{name}/linear_1")

    def block(self, x: str, name: str, heads: int) -> str:
        """Self-attention and a feed-forward layer, both added to their input, with norms before them."""
        x = self.add("Add", x, self.attention(self.norm(x, f"{name}/self_attention/layer_norm"), f"{name}/self_attention", heads))
        wide = self.add("Gelu", self.linear(self.norm(x, f"{name}/ffn/layer_norm"), f"{name}/ffn/linear_0"))
        return self.add("Add", x, self.linear(wide, f"{name}/ffn/linear_1"))

    def encoder(self, blocks: int) -> Any:
        """The whole model."""
        width, heads = self.arrays["encoder/conv1/bias"].size, int(self.arrays["encoder/num_heads"])
        x = self.convolution(self.convolution(self.spectra("power"), "conv1", 1), "conv2", 2)
        frames = self.add("Shape", x, start=2, end=3)
        places = self.add("Slice", self.weight("position_encodings/encodings"), self.constant("first", [0], np.int64), frames, "first")
        x = self.add("Add", self.add("Transpose", x, perm=[0, 2, 1]), places)
        for block in range(blocks):
            x = self.block(x, f"layer_{block}", heads)
        self.nodes.append(self.helper.make_node("Identity", [x], ["states"]))
        inputs = [self.helper.make_tensor_value_info("power", 1, ["batch", BINS, "spectra"])]
        outputs = [self.helper.make_tensor_value_info("states", 1, ["batch", "states", width])]
        graph = self.helper.make_graph([*self.casts, *self.nodes], "encoder", inputs, outputs, self.weights)
        return self.helper.make_model(graph, opset_imports=[self.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="audiocycle")
