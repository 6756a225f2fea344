"""An environment that was taken over without its files: its kernel is in the launcher, and brings it when it starts."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.images.conftest import run
from tests.lab.conftest import Lab, shown
from tests.server.live import Server

ENVSTORE = str(Path(sys.executable).with_name("jupyter-envstore"))


def test_a_kernel_that_is_not_here_yet_is_brought_when_a_notebook_starts_it(
    tab: Lab, lab: Server, example: int, channel: str
) -> None:
    link = lab.data("POST", "environment/team/data/share/", json={"days": 1})
    done = run(ENVSTORE, "import", "-", "--later", "--name", "team/late", "--accept", channel, "--root", str(lab.root),
               input=link["link"])  # fmt: skip
    assert "team/late:1 is there, without files: its kernel brings them when it is started" in done.stdout
    lab.data("DELETE", f"environment/team/data/share/{link['id']}/")
    card = tab.page.locator(".jp-LauncherCard").get_by_text("Python (team/late, not here yet)").first
    shown(card, 20_000)
    shown(tab.row("late"))
    tab.picture("late-kernel")
    card.click()
    expect(tab.page.get_by_text("| Idle")).to_be_visible(timeout=60_000)
    tab.page.locator(".jp-Notebook .cm-content").first.click()
    tab.page.keyboard.type("import sys; print(len(sys.prefix) > 0, 'ipykernel' in sys.modules)")
    tab.page.keyboard.press("Shift+Enter")
    shown(tab.page.get_by_text("True True"), 20_000)
    row = lab.data("GET", "environment/team/late/")
    assert not row["current_build"]["packed_away"]
    tab.page.evaluate("() => { window.jupyterapp.commands.execute('launcher:create'); }")
    shown(tab.page.locator(".jp-LauncherCard").get_by_text("Python (team/late)").first, 20_000)
    tab.picture("late-kernel-here")
    lab.data("DELETE", "environment/team/late/?now=true")
