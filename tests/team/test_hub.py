"""The store of a JupyterHub: who its people are, what groups have, what people lose; browsers; a hub that is away."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import PYTHON
from tests.lab.conftest import FLAGS, PROGRAM
from tests.lab.page import PICTURES
from tests.server.live import MASTER, check_answer
from tests.server.test_access import BODIES, TABLE
from tests.team.live import SECONDS, Hub


def text(channel: str, name: str = "x", packages: str = "nasty-text") -> str:
    return f"name: {name}\nchannels: [{channel}]\ndependencies: [{packages}]"


def until(condition: Callable[[], bool], seconds: float = SECONDS + 5) -> None:
    """Wait until something is so; it must be within the time that what the hub said counts."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(scope="module")
def tokens(hub: Hub) -> dict[str, str]:
    """Tokens of the hub: of two members of the group ``data``, of one admin, and of one who is neither."""
    return {name: hub.person(name) for name in ("jo", "kim", "boss", "stranger")}


@pytest.fixture(scope="module")
def shared(hub: Hub, tokens: dict[str, str], channel: str) -> int:
    """``data/x``, built by one member of the group."""
    build = hub.submit(text(channel, "x", f"python={PYTHON}, ipykernel"), "data", tokens["jo"])
    hub.wait(build)
    return build


def test_a_group_has_a_namespace_that_its_members_share(hub: Hub, tokens: dict[str, str], shared: int) -> None:
    assert hub.data("GET", f"build/{shared}/")["status"] == "COMPLETED"
    for who in ("jo", "kim", "boss"):
        names = {f"{row['namespace']['name']}/{row['name']}" for row in hub.data("GET", "environment/", tokens[who])}
        assert "data/x" in names, who
    assert hub.data("GET", "environment/", tokens["stranger"]) == []
    assert hub.data("GET", "permission/", tokens["jo"])["primary_namespace"] == "jo"
    assert hub.ask("PUT", "setting/data/", tokens["kim"], json={"add_ipykernel": True}).status_code == 403
    assert hub.ask("PUT", "setting/data/", tokens["boss"], json={"add_ipykernel": False}).ok


@pytest.mark.parametrize("line", TABLE)
def test_the_stranger_sees_nothing_through_the_hub(hub: Hub, tokens: dict[str, str], shared: int, line: str) -> None:
    verb, template = line.split(" ")
    if template == "/openapi.json":  # it is the same for everybody
        return
    values = {"namespace": "data", "name": "x", "build_id": shared, "other_id": shared, "token_id": 999_999,
              "kind": "nonsense", "package": "x", "module": "x", "digest": "0"}  # fmt: skip
    path = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template).lstrip("/")
    body: Any = BODIES.get(line, {})
    if isinstance(body, dict) and body.get("namespace") == "locked":
        body = {**body, "namespace": "data"}
    answer = hub.ask(verb, path, tokens["stranger"], check=False, json=None if verb in ("GET", "HEAD") else body)
    check_answer(verb, path, answer)
    own = {"GET /specification/", "POST /specification/edit/"}  # they may solve in their own namespace
    if TABLE[line] in ("", "login") or line in own:
        assert "data/x" not in answer.text and '"data"' not in answer.text.replace('"data":', "")
    else:
        assert answer.status_code == (404 if "{build_id}" in line else 403), answer.text


def test_tokens_of_the_store_are_worth_what_the_hub_says_now(
    hub: Hub, tokens: dict[str, str], shared: int, nasty_channel: str
) -> None:
    hub.hub("POST", "groups/data/users", json={"users": ["stranger"]})
    until(lambda: hub.ask("GET", "environment/data/x/", tokens["stranger"]).ok)
    made = hub.data("POST", "token/", tokens["stranger"], json={"name": "all of mine"})["token"]
    narrow = hub.data("POST", "token/", tokens["stranger"], json={"role_bindings": {"data/*": ["viewer"]}})["token"]
    for token in (made, narrow):
        assert hub.ask("GET", "environment/data/x/", token).ok
    hub.hub("DELETE", "groups/data/users", json={"users": ["stranger"]})
    for token in (tokens["stranger"], made, narrow):
        until(lambda token=token: hub.ask("GET", "environment/data/x/", token).status_code == 403)
    assert hub.ask("GET", f"build/{shared}/", made).status_code == 404
    boss = hub.data("POST", "token/", tokens["boss"], json={})["token"]
    assert hub.ask("GET", "audit/", boss).ok
    hub.hub("PATCH", "users/boss", json={"admin": False})
    until(lambda: hub.ask("GET", "audit/", boss).status_code == 403)
    hub.hub("PATCH", "users/boss", json={"admin": True})
    until(lambda: hub.ask("GET", "audit/", boss).ok)
    hub.person("leaver")
    left = hub.data("POST", "token/", hub.person("leaver"), json={})["token"]
    hub.hub("DELETE", "users/leaver")
    until(lambda: hub.ask("GET", "environment/", left).status_code == 401)
    assert "not known any more" in hub.ask("GET", "environment/", left).json()["message"]


def test_a_person_and_a_group_of_one_name_share_nothing(hub: Hub, nasty_channel: str) -> None:
    ocean = hub.person("ocean")
    build = hub.submit(text(nasty_channel), "ocean", ocean)
    hub.hub("POST", "groups/ocean")
    hub.hub("POST", "groups/ocean/users", json={"users": ["kim"]})
    kim = hub.person("kim")
    until(lambda: any(key.startswith("group-ocean+") for key in permissions(hub, kim)))
    assert hub.ask("GET", "environment/ocean/x/", kim).status_code == 403
    assert hub.ask("GET", f"build/{build}/", kim).status_code == 404
    hub.hub("POST", "groups/river")
    hub.hub("POST", "groups/river/users", json={"users": ["kim"]})
    until(lambda: "river/*" in permissions(hub, kim))
    river = hub.person("river")
    own = hub.data("GET", "permission/", river)["primary_namespace"]
    assert own.startswith("river+")
    assert hub.ask("GET", "namespace/river/", river).status_code == 403


def test_groups_and_people_whose_names_are_not_plain_share_nothing(hub: Hub) -> None:
    for name in ("data science", "api", "Team", "x+y"):
        hub.hub("POST", f"groups/{name}")
        hub.hub("POST", f"groups/{name}/users", json={"users": ["kim"]})
    kim = hub.person("kim")
    until(lambda: sum(key.startswith(("group-", "group_")) for key in permissions(hub, kim)) >= 4)
    spaces = {key.split("/")[0] for key in permissions(hub, kim)}
    for name in ("data science", "api", "team", "x+y"):
        own = hub.data("GET", "permission/", hub.person(name))["primary_namespace"]
        assert own not in spaces, name


def test_a_token_ends_with_who_made_it_though_somebody_else_gets_the_name(hub: Hub) -> None:
    old = hub.data("POST", "token/", hub.person("heir"), json={})["token"]
    assert hub.ask("GET", "environment/", old).ok
    hub.hub("DELETE", "users/heir")
    until(lambda: hub.ask("GET", "environment/", old).status_code == 401)
    hub.person("heir")
    until(lambda: "not known any more" not in hub.ask("GET", "environment/", old).json().get("message", ""))
    assert hub.ask("GET", "environment/", old).ok  # within the minute that clocks may differ


def permissions(hub: Hub, token: str) -> set[str]:
    return set(hub.data("GET", "permission/", token)["entity_permissions"])


def test_who_may_not_use_the_service_is_not_let_in(hub: Hub) -> None:
    hub.person("narrow")
    narrow = hub.hub("POST", "users/narrow/tokens", json={"scopes": ["read:users:name!user"]})["token"]
    assert hub.ask("GET", "permission/", narrow).status_code in (401, 403)
    assert hub.ask("GET", "environment/", "0" * 40).status_code == 401


# -- browsers ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("needs the browser chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield started
        started.close()


def logged_in(browser: Browser, hub: Hub, name: str) -> Page:
    """Return the tokens page in a browser of its own, after logging in at the hub."""
    page = browser.new_context(color_scheme="dark" if name == "kim" else "light").new_page()
    log_in(page, f"{hub.place}/tokens", name)
    expect(page.locator("h1")).to_have_text("Tokens")
    return page


def log_in(page: Page, address: str, name: str) -> None:
    """Open a page of the service, which asks the hub who it is."""
    page.goto(address)
    page.fill("#username_input", name)
    page.fill("#password_input", "any")
    page.click("#login_submit")


def test_people_log_in_at_the_hub_and_make_tokens(browser: Browser, hub: Hub, shared: int) -> None:
    pages = {name: logged_in(browser, hub, name) for name in ("jo", "kim")}
    made = {}
    for name, page in pages.items():
        page.fill("#name", f"of {name}")
        page.click("button.main")
        expect(page.locator("#made")).to_be_visible()
        made[name] = page.locator("#text").inner_text()
        expect(page.locator("#list")).to_contain_text(f"of {name}")
        page.reload()
        assert made[name] not in page.content()
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"team-tokens-{name}.png")
        page.goto(f"{hub.place}/start")
        expect(page.locator("main")).to_contain_text("From a program")
        page.screenshot(path=PICTURES / f"team-start-{name}.png")
    assert "of kim" not in pages["jo"].content()
    for name, token in made.items():
        assert hub.data("GET", "permission/", token)["username"] == name
        assert hub.ask("GET", f"build/{shared}/", token).ok
    cookie = pages["jo"].context.request
    listing = cookie.get(f"{hub.api}environment/")
    assert "data" in listing.text()
    refused = cookie.post(f"{hub.api}token/", data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status in (401, 403)
    # another page of the hub's origin, as one that a user's server shows: the cookie alone opens nothing
    here = pages["kim"]
    here.route("**/user/evil/x", lambda route: route.fulfill(body="<h1>hello</h1>", content_type="text/html"))
    here.goto(f"{hub.base}/user/evil/x")
    status = here.evaluate("async url => (await fetch(url)).status", f"{hub.api}token/")
    assert status in (401, 403)
    framed = here.evaluate(
        """async url => {
            const frame = document.createElement('iframe');
            frame.src = url;
            document.body.append(frame);
            await new Promise(done => { frame.onload = done; setTimeout(done, 3000); });
            try { return frame.contentDocument?.title ?? ''; } catch { return 'closed'; }
        }""",
        f"{hub.place}/tokens",
    )
    assert "Tokens" not in framed
    assert cookie.delete(f"{hub.api}environment/data/x/").status in (401, 403)  # no XSRF token


def test_who_is_logged_in_at_one_server_of_the_service_is_at_all_of_them(browser: Browser, hub: Hub) -> None:
    """A server that is started anew stands for another one behind a load balancer: both get what the hub gives."""
    page = logged_in(browser, hub, "jo")
    cookies = {str(cookie["name"]): str(cookie["value"]) for cookie in page.context.cookies(hub.place)}

    def status() -> int:
        return requests.get(f"{hub.place}/tokens", cookies=cookies, allow_redirects=False, timeout=10).status_code

    assert status() == 200
    assert hub.process is not None
    children = psutil.Process(hub.process.pid).children(recursive=True)
    (served,) = [child for child in children if "serve" in child.cmdline()]
    served.terminate()
    served.wait(30)
    until(lambda: status() not in (502, 503), 60)  # the hub starts it again
    assert status() == 200
    assert requests.get(f"{hub.place}/tokens", allow_redirects=False, timeout=10).status_code == 302
    changed = {name: value[:-4] + "0000" for name, value in cookies.items()}
    assert requests.get(f"{hub.place}/tokens", cookies=changed, allow_redirects=False, timeout=10).status_code == 302


NONSENSE = """
import json, sys
from jupyter_envstore.errors import LoginUnavailableError
from jupyter_envstore.server.hub_login import may_use, person_of
for model in (5, None, [], {}, {"name": ""}, {"name": "jo", "groups": "xyz"}, {"name": "jo", "admin": "false"},
              {"name": "jo", "groups": [1]}):
    try:
        person_of(model, True)
    except LoginUnavailableError:
        continue
    sys.exit(f"believed: {model!r}")
assert person_of({"name": "jo", "kind": "service"}, True) is None
jo = person_of({"name": "jo", "groups": ["b", "a"], "admin": True, "created": "2026-01-02T03:04:05.6Z"}, True)
assert (jo.groups, jo.is_admin, jo.since.isoformat()) == (("a", "b"), True, "2026-01-02T03:04:05.600000"), jo
assert may_use(jo, []) and may_use(jo, ["a"]) and not may_use(jo, ["c"])
assert not person_of({"name": "jo", "admin": True}, False).is_admin
"""


def test_a_hub_that_says_nonsense_is_not_believed(hub_python: Path) -> None:
    subprocess.run([hub_python, "-c", NONSENSE], check=True)


def test_the_pages_show_environments_builds_and_artifacts(
    browser: Browser, hub: Hub, shared: int, tokens: dict[str, str], nasty_channel: str
) -> None:
    hub.submit(text(nasty_channel, "broken", "no-such-package"), "data", tokens["jo"])
    errors: list[str] = []
    for wide, scheme in ((1280, "light"), (420, "dark")):
        context = browser.new_context(color_scheme=scheme, viewport={"width": wide, "height": 800})  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda note: errors.append(note.text) if note.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        log_in(page, f"{hub.place}/", "kim")
        expect(page.locator("h1")).to_have_text("Environments")
        expect(page.locator("main")).to_contain_text("You are kim.")
        expect(page.get_by_role("link", name="data/x")).to_be_visible()
        page.screenshot(path=PICTURES / f"team-environments-{scheme}.png")
        assert not Axe().run(page).response["violations"]
        page.fill("[name=search]", "nowhere")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("No environment that you may see has “nowhere” in its name.")
        page.get_by_role("link", name="Show all").click()
        page.get_by_role("link", name="data/x").click()
        expect(page.locator("h2").first).to_contain_text("Build 1, which is active: completed")
        page.get_by_role("link", name="Show lockfile").click()
        page.wait_for_url("**/conda-lock.yml")
        assert "ipykernel" in page.content()
        page.go_back()
        if page.locator("[data-kind=docker] [data-make]").count():
            page.locator("[data-kind=docker] [data-make]").click()
            expect(page.locator("[data-kind=docker]")).to_contain_text("ready", timeout=60_000)
        expect(page.locator("[data-kind=docker] code")).to_contain_text(f"docker pull {hub.registry}/data/x:")
        page.screenshot(path=PICTURES / f"team-environment-{scheme}.png", full_page=True)
        assert not Axe().run(page).response["violations"]
        page.get_by_role("link", name="Show log").click()
        assert "Link packages" in page.content()
        page.goto(f"{hub.place}/environment/data/broken/")
        expect(page.locator(".error").first).to_contain_text("no-such-package", timeout=30_000)
        page.screenshot(path=PICTURES / f"team-failed-{scheme}.png", full_page=True)
        assert errors == []
        page.goto(f"{hub.place}/environment/data/nothing/")
        expect(page.locator("main")).to_contain_text("there is no environment data/nothing")
        page.screenshot(path=PICTURES / f"team-missing-{scheme}.png")
        errors.clear()  # the browser's own note of this status
        context.close()
    address = f"docker://{hub.registry}/data/x"
    for name, is_let_in in (("kim", True), ("stranger", False)):  # with a token of the hub as password
        command = ["skopeo", "inspect", "--tls-verify=false", "--creds", f"any:{tokens[name]}", f"{address}:latest"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) == is_let_in, done.stderr
    stranger = browser.new_context().new_page()
    log_in(stranger, f"{hub.place}/environment/data/x/", "stranger")
    expect(stranger.locator("main")).to_contain_text("stranger lacks the permission environment::read on data/x")
    stranger.goto(f"{hub.place}/")
    expect(stranger.locator("main")).to_contain_text("There is no environment yet that you may see.")


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_while_the_hub_is_away_what_it_said_counts_for_its_time(hub: Hub, tokens: dict[str, str], shared: int) -> None:
    own = hub.data("POST", "token/", tokens["jo"], json={})["token"]
    assert hub.process is not None
    # a hub that hangs holds nobody who does not need it
    hub.process.send_signal(signal.SIGSTOP)
    time.sleep(SECONDS + 0.5)
    with ThreadPoolExecutor(40) as pool:
        headers = [{"Authorization": f"Bearer {token}"} for token in [own] * 20 + [f"{n:040}" for n in range(20)]]
        asked = [pool.submit(requests.get, f"{hub.direct}token/", headers=one, timeout=60) for one in headers]
        time.sleep(0.5)
        started = time.monotonic()
        answer = requests.get(f"{hub.direct}token/", headers={"Authorization": f"Bearer {MASTER}"}, timeout=60)
        assert answer.ok
        assert time.monotonic() - started < 5
        assert {done.result().status_code for done in asked} == {503}
    hub.process.send_signal(signal.SIGCONT)
    until(lambda: hub.ask("GET", f"build/{shared}/", own, check=False).ok, 20)
    for token in (own, tokens["jo"]):
        until(lambda token=token: hub.ask("GET", f"build/{shared}/", token, check=False).ok, 20)
    hub.process.kill()
    hub.process.wait()

    def ask(token: str) -> requests.Response:
        return requests.get(f"{hub.direct}build/{shared}/", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    assert ask(own).ok
    for token in (own, tokens["jo"]):
        until(lambda token=token: ask(token).status_code == 503)
        assert "the JupyterHub does not answer" in ask(token).json()["message"]
    assert ask(MASTER).ok  # tokens of the configuration need no hub
