"""Choices for one build: a cutoff, what the system has, all platforms or none."""

from __future__ import annotations

import json
import sys

import pytest

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.spec import read_specification
from tests.helpers import Store

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def build(store: Store, text: str, options: BuildOptions) -> dict[str, object]:
    reference = store.envstore.builds.submit(read_specification(text), "team", "e", "tester", options=options)
    return store.wait(reference.id)


def test_a_cutoff_leaves_newer_packages_out(store: Store, channel: str) -> None:
    text = f"channels: [{channel}]\ndependencies: [flask]"
    assert build(store, text, BuildOptions(exclude_newer="2000-01-01"))["status"] == "FAILED"
    assert build(store, text, BuildOptions(exclude_newer="2999-01-01T00:00:00Z"))["status"] == "COMPLETED"


def test_a_system_can_be_told_what_it_has(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text, __cuda>=12]"
    assert build(store, text, BuildOptions())["status"] == "FAILED"
    view = build(store, text, BuildOptions(virtual_packages=("__cuda=12.4",)))
    assert view["status"] == "COMPLETED", view["reason"]


def test_a_file_may_take_a_gpu_for_granted(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\nsystem-requirements: {{cuda: 12.4}}\ndependencies: [nasty-text, __cuda>=12]"
    view = build(store, text, BuildOptions())
    assert view["status"] == "COMPLETED", view["reason"]
    lock = store.envstore.records.read(view["id"]).lock(current_platform())
    assert any(package.startswith("__cuda=12.4") for package in lock.virtual_packages)


def test_all_platforms_or_none_can_be_asked_for(store: Store, channel: str) -> None:
    text = f"channels: [{channel}]\nplatforms: [osx-arm64]\ndependencies: ['python={PYTHON}']"
    assert build(store, text, BuildOptions(all_platforms=True))["status"] == "FAILED"


@pytest.mark.parametrize("options", [BuildOptions(exclude_newer="yesterday"), BuildOptions(virtual_packages=("cuda",))])
def test_choices_that_make_no_sense_are_refused_before_anything_is_kept(store: Store, options: BuildOptions) -> None:
    with pytest.raises(InvalidInputError):
        store.envstore.builds.submit(
            read_specification("dependencies: [python]"), "team", "e", "tester", options=options
        )
    assert store.envstore.environments.list_all() == []


def test_a_lock_that_conda_lock_would_not_read_is_refused_at_once(store: Store) -> None:
    package = {
        "name": "a",
        "version": "1.0",
        "manager": "conda",
        "platform": "linux-64",
        "dependencies": "no mapping",
        "url": "https://host.example/c/linux-64/a-1.0-0.conda",
        "hash": {"sha256": "0" * 64},
    }
    metadata = {"content_hash": {}, "channels": [], "platforms": ["linux-64"], "sources": []}
    specification = read_specification(json.dumps({"version": 1, "metadata": metadata, "package": [package]}))
    with pytest.raises(SpecificationError, match=r"conda-lock does not accept.*dependencies"):
        store.envstore.builds.submit(specification, "team", "e", "tester")
    assert store.envstore.environments.list_all() == []
