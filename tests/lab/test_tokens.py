"""The page of tokens, in a browser without JupyterLab."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from playwright.sync_api import Browser, expect

from tests.lab.conftest import PICTURES, shown
from tests.server.live import MASTER, Server


def test_a_token_is_made_copied_and_revoked_and_one_that_ended_is_marked(browser: Browser, lab: Server) -> None:
    ends = datetime.now(timezone.utc) + timedelta(seconds=1)
    lab.token({"team/*": ["viewer"]}, name="short", expiration=ends.isoformat())
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{lab.origin}/envstore/tokens?token={MASTER}")
    page.get_by_label("Name").fill("pull images")
    page.get_by_label("May").select_option("look and download")
    page.get_by_label("In", exact=True).fill("team/*")
    page.get_by_role("button", name="Make token").click()
    shown(page.get_by_text("Copy it now"))
    page.get_by_role("button", name="Copy", exact=True).click()
    shown(page.get_by_role("button", name="Copied"))
    token = page.evaluate("navigator.clipboard.readText()")
    assert lab.data("GET", "permission/", token)["entity_permissions"].keys() >= {"team/*"}
    row = page.get_by_role("row").filter(has_text="pull images")
    expect(row).to_contain_text("viewer on team/*")
    expect(row).to_contain_text(token[:10])
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"tokens-{scheme}.png")
    page.wait_for_timeout(max(0.0, (ends - datetime.now(timezone.utc)) / timedelta(milliseconds=1)))
    page.reload()
    ended = page.get_by_role("row").filter(has_text="short")
    expect(ended).to_contain_text("ended")
    ended.get_by_role("button", name="Remove short").click()
    expect(ended).to_have_count(0)
    row.get_by_role("button", name="Revoke pull images").click()
    expect(row).to_have_count(0)
    assert lab.ask("GET", "permission/", token).status_code == 401
    context.close()
    assert errors == []
