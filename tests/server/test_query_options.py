"""Options of a query: what is documented is heeded, and what says something elsewhere is refused where it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.server.live import Server, document

RECORDER = """
import tornado.web
def record(name):
    original = getattr(tornado.web.RequestHandler, name)
    def read(self, key, *more, **named):
        number = self.request.headers.get("X-Case")
        if number:
            with open({notes!r}, "a") as file:
                file.write(f"{{number}} {{key}}\\n")
        return original(self, key, *more, **named)
    setattr(tornado.web.RequestHandler, name, read)
for name in ("get_query_argument", "get_query_arguments"):
    record(name)
"""
"""Part of the server's configuration: notes which options of a query are read for which request."""
VALUES = {"after": "0", "offset": "0", "page": "1", "size": "1", "since": "0", "environment_id": "1"}


def parameters(template: str, method: str) -> list[str]:
    """Return the documented options of the query."""
    shared = document()["paths"][template].get("parameters", [])
    listed = [*shared, *document()["paths"][template][method].get("parameters", [])]
    found = [_resolved(entry) for entry in listed]
    return [entry["name"] for entry in found if entry["in"] == "query"]


def _resolved(entry: dict[str, Any]) -> dict[str, Any]:
    found: Any = entry
    if "$ref" in entry:
        found = document()
        for key in entry["$ref"].removeprefix("#/").split("/"):
            found = found[key]
    return dict(found)


DOCUMENTED = [
    (method, template, option)
    for template, verbs in document()["paths"].items()
    for method in verbs
    if method in ("get", "head", "delete")
    for option in parameters(template, method)
]


@pytest.fixture(scope="module")
def kept(make_server: Callable[[str], Server], nasty_channel: str, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with ``team/open``, kept with its packages, which notes the options that are read."""
    notes = tmp_path_factory.mktemp("notes") / "read"
    notes.touch()
    server = make_server(RECORDER.format(notes=str(notes)))
    server.notes = notes  # type: ignore[attr-defined]
    server.build_id = server.submit(f"name: open\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]")
    assert server.wait(server.build_id)["status"] == "COMPLETED"
    assert server.ask("PUT", f"build/{server.build_id}/keep/", json={"packages": True}).status_code == 202
    server.wait(server.build_id)
    assert server.data("GET", f"build/{server.build_id}/keep/")["state"] == "kept"
    for kind in ("explicit", "lockfile"):
        assert server.ask("GET", f"build/{server.build_id}/artifacts/{kind}/file/").status_code == 200
    return server


def address(server: Server, template: str) -> str:
    build = {
        "build_id": str(server.build_id),
        "kind": "lockfile",
        "package": "nasty-text",
        "module": "numpy",
        "digest": "0",
    }
    place = {"namespace": "team", "name": "gone" if template == "/environment/{namespace}/{name}/" else "open"}
    return re.sub(r"\{(\w+)\}", lambda found: {**build, **place}[found[1]], template.strip("/")) + (
        "/" if template.endswith("/") else ""
    )


def test_every_documented_option_is_read(kept: Server) -> None:
    notes = kept.notes  # type: ignore[attr-defined]
    for number, (method, template, option) in enumerate(DOCUMENTED):
        value = VALUES.get(option, "true" if option in ("download", "now", "plan", "exact") else "x")
        path = f"{address(kept, template)}?{option}={value}"
        answer = kept.ask(method.upper(), path, headers={"X-Case": str(number)}, stream=True, check=False)
        answer.close()
    read = {tuple(line.split()) for line in notes.read_text().splitlines()}
    unread = [case for number, case in enumerate(DOCUMENTED) if (str(number), case[2]) not in read]
    assert len(DOCUMENTED) > 80
    assert not unread


def places(server: Server) -> list[str]:
    build, environment = f"build/{server.build_id}", "environment/team/open"
    return [
        f"{build}/conda-lock.yml",
        f"{build}/conda-lock.yaml",
        f"{build}/lockfile/",
        f"{build}/artifacts/lockfile/file/",
        f"{build}/artifacts/LOCKFILE/file/",
        f"{build}/explicit/",
        f"{build}/artifacts/explicit/file/",
        f"{environment}/lockfile/",
        f"{environment}/conda-lock.yml",
        f"{environment}/conda-lock.yaml",
    ]


def test_each_address_of_a_list_gives_the_addresses_of_kept_packages_where_they_are_asked_for(kept: Server) -> None:
    for place in places(kept):
        plain, served = kept.ask("GET", place), kept.ask("GET", f"{place}?channel=kept&download=1")
        assert plain.status_code == served.status_code == 200, place
        assert "nasty-text-1.0-0.conda" in plain.text
        assert re.search(r"file://\S+nasty-text", plain.text)
        assert not re.search(r"file://\S+nasty-text", served.text), place
        assert re.search(f"{kept.origin}/envstore/channel/sha256/\\w+/noarch/nasty-text", served.text), place
        assert "attachment" in served.headers["Content-Disposition"]
        assert plain.headers["ETag"] != served.headers["ETag"]
        head = kept.ask("HEAD", f"{place}?channel=kept")
        assert head.headers["Content-Length"] == str(len(served.content))
        wrong = kept.ask("GET", f"{place}?channel=other")
        assert wrong.status_code == 400
        assert "channel 'other' is not known here; known: kept" in wrong.text


def test_the_lock_as_json_is_the_same_as_the_one_as_yaml(kept: Server) -> None:
    build = f"build/{kept.build_id}"
    one = kept.ask("GET", f"{build}/lockfile/?channel=kept")
    other = kept.ask("GET", f"{build}/conda-lock.yml?channel=kept")
    assert one.headers["Content-Disposition"].endswith('filename="conda-lock.json"')
    assert json.loads(one.text) == json.loads(json.dumps(yaml.safe_load(other.text), default=str))


def test_a_list_of_another_platform_is_not_given_as_this_ones(kept: Server) -> None:
    place = f"build/{kept.build_id}/explicit/"
    answer = kept.ask("GET", f"{place}?channel=kept&variant=osx-arm64")
    assert answer.status_code in (400, 404, 409), answer.text
    assert "linux" not in answer.text


@pytest.mark.parametrize(
    ("place", "option"),
    [
        ("conda-lock.yml", "variant=linux-64"),
        ("lockfile/", "variant=linux-64"),
        ("lockfile/", "format=tar.zst"),
        ("archive/", "variant=tar.zst"),
        ("archive/", "channel=kept"),
        ("installer/", "format=tar.zst"),
        ("installer/", "channel=kept"),
        ("docker/", "variant=x"),
        ("docker/", "channel=kept"),
        ("yaml/", "channel=kept"),
        ("artifacts/archive/file/", "channel=kept"),
        ("artifacts/archive/file/", "format=tar.zst"),
    ],
)
def test_an_option_that_another_address_knows_is_refused_instead_of_left_aside(
    kept: Server, place: str, option: str
) -> None:
    answer = kept.ask("GET", f"build/{kept.build_id}/{place}?{option}")
    assert answer.status_code == 400
    assert f"the query option {option.partition('=')[0]} is not known at this address; known: download" in answer.text
