"""What a person sees of a training: a live line, a log file, TensorBoard."""

from __future__ import annotations

import json
import time
from collections import deque
from io import BufferedWriter, TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from audiocycle.modality import SCORE
from audiocycle.system import progress
from audiocycle.system.atomic import writing_below
from audiocycle.system.locks import drop_half_line, lock, open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.progress import Progress

    from audiocycle.spec import Signal
    from audiocycle.training.trainer import Report

HELD_OUT = "held_out"
"""Begins the names under which measures of held-out items are logged."""
NOT_TERMS = ("rate", "norm", HELD_OUT)
"""What is logged beside terms, ``rate/generator`` for one."""
SHOWN = 4
"""Kinds of terms on the live line: 80 columns are few."""


class Monitor:
    """Shows progress on stderr, keeps ``run_dir/log.jsonl`` and TensorBoard scalars, audio and pictures.

    On a terminal there is one live line; elsewhere (a log file) a plain line every half minute. While it is open, no other
    training gets the folder.

    Args:
        patience: seconds to wait for another training that has the folder.
    """

    def __init__(self, run_dir: Path, plain_every: float = 30.0, patience: float = 0.0) -> None:
        self.run_dir, self.patience = run_dir, patience
        self.console = progress.console()
        self.due = progress.Seldom(plain_every)
        self.times: deque[tuple[int, float]] = deque(maxlen=30)
        self.bar: Progress | None = None
        self.task: Any = None
        self.board: Any = None
        self.score: float | None = None
        self.log_file: Any = None

    def __enter__(self) -> Monitor:
        with writing_below(self.run_dir, "run_dir"):
            self.run_dir.mkdir(parents=True, exist_ok=True)
            self.log_file = TextIOWrapper(BufferedWriter(open_log(self.run_dir / "log.jsonl")), encoding="utf-8")
        try:
            lock(self.log_file, f"{self.run_dir}: another training is at work in this folder; wait for it, or set another run_dir", self.patience)
            drop_half_line(self.run_dir / "log.jsonl")
        except BaseException:
            self.log_file.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end_bar()
        self.log_file.close()
        if self.board is not None:
            self.board.close()

    def note(self, text: str) -> None:
        """One line of text."""
        self.console.print(text, markup=False, soft_wrap=True)

    def progress(self, what: str) -> Callable[[int, int], None]:
        """A progress bar for (done, all)."""
        self._end_bar()
        bar = self._start_bar(what, None)

        def advance(done: int, total: int) -> None:
            bar.update(self.task, completed=done, total=total)
            if done == total:
                self._end_bar()

        return advance

    def log(self, report: Report) -> None:
        """Show and keep the figures of a step."""
        self.times.append((report.step, time.monotonic()))
        (first, since), (last, now) = self.times[0], self.times[-1]
        pace = (now - since) / (last - first) if last > first else None
        record = {"step": report.step, "seconds": round(report.seconds, 2)} | {k: round(v, 6) for k, v in report.values.items()}
        self.log_file.write(json.dumps(record) + "\n")
        self.log_file.flush()
        for name, value in report.values.items():
            self._board().add_scalar(name, value, report.step)
        means = average_kinds(report.values)
        self.score = report.values.get(f"{HELD_OUT}/{SCORE}", self.score)
        held = "" if self.score is None else f"held-out {self.score:.3f}"
        losses = "  ".join([*([held] if held else []), *(f"{kind} {value:.3f}" for kind, value in means.items())])
        if self.console.is_terminal:
            if self.bar is None:
                self._start_bar("training", report.last_step)
            assert self.bar is not None
            words = [*([held] if held else []), *(f"{kind} {value:.2f}" for kind, value in means.items())]
            short = " ".join(words[:SHOWN])
            text = short if pace is None else f"{pace:.2f} s/step {short}"
            self.bar.update(self.task, completed=report.step, total=report.last_step, description=text)
        elif self.due():
            left = "" if pace is None else f"{pace:.2f} s/step  ETA {pace * (report.last_step - report.step) / 60:.0f} min  "
            self.note(f"step {report.step}/{report.last_step}  {left}{losses}")

    def audio(self, name: str, signal: Signal, step: int) -> None:
        """A sound for TensorBoard."""
        self._board().add_audio(name, np.asarray(signal.samples)[None], step, sample_rate=signal.sample_rate)

    def picture(self, name: str, path: Path, step: int) -> None:
        """A PNG file for TensorBoard."""
        from matplotlib.image import imread

        self._board().add_image(name, imread(path)[..., :3], step, dataformats="HWC")

    def _board(self) -> Any:
        if self.board is None:
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(self.run_dir / "tensorboard")  # type: ignore[no-untyped-call]
        return self.board

    def _start_bar(self, what: str, total: int | None) -> Progress:
        self.bar = progress.counted(self.console)
        self.task = self.bar.add_task(what, total=total)
        self.bar.start()
        return self.bar

    def _end_bar(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


class SilentMonitor(Monitor):
    """That of a process beside the first: it shows nothing, and writes nothing."""

    def __enter__(self) -> SilentMonitor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, what: str) -> Callable[[int, int], None]:
        """No bar."""
        return lambda done, total: None


def average_kinds(values: Mapping[str, float]) -> dict[str, float]:
    """Mean over directions of each kind of term, in the order in which they are logged: ``{"cycle": 0.31, ...}``."""
    groups: dict[str, list[float]] = {}
    for name, value in values.items():
        kind, slash, _ = name.partition("/")
        if slash and kind not in NOT_TERMS:
            groups.setdefault(kind, []).append(value)
    return {kind: sum(group) / len(group) for kind, group in groups.items()}
