"""Where networks compute, and in which precision."""

from __future__ import annotations

import numpy as np
import torch

from audiocycle.errors import ConfigError
from audiocycle.training.distributed import ALONE, Processes


def choose_device(name: str, processes: Processes = ALONE) -> torch.device:
    """``auto``: a GPU, else the processor. Of several processes on a machine each takes the GPU of its own number.

    Raises:
        ConfigError: the device does not exist, or several processes would have to share it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and processes.local_size > 1:
            if device.index is not None:
                raise ConfigError(f"trainer.device={name}: of {processes.local_size} processes each needs a GPU; set cuda")
            if torch.cuda.device_count() < processes.local_size:
                raise ConfigError(
                    f"trainer.device={name}: {torch.cuda.device_count()} GPUs for {processes.local_size} processes; start "
                    "one for each GPU with torchrun --nproc-per-node=gpu, or set trainer.device=cpu"
                )
            device = torch.device("cuda", processes.local_rank)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"trainer.device={name}: not available here; use auto or cpu") from error
    return device


def prepare_device(device: torch.device) -> None:
    """Make a GPU this process's own, with TF32 for what is left in float32, and convolutions chosen by trying.

    TF32 keeps float32's range and 10 bits of its mantissa, three more than bfloat16. All crops of a run have one size, so
    that trying pays at the first step only.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True


def seed_draws(device: torch.device, *numbers: int) -> None:
    """Let what torch draws on a device from now on follow from these numbers."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)  # 1 us; torch.manual_seed, which thinks of all GPUs, takes 0.3 ms
    else:
        torch.manual_seed(seed)
