"""Files of packages that a store elsewhere keeps, from servers that answer in their own ways."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.remote.kept_packages import RemotePackages, WantedFile

DATA = {name: f"the file {name}".encode() for name in ("first", "second", "third")}
FILES = [
    WantedFile(hashlib.sha256(data).hexdigest(), len(data), f"{name}.conda", "noarch") for name, data in DATA.items()
]


@contextmanager
def a_store(kept: bytes | None, gives: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serve files, and tell that these are kept; None for a version that cannot say. Gives also what was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(404 if kept is None else 200, kept or b"{}")

        def do_GET(self) -> None:
            asked.append(self.path.rsplit("/", 1)[1])
            found = gives.get(asked[-1].removesuffix(".conda"))
            self.answer(404 if found is None else 200, found or b"")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/envstore", asked
    server.shutdown()
    server.server_close()


def told(*digests: str) -> bytes:
    return json.dumps({"status": "ok", "data": {"sha256": digests}, "message": None}).encode()


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        (told(), set()),
        (told(FILES[0].digest, FILES[1].digest, "f" * 64), {"first.conda", "second.conda"}),
        (None, {"first.conda", "second.conda", "third.conda"}),
        (b"<html>", {"first.conda", "second.conda", "third.conda"}),
        (b'{"data": {"sha256": [[]]}}', {"first.conda", "second.conda", "third.conda"}),
        (b'{"data": {"sha256": 3}}', {"first.conda", "second.conda", "third.conda"}),
    ],
)
def test_only_what_is_kept_is_asked_for(tmp_path: Path, kept: bytes | None, asked: set[str]) -> None:
    gives = {"first": DATA["first"], "second": b"another file"}
    with a_store(kept, gives) as (url, seen):
        blobs = LocalBlobStore(tmp_path / "blobs")
        found = RemotePackages(url, "es_token", "").fetch_into(blobs, FILES)
    assert set(seen) == asked
    came = "first.conda" in asked
    assert found == ((1, len(DATA["first"])) if came else (0, 0))
    assert [blobs.exists(file.digest) for file in FILES] == [came, False, False]  # what is damaged is left out
    assert not blobs.unfinished()


def test_a_store_that_is_away_is_asked_once(tmp_path: Path) -> None:
    with a_store(None, {}) as (url, _seen):
        pass
    assert RemotePackages(url, "es_token", "").fetch_into(LocalBlobStore(tmp_path), FILES) == (0, 0)
