"""The installer of a build: made and downloaded from the panel, and run."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from jupyter_envstore.engine.prefix import remove_tree
from tests.lab.conftest import Lab, shown
from tests.server.live import Server


def test_an_installer_is_made_downloaded_and_run(tab: Lab, lab: Server, example: int, tmp_path: Path) -> None:
    tab.open("data", "artifacts")
    row = tab.view.locator("[data-type=installer]")
    expect(row).to_contain_text("one file to run; a network is not needed")
    row.get_by_role("button", name="Make now").click()
    shown(tab.button("download-installer"), 60_000)
    row.locator("summary").click()
    expect(row).to_contain_text("sh data-linux-64.sh -b -p ~/data")
    expect(row).to_contain_text("maker self-extracting")
    row.scroll_into_view_if_needed()
    tab.picture("installer")
    tab.check_accessibility(".jp-EnvStore-artifacts")
    with tab.page.expect_download() as download:
        tab.button("download-installer").click()
    assert download.value.suggested_filename == "data-linux-64.sh"
    path = tmp_path / "data.sh"
    download.value.save_as(path)
    (state,) = (item for item in lab.data("GET", f"build/{example}/artifacts/") if item["type"] == "installer")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == state["sha256"]
    answer = lab.ask("GET", f"build/{example}/installer/")
    assert answer.headers["Content-Type"] == "application/x-sh"
    folder = Path(tempfile.mkdtemp(prefix="es-i-"))
    subprocess.run(["/bin/sh", str(path), "-b", "-p", f"{folder}/data"], check=True, capture_output=True, env={})
    code = "import pandas; print(pandas.__name__)"
    done = subprocess.run([f"{folder}/data/bin/python", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "pandas\n"
    remove_tree(folder)
