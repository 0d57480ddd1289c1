"""Malformed MIDI files from the wild, if they are here: each gives a score or an error of one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(os.environ.get("AUDIOCYCLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
NASTY = DATA / "midi" / "nasty"

READ_ALL = """
import resource, sys
from pathlib import Path
from audiocycle.errors import InputError
from audiocycle.music.midi.file import read_score
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
for name in sys.stdin.read().split("\\0"):
    try:
        result = f"{read_score(Path(name)).note_num()} notes"
    except InputError as error:
        result = str(error)
        assert result.startswith(f"{name}: ") and "\\n" not in result, result
    print(result.removeprefix(f"{name}: "))
"""
REFUSED = {
    "drywetmidi_No_Header_Chunk": "is not a MIDI file",
    "no_notes": "holds no notes",
    "crixmus.mid": "3 separate songs",
    "ba_bran3.mid": "100,731,768 bytes",
    "giant_delta.mid": "268,435,455 quarter notes",
    "vlq_5_bytes.mid": "559,241 quarter notes",
    "truncated_in_header.mid": "truncated",
    "unterminated_sysex.mid": "is damaged",
    "zero_tracks.mid": "holds no tracks",
    "/empty.mid": "0 bytes",
    "Issue104_Bizarre_Love_Triangle2.mid": "track 4 is damaged",
    "thank_you_girl.mid": "track 3 is damaged",
    "WC2_13.MID": "track 2 is damaged",
    "addams.mid": "track 3 is damaged",
    "GiordanoG_caromioben.mid": "pitch 253",
    ".midi2": "MIDI 2.0",
    "test-not-a-midi-file.mid": "not a MIDI file",
    "test-silence": "holds no notes",
}
READ = {
    "celeb.kar": 5297,
    "smpte_29_97df.mid": 16,
    "DavidMurray_ChelseaBridge_FINAL.mid": 588,
    "mywind3.mid": 7580,  # four of them struck again before they were released
    "long_silence_tpq960.mid": 2,
    "track_length_huge.mid": 16,
    "tempo_map_20000.mid": 16,
    "arkanoid_modified.mid": 1753,
    "ValueError_Control168.mid": 6432,
}


def test_every_nasty_file_is_read_or_refused_within_a_gibibyte() -> None:
    if not NASTY.is_dir():
        pytest.skip(f"needs the malformed MIDI files in {NASTY}")
    files = sorted(str(path) for path in NASTY.rglob("*") if path.is_file() and path.suffix != ".tsv")
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL], input="\0".join(files), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    results = done.stdout.splitlines()
    assert len(results) == len(files)
    for name, result in zip(files, results, strict=True):
        for part, words in REFUSED.items():
            assert part not in name or words in result, f"{name}: {result}"
        for part, n_notes in READ.items():
            assert part not in name or result == f"{n_notes} notes", f"{name}: {result}"
    assert sum(result.endswith(" notes") for result in results) == 108
