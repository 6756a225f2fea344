"""The REST API as clients use it: both names, both forms of paths, pages, filters, what is done with builds."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from jupyter_envstore.client import EnvStore, EnvStoreClientError
from jupyter_envstore.server.environments import CURSOR_ROUTES
from jupyter_envstore.server.json_handler import VERBS
from jupyter_envstore.server.routes import API
from tests.server.live import MASTER, Server, document


def test_the_document_names_every_route_and_verb_and_no_other() -> None:
    served = {
        (f"/{path}", verb)
        for path, handler in API
        for verb in VERBS
        if any(verb in cls.__dict__ for cls in handler.__mro__ if cls.__module__.startswith("jupyter_envstore"))
    }
    described = {(path, verb) for path, verbs in document()["paths"].items() for verb in verbs if verb in VERBS}
    assert served == described


def test_the_document_is_served(server: Server) -> None:
    assert server.ask("GET", "openapi.json").json()["paths"].keys() == document()["paths"].keys()


@pytest.mark.parametrize("prefix", ["envstore", "conda-store"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_names_and_both_forms_of_a_path_answer_without_a_redirect(server: Server, prefix: str, slash: str) -> None:
    for path in ("permission", "environment/team/data", f"build/{server.build_id}", "namespace/team/metadata"):
        verb = "PUT" if path.endswith("metadata") else "GET"
        answer = requests.request(
            verb,
            f"{server.origin}/{prefix}/api/v1/{path}{slash}",
            headers={"Authorization": f"token {MASTER}"},
            data="{}" if verb == "PUT" else None,
            allow_redirects=False,
            timeout=10,
        )
        assert answer.status_code == 200, (path, answer.text)


def test_the_slash_that_conda_stores_client_appends_to_the_query_is_dropped(server: Server) -> None:
    assert server.ask("GET", "build?status=COMPLETED/").json()["count"] >= 1
    assert server.ask("GET", "build?page=1/").status_code == 200


def test_a_namespace_is_made_changed_shared_and_deleted(server: Server) -> None:
    server.data("POST", "namespace/space")
    assert server.ask("POST", "namespace/SPACE").status_code == 409
    server.data("PUT", "namespace/space/", json={"metadata": {"a": 1}, "role_mappings": {"team/*": ["viewer"]}})
    found = server.data("GET", "namespace/space/")
    assert found["metadata_"] == {"a": 1}
    assert [(m["entity"], m["role"]) for m in found["role_mappings"]] == [("team/*", "viewer")]
    body = {"other_namespace": "team", "role": "viewer"}
    server.data("POST", "namespace/space/role", json=body)
    assert server.ask("POST", "namespace/space/role", json=body).status_code == 409
    server.data("PUT", "namespace/space/role", json=body | {"role": "admin"})
    assert server.data("GET", "namespace/space/roles")[0]["role"] == "admin"
    assert server.ask("PUT", "namespace/space/role", json=body | {"role": "king"}).status_code == 400
    server.data("DELETE", "namespace/space/role", json={"other_namespace": "team"})
    assert server.ask("DELETE", "namespace/space/role", json={"other_namespace": "team"}).status_code == 404
    server.data("DELETE", "namespace/space/")
    assert server.ask("GET", "namespace/space/").status_code == 404
    server.data("POST", "namespace/space")
    server.data("DELETE", "namespace/space/")
    assert server.ask("DELETE", "namespace/team/").status_code == 409


def test_a_build_tells_everything_about_itself(server: Server) -> None:
    build = server.data("GET", f"build/{server.build_id}/")
    assert build["status"] == "COMPLETED"
    assert build["specification"]["spec"]["variables"] == {"GREETING": "hello $HOME"}
    types = {artifact["artifact_type"] for artifact in build["build_artifacts"]}
    assert types == {"YAML", "LOCKFILE", "CONDA_PACK", "LOGS", "DIRECTORY"}
    packages = server.ask("GET", f"build/{server.build_id}/packages/?search=numpy&exact=true").json()
    assert [package["name"] for package in packages["data"]] == ["numpy"]
    assert packages["count"] == 1


def test_an_environment_is_found_by_every_filter(server: Server) -> None:
    for query in (
        "search=DAT",
        "namespace=team",
        "name=data",
        "status=COMPLETED",
        "packages=numpy",
        "artifact=CONDA_PACK",
        "packages=numpy&packages=pip",
        "packages=num*",
        "artifact=DIRECTORY",
        "search=team&sort_by=name&order=desc",
    ):
        names = [row["name"] for row in server.ask("GET", f"environment/?{query}&size=100").json()["data"]]
        assert "data" in names, query
    for query in (
        "search=d_ta",
        "search=%25",
        "namespace=tea",
        "name=dat_",
        "status=FAILED&name=data",
        "packages=num_y",
        "packages=numpy&packages=nothing",
        "artifact=DOCKER_MANIFEST",
    ):
        names = [row["name"] for row in server.ask("GET", f"environment/?{query}&size=100").json()["data"]]
        assert "data" not in names, query
    (row,) = server.ask("GET", "environment/?packages=num*&name=data&size=1").json()["data"]
    assert [found["name"] for found in row["packages_found"]] == ["numpy"]
    assert "packages_found" not in server.data("GET", "environment/team/data/")


def test_a_name_is_data_and_never_a_pattern(server: Server) -> None:
    for name in ("a.b", "aXb", "a_b"):
        server.data("POST", f"namespace/{name}")
    token = server.token({"a.b/*": ["viewer"], "a_b/*": ["viewer"]})
    names = [row["name"] for row in server.ask("GET", "namespace/", token).json()["data"]]
    assert sorted(names) == ["a.b", "a_b"]
    assert server.ask("GET", "namespace/aXb/", token).status_code == 403
    for name in ("a.b", "aXb", "a_b"):
        server.data("DELETE", f"namespace/{name}/")


def test_environments_are_cloned_rebuilt_compared_rolled_back_and_deleted(server: Server, nasty_channel: str) -> None:
    first = server.submit(f"name: life\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(first)
    second = server.submit(f"name: life\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, nasty-links]")
    server.wait(second)
    changes = server.data("GET", f"build/{first}/diff/{second}/")
    assert [(change["change"], change["name"]) for change in changes] == [("added", "nasty-links")]
    assert server.ask("PUT", "environment/team/life/", json={"build_id": server.build_id}).status_code == 404
    server.data("PUT", "environment/team/life/", json={"build_id": first, "description": "back"})
    found = server.data("GET", "environment/team/life/")
    assert (found["current_build_id"], found["description"], found["newest_build_id"]) == (first, "back", second)
    third = server.data("PUT", f"build/{second}/")["build_id"]
    assert (
        server.wait(third)["specification"]["sha256"]
        == server.data("GET", f"build/{second}/")["specification"]["sha256"]
    )
    assert server.ask("DELETE", f"build/{third}/").status_code == 409  # active
    server.data("DELETE", f"build/{first}/")
    assert server.ask("GET", f"build/{first}/").status_code == 404
    clone = server.data("POST", "environment/team/life/clone/", json={"name": "twin"})["build_id"]
    server.wait(clone)
    assert server.data("GET", f"build/{third}/diff/{clone}/") == []
    assert server.ask("POST", "environment/team/life/clone/", json={"name": "twin"}).status_code == 409
    for name in ("life", "twin"):
        server.data("DELETE", f"environment/team/{name}/")
        assert server.ask("GET", f"environment/team/{name}/").status_code == 404


def test_changes_are_told_by_revision(server: Server, nasty_channel: str) -> None:
    start = server.data("GET", "changes/?since=0")["revision"]
    assert server.data("GET", f"changes/?since={start}")["environments"] == []
    build_id = server.submit(f"name: news\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(build_id)
    news = server.data("GET", f"changes/?since={start}")
    assert [row["name"] for row in news["environments"]] == ["news"]
    assert [row["id"] for row in news["builds"]] == [build_id]
    stranger = server.token({"elsewhere/*": ["viewer"]})
    assert server.data("GET", f"changes/?since={start}", stranger)["environments"] == []
    assert server.data("GET", f"changes/?since={news['revision'] + 1000}")["reset"]
    server.data("DELETE", "environment/team/news/")


def test_the_cursor_listing_goes_through_everything_once(server: Server) -> None:
    from jupyter_envstore.representation import conda_store

    assert CURSOR_ROUTES
    base = f"{server.origin}/conda-store/api/v2/environment/"
    seen, cursor = [], ""
    for name in ("one", "two", "three"):
        server.data("POST", "environment/team/data/clone/", json={"name": name})
    while True:
        answer = requests.get(
            base, params={"limit": 1, "cursor": cursor}, headers={"Authorization": f"Bearer {MASTER}"}, timeout=10
        ).json()
        seen += [row["name"] for row in answer["data"]]
        cursor = answer["cursor"]
        if conda_store.read_cursor(cursor)[0] is None:
            break
    listed = server.ask("GET", "environment/").json()
    assert seen == [row["name"] for row in listed["data"]]
    assert len(seen) == answer["count"] == listed["count"] == listed["size"]
    for name in ("one", "two", "three"):
        server.data("DELETE", f"environment/team/{name}/")


def test_two_submits_of_the_same_text_make_two_builds(server: Server, nasty_channel: str) -> None:
    text = f"name: twice\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    first, second = server.submit(text), server.submit(text)
    assert first != second
    assert server.wait(first)["status"] == server.wait(second)["status"] == "COMPLETED"
    server.data("DELETE", "environment/team/twice/")


def test_a_running_build_cannot_be_deleted_but_canceled(server: Server, channel: str) -> None:
    build_id = server.submit(f"name: busy\nchannels: [{channel}]\ndependencies: [python, numpy, pandas]")
    assert server.ask("DELETE", f"build/{build_id}/").status_code == 400
    server.data("PUT", f"build/{build_id}/cancel/")
    assert server.wait(build_id)["status"] == "CANCELED"
    assert server.ask("PUT", f"build/{build_id}/cancel/").status_code == 409
    server.data("DELETE", f"build/{build_id}/")
    server.data("DELETE", "environment/team/busy/")


def test_prometheus_gets_the_stores_numbers(server: Server) -> None:
    headers = {"Authorization": f"Bearer {MASTER}"}
    text = requests.get(f"{server.origin}/metrics", headers=headers, timeout=10).text
    found = dict(re.findall(r'^(envstore_builds\{status="\w+"\}) ([\d.e+]+)$', text, re.MULTILINE))
    assert float(found['envstore_builds{status="COMPLETED"}']) >= 1


def test_the_client_builds_and_shows_the_steps(
    server: Server, nasty_channel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = EnvStore(f"{server.origin}/envstore", MASTER)
    made = client.build(f"name: by-client\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]", "team")
    assert (made["status"], made["number"]) == ("COMPLETED", 1)
    assert "Completed after" in capsys.readouterr().out
    assert client.build(made["specification"]["text"], "team", wait=False)["number"] == 2
    with pytest.raises(EnvStoreClientError, match=r"failed: .*no-such-package"):
        client.build(f"name: by-client\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]", "team")
    server.data("DELETE", "environment/team/by-client/")


def test_each_build_keeps_the_text_that_was_typed_for_it(server: Server, nasty_channel: str) -> None:
    first = f"name: typed\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n"
    second = first + "# the same, with a word on why\n"
    builds = [server.submit(text) for text in (first, second)]
    for build_id, text in zip(builds, (first, second), strict=True):
        assert server.wait(build_id)["specification"]["text"] == text
    again = server.data("PUT", f"build/{builds[1]}/", json={})["build_id"]
    assert server.wait(again)["specification"]["text"] == second
    copied = server.data("POST", "environment/team/typed/clone/", json={"name": "typed-too"})["build_id"]
    assert server.wait(copied)["specification"]["text"] == second
    for name in ("typed", "typed-too"):
        server.data("DELETE", f"environment/team/{name}/")


def test_an_environment_tells_the_languages_of_its_kernels(server: Server) -> None:
    row = server.data("GET", "environment/team/data/")
    assert row["languages"] == ["Python"]
    assert Path(row["path"]).resolve() == (server.root / "builds").resolve() / Path(row["path"]).readlink().name


def test_a_build_is_packed_away_and_brought_back_by_hand_unless_it_is_pinned(
    server: Server, nasty_channel: str
) -> None:
    text = f"name: packed\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    old = server.submit(text)
    server.wait(old)
    active = server.submit(text + "\nvariables: {A: b}")
    server.wait(active)
    path = f"build/{old}/pack-away/"
    assert "is the active one" in server.ask("POST", f"build/{active}/pack-away/").json()["message"]
    failed = server.submit(f"name: packed\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]")
    server.wait(failed)
    assert server.ask("POST", f"build/{failed}/pack-away/").json()["message"] == "build team/packed:3 is FAILED"
    assert server.ask("PUT", f"build/{failed}/pin/", json={"pinned": True}).status_code == 409
    server.ask("PUT", f"build/{old}/pin/", json={"pinned": True})
    assert server.data("GET", f"build/{old}/")["pinned"] is True
    refused = server.ask("POST", path)
    assert (refused.status_code, "pinned" in refused.json()["message"]) == (409, True)
    server.ask("PUT", f"build/{old}/pin/", json={"pinned": False})
    assert server.ask("POST", path).ok
    assert server.data("GET", f"build/{old}/")["packed_away"] is True
    assert server.ask("POST", path).status_code == 409
    assert server.ask("POST", f"build/{old}/restore/").status_code == 202
    server.wait(old)
    assert server.data("GET", f"build/{old}/")["packed_away"] is False
    verbs = [entry["verb"] for entry in server.data("GET", "audit/?size=1000")]
    assert {"build.pin", "build.unpin", "build.pack-away"} <= set(verbs)
    server.data("DELETE", "environment/team/packed/")


def test_space_is_told_and_freed(server: Server) -> None:
    space = server.data("GET", "space/")
    assert 0 < space["free"] <= space["total"]
    assert "plan" not in space
    plan = server.data("GET", "space/?plan=true")["plan"]
    assert plan["size"] == sum(removal["size"] for removal in plan["removals"]) or plan["count"] > 100
    assert server.data("POST", "space/")["plan"]["size"] >= 0


def test_a_description_that_people_set_stays(server: Server, nasty_channel: str) -> None:
    text = f"name: told\ndescription: of the file\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n"

    def described() -> str:
        return str(server.data("GET", "environment/team/told/")["description"])

    body = {"specification": text, "namespace": "team", "environment_description": "of the request"}
    build_id = server.data("POST", "specification/", json=body)["build_id"]
    server.wait(build_id)
    assert described() == "of the request"
    server.data("PUT", "environment/team/told/", json={"description": "by hand"})
    server.wait(server.data("PUT", f"build/{build_id}/")["build_id"])
    assert described() == "by hand"
    server.wait(server.submit(text.replace("of the file", "of another file")))
    assert described() == "of another file"
    server.data("DELETE", "environment/team/told/")


def test_what_conda_stores_client_offers_to_ask_for_is_known(server: Server) -> None:
    for listing in ("environment", "build"):
        for artifact in ("DOCKER_BLOB", "CONTAINER_REGISTRY"):
            answer = server.ask("GET", f"{listing}/?artifact={artifact}&page=1").json()
            assert (answer["count"], answer["data"], answer["message"]) == (0, [], None)
    assert server.ask("GET", "namespace/?sort_by=nonsense").status_code == 400


def test_changes_are_followed_as_they_happen(server: Server) -> None:
    start = server.data("GET", "changes/?since=0")["revision"]
    stranger = server.token({"other/*": ["viewer"]})
    with (
        followed(server, MASTER, start) as lines,
        followed(server, stranger, start) as unseen,
    ):
        assert json.loads(next(lines)) == {
            "revision": start,
            "reset": False,
            "environments": [],
            "builds": [],
            "progress": [],
        }
        next(unseen)
        begun = time.monotonic()
        server.data("PUT", "environment/team/data/", json={"description": f"at {begun}"})
        news = json.loads(next(lines))
        assert time.monotonic() - begun < 1.0
        assert "data" in [item["name"] for item in news["environments"]]
        assert news["revision"] > start
        server.data("POST", "namespace/other/", json={})
        other = server.submit("dependencies: [nothing-of-this-name]\nname: seen", "other")
        assert [item["name"] for item in json.loads(next(unseen))["environments"]] == ["seen"]
        server.wait(other)
    server.data("DELETE", "environment/other/seen/?now=true")
    server.data("DELETE", "namespace/other/")


@contextmanager
def followed(server: Server, token: str, since: int) -> Iterator[Iterator[bytes]]:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{server.api}changes/?since={since}&follow=true"
    with requests.get(address, headers=headers, stream=True, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        yield (line for line in answer.iter_lines(chunk_size=1) if line)


def test_a_token_for_a_kernel_elsewhere_gives_what_a_kernel_here_has(server: Server) -> None:
    token = server.data("POST", "token/kernel/", json={"hours": 1})["token"]
    assert server.data("GET", "permission/", token)["expiration"] is not None
    assert all(
        roles in (["developer"], ["viewer"])
        for roles in server.data("GET", "permission/", token)["entity_roles"].values()
    )
    assert server.ask("POST", "token/kernel/", token, json={}).status_code == 403
    assert server.ask("POST", "token/", token, json={"name": "x"}).status_code == 403
    assert token[:8] not in str(server.data("GET", "token/"))
    for hours in (0, -1, 169, True, "1"):
        refused = server.ask("POST", "token/kernel/", json={"hours": hours}, check=False)
        assert (refused.status_code, "'hours' must be" in refused.text) == (400, True)


def test_addresses_begin_with_the_path_that_a_server_in_between_names(server: Server) -> None:
    path = {"EnvStore-Api-Path": "/user/jo/envstore/api/v1/"}
    urls = [item["url"] for item in server.data("GET", f"build/{server.build_id}/artifacts/", headers=path)]
    assert urls and all(url.startswith("/user/jo/envstore/api/v1/build/") for url in urls)
    for strange in ("//elsewhere.example/", "https://elsewhere.example/", "/a", '/a"/', "javascript:/"):
        urls = [
            item["url"]
            for item in server.data(
                "GET", f"build/{server.build_id}/artifacts/", headers={"EnvStore-Api-Path": strange}
            )
        ]
        assert all(url.startswith("/envstore/api/v1/") for url in urls), strange
