"""Files of packages are fetched as they are, with the logins that builds use; what goes wrong has its name."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.server
import shutil
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.database.kept_packages import PYPI, PackageFile
from jupyter_envstore.engine.archives import fetch_archives, fetch_wheels, index_logins
from jupyter_envstore.engine.package_files import fetch_file
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.errors import PackageError, StorageError
from jupyter_envstore.spec.specification import PipOptions
from tests.hostile import Raw

DATA = b"a wheel" * 1000
SECRET = "hush-hush"


class Guarded(http.server.BaseHTTPRequestHandler):
    """Gives a file to who has the login, and breaks off in the middle where the address says so."""

    def do_GET(self) -> None:
        login = base64.b64encode(f"me:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {login}":
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        if self.path.startswith("/broken/"):
            self.wfile.write(DATA[:100])
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.wfile.write(DATA)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def file_at(url: str, data: bytes = DATA) -> PackageFile:
    name = url.rpartition("/")[2]
    return PackageFile(PYPI, "mine", name, url, "sha256", hashlib.sha256(data).hexdigest())


def test_a_wheel_of_a_guarded_index_is_fetched_with_the_login_that_builds_use(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    file = file_at(f"http://{index}/mine-1-py3-none-any.whl")
    with pytest.raises(PackageError, match="the server says 401"):
        asyncio.run(fetch_file(file, tmp_path / "refused", index_logins(PipOptions())))
    monkeypatch.setenv("UV_INDEX", f"private=http://me:{SECRET}@{index}/simple")
    asyncio.run(fetch_file(file, tmp_path / "by-variable", index_logins(PipOptions())))
    monkeypatch.delenv("UV_INDEX")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    asyncio.run(fetch_file(file, tmp_path / "by-netrc", index_logins(PipOptions())))
    assert (tmp_path / "by-variable").read_bytes() == (tmp_path / "by-netrc").read_bytes() == DATA


def test_a_connection_that_breaks_off_is_no_fault_of_the_store(
    index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX", f"private=http://me:{SECRET}@{index}/simple")
    file = file_at(f"http://{index}/broken/mine-1-py3-none-any.whl")
    with pytest.raises(PackageError, match=r"mine-1-py3-none-any\.whl (cannot be had|at .* is not the one)") as caught:
        asyncio.run(fetch_file(file, tmp_path / "target", index_logins(PipOptions())))
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_written_is_a_fault_of_the_store(index: str, tmp_path: Path) -> None:
    (tmp_path / "source.whl").write_bytes(DATA)
    with pytest.raises(StorageError):
        asyncio.run(fetch_file(file_at((tmp_path / "source.whl").as_uri()), Path("/dev/full"), {}))


@pytest.mark.parametrize("is_damaged", [True, False])
def test_what_is_handed_on_to_constructor_comes_from_the_store_where_that_has_it(
    tmp_path: Path, is_damaged: bool
) -> None:
    package = Raw("honest", {"share/h": "h"})
    record = package.write(tmp_path / "chan")
    (tmp_path / "mine-1-py3-none-any.whl").write_bytes(DATA)
    wheel = {"name": "mine", "filename": "mine-1-py3-none-any.whl", "sha256": hashlib.sha256(DATA).hexdigest()}
    wheel["url"] = (tmp_path / wheel["filename"]).as_uri()
    blobs = LocalBlobStore(tmp_path / "blobs")
    for path in (tmp_path / "chan" / "noarch" / package.file_name, tmp_path / wheel["filename"]):
        digest = blobs.copy(path).digest
        if is_damaged:
            blobs.local_file(digest).write_bytes(b"x")
    if not is_damaged:
        shutil.rmtree(tmp_path / "chan")
        (tmp_path / wheel["filename"]).unlink()
    fetch_archives([record], [tmp_path / "out" / package.file_name], Silent(), blobs.local_file)
    fetch_wheels([wheel], PipOptions(), tmp_path / "out", blobs.local_file)
    assert (tmp_path / "out" / package.file_name).is_file()
    assert (tmp_path / "out" / wheel["filename"]).read_bytes() == DATA
