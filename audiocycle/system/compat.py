"""Work-arounds for installed libraries, one function each, with the reason."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_MISSING_CUDA = re.compile(r"lib\w*cu\w*\.so[\w.]*: cannot open shared object file")
_EXTENSION = "torchaudio._extension"


def import_torchaudio() -> ModuleType:
    """Import torchaudio, also where its compiled extension cannot be loaded.

    The package registry's torchaudio wheel is linked to CUDA, so beside a CPU build of torch its import stops
    at ``OSError: libc10_cuda.so: cannot open shared object file``. Mel filter banks, spectrograms, resampling
    and Griffin-Lim need nothing from that extension: on that failure, and on no other, a stub replaces it.

    Returns:
        The ``torchaudio`` module. Forced alignment raises a ``RuntimeError`` under the stub.

    Raises:
        ImportError, OSError: torchaudio is absent, or broken in another way.
    """
    try:
        return importlib.import_module("torchaudio")
    except (ImportError, OSError) as error:
        if not _lacks_cuda(error):
            raise
    sys.modules[_EXTENSION] = stub = _stub_extension()
    try:
        torchaudio = importlib.import_module("torchaudio")
    except BaseException:
        sys.modules.pop(_EXTENSION, None)
        raise
    torchaudio.__dict__.setdefault("_extension", stub)
    return torchaudio


def _lacks_cuda(error: BaseException | None) -> bool:
    """Whether this error, or one that it came from, is a CUDA library that the loader did not find."""
    while error is not None:
        if _MISSING_CUDA.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _stub_extension() -> ModuleType:
    """What torchaudio asks of its extension module, answered as in a build without one."""

    def fail_if_no_align(function: Callable[..., Any]) -> Callable[..., Any]:
        def unavailable(*_args: Any, **_kwargs: Any) -> Any:
            raise RuntimeError(f"{function.__name__} needs torchaudio's extension, which did not load")

        return unavailable

    stub = ModuleType(_EXTENSION, "Stands in for torchaudio's compiled extension (see audiocycle.system.compat).")
    stub.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        _load_lib=lambda _lib: False,
        fail_if_no_align=fail_if_no_align,
    )
    return stub


def import_pyworld() -> ModuleType:
    """Import pyworld without pkg_resources."""
    return _import_without_pkg_resources("pyworld")


def import_resemblyzer() -> ModuleType:
    """Import resemblyzer, whose webrtcvad is imported without pkg_resources."""
    _import_without_pkg_resources("webrtcvad")
    return importlib.import_module("resemblyzer")


def _import_without_pkg_resources(name: str) -> ModuleType:
    """Import a library that asks ``pkg_resources`` for its own version.

    pkg_resources is slow to import, deprecated with a warning, and gone from setuptools 82 on. A stand-in answers that
    one question for the time of the import.
    """
    if name in sys.modules or "pkg_resources" in sys.modules:
        return importlib.import_module(name)
    stand_in = ModuleType("pkg_resources", "Stands in for setuptools' pkg_resources (see audiocycle.system.compat).")
    stand_in.__dict__["get_distribution"] = importlib.metadata.distribution
    sys.modules["pkg_resources"] = stand_in
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules["pkg_resources"]
