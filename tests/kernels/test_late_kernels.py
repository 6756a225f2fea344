"""Kernels of environments that are not on the disk yet: started by Jupyter's client, they bring the environment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from jupyter_envstore.database.models import Build
from jupyter_envstore.database.retention import drop_build
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import BuildFailedError, ConflictError
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.late_kernels import STARTER
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from jupyter_envstore.services.values import RecordUse
from jupyter_envstore.spec.lock_entries import BuiltWheel
from tests.helpers import Store, opened_stores


@pytest.fixture
def stores(package_cache: Path) -> Iterator[Callable[..., Store]]:
    with opened_stores(package_cache) as make:
        yield make


def take_later(store: Store, record: BuildRecord, name: str = "late") -> int:
    return store.envstore.builds.submit_record(
        record, ("team", name), "tester", "registry", use=RecordUse(later=True)
    ).id


def recorded(store: Store, text: str) -> BuildRecord:
    view = store.build(text)
    assert view["status"] == "COMPLETED", view["reason"]
    return store.envstore.records.read(view["id"])


def manager_of(kernels: KernelSpecs, name: str) -> KernelManager:
    """Return what starts a kernel as every program of Jupyter does."""
    specs = KernelSpecManager(kernel_dirs=[str(kernels.directory)])
    return KernelManager(kernel_name=name, kernel_spec_manager=specs)


def test_a_kernel_brings_its_environment_when_it_is_started(
    stores: Callable[..., Store], channel: str, tmp_path: Path
) -> None:
    text = f"name: data\nchannels: ['{channel}']\ndependencies: [python, ipykernel]\nvariables: {{GREETING: hello}}\n"
    record = recorded(stores(), text)
    store = stores()
    build = take_later(store, record)
    view = store.envstore.builds.show(build)
    assert (view["status"], view["packed_away"], view["active"], view["size"]) == ("COMPLETED", True, True, 0)
    assert not any(store.envstore.config.builds.iterdir())
    assert store.jobs() == []

    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    state = kernels.state(environment_of(store, build))
    assert (state.ids, state.reason, state.languages) == (("envstore-team--late",), "", ("Python",))
    spec = json.loads((kernels.directory / state.ids[0] / "kernel.json").read_text())
    assert spec["display_name"] == "Python (team/late, not here yet)"

    code = "import os, sys; print(os.environ['GREETING'], sys.prefix)"
    said = said_by_kernel(kernels, state.ids[0], code, tmp_path / "log")
    prefix = store.envstore.prefixes.path(build)
    assert said.split() == ["hello", str(prefix)]
    assert (tmp_path / "log").read_text().startswith("team/late:1 is not here yet; bringing it")

    # From now on it is a kernel like any other; what is made of each build at once is made now.
    view = store.wait(build)
    assert not view["packed_away"]
    assert view["size"] > 0
    assert {"lockfile", "yaml"} <= {item["type"] for item in view["artifacts"] if item["state"] == "ready"}
    kernels.sync()
    again = json.loads((kernels.directory / state.ids[0] / "kernel.json").read_text())
    assert again["display_name"] == "Python (team/late)"
    assert again["argv"][0] == str(prefix / "bin" / "python")
    assert [path.name.endswith("late") for path in kernels.specs.iterdir()] == [False]


def said_by_kernel(kernels: KernelSpecs, name: str, code: str, log_file: Path) -> str:
    """Start a kernel, run code in it, and return what that prints."""
    manager = manager_of(kernels, name)
    log = log_file.open("wb")
    manager.start_kernel(stdout=log, stderr=log)
    client = manager.client()
    client.start_channels()
    said: list[str] = []
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive(code, timeout=30, output_hook=lambda message: said.append(text_of(message)))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        log.close()
    return "".join(said)


def text_of(message: dict[str, Any]) -> str:
    return str(message["content"].get("text", "")) if message["msg_type"] == "stream" else ""


def environment_of(store: Store, build: int) -> int:
    found = store.envstore.images.environment_id("team", store.envstore.builds.show(build)["name"])
    assert found is not None
    return found


def test_scripts_of_packages_run_when_the_environment_is_brought(
    stores: Callable[..., Store], nasty_channel: str
) -> None:
    """What a build does once, a build that was not made yet does when its files come."""
    text = f"name: data\nchannels: ['{nasty_channel}']\ndependencies: [nasty-linked]\n"
    first = stores()
    record = recorded(first, text)
    made = sorted(path.name for path in first.envstore.prefixes.path(1).rglob("*"))
    assert "linked" in made
    store = stores()
    build = take_later(store, record)
    for kind in ("archive", "docker", "installer"):  # what the scripts make would not be in them
        with pytest.raises(ConflictError, match="bring them first: jupyter envstore restore team/late:1"):
            store.envstore.artifacts.request(build, kind)
    lockfile = store.envstore.artifacts.request(build, "lockfile")
    store.wait(build)
    assert store.envstore.artifacts.get(lockfile)["state"] == "ready"
    store.envstore.prefixes.restore(build)
    store.wait(build)
    assert sorted(path.name for path in store.envstore.prefixes.path(build).rglob("*")) == made


def test_an_environment_that_cannot_be_brought_says_why_and_stays_as_it_is(
    stores: Callable[..., Store], nasty_channel: str, tmp_path: Path
) -> None:
    copy = tmp_path / "channel"
    shutil.copytree(nasty_channel.removeprefix("file://"), copy)
    record = recorded(stores(), f"name: data\nchannels: ['{copy.as_uri()}']\ndependencies: [nasty-text]\n")
    shutil.rmtree(copy)
    (tmp_path / "pkgs").mkdir()
    store = stores(packages=tmp_path / "pkgs")
    build = take_later(store, record)
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    assert (
        kernels.state(environment_of(store, build)).reason == StoredBuilds.why_none
    )  # nothing is known of its kernels
    configuration = store.root / "late-kernels.json"
    assert configuration.stat().st_mode & 0o777 == 0o600
    started = [sys.executable, "-I", "-m", STARTER, str(configuration), "team/late:1", "python3", "nowhere.json"]
    done = subprocess.run(started, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == BuildFailedError.exit_code, done.stderr
    assert "the environment of this kernel cannot be brought: team/late:1: " in done.stderr
    assert "nasty-text" in done.stderr.splitlines()[-1]
    view = store.wait(build)
    assert (view["status"], view["packed_away"]) == ("COMPLETED", True)
    with store.envstore.database.write() as session:  # as gc does
        drop_build(session, session.get_one(Build, build))
        assert not session.get_one(Build, build).is_made  # so that scripts run when it is brought


def test_what_has_to_be_built_from_source_is_not_taken_for_later(
    stores: Callable[..., Store], nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stores()
    record = recorded(store, f"name: data\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    wheel: BuiltWheel = {"filename": "a-1-py3-none-any.whl", "sha256": "0" * 64, "size": 1}
    monkeypatch.setattr(BuildRecord, "wheels", property(lambda _: [wheel]))
    with pytest.raises(ConflictError, match="have to be built from source"):
        take_later(store, record)
    assert store.envstore.images.environment_id("team", "late") is None
