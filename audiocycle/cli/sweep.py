"""Sweeps: one training for each combination of several values, through Hydra's sweepers and launchers.

The parent plans the sweep, hands it to ``hydra.main``, and reads afterwards what each job left in its folder: jobs may run
in this process (Hydra's basic launcher), in parallel processes (joblib), or on other machines (submitit, Slurm).
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from audiocycle.cli.debugging import debugging
from audiocycle.cli.settings import (
    compose_raw,
    compose_run,
    conf_dir,
    explained,
    hydra_at_conf,
    in_quotes,
    quoted,
)
from audiocycle.cli.sweep_job import RESULT, STOP, job
from audiocycle.errors import ConfigError, TrainingError, one_line, worded
from audiocycle.system.atomic import write_text, writing_below
from audiocycle.system.names import expanded
from audiocycle.system.progress import console
from audiocycle.training.monitor import average_kinds

LAST = 10
"""Lines of ``log.jsonl`` whose mean is shown: the losses of single steps jump."""
TABLE = "sweep.json"


@dataclass(frozen=True)
class Plan:
    """What Hydra is asked for.

    Attributes:
        words: its overrides.
        folder: of the sweep; the jobs' folders lie in it.
        launcher: its short name.
    """

    words: tuple[str, ...]
    folder: Path
    launcher: str


@dataclass(frozen=True)
class JobResult:
    """What became of a job.

    Attributes:
        overrides: those that tell it from the others, as ``trainer.lr=1e-4,seed=1``.
        status: finished, stopped (asked to), exists (as an earlier sweep left it), failed, or lost (its process ended without a
            word).
        losses: means over directions and the last lines of its log, by kind.
    """

    number: int
    overrides: str
    status: str
    steps: int
    losses: dict[str, float]
    folder: str
    error: str


def sweep(overrides: Sequence[str]) -> list[JobResult]:
    """Run all jobs of a sweep; results come back in the jobs' order, and are kept in the sweep folder's ``sweep.json``.

    Jobs that fail do not end the others. Ctrl-C ends those in work with a checkpoint, and no further one starts.

    Raises:
        ConfigError: the sweep cannot be composed, or its launcher is unknown; nothing was started.
        TrainingError: the launcher itself failed before any job began.
    """
    plan = make_plan(overrides)
    with writing_below(plan.folder, "run_dir"):
        plan.folder.mkdir(parents=True, exist_ok=True)
        for old in (plan.folder / STOP, *plan.folder.rglob(RESULT)):
            old.unlink(missing_ok=True)
    console().print(f"sweep: {plan.folder}, launcher {plan.launcher}", markup=False)
    try:
        with waiting_for_jobs(plan):
            launch(plan.words)
    except KeyboardInterrupt:
        (plan.folder / STOP).touch()
        if plan.launcher not in ("basic", "joblib"):
            console().print("no further job starts; those that run elsewhere go on (Slurm: scancel ends them)", markup=False)
    except Exception as error:
        if debugging():
            raise
        known = isinstance(error, HydraException | OmegaConfBaseException | ValueError)
        if not any(plan.folder.rglob(RESULT)):
            raise (ConfigError(explained(error)) if known else TrainingError(f"launcher {plan.launcher}: {one_line(error)}")) from error
        console().print(f"error: launcher {plan.launcher}: {one_line(error)}", markup=False)
    results = collect(plan.folder)
    kept = {"folder": str(plan.folder), "overrides": list(overrides), "jobs": [asdict(result) for result in results]}
    write_text(plan.folder / TABLE, json.dumps(kept, indent=1) + "\n")
    return results


def make_plan(overrides: Sequence[str]) -> Plan:
    """Sort the overrides into what all jobs share and what tells them apart, which names their folders.

    Raises:
        ConfigError: Hydra refuses an override; a job's settings cannot be; ``run_dir`` is swept, or not known; this is a process
            of torchrun.
    """
    if "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
        raise ConfigError("-m: a sweep starts its own processes; start it without torchrun")
    with hydra_at_conf() as loader:
        parsed = OverridesParser.create(config_loader=loader).parse_overrides([quoted(word) for word in overrides])
    swept = {override.key_or_group for override in parsed if override.is_sweep_override()}
    if "run_dir" in swept:
        raise ConfigError("run_dir: cannot be swept; each job gets a folder of its own below it")
    shared = [str(override.input_line) for override in parsed if override.key_or_group not in swept]
    base = compose_raw(shared, hydra=True)
    if not swept and not base.hydra.sweeper.get("params"):
        raise ConfigError("-m: no setting has several values, e.g. trainer.lr=1e-4,2e-4 (several paths: data.root='\"A\",\"B\"')")
    folder, choices = sweep_folder(base), base.hydra.runtime.choices
    keys = ",".join(in_quotes(override.key_or_group) for override in parsed if override.key_or_group not in swept)
    words = [str(override.input_line) for override in parsed if override.key_or_group != "hydra.sweep.dir"]
    words += [f"hydra.sweep.dir={in_quotes(str(folder))}", f"hydra.job.config.override_dirname.exclude_keys=[{keys}]"]
    launcher = str(choices["hydra/launcher"])
    if choices["hydra/sweeper"] == "basic":  # others choose values as they go
        n_jobs = check_jobs(parsed)
        if launcher == "joblib" and base.hydra.launcher.n_jobs == -1:
            words.append(f"hydra.launcher.n_jobs={parallel(n_jobs)}")
    return Plan(tuple(words), folder, launcher)


def check_jobs(parsed: Sequence[Override]) -> int:
    """Compose the settings of each job, so that a mistake in the last one's costs nothing; how many jobs there are.

    Raises:
        ConfigError: names the first job whose settings cannot be.
    """
    with hydra_at_conf():  # an interval has no values to go through
        swept = [[f"{o.get_key_element()}={value}" for value in o.sweep_string_iterator()] for o in parsed if o.is_sweep_override()]
    shared = [str(override.input_line) for override in parsed if not override.is_sweep_override()]
    jobs = list(product(*swept))
    for words in jobs:
        try:
            compose_run([*shared, *words])
        except ConfigError as error:
            raise ConfigError(f"{error} (job {','.join(words)}; none was started)") from error
    return len(jobs)


def sweep_folder(base: DictConfig) -> Path:
    """``run_dir/sweep``, or what ``hydra.sweep.dir`` says, as an absolute path: jobs may start elsewhere.

    Raises:
        ConfigError: the run folder's name is not known.
    """
    try:
        return expanded(str(base.hydra.sweep.dir)).absolute()
    except OmegaConfBaseException as error:
        raise ConfigError("run_dir: is named after data.domains, which is not set, or swept; set run_dir=RUN") from error


def parallel(n_jobs: int) -> int:
    """Processes for so many jobs: no more than cores. Fewer leave more threads to each: joblib shares the cores out."""
    from joblib import cpu_count  # type: ignore[import-untyped]

    return max(1, min(n_jobs, int(cpu_count())))


def launch(words: Sequence[str]) -> None:
    """Call Hydra's command line, as ``hydra.main`` does, but with its errors raised instead of printed."""
    arguments, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [arguments[0], "--multirun", *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        hydra.main(config_path=str(conf_dir().resolve()), config_name="config", version_base="1.3")(job)()
    finally:
        sys.argv = arguments
        del os.environ["HYDRA_FULL_ERROR"]
        if full is not None:
            os.environ["HYDRA_FULL_ERROR"] = full


@contextmanager
def waiting_for_jobs(plan: Plan) -> Iterator[None]:
    """Joblib's processes hear Ctrl-C too, and end after a step with a checkpoint: wait for them, and start no further job.

    A second Ctrl-C ends them at once. With other launchers nothing is done here.
    """
    if plan.launcher != "joblib" or current_thread() is not main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if (plan.folder / STOP).exists():
            raise KeyboardInterrupt
        (plan.folder / STOP).touch()
        console().print("stopping the jobs in work, with checkpoints (once more to stop at once)", markup=False)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def collect(folder: Path) -> list[JobResult]:
    """What the jobs of the last launch left behind, in their order."""
    found = []
    for path in folder.rglob(RESULT):
        report = json.loads(path.read_text(encoding="utf-8"))
        steps, losses = last_losses(path.parent / "log.jsonl")
        if report["status"] == "started" and (folder / STOP).exists():
            report["status"] = "stopped"
        if report["status"] == "started":
            report |= {"status": "lost", "error": "its process ended without a word, perhaps out of memory; resume=true continues"}
        report["error"] = worded(report["error"])  # a process of its own knows no flags
        found.append(JobResult(**(report | {"steps": report["steps"] or steps, "losses": losses, "folder": str(path.parent)})))
    return sorted(found, key=lambda result: result.number)


def last_losses(log: Path) -> tuple[int, dict[str, float]]:
    """The last step of a log, and the means of its last lines by kind of loss; a run that began again counts once."""
    records = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []:
        with suppress(ValueError):  # cut off, where the job was killed
            records.append(json.loads(line))
    if not records:
        return 0, {}
    last: int = records[-1]["step"]
    by_step: dict[int, Mapping[str, Any]] = {record["step"]: record for record in records if record["step"] <= last}
    kinds = [found for step in sorted(by_step) if (found := average_kinds(by_step[step]))][-LAST:]  # step 0 has measures, and no losses
    return last, {name: round(math.fsum(k.get(name, math.nan) for k in kinds) / len(kinds), 6) for name in (kinds[-1] if kinds else ())}


def table(results: Sequence[JobResult]) -> str:
    """Plain columns: overrides, status, steps, losses, folder."""
    kinds = list(dict.fromkeys(kind for result in results for kind in result.losses))
    rows = [["job", "status", "steps", *kinds, "folder"]]
    for o in results:
        losses = [f"{o.losses[kind]:.4f}" if kind in o.losses else "-" for kind in kinds]
        rows.append([o.overrides, o.status, str(o.steps), *losses, o.folder])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lefts = (0, 1, len(widths) - 1)
    cells = [[f"{text:<{w}}" if i in lefts else f"{text:>{w}}" for i, (text, w) in enumerate(zip(row, widths, strict=True))] for row in rows]
    return "\n".join("  ".join(row).rstrip() for row in cells)
