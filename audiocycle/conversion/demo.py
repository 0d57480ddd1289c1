"""``audiocycle demo``: hear and see a conversion at once, with what came with the package."""

from __future__ import annotations

from pathlib import Path

from audiocycle.bundles.library import model_folders
from audiocycle.conversion.converter import Converter
from audiocycle.errors import ConfigError

PRETRAINED = {"voice": "rendered-voices", "music": "jazz-classic"}


def run_demo(kind: str, folder: Path) -> list[Path]:
    """Convert the samples of the bundled model, one in each direction; the files written come back.

    Raises:
        ConfigError: there is no demo of this modality.
    """
    if kind not in PRETRAINED:
        raise ConfigError(f"demo '{kind}' is unknown; choose one of: {', '.join(PRETRAINED)}")
    bundle = model_folders()[-1] / PRETRAINED[kind]
    converter = Converter.from_pretrained(bundle)
    modality = converter.modality
    first, second = converter.domains[:2]
    written = []
    for source, target in ((first, second), (second, first)):
        sample = next(iter(sorted((bundle / "samples").glob(f"{source}-*"))))
        given = modality.read(sample)
        made = converter(given, target=target, source=source)
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
