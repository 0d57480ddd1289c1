"""A Whisper encoder of random weights and a few numbers' width: as arrays, as CTranslate2 writes them, and as two packages."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from audiocycle.system.ctranslate2_file import TYPES, Arrays
from audiocycle.voice.content import encoder, multilingual

WIDTH, HEADS, BLOCKS = 8, 2, 3
PACKAGES = ("tiny_base_1", "tiny_base_2")


def tiny_whisper(blocks: int = BLOCKS) -> Arrays:
    """The names and shapes of Whisper's encoder."""
    random, width = np.random.default_rng(0), WIDTH
    shapes: dict[str, tuple[int, ...]] = {"conv1/weight": (width, 80, 3), "conv2/weight": (width, width, 3), "position_encodings/encodings": (1500, width)}
    shapes |= {"conv1/bias": (width,), "conv2/bias": (width,), "layer_norm/gamma": (width,), "layer_norm/beta": (width,)}
    for block in range(blocks):
        for norm in ("self_attention/layer_norm", "ffn/layer_norm"):
            shapes |= {f"layer_{block}/{norm}/{name}": (width,) for name in ("gamma", "beta")}
        for linear, rows, columns in (("self_attention/linear_0", 3, 1), ("self_attention/linear_1", 1, 1), ("ffn/linear_0", 4, 1), ("ffn/linear_1", 1, 4)):
            shapes |= {f"layer_{block}/{linear}/weight": (rows * width, columns * width), f"layer_{block}/{linear}/bias": (rows * width,)}
    arrays: Arrays = {f"encoder/{name}": (0.4 * random.standard_normal(shape)).astype(np.float16) for name, shape in shapes.items()}
    return arrays | {"encoder/num_heads": np.array(HEADS, np.int16)}


def as_file(arrays: Arrays, name: str = "WhisperSpec") -> bytes:
    """CTranslate2's model.bin, of version 6."""

    def text(of: str) -> bytes:
        return struct.pack("<H", len(of.encode()) + 1) + of.encode() + b"\0"

    made = struct.pack("<I", 6) + text(name) + struct.pack("<II", 3, len(arrays))
    kinds = {np.dtype(kind): number for number, kind in TYPES.items()}
    for key, values in arrays.items():
        made += text(key) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        made += struct.pack("<BI", kinds[values.dtype], values.nbytes) + values.tobytes()
    return made + struct.pack("<I", 0)


WHOLE = as_file(tiny_whisper())


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The halves of a tiny model as two packages, which fail when they are run, in the place of Whisper base. Their folder; the cache folder is a new one."""
    half = len(WHOLE) // 2
    for number, (name, content) in enumerate(zip(PACKAGES, (WHOLE[:half], WHOLE[half:]), strict=True), start=1):
        (folder / "site" / name / "data").mkdir(parents=True)
        (folder / "site" / name / "__init__.py").write_text("raise SystemExit('run')")
        (folder / "site" / name / "data" / f"model.bin.part{number}").write_bytes(content)
    monkeypatch.setenv("AUDIOCYCLE_CACHE", str(folder / "cache"))
    monkeypatch.syspath_prepend(folder / "site")
    parts = tuple(f"{name}/data/model.bin.part{number}" for number, name in enumerate(PACKAGES, start=1))
    known = {"PARTS": parts, "BYTES": len(WHOLE), "SHA256": hashlib.sha256(WHOLE).hexdigest(), "BLOCKS": BLOCKS}
    for name, value in known.items():
        monkeypatch.setattr(multilingual, name, value)
    monkeypatch.setitem(encoder.ENCODERS, "multilingual", replace(encoder.ENCODERS["multilingual"], states=WIDTH))
    monkeypatch.setattr(encoder, "_session", cache(encoder._session.__wrapped__))  # a session of a tiny model is not left to other tests
    return folder / "site"
