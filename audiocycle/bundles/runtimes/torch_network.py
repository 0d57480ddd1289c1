"""Networks computed by torch. It obeys ``OMP_NUM_THREADS`` by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch

from audiocycle.bundles.format import BundleConfig, load_translator
from audiocycle.bundles.runtimes.network import Network
from audiocycle.models.precision import choose_bf16
from audiocycle.models.translator import Translator
from audiocycle.spec import Direction, FloatArray


class TorchNetwork(Network):
    """A translator, in evaluation mode, on the CPU.

    Args:
        precision: ``auto`` is bf16 where the processor has native bf16 products.
    """

    runtime = "torch"

    def __init__(self, translator: Translator, precision: str = "fp32") -> None:
        self.translator = translator
        self.precision = "bf16" if choose_bf16(precision, torch.device("cpu")) else "fp32"

    @classmethod
    def native(cls) -> tuple[str, ...]:
        return ("bf16", "fp32") if choose_bf16("auto", torch.device("cpu")) else ("fp32",)

    @classmethod
    def load(cls, folder: Path, config: BundleConfig, precision: str) -> Self:
        """From a bundle.

        Raises:
            BundleError: its weights are missing, damaged or of another model.
        """
        return cls(load_translator(folder, config), precision)

    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            made: FloatArray = self.translator(torch.from_numpy(batch), direction).float().numpy()
        return made
