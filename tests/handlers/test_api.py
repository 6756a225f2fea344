"""The REST API as clients use it: both names, both forms of paths, pages, filters, errors."""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyter_envstore.client import EnvStore, EnvStoreClientError
from jupyter_envstore.handlers.base import VERBS
from jupyter_envstore.handlers.environments import CURSOR_ROUTES
from jupyter_envstore.handlers.routes import API
from tests.handlers.live import MASTER, Server, document


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
        "packages=num*",
        "packages=numpy&packages=nothing",
        "artifact=DOCKER_MANIFEST",
    ):
        names = [row["name"] for row in server.ask("GET", f"environment/?{query}&size=100").json()["data"]]
        assert "data" not in names, query


def test_a_name_is_data_and_never_a_pattern(server: Server) -> None:
    for name in ("a.b", "aXb", "a_b"):
        server.data("POST", f"namespace/{name}")
    token = server.token({"a.b/*": ["viewer"], "a_b/*": ["viewer"]})
    names = [row["name"] for row in server.ask("GET", "namespace/", token).json()["data"]]
    assert sorted(names) == ["a.b", "a_b"]
    assert server.ask("GET", "namespace/aXb/", token).status_code == 403
    for name in ("a.b", "aXb", "a_b"):
        server.data("DELETE", f"namespace/{name}/")


def test_artifacts_are_sent_with_their_names_types_and_digests(server: Server) -> None:
    made = {item["type"]: item for item in server.data("GET", f"build/{server.build_id}/artifacts/")}
    archive = server.ask("GET", f"build/{server.build_id}/archive/")
    assert archive.headers["Content-Type"] == "application/gzip"
    assert archive.headers["Content-Disposition"].startswith('attachment; filename="data-')
    assert archive.headers["ETag"] == f'"{made["archive"]["sha256"]}"'
    assert len(archive.content) == made["archive"]["size"]
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as tar:
        assert "bin/conda-unpack" in tar.getnames()
    text = server.ask("GET", f"build/{server.build_id}/yaml/")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.headers["Content-Disposition"] == 'inline; filename="data.yml"'
    assert "numpy=" in text.text
    download = server.ask("GET", f"build/{server.build_id}/yaml/?download=1")
    assert download.headers["Content-Disposition"].startswith("attachment")
    as_json = json.loads(server.ask("GET", f"build/{server.build_id}/lockfile/").content)
    as_yaml = server.ask("GET", f"build/{server.build_id}/conda-lock.yml")
    assert as_json["metadata"]["platforms"] == ["linux-64"]
    assert as_yaml.content == server.ask("GET", "environment/team/data/conda-lock.yml").content
    assert as_json == json.loads(server.ask("GET", "environment/team/data/lockfile/").content)


@pytest.mark.parametrize("what", ["archive/", "yaml/", "lockfile/", "conda-lock.yml", "logs/"])
def test_parts_conditions_and_heads_are_answered(server: Server, what: str) -> None:
    path = f"build/{server.build_id}/{what}"
    whole = server.ask("GET", path).content
    etag = server.ask("HEAD", path).headers["ETag"]
    assert int(server.ask("HEAD", path).headers["Content-Length"]) == len(whole)
    part = server.ask("GET", path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert server.ask("GET", path, headers={"Range": "bytes=-5"}).content == whole[-5:]
    assert server.ask("GET", path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert server.ask("GET", path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).content == whole
    assert server.ask("GET", path, headers={"If-None-Match": etag}).status_code == 304
    assert server.ask("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert server.ask("GET", path, headers={"If-Match": '"other"'}).status_code == 412


def test_a_log_is_sent_whole_from_an_offset_and_followed(server: Server, nasty_channel: str) -> None:
    whole = server.ask("GET", f"build/{server.build_id}/logs/").content
    assert b"Ready after" in whole
    assert server.ask("GET", f"build/{server.build_id}/logs/?offset=100").content == whole[100:]
    assert server.ask("GET", f"build/{server.build_id}/logs/?follow=true").content == whole
    build_id = server.submit(f"name: follow\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    followed = server.ask("GET", f"build/{build_id}/logs/?follow=true").content
    server.wait(build_id)
    assert followed == server.ask("GET", f"build/{build_id}/logs/").content
    assert b"Ready after" in followed


def test_a_follower_that_leaves_does_not_hold_up_the_others(server: Server, channel: str) -> None:
    build_id = server.submit(f"name: left\nchannels: [{channel}]\ndependencies: [python, numpy, pandas]")
    url = f"{server.api}build/{build_id}/logs/?follow=true"
    headers = {"Authorization": f"Bearer {MASTER}"}
    with requests.get(url, headers=headers, stream=True, timeout=30) as staying:
        with requests.get(url, headers=headers, stream=True, timeout=30) as leaving:
            next(leaving.iter_content(1))
        assert requests.get(f"{server.api}permission/", headers=headers, timeout=5).ok
        followed = staying.content
    server.wait(build_id)
    assert followed == server.ask("GET", f"build/{build_id}/logs/").content
    server.data("DELETE", "environment/team/left/")


def test_a_text_is_checked_and_repaired_without_being_kept(server: Server, channel: str) -> None:
    good = f"name: x\ndescription: y\nchannels: [{channel}]\ndependencies: [python, {{pip: [cowsay]}}]"
    found = server.data("POST", "specification/check/", json={"specification": good})
    assert (found["name"], found["description"], found["faults"], found["refused"]) == ("x", "y", [], None)
    assert (found["conda"], found["pip"], found["text"]) == (["python"], ["cowsay"], good)
    bad = "name: a b\nchannels: [a]\ndependencies:\n  - python=\nsurprise: 1"
    found = server.data("POST", "specification/check/", json={"specification": bad})
    assert [fault["line"] for fault in found["faults"]] == [1, 4, 5]
    wild = "name: C:\\env\nchannels: [defaults]\ndependencies: [python]\nprefix: /home/me/env"
    body = {"specification": wild, "repair": True, "file_name": "wild.yml"}
    found = server.data("POST", "specification/check/", json=body)
    assert found["faults"] == []
    assert "defaults" not in found["text"]
    assert {"prefix dropped", "channel defaults became conda-forge", "ipykernel added"} <= {
        change["what"] for change in found["changes"]
    }
    pdf = {"specification": "%PDF-1.7", "repair": True, "file_name": "report.pdf"}
    assert "PDF" in server.data("POST", "specification/check/", json=pdf)["faults"][0]["message"]


def test_packages_are_added_to_a_text_and_removed_from_it(server: Server) -> None:
    text = "dependencies:\n  - python  # keep\n  - numpy\n"
    body = {"specification": text, "add": ["flask <3", "pip:rich"], "remove": ["numpy"]}
    found = server.data("POST", "specification/edit/", json=body)["specification"]
    assert found == "dependencies:\n  - python  # keep\n  - flask <3\n  - pip:\n      - rich\n"
    assert server.ask("POST", "specification/edit/", json={"specification": text, "remove": ["x"]}).status_code == 400
    assert server.ask("POST", "specification/edit/", json={"specification": text, "add": [1]}).status_code == 400


def test_the_contents_of_a_build_say_why_each_package_is_there(server: Server) -> None:
    found = {package["name"]: package for package in server.data("GET", f"build/{server.build_id}/contents/")}
    assert found["numpy"]["requested"] == "numpy"
    assert found["traitlets"]["requested"] is None
    assert "ipykernel" in found["traitlets"]["needed_by"]
    count = server.data("GET", f"build/{server.build_id}/")["package_count"]
    assert len(found) == count


def test_an_artifact_that_was_never_made_is_listed_as_absent(server: Server, nasty_channel: str) -> None:
    text = f"name: lazy\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    server.wait(server.submit(text))
    server.data("PUT", "setting/team/lazy/", json={"artifacts_at_once": ["lockfile"]})
    build_id = server.submit(text)
    server.wait(build_id)
    states = {a["type"]: a["state"] for a in server.data("GET", f"build/{build_id}/artifacts/")}
    assert states["lockfile"] == "ready"
    assert states["archive"] == "absent"
    server.data("DELETE", "environment/team/lazy/")


def test_an_artifact_is_made_on_request_and_tells_why_it_cannot(server: Server) -> None:
    path = f"build/{server.build_id}/artifacts/CONDA_PACK/"
    assert server.ask("GET", path + "?variant=tar.zst").status_code == 404
    made = server.ask("POST", path, json={"variant": "tar.zst"})
    assert made.status_code == 202
    server.wait(server.build_id)
    archive = server.ask("GET", f"build/{server.build_id}/archive/?format=tar.zst")
    assert archive.headers["Content-Type"] == "application/zstd"
    assert archive.content[:4] == b"\x28\xb5\x2f\xfd"
    assert server.ask("POST", f"build/{server.build_id}/artifacts/nonsense/").status_code == 400


def test_environments_are_cloned_rebuilt_compared_rolled_back_and_deleted(server: Server, nasty_channel: str) -> None:
    first = server.submit(f"name: life\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(first)
    second = server.submit(f"name: life\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, nasty-links]")
    server.wait(second)
    changes = server.data("GET", f"build/{first}/diff/{second}/")
    assert [(change["change"], change["name"]) for change in changes] == [("added", "nasty-links")]
    assert server.ask("PUT", "environment/team/life/", json={"build_id": server.build_id}).status_code == 409
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


def test_what_a_setting_keeps_of_a_deleted_build_can_still_be_downloaded(server: Server, nasty_channel: str) -> None:
    server.data("PUT", "setting/", json={"build_artifacts_kept_on_deletion": ["YAML", "LOGS"]})
    build_id = server.submit(f"name: ghost\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(build_id)
    log = server.ask("GET", f"build/{build_id}/logs/").text
    server.data("DELETE", "environment/team/ghost/")
    assert server.ask("GET", f"build/{build_id}/").status_code == 404
    assert "nasty-text=" in server.ask("GET", f"build/{build_id}/yaml/").text
    assert server.ask("GET", f"build/{build_id}/logs/").text == log
    assert server.ask("GET", f"build/{build_id}/archive/").status_code == 404
    server.data("PUT", "setting/", json={"build_artifacts_kept_on_deletion": []})
    build_id = server.submit(f"name: ghost\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(build_id)
    server.data("DELETE", "environment/team/ghost/")
    for path in ("logs", "yaml"):
        assert server.ask("GET", f"build/{build_id}/{path}/").status_code == 404


def test_a_solve_says_what_would_change_and_keeps_nothing(server: Server, channel: str) -> None:
    before = server.ask("GET", "build/").json()["count"]
    text = f"name: data\nchannels: [{channel}]\ndependencies: [python, flask]"
    body = {"specification": text, "namespace": "team", "environment": "data"}
    solved = server.data("POST", "solve/", json=body)
    names = {package["name"] for package in solved["packages"]}
    assert {"python", "flask", "werkzeug"} <= names
    assert {"added", "removed"} <= {change["change"] for change in solved["changes"]}
    listed = server.ask("GET", f"specification/?channels={channel}&conda=numpy/").json()["solve"]
    assert "numpy" in {package["name"] for package in listed}
    impossible = server.ask("POST", "solve/", json=body | {"specification": text.replace("flask", "flask=99")})
    assert (impossible.status_code, impossible.json()["code"]) == (400, "unsatisfiable")
    assert server.ask("GET", "build/").json()["count"] == before


def test_a_channel_that_does_not_answer_is_told_from_one_that_is_not_there(server: Server) -> None:
    def asked(channel: str) -> tuple[int, str, str]:
        answer = server.ask("GET", f"search/numpy/?channel={channel}")
        return answer.status_code, answer.json()["code"], answer.json()["message"]

    status, code, message = asked("http://127.0.0.1:9/gone")  # nobody listens at the port of "discard"
    assert (status, code) == (502, "channel_unreachable"), message
    assert "http://127.0.0.1:9/gone" in message
    missing = f"{server.origin}/nowhere"  # a server that answers 404, or 403 to who is not logged in
    status, code, message = asked(missing)
    assert (status, code) == (400, "channel_error"), message


def test_packages_are_searched(server: Server, channel: str) -> None:
    names = [package["name"] for package in server.data("GET", f"search/nump*/?channel={channel}")]
    assert names == ["numpy"]
    versions = server.data("GET", f"search/numpy/?channel={channel}")
    assert all(package["name"] == "numpy" and package["version"] for package in versions)


def test_settings_have_three_scopes_and_one_order(server: Server) -> None:
    server.data("PUT", "setting/", json={"retention_builds": 9})
    server.data("PUT", "setting/team/", json={"retention_builds": 7, "build_artifacts": ["YAML", "archive"]})
    server.data("PUT", "setting/team/data/", json={"retention_builds": 5})
    found = [
        server.data("GET", path)["retention_builds"] for path in ("setting/", "setting/team/", "setting/team/data/")
    ]
    assert found == [9, 7, 5]
    assert server.data("GET", "setting/team/")["build_artifacts"] == ["yaml", "archive"]
    for body in (
        {"nonsense": 1},
        {"retention_builds": "x"},
        {"conda_max_solve_time": 1.0},
        {"conda_solve_platforms": ["z80"]},
    ):
        assert server.ask("PUT", "setting/team/", json=body).status_code == 400, body
    assert server.ask("POST", f"build/{server.build_id}/artifacts/lockfile/").status_code == 400  # not made there now
    everything = ["yaml", "lockfile", "explicit", "archive"]
    server.data("PUT", "setting/team/", json={"retention_builds": 5, "build_artifacts": everything})


def test_policy_refuses_and_adds_and_says_so(server: Server, nasty_channel: str, channel: str) -> None:
    server.data("POST", "namespace/strict")
    allowed = {"conda_allowed_channels": [nasty_channel], "conda_included_packages": ["nasty-links"]}
    server.data("PUT", "setting/strict/", json=allowed | {"conda_required_packages": ["nasty-text"]})
    body = {"namespace": "strict", "specification": f"name: x\nchannels: [{channel}]\ndependencies: [numpy]"}
    refused = server.ask("POST", "specification/", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "policy")
    assert "is not allowed" in refused.json()["message"] and "nasty-text must be listed" in refused.json()["message"]
    prefixed = f"name: x\nchannels: [{nasty_channel}]\ndependencies: ['{channel}::numpy', nasty-text]"
    assert (
        "is not allowed"
        in server.ask("POST", "specification/", json=body | {"specification": prefixed}).json()["message"]
    )
    lock = server.ask("GET", f"build/{server.build_id}/conda-lock.yml").text
    locked = server.ask("POST", "specification/", json=body | {"specification": lock})
    assert locked.status_code == 400 and "lockfile takes packages from" in locked.json()["message"]
    good = f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    made = server.data("POST", "specification/", json=body | {"specification": good})
    assert made["notes"] == ["added nasty-links (conda_included_packages)"]
    server.wait(made["build_id"])
    assert "added nasty-links" in server.ask("GET", f"build/{made['build_id']}/logs/").text
    server.data("DELETE", "environment/strict/x/")


def test_policy_looks_at_what_is_really_used(server: Server, nasty_channel: str, channel: str) -> None:
    server.data("POST", "namespace/tight")
    rules = {"conda_allowed_channels": [nasty_channel], "conda_default_channels": [channel]}
    server.data("PUT", "setting/tight/", json=rules | {"pypi_allowed_indexes": ["https://index.example/good/simple"]})

    def submit(text: str) -> requests.Response:
        return server.ask("POST", "specification/", json={"namespace": "tight", "specification": f"name: x\n{text}"})

    for text in (
        "dependencies: [python]",
        "channels: [nodefaults]\ndependencies: [python]",
        f"channels: ['{nasty_channel}']\ndependencies: [a, pip: ['six @ https://index.example/evil/six-1-py3-none-any.whl']]",
    ):
        assert submit(text).json()["code"] == "policy", text
    for address in (
        "https://index.example/good/simple/../../evil/simple",
        "https://index.example/good/simple/%2e%2e/e",
    ):
        assert (
            submit(f"channels: ['{nasty_channel}']\ndependencies: [a, pip: ['--index-url {address}', six]]").status_code
            == 400
        )
    lock = server.ask("GET", f"build/{server.build_id}/lockfile/").json()
    wheel = {
        "name": "six",
        "version": "1",
        "manager": "pip",
        "platform": "linux-64",
        "dependencies": {},
        "url": "https://index.example/evil/six-1-py3-none-any.whl",
        "hash": {"sha256": "0" * 64},
    }
    lock["package"].append(wheel)
    body = {"namespace": "tight", "specification": json.dumps(lock)}
    refused = server.ask("POST", "specification/", json=body)
    assert "takes six from" in refused.json()["message"], refused.text
    clone = server.ask("POST", "environment/team/data/clone/", json={"namespace": "tight", "name": "carried"})
    assert (clone.status_code, clone.json()["code"]) == (400, "policy")
    assert server.ask("GET", "environment/?namespace=tight").json()["count"] == 0


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
    from jupyter_envstore import wire

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
        if wire.read_cursor(cursor)[0] is None:
            break
    listed = server.ask("GET", "environment/").json()
    assert seen == [row["name"] for row in listed["data"]]
    assert len(seen) == answer["count"] == listed["count"] == listed["size"]
    for name in ("one", "two", "three"):
        server.data("DELETE", f"environment/team/{name}/")


BAD = [
    ("POST", "specification/", b"{nope", 400),
    ("POST", "specification/", b"[]", 400),
    ("POST", "specification/", b"[" * 100_000, 400),
    ("POST", "specification/", {"specification": 3}, 400),
    ("POST", "specification/", {"specification": "dependencies: [python]"}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [python]", "surprise": 1}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [python]", "is_lockfile": True}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [python]", "namespace": "../etc"}, 400),
    ("POST", "namespace/conda-store-dynamic/", None, 400),
    ("POST", "namespace/..%2F..%2Fetc/", None, 400),
    ("POST", "namespace/a%00b/", None, 400),
    ("GET", "environment/team/%2e%2e%2fdata/", None, 400),
    ("GET", "environment/team/nothing/", None, 404),
    ("GET", "environment/?size=0", None, 400),
    ("GET", "environment/?size=101", None, 400),
    ("GET", "environment/?page=x", None, 400),
    ("GET", "environment/?order=up", None, 400),
    ("GET", "environment/?sort_by=password", None, 400),
    ("GET", "environment/?status=NICE", None, 400),
    ("GET", "environment/?artifact=CAKE", None, 400),
    ("GET", "build/abc/", None, 400),
    ("GET", "build/0/", None, 404),
    ("GET", "build/99999999999999999999999/", None, 400),
    ("GET", "build/999999999999/", None, 404),
    ("GET", "build/-1/", None, 400),
    ("PUT", "build/999999/cancel/", None, 404),
    ("GET", "setting/nowhere/", None, 404),
    ("PUT", "namespace/team/metadata", {"a": {"deep": 1}}, 400),
    ("PUT", "namespace/team/", {"role_mappings": {"nonsense": ["viewer"]}}, 400),
    ("PUT", "namespace/team/", {"role_mappings": {"a/*": ["king"]}}, 400),
    ("PUT", "environment/team/data/", {"build_id": "x"}, 400),
    ("PUT", "environment/team/data/", {"build_id": True}, 400),
    ("PUT", "environment/team/data/", {"build_id": 10**30}, 400),
    ("PUT", "environment/team/data/", {"build_id": -1}, 400),
    ("PUT", "environment/team/data/", {"build_id": 0}, 404),
    ("POST", "token/", {"expiration": False}, 400),
    ("POST", "token/", {"expiration": 0}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "environment_description": 5}, 400),
    ("PUT", "environment/team/data/", b'{"description": "\\ud800"}', 400),
    ("POST", "environment/team/data/clone/", {"name": "x", "build_id": 10**30}, 400),
    ("POST", "token/", b'{"name": "\\ud800"}', 400),
    ("POST", "specification/", b'{"specification": "\\ud800"}', 400),
    ("POST", "token/", {"role_bindings": {"a/b": [{}]}}, 400),
    ("POST", "token/", {"role_bindings": {"a/b": {"viewer": 1}}}, 400),
    ("POST", "token/", {"role_bindings": {"a*a*a*a*a*b/x": ["viewer"]}}, 400),
    ("PUT", "namespace/team/", {"role_mappings": {"a/b": [["x"]]}}, 400),
    ("PUT", "setting/", b'{"storage_threshold": 1e999}', 400),
    ("PUT", "setting/", b'{"conda_max_solve_time": NaN}', 400),
    ("PUT", "setting/", {"storage_threshold": 10**400}, 400),
    ("PUT", "setting/", {"retention_days": 10**10}, 400),
    ("PUT", "namespace/team/metadata", b'{"a": NaN}', 400),
    ("POST", "token/", {"expiration": "yesterday"}, 400),
    ("POST", "token/", {"expiration": "2001-01-01T00:00:00Z"}, 400),
    ("POST", "token/", {"role_bindings": {"a": ["viewer"]}}, 400),
    ("GET", "search/numpy/?channel=file%3A%2F%2F%2Fnowhere", None, 400),
    ("POST", "solve/", {"specification": "dependencies: [python]", "platform": "z80"}, 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD, ids=lambda value: str(value)[:50])
def test_bad_input_gets_a_message_and_a_code(server: Server, method: str, path: str, body: object, status: int) -> None:
    options = {"data": body} if isinstance(body, bytes) else {"json": body}
    answer = server.ask(method, path, check="%" not in path, **options)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"] and answer.json()["code"]
    assert "Traceback" not in answer.text


def test_the_audit_notes_downloads_and_nothing_else(server: Server) -> None:
    path = f"build/{server.build_id}/explicit/"
    last = max((row["id"] for row in server.data("GET", "audit/?verb=artifact.download&size=1000")), default=0)
    etag = server.ask("GET", path).headers["ETag"]
    server.ask("GET", path, headers={"Range": "bytes=0-"})
    server.ask("GET", path, headers={"If-None-Match": etag})
    server.ask("GET", path, headers={"Range": "bytes=5-9"})
    server.ask("HEAD", path)
    noted = server.data("GET", f"audit/?verb=artifact.download&after={last}")
    assert [row["subject"] for row in noted] == [f"build:{server.build_id}:explicit"] * 2


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    answer = server.ask("PUT", "setting/", data=b" " * 2_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unknown_paths_and_verbs_are_told(server: Server) -> None:
    headers = {"Authorization": f"Bearer {MASTER}"}
    assert requests.get(f"{server.api}nothing/here", headers=headers, timeout=10).json()["code"] == "not_found"
    assert requests.patch(f"{server.api}build/", headers=headers, timeout=10).status_code == 405


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


def test_a_client_that_goes_away_in_mid_download_harms_nobody(server: Server) -> None:
    url = f"{server.api}build/{server.build_id}/archive/"
    with requests.get(url, headers={"Authorization": f"Bearer {MASTER}"}, stream=True, timeout=10) as answer:
        next(answer.iter_content(1000))
    assert server.ask("GET", "permission/").ok
    assert "Traceback" not in Path(server.log).read_text()


def test_a_preview_tells_of_pypi_packages_that_come_and_go(server: Server, channel: str) -> None:
    text = f"name: pip\nchannels: [{channel}]\ndependencies: [python, {{pip: [%s]}}]"
    server.wait(server.submit(text % "cowsay"))
    body = {"specification": text % "rich", "environment": "pip", "namespace": "team"}
    found = server.data("POST", "solve/", json=body)
    changes = {(item["change"], item["name"]) for item in found["changes"] if item["manager"] == "pip"}
    assert changes == {("added", "rich"), ("removed", "cowsay")}
    assert any("PyPI" in note for note in found["notes"])
    server.data("DELETE", "environment/team/pip/")


def test_a_large_specification_is_read_without_holding_up_the_others(server: Server) -> None:
    lines = "".join(f"  - package-{number}\n" for number in range(60_000))
    longest = 0.0
    answers: list[Any] = []
    body = {"specification": f"name: large\nchannels: [a]\ndependencies:\n{lines}surprise: 1\n"}
    thread = threading.Thread(target=lambda: answers.append(server.ask("POST", "specification/check/", json=body)))
    thread.start()
    while thread.is_alive():
        started = time.perf_counter()
        assert server.ask("GET", "").ok
        longest = max(longest, time.perf_counter() - started)
    assert answers[0].json()["data"]["faults"][-1]["line"] == 60_004
    assert longest < 0.5


def test_a_download_of_another_file_than_expected_is_refused(server: Server) -> None:
    path = f"build/{server.build_id}/explicit/"
    etag = server.ask("GET", path).headers["ETag"]
    assert server.ask("GET", path, headers={"If-Match": etag}).status_code == 200
    assert server.ask("GET", path, headers={"If-Match": '"other"'}).status_code == 412


def test_packages_that_begin_so_have_their_versions(server: Server, nasty_channel: str) -> None:
    server.data("PUT", "setting/", json={"conda_default_channels": [nasty_channel]})
    found = server.data("GET", "package/?search=nasty-ver")
    assert {(row["name"], row["version"]) for row in found} == {
        ("nasty-versions", version) for version in ("1.0", "1.5", "2.0", "2.1")
    }
    assert server.data("GET", "package/?search=nasty-ver&build=zzz") == []
    server.data("PUT", "setting/", json={"conda_default_channels": ["conda-forge"]})


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


def test_a_misspelled_package_is_told_with_what_may_have_been_meant(server: Server, channel: str) -> None:
    def refused(package: str) -> dict[str, Any]:
        text = f"channels: [{channel}]\ndependencies: [python, {package}]"
        answer = server.ask("POST", "solve/", json={"specification": text, "namespace": "team"})
        assert (answer.status_code, answer.json()["code"]) == (400, "unsatisfiable")
        return dict(answer.json())

    missing = refused("nmupy")
    assert missing["suggestions"]["nmupy"][0] == "numpy"
    assert "did you mean numpy" in missing["message"]
    old = refused("'numpy>=99'")
    newest = server.data("GET", f"newest/?name=numpy&channel={channel}")[0]["version"]
    assert f"the newest there is {newest}" in old["message"]
    assert "suggestions" not in old


def test_the_newest_of_several_packages_is_found_at_once(server: Server, channel: str) -> None:
    found = server.data("GET", f"newest/?name=numpy&name=flask&name=nosuch&channel={channel}")
    assert [package["name"] for package in found] == ["numpy", "flask"]
    assert all(package["version"] and package["channel_id"] == channel for package in found)
    for query in ("", "?name=", "?name=a%20b", "?" + "&".join(f"name=p{n}" for n in range(51))):
        assert server.ask("GET", f"newest/{query}").status_code == 400


def test_a_solve_tells_what_is_to_be_downloaded(server: Server, channel: str) -> None:
    text = f"channels: [{channel}]\ndependencies: [python, numpy]"
    solved = server.data("POST", "solve/", json={"specification": text, "namespace": "team"})
    assert solved["to_download"] == 0  # the environment of all tests has them


def test_packages_say_what_they_are(server: Server) -> None:
    contents = {package["name"]: package for package in server.data("GET", f"build/{server.build_id}/contents/")}
    about = server.data("GET", f"build/{server.build_id}/about/numpy/")
    assert (about["name"], about["version"]) == ("numpy", contents["numpy"]["version"])
    assert about["summary"]
    assert about["home"].startswith("http")
    assert server.ask("GET", f"build/{server.build_id}/about/nosuch/").status_code == 404
    assert server.ask("GET", f"build/{server.build_id}/about/numpy/?manager=pip").status_code == 404


def test_an_environment_tells_the_languages_of_its_kernels(server: Server) -> None:
    assert server.data("GET", "environment/team/data/")["languages"] == ["Python"]


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


def test_changes_that_one_does_not_want_are_not_made(server: Server) -> None:
    text = "name: x\nchannels: [defaults]\ndependencies: [python]\n"
    body = {"specification": text, "repair": True, "file_name": "environment.yml"}
    made = server.data("POST", "specification/check/", json=body)
    assert {change["choice"] for change in made["changes"]} == {"defaults", "kernel"}
    kept = server.data("POST", "specification/check/", json=body | {"keep": ["defaults", "kernel"]})
    assert (kept["changes"], kept["text"]) == ([], text)
    assert server.ask("POST", "specification/check/", json=body | {"keep": ["all"]}).status_code == 400


def test_a_lockfile_gives_a_specification_to_begin_with(server: Server) -> None:
    lock = server.ask("GET", f"build/{server.build_id}/conda-lock.yml").text
    checked = server.data("POST", "specification/check/", json={"specification": lock})
    assert checked["packages"] == len(server.data("GET", f"build/{server.build_id}/contents/"))
    start = server.data("POST", "specification/check/", json={"specification": checked["starting_point"]})
    assert start["faults"] == []
    assert {"python", "numpy", "ipykernel"} <= {line.split("=")[0] for line in start["conda"]}
    assert len(start["conda"]) < checked["packages"]
