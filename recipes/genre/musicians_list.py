"""What a musician would object to in converted songs, beside the same figures of their sources and of the target's own songs.

audiocycle convert genres/eval/classic -m MODEL --target jazz -o converted
python recipes/genre/musicians_list.py genres/eval/classic converted genres/eval/jazz
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from audiocycle.errors import AudioCycleError
from audiocycle.evaluation.music.musician import compared, pairs, read_folder, text
from audiocycle.metrics.music.musician import DEFINITION


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="songs before")
    parser.add_argument("converted", type=Path, help="the same songs after, of the same names")
    parser.add_argument("target", type=Path, help="the target genre's own songs, held out from the training")
    arguments = parser.parse_args()
    try:
        sources, converted, targets = (
            read_folder(folder, kind)
            for folder, kind in (
                (arguments.source, "the source"),
                (arguments.converted, "the result"),
                (arguments.target, "the target"),
            )
        )
        both = pairs(sources, converted)
    except AudioCycleError as error:
        sys.exit(f"error: {error}")
    before, after = [sources[name] for name, _ in both], [converted[name] for _, name in both]
    print(
        *text(
            f"musician's list: {len(both)} songs",
            compared([name for name, _ in both], before, after, list(targets.values())),
        ),
        sep="\n",
    )
    print(*textwrap.wrap(DEFINITION, 110), sep="\n")


if __name__ == "__main__":
    main()
