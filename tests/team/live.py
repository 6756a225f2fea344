"""A store that runs alone, and a JupyterHub whose service it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.commands import run_command
from tests.ports import free_port
from tests.server.live import MASTER, Server

REPOSITORY = Path(__file__).parent.parent.parent
PROXY = REPOSITORY / "labextension" / "checks" / "node_modules" / ".bin" / "configurable-http-proxy"
RUN = "from jupyter_envstore.cli import run; run()"
HUB_TOKEN = "token-of-the-tests-at-the-hub-0123456789"
SECONDS = 2
"""How long what the hub said counts."""
CONFIG = """
c = get_config()
c.EnvStoreApp.root_dir = {root!r}
c.EnvStoreApp.allow_local_files = True
c.EnvStoreApp.lease_seconds = 4
c.EnvStoreApp.default_settings = {{"build_artifacts": ["yaml", "lockfile", "docker"], "check_imports": False}}
c.EnvStoreApp.predefined_tokens = {{{token!r}: {{"name": "tests", "role_bindings": {{"*/*": ["admin"]}}}}}}
c.EnvStoreService.hub_seconds = {seconds}
"""
HUB_CONFIG = """
load_subconfig({example!r})
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/hub-of-tests/"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"boss"}}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.spawner_class = "simple"  # as people have no accounts on this machine
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser", "--allow-root"]
c.Spawner.args = ["--ServerApp.jpserver_extensions=jupyter_envstore=True", "--EnvStoreApp.allow_local_files=True"]
c.Spawner.environment["ENVSTORE_REMOTE_URL"] = "http://127.0.0.1:{port}/hub-of-tests/services/envstore/"
c.Spawner.environment["JUPYTERHUB_SINGLEUSER_APP"] = "jupyter_server.serverapp.ServerApp"
service = c.JupyterHub.services[0]
del service["user"]  # the account of the example is not made here
service["url"] = "http://127.0.0.1:{service_port}"
service["command"] = [{python!r}, "-c", {run!r}, "serve", "--config={folder}/config.py"]
service["environment"] = {{"JUPYTER_CONFIG_DIR": "{folder}/none"}}
c.JupyterHub.services.append({{"name": "tests", "admin": True, "api_token": {hub_token!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "tests", "scopes": ["admin:users", "admin:groups", "tokens"], "services": ["tests"]}}
)
"""

JO = "token-of-jo-at-the-store-0123456789"
GUEST = "token-of-guest-at-the-store-0123456"
PEOPLE = f"""
c.EnvStoreApp.block_private_addresses = False  # a channel of the tests is on this machine
c.EnvStoreApp.predefined_tokens[{JO!r}] = {{
    "name": "jo", "primary_namespace": "jo", "role_bindings": {{"jo/*": ["admin"], "team/*": ["developer"]}}
}}
c.EnvStoreApp.predefined_tokens[{GUEST!r}] = {{
    "name": "guest", "primary_namespace": "guest", "role_bindings": {{"team/*": ["viewer"]}}
}}
"""


@dataclass(frozen=True)
class Account:
    """Another Unix account than that of the tests, and a Python that it can run."""

    name: str
    home: Path
    python: str


def identity_of(account: Account | None) -> dict[str, Any]:
    """Return the arguments with which a process runs under an account."""
    return {"user": account.name, "group": account.name, "extra_groups": []} if account else {}


def home_of(account: Account | None) -> dict[str, str]:
    """Return the variables of an account."""
    return {"HOME": str(account.home), "USER": account.name, "LOGNAME": account.name} if account else {}


class Service(Server):
    """A store that runs alone; the tests' own token may do everything."""

    def __init__(self, folder: Path, extra: str = "", account: Account | None = None) -> None:
        self.folder = folder
        self.account = account
        self.root = folder / "s"
        self.port = free_port()
        self.log = folder / "service.log"
        self.process: subprocess.Popen[bytes] | None = None
        values = {"root": str(self.root), "token": MASTER, "seconds": SECONDS}
        (folder / "config.py").write_text(CONFIG.format(**values) + extra)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.place = f"{self.origin}/envstore"
        self.api = f"{self.place}/api/v1/"
        self.build_id = 0

    @property
    def command(self) -> list[str]:
        """The command line that starts it."""
        python = self.account.python if self.account else sys.executable
        return [python, "-c", RUN, "serve", f"--config={self.folder / 'config.py'}", f"--port={self.port}"]

    def start(self) -> Service:
        """Start it and wait until it answers."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "ENVSTORE"))}
        environment = kept | {"JUPYTER_CONFIG_DIR": str(self.folder / "none")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=environment | home_of(self.account), start_new_session=True,
                cwd=self.folder, **identity_of(self.account),
            )  # fmt: skip
        self.until_it_answers()
        return self

    def until_it_answers(self, seconds: float = 60.0) -> None:
        """Wait until the API answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if requests.get(self.api, timeout=2).status_code == 200:
                    return
            except (requests.ConnectionError, requests.Timeout):
                pass
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)


class Client(Server):
    """A Jupyter server of one person, that is a client of a store elsewhere.

    Parameters
    ----------
    store : str
        Address of the store.
    token : str
        The token that the person has there.
    """

    def __init__(self, folder: Path, store: str, token: str, extra: str = "") -> None:
        secret = folder / "token"
        secret.write_text(token)
        remote = f"c.EnvStoreApp.remote_url = {store!r}\nc.EnvStoreApp.remote_token_file = {str(secret)!r}\n"
        super().__init__(folder, remote + extra)


class PersonsServer(Server):
    """The own Jupyter server of a person of a hub, reached through the hub's proxy.

    Parameters
    ----------
    origin : str
        Its address.
    token : str
        A token of the hub that opens it.
    """

    def __init__(self, origin: str, token: str) -> None:
        self.origin = origin
        self.master = token
        self.api = f"{origin}/envstore/api/v1/"

    def lab_address(self, query: str) -> str:
        """Return the address of JupyterLab, for a browser that its owner is logged in to the hub with."""
        return f"{self.origin}/lab?{query.lstrip('&')}"


WITH_LAB = """
c.Spawner.args += ["--ServerApp.jpserver_extensions=jupyterlab=True", "--LabApp.expose_app_in_browser=True"]
c.Spawner.args += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
c.Spawner.environment |= {{"JUPYTER_PATH": {share!r}, "JUPYTERLAB_DIR": {lab!r}, "JUPYTER_CONFIG_PATH": {config!r}}}
"""
"""What the Python beside that of the tests has from it: JupyterLab's own page, and the panel."""


class Hub(Service):
    """A JupyterHub, as in ``examples/jupyterhub``, with its proxy and the store as its service.

    Parameters
    ----------
    python : Path
        A Python that has jupyterhub and this project.
    with_lab : bool
        Whether people's own servers have JupyterLab.
    """

    def __init__(self, folder: Path, python: Path, extra: str = "", with_lab: bool = False) -> None:
        super().__init__(folder, extra)
        self._python = python
        ports = {name: free_port() for name in ("hub_port", "proxy_port", "service_port")}
        values = {
            **ports,
            "example": str(REPOSITORY / "examples" / "jupyterhub" / "jupyterhub_config.py"),
            "folder": folder,
            "hub_token": HUB_TOKEN,
            "port": self.port,
            "proxy": str(PROXY),
            "python": str(python),
            "run": RUN,
        }
        share, etc = Path(sys.prefix) / "share" / "jupyter", Path(sys.prefix) / "etc" / "jupyter"
        lab = WITH_LAB.format(share=str(share), lab=str(share / "lab"), config=str(etc)) if with_lab else ""
        (folder / "hub.py").write_text(HUB_CONFIG.format(**values) + lab)
        self.registry = ""
        self.base = f"{self.origin}/hub-of-tests"
        self.place = f"{self.base}/services/envstore/envstore"
        self.api = f"{self.place}/api/v1/"
        self.direct = f"http://127.0.0.1:{ports['service_port']}/hub-of-tests/services/envstore/envstore/api/v1/"
        self.hub_api = f"http://127.0.0.1:{ports['hub_port']}/hub-of-tests/hub/api/"

    @property
    def command(self) -> list[str]:
        """The command line that starts it."""
        return [str(self._python), "-m", "jupyterhub", "-f", str(self.folder / "hub.py")]

    def hub(self, method: str, path: str, **options: Any) -> Any:
        """Ask the hub itself, as its admin."""
        headers = {"Authorization": f"token {HUB_TOKEN}"}
        answer = requests.request(method, self.hub_api + path, headers=headers, timeout=30, **options)
        assert answer.ok, answer.text + self.log.read_text()[-4000:]
        return answer.json() if answer.content else None

    def own_server(self, name: str) -> PersonsServer:
        """Start the own Jupyter server of a person, and wait until it answers."""
        token = self.person(name, f"access:servers!user={name}")
        found = PersonsServer(f"{self.base}/user/{name}", token)
        self.hub("POST", f"users/{name}/server")
        deadline = time.monotonic() + 60
        while not (self.hub("GET", f"users/{name}")["servers"].get("") or {}).get("ready"):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)
        return found

    def person(self, name: str, *more: str) -> str:
        """Return a token of the hub for a person, who is made where they are new; it may do what their server may."""
        requests.post(f"{self.hub_api}users/{name}", headers={"Authorization": f"token {HUB_TOKEN}"}, timeout=30)
        scopes = ["access:services!service=envstore", *more]
        return str(self.hub("POST", f"users/{name}/tokens", json={"scopes": scopes})["token"])


class Terminal:
    """The terminal of a person who is logged in to a store elsewhere."""

    def __init__(self, folder: Path, url: str, token: str, account: Account | None = None) -> None:
        self.folder = folder
        self.url = url
        self.account = account
        (folder / "token").write_text(token)
        config = folder / "config"
        config.mkdir()
        (config / "jupyter_envstore_config.py").write_text("c.EnvStoreApp.constructor = ''\n")
        program = Path(sys.executable).with_name("jupyter-envstore")
        self.program = [account.python, "-c", RUN] if account else [str(program)]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "ENVSTORE"))}
        self.environment = {
            **kept, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_DATA_DIR": str(folder / "data"),
            "ENVSTORE_REMOTE_URL": url, "ENVSTORE_REMOTE_TOKEN": token, **home_of(account),
        }  # fmt: skip

    def run(self, *words: str, status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command and check how it ended."""
        variables = self.environment | environment
        if self.account is None:
            done = run_command(words, self.folder, variables, seconds=240)
        else:
            done = subprocess.run(
                [*self.program, *words], capture_output=True, text=True, check=False, cwd=self.folder,
                env=variables, timeout=240, **identity_of(self.account),
            )  # fmt: skip
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words: str, status: int = 0, **environment: str) -> Any:
        """Return what a command prints with ``--json``."""
        return json.loads(self.run(*words, "--json", status=status, **environment).stdout)
