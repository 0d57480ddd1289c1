"""``audiocycle models`` and ``audiocycle info``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """List the models in ./models, in the user's model folder, and in the package."""
    from audiocycle.library import installed_models, model_folders

    found: list[dict[str, Any]] = [
        {"name": m.config.name, "path": str(m.path), "modality": m.config.modality, "domains": list(m.config.domains), "one_way": m.config.one_way}
        for m in installed_models()
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    for model in found:
        names = ", ".join(model["domains"]).replace(", ", " -> " if model["one_way"] else ", ", 1)
        typer.echo(f"{model['name']:24} {model['modality']:6} {names:32} {model['path']}")
    if not found:
        typer.echo(f"no models in {', '.join(map(str, model_folders()))}", err=True)


def info(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or a hub id.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what a model converts, its size, versions, licence and training."""
    from audiocycle.bundle import describe_bundle
    from audiocycle.library import locate

    facts = describe_bundle(locate(bundle))
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        lines = [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else [value]
        text = ", ".join(value) if isinstance(value, list) else ("\n" + " " * 14).join(map(str, lines))
        typer.echo(f"{key:12}  {text}")
