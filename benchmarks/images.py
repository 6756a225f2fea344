"""Docker images: how fast they are made and pulled, what they share. The peer of pulls is Debian's docker-registry."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from common import channel, report, text

sys.path.insert(0, str(Path(__file__).parent.parent))
from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.images.host_base import write_host_base
from jupyter_envstore.images.push import push_image
from jupyter_envstore.images.reference import parse_image
from tests.ports import free_port
from tests.server.live import MASTER, Server

HEADERS = {"Authorization": f"Bearer {MASTER}"}
LOGIN = ("x", MASTER)
OTHERS = ("click", "markupsafe", "blinker", "itsdangerous", "jinja2")
PACKAGES = "ipykernel, numpy, pandas, pip"


def image(server: Server, name: str, packages: str) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Build an environment, then its image; return the image's state, its manifest and the seconds that it took."""
    build = server.submit(text(packages).replace("name: bench", f"name: {name}"))
    assert server.wait(build)["status"] == "COMPLETED"
    started = time.perf_counter()
    manifest = requests.get(f"{server.origin}/v2/team/{name}/manifests/latest", auth=LOGIN, timeout=120)
    seconds = time.perf_counter() - started
    assert manifest.ok, manifest.text
    (state,) = (item for item in server.data("GET", f"build/{build}/artifacts/") if item["type"] == "docker")
    found = {step["name"]: step for step in server.data("GET", f"build/{build}/progress/")["steps"]}
    assert "artifact-docker" in found
    return state, manifest.json(), seconds


@contextmanager
def peer() -> Iterator[str]:
    """Run Debian's registry; yield its host and port."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    time.sleep(1)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()
    remove_tree(folder)


def pull(place: str, *options: str) -> tuple[float, set[str]]:
    """Copy an image with skopeo into an empty folder; return the seconds and the blobs."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    started = time.perf_counter()
    command = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", *options, f"docker://{place}", f"dir:{folder}"]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    found = {path.name for path in folder.iterdir()}
    shutil.rmtree(folder)
    return seconds, found


def size_of(manifest: dict[str, Any]) -> int:
    """Return the bytes of an image."""
    return sum(layer["size"] for layer in manifest["layers"]) + int(manifest["config"]["size"])


def main() -> None:
    """Print all figures."""
    folder = Path(tempfile.mkdtemp(prefix="es-bench-"))
    write_host_base(folder / "base")
    configuration = (
        f'c.EnvStoreApp.docker_base_image = "oci:{folder}/base"\n'
        f'c.EnvStoreApp.default_settings = {{"conda_default_channels": ["{channel()}"]}}'
    )
    server = Server(Path(tempfile.mkdtemp(prefix="es-bench-")), configuration)
    server.start()
    blobs = LocalBlobStore(server.root / "blobs")
    try:
        state, manifest, seconds = image(server, "first", PACKAGES)
        total = size_of(manifest)
        many = len(manifest["layers"])
        report(
            f"image of {many} layers, {total / 1e6:.0f} MB, none made before",
            seconds,
            "s",
            bar="(bar: 5 s)",
        )
        print(f"  of which making it: {state['duration']:.2f} s; the rest is the worker's start and the wait for it")
        second, changed, seconds = image(server, "changed", f"{PACKAGES}, click")
        old = {layer["digest"] for layer in manifest["layers"]}
        new = [layer for layer in changed["layers"] if layer["digest"] not in old]
        report("image after one package changed", seconds, "s", bar="(bar: 0.9 s)")
        print(f"  of which making it: {second['duration']:.2f} s")
        moved = sum(layer["size"] for layer in new)
        print(f"  the second pull transfers {moved / 1e6:.2f} MB of {size_of(changed) / 1e6:.0f} MB, {len(new)} layers")

        with peer() as other:
            push_image(blobs, state["sha256"], parse_image(f"{other}/first:1"), lambda *_: None)
            worst = [0.0]
            ended = threading.Event()

            def watch() -> None:
                session = requests.Session()
                while not ended.is_set():
                    began = time.perf_counter()
                    session.get(f"{server.api}version/", headers=HEADERS, timeout=10)
                    session.get(f"{server.origin}/api/me", headers=HEADERS, timeout=10)
                    worst[0] = max(worst[0], (time.perf_counter() - began) / 2)
                    time.sleep(0.01)

            mine = f"127.0.0.1:{server.port}/team/first"
            login = ("--src-creds", f"x:{MASTER}")
            pull(mine, *login)
            ours, theirs = zip(*((pull(mine, *login)[0], pull(f"{other}/first:1")[0]) for _ in range(7)), strict=True)
            watcher = threading.Thread(target=watch)
            watcher.start()
            for _ in range(3):
                pull(mine, *login)
            ended.set()
            watcher.join()
            rate, peers = (total / 1e6 / statistics.median(runs) for runs in (ours, theirs))
            report(
                f"pull of {total / 1e6:.0f} MB with skopeo", rate, "MB/s", "docker-registry", peers, "(bar: ratio 1)"
            )
            print(f"  other requests meanwhile: {worst[0] * 1000:.0f} ms at most (bar: 50 ms)")

        before = sum(path.stat().st_size for path in (server.root / "blobs" / "sha256").glob("*/*"))
        sizes = 0
        for number, others in enumerate(itertools.combinations(OTHERS, 2)):
            packages = ", ".join([PACKAGES, *others])
            _, found, _ = image(server, f"e{number}", packages)
            sizes += size_of(found)
        digests = {
            item["sha256"]
            for build in server.data("GET", "build/?size=100")
            for item in server.data("GET", f"build/{build['id']}/artifacts/")
            if item["type"] != "docker" and item["sha256"]
        }
        grown = sum(
            path.stat().st_size for path in (server.root / "blobs" / "sha256").glob("*/*") if path.name not in digests
        )
        print(f"ten environments that differ in two packages: the store has {grown / 1e6:.0f} MB of layers for "
              f"{sizes / 1e6:.0f} MB of images, {grown / sizes:.1%} (bar: 15 %); before, it had {before / 1e6:.0f} MB "
              "with archives")  # fmt: skip

        server.data("PUT", "setting/", json={"artifacts_at_once": []})
        for number, path in enumerate(("numpy/click", "numpy/jinja2.gt.2")):
            began = time.perf_counter()
            answer = requests.get(
                f"{server.origin}/v2/conda-store-dynamic/{path}/manifests/latest", auth=LOGIN, timeout=60
            )
            assert answer.ok, answer.text
            if number:
                report(
                    "image on demand, packages and byte code warm", time.perf_counter() - began, "s", bar="(bar: 4 s)"
                )
        log = re.findall(r"\d+ layers on .*", server.ask("GET", "build/1/logs/").text)
        print(json.dumps(log[-1:]))
    finally:
        server.stop(9)
        remove_tree(server.folder)
        remove_tree(folder)


if __name__ == "__main__":
    main()
