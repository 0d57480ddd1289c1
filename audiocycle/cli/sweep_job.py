"""One job of a sweep: what Hydra's launchers call, in whatever process, with the configuration that is this job's.

It reports through its folder: ``job.json`` is the result, ``job.log`` what would otherwise be printed over other jobs' lines.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from audiocycle.build import build_adapter, build_modality
from audiocycle.bundles.format import read_config
from audiocycle.cli.settings import register, to_run
from audiocycle.data.domains import domain_files
from audiocycle.errors import AudioCycleError, RunExistsError, explain, worded
from audiocycle.spec import Domain
from audiocycle.system.atomic import write_text
from audiocycle.training.choice import ENDED_EARLY
from audiocycle.training.material import load_domains
from audiocycle.training.monitor import SilentMonitor
from audiocycle.training.run import RunConfig, train

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # Windows
    flock = None  # type: ignore[assignment]

RESULT = "job.json"
LOG = "job.log"
STOP = "stop"
"""A file in the sweep's folder that keeps further jobs from starting."""

register()  # a worker process composes this job's configuration before it calls the job


def job(raw: DictConfig) -> None:
    """Train with a composed configuration in a folder of this job's own; errors are shown and kept, not raised.

    Raises:
        KeyboardInterrupt: the user stopped it, which ends the sweep too.
    """
    settings = HydraConfig.get()
    folder, sweep = Path(settings.runtime.output_dir), Path(settings.sweep.dir)
    parallel = settings.runtime.choices["hydra/launcher"] != "basic"
    label: dict[str, Any] = {"number": settings.job.num, "overrides": settings.job.override_dirname or f"job {settings.job.num}"}
    if (sweep / STOP).exists():
        write(folder, label | {"status": "stopped", "steps": 0, "error": ""})
        return
    write(folder, label | {"status": "started", "steps": 0, "error": ""})
    say(f"{label['overrides']}: starts" + (f"; its messages: {folder / LOG}" if parallel else ""))
    result: dict[str, Any] = {"status": "stopped", "steps": 0, "error": ""}
    try:
        with printing_to(folder / LOG, parallel):
            result |= run(replace(to_run(raw), run_dir=folder), parallel)
    except Exception as error:
        said = worded(explain(error)).removeprefix(f"{label['overrides']}: ")  # which is shown before it anyway
        result |= {"status": "exists" if isinstance(error, RunExistsError) else "failed", "error": said}
    finally:
        write(folder, label | result)
    if result["status"] == "stopped" and not parallel:  # the launcher would go on with the next one
        (sweep / STOP).touch()
    say(f"{label['overrides']}: " + (f"error: {result['error']}" if result["error"] else f"{result['status']}, {result['steps']} steps"))


def run(config: RunConfig, parallel: bool) -> dict[str, Any]:
    """Train; how it ended, and after how many steps."""
    try:
        if parallel:
            fill_cache(config)
        bundle = train(config)
    except Exception as error:
        if not isinstance(error, AudioCycleError):
            traceback.print_exc()
        raise
    done = read_config(bundle).training
    limit = config.trainer.max_minutes
    ended = done["steps"] >= config.trainer.last_step or ENDED_EARLY in done or (limit is not None and done["minutes of training"] >= round(limit, 1))
    return {"status": "finished" if ended else "stopped", "steps": done["steps"]}


def fill_cache(config: RunConfig) -> None:
    """Features of all recordings, by one job while others wait: they read what it wrote, instead of doing the same work."""
    modality = build_modality(build_adapter(config.adapter))
    paths = {Domain(name): domain_files(config.data_root, name, modality.accepts) for name in (*config.domains, *config.mixture)}
    with alone(config.cache):
        load_domains(config, modality, paths, SilentMonitor(config.run_dir))  # the training says the same again


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No two processes are in such a block for the same folder, where the system and the file system have locks."""
    if flock is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        with suppress(OSError):  # a file system without locks: the same work is done twice, and nothing is spoilt
            flock(file, LOCK_EX)
        yield


@contextmanager
def printing_to(log: Path, parallel: bool) -> Iterator[None]:
    """What jobs print side by side goes to a file each; a job that runs alone prints as any training does."""
    with ExitStack() as stack:
        if parallel:
            file = stack.enter_context(log.open("a", encoding="utf-8", buffering=1))
            stack.enter_context(redirect_stdout(file))
            stack.enter_context(redirect_stderr(file))
        yield


def say(text: str) -> None:
    """One line on standard error, written at once so that lines of parallel jobs do not mix."""
    sys.stderr.write(text.replace("\n", "\\n") + "\n")
    sys.stderr.flush()


def write(folder: Path, result: dict[str, Any]) -> None:
    """Keep what became of the job."""
    write_text(folder / RESULT, json.dumps(result, indent=1) + "\n")
