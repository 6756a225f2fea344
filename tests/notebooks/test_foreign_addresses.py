"""Addresses that a specification from elsewhere takes packages from: those that no setting names are asked about."""

from __future__ import annotations

import json

import pytest

from jupyter_envstore.errors import ConflictError, PolicyError, UnknownPlacesError
from jupyter_envstore.spec import read_specification
from tests.helpers import Store

FORGE = "https://conda.anaconda.org/conda-forge"
SHA = "0" * 64


def places(store: Store, text: str) -> list[str]:
    """Return the addresses that a user would be asked about."""
    try:
        store.envstore.builds.submit(read_specification(text), "jo", "x", "jo", is_new=True, accepted=[])
    except UnknownPlacesError as error:
        assert store.envstore.environments.list_all() == []  # nothing is left of the attempt
        return error.places
    return []


def lockfile(channel: str, conda: str = f"{FORGE}/noarch/six-1-0.conda", pip: str = "") -> str:
    """Return a lockfile with a channel in its metadata and a package from another place."""
    entry = {"name": "six", "version": "1", "platform": "linux-64", "dependencies": {}, "category": "main"}
    files = [{**entry, "manager": "conda", "url": conda, "hash": {"sha256": SHA, "md5": "0" * 32}, "optional": False}]
    if pip:
        files.append({**files[0], "manager": "pip", "url": pip, "name": "cowsay"})
    metadata = {
        "content_hash": {"linux-64": SHA}, "channels": [{"url": channel, "used_env_vars": []}],
        "platforms": ["linux-64"], "sources": ["environment.yml"],
    }  # fmt: skip
    return json.dumps({"version": 1, "metadata": metadata, "package": files})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("channels: [conda-forge, nodefaults]\ndependencies: [conda-forge/linux-64::six]", []),
        ("channels: [other]\ndependencies: [six]", ["https://conda.anaconda.org/other"]),
        ("dependencies: [other::six]", ["https://conda.anaconda.org/other"]),
        (f"dependencies: ['{FORGE}[x]/evil::six']", [f"{FORGE}[x]/evil"]),
        ("dependencies: [six, pip, pip: [a @ https://evil.example/a-1-py3-none-any.whl]]", ["https://evil.example"]),
        ("dependencies: [six, pip, pip: [--index-url https://i.example/simple/, a]]", ["https://i.example/simple"]),
        ("dependencies: [six, pip, pip: [--find-links https://f.example/x, a]]", ["https://f.example/x"]),
        (lockfile("conda-forge"), []),
        (lockfile("https://evil.example/c"), ["https://evil.example/c"]),
        (lockfile("conda-forge", "https://evil.example/c/noarch/six-1-0.conda"), ["https://evil.example/c"]),
        (lockfile("conda-forge", pip="https://evil.example/a-1-py3-none-any.whl"), ["https://evil.example"]),
    ],
)
def test_addresses_that_no_setting_names_are_asked_about(store: Store, text: str, expected: list[str]) -> None:
    assert places(store, text) == expected


def test_what_the_settings_forbid_is_not_asked_about(store: Store) -> None:
    store.envstore.settings.change({"conda_allowed_channels": ["conda-forge"]}, (), "admin")
    with pytest.raises(PolicyError, match="is not allowed"):
        places(store, "channels: [https://evil.example/c]\ndependencies: [six]")


def test_a_new_environment_is_new(store: Store, nasty_channel: str) -> None:
    store.build(f"channels: [{nasty_channel}]\ndependencies: [nasty-text]", name="x")
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-modes]"
    before = store.envstore.builds.find("team", "x").id
    with pytest.raises(ConflictError, match="environment team/x exists already"):
        store.envstore.builds.submit(read_specification(text), "team", "x", "jo", is_new=True, accepted=[nasty_channel])
    assert store.envstore.builds.find("team", "x").id == before
