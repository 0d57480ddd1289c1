"""Whisper's encoder in torch, written apart from the package's graphs, which are held to it."""

from __future__ import annotations

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the field's name for it)

from audiocycle.spec import FloatArray


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

    def __init__(self, arrays: dict[str, NDArray[np.generic]], blocks: int) -> None:
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


def after_blocks(arrays: dict[str, NDArray[np.generic]], spectra: FloatArray, blocks: int, norm: bool = False) -> FloatArray:
    """(80, 2 T) spectra, as Whisper's, to states (T, D) behind so many blocks, with or without the last norm."""
    network = Encoder(arrays, blocks).eval()
    with torch.no_grad():
        x = F.gelu(network.conv_2(F.gelu(network.conv_1(torch.from_numpy(spectra)[None])))).transpose(1, 2)
        x = x + network.places[: x.shape[1]]
        for block in network.blocks:
            x = block(x)
        if norm:
            gamma, beta = (torch.from_numpy(arrays[f"encoder/layer_norm/{name}"].astype(np.float32)) for name in ("gamma", "beta"))
            x = F.layer_norm(x, x.shape[2:], gamma, beta)
    return np.asarray(x[0].numpy())
