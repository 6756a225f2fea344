"""Files of other tools over the REST API: what is taken of them, and the date that they ask for."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_envstore.texts import LARGE_TEXT
from tests.handlers.live import Server

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
    assert "text" in answer.json()["message"]


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
