"""CycleGAN voice conversion and symbolic genre transfer without paired data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiocycle.conversion.converter import Converter

__version__ = "0.1.0"
__all__ = ["Converter", "__version__"]


def __getattr__(name: str) -> Any:
    """``audiocycle.Converter`` on first use: it loads numpy and the tables of names, torch only where torch computes. ``audiocycle --help`` waits for neither."""
    if name == "Converter":
        from audiocycle.conversion.converter import Converter

        return Converter
    raise AttributeError(f"module 'audiocycle' has no attribute '{name}'")
