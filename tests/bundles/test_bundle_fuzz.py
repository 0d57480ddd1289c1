"""Damaged and malicious bundles at random, a few of those of ``fuzz_bundles.py``, in a process that may crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes named pipes, and measures memory as Unix does")
FUZZ = Path(__file__).parents[1] / "fuzz_bundles.py"


def test_no_damaged_bundle_is_unexpected() -> None:
    done = subprocess.run([sys.executable, FUZZ, "--count", "60"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "unexpected or over a limit: 0" in done.stdout
    assert "'converted'" in done.stdout  # some of them are whole, and at the ends of their limits
    assert "'refused'" in done.stdout


def test_a_crash_would_be_seen(tmp_path: Path) -> None:
    """The fuzz itself: a process that dies, and one that says what is wrong."""
    import fuzz_bundles

    script = tmp_path / "fuzz.py"
    script.write_text(
        "import json, os, sys\n"
        "first = int(sys.argv[sys.argv.index('--first') + 1])\n"
        "for seed in range(first, 4):\n"
        "    print(json.dumps([seed, 'begun']), flush=True)\n"
        "    if seed == 1:\n        os.abort()\n"
        "    print(json.dumps([seed, 'KeyError: x' if seed == 2 else 'refused', 0.1, 1000]), flush=True)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fuzz_bundles, "__file__", str(script))
        patch.setattr(fuzz_bundles, "write_bases", lambda *_: None)
        told: list[str] = []
        found = fuzz_bundles.fuzz(4, tell=told.append)
    assert found.counts == {"refused": 2, "crashed": 1, "unexpected": 1}
    assert [line.split(" (")[0] for line in told] == ["1: ended with SIGABRT", "2: KeyError: x"]
