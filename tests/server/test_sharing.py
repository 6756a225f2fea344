"""Links that share an environment: what they give, and what they do not; brought back by the command line."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.cli.sharing import _shared
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.errors import AuthenticationError, InvalidInputError, NotFoundError
from jupyter_envstore.policy.access import AccessRules, PredefinedToken, token_hash
from jupyter_envstore.spec.share_links import read_share_link, share_link
from tests.helpers import Store
from tests.images.conftest import run
from tests.server.live import Server
from tests.server.test_access import BODIES, TABLE
from tests.server.test_kernels import until

PROGRAM = str(Path(sys.executable).with_name("jupyter-envstore"))


@pytest.fixture(scope="module")
def shared(make_server: Callable[[str], Server], nasty_channel: str) -> Server:
    """A server with two environments in a namespace."""
    found = make_server("")
    for name in ("data", "secret"):
        build = found.submit(f"name: {name}\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]")
        assert found.wait(build)["status"] == "COMPLETED"
        found.builds = {**getattr(found, "builds", {}), name: build}  # type: ignore[attr-defined]
    return found


def share(server: Server, **body: Any) -> dict[str, Any]:
    answer = server.ask("POST", "environment/team/data/share/", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


def test_a_link_gives_the_active_build_of_one_environment_to_look_at(shared: Server) -> None:
    made = share(shared)
    token, build = made["token"], shared.builds["data"]  # type: ignore[attr-defined]
    assert made["link"] == f"{shared.origin}/envstore/shared/#{token}"
    assert (made["kind"], made["role_bindings"], made["reach"]) == ("share", {"team/data": ["viewer"]}, "here")
    ends = datetime.fromisoformat(made["expiration"].replace("Z", "+00:00"))
    assert timedelta(days=6) < ends - datetime.now(timezone.utc) < timedelta(days=8)
    shown = shared.data("GET", "shared/", token)
    assert (shown["namespace"], shown["name"], shown["build_id"]) == ("team", "data", build)
    assert shown["shared_by"] == made["username"]
    assert (shown["bond"], shown["expiration"]) == (None, made["expiration"])
    assert {item["state"] for item in shown["artifacts"]} == {"ready"}
    urls = {item["type"]: item["url"] for item in shown["artifacts"]}
    answer = requests.get(
        f"{shared.origin}{urls['lockfile']}", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert answer.status_code == 200
    assert "nasty-text" in answer.text
    assert shared.data("GET", "shared/?lock=1", token)["bond"]["environment"] == "data"


# What a share link opens, of all routes of the table of test_access; everything else is closed to it.
OPENED = {
    "GET /shared/",
    *(
        f"{verb} /build/{{build_id}}/{path}"
        for verb in ("GET", "HEAD")
        for path in ("yaml/", "explicit/", "lockfile/", "conda-lock.yml", "conda-lock.yaml", "archive/", "installer/",
                     "docker/", "artifacts/{kind}/file/")
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", [*TABLE, "GET /nothing/"])
def test_a_link_opens_nothing_else(shared: Server, line: str) -> None:
    token = shared.builds.get("token") or share(shared)["token"]  # type: ignore[attr-defined]
    shared.builds["token"] = token  # type: ignore[attr-defined]
    build = shared.builds["data"]  # type: ignore[attr-defined]
    values = {"namespace": "team", "name": "data", "build_id": build, "other_id": build, "token_id": 1,
              "kind": "lockfile", "package": "x", "module": "x", "digest": "0"}  # fmt: skip
    verb, template = line.split(" ")
    path = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template).lstrip("/")
    answer = shared.ask(verb, path, token, check=False, json=None if verb in ("GET", "HEAD") else BODIES.get(line, {}))
    if line in OPENED:
        assert answer.status_code in (200, 404, 409), answer.text  # an archive that is not made is not made for it
    else:
        assert answer.status_code == 403, answer.text
        assert verb == "HEAD" or "a share link opens one environment" in answer.json()["message"]


def test_a_link_does_not_make_the_server_look_elsewhere(shared: Server) -> None:
    token, viewer = share(shared)["token"], shared.token({"team/*": ["viewer"]})
    for path in ("search/x/", "newest/?name=x", "package/?search=x"):
        assert shared.ask("GET", path, token).status_code == 403
    # Who may only read names no channel either: the server would open it.
    for path in ("search/x/?channel=http://127.0.0.1:9/c", "newest/?name=x&channel=file:///etc"):
        assert shared.ask("GET", path, viewer).status_code == 403


def test_a_link_has_the_active_build_alone_and_no_other_environment(shared: Server, nasty_channel: str) -> None:
    text = f"name: moving\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]"
    first = shared.submit(text)
    shared.wait(first)
    token = shared.data("POST", "environment/team/moving/share/", json={"days": 2})["token"]
    assert shared.ask("GET", f"build/{first}/conda-lock.yml", token).status_code == 200
    second = shared.submit(text.replace("[nasty-text]", "[nasty-text, nasty-modes]"))
    shared.wait(second)
    assert shared.data("GET", "shared/", token)["build_id"] == second
    assert shared.ask("GET", f"build/{first}/conda-lock.yml", token).status_code == 404
    assert shared.ask("GET", f"build/{second}/conda-lock.yml", token).status_code == 200
    other = shared.builds["secret"]  # type: ignore[attr-defined]
    assert shared.ask("GET", f"build/{other}/conda-lock.yml", token).status_code == 404

    # Another environment of the same name is another environment.
    shared.data("DELETE", "environment/team/moving/")
    gone = shared.ask("GET", "shared/", token)
    assert (gone.status_code, "the environment of the link is gone" in gone.json()["message"]) == (401, True)
    shared.wait(shared.submit(text))
    assert shared.ask("GET", "shared/", token).status_code == 401
    shared.data("DELETE", "environment/team/moving/?now=true")
    shared.data("POST", "environment/team/moving/undelete/")
    assert shared.ask("GET", "shared/", token).status_code == 200


def test_a_link_to_an_environment_without_a_build_says_so(shared: Server) -> None:
    failing = shared.submit("name: failing\nchannels: ['file:///nowhere']\ndependencies: [nothing]")
    assert shared.wait(failing)["status"] == "FAILED"
    token = shared.data("POST", "environment/team/failing/share/", json={})["token"]
    shown = shared.data("GET", "shared/?lock=true", token)
    assert (shown["build_id"], shown["artifacts"], shown["bond"], shown["image"]) == (None, [], None, None)
    assert shared.ask("GET", f"build/{failing}/yaml/", token).status_code == 404


def test_what_holders_of_a_link_do_is_noted_as_the_link_s(shared: Server) -> None:
    made = share(shared)
    build = shared.builds["data"]  # type: ignore[attr-defined]
    assert shared.ask("GET", f"build/{build}/yaml/", made["token"]).status_code == 200
    assert shared.ask("GET", "shared/?lock=1", made["token"]).status_code == 200

    def noted() -> list[tuple[str, str]]:
        entries = shared.data("GET", "audit/?size=1000")
        return sorted((entry["verb"], entry["subject"]) for entry in entries if entry["who"] == f"link:{made['id']}")

    until(lambda: len(noted()) == 2)
    assert noted() == [("artifact.download", f"build:{build}:{kind}") for kind in ("record", "yaml")]


def test_a_link_ends_with_the_token_that_it_was_made_with(shared: Server) -> None:
    body = {"name": "first", "role_bindings": {"team/*": ["developer"]}}
    first = shared.data("POST", "token/", json=body)
    second = shared.data("POST", "token/", first["token"], json={"name": "second"})
    made = shared.data("POST", "environment/team/data/share/", second["token"], json={})
    assert shared.ask("GET", "shared/", made["token"]).status_code == 200
    shared.data("DELETE", f"token/{first['id']}/")
    (entry,) = (e for e in shared.data("GET", "audit/?size=1000") if e["subject"] == f"token:{first['id']}"
                and e["verb"] == "token.revoke")  # fmt: skip
    assert entry["detail"]["also"] == [second["id"], made["id"]]
    for path, token in (("shared/", made["token"]), ("environment/", second["token"])):
        answer = shared.ask("GET", path, token)
        assert (answer.status_code, "was revoked" in answer.json()["message"]) == (401, True)


def test_nothing_is_made_with_a_token_that_was_revoked_meanwhile(store: Store) -> None:
    """Whoever asked before the token was revoked, and is answered after, gets nothing."""
    store.submit("name: data\nchannels: ['file:///nowhere']\ndependencies: [nothing]\n")
    people, tokens, rules = store.envstore.people, store.envstore.tokens, AccessRules()
    me = rules.person("me")
    token, made = tokens.make(me, "first")
    identity = people.identify_token(rules, token)
    assert identity is not None
    tokens.revoke(me, made["id"])
    for make in (
        lambda: tokens.make(identity, "second"),
        lambda: tokens.for_kernel(identity, timedelta(hours=1)),
        lambda: store.envstore.links.make(identity, "team", "data"),
    ):
        with pytest.raises(AuthenticationError, match="was revoked"):
            make()
    assert tokens.of_person(me) == []


def test_what_a_configured_token_made_ends_with_its_value(store: Store) -> None:
    store.submit("name: data\nchannels: ['file:///nowhere']\ndependencies: [nothing]\n")

    def rules(value: str) -> AccessRules:
        return AccessRules(tokens=(PredefinedToken(token_hash(value), "robot", "team", {"team/*": ["developer"]}),))

    before = rules("a-token-that-leaked")
    robot = store.envstore.people.identify_token(before, "a-token-that-leaked")
    assert robot is not None
    child, _ = store.envstore.tokens.make(robot, "child")
    link, _ = store.envstore.links.make(robot, "team", "data")
    assert store.envstore.people.identify_token(before, link) is not None
    after = rules("another-value")
    with pytest.raises(AuthenticationError, match="may not read it any more"):
        store.envstore.people.identify_token(after, link)
    left = store.envstore.people.identify_token(after, child)
    assert left is not None
    assert left.bindings == {}


@pytest.mark.parametrize("name", ["token:robot", "group:lab", "link:1", "*"])
def test_nobody_is_called_as_tokens_groups_and_links_are(store: Store, name: str) -> None:
    for rules in (AccessRules(), AccessRules(shared=True)):
        with pytest.raises(AuthenticationError, match="nobody can be called"):
            store.envstore.people.identify(rules, name)


def test_a_link_ends_when_who_made_it_may_not_read_the_environment_any_more(store: Store) -> None:
    store.submit("name: data\nchannels: ['file:///nowhere']\ndependencies: [nothing]\n")
    rules = AccessRules(shared=True, bindings={"jo": {"team/*": ["viewer"]}})
    link, _ = store.envstore.links.make(rules.person("jo"), "team", "data")
    identity = store.envstore.people.identify_token(rules, link)
    assert identity is not None
    assert (identity.bindings, identity.primary_namespace) == ({"team/data": ["viewer"]}, "")
    with pytest.raises(AuthenticationError, match="may not read it any more"):
        store.envstore.people.identify_token(AccessRules(shared=True), link)


def test_admins_of_a_place_list_and_revoke_everybody_s_links(shared: Server) -> None:
    viewer, admin = shared.token({"team/*": ["viewer"]}), shared.token({"team/*": ["admin"]})
    stranger = shared.token({"other/*": ["admin"]})
    path = "environment/team/data/share/"
    made = shared.data("POST", path, viewer, json={})
    assert [row["id"] for row in shared.data("GET", path, admin) if row["id"] == made["id"]]
    assert shared.ask("GET", path, stranger).status_code == 403
    assert shared.ask("DELETE", f"{path}{made['id']}/", stranger).status_code == 403
    assert shared.ask("DELETE", f"environment/team/secret/share/{made['id']}/", admin).status_code == 404
    shared.data("DELETE", f"{path}{made['id']}/", admin)
    assert not [row["id"] for row in shared.data("GET", path, admin) if row["id"] == made["id"]]
    assert shared.ask("DELETE", f"{path}{made['id']}/", admin).status_code == 404
    assert shared.ask("GET", "shared/", made["token"]).status_code == 401


def test_links_can_be_turned_off(shared: Server) -> None:
    made = share(shared)
    shared.data("PUT", "setting/team/data/", json={"share_links": False})
    answer = shared.ask("POST", "environment/team/data/share/", json={})
    assert (answer.status_code, "setting share_links" in answer.json()["message"]) == (400, True)
    answer = shared.ask("GET", "shared/", made["token"])
    assert (answer.status_code, "turned off" in answer.json()["message"]) == (401, True)
    shared.data("PUT", "setting/team/data/", json={"share_links": None})
    assert shared.ask("GET", "shared/", made["token"]).status_code == 200


def test_links_are_listed_and_revoked(shared: Server) -> None:
    made = share(shared)
    assert made["id"] in {token["id"] for token in shared.data("GET", "token/") if token["kind"] == "share"}
    shared.data("DELETE", f"token/{made['id']}/")
    assert shared.ask("GET", "shared/", made["token"]).status_code == 401
    told = [entry["verb"] for entry in shared.data("GET", "audit/?size=1000")]
    assert "token.share" in told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"expiration": "2001-01-01T00:00:00Z"}, "would have ended already"),
        ({"expiration": "2099-01-01T00:00:00Z"}, "lasts at most 366 days"),
        ({"expiration": "soon"}, "expiration"),
        ({"expiration": []}, "expiration"),
        ({"days": 0}, "from 1 to 366 days, not 0"),
        ({"days": 367}, "from 1 to 366 days, not 367"),
        ({"days": "7"}, "'days'"),
        ({"days": 7, "expiration": "2099-01-01T00:00:00Z"}, "not both"),
    ],
)
def test_a_link_that_ends_too_early_or_too_late_is_refused(shared: Server, body: Any, message: str) -> None:
    answer = shared.ask("POST", "environment/team/data/share/", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_what_is_not_there_or_not_one_s_own_cannot_be_shared(shared: Server) -> None:
    assert shared.ask("POST", "environment/team/nothing/share/", json={}).status_code == 404
    narrow = shared.token({"other/*": ["admin"]})
    assert shared.ask("POST", "environment/team/data/share/", narrow, json={}).status_code == 403
    short = shared.token(
        {"team/*": ["viewer"]}, expiration=(datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    )
    made = shared.ask("POST", "environment/team/data/share/", short, json={}).json()["data"]
    ends = datetime.fromisoformat(made["expiration"].replace("Z", "+00:00"))
    assert ends - datetime.now(timezone.utc) < timedelta(hours=1)  # no later than the token that it was made with


def test_the_page_needs_no_login_and_holds_nothing(shared: Server) -> None:
    answer = requests.get(f"{shared.origin}/envstore/shared/", timeout=10, allow_redirects=False)
    assert answer.status_code == 200
    assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "nasty" not in answer.text


def test_the_command_line_brings_a_shared_environment_and_shares_one(
    shared: Server, root: Path, package_cache: Path, tmp_path: Path, nasty_channel: str
) -> None:
    (root / "pkgs").symlink_to(package_cache)
    (tmp_path / "jupyter_envstore_config.py").write_text(
        "c.EnvStoreApp.default_settings = {'check_imports': False, 'artifacts_at_once': []}\n"
    )
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}

    def command(*arguments: str, code: int = 0, **more: Any) -> Any:
        return run(PROGRAM, *arguments, "--root", str(root), code=code, env=environment, **more)

    made = share(shared)
    assert f"--accept {nasty_channel}" in command("import", made["link"], code=2).stderr
    done = command("import", made["link"], "--accept", nasty_channel, "--name", "team/mine", "--json")
    brought = json.loads(done.stdout)
    assert (brought["namespace"], brought["name"], brought["status"]) == ("team", "mine", "COMPLETED")
    link = made["link"].replace("/shared/#", "/shared/?from=mail#")  # in no list of processes
    by_input = command("import", "-", "--accept", nasty_channel, "--name", "team/too", "--json", input=link + "\n")
    assert json.loads(by_input.stdout)["status"] == "COMPLETED"
    again = command("import", made["link"], "--accept", nasty_channel, "--name", "team/mine", code=4)
    assert "environment team/mine exists already" in again.stderr
    shared.data("DELETE", f"token/{made['id']}/")
    assert (
        "the share link does not work: the link is not known, or was revoked"
        in command("import", made["link"], code=2).stderr
    )
    for copied in ("https://envs.example.org/", f"\ufeff<{made['link'].partition('#')[0]}#>"):
        assert "this is no share link" in command("import", "-", input=copied, code=2).stderr
    nobodys = f"{shared.origin}/lab/envstore/shared/#not-a-token"
    assert "does not answer like a store" in command("import", nobodys, code=3).stderr
    assert "this is no share link" in command("import", "https://envs.example.org/", code=2).stderr
    assert "cannot be reached" in command("import", "http://127.0.0.1:9/envstore/shared/#not-a-token", code=6).stderr

    assert "set c.EnvStoreApp.public_url" in command("share", "team/mine", code=2).stderr
    with (tmp_path / "jupyter_envstore_config.py").open("a") as config:
        config.write("c.EnvStoreApp.public_url = 'https://envs.example.org/hub'\n")
    link = json.loads(command("share", "team/mine", "--days", "3", "--json").stdout)
    assert link["link"].startswith("https://envs.example.org/hub/envstore/shared/#")
    ends = f"{link['expiration'][:10]} {link['expiration'][11:16]} UTC"
    assert f"{link['id']}  team/mine  ends {ends}" in command("share").stdout
    assert "from 1 to 366 days" in command("share", "team/mine", "--days", "0", code=2).stderr
    command("share", "--revoke", str(link["id"]))
    assert "there are no share links" in command("share").stdout
    assert f"there is no share link {link['id']}" in command("share", "--revoke", str(link["id"]), code=3).stderr


@pytest.mark.parametrize(
    "answer", [{"x": 1}, [], {"data": None}, {"data": []}, {"data": {}}, {"data": {"bond": None, "name": 5}}]
)
def test_what_does_not_answer_like_a_store_is_told(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: io.BytesIO(json.dumps(answer).encode()))
    with pytest.raises(NotFoundError, match="does not answer like a store"):
        _shared(Client("http://127.0.0.1:9/envstore", "es_x"))


def test_what_another_server_says_tells_a_terminal_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"data": {"bond": None, "namespace": "a", "name": "b\x1b[2J"}}
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: io.BytesIO(json.dumps(answer).encode()))
    with pytest.raises(NotFoundError) as told:
        _shared(Client("http://127.0.0.1:9/envstore", "es_x"))
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize("text", ["<{}>", "\ufeff{}", "{}?utm_source=x", "{}&x=1", "{}%20", " {}\n"])
def test_what_surrounds_a_link_that_was_copied_is_left_aside(text: str) -> None:
    link = share_link("https://h", "es_" + "a" * 40)
    assert read_share_link(text.format(link)) == ("https://h/envstore", "es_" + "a" * 40)


@pytest.mark.parametrize("root", ["https://envs.example.org", "http://h:8888/user/jo/", "https://h/a/envstore/shared"])
def test_links_are_read_as_they_are_written(root: str) -> None:
    url, token = read_share_link(share_link(root, "esk_" + "a" * 40) + "\n")
    assert (url, token) == (f"{root.rstrip('/')}/envstore", "esk_" + "a" * 40)


@pytest.mark.parametrize(
    "text",
    ["", "#", "envstore/shared/#abcdefgh1", "ftp://h/envstore/shared/#abcdefgh1", "https://h/envstore/shared/",
     "https://h/envstore/shared/#", "https://h/envstore/shared/#a b c d e f", "https://jo:x@h/envstore/shared/#abcdefgh1",
     "https:///envstore/shared/#abcdefgh1", "https://h/envstore/#abcdefgh1", "https://[h/envstore/shared/#abcdefgh1"],
)  # fmt: skip
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no share link"):
        read_share_link(text)
