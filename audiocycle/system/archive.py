"""Unpack an archive without trusting it: nothing is written unless every member stays inside the target folder."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from audiocycle.errors import InputError
from audiocycle.system.download import CHUNK_BYTES, disk_errors

MAX_EXTRACT_BYTES = 20 * 1024**3
MAX_EXTRACT_MEMBERS = 1_000_000
MAX_LINK_HOPS = 16
MAX_HEADER_BYTES = 1 << 20
"""Of a tar's name or other remark on a member, which is read as a whole. Contents are read in parts smaller than this."""


def plain(path: Path) -> IO[bytes]:
    """A tar that is not compressed."""
    return path.open("rb")


COMPRESSIONS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open, b"\x5d\x00\x00": lzma.open,
}  # fmt: skip
"""By the bytes that a file begins with."""


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
    damaged = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
    try:
        with contextlib.ExitStack() as stack:
            opened = _open_archive(archive, stack)
            members = list(_members(opened, archive))
            plan = _plan(members, archive, folder, keep, max_bytes)
            return _write(plan)
    except damaged as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"cannot unpack {archive} ({reason}): delete it and download it again") from error


class _InParts(io.RawIOBase):
    """A file, of which no more is read at once than a tar's headers need: one may claim to be as large as it likes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _open_archive(archive: Path, stack: contextlib.ExitStack) -> zipfile.ZipFile | tarfile.TarFile:
    with archive.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"PK"):
        return stack.enter_context(zipfile.ZipFile(archive))
    opener = next((opener for magic, opener in COMPRESSIONS.items() if head.startswith(magic)), plain)
    unpacked = _InParts(stack.enter_context(opener(archive)))
    try:
        return stack.enter_context(tarfile.open(fileobj=unpacked, mode="r:"))
    except tarfile.ReadError as error:
        if "a header of" in str(error):
            raise
        raise tarfile.ReadError("neither zip nor tar") from None


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
        with disk_errors(destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.unlink(missing_ok=True)
            target = destination.open("wb")
        source = member.open()
        assert source is not None, "only files are planned"
        with target, source:
            while chunk := source.read(CHUNK_BYTES):
                with disk_errors(destination):
                    target.write(chunk)
    return list(plan)
