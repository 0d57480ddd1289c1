"""In which precision a network computes."""

from __future__ import annotations

import platform

import torch


def choose_bf16(precision: str, device: torch.device) -> bool:
    """Whether networks compute in bfloat16: asked for, or ``auto`` where the hardware has native bf16 products."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return processor_has_bf16()


def processor_has_bf16() -> bool:
    """Whether this processor multiplies in bfloat16 itself.

    oneDNN says that it supports the type where AVX-512 is all that there is, too. There it computes by way of float32, and a training
    step takes twice as long as in float32.
    """
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    return platform.machine().lower() not in ("x86_64", "amd64") or bool(torch.cpu._is_avx512_bf16_supported())
