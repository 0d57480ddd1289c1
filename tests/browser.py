"""Chromium without a window, driven over a pipe by its DevTools protocol: the standard library is enough.

Descriptors 3 and 4 carry JSON messages that end in a zero byte (``--remote-debugging-pipe``).
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # its sandbox refuses root, as which containers run
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",  # a script's click is no user's
    "--remote-debugging-pipe",
)
START = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
"""Chromium reads descriptor 3 and writes 4."""
PATIENCE = 60.0
"""Seconds; a script that waits for something that never happens must not hang the tests."""


def program() -> str | None:
    """Where Chromium is; None without one."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Browser:
    """One page. ``events`` holds what the browser reported: console messages, exceptions, network requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[dict[str, Any]] = []
        self.count = 0
        self.session: str | None = None
        self.received = b""

    def __enter__(self) -> Browser:
        path = program()
        assert path is not None
        (theirs_in, ours_out), (ours_in, theirs_out) = (tuple(map(above_nine, os.pipe())) for _ in range(2))
        numbers = [str(theirs_in), str(theirs_out)]
        command = [sys.executable, "-c", START, *numbers, path, *OPTIONS, f"--user-data-dir={self.folder}", "about:blank"]
        with (self.folder / "stderr").open("wb") as log:
            self.process = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log)
        os.close(theirs_in)
        os.close(theirs_out)
        self.output, self.input = os.fdopen(ours_out, "wb"), ours_in
        pages = self.call("Target.getTargets")["targetInfos"]
        page = next(page for page in pages if page["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.output.close()
        os.close(self.input)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command and its result; what is reported meanwhile goes to ``events``."""
        self.count += 1
        message: dict[str, Any] = {"id": self.count, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        self.output.write(json.dumps(message).encode() + b"\0")
        self.output.flush()
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def receive(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.input], [], [], PATIENCE)
            part = os.read(self.input, 1 << 16) if ready else b""
            told = (self.folder / "stderr").read_text(errors="replace")[-2000:]
            assert part, f"the browser {'ended' if ready else f'said nothing for {PATIENCE} s'}: {told}"
            self.received += part
        message, self.received = self.received.split(b"\0", 1)
        return dict(json.loads(message))

    def open(self, path: Path) -> None:
        """Load a file and wait until everything in it is there."""
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def ask(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def told(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the events of one kind."""
        return [event["params"] for event in self.events if event.get("method") == method]


def above_nine(descriptor: int) -> int:
    """The same pipe by a number that the browser's 3 and 4 cannot overwrite."""
    import fcntl

    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy
