"""Specifications and packages over the REST API: checked, edited, solved, searched."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Any

from tests.conftest import PYTHON
from tests.helpers import WithoutShards, serve
from tests.server.live import Server


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


def test_the_last_index_is_taken_while_a_channel_is_away(server: Server, channel: str) -> None:
    with serve(channel.removeprefix("file://"), WithoutShards) as url:
        body = {"specification": f"name: x\nchannels: ['http://{url}']\ndependencies: [flask]"}
        none = server.ask("POST", "solve/", json=body | {"last_index": True})
        assert (none.status_code, none.json()["code"]) == (502, "channel_unreachable")
        assert "no earlier index is kept" in none.json()["message"]
        fresh = server.data("POST", "solve/", json=body)
    assert fresh["index_from"] is None
    away = server.ask("POST", "solve/", json=body | {"specification": body["specification"].replace("flask", "pandas")})
    assert (away.status_code, away.json()["code"]) == (502, "channel_unreachable"), away.text
    assert datetime.fromisoformat(away.json()["last_index"]) <= datetime.now(timezone.utc).replace(tzinfo=None)
    kept = server.data("POST", "solve/", json=body | {"last_index": True})
    assert kept["packages"] == fresh["packages"]
    assert kept["index_from"] == away.json()["last_index"]


def test_packages_are_searched(server: Server, channel: str) -> None:
    names = [package["name"] for package in server.data("GET", f"search/nump*/?channel={channel}")]
    assert names == ["numpy"]
    versions = server.data("GET", f"search/numpy/?channel={channel}")
    assert all(package["name"] == "numpy" and package["version"] for package in versions)


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


def test_packages_that_begin_so_have_their_versions(server: Server, nasty_channel: str) -> None:
    server.data("PUT", "setting/", json={"conda_default_channels": [nasty_channel]})
    found = server.data("GET", "package/?search=nasty-ver")
    assert {(row["name"], row["version"]) for row in found} == {
        ("nasty-versions", version) for version in ("1.0", "1.5", "2.0", "2.1")
    }
    assert server.data("GET", "package/?search=nasty-ver&build=zzz") == []
    server.data("PUT", "setting/", json={"conda_default_channels": ["conda-forge"]})


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
    text = f"channels: [{channel}]\ndependencies: [python={PYTHON}, numpy]"
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
    assert server.ask("GET", f"build/{server.build_id}/about/numpy/?manager=apt").status_code == 400


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


def test_variables_of_a_lockfile_are_where_one_begins(server: Server, nasty_channel: str) -> None:
    text = f"name: vars\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\nvariables: {{GREETING: 'a: b'}}\n"
    build_id = server.submit(text)
    server.wait(build_id)
    lock = server.ask("GET", f"build/{build_id}/conda-lock.yml").text
    checked = server.data("POST", "specification/check/", json={"specification": lock})
    assert checked["starting_point"].endswith('variables:\n  GREETING: "a: b"\n')
    server.data("DELETE", "environment/team/vars/")
