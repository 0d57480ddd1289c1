"""``audiocycle demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    modality: Annotated[str, typer.Argument(help="voice or music.")] = "voice",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("audiocycle-demo"),
) -> None:
    """Convert a sentence, or a piece, that came with the package; write both, sounds and pictures."""
    from audiocycle.conversion.demo import run_demo

    for path in run_demo(modality, output):
        typer.echo(str(path))
