"""Packages whose list of files has other sizes than the files: linked as their channels have them, and told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.engine.link import LinkedPackages, link_conda
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import current_platform
from tests.helpers import Store
from tests.hostile import Raw, file_entry


def package(entries: Mapping[str, Mapping[str, Any]]) -> Raw:
    """A package of three files, whose list says something else of some."""
    files = {"share/a": "four", "share/b": "more words", "share/empty": ""}
    listed = [{**file_entry(path, text), **entries.get(path, {})} for path, text in files.items()]
    listing = json.dumps({"paths_version": 1, "paths": [*listed, {"_path": "share/link", "path_type": "softlink"}]})
    return Raw("teller", files, {"share/link": "a"}, info={"paths.json": listing})


def link(place: Path, made: Raw) -> LinkedPackages:
    """Link a package of a channel into a new prefix."""
    lock = PlatformLock((made.write(place / "chan"),))
    prefix = place / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    (place / "pkgs").mkdir(exist_ok=True)
    linked = link_conda(lock, current_platform(), prefix, prefix, place / "pkgs" / "conda", Silent())
    assert (prefix / "share" / "a").read_text() == "four"
    return linked


def test_other_sizes_are_told_each_time_the_package_is_linked(tmp_path: Path) -> None:
    made = package({"share/a": {"size_in_bytes": 5}, "share/b": {"size_in_bytes": 11}})
    for is_forgotten in (False, False, True):  # fetched, known, and in the cache without what was found of it
        if is_forgotten:
            shutil.rmtree(tmp_path / "pkgs" / "paths")
        (found,) = link(tmp_path, made).misstated
        assert (found.package, found.path) == ("teller", "share/a")
        assert str(found) == (
            "teller-1.0-0.tar.bz2 lists share/a with 5 bytes, and it has 4, and so of 1 more file; "
            "it is linked as its channel has it, whose keeper should know"
        )


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"share/a": {"size_in_bytes": None}},
        {"share/a": {"size_in_bytes": 0}},  # not known, as conda takes it
        {"share/link": {"size_in_bytes": 9}},
    ],
)
def test_right_sizes_and_those_that_are_not_listed_are_not_told(
    tmp_path: Path, entries: Mapping[str, Mapping[str, Any]]
) -> None:
    assert link(tmp_path, package(entries)).misstated == ()


def test_a_build_of_such_a_package_is_ready_and_has_a_warning(store: Store, tmp_path: Path) -> None:
    package({"share/a": {"size_in_bytes": 5}}).write(tmp_path / "chan")
    index_channel(tmp_path / "chan")
    view = store.build(f"name: e\nchannels: ['{(tmp_path / 'chan').as_uri()}']\ndependencies: [teller]")
    assert view["status"] == "COMPLETED", view["reason"]
    (warning,) = view["warnings"]
    assert (warning["kind"], warning["package"], warning["path"]) == ("package", "teller", "share/a")
    assert "lists share/a with 5 bytes, and it has 4" in warning["message"]
