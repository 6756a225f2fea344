"""Who may do what over HTTP: a table of all routes; tokens; other sites; the server's own Authorizer."""

from __future__ import annotations

import base64
import re
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from jupyter_envstore.policy.access import ROLES
from tests.server.live import MASTER, Server, check_answer, document

# What each verb of each path needs; the empty text: anybody; "login": to be known; "link": a share link's token;
# "*": on everything.
TABLE = {
    "GET /": "",
    "GET /permission/": "",
    "GET /roles/": "",
    "GET /openapi.json": "",
    "GET /channel/": "",
    "GET /usage/": "",
    "GET /namespace/": "",
    "GET /environment/": "",
    "GET /build/": "",
    "GET /changes/": "",
    "GET /kernel/": "login",
    "GET /token/": "login",
    "POST /token/": "login",
    "POST /token/kernel/": "login",
    "DELETE /token/{token_id}/": "login",
    "GET /search/{package}/": "login",
    "GET /package/": "login",
    "POST /package/kept/": "login",
    "GET /newest/": "login",
    "GET /space/": "login",
    "POST /space/": "* setting::update",
    "GET /audit/": "* setting::update",
    "GET /setting/": "* setting::read",
    "PUT /setting/": "* setting::update",
    "GET /setting/{namespace}/": "setting::read",
    "PUT /setting/{namespace}/": "setting::update",
    "GET /setting/{namespace}/{name}/": "setting::read",
    "PUT /setting/{namespace}/{name}/": "setting::update",
    "GET /namespace/{namespace}/": "namespace::read",
    "POST /namespace/{namespace}/": "namespace::create",
    "PUT /namespace/{namespace}/": "namespace::update",
    "DELETE /namespace/{namespace}/": "namespace::delete",
    "PUT /namespace/{namespace}/metadata": "namespace::update",
    "GET /namespace/{namespace}/roles": "namespace-role-mapping::read",
    "DELETE /namespace/{namespace}/roles": "namespace-role-mapping::delete",
    "GET /namespace/{namespace}/role": "namespace-role-mapping::read",
    "POST /namespace/{namespace}/role": "namespace-role-mapping::create",
    "PUT /namespace/{namespace}/role": "namespace-role-mapping::update",
    "DELETE /namespace/{namespace}/role": "namespace-role-mapping::delete",
    "GET /environment/{namespace}/{name}/": "environment::read",
    "PUT /environment/{namespace}/{name}/": "environment::update",
    "DELETE /environment/{namespace}/{name}/": "environment::delete",
    "POST /environment/{namespace}/{name}/bring/": "environment::read",
    "POST /environment/{namespace}/{name}/clone/": "environment:create",
    "POST /environment/{namespace}/{name}/record/": "environment:create",
    "POST /environment/{namespace}/{name}/undelete/": "environment::delete",
    "GET /environment/{namespace}/{name}/share/": "environment::read",
    "POST /environment/{namespace}/{name}/share/": "environment::read",
    "DELETE /environment/{namespace}/{name}/share/{token_id}/": "environment::read",
    "GET /shared/": "link",
    "GET /environment/{namespace}/{name}/lockfile/": "environment::read",
    "HEAD /environment/{namespace}/{name}/lockfile/": "environment::read",
    "GET /environment/{namespace}/{name}/conda-lock.yml": "environment::read",
    "HEAD /environment/{namespace}/{name}/conda-lock.yml": "environment::read",
    "GET /environment/{namespace}/{name}/conda-lock.yaml": "environment::read",
    "HEAD /environment/{namespace}/{name}/conda-lock.yaml": "environment::read",
    "POST /specification/": "environment:create",
    "GET /specification/": "environment::solve",
    "POST /specification/check/": "environment::solve",
    "POST /specification/edit/": "environment::solve",
    "POST /solve/": "environment::solve",
    "GET /module/{module}/": "login",
    "POST /notebook/": "login",
    "POST /notebook/build/": "environment:create",
    "POST /notebook/elsewhere/": "login",
    "GET /record/{digest}/": "login",
    "GET /build/{build_id}/": "environment::read",
    "PUT /build/{build_id}/": "environment::update",
    "DELETE /build/{build_id}/": "build::delete",
    "PUT /build/{build_id}/cancel/": "build::cancel",
    "GET /build/{build_id}/restore/": "environment::read",
    "POST /build/{build_id}/restore/": "environment::update",
    "GET /build/{build_id}/packages/": "environment::read",
    "PUT /build/{build_id}/pin/": "environment::update",
    "GET /build/{build_id}/bond/": "environment::read",
    "POST /build/{build_id}/script-block/": "environment::read",
    "GET /build/{build_id}/keep/": "environment::read",
    "PUT /build/{build_id}/keep/": "environment::update",
    "POST /build/{build_id}/pack-away/": "build::delete",
    "POST /build/{build_id}/kernel/": "environment::read",
    "GET /build/{build_id}/about/{package}/": "environment::read",
    "GET /build/{build_id}/contents/": "environment::read",
    "GET /build/{build_id}/progress/": "environment::read",
    "GET /build/{build_id}/diff/{other_id}/": "environment::read",
    "GET /build/{build_id}/artifacts/": "environment::read",
    "GET /build/{build_id}/artifacts/{kind}/": "environment::read",
    "POST /build/{build_id}/artifacts/{kind}/": "environment::update",
    "GET /build/{build_id}/logs/": "environment::read",
    "HEAD /build/{build_id}/logs/": "environment::read",
    **{
        f"{verb} /build/{{build_id}}/{path}": "environment::read"
        for verb in ("GET", "HEAD")
        for path in (
            "yaml/", "explicit/", "lockfile/", "conda-lock.yml", "conda-lock.yaml", "archive/", "installer/", "docker/",
            "artifacts/{kind}/file/",
        )
    },
}  # fmt: skip
BODIES = {
    "POST /specification/": {"namespace": "locked", "specification": "name: x\nchannels: [a]\ndependencies: [b]"},
    "POST /specification/check/": {"namespace": "locked", "specification": "dependencies: [b]"},
    "POST /specification/edit/": {"specification": "dependencies: [b]", "add": ["c"]},
    "POST /solve/": {"namespace": "locked", "specification": "dependencies: [b]\nchannels: ['file:///nowhere']"},
    "POST /environment/{namespace}/{name}/clone/": {"name": "target"},
    "POST /environment/{namespace}/{name}/record/": {"envstore": {"version": 0}, "built_on": "2026-01-31"},
    "POST /environment/{namespace}/{name}/share/": {"expiration": "2001-01-01T00:00:00Z"},
    "POST /notebook/build/": {"namespace": "locked", "name": "target", "envstore": {"version": 0}},
    "PUT /namespace/{namespace}/metadata": {"a": []},
    "POST /namespace/{namespace}/role": {"other_namespace": "x", "role": "king"},
    "PUT /namespace/{namespace}/role": {"other_namespace": "x", "role": "king"},
    "DELETE /namespace/{namespace}/role": {"other_namespace": "x", "role": "viewer"},
    "POST /token/": {"name": "x", "expiration": "2001-01-01T00:00:00Z"},
    "POST /token/kernel/": {"hours": 0},
    "POST /package/kept/": {"sha256": ["0" * 64]},
}
"""Bodies that let the permission be asked for, and change nothing where it is given."""
PEOPLE: dict[str, dict[str, list[str]] | None] = {
    "nobody": None,
    "stranger": {"elsewhere/*": ["admin"]},
    "viewer": {"locked/*": ["viewer"]},
    "developer": {"locked/*": ["developer"]},
    "admin": {"locked/*": ["admin"]},
    "narrow": {"locked/other": ["admin"]},
}


def test_the_table_has_every_route_and_verb() -> None:
    described = {
        f"{verb.upper()} {path}"
        for path, verbs in document()["paths"].items()
        for verb in verbs
        if verb in ("get", "head", "post", "put", "delete")
    }
    assert described == set(TABLE)


@pytest.fixture(scope="module")
def locked(server: Server, nasty_channel: str) -> int:
    """A build in namespace ``locked``, environment ``target``; none of the people is admin of everything."""
    build_id = server.submit(f"name: target\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", "locked")
    server.wait(build_id)
    server.data("PUT", "setting/locked/", json={"conda_allowed_channels": [nasty_channel]})
    return build_id


@pytest.fixture(scope="module")
def tokens(server: Server, locked: int) -> dict[str, str | None]:
    assert locked
    return {name: server.token(bindings) if bindings else None for name, bindings in PEOPLE.items()}


def expected(who: str, needed: str) -> bool:
    """Whether the table lets ``who`` do it on ``locked/target``."""
    if not needed:
        return True
    if who == "nobody":
        return False
    if needed == "login":
        return True
    if needed.startswith(("*", "link")) or who in ("stranger", "narrow"):
        return needed == "namespace::read" and who == "narrow"
    role = {"viewer": "viewer", "developer": "developer", "admin": "admin"}[who]
    return needed in ROLES[role]


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(
    "line",
    [
        line
        for line in TABLE
        if not line.endswith(("DELETE /environment/{namespace}/{name}/", "DELETE /namespace/{namespace}/roles"))
    ],
)
def test_each_route_lets_in_who_may_and_nobody_else(
    server: Server, locked: int, tokens: dict[str, str | None], who: str, line: str
) -> None:
    verb, template = line.split(" ")
    values = {"namespace": "locked", "name": "target", "build_id": locked, "other_id": locked, "token_id": 999_999,
              "kind": "nonsense", "package": "x", "module": "x", "digest": "0"}  # fmt: skip
    path = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template).lstrip("/")
    body: Any = BODIES.get(line, {})
    if line == "PUT /build/{build_id}/" and expected(who, TABLE[line]):
        return  # it would make a build; others do so
    answer = server.ask(verb, path, tokens[who], check=False, json=None if verb in ("GET", "HEAD") else body)
    check_answer(verb, path, answer)
    if line in ("GET /specification/", "POST /specification/edit/") and who in ("narrow", "stranger"):
        assert answer.status_code not in (401, 403)  # they may solve somewhere, and nothing is kept of it
    elif expected(who, TABLE[line]):
        assert answer.status_code not in (401, 403), answer.text
    else:
        hidden = "{build_id}" in line and not expected(who, "environment::read")
        assert answer.status_code == (401 if who == "nobody" else 404 if hidden else 403), answer.text


def test_listings_hold_only_what_the_caller_may_see(server: Server, locked: int, tokens: dict[str, str | None]) -> None:
    for who, sees in {"nobody": False, "stranger": False, "viewer": True, "narrow": False}.items():
        token = tokens[who]
        names = {row["name"] for row in server.ask("GET", "environment/", token).json()["data"]}
        assert names == ({"target"} if sees else set()), who
        builds = {row["id"] for row in server.ask("GET", "build/", token).json()["data"]}
        assert builds == ({locked} if sees else set()), who
        spaces = {row["name"] for row in server.ask("GET", "namespace/", token).json()["data"]}
        assert spaces == ({"locked"} if sees or who == "narrow" else set()), who
        usage = server.data("GET", "usage/", token)
        assert set(usage) == spaces
    permissions = server.data("GET", "permission/", tokens["developer"])
    assert set(permissions["entity_permissions"]["locked/*"]) == ROLES["developer"]


def test_what_cannot_be_done_twice_is_done_by_admins_alone(
    server: Server, tokens: dict[str, str | None], nasty_channel: str
) -> None:
    text = f"name: gone\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    body = {"namespace": "locked", "specification": text}
    server.data("POST", "specification/", tokens["developer"], json=body)
    for who in ("nobody", "stranger", "viewer", "developer", "narrow"):
        status = server.ask("DELETE", "environment/locked/gone/", tokens[who]).status_code
        assert status == (401 if who == "nobody" else 403), who
        status = server.ask("DELETE", "namespace/locked/roles", tokens[who]).status_code
        assert status == (401 if who == "nobody" else 403), who
    assert server.ask("DELETE", "environment/locked/gone/", tokens["admin"]).ok
    for who in ("nobody", "stranger", "viewer", "developer", "narrow"):
        status = server.ask("POST", "environment/locked/gone/undelete/", tokens[who]).status_code
        assert status == (401 if who == "nobody" else 403), who
    assert server.data("POST", "environment/locked/gone/undelete/", tokens["admin"]) == {"builds": 1}
    answer = server.ask("POST", "environment/locked/gone/undelete/", tokens["admin"], check=False)
    assert (answer.status_code, "can come back" in answer.text) == (404, True)
    assert server.ask("DELETE", "environment/locked/gone/?now=true", tokens["admin"]).ok
    assert server.ask("POST", "environment/locked/gone/undelete/", tokens["admin"]).status_code == 404
    assert server.ask("DELETE", "namespace/locked/roles", tokens["admin"]).ok


def test_a_new_namespace_needs_its_own_permission(server: Server) -> None:
    token = server.token({"fresh/*": ["developer"]})
    body = {"namespace": "fresh", "specification": "name: x\nchannels: [a]\ndependencies: [b]"}
    answer = server.ask("POST", "specification/", token, json=body)
    assert answer.status_code == 403
    assert "there is no namespace fresh" in answer.json()["message"]
    assert "namespace::create" in answer.json()["message"]


def test_nobody_raises_themselves_by_a_role_mapping(server: Server, tokens: dict[str, str | None]) -> None:
    body = {"role_mappings": {"*/*": ["admin"]}}
    assert server.ask("PUT", "namespace/locked/", tokens["admin"], json=body).status_code == 403
    assert server.ask("PUT", "namespace/locked/", tokens["admin"], json={"role_mappings": {"locked/*": ["admin"]}}).ok
    server.data("PUT", "namespace/locked/", json={"role_mappings": {}})


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_comes_in_three_kinds_of_headers(server: Server) -> None:
    token = server.token({"team/*": ["viewer"]})
    basic = base64.b64encode(f"anybody:{token}".encode()).decode()
    for header in (f"Bearer {token}", f"bearer {token}", f"token {token}", f"Basic {basic}"):
        answer = server.ask("GET", "permission/", None, headers={"Authorization": header})
        assert answer.json()["data"]["authenticated"], header


def test_a_token_is_shown_once_kept_as_its_hash_and_revoked(server: Server) -> None:
    made = server.data("POST", "token/", json={"name": "mine", "role_bindings": {"team/*": ["viewer"]}})
    token = made["token"]
    listed = next(row for row in server.data("GET", "token/") if row["id"] == made["id"])
    assert "token" not in listed
    assert listed["prefix"] == token[:10]
    assert server.ask("GET", "environment/team/data/", token).ok
    database = b"".join(path.read_bytes() for path in server.root.glob("envstore.sqlite*"))
    assert token.encode() not in database
    assert token not in server.log.read_text()
    server.data("DELETE", f"token/{made['id']}/")
    answer = server.ask("GET", "environment/team/data/", token)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert server.ask("DELETE", f"token/{made['id']}/").status_code == 404


@pytest.mark.parametrize("header", ["token wrong", "Bearer wrong", "Basic eDp5", "Nonsense"])
def test_a_wrong_token_is_told_and_not_taken_for_nobody(server: Server, header: str) -> None:
    answer = server.ask("GET", "environment/", None, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_token_ends(server: Server) -> None:
    ends = datetime.now(timezone.utc) + timedelta(seconds=1.5)
    token = server.token({"team/*": ["viewer"]}, expiration=ends.isoformat())
    assert server.data("GET", "permission/", token)["expiration"].endswith("Z")
    time.sleep(2)
    assert server.ask("GET", "permission/", token).status_code == 401


@pytest.mark.parametrize("token", ["es_", "es_unknown", "es_" + "x" * 5000, "es_ünïcode", "es_%00"])
def test_a_malformed_token_is_nobodys(server: Server, token: str) -> None:
    answer = server.ask("GET", "environment/", None, headers={"Authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401


def test_a_token_is_never_wider_than_its_maker(server: Server) -> None:
    ends = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    token = server.token({"team/*": ["developer"]}, expiration=ends)
    for body in (
        {"role_bindings": {"team/*": ["admin"]}},
        {"role_bindings": {"*/*": ["viewer"]}},
        {"role_bindings": {"team/*": ["viewer"]}, "expiration": "2999-01-01T00:00:00Z"},
        {"primary_namespace": "other"},
    ):
        assert server.ask("POST", "token/", token, json=body).status_code == 400, body
    child = server.data("POST", "token/", token, json={})
    assert child["role_bindings"] == {"team/*": ["developer"]}
    assert child["expiration"] is not None
    assert server.ask("GET", "environment/locked/target/", child["token"]).status_code == 403
    narrow = server.data("POST", "token/", token, json={"role_bindings": {"team/data": ["viewer"]}, "exp": None})
    assert server.ask("PUT", f"build/{server.build_id}/", narrow["token"]).status_code == 403
    listed = {row["id"] for row in server.data("GET", "token/", narrow["token"])}
    assert narrow["id"] in listed
    assert child["id"] not in listed  # wider than the token that asks
    assert server.ask("DELETE", f"token/{child['id']}/", narrow["token"]).status_code == 404
    assert server.ask("DELETE", f"token/{narrow['id']}/", narrow["token"]).ok


def test_our_tokens_give_nothing_on_jupyters_other_routes(server: Server) -> None:
    token = server.token({"*/*": ["admin"]})
    for path in ("api/contents", "api/kernels", "api/kernelspecs", "api/sessions", "files/x"):
        answer = requests.get(
            f"{server.origin}/{path}", headers={"Authorization": f"token {token}"}, timeout=10, allow_redirects=False
        )
        assert answer.status_code in (302, 403), path


# -- cookies and other sites -------------------------------------------------------------------------------------------


def log_in(server: Server) -> requests.Session:
    """Return a browser's session: cookies, no token."""
    session = requests.Session()
    session.get(f"{server.origin}/login", timeout=10)
    answer = session.post(
        f"{server.origin}/login?next=/", data={"password": MASTER, "_xsrf": session.cookies["_xsrf"]}, timeout=10,
        allow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 302
    return session


def test_a_cookie_needs_the_xsrf_token_for_what_changes_something(server: Server) -> None:
    session = log_in(server)
    url = f"{server.api}token/"
    assert session.get(url, timeout=10).ok
    body = {"name": "by cookie", "role_bindings": {"team/*": ["viewer"]}}
    refused = session.post(url, json=body, timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert session.post(url, json=body, headers={"X-XSRFToken": session.cookies["_xsrf"]}, timeout=10).ok


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Referer": "https://evil.example/page"},
    ],
)
def test_a_cookie_from_another_site_gets_nothing(server: Server, headers: dict[str, str]) -> None:
    session = log_in(server)
    for path in (f"build/{server.build_id}/yaml/", "specification/?conda=python", "environment/"):
        answer = session.get(server.api + path, headers=headers, timeout=30)
        assert answer.status_code in (403, 404), (path, answer.text[:200])
    token = server.token({"team/*": ["viewer"]})
    answer = server.ask("GET", f"build/{server.build_id}/yaml/", token, headers=headers)
    assert answer.ok  # a header comes from nobody's page by accident


def test_the_page_of_tokens_asks_for_a_login_and_shows_no_token(server: Server) -> None:
    assert requests.get(f"{server.origin}/envstore/tokens", timeout=10, allow_redirects=False).status_code == 302
    page = log_in(server).get(f"{server.origin}/envstore/tokens", timeout=10)
    assert page.ok
    assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]
    assert MASTER not in page.text


def test_what_nobody_sends_is_not_even_read(server: Server) -> None:
    for path in ("specification/", "solve/", "specification/check/", "specification/edit/"):
        assert server.ask("POST", path, None, data=b"{not json").status_code == 401, path


def test_the_default_namespace_holds_at_once(server: Server) -> None:
    server.data("PUT", "setting/", json={"default_namespace": "elsewhere"})
    deadline = time.monotonic() + 3
    while server.data("GET", "permission/")["primary_namespace"] != "elsewhere":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server.data("PUT", "setting/", json={"default_namespace": "default"})
    while server.data("GET", "permission/")["primary_namespace"] != "default":
        time.sleep(0.1)


def test_a_deletion_is_told_to_who_could_see_that_environment_alone(server: Server, nasty_channel: str) -> None:
    server.wait(server.submit(f"name: one\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", "exact"))
    token = server.token({"exact/one": ["viewer"]})
    since = server.data("GET", "changes/", token)["revision"]
    server.data("DELETE", "environment/exact/one/")
    changed = server.data("GET", f"changes/?since={since}", token)["environments"]
    assert [(row["name"], row["deleted"]) for row in changed] == [("one", True)]
