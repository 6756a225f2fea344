"""Keeping the packages of a build, from the panel."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.lab.conftest import Lab, shown
from tests.server.live import Server


def test_packages_are_kept_and_let_go_from_the_menu_of_a_build(tab: Lab, lab: Server, nasty_channel: str) -> None:
    number = lab.submit(f"name: lasting\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    assert lab.wait(number)["status"] == "COMPLETED"
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
    for width in (1280, 1000, 700):
        tab.page.set_viewport_size({"width": width, "height": 800})
        box, cell = badge.bounding_box(), badge.locator("xpath=ancestor::td").bounding_box()
        assert box is not None
        assert cell is not None
        assert box["height"] < 24, f"it breaks over two lines, {width} pixels wide"
        assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 1
    tab.picture("kept-packages-narrow")
    more.click()
    tab.page.get_by_role("menuitem", name="Stop Keeping Packages").click()
    expect(badge).to_have_count(0)
    assert lab.data("GET", f"build/{number}/keep/")["state"] == "no"
    lab.data("DELETE", "environment/team/lasting/")
