"""Links that share an environment: what they give, and what they do not; brought back by the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec.share_links import read_share_link, share_link
from tests.images.conftest import run
from tests.server.live import Server

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


def test_a_link_gives_one_environment_to_look_at_and_nothing_else(shared: Server) -> None:
    made = share(shared)
    token = made["token"]
    assert made["link"] == f"{shared.origin}/envstore/shared/#{token}"
    assert (made["kind"], made["role_bindings"]) == ("share", {"team/data": ["viewer"]})
    ends = datetime.fromisoformat(made["expiration"].replace("Z", "+00:00"))
    assert timedelta(days=6) < ends - datetime.now(timezone.utc) < timedelta(days=8)
    listed = shared.data("GET", "environment/", token)
    assert [row["name"] for row in listed] == ["data"]
    build, other = shared.builds["data"], shared.builds["secret"]  # type: ignore[attr-defined]
    assert shared.ask("GET", f"build/{build}/conda-lock.yml", token).status_code == 200
    assert shared.ask("GET", f"build/{build}/bond/?lock=1", token).status_code == 200
    for method, path, body in (
        ("GET", f"build/{other}/", None),
        ("GET", f"build/{other}/conda-lock.yml", None),
        ("GET", "environment/team/secret/", None),
        ("POST", f"build/{build}/artifacts/docker/", {}),
        ("DELETE", "environment/team/data/", None),
        ("POST", "environment/team/data/share/", {}),
        ("GET", "token/", None),
        ("POST", "token/", {"name": "more", "role_bindings": {"team/data": ["viewer"]}}),
        ("DELETE", f"token/{made['id']}/", None),
        ("GET", "space/", None),
    ):
        answer = shared.ask(method, path, token, **({} if body is None else {"json": body}))
        assert answer.status_code in (403, 404), (method, path, answer.text)
    assert requests.get(f"{shared.origin}/api/kernels", headers={"Authorization": f"token {token}"},
                        timeout=10).status_code in (302, 403)  # fmt: skip


def test_links_are_listed_and_revoked(shared: Server) -> None:
    made = share(shared)
    assert made["id"] in {token["id"] for token in shared.data("GET", "token/") if token["kind"] == "share"}
    shared.data("DELETE", f"token/{made['id']}/")
    assert shared.ask("GET", "environment/", made["token"]).status_code == 401
    told = [entry["verb"] for entry in shared.data("GET", "audit/?size=1000")]
    assert "token.share" in told


@pytest.mark.parametrize(
    ("expiration", "message"),
    [
        ("2001-01-01T00:00:00Z", "would have ended already"),
        ("2099-01-01T00:00:00Z", "lasts at most 366 days"),
        ("soon", "expiration"),
        ([], "expiration"),
    ],
)
def test_a_link_that_ends_too_early_or_too_late_is_refused(shared: Server, expiration: Any, message: str) -> None:
    answer = shared.ask("POST", "environment/team/data/share/", json={"expiration": expiration})
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

    def command(*arguments: str, code: int = 0) -> Any:
        return run(PROGRAM, *arguments, "--root", str(root), code=code, env=environment)

    made = share(shared)
    assert f"--accept {nasty_channel}" in command("import", made["link"], code=2).stderr
    done = command("import", made["link"], "--accept", nasty_channel, "--name", "team/mine", "--json")
    brought = json.loads(done.stdout)
    assert (brought["namespace"], brought["name"], brought["status"]) == ("team", "mine", "COMPLETED")
    again = command("import", made["link"], "--accept", nasty_channel, "--name", "team/mine", code=4)
    assert "environment team/mine exists already" in again.stderr
    shared.data("DELETE", f"token/{made['id']}/")
    assert "the share link does not work: the token is not known" in command("import", made["link"], code=2).stderr
    assert "this is no share link" in command("import", "https://envs.example.org/", code=2).stderr
    assert "cannot be reached" in command("import", "http://127.0.0.1:9/envstore/shared/#not-a-token", code=5).stderr

    assert "set c.EnvStoreApp.public_url" in command("share", "team/mine", code=2).stderr
    with (tmp_path / "jupyter_envstore_config.py").open("a") as config:
        config.write("c.EnvStoreApp.public_url = 'https://envs.example.org/hub'\n")
    link = json.loads(command("share", "team/mine", "--days", "3", "--json").stdout)
    assert link["link"].startswith("https://envs.example.org/hub/envstore/shared/#")
    assert f"{link['id']}  team/mine  ends {link['expiration']}" in command("share").stdout
    assert "from 1 to 366 days" in command("share", "team/mine", "--days", "0", code=2).stderr
    command("share", "--revoke", str(link["id"]))
    assert "there are no share links" in command("share").stdout
    assert f"there is no share link {link['id']}" in command("share", "--revoke", str(link["id"]), code=3).stderr


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
