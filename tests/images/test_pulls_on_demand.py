"""Images on demand over the registry: built by their pull, once, for those who may."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.images.conftest import LOGIN, refused, run
from tests.server.live import MASTER, Server


@pytest.fixture(scope="module")
def factory(make_server: Callable[[str], Server], base: Path, nasty_channel: str) -> Server:
    """A server whose default channel is the one of hand-made packages."""
    return make_server(
        f"""
c.EnvStoreApp.docker_base_image = "oci:{base}"
c.EnvStoreApp.default_settings = {{"conda_default_channels": [{nasty_channel!r}], "dynamic_limit": 30}}
c.EnvStoreApp.predefined_tokens = {{
    "a-token-that-may-only-look": {{"role_bindings": {{"conda-store-dynamic/*": ["viewer"]}}}},
}}
"""
    )


def demand(server: Server, constraints: str, login: Any = LOGIN, tag: str = "latest") -> requests.Response:
    return requests.get(f"{server.origin}/v2/conda-store-dynamic/{constraints}/manifests/{tag}", auth=login, timeout=60)


def test_an_image_on_demand_is_built_by_its_pull_and_used_again(factory: Server, clients: None, tmp_path: Path) -> None:
    place = f"docker://127.0.0.1:{factory.port}/conda-store-dynamic"
    started = time.monotonic()
    run("skopeo", "copy", "--src-creds", f"x:{MASTER}", "--src-tls-verify=false",
        f"{place}/nasty-versions.lt.1.0/nasty-links", f"oci:{tmp_path}/layout:1")  # fmt: skip
    assert time.monotonic() - started < 20
    found = json.loads(run("skopeo", "inspect", f"oci:{tmp_path}/layout:1").stdout)
    again = demand(factory, "nasty-links/nasty-versions.le.1.0")  # the order does not matter, nor how it is spelled
    assert again.headers["Docker-Content-Digest"] == found["Digest"]
    (environment,) = factory.data("GET", "environment/?namespace=conda-store-dynamic")
    builds = factory.data("GET", f"build/?environment_id={environment['id']}")
    assert len(builds) == 1
    packages = {p["name"]: p["version"] for p in factory.data("GET", f"build/{builds[0]['id']}/packages/?size=100")}
    assert packages["nasty-versions"] == "1.0"
    address = factory.ask("GET", f"build/{builds[0]['id']}/docker/").text
    host, _, name = address.rpartition(":")[0].partition("/")
    assert "latest" in requests.get(f"http://{host}/v2/{name}/tags/list", auth=LOGIN, timeout=10).json()["tags"]


def test_twenty_clients_wait_for_one_build(factory: Server) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: demand(factory, "nasty-text/nasty-modes"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["Docker-Content-Digest"] for answer in answers}) == 1
    found = factory.data("GET", "environment/?namespace=conda-store-dynamic")
    assert len([item for item in found if "modes" in item["name"]]) == 1


@pytest.mark.parametrize(
    ("constraints", "expected", "words"),
    [
        ("no-such-package", (404, "MANIFEST_UNKNOWN"), "no-such-package"),
        ("nasty-versions.gt.99", (404, "MANIFEST_UNKNOWN"), "nasty-versions"),
        ("nasty-text.lt", (400, "NAME_INVALID"), "is no constraint"),
        ("nasty-text.lt.x", (400, "NAME_INVALID"), "is no version"),
        ("nasty-text.eq.1.lt.", (400, "NAME_INVALID"), "no name"),
        ("/".join(["a"] * 110), (400, "NAME_INVALID"), "at most 100 constraints"),
        ("/".join(["a"] * 200), (400, "NAME_INVALID"), "no name"),
        ("Numpy", (400, "NAME_INVALID"), "lower case"),
    ],
)
def test_what_cannot_be_built_on_demand_is_told(
    factory: Server, constraints: str, expected: tuple[int, str], words: str
) -> None:
    started = time.monotonic()
    answer = demand(factory, constraints)
    assert refused(answer) == expected
    assert words in answer.json()["errors"][0]["message"]
    assert time.monotonic() - started < 20


def test_who_may_have_images_made_and_how_many(factory: Server) -> None:
    looker = ("x", "a-token-that-may-only-look")
    assert demand(factory, "nasty-text/nasty-modes", looker).status_code == 200
    assert refused(demand(factory, "nasty-binary", looker)) == (403, "DENIED")
    assert refused(demand(factory, "nasty-binary", None)) == (401, "UNAUTHORIZED")
    count = len(factory.data("GET", "environment/?namespace=conda-store-dynamic&size=100"))
    factory.data("PUT", "setting/", json={"dynamic_limit": count + 1})
    assert demand(factory, "nasty-binary").status_code == 200
    assert refused(demand(factory, "nasty-short")) == (429, "TOOMANYREQUESTS")
    environments = factory.data("GET", "environment/?namespace=conda-store-dynamic")
    made = next(found for found in environments if found["name"].startswith("nasty-binary"))
    factory.data("DELETE", f"environment/conda-store-dynamic/{made['name']}/")
    assert demand(factory, "nasty-short").status_code == 200
    text = "name: x\ndependencies: [nasty-text]\n"
    answer = factory.ask("POST", "specification/", json={"namespace": "conda-store-dynamic", "specification": text})
    assert "reserved" in answer.json()["message"]
