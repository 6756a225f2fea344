"""Files of other tools over the REST API: what is taken of them, and the date that they ask for."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_envstore.server.specification_reader import LARGE_TEXT
from tests.server.live import Server

PIXI = """
[workspace]
name = "choosing"
channels = ["{channel}"]
platforms = ["linux-64", "linux-aarch64", "osx-arm64"]
exclude-newer = "2099-01-31"

[feature.text.dependencies]
nasty-text = "*"

[dependencies]

[environments]
text = ["text"]
"""


@pytest.fixture(scope="module")
def plain(make_server: Callable[[str], Server]) -> Server:
    """A server with nothing in its store that makes no artifacts."""
    return make_server("c.EnvStoreApp.default_settings = {'artifacts_at_once': []}\n")


def asked_for(server: Server, build_id: int) -> str:
    """Return the date that a build was made with."""
    with contextlib.closing(sqlite3.connect(server.root / "envstore.sqlite")) as database:
        (options,) = database.execute("SELECT options FROM build WHERE id = ?", (build_id,)).fetchone()
    date: str = json.loads(options)["exclude_newer"]
    return date


def submit(server: Server, text: str, **choices: Any) -> dict[str, Any]:
    found: dict[str, Any] = server.data("POST", "specification/", json={"specification": text, **choices})
    return found


def test_an_environment_of_a_file_is_built_with_the_date_of_the_file(plain: Server, nasty_channel: str) -> None:
    text = PIXI.format(channel=nasty_channel)
    made = submit(plain, text, file_name="pixi.toml", file_environment="text")
    assert any("pixi.toml" in note for note in made["notes"])
    assert asked_for(plain, made["build_id"]) == "2099-01-31"
    build = plain.wait(made["build_id"])
    assert build["exclude_newer"] == "2099-01-31"
    again = plain.data("PUT", f"build/{made['build_id']}/")["build_id"]
    assert plain.wait(again)["exclude_newer"] == "2099-01-31"
    assert build["status"] == "COMPLETED"
    assert "nasty-text" in build["specification"]["text"]


def test_a_date_of_the_request_goes_before_that_of_the_file(plain: Server, nasty_channel: str) -> None:
    text = PIXI.format(channel=nasty_channel)
    made = submit(plain, text, file_environment="text", exclude_newer="2098-01-31")
    assert asked_for(plain, made["build_id"]) == "2098-01-31"
    plain.wait(made["build_id"])


def test_what_a_file_does_not_have_is_named_with_what_it_has(plain: Server, nasty_channel: str) -> None:
    body = {"specification": PIXI.format(channel=nasty_channel), "file_environment": "gpu"}
    answer = plain.ask("POST", "specification/", json=body)
    assert answer.status_code == 400
    assert "gpu" in answer.json()["message"]
    assert "choose with 'file_environment': default, text" in answer.json()["message"]


def test_without_a_choice_nothing_is_repaired(plain: Server, nasty_channel: str) -> None:
    answer = plain.ask("POST", "specification/", json={"specification": PIXI.format(channel=nasty_channel)})
    assert answer.status_code == 400


PADDING = "".join(f"# a comment that makes the file large, line {number}\n" for number in range(1200))
LOCK = f"""\
version: 6
environments:
  default:
    channels: []
    packages:
      linux-64:
      - conda: https://host.example/c/linux-64/zlib-1.2-0.conda
      - conda: https://host.example/c/linux-64/__glibc-2.28-0.conda
  docs:
    channels: []
    packages: {{}}
packages:
- conda: https://host.example/c/linux-64/zlib-1.2-0.conda
  sha256: {"a" * 64}
"""


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("name: a\nchannels: defaults\ndependencies: [python=3.12, {pip: [rich]}]\n", {"repair": True}),
        ("name: a\nchannels: [conda-forge]\ndependencies: [python=3.12]\n", {}),
        ("name: a\nchannels: [conda-forge]\ndependencies: [numpy==]\nwrong: b\n", {}),
        ("name: a\nchannels: [conda-forge]\ndependencies: [numpy==]\nwrong: b\n", {"repair": True}),
        (LOCK, {"repair": True}),
        (LOCK, {"file_environment": "docs"}),
        (LOCK, {"file_environment": "gpu"}),
        (LOCK, {}),
        ("jobs: {}\non: push\n", {"repair": True}),
    ],
)
def test_a_large_file_is_answered_as_a_small_one(plain: Server, text: str, more: dict[str, Any]) -> None:
    answers = []
    for body in (text, text + PADDING):
        answer = plain.data("POST", "specification/check/", json={"specification": body, **more})
        answer["text"] = answer["text"].replace(PADDING, "")
        answers.append(answer)
    assert len(text + PADDING) > LARGE_TEXT
    assert answers[0] == answers[1]
    assert answers[0]["faults"] or answers[0]["conda"] or answers[0]["is_lockfile"]


def test_a_choice_that_cannot_be_taken_tells_what_else_there_is(plain: Server) -> None:
    for padding in ("", "# padding\n" * (LARGE_TEXT // 8)):
        body = {"specification": PIXI.format(channel="conda-forge") + padding, "repair": True, "file_name": "pixi.toml"}
        for more, said in (({}, "asks for no packages"), ({"file_environment": "gpu"}, "no environment 'gpu'")):
            found = plain.data("POST", "specification/check/", json=body | more)
            assert said in found["faults"][0]["message"]
            assert found["offer"]["environments"] == ["default", "text"]
        found = plain.data("POST", "specification/check/", json=body | {"file_environment": "text"})
        assert (found["faults"], found["offer"]["environment"]) == ([], "text")


def test_the_categories_that_a_lock_is_read_with_are_told(plain: Server) -> None:
    entry = {
        "manager": "conda",
        "platform": "linux-64",
        "version": "1",
        "dependencies": {},
        "hash": {"sha256": "a" * 64},
    }
    lock: dict[str, Any] = {"version": 1, "metadata": {"platforms": ["linux-64"], "channels": []}, "package": []}
    for name, category in (("zlib", "main"), ("xz", "dev"), ("tk", "docs")):
        url = f"https://host.example/c/linux-64/{name}-1-0.conda"
        lock["package"].append({**entry, "name": name, "url": url, "category": category})
    body = {"specification": json.dumps(lock), "repair": True, "file_name": "conda-lock.yml"}
    offer = plain.data("POST", "specification/check/", json=body)["offer"]
    assert (offer["categories"], offer["taken"]) == (["main", "dev", "docs"], ["main", "dev"])
    offer = plain.data("POST", "specification/check/", json=body | {"categories": ["docs"]})["offer"]
    assert (offer["categories"], offer["taken"]) == (["main", "dev", "docs"], ["main", "docs"])
    for package in lock["package"]:
        package["category"] = "docs"
    found = plain.data("POST", "specification/check/", json=body | {"specification": json.dumps(lock)})
    assert found["faults"]  # nothing is of main or dev
    assert (found["offer"]["categories"], found["offer"]["taken"]) == (["docs"], [])


def test_a_preview_leaves_out_what_was_uploaded_later(plain: Server, channel: str) -> None:
    body = {"specification": f"channels: [{channel}]\ndependencies: [numpy]\n"}
    assert plain.data("POST", "solve/", json=body | {"exclude_newer": "2999-01-01"})["packages"]
    assert plain.ask("POST", "solve/", json=body | {"exclude_newer": "2000-01-01"}).json()["code"] == "unsatisfiable"
    assert plain.ask("POST", "solve/", json=body | {"exclude_newer": "yesterday"}).status_code == 400
