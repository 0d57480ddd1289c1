"""torchaudio imports and works whether or not its compiled extension loads."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from audiocycle.system import compat

EXTENSION = "torchaudio._extension"
CUDA_FAILURE = "libc10_cuda.so: cannot open shared object file: No such file or directory"


def replace_import(monkeypatch: pytest.MonkeyPatch, *outcomes: BaseException | ModuleType) -> list[str]:
    """Let each import in turn raise or return what is given; the list tells which imports were asked for."""
    asked: list[str] = []

    def import_module(name: str) -> ModuleType:
        asked.append(name)
        outcome = outcomes[len(asked) - 1]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.delitem(sys.modules, EXTENSION, raising=False)
    return asked


def wrapped(message: str) -> OSError:
    """The loader's error as torch passes it on."""
    error = OSError("Could not load this library: _torchaudio.abi3.so")
    error.__cause__ = OSError(message)
    return error


def test_what_the_mel_path_needs_works() -> None:
    functional = compat.import_torchaudio().functional
    assert functional.melscale_fbanks(9, 0.0, 50.0, 2, 100).shape == (9, 2)
    assert functional.resample(torch.ones(100), 200, 100).shape == (50,)
    window = torch.hann_window(64)
    sound = functional.griffinlim(torch.ones(33, 9), window, 64, 16, 64, 1.0, 2, 0.99, None, False)
    assert torch.isfinite(sound).all()


def test_a_second_import_is_the_same_module() -> None:
    assert compat.import_torchaudio() is compat.import_torchaudio() is importlib.import_module("torchaudio")


@pytest.mark.parametrize("message", [CUDA_FAILURE, CUDA_FAILURE.replace("c10_cuda.so", "cudart.so.12")])
def test_a_missing_cuda_library_is_stubbed(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    module = ModuleType("torchaudio")
    asked = replace_import(monkeypatch, wrapped(message), module)
    assert compat.import_torchaudio() is module
    assert asked == ["torchaudio", "torchaudio"]
    stub = sys.modules[EXTENSION]
    assert module.__dict__["_extension"] is stub
    assert not stub.__dict__["_IS_TORCHAUDIO_EXT_AVAILABLE"]

    def forced_align() -> None: ...

    unavailable: Callable[[], None] = stub.__dict__["fail_if_no_align"](forced_align)
    with pytest.raises(RuntimeError, match="forced_align needs"):
        unavailable()


@pytest.mark.parametrize(
    "failure",
    [
        ModuleNotFoundError("No module named 'torchaudio'"),
        wrapped("libsox.so: cannot open shared object file: No such file or directory"),
        wrapped("/opt/cuda/_torchaudio.abi3.so: undefined symbol: _ZN3c10"),
        RuntimeError("compiled with different CUDA versions"),
    ],
)
def test_other_failures_propagate(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    asked = replace_import(monkeypatch, failure)
    with pytest.raises(type(failure)) as caught:
        compat.import_torchaudio()
    assert caught.value is failure
    assert asked == ["torchaudio"]
    assert EXTENSION not in sys.modules


def test_the_stub_goes_when_it_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_import(monkeypatch, wrapped(CUDA_FAILURE), ImportError("something else"))
    with pytest.raises(ImportError, match="something else"):
        compat.import_torchaudio()
    assert EXTENSION not in sys.modules
