"""The arithmetic of a plain processor, on one that has more: AVX2, neither AVX-512 nor products in bfloat16.

``python -m benchmarks.plain WORDS`` is ``python WORDS`` in that arithmetic. The libraries ask the environment when they are loaded:
torch and its oneDNN and MKL, numpy and its OpenBLAS, CTranslate2. OpenVINO and ONNX Runtime ask the processor alone, and stay as they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

VARIABLES = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "CT2_FORCE_CPU_ISA": "AVX2",
}
ABOVE = ("AVX512", "X86_V4")
"""What the names begin with of numpy's features that a plain processor does not have."""


def environment() -> dict[str, str]:
    """Variables for a process that is to compute like a plain processor. How many threads it takes is not among them."""
    above = numpy_features()
    return VARIABLES | ({"NPY_DISABLE_CPU_FEATURES": " ".join(above)} if above else {})


def numpy_features() -> list[str]:
    """Of numpy's kernels, those that this processor has and a plain one has not; numpy warns of names that it does not know."""
    from numpy._core import _multiarray_umath as core

    return [name for name in core.__cpu_dispatch__ if name.startswith(ABOVE) and core.__cpu_features__.get(name)]


def main(words: Sequence[str]) -> None:
    os.execve(sys.executable, [sys.executable, *words], os.environ | environment())


if __name__ == "__main__":
    main(sys.argv[1:])
