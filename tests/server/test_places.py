"""Names over the REST API: a name may bring its namespace, wherever one is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.live import Server

PLACE = "analytics/etl"


@pytest.fixture(scope="module")
def plain(make_server: Callable[[str], Server]) -> Server:
    """A server with nothing in its store that makes no artifacts."""
    return make_server("c.EnvStoreApp.default_settings = {'artifacts_at_once': []}\n")


def test_a_name_may_bring_its_namespace_in_every_field(plain: Server, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"

    def post(path: str, **body: Any) -> dict[str, Any]:
        found: dict[str, Any] = plain.data("POST", path, json=body)
        return found

    build_id = post("specification/", specification=text, environment_name=PLACE)["build_id"]
    assert plain.wait(build_id)["status"] == "COMPLETED"
    assert plain.data("GET", f"environment/{PLACE}/")["current_build_id"] == build_id
    assert post("specification/check/", specification=text, environment=PLACE)["faults"] == []
    assert post("solve/", specification=text, environment=PLACE)["changes"] == []
    plain.wait(post("environment/analytics/etl/clone/", name="reports/copy")["build_id"])
    assert plain.data("GET", "environment/reports/copy/")["namespace"]["name"] == "reports"
    (listed,) = plain.data("GET", f"environment/?name={PLACE}")
    assert (listed["namespace"]["name"], listed["name"]) == ("analytics", "etl")
    for place in ("analytics/etl", "reports/copy"):
        plain.data("DELETE", f"environment/{place}/")


def test_two_namespaces_are_refused_in_every_field(plain: Server, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    for path, field, more in (
        ("specification/", "environment_name", {"specification": text}),
        ("specification/check/", "environment", {"specification": text}),
        ("solve/", "environment", {"specification": text}),
        ("environment/team/none/clone/", "name", {}),
    ):
        answer = plain.ask("POST", path, json={"namespace": "team", field: PLACE, **more})
        assert (answer.status_code, "give one of them" in answer.json()["message"]) == (400, True), path
    assert "give one of them" in plain.ask("GET", f"environment/?namespace=team&name={PLACE}").json()["message"]


def test_who_may_not_make_anything_in_the_namespace_of_a_name_is_refused(plain: Server, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    token = plain.token({"team/*": ["developer"]}, primary_namespace="team")
    body = {"specification": text, "environment_name": PLACE}
    assert plain.ask("POST", "specification/", token, json=body).status_code == 403
