"""``audiocycle evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

EVALUATE_HELP = """Measure a genre model on MIDI files that it was not trained on, beside two controls.

\b
  audiocycle evaluate runs/jazz-classic/bundle --source-dir eval/jazz --target-dir eval/classic --classifier CLASSIFIER
  audiocycle evaluate BUNDLE --source-dir eval/straight --target-dir eval/swing --paired --json

\b
strength    how far transfers leave the source's genre, as a classifier sees it (recipes/genre/train_classifier.py)
content     how much of the piece is still there: chroma, groove, notes, key
style       how much transfers play like the target's songs: which intervals follow which, where and how long notes are
quality     do they look like music at all: beside both genres' own numbers
"""


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or a hub id.")],
    source_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out songs of the first domain, with subfolders.")],
    target_dir: Annotated[Path, typer.Option(metavar="DIR", help="Held-out songs of the second domain.")],
    source: Annotated[str | None, typer.Option(help="The first domain (default: the model's first).")] = None,
    target: Annotated[str | None, typer.Option(help="The second domain (default: the model's second).")] = None,
    classifier: Annotated[Path | None, typer.Option(metavar="DIR", help="Needed for the strength.")] = None,
    paired: Annotated[bool, typer.Option("--paired", help="Songs of one name are counterparts: compare with them, too.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Songs of each domain, spread evenly.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random control.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Both directions, with a progress bar."""
    from audiocycle import progress
    from audiocycle.classifier import Classifier
    from audiocycle.convert import Converter
    from audiocycle.evaluation.music import evaluate as measure
    from audiocycle.evaluation.music_table import to_json, to_text

    converter = Converter.from_pretrained(bundle, runtime="torch", precision="fp32")  # the same figures on every machine
    first = source or next(domain for domain in converter.domains if domain != target)
    second = target or next(domain for domain in converter.domains if domain != first)
    converter.resolve(second, first)
    judge = None if classifier is None else Classifier.load(classifier)
    with progress.counted(progress.console(), "songs") as bar:
        task = bar.add_task("evaluating", total=None)
        found = measure(
            converter, {first: source_dir, second: target_dir}, judge, paired=paired, limit=limit, seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    typer.echo(json.dumps(to_json(found)) if as_json else to_text(found))
