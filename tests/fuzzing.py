"""Many mutated inputs, each tried in a process that may die, hang or eat memory without harm to anybody else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from several_processes import CONTEXT

from audiocycle.errors import AudioCycleError

BYTES = 6 << 30
"""Of address space; libraries alone take two to three."""
HELD, REFUSED = "held", "refused"
GOOD = (HELD, REFUSED)


@dataclass(frozen=True)
class Outcome:
    """What came of one input. ``kind`` is held, refused, unexpected, wrong, hung or died; ``text`` says more, ``what`` what was tried."""

    number: int
    kind: str
    text: str
    what: str
    seconds: float


Case = Callable[[int], tuple[str, Callable[[], str]]]
"""From a number: what is tried, in words, and what tries it, which returns what was wrong (nothing, mostly) or raises."""


def tried(case: Case, number: int) -> Outcome:
    """One input, in this process. An error of ours must be one line."""
    begin = time.monotonic()
    what, attempt = case(number)
    try:
        wrong = attempt()
        kind, text = ("wrong", wrong) if wrong else (HELD, "")
    except AudioCycleError as error:
        text = str(error)
        kind = REFUSED if "\n" not in text and text.isprintable() and len(text) < 2000 else "wrong"
    except (Exception, SystemExit) as error:
        kind, text = "unexpected", f"{type(error).__name__}: {str(error)[:300]}"
    return Outcome(number, kind, text, what, time.monotonic() - begin)


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


def fuzzed(make: Callable[[], Case], numbers: Sequence[int], limit: float = 120.0) -> list[Outcome]:
    """The outcomes of all these numbers.

    Args:
        make: called once in each process; must be importable.
        limit: seconds for one input, after which it hangs: twelve times of what a person should wait.
    """
    outcomes: list[Outcome] = []
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
                outcomes.append(receive(receiver, limit))
                left.remove(at)
        except (EOFError, TimeoutError) as error:
            kind = "hung" if isinstance(error, TimeoutError) else "died"
            outcomes.append(Outcome(at, kind, "", make()(at)[0], limit))
            left.remove(at)
        process.kill()
        process.join()
    return outcomes


def receive(pipe: Connection, limit: float) -> object:
    """What comes next.

    Raises:
        TimeoutError: nothing came.
        EOFError: nobody is there any more.
    """
    if not pipe.poll(limit):
        raise TimeoutError
    return pipe.recv()


def report(outcomes: Sequence[Outcome]) -> str:
    """Counts, and each input that did not go well."""
    counts = Counter(outcome.kind for outcome in outcomes)
    slowest = max(outcome.seconds for outcome in outcomes)
    bad = [f"{o.number}: {o.kind} {o.text}\n    {o.what}" for o in outcomes if o.kind not in GOOD]
    return "\n".join([*bad, f"{dict(counts)}, the slowest {slowest:.1f} s"])
