"""``audiocycle demo``: hear and see a conversion at once, with what came with the package. The voices are strangers to the model."""

from __future__ import annotations

from pathlib import Path

from audiocycle.bundles.library import model_folders
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError

PRETRAINED = {"voice": "any-voices", "music": "jazz-classic"}
STRANGERS = (("emma", "27"), ("george", "heart"))
"""Whose samples come with the first, and whom they become."""


def run_demo(kind: str, folder: Path) -> list[Path]:
    """Convert samples that came with the bundled model; the files written come back.

    Raises:
        ConfigError: there is no demo of this modality.
    """
    if kind not in PRETRAINED:
        raise ConfigError(f"demo '{kind}' is unknown; choose one of: {', '.join(PRETRAINED)}")
    bundle = model_folders()[-1] / PRETRAINED[kind]
    converter = Converter.from_pretrained(bundle)
    modality = converter.modality
    ways = STRANGERS if converter.config.any_source else tuple((way.source.name, way.target.name) for way in converter.config.directions)
    written = []
    for source, target in ways:
        sample = next(iter(sorted((bundle / "samples").glob(f"{source}-*"))))
        given = modality.read(sample)
        made = converter(given, target=target, source=None if converter.config.any_source else source)
        name = f"{source}-to-{target}"
        for ending, item in ((".source", given), ("", made)):
            path = folder / f"{name}{ending}{modality.suffix}"
            modality.write(path, item)
            written.append(path)
            if modality.preview_suffix:
                written.append(path.with_name(f"{name}{ending}{modality.preview_suffix}"))
                modality.preview(path, written[-1])
        picture = folder / f"{name}.png"
        modality.picture([(f"{source} (input)", given), (f"{source} converted to {target}", made)], picture)
        written.append(picture)
    return written
