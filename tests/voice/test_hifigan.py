"""HiFi-GAN against a weight-normed reference in the published layout; chunks; what loading refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.utils import parametrizations
from torch.nn.utils import weight_norm as older_weight_norm

from audiocycle.errors import BundleError, ConfigError
from audiocycle.spec import Encoded
from audiocycle.voice.hifigan import HifiGanConfig, HifiGanGenerator, HifiGanRenderer
from audiocycle.voice.mel_adapter import MelAdapter
from audiocycle.voice.sides import VoiceSide

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
torch.set_num_threads(1)  # on a busy machine, threads that share tiny convolutions wait for seconds
ADAPTER = MelAdapter(8000, n_fft=128, win_length=128, hop_length=32, n_mels=8, f_max=4000.0)
TINY_MEL = {"num_mels": 8, "n_fft": 128, "hop_size": 32, "win_size": 128, "sampling_rate": 8000, "fmax": 4000}
TINY: dict[str, Any] = TINY_MEL | {
    "fmin": 0,
    "learning_rate": 0.0002,
    "resblock": "1",
    "upsample_rates": [4, 4, 2],
    "upsample_kernel_sizes": [8, 8, 4],
    "upsample_initial_channel": 16,
    "resblock_kernel_sizes": [3, 5],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 2, 3]],
}
LONG_HOPS = {"hop_size": 4096, "upsample_rates": [64, 8, 8], "upsample_kernel_sizes": [64, 8, 8]}
MEL_22K = (80, 1024, 256, 1024, 22050, 0.0, 8000.0)
V1 = HifiGanConfig("1", (8, 8, 2, 2), (16, 16, 4, 4), 512, (3, 7, 11), ((1, 3, 5),) * 3, *MEL_22K)
V2 = replace(V1, upsample_initial_channel=128)
V3 = HifiGanConfig("2", (8, 8, 4), (16, 16, 8), 256, (3, 5, 7), ((1, 2), (2, 6), (3, 12)), *MEL_22K)
BROKEN = "not a readable HiFi-GAN config"
Norm = Callable[[nn.Module], nn.Module]


class Reference(nn.Module):
    """The generator as in the paper's figure 1, under weight norm, with the published names."""

    def __init__(self, config: dict[str, Any], norm: Norm) -> None:
        super().__init__()
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        width = config["upsample_initial_channel"]
        self.conv_pre = norm(nn.Conv1d(config["num_mels"], width, 7, 1, padding=3))
        for rate, kernel in zip(config["upsample_rates"], config["upsample_kernel_sizes"], strict=True):
            self.ups.append(norm(nn.ConvTranspose1d(width, width // 2, kernel, rate, (kernel - rate) // 2)))
            width = width // 2
            sizes = zip(config["resblock_kernel_sizes"], config["resblock_dilation_sizes"], strict=True)
            for k, dilations in sizes:
                plain = {"convs2": [1] * len(dilations)} if config["resblock"] == "1" else {}
                columns = {"convs1" if plain else "convs": dilations, **plain}
                block = nn.Module()
                for name, steps in columns.items():
                    convs = [nn.Conv1d(width, width, k, 1, (k - 1) * d // 2, dilation=d) for d in steps]
                    block.add_module(name, nn.ModuleList(norm(conv) for conv in convs))
                self.resblocks.append(block)
        self.conv_post = norm(nn.Conv1d(width, 1, 7, 1, padding=3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_pre(x)
        per_stage = len(self.resblocks) // len(self.ups)
        for i, up in enumerate(self.ups):
            x = up(leaky_relu(x, 0.1))
            outputs = [self.residual(self.resblocks[i * per_stage + j], x) for j in range(per_stage)]
            x = torch.stack(outputs).mean(dim=0)
        sound: Tensor = torch.tanh(self.conv_post(leaky_relu(x, 0.01)))
        return sound

    def residual(self, block: Any, x: Tensor) -> Tensor:
        for conv in getattr(block, "convs", ()):
            x = x + conv(leaky_relu(x, 0.1))
        for dilated, plain in zip(getattr(block, "convs1", ()), getattr(block, "convs2", ()), strict=True):
            x = x + plain(leaky_relu(dilated(leaky_relu(x, 0.1)), 0.1))
        return x


def make_reference(config: dict[str, Any] = TINY, norm: Norm = older_weight_norm) -> Reference:
    torch.manual_seed(1)
    reference = Reference(config, norm)
    with torch.no_grad():  # lengths unlike those of the directions, so that only a true folding fits
        for name, parameter in reference.named_parameters():
            if name.endswith(("weight_g", "original0")):
                parameter.mul_(1.2 + torch.rand_like(parameter))
    return reference


def publish(folder: Path, weights: Any = None, config: Any = TINY, name: str = "generator_v1") -> Path:
    """A folder as in the published archives; by default with the reference's weights."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    weights = weights or make_reference(config).state_dict()
    if name.endswith(".safetensors"):
        save_file({key: value.contiguous() for key, value in weights.items()}, folder / name)
    else:
        torch.save({"generator": weights}, folder / name)
    return folder


def mel(n_frames: int, n_samples: int | None = None) -> Encoded[VoiceSide]:
    return Encoded(np.random.default_rng(n_frames).normal(-3, 2, (8, n_frames)), VoiceSide(n_samples))


@torch.no_grad()
def rendered_by(reference: Reference, encoded: Encoded) -> Any:
    return reference(torch.from_numpy(encoded.features)[None].float())[0, 0].numpy()


@pytest.mark.parametrize("name", ["generator_v1", "g_02500000", "model.pt", "model.safetensors"])
@pytest.mark.parametrize("norm", [older_weight_norm, parametrizations.weight_norm])
@pytest.mark.parametrize("resblock", ["1", "2"])
def test_published_weights(tmp_path: Path, resblock: str, norm: Norm, name: str) -> None:
    reference = make_reference(TINY | {"resblock": resblock}, norm)
    folder = publish(tmp_path, reference.state_dict(), TINY | {"resblock": resblock}, name)
    expected = rendered_by(reference, mel(20))
    assert np.abs(expected).max() > 0.01
    for location in (folder, str(folder / name)):
        signal = HifiGanRenderer.load(location, ADAPTER).render(mel(20))
        assert signal.sample_rate == 8000
        assert signal.samples.dtype == np.float32
        np.testing.assert_allclose(signal.samples, expected, atol=1e-6)


def test_weights_without_norm_and_with_prefix(tmp_path: Path) -> None:
    plain = make_reference(norm=lambda module: module)
    weights = {f"generator.{name}": value for name, value in plain.state_dict().items()}
    renderer = HifiGanRenderer.load(publish(tmp_path, weights, name="model.safetensors"), ADAPTER)
    np.testing.assert_allclose(renderer.render(mel(9)).samples, rendered_by(plain, mel(9)), atol=1e-6)


@pytest.mark.parametrize(("config", "millions"), [(V1, 13.92), (V2, 0.92), (V3, 1.46)])
def test_size_is_that_of_the_paper(config: HifiGanConfig, millions: float) -> None:
    config.check_mel(MelAdapter())
    with torch.device("meta"):
        generator = HifiGanGenerator(config)
    assert sum(p.numel() for p in generator.parameters()) / 1e6 == pytest.approx(millions, abs=0.02)


@pytest.fixture(scope="module")
def renderers(tmp_path_factory: pytest.TempPathFactory) -> list[HifiGanRenderer]:
    configs = [TINY, TINY | {"resblock": "2", "upsample_kernel_sizes": [4, 10, 8]}]
    folders = [publish(tmp_path_factory.mktemp("hifigan"), config=config) for config in configs]
    return [HifiGanRenderer.load(folder, ADAPTER) for folder in folders]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1), st.integers(1, 60), st.integers(1, 40), st.integers(0, 31))
def test_chunks_equal_one_pass(
    renderers: list[HifiGanRenderer], which: int, n_frames: int, chunk_frames: int, cut: int
) -> None:
    encoded = mel(n_frames, n_samples=n_frames * 32 - cut)
    whole = replace(renderers[which], chunk_frames=n_frames).render(encoded).samples
    chunked = replace(renderers[which], chunk_frames=chunk_frames).render(encoded).samples
    assert whole.shape == chunked.shape == (n_frames * 32 - cut,)
    np.testing.assert_allclose(chunked, whole, atol=1e-5)


def test_long_files_are_rendered_in_parts(renderers: list[HifiGanRenderer]) -> None:
    lengths: list[int] = []
    renderer = renderers[0]
    hook = renderer.generator.register_forward_pre_hook(lambda _, args: lengths.append(args[0].shape[-1]))
    renderer.render(mel(1200))
    hook.remove()
    assert len(lengths) == 3
    assert max(lengths) <= renderer.chunk_frames + 2 * renderer.config.context_frames


@pytest.mark.parametrize("which", [0, 1])
def test_context_is_the_receptive_field(renderers: list[HifiGanRenderer], which: int) -> None:
    config = renderers[which].config
    torch.manual_seed(0)
    generator = HifiGanGenerator(config).double()
    frames = torch.randn(1, 8, 81, dtype=torch.float64, requires_grad=True)
    middle = generator(frames)[0, 0, 40 * 32 : 41 * 32]
    (gradient,) = torch.autograd.grad(middle.square().sum(), frames)
    reached = gradient[0].abs().sum(dim=0).nonzero().flatten() - 40
    assert int(reached.abs().max()) in (config.context_frames, config.context_frames - 1)


def test_each_different_mel_setting_is_named(tmp_path: Path) -> None:
    folder = publish(tmp_path, config=TINY | {"fmax": None})  # None: half of the sample rate
    HifiGanRenderer.load(folder, ADAPTER)
    other = MelAdapter(16000, n_fft=256, win_length=200, hop_length=64, n_mels=9, f_min=20.0, f_max=5000.0)
    named = r"sampling_rate 8000 \(16000\), n_fft 128 \(256\), win_size 128 \(200\), hop_size 32 \(64\), "
    named += r"num_mels 8 \(9\), fmin 0 \(20.0\), fmax 4000.0 \(5000.0\); give"
    with pytest.raises(ConfigError, match=named):
        HifiGanRenderer.load(folder, other)
    with pytest.raises(ConfigError, match=r"differ in fmax 4000.0 \(3500.0\); give"):
        HifiGanRenderer.load(folder, replace(ADAPTER, f_max=3500.0))


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    weights = make_reference().state_dict() | {"extra.bias": torch.zeros(2), "conv_post.bias": torch.zeros(5)}
    del weights["ups.1.bias"], weights["conv_pre.weight_v"]
    with pytest.raises(BundleError) as caught:
        HifiGanRenderer.load(publish(tmp_path, weights), ADAPTER)
    named = ("ups.1.bias", "conv_pre.weight_g", '"conv_pre.weight"', "extra.bias", "conv_post.bias")
    assert [name for name in (*named, "\n") if name in str(caught.value)] == list(named)


@pytest.mark.parametrize("location", [None, "", "no/such/folder", "nowhere"])
def test_without_weights_the_error_says_what_to_pass(location: str | None) -> None:
    with pytest.raises(ConfigError, match=r"pass a folder with config\.json .*on the hub, hf:owner/name"):
        HifiGanRenderer.load(location, ADAPTER)


def test_a_folder_must_hold_one_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no HiFi-GAN weights in this folder; pass"):
        HifiGanRenderer.load(tmp_path, ADAPTER)
    publish(tmp_path, name="g_1")
    publish(tmp_path, name="g_2")
    with pytest.raises(ConfigError, match="pass one of g_1, g_2"):
        HifiGanRenderer.load(tmp_path, ADAPTER)


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("trodden"),)


def test_checkpoints_of_other_things_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(publish(tmp_path))
    torch.save({"generator": Trap()}, "generator_v1")
    with pytest.raises(BundleError, match="tensors only"):
        HifiGanRenderer.load(tmp_path, ADAPTER)
    assert not Path("trodden").exists()
    torch.save({"generator": {"steps": 5}}, "generator_v1")
    with pytest.raises(BundleError, match="holds no generator weights"):
        HifiGanRenderer.load(tmp_path, ADAPTER)


@pytest.mark.parametrize("name", ["generator_v1", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None], ids=["empty", "text", "truncated"])
def test_damaged_checkpoints_are_reported(tmp_path: Path, name: str, content: bytes | None) -> None:
    checkpoint = publish(tmp_path, name=name) / name
    checkpoint.write_bytes(checkpoint.read_bytes()[:-500] if content is None else content)
    with pytest.raises(BundleError, match=f"{name}: not a readable checkpoint"):
        HifiGanRenderer.load(tmp_path, ADAPTER)


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("", BundleError, BROKEN),
        ("[1]", BundleError, BROKEN),
        (json.dumps(TINY | {"upsample_rates": 4}), BundleError, BROKEN),
        (json.dumps(TINY_MEL), BundleError, "lacks 'resblock'"),
        (json.dumps(TINY | {"resblock": "3"}), ConfigError, "resblock '3'"),
        (json.dumps(TINY | {"upsample_rates": [4, 4, 4]}), ConfigError, "multiply to hop_size 32"),
        (json.dumps(TINY | {"upsample_kernel_sizes": [8, 8, 5]}), ConfigError, "even numbers"),
        (json.dumps(TINY | {"upsample_kernel_sizes": [8, 8]}), ConfigError, "even numbers"),
        (json.dumps(TINY | {"upsample_initial_channel": 12}), ConfigError, "halve 3 times"),
        (json.dumps(TINY | {"resblock_kernel_sizes": [3, 4]}), ConfigError, "must be odd"),
        (json.dumps(TINY | {"resblock_kernel_sizes": [3]}), ConfigError, "as many"),
        (json.dumps(TINY | {"upsample_initial_channel": 10**9}), ConfigError, "upsample_initial_channel=1000000000: choose a whole number"),
        (json.dumps(TINY | {"upsample_initial_channel": 4096} | LONG_HOPS), ConfigError, "would need more than 1 GB"),
        (json.dumps(TINY | {"resblock_dilation_sizes": [[1] * 10**5, [1]]}), ConfigError, "at most 8 of them"),
        (json.dumps(TINY | {"upsample_rates": [0, 4, 2]}), ConfigError, "upsample_rates"),
        (json.dumps(TINY | {"fmax": float("inf")}), BundleError, BROKEN),
        ("[" * 3000, BundleError, BROKEN),
    ],
)
def test_unusable_configs(tmp_path: Path, text: str, error: type[Exception], reason: str) -> None:
    (publish(tmp_path) / "config.json").write_text(text)
    with pytest.raises(error, match=reason):
        HifiGanRenderer.load(tmp_path, ADAPTER)
    (tmp_path / "config.json").unlink()
    with pytest.raises(BundleError, match=BROKEN):
        HifiGanRenderer.load(tmp_path, ADAPTER)


def test_only_what_is_asked_for_on_the_hub_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fetched: list[str] = []

    def snapshot_download(repo_id: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        fetched.append(f"{repo_id} {revision}")
        assert "config.json" in allow_patterns
        return str(publish(tmp_path / "cache"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(ConfigError, match=r"owner/name: no such HiFi-GAN weights here; .*hf:owner/name"):
        HifiGanRenderer.load("owner/name", ADAPTER)
    HifiGanRenderer.load("hf:owner/name@0123", ADAPTER)
    publish(tmp_path / "owner" / "name")
    HifiGanRenderer.load("owner/name", ADAPTER)
    assert fetched == ["owner/name 0123"]


def test_network_failures_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(repo_id: str, **_options: Any) -> str:
        raise ConnectionError(f"cannot reach the hub\nfor {repo_id}")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(BundleError, match=r"cannot reach the hub for owner/name\); check the name and the network"):
        HifiGanRenderer.load("hf:owner/name", ADAPTER)
