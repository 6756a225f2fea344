"""Bad input to the REST API: a message, a code, the right status, and nothing done."""

from __future__ import annotations

import pytest
import requests

from tests.server.live import MASTER, Server

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
    ("GET", "build/99999999999999999999999/", None, 404),
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
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "categories": "dev"}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "categories": [1]}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "categories": ["dev"]}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "file_environment": 1}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "file_environment": "gpu"}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "keep": ["nothing"]}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "exclude_newer": "soon"}, 400),
    ("POST", "specification/", {"specification": "name: x\ndependencies: [a]", "exclude_newer": 2026}, 400),
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


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    answer = server.ask("PUT", "setting/", data=b" " * 2_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unknown_paths_and_verbs_are_told(server: Server) -> None:
    headers = {"Authorization": f"Bearer {MASTER}"}
    assert requests.get(f"{server.api}nothing/here", headers=headers, timeout=10).json()["code"] == "not_found"
    assert requests.patch(f"{server.api}build/", headers=headers, timeout=10).status_code == 405


@pytest.mark.parametrize("bindings", [[], "", False, 0, "x"], ids=repr)
def test_bindings_of_a_wrong_type_never_make_a_wide_token(server: Server, bindings: object) -> None:
    answer = server.ask("POST", "token/", json={"role_bindings": bindings})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


@pytest.mark.parametrize(
    "variant", ["../../x", "a\r\nX-Evil: 1", "\0", "x" * 200_000], ids=["path", "header", "nul", "long"]
)
@pytest.mark.parametrize("kind", ["yaml", "explicit", "archive", "lockfile"])
def test_a_variant_that_there_cannot_be_is_refused_and_leaves_nothing(server: Server, kind: str, variant: str) -> None:
    before = server.data("GET", f"build/{server.build_id}/artifacts/")
    answer = server.ask("POST", f"build/{server.build_id}/artifacts/{kind}/", json={"variant": variant})
    assert answer.status_code == 400, answer.text
    assert server.data("GET", f"build/{server.build_id}/artifacts/") == before


def test_control_characters_in_a_query_match_nothing(server: Server) -> None:
    for query in ("environment/?search=%00", "build/?name=%1f", "package/?search=%7f"):
        assert server.ask("GET", query).status_code == 400


def test_ids_that_nothing_can_have_are_not_there(server: Server) -> None:
    for number in (2**31, 2**63, 10**30):
        assert server.ask("GET", f"build/{number}/").status_code == 404
        assert server.ask("DELETE", f"token/{number}/").status_code == 404


def test_a_body_where_none_is_expected_is_refused(server: Server) -> None:
    for method, path in (("PUT", "build/{}/"), ("PUT", "build/{}/cancel/"), ("POST", "build/{}/restore/")):
        for data in ('{"foo": 1', '{"foo": 1}', "[]"):
            answer = server.ask(method, path.format(server.build_id), data=data)
            assert answer.status_code == 400, (path, data, answer.text)


def test_another_sites_page_is_refused_in_words(server: Server) -> None:
    cookies = requests.get(f"{server.origin}/api/me?token={MASTER}", timeout=10).cookies
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        answer = requests.get(f"{server.api}environment/", cookies=cookies, headers={"Origin": origin}, timeout=10)
        assert answer.status_code == 403, answer.text
        assert "another site" in answer.json()["message"]


def test_a_wrong_verb_is_told_which_there_are(server: Server) -> None:
    answer = server.ask("DELETE", "environment/", check=False)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_a_build_of_another_environment_is_as_if_it_were_not_there(server: Server, nasty_channel: str) -> None:
    other = server.submit(f"name: stranger\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    server.wait(other)
    for build_id in (other, 999_999):
        for method, path, body in (
            ("PUT", "environment/team/data/", {"build_id": build_id}),
            ("POST", "environment/team/data/clone/", {"name": "copied", "build_id": build_id}),
        ):
            answer = server.ask(method, path, json=body)
            assert answer.status_code == 404
            assert answer.json()["message"] == f"environment data has no build {build_id}"
    server.data("DELETE", "environment/team/stranger/")
