"""Fetch an archive and unpack it, trusting neither the connection nor the archive.

``fetch`` resumes where the last try stopped, ``extract`` writes nothing unless every member stays inside the
target folder, and ``place`` fills a data folder with links. The recipes are built on these three.

Failures are ``AudioCycleError``s of one line that name the URL or file and the remedy.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import posixpath
import shutil
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import urlsplit

from rich import progress as bars
from rich.console import Console

from audiocycle.errors import AudioCycleError, InputError, OutputError

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0
RETRY_WAIT_S = 1.0  # before the first retry, doubled before each later one
MAX_EXTRACT_BYTES = 20 * 1024**3
MAX_EXTRACT_MEMBERS = 1_000_000
MAX_LINK_HOPS = 16
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LASTING_STATUS = range(400, 500)  # asking again will not help …
PASSING_STATUS = (408, 425, 429)  # … except for these


# --- fetch --------------------------------------------------------------------------------------------------


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
        except (OSError, ValueError):
            return {}
        if not isinstance(note, dict) or note.get("url") != url or not isinstance(note.get("validator"), str):
            return {}
        return note

    def begin(self, url: str, validator: str | None, total: int | None) -> None:
        with _disk(self.path):
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
    with _disk(path):
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
    with _disk(path):
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
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
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
        with _disk(part.path):
            file = part.path.open("ab")
        with file:
            while chunk := response.read(CHUNK_BYTES):
                with _disk(part.path):
                    file.write(chunk)
                    file.flush()
                have += len(chunk)
                report(have, total)
            with _disk(part.path):
                os.fsync(file.fileno())
    if total is not None and have != total:
        raise _DroppedError("connection lost")


_PASSING = (_DroppedError, http.client.HTTPException, OSError)  # OSError: URLError, resets, time-outs, TLS


def _opener(url: str) -> urllib.request.OpenerDirector:
    proxies: dict[str, str] | None = {} if urlsplit(url).hostname in LOOPBACK else None
    return urllib.request.build_opener(_GuardedRedirects(), urllib.request.ProxyHandler(proxies))


def _validator(response: http.client.HTTPResponse) -> str | None:
    """What If-Range may carry: a strong ETag, else Last-Modified (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")


def _is_continuation(response: http.client.HTTPResponse, have: int, note: Mapping[str, Any]) -> bool:
    """Whether a 206 continues our bytes, for servers that honour Range but not If-Range."""
    unit, _, content_range = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = content_range.partition("/")
    return (
        unit == "bytes"
        and have > 0
        and _integer(span.partition("-")[0]) == have
        and _integer(total) == note.get("total")
        and _validator(response) in (None, note["validator"])
    )


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _check_room(url: str, part: _Part, have: int, total: int | None) -> None:
    need, free = (total or have) - have, shutil.disk_usage(part.path.parent).free
    if need > free:
        sizes = f"{need:,} bytes are missing, {free:,} free"
        raise OutputError(f"no room for {url} in {part.path.parent}: {sizes}; free space and run again")


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
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


# --- extract ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    """One archive entry; ``name``, and ``target`` of a link, are clean posix paths from the root."""

    name: str
    kind: Literal["file", "folder", "link"]
    size: int
    open: Callable[[], IO[bytes] | None]
    target: str = ""


def extract(
    archive: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    keep: Callable[[str], bool] = lambda name: True,
    max_bytes: int = MAX_EXTRACT_BYTES,
) -> list[Path]:
    """Unpack a zip or tar (plain, gz, bz2, xz) into ``folder``; returns the files written.

    All members are checked before anything is written. Links inside the archive become copies of the file
    that they lead to, so that no link is ever made. Existing files are replaced.

    Args:
        archive: told apart by content, not by name.
        folder: made when missing.
        keep: called with each file's name (posix, relative); only those for which it is true are written.
        max_bytes: limit on the unpacked size of what is kept.

    Raises:
        InputError: not an archive, damaged or encrypted; a member outside ``folder`` (absolute, ``..``, a
            link leading out), a device file, more than ``max_bytes``, or more than a million members.
        OutputError: ``folder`` cannot be written.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise InputError(f"no archive at {archive}: download it first or correct the path")
    damaged = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, OSError, ValueError)
    try:
        with _open_archive(archive) as opened:
            members = list(_members(opened, archive))
            plan = _plan(members, archive, folder, keep, max_bytes)
            return _write(plan)
    except damaged as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"cannot unpack {archive} ({reason}): delete it and download it again") from error


def _open_archive(archive: Path) -> zipfile.ZipFile | tarfile.TarFile:
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        return zipfile.ZipFile(archive)
    try:
        return tarfile.open(archive, "r:*")
    except tarfile.ReadError:
        raise tarfile.ReadError("neither zip nor tar") from None  # the original lists every method, on lines


def _members(opened: zipfile.ZipFile | tarfile.TarFile, archive: Path) -> Iterator[_Member]:
    entries = opened.infolist() if isinstance(opened, zipfile.ZipFile) else opened
    for count, entry in enumerate(entries):
        if count >= MAX_EXTRACT_MEMBERS:
            raise _refusal(archive, f"more than {MAX_EXTRACT_MEMBERS:,} members")
        if isinstance(opened, zipfile.ZipFile):
            assert isinstance(entry, zipfile.ZipInfo)
            yield _zip_member(opened, entry, archive)
        else:
            assert isinstance(entry, tarfile.TarInfo)
            yield _tar_member(opened, entry, archive)


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo, archive: Path) -> _Member:
    name, mode = _inside(info.filename, archive), info.external_attr >> 16
    if info.is_dir():
        return _Member(name, "folder", 0, lambda: None)
    if stat.S_ISLNK(mode):
        with opened.open(info) as file:
            pointer = file.read(4096).decode("utf-8", "replace")
        return _Member(name, "link", 0, lambda: None, _inside(pointer, archive, posixpath.dirname(name)))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refusal(archive, f"{info.filename!r}, neither file nor folder")
    return _Member(name, "file", info.file_size, lambda: opened.open(info))


def _tar_member(opened: tarfile.TarFile, entry: tarfile.TarInfo, archive: Path) -> _Member:
    name = _inside(entry.name, archive)
    if entry.isdir():
        return _Member(name, "folder", 0, lambda: None)
    if entry.issym() or entry.islnk():
        # a symbolic link starts at its own folder, a hard link at the archive's root
        start = posixpath.dirname(name) if entry.issym() else ""
        return _Member(name, "link", 0, lambda: None, _inside(entry.linkname, archive, start))
    if not entry.isreg():
        raise _refusal(archive, f"{entry.name!r}, neither file nor folder")
    return _Member(name, "file", entry.size, lambda: opened.extractfile(entry))


def _inside(name: str, archive: Path, start: str = "") -> str:
    """``name``, seen from the archive's folder ``start``, as a clean path from its root, or a refusal."""
    slashed = name.replace("\\", "/")
    clean = posixpath.normpath(posixpath.join(start, slashed))
    climbs = clean.split("/")[0] == ".." or (not start and ".." in slashed.split("/"))
    if not name or "\0" in name or slashed.startswith("/") or slashed[1:2] == ":" or climbs:
        raise _refusal(archive, f"{name!r}, which leads outside the target folder")
    return clean


def _refusal(archive: Path, what: str) -> InputError:
    return InputError(f"will not unpack {archive}: it contains {what}; get it from a source you trust")


def _plan(
    members: list[_Member], archive: Path, folder: Path, keep: Callable[[str], bool], max_bytes: int
) -> dict[Path, _Member]:
    """Where each kept file goes, and the member that fills it (for a link: the file it leads to)."""
    root = folder.resolve()
    files = {member.name: member for member in members if member.kind == "file"}
    links = {member.name: member.target for member in members if member.kind == "link"}
    plan: dict[Path, _Member] = {}
    total = 0
    for member in members:
        if member.kind == "folder" or not keep(member.name):
            continue
        destination = root / member.name
        if not destination.resolve().is_relative_to(root):
            raise _refusal(archive, f"{member.name!r}, which a link in {folder} would put elsewhere")
        source = member.name
        for _ in range(MAX_LINK_HOPS):
            source = links.get(source, source)
        if source not in files:
            raise _refusal(archive, f"the link {member.name!r}, which leads to no file in it")
        total += files[source].size
        plan[destination] = files[source]
    if total > max_bytes:
        raise _refusal(archive, f"{total:,} bytes, more than the limit of {max_bytes:,}")
    return plan


def _write(plan: Mapping[Path, _Member]) -> list[Path]:
    for destination, member in plan.items():
        with _disk(destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.unlink(missing_ok=True)
            target = destination.open("wb")
        source = member.open()
        assert source is not None, "only files are planned"
        with target, source:
            while chunk := source.read(CHUNK_BYTES):
                with _disk(destination):
                    target.write(chunk)
    return list(plan)


# --- place --------------------------------------------------------------------------------------------------


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
    with _disk(folder):
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
