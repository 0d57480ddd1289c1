"""The time limit of a test (pytest-timeout) ends what hangs again while it is being cleared away."""

from __future__ import annotations

import signal
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds for clearing away. A test that is interrupted inside ``with subprocess.Popen(...)`` waits there for the process."""


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Any:
    """The alarm rings not once but every :data:`PATIENCE` seconds from then on, until the test is over."""
    done = yield
    if settings.method == "signal":
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        signal.setitimer(signal.ITIMER_REAL, left, min(PATIENCE, left))
    return done
