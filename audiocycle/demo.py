"""``audiocycle demo``: hear and see a conversion at once, with what came with the package."""

from __future__ import annotations

from pathlib import Path

from audiocycle.convert import Converter
from audiocycle.errors import ConfigError
from audiocycle.library import model_folders

PRETRAINED = {"voice": "rendered-voices"}


def run_demo(modality: str, folder: Path) -> list[Path]:
    """Convert the sample of the bundled model in both directions; the files written come back.

    Raises:
        ConfigError: there is no demo of this modality.
    """
    if modality not in PRETRAINED:
        raise ConfigError(f"demo '{modality}' is unknown; choose one of: {', '.join(PRETRAINED)}")
    bundle = model_folders()[-1] / PRETRAINED[modality]
    converter = Converter.from_pretrained(bundle)
    medium = converter.medium
    first, second = converter.domains[:2]
    written = []
    for source, target in ((first, second), (second, first)):
        sample = next(iter(sorted((bundle / "samples").glob(f"{source}-*"))))
        heard = medium.read(sample)
        made = converter(heard, target=target, source=source)
        name = f"{source}-to-{target}"
        original, converted, picture = (folder / f"{name}{end}" for end in (f".source{medium.suffix}", medium.suffix, ".png"))
        medium.write(original, heard)
        medium.write(converted, made)
        medium.picture([(f"{source} (input)", heard), (f"{source} converted to {target}", made)], picture)
        written += [original, converted, picture]
    return written
