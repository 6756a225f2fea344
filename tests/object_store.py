"""A real object store with S3's interface for tests: Ceph's gateway, with a monitor and a disk in memory of its own."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

WANTED = os.environ.get("ENVSTORE_TEST_BLOBS", "") == "s3"
"""Whether stores of the tests keep their blobs in a bucket in place of files."""
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")
KEY, SECRET = "tests", "not-very-secret"
SECONDS = 60.0
CONFIGURATION = """\
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{monitor}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
keyring = {folder}/keyring
run dir = {folder}/run
log file = {folder}/$name.log
admin socket =
pid file = {folder}/run/$name.pid
mon allow pool size one = true
mon data avail crit = 0
mon data avail warn = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
osd max object name len = 1024
memstore device bytes = 4294967296
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw gc obj min wait = 0
rgw gc processor period = 5
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
"""


class ObjectStore:
    """Ceph's gateway (radosgw) that runs: buckets, users, and the gateway stopped and started again."""

    def __init__(self) -> None:
        if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
            pytest.skip(f"needs Ceph's {', '.join(missing)}")
        self.folder = Path(tempfile.mkdtemp(prefix="es-s3-"))
        self.port = free_port()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def options(self, key: str = KEY, secret: str = SECRET) -> dict[str, Any]:
        """Return what fsspec's file system is made with."""
        return {"key": key, "secret": secret, "endpoint_url": self.endpoint}

    def start(self) -> ObjectStore:
        """Make it, and wait until it answers."""
        for name in ("mon", "osd", "run"):
            (self.folder / name).mkdir()
        fsid = str(uuid.uuid4())
        text = CONFIGURATION.format(fsid=fsid, monitor=free_port(), folder=self.folder, port=self.port)
        (self.folder / "ceph.conf").write_text(text)
        keyring, monitors = str(self.folder / "keyring"), str(self.folder / "monmap")
        self._keys(keyring)
        address = text.partition("mon host = ")[2].partition("\n")[0]
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monitors)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitors, "--keyring", keyring)
        self._begin("ceph-mon", "-i", "a")
        self._run("ceph", "osd", "new", str(uuid.uuid4()))
        identity = self._run("ceph", "osd", "dump", "--format", "json").partition('"uuid":"')[2].partition('"')[0]
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity, "--no-mon-config")
        self._begin("ceph-osd", "-i", "0")
        self.start_gateway()
        self._run("radosgw-admin", "user", "create", "--uid", KEY, "--display-name", KEY, *self._login(KEY, SECRET))
        self.wait()
        return self

    def start_gateway(self) -> None:
        """Start the gateway, which was not started yet or was stopped."""
        self._begin("radosgw", "-n", "client.rgw", "--no-mon-config")

    def stop_gateway(self) -> None:
        """End the gateway; what it keeps stays."""
        gateway = self._running.pop("radosgw")
        gateway.kill()
        gateway.wait()

    def hang_gateway(self, hang: bool) -> None:
        """Have the gateway stand still, so that it takes connections and answers nothing, or go on."""
        self._running["radosgw"].send_signal(signal.SIGSTOP if hang else signal.SIGCONT)

    def wait(self) -> None:
        """Wait until the gateway answers."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(self.endpoint, timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.1)
            else:
                return

    def make(self, bucket: str) -> str:
        """Make an empty bucket; return its address."""
        import s3fs

        s3fs.S3FileSystem(**self.options(), skip_instance_cache=True).mkdir(bucket)
        return f"s3://{bucket}"

    def files(self) -> Any:
        """Return its file system, to look into buckets."""
        import s3fs

        return s3fs.S3FileSystem(**self.options(), skip_instance_cache=True, use_listings_cache=False)

    def deny(self, denied: bool) -> None:
        """Refuse all that the user asks, or nothing."""
        self._run("radosgw-admin", "user", "suspend" if denied else "enable", "--uid", KEY)

    def log(self) -> str:
        """Return the end of the gateway's log."""
        found = self.folder / "client.rgw.log"
        return found.read_text(errors="replace")[-3000:] if found.exists() else ""

    def remove(self) -> None:
        """End all, and remove it."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        shutil.rmtree(self.folder)

    def _keys(self, keyring: str) -> None:
        self._run("ceph-authtool", keyring, "--create-keyring")
        for name, *caps in (
            ("mon.", ("mon", "allow *")),
            ("client.admin", ("mon", "allow *"), ("osd", "allow *")),
            ("client.rgw", ("mon", "allow rw"), ("osd", "allow rwx")),
            ("osd.0", ("mon", "allow profile osd"), ("osd", "allow *")),
        ):
            allowed = [part for cap in caps for part in ("--cap", *cap)]
            self._run("ceph-authtool", keyring, "-n", name, "--gen-key", *allowed)

    @staticmethod
    def _login(key: str, secret: str) -> tuple[str, ...]:
        return "--access-key", key, "--secret", secret

    def _command(self, program: str, arguments: tuple[str, ...]) -> list[str]:
        configured = [] if program in ("ceph-authtool", "monmaptool") else ["-c", str(self.folder / "ceph.conf")]
        return [program, *configured, *arguments]

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(self._command(program, arguments), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program} {arguments}: {done.stderr}"
        return done.stdout

    def _begin(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.out").open("ab") as out:
            command = [*self._command(program, arguments), "--foreground"]
            self._running[program] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)


@functools.cache
def shared_object_store() -> ObjectStore:
    """Return the one of all stores of this process; whoever runs the tests removes it."""
    return ObjectStore().start()


def remove_shared_object_store() -> None:
    """End the one of all stores of this process, where one was started."""
    if shared_object_store.cache_info().currsize:
        shared_object_store().remove()


@functools.cache
def bucket_of(root: str) -> dict[str, Any]:
    """Return the configuration of the blobs of a store under test, by the store's folder: empty for files."""
    if not WANTED:
        return {}
    server = shared_object_store()
    return {
        "blob_url": server.make("s" + hashlib.sha256(root.encode()).hexdigest()[:16]),
        "blob_options": server.options(),
    }
