"""Conda-lock files as people have them: hashes that are not there, categories, repositories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.document import read_table
from jupyter_envstore.spec.locks import lock_as_text, lock_categories, only_categories

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
    assert note == "2 packages of other categories left out: docs, gpu; choose with --category"
    assert lock_categories(read_table(text)) == ("main", "dev", "docs", "gpu")


def test_chosen_categories_are_a_lock_of_their_own() -> None:
    text = lock(entry("a"), entry("b", category="dev"), entry("c", category="docs"))
    chosen = lock_as_text(only_categories(read_table(text), text, ("main", "docs")))
    assert names(chosen) == ["a", "c"]
    assert not read_specification(chosen).notes
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
