"""A notebook remembers its environment: when it runs, and not when it is only looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import requests
from playwright.sync_api import expect

from tests.lab.conftest import Lab
from tests.server.live import MASTER, Server

KERNEL = "envstore-team--data"


def write_notebook(lab: Server, name: str) -> Path:
    """Write a notebook for ``team/data``."""
    kernel = {"name": KERNEL, "display_name": "Python (team/data)", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    made.cells = [nbformat.v4.new_code_cell("1 + 1")]
    path = lab.notebooks / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


def open_notebook(tab: Lab, path: Path) -> None:
    """Open a notebook and wait until its kernel is idle."""
    tab.page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', {path})", path.name)
    expect(tab.page.locator(".jp-NotebookPanel:visible")).to_be_visible()
    wait_until_idle(tab)


def wait_until_idle(tab: Lab) -> None:
    """Wait until the kernel of the notebook in front has nothing to do."""
    tab.page.wait_for_function(
        """() => {
            const context = window.jupyterapp.shell.currentWidget?.sessionContext;
            return context?.isReady && context.session?.kernel?.status === 'idle' && !context.pendingInput;
        }""",
        timeout=60_000,
    )


def run_all(tab: Lab) -> None:
    """Run the cells of the notebook in front, to the end."""
    tab.page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def is_dirty(tab: Lab) -> bool:
    """Whether the notebook in front has changes that are not saved."""
    dirty: bool = tab.page.evaluate("window.jupyterapp.shell.currentWidget.context.model.dirty")
    return dirty


def bond_in(tab: Lab) -> dict[str, Any]:
    """Return the bond of the notebook in front."""
    found = tab.page.evaluate("window.jupyterapp.shell.currentWidget.context.model.getMetadata('envstore') ?? {}")
    assert isinstance(found, dict)
    return found


def until_bond(tab: Lab, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Wait until the bond of the notebook in front is as it shall be."""
    deadline = time.monotonic() + 30
    while not condition(bond_in(tab)):
        assert time.monotonic() < deadline, (bond_in(tab), tab.errors)
        tab.page.wait_for_timeout(50)
    return bond_in(tab)


def execute(tab: Lab, command: str) -> None:
    """Run a command of JupyterLab."""
    tab.page.evaluate("command => void window.jupyterapp.commands.execute(command)", command)


def saved(tab: Lab, path: Path) -> dict[str, Any]:
    """Save the notebook in front; return its metadata."""
    tab.page.evaluate("void window.jupyterapp.shell.currentWidget.context.save()")
    deadline = time.monotonic() + 30
    while is_dirty(tab):
        assert time.monotonic() < deadline, tab.errors
        tab.page.wait_for_timeout(50)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    return found


def close(tab: Lab) -> None:
    """Close the notebook in front, once its kernel is connected; the kernel goes on."""
    wait_until_idle(tab)
    leave(tab)


def leave(tab: Lab) -> None:
    """Close the notebook in front without saving it, whether it has a kernel or not."""
    tab.page.evaluate("window.jupyterapp.shell.currentWidget.context.model.dirty = false")
    tab.page.evaluate("window.jupyterapp.shell.currentWidget.dispose()")


def test_a_run_writes_it_and_a_look_does_not(tab: Lab, lab: Server, example: int) -> None:
    path = write_notebook(lab, "looked-at")
    open_notebook(tab, path)
    tab.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.context.model.getMetadata('language_info')?.version"
    )
    assert "envstore" not in saved(tab, path)  # but what JupyterLab itself writes
    close(tab)
    before = path.read_bytes()
    open_notebook(tab, path)
    tab.page.wait_for_timeout(1500)  # nothing is awaited: it would be written by now
    assert bond_in(tab) == {}
    assert not is_dirty(tab), tab.page.evaluate("window.jupyterapp.shell.currentWidget.context.model.toJSON().metadata")
    assert path.read_bytes() == before
    run_all(tab)
    until_bond(tab, bool)
    bond = saved(tab, path)["envstore"]
    expected = lab.data("GET", f"build/{example}/bond/")
    assert bond == expected
    assert (bond["namespace"], bond["environment"], bond["build"]) == ("team", "data", 2)
    assert len(json.dumps(bond)) < 2000
    run_all(tab)
    close(tab)
    open_notebook(tab, path)
    tab.page.wait_for_timeout(1500)
    assert not is_dirty(tab)
    close(tab)


def test_a_run_in_another_build_is_noted_and_the_lock_goes_along(tab: Lab, lab: Server, example: int) -> None:
    path = write_notebook(lab, "analysis")
    open_notebook(tab, path)
    run_all(tab)
    until_bond(tab, lambda bond: bond.get("build") == 2)
    execute(tab, "envstore:embed-lock")
    dialog = tab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Embed the lock of team/data in analysis.ipynb?")
    expect(dialog).to_contain_text("kB larger")
    tab.picture("embed-lock")
    tab.check_accessibility(".jp-Dialog-content")
    dialog.get_by_role("button", name="Embed").click()
    lock = until_bond(tab, lambda bond: bond.get("lock"))["lock"]
    assert lock == lab.data("GET", f"build/{example}/bond/?lock=true")["lock"]
    assert lock["size"] < 20_000
    environment = lab.data("GET", "environment/team/data/")["id"]
    first = min(build["id"] for build in lab.data("GET", f"build/?environment_id={environment}"))
    lab.data("PUT", "environment/team/data/", json={"build_id": first})
    run_all(tab)  # the kernel goes on in the build that it was started in
    tab.page.wait_for_timeout(1000)
    assert bond_in(tab)["build"] == 2
    tab.page.evaluate(
        "async name => { await window.jupyterapp.shell.currentWidget.sessionContext.changeKernel({name}); }", KERNEL
    )  # chosen again, it starts in the active one
    bond = until_bond(tab, lambda bond: bond["build"] == 1)
    wait_until_idle(tab)
    assert bond["lock"] == lab.data("GET", f"build/{first}/bond/?lock=true")["lock"] != lock
    execute(tab, "envstore:remove-lock")
    until_bond(tab, lambda bond: "lock" not in bond)
    assert saved(tab, path)["envstore"] == lab.data("GET", f"build/{first}/bond/")
    close(tab)


def test_the_settings_choose_what_is_written(tab: Lab, lab: Server) -> None:
    path = write_notebook(lab, "reference")
    set_settings(lab, {"remember": "reference", "embedLock": True})
    try:
        tab.load()
        open_notebook(tab, path)
        run_all(tab)
        bond = until_bond(tab, bool)
        assert (bond["channels"], bond["packages"], bond["pip"]) == ([], [], [])
        assert bond["record"].startswith("sha256:")
        assert bond["lock"]["encoding"] == "xz+base64"
        close(tab)
    finally:
        set_settings(lab, {})
        tab.load()


def set_settings(lab: Server, values: dict[str, object]) -> None:
    """Set what notebooks remember, for pages that are loaded from here on."""
    address = f"{lab.origin}/lab/api/settings/jupyter-envstore:notebook?token={MASTER}"
    requests.put(address, json={"raw": json.dumps(values)}, timeout=10).raise_for_status()


def test_what_was_asked_for_is_written_into_a_cell_for_uv(tab: Lab, lab: Server, example: int) -> None:
    path = write_notebook(lab, "for-uv")
    open_notebook(tab, path)
    run_all(tab)
    until_bond(tab, lambda bond: bond.get("build"))
    execute(tab, "envstore:write-script-block")
    expect(tab.page.locator(".Toastify")).to_contain_text("The notebook asks for 3 packages.")
    expect(tab.page.locator(".Toastify")).not_to_contain_text("Left out")  # its channel is nothing for PyPI
    cells = "window.jupyterapp.shell.currentWidget.model.sharedModel.cells.map(cell => cell.getSource())"
    first, second = tab.page.evaluate(cells)
    assert first.startswith("# /// script\n# requires-python = ")
    assert first.endswith("# ///")
    assert second == "1 + 1"
    tab.page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.model.sharedModel.cells[0].setSource(text)",
        "# /// script\n# dependencies = ['old']\n#\n# [tool.uv]\n# native-tls = true\n# ///\nx = 1",
    )
    execute(tab, "envstore:write-script-block")
    tab.page.wait_for_function(f"!({cells})[0].includes('old')")
    assert tab.page.evaluate(cells)[0] == first.removesuffix("# ///") + (
        "#\n# [tool.uv]\n# native-tls = true\n# ///\nx = 1"
    )
    tab.picture("script-block")
