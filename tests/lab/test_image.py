"""The Docker image of a build: made, addressed, pulled, downloaded, all from the panel."""

from __future__ import annotations

import hashlib

import requests
from playwright.sync_api import expect

from tests.lab.conftest import Lab, shown
from tests.server.live import MASTER, Server


def test_an_image_is_made_and_its_address_pulls_it(tab: Lab, lab: Server, example: int) -> None:
    tab.open("data", "artifacts")
    row = tab.view.locator("[data-type=docker]")
    row.get_by_role("button", name="Make now").click()
    shown(tab.button("show-docker"), 60_000)
    tab.button("show-docker").click()
    address = tab.view.get_by_test_id("envstore:image-address").locator("code").first
    shown(address)
    key = lab.data("GET", f"build/{example}/")["build_key"]
    expect(address).to_have_text(f"127.0.0.1:{lab.port}/team/data:{key}")
    expect(row).to_contain_text(f"docker run --rm -it 127.0.0.1:{lab.port}/team/data:{key}")
    tab.view.get_by_role("button", name="Make a token… ↗").scroll_into_view_if_needed()
    tab.picture("image")
    tab.check_accessibility(".jp-EnvStore-artifacts")
    name, _, tag = (address.text_content() or "").partition("/")[2].partition(":")
    manifest = requests.get(f"{lab.origin}/v2/{name}/manifests/{tag}", auth=("x", MASTER), timeout=10)
    (state,) = (item for item in lab.data("GET", f"build/{example}/artifacts/") if item["type"] == "docker")
    assert hashlib.sha256(manifest.content).hexdigest() == state["sha256"]
    with tab.page.expect_download() as download:
        tab.button("download-docker").click()
    assert download.value.suggested_filename == "data.oci.tar"
    tab.button("show-docker").click()
    expect(address).to_have_count(0)
