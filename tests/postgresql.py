"""A real PostgreSQL server on a socket of its own, for tests; and which database a store under test uses."""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

WANTED = os.environ.get("ENVSTORE_TEST_DATABASE", "") == "postgresql"
"""Whether stores of the tests use PostgreSQL in place of SQLite."""
SECONDS = 30.0


def programs() -> Path | None:
    """Return the folder of the server's programs; distributions keep them beside the path."""
    found = shutil.which("postgres")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    return Path(found).resolve().parent if found else places[-1] if places else None


class Postgresql:
    """A server that runs: start, stop, kill, make databases.

    Its databases sort as English does, unless a column says otherwise. It keeps nothing on the disk for good.

    Parameters
    ----------
    primary : Postgresql, optional
        A server that runs: this one follows it, and has all that was committed there, until it takes its place.
    """

    def __init__(self, primary: Postgresql | None = None) -> None:
        found = programs()
        if found is None:
            pytest.skip("needs the server of PostgreSQL")
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="es-pg-"))
        self._account: int | None = None
        if os.geteuid() == 0:  # the server refuses to run as root
            self._account = pwd.getpwnam("postgres").pw_uid
            os.chown(self.folder, self._account, -1)
        self._process: subprocess.Popen[bytes] | None = None
        if primary is None:
            self._run("initdb", "--auth=trust", "--username=tests", "--encoding=UTF8", "--no-sync", str(self.data))
            return
        place = ["-h", str(primary.folder), "-U", "tests", "-D", str(self.data)]
        self._run("pg_basebackup", *place, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        primary.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.run("postgres", "SELECT pg_reload_conf()")

    @property
    def data(self) -> Path:
        """The folder of the databases."""
        return self.folder / "data"

    def url(self, database: str, user: str = "tests") -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def start(self) -> Postgresql:
        """Start it, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self.data), "-k", str(self.folder)]
        options = ("listen_addresses=", "fsync=off", "max_connections=300", "shared_buffers=32MB")
        for option in (*options, "dynamic_shared_memory_type=mmap"):  # in its folder: one that is killed leaves it
            command += ["-c", option]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._account)
        deadline = time.monotonic() + SECONDS
        while subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)], check=False
        ).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)
        return self

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: connections are cut ("fast shutdown"), or it ends as in a crash (SIGQUIT)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(SECONDS)
            self._process = None

    def promote(self) -> None:
        """Let it take the place of the server that it follows."""
        self.run("postgres", "SELECT pg_promote()")

    def remove(self) -> None:
        """End it, and remove all."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def make(self, name: str) -> str:
        """Make an empty database; return its address."""
        self.run(
            "postgres",
            f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8 LOCALE_PROVIDER icu ICU_LOCALE "en-US"'
            " LOCALE 'C.UTF-8'",
        )
        return self.url(name)

    def run(self, database: str, statement: str) -> str:
        """Run a statement in a database; return what ``psql`` prints."""
        command = ["psql", "-h", str(self.folder), "-U", "tests", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc"]
        done = subprocess.run([*command, statement], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, user=self._account)
        assert done.returncode == 0, done.stderr


@functools.cache
def shared_server() -> Postgresql:
    """Return the server of all stores of this process; whoever runs the tests removes it."""
    return Postgresql().start()


def remove_shared_server() -> None:
    """End the server of all stores of this process, where one was started."""
    if shared_server.cache_info().currsize:
        shared_server().remove()


@functools.cache
def database_url(root: str) -> str:
    """Return the address of the database of a store under test, by the store's folder: empty for SQLite."""
    if not WANTED:
        return ""
    return shared_server().make("s" + hashlib.sha256(root.encode()).hexdigest()[:16])
