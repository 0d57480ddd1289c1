"""One number that all of a process's threads obey."""

from __future__ import annotations

import os
import threading

import pytest

from audiocycle.system import threads


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_limit", None)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_all_cores_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5}, raising=False)
    assert threads.available() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert threads.available() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.available() == 1


@pytest.mark.parametrize(("value", "count"), [("2", 2), (" 4 ", 4), ("0", 5), ("", 5), ("4,2", 5), ("-1", 5)])
def test_openmps_variable_is_heard(monkeypatch: pytest.MonkeyPatch, value: str, count: int) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 5)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads.available() == count


@pytest.mark.parametrize(("asked", "count"), [(3, 3), (1, 1), (0, 1), (-2, 1)])
def test_a_limit_goes_before_all_else(monkeypatch: pytest.MonkeyPatch, asked: int, count: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    threads.limit(asked)
    assert threads.available() == count


@pytest.mark.parametrize("count", [1, 2, 7])
def test_results_come_in_order(count: int) -> None:
    threads.limit(count)
    assert threads.spread(lambda number: number**2, range(50)) == [number**2 for number in range(50)]
    assert threads.spread(lambda number: number, list[int]()) == []


def test_work_is_done_at_the_same_time() -> None:
    threads.limit(3)
    together = threading.Barrier(3, timeout=10)
    threads.spread(lambda _: together.wait(), range(3))


def test_one_thread_is_the_callers() -> None:
    threads.limit(1)
    assert set(threads.spread(lambda _: threading.get_ident(), range(5))) == {threading.get_ident()}


def test_callers_share_the_threads() -> None:
    threads.limit(2)
    seen: set[int] = set()

    def call() -> None:
        seen.update(threads.spread(lambda _: threading.get_ident(), range(20)))

    callers = [threading.Thread(target=call) for _ in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(seen) <= 2


def test_an_error_reaches_the_caller() -> None:
    threads.limit(2)
    with pytest.raises(ZeroDivisionError):
        threads.spread(lambda number: 1 // number, [2, 1, 0])


def test_work_within_work_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_limit", 2)

    def outer(number: int) -> list[int]:
        return threads.spread(lambda x: x * number, range(5))

    assert threads.spread(outer, range(4)) == [[x * number for x in range(5)] for number in range(4)]
