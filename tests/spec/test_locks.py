"""Conda-lock files as people have them: hashes that are not there, categories, repositories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.document import read_table
from jupyter_envstore.spec.locks import lock_as_text, lock_categories, only_categories
from jupyter_envstore.spec.repair import repair

MD5, SHA = "0" * 32, "1" * 64
COMMIT = "a" * 40


def entry(name: str, **more: Any) -> dict[str, Any]:
    found = {
        "name": name,
        "version": "1.0",
        "manager": "conda",
        "platform": "linux-64",
        "dependencies": {},
        "url": f"https://host.example/c/linux-64/{name}-1.0-0.conda",
        "hash": {"md5": MD5, "sha256": SHA},
        "category": "main",
        "optional": False,
    }
    return found | more


def lock(*packages: dict[str, Any]) -> str:
    metadata = {"content_hash": {}, "channels": [], "platforms": ["linux-64"], "sources": []}
    return json.dumps({"version": 1, "metadata": metadata, "package": packages})


def names(text: str) -> list[str]:
    found = read_specification(text).lockfile
    assert found is not None
    return [package["name"] for package in found["package"]]


@pytest.mark.parametrize(
    ("hashes", "kept"),
    [
        ({"md5": MD5, "sha256": None}, {"md5": MD5}),
        ({"md5": MD5, "sha256": ""}, {"md5": MD5}),
        ({"md5": None, "sha256": SHA}, {"sha256": SHA}),
    ],
)
def test_a_hash_that_a_lock_does_not_know_is_none(hashes: dict[str, Any], kept: dict[str, str]) -> None:
    found = read_specification(lock(entry("a", hash=hashes))).lockfile
    assert found is not None
    assert found["package"][0]["hash"] == kept


def test_a_package_without_any_hash_is_refused_with_the_way_out() -> None:
    with pytest.raises(SpecificationError, match=r"a has no hash.*lock it again"):
        read_specification(lock(entry("a", hash={"md5": None, "sha256": ""})))
    with pytest.raises(SpecificationError, match="a pip package needs a sha256"):
        url = "https://host.example/a-1.0-py3-none-any.whl"
        read_specification(lock(entry("a", manager="pip", url=url, hash={"md5": MD5})))


def test_main_and_dev_are_kept_once_and_other_categories_told() -> None:
    text = lock(
        entry("a"),
        entry("a", category="dev"),
        entry("b", category="dev"),
        entry("c", category="docs"),
        entry("d", categories=["docs", "gpu"]),
        entry("e", categories=["gpu", "dev"]),
    )
    assert names(text) == ["a", "b", "e"]
    (note,) = read_specification(text).notes
    assert note == "2 packages of other categories left out: docs, gpu; they are chosen by category"
    assert lock_categories(read_table(text)) == ("main", "dev", "docs", "gpu")


def test_chosen_categories_are_a_lock_of_their_own() -> None:
    text = lock(entry("a"), entry("b", category="dev"), entry("c", category="docs"))
    for categories in (("main", "docs"), ("docs",)):  # main is always taken, as by conda-lock
        found, told = only_categories(read_table(text), text, categories)
        chosen = lock_as_text(found)
        assert names(chosen) == ["a", "c"]
        assert told == ("1 package of other categories left out: dev; they are chosen by category",)
        assert not read_specification(chosen).notes
    assert names(lock_as_text(only_categories(read_table(text), text, ("docs", "dev"))[0])) == ["a", "b", "c"]
    with pytest.raises(SpecificationError, match="no category gpu; it has dev, docs, main"):
        only_categories(read_table(text), text, ("gpu",))


def test_a_lock_of_other_categories_alone_says_so() -> None:
    with pytest.raises(SpecificationError, match=r"no package is of the category main or dev.*docs"):
        read_specification(lock(entry("a", category="docs")))


def test_a_repository_at_a_commit_is_read_and_one_without_refused() -> None:
    url = f"git+https://host.example/a.git@{COMMIT}"
    found = read_specification(lock(entry("a", manager="pip", url=url, hash={"sha256": COMMIT}))).lockfile
    assert found is not None
    assert (found["package"][0]["url"], found["package"][0]["hash"]) == (url, {"sha256": COMMIT})
    with pytest.raises(SpecificationError, match="'main' is no full commit"):
        read_specification(lock(entry("a", manager="pip", url="git+https://host.example/a.git@main")))


def test_packages_that_stand_for_what_a_system_has_are_left_out_and_told() -> None:
    virtual = [
        entry("__glibc", version="2.28", url="", hash={}),
        entry("__osx", version="13", url="file:///tmp/fake/osx-64/__osx-13-0.tar.bz2", hash={"md5": None}),
        {"name": "__unix", "version": "0", "manager": "conda", "platform": "linux-64"},
    ]
    found = read_specification(lock(*virtual, entry("a")))
    assert found.lockfile is not None
    assert [package["name"] for package in found.lockfile["package"]] == ["a"]
    assert found.notes == ("__glibc, __osx, __unix left out: what begins with __ stands for what a system has",)


def test_a_lock_of_virtual_packages_alone_is_refused() -> None:
    with pytest.raises(SpecificationError, match="stands for what a system has"):
        read_specification(lock(entry("__glibc", hash={})))


def test_virtual_packages_of_a_pixi_lock_and_of_an_explicit_list_are_left_out_and_told() -> None:
    url = "https://host.example/c/linux-64/"
    pixi = (
        f"version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n"
        f"      - conda: {url}__glibc-2.28-0.conda\n      - conda: {url}a-1-0.conda\n"
        f"packages:\n- conda: {url}a-1-0.conda\n  sha256: {SHA}\n"
    )
    explicit = f"@EXPLICIT\n{url}__glibc-2.28-0.tar.bz2\n{url}a-1-0.conda#{MD5}\n"
    for text, name in ((pixi, "pixi.lock"), (explicit, "explicit.txt")):
        repaired = repair(text, name)
        assert names(repaired.text) == ["a"], name
        told = [change.what for change in repaired.changes]
        assert any(what.startswith("__glibc left out") for what in told), told


OLD_PIXI = """\
version: {version}
metadata:
  content_hash: {{linux-64: abc}}
  channels: [{{url: https://host.example/c/, used_env_vars: []}}]
  platforms: [linux-64]
  sources: []
  time_metadata: null
  git_metadata: null
  inputs_metadata: null
  custom_metadata: null
package:
- platform: linux-64
  name: a
  version: '1'
  category: main
  manager: conda
  dependencies: [b >=1]
  url: https://host.example/c/linux-64/a-1-0.conda
  hash: {{md5: '{md5}'}}
  build: '0'
  subdir: linux-64
  build_number: 0
  size: 12
"""


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("name", ["pixi.lock", "some.yml"])
def test_a_pixi_lock_of_an_old_version_is_named_with_the_way_out(version: int, name: str) -> None:
    text = OLD_PIXI.format(version=version, md5=MD5)
    for read in (read_specification, lambda text: read_specification(repair(text, name).text)):
        with pytest.raises(SpecificationError) as caught:
            read(text)
        [fault] = caught.value.faults
        assert fault.message.startswith(f"this is a pixi.lock of version {version}")
        assert "pixi lock" in fault.message
        assert fault.line == 1
