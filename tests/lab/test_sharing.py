"""A link that shares an environment: made in JupyterLab, opened in a browser that is not logged in."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.lab.conftest import PICTURES, Lab, shown
from tests.server.live import Server


def test_a_link_is_made_and_shows_the_environment_to_whoever_has_it(
    browser: Browser, tab: Lab, lab: Server, example: int, tmp_path: Path
) -> None:
    tab.row("data").click(button="right")
    tab.page.get_by_role("menuitem", name="Share…").click()
    dialog = tab.page.locator(".jp-Dialog")
    shown(dialog.get_by_text("Everybody who has the link can look at the active build of this environment"))
    dialog.get_by_test_id("envstore:share-days").select_option("30 days")
    tab.picture("share")
    tab.check_accessibility(".jp-Dialog-content")
    dialog.get_by_role("button", name="Make link").click()
    shown(dialog.get_by_text("it is shown this once"))
    tab.picture("share-link")
    link = dialog.locator("code").first.text_content() or ""
    expect(dialog.locator("code").nth(1)).to_have_text(f"jupyter envstore import '{link}'")
    shown(dialog.get_by_text("This address works on the machine of the server alone."))
    dialog.get_by_role("button", name="Copy: Open in a browser").click()
    dialog.get_by_role("button", name="Close").click()

    context = browser.new_context(viewport={"width": 1000, "height": 700}, accept_downloads=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{link}?from=mail")  # what mail programs and chats add
    shown(page.get_by_role("heading", name="team/data"))
    expect(page.locator("#description")).to_have_text("For the team")
    expect(page.locator("#about")).to_have_text(re.compile(r"Build \d+ of .*\. Shared by .*\. The link ends on"))
    expect(page.locator("#commands")).to_contain_text(f"echo '{link}' | jupyter envstore import -")
    expect(page.locator("#commands")).to_contain_text("conda-lock install -n data conda-lock.yml")
    assert not Axe().run(page).response["violations"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1000, 420):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=PICTURES / f"shared-{scheme}-{width}.png")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download conda-lock.yml").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    artifacts = {item["type"]: item["sha256"] for item in lab.data("GET", f"build/{example}/artifacts/")}
    assert hashlib.sha256(path.read_bytes()).hexdigest() == artifacts["lockfile"]

    (made,) = lab.data("GET", "environment/team/data/share/")
    tab.row("data").click(button="right")
    tab.page.get_by_role("menuitem", name="Share…").click()
    shown(dialog.get_by_text("Links that work now"))
    expect(dialog.get_by_role("listitem")).to_contain_text(f"{made['prefix']}… by {made['username']}, ends on")
    expect(dialog.get_by_role("listitem")).to_contain_text("last used on")
    tab.picture("share-again")
    tab.check_accessibility(".jp-Dialog-content")
    dialog.get_by_role("button", name=f"Revoke the link {made['prefix']}…").click()
    shown(dialog.get_by_text("No link works now"))
    dialog.get_by_role("button", name="Cancel").click()
    assert lab.data("GET", "environment/team/data/share/") == []
    page.reload()
    shown(page.get_by_text("This link does not work: the link is not known, or was revoked; ask for another."))
    page.goto(link[:-3])
    shown(page.get_by_text("This link does not work: it is not complete; copy all of it, or ask for another."))
    page.goto(f"{lab.origin}/envstore/shared/")
    shown(page.get_by_text("The link is not complete"))
    context.close()
    assert errors == []
