"""Settings and the policy that they make, over the REST API."""

from __future__ import annotations

import json
import re
from typing import Any

import requests

from tests.server.live import Server


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


def test_a_preview_is_refused_as_a_build_would_be(server: Server, nasty_channel: str) -> None:
    specification = f"name: bound\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]"
    body = {"namespace": "team", "specification": specification}
    server.wait(server.submit(specification))
    server.data("PUT", "setting/team/bound/", json={"conda_allowed_channels": ["conda-forge"]})

    def refused(status: int) -> str:
        """Return why neither is done, though the environment's name is in the text alone."""
        preview, build = (server.ask("POST", path, json=body) for path in ("solve/", "specification/"))
        said, built = (re.sub(r"^[\d.]+ GB are free", "", answer.json()["message"]) for answer in (preview, build))
        assert (preview.status_code, build.status_code, said) == (status, status, built)
        assert preview.json()["code"] == build.json()["code"]
        return str(build.json()["message"])

    assert refused(400).startswith("team/bound: channel")
    server.data("PUT", "setting/team/bound/", json={"conda_allowed_channels": []})
    server.data("PUT", "setting/", json={"storage_threshold": 10**15})
    assert "(setting storage_threshold)" in refused(507)
    server.data("PUT", "setting/", json={"storage_threshold": 0})
    assert server.data("POST", "solve/", json=body)["packages"]
    server.data("DELETE", "environment/team/bound/")


def test_a_default_channel_is_a_folder_that_is_there(server: Server, channel: str) -> None:
    answer = server.ask("PUT", "setting/", json={"conda_default_channels": [channel, "file:///no%20where"]})
    assert answer.status_code == 400
    assert answer.json()["message"] == "setting conda_default_channels: there is no folder /no where on this server"
    for long in ("file:///" + "a" * 300, "file://" + "/a" * 3000):
        assert server.ask("PUT", "setting/", json={"conda_default_channels": [long]}).status_code == 400
        text = f"channels: ['{long}']\ndependencies: [a]"
        assert server.ask("POST", "solve/", json={"specification": text}).json()["code"] == "invalid_specification"


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


def test_a_setting_is_taken_back(server: Server) -> None:
    before = server.data("GET", "setting/team/")["retention_days"]
    server.data("PUT", "setting/team/", json={"retention_days": before + 7})
    assert server.data("GET", "setting/team/")["retention_days"] == before + 7
    server.data("PUT", "setting/team/", json={"retention_days": None})
    assert server.data("GET", "setting/team/")["retention_days"] == before


def test_default_packages_are_those_of_a_specification_that_lists_none(server: Server, nasty_channel: str) -> None:
    def check(text: str) -> dict[str, Any]:
        body = {"specification": f"channels: [{nasty_channel}]\n{text}", "namespace": "empty"}
        return dict(server.data("POST", "specification/check/", json=body))

    for text in ("dependencies: []", "dependencies:", "name: x"):
        assert "missing or empty" in check(text)["faults"][0]["message"]
    server.data("POST", "namespace/empty/")
    server.data("PUT", "setting/empty/", json={"conda_default_packages": ["nasty-text"]})
    for text in ("dependencies: []", "dependencies:", "name: x"):
        assert check(text)["faults"] == []
        assert "added nasty-text (conda_default_packages)" in check(text)["notes"]
    body = {"specification": f"name: none\nchannels: [{nasty_channel}]\ndependencies: []", "namespace": "empty"}
    build = server.wait(server.data("POST", "specification/", json=body)["build_id"])
    assert build["status"] == "COMPLETED", build["status_info"]
    server.data("DELETE", "environment/empty/none/")
    server.data("DELETE", "namespace/empty/")
