"""What a server answers about notebooks that remember their environment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.live import Server

Json = dict[str, Any]


@pytest.fixture
def written(server: Server) -> Json:
    """The metadata of a notebook that was written in ``team/data``, with its lock."""
    found: Json = server.data("GET", f"build/{server.build_id}/bond/?lock=true")
    return found


def test_a_build_is_found_by_those_who_may_see_it(server: Server, written: Json) -> None:
    state = server.data("POST", "notebook/", json={"envstore": written})
    assert server.build_id in [build["build_id"] for build in state["builds"]]
    assert "lock" not in state["bond"]
    assert state["lock"]["fits"]
    other = server.token({"elsewhere/*": ["admin"]})
    hidden = server.data("POST", "notebook/", other, json={"envstore": written})
    assert (hidden["builds"], hidden["named"], hidden["fitting"]) == ([], None, [])
    assert server.ask("POST", "notebook/", None, json={"envstore": written}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 400, "'envstore' is missing"),
        ({"envstore": []}, 400, "is not a mapping"),
        ({"envstore": {"version": 9}}, 400, "this version reads 1"),
        ({"envstore": {}, "path": "/etc"}, 400, "unknown field 'path'"),
        ({"envstore": {"lock": "x" * (9 * 1024 * 1024)}}, 413, "at most"),
    ],
)
def test_other_metadata_is_refused(server: Server, body: Json, status: int, message: str) -> None:
    answer = server.ask("POST", "notebook/", json=body)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_the_lock_is_built_where_one_may(server: Server, written: Json) -> None:
    state = server.data("POST", "notebook/", json={"envstore": written})
    body = {"envstore": written, "namespace": "brought", "name": "back"}
    refused = server.ask("POST", "notebook/build/", json=body)
    assert refused.status_code == 409
    assert "send the addresses in 'accept'" in refused.json()["message"]
    assert server.ask("POST", "notebook/build/", json={**body, "accept": "all"}).status_code == 400
    assert server.ask("POST", "notebook/build/", json={**body, "name": "a/b/c"}).status_code == 400
    viewer = server.token({"brought/*": ["viewer"], "team/*": ["viewer"]})
    assert server.ask("POST", "notebook/build/", viewer, json=body).status_code == 403
    body["accept"] = state["lock"]["places"]
    made = server.data("POST", "notebook/build/", json=body)["build_id"]
    assert server.wait(made)["status"] == "COMPLETED"
    assert server.data("GET", f"build/{made}/bond/")["record"] == written["record"]
    assert server.ask("POST", "notebook/build/", json=body).status_code == 409
    server.ask("DELETE", "environment/brought/back/")


def test_what_is_from_elsewhere_names_its_addresses_and_changes_nothing(server: Server, channel: str) -> None:
    pip = "dependencies: [six, pip, pip: [--extra-index-url https://more.example/simple, cowsay]]"
    body = {"specification": f"channels: [{channel}]\n{pip}", "namespace": "foreign", "environment_name": "new"}
    refused = server.ask("POST", "specification/", json={**body, "accept": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_places")
    places = refused.json()["places"]
    assert places == [channel, "https://more.example/simple"]
    assert server.ask("POST", "specification/", json={**body, "accept": places[:1]}).json()["places"] == places[1:]
    for odd in ("all", [1]):
        assert server.ask("POST", "specification/", json={**body, "accept": odd}).status_code == 400
    taken = {
        "specification": f"channels: [{channel}]\ndependencies: [six]",
        "namespace": "team",
        "environment_name": "data",
    }
    before = server.data("GET", "environment/team/data/")["current_build_id"]
    exists = server.ask("POST", "specification/", json={**taken, "accept": [channel], "is_new": True})
    assert (exists.status_code, exists.json()["message"]) == (409, "environment team/data exists already")
    assert server.data("GET", "environment/team/data/")["current_build_id"] == before
    assert server.ask("GET", "namespace/foreign/", check=False).status_code == 404


def test_a_script_block_is_put_into_a_text(server: Server) -> None:
    path = f"build/{server.build_id}/script-block/"
    found = server.data("POST", path, json={"text": "print(1)"})
    assert found["text"].startswith("# /// script\n# requires-python = ")
    assert found["text"].endswith("# ///\n\nprint(1)")
    assert server.data("POST", path, json={"text": found["text"]}) == found
    assert server.data("POST", path)["text"] == found["text"].removesuffix("\n\nprint(1)")
    for odd, message in (({"text": 1}, "'text' must be text"), ({"text": "# /// script"}, "does not end")):
        answer = server.ask("POST", path, json=odd)
        assert (answer.status_code, message in answer.text) == (400, True)


def test_a_module_is_found_in_what_environments_have(server: Server) -> None:
    (found,) = server.data("GET", "module/dateutil/")
    assert (found["package"], found["manager"], found["source"]) == ("python-dateutil", "conda", "contents")
    assert "team/data" in found["places"]
    assert [item["package"] for item in server.data("GET", "module/numpy.linalg/")] == ["numpy"]
    assert server.data("GET", "module/numpy.none/") == []
    known = [{"package": "scikit-learn", "manager": kind, "source": "known", "places": []} for kind in ("conda", "pip")]
    assert server.data("GET", "module/sklearn.svm/") == known
    assert server.data("GET", "module/Rcpp/?language=r")[0]["package"] == "r-rcpp"
    other = server.token({"elsewhere/*": ["admin"]})
    assert server.data("GET", "module/numpy/", other) == []  # of environments that one may not see, nothing is told
    assert server.data("GET", "module/dateutil/", other)[0]["source"] == "known"
    for path in ("a..b/", "a%20b/", "a%2Fb/", "x/?language=cobol", "a..b/?language=r"):
        assert server.ask("GET", f"module/{path}", check=False).status_code in {400, 404}
