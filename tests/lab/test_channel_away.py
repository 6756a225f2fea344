"""The first run on a server that cannot reach its channel: what cannot work says so, and the way out is at hand."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.lab.conftest import LAB, Lab, shown
from tests.server.live import Server

AWAY = "http://127.0.0.1:9/away"
"""The port of a service (discard) that no machine offers any more."""


def test_a_first_run_without_the_channel_begins_with_a_mirror(
    open_lab: Callable[..., Lab], make_server: Callable[[str], Server], channel: str
) -> None:
    tab = open_lab(make_server(LAB.format(channel=AWAY, base="/nowhere")))
    shown(tab.sidebar.get_by_text("away cannot be reached from this server."))
    example = tab.button("create-example")
    expect(example).to_be_disabled()
    expect(example).to_have_attribute("title", "Its packages cannot be downloaded: see below")
    tab.picture("empty-away")
    tab.check_accessibility("#jp-envstore-panel")

    tab.button("new").first.click()
    tab.view.get_by_test_id("envstore:new-name").fill("first")
    shown(tab.view.get_by_test_id("envstore:set-channel"))
    tab.picture("create-away")
    tab.view.get_by_test_id("envstore:set-channel").click()
    dialog = tab.page.get_by_role("dialog")
    field = dialog.get_by_role("textbox")
    expect(field).to_have_value(AWAY)
    field.fill("ftp://mirror.example/c")
    dialog.get_by_role("button", name="Set").click()
    shown(dialog.get_by_role("alert"))
    expect(field).to_have_value("ftp://mirror.example/c")
    tab.picture("mirror-refused")
    field.fill(channel.removeprefix("file://"))
    dialog.get_by_role("button", name="Set").click()
    shown(tab.view.get_by_text("Fits, found in"))
    tab.view.get_by_role("button", name="Cancel").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    tab.sidebar.get_by_role("button", name="Try again").click()
    shown(tab.sidebar.get_by_text("channel can be reached"))
    expect(example).to_be_enabled()
