"""``audiocycle export``."""

from __future__ import annotations

from typing import Annotated

import typer

from audiocycle.errors import ConfigError, printable

FORMATS = ("onnx",)
EXPORT_HELP = """Write a model's networks as ONNX graphs into its folder, so that it converts without torch.

\b
  audiocycle export runs/anna-ben/bundle
  audiocycle convert in.wav --target ben --model runs/anna-ben/bundle                      # takes the graphs from now on
  audiocycle convert in.wav --target ben --model runs/anna-ben/bundle --runtime torch

\b
Graphs are some ten kB each: the weights stay where they are. Each is compared with torch on random features, in
all runtimes that are installed, and the precisions that this processor has; printed are the largest difference from
torch in float32, and the root mean square of the differences as a share of the output's. Training on, or again, removes
the graphs.
"""


def export(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, an installed model's name, or hf:owner/name[@revision].")],
    form: Annotated[str, typer.Option("--format", help="onnx")] = "onnx",
) -> None:
    """Export, compare, and print both."""
    if form not in FORMATS:
        raise ConfigError(f"--format {form}: unknown; choose one of: {', '.join(FORMATS)}")

    from audiocycle.bundles.export import agreements, export_bundle
    from audiocycle.bundles.library import locate
    from audiocycle.bundles.runtimes.choice import installed_kinds

    folder = locate(bundle)
    for path in export_bundle(folder):
        typer.echo(f"{printable(path)}: {path.stat().st_size / 1000:.0f} kB")
    for found in agreements(folder):
        pair, kind = f"{found.direction.source} -> {found.direction.target}", f"{found.runtime} {found.precision}"
        typer.echo(f"{pair:24}  {kind:13}  largest error {found.largest:.1e}, {100 * found.relative:.2g} % of the output")
    for runtime, precision in installed_kinds(native=False):
        typer.echo(f"{runtime} {precision}: not compared, this processor does not have it")
