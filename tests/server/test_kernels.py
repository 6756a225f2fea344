"""Kernels of environments, started by the server: right interpreter, right variables, a token, no leaks."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_envstore.kernels.kernel_specs import KernelSpecs, kernel_id
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.store import EnvStore
from tests.helpers import store_config
from tests.server.live import MASTER, Server, end

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HEADERS = {"Authorization": f"token {MASTER}"}


def specs(server: Server) -> dict[str, Any]:
    """Return the kernelspecs of a server."""
    found: dict[str, Any] = requests.get(
        f"{server.origin}/api/kernelspecs", headers=headers_of(server), timeout=20
    ).json()
    return found["kernelspecs"]


def until(condition: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def headers_of(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.master}"}


@contextmanager
def kernel(server: Server, name: str) -> Iterator[str]:
    """Start a kernel through the server's API."""
    made = requests.post(f"{server.origin}/api/kernels", headers=headers_of(server), json={"name": name}, timeout=60)
    assert made.status_code == 201, made.text
    try:
        yield made.json()["id"]
    finally:
        requests.delete(f"{server.origin}/api/kernels/{made.json()['id']}", headers=headers_of(server), timeout=30)


def run(server: Server, kernel_id: str, code: str) -> str:
    """Run a cell and return what it printed."""

    async def ask() -> str:
        url = f"{server.origin.replace('http', 'ws')}/api/kernels/{kernel_id}/channels"
        socket = await websocket_connect(
            HTTPRequest(url, headers=headers_of(server), connect_timeout=60, request_timeout=60)
        )
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": number, "version": "5.3",
                  "date": ""}  # fmt: skip
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell",
                   "buffers": []}  # fmt: skip
        await socket.write_message(json.dumps(message))
        printed = ""
        while True:
            answer = json.loads(await asyncio.wait_for(socket.read_message(), 60) or "{}")
            if answer["parent_header"].get("msg_id") != number:
                continue
            if answer["msg_type"] == "stream":
                printed += answer["content"]["text"]
            elif answer["msg_type"] == "error":
                printed += "\n".join(answer["content"]["traceback"])
            elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                await end(socket)
                return printed

    return asyncio.run(ask())


def test_a_built_environment_is_a_kernel_and_says_whose(server: Server) -> None:
    until(lambda: "envstore-team--data" in specs(server))
    spec = specs(server)["envstore-team--data"]
    assert spec["spec"]["display_name"] == "Python (team/data)"
    assert spec["spec"]["metadata"]["envstore"]["environment"] == "data"
    assert spec["spec"]["argv"][0].startswith(str(server.root / "builds"))
    assert "logo-64x64" in spec["resources"]
    address = f"{server.origin}{spec['resources']['logo-svg']}"
    answer = requests.get(address, headers={"Authorization": f"Bearer {MASTER}"}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert ">DA</text>" in answer.text  # its letters beside the language's own picture
    assert 'href="data:image/png;base64,' in answer.text
    assert server.data("GET", "environment/team/data/")["kernels"] == ["envstore-team--data"]
    assert MASTER not in json.dumps(spec)


def test_a_cell_runs_in_the_environment_with_its_variables_and_the_client(server: Server) -> None:
    until(lambda: "envstore-team--data" in specs(server))
    code = """
import os, sys, json, numpy, envstore_client
print(json.dumps([sys.prefix, numpy.__version__, os.environ["GREETING"], os.environ["CONDA_PREFIX"],
    os.environ["PATH"].split(":")[0], os.environ["ENVSTORE_URL"], os.environ["ENVSTORE_TOKEN"][:3],
    [row["name"] for row in envstore_client.environments(namespace="team")], envstore_client.text("team/data", "yaml"),
    envstore_client.download("team/data", "lockfile", os.path.abspath("lock.yml"))]))
"""
    with kernel(server, "envstore-team--data") as started:
        printed = json.loads(run(server, started, code))
        restarted = requests.post(f"{server.origin}/api/kernels/{started}/restart", headers=HEADERS, timeout=30)
        assert restarted.ok
        assert "again" in run(server, started, "import numpy; print('again')")
    prefix = printed[0]
    numpy = next(p for p in server.ask("GET", f"build/{server.build_id}/packages/?search=numpy").json()["data"])
    assert prefix.startswith(str(server.root / "builds"))
    assert printed[1:7] == [numpy["version"], "hello $HOME", prefix, f"{prefix}/bin", server.api[:-8], "es_"]
    assert "data" in printed[7]
    assert "numpy=" in printed[8]
    assert (server.folder / "lock.yml").read_bytes() == server.ask(
        "GET", "environment/team/data/conda-lock.yml"
    ).content


def test_pip_in_a_kernel_is_refused_with_words_that_help(server: Server) -> None:
    until(lambda: "envstore-team--data" in specs(server))
    with kernel(server, "envstore-team--data") as started:
        printed = run(server, started, "%pip install cowsay")
    assert "externally-managed" in printed
    assert "Add the package to the environment" in printed


def test_a_shell_in_an_environment_without_pip_does_not_find_the_servers(server: Server, channel: str) -> None:
    text = f"name: no-pip\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]"
    server.wait(server.submit(text))
    until(lambda: "envstore-team--no-pip" in specs(server))
    with kernel(server, "envstore-team--no-pip") as started:
        printed = run(
            server, started, "!pip install cowsay; pip3 --version; uv pip install cowsay; echo [$VIRTUAL_ENV]"
        )
    assert printed.count("cannot be added to it from inside") == 3
    assert "[]" in printed
    server.data("DELETE", "environment/team/no-pip/")


def test_a_kernels_token_looks_downloads_and_builds_and_no_more(server: Server, nasty_channel: str) -> None:
    until(lambda: "envstore-team--data" in specs(server))
    build = f"""
from envstore_client import EnvStore
made = EnvStore().build("name: by-kernel\\nchannels: [{nasty_channel}]\\ndependencies: [nasty-text]", "team")
print("made", made["status"])
"""
    with kernel(server, "envstore-team--data") as started:
        token = run(server, started, "import os; print(os.environ['ENVSTORE_TOKEN'])").strip()
        assert run(server, started, build).strip().endswith("made COMPLETED")
    assert server.ask("GET", "environment/team/data/", token).ok
    assert server.ask("DELETE", "environment/team/by-kernel/", token).status_code == 403
    assert server.ask("POST", "namespace/other/", token).status_code == 403
    server.data("DELETE", "environment/team/by-kernel/")
    assert server.data("GET", "permission/", token)["expiration"] is not None
    for method, path in (
        ("POST", "token/"), ("POST", "environment/team/data/share/"), ("DELETE", "token/1/"),
        ("DELETE", "environment/team/data/share/1/"),
    ):  # fmt: skip
        answer = server.ask(method, path, token, **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, "the token of a kernel" in answer.json()["message"]) == (403, True), path
    assert all(row["name"] != "for a kernel" for row in server.data("GET", "token/"))


def test_a_switch_of_the_active_build_switches_new_kernels_and_not_those_that_run(server: Server, channel: str) -> None:
    python = f"python={sys.version_info.major}.{sys.version_info.minor}"
    text = f"name: switch\nchannels: [{channel}]\ndependencies: ['{python}', ipykernel%s]"
    first = server.submit(text % "")
    server.wait(first)
    until(lambda: "envstore-team--switch" in specs(server))
    with kernel(server, "envstore-team--switch") as started:
        before = run(server, started, "import sys; print(sys.prefix)")
        second = server.submit(text % ", numpy")
        assert server.wait(second)["status"] == "COMPLETED"
        until(lambda: specs(server)["envstore-team--switch"]["spec"]["metadata"]["envstore"]["build_id"] == second)
        assert run(server, started, "import sys; print(sys.prefix)") == before
        with kernel(server, "envstore-team--switch") as newer:
            assert run(server, newer, "import sys; print(sys.prefix)") != before
        own = server.data("POST", f"build/{first}/kernel/")["kernels"]
        assert own == ["envstore-team--switch--python3--build-1"]
        assert specs(server)[own[0]]["spec"]["display_name"] == "Python (team/switch, build 1)"
        with kernel(server, own[0]) as older:
            assert run(server, older, "import sys; print(sys.prefix)") == before
        assert server.data("GET", "environment/team/switch/")["kernels"] == ["envstore-team--switch"]
        refused = server.ask("POST", f"build/{second}/kernel/")
        assert (refused.status_code, "not the active one" in refused.json()["message"]) == (409, True)
        server.data("PUT", "environment/team/switch/", json={"build_id": first})
        until(lambda: specs(server)["envstore-team--switch"]["spec"]["metadata"]["envstore"]["build_id"] == first)
        until(lambda: own[0] not in specs(server))  # it is the active one now
    server.data("DELETE", "environment/team/switch/")
    until(lambda: "envstore-team--switch" not in specs(server))
    assert not list((server.root / "kernels").glob("envstore-team--switch*"))


def test_an_environment_without_a_kernel_says_why_and_a_setting_adds_one(server: Server, channel: str) -> None:
    server.data("POST", "namespace/bare")
    text = f"name: plain\nchannels: [{channel}]\ndependencies: [python]"
    build_id = server.submit(text, "bare")
    server.wait(build_id)
    until(lambda: "brings a kernel" in (server.data("GET", "environment/bare/plain/")["kernel_note"] or ""))
    server.data("PUT", "setting/bare/", json={"add_ipykernel": True})
    made = server.data("POST", "specification/", json={"namespace": "bare", "specification": text})
    assert made["notes"] == ["added ipykernel (add_ipykernel)"]
    server.wait(made["build_id"])
    until(lambda: "envstore-bare--plain" in specs(server))
    server.data("DELETE", "environment/bare/plain/")


def test_what_the_server_starts_finds_the_kernels(server: Server) -> None:
    """nbconvert and papermill look below ``JUPYTER_PATH``, as anything that uses jupyter_client does."""
    environment = {**os.environ, "JUPYTER_PATH": str(server.root)}
    code = "from jupyter_client.kernelspec import find_kernel_specs; print(list(find_kernel_specs()))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "envstore-team--data" in done.stdout
    with kernel(server, "envstore-team--data") as started:
        assert str(server.root) in run(server, started, "import os; print(os.environ['JUPYTER_PATH'])")


@pytest.mark.parametrize(
    ("first", "second"), [(("a", "b--c"), ("a--b", "c")), (("A", "b"), ("a", "b")), (("a.b", "c"), ("a", "b.c"))]
)
def test_no_two_environments_have_one_kernel_id(first: tuple[str, str], second: tuple[str, str]) -> None:
    assert kernel_id(*first) != kernel_id(*second)
    assert kernel_id(*first, "ir") != kernel_id(*first)


def test_only_chosen_namespaces_become_kernels_and_the_users_folder_is_kept_tidy(server: Server, tmp_path: Any) -> None:
    store = EnvStore.open(store_config(server.root))
    folder = tmp_path / "user"
    mine = folder / "envstore-team--data"
    kernels = KernelSpecs(store.config, StoredBuilds(store.config, store.database), (), folder)
    kernels.sync()
    assert (mine / "kernel.json").is_file()
    (folder / "foreign").mkdir()
    states = KernelSpecs(store.config, StoredBuilds(store.config, store.database), ("other*",), folder)
    states.sync()
    row = server.data("GET", "environment/team/data/")
    assert "not offered" in states.state(row["id"]).reason
    assert "envstore-team--data" in specs(server)  # what another server of the store offers stays
    assert not mine.is_symlink()
    assert (folder / "foreign").is_dir()
    store.close()


def test_a_package_with_a_bad_kernelspec_takes_no_others_kernel_away(server: Server, tmp_path: Path) -> None:
    store = EnvStore.open(store_config(server.root))
    row = server.data("GET", "environment/team/data/")
    prefix = store.prefixes.path(row["current_build_id"])
    folder = prefix / "share" / "jupyter" / "kernels"
    bad = {
        "empty": "",
        "list": "[]",
        "none": '{"display_name": "x", "language": "x"}',
        "odd": '{"argv": [], "env": null}',
    }
    folder.chmod(0o755)
    for name, text in bad.items():
        (folder / name).mkdir()
        (folder / name / "kernel.json").write_text(text)
    (folder / "nulls").mkdir()
    (folder / "nulls" / "kernel.json").write_text('{"argv": ["python"], "env": null, "metadata": null}')
    try:
        kernels = KernelSpecs(store.config, StoredBuilds(store.config, store.database))
        kernels.directory, kernels.specs = tmp_path / "kernels", tmp_path / "specs"
        kernels.sync()
        assert kernels.state(row["id"]).ids == ("envstore-team--data", "envstore-team--data--nulls")
    finally:
        for name in (*bad, "nulls"):
            shutil.rmtree(folder / name)
        folder.chmod(0o555)
        store.close()


def test_files_beside_kernelspecs_are_kept_once_and_not_shared_with_the_environment(
    server: Server, tmp_path: Path
) -> None:
    store = EnvStore.open(store_config(server.root))
    row = server.data("GET", "environment/team/data/")
    folder = store.prefixes.path(row["current_build_id"]) / "share" / "jupyter" / "kernels"
    folder.chmod(0o755)
    try:
        shutil.copytree(folder / "python3", folder / "twin", copy_function=os.link)
        kernels = KernelSpecs(store.config, StoredBuilds(store.config, store.database))
        kernels.directory, kernels.specs = tmp_path / "kernels", tmp_path / "specs"
        kernels.sync()
    finally:
        shutil.rmtree(folder / "twin")
        folder.chmod(0o555)
        store.close()
    brought = folder / "python3" / "logo-64x64.png"
    first, second = (kernels.directory / name / brought.name for name in kernels.state(row["id"]).ids)
    assert first.read_bytes() == brought.read_bytes()
    assert first.samefile(second)
    assert not first.samefile(brought)
    assert not first.parent.joinpath("kernel.json").samefile(second.parent / "kernel.json")
