"""An artifact that another package makes, in the panel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.lab.conftest import LAB, Lab
from tests.other_makers import python_with_makers
from tests.server.live import Server


def test_it_is_shown_and_downloaded(
    open_lab: Callable[..., Lab],
    make_server: Callable[..., Server],
    nasty_channel: str,
    base: Path,
    tmp_path: Path,
) -> None:
    at_once = 'del c.EnvStoreApp.default_settings["artifacts_at_once"]\n'  # what makers say holds
    server = make_server(LAB.format(channel=nasty_channel, base=base) + at_once, python_with_makers(tmp_path))
    server.wait(server.submit(f"name: named\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"))
    tab = open_lab(server)
    tab.open("named", "artifacts")
    row = tab.view.locator("[data-type=names]")
    expect(row).to_contain_text("list of names")
    step = tab.view.locator(".jp-EnvStore-steps li").filter(has_text="Make list of names")
    step.locator("summary").click()
    expect(step.locator("pre")).to_contain_text("Make list of names: done in")
    tab.check_accessibility(".jp-EnvStore-artifactsTab")
    with tab.page.expect_download() as download:
        tab.button("download-names").click()
    assert download.value.suggested_filename.endswith("-names.txt")
    download.value.save_as(tmp_path / "names.txt")
    assert (tmp_path / "names.txt").read_text() == "nasty-text\n"
