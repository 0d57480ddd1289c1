"""Something to hear and to see while a model trains: one recording of each domain, converted every so often."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from audiocycle.build import build_adapter, build_translator
from audiocycle.bundles.format import BundleConfig
from audiocycle.bundles.runtimes.torch_network import TorchNetwork
from audiocycle.conversion.converter import Converter
from audiocycle.errors import AudioCycleError
from audiocycle.spec import direction
from audiocycle.training.monitor import Monitor


class SampleWriter:
    """Writes ``run_dir/samples/step-N/SOURCE-to-TARGET`` (.wav or .mid) and pictures, and shows both in TensorBoard.

    Args:
        paths: one recording of each domain.
        describe: the bundle's settings at a step (the converter needs the statistics).
    """

    def __init__(self, run_dir: Path, paths: Mapping[str, Path], describe: Any, monitor: Monitor) -> None:
        self.folder, self.paths, self.describe, self.monitor = run_dir / "samples", paths, describe, monitor

    def __call__(self, step: int, weights: Mapping[str, Tensor]) -> None:
        """Convert in every direction with these weights. A sample that fails is noted, and training goes on."""
        config: BundleConfig = self.describe(step)
        converter = Converter(config, TorchNetwork(own_copy(config, weights)))
        folder = self.folder / f"step-{step:08d}"
        medium = converter.medium
        for source, target in config.pairs:
            try:
                heard = medium.read(self.paths[source], medium.sample_seconds)
                made = converter(heard, target, source)
            except AudioCycleError as error:
                self.monitor.note(f"step {step}: no sample {direction(source, target)}: {error}")
                continue
            name = f"{source}-to-{target}"
            medium.write(folder / f"{source}{medium.suffix}", heard)
            medium.write(folder / f"{name}{medium.suffix}", made)
            picture = folder / f"{name}.png"
            medium.picture([(source, heard), (f"{direction(source, target)}, step {step}", made)], picture)
            self.monitor.audio(name, medium.listen(made), step)
            self.monitor.picture(name, picture, step)


def own_copy(config: BundleConfig, weights: Mapping[str, Tensor]) -> Any:
    """A translator for these weights, on the CPU, so that training is not touched."""
    translator = build_translator(config.model, config.domains, build_adapter(config.adapter).spec.shape, config.one_way)
    translator.load_state_dict({name: tensor.detach().cpu().float() for name, tensor in weights.items()})
    return translator.eval()

