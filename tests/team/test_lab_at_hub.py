"""Two members of a group, and a stranger, each with a browser, and JupyterLab in a server of a JupyterHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import PYTHON
from tests.lab.conftest import PROGRAM, new_context
from tests.lab.page import Lab, shown
from tests.lab.test_notebook_bond import open_notebook, run_all
from tests.server.test_kernels import specs, until
from tests.team.conftest import browsers_of, running_hub
from tests.team.live import Hub, PersonsServer

PEOPLE = ("jo", "kim", "stranger")
KERNEL = "envstore-data--shared"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs the browser chromium")


@pytest.fixture(scope="module")
def hub(hub_python: Path) -> Iterator[Hub]:
    with running_hub(hub_python, with_lab=True) as found:
        yield found


@pytest.fixture(scope="module")
def servers(hub: Hub) -> dict[str, PersonsServer]:
    return {name: hub.own_server(name) for name in PEOPLE}


@pytest.fixture(scope="module")
def browsers(servers: dict[str, PersonsServer], channel: str) -> Iterator[dict[str, Browser]]:
    """A browser for each; what is awaited is made before, since playwright holds this thread's event loop."""
    assert channel
    with browsers_of(servers) as found:
        yield found


def opened(hub: Hub, browser: Browser, server: PersonsServer, name: str) -> Lab:
    """Log in at the hub as people do, and open JupyterLab."""
    context = new_context(browser)
    login = context.new_page()
    login.goto(f"{hub.base}/hub/login")
    login.fill("#username_input", name)
    login.fill("#password_input", "anything")
    login.click("#login_submit")
    login.wait_for_url("**/user/**")
    login.close()
    return Lab(context, server)


def test_what_one_builds_in_lab_runs_in_the_labs_of_the_group_and_nobody_elses(
    hub: Hub, servers: dict[str, PersonsServer], browsers: dict[str, Browser], channel: str
) -> None:
    tabs = {name: opened(hub, browsers[name], servers[name], name) for name in PEOPLE}
    jo, kim, stranger = tabs.values()
    text = f"name: shared\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]\n"
    jo.button("new").first.click()
    jo.view.get_by_label("In", exact=True).select_option("data")
    jo.button("new-name").fill("shared")
    jo.write(text)
    jo.button("create").click()
    shown(jo.page.get_by_text("data/shared is ready"), 90_000)
    shown(kim.row("shared"))
    expect(stranger.row("shared")).to_have_count(0)
    expect(stranger.sidebar.get_by_text("data", exact=True)).to_have_count(0)
    until(lambda: KERNEL in specs(servers["kim"]), 30)
    assert KERNEL not in specs(servers["stranger"])
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import sys; print(sys.prefix)")],
        metadata={"kernelspec": {"name": KERNEL, "display_name": "Python (data/shared)", "language": "python"}},
    )
    home = hub.folder / "home" / "kim"
    nbformat.write(made, home / "read.ipynb")
    open_notebook(kim, Path("read.ipynb"))
    run_all(kim)
    shown(kim.page.locator(".jp-OutputArea-output", has_text=f"{home}/"), 60_000)
    kim.picture("hub-kernel-of-the-group")
    for tab in tabs.values():
        tab.close()
