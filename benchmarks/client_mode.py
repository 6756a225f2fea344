"""Client mode: what a Jupyter server in between adds to a request, costs in memory, and costs the store.

A store runs alone, with a thousand environments. Beside each number stands the same work without the part that is
measured: the store asked directly, a server without the extension, a store that nobody follows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import requests
from common import report, text
from server import fill

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.services.store import EnvStore
from tests.server.live import MASTER, Server
from tests.team.conftest import UNSANDBOXED
from tests.team.live import Client, Service

HEADERS = {"Authorization": f"Bearer {MASTER}"}
EXTENSIONS = ("jupyter_envstore", "jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook_shim")
PLAIN = f"c.ServerApp.jpserver_extensions = {dict.fromkeys(EXTENSIONS, False)}\n"
PAGES = 300
FOLLOWERS = 200
SECONDS = 20.0


def page(client: Server, store: Service) -> None:
    """Print what the client adds to a page of a hundred environments."""
    sessions = {"client": (client, requests.Session()), "store": (store, requests.Session())}
    taken: dict[str, list[float]] = {"client": [], "store": []}
    for number in range(PAGES + 20):
        for kind, (server, session) in sessions.items():
            started = time.perf_counter()
            answer = session.get(f"{server.api}environment/?page=2&size=100", headers=HEADERS, timeout=30)
            seconds = time.perf_counter() - started
            assert len(answer.json()["data"]) == 100
            if number >= 20:
                taken[kind].append(seconds)
    first, second = (statistics.median(taken[kind]) * 1000 for kind in ("client", "store"))
    report("a page of 100 environments through client mode, p50", first, "ms", "from the store itself", second, "")
    print(f"  added: {first - second:.1f} ms (bar: 10 ms)")


def memory(client: Client, plain: Server) -> None:
    """Print what the extension adds to the memory of a server that is a client."""
    sizes = []
    for server in (client, plain):
        assert server.process is not None
        sizes.append(psutil.Process(server.process.pid).memory_full_info().uss / 1e6)
    report("memory of a server that is a client", sizes[0], "MB", "without the extension", sizes[1], "")
    print(f"  added: {sizes[0] - sizes[1]:.1f} MB (bar: 25 MB)")


async def follow(store: Service, count: int, stop: asyncio.Event) -> int:
    """Follow the changes of a store as that many clients do; return how many lines they were told."""
    lines = 0
    limits = httpx.Limits(max_connections=count, max_keepalive_connections=count)

    async def one(client: httpx.AsyncClient) -> None:
        nonlocal lines
        since = 2**53
        while not stop.is_set():
            address = f"{store.api}changes/?since={since}&follow=true"
            async with client.stream("GET", address, headers=HEADERS, timeout=60) as answer:
                async for line in answer.aiter_lines():
                    lines += bool(line)

    async with httpx.AsyncClient(limits=limits) as client:
        tasks = [asyncio.ensure_future(one(client)) for _ in range(count)]
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return lines


async def load(store: Service, count: int, specification: str) -> tuple[float, int]:
    """Return the share of one core that a store takes while clients follow; and the lines that they were told.

    Parameters
    ----------
    specification : str
        What is built meanwhile; empty for nothing.
    """
    assert store.process is not None
    stop = asyncio.Event()
    following = asyncio.ensure_future(follow(store, count, stop))
    await asyncio.sleep(3)
    process = psutil.Process(store.process.pid)
    before, started = sum(process.cpu_times()[:2]), time.monotonic()
    if specification:
        await asyncio.to_thread(store.submit, specification)
    await asyncio.sleep(SECONDS)
    used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - started)
    stop.set()
    return used * 100, await following


def followers(store: Service) -> None:
    """Print what many clients with open panels cost the store while something is built, and while nothing happens."""
    for what, is_built in (("while one environment is built", True), ("while nothing happens", False)):
        shares = []
        for count in (FOLLOWERS, 0):
            specification = text().replace("name: bench", f"name: followed{count}") if is_built else ""
            shares.append(asyncio.run(load(store, count, specification)))
        (first, lines), (second, _) = shares
        report(f"{FOLLOWERS} clients follow {what}", first, "% of a core", "no client", second, "")
        print(f"  {lines} lines in {SECONDS:.0f} s; bar: 15 %")


def bringing(store: Service) -> None:
    """Print how long an environment takes to come: from the store over loopback, and from the caches."""
    build = store.submit(text().replace("name: bench", "name: brought"))
    assert store.wait(build)["status"] == "COMPLETED"
    store.data("PUT", f"build/{build}/keep/", json={"packages": True})
    kept = store.wait(build)["kept_packages"]["size"]
    row = next(row for row in store.data("GET", "kernel/") if row["build_id"] == build)
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    ClientConfiguration(store.place, "", "", False, StoreConfig(str(folder)).to_text(), 10**12).write(folder)
    place = f"{row['namespace']}/{row['environment']}:{row['number']}"
    command = [
        sys.executable, "-m", "jupyter_envstore.cli.remote_kernel", str(folder / "remote.json"),
        row["record"].removeprefix("sha256:"), place, str(build), "--",
    ]  # fmt: skip
    taken = []
    for again in (False, True):
        os.sync()  # what was written before is not the disk's work now
        started = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, "ENVSTORE_TOKEN": MASTER}, capture_output=True, text=True, check=False
        )
        taken.append(time.perf_counter() - started)
        assert done.returncode == 0, done.stderr
        assert again or "packages come from the store" in done.stderr, done.stderr
        with contextlib.closing(EnvStore.open(StoreConfig(str(folder)))) as local:
            (name,) = [path.name for path in (folder / "envs" / row["namespace"]).iterdir()]
            size = local.builds.show(local.builds.find(row["namespace"], name).id)["size"]
            local.environments.delete(row["namespace"], name, "bench", at_once=True)
    os.sync()
    started = time.perf_counter()
    with (folder / "written").open("wb") as file:
        for _ in range((size + kept) >> 20):
            file.write(os.urandom(1 << 10) * 1024)
        file.flush()
        os.fsync(file.fileno())
    disk = time.perf_counter() - started
    os.sync()
    started = time.perf_counter()
    shutil.copytree(StoreConfig(str(folder)).packages / "conda", folder / "copied", symlinks=True)
    copied = time.perf_counter() - started
    remove_tree(folder)
    report(f"bringing {size / 1e6:.0f} MB from the store", taken[0], "s", "copying the unpacked files", copied, "")
    report(f"bringing {size / 1e6:.0f} MB from the store", taken[0], "s", "writing as many bytes to the disk", disk, "")
    report("bringing it again, its packages in the cache", taken[1], "s", "from the store", taken[0], "(bar: 2 s)")
    added = taken[0] - taken[1]
    report("what it takes longer from the store: fetching, unpacking", added, "s", "copying the files", copied, "")
    print(f"  {copied / added:.0%} of the rate at which the unpacked files are copied (bar: 70 %)")


def main() -> None:
    """Measure."""
    folders = [Path(tempfile.mkdtemp(prefix="es-bench-")) for _ in range(3)]
    store = Service(folders[0], UNSANDBOXED).start()
    store.wait(store.submit(text()))
    fill(store)
    client = Client(folders[1], store.place, MASTER).start()
    plain = Server(folders[2], PLAIN).start()
    try:
        time.sleep(5)
        page(client, store)
        memory(client, plain)
        followers(store)
        bringing(store)
    finally:
        for server in (client, plain, store):
            server.stop()
        for folder in folders:
            remove_tree(folder)


if __name__ == "__main__":
    main()
