"""A Dask scheduler and workers with toy converters, each in a process that a test may kill."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from toy_converter import use_toys

TESTS = Path(__file__).parent


def serve_scheduler(port: int, tls: dict[str, str] | None = None) -> None:
    from distributed import Scheduler
    from distributed.security import Security

    security = {"protocol": "tls://", "security": Security(require_encryption=True, **tls)} if tls else {}

    async def serve() -> None:
        async with Scheduler(host="127.0.0.1", port=port, dashboard_address=":0", **security) as scheduler:
            await scheduler.finished()

    asyncio.run(serve())


def serve_worker(address: str, folder: str, tls: dict[str, str] | None = None) -> None:
    from distributed import Worker
    from distributed.security import Security

    security = {"security": Security(require_encryption=True, **tls)} if tls else {}

    async def serve() -> None:
        async with Worker(address, nthreads=1, local_directory=folder, **security) as worker:
            await worker.finished()

    os.chdir(folder)  # another one than the tests'
    use_toys(pytest.MonkeyPatch())
    asyncio.run(serve())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def toy_cluster(workers: int, folder: Path, tls: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a scheduler with so many workers of one thread, all forked from a clean process that imports once.

    Args:
        tls: arguments of Dask's ``Security``.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs a fork server")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["distributed", "toy_cluster"])
    address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{free_port()}"
    targets: list[tuple[Callable[..., None], tuple[object, ...]]] = [(serve_scheduler, (int(address.rpartition(":")[2]), tls))]
    targets += [(serve_worker, (address, str(folder), tls))] * workers
    processes: list[BaseProcess] = []
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS)]))  # for what is imported once
            for target, arguments in targets:
                processes.append(context.Process(target=target, args=arguments))
                processes[-1].start()
        yield address
    finally:
        for process in processes:
            process.kill()
            process.join()
