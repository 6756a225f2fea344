"""Two people with JupyterLab in browsers of their own, whose servers are clients of one store; and a stranger."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import PYTHON
from tests.lab.conftest import LAB, PROGRAM, new_context
from tests.lab.page import Lab, shown
from tests.server.test_kernels import specs, until
from tests.team.conftest import UNSANDBOXED, browsers_of, short_folder
from tests.team.live import Client, Service

PEOPLE = {name: f"token-of-{name}-at-the-store-0123456789" for name in ("jo", "kim", "stranger")}


def configured(name: str, token: str) -> str:
    """Return the line of the configuration that gives a person a token."""
    roles = {f"{name}/*": ["admin"]} | ({} if name == "stranger" else {"data/*": ["developer"]})
    return f"c.EnvStoreApp.predefined_tokens[{token!r}] = " + repr(
        {"name": name, "primary_namespace": name, "role_bindings": roles}
    )


TOKENS = "\n".join(configured(name, token) for name, token in PEOPLE.items())

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs the browser chromium")


@pytest.fixture(scope="module")
def store() -> Iterator[Service]:
    with short_folder() as folder:
        sandbox = "c.EnvStoreApp.sandbox = 'bubblewrap'\n" if shutil.which("bwrap") else UNSANDBOXED
        local = "\nc.EnvStoreApp.block_private_addresses = False  # a channel of the tests is on this machine\n"
        found = Service(folder, sandbox + TOKENS + local).start()
        found.ask("POST", "namespace/data/")
        yield found
        with suppress(ProcessLookupError):
            found.stop()


@pytest.fixture(scope="module")
def servers(store: Service, channel: str) -> Iterator[dict[str, Client]]:
    """The Jupyter servers of the three."""
    with ExitStack() as ends:
        found = {}
        for name, token in PEOPLE.items():
            folder = ends.enter_context(short_folder())
            lab = LAB.format(channel=channel, base="/nowhere")
            found[name] = Client(folder, store.place, token, lab).start()
            ends.callback(found[name].stop)
        yield found


@pytest.fixture(scope="module")
def browsers(servers: dict[str, Client]) -> Iterator[dict[str, Browser]]:
    """A browser for each."""
    with browsers_of(servers) as found:
        yield found


def test_what_one_builds_the_other_sees_and_a_store_that_dies_in_mid_build_is_told(
    store: Service, servers: dict[str, Client], browsers: dict[str, Browser], channel: str
) -> None:
    tabs = {name: Lab(new_context(browsers[name]), servers[name]) for name in servers}
    jo, kim, stranger = tabs.values()
    text = f"name: shared\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]"
    told = servers["jo"].data("POST", "specification/", json={"namespace": "data", "specification": text})
    shown(jo.row("shared"))
    shown(kim.row("shared"))
    store.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # in mid-build
    store.process.wait()  # type: ignore[union-attr]
    kim.page.evaluate("window.jupyterapp.commands.execute('envstore:refresh')")
    shown(kim.sidebar.get_by_role("alert").get_by_text("does not answer: nothing listens there"))
    kim.picture("store-away")
    kim.check_accessibility("#jp-envstore-panel")
    store.start()
    assert store.wait(told["build_id"])["status"] == "COMPLETED"
    shown(kim.row("shared"))
    expect(kim.sidebar.get_by_text("does not answer")).to_have_count(0)
    kim.picture("store-back")
    expect(stranger.row("shared")).to_have_count(0)
    for tab in tabs.values():
        tab.page.close()
    name = "envstore-data--shared"
    until(lambda: name in specs(servers["kim"]), 60)
    assert name not in specs(servers["stranger"])
