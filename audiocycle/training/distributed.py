"""Several processes that train one model together, started by ``torchrun``; a process alone pays nothing for it.

Each process holds all networks, computes the gradients of its share of a batch, and :meth:`Processes.mean_` averages them:
one all-reduce of one flat buffer for each optimizer step. There is no ``DistributedDataParallel`` around the networks,
because a generator is called two or three times before one backward, critics are frozen in the generators' step, and the
gradients are a few MB: reducing them once, after the backward, is simplest and gives the same numbers. There is no FSDP
either: weights, gradients and optimizer states of all networks fit many times into the memory of any GPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.rendezvous import rendezvous

from audiocycle.errors import ConfigError, TrainingError, one_line

T = TypeVar("T")
PATIENCE = timedelta(hours=24)
"""How long a process waits for the others: analysing a large corpus takes hours. A peer that died is noticed at once, by
its closed connection or by torchrun, which ends all."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank, size: which of how many, over all machines. The first (rank 0) writes files and speaks to people.
        local_rank, local_size: the same on this machine.
        restarts: how often ``torchrun --max-restarts`` has started all of them again.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    restarts: int = 0

    @classmethod
    def from_environment(cls) -> Processes:
        """As torchrun describes them; one process alone where it did not start us."""
        names = {
            "rank": "RANK", "size": "WORLD_SIZE", "local_rank": "LOCAL_RANK", "local_size": "LOCAL_WORLD_SIZE",
            "restarts": "TORCHELASTIC_RESTART_COUNT",
        }  # fmt: skip
        if "RANK" not in os.environ:  # some schedulers set WORLD_SIZE for processes that know nothing of each other
            return cls()
        return cls(**{name: int(os.environ[variable]) for name, variable in names.items() if variable in os.environ})

    @property
    def alone(self) -> bool:
        """Whether there are no others; every method is then free."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this one writes files and speaks to people."""
        return self.rank == 0

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Inside, the processes can talk to each other: tensors on GPUs by NCCL, all else by gloo.

        Raises:
            ConfigError: a kind of device that several processes cannot use.
        """
        if self.alone:
            yield
            return
        if device.type not in ("cpu", "cuda"):
            raise ConfigError(f"trainer.device={device}: several processes train on cpu or cuda; start one without torchrun")
        cuda = device.type == "cuda"
        with lost_peers():
            store, rank, size = next(rendezvous("env://"))  # type: ignore[no-untyped-call]
            # torchrun's store outlives the workers: those that it starts again would find the addresses of the dead.
            store = dist.PrefixStore(f"start {self.restarts}", store)  # type: ignore[attr-defined]
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if cuda else "gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE,
                device_id=device if cuda else None,
            )  # fmt: skip
        try:
            yield
        finally:
            dist.destroy_process_group()

    def share(self, batch_size: int) -> slice:
        """Where this process's items are in a batch of all. Shares are equal, so that a mean of their means is the mean.

        Raises:
            ConfigError: it cannot be divided.
        """
        count, rest = divmod(batch_size, self.size)
        if rest or not count:
            raise ConfigError(
                f"trainer.batch_size={batch_size}: {self.size} processes share it equally; set a multiple of {self.size}"
            )
        return slice(self.rank * count, (self.rank + 1) * count)

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each float32 tensor by its mean over all processes, in one exchange. The same bits arrive everywhere."""
        if self.alone:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with lost_peers():
            dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(list(tensors), [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])

    def gather(self, batches: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Shares (b, ...) of all processes, joined in the order of :meth:`share` to (B, ...), in one exchange."""
        if self.alone or not batches:
            return dict(batches)
        mine = torch.cat([batch.flatten().view(torch.uint8) for batch in batches.values()])  # bytes: of any type
        everyone = [torch.empty_like(mine) for _ in range(self.size)]
        with lost_peers():
            dist.all_gather(everyone, mine)
        sizes = [batch.numel() * batch.element_size() for batch in batches.values()]
        columns = zip(*(torch.split(one, sizes) for one in everyone), strict=True)
        return {
            name: torch.cat([part.clone().view(batch.dtype).view(batch.shape) for part in parts])
            for (name, batch), parts in zip(batches.items(), columns, strict=True)
        }

    def copy_first_(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite tensors with those of the first process."""
        if not self.alone:
            with lost_peers():
                for tensor in tensors:
                    dist.broadcast(tensor, src=0)

    def of_first(self, value: T) -> T:
        """The first process's value, of any type that can be pickled, for all."""
        values = [value]
        if not self.alone:
            with lost_peers():
                dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def wait(self) -> None:
        """Until all have come here."""
        if not self.alone:
            with lost_peers():
                dist.all_reduce(torch.zeros(1))  # of the processor's memory: no GPU spins meanwhile

    @contextmanager
    def one_before_others(self) -> Iterator[None]:
        """The block runs in one process of each machine first, and in its others when that has ended."""
        if self.local_rank:
            self.wait()
        yield
        if not self.local_rank:
            self.wait()


ALONE = Processes()


@contextmanager
def lost_peers() -> Iterator[None]:
    """What torch.distributed makes of a peer that died, as one line that says what helps.

    Raises:
        TrainingError: the others cannot be reached.
    """
    try:
        yield
    except (RuntimeError, OSError) as error:
        reason = one_line(error).split(". ")[0]
        raise TrainingError(
            f"a process of this training was lost ({reason}); look for its own message, then start all again with resume=true "
            "(torchrun --max-restarts=3 does so by itself)"
        ) from error
