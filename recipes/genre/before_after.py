"""Six pieces before and after a conversion: picture, score and sound of each, to be looked at and listened to.

    python recipes/genre/before_after.py FOLDER
    python recipes/genre/before_after.py FOLDER -m runs/mine/bundle --only jazz-swing --strength 0.7

Of every piece (towards all genres, where no model knows its own): NAME.mid, .png, .svg and .ogg before; NAME-as-TARGET after, where the source stands above the result in
picture and score. Further options are those of ``audiocycle convert``. Needs the extra score.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pieces import write, write_beats
from six_pieces import SIX

from audiocycle.bundles.format import read_config
from audiocycle.bundles.library import locate
from audiocycle.music.midi.file import read_score
from audiocycle.music.picture import roll_picture
from audiocycle.music.preview import write_preview
from audiocycle.music.score_picture import score_picture

MODELS = ("jazz-classic",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", "-m", action="append", metavar="BUNDLE", help=f"may be repeated; default: {', '.join(MODELS)}")
    parser.add_argument("--only", action="append", choices=list(SIX), help="of the pieces; may be repeated")
    arguments, options = parser.parse_known_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_beats(arguments.folder)
    known = {model: read_config(model).directions for model in map(locate, arguments.model or MODELS)}
    sources = {direction.source.name for directions in known.values() for direction in directions}
    for name in arguments.only or SIX:
        source = write(name, arguments.folder)
        before(source)
        genre, done = name.split("-")[0], set[str]()
        for model, directions in known.items():
            for direction in directions:
                target = direction.target.name
                if (genre == direction.source.name or genre not in sources) and target not in done:
                    done.add(target)
                    after(source, model, target, options)


def before(source: Path) -> None:
    """Picture, score and sound of a piece."""
    score = read_score(source)
    roll_picture(source.with_suffix(".png"), [(source.stem, score)])
    score_picture(source.with_suffix(".svg"), [(source.stem, score)])
    write_preview(source.with_suffix(".ogg"), score)


def after(source: Path, model: Path, target: str, options: list[str]) -> None:
    """Convert a piece, with picture, score and sound."""
    made = source.with_name(f"{source.stem}-as-{target}.mid")
    command = ["convert", source, "--model", model, "--target", target, "-o", made, "--plot", "--score", "--overwrite", *options]
    subprocess.run([sys.executable, "-m", "audiocycle", *map(str, command)], check=True)
    write_preview(made.with_suffix(".ogg"), read_score(made))


if __name__ == "__main__":
    main()
