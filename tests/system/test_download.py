"""Downloads against a server on 127.0.0.1 with the faults of real ones; archives that try to break out."""

from __future__ import annotations

import bz2
import email.utils
import gzip
import hashlib
import io
import json
import lzma
import shutil
import stat
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from audiocycle.errors import AudioCycleError
from audiocycle.system import download
from audiocycle.system.archive import extract
from audiocycle.system.download import checksum, fetch, place

BODY = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


# --- fetch --------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """What the server does; the tests change it between requests."""

    body: bytes = BODY
    etag: str | None = '"v1"'
    modified: str | None = None
    ranges: bool = True
    if_range: bool = True
    wrong_span: bool = False
    confirms: bool = True  # a 206 says of which version it is
    length: str | None = None  # claimed instead of the true one
    drop_after: list[int] = field(default_factory=list)  # one connection each: close after so many bytes
    status: list[int] = field(default_factory=list)  # one request each: answer with this status
    content_type: str = "application/octet-stream"
    redirect: str | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.requests.append(dict(self.headers))
        if site.redirect or site.status:
            self.send_response(302 if site.redirect else site.status.pop(0))
            if site.redirect:
                self.send_header("Location", site.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, size = 0, len(site.body)
        wanted = self.headers.get("Range")
        same = not site.if_range or self.headers.get("If-Range") in (None, site.etag, site.modified)
        if wanted and site.ranges and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start += site.wrong_span
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", site.length or str(size - start))
        self.send_header("Content-Type", site.content_type)
        for name, value in (("ETag", site.etag), ("Last-Modified", site.modified)):
            if value and (site.confirms or not start):
                self.send_header(name, value)
        self.end_headers()
        stop = start + site.drop_after.pop(0) if site.drop_after else size
        self.wfile.write(site.body[start:stop])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(download, "RETRY_WAIT_S", 0.0)
    monkeypatch.setattr(download, "CHUNK_BYTES", 1 << 12)
    state = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("SiteHandler", (Handler,), {"site": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/data.bin"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def interrupt(site: Site, path: Path, after: int = 300_000) -> None:
    """Leave a part of `after` bytes beside `path`."""
    site.drop_after = [after]
    with pytest.raises(AudioCycleError, match="run again to resume"):
        fetch(site.url, path, retries=0)
    assert not path.exists()
    assert path.with_name(path.name + ".part").stat().st_size == after


def assert_alone(path: Path, body: bytes = BODY) -> None:
    """Only the finished file remains."""
    assert path.read_bytes() == body
    assert list(path.parent.iterdir()) == [path]


def test_fetch_verifies_and_leaves_only_the_file(site: Site, tmp_path: Path) -> None:
    path = fetch(site.url, tmp_path / "new" / "data.bin", sha256=SHA256.upper(), md5=MD5)
    assert_alone(path)
    assert checksum(path) == SHA256
    fetch(site.url, path, sha256=SHA256)
    assert len(site.requests) == 1  # an existing file is checked, not fetched again


@pytest.mark.parametrize(
    ("etag", "modified", "expected"),
    [
        ('"v1"', None, '"v1"'),
        (None, "Tue, 01 Mar 2016 10:00:00 GMT", "Tue, 01 Mar 2016 10:00:00 GMT"),
        ('W/"weak"', "Tue, 01 Mar 2016 10:00:00 GMT", "Tue, 01 Mar 2016 10:00:00 GMT"),
    ],
)
def test_interrupted_download_resumes(
    site: Site, tmp_path: Path, etag: str | None, modified: str | None, expected: str
) -> None:
    site.etag, site.modified = etag, modified
    interrupt(site, tmp_path / "data.bin")
    assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256))
    assert site.requests[1]["Range"] == "bytes=300000-"
    assert site.requests[1]["If-Range"] == expected


def test_dropped_connections_are_continued_at_once(site: Site, tmp_path: Path) -> None:
    site.drop_after = [100_000, 200_000, 300_000]
    assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256, retries=3))
    assert [request.get("Range") for request in site.requests] == [
        None,
        "bytes=100000-",
        "bytes=300000-",
        "bytes=600000-",
    ]


def test_complete_part_needs_no_request(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(BODY)
    note = {"url": site.url, "validator": '"v1"', "total": len(BODY)}
    (tmp_path / "data.bin.part.json").write_text(json.dumps(note))
    assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256))
    assert not site.requests


@pytest.mark.parametrize("note", ["[" * 100_000, "{", "5", '"x"', "\udcff"], ids=lambda note: note[:5])
def test_a_note_that_is_none_begins_afresh(site: Site, tmp_path: Path, note: str) -> None:
    (tmp_path / "data.bin.part").write_bytes(BODY[:1000])
    (tmp_path / "data.bin.part.json").write_bytes(note.encode("utf-8", "surrogateescape"))
    assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256))
    assert [request.get("Range") for request in site.requests] == [None]


@pytest.mark.parametrize(
    "fault", ["no ranges", "changed", "changed, If-Range ignored", "shrunk", "wrong span", "no validator"]
)
def test_starts_afresh_where_it_cannot_continue(site: Site, tmp_path: Path, fault: str) -> None:
    path = tmp_path / "data.bin"
    if fault == "no validator":
        site.etag = None
        site.drop_after = [300_000]
        with pytest.raises(AudioCycleError, match="run again"):
            fetch(site.url, path, retries=0)
    else:
        interrupt(site, path)
    match fault:
        case "no ranges":
            site.ranges = False
        case "changed":
            site.body, site.etag = BODY[::-1], '"v2"'
        case "changed, If-Range ignored":
            site.body, site.etag, site.if_range = BODY[::-1], '"v2"', False
        case "shrunk":
            site.body, site.if_range = BODY[:1000], False
        case "wrong span":
            site.wrong_span = True
    assert_alone(fetch(site.url, path), site.body)


def now(seconds: int = 0) -> str:
    return email.utils.formatdate(time.time() - seconds, usegmt=True)


@pytest.mark.parametrize(("age", "confirms"), [(0, True), (30, True), (3600, False)])
def test_two_versions_are_never_spliced_without_an_etag(site: Site, tmp_path: Path, age: int, confirms: bool) -> None:
    """The file was changed within the second, or the server does not say which version its rest is of."""
    site.etag, site.modified, site.confirms = None, now(age), confirms
    site.drop_after = [300_000]
    with pytest.raises(AudioCycleError, match="run again"):
        fetch(site.url, tmp_path / "data.bin", retries=0)
    site.body, site.if_range = BODY[::-1], False
    assert_alone(fetch(site.url, tmp_path / "data.bin"), site.body)


@pytest.mark.parametrize("length", ["9" * 5000, "٣" * 3, "-1", "1e3"])
def test_a_length_that_is_none_is_not_believed(site: Site, tmp_path: Path, length: str) -> None:
    assert download._integer(length) is None
    if length.isascii():
        site.length = length
        assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256))


def test_a_length_beyond_all_disks_is_refused(site: Site, tmp_path: Path) -> None:
    site.length = "9" * 18
    with pytest.raises(AudioCycleError, match="no room"):
        fetch(site.url, tmp_path / "data.bin", retries=0)


def test_part_of_another_address_is_not_continued(site: Site, tmp_path: Path) -> None:
    interrupt(site, tmp_path / "data.bin")
    assert_alone(fetch(site.url + "?mirror", tmp_path / "data.bin"))
    assert "Range" not in site.requests[1]


def test_wrong_checksum_leaves_nothing(site: Site, tmp_path: Path) -> None:
    with pytest.raises(AudioCycleError, match=f"damaged.*{SHA256}.*run again"):
        fetch(site.url, tmp_path / "data.bin", sha256="0" * 64)
    assert not list(tmp_path.iterdir())


def test_existing_file_with_wrong_checksum_is_kept_and_named(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(b"my own")
    with pytest.raises(AudioCycleError, match=r"data\.bin is damaged.*delete"):
        fetch(site.url, path, md5=MD5)
    assert path.read_bytes() == b"my own"


def test_server_errors(site: Site, tmp_path: Path) -> None:
    site.status = [503, 429]
    assert_alone(fetch(site.url, tmp_path / "data.bin", sha256=SHA256, retries=2))
    site.requests.clear()
    site.status = [404]
    with pytest.raises(AudioCycleError, match="404"):
        fetch(site.url, tmp_path / "other.bin")
    assert len(site.requests) == 1  # asking again would not help


def test_web_page_is_not_taken_for_the_file(site: Site, tmp_path: Path) -> None:
    site.content_type = "text/html; charset=utf-8"
    with pytest.raises(AudioCycleError, match="web page"):
        fetch(site.url, tmp_path / "data.bin")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url", ["http://example.org/x.zip", "ftp://example.org/x", "file:///etc/passwd", "x", "https://[x", "https://[1:::2]/x"]
)
def test_only_https_or_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(AudioCycleError, match="https"):
        fetch(url, tmp_path / "x")


def test_redirect_cannot_leave_https(site: Site, tmp_path: Path) -> None:
    site.redirect = "http://example.org/data.bin"
    with pytest.raises(AudioCycleError, match=r"will not download http://example\.org"):
        fetch(site.url, tmp_path / "data.bin", retries=0)


def test_unreachable_server(tmp_path: Path) -> None:
    with pytest.raises(AudioCycleError, match="check the network"):
        fetch("http://127.0.0.1:9/data.bin", tmp_path / "data.bin", retries=0)


def test_full_disk(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(AudioCycleError, match="no room"):
        fetch(site.url, tmp_path / "data.bin")


# --- extract ------------------------------------------------------------------------------------------------

Entry = tuple[str, bytes | str, int]  # name, content or link target, kind (stat.S_IF*)
FILE, LINK = stat.S_IFREG, stat.S_IFLNK
GOOD: list[Entry] = [("set/SF1/1.wav", b"one", FILE), ("./set/SF1/2.wav", b"two", FILE)]


def make_zip(path: Path, entries: list[Entry]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, kind in entries:
            info = zipfile.ZipInfo()
            info.filename = name  # set afterwards, for the constructor would tidy it up
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, content)
    return path


def make_tar(path: Path, entries: list[Entry]) -> Path:
    kinds = {LINK: tarfile.SYMTYPE, stat.S_IFCHR: tarfile.CHRTYPE, stat.S_IFIFO: tarfile.FIFOTYPE}
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content, kind in entries:
            info = tarfile.TarInfo(name)
            info.type = kinds.get(kind, tarfile.LNKTYPE if isinstance(content, str) else tarfile.REGTYPE)
            if isinstance(content, str):
                info.linkname = content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


Maker = Callable[[list[Entry]], Path]


@pytest.fixture(params=["zip", "tar", "tar.gz"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    maker = make_zip if request.param == "zip" else make_tar
    return lambda entries: maker(tmp_path / f"archive.{request.param}", entries)


def test_extract(make: Maker, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = extract(make(GOOD), out)
    assert sorted(written) == [out / "set/SF1/1.wav", out / "set/SF1/2.wav"]
    assert [path.read_bytes() for path in sorted(written)] == [b"one", b"two"]
    extract(make(GOOD), out)  # again: replaces


def test_extract_keeps_what_is_asked_for(make: Maker, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert extract(make(GOOD), out, keep=lambda name: name == "set/SF1/2.wav") == [out / "set/SF1/2.wav"]
    assert [path.name for path in out.rglob("*.wav")] == ["2.wav"]


def test_links_inside_become_copies(make: Maker, tmp_path: Path) -> None:
    links: list[Entry] = [("set/TF2/1.wav", "../SF1/1.wav", LINK), ("set/TF2/again.wav", "1.wav", LINK)]
    extract(make(GOOD + links), tmp_path / "out")
    for name in ("1.wav", "again.wav"):
        copy = tmp_path / "out/set/TF2" / name
        assert copy.read_bytes() == b"one"
        assert not copy.is_symlink()


EVIL: dict[str, list[Entry]] = {
    "parent": [("../x.wav", b"x", FILE)],
    "hidden parent": [("set/../../x.wav", b"x", FILE)],
    "absolute": [("/tmp/x.wav", b"x", FILE)],
    "backslashes": [("..\\x.wav", b"x", FILE)],
    "drive": [("C:\\x.wav", b"x", FILE)],
    "symlink out": [("set/link", "../../x.wav", LINK)],
    "symlink absolute": [("link", "/etc/passwd", LINK)],
    "symlink to folder": [("set/out", ".", LINK), ("set/out/x.wav", b"x", FILE)],
    "symlink chain": [("d", ".", LINK), ("d/up", "..", LINK), ("d/up/x.wav", b"x", FILE)],
    "symlink loop": [("a", "b", LINK), ("b", "a", LINK)],
    "device": [("set/device", b"", stat.S_IFCHR)],
    "pipe": [("set/pipe", b"", stat.S_IFIFO)],
}


@pytest.mark.parametrize("name", EVIL)
def test_evil_archives_write_nothing(make: Maker, tmp_path: Path, name: str) -> None:
    archive = make(GOOD + EVIL[name])
    with pytest.raises(AudioCycleError, match="will not unpack"):
        extract(archive, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [archive]


def test_evil_member_refuses_the_archive_even_if_not_kept(make: Maker, tmp_path: Path) -> None:
    with pytest.raises(AudioCycleError, match="outside"):
        extract(make(GOOD + EVIL["parent"]), tmp_path / "out", keep=lambda name: name.startswith("set"))


def test_hard_link_leading_out(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "archive.tar", [("set/passwd", "../etc/passwd", FILE)])
    with pytest.raises(AudioCycleError, match="outside"):
        extract(archive, tmp_path / "out")


def test_existing_link_in_the_folder_is_not_followed_out(make: Maker, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "set").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AudioCycleError, match="elsewhere"):
        extract(make(GOOD), tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_size_limit(make: Maker, tmp_path: Path) -> None:
    archive = make([("bomb", bytes(100_000), FILE)])
    with pytest.raises(AudioCycleError, match="100,000 bytes"):
        extract(archive, tmp_path / "out", max_bytes=99_999)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"])
def test_a_header_is_not_read_whatever_size_it_claims(tmp_path: Path, kind: bytes, pack: Callable[[bytes], bytes]) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 3 << 30
    archive = tmp_path / "archive"
    archive.write_bytes(pack(info.tobuf() + bytes(4096)))
    with pytest.raises(AudioCycleError, match=r"cannot unpack .*a header of 3,221,225,472 bytes.*download it again"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"])
def test_long_names_and_large_files_are_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    name, content = "folder/" + "n" * 200, hashlib.shake_128(b"x").digest(2_500_000)
    plain = make_tar(tmp_path / "plain.tar", [(name, content, FILE)])
    archive = tmp_path / "archive"
    archive.write_bytes(pack(plain.read_bytes()))
    assert extract(archive, tmp_path / "out")[0].read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"<html>moved</html>", b"PK\x03\x04 broken", b"\x1f\x8bxx", b"BZh9xxxx", b"\xfd7zXZ\x00xx"])
def test_not_an_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "archive.zip").write_bytes(content)
    with pytest.raises(AudioCycleError, match=r"cannot unpack .*archive\.zip.*download it again"):
        extract(tmp_path / "archive.zip", tmp_path / "out")


def test_truncated_archives(make: Maker, tmp_path: Path) -> None:
    archive = make([("noise.wav", hashlib.shake_128(b"x").digest(50_000), FILE)])
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(AudioCycleError, match="cannot unpack"):
        extract(archive, tmp_path / "out")


# --- place --------------------------------------------------------------------------------------------------


def test_place_links_and_refuses_what_is_foreign(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    source.write_bytes(b"a")
    for _ in range(2):  # a second run changes nothing
        place({"one.wav": source}, tmp_path / "train")
        assert (tmp_path / "train/one.wav").samefile(source)
    with pytest.raises(AudioCycleError, match=r"one\.wav"):
        place({"two.wav": source}, tmp_path / "train")
    place({"a.wav": source}, tmp_path / "moved", move=True)
    assert not source.exists()


def test_place_copies_where_links_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", fail)
    (tmp_path / "a.wav").write_bytes(b"a")
    place({"a.wav": tmp_path / "a.wav"}, tmp_path / "train")
    assert not (tmp_path / "train/a.wav").is_symlink()
    assert (tmp_path / "train/a.wav").read_bytes() == b"a"
