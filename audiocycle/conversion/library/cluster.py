"""Jobs on a Dask cluster: ``audiocycle convert --scheduler tcp://host:8786``.

Scheduler and workers run the same audiocycle (``pip install 'audiocycle[cluster]'``) and see the model, the inputs and the
outputs under the same paths as the process that starts the run::

    dask scheduler --host 127.0.0.1                              # once; workers on other machines need TLS (docs/security.md)
    dask worker tcp://127.0.0.1:8786 --nworkers 4 --nthreads 1   # on each machine that works

Messages of Dask are pickles, both ways: whoever reaches the scheduler runs programs on the workers, and whoever is the scheduler
or a worker runs them here.

Each worker process loads the model once. A job whose worker dies is done by another one; since nobody knows over which of
its jobs a worker died, a job that Dask gives up (``distributed.scheduler.allowed-failures``) is tried once more, alone, when
all others are done, and fails only then. A worker that dies after its job is done, and before the record is fetched, takes the
record along: Dask gives the job to another one, and it is waited for as before. Every wait on the cluster is bounded, by
:data:`PATIENCE` where nobody works and by :data:`ANSWER_SECONDS` where nobody answers. Only the process that started the run
moves outputs to their places and writes the report, so that it makes no difference how often a job was done.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from audiocycle import __version__
from audiocycle.conversion.library.plan import Job
from audiocycle.conversion.library.worker import Recipe, Task, failed, loaded, work
from audiocycle.conversion.record import Record
from audiocycle.errors import ConfigError, explain
from audiocycle.system.names import expanded
from audiocycle.system.progress import console

if TYPE_CHECKING:
    from distributed import Future, Security

CONNECT_SECONDS = 10.0
"""To reach the scheduler."""
PATIENCE = 60.0
"""Seconds without any worker before a run ends; it goes on where it stopped when it is started again."""
LOOK_SECONDS = 2.0
"""Between two looks at how many workers there are."""
ANSWER_SECONDS = 20.0
"""For an answer from the scheduler, or for a record from the worker that made it: its threads may be busy with the next job."""
AGAIN = "run the same command again: it goes on where it stopped"
GONE = f"the scheduler does not answer any more, or gave up this run; {AGAIN}"
AHEAD = 4
"""Jobs at the cluster for each of its threads: none waits for work, and a library of any size fits."""


ENCRYPTED = ("tls", "wss", "inproc")
"""Addresses that nobody else can listen to or answer at; the last is this process."""
OPEN = "without TLS anybody in its network can run programs here and on the workers; see docs/security.md"


@dataclass(frozen=True)
class Tls:
    """Files (PEM) with which client, scheduler and workers know each other, as ``dask scheduler`` and ``dask worker`` take them.

    Attributes:
        ca_file: of the authority that signed all their certificates.
        cert, key: this client's own; the key may be in the file of the certificate.
    """

    ca_file: str
    cert: str
    key: str | None = None


class NotBackError(Exception):
    """The result of a job that is done was not to be had: its worker died, or is slow."""


class Cluster:
    """The workers of a Dask scheduler.

    Raises:
        ConfigError: Dask is not installed, the scheduler cannot be reached, or its workers cannot do this work.
    """

    def __init__(self, address: str, task: Task, recipe: Recipe, tls: Tls | None = None) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ConfigError("`scheduler`: Dask is not installed; run pip install 'audiocycle[cluster]'") from error
        self._address, self._recipe = address, recipe
        self._task = replace(task, bundle=task.bundle.absolute(), vocoder=absolute_name(task.vocoder))
        self._running: dict[str, tuple[Future[Record], Job]] = {}
        self._done: SimpleQueue[Future[Record]] = SimpleQueue()
        self._suspects: deque[Job] = deque()
        self._alone = False
        self._threads, self._looked, self._missed = 0, 0.0, time.monotonic()
        security = credentials(address, tls)
        if not is_private(address):
            console().print(f"warning: `scheduler={address}`: {OPEN}", markup=False)
        try:
            with ThreadPoolExecutor(1) as thread:  # there may be an event loop in this one
                thread.submit(asyncio.run, greet(address, security)).result()
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, security=security)
        except ValueError as error:
            raise ConfigError(f"scheduler={address}: not an address; write it as tcp://host:8786") from error
        except OSError as error:
            fitting = "is it running (dask scheduler)?" if tls is None else "is it running, and are its certificates of the same authority?"
            raise ConfigError(f"scheduler={address}: cannot be reached within {CONNECT_SECONDS:.0f} s; {fitting}") from error
        try:
            self._try_out()
        except BaseException:
            self.close()
            raise

    @property
    def busy(self) -> bool:
        """True while a job is not back."""
        return bool(self._running or self._suspects)

    @property
    def full(self) -> bool:
        """True when the workers have enough to go on with."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        return len(self._running) >= AHEAD * max(1, self._threads)

    def submit(self, job: Job) -> None:
        """Hand a job to the scheduler."""
        there = Job(job.input.absolute(), job.output.absolute())  # workers have other working folders
        self._wait_for(self._client.submit(work, self._task, self._recipe, there, pure=False), job)

    def finished(self, wait: bool) -> Iterator[tuple[Job, Record]]:
        """Jobs that are back with their records."""
        if wait and self._suspects and not self._running:
            self._alone = True
            self.submit(self._suspects.popleft())
        future = self._next(wait and bool(self._running))
        while future is not None:
            _, job = self._running.pop(future.key)
            try:
                record = self._result(future, job)
            except NotBackError:
                self._look()
                self._wait_for(future, job)
            else:
                if record is None:
                    self._suspects.append(job)
                else:
                    yield job, record
            future = self._next(wait=False)

    def close(self) -> None:
        """Take back what is not begun, and leave the cluster; what is in work there ends in a folder that nobody looks at."""
        with suppress(OSError):  # nobody answers
            if self._client.status == "running":
                for future, _ in self._running.values():
                    future.release()
            self._client.close(timeout=ANSWER_SECONDS)
        self._running.clear()

    def _try_out(self) -> None:
        """Let one worker load the model: what is wrong with all of them is said once."""
        self._await_worker()
        version = self._begun()
        if version != __version__:
            raise self._lost(f"its workers have audiocycle {version}, and this is {__version__}; install the same")

    def _await_worker(self) -> None:
        """Wait until somebody works, and say so where it takes longer."""
        begin, told = time.monotonic(), False
        self._count()
        while not self._threads:
            waited = time.monotonic() - begin
            if waited > PATIENCE:
                raise self._lost(f"has had no worker for {PATIENCE:.0f} s; start one: dask worker {self._address}")
            if waited > LOOK_SECONDS and not told:
                console().print(f"scheduler={self._address}: waiting for a worker (dask worker {self._address})", markup=False)
                told = True
            time.sleep(min(0.1, LOOK_SECONDS))
            self._count()
        self._missed = time.monotonic()

    def _begun(self) -> str:
        """The version of a worker that has loaded the model; another worker is waited for where one dies over it."""
        future = self._client.submit(begin, self._task, self._recipe, pure=False)
        while True:
            try:
                version: str = fetched(future)
                return version
            except NotBackError:
                self._look()
            except Exception as error:
                reason = explain(error, "its workers")
                raise self._lost(f"{reason}; all need the same audiocycle, and the same files at the same paths") from error

    def _wait_for(self, future: Future[Record], job: Job) -> None:
        """Be told when a job is done."""
        self._running[future.key] = (future, job)
        future.add_done_callback(self._done.put)

    def _next(self, wait: bool) -> Future[Record] | None:
        """A future that is done; None where there is none."""
        while True:
            try:
                return self._done.get(wait, LOOK_SECONDS)
            except Empty:
                if not wait:
                    return None
                self._look()

    def _look(self) -> None:
        """Count the threads of all workers, and end the run where there have been none for long."""
        self._count()
        if self._threads:
            self._missed = self._looked
        elif self._looked - self._missed > PATIENCE:
            raise self._lost(f"has had no worker for {PATIENCE:.0f} s; start one, and {AGAIN}")

    def _count(self) -> None:
        """Count the threads of all workers."""
        self._looked = time.monotonic()
        try:
            nthreads = self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER_SECONDS)
            self._threads = sum(nthreads.values())
        except Exception as error:  # its kinds are many: all mean that nobody answers
            raise self._lost(GONE) from error

    def _result(self, future: Future[Record], job: Job) -> Record | None:
        """The record of a job; None for one that is to be tried again, alone.

        Raises:
            NotBackError: it is done, but its record is not to be had now.
        """
        from distributed import KilledWorker

        if future.cancelled():
            raise self._lost(GONE)
        alone, self._alone = self._alone, False
        try:
            record: Record = fetched(future)
        except NotBackError:
            self._alone = alone
            raise
        except KilledWorker:
            if not alone:
                return None
            return failed(job, f"{job.input}: every worker that took it died, perhaps out of memory; try it here, or cut it in two")
        except CancelledError as error:
            raise self._lost(GONE) from error
        except Exception as error:
            return failed(job, explain(error, str(job.input)))
        text = record.error  # which names files as workers do
        for path in (job.input, job.output.parent):
            text = text.replace(str(path.absolute()), str(path))
        return replace(record, input=str(job.input), error=text)

    def _lost(self, why: str) -> ConfigError:
        return ConfigError(f"scheduler={self._address}: {why}")


def credentials(address: str, tls: Tls | None) -> Security:
    """What a client shows and wants to see; without ``tls`` as Dask's own configuration says.

    Raises:
        ConfigError: the files cannot be read, or the address is not one of TLS.
    """
    from distributed import Security

    if tls is None:
        security = Security()
        if address.startswith("tls://") and not (security.tls_ca_file and security.tls_client_cert):
            raise ConfigError(f"scheduler={address}: TLS needs certificates; add `tls_ca_file`, `tls_cert` and `tls_key`")
        return security
    if not address.startswith("tls://"):
        raise ConfigError(f"scheduler={address}: has no TLS; write it as tls://host:8786, or leave `tls_ca_file`, `tls_cert` and `tls_key` out")
    security = Security(require_encryption=True, tls_ca_file=tls.ca_file, tls_client_cert=tls.cert, tls_client_key=tls.key)
    try:
        security.get_connection_args("client")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        names = ", ".join(name for name in (tls.ca_file, tls.cert, tls.key) if name)
        raise ConfigError(f"`tls_ca_file`, `tls_cert`, `tls_key`: cannot be used ({explain(error)}); check {names}") from error
    return security


def is_private(address: str) -> bool:
    """Whether nobody on other machines can be at the address, or listen on the way there."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme in ENCRYPTED:
        return True
    try:
        found = socket.getaddrinfo(parts.hostname, None)
        return all(ip_address(str(place[0]).partition("%")[0]).is_loopback for *_, place in found)
    except (OSError, ValueError):  # which is said when it cannot be reached
        return True


async def greet(address: str, security: Security) -> None:
    """Shake hands with a scheduler, and leave: a client would wait without end for one that accepts, and says nothing.

    Raises:
        OSError: nobody is there, or says nothing for so long. ValueError: not an address.
    """
    from distributed.comm import connect, resolve_address

    resolve_address(address)  # a client would find the same fault, and take 20 s to end with a traceback of its own
    arguments: dict[str, Any] = security.get_connection_args("client")
    comm = await asyncio.wait_for(connect(address, timeout=CONNECT_SECONDS, **arguments), CONNECT_SECONDS)
    await comm.close()


def fetched(future: Future[Any]) -> Any:
    """What a job has made.

    Raises:
        NotBackError: its worker does not hand it over, or is gone with it. Exception: the job's own.
    """
    try:
        return future.result(timeout=ANSWER_SECONDS)
    except TimeoutError as error:
        if future.status == "error":
            raise
        raise NotBackError from error


def begin(task: Task, recipe: Recipe) -> str:
    """Load the model in a worker; the worker's version of audiocycle.

    Raises:
        AudioCycleError: the bundle cannot be loaded, or is another one there.
    """
    loaded(task, recipe)
    return __version__


def absolute_name(vocoder: str | None) -> str | None:
    """A vocoder's path for workers in other folders; what is on the hub stays."""
    path = expanded(vocoder or "")
    return str(path.absolute()) if vocoder and path.exists() else vocoder
