"""Keeping the packages of a build, from the panel."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.lab.conftest import Lab, shown
from tests.server.live import Server


def test_packages_are_kept_and_let_go_from_the_menu_of_a_build(
    open_lab: Callable[..., Lab], lab: Server, nasty_channel: str
) -> None:
    number = lab.submit(f"name: lasting\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    assert lab.wait(number)["status"] == "COMPLETED"
    tab = open_lab()
    shown(tab.row("lasting"))
    tab.open("lasting", "builds")
    more = tab.view.get_by_role("button", name="More for build 1")
    more.click()
    tab.page.get_by_role("menuitem", name="Keep Packages").click()
    badge = tab.view.locator(".jp-EnvStore-badge", has_text="kept with its packages")
    shown(badge)
    why = "The files of its packages are stored. It can be brought back exactly, even if its channels disappear."
    expect(badge).to_have_attribute("title", why)
    tab.check_accessibility(".jp-EnvStore-environmentView")
    tab.picture("kept-packages")
    more.click()
    tab.page.get_by_role("menuitem", name="Stop Keeping Packages").click()
    expect(badge).to_have_count(0)
    assert lab.data("GET", f"build/{number}/keep/")["state"] == "no"
    lab.data("DELETE", "environment/team/lasting/")
