"""The server: what the extension adds at start, listings while builds run, downloads, followed logs.

Beside each stands a peer on the same work: a Jupyter server without the extension, or tornado's own StaticFileHandler.
"""

from __future__ import annotations

import compileall
import concurrent.futures
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import requests
from common import channel, report, text

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.engine.prefix import remove_tree
from tests.helpers import WITH_ARCHIVES
from tests.ports import free_port
from tests.server.live import MASTER, Server

HEADERS = {"Authorization": f"Bearer {MASTER}"}
ENVIRONMENTS = 1000
FOLLOWERS = 50
WATCH = """
import asyncio, os, threading, time
longest = pause = 0.0
run_callback = asyncio.events.Handle._run
def timed(handle):
    global longest
    started = time.perf_counter()
    run_callback(handle)
    longest = max(longest, time.perf_counter() - started)
asyncio.events.Handle._run = timed
def measure():
    loop = asyncio.get_event_loop()
    async def beat():
        global longest, pause
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            if os.path.exists({path!r} + ".enough"):  # looking takes processor time too
                asyncio.events.Handle._run = run_callback
                return
            if os.path.exists({path!r} + ".again"):
                os.unlink({path!r} + ".again")
                longest = pause = 0.0
            elif max(longest, now - last - 0.005) > pause:
                pause = max(longest, now - last - 0.005)
                with open({path!r} + ".new", "w") as file:
                    file.write(f"{{longest}} {{pause}}")
                os.replace({path!r} + ".new", {path!r})
            last = time.perf_counter()
    asyncio.ensure_future(beat())
from jupyter_server.serverapp import ServerApp
original = ServerApp.start_ioloop
def start(self):
    self.io_loop.add_callback(measure)
    original(self)
ServerApp.start_ioloop = start
"""


def added_at_start() -> None:
    """Print what the extension adds to the start of a server, in time and memory; and how long the store opens."""
    code = """
import sys, time, tempfile
from jupyter_server.serverapp import ServerApp
import psutil
root = tempfile.mkdtemp(prefix="es-bench-")
def start(extensions):
    app = ServerApp()
    app.initialize(["--no-browser", "--allow-root", "--port=0", f"--ServerApp.jpserver_extensions={extensions}",
                    f"--EnvStoreApp.root_dir={sys.argv[2]}"], find_extensions=False, new_httpserver=False)
    return app
started = time.perf_counter()
app = start({"jupyter_envstore": True} if sys.argv[1] == "with" else {})
ready = time.perf_counter()
for extensions in app.extension_manager.extension_apps.values():
    for extension in extensions:
        if extension.name == "envstore":
            app.io_loop.run_sync(extension.ready)
print(ready - started, time.perf_counter() - ready, psutil.Process().memory_info().rss)
"""
    compileall.compile_dir(Path(__file__).parent.parent / "jupyter_envstore", quiet=2)  # as pip does for its users
    taken: dict[str, list[float]] = {"with": [], "without": []}
    opened: list[float] = []
    memory: dict[str, list[float]] = {"with": [], "without": []}
    root = tempfile.mkdtemp(prefix="es-bench-")
    for number in range(8):
        for kind in taken:
            done = subprocess.run([sys.executable, "-c", code, kind, root], capture_output=True, text=True, check=True)
            seconds, behind, size = done.stdout.split()[-3:]
            if number:  # the first one makes the store
                taken[kind].append(float(seconds))
                opened += [float(behind)] if kind == "with" else []
                memory[kind].append(float(size))
    remove_tree(Path(root))
    alone = """
import time
import jupyter_server.serverapp
started = time.perf_counter()
import sqlalchemy.orm
print(time.perf_counter() - started)
"""
    runs = [subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True) for _ in range(7)]
    library = statistics.median(float(done.stdout) for done in runs) * 1000
    first, second = (statistics.median(taken[kind]) * 1000 for kind in ("with", "without"))
    report("start of a server, with the extension", first, "ms", "without", second, "")
    size = (statistics.median(memory["with"]) - statistics.median(memory["without"])) / 1e6
    print(
        f"  added: {first - second:.0f} ms (bar: 400 ms); {size:.0f} MB (bar: 60 MB) with the store open, which takes "
    )
    behind = statistics.median(opened) * 1000
    print(f"  {behind:.0f} ms behind the start, of which SQLAlchemy alone takes {library:.0f} ms")


def fill(server: Server) -> None:
    """Add many environments, without building them."""
    from sqlalchemy import insert

    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.database.connection import now
    from jupyter_envstore.database.models import Build, Environment, Namespace
    from jupyter_envstore.services.store import EnvStore

    store = EnvStore.open(StoreConfig(str(server.root)))
    with store.database.write() as session:
        moment = now()
        space = Namespace(name="many", name_key="many", metadata_={}, created_on=moment)
        session.add(space)
        session.flush()
        values = [
            {"namespace_id": space.id, "name": f"env{n}", "name_key": f"env{n}", "created_on": moment}
            for n in range(ENVIRONMENTS)
        ]
        session.execute(insert(Environment), values)
        ids = session.query(Environment.id).filter(Environment.namespace_id == space.id).all()
        builds = [
            {
                "environment_id": row[0],
                "specification_id": 1,
                "number": 1,
                "key": f"k{row[0]}",
                "directory": f"d{row[0]}",
                "status": "COMPLETED",
                "scheduled_on": moment,
                "options": {},
            }
            for row in ids
        ]
        session.execute(insert(Build), builds)
    store.close()


def listings_while_builds_run(server: Server, longest: Path) -> None:
    """Print how long a page takes while two builds run, and how long the loop stood still at most."""
    names = [f"busy{n}" for n in range(2)]
    for name in names:
        server.submit(text().replace("name: bench", f"name: {name}"))
    taken, quiet = [], []
    started = time.monotonic()
    longest.with_name(f"{longest.name}.again").touch()
    client = requests.Session()  # as browsers do, it keeps its connection
    while time.monotonic() - started < 8:
        begin = time.perf_counter()
        client.get(f"{server.api}environment/?page=3", headers=HEADERS, timeout=30).raise_for_status()
        taken.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        client.get(f"{server.origin}/api/me", headers=HEADERS, timeout=30).raise_for_status()
        quiet.append(time.perf_counter() - begin)
    p95, other = (statistics.quantiles(values, n=20)[-1] * 1000 for values in (taken, quiet))
    report(f"page of 100 of {ENVIRONMENTS} while two builds run, p95", p95, "ms", "/api/me", other, "(bar: 15 ms)")
    block, pause = (float(part) * 1000 for part in longest.read_text().split())
    print(f"  longest block of the event loop by a callback: {block:.0f} ms (bar: 50 ms)", end="")
    print(f"; longest pause, with waiting for one of the processors that builds have: {pause:.0f} ms")


def wait_until_open(port: int) -> None:
    """Wait until somebody listens at a port."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def downloads(server: Server, build_id: int) -> None:
    """Print the rate of a large download beside tornado's own handler on the same file, and the memory it takes."""
    blobs = sorted((server.root / "blobs" / "sha256").glob("*/*"), key=lambda path: path.stat().st_size)
    size = 250_000_000
    with blobs[-1].open("r+b") as file:
        file.truncate(size)  # larger, so that the rate can be told
    port = free_port()
    code = f"""
import asyncio, tornado.web
async def main():
    route = (r"/(.*)", tornado.web.StaticFileHandler, {{"path": {str(blobs[-1].parent)!r}}})
    tornado.web.Application([route]).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""
    peer = subprocess.Popen([sys.executable, "-c", code])
    wait_until_open(port)
    process = psutil.Process(server.process.pid if server.process else 0)
    before = process.memory_info().rss
    highest = [before]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            highest[0] = max(highest[0], process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    urls = {
        "ours": f"{server.api}build/{build_id}/archive/",
        "peer": f"http://127.0.0.1:{port}/{blobs[-1].name}",
    }
    for _ in range(5):
        for kind, url in urls.items():
            begin = time.perf_counter()
            subprocess.run(["curl", "-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {MASTER}", url], check=True)
            rates[kind].append(size / 1e6 / (time.perf_counter() - begin))
    stop.set()
    thread.join()
    peer.kill()
    ours, other = statistics.median(rates["ours"]), statistics.median(rates["peer"])
    report("download of 250 MB", ours, "MB/s", "StaticFileHandler", other, "(bar: ratio 0.8)")
    print(f"  memory above before: {(highest[0] - before) / 1e6:.0f} MB (bar: 30 MB)")


def followers(server: Server) -> None:
    """Print what 50 clients that follow one log cost the server."""
    build_id = server.submit(text().replace("name: bench", "name: followed"))
    process = psutil.Process(server.process.pid if server.process else 0)
    pool = concurrent.futures.ThreadPoolExecutor(FOLLOWERS)
    url = f"{server.api}build/{build_id}/logs/?follow=true"
    begin, used = time.perf_counter(), sum(process.cpu_times()[:2])
    texts = list(pool.map(lambda _: requests.get(url, headers=HEADERS, timeout=120).text, range(FOLLOWERS)))
    seconds = time.perf_counter() - begin
    share = (sum(process.cpu_times()[:2]) - used) / seconds * 100
    assert len(set(texts)) == 1
    print(f"{FOLLOWERS} clients follow one log for {seconds:.1f} s: {share:.1f} % of a core (bar: 10 %)")


def main() -> None:
    added_at_start()
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    longest = folder / "longest"
    longest.write_text("")
    settings = f"c.EnvStoreApp.default_settings = {WITH_ARCHIVES!r}\n"  # builds that listings run beside make archives
    server = Server(folder, settings + WATCH.format(path=str(longest)))
    try:
        server.start()
        channel()
        build_id = server.submit(text())
        server.wait(build_id)
        fill(server)
        requests.get(f"{server.api}environment/?page=3", headers=HEADERS, timeout=30).raise_for_status()
        listings_while_builds_run(server, longest)
        for row in requests.get(f"{server.api}build/?status=BUILDING", headers=HEADERS, timeout=30).json()["data"]:
            server.wait(row["id"])
        longest.with_name(f"{longest.name}.enough").touch()
        followers(server)
        downloads(server, build_id)
    finally:
        server.stop()
        remove_tree(folder)


if __name__ == "__main__":
    main()
