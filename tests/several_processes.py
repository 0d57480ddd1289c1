"""Processes for tests: those that train together, as torchrun would start them, and those that are to be killed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import torch

from audiocycle.training.distributed import Processes

CONTEXT = get_context("forkserver")  # which imports torch once, so that each process starts in milliseconds
CONTEXT.set_forkserver_preload(["audiocycle.training.trainer", "audiocycle.build", "torch._dynamo", "pytest", "hypothesis"])
"""What children import, some of it late: optimizers load torch._dynamo."""
PATIENCE = 60.0


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def torchrun_environment(rank: int, size: int, port: int) -> dict[str, str]:
    """What torchrun tells a process on a machine of its own."""
    return {
        "RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip


def _work(rank: int, size: int, port: int, results: Any, work: Callable[..., Any], values: tuple[Any, ...]) -> None:
    os.environ |= torchrun_environment(rank, size, port)
    torch.set_num_threads(1)
    results.send(work(*values))


def _joined(work: Callable[..., Any], *values: Any) -> Any:
    processes = Processes.from_environment()
    with processes.joined(torch.device("cpu")):
        return work(processes, *values)


def together(size: int, work: Callable[..., Any], *values: Any) -> list[Any]:
    """What ``work(processes, *values)`` returns in each of so many processes that have joined, by rank."""
    return started(size, _joined, work, *values)


def started(size: int, work: Callable[..., Any], *values: Any) -> list[Any]:
    """What ``work(*values)`` returns in each of so many processes with torchrun's environment, by rank."""
    port = free_port()
    pipes = [CONTEXT.Pipe(duplex=False) for _ in range(size)]
    running = [
        CONTEXT.Process(target=_work, args=(rank, size, port, pipes[rank][1], work, values), daemon=True) for rank in range(size)
    ]
    for process in running:
        process.start()
    try:
        for _, sender in pipes:
            sender.close()  # so that a process that dies is an EOFError here
        for receiver, _ in pipes:
            assert receiver.poll(PATIENCE)
        return [receiver.recv() for receiver, _ in pipes]
    finally:
        for process in running:
            process.join(PATIENCE)
