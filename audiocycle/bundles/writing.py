"""A bundle on its way to disk, with the card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audiocycle.build import build_adapter, build_modality
from audiocycle.bundles.format import CARD, CONFIG, WEIGHTS, BundleConfig, graph_files
from audiocycle.bundles.packed import packed
from audiocycle.errors import OutputError
from audiocycle.system.atomic import whole_file, write_text


def write_bundle(
    folder: Path,
    config: BundleConfig,
    weights: Mapping[str, Any],
    *,
    half: bool = True,
    card: str | None = None,
) -> None:
    """Write a bundle; each file appears whole or not at all. Graphs of earlier weights are removed.

    Args:
        weights: the translator's state dict.
        half: store float16 (half the size; conversion computes in float32 all the same).
        card: the model card; a generated one when left out.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {k: (v.detach().half() if half else v.detach().float()).cpu().contiguous() for k, v in weights.items()}
    path = folder / WEIGHTS
    for graph in graph_files(folder):
        graph.unlink()
    try:
        with whole_file(path) as temporary:
            save_file(tensors, temporary, metadata={"format": "pt"})  # one entry: their order is random
    except SafetensorError as error:
        raise OutputError(f"{path}: cannot be written ({error}); free some disk space") from error
    write_text(folder / CONFIG, json.dumps(asdict(config) | {"format": config.format}, indent=1, ensure_ascii=False, default=packed) + "\n")
    parameters = sum(v.numel() for v in tensors.values())
    write_text(folder / CARD, card or model_card(config, parameters))


def model_card(config: BundleConfig, parameters: int) -> str:
    """A model card in Markdown, with the front matter that model hubs read."""
    training = "\n".join(f"| {key} | {value} |" for key, value in config.training.items())
    target = config.domains[-1]
    between = f"from everybody to {' and '.join(config.targets)}" if config.any_source else f"from {config.domains[0]} to {' and '.join(config.targets)}" if config.one_way else f"between {' and '.join(config.domains)}"
    adapter = build_adapter(config.adapter)
    consent, remark = build_modality(adapter).consent, adapter.spec.remark
    return f"""---
license: {config.licence}
library_name: audiocycle
tags: [{config.modality}-conversion, cyclegan]
---
# {config.name}

Converts {config.modality} {between}, trained without paired data by audiocycle
{config.audiocycle} ({parameters / 1e6:.2f} M parameters in all generators).{" " + remark if remark else ""}

```
audiocycle convert INPUT --model THIS_FOLDER --target {target}
```

| training | |
|---|---|
{training}

Licence of the weights: {config.licence}.{" " if consent else ""}{consent}
"""
