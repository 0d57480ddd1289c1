"""Make what is usual of states of the content encoder: their mean and deviation where somebody speaks, over many speakers. A stream begins with them.

    python recipes/content_encoder/usual.py recordings/          # writes audiocycle/voice/content/usual_states.npy

The one that comes with the package is of 246 readers of LibriSpeech (train-clean-100, CC BY 4.0), an utterance each, 51 minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from audiocycle.data.moments import Moments
from audiocycle.voice.content import encoder
from audiocycle.voice.content.ear import USUAL_STATES
from audiocycle.voice.level import frame_energies, speech_mask
from audiocycle.voice.sound_file import is_recording, read_speech
from audiocycle.voice.world_adapter import GATE_DB


def main() -> None:
    """Write the array."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--out", type=Path, default=USUAL_STATES)
    arguments = parser.parse_args()
    found, paths = Moments(), sorted(path for path in arguments.recordings.rglob("*") if is_recording(path))
    for path in paths:
        samples, _, _ = read_speech(path, encoder.SAMPLE_RATE)
        energies = frame_energies(samples, round(encoder.SAMPLE_RATE / encoder.FRAME_RATE))
        found.add(encoder.states(samples)[speech_mask(energies, 1 / encoder.FRAME_RATE, GATE_DB)].T)
    np.save(arguments.out, np.stack([found.mean[:, 0], found.std[:, 0]]).astype(np.float32))
    print(f"{arguments.out}: of {len(paths)} recordings, {found.count / encoder.FRAME_RATE / 60:.0f} minutes of speech")


if __name__ == "__main__":
    main()
