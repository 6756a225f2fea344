"""From a module that cannot be imported to a cell that runs: its package is named, previewed and added."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import PYTHON
from tests.lab.conftest import Lab
from tests.lab.test_notebook_bond import close, run_all, until_bond, wait_until_idle
from tests.lab.test_notebook_recovery import BAR, open_notebook, output, write_notebook
from tests.server.live import Server


@pytest.fixture
def small(lab: Server, channel: str) -> Iterator[int]:
    """An environment with nothing but a kernel."""
    text = f"name: small\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel]\n"
    build = lab.submit(text)
    assert lab.wait(build)["status"] == "COMPLETED"
    yield build
    lab.ask("DELETE", "environment/team/small/")


def open_small(tab: Lab, lab: Server, build: int, name: str, code: str) -> None:
    """Open a notebook in the small environment, and run it."""
    path = write_notebook(lab, name, lab.data("GET", f"build/{build}/bond/"), "envstore-team--small", code)
    open_notebook(tab, path)
    tab.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.name === 'envstore-team--small'"
    )
    wait_until_idle(tab)
    run_all(tab)


def test_a_missing_module_becomes_a_package(tab: Lab, lab: Server, small: int) -> None:
    open_small(tab, lab, small, "lacks-numpy", "import numpy; print('numpy', 'is here')")
    bar = tab.page.locator(BAR)
    expect(bar).to_contain_text("team/small has no module numpy.")
    expect(bar).to_contain_text("numpy contains it, as in team/data")
    tab.picture("notebook-missing-package")
    tab.check_accessibility(".jp-EnvStore-barContent")
    tab.button("add-missing").click()
    expect(bar).to_contain_text("The kernel starts again: its variables are lost.", timeout=30_000)
    expect(bar).to_contain_text("numpy")
    tab.picture("notebook-missing-preview")
    tab.button("package-back").click()
    expect(bar).to_contain_text("numpy contains it")
    tab.button("add-missing").click()
    tab.button("build-missing").click()
    expect(bar).to_contain_text("numpy is in team/small now, and the kernel has started again.", timeout=60_000)
    wait_until_idle(tab)
    tab.button("run-again").click()
    expect(output(tab)).to_contain_text("numpy is here")
    expect(bar).to_have_count(0)
    assert until_bond(tab, lambda found: found["build"] == 2)["environment"] == "small"
    text = lab.data("GET", f"build/{lab.data('GET', 'environment/team/small/')['current_build_id']}/")
    assert "numpy" in text["specification"]["text"]
    close(tab)


def test_a_package_that_was_built_meanwhile_needs_a_restart_only(
    tab: Lab, lab: Server, small: int, channel: str
) -> None:
    open_small(tab, lab, small, "older-kernel", "x = 1")
    text = f"name: small\nchannels: [{channel}]\ndependencies: [python={PYTHON}, ipykernel, blinker]\n"
    lab.wait(lab.submit(text))
    cell = "window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel"
    tab.page.evaluate(f"{cell}.setSource('import blinker; print(1)')")
    run_all(tab)
    bar = tab.page.locator(BAR).filter(has_text="blinker")
    expect(bar).to_contain_text("blinker is in build 2 of team/small, but the kernel runs in another build.")
    tab.button("restart-missing").click()
    expect(bar).to_contain_text("blinker is in team/small now", timeout=30_000)
    wait_until_idle(tab)
    tab.button("run-again").click()
    expect(output(tab)).to_have_text("1\n")
    close(tab)


def test_the_same_name_is_a_guess_and_said_to_be_one(tab: Lab, lab: Server, small: int) -> None:
    open_small(tab, lab, small, "guess", "import click")
    bar = tab.page.locator(BAR)
    expect(bar).to_contain_text("click has the same name; whether it contains click is not known.", timeout=30_000)
    tab.button("bar-close").click()
    expect(bar).to_have_count(0)
    close(tab)
    open_small(tab, lab, small, "unknown", "import no_such_module_anywhere")
    expect(bar).to_contain_text("No package is known that has it.", timeout=30_000)
    expect(tab.button("search-package")).to_be_visible()
    close(tab)


def test_what_pip_would_install_is_added(tab: Lab, lab: Server, small: int) -> None:
    open_small(tab, lab, small, "magic", "%conda install -y blinker")
    bar = tab.page.locator(BAR)
    expect(bar).to_contain_text("Nothing can be installed from inside of team/small")
    expect(tab.button("add-missing")).to_have_text("Add blinker to team/small")
    tab.button("add-missing").click()
    expect(bar).to_contain_text("blinker 1.9.0 added", timeout=30_000)
    close(tab)
