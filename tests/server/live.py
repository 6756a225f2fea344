"""A real Jupyter server in a process of its own, with authentication on, and a client that checks every answer."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import requests
import yaml
from jsonschema import Draft202012Validator
from tornado.websocket import WebSocketClientConnection

import jupyter_envstore
from tests.helpers import LEASE_SECONDS, WITHOUT_ARCHIVES
from tests.object_store import bucket_of
from tests.ports import free_port
from tests.postgresql import database_url

MASTER = "jupyter-token-of-the-tests"
"""Jupyter's own token: whoever has it is the one user of a laptop."""
BLOCKED_SECONDS = 0.05
"""A loop that our own work holds for longer is an error."""
CONFIG = """
import sys
sys.path.insert(0, {tests!r})
from loop_watch import watch
watch({blocked})
c = get_config()
c.IdentityProvider.token = {token!r}
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {port}
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.ServerApp.root_dir = {notebooks!r}
c.ServerApp.allow_unauthenticated_access = False
c.ServerApp.jpserver_extensions = {{
    "jupyter_envstore": True,
    "jupyterlab": False,
    "jupyter_lsp": False,
    "jupyter_server_terminals": False,
    "notebook_shim": False,
}}
c.EnvStoreApp.root_dir = {root!r}
c.EnvStoreApp.lease_seconds = {lease}
"""
START = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyter_server.serverapp import main; main()"
"""What ``python -m jupyter_server`` does, without a grammar that jsonschema would compile at each import, for 0.7 s: it
checks IRIs, which no schema of the server has."""


@cache
def document() -> dict[str, Any]:
    """Return the API's own description."""
    path = Path(jupyter_envstore.__file__).parent / "server" / "openapi.yaml"
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@cache
def operations() -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
    """Return pattern, template and verbs of every path."""
    found = []
    for template, verbs in document()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template.strip("/")))
        found.append((re.compile(pattern), template, verbs))
    return sorted(found, key=lambda item: item[1].count("{"))


def check_answer(method: str, path: str, answer: requests.Response) -> None:
    """Compare an answer with the document: its status is named there, and its body has the shape."""
    bare = path.split("?")[0].strip("/")
    template, verbs = next((t, v) for pattern, t, v in operations() if pattern.fullmatch(bare))
    operation = verbs.get(method.lower())
    if operation is None:
        assert answer.status_code == 405, f"{method} {template} is not documented, and answered {answer.status_code}"
        return
    responses = operation["responses"]
    status = str(answer.status_code)
    assert status in responses, f"{method} {template} answered {status}, which is not documented: {answer.text[:300]}"
    response = responses[status]
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media = answer.headers.get("Content-Type", "").split(";")[0]
    if method == "HEAD" or "content" not in response:
        return
    assert media in response["content"] or "*/*" in response["content"], f"{method} {template} answered {media!r}"
    if media == "application/json":
        schema = response["content"][media]["schema"] | {"components": document()["components"]}
        Draft202012Validator(schema).validate(answer.json())


class Server:
    """A server that runs: start, stop, kill, ask."""

    master = MASTER
    """Jupyter's token of the one who starts its kernels."""

    def __init__(self, folder: Path, extra: str = "", python: str | Path = sys.executable) -> None:
        self.python = str(python)
        self.folder = folder
        self.root = folder / "s"
        self.port = free_port()
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        values: dict[str, Any] = {
            "tests": str(Path(__file__).parent),
            "blocked": BLOCKED_SECONDS,
            "token": MASTER,
            "port": self.port,
            "notebooks": str(self.notebooks),
            "root": str(self.root),
            "lease": LEASE_SECONDS,
        }
        if "default_settings" not in extra:
            extra = f"c.EnvStoreApp.default_settings = {WITHOUT_ARCHIVES!r}\n{extra}"
        if (
            "LabApp" in extra
        ):  # Lab asks about news at its first start, and fades its logo out after each change of theme
            settings = folder / "none" / "labconfig" / "page_config.json"
            settings.parent.mkdir(parents=True)
            disabled = {f"@jupyterlab/apputils-extension:{name}": True for name in ("announcements", "splash")}
            settings.write_text(json.dumps({"disabledExtensions": disabled}))
        if url := database_url(str(self.root)):
            extra = f"c.EnvStoreApp.database_url = {url!r}\n{extra}"
        for name, value in bucket_of(str(self.root)).items():
            extra = f"c.EnvStoreApp.{name} = {value!r}\n{extra}"
        (folder / "config.py").write_text(CONFIG.format(**values) + extra)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.origin}/envstore/api/v1/"
        self.build_id = 0

    def start(self) -> Server:
        """Start it and wait until it answers."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "ENVSTORE"))}
        environment |= {
            "JUPYTER_CONFIG_DIR": str(self.folder / "none"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
        command = [self.python, "-c", START, f"--config={self.folder / 'config.py'}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True, cwd=self.folder
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(self.api, timeout=2)
            except (requests.ConnectionError, requests.Timeout):
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.1)
            else:
                return self

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it and return its exit code; workers go on."""
        if self.process is None:
            return 0
        os.kill(self.process.pid, how)
        code = self.process.wait(30)
        self.process = None
        return code

    def lab_address(self, query: str) -> str:
        """Return the address of JupyterLab, for a browser that nobody is logged in with."""
        return f"{self.origin}/lab?token={MASTER}{query}"

    def ask(
        self, method: str, path: str, token: str | None = MASTER, *, check: bool = True, **options: Any
    ) -> requests.Response:
        """Send a request and compare the answer with the API's document."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        answer = requests.request(method, self.api + path, headers=headers, timeout=60, **options)
        assert answer.status_code < 500 or answer.status_code in (502, 503, 504, 507), f"{method} {path}: {answer.text}"
        if check:
            check_answer(method, path, answer)
        return answer

    def data(self, method: str, path: str, token: str | None = MASTER, **options: Any) -> Any:
        """Return the data of an answer that must be good."""
        answer = self.ask(method, path, token, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json().get("data")

    def submit(self, text: str, namespace: str = "team", token: str | None = MASTER) -> int:
        """Submit a specification; return the build's id."""
        body = {"namespace": namespace, "specification": text}
        return int(self.data("POST", "specification/", token, json=body)["build_id"])

    def wait(self, build_id: int, timeout: float = 120.0) -> dict[str, Any]:
        """Wait until nothing of a build is left to do; return it."""
        deadline = time.monotonic() + timeout
        while self.data("GET", f"build/{build_id}/progress/")["busy"]:
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(0.1)
        build: dict[str, Any] = self.data("GET", f"build/{build_id}/")
        return build

    def make(self, build_id: int, artifact: str) -> None:
        """Have an artifact of a build made."""
        assert self.ask("POST", f"build/{build_id}/artifacts/{artifact}/").status_code in {200, 202}
        self.wait(build_id)

    def token(self, bindings: dict[str, list[str]], **fields: Any) -> str:
        """Return a new token with these bindings."""
        return str(self.data("POST", "token/", json={"role_bindings": bindings, **fields})["token"])


def as_json(answer: requests.Response) -> Any:
    """Return the body of an answer."""
    return json.loads(answer.content)


async def end(socket: WebSocketClientConnection) -> None:
    """Close a web socket and wait until it is."""
    socket.close()
    while await socket.read_message() is not None:
        pass
