"""An artifact that another package makes: installed beside, it is made, listed and downloaded as ours are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_envstore.client import EnvStore
from tests.other_makers import python_with_makers
from tests.server.live import MASTER, Server


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, make_server: Callable[..., Server]) -> Server:
    """A server with another package's maker."""
    python = python_with_makers(tmp_path_factory.mktemp("others"))
    return make_server('c.EnvStoreApp.default_settings = {"check_imports": False}\n', python)


def test_it_is_made_listed_and_downloaded(other: Server, nasty_channel: str, tmp_path: Path) -> None:
    build_id = other.submit(f"name: named\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert other.wait(build_id)["status"] == "COMPLETED"
    states = {item["type"]: item for item in other.data("GET", f"build/{build_id}/artifacts/")}
    found = states["names"]
    assert (found["state"], found["title"], found["tools"]) == ("ready", "list of names", {"package-names": "1.0"})
    assert found["file_name"].startswith("named-")
    listed = other.data("GET", f"build/{build_id}/")["build_artifacts"]
    assert "PACKAGE_NAMES" in {item["artifact_type"] for item in listed}
    answer = other.ask("GET", found["url"].partition("/api/v1/")[2])
    assert (answer.status_code, answer.text) == (200, "nasty-text\n")
    assert found["file_name"] in answer.headers["Content-Disposition"]
    client = EnvStore(f"{other.origin}/envstore", MASTER)
    place = client.download("team/named", "names", f"{tmp_path}/", build_id)
    assert (Path(place).name, Path(place).read_text()) == (found["file_name"], "nasty-text\n")
    assert client.text("team/named", "names") == "nasty-text\n"
    made_by_wire_name = other.ask("GET", f"build/{build_id}/artifacts/PACKAGE_NAMES/file/")
    assert made_by_wire_name.text == answer.text


def test_settings_and_the_document_of_the_api_know_it(other: Server) -> None:
    assert "names" in other.data("GET", "setting/")["build_artifacts"]
    other.data("PUT", "setting/team/", json={"artifacts_at_once": ["PACKAGE_NAMES", "yaml"]})
    assert other.data("GET", "setting/team/")["artifacts_at_once"] == ["names", "yaml"]
    refused = other.ask("PUT", "setting/team/", json={"artifacts_at_once": ["broken"]})
    assert refused.status_code == 400
    assert (
        "known: yaml, lockfile, explicit, archive, docker, installer, pixi, pylock, requirements, sbom, names"
        in refused.json()["message"]
    )
    document = other.ask("GET", "openapi.json", check=False).json()
    assert "PACKAGE_NAMES" in document["components"]["parameters"]["artifact"]["schema"]["enum"]
    rows = other.ask("GET", "build/?artifact=PACKAGE_NAMES", check=False).json()["data"]
    assert len(rows) == 1


def test_a_kind_that_cannot_be_loaded_is_left_out_and_told(other: Server) -> None:
    assert "the artifact kind broken (broken_kind:KIND) cannot be loaded: ModuleNotFoundError" in other.log.read_text()
