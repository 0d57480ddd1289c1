"""Fetch a file without trusting the connection: ``fetch`` resumes where the last try stopped, and checks sums.

``place`` fills a data folder with links. Unpacking is in :mod:`audiocycle.system.archive`; recipes are built on these.

Failures are ``AudioCycleError``s of one line that name the URL or file and the remedy.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from rich import progress as bars
from rich.console import Console

from audiocycle.errors import AudioCycleError, InputError, OutputError

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0
RETRY_WAIT_S = 1.0  # before the first retry, doubled before each later one
STRONG_AGE = timedelta(seconds=60)
MAX_DIGITS = 18  # of a length that a server may claim
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LASTING_STATUS = range(400, 500)  # asking again will not help …
PASSING_STATUS = (408, 425, 429)  # … except for these


class _DroppedError(Exception):
    """The connection ended before the file did; the part so far is kept."""


class _GuardedRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect only to a URL that ``fetch`` itself would accept (no https → http)."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class _Part:
    """``path.part`` and, beside it, ``path.part.json``: the version of the URL that its bytes belong to."""

    path: Path

    @property
    def note_path(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def note(self, url: str) -> dict[str, Any]:
        """What is known of these bytes; empty if they cannot safely be continued from ``url``."""
        try:
            note = json.loads(self.note_path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(note, dict) or note.get("url") != url or not isinstance(note.get("validator"), str):
            return {}
        return note

    def begin(self, url: str, validator: str | None, total: int | None) -> None:
        with disk_errors(self.path):
            self.path.write_bytes(b"")
            note = {"url": url, "validator": validator, "total": total}
            self.note_path.write_text(json.dumps(note), encoding="utf-8")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note_path.unlink(missing_ok=True)


def fetch(
    url: str,
    path: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    retries: int = 3,
) -> Path:
    """Download ``url`` to ``path``, which appears only when complete and verified.

    Bytes gather in ``path.part``. A later call continues there, if the server still has the same version (by
    ETag or Last-Modified) and supports ranges; otherwise it starts afresh. An existing ``path`` is verified,
    never replaced.

    Args:
        url: https only; http is accepted for this machine (127.0.0.1, localhost).
        path: the file to make, with its folder.
        sha256: expected digest in hexadecimal, checked if given.
        md5: likewise.
        retries: how often to continue after a dropped connection, waiting 1, 2, 4, … seconds.

    Returns:
        ``path``.

    Raises:
        AudioCycleError: URL not allowed, server out of reach or refusing, a web page instead of a file, disk
            full, wrong checksum (the part is removed then).
    """
    _check_url(url)
    path = Path(path)
    expected = {name: value.lower() for name, value in (("sha256", sha256), ("md5", md5)) if value}
    if path.exists():
        _verify(path, expected, f"delete {path} and run again")
        return path
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path.with_name(path.name + ".part"))
    with _progress(path.name) as report:
        for attempt in range(retries + 1):
            try:
                _continue(url, part, report)
                break
            except _PASSING as error:
                if attempt == retries:
                    raise _gave_up(url, part, error) from error
            time.sleep(RETRY_WAIT_S * 2**attempt)
    try:
        _verify(part.path, expected, f"run again to download {url} afresh")
    except AudioCycleError:
        part.remove()
        raise
    with disk_errors(path):
        os.replace(part.path, path)
        part.note_path.unlink(missing_ok=True)
    return path


def checksum(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file, read in chunks. Raises AudioCycleError if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()
    except OSError as error:
        raise AudioCycleError(f"cannot read {path}: {error.strerror or error}") from error


def _check_url(url: str) -> None:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:  # brackets that are not closed, or hold no address
        scheme, host = "", None
    if not host or not (scheme == "https" or (scheme == "http" and host in LOOPBACK)):
        raise InputError(f"will not download {url}: use an https:// address")


def _verify(path: Path, expected: Mapping[str, str], remedy: str) -> None:
    for algorithm, want in expected.items():
        if (got := checksum(path, algorithm)) != want:
            raise AudioCycleError(f"{path} is damaged ({algorithm} {got}, expected {want}): {remedy}")


def _gave_up(url: str, part: _Part, error: Exception) -> AudioCycleError:
    reason = getattr(error, "reason", None) or error
    if part.note(url) and (size := part.size()):
        return AudioCycleError(f"{url} stopped after {size:,} bytes ({reason}): run again to resume")
    return AudioCycleError(f"cannot download {url} ({reason}): check the network and run again")


def _continue(url: str, part: _Part, report: Callable[[int, int | None], None]) -> None:
    """One connection's worth of download. Raises one of _PASSING if another try may get further."""
    note = part.note(url)
    have = part.size() if note else 0
    if have and have == note.get("total"):
        return report(have, have)
    headers = {"User-Agent": "audiocycle"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": note["validator"]}
    try:
        response = _opener(url).open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            part.remove()
            return _continue(url, part, report)
        if error.code in LASTING_STATUS and error.code not in PASSING_STATUS:
            message = f"{url} answered {error.code} {error.reason}: look for the file's new address"
            raise AudioCycleError(message) from error
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not _is_continuation(response, have, note):
            part.remove()
            if not have:
                raise AudioCycleError(f"{url} sends a range that was not asked for: try another mirror")
            return _continue(url, part, report)
        if response.headers.get_content_type() == "text/html" and not part.path.stem.endswith(".html"):
            raise AudioCycleError(f"{url} is a web page, not the file: download it with a browser instead")
        if not resumed:
            have, total = 0, _integer(response.headers.get("Content-Length"))
            part.begin(url, _validator(response), total)
        else:
            total = note.get("total")
        _check_room(url, part, have, total)
        report(have, total)
        with disk_errors(part.path):
            file = part.path.open("ab")
        with file:
            while chunk := response.read(CHUNK_BYTES):
                with disk_errors(part.path):
                    file.write(chunk)
                    file.flush()
                have += len(chunk)
                report(have, total)
            with disk_errors(part.path):
                os.fsync(file.fileno())
    if total is not None and have != total:
        raise _DroppedError("connection lost")


_PASSING = (_DroppedError, http.client.HTTPException, OSError)  # OSError: URLError, resets, time-outs, TLS


def _opener(url: str) -> urllib.request.OpenerDirector:
    proxies: dict[str, str] | None = {} if urlsplit(url).hostname in LOOPBACK else None
    return urllib.request.build_opener(_GuardedRedirects(), urllib.request.ProxyHandler(proxies))


def _validator(response: http.client.HTTPResponse) -> str | None:
    """What If-Range may carry: a strong ETag, else a Last-Modified that is strong, too (RFC 9110, 8.8.2.2 and 13.1.5).

    A date counts seconds. Where the file had been changed just before it was sent, another version may have the same one.
    """
    etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified")
    if etag.startswith('"'):
        return etag
    try:
        age = parsedate_to_datetime(response.headers["Date"]) - parsedate_to_datetime(str(modified))
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if age >= STRONG_AGE else None


def _is_continuation(response: http.client.HTTPResponse, have: int, note: Mapping[str, Any]) -> bool:
    """Whether a 206 continues our bytes, for servers that honour Range but not If-Range: it has to name the version."""
    unit, _, content_range = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = content_range.partition("/")
    return (
        unit == "bytes"
        and have > 0
        and _integer(span.partition("-")[0]) == have
        and _integer(total) == note.get("total")
        and note["validator"] in (response.headers.get("ETag"), response.headers.get("Last-Modified"))
    )


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None


def _check_room(url: str, part: _Part, have: int, total: int | None) -> None:
    need, free = (total or have) - have, shutil.disk_usage(part.path.parent).free
    if need > free:
        sizes = f"{need:,} bytes are missing, {free:,} free"
        raise OutputError(f"no room for {url} in {part.path.parent}: {sizes}; free space and run again")


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Tell a full or read-only disk from a lost connection: both are OSErrors."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write {path} ({reason}): free space or fix its access rights") from error


@contextlib.contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int | None], None]]:
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.DownloadColumn())
    speed = (bars.TransferSpeedColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, *speed, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=None)
        yield lambda have, total: progress.update(task, completed=have, total=total)


def place(files: Mapping[str, Path], folder: str | os.PathLike[str], *, move: bool = False) -> None:
    """Make ``folder`` hold exactly ``files``, as symbolic links, or as copies where links cannot be made.

    Args:
        files: name to source. Links of these names are replaced.
        folder: made when missing.
        move: move the sources instead, for files that were unpacked only to be placed.

    Raises:
        OutputError: the folder already holds something else (nothing is changed then), or cannot be written.
    """
    folder = Path(folder)
    foreign = sorted({path.name for path in folder.glob("[!.]*")} - set(files))
    if foreign:
        raise OutputError(f"{folder} already holds {foreign[0]}, not of this run: empty it or choose another")
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in files.items():
            target = folder / name
            if target.exists() and target.samefile(source):
                continue
            target.unlink(missing_ok=True)
            if move:
                shutil.move(source, target)
                continue
            try:
                target.symlink_to(source.resolve())
            except OSError:
                shutil.copyfile(source, target)
