"""Many mutated inputs, each tried in a process that may die, hang or eat memory without harm to anybody else."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from several_processes import CONTEXT

from audiocycle.errors import AudioCycleError

BYTES = 8 << 30
"""Of address space; libraries alone take two to three."""
MOST_MEMORY, MOST_SECONDS = 1.5, 10.0
"""GiB that one input may take on top of what the process had, and seconds of its processor."""
HELD, REFUSED = "held", "refused"
GOOD = (HELD, REFUSED)


@dataclass(frozen=True)
class Outcome:
    """What came of one input. ``kind`` is held, refused, unexpected, wrong, dear, hung or died; ``text`` says more, ``what`` what was tried."""

    number: int
    kind: str
    text: str
    what: str
    seconds: float


Case = Callable[[int], tuple[str, Callable[[], str]]]
"""From a number: what is tried, in words, and what tries it, which returns what was wrong (nothing, mostly) or raises."""


def tried(case: Case, number: int) -> Outcome:
    """One input, in this process. An error of ours must be one line."""
    what, attempt = case(number)
    begin, before = time.process_time(), peak()
    try:
        wrong = attempt()
        kind, text = ("wrong", wrong) if wrong else (HELD, "")
    except AudioCycleError as error:
        text = str(error)
        kind = REFUSED if "\n" not in text and text.isprintable() and len(text) < 2000 else "wrong"
    except (Exception, SystemExit) as error:
        kind, text = "unexpected", f"{type(error).__name__}: {str(error)[:300]}"
    seconds, more = time.process_time() - begin, peak() - before
    if kind in GOOD and (seconds > MOST_SECONDS or more > MOST_MEMORY):
        kind, text = "dear", f"{seconds:.1f} s, {more:.2f} GiB; {text}"
    return Outcome(number, kind, text, what, seconds)


def peak() -> float:
    """The most memory that this process has had, GiB; 0 where nobody knows."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _work(make: Callable[[], Case], numbers: Sequence[int], results: Connection) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    except ImportError:  # Windows
        pass
    case = make()
    for number in numbers:
        results.send(number)
        results.send(tried(case, number))


def fuzzed(
    make: Callable[[], Case], numbers: Sequence[int], limit: float = 120.0, seen: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """The outcomes of all these numbers.

    Args:
        make: called once in each process; must be importable.
        limit: seconds for one input, after which it hangs: twelve times of what a person should wait.
        seen: called with each outcome as it comes.
    """
    outcomes: list[Outcome] = []

    def note(outcome: Any) -> None:
        outcomes.append(outcome)
        seen(outcome)

    left = list(numbers)
    while left:
        receiver, sender = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=_work, args=(make, left, sender), daemon=True)
        process.start()
        sender.close()
        at = left[0]
        try:
            while left:
                at = receive(receiver, limit)
                note(receive(receiver, limit))
                left.remove(at)
        except (EOFError, TimeoutError) as error:
            kind = "hung" if isinstance(error, TimeoutError) else "died"
            note(Outcome(at, kind, "", make()(at)[0], limit))
            left.remove(at)
        process.kill()
        process.join()
    return outcomes


def receive(pipe: Connection, limit: float) -> Any:
    """What comes next.

    Raises:
        TimeoutError: nothing came.
        EOFError: nobody is there any more.
    """
    if not pipe.poll(limit):
        raise TimeoutError
    return pipe.recv()


def told(outcome: Outcome) -> None:
    """Print an input that did not go well."""
    if outcome.kind not in GOOD:
        print(f"{outcome.number}: {outcome.kind} {outcome.text}\n    {outcome.what[:400]}", flush=True)


def main(make: Callable[[], Case]) -> None:
    """``SCRIPT COUNT`` or ``SCRIPT FROM TO``: try so many, print what does not go well, and counts."""
    first, last = [0, *map(int, sys.argv[1:])][-2:]
    outcomes = fuzzed(make, range(first, last), seen=told)
    counts = Counter(outcome.kind for outcome in outcomes)
    print(f"{dict(counts)}, the slowest {max(outcome.seconds for outcome in outcomes):.1f} s")
