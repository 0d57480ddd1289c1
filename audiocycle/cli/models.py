"""``audiocycle models`` and ``audiocycle info``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from audiocycle.errors import printable


def models(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """List the models in ./models, in the user's model folder, and in the package."""
    from audiocycle.bundles.library import Refused, installed_models, model_folders, passed_over

    refused: Refused = {}
    found = list(installed_models(refused))
    for line in passed_over(refused):
        typer.echo(line, err=True)
    if as_json:
        facts = [
            {"name": m.config.name, "path": str(m.path), "modality": m.config.modality, "domains": list(m.config.domains), "directions": [str(direction) for direction in m.config.directions]}
            for m in found
        ]
        typer.echo(json.dumps(facts))
        return
    for model in found:
        config = model.config
        names = ", ".join(map(str, config.directions) if config.one_way else config.domains)
        typer.echo(printable(f"{config.name:24} {config.modality:6} {names:32} {model.path}"))
    if not found:
        typer.echo(f"no models in {', '.join(map(str, model_folders()))}", err=True)


def info(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or hf:owner/name[@revision].")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what a model converts, its size, versions, licence and training."""
    from audiocycle.bundles.format import describe_bundle
    from audiocycle.bundles.library import locate

    facts = describe_bundle(locate(bundle))
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        lines = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else [value]
        text = printable(", ".join(value)) if isinstance(value, list) else ("\n" + " " * 14).join(map(printable, lines))
        typer.echo(f"{key:12}  {text}")
