"""A training's settings: schedules, refusals, devices and precisions."""

from __future__ import annotations

import platform
from typing import Any

import pytest
import torch

from audiocycle.errors import ConfigError
from audiocycle.models.precision import choose_bf16
from audiocycle.training.devices import choose_device
from audiocycle.training.trainer import TrainerConfig


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 1.0), (99, 1.0), (100, 1.0), (101, 0.98), (125, 0.5), (149, 0.02), (150, 0.0), (900, 0.0)],
)
def test_rates_are_constant_and_then_fall_linearly_to_zero(step: int, factor: float) -> None:
    assert TrainerConfig(constant_steps=100, decay_steps=50).rate_factor(step) == pytest.approx(factor)


def test_run_ends_with_the_schedule_or_max_steps() -> None:
    assert TrainerConfig(constant_steps=100, decay_steps=50).last_step == 150
    assert TrainerConfig(constant_steps=100, decay_steps=50, max_steps=7).last_step == 7
    assert TrainerConfig(constant_steps=5, decay_steps=0).last_step == 5


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "fp16"},
        {"batch_size": 0},
        {"crop": -1},
        {"lr": 0.0},
        {"critic_lr": -1.0},
        {"log_every": 0},
        {"keep_checkpoints": 0},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        TrainerConfig(**options)


def test_devices_and_precisions() -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(ConfigError, match="device=toaster: not available here"):
        choose_device("toaster")
    cpu = torch.device("cpu")
    assert choose_bf16("bf16", cpu)
    assert not choose_bf16("fp32", cpu)
    assert isinstance(choose_bf16("auto", cpu), bool)


@pytest.mark.parametrize(
    ("machine", "supported", "products", "chosen"),
    [
        ("x86_64", True, True, True),
        ("x86_64", True, False, False),  # AVX-512 alone, where oneDNN goes by way of float32
        ("AMD64", True, False, False),
        ("x86_64", False, True, False),  # kept from it by ONEDNN_MAX_CPU_ISA
        ("x86_64", False, False, False),
        ("aarch64", True, False, True),
        ("arm64", False, False, False),
    ],
)
def test_auto_takes_bfloat16_only_where_the_processor_multiplies_in_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, supported: bool, products: bool, chosen: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: products)
    assert choose_bf16("auto", torch.device("cpu")) == chosen
