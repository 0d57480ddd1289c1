"""Public recordings and rendered voices → OUT/train and OUT/eval, for the model `any-voices`.

    python recipes/any_voices/prepare.py --out data/any

LibriSpeech's readers 19, 26, 27, 40, 78, one utterance of every other reader of train-clean-100 (one of ten held out), and the rendered voices
heart and michael, with two strangers, emma and george, to try the model with. Steps that are done are not done again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).parents[1]
READERS = ("19", "26", "27", "40", "78")


def main() -> None:
    """Both recipes, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="data root to make")
    parser.add_argument("--from", dest="source", type=Path, help="as that of recipes/librispeech/prepare.py: no download")
    parser.add_argument("--kokoro-js", type=Path, default=Path("kokoro-js-1.2.1.tgz"), help="as that of recipes/rendered_voices/render.py")
    arguments = parser.parse_args()
    given = ("--from", arguments.source) if arguments.source else ()
    if not (arguments.out / "eval" / "others").is_dir():
        run(RECIPES / "librispeech" / "prepare.py", "--out", arguments.out, "--speakers", *READERS, "--others", *given)
    run(RECIPES / "rendered_voices" / "render.py", "--out", arguments.out, "--kokoro-js", arguments.kokoro_js)
    print(f"\nNext: python recipes/ship.py any-voices --data {arguments.out}")


def run(*arguments: object) -> None:
    """Another recipe; its failure is ours."""
    if status := subprocess.run([sys.executable, *map(str, arguments)], check=False).returncode:
        sys.exit(status)


if __name__ == "__main__":
    main()
