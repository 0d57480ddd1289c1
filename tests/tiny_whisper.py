"""A Whisper encoder of random weights and a few numbers' width, as arrays and as CTranslate2 writes them."""

from __future__ import annotations

import struct

import numpy as np

from audiocycle.system.ctranslate2_file import TYPES, Arrays

WIDTH, HEADS, BLOCKS = 8, 2, 3


def tiny_whisper(blocks: int = BLOCKS) -> Arrays:
    """The names and shapes of Whisper's encoder."""
    random, width = np.random.default_rng(0), WIDTH
    shapes: dict[str, tuple[int, ...]] = {"conv1/weight": (width, 80, 3), "conv2/weight": (width, width, 3), "position_encodings/encodings": (1500, width)}
    shapes |= {"conv1/bias": (width,), "conv2/bias": (width,), "layer_norm/gamma": (width,), "layer_norm/beta": (width,)}
    for block in range(blocks):
        for norm in ("self_attention/layer_norm", "ffn/layer_norm"):
            shapes |= {f"layer_{block}/{norm}/{name}": (width,) for name in ("gamma", "beta")}
        for linear, rows, columns in (("self_attention/linear_0", 3, 1), ("self_attention/linear_1", 1, 1), ("ffn/linear_0", 4, 1), ("ffn/linear_1", 1, 4)):
            shapes |= {f"layer_{block}/{linear}/weight": (rows * width, columns * width), f"layer_{block}/{linear}/bias": (rows * width,)}
    arrays: Arrays = {f"encoder/{name}": (0.4 * random.standard_normal(shape)).astype(np.float16) for name, shape in shapes.items()}
    return arrays | {"encoder/num_heads": np.array(HEADS, np.int16)}


def as_file(arrays: Arrays, name: str = "WhisperSpec") -> bytes:
    """CTranslate2's model.bin, of version 6."""

    def text(of: str) -> bytes:
        return struct.pack("<H", len(of.encode()) + 1) + of.encode() + b"\0"

    made = struct.pack("<I", 6) + text(name) + struct.pack("<II", 3, len(arrays))
    kinds = {np.dtype(kind): number for number, kind in TYPES.items()}
    for key, values in arrays.items():
        made += text(key) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        made += struct.pack("<BI", kinds[values.dtype], values.nbytes) + values.tobytes()
    return made + struct.pack("<I", 0)
