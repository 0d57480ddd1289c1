"""The arithmetic of a plain processor, on one that has more: AVX2, neither AVX-512 nor products in bfloat16.

``python -m benchmarks.plain WORDS`` is ``python WORDS`` in that arithmetic. The libraries ask the environment when they are loaded:
torch and its oneDNN and MKL, numpy and its OpenBLAS, CTranslate2. ONNX Runtime asks the processor alone, and stays as it is. OpenVINO asks
both, and crashes where they disagree: it is hidden.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

VARIABLES = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "CT2_FORCE_CPU_ISA": "AVX2",
}
WITHOUT_OPENVINO = Path(__file__).parent / "without_openvino"
ABOVE = ("AVX512", "X86_V4")
"""What the names begin with of numpy's features that a plain processor does not have."""


def environment() -> dict[str, str]:
    """Variables for a process that is to compute like a plain processor. How many threads it takes is not among them."""
    above = numpy_features()
    path = filter(None, [str(WITHOUT_OPENVINO), os.environ.get("PYTHONPATH")])
    return VARIABLES | {"PYTHONPATH": os.pathsep.join(path)} | ({"NPY_DISABLE_CPU_FEATURES": " ".join(above)} if above else {})


def numpy_features() -> list[str]:
    """Of numpy's kernels, those that this processor has and a plain one has not; numpy warns of names that it does not know."""
    from numpy._core import _multiarray_umath as core

    return [name for name in core.__cpu_dispatch__ if name.startswith(ABOVE) and core.__cpu_features__.get(name)]


def main(words: Sequence[str]) -> None:
    os.execve(sys.executable, [sys.executable, *words], os.environ | environment())


if __name__ == "__main__":
    main(sys.argv[1:])
