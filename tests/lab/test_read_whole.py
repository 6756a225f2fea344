"""What people must know of a build stands at it, and names of any length are read whole."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.conftest import PYTHON
from tests.lab.conftest import Lab, shown
from tests.server.live import Server

LONG = "an-environment-with-a-name-as-long-as-names-may-be-2026-quarter4"


def test_a_package_that_cannot_be_imported_stands_at_its_build(
    tab: Lab, lab: Server, channel: str, nasty_channel: str
) -> None:
    lab.data("POST", "namespace/checked/")
    lab.data("PUT", "setting/checked/", json={"check_imports": True})
    channels = f"channels: ['{nasty_channel}', '{channel}']"
    text = f"name: fails\n{channels}\ndependencies: [python={PYTHON}, nasty-unimportable, nasty-text]\n"
    build = lab.wait(lab.submit(text, "checked"))
    assert (build["status"], build["warning_count"]) == ("COMPLETED", 1)
    row = tab.row("fails")
    expect(row.get_by_role("img", name="1 warning")).to_be_visible()
    tab.open("fails", "builds")
    expect(tab.view.get_by_role("row", name="first build").get_by_role("img", name="1 warning")).to_be_visible()
    strip = tab.view.get_by_test_id("envstore:warnings")
    expect(strip.locator("summary")).to_contain_text("1 warning Does not work: 1")
    reason = strip.get_by_text("nasty-unimportable: import nasty_unimportable fails: ModuleNotFoundError")
    expect(reason).not_to_be_visible()
    strip.locator("summary").click()
    shown(reason)
    tab.check_accessibility(".jp-EnvStore-environmentView")
    tab.picture("check-warning")
    tab.tab("artifacts")
    shown(tab.view.get_by_role("region", name="Log").get_by_text("Check", exact=True))
    lab.data("DELETE", "environment/checked/fails/")


def test_a_long_name_and_all_tabs_are_seen_in_a_narrow_view(
    open_lab: Callable[..., Lab], lab: Server, nasty_channel: str
) -> None:
    assert len(LONG) == 64
    namespace = "a-namespace-with-a-long-name"
    lab.wait(lab.submit(f"name: {LONG}\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n", namespace))
    tab = open_lab(width=890)
    shown(tab.row(LONG))
    expect(tab.row(LONG).locator(".jp-EnvStore-name").first).to_have_attribute("title", f"{namespace}/{LONG}\n")
    tab.open(LONG, "builds")
    shown(tab.view.get_by_role("cell", name="first build").first)
    heading = tab.view.get_by_role("heading", level=2)
    expect(heading).to_have_text(f"{namespace} / {LONG}")
    assert heading.evaluate(
        "node => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight + 1"
    )
    area = tab.view.bounding_box()
    assert area
    assert 540 < area["width"] < 580
    for inside in (heading, tab.view.get_by_role("tab", name="Packages"), tab.view.get_by_role("tab", name="Access")):
        box = inside.bounding_box()
        assert box
        assert box["x"] >= area["x"]
        assert box["x"] + box["width"] <= area["x"] + area["width"]
    more = tab.view.get_by_role("button", name="More for build 1").bounding_box()
    log = tab.view.get_by_role("row", name="first build").get_by_role("button", name="Log").bounding_box()
    assert more
    assert log
    assert abs(more["y"] - log["y"]) < 12, "the buttons of a row stand above each other"
    tab.picture("narrow-long-name")
    lab.data("DELETE", f"environment/{namespace}/{LONG}/")
