"""The code in docs/extending.md, put where it says: trained, resumed and converted without any other change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_training import vowel

import audiocycle
from audiocycle.bundles.runtimes.graph_rules import OPERATORS

ROOT = Path(audiocycle.__file__).parents[1]
PAGE = ROOT / "docs" / "extending.md"
FILES = dict(re.findall(r'```python title="([^"]+)"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL))
USED = [
    "objective.smoothness=0.5", "objective.game=gradient_penalty", "model.generator=plain", "model.translator=coded", "model.critic=plain",
]  # fmt: skip


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the package with the page's files in it; recordings of three voices beside."""
    shutil.copytree(ROOT / "audiocycle", tmp_path / "audiocycle", ignore=shutil.ignore_patterns("pretrained", "__pycache__"))
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    for name, code in FILES.items():
        assert not (tmp_path / name).exists(), f"{name} is there already: give the page another example"
        (tmp_path / name).write_text(code, encoding="utf-8")
    for name, f0 in (("low", 110.0), ("high", 220.0), ("middle", 160.0)):
        (tmp_path / "data" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "data" / name / "a.wav", vowel(3.0, f0), 16000)
    return tmp_path


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``audiocycle WORDS`` with the copy."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))  # what a plain processor has not is hidden by it
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "audiocycle", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=200)


def test_new_files_are_all_that_an_extension_needs(extended: Path) -> None:
    words = [
        "train", *USED, "data.root=data", "data.domains=[low,high,middle]", "run_dir=run", "data.min_minutes=0", "model.width=0.05", "trainer.crop=32",
        "trainer.batch_size=2", "trainer.log_every=1", "trainer.sample_every=0", "trainer.device=cpu",
    ]  # fmt: skip
    done = command(extended, *words, "max_steps=1")
    assert done.returncode == 0, done.stderr
    done = command(extended, *words, "max_steps=2", "resume=true")
    assert done.returncode == 0, done.stderr
    first, last = [json.loads(line) for line in (extended / "run/log.jsonl").read_text().splitlines()]
    assert {name for name in last if name.startswith("smoothness/")} == {f"smoothness/{a}->{b}" for a in ("low", "high", "middle") for b in ("low", "high", "middle") if a != b}
    assert first["critic/low->high"] != last["critic/low->high"]
    done = command(extended, "convert", "data/low/a.wav", "--target", "high", "--source", "low", "--model", "run/bundle", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(extended / "out.wav").frames == soundfile.info(extended / "data/low/a.wav").frames
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    done = command(extended, "export", "run/bundle")
    assert done.returncode == 0, done.stderr
    assert len(list((extended / "run/bundle").glob("*.onnx"))) == 6
    done = command(extended, "convert", "data/low/a.wav", "--target", "high", "--source", "low", "--model", "run/bundle", "--runtime", "onnx", "-o", "graph.wav")
    assert done.returncode == 0, done.stderr
    by_torch, by_graph = (soundfile.read(extended / name)[0] for name in ("out.wav", "graph.wav"))
    np.testing.assert_allclose(by_graph, by_torch, atol=1e-2)


def test_a_broken_file_that_nobody_uses_is_told_in_one_line(extended: Path) -> None:
    (extended / "audiocycle/objectives/terms/broken.py").write_text("__all__ = [\n", encoding="utf-8")
    done = command(extended, "train", "data.root=data", "data.domains=[low,high]", "run_dir=run")
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"error: {extended}/audiocycle/objectives/terms/broken.py: cannot be imported (SyntaxError: "), line


def test_the_page_lists_the_operators_that_graphs_may_have() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## To be exported")[2]
    listed = section.partition("operators of ONNX:")[2].partition(".")[0]
    assert set(listed.replace(",", " ").split()) == set(OPERATORS)


def test_an_example_is_small() -> None:
    assert len(FILES) == 5
    assert all(len(code.splitlines()) < 60 for code in FILES.values())
