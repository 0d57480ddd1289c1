"""A test that hangs ends, also where it waits for a process that hangs, and the next ones run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HANGS = r"""
import os, subprocess, sys, threading

LASTING = f"import os, time\nwhile os.getppid() == {os.getpid()}: time.sleep(0.1)"

def test_waits_for_a_process():
    with subprocess.Popen([sys.executable, "-c", LASTING]) as process:
        process.wait()  # and again at the end of the with-block

def test_waits_for_a_thread():
    threading.Event().wait()

def test_goes_on():
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no alarms; there a timeout ends the whole run")
def test_what_hangs_ends_and_the_others_run(tmp_path: Path) -> None:
    pytest.importorskip("pytest_timeout")
    (tmp_path / "test_hangs.py").write_text(HANGS)
    words = ["-p", "no:cacheprovider", "-p", "time_limit", "-o", "timeout=1", "-o", "timeout_method=signal", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path)], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert re.search(r"2 failed, 1 passed", done.stdout), done.stdout + done.stderr
    assert done.stdout.count("Timeout") >= 2
