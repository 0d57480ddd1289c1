"""One direct test for each of the ten mistakes that well-known CycleGAN-VC implementations make."""

from __future__ import annotations

import ast
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from audiocycle import models
from audiocycle.build import build_adapter, build_critic, build_translator
from audiocycle.bundles.format import WEIGHTS, BundleConfig, load_translator, read_config, stats_to_json
from audiocycle.bundles.runtimes.network import Network
from audiocycle.bundles.writing import write_bundle
from audiocycle.conversion.converter import Converter
from audiocycle.data.cache import FeatureCache
from audiocycle.errors import BundleError, DomainError, TrainingError
from audiocycle.models.layers import GLU, parameter_count
from audiocycle.objectives.base import Terms
from audiocycle.objectives.config import ObjectiveConfig
from audiocycle.objectives.cycle import CycleObjective
from audiocycle.objectives.term import Critics
from audiocycle.spec import Direction, Domain, Encoded, FeatureSpec, FloatArray, NoSide, Signal, directions
from audiocycle.training.checkpoint import FORMAT, load_newest
from audiocycle.training.trainer import Trainer
from audiocycle.voice.f0 import convert_f0, log_f0_stats
from audiocycle.voice.sound_file import read_mono
from audiocycle.voice.world_adapter import WorldAdapter

MakeTrainer = Callable[..., Trainer]
Voice = Callable[..., FloatArray]
A, B = map(Domain, "ab")
MODEL = {
    "generator": "gated_212d",
    "critic": "gated_patch",
    "width": 0.01,
    "generator_options": {"n_blocks": 1},
}
PITCHES = {"low": 110.0, "high": 220.0}


@pytest.fixture
def bundle(tmp_path: Path, synthetic_voice: Voice) -> Path:
    """Untrained networks, and the statistics of two synthetic voices."""
    adapter = WorldAdapter()
    stats = {
        name: stats_to_json(adapter.fit([adapter.analyze(synthetic_voice(0.6, f0))]))
        for name, f0 in PITCHES.items()
    }
    config = BundleConfig("low-high", "voice", ("low", "high"), {"name": "world"}, MODEL, stats)
    torch.manual_seed(0)
    write_bundle(tmp_path / "bundle", config, build_translator(MODEL, config.directions, FeatureSpec("voice", (36,), 200.0)).state_dict())
    return tmp_path / "bundle"


def convolutions(network: nn.Module) -> list[nn.Module]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d)]


def test_1_second_adversarial_loss_trains_the_generators_against_critics_of_its_own(
    make_trainer: MakeTrainer,
) -> None:
    first, second = make_trainer(), make_trainer()
    critic, cycle_critic = first.critics["critic"], first.critics["cycle_critic"]
    assert not {id(p) for p in critic.parameters()} & {id(p) for p in cycle_critic.parameters()}
    with torch.no_grad():
        for parameter in second.critics["cycle_critic"].parameters():
            parameter.mul_(3.0)
    before = [p.detach().clone() for p in second.critics["cycle_critic"].parameters()]
    first.train_step()
    second.train_step()
    assert any(
        not torch.equal(a.grad, b.grad)
        for a, b in zip(first.translator.parameters(), second.translator.parameters(), strict=True)
    )
    assert all(
        torch.equal(a.grad, b.grad)
        for a, b in zip(critic.parameters(), second.critics["critic"].parameters(), strict=True)
    )
    after = second.critics["cycle_critic"].parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_2_each_optimizer_has_its_own_rate_which_decays_and_is_restored(make_trainer: MakeTrainer) -> None:
    options = {"lr": 4e-4, "critic_lr": 1e-4, "constant_steps": 2, "decay_steps": 4}
    trainer, rates = make_trainer(max_steps=4, **options), []
    networks = {
        id(trainer.generator_optimizer): trainer.translator,
        id(trainer.critic_optimizer): trainer.critics,
    }
    for optimizer in (trainer.generator_optimizer, trainer.critic_optimizer):
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in networks[id(optimizer)].parameters()}

    def note(trainer: Trainer) -> None:
        rates.append(
            tuple(o.param_groups[0]["lr"] for o in (trainer.generator_optimizer, trainer.critic_optimizer))
        )

    for _ in range(4):
        trainer.train_step()
        note(trainer)
    trainer.save()
    resumed = make_trainer(max_steps=6, **options)
    resumed.resume()
    note(resumed)
    resumed.train_step()
    note(resumed)
    expected = [(4e-4 * f, 1e-4 * f) for f in (1, 1, 1, 0.75, 0.75, 0.5)]
    assert rates == [pytest.approx(pair) for pair in expected]


def test_2_critics_rate_is_half_of_the_generators_unless_set(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(lr=2e-4)
    trainer.train_step()
    assert trainer.critic_optimizer.param_groups[0]["lr"] == 1e-4


def test_3_glu_gates_with_other_channels_and_the_critic_has_no_sigmoid() -> None:
    x = torch.tensor([[[2.0], [-1.0]]])
    assert GLU()(x).item() == pytest.approx(2.0 / (1.0 + np.e))
    critic = build_critic(MODEL, (A, B))
    assert not [layer for layer in critic.modules() if isinstance(layer, nn.Sigmoid | nn.SiLU)]
    score = critic.critics["a"].body[-1]
    nn.init.constant_(score.bias, 5.0)
    assert (critic(torch.randn(1, 36, 16), A) > 1).all()


def test_4_every_layer_is_called_and_learns(make_trainer: MakeTrainer) -> None:
    trainer, calls = make_trainer(), Counter[int]()
    networks = (trainer.translator, trainer.critics)
    for network in networks:
        for layer in convolutions(network):
            layer.register_forward_hook(lambda layer, *_: calls.update([id(layer)]))
    before = [[p.detach().clone() for p in network.parameters()] for network in networks]
    trainer.train_step()
    assert all(calls[id(layer)] > 0 for network in networks for layer in convolutions(network))
    for network, old in zip(networks, before, strict=True):
        assert all(not torch.equal(a, b) for a, b in zip(old, network.parameters(), strict=True))


def test_5_no_feature_size_is_hard_coded() -> None:
    for source in Path(models.__path__[0]).glob("*.py"):
        numbers = {
            node.value for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Constant)
        }
        assert not numbers & {2304, 9, 36, 35, 80}, source
    for feature_dim in (20, 35, 36, 80):
        x = torch.randn(1, feature_dim, 12)
        assert build_translator(MODEL, directions((A, B)), FeatureSpec("voice", (feature_dim,), 200.0))(x, Direction(A, B)).shape == x.shape


class Recorded:
    """An array that notes how it is sliced."""

    def __init__(self, array: FloatArray) -> None:
        self.array, self.slices = array, []

    def __getitem__(self, key: Any) -> FloatArray:
        self.slices.append(key)
        return np.asarray(self.array[key])


def test_6_critic_step_runs_no_generator_and_a_batch_cuts_only_its_own_crops(
    make_trainer: MakeTrainer,
) -> None:
    trainer, calls, recorded = make_trainer(batch_size=3), Counter[str](), {}
    for name, generator in trainer.translator.generators.items():
        generator.register_forward_hook(lambda *_, name=name: calls.update([name]))
    for domain, items in trainer.sampler.items.items():
        recorded[domain] = trainer.sampler.items[domain] = [Recorded(item) for item in items]
    trainer.train_step()
    assert calls == {"a->b": 2, "b->a": 2}  # fake and identity in one batch, and the way back
    for items in recorded.values():
        assert [key[1].stop - key[1].start for item in items for key in item.slices] == [16] * 3


class Watched(CycleObjective):
    """Looks, between the two steps, for gradients where there should be none."""

    def critic_terms(self, critics: Critics, *args: Any) -> Terms:
        parameters = [p for critic in critics.values() for p in critic.parameters()]
        assert len(critics) == 2
        assert all(p.grad is None for p in parameters)
        assert all(p.requires_grad for p in parameters)
        return super().critic_terms(critics, *args)


def test_6_generator_step_computes_no_gradient_of_the_critics_weights(make_trainer: MakeTrainer) -> None:
    make_trainer(objective=Watched(directions((A, B)), ObjectiveConfig(), FeatureSpec("test", (8,), 1.0))).train_step()


class Untouched(Network):
    def __call__(self, batch: FloatArray, direction: Direction) -> FloatArray:
        return batch


def test_7_statistics_are_the_bundles_own_source_in_target_out(bundle: Path, synthetic_voice: Voice) -> None:
    config = read_config(bundle)
    converter, features = (
        Converter(config, Untouched()),
        WorldAdapter().analyze(synthetic_voice(0.6, 110.0)).features,
    )
    direction = config.direction("low", "high")
    low, high = direction.source.stats, direction.target.stats
    converted = converter.translate_features(features, direction)
    expected = (features - low["mean"]) / low["std"] * high["std"] + high["mean"]
    np.testing.assert_allclose(converted, expected, atol=1e-4)
    pitch = np.median(
        converter.translation("high")(WorldAdapter().analyze(synthetic_voice(0.6, 110.0))).side.f0
    )
    assert pitch == pytest.approx(220.0, rel=0.1)
    for target, source in (("nobody", None), ("high", "nobody"), ("high", "high")):
        with pytest.raises(DomainError, match="knows: low, high"):
            converter.config.resolve(target, source)


@pytest.mark.filterwarnings("error")
def test_8_log_f0_never_takes_log_of_zero() -> None:
    assert log_f0_stats([np.zeros(5)]) is None
    assert log_f0_stats([]) is None
    assert log_f0_stats([np.array([0.0, 100.0, 0.0]), np.array([100.0])]) == pytest.approx(
        (np.log(100.0), 0.0)
    )
    f0 = convert_f0(np.array([0.0, 100.0, 0.0]), (np.log(100.0), 0.0), (np.log(200.0), 0.3))
    np.testing.assert_allclose(f0, [0.0, 200.0, 0.0])


@pytest.mark.parametrize("n_samples", [1, 50, 800, 3000])
@pytest.mark.parametrize("level", [0.0, 1e-4, 0.5], ids=["silence", "whisper", "voice"])
def test_8_short_and_silent_recordings_convert_to_as_many_finite_samples(
    bundle: Path, synthetic_voice: Voice, n_samples: int, level: float
) -> None:
    samples = level * synthetic_voice(1.0, 120.0)[4000 : 4000 + n_samples]
    signal = Converter.from_pretrained(bundle)(Signal(samples, 16000), target="high")
    assert signal.samples.shape == (n_samples,)
    assert np.isfinite(signal.samples).all()
    assert level > 0 or not signal.samples.any()


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_9_any_sample_rate_keeps_its_pitch_and_duration(
    tmp_path: Path, bundle: Path, synthetic_voice: Voice, rate: int
) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.stack([synthetic_voice(0.5, 150.0, rate)] * 2, axis=1), rate)
    samples = read_mono(path, 16000)
    assert len(samples) == pytest.approx(8000, abs=2)
    f0 = WorldAdapter().analyze(samples).side.f0
    assert np.median(f0[f0 > 0]) == pytest.approx(150.0, rel=0.02)
    Converter.from_pretrained(bundle).convert_file(path, tmp_path / "out.wav", target="high")
    written = soundfile.info(tmp_path / "out.wav")
    assert (written.samplerate, written.frames) == (rate, round(0.5 * rate))


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def test_10_no_file_that_is_loaded_can_run_code(tmp_path: Path, bundle: Path) -> None:
    marker = tmp_path / "code ran"
    (tmp_path / "checkpoints").mkdir()
    torch.save(
        {"step": 1, "format": FORMAT, "translator": Trap(marker)}, tmp_path / "checkpoints" / "step-00000001.pt"
    )
    with pytest.raises(TrainingError, match="no checkpoint can be read"):
        load_newest(tmp_path / "checkpoints")
    for content in (pickle.dumps(Trap(marker)), (tmp_path / "checkpoints" / "step-00000001.pt").read_bytes()):
        (bundle / WEIGHTS).write_bytes(content)
        with pytest.raises(BundleError):
            load_translator(bundle, read_config(bundle))

    (tmp_path / "a.wav").touch()
    cache = FeatureCache(tmp_path / "cache", lambda path: Encoded(np.zeros((2, 3)), NoSide()), {})
    cache.get(tmp_path / "a.wav")
    (stored,) = (tmp_path / "cache").glob("*.npz")
    np.savez(stored, features=np.array([Trap(marker)], dtype=object))
    np.testing.assert_array_equal(cache.get(tmp_path / "a.wav").features, np.zeros((2, 3)))
    assert not marker.exists()


def test_10_a_bundle_is_two_bytes_a_parameter_and_checkpoints_do_not_pile_up(
    tmp_path: Path, make_trainer: MakeTrainer
) -> None:
    trainer = make_trainer(max_steps=5, checkpoint_every=1, keep_checkpoints=2)
    trainer.run()
    assert len(list(trainer.folder.iterdir())) == 2
    stats = {name: {"mean": [0.0]} for name in ("a", "b")}
    config = BundleConfig("a-b", "voice", ("a", "b"), {"name": "world", "n_mcep": 8}, MODEL, stats)
    write_bundle(tmp_path / "bundle", config, trainer.weights())
    assert (tmp_path / "bundle" / WEIGHTS).stat().st_size == pytest.approx(
        2 * parameter_count(trainer.translator), rel=0.05
    )
    assert build_adapter(read_config(tmp_path / "bundle").adapter).spec.shape == (8,)
