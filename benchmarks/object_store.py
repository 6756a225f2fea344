"""Blobs in a bucket of a real object store (Ceph's gateway in memory), beside s3fs and the bucket itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from common import PYTHON, best, channel, report

sys.path.insert(0, str(Path(__file__).parent.parent))
import requests

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.channel_maker.package import CondaPackage, write_package
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from tests.object_store import ObjectStore
from tests.server.live import MASTER, Server

MEGABYTES = 200
LARGE_MEGABYTES = 800
PIECE = 1 << 20


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a short temporary folder."""
    made = Path(tempfile.mkdtemp(prefix="es-bench-"))
    try:
        yield made
    finally:
        remove_tree(made)


def storing(server: ObjectStore, place: Path) -> None:
    """Print how long a large file takes into the bucket and back."""
    url, files = server.make("storing"), server.files()
    source = place / "source"
    data = os.urandom(MEGABYTES << 20)
    source.write_bytes(data)
    del data
    config = StoreConfig(str(place / "store"), blob_url=url, blob_options=server.options())

    def ours() -> None:
        blob_store(config).copy(source)

    def gone() -> None:
        for path in files.find("storing"):
            files.rm_file(path)
        shutil.rmtree(place / "store", ignore_errors=True)

    stored, plain = [], []
    for _ in range(3):
        gone()
        stored.append(best(1, ours))
        plain.append(best(1, lambda: files.put_file(str(source), "storing/plain")))
    report(f"{MEGABYTES} MB hashed, uploaded and copied", min(stored), "s", "s3fs, upload alone", min(plain))
    report("the same again, found in the bucket", best(3, ours), "s", "first", min(stored))
    blobs = blob_store(config)
    digest = blobs.copy(source).digest

    def fetch() -> None:
        shutil.rmtree(config.blob_cache)
        blobs.local_file(digest)

    def read() -> None:
        with blobs.open(digest) as file:
            while file.read(PIECE):
                pass

    key = next(path for path in files.find("storing") if path.endswith(digest) and "sha256" in path)
    raw = best(3, lambda: files.get_file(key, str(place / "back")))
    report("fetched into the copies, and checked", best(3, fetch), "s", "s3fs, download alone", raw)
    report("from the copies", best(3, read), "s", "s3fs", raw)
    shutil.rmtree(config.blob_cache)
    report("read as a stream from the bucket", best(3, read), "s", "s3fs", raw)


def asking(server: ObjectStore, place: Path) -> None:
    """Print how long small questions take."""
    url, files = server.make("asking"), server.files()
    config = StoreConfig(str(place / "asking"), blob_url=url, blob_options=server.options())
    blobs = blob_store(config)
    digests = [blobs.put(os.urandom(100)).digest for _ in range(60)]
    names = [path for path in files.find("asking") if "/sha256/" in path]
    one = best(3, lambda: [files.info(name) for name in names])
    report("60 blobs: which are there", best(3, lambda: blob_store(config).present(digests)), "s", "s3fs", one)
    report("60 blobs touched", best(3, lambda: blob_store(config).touch(digests)), "s")


def large_channel(place: Path) -> str:
    """Make a channel with one large package that does not compress; return its address."""
    files = place / "large"
    (files / "share").mkdir(parents=True)
    with (files / "share" / "data").open("wb") as file:
        for _ in range(LARGE_MEGABYTES):
            file.write(os.urandom(PIECE))
    made = place / "channel"
    write_package(CondaPackage("large", "1.0", "0", "noarch", files), made)
    index_channel(made)
    return made.as_uri()


def downloads(server: ObjectStore, place: Path, large: bool = False) -> None:
    """Print how long an archive takes from a Jupyter server: sent by it, or by the bucket."""
    packages = f"'python={PYTHON}', numpy, pandas"
    channels, packages = (large_channel(place), "large") if large else (channel(), packages)
    for redirects in (True, False):
        root = place / f"r{redirects:d}{large:d}"
        root.mkdir()
        url = server.make(f"downloads{redirects:d}{large:d}")
        values = {"blob_url": url, "blob_options": server.options(), "blob_redirects": redirects}
        lines = "".join(f"c.EnvStoreApp.{name} = {value!r}\n" for name, value in values.items())
        running = Server(root, f"{lines}c.EnvStoreApp.default_settings = {{'check_imports': False}}\n").start()
        try:
            build_id = running.submit(f"name: e\nchannels: [{channels}]\ndependencies: [{packages}]")
            running.wait(build_id, 600)
            address = f"{running.api}build/{build_id}/archive/"
            login = {"Authorization": f"Bearer {MASTER}"}
            made = {artifact["type"]: artifact for artifact in running.data("GET", f"build/{build_id}/artifacts/")}
            size, digest = made["archive"]["size"], made["archive"]["sha256"]
            direct = server.files().sign(
                next(path for path in server.files().find(url[5:]) if path.endswith(digest) and "sha256" in path)
            )
            shutil.rmtree(running.root / "blob-cache", ignore_errors=True)  # so that the server has to ask the bucket

            def ours(address: str = address, login: dict[str, str] = login) -> int:
                with requests.get(address, headers=login, stream=True, timeout=60) as answer:
                    return sum(len(piece) for piece in answer.iter_content(PIECE))

            def plain(direct: str = direct) -> int:
                with requests.get(direct, stream=True, timeout=60) as answer:
                    return sum(len(piece) for piece in answer.iter_content(PIECE))

            assert ours() == plain() == size
            taken = _alternating(ours, plain)
            way = "sent on to the bucket" if redirects else "sent by the server"
            report(
                f"archive of {size / 1e6:.0f} MB, {way}", taken[0], "s", "bucket", taken[1], "(bar: 1.05 if sent on)"
            )
        finally:
            running.stop()


def _alternating(*actions: Callable[[], object]) -> list[float]:
    """Return the shortest time of each action, run in turns."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(7):
        for place, action in enumerate(actions):
            started = time.perf_counter()
            action()
            taken[place].append(time.perf_counter() - started)
    return [min(found) for found in taken]


def main() -> None:
    server = ObjectStore().start()
    try:
        with folder() as place:
            storing(server, place)
            asking(server, place)
            downloads(server, place)
            downloads(server, place, large=True)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
