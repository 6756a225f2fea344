"""Run the whole cluster on this machine, from a checkout: to try it, and as a test of this example.

PostgreSQL, Ceph's gateway as the object store, a Dask scheduler, three workers with folders of their own, two servers
and nginx; each is a real one. With ``--check CHANNEL`` it builds an environment of the conda channel, and ends.

    scripts/lint mypy  # once: it makes .venv, with all that the tests need
    .venv/bin/python examples/cluster/run_here.py

It also needs the programs of PostgreSQL, ceph-mon, ceph-osd, radosgw and nginx.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from jupyter_envstore.engine.stray_processes import JOB_MARK, end_strays
from tests.dask_cluster import DaskCluster
from tests.nginx import AROUND, NGINX
from tests.object_store import ObjectStore
from tests.ports import free_port
from tests.postgresql import Postgresql

WORKERS = 3
SECONDS = 120.0
"""How long it may take until both servers answer."""
BUILD_SECONDS = 600.0
"""How long the builds of a check may take."""


class Client:
    """Asks the store through the proxy."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def ask(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Return the body of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/envstore/api/v1/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def data(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the data of an answer."""
        return json.loads(self.ask(path, body))["data"]

    def wait(self) -> None:
        """Wait until both servers answer."""
        deadline = time.monotonic() + SECONDS
        answered = 0
        while answered < 4:  # the proxy goes to one after the other
            try:
                self.data("")
                answered += 1
            except OSError:
                if time.monotonic() > deadline:
                    raise
                answered = 0
                time.sleep(0.5)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Client]:
    """Start all, and yield who asks it."""
    token, ports, port = secrets.token_hex(16), [free_port(), free_port()], free_port()
    with contextlib.ExitStack() as stack:
        database, objects = Postgresql().start(), ObjectStore().start()
        stack.callback(database.remove)
        stack.callback(objects.remove)
        stack.callback(_end_jobs, folder / "s" / "staging")  # behind the servers, whose jobs go on without them
        shared = {
            "ENVSTORE_DATABASE_URL": database.make("envstore"),
            "ENVSTORE_BLOB_OPTIONS": json.dumps(objects.options()),
        }
        dask = DaskCluster(folder)
        stack.callback(dask.remove)
        dask.start_scheduler()
        for _ in range(WORKERS):
            dask.add_worker(**shared)
        dask.wait(WORKERS)
        variables = {
            **os.environ,
            **shared,
            "ENVSTORE_ROOT": str(folder / "s"),
            "ENVSTORE_BLOB_URL": f"{objects.make('envstore')}/store",
            "ENVSTORE_DASK": dask.address,
            "ENVSTORE_SANDBOX": "none",
            "ENVSTORE_LOCAL_FILES": "yes",
            "ENVSTORE_ADMIN_TOKEN": token,
        }
        for number, own in enumerate(ports, 1):
            command = [str(Path(sys.executable).with_name("jupyter-envstore")), "serve"]
            command += ["--config", str(HERE / "jupyter_envstore_config.py"), "--port", str(own)]
            _begin(stack, folder / f"server{number}.log", command, variables)
        text = (HERE / "nginx.conf").read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
        for number, own in enumerate(ports, 1):
            text = text.replace(f"envstore{number}:8890", f"127.0.0.1:{own}")
        (folder / "envstore.conf").write_text(text)
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
        _begin(
            stack,
            folder / "nginx.out",
            [NGINX or "nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)],
            variables,
        )
        client = Client(f"http://127.0.0.1:{port}", token)
        client.wait()
        yield client


def _begin(stack: contextlib.ExitStack, log: Path, command: list[str], variables: dict[str, str]) -> None:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables, stdin=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _end_jobs(staging: Path) -> None:
    for attempt in staging.glob("job-*"):
        end_strays(JOB_MARK, str(attempt))


def check(client: Client, channel: str) -> None:
    """Build environments, and get what was made of them; each request may go to either server.

    Raises
    ------
    SystemExit
        A build failed, or takes too long.
    """
    numbers = []
    for name in ("first", "second", "third"):
        text = f"name: {name}\nchannels: ['{channel}']\ndependencies: [click]\n"
        numbers.append(client.data("specification/", {"namespace": "team", "specification": text})["build_id"])
    deadline = time.monotonic() + BUILD_SECONDS
    for number in numbers:
        while client.data(f"build/{number}/progress/")["busy"]:
            if time.monotonic() > deadline:
                print(client.ask(f"build/{number}/logs/").decode(), file=sys.stderr)
                sys.exit(f"build {number} is not done after {BUILD_SECONDS:g} s; its log is above")
            time.sleep(0.3)
        build = client.data(f"build/{number}/")
        if build["status"] != "COMPLETED":
            print(client.ask(f"build/{number}/logs/").decode(), file=sys.stderr)
            sys.exit(f"build {number} is {build['status']}; its log is above")
        assert "Recorded after" in client.ask(f"build/{number}/logs/").decode()
        assert "click" in client.ask(f"build/{number}/lockfile/").decode()
        print(f"build {number}: {build['status']}, archive of {len(client.ask(f'build/{number}/archive/'))} bytes")


def main() -> None:
    """Run it until it is interrupted, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="CHANNEL", help="build environments of this channel, and end")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that all that was started ends, too
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    print("starting…", file=sys.stderr, flush=True)
    try:
        with cluster(folder) as client:
            if options.check:
                check(client, options.check)
                return
            print(f"{client.address}/envstore/  token: {client.token}\nlogs: {folder}\nend it with Ctrl+C", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
            print("ending…", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        print("ended", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
