"""Make the second judge of genres, which knows songs by their statistics: lengths, intervals, places in the beat, harmony, register.

    python recipes/genre/prepare.py others jazz=midi/bigband classic=midi/quartets --held-out 0.1
    python recipes/genre/train_song_judge.py others jazz classic -o judge.json
    audiocycle evaluate BUNDLE --source-dir genres/eval/jazz --target-dir genres/eval/classic --judge judge.json

Folders as prepare.py makes them: GENRES_FOLDER/train/GENRE/SOURCE/*.mid, and unseen/ if there is one, to test it. Give it sources of which the
model's training had none: a judge that learnt from the model's own sources recognises them, and calls their texture the genre.
It is tested by itself: on songs (five folds), and on each source that its genre can spare, by a judge that has not learnt from it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from audiocycle.errors import AudioCycleError
from audiocycle.evaluation.music.song_judge import SongJudge, read_tables, statistics_names
from audiocycle.evaluation.music.table import kind_of


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="GENRES_FOLDER")
    parser.add_argument(
        "genres",
        nargs="+",
        metavar="GENRE",
        help="two or more folders in it, named as the model's domains are",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="JUDGE.json")
    arguments = parser.parse_args()
    if len(set(arguments.genres)) < 2:
        parser.error("give two different genres or more")
    names, skipped = statistics_names(), {}
    try:
        tables = {}
        for genre in arguments.genres:
            tables |= read_tables(arguments.folder / "train" / genre, genre, names, skipped)
        judge = SongJudge(arguments.genres, names, tables).checked()
        for genre in arguments.genres:
            unseen = arguments.folder / "unseen" / genre
            if unseen.is_dir():
                more = judge.test(read_tables(unseen, genre, names, skipped), seen=False)
                judge.tests = (*judge.tests, *more)
        judge.save(arguments.output)
    except AudioCycleError as error:
        sys.exit(f"error: {error}")
    width = max(len(test.corpus) for test in judge.tests)
    for test in judge.tests:
        print(
            f"{test.corpus:{width}}  {test.songs:5} songs  right {np.mean(test.accuracy):6.1%}  {kind_of(vars(test))}"
        )
    print(f"{arguments.output}: written; {len(skipped)} files could not be used", file=sys.stderr)


if __name__ == "__main__":
    main()
