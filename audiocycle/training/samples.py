"""Something to hear and to see while a model trains: one recording of each domain, converted every so often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from audiocycle.build import build_adapter, build_translator
from audiocycle.bundles.format import BundleConfig
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleError
from audiocycle.models.translator import Translator
from audiocycle.spec import Domain
from audiocycle.training.monitor import Monitor


class SampleWriter:
    """Writes ``run_dir/samples/step-N/SOURCE-to-TARGET`` (.wav or .mid) and pictures, and shows both in TensorBoard.

    Args:
        paths: one recording of each domain.
        describe: the bundle's settings at a step (the converter needs the statistics).
    """

    def __init__(self, run_dir: Path, paths: Mapping[Domain, Path], describe: Callable[[int], BundleConfig], monitor: Monitor) -> None:
        self.folder, self.paths, self.describe, self.monitor = run_dir / "samples", paths, describe, monitor

    def __call__(self, step: int, weights: Mapping[str, Tensor]) -> None:
        """Convert in every direction with these weights. A sample that fails is noted, and training goes on."""
        config = self.describe(step)
        converter = Converter(config, TorchNetwork(on_processor(config, weights)))
        folder = self.folder / f"step-{step:08d}"
        modality = converter.modality
        for direction in config.directions:
            source, target = direction.source.name, direction.target.name
            try:
                source_item = modality.read(self.paths[direction.source], modality.sample_seconds)
                made = converter(source_item, target, source)
            except AudioCycleError as error:
                self.monitor.note(f"step {step}: no sample {direction}: {error}")
                continue
            name = direction.file_stem
            modality.write(folder / f"{source}{modality.suffix}", source_item)
            modality.write(folder / f"{name}{modality.suffix}", made)
            picture = folder / f"{name}.png"
            modality.picture([(source, source_item), (f"{direction}, step {step}", made)], picture)
            self.monitor.picture(name, picture, step)
            try:
                self.monitor.audio(name, modality.listen(made), step)
            except AudioCycleError as error:  # nothing to play it with
                self.monitor.note(f"step {step}: no sound of sample {direction}: {error}")


def on_processor(config: BundleConfig, weights: Mapping[str, Tensor]) -> Translator:
    """A translator for these weights, on the CPU, so that training is not touched."""
    translator = build_translator(config.model, config.directions, build_adapter(config.adapter).spec)
    translator.load_state_dict({name: tensor.detach().cpu().float() for name, tensor in weights.items()})
    return translator.eval()

