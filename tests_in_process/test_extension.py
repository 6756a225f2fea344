"""The extension inside of this process, on pytest-jupyter's server with authentication on: what only can be seen there.

It runs by itself, with ``pytest -p pytest_jupyter.jupyter_server``: the plugin brings a runner for asynchronous tests.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_envstore.application.app import EnvStoreApp
from jupyter_envstore.application.change_events import SCHEMAS
from jupyter_envstore.engine.prefix import remove_tree
from tests import nasty

TEXT = "name: inside\nchannels: [{channel}]\ndependencies: [nasty-text]"


@pytest.fixture
def root() -> Iterator[Path]:
    """A short folder for a store."""
    folder = Path(tempfile.mkdtemp(prefix="es-"))
    yield folder
    remove_tree(folder)


@pytest.fixture
def jp_server_config(root: Path) -> dict[str, Any]:
    """The server's configuration."""
    extensions = {"jupyter_envstore": True, "jupyter_server_terminals": False}
    return {
        "ServerApp": {"jpserver_extensions": extensions, "allow_unauthenticated_access": False},
        "EnvStoreApp": {"root_dir": str(root)},
    }


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A channel of hand-made packages."""
    folder = tmp_path_factory.mktemp("channel")
    yield nasty.make_channel(folder).as_uri()
    shutil.rmtree(folder)


def extension(server: Any) -> EnvStoreApp:
    """Return the extension of a server."""
    (found,) = server.extension_manager.extension_apps["jupyter_envstore"]
    assert isinstance(found, EnvStoreApp)
    return found


async def test_jupyters_token_is_known_and_nobody_is_not(
    channel: str, jp_serverapp: Any, jp_fetch: Callable[..., Any], jp_base_url: str, http_server_client: Any
) -> None:
    assert channel
    answer = await jp_fetch("envstore", "api", "v1", "permission")
    assert json.loads(answer.body)["data"]["authenticated"]
    for path in ("token", "build/1", "setting"):
        with pytest.raises(HTTPClientError) as refused:
            await http_server_client.fetch(f"{jp_base_url}envstore/api/v1/{path}")
        assert refused.value.code == 401
    await extension(jp_serverapp).stop_extension()


async def test_builds_are_activity_and_events_are_valid(
    channel: str, jp_serverapp: Any, jp_fetch: Callable[..., Any]
) -> None:
    app = extension(jp_serverapp)
    await jp_serverapp.extension_manager.start_all_extensions()
    heard: list[tuple[str, dict[str, Any]]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        assert logger is jp_serverapp.event_logger
        heard.append((schema_id, data))

    for kind in ("environments", "builds", "progress"):  # with a listener, each event is compared with its schema
        jp_serverapp.event_logger.add_listener(schema_id=f"{SCHEMAS}{kind}/v1", listener=listen)
    body = {"namespace": "team", "specification": TEXT.format(channel=channel)}
    made = await jp_fetch("envstore", "api", "v1", "specification", method="POST", body=json.dumps(body))
    build_id = json.loads(made.body)["data"]["build_id"]
    active = []
    for _ in range(600):
        active.append(app.current_activity())
        await asyncio.sleep(0.05)
        if active[-1] is None and any(active):
            break
    assert any(active)
    assert active[-1] is None
    assert jp_serverapp.web_app.settings["envstore_last_activity"]
    told = {schema_id.removeprefix(SCHEMAS) for schema_id, _ in heard}
    assert {"environments/v1", "builds/v1"} <= told
    assert all(set(data) == {"revision", "ids"} for _, data in heard)
    build = json.loads((await jp_fetch("envstore", "api", "v1", "build", str(build_id))).body)["data"]
    assert build["status"] == "COMPLETED", build["status_info"]
    await app.stop_extension()
