"""Mel frames to sound with a HiFi-GAN generator (Kong et al. 2020, arXiv 2010.05646) in the published layout.

Shape letters: B batch, C channels, M mel bands, T steps of the current rate (mel frames outside the network),
N samples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Encoded, Signal
from audiocycle.system.foreign import read_json, regular_file
from audiocycle.system.hub import HubId, fetch
from audiocycle.system.limits import Limit, Range, hold, shown
from audiocycle.system.names import expanded
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.sides import VoiceSide

_SLOPE = 0.1  # of every leaky ReLU but the last, which has torch's default of 0.01
_EDGE_KERNEL = 7
_MEL_KEYS = {"sampling_rate": "sample_rate", "n_fft": "n_fft", "win_size": "win_length"}
_MEL_KEYS |= {"hop_size": "hop_length", "num_mels": "n_mels", "fmin": "f_min", "fmax": "f_max"}
_CHECKPOINTS = ("*.safetensors", "generator*", "g_*", "*.pt", "*.pth", "*.ckpt", "*.bin")
LIMITS: dict[str, Limit] = {
    "upsample_initial_channel": Range(1, 4096),
    "num_mels": Range(2, 256),
    "n_fft": Range(32, 8192),
    "hop_size": Range(8, 4096),
    "win_size": Range(16, 8192),
    "sampling_rate": Range(4000, 96000),
    "fmin": Range(0.0, 48000.0, whole=False),
    "fmax": Range(1.0, 48000.0, whole=False),
}
LIST_LIMITS = {
    "upsample_rates": Range(1, 64), "upsample_kernel_sizes": Range(1, 128), "resblock_kernel_sizes": Range(1, 31), "resblock_dilation_sizes": Range(1, 64),
}  # fmt: skip
LONGEST_LIST = 8
MAX_LAYER_BYTES = 1_000_000_000
"""Of the numbers that a layer makes of a chunk."""
CHUNK_FRAMES = 512
_WEIGHTS_HELP = (
    "pass a folder with config.json and *.safetensors or a torch checkpoint, "
    "the checkpoint file itself (config.json beside it), or a model on the hub, hf:owner/name"
)


@dataclass(frozen=True)
class HifiGanConfig:
    """What the generator needs of a published ``config.json``, by the names used there.

    Raises:
        ConfigError: the values do not make a generator that turns each frame into ``hop_size`` samples.
    """

    resblock: str
    upsample_rates: tuple[int, ...]
    upsample_kernel_sizes: tuple[int, ...]
    upsample_initial_channel: int
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    num_mels: int
    n_fft: int
    hop_size: int
    win_size: int
    sampling_rate: int
    fmin: float
    fmax: float

    def __post_init__(self) -> None:
        hold("HiFi-GAN config: ", vars(self), LIMITS)
        for name, limit in LIST_LIMITS.items():
            self._check_list(name, getattr(self, name), limit)
        rates, kernels, width = self.upsample_rates, self.upsample_kernel_sizes, self.upsample_initial_channel
        blocks, dilations, hop = self.resblock_kernel_sizes, self.resblock_dilation_sizes, self.hop_size
        stages = list(zip(rates, kernels, strict=False))
        even = len(rates) == len(kernels) and all(k >= r > 0 and (k - r) % 2 == 0 for r, k in stages)
        odd = 0 < len(blocks) == len(dilations) and all(kernel % 2 for kernel in blocks)
        halves = width > 0 and width % 2 ** len(rates) == 0
        rules = {
            f"resblock '{self.resblock}' must be '1' or '2'": self.resblock in ("1", "2"),
            f"upsample_rates {rates} must multiply to hop_size {hop}": math.prod(rates) == hop,
            f"upsample_kernel_sizes {kernels} must exceed upsample_rates by even numbers": even,
            f"upsample_initial_channel {width} must halve {len(rates)} times": halves,
            f"resblock_kernel_sizes {blocks} must be odd, and as many as resblock_dilation_sizes": odd,
        }
        broken = "; ".join(rule for rule, holds in rules.items() if not holds)
        if broken:
            raise ConfigError(f"HiFi-GAN config: {broken}")
        steps = [math.prod(rates[:stage]) * (width >> stage) for stage in range(len(rates) + 1)]
        if 4 * max(steps) * (CHUNK_FRAMES + 2 * self.context_frames) > MAX_LAYER_BYTES:
            raise ConfigError(f"HiFi-GAN config: upsample_initial_channel={width}: would need more than {MAX_LAYER_BYTES / 1e9:g} GB for a chunk")

    def _check_list(self, name: str, values: Any, limit: Range) -> None:
        lists = values if name == "resblock_dilation_sizes" else (values,)
        if not isinstance(values, tuple):
            raise TypeError(f"{name} is no list")
        whole = 0 < len(values) <= LONGEST_LIST and all(isinstance(x, tuple) and len(x) <= LONGEST_LIST for x in lists)
        if not (whole and all(x and all(map(limit.holds, x)) for x in lists)):
            raise ConfigError(f"HiFi-GAN config: {name}={shown(values)}: {limit}, and at most {LONGEST_LIST} of them")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read ``config.json``; keys of the training recipe are passed over.

        Raises:
            BundleError: the file is missing, is not JSON, or lacks keys. ConfigError: as the class.
        """
        try:
            values = read_json(path)
            known = {field.name: _frozen(values[field.name]) for field in fields(cls)}
            known["resblock"] = str(known["resblock"])
            known["fmax"] = known["fmax"] or known["sampling_rate"] / 2
            return cls(**known)
        except KeyError as error:
            raise BundleError(f"{path}: lacks {error}; take the config.json of the weights") from error
        except (BundleError, ValueError, TypeError) as error:
            raise BundleError(f"{path}: not a readable HiFi-GAN config ({error}); {_WEIGHTS_HELP}") from error

    @property
    def blocks(self) -> list[tuple[int, tuple[int, ...]]]:
        """Kernel and dilations of each residual block of a stage."""
        return list(zip(self.resblock_kernel_sizes, self.resblock_dilation_sizes, strict=True))

    @property
    def context_frames(self) -> int:
        """Mel frames on each side of a frame that its samples depend on (the one-sided receptive field)."""
        per_dilation = sum if self.resblock == "2" else lambda dilations: sum(dilations) + len(dilations)
        block = max((kernel // 2) * per_dilation(dilations) for kernel, dilations in self.blocks)
        reach = _EDGE_KERNEL // 2
        for rate, kernel in zip(self.upsample_rates[::-1], self.upsample_kernel_sizes[::-1], strict=True):
            reach = math.ceil((reach + block + (kernel + rate) // 2 - 1) / rate)
        return reach + _EDGE_KERNEL // 2

    def check_mel(self, adapter: MelAdapter) -> None:
        """Raise a ``ConfigError`` that names every setting in which the adapter's mel frames differ."""
        pairs = {key: (getattr(self, key), getattr(adapter, name)) for key, name in _MEL_KEYS.items()}
        differences = [f"{key} {theirs} ({ours})" for key, (theirs, ours) in pairs.items() if theirs != ours]
        if differences:
            raise ConfigError(
                f"HiFi-GAN weights and mel adapter (in brackets) differ in {', '.join(differences)}; "
                "give the adapter the weights' settings, or choose other weights"
            )


class ResBlock(nn.Module):
    """Residual convolutions of growing dilation; kind "1" puts one without dilation behind each of them."""

    def __init__(self, kind: str, width: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def column(steps: tuple[int, ...]) -> nn.ModuleList:
            return nn.ModuleList(nn.Conv1d(width, width, kernel, dilation=d, padding="same") for d in steps)

        if kind == "1":
            self.convs1, self.convs2 = column(dilations), column((1,) * len(dilations))
            self.pairs = [list(pair) for pair in zip(self.convs1, self.convs2, strict=True)]
        else:
            self.convs = column(dilations)
            self.pairs = [[conv] for conv in self.convs]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to the same."""
        for convs in self.pairs:
            branch = x
            for conv in convs:
                branch = conv(leaky_relu(branch, _SLOPE))
            x = x + branch
        return x


class HifiGanGenerator(nn.Module):
    """The generator with plain (folded) weights; its parameters have the published checkpoints' names."""

    def __init__(self, config: HifiGanConfig) -> None:
        super().__init__()
        width = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(config.num_mels, width, _EDGE_KERNEL, padding=_EDGE_KERNEL // 2)
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            self.ups.append(nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2))
            width //= 2
            for block_kernel, dilations in config.blocks:
                self.resblocks.append(ResBlock(config.resblock, width, block_kernel, dilations))
        self.conv_post = nn.Conv1d(width, 1, _EDGE_KERNEL, padding=_EDGE_KERNEL // 2)
        self.blocks_per_stage = len(config.resblock_kernel_sizes)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Log-mel frames (B, M, T) to samples (B, 1, N = T * hop_size) in [-1, 1]."""
        x: Tensor = self.conv_pre(log_mel)
        for stage, up in enumerate(self.ups):
            x = up(leaky_relu(x, _SLOPE))
            first = stage * self.blocks_per_stage
            blocks = self.resblocks[first : first + self.blocks_per_stage]
            x = sum(block(x) for block in blocks) / self.blocks_per_stage
        return torch.tanh(self.conv_post(leaky_relu(x)))


@dataclass(frozen=True, eq=False)
class HifiGanRenderer:
    """Renders mel frames with trained HiFi-GAN weights, ``chunk_frames`` at a time."""

    adapter: MelAdapter
    config: HifiGanConfig
    generator: HifiGanGenerator
    chunk_frames: int = CHUNK_FRAMES

    @classmethod
    def load(cls, location: str | Path | None, adapter: MelAdapter, device: str = "cpu") -> Self:
        """Load published weights; nothing in them is run as code.

        Args:
            location: a folder (``config.json`` and ``*.safetensors`` or a torch checkpoint), a checkpoint
                file with ``config.json`` beside it, or such a folder on the hub, ``hf:owner/name[@revision]``.
            adapter: makes the mel frames that will be rendered.
            device: where the generator runs.

        Raises:
            ConfigError: there are no weights, several checkpoints, or weights for other mel frames.
            BundleError: the files are damaged, do not fit each other, or cannot be fetched.
        """
        path = _local(location)
        checkpoint = path if path.is_file() else _checkpoint_in(path)
        config = HifiGanConfig.read(checkpoint.parent / "config.json")
        config.check_mel(adapter)
        with torch.device("meta"):
            generator = HifiGanGenerator(config)
        weights = fold_weight_norm(_read_weights(checkpoint))
        try:
            generator.load_state_dict(weights, assign=True)
        except RuntimeError as error:  # names each missing, surplus and misshaped tensor
            reason = f"unlike its config.json, take both from one source: {' '.join(str(error).split())}"
            raise BundleError(f"{checkpoint}: {reason}") from error
        return cls(adapter, config, generator.eval().requires_grad_(False).to(device))

    @torch.no_grad()
    def render(self, encoded: Encoded[VoiceSide]) -> Signal:
        """Sound of as many samples as the side says (T * hop_length where it does not).

        Raises:
            InputError: the features do not fit the adapter.
        """
        log_mel, n_samples = self.adapter.frames_to_render(encoded)
        device = self.generator.conv_post.weight.device
        hop, context = self.config.hop_size, self.config.context_frames
        pieces = []
        for start in range(0, log_mel.shape[-1], self.chunk_frames):
            first = max(0, start - context)
            seen = log_mel[None, :, first : start + self.chunk_frames + context]
            sound = self.generator(seen.to(device))[0, 0].cpu()
            pieces.append(sound[(start - first) * hop :][: self.chunk_frames * hop])
        return Signal(np.asarray(torch.cat(pieces)[:n_samples].numpy()), self.adapter.sample_rate)


def _frozen(value: Any) -> Any:
    """A JSON value with tuples for lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def fold_weight_norm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Float32 weights with each pair ``weight_g``, ``weight_v`` (or torch's newer names) made one ``weight``.

    Weight norm holds the length g and the direction v of each slice along the first axis: w = g v / |v|.
    """
    newer = re.compile(r"parametrizations\.weight\.original([01])$")
    folded = {newer.sub(lambda m: f"weight_{'gv'[int(m[1])]}", k): v.float() for k, v in weights.items()}
    for base in [name.removesuffix("_v") for name in folded if name.endswith(".weight_v")]:
        length, direction = folded.get(f"{base}_g"), folded[f"{base}_v"]
        if length is not None and direction.dim() > 1 and length.numel() == len(direction):
            slices = direction.flatten(1)
            scaled = slices * (length.reshape(-1, 1) / slices.norm(dim=1, keepdim=True))
            folded[base] = scaled.reshape(direction.shape)
            del folded[f"{base}_g"], folded[f"{base}_v"]
    return folded


def _local(location: str | Path | None) -> Path:
    """The folder or file at a location, fetched first if it is on the hub."""
    if not location:
        raise ConfigError(f"HiFi-GAN has no weights of its own: {_WEIGHTS_HELP}")
    if hub_id := HubId.parse(str(location)):
        return fetch(hub_id, ["config.json", *_CHECKPOINTS])
    path = expanded(location)
    if not path.exists():
        raise ConfigError(f"{location}: no such HiFi-GAN weights here; {_WEIGHTS_HELP}")
    return path


def _checkpoint_in(folder: Path) -> Path:
    for pattern in _CHECKPOINTS:
        found = sorted(p for p in folder.glob(pattern) if p.is_file() and p.suffix not in (".json", ".md"))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise ConfigError(f"{folder}: several checkpoints, pass one of {names}")
        if found:
            return found[0]
    raise ConfigError(f"{folder}: no HiFi-GAN weights in this folder; {_WEIGHTS_HELP}")


def _read_weights(checkpoint: Path) -> dict[str, Tensor]:
    regular_file(checkpoint)
    try:
        safe = checkpoint.suffix == ".safetensors"
        content: Any = load_file(checkpoint) if safe else torch.load(checkpoint, "cpu", weights_only=True)
    except Exception as error:  # torch raises whatever a damaged archive or a refused pickle leads to
        raise BundleError(
            f"{checkpoint}: not a readable checkpoint of tensors only ({type(error).__name__}); "
            "download it again, or save its generator's state dict as safetensors"
        ) from error
    if isinstance(content, dict) and isinstance(content.get("generator"), dict):
        content = content["generator"]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise BundleError(f"{checkpoint}: holds no generator weights; pass a HiFi-GAN generator checkpoint")
    return {str(name).removeprefix("generator."): value for name, value in content.items()}
