"""Batches drawn ahead: the same ones, by a thread, and no more than are wanted."""

from __future__ import annotations

import threading

import pytest

from audiocycle.data.prefetch import DrawnAhead


def test_batches_are_those_of_their_steps_wherever_one_begins() -> None:
    drawn: list[int] = []

    def draw(step: int) -> str:
        drawn.append(step)
        return f"batch {step}"

    with DrawnAhead(draw, last=8) as batches:
        assert [batches.take(step) for step in (5, 6, 7)] == ["batch 5", "batch 6", "batch 7"]
    assert drawn == [5, 6, 7]


def test_the_next_batch_is_drawn_while_this_one_is_used() -> None:
    ready, main = threading.Event(), threading.get_ident()

    def draw(step: int) -> int:
        if step == 1:
            ready.set()
        return threading.get_ident()

    with DrawnAhead(draw, last=3) as batches:
        assert batches.take(0) != main
        assert ready.wait(60)


def test_an_error_comes_with_the_step_whose_batch_it_spoils_and_the_thread_ends() -> None:
    def draw(step: int) -> int:
        if step == 1:
            raise OSError("disk gone")
        return step

    before = threading.active_count()
    with DrawnAhead(draw, last=9) as batches:
        assert batches.take(0) == 0
        with pytest.raises(OSError, match="disk gone"):
            batches.take(1)
    assert threading.active_count() == before
